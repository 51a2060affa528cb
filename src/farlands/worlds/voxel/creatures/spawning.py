"""Where creatures come from and go: animals in packs on fresh land, monsters in the dark, both within limits.

Distances are those of the genre brought to the size of the window, which ends 24 to 40 blocks from its agent.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import GRASS, Shape
from farlands.worlds.voxel.company import is_present
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.herd import add_creature, count_temper, in_window, remove_creature
from farlands.worlds.voxel.creatures.kinds import NUM_KINDS, Temper
from farlands.worlds.voxel.creatures.sight import squared, within
from farlands.worlds.voxel.grid import HEIGHT_SHIFT, block_at, cell_at
from farlands.worlds.voxel.light.field import brightness_at
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.options import HEIGHT, SPAWN_TICKS
from farlands.worlds.voxel.rng import Purpose, draw, one_in
from farlands.worlds.voxel.state import CHUNK_SHIFT, POSITION_ONE, POSITION_SHIFT, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, BlockColumn, CreatureColumn, Tables

SPAWN_FROM = 14
"""Blocks from every agent, sideways, within which no monster appears."""
DESPAWN_FROM = 24
"""Beyond this a monster may vanish at any time."""
DESPAWN_ONE_IN = 800
DARK = 7
"""A monster appears in light of this level or less."""
PACK_ONE_IN = 10
"""Chunks of fresh land in which animals may stand: one in ten."""
_PACK_SPREAD = 4


@wp.func
def _room_for(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int, z: int):
    """Whether something can stand there: solid below, nothing solid or wet in two cells."""
    below = block_at(s, rules, w, x, y, z - 1)
    if t.block[below, BlockColumn.SOLID] == 0:
        return False
    feet = t.block[block_at(s, rules, w, x, y, z), BlockColumn.SHAPE]
    head = t.block[block_at(s, rules, w, x, y, z + 1), BlockColumn.SHAPE]
    return (feet == Shape.EMPTY or feet == Shape.PLANT) and (head == Shape.EMPTY or head == Shape.PLANT)


@wp.func
def _draw_kind(t: Tables, temper: int, word: wp.uint32):
    """A kind of a temper, by weight."""
    total = int(0)
    kind = int(1)
    while kind < NUM_KINDS:
        total += t.creature[kind, CreatureColumn.WEIGHT] * int(t.creature[kind, CreatureColumn.TEMPER] == temper)
        kind += 1
    left = wp.int32(word % wp.uint32(total))
    kind = int(1)
    while kind < NUM_KINDS:
        if t.creature[kind, CreatureColumn.TEMPER] == temper:
            left -= t.creature[kind, CreatureColumn.WEIGHT]
            if left < 0:
                return kind
        kind += 1
    return 0


@wp.func
def _put(s: VoxelState, t: Tables, w: int, kind: int, x: int, y: int, z: int, word: wp.uint32):
    """A creature in the middle of a cell's floor, looking anywhere."""
    half = POSITION_ONE >> 1
    add_creature(
        s, t, w, kind, (x << POSITION_SHIFT) + half, (y << POSITION_SHIFT) + half, z << POSITION_SHIFT,
        wp.int32(word % wp.uint32(NUM_HEADINGS)),
    )  # fmt: skip


@wp.func
def _nearest_agent(s: VoxelState, rules: Rules, w: int, x: int, y: int):
    """Square of the distance sideways from a position to the nearest agent, as ``sight.squared`` gives it."""
    best = int((1 << 31) - 1)
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        if is_present(s, r):
            best = wp.min(best, squared(s.body[Body.X, r] - x, s.body[Body.Y, r] - y))
        agent += 1
    return best


@wp.func
def spawn_monster(s: VoxelState, t: Tables, rules: Rules, w: int):
    """Try one place in the window: a monster appears there if it is dark, roomy, far enough, and there are few yet."""
    tick = s.clock[Clock.TICK, w]
    if (tick & (SPAWN_TICKS - 1)) != 0:
        return
    low = wp.uint32(s.clock[Clock.SEED_LOW, w])
    high = wp.uint32(s.clock[Clock.SEED_HIGH, w])
    words = draw(low, high, tick, 0, Purpose.SPAWN)
    if words[0] >= rules.spawn:
        return
    x = s.clock[Clock.ORIGIN_X, w] + (wp.int32(words[1] & wp.uint32(0xFFFF)) & rules.side_mask)
    y = s.clock[Clock.ORIGIN_Y, w] + (wp.int32(words[1] >> wp.uint32(16)) & rules.side_mask)
    top = wp.int32(s.tops[w, cell_at(s, rules, w, x, y, 0) >> HEIGHT_SHIFT])
    z = 1 + wp.int32(words[2] % wp.uint32(wp.max(top, 1)))
    if not _room_for(s, t, rules, w, x, y, z) or brightness_at(s, rules, w, x, y, z) > DARK:
        return
    if _nearest_agent(s, rules, w, x << POSITION_SHIFT, y << POSITION_SHIFT) < within(SPAWN_FROM):
        return
    if count_temper(s, t, w, Temper.HOSTILE) >= rules.monsters:
        return
    _put(s, t, w, _draw_kind(t, Temper.HOSTILE, words[3]), x, y, z, words[0] >> wp.uint32(8))


