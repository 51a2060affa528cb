"""Cameras and the sun: what each picture needs to know before its rays are cast."""

from __future__ import annotations

from enum import IntEnum

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.breaking import break_stage
from farlands.worlds.voxel.inventory import held_item
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.physics import EYE_HEIGHT, feet_block
from farlands.worlds.voxel.rendering.raycast import fluid_height
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables
from farlands.worlds.voxel.vitals import DAY

_TURN_ONE = 16384.0
_TAU = 6.283185307179586


class View(IntEnum):
    """Columns of a camera's row of floats. Positions are blocks from the window's origin."""

    EYE_X = 0
    EYE_Y = 1
    EYE_Z = 2
    AHEAD_X = 3
    AHEAD_Y = 4
    AHEAD_Z = 5
    RIGHT_X = 6
    RIGHT_Y = 7
    UP_X = 8
    UP_Y = 9
    UP_Z = 10
    DAYLIGHT = 11
    """Factor on sky light, 0.16 at night to 1."""
    SUN_Y = 12
    SUN_Z = 13
    FLUID = 14
    """Block id of the fluid around the eyes, 0 for none."""


NUM_VIEW = len(View)


class Overlay(IntEnum):
    """Columns of a camera's row of integers."""

    HELD = 0
    """Item in the hand."""
    CRACKS = 1
    """Stage of the break under way, 0 to 10."""
    SHIFT_X = 2
    """From the window's origin to its array: added to x, modulo the side."""
    SHIFT_Y = 3
    SWING = 4
    """How far the hand has swung, 0 to 3."""


NUM_OVERLAY = len(Overlay)


@wp.func
def daylight(time: int):
    """Height of the sun (-1 to 1) and the factor on sky light, from the time of day."""
    height = wp.sin((float(time) / float(DAY)) * _TAU)
    return wp.vec2(height, wp.clamp(0.58 + 1.3 * height, 0.16, 1.0))


@wp.func
def _fluid_at_eye(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Which ``Fluid`` the eye is in; none just over the surface of one."""
    block = feet_block(s, rules, w, r, EYE_HEIGHT)
    kind = t.block[block, BlockColumn.FLUID]
    if kind != 0:
        above = feet_block(s, rules, w, r, EYE_HEIGHT + POSITION_ONE)
        height = (s.body[Body.Z, r] + EYE_HEIGHT) & (POSITION_ONE - 1)
        full = t.block[above, BlockColumn.FLUID] == kind
        if not full and float(height) > fluid_height(t.block[block, BlockColumn.LEVEL]) * float(POSITION_ONE):
            return 0
    return kind


@kernel
def _aim_cameras_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    s: VoxelState,
    listed: Listed,
    # Out
    views: wp.array2d(dtype=wp.float32),
    overlay: wp.array2d(dtype=wp.int32),
):
    """Camera basis, sun and overlay of every agent of the listed worlds."""
    i = wp.tid()
    while i < how_many(listed) * rules.agents:
        w = world_at(listed, i // rules.agents)
        r = w * rules.agents + i % rules.agents
        unit = 1.0 / float(POSITION_ONE)
        views[r, View.EYE_X] = float(s.body[Body.X, r] - (s.clock[Clock.ORIGIN_X, w] << POSITION_SHIFT)) * unit
        views[r, View.EYE_Y] = float(s.body[Body.Y, r] - (s.clock[Clock.ORIGIN_Y, w] << POSITION_SHIFT)) * unit
        views[r, View.EYE_Z] = float(s.body[Body.Z, r] + EYE_HEIGHT) * unit
        yaw = s.body[Body.YAW, r]
        pitch = s.body[Body.PITCH, r]
        sine = float(t.turn[yaw]) / _TURN_ONE
        cosine = float(t.turn[(yaw + 6) % 24]) / _TURN_ONE
        level = float(t.turn[(pitch + 30) % 24]) / _TURN_ONE
        rise = float(t.turn[(pitch + 24) % 24]) / _TURN_ONE
        views[r, View.AHEAD_X] = sine * level
        views[r, View.AHEAD_Y] = cosine * level
        views[r, View.AHEAD_Z] = rise
        views[r, View.RIGHT_X] = cosine
        views[r, View.RIGHT_Y] = -sine
        views[r, View.UP_X] = -sine * rise
        views[r, View.UP_Y] = -cosine * rise
        views[r, View.UP_Z] = level
        sun = daylight(s.clock[Clock.TIME, w])
        views[r, View.DAYLIGHT] = sun[1]
        angle = (float(s.clock[Clock.TIME, w]) / float(DAY)) * _TAU
        views[r, View.SUN_Y] = wp.cos(angle)
        views[r, View.SUN_Z] = wp.sin(angle)
        views[r, View.FLUID] = float(_fluid_at_eye(s, t, rules, w, r))
        overlay[r, Overlay.HELD] = held_item(s, r)
        overlay[r, Overlay.CRACKS] = break_stage(s, t, w, r)
        overlay[r, Overlay.SHIFT_X] = s.clock[Clock.ORIGIN_X, w] & rules.side_mask
        overlay[r, Overlay.SHIFT_Y] = s.clock[Clock.ORIGIN_Y, w] & rules.side_mask
        swing = int(0)
        if s.body[Body.HOLDING, r] != 0 or s.body[Body.BREAK_CELL, r] >= 0:
            swing = (s.clock[Clock.TICK, w] >> 1) & 3
        overlay[r, Overlay.SWING] = swing
        i += listed.stride
