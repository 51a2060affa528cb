"""Things on the ground: dropped by agents and left by the dead, they fall, lie, and are picked up.

Several agents only: alone, nobody drops anything. What lies outside the window stays as it is until that comes back.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.actions import FOOD, HELD
from farlands.worlds.voxel.blocks import FIRE, Fluid
from farlands.worlds.voxel.company import Turn, is_alive, row_in_turn, turn_order
from farlands.worlds.voxel.creatures.motion import fluid_at
from farlands.worlds.voxel.creatures.sight import agent_eye
from farlands.worlds.voxel.crosshair import ray_direction
from farlands.worlds.voxel.grid import block_at, cell_at
from farlands.worlds.voxel.inventory import empty_slot, find_slot, held_item, remove_item, stow_item
from farlands.worlds.voxel.items import NUM_SLOTS
from farlands.worlds.voxel.lying import NUM_LYING, Lying
from farlands.worlds.voxel.physics import (
    BODY_HALF_WIDTH,
    BODY_HEIGHT,
    DAMP_SHIFT,
    DRAG,
    FLUID_GRAVITY,
    GROUND_INERTIA,
    ROUND_POSITION,
    TURN_SHIFT,
    WATER_INERTIA,
    scale,
    sweep,
)
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import (
    NUM_ARMOUR,
    POSITION_ONE,
    POSITION_SHIFT,
    VELOCITY_ONE,
    VELOCITY_TO_POSITION_SHIFT,
    Body,
    Clock,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import BlockColumn, ItemColumn, Tables

LIFE = 6_000
"""Ticks after which what lies is gone."""
OWN_PAUSE = 40
"""Ticks in which who dropped a thing does not pick it up."""
PAUSE = 10
"""Ticks in which nobody else does."""
THING_HALF_WIDTH = 256
THING_HEIGHT = 512
"""An eighth and a quarter of a block."""
_THROW = round(0.3 * VELOCITY_ONE)
_LIFT = round(0.1 * VELOCITY_ONE)
_BELOW_EYE = 614
_SCATTER = round(0.2 * VELOCITY_ONE)
_REACH_ASIDE = BODY_HALF_WIDTH + POSITION_ONE + THING_HALF_WIDTH
_REACH_UP = POSITION_ONE >> 1
_JOIN_EVERY = 16
"""Ticks between two looks for stacks that lie in one cell: a power of two."""


@wp.func
def _in_window(s: VoxelState, rules: Rules, w: int, k: int):
    x = s.lying[w, k, Lying.X] >> POSITION_SHIFT
    y = s.lying[w, k, Lying.Y] >> POSITION_SHIFT
    return cell_at(s, rules, w, x, y, 0) >= 0


@wp.func
def _place_for(s: VoxelState, rules: Rules, w: int):
    """Row for one more thing: a free one, else the first whose thing lies outside the window, else -1."""
    count = s.clock[Clock.LYING, w]
    if count < s.lying.shape[1]:
        return count
    k = int(0)
    while k < count:
        if not _in_window(s, rules, w, k):
            return k
        k += 1
    return -1


@wp.func
def _lay(
    s: VoxelState, rules: Rules, w: int, item: int, count: int, wear: int, at: wp.vec3i, v: wp.vec3i, owner: int
):  # fmt: skip
    """Let items lie at a position. Without room, far ones are forgotten for them, or they are lost; both counted."""
    k = _place_for(s, rules, w)
    if k < 0:
        s.clock[Clock.LOST, w] = s.clock[Clock.LOST, w] + count
        return
    if k == s.clock[Clock.LYING, w]:
        s.clock[Clock.LYING, w] = k + 1
    s.clock[Clock.LOST, w] = s.clock[Clock.LOST, w] + s.lying[w, k, Lying.COUNT]
    s.lying[w, k, Lying.ITEM] = item
    s.lying[w, k, Lying.COUNT] = count
    s.lying[w, k, Lying.WEAR] = wear
    s.lying[w, k, Lying.AGE] = 0
    s.lying[w, k, Lying.PAUSE] = OWN_PAUSE
    s.lying[w, k, Lying.OWNER] = owner
    axis = int(0)
    while axis < 3:
        s.lying[w, k, Lying.X + axis] = at[axis]
        s.lying[w, k, Lying.VX + axis] = v[axis]
        axis += 1


@wp.func
def thing_to_drop(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, argument: int, other: int):
    """Item id that a ``DROP`` choice would drop now, 0 for none; its arguments are those of ``actions.Choice``."""
    if rules.agents == 1:
        return 0
    if _place_for(s, rules, w) < 0:
        return 0
    item = argument
    if argument == HELD:
        item = held_item(s, r)
    elif argument == FOOD:
        item = int(0)
        i = int(0)
        while i < t.foods.shape[0] and item == 0:
            if s.counts[r, t.foods[i]] > wp.int16(0):
                item = t.foods[i]
            i += 1
    elif other != 0 and s.counts[r, item] == wp.int16(0):
        item = other
    if s.counts[r, item] == wp.int16(0):
        return 0
    return item


@wp.func
def _take_out(s: VoxelState, t: Tables, r: int, item: int):
    """Take one item out of the slots, the one in the hand first. Returns its wear."""
    if t.item[item, ItemColumn.STACK] > 1:
        remove_item(s, t, r, item, 1)
        return 0
    slot = s.body[Body.HAND, r]
    if held_item(s, r) != item:
        slot = find_slot(s, r, item)
    wear = wp.int32(s.slot_wear[r, slot])
    s.counts[r, item] = wp.int16(wp.int32(s.counts[r, item]) - 1)
    empty_slot(s, r, slot)
    return wear


@wp.func
def drop(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, argument: int, other: int):
    """Throw one item ahead from the eye, if possible. Returns whether it was."""
    item = thing_to_drop(s, t, rules, w, r, argument, other)
    if item == 0:
        return False
    wear = _take_out(s, t, r, item)
    at = agent_eye(s, r)
    at[2] = at[2] - _BELOW_EYE
    d = ray_direction(t, s.body[Body.YAW, r], s.body[Body.PITCH, r])
    v = wp.vec3i(
        scale(d[0], _THROW, TURN_SHIFT), scale(d[1], _THROW, TURN_SHIFT), scale(d[2], _THROW, TURN_SHIFT) + _LIFT
    )  # fmt: skip
    _lay(s, rules, w, item, 1, wear, at, v, r - w * rules.agents + 1)
    return True


@wp.func
def _leave(s: VoxelState, rules: Rules, w: int, r: int, number: int, item: int, count: int, wear: int):
    """Let a stack of the dead row ``r`` fall from its middle, somewhat to the side."""
    index = (r - w * rules.agents) * (NUM_SLOTS + NUM_ARMOUR) + number
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], index,
        Purpose.SCATTER,
    )  # fmt: skip
    spread = wp.uint32(_SCATTER)
    v = wp.vec3i(
        wp.int32(words[0] % spread) - (_SCATTER >> 1), wp.int32(words[1] % spread) - (_SCATTER >> 1), _SCATTER
    )  # fmt: skip
    at = wp.vec3i(s.body[Body.X, r], s.body[Body.Y, r], s.body[Body.Z, r] + (BODY_HEIGHT >> 1))
    _lay(s, rules, w, item, count, wear, at, v, 0)


@wp.func
def leave_everything(s: VoxelState, rules: Rules, w: int, r: int):
    """What a dead agent carried and wore lies where it died; its slots are to be cleared by the caller."""
    i = int(0)
    while i < NUM_ARMOUR:
        item = wp.int32(s.armour_item[r, i])
        if item != 0:
            _leave(s, rules, w, r, i, item, 1, wp.int32(s.armour_wear[r, i]))
        i += 1
    i = int(0)
    while i < NUM_SLOTS:
        item = wp.int32(s.slot_item[r, i])
        if item != 0:
            wear = wp.int32(s.slot_wear[r, i])
            _leave(s, rules, w, r, NUM_ARMOUR + i, item, wp.int32(s.slot_count[r, i]), wear)
        i += 1


@wp.func
def clear_lying(s: VoxelState, w: int):
    """Nothing lies anywhere, as when a level begins."""
    k = int(0)
    while k < s.clock[Clock.LYING, w]:
        column = int(0)
        while column < NUM_LYING:
            s.lying[w, k, column] = 0
            column += 1
        k += 1
    s.clock[Clock.LYING, w] = 0
    s.clock[Clock.LOST, w] = 0


@wp.func
def _rests(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, fluid: int):
    """Whether a thing lies still on something solid."""
    moving = s.lying[w, k, Lying.VX] | s.lying[w, k, Lying.VY] | s.lying[w, k, Lying.VZ]
    if moving != 0 or fluid != 0:
        return False
    below = block_at(
        s, rules, w, s.lying[w, k, Lying.X] >> POSITION_SHIFT, s.lying[w, k, Lying.Y] >> POSITION_SHIFT,
        (s.lying[w, k, Lying.Z] - 1) >> POSITION_SHIFT,
    )  # fmt: skip
    return t.block[below, BlockColumn.SOLID] != 0


@wp.func
def _move(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, fluid: int):
    """One tick of flight or of sliding."""
    p = wp.vec3i(s.lying[w, k, Lying.X], s.lying[w, k, Lying.Y], s.lying[w, k, Lying.Z])
    v = wp.vec3i(s.lying[w, k, Lying.VX], s.lying[w, k, Lying.VY], s.lying[w, k, Lying.VZ])
    inertia = int(DRAG)
    if fluid != 0:
        inertia = WATER_INERTIA
        v[2] = v[2] - FLUID_GRAVITY
    else:
        v[2] = v[2] - (rules.gravity >> 1)
    n = int(0)
    while n < 3:
        axis = (n + 2) % 3
        d = (v[axis] + ROUND_POSITION) >> VELOCITY_TO_POSITION_SHIFT
        if d != 0:
            went = sweep(s, t, rules, w, p, THING_HALF_WIDTH, THING_HEIGHT, axis, d)
            p[axis] = p[axis] + went[0]
            if went[1] != 0:
                v[axis] = 0
                if axis == 2 and d < 0:
                    inertia = GROUND_INERTIA
        n += 1
    axis = int(0)
    while axis < 3:
        s.lying[w, k, Lying.X + axis] = p[axis]
        s.lying[w, k, Lying.VX + axis] = scale(v[axis], inertia, DAMP_SHIFT)
        axis += 1


@wp.func
def _lie(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """A thing's tick: it moves, ages, and burns in lava and fire."""
    x = s.lying[w, k, Lying.X]
    y = s.lying[w, k, Lying.Y]
    z = s.lying[w, k, Lying.Z]
    fluid = fluid_at(s, t, rules, w, x, y, z)
    block = block_at(s, rules, w, x >> POSITION_SHIFT, y >> POSITION_SHIFT, z >> POSITION_SHIFT)
    s.lying[w, k, Lying.PAUSE] = wp.max(s.lying[w, k, Lying.PAUSE] - 1, 0)
    age = s.lying[w, k, Lying.AGE] + 1
    s.lying[w, k, Lying.AGE] = age
    if age >= LIFE or fluid == Fluid.LAVA or block == FIRE:
        s.lying[w, k, Lying.COUNT] = 0
        return
    if not _rests(s, t, rules, w, k, fluid):
        _move(s, t, rules, w, k, fluid)


