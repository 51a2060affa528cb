"""Staying alive: health, food, air, fire, falls, armour and sleep. Amounts and times are those of the genre."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import DIRT, FARMLAND, WET_FARMLAND, Fluid, Shape
from farlands.worlds.voxel.grid import cell_at, set_block
from farlands.worlds.voxel.options import DAY as DAY
from farlands.worlds.voxel.physics import EYE_HEIGHT, feet_block
from farlands.worlds.voxel.state import NUM_ARMOUR, POSITION_SHIFT, Body, Cause, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import MILLI, BlockColumn, ItemColumn, Tables

MAX_HEALTH = 20
MAX_FOOD = 20
MAX_AIR = 300
START_SATURATION = 5 * MILLI
HURT_WINDOW = 10
FREE_FALL = 3
DROWN_EVERY = 20
DROWN_DAMAGE = 2
LAVA_DAMAGE = 4
LAVA_FIRE = 300
FIRE_EVERY = 20
FLAME_DAMAGE = 1
FLAME_FIRE = 160
TRAMPLE = 1413
"""Falling further than 0.69 block onto farmland tramples it."""
EXHAUSTION_STEP = 4 * MILLI
EXHAUSTION_MAX = 40 * MILLI
EXHAUSTION_HURT = 100
EXHAUSTION_PER_HEALTH = 6 * MILLI
FAST_REGENERATION_EVERY = 10
SLOW_EVERY = 80
REGENERATION_FOOD = 18
SLEEP_TICKS = 100
SLEEP_FROM = 12_541
SLEEP_UNTIL = 23_458


@wp.func
def armour_points(s: VoxelState, t: Tables, r: int):
    """Protection of what is worn, 0 to 20."""
    points = int(0)
    i = int(0)
    while i < NUM_ARMOUR:
        points += t.item[wp.int32(s.armour_item[r, i]), ItemColumn.ARMOUR_POINTS]
        i += 1
    return points


@wp.func
def _wear_armour_down(s: VoxelState, t: Tables, r: int, damage: int):
    i = int(0)
    while i < NUM_ARMOUR:
        item = wp.int32(s.armour_item[r, i])
        if item != 0:
            wear = wp.int32(s.armour_wear[r, i]) + wp.max(damage >> 2, 1)
            if wear >= t.item[item, ItemColumn.DURABILITY]:
                s.armour_item[r, i] = wp.uint8(0)
                wear = 0
            s.armour_wear[r, i] = wp.int16(wear)
        i += 1


@wp.func
def _soften(s: VoxelState, t: Tables, r: int, damage: int):
    """What armour lets through, rounded; it wears by the hit."""
    points = armour_points(s, t, r)
    if points == 0:
        return damage
    _wear_armour_down(s, t, r, damage)
    shield = wp.min(20, wp.max(points // 5, points - damage // 2))
    return (damage * (25 - shield) + 12) // 25


@wp.func
def hurt(s: VoxelState, t: Tables, r: int, damage: int, cause: int, armoured: int):
    """Take damage, unless a hit at least as hard has just been taken. Wakes a sleeper; ends the episode at 0."""
    if s.body[Body.CAUSE, r] != Cause.NONE:
        return
    amount = damage
    if s.body[Body.HURT, r] > 0:
        amount = damage - s.body[Body.HURT_DAMAGE, r]
        s.body[Body.HURT_DAMAGE, r] = wp.max(damage, s.body[Body.HURT_DAMAGE, r])
    else:
        s.body[Body.HURT_DAMAGE, r] = damage
        s.body[Body.HURT, r] = HURT_WINDOW
    if amount > 0 and armoured != 0:
        amount = _soften(s, t, r, amount)
    if amount <= 0:
        return
    s.body[Body.SLEEPING, r] = 0
    s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + EXHAUSTION_HURT
    health = wp.max(s.body[Body.HEALTH, r] - amount, 0)
    s.body[Body.HEALTH, r] = health
    if health == 0:
        s.body[Body.CAUSE, r] = cause


@wp.func
def _trample(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Landing on farmland makes it dirt."""
    x = s.body[Body.X, r] >> POSITION_SHIFT
    y = s.body[Body.Y, r] >> POSITION_SHIFT
    cell = cell_at(s, rules, w, x, y, (s.body[Body.Z, r] - 1) >> POSITION_SHIFT)
    if cell >= 0:
        soil = wp.int32(s.blocks[w, cell])
        if soil == FARMLAND or soil == WET_FARMLAND:
            set_block(s, t, rules, w, cell, DIRT)


