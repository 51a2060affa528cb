"""All actors together: kept at work, replaced when they go away, never further ahead than the learner can follow."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, Protocol

from farlands.errors import UserError
from farlands.runtime.actors.config import ActorsConfig
from farlands.runtime.actors.messages import Failure, Report, Weights
from farlands.runtime.actors.roster import Roster, Slot

_POLL = 0.5
"""Seconds between looks at who is late and whether the run should stop."""
_REMEMBERED = 100
"""Causes that are not told again."""


class LostError(Exception):
    """An actor, or what it had made, is no longer there; says why on one line.

    Attributes:
        blameless: The machine went, not the actor.
    """

    def __init__(self, cause: str, *, blameless: bool = False) -> None:
        super().__init__(cause)
        self.blameless = blameless


class ActorsError(UserError):
    """Actors fail again and again, or are missing for too long: there is nothing to go on with."""


class StoppedError(Exception):
    """The run was asked to end while it waited for actors."""


class Cluster(Protocol):
    """Where actors run. Handles are its own; tickets stand for results that are not there yet."""

    def start(self, slot: int, incarnation: int, weights: Any) -> tuple[Any, Hashable]:
        """A new actor as soon as there is room for it; its handle, and the ticket of its ``begin``."""
        ...

    def put(self, weights: Weights) -> Any:
        """Something that stands for weights and can be given to ``start`` and ``send``; kept once for all actors."""
        ...

    def send(self, handle: Any, weights: Any) -> Hashable:
        """Give an actor newer weights, whatever it is at."""
        ...

    def ask(self, handle: Any) -> Hashable:
        """Ask an actor for a rollout, after those it was asked for before."""
        ...

    def wait(self, tickets: Sequence[Hashable], seconds: float) -> list[Hashable]:
        """Those of the tickets whose result is there, after waiting for the first of them for at most so long."""
        ...

    def fetch(self, ticket: Hashable) -> Any:
        """The result. Raises LostError where there will be none."""
        ...

    def stop(self, handle: Any) -> None:
        """End an actor's process at once."""
        ...

    def close(self) -> None:
        """End all of them."""
        ...


class _Errand(NamedTuple):
    """What a ticket is for: a method of the actor that was its slot's ``incarnation``-th."""

    method: str
    slot: Slot
    incarnation: int


