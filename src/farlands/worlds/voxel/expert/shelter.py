"""Waiting out of harm's way: a hole in the ground with a lid for the night."""

from __future__ import annotations

import math
from collections.abc import Generator
from functools import partial

import numpy as np

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper
from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.legs import PILLAR_BLOCKS
from farlands.worlds.voxel.expert.paths import Kind, Move
from farlands.worlds.voxel.expert.travel import Crew, Travel
from farlands.worlds.voxel.expert.view import SIDES, Cell, View
from farlands.worlds.voxel.state import Body

_DUSK, _DAWN = 12_000, 23_800
_DEPTH = 3
_PLACES = 3
_SIGHT, _ASLANT = 16, 0.4
"""Blocks from which archers shoot, and how far from straight one stands against whom a second wall is put up."""
_WALLS, _ALL_WALLS = 6, 8
"""Cells around a body that have to be solid: an opening of two is where it came in."""
HEALING_FOOD = 18
"""Food points from which wounds heal."""
_LOST = 30
"""Steps after which monsters have forgotten whom they no longer see."""


class Shelter:
    """A place to wait in.

    Attributes:
        may_dig: Whether going underground is no harm to what is wanted.

    Args:
        view: The whole world.
        crew, travel: Whose.
    """

    def __init__(self, view: View, crew: Crew, travel: Travel) -> None:
        self._view, self._crew, self._travel = view, crew, travel
        self._unsafe: set[Cell] = set()
        self.may_dig = True

    def wait(self, steps: int) -> Doing:
        """Let some steps pass, at night in a hole."""
        if self.may_dig and _DUSK <= self._view.time <= _DAWN and not self._is_covered():
            yield from self._dig_in()
        yield from self._idle(steps)
        return True

    def rest(self, steps: int) -> Doing:
        """Let some steps pass in a hole, whatever the time of day. False if there is nowhere to dig one."""
        if not self._is_covered() and not (yield from self._dig_in()):
            return False
        yield from self._idle(steps)
        return True

    def recover(self, health: int, patience: int) -> Doing:
        """Hide right here until wounds have healed so far; whoever is too hungry to heal hides until the day.

        Args:
            health: Health points.
            patience: Steps that this may take at most.

        Returns:
            False if no hole can be dug here.
        """
        if not self.may_dig or self._view.afloat:
            return False
        yield from self._put_shield()
        if not self._is_covered() and not (yield from self._dig_in(1)):
            return False
        for hidden in range(patience):
            fed = self._view.body(Body.FOOD) >= HEALING_FOOD
            if self._view.body(Body.HEALTH) >= health or (hidden > _LOST and not fed and not self.is_night):
                break
            if not (yield from self._idle(1)):
                return False
        return True

    @property
    def is_night(self) -> bool:
        """Whether monsters are about in the open."""
        return _DUSK + 1_000 <= self._view.time <= _DAWN - 1_000

    def _idle(self, steps: int) -> Doing:
        """Do nothing. False, and never here again, as soon as something hurts."""
        health = self._view.body(Body.HEALTH)
        for _ in range(steps):
            yield from act("noop")
            if self._view.body(Body.HEALTH) < health:
                self._unsafe.add(self._view.feet)
                return False
        return True

    def _is_covered(self) -> bool:
        """Whether this is a hole: with a roof, unless there is nothing to make one of, and walls on most sides."""
        x, y, z = self._view.feet
        walls = sum(self._view.solid((x + dx, y + dy, z + k)) for dx, dy, dz in SIDES if dz == 0 for k in (0, 1))
        roofed = self._view.solid((x, y, z + 2))
        pit = walls == _ALL_WALLS and not any(self._view.count(name) for name in PILLAR_BLOCKS)
        return (pit or (roofed and walls >= _WALLS)) and self._view.feet not in self._unsafe

    def _dig_in(self, places: int = _PLACES) -> Doing:
        """Down some blocks, and walls and a roof; from where that can't be done, to another place."""
        for k in range(places):
            yield from self._travel.sink_here(_DEPTH)
            yield from self._close()
            if self._is_covered() or (yield from self._tunnel()):
                return True
            if k + 1 < places:
                yield from self._travel.roam()
        return False

    def _put_shield(self) -> Generator[int, None, None]:
        """Put blocks between the body and the nearest monster in sight: quicker than any hole."""
        x, y, z = self._view.position
        seen = [
            (fx - x, fy - y) for _, kind, fx, fy, fz in self._view.creatures()
            if CREATURES[kind - 1].temper == Temper.HOSTILE and abs(fz - z) < _SIGHT
            and math.hypot(fx - x, fy - y) < _SIGHT and self._view.sees((fx, fy, fz + 1.5))
        ]  # fmt: skip
        if not seen:
            return
        east, north = min(seen, key=lambda away: math.hypot(*away))
        sides = [(int(math.copysign(1, east)), 0), (0, int(math.copysign(1, north)))]
        if abs(north) > abs(east):
            sides.reverse()
        least = min(abs(east), abs(north)) / max(abs(east), abs(north), 1e-6)
        yield from self._fill([(*side, k) for side in sides[: 1 + (least > _ASLANT)] for k in (0, 1)])

    def _close(self) -> Generator[int, None, None]:
        """Put blocks into the open cells around the body, the roof first."""
        yield from self._fill([(0, 0, 2), *((dx, dy, k) for k in (0, 1) for dx, dy, dz in SIDES if dz == 0)])

    def _fill(self, offsets: list[Cell]) -> Generator[int, None, None]:
        """Put blocks into cells beside the feet, as long as there are any."""
        x, y, z = self._view.feet
        for cell in ((x + dx, y + dy, z + dz) for dx, dy, dz in offsets):
            item = next((name for name in PILLAR_BLOCKS if self._view.count(name)), "")
            if item and not self._view.solid(cell) and self._view.feet == (x, y, z):
                yield from self._crew.hands.put(item, partial(_is_cell, np.array(cell)))

    def _tunnel(self) -> Doing:
        """Aside out of a shaft, to where nothing can be seen from above."""
        view = self._view
        x, y, z = view.feet
        for dx, dy in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            cell = (x + dx, y + dy, z)
            clear = ((x + dx, y + dy, z + 1), cell)
            roofed = view.solid((x + dx, y + dy, z + 2)) and not BLOCKS[view.block((x + dx, y + dy, z + 2))].falls
            walled = view.solid((x + 2 * dx, y + 2 * dy, z)) and view.solid((x + dx, y + dy, z - 1))
            if roofed and walled and all(view.solid(c) and not view.touches_lava(c) for c in clear):
                if (yield from self._crew.legs.follow(Move(Kind.WALK, cell, clear))):
                    return True
        return False


def _is_cell(wanted: np.ndarray, cells: np.ndarray) -> np.ndarray:
    return (cells == wanted).all(axis=-1)
