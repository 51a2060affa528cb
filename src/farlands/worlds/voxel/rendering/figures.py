"""Creatures, agents and lying items in pictures: which ones a camera sees, how they stand, where on the screen."""

from __future__ import annotations

from enum import IntEnum

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.creatures.columns import AGENT_KIND, ITEM_KIND, Being
from farlands.worlds.voxel.creatures.kinds import CREEPER, SHEEP
from farlands.worlds.voxel.inventory import held_item
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.lying import MAX_AGENTS, Lying
from farlands.worlds.voxel.rendering.camera import View
from farlands.worlds.voxel.rendering.people import (
    ARM_LENGTH,
    HAND_ASIDE,
    NUM_POSES,
    RAISED_AHEAD,
    RAISED_UP,
    SHOULDER,
    Pose,
)
from farlands.worlds.voxel.rendering.raycast import Look
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, Tables

MAX_CREATURES_SHOWN, MAX_ITEMS_SHOWN = 12, 32
"""Creatures and lying items that one picture shows, the first ones in the world's lists. Agents are all shown."""
FIRST_CREATURE = len(BLOCKS) - 1
"""Added to a kind it is that kind's id in segmentation pictures."""
FIRST_PERSON = AGENT_KIND
"""Model of the first agent; a creature's is its kind."""
FIRST_ITEM = FIRST_PERSON + MAX_AGENTS * NUM_POSES
"""Model of item 0."""
_TURN_ONE = 16384.0
_UNIT = 1.0 / float(POSITION_ONE)
_HALF_TURN = 3.14159265
WIDEST_SWING = 0.7
"""Angle of a limb of who walks fast, in radians."""
_HELD_SCALE = 1.4
_HELD_BEYOND, _HELD_BELOW = 0.18, 0.16
"""From the hand to the middle of the underside of what it holds: ahead as much as aside, and down."""


class Figure(IntEnum):
    """Columns of a seen creature's, agent's or item's row of floats; positions are blocks from the window's origin."""

    X = 0
    Y = 1
    Z = 2
    SINE = 3
    COSINE = 4
    SCALE = 5
    KIND = 6
    """What it is perceived as."""
    SWING_SINE = 7
    SWING_COSINE = 8
    TINT = 9
    """0 none, 1 hurt or burning, 2 about to blow up, 3 shorn."""
    LEFT = 10
    """Of the pixels it may cover; RIGHT, TOP and BOTTOM too."""
    RIGHT = 11
    TOP = 12
    BOTTOM = 13
    MODEL = 14


NUM_FIGURE = len(Figure)


def figure_room(agents: int) -> int:
    """Figures that a picture of a world with so many agents can show: each other agent may hold something."""
    return MAX_CREATURES_SHOWN + (2 * (agents - 1) + MAX_ITEMS_SHOWN if agents > 1 else 0)


