"""What grows by itself: saplings become trees, wheat ripens, farmland gets wet or dry.

A world lists the cells in which something grows, and draws for each of them every tick; what does not grow costs
nothing. Drawing for each listed cell with chance p is the genre's random ticks (three cells in 4,096 of a section)
seen from one cell: the waits have the same distribution.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, BLOCK_ID
from farlands.worlds.voxel.generation.features import TREE_HEADROOM, TREE_RADIUS, grow_tree
from farlands.worlds.voxel.grid import block_at, cell_at, cell_position, set_block
from farlands.worlds.voxel.matter.farming import is_farmland, is_sapling, is_wheat, light_enough, ripen, tend_farmland
from farlands.worlds.voxel.matter.pending import take_pending
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import Clock, Ring, Rules, VoxelState
from farlands.worlds.voxel.tables import Tables

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
    if not light_enough(s, w, cell):
        return
    if not _has_room(s, rules, w, at):
        return
    spruce = int(wp.int32(s.blocks[w, cell]) == _SPRUCE_SAPLING)
    set_block(s, t, rules, w, cell, AIR)
    # The cells of the tree are put by what makes the land, which stirs up nothing; there was only air.
    grow_tree(s, rules, w, at[0], at[1], 0, 0, at[2] - 1, spruce, word, 1)


@wp.func
def _meal_word(s: VoxelState, w: int, cell: int):
    """What decides the shape of a tree that bone meal made."""
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], cell,
        Purpose.BONE_MEAL,
    )  # fmt: skip
    return words[3]


@wp.func
def grow(s: VoxelState, t: Tables, rules: Rules, w: int):
    """One tick of what grows in a world."""
    cell = take_pending(s, w, int(Ring.GROW))
    if cell >= 0:
        if is_sapling(wp.int32(s.blocks[w, cell])):
            _grow(s, t, rules, w, cell, _meal_word(s, w, cell))
    k = s.clock[Clock.GROWING_COUNT, w] - 1
    # From the last on, because what has grown is struck off by putting the last in its place.
    while k >= 0:
        cell = s.growing[w, k]
        words = draw(
            wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], cell,
            Purpose.GROWTH,
        )  # fmt: skip
        block = wp.int32(s.blocks[w, cell])
        if is_sapling(block):
            if words[0] < rules.growth:
                _grow(s, t, rules, w, cell, words[1])
        elif words[0] < rules.random_tick:
            if is_farmland(block):
                tend_farmland(s, t, rules, w, cell, block)
            elif is_wheat(block):
                ripen(s, t, rules, w, cell, block, words[1])
        k -= 1
