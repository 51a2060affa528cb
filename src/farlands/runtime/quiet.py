"""Warp without its banner, and without its complaint where there is no GPU: displays say what matters themselves."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from collections.abc import Iterator


def hush_warp() -> None:
    """Start Warp, where the world has brought it in, without a word into our displays."""
    warp = sys.modules.get("warp")
    if warp is None:
        return
    warp.config.log_level = warp.LOG_ERROR
    if sys.platform == "linux" and not _driver_can_be_loaded():
        # Its native half writes that it found no driver straight to stderr, whatever the log level.
        with _stderr_closed():
            warp.init()


def _driver_can_be_loaded() -> bool:
    for name in ("libcuda.so", "libcuda.so.1"):
        with contextlib.suppress(OSError):
            ctypes.CDLL(name)
            return True
    return False


@contextlib.contextmanager
def _stderr_closed() -> Iterator[None]:
    """What native code writes to stderr goes nowhere; exceptions pass as ever."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
