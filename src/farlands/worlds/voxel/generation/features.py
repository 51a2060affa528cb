"""What is put into the land: veins of ore and soil, then trees, chunk by chunk.

One thread does one chunk of 16 x 16 columns, and nothing reaches out of its chunk, so no order matters between them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import AIR, BLOCK_ID, DIRT, GRASS, SNOW, STONE
from farlands.worlds.voxel.generation.terrain import Biome, Lattice, Region, biome_of, region_of, relief_between
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import CHUNK, CHUNK_SHIFT, Clock, Rules, VoxelState

_OAK_LOG = BLOCK_ID["oak_log"]
_SPRUCE_LOG = BLOCK_ID["spruce_log"]
_OAK_LEAVES = BLOCK_ID["oak_leaves"]
_SPRUCE_LEAVES = BLOCK_ID["spruce_leaves"]
TREE_TRIES = 12
TREE_RADIUS = 2
"""How far a crown reaches from its trunk."""
TREE_HEADROOM = 10
"""Cells above the ground that the tallest tree takes."""


@dataclass(frozen=True)
class Vein:
    """A kind of vein: a random walk of ``steps`` cells, ``per_chunk`` of them, started at heights low to high.

    Only stone is replaced, so the density falls where caves or soil are.
    """

    block: str
    per_chunk: int
    steps: int
    low: int
    high: int


VEINS: tuple[Vein, ...] = (
    Vein("dirt", 3, 24, 4, 44),
    Vein("gravel", 3, 24, 4, 44),
    Vein("clay", 2, 16, 20, 32),
    Vein("coal_ore", 10, 14, 4, 56),
    Vein("iron_ore", 9, 9, 2, 40),
    Vein("gold_ore", 2, 8, 2, 20),
    Vein("diamond_ore", 1, 7, 2, 13),
)


def vein_rows() -> np.ndarray:
    """int32 ``[veins, 5]``: block, veins per chunk, steps, low, high."""
    return np.array([[BLOCK_ID[v.block], v.per_chunk, v.steps, v.low, v.high] for v in VEINS], dtype=np.int32)


@wp.func
def _cell_in_chunk(rules: Rules, x0: int, y0: int, dx: int, dy: int, z: int):
    x = (x0 + dx) & rules.side_mask
    y = (y0 + dy) & rules.side_mask
    return (((x << rules.side_shift) | y) << 6) | z


@wp.func
def _chunk_key(x0: int, y0: int):
    """Counter of a chunk: sixteen bits of each of its coordinates."""
    return ((x0 >> CHUNK_SHIFT) << 16) | ((y0 >> CHUNK_SHIFT) & 0xFFFF)


@wp.func
def _grow_vein(
    s: VoxelState, rules: Rules, w: int, x0: int, y0: int, block: int, steps: int, low: int, high: int, number: int
):
    """Walk at random from a keyed start; one word pays for six steps."""
    seed_low = wp.uint32(s.clock[Clock.SEED_LOW, w])
    seed_high = wp.uint32(s.clock[Clock.SEED_HIGH, w])
    words = draw(seed_low, seed_high, _chunk_key(x0, y0), number, Purpose.VEIN)
    dx = wp.int32(words[0] & wp.uint32(15))
    dy = wp.int32((words[0] >> wp.uint32(4)) & wp.uint32(15))
    z = low + wp.int32((words[0] >> wp.uint32(8)) % wp.uint32(high - low + 1))
    bits = words[1]
    k = int(0)
    while k < steps:
        cell = _cell_in_chunk(rules, x0, y0, dx, dy, z)
        if s.blocks[w, cell] == wp.uint8(STONE):
            s.blocks[w, cell] = wp.uint8(block)
        turn = wp.int32(bits % wp.uint32(6))
        bits = bits // wp.uint32(6)
        if turn == 0:
            dx = wp.min(dx + 1, CHUNK - 1)
        elif turn == 1:
            dx = wp.max(dx - 1, 0)
        elif turn == 2:
            dy = wp.min(dy + 1, CHUNK - 1)
        elif turn == 3:
            dy = wp.max(dy - 1, 0)
        elif turn == 4:
            z = wp.min(z + 1, HEIGHT - 1)
        else:
            z = wp.max(z - 1, 1)
        k += 1
        if k % 11 == 0:
            bits = words[2 + ((k // 11) & 1)] ^ wp.uint32(k * 40503)


@wp.func
def _put(s: VoxelState, w: int, cell: int, block: int, change: int):
    """Set a cell of a tree; a ``change`` to the land is marked. Tops, light and lists do not depend on trees."""
    s.blocks[w, cell] = wp.uint8(block)
    if change != 0:
        column = cell >> 6
        s.edited[w, column] = s.edited[w, column] | (wp.int64(1) << wp.int64(cell & (HEIGHT - 1)))


@wp.func
def _leaf(s: VoxelState, rules: Rules, w: int, x0: int, y0: int, dx: int, dy: int, z: int, leaves: int, change: int):
    if z < HEIGHT:
        cell = _cell_in_chunk(rules, x0, y0, dx, dy, z)
        if s.blocks[w, cell] == wp.uint8(AIR):
            _put(s, w, cell, leaves, change)


@wp.func
def _layer(
    s: VoxelState, rules: Rules, w: int, x0: int, y0: int, dx: int, dy: int, z: int, radius: int, leaves: int,
    corners: wp.uint32, change: int,
):  # fmt: skip
    """A square of leaves; a corner is left out where its bit is set."""
    i = -radius
    while i <= radius:
        j = -radius
        while j <= radius:
            corner = int(radius > 0 and wp.abs(i) == radius and wp.abs(j) == radius)
            bit = (corners >> wp.uint32(((i + j) & 3) * 2 + int(i > 0))) & wp.uint32(1)
            if corner == 0 or bit == wp.uint32(0):
                _leaf(s, rules, w, x0, y0, dx + i, dy + j, z, leaves, change)
            j += 1
        i += 1


@wp.func
def grow_tree(
    s: VoxelState, rules: Rules, w: int, x0: int, y0: int, dx: int, dy: int, ground: int, spruce: int, word: wp.uint32,
    change: int,
):  # fmt: skip
    """Oak: a trunk of 4 to 6 under a round crown. Spruce: 6 to 8 under a cone.

    Args:
        s, rules, w: The world.
        x0, y0: Least coordinates of the chunk.
        dx, dy: The trunk's place in it.
        ground: Height of the block under the trunk.
        spruce: 1 for a spruce.
        word: Decides height and shape.
        change: 1 if this is a change to the land as it was made.
    """
    log = _OAK_LOG
    leaves = _OAK_LEAVES
    tall = 4 + wp.int32(word % wp.uint32(3))
    if spruce != 0:
        log = _SPRUCE_LOG
        leaves = _SPRUCE_LEAVES
        tall += 2
    top = ground + tall
    _put(s, w, _cell_in_chunk(rules, x0, y0, dx, dy, ground), DIRT, change)
    z = ground + 1
    while z <= top and z < HEIGHT:
        _put(s, w, _cell_in_chunk(rules, x0, y0, dx, dy, z), log, change)
        z += 1
    if spruce != 0:
        z = ground + 3
        while z <= top + 1:
            radius = int(1)
            if ((top - z) & 1) == 0 and z < top:
                radius = 2
            if z > top:
                radius = 0
            _layer(s, rules, w, x0, y0, dx, dy, z, radius, leaves, wp.uint32(255), change)
            z += 1
    else:
        _layer(s, rules, w, x0, y0, dx, dy, top - 1, 2, leaves, word >> wp.uint32(8), change)
        _layer(s, rules, w, x0, y0, dx, dy, top, 2, leaves, word >> wp.uint32(16), change)
        _layer(s, rules, w, x0, y0, dx, dy, top + 1, 1, leaves, word >> wp.uint32(20), change)
        _layer(s, rules, w, x0, y0, dx, dy, top + 2, 1, leaves, wp.uint32(255), change)


@wp.func
def _tree_chance(biome: int):
    """Chance in 256 that a try grows a tree."""
    if biome == Biome.FOREST:
        return 200
    if biome == Biome.SNOW:
        return 70
    if biome == Biome.PLAINS:
        return 22
    if biome == Biome.MOUNTAINS:
        return 60
    return 0


@wp.func
def _try_tree(
    s: VoxelState, lattice: Lattice, region: Region, rules: Rules, w: int, x0: int, y0: int, number: int
):  # fmt: skip
    seed_low = wp.uint32(s.clock[Clock.SEED_LOW, w])
    seed_high = wp.uint32(s.clock[Clock.SEED_HIGH, w])
    words = draw(seed_low, seed_high, _chunk_key(x0, y0), number, Purpose.TREE)
    dx = 2 + wp.int32(words[0] % wp.uint32(CHUNK - 4))
    dy = 2 + wp.int32(words[1] % wp.uint32(CHUNK - 4))
    land = relief_between(lattice, region, w, x0 - region.x + dx, y0 - region.y + dy)
    biome = biome_of(rules, land)
    if wp.int32(words[2] & wp.uint32(255)) >= _tree_chance(biome):
        return
    column = _cell_in_chunk(rules, x0, y0, dx, dy, 0) >> 6
    ground = wp.int32(s.tops[w, column]) - 1
    soil = wp.int32(s.blocks[w, (column << 6) | ground])
    if soil != GRASS and soil != SNOW:
        return
    spruce = int(biome == Biome.SNOW or biome == Biome.MOUNTAINS)
    if biome == Biome.FOREST and land.temperature < -0.15:
        spruce = 1
    grow_tree(s, rules, w, x0, y0, dx, dy, ground, spruce, words[3], 0)


@kernel
def _place_features_kernel(
    # Model
    rules: Rules,
    veins: wp.array2d(dtype=wp.int32),
    # In
    lattice: Lattice,
    chunks: int,
    listed: Listed,
    # Out
    s: VoxelState,
):
    """Veins and trees of all ``chunks`` chunks of the listed worlds' regions."""
    i = wp.tid()
    while i < how_many(listed) * chunks:
        w = world_at(listed, i // chunks)
        chunk = i % chunks
        region = region_of(s, w)
        across = region.ny >> CHUNK_SHIFT
        x0 = region.x + (chunk // across) * CHUNK
        y0 = region.y + (chunk % across) * CHUNK
        number = int(0)
        kind = int(0)
        while kind < veins.shape[0]:
            k = int(0)
            while k < veins[kind, 1]:
                _grow_vein(
                    s, rules, w, x0, y0, veins[kind, 0], veins[kind, 2], veins[kind, 3], veins[kind, 4], number
                )  # fmt: skip
                number += 1
                k += 1
            kind += 1
        k = int(0)
        while k < TREE_TRIES:
            _try_tree(s, lattice, region, rules, w, x0, y0, k)
            k += 1
        i += listed.stride
