"""How creatures move: the physics of bodies for boxes of any size, and legs that jump, swim and climb."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import CACTUS, FIRE, Fluid
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CHICKEN
from farlands.worlds.voxel.grid import block_at
from farlands.worlds.voxel.physics import (
    AIR_INERTIA,
    CLIMB,
    CLIMB_OUT,
    DAMP_SHIFT,
    DRAG,
    FLUID_GRAVITY,
    GROUND_INERTIA,
    JUMP_SPEED,
    LAVA_INERTIA,
    ROUND_POSITION,
    SWIM_UP,
    TURN_SHIFT,
    WATER_INERTIA,
    scale,
    sweep,
)
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, VELOCITY_TO_POSITION_SHIFT, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, BlockColumn, CreatureColumn, Tables

_FLUTTER = -4000
"""Fastest a chicken falls, in velocity units."""
_SAFE_DROP = 3
_AHEAD = 1638
"""0.8 block."""
_AIR_SHARE = 2
"""In the air and in fluids legs push a quarter as hard: a shift."""


@wp.func
def fluid_at(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int, z: int):
    """Which fluid is at a position."""
    block = block_at(s, rules, w, x >> POSITION_SHIFT, y >> POSITION_SHIFT, z >> POSITION_SHIFT)
    return t.block[block, BlockColumn.FLUID]


@wp.func
def safe_ahead(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, swims: int):
    """Whether the next step leads neither down a cliff nor into fire, lava, a cactus or, unless it swims, water."""
    yaw = s.creatures[w, k, Being.YAW]
    x = s.creatures[w, k, Being.X] + ((t.turn[yaw] * _AHEAD) >> TURN_SHIFT)
    y = s.creatures[w, k, Being.Y] + ((t.turn[(yaw + 6) % NUM_HEADINGS] * _AHEAD) >> TURN_SHIFT)
    z = s.creatures[w, k, Being.Z] >> POSITION_SHIFT
    down = int(0)
    while down <= _SAFE_DROP:
        block = block_at(s, rules, w, x >> POSITION_SHIFT, y >> POSITION_SHIFT, z - down)
        fluid = t.block[block, BlockColumn.FLUID]
        if fluid == Fluid.LAVA or block == FIRE or block == CACTUS:
            return False
        if fluid == Fluid.WATER:
            return swims != 0
        if t.block[block, BlockColumn.SOLID] != 0:
            return True
        down += 1
    return False


@wp.func
def _rests(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, pace: int):
    """Whether a creature stands still on something solid, so that nothing about it moves."""
    if pace != 0 or s.creatures[w, k, Being.ON_GROUND] == 0:
        return False
    if s.creatures[w, k, Being.VX] != 0 or s.creatures[w, k, Being.VY] != 0 or s.creatures[w, k, Being.VZ] > 0:
        return False
    x = s.creatures[w, k, Being.X] >> POSITION_SHIFT
    y = s.creatures[w, k, Being.Y] >> POSITION_SHIFT
    below = block_at(s, rules, w, x, y, (s.creatures[w, k, Being.Z] - 1) >> POSITION_SHIFT)
    return t.block[below, BlockColumn.SOLID] != 0


@wp.func
def _push(s: VoxelState, t: Tables, w: int, k: int, pace: int, fluid: int):
    """Accelerate along the heading, or against it for a negative pace; swim up in fluids."""
    amount = pace
    if fluid != 0 or s.creatures[w, k, Being.ON_GROUND] == 0:
        amount = scale(pace, 1, _AIR_SHARE)
    yaw = s.creatures[w, k, Being.YAW]
    s.creatures[w, k, Being.VX] = s.creatures[w, k, Being.VX] + scale(t.turn[yaw], amount, TURN_SHIFT)
    s.creatures[w, k, Being.VY] = s.creatures[w, k, Being.VY] + scale(
        t.turn[(yaw + 6) % NUM_HEADINGS], amount, TURN_SHIFT
    )
    if fluid != 0:
        s.creatures[w, k, Being.VZ] = s.creatures[w, k, Being.VZ] + SWIM_UP


@wp.func
def _collide(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, half: int, tall: int):
    """Move by the velocity, vertical first. Returns whether something was in the way sideways."""
    p = wp.vec3i(s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z])
    dz = (s.creatures[w, k, Being.VZ] + ROUND_POSITION) >> VELOCITY_TO_POSITION_SHIFT
    went = sweep(s, t, rules, w, p, half, tall, 2, dz)
    p[2] = p[2] + went[0]
    s.creatures[w, k, Being.ON_GROUND] = int(went[1] != 0 and dz < 0)
    if went[1] != 0:
        s.creatures[w, k, Being.VZ] = 0
    s.creatures[w, k, Being.FALL] = wp.max(s.creatures[w, k, Being.FALL] - went[0], 0)
    blocked = int(0)
    moved = int(0)
    axis = int(0)
    while axis < 2:
        d = (s.creatures[w, k, Being.VX + axis] + ROUND_POSITION) >> VELOCITY_TO_POSITION_SHIFT
        if d != 0:
            went = sweep(s, t, rules, w, p, half, tall, axis, d)
            p[axis] = p[axis] + went[0]
            moved += wp.abs(went[0])
            if went[1] != 0:
                s.creatures[w, k, Being.VX + axis] = 0
                blocked = 1
        axis += 1
    s.creatures[w, k, Being.X] = p[0]
    s.creatures[w, k, Being.Y] = p[1]
    s.creatures[w, k, Being.Z] = p[2]
    s.creatures[w, k, Being.STRIDE] = (s.creatures[w, k, Being.STRIDE] + moved) & (2 * POSITION_ONE - 1)
    return blocked


@wp.func
def _slow_down(s: VoxelState, rules: Rules, w: int, k: int, fluid: int, was_on_ground: int):
    inertia = AIR_INERTIA
    if fluid != 0:
        inertia = WATER_INERTIA
        if fluid == Fluid.LAVA:
            inertia = LAVA_INERTIA
        s.creatures[w, k, Being.VZ] = scale(s.creatures[w, k, Being.VZ], inertia, DAMP_SHIFT) - FLUID_GRAVITY
    else:
        s.creatures[w, k, Being.VZ] = scale(s.creatures[w, k, Being.VZ] - rules.gravity, DRAG, DAMP_SHIFT)
        if was_on_ground != 0:
            inertia = GROUND_INERTIA
    s.creatures[w, k, Being.VX] = scale(s.creatures[w, k, Being.VX], inertia, DAMP_SHIFT)
    s.creatures[w, k, Being.VY] = scale(s.creatures[w, k, Being.VY], inertia, DAMP_SHIFT)


@wp.func
def move_creature(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, kind: int, pace: int):
    """One tick of motion with a push of ``pace`` along the heading. Returns the blocks of a fall that ended."""
    fluid = fluid_at(
        s, t, rules, w, s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z]
    )  # fmt: skip
    if fluid == 0 and _rests(s, t, rules, w, k, pace):
        return 0
    was_on_ground = s.creatures[w, k, Being.ON_GROUND]
    half = t.creature[kind, CreatureColumn.HALF_WIDTH]
    tall = t.creature[kind, CreatureColumn.HEIGHT]
    if s.creatures[w, k, Being.AGE] < 0:
        half = half >> 1
        tall = tall >> 1
    _push(s, t, w, k, pace, fluid)
    blocked = _collide(s, t, rules, w, k, half, tall)
    if blocked != 0 and pace > 0:
        if fluid != 0:
            s.creatures[w, k, Being.VZ] = CLIMB_OUT
        elif t.creature[kind, CreatureColumn.CLIMBS] != 0:
            s.creatures[w, k, Being.VZ] = CLIMB
            s.creatures[w, k, Being.FALL] = 0
        elif was_on_ground != 0:
            s.creatures[w, k, Being.VZ] = JUMP_SPEED
    if fluid != 0:
        s.creatures[w, k, Being.FALL] = 0
    _slow_down(s, rules, w, k, fluid, was_on_ground)
    if kind == CHICKEN:
        s.creatures[w, k, Being.VZ] = wp.max(s.creatures[w, k, Being.VZ], _FLUTTER)
        s.creatures[w, k, Being.FALL] = 0
    fallen = int(0)
    if s.creatures[w, k, Being.ON_GROUND] != 0:
        fallen = s.creatures[w, k, Being.FALL] >> POSITION_SHIFT
        s.creatures[w, k, Being.FALL] = 0
    return fallen
