"""The wall: worlds of a run streamed to whoever watches, and one of them large, with what its agent thinks.

All pages that watch the same run see the same worlds, which live in one thread. It steps them at their own pace and
draws for each page as often as that page asks.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from farlands.errors import UserError
from farlands.runtime.rundir import RunDirectory
from farlands.studio.clients import Client
from farlands.studio.messages import LookInto, ShowWall
from farlands.studio.pictures import jpeg, mosaic, png
from farlands.studio.portrait import Portrait
from farlands.studio.runs import is_running
from farlands.studio.scenes import Mirror, Scene, open_scene

_TICK = 0.02
_TEND = 2.0
"""Seconds between two calls of ``Scene.tend``."""
_LOOKS = 10.0
"""Large pictures per second."""
_TELLS = 4.0
"""Portraits per second."""
_MOST_AT_ONCE = 32
"""Steps that are caught up between two looks at the clock."""


@dataclass
class Seat:
    """Who watches, and how.

    Attributes:
        client: The page.
        wall: What it asked for.
        look: Which world it looks into, at what size; None for none.
        portrait: Of that world.
    """

    client: Client
    wall: ShowWall
    look: LookInto | None = None
    portrait: Portrait | None = None
    due: dict[str, float] = field(default_factory=dict)
    drawn: dict[str, object] = field(default_factory=dict)

    def is_new(self, what: str, moment: object) -> bool:
        """Whether a picture would show another moment than the last one of its kind, which is then noted."""
        if self.drawn.get(what) == moment:
            return False
        self.drawn[what] = moment
        return True

    def is_due(self, what: str, rate: float, now: float) -> bool:
        """Whether it is time for the next of something that comes at a rate, which is then noted."""
        if now < self.due.get(what, 0.0):
            return False
        self.due[what] = max(self.due.get(what, 0.0) + 1 / rate, now - 1 / rate)
        return True


class Theatre:
    """The worlds of one run, for as long as anybody watches.

    Args:
        directory: Of the run.
        worlds: How many.
        ended: Called when nobody watches any more, or it cannot go on.
    """

    def __init__(self, directory: RunDirectory, worlds: int, ended: Callable[[Theatre], None]) -> None:
        self.directory, self.worlds, self._ended = directory, worlds, ended
        self._seats: dict[int, Seat] = {}
        self._lock = threading.Lock()
        self._closed, self._over = threading.Event(), False
        self._thread = threading.Thread(target=self._live, name=f"theatre-{directory.path.name}", daemon=True)
        self._thread.start()

    def watch(self, client: Client, wall: ShowWall) -> bool:
        """Show the wall to a page from now on. False where it is over already: another theatre has to be opened."""
        with self._lock:
            if not self._over:
                self._seats[id(client)] = Seat(client, wall)
            return not self._over

    def look(self, client: Client, look: LookInto) -> None:
        """Show one world large to a page that watches; world -1 for none."""
        with self._lock:
            seat = self._seats.get(id(client))
            if seat:
                seat.look, seat.portrait = (look if look.world >= 0 else None), None

    def leave(self, client: Client) -> None:
        """A page watches no more."""
        with self._lock:
            self._seats.pop(id(client), None)

    def close(self) -> None:
        """Stop, whoever watches."""
        self._closed.set()
        self._thread.join(timeout=30.0)

    def _present(self) -> list[Seat]:
        with self._lock:
            self._seats = {key: seat for key, seat in self._seats.items() if not seat.client.gone}
            return list(self._seats.values())

    def _ends(self) -> bool:
        """Whether nobody watches any more; who comes after that comes too late."""
        with self._lock:
            self._over = self._closed.is_set() or all(seat.client.gone for seat in self._seats.values())
            return self._over

    def _live(self) -> None:
        _stand_back()
        time.sleep(_TICK)
        try:
            while not self._ends():
                self._show_one_scene()
        except UserError as error:
            self._tell_all("wall-failed", why=str(error))
        except Exception as error:
            self._tell_all("wall-failed", why=f"{type(error).__name__}: {error}"[:300])
        finally:
            with self._lock:
                self._over = True
            self._ended(self)

    def _show_one_scene(self) -> None:
        """Until nobody watches, or a run that was going on has ended, after which its newest agent is shown."""
        running = is_running(self.directory.path)
        self._tell_all("wall-state", state="loading")
        scene = open_scene(self.directory, self.worlds, live=running)
        try:
            self._play(scene, running)
        finally:
            for seat in self._present():
                seat.portrait = None
            scene.close()

    def _play(self, scene: Scene, running: bool) -> None:
        clock, tended, told = time.monotonic(), 0.0, ("", False)
        while not self._closed.is_set():
            seats, now = self._present(), time.monotonic()
            if not seats:
                return
            scene.rate = max(seat.wall.rate for seat in seats)
            minds = frozenset(seat.look.world for seat in seats if seat.look)
            if now - tended > _TEND or minds != scene.minds:
                scene.minds = minds
                scene.tend()
                tended = now
                if is_running(self.directory.path) != running:
                    return
            clock = self._step(scene, seats, clock, now)
            state = _state(scene), scene.through_own_eyes
            if state != told or any("told" not in seat.due for seat in seats):
                self._introduce(scene, seats, state)
                told = state
            for seat in seats:
                self._serve(scene, seat, now)
            time.sleep(max(0.0, _TICK - (time.monotonic() - now)))

    def _step(self, scene: Scene, seats: list[Seat], clock: float, now: float) -> float:
        """Go on by as many steps as are due; the time up to which that was done."""
        steps = 0
        while clock + 1 / scene.pace <= now:
            clock += 1 / scene.pace
            steps += 1
            if steps > _MOST_AT_ONCE or not scene.advance():
                return now
            for seat in seats:
                if seat.portrait:
                    seat.portrait.follow()
        return clock

    def _introduce(self, scene: Scene, seats: list[Seat], state: tuple[str, bool]) -> None:
        for seat in seats:
            seat.due["told"] = 0.0
            about = {"live": scene.live, "worlds": scene.world.num_worlds, "drawn": hasattr(scene.world, "render")}
            checkpoint = getattr(scene, "checkpoint", "")
            about |= {"state": state[0], "own_eyes": state[1], "checkpoint": checkpoint}
            seat.client.tell("wall-state", name=scene.world.spec.name, **about)

    def _serve(self, scene: Scene, seat: Seat, now: float) -> None:
        if seat.is_due("wall", seat.wall.rate, now) and seat.is_new("wall", (id(scene), scene.moment)):
            shown = min(seat.wall.worlds, scene.world.num_worlds)
            pictures = scene.wall(shown, seat.wall.side)
            if pictures is not None:
                grid, columns = mosaic(pictures)
                about = {"columns": columns, "worlds": shown, "side": pictures.shape[2], "steps": scene.steps}
                seat.client.show("wall", about, jpeg(grid))
        look = seat.look
        if look is None or look.world >= scene.world.num_worlds:
            return
        seat.portrait = seat.portrait or Portrait(scene, look.world)
        if seat.is_due("look", _LOOKS, now) and seat.is_new("look", (id(scene), scene.moment, look)):
            large = scene.pictures([look.world], look.side * 3 // 4, look.side)
            if large is not None:
                seat.client.show("look", {"world": look.world}, jpeg(large[0]))
        if seat.is_due("portrait", _TELLS, now):
            seat.client.tell("portrait", **seat.portrait.describe())
            land = seat.portrait.map()
            if land is not None:
                seat.client.show("map", {"world": look.world}, png(land))

    def _tell_all(self, kind: str, **about: Any) -> None:
        for seat in self._present():
            seat.client.tell(kind, **about)


def _stand_back() -> None:
    """Let whoever trains beside us go first on the cores: watching can wait a moment, and training cannot."""
    if sys.platform == "linux":
        # Threads have priorities of their own there; those who play in other threads keep theirs.
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _state(scene: Scene) -> str:
    if isinstance(scene, Mirror):
        return "live" if scene.begun else "waiting for the run's next update"
    return "newest agent"
