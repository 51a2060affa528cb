"""Reading and changing blocks: the only code that knows how the window is laid out."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, BEDROCK
from farlands.worlds.voxel.light.changes import note_light
from farlands.worlds.voxel.matter.growing import note_growing, strike_growing
from farlands.worlds.voxel.matter.pending import touch
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import MAX_FIXTURES, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

HEIGHT_SHIFT = 6
FIXTURE_SHIFT = 20
STATION_ASIDE = 4
STATION_BELOW = 3
STATION_ABOVE = 5
"""How far from the feet a station can be used, in blocks: about four from the eye on every side."""
_CELL_MASK = (1 << FIXTURE_SHIFT) - 1


@wp.func
def cell_at(s: VoxelState, rules: Rules, w: int, x: int, y: int, z: int):
    """Index of a block's cell in the window of world ``w``, or -1 outside it."""
    inside_x = wp.uint32(x - s.clock[Clock.ORIGIN_X, w]) <= wp.uint32(rules.side_mask)
    inside_y = wp.uint32(y - s.clock[Clock.ORIGIN_Y, w]) <= wp.uint32(rules.side_mask)
    if inside_x and inside_y and z >= 0 and z < HEIGHT:
        column = ((x & rules.side_mask) << rules.side_shift) | (y & rules.side_mask)
        return (column << HEIGHT_SHIFT) | z
    return -1


@wp.func
def block_at(s: VoxelState, rules: Rules, w: int, x: int, y: int, z: int):
    """Block id at world coordinates; beyond the window bedrock below the top of the world, air above it."""
    cell = cell_at(s, rules, w, x, y, z)
    if cell >= 0:
        return wp.int32(s.blocks[w, cell])
    if z >= HEIGHT:
        return AIR
    return BEDROCK


@wp.func
def cell_z(cell: int):
    """Height of a cell."""
    return cell & (HEIGHT - 1)


@wp.func
def cell_offset(s: VoxelState, rules: Rules, w: int, cell: int, x: int, y: int, z: int):
    """From block (x, y, z) to a cell of the window of world ``w``."""
    x0 = s.clock[Clock.ORIGIN_X, w]
    y0 = s.clock[Clock.ORIGIN_Y, w]
    dx = (((cell >> (HEIGHT_SHIFT + rules.side_shift)) - x0) & rules.side_mask) + x0 - x
    dy = (((cell >> HEIGHT_SHIFT) - y0) & rules.side_mask) + y0 - y
    return wp.vec3i(dx, dy, cell_z(cell) - z)


@wp.func
def cell_position(s: VoxelState, rules: Rules, w: int, cell: int):
    """Block coordinates of a cell of the window of world ``w``."""
    return cell_offset(s, rules, w, cell, 0, 0, 0)


@wp.func
def _lower_top(s: VoxelState, t: Tables, w: int, column: int, z: int):
    """Find the highest opaque block below ``z`` after the one that made the top has gone."""
    top = z
    while top > 0 and t.block[wp.int32(s.blocks[w, (column << HEIGHT_SHIFT) | (top - 1)]), BlockColumn.OPAQUE] == 0:
        top -= 1
    s.tops[w, column] = wp.uint8(top)


@wp.func
def remove_fixture(s: VoxelState, w: int, cell: int):
    """Strike a cell off the list of stations."""
    i = int(0)
    while i < MAX_FIXTURES:
        fixture = s.fixtures[w, i]
        if fixture >= 0 and (fixture & _CELL_MASK) == cell:
            s.fixtures[w, i] = -1
        i += 1


@wp.func
def free_fixture(s: VoxelState, w: int):
    """Index of a free place for a station, or -1 when the world holds its fill."""
    i = int(0)
    while i < MAX_FIXTURES:
        if s.fixtures[w, i] < 0:
            return i
        i += 1
    return -1


@wp.func
def add_fixture(s: VoxelState, t: Tables, w: int, cell: int, block: int):
    """List a block if it is a station and there is a place for it."""
    if t.block[block, BlockColumn.FIXTURE] != 0:
        place = free_fixture(s, w)
        if place >= 0:
            s.fixtures[w, place] = (block << FIXTURE_SHIFT) | cell


@wp.func
def fit_top(s: VoxelState, t: Tables, w: int, cell: int, block: int):
    """Keep the top of a column right after one of its cells has become ``block``."""
    column = cell >> HEIGHT_SHIFT
    z = cell_z(cell)
    top = wp.int32(s.tops[w, column])
    if t.block[block, BlockColumn.OPAQUE] != 0:
        s.tops[w, column] = wp.uint8(wp.max(top, z + 1))
    elif top == z + 1:
        _lower_top(s, t, w, column, z)


@wp.func
def set_block(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, block: int):
    """Change one cell and everything derived from it, light at the end of the step. Stations need a
    ``free_fixture``.
    """
    old = wp.int32(s.blocks[w, cell])
    s.blocks[w, cell] = wp.uint8(block)
    s.edited[w, cell >> HEIGHT_SHIFT] = s.edited[w, cell >> HEIGHT_SHIFT] | (wp.int64(1) << wp.int64(cell_z(cell)))
    if t.block[old, BlockColumn.FIXTURE] != 0:
        remove_fixture(s, w, cell)
    strike_growing(s, t, w, cell, old)
    note_growing(s, t, w, cell, block)
    add_fixture(s, t, w, cell, block)
    fit_top(s, t, w, cell, block)
    note_light(s, w, cell)
    touch(s, w, cell, old)


@wp.func
def station_near(s: VoxelState, rules: Rules, w: int, block: int, x: int, y: int, z: int):
    """Whether a station of that kind stands within the arm's reach of a body whose feet are in block (x, y, z)."""
    i = int(0)
    while i < MAX_FIXTURES:
        fixture = s.fixtures[w, i]
        if fixture >= 0 and (fixture >> FIXTURE_SHIFT) == block:
            d = cell_offset(s, rules, w, fixture & _CELL_MASK, x, y, z)
            if wp.abs(d[0]) <= STATION_ASIDE and wp.abs(d[1]) <= STATION_ASIDE:
                if d[2] >= -STATION_BELOW and d[2] <= STATION_ABOVE:
                    return 1
        i += 1
    return 0
