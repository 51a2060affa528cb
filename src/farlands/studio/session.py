"""What one open page is doing: every message goes to the room it is about."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from farlands.errors import UserError
from farlands.runtime.rundir import RunDirectory
from farlands.studio.clients import Client
from farlands.studio.messages import CloseWall, LookInto, OpenRun, ShowWall
from farlands.studio.rooms import PlayRoom, ReplayRoom
from farlands.studio.runs import Curves
from farlands.studio.theatre import Theatre

if TYPE_CHECKING:
    from farlands.studio.app import Studio

_READ_EVERY = 1.0
"""Seconds between two readings of a run's figures."""


class Session:
    """One open page.

    Args:
        studio: What pages share.
        client: The page.
    """

    def __init__(self, studio: Studio, client: Client) -> None:
        self.studio, self.client = studio, client
        self._theatre: Theatre | None = None
        self._reading: _Reading | None = None
        self._rooms = (PlayRoom(studio.games, client), ReplayRoom(studio.home, client, self._directory))
        self._doing: dict[type, Callable[[Any], None]] = {
            OpenRun: self._open_run, ShowWall: self._show_wall, LookInto: self._look, CloseWall: self._leave,
        }  # fmt: skip
        for room in self._rooms:
            self._doing |= room.doing

    def receive(self, message: Any) -> None:
        """Do what a page asks. Raises UserError where that cannot be."""
        do = self._doing.get(type(message))
        if do is None:
            raise UserError("not possible here:", type(message).__name__)
        do(message)

    def close(self) -> None:
        """The page is gone."""
        self._leave()
        for room in self._rooms:
            room.close()
        if self._reading:
            self._reading.close()

    def _directory(self, run: str) -> RunDirectory:
        if self.studio.runs is None:
            raise UserError("there is no run here; open the studio on one: farlands studio RUN_DIR")
        return self.studio.runs.directory(run)

    def _open_run(self, message: OpenRun) -> None:
        directory = self._directory(message.run)
        assert self.studio.runs is not None
        self.client.tell("run", **self.studio.runs.describe(message.run))
        if self._reading:
            self._reading.close()
        self._reading = _Reading(self.client, message.run, directory)

    def _show_wall(self, message: ShowWall) -> None:
        directory = self._directory(message.run)
        # Who asks for another size or rate of the same worlds must not let them end meanwhile.
        before, self._theatre = self._theatre, self.studio.stages.watch(directory, self.client, message)
        if before not in (None, self._theatre):
            before.leave(self.client)

    def _look(self, message: LookInto) -> None:
        if self._theatre is None:
            raise UserError("no wall is shown to look into")
        self._theatre.look(self.client, message)

    def _leave(self, message: CloseWall | None = None) -> None:
        if self._theatre:
            self._theatre.leave(self.client)
            self._theatre = None


class _Reading:
    """Tells a page a run's figures whenever there are new ones."""

    def __init__(self, client: Client, run: str, directory: RunDirectory) -> None:
        self._client, self._run, self._curves = client, run, Curves(directory.metrics)
        self._ended = threading.Event()
        threading.Thread(target=self._read, name=f"figures-{run}", daemon=True).start()

    def close(self) -> None:
        """No more."""
        self._ended.set()

    def _read(self) -> None:
        while not self._ended.is_set() and not self._client.gone:
            if self._curves.read_on():
                self._client.tell("figures", run=self._run, **self._curves.tell())
            self._ended.wait(_READ_EVERY)
