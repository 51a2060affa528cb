"""From fields to columns of blocks: biomes, soil, seas, caves and ravines."""

from __future__ import annotations

from enum import IntEnum

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import (
    AIR,
    BEDROCK,
    BLOCK_ID,
    CACTUS,
    DIRT,
    GRASS,
    GRAVEL,
    ICE,
    LAVA,
    SAND,
    SNOW,
    STONE,
    WATER,
)
from farlands.worlds.voxel.generation.fields import (
    CAVE_LEVELS,
    CAVE_SHIFT,
    CAVE_SPACING,
    COLUMN_SHIFT,
    COLUMN_SPACING,
    DESERT,
    FOREST,
    MOUNTAINS,
    OCEAN,
    PLAINS,
    SEA_LEVEL,
    SNOWY,
    Relief,
    caves_at,
    relief_at,
)
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import Clock, Rules, VoxelState

_TALL_GRASS = BLOCK_ID["tall_grass"]
_RED_FLOWER = BLOCK_ID["red_flower"]
_YELLOW_FLOWER = BLOCK_ID["yellow_flower"]
_INDEX_MASK = (1 << 22) - 1

TUNNEL_RADIUS = 0.13
CAVERN_THRESHOLD = 0.62
RAVINE_WIDTH = 0.035
RAVINE_FLOOR = 11
LAVA_LEVEL = 6
"""Caves below this height are full of lava."""
BARE_ROCK = 47
"""Mountains show rock from here up."""
SNOW_LINE = 54
SOIL_DEPTH = 4


_EIGHT = 0x0101010101010101
_STONE_WORD = wp.constant(wp.uint64(STONE * _EIGHT))
_FLOOR_WORD = wp.constant(wp.uint64(STONE * _EIGHT - STONE + BEDROCK))
_DEEP_WORD = wp.constant(wp.uint64(STONE * _EIGHT - STONE * 257 + BEDROCK * 257))
_WATER_WORD = wp.constant(wp.uint64(WATER * _EIGHT))
_FROZEN_WORD = wp.constant(wp.uint64(WATER * (_EIGHT >> 8) + (ICE << 56)))


class Biome(IntEnum):
    """What a place is like."""

    OCEAN = 0
    PLAINS = 1
    FOREST = 2
    DESERT = 3
    SNOW = 4
    MOUNTAINS = 5


@wp.struct
class Lattice:
    """Scratch of generation, one part per world. relief: float32 ``[W, nodes, 5]``. caves: vec3 ``[W, nodes]``."""

    relief: wp.array3d(dtype=wp.float32)
    caves: wp.array2d(dtype=wp.vec3)


@wp.struct
class Region:
    """The part of a world's window that is being made: its least block coordinates and its size, whole chunks."""

    x: int
    y: int
    nx: int
    ny: int


@wp.func
def region_of(s: VoxelState, w: int):
    """Where world ``w`` is being made."""
    region = Region()
    region.x = s.clock[Clock.REGION_X, w]
    region.y = s.clock[Clock.REGION_Y, w]
    region.nx = s.clock[Clock.REGION_NX, w]
    region.ny = s.clock[Clock.REGION_NY, w]
    return region


@wp.func
def biome_of(rules: Rules, land: Relief):
    """Biome from relief; the sea wins, then height, then cold, then drought. Of those that the rules leave out the
    nearest other stands in.
    """
    has = rules.biomes
    if land.height < 31.0 and (has & OCEAN) != 0:
        return Biome.OCEAN
    if land.ruggedness > 0.4 and (has & MOUNTAINS) != 0:
        return Biome.MOUNTAINS
    if land.temperature < -0.4 and (has & SNOWY) != 0:
        return Biome.SNOW
    if land.temperature > 0.25 and land.humidity < 0.05 and (has & DESERT) != 0:
        return Biome.DESERT
    if (has & (FOREST | PLAINS)) != 0:
        if (has & PLAINS) == 0 or (land.humidity > -0.1 and (has & FOREST) != 0):
            return Biome.FOREST
        return Biome.PLAINS
    if (has & (DESERT | SNOWY)) != 0:
        if (has & DESERT) == 0 or (land.temperature < -0.1 and (has & SNOWY) != 0):
            return Biome.SNOW
        return Biome.DESERT
    return Biome.MOUNTAINS