@wp.func
def _project(look: Look, views: wp.array2d(dtype=wp.float32), r: int, p: wp.vec3, radius: float, aside: float):
    """Pixels (left, right, top, bottom) that a body may cover; left beyond right when it is unseen.

    Args:
        look, views, r: The picture.
        p: Middle of the body.
        radius: Of a ball about the middle that holds it.
        aside: Of an upright cylinder that does.
    """
    d = p - wp.vec3(views[r, View.EYE_X], views[r, View.EYE_Y], views[r, View.EYE_Z])
    ahead = d[0] * views[r, View.AHEAD_X] + d[1] * views[r, View.AHEAD_Y] + d[2] * views[r, View.AHEAD_Z]
    if ahead < -radius or wp.length(d) > look.sight + radius:
        return wp.vec4(1.0, 0.0, 1.0, 0.0)
    if ahead < 1.5 * radius:
        return wp.vec4(0.0, float(look.width), 0.0, float(look.height))
    aside_of = d[0] * views[r, View.RIGHT_X] + d[1] * views[r, View.RIGHT_Y]
    above = d[0] * views[r, View.UP_X] + d[1] * views[r, View.UP_Y] + d[2] * views[r, View.UP_Z]
    # The first pixel's ray is half a pixel inside the picture's edge.
    per_pixel = 2.0 * look.rays[0][1] / float(wp.max(look.height - 1, 1))
    x = aside_of / ahead
    y = -above / ahead
    # The farther from the picture's middle, the more what is nearer than the body's own middle lies aside of it.
    wide = wp.min(radius * wp.sqrt(1.0 + x * x), aside + radius * wp.abs(x)) / (ahead - radius)
    high = radius * wp.sqrt(1.0 + y * y) / (ahead - radius)
    left = (x - wide) / per_pixel + 0.5 * float(look.width) - 1.0
    right = (x + wide) / per_pixel + 0.5 * float(look.width) + 1.0
    top = (y - high) / per_pixel + 0.5 * float(look.height) - 1.0
    bottom = (y + high) / per_pixel + 0.5 * float(look.height) + 1.0
    if right < 0.0 or left > float(look.width) or bottom < 0.0 or top > float(look.height):
        return wp.vec4(1.0, 0.0, 1.0, 0.0)
    return wp.vec4(left, right, top, bottom)


@wp.func
def _from_origin(s: VoxelState, w: int, x: int, y: int, z: int):
    """A position of the state in blocks from the window's origin."""
    return wp.vec3(
        float(x - (s.clock[Clock.ORIGIN_X, w] << POSITION_SHIFT)) * _UNIT,
        float(y - (s.clock[Clock.ORIGIN_Y, w] << POSITION_SHIFT)) * _UNIT,
        float(z) * _UNIT,
    )


@wp.func
def _place(
    look: Look, views: wp.array2d(dtype=wp.float32), figures: wp.array3d(dtype=wp.float32), r: int, n: int,
    at: wp.vec3, bound: wp.vec3, scale: float,
):  # fmt: skip
    """Note down a figure whose feet are at a point, at rest; whether it may be in view.

    Args:
        look, views, figures, r, n: The picture, and the figure's place in it.
        at: Its feet, in blocks from the window's origin.
        bound: Its model's, see ``bodies.Bodies``.
        scale: How large it is beside its model.
    """
    box = _project(look, views, r, wp.vec3(at[0], at[1], at[2] + bound[0] * scale), bound[1] * scale, bound[2] * scale)
    if box[0] > box[1]:
        return False
    figures[r, n, Figure.X] = at[0]
    figures[r, n, Figure.Y] = at[1]
    figures[r, n, Figure.Z] = at[2]
    figures[r, n, Figure.SCALE] = scale
    figures[r, n, Figure.SWING_SINE] = 0.0
    figures[r, n, Figure.SWING_COSINE] = 1.0
    figures[r, n, Figure.TINT] = 0.0
    figures[r, n, Figure.LEFT] = box[0]
    figures[r, n, Figure.RIGHT] = box[1]
    figures[r, n, Figure.TOP] = box[2]
    figures[r, n, Figure.BOTTOM] = box[3]
    return True


@wp.func
def _face(figures: wp.array3d(dtype=wp.float32), t: Tables, r: int, n: int, yaw: int):
    figures[r, n, Figure.SINE] = float(t.turn[yaw]) / _TURN_ONE
    figures[r, n, Figure.COSINE] = float(t.turn[(yaw + 6) % NUM_HEADINGS]) / _TURN_ONE


@wp.func
def _swing(figures: wp.array3d(dtype=wp.float32), r: int, n: int, way: int, vx: int, vy: int):
    """Let its limbs swing by the way it has walked, in position units, as far as it walks fast."""
    angle = wp.sin(float(way) * _UNIT * _HALF_TURN) * wp.min(float(wp.abs(vx) + wp.abs(vy)) / 4000.0, 1.0)
    angle = angle * WIDEST_SWING
    figures[r, n, Figure.SWING_SINE] = wp.sin(angle)
    figures[r, n, Figure.SWING_COSINE] = wp.cos(angle)