@wp.func
def land(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """The price of a fall, once on the ground; none in a fluid, however shallow."""
    if s.body[Body.ON_GROUND, r] != 0:
        if s.body[Body.FALL, r] > TRAMPLE:
            _trample(s, t, rules, w, r)
        damage = (s.body[Body.FALL, r] >> POSITION_SHIFT) - FREE_FALL
        s.body[Body.FALL, r] = 0
        if damage > 0 and t.block[feet_block(s, rules, w, r, 0), BlockColumn.SHAPE] != Shape.FLUID:
            hurt(s, t, r, damage, Cause.FALL, 0)


@wp.func
def _breathe(s: VoxelState, t: Tables, r: int, eye: int):
    if t.block[eye, BlockColumn.FLUID] == Fluid.WATER:
        s.body[Body.AIR, r] = s.body[Body.AIR, r] - 1
        if s.body[Body.AIR, r] <= -DROWN_EVERY:
            s.body[Body.AIR, r] = 0
            hurt(s, t, r, DROWN_DAMAGE, Cause.DROWNING, 0)
    else:
        s.body[Body.AIR, r] = wp.min(s.body[Body.AIR, r] + 4, MAX_AIR)
    if t.block[eye, BlockColumn.SHAPE] == Shape.CUBE:
        hurt(s, t, r, 1, Cause.SUFFOCATION, 0)


@wp.func
def _burn(s: VoxelState, t: Tables, r: int, fluid: int, flames: int):
    if fluid == Fluid.LAVA:
        s.body[Body.FIRE, r] = LAVA_FIRE
        hurt(s, t, r, LAVA_DAMAGE, Cause.LAVA, 1)
    elif fluid == Fluid.WATER:
        s.body[Body.FIRE, r] = 0
    elif flames != 0:
        s.body[Body.FIRE, r] = wp.max(s.body[Body.FIRE, r], FLAME_FIRE)
        hurt(s, t, r, FLAME_DAMAGE, Cause.FIRE, 1)
    fire = s.body[Body.FIRE, r]
    if fire > 0:
        s.body[Body.FIRE, r] = fire - 1
        if fire % FIRE_EVERY == 0:
            hurt(s, t, r, 1, Cause.FIRE, 0)


@wp.func
def heal(s: VoxelState, r: int, milli: int):
    """Gain thousandths of a health point."""
    total = s.body[Body.REGENERATION, r] + milli
    points = total // MILLI
    s.body[Body.REGENERATION, r] = total - points * MILLI
    s.body[Body.HEALTH, r] = wp.min(s.body[Body.HEALTH, r] + points, MAX_HEALTH)


@wp.func
def _digest(s: VoxelState, r: int):
    """Exhaustion eats saturation first, then food."""
    exhaustion = wp.min(s.body[Body.EXHAUSTION, r], EXHAUSTION_MAX)
    if exhaustion > EXHAUSTION_STEP:
        exhaustion -= EXHAUSTION_STEP
        if s.body[Body.SATURATION, r] > 0:
            s.body[Body.SATURATION, r] = wp.max(s.body[Body.SATURATION, r] - MILLI, 0)
        else:
            s.body[Body.FOOD, r] = wp.max(s.body[Body.FOOD, r] - 1, 0)
    s.body[Body.EXHAUSTION, r] = exhaustion


@wp.func
def _live_on_food(s: VoxelState, t: Tables, r: int):
    """Regeneration on a full stomach, starvation on an empty one."""
    food = s.body[Body.FOOD, r]
    hurtable = s.body[Body.HEALTH, r] < MAX_HEALTH
    timer = s.body[Body.FOOD_TIMER, r] + 1
    saturation = wp.min(s.body[Body.SATURATION, r], 6 * MILLI)
    if hurtable and food == MAX_FOOD and saturation > 0:
        if timer >= FAST_REGENERATION_EVERY:
            heal(s, r, saturation // 6)
            s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + saturation
            timer = 0
    elif hurtable and food >= REGENERATION_FOOD:
        if timer >= SLOW_EVERY:
            heal(s, r, MILLI)
            s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + EXHAUSTION_PER_HEALTH
            timer = 0
    elif food == 0:
        if timer >= SLOW_EVERY:
            if s.body[Body.HEALTH, r] > 1:
                hurt(s, t, r, 1, Cause.STARVATION, 0)
            timer = 0
    else:
        timer = 0
    s.body[Body.FOOD_TIMER, r] = timer


@wp.func
def live(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, fluid: int, flames: int, cactus: int):
    """One tick of a body's needs, after it has moved out of a fluid or flames, and touched a cactus or not."""
    s.body[Body.HURT, r] = wp.max(s.body[Body.HURT, r] - 1, 0)
    land(s, t, rules, w, r)
    _breathe(s, t, r, feet_block(s, rules, w, r, EYE_HEIGHT))
    _burn(s, t, r, fluid, flames)
    if cactus != 0:
        hurt(s, t, r, 1, Cause.CACTUS, 1)
    if rules.hunger != 0:
        _digest(s, r)
    else:
        s.body[Body.EXHAUSTION, r] = 0
    _live_on_food(s, t, r)


@wp.func
def is_fast_asleep(s: VoxelState, r: int):
    """Whether an agent sleeps and has not had its fill; then, while others are up, it may get up or lie on."""
    return s.body[Body.SLEEPING, r] > 0 and s.body[Body.SLEEPING, r] <= SLEEP_TICKS


@wp.func
def is_night(s: VoxelState, w: int):
    """Whether a bed can be used."""
    time = s.clock[Clock.TIME, w]
    return time >= SLEEP_FROM and time <= SLEEP_UNTIL