@wp.func
def _seed_low(s: VoxelState, w: int):
    return wp.uint32(s.clock[Clock.SEED_LOW, w])


@wp.func
def _seed_high(s: VoxelState, w: int):
    return wp.uint32(s.clock[Clock.SEED_HIGH, w])


@kernel
def _sample_lattice_kernel(
    # Model
    rules: Rules,
    # In
    s: VoxelState,
    span: int,
    depth: int,
    listed: Listed,
    # Out
    lattice: Lattice,
):
    """Evaluate the fields on the lattices of the listed worlds' regions: relief nodes first, then cave nodes.

    Every region is ``span`` by ``depth`` blocks, whichever way it lies.
    """
    num_relief = ((span >> COLUMN_SHIFT) + 1) * ((depth >> COLUMN_SHIFT) + 1)
    nodes = num_relief + ((span >> CAVE_SHIFT) + 1) * ((depth >> CAVE_SHIFT) + 1) * CAVE_LEVELS
    i = wp.tid()
    while i < how_many(listed) * nodes:
        w = world_at(listed, i // nodes)
        node = i % nodes
        region = region_of(s, w)
        x0 = region.x
        y0 = region.y
        across = (region.ny >> COLUMN_SHIFT) + 1
        cave_across = (region.ny >> CAVE_SHIFT) + 1
        if node < num_relief:
            land = relief_at(
                rules, _seed_low(s, w), _seed_high(s, w),
                x0 + (node // across) * COLUMN_SPACING, y0 + (node % across) * COLUMN_SPACING,
            )  # fmt: skip
            lattice.relief[w, node, 0] = land.height
            lattice.relief[w, node, 1] = land.temperature
            lattice.relief[w, node, 2] = land.humidity
            lattice.relief[w, node, 3] = land.ruggedness
            lattice.relief[w, node, 4] = land.ravine
        else:
            node = node - num_relief
            column = node // CAVE_LEVELS
            lattice.caves[w, node] = caves_at(
                _seed_low(s, w), _seed_high(s, w),
                x0 + (column // cave_across) * CAVE_SPACING, y0 + (column % cave_across) * CAVE_SPACING,
                (node % CAVE_LEVELS) * CAVE_SPACING,
            )  # fmt: skip
        i += listed.stride


@wp.func
def relief_between(lattice: Lattice, region: Region, w: int, dx: int, dy: int):
    """Relief at an offset into the region, interpolated."""
    across = (region.ny >> COLUMN_SHIFT) + 1
    node = (dx >> COLUMN_SHIFT) * across + (dy >> COLUMN_SHIFT)
    u = float(dx & (COLUMN_SPACING - 1)) / float(COLUMN_SPACING)
    v = float(dy & (COLUMN_SPACING - 1)) / float(COLUMN_SPACING)
    a = (1.0 - u) * (1.0 - v)
    b = u * (1.0 - v)
    c = (1.0 - u) * v
    d = u * v
    land = Relief()
    east = node + across
    land.height = (
        lattice.relief[w, node, 0] * a + lattice.relief[w, east, 0] * b
        + lattice.relief[w, node + 1, 0] * c + lattice.relief[w, east + 1, 0] * d
    )  # fmt: skip
    land.temperature = (
        lattice.relief[w, node, 1] * a + lattice.relief[w, east, 1] * b
        + lattice.relief[w, node + 1, 1] * c + lattice.relief[w, east + 1, 1] * d
    )  # fmt: skip
    land.humidity = (
        lattice.relief[w, node, 2] * a + lattice.relief[w, east, 2] * b
        + lattice.relief[w, node + 1, 2] * c + lattice.relief[w, east + 1, 2] * d
    )  # fmt: skip
    land.ruggedness = (
        lattice.relief[w, node, 3] * a + lattice.relief[w, east, 3] * b
        + lattice.relief[w, node + 1, 3] * c + lattice.relief[w, east + 1, 3] * d
    )  # fmt: skip
    land.ravine = (
        lattice.relief[w, node, 4] * a + lattice.relief[w, east, 4] * b
        + lattice.relief[w, node + 1, 4] * c + lattice.relief[w, east + 1, 4] * d
    )  # fmt: skip
    return land


@wp.func
def _caves_between(lattice: Lattice, region: Region, w: int, dx: int, dy: int, level: int):
    """Cave fields over a column at one level of the lattice."""
    across = (region.ny >> CAVE_SHIFT) + 1
    node = ((dx >> CAVE_SHIFT) * across + (dy >> CAVE_SHIFT)) * CAVE_LEVELS + level
    u = float(dx & (CAVE_SPACING - 1)) / float(CAVE_SPACING)
    v = float(dy & (CAVE_SPACING - 1)) / float(CAVE_SPACING)
    east = node + across * CAVE_LEVELS
    south = lattice.caves[w, node] * (1.0 - u) + lattice.caves[w, east] * u
    north = lattice.caves[w, node + CAVE_LEVELS] * (1.0 - u) + lattice.caves[w, east + CAVE_LEVELS] * u
    return south * (1.0 - v) + north * v


@wp.func
def _may_cross(a: float, b: float):
    """Whether a linear field from a to b may come within the tunnel radius of zero."""
    return a * b <= 0.0 or wp.min(wp.abs(a), wp.abs(b)) < TUNNEL_RADIUS


@wp.func
def _is_cave(value: wp.vec3):
    tunnel = value[0] * value[0] + value[1] * value[1]
    return tunnel < TUNNEL_RADIUS * TUNNEL_RADIUS or value[2] > CAVERN_THRESHOLD


@wp.func
def _surface_block(biome: int, surface: int, depth: int, word: wp.uint32):
    """Block ``depth`` cells under a surface whose top cell is ``surface`` (above it: -1 is the first)."""
    if biome == Biome.MOUNTAINS:
        if depth == 0 and surface >= SNOW_LINE:
            return SNOW
        if surface >= BARE_ROCK:
            return STONE
    if biome == Biome.OCEAN and surface < SEA_LEVEL - 1:
        if depth > 1:
            return STONE
        kind = (word >> wp.uint32(28)) & wp.uint32(3)
        if surface < SEA_LEVEL - 8 or kind == wp.uint32(0):
            return GRAVEL
        return SAND
    if biome == Biome.DESERT or surface <= SEA_LEVEL:
        return SAND
    if depth == 0:
        if biome == Biome.SNOW:
            return SNOW
        return GRASS
    return DIRT


@wp.func
def _plant_on(biome: int, ground: int, word: wp.uint32):
    """What grows on a column: a block id, or AIR."""
    dice = wp.int32((word >> wp.uint32(4)) & wp.uint32(1023))
    if ground == GRASS:
        if dice < 100:
            return _TALL_GRASS
        if dice < 116:
            return _RED_FLOWER
        if dice < 132:
            return _YELLOW_FLOWER
    if biome == Biome.DESERT and ground == SAND and dice < 8:
        return CACTUS
    return AIR


@wp.func
def _ground_word(k: int, surface: int, biome: int, word: wp.uint32):
    """Eight cells of soil, rock, water and air, from z = 8 k up, before caves."""
    if k == 0:
        # No land is so low that its soil reaches down here.
        if (word & wp.uint32(1)) == wp.uint32(1):
            return _DEEP_WORD
        return _FLOOR_WORD
    above = wp.uint64(0)
    if k * 8 + 8 <= SEA_LEVEL:
        above = _WATER_WORD
        if biome == Biome.SNOW and k * 8 + 8 == SEA_LEVEL:
            above = _FROZEN_WORD
    solid = surface + 1 - k * 8
    if solid <= 0:
        return above
    bits = _STONE_WORD
    if solid < 8:
        land = (wp.uint64(1) << wp.uint64(8 * solid)) - wp.uint64(1)
        bits = (bits & land) | (above & ~land)
    depth = wp.max(solid - 8, 0)
    while depth < SOIL_DEPTH and depth < solid:
        shift = wp.uint64(8 * (solid - 1 - depth))
        block = _surface_block(biome, surface, depth, word)
        bits = (bits & ~(wp.uint64(255) << shift)) | (wp.uint64(block) << shift)
        depth += 1
    return bits


@wp.func
def _carve_word(bits: wp.uint64, k: int, low: wp.vec3, high: wp.vec3, roof: int):
    """Cut caves into eight cells, between the cave fields at their two ends; cells from ``roof`` up stay."""
    step = (high - low) * 0.125
    value = low
    j = int(0)
    while j < 8:
        z = k * 8 + j
        if z >= 2 and z < roof and _is_cave(value):
            block = AIR
            if z < LAVA_LEVEL:
                block = LAVA
            shift = wp.uint64(8 * j)
            bits = (bits & ~(wp.uint64(255) << shift)) | (wp.uint64(block) << shift)
        value += step
        j += 1
    return bits


@wp.func
def _cut_ravine(bits: wp.uint64, k: int, floor: int, surface: int):
    j = int(0)
    while j < 8:
        z = k * 8 + j
        if z >= floor and z <= surface:
            bits = bits & ~(wp.uint64(255) << wp.uint64(8 * j))
        j += 1
    return bits


@wp.func
def _put(bits: wp.uint64, z: int, block: int):
    return bits | (wp.uint64(block) << wp.uint64(8 * (z & 7)))


@kernel
def _fill_columns_kernel(
    # Model
    rules: Rules,
    # In
    lattice: Lattice,
    columns: int,
    listed: Listed,
    # Out
    s: VoxelState,
):
    """Fill all ``columns`` columns of the listed worlds' regions, eight cells a store, and record their tops."""
    i = wp.tid()
    while i < how_many(listed) * columns:
        w = world_at(listed, i // columns)
        region = region_of(s, w)
        dx = (i % columns) // region.ny
        dy = (i % columns) % region.ny
        x = region.x + dx
        y = region.y + dy
        column = ((x & rules.side_mask) << rules.side_shift) | (y & rules.side_mask)
        s.edited[w, column] = wp.int64(0)
        land = relief_between(lattice, region, w, dx, dy)
        biome = biome_of(rules, land)
        surface = int(land.height)
        word = draw(_seed_low(s, w), _seed_high(s, w), x, y & _INDEX_MASK, Purpose.PLANT)[0]
        # Static water would hang over a cave that opens under it, so the sea bed keeps a roof.
        roof = surface + 1
        if surface < SEA_LEVEL + 1:
            roof = surface - 5
        ravine = land.ravine < RAVINE_WIDTH and surface > SEA_LEVEL + 1 and biome != Biome.OCEAN
        low = _caves_between(lattice, region, w, dx, dy, 0)
        top = int(0)
        k = int(0)
        while k < HEIGHT // 8:
            bits = wp.uint64(0)
            if k * 8 <= wp.max(surface, SEA_LEVEL - 1):
                bits = _STONE_WORD
                if k == 0 or k * 8 + 7 > surface - SOIL_DEPTH:
                    bits = _ground_word(k, surface, biome, word)
                high = _caves_between(lattice, region, w, dx, dy, k + 1)
                tunnels = _may_cross(low[0], high[0]) and _may_cross(low[1], high[1])
                if tunnels or wp.max(low[2], high[2]) > CAVERN_THRESHOLD:
                    bits = _carve_word(bits, k, low, high, roof)
                low = high
                if ravine:
                    bits = _cut_ravine(bits, k, RAVINE_FLOOR, surface)
                solid = int(7)
                while solid >= 0 and k * 8 + solid > surface:
                    solid -= 1
                while solid >= 0:
                    found = wp.int32((bits >> wp.uint64(8 * solid)) & wp.uint64(255))
                    if found != AIR and found != LAVA:
                        top = k * 8 + solid + 1
                        solid = 0
                    solid -= 1
            s.columns[w, column * (HEIGHT // 8) + k] = bits
            s.tops[w, column] = wp.uint8(top)
            k += 1
        if top == surface + 1 and top >= SEA_LEVEL:
            ground = wp.int32(s.blocks[w, (column << 6) | surface])
            plant = _plant_on(biome, ground, word)
            if plant != AIR:
                s.blocks[w, (column << 6) | top] = wp.uint8(plant)
                if plant == CACTUS:
                    s.blocks[w, (column << 6) | (top + 1)] = wp.uint8(CACTUS)
        i += listed.stride
