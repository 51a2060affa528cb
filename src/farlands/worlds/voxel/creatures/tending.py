"""What agents do for animals and with bows: feeding, shearing, shooting."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import DIRT, GRASS, ToolClass
from farlands.worlds.voxel.creatures.arrows import shoot
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.herd import add_creature
from farlands.worlds.voxel.creatures.kinds import SHEEP
from farlands.worlds.voxel.creatures.sight import agent_eye
from farlands.worlds.voxel.crosshair import ray_direction
from farlands.worlds.voxel.grid import cell_at, set_block
from farlands.worlds.voxel.inventory import add_item, held_item, remove_item, unlock, wear_held
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.physics import TURN_SHIFT, scale
from farlands.worlds.voxel.rng import Purpose, draw, one_in
from farlands.worlds.voxel.state import POSITION_SHIFT, VELOCITY_ONE, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, CreatureColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import note_event
from farlands.worlds.voxel.tasks.predicates import Event

LOVE_TICKS = 600
BREED_PAUSE = 6_000
GROW_TICKS = 24_000
GRAZE_ONE_IN = 1_000
FULL_DRAW = 20
LEAST_DRAW = 3
_ARROW = ITEM_ID["arrow"]
_WOOL = ITEM_ID["wool"]
_ARROW_SPEED = 3 * VELOCITY_ONE
_FULL_DAMAGE = 6


@wp.func
def can_tend(s: VoxelState, t: Tables, w: int, r: int, k: int):
    """What can be done for a creature: 1 feed it, 2 shear it, 0 nothing."""
    kind = s.creatures[w, k, Being.KIND]
    if kind == SHEEP and s.creatures[w, k, Being.SHEARED] == 0 and s.creatures[w, k, Being.AGE] >= 0:
        if t.item[held_item(s, r), ItemColumn.TOOL] == ToolClass.SHEARS:
            return 2
    food = t.creature[kind, CreatureColumn.FOOD]
    if food != 0:
        if s.counts[r, food] > wp.int16(0):
            ready = s.creatures[w, k, Being.AGE] == 0 and s.creatures[w, k, Being.LOVE] == 0
            if ready or s.creatures[w, k, Being.AGE] < 0:
                return 1
    return 0


@wp.func
def tend(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, k: int):
    """Feed or shear a creature, whichever is possible: the grown become ready to breed, the young grow up sooner."""
    what = can_tend(s, t, w, r, k)
    if what == 2:
        s.creatures[w, k, Being.SHEARED] = 1
        words = draw(
            wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w],
            s.creatures[w, k, Being.NAME], Purpose.LOOT,
        )  # fmt: skip
        add_item(s, t, rules, r, _WOOL, 1 + wp.int32(words[0] % wp.uint32(3)), 0)
        wear_held(s, t, r, 1)
        note_event(s.tally, r, int(Event.SHEARED), SHEEP, 1)
        unlock(s, t, rules, r, t.shear_achievement)
    elif what == 1:
        remove_item(s, t, r, t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.FOOD], 1)
        age = s.creatures[w, k, Being.AGE]
        if age < 0:
            s.creatures[w, k, Being.AGE] = wp.min(age + (-age) // 10 + 1, 0)
        else:
            s.creatures[w, k, Being.LOVE] = LOVE_TICKS
            s.creatures[w, k, Being.OWNER] = r - w * rules.agents + 1


@wp.func
def breed(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, mate: int):
    """Two of a kind have a young one between them; whoever fed the first has the credit."""
    kind = s.creatures[w, k, Being.KIND]
    young = add_creature(
        s, t, w, kind, (s.creatures[w, k, Being.X] + s.creatures[w, mate, Being.X]) >> 1,
        (s.creatures[w, k, Being.Y] + s.creatures[w, mate, Being.Y]) >> 1,
        wp.max(s.creatures[w, k, Being.Z], s.creatures[w, mate, Being.Z]), s.creatures[w, k, Being.YAW],
    )  # fmt: skip
    if young < 0:
        return
    s.creatures[w, young, Being.AGE] = -GROW_TICKS
    s.creatures[w, k, Being.AGE] = BREED_PAUSE
    s.creatures[w, k, Being.LOVE] = 0
    s.creatures[w, mate, Being.AGE] = BREED_PAUSE
    s.creatures[w, mate, Being.LOVE] = 0
    owner = s.creatures[w, k, Being.OWNER]
    # Whoever fed it may have died since.
    if owner > 0:
        r = w * rules.agents + owner - 1
        note_event(s.tally, r, int(Event.BRED), kind, 1)
        unlock(s, t, rules, r, t.breed_achievement)


@wp.func
def graze(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int, word: wp.uint32):
    """Now and then a shorn sheep eats the grass it stands on, and its wool is back."""
    if s.creatures[w, k, Being.SHEARED] == 0 or not one_in(word, GRAZE_ONE_IN // span):
        return
    cell = cell_at(
        s, rules, w, s.creatures[w, k, Being.X] >> POSITION_SHIFT, s.creatures[w, k, Being.Y] >> POSITION_SHIFT,
        (s.creatures[w, k, Being.Z] >> POSITION_SHIFT) - 1,
    )  # fmt: skip
    if cell >= 0:
        if wp.int32(s.blocks[w, cell]) == GRASS:
            set_block(s, t, rules, w, cell, DIRT)
            s.creatures[w, k, Being.SHEARED] = 0


@wp.func
def can_draw(s: VoxelState, t: Tables, r: int):
    """Whether the hand holds a bow and there is an arrow for it."""
    return t.item[held_item(s, r), ItemColumn.TOOL] == ToolClass.BOW and s.counts[r, _ARROW] > wp.int16(0)


@wp.func
def loose(s: VoxelState, t: Tables, w: int, r: int, agent: int, drawn: int):
    """Shoot an arrow along the line of sight, the faster the longer the bow was drawn: to three blocks a tick."""
    if not can_draw(s, t, r):
        return
    part = wp.min(drawn, FULL_DRAW)
    # (f^2 + 2 f) / 3 of the full speed, with f in twentieths.
    power = (part * part + 2 * FULL_DRAW * part) // 3
    speed = (_ARROW_SPEED // (FULL_DRAW * FULL_DRAW)) * power
    d = ray_direction(t, s.body[Body.YAW, r], s.body[Body.PITCH, r])
    low = speed >> 4
    v = wp.vec3i(
        scale(d[0], low, TURN_SHIFT - 4), scale(d[1], low, TURN_SHIFT - 4), scale(d[2], low, TURN_SHIFT - 4)
    )  # fmt: skip
    damage = wp.max((_FULL_DAMAGE * power + FULL_DRAW * FULL_DRAW - 1) // (FULL_DRAW * FULL_DRAW), 1)
    remove_item(s, t, r, _ARROW, 1)
    wear_held(s, t, r, 1)
    shoot(s, t, w, agent_eye(s, r), v, s.body[Body.YAW, r] % NUM_HEADINGS, damage, agent + 1)
