"""Telling that an update does not end, while it does not end."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from statistics import median

LEAST_SECONDS = 30.0
"""No update that takes less is called stalled, however short the others are."""
FIRST_SECONDS = 900.0
"""What the first updates may take, which compile and warm up."""


class StallWatch:
    """A thread that sleeps until an update has taken many times the usual.

    It wakes about once in ``least`` seconds, not once an update: an update's end only moves the time at which the
    thread will look again, so that nothing spins and nothing is woken beside the loop.

    Args:
        tell: Called from the thread with the seconds that the update has taken so far.
        times: How many times the median update is too long.
        least: Seconds that are never too long.
        first: Seconds allowed before a median is known.
    """

    def __init__(
        self,
        tell: Callable[[float], None],
        times: float,
        least: float = LEAST_SECONDS,
        first: float = FIRST_SECONDS,
    ) -> None:
        self._tell, self._times, self._least, self._first = tell, times, least, first
        self._taken: deque[float] = deque(maxlen=64)
        self._began = time.monotonic()
        self._deadline = self._began + first
        self._told = False
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="farlands-stalls", daemon=True)
        self._thread.start()

    @property
    def usual(self) -> float:
        """Seconds of the median update; 0 before three of them."""
        return median(self._taken) if len(self._taken) >= 3 else 0.0

    def beat(self) -> float:
        """An update has ended and the next begins.

        Returns:
            Its seconds if it had been told to be stalled, else 0.
        """
        with self._lock:
            now = time.monotonic()
            taken, told = now - self._began, self._told
            if not told:
                self._taken.append(taken)
            usual = self.usual
            allowed = max(self._least, self._times * usual) if usual else self._first
            self._began, self._told, self._deadline = now, False, now + allowed
        return taken if told else 0.0

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join(timeout=5.0)

    def _watch(self) -> None:
        # Later deadlines need no waking: the thread sleeps on until the one it knows.
        while not self._closing.wait(self._sleep()):
            with self._lock:
                taken = time.monotonic() - self._began
                late = time.monotonic() >= self._deadline
                if late:
                    self._told, self._deadline = True, math.inf
            if late:
                self._tell(taken)

    def _sleep(self) -> float:
        left = self._deadline - time.monotonic()
        return min(max(left, 0.001), self._least)
