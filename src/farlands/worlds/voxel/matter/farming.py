"""Fields: farmland that water keeps wet, and wheat that ripens on it.

Both are listed as growing and looked at with the chance of random ticks, times ``growth_rate``. Wheat goes up a stage
with chance 1 / (floor(25 / f) + 1), where f is 1, and 1 for dry or 3 for wet farmland under it, and a quarter as much
for each of the eight plots around it, halved if wheat stands at a corner or along both axes: rows beat squares.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import (
    DIRT,
    FARMLAND,
    OAK_SAPLING,
    RIPE_WHEAT,
    SPRUCE_SAPLING,
    WET_FARMLAND,
    WHEAT_0,
    Fluid,
)
from farlands.worlds.voxel.grid import block_at, cell_position, set_block
from farlands.worlds.voxel.light.field import brightness
from farlands.worlds.voxel.rng import one_in
from farlands.worlds.voxel.state import Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

WATER_REACH = 4
GROWTH_LIGHT = 9
"""Least brightness of the cell that something grows in."""


@wp.func
def is_wheat(block: int):
    """Whether it is wheat of any stage."""
    return block >= WHEAT_0 and block <= RIPE_WHEAT


@wp.func
def is_sapling(block: int):
    """Whether it becomes a tree."""
    return block == OAK_SAPLING or block == SPRUCE_SAPLING


@wp.func
def is_farmland(block: int):
    """Whether crops stand on it."""
    return block == FARMLAND or block == WET_FARMLAND


@wp.func
def light_enough(s: VoxelState, w: int, cell: int):
    """Whether a cell is bright enough to grow in."""
    return brightness(wp.int32(s.light[w, cell]), s.clock[Clock.TIME, w]) >= GROWTH_LIGHT


@wp.func
def growth_quarters(s: VoxelState, rules: Rules, w: int, at: wp.vec3i):
    """Four times the f of the wheat at a position, before it is halved, and whether it has to be."""
    quarters = int(4)
    corners = int(0)
    along_x = int(0)
    along_y = int(0)
    k = int(0)
    while k < 9:
        dx = k % 3 - 1
        dy = k // 3 - 1
        soil = block_at(s, rules, w, at[0] + dx, at[1] + dy, at[2] - 1)
        worth = int(soil == FARMLAND) + 3 * int(soil == WET_FARMLAND)
        if dx == 0 and dy == 0:
            worth = 4 * worth
        quarters += worth
        if is_wheat(block_at(s, rules, w, at[0] + dx, at[1] + dy, at[2])):
            if dx != 0 and dy != 0:
                corners = 1
            elif dx != 0:
                along_x = 1
            elif dy != 0:
                along_y = 1
        k += 1
    crowded = int(corners != 0 or (along_x != 0 and along_y != 0))
    return wp.vec2i(quarters, crowded)


@wp.func
def _near_water(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i):
    """Whether there is water within four blocks of a plot, on its level or the one above."""
    dx = int(-WATER_REACH)
    while dx <= WATER_REACH:
        dy = int(-WATER_REACH)
        while dy <= WATER_REACH:
            up = int(0)
            while up < 2:
                block = block_at(s, rules, w, at[0] + dx, at[1] + dy, at[2] + up)
                if t.block[block, BlockColumn.FLUID] == Fluid.WATER:
                    return True
                up += 1
            dy += 1
        dx += 1
    return False


@wp.func
def tend_farmland(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, block: int):
    """A random tick of a plot: water wets it, without any it dries, and dry with nothing on it is dirt again."""
    at = cell_position(s, rules, w, cell)
    wet = _near_water(s, t, rules, w, at)
    if wet and block == FARMLAND:
        set_block(s, t, rules, w, cell, WET_FARMLAND)
    elif not wet and block == WET_FARMLAND:
        set_block(s, t, rules, w, cell, FARMLAND)
    elif not wet and not is_wheat(block_at(s, rules, w, at[0], at[1], at[2] + 1)):
        set_block(s, t, rules, w, cell, DIRT)


@wp.func
def ripen(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, block: int, word: wp.uint32):
    """A random tick of unripe wheat: it may go up a stage."""
    if not light_enough(s, w, cell):
        return
    found = growth_quarters(s, rules, w, cell_position(s, rules, w, cell))
    # floor(25 / f) with f in quarters; half of f is twice the quotient's numerator.
    waits = (100 * (1 + found[1])) // found[0]
    if one_in(word, waits + 1):
        set_block(s, t, rules, w, cell, block + 1)