class Fleet:
    """Actors, and the rollouts they have under way.

    An actor has at most ``ahead`` rollouts under way or waiting here, so that nothing grows however slow the learner
    is. What waits stays on the cluster until it is taken.

    Args:
        config: How many actors, and what they may do.
        cluster: Where they run.
        note: Tells people what happened: a line, and a traceback where there is one. Once for each cause.
        stopping: Whether the run was asked to end.
        clock: Seconds.

    Attributes:
        beat: Called again and again while waiting, for whoever watches over this process: it waits, it is not stuck.
    """

    beat: Callable[[], None] = staticmethod(lambda: None)

    def __init__(
        self,
        config: ActorsConfig,
        cluster: Cluster,
        note: Callable[[str, str], None],
        stopping: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.config, self.cluster = config, cluster
        self.roster = Roster(config, clock())
        self.version = -1
        self._note, self._stopping, self._clock = note, stopping, clock
        self._weights: Any = None
        self._handles: dict[int, Any] = {}
        self._errands: dict[Hashable, _Errand] = {}
        self._arrived: deque[tuple[Hashable, _Errand]] = deque()
        self._said: deque[str] = deque(maxlen=_REMEMBERED)

    def publish(self, weights: Weights) -> None:
        """Let every actor use these weights from its next rollout on."""
        self._weights, self.version = self.cluster.put(weights), weights.version

    def take(self) -> Report:
        """The next rollout, the one that arrived first; waits for it.

        Raises:
            ActorsError: An actor failed too often, or too few were there for too long.
            StoppedError: The run was asked to end.
        """
        while True:
            self.beat()
            self._poll(0.0 if self._arrived else _POLL)
            self._check()
            self._tend()
            if self._arrived:
                report = self._fetch_arrived()
                if report:
                    return report
            elif self._stopping():
                raise StoppedError

    def close(self) -> None:
        """End all actors."""
        self._errands.clear()
        self._arrived.clear()
        self._handles.clear()
        self.cluster.close()

    def _tend(self) -> None:
        """Fill vacant slots, send weights to those that have older ones, and ask whoever may be asked."""
        now = self._clock()
        for slot in list(self.roster.vacant(now)):
            self.roster.start(slot, self.version, now)
            handle, ticket = self.cluster.start(slot.number, slot.incarnation, self._weights)
            self._handles[slot.number] = handle
            self._expect(ticket, "begin", slot)
        for slot in list(self.roster.outdated(self.version)):
            slot.version, slot.sending = self.version, True
            self._expect(self.cluster.send(self._handles[slot.number], self._weights), "take", slot)
        for slot in list(self.roster.idle()):
            while slot.running + slot.waiting < self.config.ahead:
                self.roster.asked(slot, now)
                self._expect(self.cluster.ask(self._handles[slot.number]), "collect", slot)

    def _expect(self, ticket: Hashable, method: str, slot: Slot) -> None:
        self._errands[ticket] = _Errand(method, slot, slot.incarnation)

    def _poll(self, seconds: float) -> None:
        """See what has come in."""
        for ticket in self.cluster.wait(list(self._errands), seconds):
            errand = self._errands.pop(ticket, None)
            if errand is None:
                continue
            if errand.method == "collect":
                self.roster.arrived(errand.slot, self._clock())
                self._arrived.append((ticket, errand))
            else:
                self._finish(ticket, errand)

    def _finish(self, ticket: Hashable, errand: _Errand) -> None:
        """An actor has begun, or has its weights."""
        result = self._result(ticket, errand)
        if result is None or errand.incarnation != errand.slot.incarnation:
            return
        if errand.method == "begin":
            self.roster.ready(errand.slot, self._clock())
        else:
            errand.slot.sending = False

    def _fetch_arrived(self) -> Report | None:
        ticket, errand = self._arrived.popleft()
        report = self._result(ticket, errand)
        if report is not None and errand.incarnation == errand.slot.incarnation and errand.slot.waiting:
            self.roster.taken(errand.slot)
        return report

    def _result(self, ticket: Hashable, errand: _Errand) -> Any:
        """What an errand has led to; None where that is the end of the actor, which has then been noted."""
        try:
            result = self.cluster.fetch(ticket)
        except LostError as error:
            # Whoever dies before it has done anything would do so again and again.
            failed = not error.blameless and not errand.slot.delivered
            self._end(errand.slot, errand.incarnation, str(error), failed=failed)
            return None
        if isinstance(result, Failure):
            self._end(errand.slot, errand.incarnation, result.cause, failed=True, details=result.details)
            return None
        return True if result is None else result

    def _end(self, slot: Slot, incarnation: int, cause: str, *, failed: bool, details: str = "") -> None:
        """An actor is gone or has to go; what it was asked for will not come."""
        handle = self._handles.pop(slot.number, None) if incarnation == slot.incarnation else None
        if handle is None:
            return
        self.cluster.stop(handle)
        self._errands = {ticket: errand for ticket, errand in self._errands.items() if errand.slot is not slot}
        self.roster.gone(slot, cause, failed=failed, now=self._clock())
        if cause not in self._said:
            self._said.append(cause)
            what = f"actor {slot.number} {'failed' if failed else 'was lost'}: {cause}; another takes its place"
            self._note(what, details)

    def _check(self) -> None:
        """Replace whoever is late. Raises ActorsError where that does not help any more."""
        now, config = self._clock(), self.config
        for slot in list(self.roster.late(now)):
            cause = f"no rollout within {config.timeout:g} s (--actors.timeout)"
            self._end(slot, slot.incarnation, cause, failed=True)
        slot = self.roster.exhausted()
        if slot:
            count = len(slot.failures)
            times = f"{f'{count} times' if count > 1 else 'once'} within {config.window:g} s"
            raise ActorsError(f"actor {slot.number} failed {times}, the last time with: {slot.cause}")
        if self.roster.too_few(now):
            there = f"{self.roster.alive} of {config.count} actors are there, at least {config.minimum} must be"
            waited = f"waited {config.timeout:g} s (--actors.timeout) for"
            raise ActorsError(f"{there}; {waited} {self.roster.describe_missing(now)}")
