"""Several worlds in several threads of one process: who may launch while somebody records a graph.

Warp keeps one recording on CPUs for the whole process. A second one that begins meanwhile is an error, and a launch
from another thread is noted down in a recording that is not its own. So recordings wait for launches, and launches for
recordings; launches do not wait for each other, and graphs that were recorded are replayed without asking.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

_changed = threading.Condition()
_launching = 0
_recording = False


@contextlib.contextmanager
def launching() -> Iterator[None]:
    """Launch kernels one by one, beside others who do. Must not be entered while recording."""
    global _launching
    with _changed:
        _changed.wait_for(lambda: not _recording)
        _launching += 1
    try:
        yield
    finally:
        with _changed:
            _launching -= 1
            _changed.notify_all()


@contextlib.contextmanager
def recording() -> Iterator[None]:
    """Record a graph, alone. Must not be entered while launching."""
    global _recording
    with _changed:
        _changed.wait_for(lambda: not _recording and not _launching)
        _recording = True
    try:
        yield
    finally:
        with _changed:
            _recording = False
            _changed.notify_all()