@wp.func
def _pose_creatures(
    t: Tables, look: Look, s: VoxelState, views: wp.array2d(dtype=wp.float32), w: int, r: int,
    bounds: wp.array(dtype=wp.vec3), figures: wp.array3d(dtype=wp.float32),
):  # fmt: skip
    """Creatures; returns how many figures there are."""
    n = int(0)
    k = int(0)
    while k < s.clock[Clock.CREATURES, w] and n < MAX_CREATURES_SHOWN:
        kind = s.creatures[w, k, Being.KIND]
        scale = float(1.0)
        if s.creatures[w, k, Being.AGE] < 0:
            scale = 0.5
        at = _from_origin(s, w, s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z])
        if _place(look, views, figures, r, n, at, bounds[kind], scale):
            _face(figures, t, r, n, s.creatures[w, k, Being.YAW])
            _swing(
                figures, r, n, s.creatures[w, k, Being.STRIDE], s.creatures[w, k, Being.VX], s.creatures[w, k, Being.VY]
            )  # fmt: skip
            figures[r, n, Figure.KIND] = float(kind)
            figures[r, n, Figure.MODEL] = float(kind)
            tint = float(0.0)
            if kind == SHEEP and s.creatures[w, k, Being.SHEARED] != 0:
                tint = 3.0
            if kind == CREEPER and (s.creatures[w, k, Being.FUSE] & 4) != 0:
                tint = 2.0
            if s.creatures[w, k, Being.HURT] > 0 or s.creatures[w, k, Being.FIRE] > 0:
                tint = 1.0
            figures[r, n, Figure.TINT] = tint
            n += 1
        k += 1
    return n


@wp.func
def _pose_of(s: VoxelState, w: int, other: int):
    """How an agent stands: asleep, an arm up for a blow or at work, or with arms down."""
    if s.body[Body.SLEEPING, other] > 0:
        return int(Pose.ASLEEP)
    if s.body[Body.STRIKE_PAUSE, other] > 0 or s.body[Body.DRAWN, other] > 0 or s.body[Body.EATING, other] > 0:
        return int(Pose.ARM_RAISED)
    works = s.body[Body.HOLDING, other] != 0 or s.body[Body.BREAK_CELL, other] >= 0
    if works and (s.clock[Clock.TICK, w] & 4) == 0:
        return int(Pose.ARM_RAISED)
    return int(Pose.STANDING)


@wp.func
def _pose_held(
    t: Tables, look: Look, s: VoxelState, views: wp.array2d(dtype=wp.float32), r: int, other: int, n: int, pose: int,
    bounds: wp.array(dtype=wp.vec3), figures: wp.array3d(dtype=wp.float32),
):  # fmt: skip
    """What an agent holds, which is the figure after its own; returns how many figures there are then."""
    last = n - 1
    sine = figures[r, last, Figure.SINE]
    cosine = figures[r, last, Figure.COSINE]
    aside = HAND_ASIDE + _HELD_BEYOND
    forward = ARM_LENGTH * figures[r, last, Figure.SWING_SINE]
    up = SHOULDER - ARM_LENGTH * figures[r, last, Figure.SWING_COSINE]
    if pose == int(Pose.ARM_RAISED):
        forward = RAISED_AHEAD
        up = RAISED_UP
    forward += _HELD_BEYOND
    at = wp.vec3(
        figures[r, last, Figure.X] + aside * cosine + forward * sine,
        figures[r, last, Figure.Y] - aside * sine + forward * cosine,
        figures[r, last, Figure.Z] + up - _HELD_BELOW,
    )
    item = held_item(s, other)
    if item == 0 or pose == int(Pose.ASLEEP):
        return n
    if _place(look, views, figures, r, n, at, bounds[FIRST_ITEM + item], _HELD_SCALE):
        # Half a quarter outwards, so that flat things are not seen edge-on from the front.
        _face(figures, t, r, n, (s.body[Body.YAW, other] + 21) % NUM_HEADINGS)
        figures[r, n, Figure.KIND] = float(AGENT_KIND)
        figures[r, n, Figure.MODEL] = float(FIRST_ITEM + item)
        return n + 1
    return n


