"""What holds blocks up: which ones need something under or beside them."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import (
    BED,
    CACTUS,
    DIRT,
    DOOR,
    FARMLAND,
    FIRE,
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
NUM_NEIGHBOURS = 6


@wp.func
def beside(position: wp.vec3i, side: int):
    """One of the four cells around a cell, on its level: west, east, south, north."""
    step = 2 * (side & 1) - 1
    if side < 2:
        return wp.vec3i(position[0] + step, position[1], position[2])
    return wp.vec3i(position[0], position[1] + step, position[2])


@wp.func
def neighbour(position: wp.vec3i, k: int):
    """One of the six cells around a cell: the four ``beside`` it, then the one below, then the one above."""
    if k < NUM_SIDES:
        return beside(position, k)
    return wp.vec3i(position[0], position[1], position[2] + 2 * (k - NUM_SIDES) - 1)


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
    if block == FIRE:
        return t.block[below, BlockColumn.SOLID] != 0 or t.block[below, BlockColumn.CATCHES] > 0
    if block >= WHEAT_0 and block <= RIPE_WHEAT:
        return below == FARMLAND or below == WET_FARMLAND
    if t.block[block, BlockColumn.SHAPE] == Shape.PLANT:
        return below == GRASS or below == DIRT
    return block != LADDER


@wp.func
def fire_clings(s: VoxelState, t: Tables, rules: Rules, w: int, position: wp.vec3i):
    """Whether there is something to burn beside a cell."""
    k = int(0)
    while k < NUM_NEIGHBOURS:
        at = neighbour(position, k)
        if t.block[block_at(s, rules, w, at[0], at[1], at[2]), BlockColumn.CATCHES] > 0:
            return True
        k += 1
    return False


@wp.func
def is_held(s: VoxelState, t: Tables, rules: Rules, w: int, position: wp.vec3i, block: int):
    """Whether the block can stay at a position, by what is under it or, for torches, ladders and fire, beside it."""
    if stands_on(t, block, block_at(s, rules, w, position[0], position[1], position[2] - 1)):
        return True
    if block == FIRE:
        return fire_clings(s, t, rules, w, position)
    if block != TORCH and block != LADDER:
        return False
    side = int(0)
    while side < NUM_SIDES:
        wall = beside(position, side)
        if is_wall(t, block_at(s, rules, w, wall[0], wall[1], wall[2])):
            return True
        side += 1
    return False
