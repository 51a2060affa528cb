"""Arrows: things that fly until they meet a block, an agent or a creature."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import Being, Deed
from farlands.worlds.voxel.creatures.herd import NOBODY, add_creature
from farlands.worlds.voxel.creatures.kinds import ARROW
from farlands.worlds.voxel.grid import block_at
from farlands.worlds.voxel.physics import BODY_HALF_WIDTH, BODY_HEIGHT, DAMP_SHIFT, scale
from farlands.worlds.voxel.state import (
    POSITION_SHIFT,
    VELOCITY_ONE,
    VELOCITY_TO_POSITION_SHIFT,
    Body,
    Cause,
    Clock,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import BlockColumn, CreatureColumn, Tables

_GRAVITY = round(0.05 * VELOCITY_ONE)
_DRAG = round(0.99 * (1 << DAMP_SHIFT))
_MARGIN = 307
"""0.15 block: half an arrow's thickness."""
_LIFE = 200
_SUBSTEPS_SHIFT = 4
"""A tick's flight, at most three blocks, is looked at in sixteen places."""
_OWN_TICKS = 5
"""Ticks in which an arrow does not meet whoever shot it."""


@wp.func
def shoot(
    s: VoxelState, t: Tables, w: int, at: wp.vec3i, velocity: wp.vec3i, yaw: int, damage: int, owner: int
):  # fmt: skip
    """Let an arrow fly.

    Args:
        s, t, w: State, tables, world.
        at: Where from.
        velocity: In velocity units, at most three blocks a tick.
        yaw: Heading it is drawn with.
        damage: Health points it takes.
        owner: The agent that shot it, from 1 on, whom it does not meet at first; 0 for a creature.
    """
    k = add_creature(s, t, w, ARROW, at[0], at[1], at[2], yaw)
    if k == NOBODY:
        return
    s.creatures[w, k, Being.VX] = velocity[0]
    s.creatures[w, k, Being.VY] = velocity[1]
    s.creatures[w, k, Being.VZ] = velocity[2]
    s.creatures[w, k, Being.FUSE] = damage
    s.creatures[w, k, Being.OWNER] = owner


@wp.func
def _agent_at(s: VoxelState, rules: Rules, w: int, k: int, p: wp.vec3i):
    """The living agent whose body is at a point, or -1; neither who has just shot, nor one who must not be hurt."""
    owner = s.creatures[w, k, Being.OWNER]
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        spared = owner == agent + 1 and s.creatures[w, k, Being.PAUSE] < _OWN_TICKS
        spared = spared or (rules.hitting == 0 and owner != 0 and owner != agent + 1)
        if not spared and s.body[Body.CAUSE, r] == Cause.NONE:
            dx = wp.abs(p[0] - s.body[Body.X, r])
            dy = wp.abs(p[1] - s.body[Body.Y, r])
            dz = p[2] - s.body[Body.Z, r]
            if wp.max(dx, dy) < BODY_HALF_WIDTH + _MARGIN and dz > -_MARGIN and dz < BODY_HEIGHT + _MARGIN:
                return agent
        agent += 1
    return NOBODY


@wp.func
def _creature_at(s: VoxelState, t: Tables, w: int, k: int, p: wp.vec3i):
    """The creature whose body is at a point, or -1; agents' arrows alone meet creatures."""
    if s.creatures[w, k, Being.OWNER] == 0:
        return NOBODY
    other = int(0)
    while other < s.clock[Clock.CREATURES, w]:
        kind = s.creatures[w, other, Being.KIND]
        if kind != ARROW:
            half = t.creature[kind, CreatureColumn.HALF_WIDTH] + _MARGIN
            dx = wp.abs(p[0] - s.creatures[w, other, Being.X])
            dy = wp.abs(p[1] - s.creatures[w, other, Being.Y])
            dz = p[2] - s.creatures[w, other, Being.Z]
            if wp.max(dx, dy) < half and dz > -_MARGIN and dz < t.creature[kind, CreatureColumn.HEIGHT] + _MARGIN:
                return other
        other += 1
    return NOBODY


@wp.func
def fly(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """One tick of flight; decides what happens where it ends."""
    p = wp.vec3i(s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z])
    v = wp.vec3i(s.creatures[w, k, Being.VX], s.creatures[w, k, Being.VY], s.creatures[w, k, Being.VZ])
    i = int(1)
    while i <= (1 << _SUBSTEPS_SHIFT) and s.creatures[w, k, Being.WANTS] == Deed.NOTHING:
        shift = VELOCITY_TO_POSITION_SHIFT + _SUBSTEPS_SHIFT
        at = wp.vec3i(p[0] + ((v[0] * i) >> shift), p[1] + ((v[1] * i) >> shift), p[2] + ((v[2] * i) >> shift))
        block = block_at(s, rules, w, at[0] >> POSITION_SHIFT, at[1] >> POSITION_SHIFT, at[2] >> POSITION_SHIFT)
        agent = _agent_at(s, rules, w, k, at)
        if t.block[block, BlockColumn.SOLID] != 0:
            s.creatures[w, k, Being.WANTS] = Deed.VANISH
        elif agent != NOBODY:
            s.creatures[w, k, Being.WANTS] = Deed.HIT_AGENT
            s.creatures[w, k, Being.PREY] = agent
        else:
            other = _creature_at(s, t, w, k, at)
            if other != NOBODY:
                s.creatures[w, k, Being.WANTS] = Deed.HIT_CREATURE
                s.creatures[w, k, Being.PREY] = other
        s.creatures[w, k, Being.X] = at[0]
        s.creatures[w, k, Being.Y] = at[1]
        s.creatures[w, k, Being.Z] = at[2]
        i += 1
    s.creatures[w, k, Being.VX] = scale(v[0], _DRAG, DAMP_SHIFT)
    s.creatures[w, k, Being.VY] = scale(v[1], _DRAG, DAMP_SHIFT)
    s.creatures[w, k, Being.VZ] = scale(v[2], _DRAG, DAMP_SHIFT) - _GRAVITY
    s.creatures[w, k, Being.PAUSE] = s.creatures[w, k, Being.PAUSE] + 1
    if s.creatures[w, k, Being.PAUSE] > _LIFE and s.creatures[w, k, Being.WANTS] == Deed.NOTHING:
        s.creatures[w, k, Being.WANTS] = Deed.VANISH
