"""The ray caster: through the block grid cell by cell (Amanatides and Woo 1987), to cubes, plants, boxes and fluids.

Pictures may use ordinary floating point: they never touch state.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, Fluid
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import Rules, VoxelState

NO_HIT = 1.0e9


@wp.struct
class Look:
    """How things look. tiles: RGBA uint8x4 ``[tiles, 256]``. block_tile: int32 ``[blocks, 3]`` tile of top, side and
    bottom. block_model: int32 ``[blocks]``, a ``Model``. block_box: vec2 ``[blocks]``, half width and height of the
    box of those drawn as one. item_tile: int32 ``[items]``. block_fluid: vec2i ``[blocks]``,
    its kind and level. block_light: float ``[blocks]``, own glow 0 to 1.
    rays: vec3 ``[H * X]``: right, up, and length of each pixel's ray, one block ahead. order: int32 ``[H * X]``, the
    pixels, row by row from 0, in the order in which they are drawn and stored. tone: uint8 ``[256]``, what a level of
    a channel is shown as. drawn: How many agents of a world are drawn, the first ones.
    """

    tiles: wp.array2d(dtype=wp.vec4ub)
    block_tile: wp.array2d(dtype=wp.int32)
    block_model: wp.array(dtype=wp.int32)
    block_box: wp.array(dtype=wp.vec2)
    block_light: wp.array(dtype=wp.float32)
    block_fluid: wp.array(dtype=wp.vec2i)
    item_tile: wp.array(dtype=wp.int32)
    rays: wp.array(dtype=wp.vec3)
    order: wp.array(dtype=wp.int32)
    tone: wp.array(dtype=wp.uint8)
    width: wp.int32
    height: wp.int32
    sight: wp.float32
    drawn: wp.int32


MODEL_NONE, MODEL_CUBE, MODEL_CUTOUT, MODEL_CROSS, MODEL_BOX, MODEL_FLUID = range(6)


@wp.struct
class Hit:
    """What a ray met: block (AIR: nothing), distance in ray lengths, face axis (0 x, 1 y, 2 z), texel, cell."""

    block: int
    t: float
    axis: int
    up: int
    texel: int
    tile: int
    x: int
    y: int
    z: int
    water: float


@wp.func
def texel_at(look: Look, tile: int, u: float, v: float):
    """Index of the texel at texture coordinates in [0, 1), v upwards."""
    column = wp.min(int(u * 16.0), 15)
    row = wp.min(int((1.0 - v) * 16.0), 15)
    return wp.max(row, 0) * 16 + wp.max(column, 0)


@wp.func
def _opaque(look: Look, tile: int, texel: int):
    return look.tiles[tile, texel][3] != wp.uint8(0)


@wp.func
def face_uv(p: wp.vec3, axis: int):
    """Texture coordinates of a point on a cell's face, from its position within the cell."""
    if axis == 0:
        return wp.vec2(p[1], p[2])
    if axis == 1:
        return wp.vec2(p[0], p[2])
    return wp.vec2(p[0], p[1])


@wp.func
def _cross_hit(look: Look, tile: int, p: wp.vec3, d: wp.vec3, t_out: float):
    """Nearest opaque texel on a plant's two diagonal planes; p is the ray's start relative to the cell. (t, texel)."""
    best = wp.vec2(NO_HIT, 0.0)
    k = int(0)
    while k < 2:
        flip = 1.0 - 2.0 * float(k)
        slope = d[0] - flip * d[1]
        if wp.abs(slope) > 1.0e-6:
            start = p[0] - 0.5 - flip * (p[1] - 0.5)
            t = -start / slope
            if t > 0.0 and t <= t_out and t < best[0]:
                u = p[0] + d[0] * t
                v = p[2] + d[2] * t
                if u >= 0.0 and u < 1.0 and v >= 0.0 and v < 1.0:
                    texel = texel_at(look, tile, u, v)
                    if _opaque(look, tile, texel):
                        best = wp.vec2(t, float(texel))
        k += 1
    return best


@wp.func
def _box_hit(look: Look, block: int, p: wp.vec3, d: wp.vec3):
    """Nearest entry into a box in the middle of a cell: (t, axis, hit)."""
    half = look.block_box[block][0]
    tall = look.block_box[block][1]
    near = float(-1.0e9)
    far = float(1.0e9)
    axis = int(2)
    k = int(0)
    while k < 3:
        low = 0.5 - half
        high = 0.5 + half
        if k == 2:
            low = 0.0
            high = tall
        if wp.abs(d[k]) < 1.0e-9:
            if p[k] < low or p[k] > high:
                far = -2.0e9
        else:
            a = (low - p[k]) / d[k]
            b = (high - p[k]) / d[k]
            if wp.min(a, b) > near:
                near = wp.min(a, b)
                axis = k
            far = wp.min(far, wp.max(a, b))
        k += 1
    if near <= far and near > 0.0:
        return wp.vec3(near, float(axis), 1.0)
    return wp.vec3(NO_HIT, 0.0, 0.0)


