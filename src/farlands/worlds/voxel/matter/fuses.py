"""The lit TNT of a world: a list of cells and of the ticks at which they explode."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.matter.pending import in_strip
from farlands.worlds.voxel.state import MAX_FUSES, Clock, Rules, VoxelState

FUSE_TICKS = 80
SHORT_FUSE = 10
SHORT_FUSE_SPREAD = 21
"""A fuse lit by an explosion burns 10 to 30 ticks."""


@wp.func
def add_fuse(s: VoxelState, w: int, cell: int, due: int):
    """List lit TNT. Returns whether there was room."""
    count = s.clock[Clock.FUSE_COUNT, w]
    if count >= MAX_FUSES:
        return False
    s.fuse_cell[w, count] = cell
    s.fuse_due[w, count] = due
    s.clock[Clock.FUSE_COUNT, w] = count + 1
    return True


@wp.func
def find_fuse(s: VoxelState, w: int, cell: int):
    """Place of a cell on the list, or -1."""
    k = int(0)
    while k < s.clock[Clock.FUSE_COUNT, w]:
        if s.fuse_cell[w, k] == cell:
            return k
        k += 1
    return -1


@wp.func
def remove_fuse(s: VoxelState, w: int, k: int):
    """Strike an entry off; the last one takes its place."""
    last = s.clock[Clock.FUSE_COUNT, w] - 1
    s.fuse_cell[w, k] = s.fuse_cell[w, last]
    s.fuse_due[w, k] = s.fuse_due[w, last]
    s.fuse_cell[w, last] = 0
    s.fuse_due[w, last] = 0
    s.clock[Clock.FUSE_COUNT, w] = last


@wp.func
def clear_fuses(s: VoxelState, w: int):
    """List nothing any more."""
    while s.clock[Clock.FUSE_COUNT, w] > 0:
        remove_fuse(s, w, s.clock[Clock.FUSE_COUNT, w] - 1)


@wp.func
def drop_fuses(s: VoxelState, rules: Rules, w: int, axis: int, leaving: int, depth: int):
    """Strike off those in a strip of the window."""
    k = s.clock[Clock.FUSE_COUNT, w] - 1
    while k >= 0:
        if in_strip(s, rules, w, s.fuse_cell[w, k], axis, leaving, depth):
            remove_fuse(s, w, k)
        k -= 1
