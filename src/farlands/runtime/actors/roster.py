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
    """What a seat's actor is at."""

    GONE = "gone"
    STARTING = "starting"
    READY = "ready"


@dataclass
class Seat:
    """An actor's place, which others take over one after another.

    Attributes:
        number: From 0.
        incarnation: How many actors have had the seat, over all the processes that carried the run.
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
    """The seats of all actors.

    Args:
        config: How many there are, and what they may do.
        now: Seconds on the caller's clock.

    Attributes:
        seats: By number.
        lost: Actors that went away, whatever took them.
        failed: Those of them that raised, hung or died without having done anything.
        dropped: Rollouts that were too old.
    """

    def __init__(self, config: ActorsConfig, now: float) -> None:
        self.config = config
        self.seats = [Seat(number, since=now) for number in range(config.count)]
        self.lost = self.failed = self.dropped = 0
        self._short_since: float | None = now

    @property
    def alive(self) -> int:
        """Actors that are at work."""
        return sum(seat.state is State.READY for seat in self.seats)

    def vacant(self, now: float) -> Iterator[Seat]:
        """Seats that an actor should be started for."""
        return (seat for seat in self.seats if seat.state is State.GONE and seat.retry_at <= now)

    def idle(self) -> Iterator[Seat]:
        """Seats whose actor may be asked for one more rollout."""
        ready = (seat for seat in self.seats if seat.state is State.READY)
        return (seat for seat in ready if seat.running + seat.waiting < self.config.ahead)

    def outdated(self, version: int) -> Iterator[Seat]:
        """Seats whose actor should be sent the weights of this version."""
        ready = (seat for seat in self.seats if seat.state is State.READY)
        return (seat for seat in ready if seat.version < version and not seat.sending)

    def start(self, seat: Seat, version: int, now: float) -> None:
        """A new actor is on its way to the seat, with weights of a version."""
        seat.incarnation += 1
        seat.state, seat.since, seat.version = State.STARTING, now, version
        seat.running = seat.waiting = seat.delivered = 0
        seat.sending = False

    def ready(self, seat: Seat, now: float) -> None:
        """The seat's actor has made its worlds."""
        seat.state, seat.since, seat.cause = State.READY, now, ""
        self._count(now)

    def asked(self, seat: Seat, now: float) -> None:
        """Its actor was asked for a rollout."""
        if not seat.running:
            seat.busy_since = now
        seat.running += 1

    def arrived(self, seat: Seat, now: float) -> None:
        """A rollout that was asked for is there."""
        seat.running -= 1
        seat.waiting += 1
        seat.busy_since = now

    def taken(self, seat: Seat) -> None:
        """A rollout that was there was learned from or dropped."""
        seat.waiting -= 1
        seat.delivered += 1

    def gone(self, seat: Seat, cause: str, *, failed: bool, now: float) -> None:
        """The seat's actor is no more.

        Args:
            seat: Its seat.
            cause: What happened, on one line.
            failed: Whether the actor itself is to blame; failures are counted, and the next try is put off.
            now: When it was noticed.
        """
        seat.state, seat.since, seat.cause = State.GONE, now, cause
        seat.running = seat.waiting = 0
        self.lost += 1
        seat.retry_at = now
        if failed:
            self.failed += 1
            seat.failures.append(now)
            while seat.failures[0] < now - self.config.window:
                seat.failures.popleft()
            seat.retry_at += min(_LONGEST_PAUSE, 2.0 ** (len(seat.failures) - 1))
        self._count(now)

    def late(self, now: float) -> Iterator[Seat]:
        """Seats whose actor has been at one rollout for too long."""
        busy = (seat for seat in self.seats if seat.state is State.READY and seat.running)
        return (seat for seat in busy if now - seat.busy_since > self.config.timeout)

    def exhausted(self) -> Seat | None:
        """A seat whose actors failed too often, if there is one."""
        return next((seat for seat in self.seats if len(seat.failures) > self.config.restarts), None)

    def too_few(self, now: float) -> bool:
        """Whether there have been fewer actors than the minimum for too long."""
        return self._short_since is not None and now - self._short_since > self.config.timeout

    def describe_missing(self, now: float) -> str:
        """Who is not at work and what is known of them, on one line."""
        missing = [seat for seat in self.seats if seat.state is not State.READY]
        words = [_describe(seat, now) for seat in missing[:_NAMED]]
        return "; ".join(words) + (f"; and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run must not repeat, and the counts so far."""
        counts = {"lost": self.lost, "failed": self.failed, "dropped": self.dropped}
        return {"incarnations": [seat.incarnation for seat in self.seats], **counts}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back; of another number of actors too."""
        for seat, incarnation in zip(self.seats, state["incarnations"], strict=False):
            seat.incarnation = int(incarnation)
        self.lost, self.failed, self.dropped = (int(state[name]) for name in ("lost", "failed", "dropped"))

    def _count(self, now: float) -> None:
        if self.alive >= self.config.minimum:
            self._short_since = None
        elif self._short_since is None:
            self._short_since = now


def _describe(seat: Seat, now: float) -> str:
    seconds = f"{now - seat.since:.0f} s"
    if seat.state is State.STARTING:
        return f"actor {seat.number} starting for {seconds} (no room on the cluster, or slow to make its worlds)"
    return f"actor {seat.number} gone for {seconds}" + (f" ({seat.cause})" if seat.cause else "")
