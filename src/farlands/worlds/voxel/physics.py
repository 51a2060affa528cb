"""Bodies: walking, sprinting, jumping, swimming, climbing, falling and colliding, in fixed point.

Constants are those of the genre (blocks per tick): ground acceleration 0.1 with inertia 0.546, air 0.02 with 0.91,
fluids 0.02 with 0.8 (lava 0.5), gravity 0.08 (times the option ``gravity``) with drag 0.98, jump 0.42.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.actions import Jump, Move
from farlands.worlds.voxel.blocks import CACTUS, FULL, ICE, Fluid, Shape
from farlands.worlds.voxel.company import free_way
from farlands.worlds.voxel.grid import block_at
from farlands.worlds.voxel.state import (
    POSITION_ONE,
    POSITION_SHIFT,
    VELOCITY_ONE,
    VELOCITY_TO_POSITION_SHIFT,
    Body,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import BlockColumn, Tables

BODY_HALF_WIDTH = 614
"""0.3 block."""
BODY_HEIGHT = 3686
"""1.8 blocks."""
WAIST = 1638
"""0.8 block."""
EYE_HEIGHT = 3318
"""1.62 blocks."""

_BLOCKED = 1
_BLOCKED_BY_CACTUS = 2
_BLOCKED_BY_BODY = 3


def _velocity(blocks_per_tick: float) -> int:
    return round(blocks_per_tick * VELOCITY_ONE)


DAMP_SHIFT = 12


def _factor(value: float) -> int:
    return round(value * (1 << DAMP_SHIFT))


# A full push on the keys counts 0.98.
GROUND_PUSH = _velocity(0.1 * 0.98)
ICE_PUSH = _velocity(0.1 * 0.98 * 0.546**3 / 0.8918**3)
AIR_PUSH = _velocity(0.02 * 0.98)
FLUID_PUSH = _velocity(0.02 * 0.98)
GROUND_INERTIA = _factor(0.546)
ICE_INERTIA = _factor(0.8918)
AIR_INERTIA = _factor(0.91)
WATER_INERTIA = _factor(0.8)
LAVA_INERTIA = _factor(0.5)
DRAG = _factor(0.98)
SPRINT = _factor(1.3)
GRAVITY = _velocity(0.08)
FLUID_GRAVITY = _velocity(0.02)
JUMP_SPEED = _velocity(0.42)
SPRINT_JUMP_PUSH = _velocity(0.2)
FLOW_PUSH = _velocity(0.014)
FLOW_PUSH_ASLANT = _velocity(0.014 / 2**0.5)
SWIM_UP = _velocity(0.04)
CLIMB_OUT = _velocity(0.3)
CLIMB = _velocity(0.2)
LADDER_LIMIT = _velocity(0.15)
JUMP_PAUSE = 10
SPRINT_FOOD = 6
EXHAUSTION_JUMP = 50
EXHAUSTION_SPRINT_JUMP = 200
EXHAUSTION_SPRINT = 100
EXHAUSTION_SWIM = 10
ROUND_POSITION = 1 << (VELOCITY_TO_POSITION_SHIFT - 1)
TURN_SHIFT = 14


@wp.func
def scale(value: int, factor: int, shift: int):
    """``value * factor / 2**shift`` rounded towards zero, so that motion dies out evenly in all directions."""
    if value < 0:
        return -((-value * factor) >> shift)
    return (value * factor) >> shift


@wp.func
def _touch(s: VoxelState, t: Tables, rules: Rules, w: int, low: wp.vec3i, high: wp.vec3i):
    """What the solid blocks in an inclusive range of cells do to a body: 0 nothing, or a ``_BLOCKED`` code."""
    found = int(0)
    x = low[0]
    while x <= high[0]:
        y = low[1]
        while y <= high[1]:
            z = low[2]
            while z <= high[2]:
                block = block_at(s, rules, w, x, y, z)
                if t.block[block, BlockColumn.SOLID] != 0:
                    if block == CACTUS:
                        found = _BLOCKED_BY_CACTUS
                    else:
                        found = wp.max(found, _BLOCKED)
                z += 1
            y += 1
        x += 1
    return found


@wp.func
def sweep(s: VoxelState, t: Tables, rules: Rules, w: int, p: wp.vec3i, half: int, tall: int, axis: int, distance: int):
    """How far a box at ``p`` (half its width, its height) can go along ``axis``, and what stopped it: 0 is nothing."""
    low = wp.vec3i(p[0] - half, p[1] - half, p[2])
    high = wp.vec3i(p[0] + half, p[1] + half, p[2] + tall)
    toward = int(1)
    layer = ((high[axis] - 1) >> POSITION_SHIFT) + 1
    end = (high[axis] + distance - 1) >> POSITION_SHIFT
    if distance <= 0:
        toward = -1
        layer = (low[axis] >> POSITION_SHIFT) - 1
        end = (low[axis] + distance) >> POSITION_SHIFT
    # Most moves stay within the cells the box is in.
    if (end - layer) * toward < 0:
        return wp.vec2i(distance, 0)
    first = wp.vec3i(low[0] >> POSITION_SHIFT, low[1] >> POSITION_SHIFT, low[2] >> POSITION_SHIFT)
    last = wp.vec3i((high[0] - 1) >> POSITION_SHIFT, (high[1] - 1) >> POSITION_SHIFT, (high[2] - 1) >> POSITION_SHIFT)
    while (end - layer) * toward >= 0:
        first[axis] = layer
        last[axis] = layer
        code = _touch(s, t, rules, w, first, last)
        if code != 0:
            if toward > 0:
                return wp.vec2i((layer << POSITION_SHIFT) - high[axis], code)
            return wp.vec2i(((layer + 1) << POSITION_SHIFT) - low[axis], code)
        layer += toward
    return wp.vec2i(distance, 0)


@wp.func
def feet_block(s: VoxelState, rules: Rules, w: int, r: int, above: int):
    """Block at the body's axis, ``above`` position units over its feet."""
    x = s.body[Body.X, r] >> POSITION_SHIFT
    y = s.body[Body.Y, r] >> POSITION_SHIFT
    return block_at(s, rules, w, x, y, (s.body[Body.Z, r] + above) >> POSITION_SHIFT)


