"""What is noted down about an episode beside its reward: how far it went, how much land and how many things it saw."""

from __future__ import annotations

import numpy as np
import warp as wp

from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import (
    PATCH_SHIFT,
    POSITION_ONE,
    POSITION_SHIFT,
    VISITED_BITS,
    Body,
    Clock,
    VoxelState,
)
from farlands.worlds.world import Measure

_INDEX_MASK = (1 << 22) - 1

MEASURES = (
    Measure("distance_walked", "blocks", "Way gone sideways."),
    Measure("places_visited", "8 x 8 blocks", "Patches of land set foot in."),
    Measure("descent", "blocks", "How far below the start the feet came."),
    Measure("items_held", "kinds", "Different items carried at some time."),
)
"""In the order of the columns of ``Episodes.measures``."""


def to_units(logged: np.ndarray) -> np.ndarray:
    """What ``read_measure`` gave, int ``[N, measures]``, as float64 in the units of ``MEASURES``.

    Land is counted by linear counting (Whang et al. 1990): of m bits set at random by n patches, m exp(-n / m) stay
    clear. Of 20 patches nine counts in ten are exact; at 2,000 the standard error is 2 %.
    """
    values = logged.astype(np.float64)
    values[:, 0] /= POSITION_ONE
    clear = np.maximum(VISITED_BITS - values[:, 1], 0.5) / VISITED_BITS
    values[:, 1] = np.rint(-VISITED_BITS * np.log(clear))
    return values


@wp.func
def _note(bits: wp.array2d(dtype=wp.int32), r: int, index: int):
    """Set a bit; 1 if it was not set before."""
    word = bits[r, index >> 5]
    bit = wp.int32(1) << (index & 31)
    if (word & bit) != 0:
        return 0
    bits[r, index >> 5] = word | bit
    return 1


@wp.func
def note_way(s: VoxelState, r: int, x: int, y: int):
    """Add the way sideways from a former position, cut to position units."""
    dx = float(s.body[Body.X, r] - x)
    dy = float(s.body[Body.Y, r] - y)
    s.body[Body.WALKED, r] = s.body[Body.WALKED, r] + wp.int32(wp.sqrt(dx * dx + dy * dy))


@wp.func
def note_place(s: VoxelState, r: int):
    """Note down where the row stands: a bit by hash of the patch."""
    i = s.body[Body.X, r] >> (POSITION_SHIFT + PATCH_SHIFT)
    j = s.body[Body.Y, r] >> (POSITION_SHIFT + PATCH_SHIFT)
    word = draw(wp.uint32(0), wp.uint32(0), i, j & _INDEX_MASK, Purpose.VISITED)[0]
    s.body[Body.PLACES, r] = s.body[Body.PLACES, r] + _note(s.visited, r, wp.int32(word & wp.uint32(VISITED_BITS - 1)))
    s.body[Body.LOWEST, r] = wp.min(s.body[Body.LOWEST, r], s.body[Body.Z, r] >> POSITION_SHIFT)


@wp.func
def note_item(s: VoxelState, r: int, item: int):
    """Note down that the row carries an item."""
    s.body[Body.KINDS, r] = s.body[Body.KINDS, r] + _note(s.held, r, item)


@wp.func
def read_measure(s: VoxelState, w: int, r: int, index: int):
    """What stands for one of ``MEASURES`` in the state; see ``to_units``."""
    if index == 0:
        return s.body[Body.WALKED, r]
    if index == 1:
        return s.body[Body.PLACES, r]
    if index == 2:
        # One of several agents may have begun higher up than the first.
        return wp.max(s.clock[Clock.START_Z, w] - s.body[Body.LOWEST, r], 0)
    return s.body[Body.KINDS, r]
