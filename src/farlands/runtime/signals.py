"""Asking a run to stop: at the end of the update it saves and leaves."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class StopRequest:
    """While entered, SIGINT and SIGTERM set ``signal`` instead of ending the process; a second one ends it.

    Attributes:
        signal: Number of the signal received, 0 if none.
    """

    _SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.signal = 0
        self._previous: dict[signal.Signals, object] = {}

    @property
    def exit_code(self) -> int:
        """128 + the signal's number, as shells have it."""
        return 128 + self.signal

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
        self.signal = number
        for each, handler in self._previous.items():
            signal.signal(each, handler)  # type: ignore[arg-type]
