"""Time and energy per phase of an update, without making the host wait for the device in all but few updates."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from farlands.runtime.energy_sources import Counter, open_counter

METERED = 32
"""On a GPU, one update in so many is metered. Its counter moves some tens of times a second, and belongs to whatever
the device does at that moment, so that only a phase which begins and ends on an idle device can be told apart."""


class Phases:
    """Stopwatches by name. On a GPU a phase is timed by events on its stream, read once per update.

    Args:
        device: Where the work is done.

    Attributes:
        current: The phase that the host is in; empty between phases.
    """

    def __init__(self, device: torch.device) -> None:
        self._device, self._cuda = device, device.type == "cuda"
        self._host: dict[str, float] = {}
        self.current = ""
        self._events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []
        self._counter: Counter | None = open_counter(device)
        self._joules: dict[str, float] = {}
        self._updates = 0

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        before = self._read_counter()
        self.current = name
        if self._cuda:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            yield
            end.record()
            self._events.append((name, begin, end))
        else:
            begin_time = time.perf_counter()
            yield
            self._host[name] = self._host.get(name, 0.0) + time.perf_counter() - begin_time
        after = self._read_counter() if before is not None else None
        if before is not None and after is not None:
            self._joules[name] = self._joules.get(name, 0.0) + after - before
        self.current = ""

    def read(self) -> dict[str, float]:
        """Seconds by phase since the last call. On a GPU, call it after the device has been waited for."""
        seconds, self._host = self._host, {}
        for name, begin, end in self._events:
            end.synchronize()
            seconds[name] = seconds.get(name, 0.0) + begin.elapsed_time(end) / 1000
        self._events.clear()
        self._updates += 1
        return seconds

    def read_joules(self) -> dict[str, float]:
        """Joules by phase since the last call; empty where they can't be told or, on a GPU, were not metered."""
        joules, self._joules = self._joules, {}
        return joules

    def _read_counter(self) -> float | None:
        """The counter where this update is metered, once the device has done what it was given."""
        if self._counter is None:
            return None
        if self._cuda:
            # The first two updates also compile, allocate and capture graphs; the third is the first of its kind.
            if self._updates % METERED != 2:
                return None
            torch.cuda.synchronize(self._device)
        return self._counter.read()
