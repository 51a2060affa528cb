"""Stub."""

import warp as wp

from farlands.worlds.voxel.grid import HEIGHT_SHIFT, cell_at
from farlands.worlds.voxel.state import Clock, Rules, VoxelState


@wp.func
def night_loss(time: int):
    if time < 12500 or time > 23500:
        return 0
    return 11


@wp.func
def brightness_at(s: VoxelState, rules: Rules, w: int, x: int, y: int, z: int):
    cell = cell_at(s, rules, w, x, y, z)
    if cell < 0:
        return 15
    if z >= wp.int32(s.tops[w, cell >> HEIGHT_SHIFT]):
        return 15 - night_loss(s.clock[Clock.TIME, w])
    return 0