@wp.func
def blocks_around(s: VoxelState, rules: Rules, w: int, r: int):
    """The blocks that a body's feet and its waist are in."""
    return wp.vec2i(feet_block(s, rules, w, r, 0), feet_block(s, rules, w, r, WAIST))


@wp.func
def fluid_of(t: Tables, around: wp.vec2i):
    """Which ``Fluid`` is among two blocks."""
    return wp.max(t.block[around[0], BlockColumn.FLUID], t.block[around[1], BlockColumn.FLUID])


@wp.func
def fluid_around(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Which ``Fluid`` a body is in, running or not; 0 for none. Lava wins."""
    return fluid_of(t, blocks_around(s, rules, w, r))


@wp.func
def _slope(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int, z: int, kind: int, level: int):
    """How far a fluid's level falls towards a cell beside it; nothing where the fluid does not go on."""
    block = block_at(s, rules, w, x, y, z)
    if t.block[block, BlockColumn.FLUID] == kind:
        return level - t.block[block, BlockColumn.LEVEL]
    if t.block[block, BlockColumn.SOLID] == 0:
        below = block_at(s, rules, w, x, y, z - 1)
        if t.block[below, BlockColumn.FLUID] == kind:
            return level - t.block[below, BlockColumn.LEVEL] + FULL
    return 0


@wp.func
def _drift(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Running fluid around the feet carries a body along."""
    x = s.body[Body.X, r] >> POSITION_SHIFT
    y = s.body[Body.Y, r] >> POSITION_SHIFT
    z = s.body[Body.Z, r] >> POSITION_SHIFT
    block = block_at(s, rules, w, x, y, z)
    kind = t.block[block, BlockColumn.FLUID]
    if kind == 0:
        return
    level = t.block[block, BlockColumn.LEVEL]
    east = _slope(s, t, rules, w, x + 1, y, z, kind, level) - _slope(s, t, rules, w, x - 1, y, z, kind, level)
    north = _slope(s, t, rules, w, x, y + 1, z, kind, level) - _slope(s, t, rules, w, x, y - 1, z, kind, level)
    most = wp.max(wp.abs(east), wp.abs(north))
    if most > 0:
        # Along the longer axis in full, times 1 / sqrt(2) if both are equal: near enough a unit vector.
        push = int(FLOW_PUSH)
        if east != 0 and north != 0:
            push = FLOW_PUSH_ASLANT
        s.body[Body.VX, r] = s.body[Body.VX, r] + wp.sign(east) * ((wp.abs(east) * push) // most)
        s.body[Body.VY, r] = s.body[Body.VY, r] + wp.sign(north) * ((wp.abs(north) * push) // most)


@wp.func
def _push(s: VoxelState, t: Tables, r: int, move: int, amount: int):
    """Accelerate along the chosen direction, turned to the heading."""
    yaw = s.body[Body.YAW, r]
    sine = t.turn[yaw]
    cosine = t.turn[(yaw + 6) % 24]
    dx = sine
    dy = cosine
    if move == Move.BACK:
        dx = -sine
        dy = -cosine
    elif move == Move.LEFT:
        dx = -cosine
        dy = sine
    elif move == Move.RIGHT:
        dx = cosine
        dy = -sine
    s.body[Body.VX, r] = s.body[Body.VX, r] + scale(dx, amount, TURN_SHIFT)
    s.body[Body.VY, r] = s.body[Body.VY, r] + scale(dy, amount, TURN_SHIFT)


@wp.func
def _jump(s: VoxelState, t: Tables, r: int, fluid: int, sprinting: int):
    if fluid != 0:
        s.body[Body.VZ, r] = s.body[Body.VZ, r] + SWIM_UP
        return
    if s.body[Body.ON_GROUND, r] != 0 and s.body[Body.JUMP_PAUSE, r] == 0:
        s.body[Body.VZ, r] = JUMP_SPEED
        s.body[Body.JUMP_PAUSE, r] = JUMP_PAUSE
        if sprinting != 0:
            _push(s, t, r, Move.FORWARD, SPRINT_JUMP_PUSH)
            s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + EXHAUSTION_SPRINT_JUMP
        else:
            s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + EXHAUSTION_JUMP


@wp.func
def _accelerate(s: VoxelState, t: Tables, r: int, move: int, fluid: int, ground: int, sprinting: int):
    if move == Move.NONE:
        return
    amount = AIR_PUSH
    if fluid != 0:
        amount = FLUID_PUSH
    elif s.body[Body.ON_GROUND, r] != 0:
        amount = GROUND_PUSH
        if ground == ICE:
            amount = ICE_PUSH
    if sprinting != 0 and fluid == 0:
        amount = (amount * SPRINT) >> DAMP_SHIFT
    _push(s, t, r, move, amount)


@wp.func
def _sweep_body(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, p: wp.vec3i, axis: int, distance: int):
    """``sweep`` of an agent's body, which the other agents stop too."""
    went = sweep(s, t, rules, w, p, BODY_HALF_WIDTH, BODY_HEIGHT, axis, distance)
    if rules.agents > 1:
        way = free_way(s, rules, w, r, p, BODY_HALF_WIDTH, BODY_HEIGHT, axis, went[0])
        if way != went[0]:
            return wp.vec2i(way, _BLOCKED_BY_BODY)
    return went


@wp.func
def _collide(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Move by the velocity, vertical first. Returns (blocked sideways, touched a cactus, moved in position units)."""
    p = wp.vec3i(s.body[Body.X, r], s.body[Body.Y, r], s.body[Body.Z, r])
    dz = (s.body[Body.VZ, r] + ROUND_POSITION) >> VELOCITY_TO_POSITION_SHIFT
    went = _sweep_body(s, t, rules, w, r, p, 2, dz)
    cactus = int(went[1] == _BLOCKED_BY_CACTUS)
    p[2] = p[2] + went[0]
    s.body[Body.ON_GROUND, r] = int(went[1] != 0 and dz < 0)
    if went[1] != 0:
        s.body[Body.VZ, r] = 0
    s.body[Body.FALL, r] = wp.max(s.body[Body.FALL, r] - went[0], 0)
    sideways = int(0)
    moved = int(0)
    axis = int(0)
    while axis < 2:
        d = (s.body[Body.VX + axis, r] + ROUND_POSITION) >> VELOCITY_TO_POSITION_SHIFT
        if d != 0:
            went = _sweep_body(s, t, rules, w, r, p, axis, d)
            p[axis] = p[axis] + went[0]
            moved += wp.abs(went[0])
            if went[1] != 0:
                s.body[Body.VX + axis, r] = 0
                # Nobody climbs out of the water, or up a ladder, along another body.
                sideways = wp.max(sideways, int(went[1] != _BLOCKED_BY_BODY))
                cactus = wp.max(cactus, int(went[1] == _BLOCKED_BY_CACTUS))
        axis += 1
    s.body[Body.X, r] = p[0]
    s.body[Body.Y, r] = p[1]
    s.body[Body.Z, r] = p[2]
    return wp.vec3i(sideways, cactus, moved)


@wp.func
def _hold_ladder(s: VoxelState, r: int):
    """On a ladder nothing goes faster than a climb."""
    s.body[Body.VX, r] = wp.clamp(s.body[Body.VX, r], -LADDER_LIMIT, LADDER_LIMIT)
    s.body[Body.VY, r] = wp.clamp(s.body[Body.VY, r], -LADDER_LIMIT, LADDER_LIMIT)
    s.body[Body.VZ, r] = wp.max(s.body[Body.VZ, r], -LADDER_LIMIT)
    s.body[Body.FALL, r] = 0


@wp.func
def _slow_down(s: VoxelState, rules: Rules, r: int, fluid: int, was_on_ground: int, ground: int):
    """Gravity and drag after the move."""
    inertia = AIR_INERTIA
    if fluid != 0:
        inertia = WATER_INERTIA
        if fluid == Fluid.LAVA:
            inertia = LAVA_INERTIA
        s.body[Body.VZ, r] = scale(s.body[Body.VZ, r], inertia, DAMP_SHIFT) - FLUID_GRAVITY
    else:
        s.body[Body.VZ, r] = scale(s.body[Body.VZ, r] - rules.gravity, DRAG, DAMP_SHIFT)
        if was_on_ground != 0:
            inertia = GROUND_INERTIA
            if ground == ICE:
                inertia = ICE_INERTIA
    s.body[Body.VX, r] = scale(s.body[Body.VX, r], inertia, DAMP_SHIFT)
    s.body[Body.VY, r] = scale(s.body[Body.VY, r], inertia, DAMP_SHIFT)


@wp.func
def move_body(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, move: int, jump: int, fluid: int):
    """One tick of motion. Returns 1 if the body touched a cactus."""
    ground = int(0)
    was_on_ground = s.body[Body.ON_GROUND, r]
    if was_on_ground != 0:
        ground = feet_block(s, rules, w, r, -1)
    sprinting = int(move == Move.SPRINT and (s.body[Body.FOOD, r] > SPRINT_FOOD or rules.hunger == 0))
    on_ladder = int(t.block[feet_block(s, rules, w, r, 0), BlockColumn.SHAPE] == Shape.LADDER)
    s.body[Body.JUMP_PAUSE, r] = wp.max(s.body[Body.JUMP_PAUSE, r] - 1, 0)
    if jump == Jump.YES:
        _jump(s, t, r, fluid, sprinting)
    _accelerate(s, t, r, move, fluid, ground, sprinting)
    if on_ladder != 0:
        _hold_ladder(s, r)
    if fluid != 0:
        _drift(s, t, rules, w, r)
    result = _collide(s, t, rules, w, r)
    if result[0] != 0 and fluid != 0:
        s.body[Body.VZ, r] = CLIMB_OUT
    if on_ladder != 0 and (result[0] != 0 or jump == Jump.YES):
        s.body[Body.VZ, r] = CLIMB
    if fluid != 0:
        s.body[Body.FALL, r] = 0
    _slow_down(s, rules, r, fluid, was_on_ground, ground)
    per_block = int(0)
    if fluid != 0:
        per_block = EXHAUSTION_SWIM
    elif sprinting != 0:
        per_block = EXHAUSTION_SPRINT
    if per_block != 0:
        # The city-block length, at most 1.4 times the true one, keeps the sum whole. Rounded, not cut: a swimmer's tick
        # costs just under one.
        cost = (result[2] * per_block + (POSITION_ONE >> 1)) >> POSITION_SHIFT
        s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + cost
    return result[1]
