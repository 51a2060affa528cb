"""Water and lava that run.

A running cell draws its level from those beside it: one less than the highest of them, the first step from a source
or from what falls being ``WATER_RUNS`` or ``LAVA_RUNS``; under its own kind it falls and counts as full; without any
feed it dries up. Water between two sources, over solid ground or a source, becomes one. A cell spreads down if it can,
else to the sides: towards the nearest drop if there is one within four blocks (lava: two), else everywhere. Every
cell is seen to 5 ticks after something beside it has changed (lava 30), in the order in which they were touched, a
bounded number a tick; the others wait for the next. Land as it was made is at rest until it is touched.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import (
    AIR,
    COBBLESTONE,
    FALLING_LAVA,
    FALLING_WATER,
    FULL,
    LAVA,
    LAVA_1,
    LAVA_RUNS,
    OBSIDIAN,
    STONE,
    WATER,
    WATER_1,
    WATER_RUNS,
    Fluid,
    Shape,
)
from farlands.worlds.voxel.grid import block_at, cell_at, cell_position, set_block
from farlands.worlds.voxel.matter.fire import light_from_lava
from farlands.worlds.voxel.matter.pending import is_noted, note_pending, take_pending
from farlands.worlds.voxel.state import Clock, Ring, Rules, VoxelState
from farlands.worlds.voxel.support import NUM_SIDES, beside
from farlands.worlds.voxel.tables import BlockColumn, Tables

WATER_DELAY = 5
LAVA_DELAY = 30
CELLS_A_TICK = 32
"""Cells of each fluid of a world that are looked at in a tick; the others wait for the next."""
WATER_SIGHT = 4
LAVA_SIGHT = 2
"""How far a fluid sees a drop, in blocks."""
_NOWHERE = 99
# The lie of the land around a cell: seven rows of seven cells, a row to each eight bits.
_ROW_SHIFT = 3
_ACROSS = 7
_MIDDLE = 3
_RECENT = 24


@wp.func
def note_fluid(s: VoxelState, t: Tables, w: int, cell: int, block: int):
    """Look at a cell of a fluid again when it is its kind's time, unless it was noted just now."""
    ring = int(Ring.WATER)
    delay = int(WATER_DELAY)
    if t.block[block, BlockColumn.FLUID] == Fluid.LAVA:
        ring = int(Ring.LAVA)
        delay = LAVA_DELAY
    if not is_noted(s, w, ring, cell, _RECENT):
        note_pending(s, w, ring, cell, s.clock[Clock.TICK, w] + delay)


@wp.func
def _running(kind: int, level: int):
    """Block of a fluid that runs at a level; air at 0."""
    if level <= 0:
        return AIR
    if kind == Fluid.LAVA:
        return LAVA_1 + level - 1
    return WATER_1 + level - 1


@wp.func
def _falling(kind: int):
    if kind == Fluid.LAVA:
        return FALLING_LAVA
    return FALLING_WATER


@wp.func
def _next_level(kind: int, level: int):
    """Level a step further on."""
    if level == FULL:
        if kind == Fluid.LAVA:
            return LAVA_RUNS
        return WATER_RUNS
    return level - 1


@wp.func
def is_source(block: int):
    """Whether it feeds others without end."""
    return block == WATER or block == LAVA


@wp.func
def drawn_block(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, kind: int):
    """What a cell that is no source holds of a fluid, by what is above and beside it: a block of it, or air."""
    above = block_at(s, rules, w, at[0], at[1], at[2] + 1)
    best = int(0)
    sources = int(0)
    side = int(0)
    while side < NUM_SIDES:
        where = beside(at, side)
        block = block_at(s, rules, w, where[0], where[1], where[2])
        if t.block[block, BlockColumn.FLUID] == kind:
            best = wp.max(best, t.block[block, BlockColumn.LEVEL])
            sources += int(is_source(block))
        side += 1
    if kind == Fluid.WATER and sources >= 2:
        below = block_at(s, rules, w, at[0], at[1], at[2] - 1)
        if below == WATER or t.block[below, BlockColumn.SOLID] != 0:
            return WATER
    if t.block[above, BlockColumn.FLUID] == kind:
        return _falling(kind)
    if best == 0:
        return AIR
    return _running(kind, _next_level(kind, best))


@wp.func
def closing_block(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i):
    """What closes at once over a cell that something moved out of: water or lava from above or beside it, else air."""
    block = drawn_block(s, t, rules, w, at, int(Fluid.WATER))
    if block == AIR:
        block = drawn_block(s, t, rules, w, at, int(Fluid.LAVA))
    return block


@wp.func
def gives_way(t: Tables, block: int):
    """Whether a fluid runs into a cell, washing away what is there: air, plants, torches, crops, fire."""
    shape = t.block[block, BlockColumn.SHAPE]
    return shape == Shape.EMPTY or shape == Shape.PLANT


@wp.func
def _is_drop(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int, z: int, kind: int):
    """Whether a fluid would fall from a cell."""
    below = block_at(s, rules, w, x, y, z - 1)
    return gives_way(t, below) or t.block[below, BlockColumn.FLUID] == kind


@wp.func
def _is_open(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int, z: int, kind: int):
    """Whether a fluid can run through a cell: sources are in its way, what runs is not."""
    block = block_at(s, rules, w, x, y, z)
    if gives_way(t, block):
        return True
    return t.block[block, BlockColumn.FLUID] == kind and not is_source(block)


