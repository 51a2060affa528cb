"""Who is in the crosshair: the agent's line of sight against the boxes of creatures and agents, in whole numbers."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.company import is_alive
from farlands.worlds.voxel.creatures.columns import MAX_CREATURES, Being
from farlands.worlds.voxel.creatures.herd import NOBODY
from farlands.worlds.voxel.creatures.kinds import ARROW
from farlands.worlds.voxel.creatures.sight import agent_eye
from farlands.worlds.voxel.crosshair import RAY_SHIFT, ray_direction
from farlands.worlds.voxel.physics import BODY_HALF_WIDTH, BODY_HEIGHT, TURN_SHIFT
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import CreatureColumn, Tables

ARM = 3 << RAY_SHIFT
"""How far a blow reaches, in ray units."""
AGENTS = MAX_CREATURES
"""``being_ahead`` of an agent: its number in the world, counted from here."""
_TO_RAY = RAY_SHIFT + TURN_SHIFT - POSITION_SHIFT
_NEVER = 1 << 30


@wp.func
def _span(low: int, high: int, direction: int):
    """Where a ray from 0 enters and leaves a slab along one axis, in ray units."""
    if direction == 0:
        if low > 0 or high < 0:
            return wp.vec2i(_NEVER, -_NEVER)
        return wp.vec2i(-_NEVER, _NEVER)
    # Whole numbers divided without their signs: devices disagree about the rest.
    near = low
    far = high
    if direction < 0:
        near = -high
        far = -low
    size = wp.int64(wp.abs(direction))
    a = (wp.int64(wp.abs(near)) << wp.int64(_TO_RAY)) / size
    b = (wp.int64(wp.abs(far)) << wp.int64(_TO_RAY)) / size
    enter = wp.int32(wp.min(a, wp.int64(_NEVER)))
    leave = wp.int32(wp.min(b, wp.int64(_NEVER)))
    if near < 0:
        enter = -enter
    if far < 0:
        leave = -leave
    return wp.vec2i(enter, leave)


@wp.func
def meets_box(eye: wp.vec3i, d: wp.vec3i, foot: wp.vec3i, half: int, tall: int):
    """Ray length at which a ray enters a box that stands on ``foot``; ``1 << 30`` where it misses."""
    x = _span(foot[0] - half - eye[0], foot[0] + half - eye[0], d[0])
    y = _span(foot[1] - half - eye[1], foot[1] + half - eye[1], d[1])
    z = _span(foot[2] - eye[2], foot[2] + tall - eye[2], d[2])
    enter = wp.max(x[0], wp.max(y[0], z[0]))
    leave = wp.min(x[1], wp.min(y[1], z[1]))
    if enter > leave or leave < 0:
        return _NEVER
    return wp.max(enter, 0)


@wp.func
def _nearest_creature(s: VoxelState, t: Tables, w: int, r: int, reach: int):
    """The nearest living creature in an agent's crosshair within ``reach`` ray units: (place in the list or -1, how
    far).
    """
    count = s.clock[Clock.CREATURES, w]
    if count == 0:
        return wp.vec2i(NOBODY, reach)
    eye = agent_eye(s, r)
    d = ray_direction(t, s.body[Body.YAW, r], s.body[Body.PITCH, r])
    best = reach
    found = int(NOBODY)
    limit = (reach >> (RAY_SHIFT - POSITION_SHIFT)) + (2 << POSITION_SHIFT)
    k = int(0)
    while k < count:
        kind = s.creatures[w, k, Being.KIND]
        foot = wp.vec3i(s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z])
        near = wp.abs(foot[0] - eye[0]) < limit and wp.abs(foot[1] - eye[1]) < limit
        if near and kind != ARROW and s.creatures[w, k, Being.HEALTH] > 0:
            half = t.creature[kind, CreatureColumn.HALF_WIDTH]
            tall = t.creature[kind, CreatureColumn.HEIGHT]
            if s.creatures[w, k, Being.AGE] < 0:
                half = half >> 1
                tall = tall >> 1
            far = meets_box(eye, d, foot, half, tall)
            if far < best:
                best = far
                found = k
        k += 1
    return wp.vec2i(found, best)


@wp.func
def _agent_before(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, reach: int):
    """The nearest other living agent in an agent's crosshair within ``reach`` ray units: its number, or -1."""
    eye = agent_eye(s, r)
    d = ray_direction(t, s.body[Body.YAW, r], s.body[Body.PITCH, r])
    best = reach
    found = int(NOBODY)
    agent = int(0)
    while agent < rules.agents:
        other = w * rules.agents + agent
        if other != r and is_alive(s, other):
            foot = wp.vec3i(s.body[Body.X, other], s.body[Body.Y, other], s.body[Body.Z, other])
            far = meets_box(eye, d, foot, BODY_HALF_WIDTH, BODY_HEIGHT)
            if far < best:
                best = far
                found = agent
        agent += 1
    return found


@wp.func
def being_ahead(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, reach: int):
    """The nearest living creature or agent in an agent's crosshair within ``reach`` ray units.

    Returns:
        A creature's place in the list, ``AGENTS`` and an agent's number, or -1. Agents that can't hurt each other are
        seen past.
    """
    nearest = _nearest_creature(s, t, w, r, reach)
    if rules.agents > 1 and rules.hitting != 0:
        agent = _agent_before(s, t, rules, w, r, nearest[1])
        if agent != NOBODY:
            return AGENTS + agent
    return nearest[0]


@wp.func
def creature_ahead(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, reach: int):
    """The creature that is the ``being_ahead``: its place in the list, or -1."""
    found = being_ahead(s, t, rules, w, r, reach)
    if found >= AGENTS:
        return NOBODY
    return found
