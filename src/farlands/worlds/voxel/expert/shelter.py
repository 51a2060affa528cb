"""Waiting out of harm's way: a hole in the ground with a lid for the night."""

from __future__ import annotations

from functools import partial

import numpy as np

from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.legs import PILLAR_BLOCKS
from farlands.worlds.voxel.expert.travel import Crew, Travel
from farlands.worlds.voxel.expert.view import Cell, View

_DUSK, _DAWN = 12_000, 23_800
_DEPTH = 3
_PLACES = 3


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
        self._roof: Cell = (0, 0, 0)
        self.may_dig = True

    def wait(self, steps: int) -> Doing:
        """Let some steps pass, at night in a hole."""
        if self.may_dig and _DUSK <= self._view.time <= _DAWN and not self._is_covered():
            yield from self._dig_in()
        yield from act("noop", steps)
        return True

    def rest(self, steps: int) -> Doing:
        """Let some steps pass in a hole, whatever the time of day. False if there is nowhere to dig one."""
        if not self._is_covered() and not (yield from self._dig_in()):
            return False
        yield from act("noop", steps)
        return True

    @property
    def is_night(self) -> bool:
        """Whether monsters are about in the open."""
        return _DUSK + 1_000 <= self._view.time <= _DAWN - 1_000

    def _is_covered(self) -> bool:
        x, y, z = self._view.feet
        return self._view.solid((x, y, z + 2)) and self._view.solid((x + 1, y, z)) and self._view.solid((x - 1, y, z))

    def _dig_in(self) -> Doing:
        """Down some blocks, and one overhead; from where that can't be done, to another place."""
        view = self._view
        for _ in range(_PLACES):
            yield from self._travel.sink_here(_DEPTH)
            x, y, z = view.feet
            self._roof = (x, y, z + 2)
            item = next((name for name in PILLAR_BLOCKS if view.count(name)), "")
            if view.solid(self._roof):
                return True
            if item and (yield from self._crew.hands.put(item, partial(_is_cell, np.array(self._roof)))) is not None:
                return True
            yield from self._travel.roam()
        return False


def _is_cell(wanted: np.ndarray, cells: np.ndarray) -> np.ndarray:
    return (cells == wanted).all(axis=-1)
