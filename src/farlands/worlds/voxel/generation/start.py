"""Where an episode begins: which land the window shows, and where in it the agents stand."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import BLOCK_ID, Shape
from farlands.worlds.voxel.creatures.herd import clear_creatures
from farlands.worlds.voxel.generation.fields import SEA_LEVEL, relief_at
from farlands.worlds.voxel.generation.terrain import Biome, biome_of
from farlands.worlds.voxel.items import NUM_SLOTS
from farlands.worlds.voxel.journal import clear_journal
from farlands.worlds.voxel.matter.growing import clear_growing
from farlands.worlds.voxel.matter.resting import clear_matter
from farlands.worlds.voxel.measures import note_item, note_place
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import DAMP_SHIFT, DRAG
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import (
    MAX_FIXTURES,
    NUM_ACHIEVEMENTS,
    NUM_ARMOUR,
    NUM_BODY,
    NUM_ITEMS,
    POSITION_ONE,
    POSITION_SHIFT,
    Body,
    Clock,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import BlockColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import clear_tally
from farlands.worlds.voxel.vitals import MAX_AIR, MAX_FOOD, MAX_HEALTH, START_SATURATION

DERIVED_HIGH = wp.constant(wp.uint32(0x7FFFFFFF))
"""Derived seeds leave the top bit clear: levels whose seed has it set are met only by asking for them."""
AREA_TRIES = 24
AREA_CHUNKS = 8192
"""Starts lie within this many chunks of the origin of the coordinates, half of it to each side."""
SEARCH_RADIUS = 14
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
    worlds: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    shard: int,
    begin: int,
    stride: int,
    # Out
    s: VoxelState,
):
    """Next level of the listed worlds: seed, clock and the window's place; the land itself comes after."""
    i = wp.tid()
    while i < count[shard]:
        w = worlds[begin + i]
        episode = s.clock[Clock.EPISODE, w] + 1
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
        i += stride


@wp.func
def _stand_height(s: VoxelState, t: Tables, rules: Rules, w: int, dx: int, dy: int):
    """Height of the feet on a column given by its offset from the window's origin, or -1 if one can't stand there."""
    x = (s.clock[Clock.ORIGIN_X, w] + dx) & rules.side_mask
    y = (s.clock[Clock.ORIGIN_Y, w] + dy) & rules.side_mask
    column = (x << rules.side_shift) | y
    z = wp.int32(s.tops[w, column])
    if z < SEA_LEVEL or z > HEIGHT - 4:
        return -1
    ground = wp.int32(s.blocks[w, (column << 6) | (z - 1)])
    feet = t.block[wp.int32(s.blocks[w, (column << 6) | z]), BlockColumn.SHAPE]
    head = t.block[wp.int32(s.blocks[w, (column << 6) | (z + 1)]), BlockColumn.SHAPE]
    if t.block[ground, BlockColumn.SOLID] == 0:
        return -1
    if (feet != Shape.EMPTY and feet != Shape.PLANT) or (head != Shape.EMPTY and head != Shape.PLANT):
        return -1
    return z


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
                    z = _stand_height(s, t, rules, w, middle + i, middle + j)
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


@wp.func
def _fill_kit(s: VoxelState, t: Tables, kit: wp.array2d(dtype=wp.int32), r: int):
    """Put the start kit into the slots; it unlocks nothing."""
    slot = int(0)
    k = int(0)
    while k < kit.shape[0]:
        item = kit[k, 0]
        left = kit[k, 1]
        while left > 0 and slot < NUM_SLOTS:
            taken = wp.min(left, t.item[item, ItemColumn.STACK])
            s.slot_item[r, slot] = wp.uint8(item)
            s.slot_count[r, slot] = wp.uint8(taken)
            s.counts[r, item] = wp.int16(wp.int32(s.counts[r, item]) + taken)
            note_item(s, r, item)
            left -= taken
            slot += 1
        k += 1


@wp.func
def _clear_row(s: VoxelState, r: int):
    k = int(0)
    while k < NUM_BODY:
        s.body[k, r] = 0
        k += 1
    k = int(0)
    while k < NUM_SLOTS:
        s.slot_item[r, k] = wp.uint8(0)
        s.slot_count[r, k] = wp.uint8(0)
        s.slot_wear[r, k] = wp.int16(0)
        k += 1
    k = int(0)
    while k < NUM_ARMOUR:
        s.armour_item[r, k] = wp.uint8(0)
        s.armour_wear[r, k] = wp.int16(0)
        k += 1
    k = int(0)
    while k < NUM_ITEMS:
        s.counts[r, k] = wp.int16(0)
        k += 1
    k = int(0)
    while k < NUM_ACHIEVEMENTS:
        s.unlocked[r, k] = -1
        k += 1
    k = int(0)
    while k < s.visited.shape[1]:
        s.visited[r, k] = 0
        k += 1
    clear_tally(s.tally, r)
    k = int(0)
    while k < s.held.shape[1]:
        s.held[r, k] = 0
        k += 1


@kernel
def _start_agents_kernel(
    # Model
    t: Tables,
    rules: Rules,
    kit: wp.array2d(dtype=wp.int32),
    # In
    worlds: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    shard: int,
    begin: int,
    stride: int,
    # Out
    s: VoxelState,
):
    """Stand the agents of the listed worlds on the finished land, whole, fed and facing a keyed way."""
    i = wp.tid()
    while i < count[shard]:
        w = worlds[begin + i]
        found = _find_start(s, t, rules, w)
        x = s.clock[Clock.ORIGIN_X, w] + found[0]
        y = s.clock[Clock.ORIGIN_Y, w] + found[1]
        s.clock[Clock.START_X, w] = x
        s.clock[Clock.START_Y, w] = y
        s.clock[Clock.START_Z, w] = found[2]
        agent = int(0)
        while agent < rules.agents:
            r = w * rules.agents + agent
            _clear_row(s, r)
            s.body[Body.X, r] = (x << POSITION_SHIFT) + (POSITION_ONE >> 1)
            s.body[Body.Y, r] = (y << POSITION_SHIFT) + (POSITION_ONE >> 1)
            s.body[Body.Z, r] = found[2] << POSITION_SHIFT
            # At rest on the ground, pressed there in the next tick.
            s.body[Body.VZ, r] = -((rules.gravity * DRAG) >> DAMP_SHIFT)
            s.body[Body.ON_GROUND, r] = 1
            word = draw(
                wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), agent, 0,
                Purpose.SPAWN_HEADING,
            )[0]  # fmt: skip
            s.body[Body.YAW, r] = wp.int32(word % wp.uint32(24))
            s.body[Body.HEALTH, r] = MAX_HEALTH
            s.body[Body.FOOD, r] = MAX_FOOD
            s.body[Body.SATURATION, r] = START_SATURATION
            s.body[Body.AIR, r] = MAX_AIR
            s.body[Body.HAND, r] = -1
            s.body[Body.BREAK_CELL, r] = -1
            s.body[Body.SMELTING, r] = -1
            s.body[Body.LOWEST, r] = found[2]
            note_place(s, r)
            _fill_kit(s, t, kit, r)
            agent += 1
        i += stride