@wp.func
def _pose_agents(
    t: Tables, look: Look, rules: Rules, s: VoxelState, views: wp.array2d(dtype=wp.float32), w: int, r: int, n: int,
    bounds: wp.array(dtype=wp.vec3), figures: wp.array3d(dtype=wp.float32),
):  # fmt: skip
    """The other agents; returns how many figures there are then."""
    agent = int(0)
    while agent < rules.agents:
        other = w * rules.agents + agent
        if other != r and s.body[Body.GONE, other] == 0:
            at = _from_origin(s, w, s.body[Body.X, other], s.body[Body.Y, other], s.body[Body.Z, other])
            pose = _pose_of(s, w, other)
            model = FIRST_PERSON + agent * NUM_POSES + pose
            if _place(look, views, figures, r, n, at, bounds[model], 1.0):
                _face(figures, t, r, n, s.body[Body.YAW, other])
                if pose != int(Pose.ASLEEP):
                    way = s.body[Body.WALKED, other] & (2 * POSITION_ONE - 1)
                    _swing(figures, r, n, way, s.body[Body.VX, other], s.body[Body.VY, other])
                figures[r, n, Figure.KIND] = float(AGENT_KIND)
                figures[r, n, Figure.MODEL] = float(model)
                if s.body[Body.HURT, other] > 0 or s.body[Body.FIRE, other] > 0:
                    figures[r, n, Figure.TINT] = 1.0
                n = _pose_held(t, look, s, views, r, other, n + 1, pose, bounds, figures)
        agent += 1
    return n


@wp.func
def _pose_items(
    look: Look, s: VoxelState, views: wp.array2d(dtype=wp.float32), w: int, r: int, n: int,
    bounds: wp.array(dtype=wp.vec3), figures: wp.array3d(dtype=wp.float32),
):  # fmt: skip
    """Items on the ground, turned to who looks; returns how many figures there are then."""
    end = n + MAX_ITEMS_SHOWN
    k = int(0)
    while k < s.clock[Clock.LYING, w] and n < end:
        model = FIRST_ITEM + s.lying[w, k, Lying.ITEM]
        at = _from_origin(s, w, s.lying[w, k, Lying.X], s.lying[w, k, Lying.Y], s.lying[w, k, Lying.Z])
        if _place(look, views, figures, r, n, at, bounds[model], 1.0):
            away = wp.vec2(at[0] - views[r, View.EYE_X], at[1] - views[r, View.EYE_Y])
            far = wp.max(wp.length(away), 1.0e-3)
            figures[r, n, Figure.SINE] = away[0] / far
            figures[r, n, Figure.COSINE] = away[1] / far
            figures[r, n, Figure.KIND] = float(ITEM_KIND)
            figures[r, n, Figure.MODEL] = float(model)
            n += 1
        k += 1
    return n


@kernel
def _pose_figures_kernel(
    # Model
    t: Tables,
    look: Look,
    rules: Rules,
    bounds: wp.array(dtype=wp.vec3),
    # In
    s: VoxelState,
    views: wp.array2d(dtype=wp.float32),
    listed: Listed,
    # Out
    figures: wp.array3d(dtype=wp.float32),
    seen: wp.array(dtype=wp.int32),
):
    """What moves and may be in each picture: where it is, how it stands, what it covers."""
    i = wp.tid()
    while i < how_many(listed) * rules.agents:
        w = world_at(listed, i // rules.agents)
        r = w * rules.agents + i % rules.agents
        n = _pose_creatures(t, look, s, views, w, r, bounds, figures)
        if rules.agents > 1:
            n = _pose_agents(t, look, rules, s, views, w, r, n, bounds, figures)
            n = _pose_items(look, s, views, w, r, n, bounds, figures)
        seen[r] = n
        i += listed.stride
