"""The cells of a world that may change soon: rings, in each of which every entry waits equally long.

Only what was touched is looked at again, so that a world at rest costs nothing. Because the entries of a ring wait
equally long, its oldest is always the next. An entry that finds its ring full is not noted, but that is not forgotten:
the world then goes through all its changed cells again, a few columns a tick, and touches each (``stirring.py``).
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import MAX_PENDING, NUM_RINGS, Clock, Ring, Rules, VoxelState

ENTRY_SHIFT = 20
"""Bits of an entry that hold its cell; those above it hold what the ring needs besides."""
CELL_MASK = (1 << ENTRY_SHIFT) - 1
HEIGHT_BITS = 6
_SLOT_MASK = MAX_PENDING - 1

SWEPT = 16
"""Cells of a column that a sweep goes through at a time."""
SWEPT_PARTS = HEIGHT // SWEPT


@wp.func
def ring_slot(s: VoxelState, w: int, ring: int, k: int):
    """Where the ``k``-th entry of a ring, counted from its oldest, is kept."""
    return ring * MAX_PENDING + ((s.clock[Clock.FALL_FIRST + 2 * ring, w] + k) & _SLOT_MASK)


@wp.func
def note_pending(s: VoxelState, w: int, ring: int, entry: int, due: int):
    """Look at a cell again at tick ``due``, which is no earlier than that of any other entry of the ring."""
    count = s.clock[Clock.FALL_COUNT + 2 * ring, w]
    if count >= MAX_PENDING:
        s.clock[Clock.OVERFLOWS, w] = s.clock[Clock.OVERFLOWS, w] + 1
        s.clock[Clock.SWEEP, w] = s.edited.shape[1] * SWEPT_PARTS
        return
    slot = ring_slot(s, w, ring, count)
    s.pending_cell[w, slot] = entry
    s.pending_due[w, slot] = due
    s.clock[Clock.FALL_COUNT + 2 * ring, w] = count + 1


@wp.func
def take_pending(s: VoxelState, w: int, ring: int):
    """The entry that is due by now, or -1; it is no longer noted."""
    count = s.clock[Clock.FALL_COUNT + 2 * ring, w]
    if count == 0:
        return -1
    slot = ring_slot(s, w, ring, 0)
    if s.pending_due[w, slot] > s.clock[Clock.TICK, w]:
        return -1
    entry = s.pending_cell[w, slot]
    s.pending_cell[w, slot] = 0
    s.pending_due[w, slot] = 0
    s.clock[Clock.FALL_FIRST + 2 * ring, w] = (s.clock[Clock.FALL_FIRST + 2 * ring, w] + 1) & _SLOT_MASK
    s.clock[Clock.FALL_COUNT + 2 * ring, w] = count - 1
    return entry


@wp.func
def is_noted(s: VoxelState, w: int, ring: int, cell: int, among: int):
    """Whether a cell is one of the ``among`` youngest entries of a ring."""
    count = s.clock[Clock.FALL_COUNT + 2 * ring, w]
    k = wp.max(count - among, 0)
    while k < count:
        if s.pending_cell[w, ring_slot(s, w, ring, k)] == cell:
            return True
        k += 1
    return False


@wp.func
def touch(s: VoxelState, w: int, cell: int, old: int):
    """Note that a cell, in which ``old`` was, has changed; ``stirring.py`` looks at it and what is around it."""
    note_pending(s, w, int(Ring.TOUCHED), (old << ENTRY_SHIFT) | cell, 0)


@wp.func
def clear_pending(s: VoxelState, w: int):
    """Note nothing any more."""
    ring = int(0)
    while ring < NUM_RINGS:
        k = int(0)
        while k < s.clock[Clock.FALL_COUNT + 2 * ring, w]:
            slot = ring_slot(s, w, ring, k)
            s.pending_cell[w, slot] = 0
            s.pending_due[w, slot] = 0
            k += 1
        s.clock[Clock.FALL_FIRST + 2 * ring, w] = 0
        s.clock[Clock.FALL_COUNT + 2 * ring, w] = 0
        ring += 1
    s.clock[Clock.SWEEP, w] = 0


@wp.func
def in_strip(s: VoxelState, rules: Rules, w: int, cell: int, axis: int, leaving: int, depth: int):
    """Whether a window cell lies in the strip from ``leaving`` on, ``depth`` blocks deep along an axis."""
    shift = HEIGHT_BITS + rules.side_shift * (1 - axis)
    at = ((cell >> shift) - leaving) & rules.side_mask
    return at < depth


@wp.func
def drop_pending(s: VoxelState, rules: Rules, w: int, axis: int, leaving: int, depth: int):
    """Forget the entries whose cells lie in a strip of the window; the others keep their order."""
    ring = int(0)
    while ring < NUM_RINGS:
        total = s.clock[Clock.FALL_COUNT + 2 * ring, w]
        kept = int(0)
        k = int(0)
        while k < total:
            slot = ring_slot(s, w, ring, k)
            entry = s.pending_cell[w, slot]
            due = s.pending_due[w, slot]
            s.pending_cell[w, slot] = 0
            s.pending_due[w, slot] = 0
            if not in_strip(s, rules, w, entry & CELL_MASK, axis, leaving, depth):
                target = ring_slot(s, w, ring, kept)
                s.pending_cell[w, target] = entry
                s.pending_due[w, target] = due
                kept += 1
            k += 1
        s.clock[Clock.FALL_COUNT + 2 * ring, w] = kept
        ring += 1