@wp.func
def _inside_cell(
    look: Look, hit: Hit, block: int, model: int, p: wp.vec3, d: wp.vec3, t: float, t_out: float, axis: int
):
    """Test a cell that is not a plain cube; returns the hit with its block set if the ray stops there."""
    hit.block = AIR
    face = int(1)
    if axis == 2:
        face = 0
        if d[2] > 0.0:
            face = 2
    if model == MODEL_CROSS:
        tile = look.block_tile[block, 1]
        found = _cross_hit(look, tile, p, d, t_out)
        if found[0] < NO_HIT:
            hit.block = block
            hit.t = found[0]
            hit.texel = int(found[1])
            hit.tile = tile
            hit.axis = 2
            hit.up = 1
    elif model == MODEL_BOX:
        entry = _box_hit(look, block, p, d)
        if entry[2] > 0.0:
            hit.block = block
            hit.t = entry[0]
            hit.axis = int(entry[1])
            face = 1
            if hit.axis == 2:
                face = 0
            hit.tile = look.block_tile[block, face]
            uv = face_uv(p + d * entry[0], hit.axis)
            hit.texel = texel_at(look, hit.tile, uv[0], uv[1])
            hit.up = 1
    elif model == MODEL_CUTOUT and t > 0.0:
        uv = face_uv(p + d * t, axis)
        hit.tile = look.block_tile[block, face]
        hit.texel = texel_at(look, hit.tile, uv[0], uv[1])
        if _opaque(look, hit.tile, hit.texel):
            hit.block = block
            hit.t = t
            hit.axis = axis
            hit.up = int(d[2] < 0.0)
    return hit


@wp.func
def fluid_height(level: int):
    """Where the surface of a fluid of a level lies in its cell; fluid that has its own kind above it fills it."""
    return float(level) / 9.0


@wp.func
def _fluid_hit(look: Look, block: int, above: int, start: float, rise: float, t: float, t_out: float):
    """Where a ray enters a fluid in a cell that it crosses from ``t`` to ``t_out``; it starts at height ``start``."""
    surface = fluid_height(look.block_fluid[block][1])
    if look.block_fluid[above][0] == look.block_fluid[block][0] or start + rise * t <= surface:
        return t
    if rise < 0.0:
        down = (surface - start) / rise
        if down < t_out:
            return down
    return NO_HIT


@wp.func
def _crossing(position: float, direction: float):
    """Ray length to the first cell border, and between borders, along one axis."""
    if wp.abs(direction) < 1.0e-6:
        return wp.vec2(NO_HIT, NO_HIT)
    inside = position - wp.floor(position)
    every = 1.0 / wp.abs(direction)
    if direction > 0.0:
        return wp.vec2((1.0 - inside) * every, every)
    return wp.vec2(inside * every, every)


@wp.func
def cast(s: VoxelState, look: Look, rules: Rules, w: int, shift: wp.vec2i, eye: wp.vec3, d: wp.vec3, limit: float):
    """Follow a ray through the window until it stops, leaves it, or has gone ``limit`` ray lengths."""
    hit = Hit()
    hit.block = AIR
    hit.t = NO_HIT
    hit.water = float(-1.0)
    x = int(wp.floor(eye[0]))
    y = int(wp.floor(eye[1]))
    z = int(wp.floor(eye[2]))
    cx = _crossing(eye[0], d[0])
    cy = _crossing(eye[1], d[1])
    cz = _crossing(eye[2], d[2])
    next_x = cx[0]
    next_y = cy[0]
    next_z = cz[0]
    go_x = int(1)
    go_y = int(1)
    go_z = int(1)
    if d[0] < 0.0:
        go_x = -1
    if d[1] < 0.0:
        go_y = -1
    if d[2] < 0.0:
        go_z = -1
    t = float(0.0)
    axis = int(2)
    while t < limit:
        if z < HEIGHT:
            if wp.uint32(x) > wp.uint32(rules.side_mask) or wp.uint32(y) > wp.uint32(rules.side_mask) or z < 0:
                return hit
            column = (((x + shift[0]) & rules.side_mask) << rules.side_shift) | ((y + shift[1]) & rules.side_mask)
            block = wp.int32(s.blocks[w, (column << 6) | z])
            if block != AIR:
                model = look.block_model[block]
                hit.x = x
                hit.y = y
                hit.z = z
                if model == MODEL_CUBE and t > 0.0:
                    hit.block = block
                    hit.t = t
                    hit.axis = axis
                    hit.up = int(d[2] < 0.0)
                    return hit
                if model == MODEL_FLUID:
                    above = AIR
                    if z < HEIGHT - 1:
                        above = wp.int32(s.blocks[w, (column << 6) | (z + 1)])
                    t_out = wp.min(next_x, wp.min(next_y, next_z))
                    entry = _fluid_hit(look, block, above, eye[2] - float(z), d[2], t, t_out)
                    if look.block_fluid[block][0] == int(Fluid.LAVA) and entry > 0.0 and entry < NO_HIT:
                        hit.block = block
                        hit.t = entry
                        hit.axis = axis
                        if entry > t:
                            hit.axis = 2
                        hit.up = int(d[2] < 0.0)
                        return hit
                    if hit.water < 0.0 and entry < NO_HIT:
                        hit.water = entry
                elif model > MODEL_CUBE:
                    p = wp.vec3(eye[0] - float(x), eye[1] - float(y), eye[2] - float(z))
                    t_out = wp.min(next_x, wp.min(next_y, next_z))
                    hit = _inside_cell(look, hit, block, model, p, d, t, t_out, axis)
                    if hit.block != AIR:
                        return hit
        elif d[2] >= 0.0:
            return hit
        if next_x < next_y and next_x < next_z:
            t = next_x
            next_x += cx[1]
            x += go_x
            axis = 0
        elif next_y < next_z:
            t = next_y
            next_y += cy[1]
            y += go_y
            axis = 1
        else:
            t = next_z
            next_z += cz[1]
            z += go_z
            axis = 2
    return hit
