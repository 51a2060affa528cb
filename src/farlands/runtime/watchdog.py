"""Ending a process that does nothing any more, so that whoever started it can start it again."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable

STUCK = 69
"""Exit code of a process that was stuck (BSD's EX_UNAVAILABLE), as where another one was waited for in vain."""

_LOOK = 0.5
"""Seconds between two looks."""


def _end(words: str) -> None:
    print(f"farlands: {words}", file=sys.stderr, flush=True)
    os._exit(STUCK)


class Watchdog:
    """A thread that ends the process when it has not been told anything for too long.

    It cannot help where a library is stuck and holds Python's lock.

    Args:
        timeout: Seconds; 0 for no watch at all.
        end: Called with what was being done and for how long; by default it says so and ends the process.
    """

    def __init__(self, timeout: float, end: Callable[[str], None] = _end) -> None:
        self._timeout, self._finish = timeout, end
        self._doing, self._since = "starting", time.monotonic()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True) if timeout else None
        if self._thread:
            self._thread.start()

    def note(self, doing: str) -> None:
        """Say what is being done now."""
        self._doing, self._since = doing, time.monotonic()

    def close(self) -> None:
        """Watch no longer."""
        self._closed.set()
        if self._thread:
            self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(min(_LOOK, self._timeout / 4)):
            busy = time.monotonic() - self._since
            if busy > self._timeout:
                self._finish(f"stuck for {busy:.0f} s in {self._doing}")
                return
