"""Where an episode begins: which land the window shows, and where in it the agents stand."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.creatures.herd import clear_creatures
from farlands.worlds.voxel.dropping import clear_lying
from farlands.worlds.voxel.generation.fields import SEA_LEVEL, relief_at
from farlands.worlds.voxel.generation.lives import SEARCH_RADIUS, begin_life, find_place, stand_height
from farlands.worlds.voxel.generation.terrain import Biome, biome_of
from farlands.worlds.voxel.journal import clear_journal
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.matter.growing import clear_growing
from farlands.worlds.voxel.matter.resting import clear_matter
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import (
    MAX_FIXTURES,
    Body,
    Clock,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import Tables

DERIVED_HIGH = wp.constant(wp.uint32(0x7FFFFFFF))
"""Derived seeds leave the top bit clear: levels whose seed has it set are met only by asking for them."""
AREA_TRIES = 24
AREA_CHUNKS = 8192
"""Starts lie within this many chunks of the origin of the coordinates, half of it to each side."""
TREE_RADIUS = 6
_OAK_LOG = BLOCK_ID["oak_log"]
_SPRUCE_LOG = BLOCK_ID["spruce_log"]


@wp.func
def _chunk_coordinate(word: wp.uint32):
    return (wp.int32(word & wp.uint32(AREA_CHUNKS - 1)) - (AREA_CHUNKS >> 1)) << 4


@wp.func
def _area_score(rules: Rules, low: wp.uint32, high: wp.uint32, x: int, y: int):
    """How good a place is to begin: woods 3, other green land 2, any dry land 1, the sea 0."""
    land = relief_at(rules, low, high, x, y)
    biome = biome_of(rules, land)
    if biome == Biome.OCEAN or land.height < float(SEA_LEVEL + 1):
        return 0
    if biome == Biome.FOREST:
        return 3
    if biome == Biome.PLAINS or biome == Biome.SNOW:
        return 2
    return 1


@kernel
def _begin_episode_kernel(
    # Model
    rules: Rules,
    # In
    listed: Listed,
    # Out
    s: VoxelState,
):
    """Next level of the listed worlds, or its next trial: seed, clock and the window's place; the land comes after."""
    i = wp.tid()
    while i < how_many(listed):
        w = world_at(listed, i)
        episode = s.clock[Clock.EPISODE, w]
        if episode >= 0 and s.clock[Clock.TRIAL, w] + 1 < rules.trials:
            # The same level once more.
            s.clock[Clock.TRIAL, w] = s.clock[Clock.TRIAL, w] + 1
        else:
            s.clock[Clock.TRIAL, w] = 0
            episode += 1
        low = wp.uint32(s.clock[Clock.STREAM_LOW, w])
        high = wp.uint32(s.clock[Clock.STREAM_HIGH, w])
        if episode > 0:
            words = draw(low, high, episode, 0, Purpose.EPISODE_SEED)
            low = words[0]
            high = words[1] & DERIVED_HIGH
        s.clock[Clock.EPISODE, w] = episode
        s.clock[Clock.SEED_LOW, w] = wp.int32(low)
        s.clock[Clock.SEED_HIGH, w] = wp.int32(high)
        s.clock[Clock.TICK, w] = 0
        s.clock[Clock.STEP, w] = 0
        s.clock[Clock.TIME, w] = rules.start_time
        s.clock[Clock.TIME_REST, w] = 0
        limit = rules.horizon
        if rules.stagger != 0 and episode == 0:
            limit = 1 + wp.int32(draw(low, high, 0, 0, Purpose.STAGGER)[0] % wp.uint32(rules.horizon))
        s.clock[Clock.LIMIT, w] = limit
        best = int(-1)
        k = int(0)
        while k < AREA_TRIES and best < 3:
            words = draw(low, high, k, 0, Purpose.START_AREA)
            x = _chunk_coordinate(words[0])
            y = _chunk_coordinate(words[1])
            score = _area_score(rules, low, high, x, y)
            if score > best:
                best = score
                s.clock[Clock.ORIGIN_X, w] = x - ((rules.side_mask + 1) >> 1)
                s.clock[Clock.ORIGIN_Y, w] = y - ((rules.side_mask + 1) >> 1)
            k += 1
        s.clock[Clock.REGION_X, w] = s.clock[Clock.ORIGIN_X, w]
        s.clock[Clock.REGION_Y, w] = s.clock[Clock.ORIGIN_Y, w]
        s.clock[Clock.REGION_NX, w] = rules.side_mask + 1
        s.clock[Clock.REGION_NY, w] = rules.side_mask + 1
        k = int(0)
        while k < MAX_FIXTURES:
            s.fixtures[w, k] = -1
            k += 1
        clear_journal(s, w)
        clear_matter(s, w)
        s.clock[Clock.OVERFLOWS, w] = 0
        clear_growing(s, w)
        clear_creatures(s, w)
        clear_lying(s, w)
        i += listed.stride


