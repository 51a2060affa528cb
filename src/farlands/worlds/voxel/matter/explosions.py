"""Stub."""

import warp as wp

from farlands.worlds.voxel.state import Rules, VoxelState
from farlands.worlds.voxel.tables import Tables


@wp.func
def explode(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int, z: int, power: int):
    return