@wp.func
def way_to_drop(s: VoxelState, t: Tables, rules: Rules, w: int, start: wp.vec3i, past: wp.vec3i, kind: int, steps: int):
    """Steps from an open cell to the nearest one with a drop under it, not by way of ``past``; 99 beyond ``steps``."""
    ways = wp.uint64(0)
    drops = wp.uint64(0)
    i = int(0)
    while i < _ACROSS:
        reach = steps - wp.abs(i - _MIDDLE)
        j = wp.max(_MIDDLE - reach, 0)
        while reach >= 0 and j <= _MIDDLE + reach and j < _ACROSS:
            x = start[0] + i - _MIDDLE
            y = start[1] + j - _MIDDLE
            if (x != past[0] or y != past[1]) and _is_open(s, t, rules, w, x, y, start[2], kind):
                bit = wp.uint64(1) << wp.uint64((i << _ROW_SHIFT) | j)
                ways = ways | bit
                if _is_drop(s, t, rules, w, x, y, start[2], kind):
                    drops = drops | bit
            j += 1
        i += 1
    reached = wp.uint64(1) << wp.uint64((_MIDDLE << _ROW_SHIFT) | _MIDDLE)
    step = int(0)
    while step <= steps:
        if (reached & drops) != wp.uint64(0):
            return step
        wider = (reached << wp.uint64(1)) | (reached >> wp.uint64(1))
        wider = wider | (reached << wp.uint64(8)) | (reached >> wp.uint64(8))
        reached = (reached | wider) & ways
        step += 1
    return _NOWHERE


@wp.func
def _enters(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i):
    """Whether a fluid can start to run in a cell. Nothing runs out of the window."""
    cell = cell_at(s, rules, w, at[0], at[1], at[2])
    if cell < 0:
        return False
    return gives_way(t, wp.int32(s.blocks[w, cell]))


@wp.func
def _spread_aside(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, kind: int, level: int):
    """Run into the free cells beside a cell, those on the shortest way to a drop if there is one in sight."""
    sight = int(WATER_SIGHT)
    if kind == Fluid.LAVA:
        sight = LAVA_SIGHT
    ways = wp.vec4i(_NOWHERE + 1, _NOWHERE + 1, _NOWHERE + 1, _NOWHERE + 1)
    shortest = int(_NOWHERE)
    free = int(0)
    side = int(0)
    while side < NUM_SIDES:
        free += int(_enters(s, t, rules, w, beside(at, side)))
        side += 1
    if free == 0:
        return
    side = int(0)
    while side < NUM_SIDES:
        where = beside(at, side)
        if _is_open(s, t, rules, w, where[0], where[1], where[2], kind):
            ways[side] = way_to_drop(s, t, rules, w, where, at, kind, sight - 1)
            shortest = wp.min(shortest, ways[side])
        side += 1
    side = int(0)
    while side < NUM_SIDES:
        where = beside(at, side)
        if ways[side] == shortest and _enters(s, t, rules, w, where):
            cell = cell_at(s, rules, w, where[0], where[1], where[2])
            set_block(s, t, rules, w, cell, _running(kind, level))
        side += 1


@wp.func
def _spread(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, block: int):
    """Run on from a cell: down if possible, else to the sides."""
    at = cell_position(s, rules, w, cell)
    kind = t.block[block, BlockColumn.FLUID]
    below = block_at(s, rules, w, at[0], at[1], at[2] - 1)
    if gives_way(t, below):
        set_block(s, t, rules, w, cell - 1, _falling(kind))
        return
    other = t.block[below, BlockColumn.FLUID]
    if kind == Fluid.LAVA and other == Fluid.WATER:
        set_block(s, t, rules, w, cell - 1, STONE)
        return
    level = _next_level(kind, t.block[block, BlockColumn.LEVEL])
    if level > 0 and (is_source(block) or other != kind):
        _spread_aside(s, t, rules, w, at, kind, level)


@wp.func
def hardened(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, block: int):
    """What lava becomes by water above or beside it: obsidian if a source, else cobblestone; itself without any."""
    above = block_at(s, rules, w, at[0], at[1], at[2] + 1)
    wet = int(t.block[above, BlockColumn.FLUID] == Fluid.WATER)
    side = int(0)
    while side < NUM_SIDES:
        where = beside(at, side)
        if t.block[block_at(s, rules, w, where[0], where[1], where[2]), BlockColumn.FLUID] == Fluid.WATER:
            wet = 1
        side += 1
    if wet == 0:
        return block
    if block == LAVA:
        return OBSIDIAN
    return COBBLESTONE


@wp.func
def _flow(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, kind: int):
    """See to a cell that is due: its level first, then where it runs on to."""
    block = wp.int32(s.blocks[w, cell])
    found = t.block[block, BlockColumn.FLUID]
    if found != kind:
        if found != 0:
            note_fluid(s, t, w, cell, block)
        return
    if not is_source(block):
        drawn = drawn_block(s, t, rules, w, cell_position(s, rules, w, cell), kind)
        if drawn != block:
            set_block(s, t, rules, w, cell, drawn)
            block = drawn
    if block == AIR:
        return
    _spread(s, t, rules, w, cell, block)
    if kind == Fluid.LAVA:
        if light_from_lava(s, t, rules, w, cell):
            note_fluid(s, t, w, cell, block)


@wp.func
def flow(s: VoxelState, t: Tables, rules: Rules, w: int):
    """One tick of a world's water and lava."""
    if s.clock[Clock.WATER_COUNT, w] + s.clock[Clock.LAVA_COUNT, w] == 0:
        return
    kind = int(Fluid.WATER)
    while kind <= int(Fluid.LAVA):
        n = int(0)
        cell = int(0)
        while n < CELLS_A_TICK and cell >= 0:
            cell = take_pending(s, w, int(Ring.WATER) + kind - 1)
            if cell >= 0:
                _flow(s, t, rules, w, cell, kind)
            n += 1
        kind += 1
