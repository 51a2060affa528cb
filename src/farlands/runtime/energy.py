"""What work costs: seconds, and joules where a counter can tell."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from farlands.runtime.energy_sources import Counter, open_counter, open_host_counter

if TYPE_CHECKING:
    import torch

_NOTES = {
    "power": "the clock is held back by the power limit",
    "thermal": "the clock is held back by heat",
    "hardware": "the clock is held back by the hardware, which doesn't say why",
}


class Cost(NamedTuple):
    """Seconds, and joules of the device; None where they can't be told."""

    seconds: float
    joules: float | None


def total_cost(costs: Sequence[Cost]) -> Cost:
    """Of processes that worked side by side: the longest time, and all energy where every one could tell its own."""
    joules = [cost.joules for cost in costs]
    known = all(each is not None for each in joules)
    return Cost(max(cost.seconds for cost in costs), sum(each or 0.0 for each in joules) if known else None)


class Meter:
    """Time, and energy of a device, since it was made.

    Joules are of the whole GPU that is computed on, or of the machine's processor packages where that is the CPU,
    whoever else uses them. Readings of several processes may be added up (``energy_sources.open_counter``).

    Args:
        device: What is measured.
    """

    def __init__(self, device: torch.device) -> None:
        self._counter = open_counter(device)
        self._host = open_host_counter() if device.type == "cuda" else None
        self._began, self._joules, self._host_joules = time.monotonic(), _read(self._counter), _read(self._host)
        self._lap, self._host_lap = Cost(0.0, 0.0), Cost(0.0, 0.0)
        self._told: set[str] = set()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._began

    @property
    def joules(self) -> float | None:
        """Of the device since this was made; None where they can't be told."""
        return _difference(_read(self._counter), self._joules)

    @property
    def host_joules(self) -> float | None:
        """Of the machine's processors beside a GPU; None where they can't be told, or are ``joules`` themselves."""
        return _difference(_read(self._host), self._host_joules)

    def lap(self) -> Cost:
        """What was spent since the lap before, or since this was made."""
        now, before = Cost(self.seconds, self.joules), self._lap
        self._lap = now
        return Cost(now.seconds - before.seconds, _difference(now.joules, before.joules))

    def figures(self, cost: Cost, steps: int) -> dict[str, float]:
        """What a row of metrics says of energy, for the lap that has just ended; what is not measured is left out.

        ``energy/per_million_steps`` in joules, ``power/device`` and, beside a GPU, ``power/host`` in watts, and
        ``throttle/REASON``: 1 where the clock is held back at the moment of asking.

        Args:
            cost: Of the lap.
            steps: Taken in it.
        """
        figures = {}
        if cost.joules is not None:
            figures["energy/per_million_steps"] = 1e6 * cost.joules / max(steps, 1)
            figures["power/device"] = cost.joules / max(cost.seconds, 1e-9)
        now, before = Cost(self.seconds, self.host_joules), self._host_lap
        self._host_lap = now
        spent = _difference(now.joules, before.joules)
        if spent is not None:
            figures["power/host"] = spent / max(now.seconds - before.seconds, 1e-9)
        held = self._counter.throttling() if self._counter else {}
        return figures | {f"throttle/{reason}": float(here) for reason, here in held.items()}

    def new_notes(self, figures: dict[str, float]) -> list[str]:
        """What people should be told of throttling, each reason once."""
        reasons = [name for name in _NOTES if figures.get(f"throttle/{name}") and name not in self._told]
        self._told |= set(reasons)
        return [_NOTES[name] for name in reasons]


def _read(counter: Counter | None) -> float | None:
    return counter.read() if counter else None


def _difference(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before
