"""Figures for experiment trackers of others, which must never stop a run nor slow it.

Weights & Biases and Trackio have the same three calls: ``init``, ``log``, ``finish``. All of them are made by a thread
of its own, which a bounded queue feeds: a tracker that blocks loses rows, which are counted, and nothing else.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import os
import queue
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from farlands.errors import UserError, first_line

_ROOM = 256
"""Rows that wait for a tracker before further ones are dropped."""
_PATIENCE = 20.0
"""Seconds that a tracker is given to finish at the end of a run."""


class Tracker:
    """Sends nothing anywhere; what runs without a tracker have.

    Attributes:
        dropped: Rows that were not sent.
        failure: What went wrong with the tracker, on one line; empty while nothing has.
    """

    dropped: int = 0
    failure: str = ""

    def log(self, row: Mapping[str, float]) -> None:
        """Send the figures of an update; returns at once."""

    def close(self) -> None:
        """Finish, or give up after a while."""


class ThreadedTracker(Tracker):
    """A tracker behind a queue.

    Args:
        module: What has ``init``, ``log`` and ``finish``.
        settings: Gives the arguments of ``init``; called by the thread, once there is something to send.
        room: Rows that may wait.
        patience: Seconds to wait for at the end.
    """

    def __init__(
        self,
        module: Any,
        settings: Callable[[], Mapping[str, Any]],
        room: int = _ROOM,
        patience: float = _PATIENCE,
    ) -> None:
        self._module, self._settings, self._patience = module, settings, patience
        self._queue: queue.Queue[dict[str, float] | None] = queue.Queue(room)
        self._given = self._sent = 0
        self._thread = threading.Thread(target=self._send, name="farlands-tracker", daemon=True)

    def log(self, row: Mapping[str, float]) -> None:
        if not self._given:
            self._thread.start()
        self._given += 1
        try:
            if self.failure:
                raise queue.Full
            self._queue.put_nowait({name: value for name, value in row.items() if math.isfinite(value)})
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        if not self._given:
            return
        try:
            self._queue.put(None, timeout=self._patience)
        except queue.Full:
            self.failure = self.failure or "it took nothing in any more"
        self._thread.join(self._patience)
        if self._thread.is_alive():
            self.failure = self.failure or f"it did not finish within {self._patience:g} s"
        self.dropped = self._given - self._sent

    def _send(self) -> None:
        # A tracker is code of others on someone's network: nothing it does may reach the run.
        try:
            self._module.init(**self._settings())
            while (row := self._queue.get()) is not None:
                self._module.log(row, step=int(row["step"]))
                self._sent += 1
            self._module.finish()
        except BaseException as error:
            self.failure = first_line(error)
            # ``close`` must find room for its word.
            with self._queue.mutex:
                self._queue.queue.clear()
                self._queue.not_full.notify()


def check_tracker(name: str) -> None:
    """Raise UserError where a tracker that is asked for is not installed."""
    if name != "none" and importlib.util.find_spec(name) is None:
        raise UserError("--tracker is", name, f"it is not installed: pip install 'farlands[{name}]'")


def make_tracker(name: str, run: Path, config: Mapping[str, Any]) -> Tracker:
    """The tracker of a run.

    Args:
        name: none, wandb or trackio.
        run: Directory of the run; its name is the run's name at the tracker.
        config: What is shown as the run's settings.

    Raises:
        UserError: It is not installed.
    """
    check_tracker(name)
    if name == "none":
        return Tracker()

    def settings() -> dict[str, Any]:
        project = os.environ.get(f"{name.upper()}_PROJECT", "farlands")
        common = {"project": project, "name": run.name, "config": dict(config), "resume": "allow"}
        return common | ({"id": _identity(run), "dir": str(run)} if name == "wandb" else {})

    # What trackers print would tear the run's own display, and they need not record it.
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_CONSOLE", "off")
    return ThreadedTracker(_Late(name), settings)


class _Late:
    """A module imported by the thread that uses it first: imports of trackers take seconds."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module(self._name), name)


def _identity(run: Path) -> str:
    """An id that a resumed run has again."""
    path = run / "tracker.json"
    if not path.is_file():
        path.write_text(json.dumps({"id": f"{run.name[:40]}-{os.urandom(4).hex()}"}) + "\n", encoding="utf-8")
    return str(json.loads(path.read_text(encoding="utf-8"))["id"])
