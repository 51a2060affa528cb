"""Reading light: of the sky, of what glows, and how bright that makes a cell at the present time of day."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.grid import cell_at
from farlands.worlds.voxel.state import Clock, Rules, VoxelState

MAX_LIGHT = 15
SKY_SHIFT = 4
"""Of the two halves of a cell's byte: light of the sky above, light of blocks below."""
NIGHT_LOSS = 11
"""Levels that the night takes from the light of the sky."""

_MIDNIGHT = 18_000
_LOSS_TICKS = 164
_DUSK_BEFORE_MIDNIGHT = 6_124
"""With 164 ticks a level, eight levels are gone from 13,188 to 22,812: then monsters may come out."""


@wp.func
def light_at(s: VoxelState, rules: Rules, w: int, x: int, y: int, z: int):
    """Both kinds of light of a cell, sky << 4 | block, at world coordinates; outside the window full sky."""
    cell = cell_at(s, rules, w, x, y, z)
    if cell < 0:
        return MAX_LIGHT << SKY_SHIFT
    return wp.int32(s.light[w, cell])


@wp.func
def sky_light_at(s: VoxelState, rules: Rules, w: int, x: int, y: int, z: int):
    """Light of the sky in a cell, 0 to 15, whatever the time of day; outside the window 15."""
    return light_at(s, rules, w, x, y, z) >> SKY_SHIFT


@wp.func
def block_light_at(s: VoxelState, rules: Rules, w: int, x: int, y: int, z: int):
    """Light of torches and lava in a cell, 0 to 15; outside the window 0."""
    return light_at(s, rules, w, x, y, z) & MAX_LIGHT


@wp.func
def night_loss(time: int):
    """Levels by which the light of the sky is less at a time of day: 0 by day, 11 at night, one by one between."""
    before = _DUSK_BEFORE_MIDNIGHT - wp.abs(time - _MIDNIGHT)
    return wp.min(wp.max(before, 0) // _LOSS_TICKS, NIGHT_LOSS)


@wp.func
def brightness(light: int, time: int):
    """How bright a cell with that light is at a time of day, 0 to 15: the brighter of its blocks and its sky."""
    return wp.max(light & MAX_LIGHT, (light >> SKY_SHIFT) - night_loss(time))


@wp.func
def brightness_at(s: VoxelState, rules: Rules, w: int, x: int, y: int, z: int):
    """How bright a cell is now, 0 to 15. Within a step, light is that of the step's start; the time is the tick's."""
    return brightness(light_at(s, rules, w, x, y, z), s.clock[Clock.TIME, w])