@wp.func
def _same_cell(s: VoxelState, w: int, k: int, other: int):
    axis = int(0)
    while axis < 3:
        a = s.lying[w, k, Lying.X + axis] >> POSITION_SHIFT
        if a != s.lying[w, other, Lying.X + axis] >> POSITION_SHIFT:
            return False
        axis += 1
    return True


@wp.func
def _join(s: VoxelState, t: Tables, w: int, k: int):
    """Put a stack onto an earlier one of its kind in the same cell, if they make one stack together."""
    item = s.lying[w, k, Lying.ITEM]
    count = s.lying[w, k, Lying.COUNT]
    other = int(0)
    while other < k and s.lying[w, k, Lying.COUNT] > 0:
        together = s.lying[w, other, Lying.COUNT] + count
        alike = s.lying[w, other, Lying.ITEM] == item and s.lying[w, other, Lying.COUNT] > 0
        if alike and together <= t.item[item, ItemColumn.STACK]:
            if _same_cell(s, w, k, other):
                s.lying[w, other, Lying.COUNT] = together
                s.lying[w, other, Lying.AGE] = wp.min(s.lying[w, other, Lying.AGE], s.lying[w, k, Lying.AGE])
                s.lying[w, other, Lying.PAUSE] = wp.max(s.lying[w, other, Lying.PAUSE], s.lying[w, k, Lying.PAUSE])
                if s.lying[w, other, Lying.OWNER] != s.lying[w, k, Lying.OWNER]:
                    s.lying[w, other, Lying.OWNER] = 0
                s.lying[w, k, Lying.COUNT] = 0
        other += 1


