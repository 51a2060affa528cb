"""The cells of a world in which something grows: a list. A sapling for which it has no room stays one."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.state import MAX_GROWING, Clock, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables


@wp.func
def note_growing(s: VoxelState, t: Tables, w: int, cell: int, block: int):
    """List a cell if what is in it grows and there is room."""
    count = s.clock[Clock.GROWING_COUNT, w]
    if t.block[block, BlockColumn.GROWS] != 0 and count < MAX_GROWING:
        s.growing[w, count] = cell
        s.clock[Clock.GROWING_COUNT, w] = count + 1


@wp.func
def strike_growing(s: VoxelState, t: Tables, w: int, cell: int, block: int):
    """Take a cell off the list after what grew in it has gone; the last one takes its place."""
    if t.block[block, BlockColumn.GROWS] != 0:
        k = int(0)
        while k < s.clock[Clock.GROWING_COUNT, w]:
            if s.growing[w, k] == cell:
                last = s.clock[Clock.GROWING_COUNT, w] - 1
                s.growing[w, k] = s.growing[w, last]
                s.growing[w, last] = 0
                s.clock[Clock.GROWING_COUNT, w] = last
                return
            k += 1


@wp.func
def clear_growing(s: VoxelState, w: int):
    """List nothing any more."""
    k = int(0)
    while k < s.clock[Clock.GROWING_COUNT, w]:
        s.growing[w, k] = 0
        k += 1
    s.clock[Clock.GROWING_COUNT, w] = 0