@wp.func
def despawns(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int, word: wp.uint32):
    """Whether a monster goes: beyond the window at once, far from every agent now and then."""
    if t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.TEMPER] == Temper.PEACEFUL:
        return False
    if not in_window(s, rules, w, k):
        return True
    if not one_in(word, DESPAWN_ONE_IN // span):
        return False
    return _nearest_agent(s, rules, w, s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y]) > within(DESPAWN_FROM)


@wp.func
def _forget_farthest(s: VoxelState, t: Tables, rules: Rules, w: int):
    """Make room by letting the animal that is farthest from the window's middle go."""
    side = rules.side_mask + 1
    x = (s.clock[Clock.ORIGIN_X, w] + (side >> 1)) << POSITION_SHIFT
    y = (s.clock[Clock.ORIGIN_Y, w] + (side >> 1)) << POSITION_SHIFT
    farthest = int(-1)
    best = int(-1)
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        if not in_window(s, rules, w, k):
            far = squared(s.creatures[w, k, Being.X] - x, s.creatures[w, k, Being.Y] - y)
            if far > best:
                best = far
                farthest = k
        k += 1
    if farthest >= 0:
        remove_creature(s, w, farthest)


@wp.func
def _spawn_pack(s: VoxelState, t: Tables, rules: Rules, w: int, x0: int, y0: int, words: wp.vec4ui):
    """A pack of one kind of animal around a place in a chunk, on grass in the light."""
    kind = _draw_kind(t, Temper.PEACEFUL, words[1])
    n = int(0)
    while n < t.creature[kind, CreatureColumn.PACK]:
        place = draw(
            wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), wp.int32(words[2]), n,
            Purpose.PACK,
        )  # fmt: skip
        spread = wp.uint32(2 * _PACK_SPREAD + 1)
        x = x0 + wp.int32(place[0] % spread) - _PACK_SPREAD
        y = y0 + wp.int32(place[1] % spread) - _PACK_SPREAD
        cell = cell_at(s, rules, w, x, y, 0)
        if cell >= 0:
            z = wp.int32(s.tops[w, cell >> HEIGHT_SHIFT])
            on_grass = z > 0 and z < HEIGHT - 2 and block_at(s, rules, w, x, y, z - 1) == GRASS
            if on_grass and _room_for(s, t, rules, w, x, y, z):
                if count_temper(s, t, w, Temper.PEACEFUL) >= rules.animals:
                    _forget_farthest(s, t, rules, w)
                if count_temper(s, t, w, Temper.PEACEFUL) < rules.animals:
                    _put(s, t, w, kind, x, y, z, place[2])
        n += 1


@kernel
def _populate_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    listed: Listed,
    # Out
    s: VoxelState,
):
    """Animals on the land that was made last in each listed world. What was there before has come back by itself."""
    i = wp.tid()
    while i < how_many(listed):
        w = world_at(listed, i)
        if rules.animals > 0:
            low = wp.uint32(s.clock[Clock.SEED_LOW, w])
            high = wp.uint32(s.clock[Clock.SEED_HIGH, w])
            chunks_x = s.clock[Clock.REGION_NX, w] >> CHUNK_SHIFT
            chunks = chunks_x * (s.clock[Clock.REGION_NY, w] >> CHUNK_SHIFT)
            c = int(0)
            while c < chunks:
                x = s.clock[Clock.REGION_X, w] + ((c % chunks_x) << CHUNK_SHIFT) + 8
                y = s.clock[Clock.REGION_Y, w] + ((c // chunks_x) << CHUNK_SHIFT) + 8
                # By the time, too: whoever comes back later may find others.
                index = ((x >> CHUNK_SHIFT) & 2047) | (((y >> CHUNK_SHIFT) & 2047) << 11)
                words = draw(low, high, s.clock[Clock.TICK, w], index, Purpose.PACK)
                if one_in(words[0], PACK_ONE_IN):
                    _spawn_pack(s, t, rules, w, x, y, words)
                c += 1
        i += listed.stride
