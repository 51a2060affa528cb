"""Who is there, who is missing, and whom to ask for what: the book kept about actors.

Nothing here knows of processes, clocks or queues; times are seconds that the caller gives.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from farlands.runtime.actors.config import ActorsConfig

_NAMED = 4
"""Actors that a message names; more are only counted."""
_LONGEST_PAUSE = 30.0
"""Seconds between a failure and the next try, at most."""


class State(enum.Enum):
    """What a slot's actor is at."""

    GONE = "gone"
    STARTING = "starting"
    READY = "ready"


@dataclass
class Slot:
    """An actor's place, which others take over one after another.

    Attributes:
        number: From 0.
        incarnation: How many actors have had the slot, over all the processes that carried the run.
        state: What its present actor is at.
        since: When that began.
        busy_since: When the rollout under way began, at the earliest.
        running: Rollouts asked for that have not arrived.
        waiting: Rollouts that have arrived and were not taken yet.
        delivered: Rollouts of the present actor that were taken.
        version: Of the newest weights sent to it; -1 before any.
        sending: Whether weights are on their way.
        failures: When its actors failed, within the window.
        retry_at: When the next may start.
        cause: What became of the last one, on one line.
    """

    number: int
    incarnation: int = 0
    state: State = State.GONE
    since: float = 0.0
    busy_since: float = 0.0
    running: int = 0
    waiting: int = 0
    delivered: int = 0
    version: int = -1
    sending: bool = False
    failures: deque[float] = field(default_factory=deque)
    retry_at: float = 0.0
    cause: str = ""


class Roster:
    """The slots of all actors.

    Args:
        config: How many there are, and what they may do.
        now: Seconds on the caller's clock.

    Attributes:
        slots: By number.
        lost: Actors that went away, whatever took them.
        failed: Those of them that raised, hung or died without having done anything.
        dropped: Rollouts that were too old.
    """

    def __init__(self, config: ActorsConfig, now: float) -> None:
        self.config = config
        self.slots = [Slot(number, since=now) for number in range(config.count)]
        self.lost = self.failed = self.dropped = 0
        self._short_since: float | None = now

    @property
    def alive(self) -> int:
        """Actors that are at work."""
        return sum(slot.state is State.READY for slot in self.slots)

    def vacant(self, now: float) -> Iterator[Slot]:
        """Slots that an actor should be started for."""
        return (slot for slot in self.slots if slot.state is State.GONE and slot.retry_at <= now)

    def idle(self) -> Iterator[Slot]:
        """Slots whose actor may be asked for one more rollout."""
        ready = (slot for slot in self.slots if slot.state is State.READY)
        return (slot for slot in ready if slot.running + slot.waiting < self.config.ahead)

    def outdated(self, version: int) -> Iterator[Slot]:
        """Slots whose actor should be sent the weights of this version."""
        ready = (slot for slot in self.slots if slot.state is State.READY)
        return (slot for slot in ready if slot.version < version and not slot.sending)

    def start(self, slot: Slot, version: int, now: float) -> None:
        """A new actor is on its way to the slot, with weights of a version."""
        slot.incarnation += 1
        slot.state, slot.since, slot.version = State.STARTING, now, version
        slot.running = slot.waiting = slot.delivered = 0
        slot.sending = False

    def ready(self, slot: Slot, now: float) -> None:
        """The slot's actor has made its worlds."""
        slot.state, slot.since, slot.cause = State.READY, now, ""
        self._count(now)

    def asked(self, slot: Slot, now: float) -> None:
        """Its actor was asked for a rollout."""
        if not slot.running:
            slot.busy_since = now
        slot.running += 1

    def arrived(self, slot: Slot, now: float) -> None:
        """A rollout that was asked for is there."""
        slot.running -= 1
        slot.waiting += 1
        slot.busy_since = now

    def taken(self, slot: Slot) -> None:
        """A rollout that was there was learned from or dropped."""
        slot.waiting -= 1
        slot.delivered += 1

    def gone(self, slot: Slot, cause: str, *, failed: bool, now: float) -> None:
        """The slot's actor is no more.

        Args:
            slot: Its slot.
            cause: What happened, on one line.
            failed: Whether the actor itself is to blame; failures are counted, and the next try is put off.
            now: When it was noticed.
        """
        slot.state, slot.since, slot.cause = State.GONE, now, cause
        slot.running = slot.waiting = 0
        self.lost += 1
        slot.retry_at = now
        if failed:
            self.failed += 1
            slot.failures.append(now)
            while slot.failures[0] < now - self.config.window:
                slot.failures.popleft()
            slot.retry_at += min(_LONGEST_PAUSE, 2.0 ** (len(slot.failures) - 1))
        self._count(now)

    def late(self, now: float) -> Iterator[Slot]:
        """Slots whose actor has been at one rollout for too long."""
        busy = (slot for slot in self.slots if slot.state is State.READY and slot.running)
        return (slot for slot in busy if now - slot.busy_since > self.config.timeout)

    def exhausted(self) -> Slot | None:
        """A slot whose actors failed too often, if there is one."""
        return next((slot for slot in self.slots if len(slot.failures) > self.config.restarts), None)

    def too_few(self, now: float) -> bool:
        """Whether there have been fewer actors than the minimum for too long."""
        return self._short_since is not None and now - self._short_since > self.config.timeout

    def describe_missing(self, now: float) -> str:
        """Who is not at work and what is known of them, on one line."""
        missing = [slot for slot in self.slots if slot.state is not State.READY]
        words = [_describe(slot, now) for slot in missing[:_NAMED]]
        return "; ".join(words) + (f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must not repeat, and the counts so far."""
        counts = {"lost": self.lost, "failed": self.failed, "dropped": self.dropped}
        return {"incarnations": [slot.incarnation for slot in self.slots], **counts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back; of another number of actors too."""
        for slot, incarnation in zip(self.slots, state["incarnations"], strict=False):
            slot.incarnation = int(incarnation)
        self.lost, self.failed, self.dropped = (int(state[name]) for name in ("lost", "failed", "dropped"))

    def _count(self, now: float) -> None:
        if self.alive >= self.config.minimum:
            self._short_since = None
        elif self._short_since is None:
            self._short_since = now


def _describe(slot: Slot, now: float) -> str:
    seconds = f"{now - slot.since:.0f} s"
    if slot.state is State.STARTING:
        return f"actor {slot.number} starting for {seconds} (no room on the cluster, or slow to make its worlds)"
    return f"actor {slot.number} gone for {seconds}" + (f" ({slot.cause})" if slot.cause else "")
