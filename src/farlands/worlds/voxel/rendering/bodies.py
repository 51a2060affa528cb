"""Creatures in pictures: which ones a camera sees, where on the screen, and rays against the boxes of their bodies."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREEPER, SHEEP
from farlands.worlds.voxel.rendering.camera import View
from farlands.worlds.voxel.rendering.models import MODELS, SHORN, part_tiles
from farlands.worlds.voxel.rendering.raycast import NO_HIT, Look
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import CreatureColumn, Tables

MAX_FIGURES = 12
"""Creatures that one picture shows, the first ones in the world's list."""
FIRST_CREATURE = len(BLOCKS) - 1
"""Added to a creature's kind it is the creature's id in segmentation pictures."""
_UNIT = 1.0 / 16.0
_TURN_ONE = 16384.0


class Figure(IntEnum):
    """Columns of a seen creature's row of floats; positions are blocks from the window's origin."""

    X = 0
    Y = 1
    Z = 2
    SINE = 3
    COSINE = 4
    SCALE = 5
    KIND = 6
    SWING_SINE = 7
    SWING_COSINE = 8
    TINT = 9
    """0 none, 1 hurt or burning, 2 about to blow up, 3 shorn."""
    LEFT = 10
    """Of the pixels it may cover; RIGHT, TOP and BOTTOM too."""
    RIGHT = 11
    TOP = 12
    BOTTOM = 13


NUM_FIGURE = len(Figure)


@wp.struct
class Bodies:
    """Models on the device: first and number of parts by kind, int32 ``[kinds, 2]``; boxes by part, vec3 ``[parts]``
    low and high; float ``[parts]`` swing; tiles uint8x4 ``[parts * 2, 256]``, front then sides; skin of shorn sheep.
    """

    parts: wp.array2d(dtype=wp.int32)
    low: wp.array(dtype=wp.vec3)
    high: wp.array(dtype=wp.vec3)
    swing: wp.array(dtype=wp.float32)
    tiles: wp.array2d(dtype=wp.vec4ub)
    shorn: wp.vec3


@wp.struct
class Met:
    """Where a ray met a creature: distance, its place among the figures (-1: nowhere), colour, light of the side."""

    t: float
    figure: int
    colour: wp.vec3
    side: float


def make_bodies(device: str) -> Bodies:
    """All models on a device."""
    first, low, high, swing, tiles = [(0, 0)], [], [], [], []
    for name, parts in MODELS.items():
        first.append((len(low), len(parts)))
        for index, part in enumerate(parts):
            centre, size = np.array(part.centre) * _UNIT, np.array(part.size) * _UNIT
            low.append(centre - size * (0.5, 0.5, 0.0))
            high.append(centre + size * (0.5, 0.5, 1.0))
            swing.append(part.swing)
            tiles += part_tiles(name, index, part)
    bodies = Bodies()
    bodies.parts = wp.array(np.array(first), dtype=wp.int32, device=device)
    bodies.low = wp.array(np.array(low), dtype=wp.vec3, device=device)
    bodies.high = wp.array(np.array(high), dtype=wp.vec3, device=device)
    bodies.swing = wp.array(np.array(swing), dtype=wp.float32, device=device)
    bodies.tiles = wp.array(np.stack(tiles).reshape(len(tiles), -1, 4), dtype=wp.vec4ub, device=device)
    bodies.shorn = wp.vec3(*(float(channel) for channel in SHORN))
    return bodies


@wp.func
def _project(look: Look, views: wp.array2d(dtype=wp.float32), r: int, p: wp.vec3, radius: float):
    """Pixels (left, right, top, bottom) that a ball around a point may cover; left beyond right when it is unseen."""
    d = p - wp.vec3(views[r, View.EYE_X], views[r, View.EYE_Y], views[r, View.EYE_Z])
    ahead = d[0] * views[r, View.AHEAD_X] + d[1] * views[r, View.AHEAD_Y] + d[2] * views[r, View.AHEAD_Z]
    if ahead < -radius or wp.length(d) > look.sight + radius:
        return wp.vec4(1.0, 0.0, 1.0, 0.0)
    if ahead < 1.5 * radius:
        return wp.vec4(0.0, float(look.width), 0.0, float(look.height))
    right = d[0] * views[r, View.RIGHT_X] + d[1] * views[r, View.RIGHT_Y]
    up = d[0] * views[r, View.UP_X] + d[1] * views[r, View.UP_Y] + d[2] * views[r, View.UP_Z]
    # The first pixel's ray is half a pixel inside the picture's edge.
    per_pixel = 2.0 * look.rays[0][1] / float(wp.max(look.height - 1, 1))
    near = ahead - radius
    x = right / ahead / per_pixel + 0.5 * float(look.width)
    y = 0.5 * float(look.height) - up / ahead / per_pixel
    reach = radius / near / per_pixel + 1.0
    return wp.vec4(x - reach, x + reach, y - reach, y + reach)


