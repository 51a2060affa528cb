"""The cells of a world that may fall soon: a queue in the order of their ticks.

Only what was touched is looked at again, so that a world at rest costs nothing. Every entry waits equally long, so the
oldest is always the next. The queue is a ring; when it is full, a cell is not noted and stays as it is until it is
touched again.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.state import MAX_PENDING, Clock, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

FALL_DELAY = 2
"""Ticks until a block whose support went moves down a cell."""
_SLOT_MASK = MAX_PENDING - 1


@wp.func
def note_pending(s: VoxelState, w: int, cell: int, due: int):
    """Look at a cell again at tick ``due``, which is no earlier than any other entry's."""
    count = s.clock[Clock.PENDING_COUNT, w]
    if count < MAX_PENDING:
        slot = (s.clock[Clock.PENDING_FIRST, w] + count) & _SLOT_MASK
        s.pending_cell[w, slot] = cell
        s.pending_due[w, slot] = due
        s.clock[Clock.PENDING_COUNT, w] = count + 1


@wp.func
def take_pending(s: VoxelState, w: int):
    """The cell that is due by now, or -1; it is no longer noted."""
    first = s.clock[Clock.PENDING_FIRST, w]
    if s.clock[Clock.PENDING_COUNT, w] == 0 or s.pending_due[w, first] > s.clock[Clock.TICK, w]:
        return -1
    cell = s.pending_cell[w, first]
    s.pending_cell[w, first] = 0
    s.pending_due[w, first] = 0
    s.clock[Clock.PENDING_FIRST, w] = (first + 1) & _SLOT_MASK
    s.clock[Clock.PENDING_COUNT, w] = s.clock[Clock.PENDING_COUNT, w] - 1
    return cell


@wp.func
def wake(s: VoxelState, t: Tables, w: int, cell: int):
    """Look at a cell again soon if what is in it falls."""
    if t.block[wp.int32(s.blocks[w, cell]), BlockColumn.FALLS] != 0:
        note_pending(s, w, cell, s.clock[Clock.TICK, w] + FALL_DELAY)


@wp.func
def clear_pending(s: VoxelState, w: int):
    """Note nothing any more."""
    k = int(0)
    while k < s.clock[Clock.PENDING_COUNT, w]:
        slot = (s.clock[Clock.PENDING_FIRST, w] + k) & _SLOT_MASK
        s.pending_cell[w, slot] = 0
        s.pending_due[w, slot] = 0
        k += 1
    s.clock[Clock.PENDING_FIRST, w] = 0
    s.clock[Clock.PENDING_COUNT, w] = 0


@wp.func
def keep_pending(s: VoxelState, w: int, slot: int, kept: int):
    """While going through the queue from its first entry on: keep the entry of a slot as the ``kept``-th."""
    cell = s.pending_cell[w, slot]
    due = s.pending_due[w, slot]
    s.pending_cell[w, slot] = 0
    s.pending_due[w, slot] = 0
    target = (s.clock[Clock.PENDING_FIRST, w] + kept) & _SLOT_MASK
    s.pending_cell[w, target] = cell
    s.pending_due[w, target] = due
