"""Blows: agents at creatures and each other, creatures at agents, and what is left of dead creatures."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import SHEEP, Temper
from farlands.worlds.voxel.creatures.sight import FINE
from farlands.worlds.voxel.inventory import add_item, unlock
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import POSITION_ONE, VELOCITY_ONE, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import DROP_WIDTH, MAX_DROPS, CreatureColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import note_event
from farlands.worlds.voxel.tasks.predicates import Event
from farlands.worlds.voxel.vitals import HURT_WINDOW, hurt

KNOCK = round(0.4 * VELOCITY_ONE)
KNOCK_UP = round(0.36 * VELOCITY_ONE)
PANIC_TICKS = 100
_WAKES_ASIDE = 8 * POSITION_ONE
_WAKES_ABOVE = 5 * POSITION_ONE


@wp.func
def knock(velocity: wp.vec3i, dx: int, dy: int, strength: int):
    """A velocity after a blow from the side that (dx, dy), in position units, leads away from."""
    x = float(dx >> (FINE - 2))
    y = float(dy >> (FINE - 2))
    length = wp.sqrt(x * x + y * y)
    if length < 1.0:
        return wp.vec3i(velocity[0], velocity[1], wp.max(velocity[2], KNOCK_UP))
    along = float(strength) / length
    return wp.vec3i(
        (velocity[0] >> 1) + wp.int32(x * along),
        (velocity[1] >> 1) + wp.int32(y * along),
        wp.max(velocity[2], KNOCK_UP),
    )


@wp.func
def hurt_agent(s: VoxelState, t: Tables, r: int, damage: int, cause: int, dx: int, dy: int):
    """Hurt an agent and knock it back along (dx, dy), unless it has just been hurt as badly."""
    before = s.body[Body.HEALTH, r]
    hurt(s, t, r, damage, cause, 1)
    if s.body[Body.HEALTH, r] < before:
        v = knock(wp.vec3i(s.body[Body.VX, r], s.body[Body.VY, r], s.body[Body.VZ, r]), dx, dy, KNOCK)
        s.body[Body.VX, r] = v[0]
        s.body[Body.VY, r] = v[1]
        s.body[Body.VZ, r] = v[2]


@wp.func
def wound(s: VoxelState, t: Tables, w: int, k: int, damage: int):
    """Take health from a creature, by what its hide lets through; it may be dead then. Returns whether it was hurt."""
    if s.creatures[w, k, Being.HURT] > 0 or s.creatures[w, k, Being.HEALTH] <= 0:
        return False
    kind = s.creatures[w, k, Being.KIND]
    points = t.creature[kind, CreatureColumn.ARMOUR]
    shield = wp.max(points // 5, points - damage // 2)
    s.creatures[w, k, Being.HEALTH] = s.creatures[w, k, Being.HEALTH] - (damage * (25 - shield) + 12) // 25
    s.creatures[w, k, Being.HURT] = HURT_WINDOW
    s.creatures[w, k, Being.PANIC] = PANIC_TICKS
    s.creatures[w, k, Being.LOVE] = 0
    return True


@wp.func
def hit_creature(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, k: int, damage: int, dx: int, dy: int):
    """An agent's blow or arrow: wound a creature, knock it back along (dx, dy), and take what it leaves if it dies."""
    if not wound(s, t, w, k, damage):
        return
    v = knock(
        wp.vec3i(s.creatures[w, k, Being.VX], s.creatures[w, k, Being.VY], s.creatures[w, k, Being.VZ]), dx, dy, KNOCK
    )  # fmt: skip
    s.creatures[w, k, Being.VX] = v[0]
    s.creatures[w, k, Being.VY] = v[1]
    s.creatures[w, k, Being.VZ] = v[2]
    s.creatures[w, k, Being.ON_GROUND] = 0
    if s.creatures[w, k, Being.HEALTH] <= 0:
        _take_drops(s, t, rules, w, r, k)


@wp.func
def _take_drops(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, k: int):
    """What a creature leaves goes to whoever killed it; the young leave nothing."""
    kind = s.creatures[w, k, Being.KIND]
    note_event(s.tally, r, int(Event.KILLED), kind, 1)
    unlock(s, t, rules, r, t.creature[kind, CreatureColumn.KILL_ACHIEVEMENT])
    if s.creatures[w, k, Being.AGE] < 0:
        return
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w],
        s.creatures[w, k, Being.NAME], Purpose.LOOT,
    )  # fmt: skip
    n = int(0)
    while n < MAX_DROPS:
        column = CreatureColumn.DROP + n * DROP_WIDTH
        item = t.creature[kind, column]
        least = t.creature[kind, column + 1]
        spread = wp.uint32(t.creature[kind, column + 2] - least + 1)
        count = least + wp.int32(words[n] % spread)
        woolless = kind == SHEEP and n == 1 and s.creatures[w, k, Being.SHEARED] != 0
        if item != 0 and count > 0 and not woolless:
            add_item(s, t, rules, r, item, count, 0)
        n += 1


@wp.func
def weapon_damage(s: VoxelState, t: Tables, r: int, held: int):
    """What a blow with an item takes; half as much again while falling."""
    damage = t.item[held, ItemColumn.DAMAGE]
    if s.body[Body.FALL, r] > 0 and s.body[Body.ON_GROUND, r] == 0:
        damage += damage >> 1
    return damage


@wp.func
def monster_near(s: VoxelState, t: Tables, w: int, r: int):
    """Whether a monster is so near, 8 blocks sideways and 5 up or down, that nobody could sleep."""
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        if t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.TEMPER] == Temper.HOSTILE:
            dx = wp.abs(s.creatures[w, k, Being.X] - s.body[Body.X, r])
            dy = wp.abs(s.creatures[w, k, Being.Y] - s.body[Body.Y, r])
            dz = wp.abs(s.creatures[w, k, Being.Z] - s.body[Body.Z, r])
            if wp.max(dx, dy) <= _WAKES_ASIDE and dz <= _WAKES_ABOVE:
                return True
        k += 1
    return False
