"""What grows by itself: saplings become trees.

A world lists the cells in which something grows, and draws for each of them every tick; what does not grow costs
nothing. Drawing for each listed cell with chance p is the genre's random ticks (three cells in 4,096 of a section)
seen from one cell: the waits have the same distribution.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import AIR, BLOCK_ID
from farlands.worlds.voxel.generation.features import TREE_HEADROOM, TREE_RADIUS, grow_tree
from farlands.worlds.voxel.grid import block_at, cell_at, cell_position, set_block
from farlands.worlds.voxel.light.field import brightness
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

GROWTH_LIGHT = 9
"""Least brightness of the cell that something grows in."""
_SPRUCE_SAPLING = BLOCK_ID["spruce_sapling"]
_OAK_LEAVES = BLOCK_ID["oak_leaves"]
_SPRUCE_LEAVES = BLOCK_ID["spruce_leaves"]


@wp.func
def _has_room(s: VoxelState, rules: Rules, w: int, at: wp.vec3i):
    """Whether a tree fits: its crown in the window, nothing but air and leaves above the sapling."""
    if at[2] + TREE_HEADROOM >= HEIGHT:
        return False
    corner = cell_at(s, rules, w, at[0] - TREE_RADIUS, at[1] - TREE_RADIUS, 0)
    if corner < 0 or cell_at(s, rules, w, at[0] + TREE_RADIUS, at[1] + TREE_RADIUS, 0) < 0:
        return False
    z = at[2] + 1
    while z < at[2] + TREE_HEADROOM:
        block = block_at(s, rules, w, at[0], at[1], z)
        if block != AIR and block != _OAK_LEAVES and block != _SPRUCE_LEAVES:
            return False
        z += 1
    return True


@wp.func
def _grow(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, word: wp.uint32):
    """Turn a sapling into a tree if there is light and room for one."""
    at = cell_position(s, rules, w, cell)
    if brightness(wp.int32(s.light[w, cell]), s.clock[Clock.TIME, w]) < GROWTH_LIGHT:
        return
    if not _has_room(s, rules, w, at):
        return
    spruce = int(wp.int32(s.blocks[w, cell]) == _SPRUCE_SAPLING)
    set_block(s, t, rules, w, cell, AIR)
    grow_tree(s, rules, w, at[0], at[1], 0, 0, at[2] - 1, spruce, word, 1)


@kernel
def _grow_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """One tick of what grows in each world."""
    w = begin + wp.tid()
    k = s.clock[Clock.GROWING_COUNT, w] - 1
    # From the last on, because what has grown is struck off by putting the last in its place.
    while k >= 0:
        cell = s.growing[w, k]
        words = draw(
            wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], cell,
            Purpose.GROWTH,
        )  # fmt: skip
        if t.block[wp.int32(s.blocks[w, cell]), BlockColumn.GROWS] != 0 and words[0] < rules.growth:
            _grow(s, t, rules, w, cell, words[1])
        k -= 1
