"""Time per phase of an update, without making the host wait for the device."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Phases:
    """Stopwatches by name. On a GPU a phase is timed by events on its stream, read once per update.

    Args:
        device: Where the work is done.

    Attributes:
        current: The phase that the host is in; empty between phases.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._host: dict[str, float] = {}
        self.current = ""
        self._events: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        self.current = name
        if self._cuda:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            yield
            end.record()
            self._events.append((name, begin, end))
            self.current = ""
            return
        begin_time = time.perf_counter()
        yield
        self._host[name] = self._host.get(name, 0.0) + time.perf_counter() - begin_time
        self.current = ""

    def read(self) -> dict[str, float]:
        """Seconds by phase since the last call. On a GPU, call it after the device has been waited for."""
        seconds, self._host = self._host, {}
        for name, begin, end in self._events:
            end.synchronize()
            seconds[name] = seconds.get(name, 0.0) + begin.elapsed_time(end) / 1000
        self._events.clear()
        return seconds
