"""What holds blocks up: which ones need something under or beside them."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import (
    BED,
    CACTUS,
    DIRT,
    DOOR,
    FARMLAND,
    GRASS,
    LADDER,
    OPEN_DOOR,
    RIPE_WHEAT,
    SAND,
    TORCH,
    WET_FARMLAND,
    WHEAT_0,
    Shape,
)
from farlands.worlds.voxel.grid import block_at
from farlands.worlds.voxel.state import Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

NUM_SIDES = 4


@wp.func
def beside(position: wp.vec3i, side: int):
    """One of the four cells around a cell, on its level: west, east, south, north."""
    step = 2 * (side & 1) - 1
    if side < 2:
        return wp.vec3i(position[0] + step, position[1], position[2])
    return wp.vec3i(position[0], position[1] + step, position[2])


@wp.func
def is_wall(t: Tables, block: int):
    """Whether things hang on it; a door doesn't count, as it may open."""
    return t.block[block, BlockColumn.SHAPE] == Shape.CUBE and block != DOOR


@wp.func
def stands_on(t: Tables, block: int, below: int):
    """Whether ``below`` is what the block needs under it."""
    if block == CACTUS:
        return below == SAND or below == CACTUS
    if block == TORCH or block == BED:
        return is_wall(t, below)
    if block == DOOR or block == OPEN_DOOR:
        return t.block[below, BlockColumn.SOLID] != 0 or below == OPEN_DOOR
    if block >= WHEAT_0 and block <= RIPE_WHEAT:
        return below == FARMLAND or below == WET_FARMLAND
    if t.block[block, BlockColumn.SHAPE] == Shape.PLANT:
        return below == GRASS or below == DIRT
    return block != LADDER


@wp.func
def is_held(s: VoxelState, t: Tables, rules: Rules, w: int, position: wp.vec3i, block: int):
    """Whether the block can stay at a position, by what is under it or, for torches and ladders, beside it."""
    if stands_on(t, block, block_at(s, rules, w, position[0], position[1], position[2] - 1)):
        return True
    if block != TORCH and block != LADDER:
        return False
    side = int(0)
    while side < NUM_SIDES:
        wall = beside(position, side)
        if is_wall(t, block_at(s, rules, w, wall[0], wall[1], wall[2])):
            return True
        side += 1
    return False
