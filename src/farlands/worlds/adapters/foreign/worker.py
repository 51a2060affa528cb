"""A worker process: hosts some rows and does what the world's process says. Importable without torch."""

from __future__ import annotations

import os
import pickle
import signal
import threading
import traceback
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from typing import Any

from farlands.errors import UserError, first_line
from farlands.worlds.adapters.foreign.memory import SharedArrays


def work(pipe: Connection, source: bytes, rows: list[int], worker: int) -> None:
    """What a worker process runs, to its end.

    It says what its rows look like, takes the name of the shared memory, and then answers each command ``(verb,
    arguments)`` by ``("done", result)``, or by ``("failed", line, traceback)`` and its end.

    Args:
        pipe: To the world's process.
        source: Pickled ``Source``.
        rows: Which rows of the world.
        worker: This worker's index.
    """
    # Signals often reach a whole group of processes; the world's own decides what they mean, and may have to save.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        host = pickle.loads(source).host(rows)
        pipe.send(("done", host.spec))
        layout, name = pipe.recv()
        memory = SharedArrays(layout, name)
        host.attach(memory.arrays, worker)
        pipe.send(("done", None))
        _serve(pipe, host)
        host.close()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        # The world's process went away; there is nobody left to tell.
        return
    except BaseException as error:
        pipe.send(("failed", _said(error), traceback.format_exc()))


def _serve(pipe: Connection, host: Any) -> None:
    verbs = {"step": host.step, "reset": host.reset, "replay": host.replay, "render": host.render}
    while True:
        # Idle time between commands goes into the beginnings of next episodes.
        while not pipe.poll(0) and host.prepare():
            pass
        verb, arguments = pipe.recv()
        if verb == "close":
            return
        pipe.send(("done", verbs[verb](*arguments)))


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called for the process to exit with {error.code}"
    return str(error) if isinstance(error, UserError) else first_line(error)


def _die_with_parent() -> None:
    """End with the world's process even from inside an environment's call that never returns."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
