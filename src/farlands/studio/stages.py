"""The theatres that are open, one for each run that is watched; opened by the first who watches, gone with the last."""

from __future__ import annotations

import threading
from pathlib import Path

from farlands.runtime.rundir import RunDirectory
from farlands.studio.clients import Client
from farlands.studio.messages import ShowWall
from farlands.studio.theatre import Theatre


class Stages:
    """Theatres by run."""

    def __init__(self) -> None:
        self._theatres: dict[Path, Theatre] = {}
        self._lock = threading.Lock()

    def watch(self, directory: RunDirectory, client: Client, wall: ShowWall) -> Theatre:
        """Show a run's worlds to a page."""
        key = directory.path.resolve()
        with self._lock:
            theatre = self._theatres.get(key)
            if theatre is None or theatre.worlds < wall.worlds or not theatre.watch(client, wall):
                # Pages that watch fewer worlds stay where they are until they ask anew.
                theatre = self._theatres[key] = Theatre(directory, wall.worlds, self._forget)
                theatre.watch(client, wall)
            return theatre

    def close(self) -> None:
        """Close all."""
        with self._lock:
            theatres = list(self._theatres.values())
        for theatre in theatres:
            theatre.close()

    def _forget(self, theatre: Theatre) -> None:
        with self._lock:
            self._theatres = {key: each for key, each in self._theatres.items() if each is not theatre}