@kernel
def _pose_figures_kernel(
    # Model
    t: Tables,
    look: Look,
    rules: Rules,
    # In
    s: VoxelState,
    views: wp.array2d(dtype=wp.float32),
    worlds: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    shard: int,
    begin: int,
    stride: int,
    # Out
    figures: wp.array3d(dtype=wp.float32),
    seen: wp.array(dtype=wp.int32),
):
    """The creatures that may be in each picture: where they are, how they stand, what they cover."""
    i = wp.tid()
    while i < count[shard] * rules.agents:
        w = worlds[begin + i // rules.agents]
        r = w * rules.agents + i % rules.agents
        unit = 1.0 / float(POSITION_ONE)
        n = int(0)
        k = int(0)
        while k < s.clock[Clock.CREATURES, w] and n < MAX_FIGURES:
            kind = s.creatures[w, k, Being.KIND]
            scale = float(1.0)
            if s.creatures[w, k, Being.AGE] < 0:
                scale = 0.5
            x = float(s.creatures[w, k, Being.X] - (s.clock[Clock.ORIGIN_X, w] << POSITION_SHIFT)) * unit
            y = float(s.creatures[w, k, Being.Y] - (s.clock[Clock.ORIGIN_Y, w] << POSITION_SHIFT)) * unit
            z = float(s.creatures[w, k, Being.Z]) * unit
            tall = float(t.creature[kind, CreatureColumn.HEIGHT]) * unit * scale
            box = _project(look, views, r, wp.vec3(x, y, z + 0.5 * tall), 0.5 * tall + 0.75 * scale)
            if box[0] <= box[1]:
                yaw = s.creatures[w, k, Being.YAW]
                figures[r, n, Figure.X] = x
                figures[r, n, Figure.Y] = y
                figures[r, n, Figure.Z] = z
                figures[r, n, Figure.SINE] = float(t.turn[yaw]) / _TURN_ONE
                figures[r, n, Figure.COSINE] = float(t.turn[(yaw + 6) % 24]) / _TURN_ONE
                figures[r, n, Figure.SCALE] = scale
                figures[r, n, Figure.KIND] = float(kind)
                phase = float(s.creatures[w, k, Being.STRIDE]) * unit * 3.14159265
                going = wp.abs(s.creatures[w, k, Being.VX]) + wp.abs(s.creatures[w, k, Being.VY])
                angle = wp.sin(phase) * wp.min(float(going) / 4000.0, 1.0) * 0.7
                figures[r, n, Figure.SWING_SINE] = wp.sin(angle)
                figures[r, n, Figure.SWING_COSINE] = wp.cos(angle)
                tint = float(0.0)
                if kind == SHEEP and s.creatures[w, k, Being.SHEARED] != 0:
                    tint = 3.0
                if kind == CREEPER and (s.creatures[w, k, Being.FUSE] & 4) != 0:
                    tint = 2.0
                if s.creatures[w, k, Being.HURT] > 0 or s.creatures[w, k, Being.FIRE] > 0:
                    tint = 1.0
                figures[r, n, Figure.TINT] = tint
                figures[r, n, Figure.LEFT] = box[0]
                figures[r, n, Figure.RIGHT] = box[1]
                figures[r, n, Figure.TOP] = box[2]
                figures[r, n, Figure.BOTTOM] = box[3]
                n += 1
            k += 1
        seen[r] = n
        i += stride


@wp.func
def _enter_box(p: wp.vec3, d: wp.vec3, low: wp.vec3, high: wp.vec3):
    """Where a ray enters a box: (distance or NO_HIT, axis)."""
    near = float(-1.0e9)
    far = float(1.0e9)
    axis = int(0)
    k = int(0)
    while k < 3:
        if wp.abs(d[k]) < 1.0e-7:
            if p[k] < low[k] or p[k] > high[k]:
                far = -2.0e9
        else:
            a = (low[k] - p[k]) / d[k]
            b = (high[k] - p[k]) / d[k]
            if wp.min(a, b) > near:
                near = wp.min(a, b)
                axis = k
            far = wp.min(far, wp.max(a, b))
        k += 1
    if near <= far and near > 0.0:
        return wp.vec2(near, float(axis))
    return wp.vec2(NO_HIT, 0.0)


@wp.func
def _skin(bodies: Bodies, part: int, p: wp.vec3, axis: int, ahead: float):
    """Colour of a part at a point on its surface."""
    low = bodies.low[part]
    high = bodies.high[part]
    u = (p[0] - low[0]) / (high[0] - low[0])
    v = (p[2] - low[2]) / (high[2] - low[2])
    if axis == 0:
        u = (p[1] - low[1]) / (high[1] - low[1])
    elif axis == 2:
        v = (p[1] - low[1]) / (high[1] - low[1])
    row = wp.clamp(int((1.0 - v) * 16.0), 0, 15)
    column = wp.clamp(int(u * 16.0), 0, 15)
    tile = 2 * part + 1
    if axis == 1 and ahead < 0.0:
        tile = 2 * part
    c = bodies.tiles[tile, row * 16 + column]
    return wp.vec3(float(c[0]), float(c[1]), float(c[2]))


@wp.func
def meet_figures(
    bodies: Bodies, figures: wp.array3d(dtype=wp.float32), seen: wp.array(dtype=wp.int32), r: int, px: int, py: int,
    eye: wp.vec3, d: wp.vec3, limit: float,
):  # fmt: skip
    """The nearest creature on a pixel's ray before ``limit`` ray lengths."""
    met = Met()
    met.t = limit
    met.figure = -1
    x = float(px) + 0.5
    y = float(py) + 0.5
    n = int(0)
    while n < seen[r]:
        across = x >= figures[r, n, Figure.LEFT] and x <= figures[r, n, Figure.RIGHT]
        if across and y >= figures[r, n, Figure.TOP] and y <= figures[r, n, Figure.BOTTOM]:
            met = _meet_figure(bodies, figures, r, n, eye, d, met)
        n += 1
    return met


@wp.func
def _meet_figure(
    bodies: Bodies, figures: wp.array3d(dtype=wp.float32), r: int, n: int, eye: wp.vec3, d: wp.vec3, met: Met
):
    sine = figures[r, n, Figure.SINE]
    cosine = figures[r, n, Figure.COSINE]
    inverse = 1.0 / figures[r, n, Figure.SCALE]
    ex = (eye[0] - figures[r, n, Figure.X]) * inverse
    ey = (eye[1] - figures[r, n, Figure.Y]) * inverse
    ez = (eye[2] - figures[r, n, Figure.Z]) * inverse
    p = wp.vec3(ex * cosine - ey * sine, ex * sine + ey * cosine, ez)
    q = wp.vec3((d[0] * cosine - d[1] * sine) * inverse, (d[0] * sine + d[1] * cosine) * inverse, d[2] * inverse)
    kind = int(figures[r, n, Figure.KIND])
    part = bodies.parts[kind, 0]
    end = part + bodies.parts[kind, 1]
    while part < end:
        a = p
        b = q
        swing = bodies.swing[part]
        if swing != 0.0:
            # About the sideways axis through the middle of the limb's top.
            pivot_y = 0.5 * (bodies.low[part][1] + bodies.high[part][1])
            pivot_z = bodies.high[part][2]
            si = figures[r, n, Figure.SWING_SINE] * swing
            co = figures[r, n, Figure.SWING_COSINE]
            ay = p[1] - pivot_y
            az = p[2] - pivot_z
            a = wp.vec3(p[0], ay * co + az * si + pivot_y, az * co - ay * si + pivot_z)
            b = wp.vec3(q[0], q[1] * co + q[2] * si, q[2] * co - q[1] * si)
        entry = _enter_box(a, b, bodies.low[part], bodies.high[part])
        if entry[0] < met.t:
            axis = int(entry[1])
            met.t = entry[0]
            met.figure = n
            met.colour = _skin(bodies, part, a + b * entry[0], axis, b[1])
            met.side = 0.8
            if axis == 0:
                met.side = 0.68
            elif axis == 2:
                met.side = 1.0
                if b[2] > 0.0:
                    met.side = 0.5
            tint = figures[r, n, Figure.TINT]
            if tint == 1.0:
                met.colour = wp.cw_mul(met.colour, wp.vec3(1.0, 0.45, 0.45)) + wp.vec3(60.0, 0.0, 0.0)
            elif tint == 2.0:
                met.colour = met.colour * 0.35 + wp.vec3(165.0, 165.0, 165.0)
            elif tint == 3.0 and part == bodies.parts[SHEEP, 0]:
                met.colour = bodies.shorn
        part += 1
    return met
