"""Leaves that have lost their tree vanish.

Who takes a log away wakes the leaves within six blocks of it, and a leaf that goes wakes those beside it; only they are
listed. A listed leaf is looked at with the chance of the genre's random ticks, and goes if no path of at most six steps
through leaves leads from it to a log; else it is struck off. What it would have dropped is lost.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, OAK_LEAVES, OAK_LOG, SPRUCE_LEAVES, SPRUCE_LOG
from farlands.worlds.voxel.grid import block_at, cell_at, cell_position, set_block
from farlands.worlds.voxel.matter.pending import in_strip
from farlands.worlds.voxel.options import RANDOM_TICKS
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import MAX_LEAVES, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import Tables

REACH = 6
"""Steps through leaves from a log at which they still hold."""
_SIDE = 2 * REACH + 1
_ROWS = _SIDE * _SIDE
_LOOK = int(2**32 / RANDOM_TICKS)


@wp.func
def is_log(block: int):
    """Whether it is a trunk."""
    return block == OAK_LOG or block == SPRUCE_LOG


@wp.func
def is_leaf(block: int):
    """Whether it is part of a crown."""
    return block == OAK_LEAVES or block == SPRUCE_LEAVES


@wp.func
def _list_leaf(s: VoxelState, w: int, cell: int):
    count = s.clock[Clock.LEAF_COUNT, w]
    k = int(0)
    while k < count:
        if s.leaves[w, k] == cell:
            return
        k += 1
    if count >= MAX_LEAVES:
        s.clock[Clock.OVERFLOWS, w] = s.clock[Clock.OVERFLOWS, w] + 1
        return
    s.leaves[w, count] = cell
    s.clock[Clock.LEAF_COUNT, w] = count + 1


@wp.func
def _strike_leaf(s: VoxelState, w: int, k: int):
    last = s.clock[Clock.LEAF_COUNT, w] - 1
    s.leaves[w, k] = s.leaves[w, last]
    s.leaves[w, last] = 0
    s.clock[Clock.LEAF_COUNT, w] = last


@wp.func
def wake_leaves(s: VoxelState, rules: Rules, w: int, at: wp.vec3i, radius: int):
    """List the leaves within ``radius`` steps of a cell."""
    dx = -radius
    while dx <= radius:
        across = radius - wp.abs(dx)
        dy = -across
        while dy <= across:
            up = across - wp.abs(dy)
            dz = -up
            while dz <= up:
                cell = cell_at(s, rules, w, at[0] + dx, at[1] + dy, at[2] + dz)
                if cell >= 0:
                    if is_leaf(wp.int32(s.blocks[w, cell])):
                        _list_leaf(s, w, cell)
                dz += 1
            dy += 1
        dx += 1


@wp.func
def clear_leaves(s: VoxelState, w: int):
    """List nothing any more."""
    while s.clock[Clock.LEAF_COUNT, w] > 0:
        _strike_leaf(s, w, s.clock[Clock.LEAF_COUNT, w] - 1)


@wp.func
def drop_leaves(s: VoxelState, rules: Rules, w: int, axis: int, leaving: int, depth: int):
    """Strike off those in a strip of the window."""
    k = s.clock[Clock.LEAF_COUNT, w] - 1
    while k >= 0:
        if in_strip(s, rules, w, s.leaves[w, k], axis, leaving, depth):
            _strike_leaf(s, w, k)
        k -= 1


@wp.func
def _read_row(s: VoxelState, rules: Rules, w: int, at: wp.vec3i, row: int):
    """Bits of the leaves, and above bit 16 of the logs, in a row along x of the cube around a leaf."""
    y = at[1] + row % _SIDE - REACH
    z = at[2] + row // _SIDE - REACH
    bits = int(0)
    i = int(0)
    while i < _SIDE:
        block = block_at(s, rules, w, at[0] + i - REACH, y, z)
        if is_leaf(block):
            bits = bits | (1 << i)
        elif is_log(block):
            bits = bits | (65536 << i)
        i += 1
    return bits


@wp.func
def _spread(s: VoxelState, w: int, row: int, at: int):
    """Cells of a row that are reached, or lie beside one that is, in the layer of sums that starts at ``at``."""
    own = s.scratch[w, at + row]
    bits = own | (own << 1) | (own >> 1)
    if row % _SIDE > 0:
        bits = bits | s.scratch[w, at + row - 1]
    if row % _SIDE < _SIDE - 1:
        bits = bits | s.scratch[w, at + row + 1]
    if row >= _SIDE:
        bits = bits | s.scratch[w, at + row - _SIDE]
    if row < _ROWS - _SIDE:
        bits = bits | s.scratch[w, at + row + _SIDE]
    return bits


@wp.func
def reaches_log(s: VoxelState, rules: Rules, w: int, at: wp.vec3i):
    """Whether a path of at most ``REACH`` steps through leaves leads from a cell to a log: breadth first, by rows."""
    row = int(0)
    while row < _ROWS:
        s.scratch[w, row] = _read_row(s, rules, w, at, row)
        s.scratch[w, _ROWS + row] = 0
        row += 1
    s.scratch[w, _ROWS + REACH * _SIDE + REACH] = 1 << REACH
    step = int(0)
    now = int(_ROWS)
    later = int(2 * _ROWS)
    while step < REACH:
        row = int(0)
        while row < _ROWS:
            bits = _spread(s, w, row, now)
            if (bits & (s.scratch[w, row] >> 16)) != 0:
                return True
            s.scratch[w, later + row] = bits & s.scratch[w, row] & 65535
            row += 1
        now = 3 * _ROWS - now
        later = 3 * _ROWS - later
        step += 1
    return False


@wp.func
def _look_at_leaf(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """Decide about a listed leaf. One whose surroundings are not all in the window waits."""
    cell = s.leaves[w, k]
    if not is_leaf(wp.int32(s.blocks[w, cell])):
        _strike_leaf(s, w, k)
        return
    at = cell_position(s, rules, w, cell)
    near = cell_at(s, rules, w, at[0] - REACH, at[1] - REACH, at[2])
    if near < 0 or cell_at(s, rules, w, at[0] + REACH, at[1] + REACH, at[2]) < 0:
        return
    _strike_leaf(s, w, k)
    if not reaches_log(s, rules, w, at):
        set_block(s, t, rules, w, cell, AIR)


@wp.func
def wither(s: VoxelState, t: Tables, rules: Rules, w: int):
    """One tick of the leaves that were woken in a world."""
    # From the last on, because one that is struck off makes room for the last.
    k = s.clock[Clock.LEAF_COUNT, w] - 1
    while k >= 0:
        words = draw(
            wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w],
            s.leaves[w, k], Purpose.LEAF,
        )  # fmt: skip
        if words[0] < wp.uint32(_LOOK):
            _look_at_leaf(s, t, rules, w, k)
        k -= 1
