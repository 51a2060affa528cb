"""What a change of a cell stirs up: it, and the six around it, are told what to do next, and when.

Every change of a block is noted as a touch (``pending.touch``). Once a tick a world goes through its touches: what
falls or runs is noted to be seen to in its time, lava beside water hardens, what has lost its hold breaks, TNT beside
fire or lava is lit, leaves whose log has gone are listed.

When a ring has been full, some notes were lost. The world then sweeps: column by column, as fast as its ring of touches
empties, it touches every changed cell in the window again, so that nothing hangs or stands for good that should not.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import (
    AIR,
    DIRT,
    FARMLAND,
    FIRE,
    LIT_TNT,
    TNT,
    WET_FARMLAND,
    Fluid,
    Shape,
)
from farlands.worlds.voxel.grid import HEIGHT_SHIFT, block_at, cell_at, cell_position, set_block
from farlands.worlds.voxel.matter.falling import FALL_DELAY
from farlands.worlds.voxel.matter.fire import light_tnt, note_fire, tnt_is_lit
from farlands.worlds.voxel.matter.fluids import hardened, note_fluid
from farlands.worlds.voxel.matter.fuses import FUSE_TICKS, add_fuse, find_fuse
from farlands.worlds.voxel.matter.leaves import REACH, is_leaf, is_log, wake_leaves
from farlands.worlds.voxel.matter.pending import (
    CELL_MASK,
    ENTRY_SHIFT,
    SWEPT,
    SWEPT_PARTS,
    note_pending,
    take_pending,
    touch,
)
from farlands.worlds.voxel.state import MAX_PENDING, Clock, Ring, Rules, VoxelState
from farlands.worlds.voxel.support import NUM_NEIGHBOURS, is_held, neighbour
from farlands.worlds.voxel.tables import BlockColumn, Tables

TOUCHES_A_TICK = 32
"""Touched cells of a world that are gone through in a tick; the others wait for the next."""
PARTS_A_TICK = 64 * SWEPT_PARTS
"""Parts of columns that a sweep goes through in a tick."""
_SWEPT_BITS = wp.constant(wp.int64((1 << SWEPT) - 1))
_ABOVE = NUM_NEIGHBOURS - 1
_ITSELF = NUM_NEIGHBOURS


@wp.func
def _stir_tnt(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, at: wp.vec3i, block: int):
    """Light TNT beside fire or lava; lit TNT that came back into the window has a whole fuse again."""
    if block == TNT:
        if tnt_is_lit(s, t, rules, w, at):
            light_tnt(s, t, rules, w, cell, FUSE_TICKS)
    elif find_fuse(s, w, cell) < 0:
        if not add_fuse(s, w, cell, s.clock[Clock.TICK, w] + FUSE_TICKS):
            set_block(s, t, rules, w, cell, TNT)


@wp.func
def _stir_fluid(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, at: wp.vec3i, block: int):
    if t.block[block, BlockColumn.FLUID] == Fluid.LAVA:
        rock = hardened(s, t, rules, w, at, block)
        if rock != block:
            set_block(s, t, rules, w, cell, rock)
            return
    note_fluid(s, t, w, cell, block)


@wp.func
def _stir(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, side: int):
    """Tell the block of a cell, ``side`` of a changed one, that something beside it has changed."""
    cell = cell_at(s, rules, w, at[0], at[1], at[2])
    if cell < 0:
        return
    block = wp.int32(s.blocks[w, cell])
    if t.block[block, BlockColumn.RESTLESS] == 0:
        return
    if t.block[block, BlockColumn.FLUID] != 0:
        _stir_fluid(s, t, rules, w, cell, at, block)
        return
    if t.block[block, BlockColumn.FALLS] != 0 and side >= _ABOVE:
        note_pending(s, w, int(Ring.FALL), cell, s.clock[Clock.TICK, w] + FALL_DELAY)
    if block == TNT or block == LIT_TNT:
        _stir_tnt(s, t, rules, w, cell, at, block)
    elif block == FARMLAND or block == WET_FARMLAND:
        if t.block[block_at(s, rules, w, at[0], at[1], at[2] + 1), BlockColumn.SHAPE] == Shape.CUBE:
            set_block(s, t, rules, w, cell, DIRT)
    elif not is_held(s, t, rules, w, at, block):
        set_block(s, t, rules, w, cell, AIR)
    elif block == FIRE and side == _ITSELF:
        note_fire(s, w, cell)


@wp.func
def _stir_around(s: VoxelState, t: Tables, rules: Rules, w: int, entry: int):
    """Tell everything that a touch concerns."""
    cell = entry & CELL_MASK
    old = entry >> ENTRY_SHIFT
    at = cell_position(s, rules, w, cell)
    block = wp.int32(s.blocks[w, cell])
    k = int(0)
    while k < NUM_NEIGHBOURS:
        _stir(s, t, rules, w, neighbour(at, k), k)
        k += 1
    _stir(s, t, rules, w, at, _ITSELF)
    if is_log(old) and not is_log(block):
        wake_leaves(s, rules, w, at, REACH)
    elif is_leaf(old) and not is_leaf(block):
        wake_leaves(s, rules, w, at, 1)


@wp.func
def _is_quiet(s: VoxelState, w: int):
    """Whether a part of a column of touches, each noting up to seven cells, is sure to fit every ring."""
    room = MAX_PENDING - 7 * SWEPT
    if s.clock[Clock.TOUCHED_COUNT, w] > 0 or s.clock[Clock.WATER_COUNT, w] > room:
        return False
    if s.clock[Clock.LAVA_COUNT, w] > room or s.clock[Clock.FALL_COUNT, w] > MAX_PENDING - 2 * SWEPT:
        return False
    return s.clock[Clock.FIRE_COUNT, w] <= MAX_PENDING - SWEPT


@wp.func
def _sweep(s: VoxelState, w: int):
    """Touch the changed cells of the next columns again, one part with changes at a time and when all is quiet."""
    n = int(0)
    while n < PARTS_A_TICK and s.clock[Clock.SWEEP, w] > 0:
        if not _is_quiet(s, w):
            return
        part = s.clock[Clock.SWEEP, w] - 1
        s.clock[Clock.SWEEP, w] = part
        column = part // SWEPT_PARTS
        z = (part % SWEPT_PARTS) * SWEPT
        bits = s.edited[w, column] & (_SWEPT_BITS << wp.int64(z))
        while bits != wp.int64(0):
            bit = wp.int64(1) << wp.int64(z)
            if (bits & bit) != wp.int64(0):
                bits = bits & ~bit
                cell = (column << HEIGHT_SHIFT) | z
                touch(s, w, cell, wp.int32(s.blocks[w, cell]))
            z += 1
        n += 1


@wp.func
def stir(s: VoxelState, t: Tables, rules: Rules, w: int):
    """Go through the touches of a world."""
    if s.clock[Clock.TOUCHED_COUNT, w] + s.clock[Clock.SWEEP, w] == 0:
        return
    n = int(0)
    entry = int(0)
    while n < TOUCHES_A_TICK and entry >= 0:
        entry = take_pending(s, w, int(Ring.TOUCHED))
        if entry >= 0:
            _stir_around(s, t, rules, w, entry)
        n += 1
    _sweep(s, w)