@wp.func
def _can_reach(s: VoxelState, rules: Rules, w: int, r: int, k: int):
    """Whether an agent is near enough to a thing, and may pick it up already."""
    wait = int(OWN_PAUSE - PAUSE)
    if s.lying[w, k, Lying.OWNER] == r - w * rules.agents + 1:
        wait = 0
    if s.lying[w, k, Lying.PAUSE] > wait or s.lying[w, k, Lying.COUNT] == 0:
        return False
    dx = wp.abs(s.lying[w, k, Lying.X] - s.body[Body.X, r])
    dy = wp.abs(s.lying[w, k, Lying.Y] - s.body[Body.Y, r])
    dz = s.lying[w, k, Lying.Z] - s.body[Body.Z, r]
    if wp.max(dx, dy) >= _REACH_ASIDE:
        return False
    return dz > -_REACH_UP - THING_HEIGHT and dz < BODY_HEIGHT + _REACH_UP


@wp.func
def _pick_up(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Take what is in reach, as far as there is room. Nothing is unlocked or counted as gained: it was before."""
    k = int(0)
    while k < s.clock[Clock.LYING, w]:
        if _in_window(s, rules, w, k) and _can_reach(s, rules, w, r, k):
            left = stow_item(
                s, t, r, s.lying[w, k, Lying.ITEM], s.lying[w, k, Lying.COUNT], s.lying[w, k, Lying.WEAR]
            )  # fmt: skip
            s.lying[w, k, Lying.COUNT] = left
        k += 1


@wp.func
def _close_gaps(s: VoxelState, w: int):
    """Rows with something first, in their order; zeros beyond."""
    count = s.clock[Clock.LYING, w]
    kept = int(0)
    k = int(0)
    while k < count:
        some = s.lying[w, k, Lying.COUNT] > 0
        column = int(0)
        while column < NUM_LYING:
            value = s.lying[w, k, column]
            if kept < k or not some:
                s.lying[w, k, column] = 0
            if some:
                s.lying[w, kept, column] = value
            column += 1
        if some:
            kept += 1
        k += 1
    s.clock[Clock.LYING, w] = kept


@kernel
def _lie_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """One tick of what lies in each world: it falls, ages, is joined, and is picked up by whose turn it is."""
    w = begin + wp.tid()
    if s.clock[Clock.LYING, w] == 0:
        return
    k = int(0)
    while k < s.clock[Clock.LYING, w]:
        if _in_window(s, rules, w, k):
            _lie(s, t, rules, w, k)
            if (s.clock[Clock.TICK, w] & (_JOIN_EVERY - 1)) == 0 and s.lying[w, k, Lying.COUNT] > 0:
                _join(s, t, w, k)
        k += 1
    order = turn_order(s, rules, w, int(Turn.PICK))
    n = int(0)
    while n < rules.agents:
        r = row_in_turn(rules, w, order, n)
        if is_alive(s, r):
            _pick_up(s, t, rules, w, r)
        n += 1
    _close_gaps(s, w)
