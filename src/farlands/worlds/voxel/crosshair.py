"""The crosshair: which block an agent looks at.

A ray stepped cell by cell (Amanatides and Woo, "A Fast Voxel Traversal Algorithm for Ray Tracing", 1987) in fixed
point, so that what an agent hits is the same on every device.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, LAVA, WATER, Shape
from farlands.worlds.voxel.grid import block_at, cell_at
from farlands.worlds.voxel.physics import EYE_HEIGHT, TURN_SHIFT
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, Body, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

RAY_SHIFT = 16
REACH = (9 << RAY_SHIFT) >> 1
"""4.5 blocks, in ray units of 1/65536 block."""
NO_CELL = -1
_NEVER = 1 << 30


@wp.struct
class Target:
    """What a ray hit: its cell (-1: nothing), block, coordinates, the face's outward normal, distance in ray units."""

    cell: int
    block: int
    position: wp.vec3i
    normal: wp.vec3i
    distance: int


@wp.func
def ray_direction(t: Tables, yaw: int, pitch: int):
    """Unit vector of a heading and an elevation, times 2^14."""
    level = t.turn[(pitch + 30) % 24]
    rise = t.turn[(pitch + 24) % 24]
    return wp.vec3i((t.turn[yaw] * level) >> TURN_SHIFT, (t.turn[(yaw + 6) % 24] * level) >> TURN_SHIFT, rise)


@wp.func
def _first_crossing(position: int, direction: int):
    """Ray length to the first cell border along one axis."""
    inside = position & (POSITION_ONE - 1)
    if direction > 0:
        return ((POSITION_ONE - inside) << (RAY_SHIFT + TURN_SHIFT - POSITION_SHIFT)) // direction
    if direction < 0:
        return (inside << (RAY_SHIFT + TURN_SHIFT - POSITION_SHIFT)) // (-direction)
    return _NEVER


@wp.func
def _crossing_step(direction: int):
    if direction == 0:
        return _NEVER
    return (1 << (RAY_SHIFT + TURN_SHIFT)) // wp.abs(direction)


@wp.func
def _follow(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, reach: int, fluids: int):
    """The first block in the crosshair within ``reach`` ray units, sources of fluids counted if ``fluids`` is not 0."""
    hit = Target()
    hit.cell = NO_CELL
    hit.block = AIR
    hit.distance = reach
    d = ray_direction(t, s.body[Body.YAW, r], s.body[Body.PITCH, r])
    p = wp.vec3i(s.body[Body.X, r], s.body[Body.Y, r], s.body[Body.Z, r] + EYE_HEIGHT)
    at = wp.vec3i(p[0] >> POSITION_SHIFT, p[1] >> POSITION_SHIFT, p[2] >> POSITION_SHIFT)
    go = wp.vec3i(wp.sign(d[0]), wp.sign(d[1]), wp.sign(d[2]))
    next_at = wp.vec3i(_first_crossing(p[0], d[0]), _first_crossing(p[1], d[1]), _first_crossing(p[2], d[2]))
    every = wp.vec3i(_crossing_step(d[0]), _crossing_step(d[1]), _crossing_step(d[2]))
    travelled = int(0)
    axis = int(2)
    while travelled <= reach:
        block = block_at(s, rules, w, at[0], at[1], at[2])
        shape = t.block[block, BlockColumn.SHAPE]
        if (shape != Shape.EMPTY and shape != Shape.FLUID) or (fluids != 0 and (block == WATER or block == LAVA)):
            hit.block = block
            hit.cell = cell_at(s, rules, w, at[0], at[1], at[2])
            hit.position = at
            normal = wp.vec3i(0, 0, 0)
            if travelled > 0:
                normal[axis] = -go[axis]
            hit.normal = normal
            hit.distance = travelled
            return hit
        axis = int(0)
        if next_at[1] < next_at[axis]:
            axis = 1
        if next_at[2] < next_at[axis]:
            axis = 2
        travelled = next_at[axis]
        next_at[axis] = next_at[axis] + every[axis]
        at[axis] = at[axis] + go[axis]
    return hit


@wp.func
def look(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, reach: int):
    """The first block in the crosshair within ``reach`` ray units; fluids and air are looked through."""
    return _follow(s, t, rules, w, r, reach, 0)


@wp.func
def look_for_source(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, reach: int):
    """As ``look``, but sources of water and lava stop the ray too: what a bucket would scoop."""
    return _follow(s, t, rules, w, r, reach, 1)
