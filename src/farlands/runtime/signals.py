"""Asking a run to stop: at the end of the update it saves and leaves."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType

PREEMPTED = 75
"""Exit code of a run that SIGTERM ended and that is saved: the same command goes on. BSD's EX_TEMPFAIL; 143 would also
be what is left of a process that SIGTERM ended without anything being saved."""


class StopRequest:
    """While entered, SIGINT and SIGTERM set ``signal`` instead of ending the process; a second one ends it.

    Attributes:
        signal: Number of the signal received, 0 if none.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)
    _TOGETHER = 1.0
    """Seconds within which two signals are one: a terminal and a launcher may both pass the same on."""

    def __init__(self) -> None:
        self.signal = 0
        self._at = 0.0
        self._previous: dict[signal.Signals, object] = {}

    @property
    def exit_code(self) -> int:
        """What the process ends with, having saved: ``PREEMPTED`` for SIGTERM, 130 for SIGINT, as shells have it."""
        return PREEMPTED if self.signal == signal.SIGTERM else 128 + self.signal

    def __enter__(self) -> StopRequest:
        # Python delivers signals to the main thread only; elsewhere (in a notebook's worker, say) nothing is caught.
        if threading.current_thread() is threading.main_thread():
            for number in self._SIGNALS:
                self._previous[number] = signal.signal(number, self._receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._previous.clear()

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if not self.signal:
            self.signal, self._at = number, time.monotonic()
        elif time.monotonic() - self._at > self._TOGETHER:
            for each, handler in self._previous.items():
                signal.signal(each, handler)  # type: ignore[arg-type]
            signal.raise_signal(number)