@wp.func
def _tree_near(s: VoxelState, rules: Rules, w: int, dx: int, dy: int, z: int):
    """Whether a trunk stands within a few blocks, about level with the feet."""
    i = wp.max(dx - TREE_RADIUS, 0)
    while i <= wp.min(dx + TREE_RADIUS, rules.side_mask):
        j = wp.max(dy - TREE_RADIUS, 0)
        while j <= wp.min(dy + TREE_RADIUS, rules.side_mask):
            x = (s.clock[Clock.ORIGIN_X, w] + i) & rules.side_mask
            y = (s.clock[Clock.ORIGIN_Y, w] + j) & rules.side_mask
            block = wp.int32(s.blocks[w, (((x << rules.side_shift) | y) << 6) | (z + 1)])
            if block == _OAK_LOG or block == _SPRUCE_LOG:
                return True
            j += 1
        i += 1
    return False


@wp.func
def _find_start(s: VoxelState, t: Tables, rules: Rules, w: int):
    """Offset and height of the nearest good column to the middle: near a tree if there is one, dry in any case."""
    middle = (rules.side_mask + 1) >> 1
    found = wp.vec3i(middle, middle, HEIGHT - 3)
    any_found = int(0)
    ring = int(0)
    while ring <= SEARCH_RADIUS:
        i = -ring
        while i <= ring:
            j = -ring
            while j <= ring:
                if wp.max(wp.abs(i), wp.abs(j)) == ring:
                    z = stand_height(s, t, rules, w, middle + i, middle + j)
                    if z >= 0:
                        if _tree_near(s, rules, w, middle + i, middle + j, z):
                            return wp.vec3i(middle + i, middle + j, z)
                        if any_found == 0:
                            any_found = 1
                            found = wp.vec3i(middle + i, middle + j, z)
                j += 2
            i += 2
        ring += 2
    if any_found == 0:
        # Nothing dry near the middle: the highest column there, in the water if need be.
        x = (s.clock[Clock.ORIGIN_X, w] + middle) & rules.side_mask
        y = (s.clock[Clock.ORIGIN_Y, w] + middle) & rules.side_mask
        found[2] = wp.max(wp.int32(s.tops[w, (x << rules.side_shift) | y]), SEA_LEVEL)
    return found


@kernel
def _start_agents_kernel(
    # Model
    t: Tables,
    rules: Rules,
    kit: wp.array2d(dtype=wp.int32),
    # In
    listed: Listed,
    # Out
    s: VoxelState,
):
    """Stand the agents of the listed worlds on the finished land, the others near the first."""
    i = wp.tid()
    while i < how_many(listed):
        w = world_at(listed, i)
        found = _find_start(s, t, rules, w)
        x = s.clock[Clock.ORIGIN_X, w] + found[0]
        y = s.clock[Clock.ORIGIN_Y, w] + found[1]
        s.clock[Clock.START_X, w] = x
        s.clock[Clock.START_Y, w] = y
        s.clock[Clock.START_Z, w] = found[2]
        agent = int(0)
        while agent < rules.agents:
            s.body[Body.GONE, w * rules.agents + agent] = 1
            agent += 1
        first = wp.vec3i(x, y, found[2])
        agent = int(0)
        while agent < rules.agents:
            r = w * rules.agents + agent
            at = first
            if agent > 0:
                at = find_place(s, t, rules, w, r, first)
            begin_life(s, t, rules, kit, w, r, at)
            agent += 1
        i += listed.stride
