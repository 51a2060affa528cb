"""Starting several processes of one run on this machine, and starting them all again when one fails.

torch's elastic agent, the one in torchrun, does the starting and watching. Processes that end on purpose, because the
user made a mistake or somebody asked the run to stop, leave a note of their exit code and end with 0: starting them
again would not help.
"""

from __future__ import annotations

import inspect
import logging
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from farlands.runtime.signals import PREEMPTED

NOTE = "FARLANDS_EXIT_NOTE"
"""Environment variable: the file in which process 0 leaves its exit code."""

_ON_PURPOSE = (0, 2, 3, PREEMPTED, 130)
_LAST_WORDS = 600
"""Seconds that processes have for their last checkpoint after they were asked to end."""


def launch(tokens: Sequence[str], processes: int, restarts: int) -> int:
    """Run one command in several processes that are each other's peers.

    Args:
        tokens: Of the command line, without the program's name.
        processes: How many.
        restarts: How often all are started again after one has failed.

    Returns:
        The exit code of the run.
    """
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    # What failed has said so itself, and what follows from it is ours to say.
    logging.getLogger("torch.distributed").setLevel(logging.CRITICAL)
    patience = (
        {"shutdown_timeout": _LAST_WORDS} if "shutdown_timeout" in inspect.signature(LaunchConfig).parameters else {}
    )
    with _note() as note, _handlers():
        config = LaunchConfig(
            min_nodes=1, max_nodes=1, nproc_per_node=processes, max_restarts=restarts, run_id=f"farlands-{os.getpid()}",
            rdzv_backend="c10d", rdzv_endpoint="localhost:0", monitor_interval=0.1,
            # Where the agent would else leave a folder in the system's, for good.
            logs_specs=DefaultLogsSpecs(log_dir=str(note.parent / "logs")), **patience,
        )  # fmt: skip
        try:
            elastic_launch(config, sys.executable)("-m", "farlands", *tokens)
        except ChildFailedError as error:
            rank, failure = error.get_first_failure()
            times = f" after {restarts} restart{'s' * (restarts != 1)}" if restarts else "; --restarts starts it again"
            print(f"farlands: process {rank} ended with code {failure.exitcode}{times}", file=sys.stderr)
            return failure.exitcode if failure.exitcode > 0 else 128 - failure.exitcode
        except SignalException as stopped:
            return int(note.read_text() or 0) if note.exists() else 128 + int(stopped.sigval)
        return int(note.read_text()) if note.exists() else 0


def leave_note(code: int) -> int:
    """The exit code that this process is to end with; process 0 of those that were launched notes down the real one."""
    note = os.environ.get(NOTE)
    if not note or code not in _ON_PURPOSE:
        return code
    if os.environ.get("RANK") == "0":
        Path(note).write_text(str(code), encoding="utf-8")
    return 0


@contextmanager
def _handlers() -> Iterator[None]:
    """Put back what the agent does with signals, which it leaves as it set them."""
    kept = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    }
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in kept.items():
                signal.signal(number, handler)


@contextmanager
def _note() -> Iterator[Path]:
    """A place for the exit code, known to all processes started within."""
    with tempfile.TemporaryDirectory(prefix="farlands-") as directory:
        path = Path(directory) / "exit-code"
        # Threads are shared out by each process; torch's agent would else announce that it sets one each.
        fresh = {NOTE: str(path), "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
        before = {name: os.environ.get(name) for name in fresh}
        os.environ.update(fresh)
        try:
            yield path
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
