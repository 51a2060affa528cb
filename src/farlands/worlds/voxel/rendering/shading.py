"""What a hit looks like: texture, cracks, faces, light, water, sky, and what lies over the picture."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import WATER, Fluid
from farlands.worlds.voxel.grid import HEIGHT_SHIFT
from farlands.worlds.voxel.light.field import MAX_LIGHT, SKY_SHIFT
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.rendering.raycast import (
    MODEL_BOX,
    MODEL_CROSS,
    MODEL_CUBE,
    MODEL_FLUID,
    Hit,
    Look,
    face_uv,
    texel_at,
)
from farlands.worlds.voxel.state import Rules, VoxelState

SIDE_FACE_X = 0.62
SIDE_FACE_Y = 0.8
BOTTOM_FACE = 0.5
_MAX_LIGHT = 15.0
_CORNER_SHADE = 0.7


@wp.func
def _cell_light(s: VoxelState, rules: Rules, w: int, shift: wp.vec2i, x: int, y: int, z: int):
    """Sky and block light of a cell by its offset from the window's origin; outside the window full sky."""
    if wp.uint32(x) > wp.uint32(rules.side_mask) or wp.uint32(y) > wp.uint32(rules.side_mask):
        return wp.vec2(_MAX_LIGHT, 0.0)
    if wp.uint32(z) >= wp.uint32(HEIGHT):
        return wp.vec2(_MAX_LIGHT, 0.0)
    column = (((x + shift[0]) & rules.side_mask) << rules.side_shift) | ((y + shift[1]) & rules.side_mask)
    light = wp.int32(s.light[w, (column << HEIGHT_SHIFT) | z])
    return wp.vec2(float(light >> SKY_SHIFT), float(light & MAX_LIGHT))


@wp.func
def _or_shaded(light: wp.vec2, middle: wp.vec2):
    """Light of a cell for smoothing; one that has none is a wall, or as good as one, which casts a little shade."""
    if light[0] + light[1] == 0.0:
        return middle * _CORNER_SHADE
    return light


@wp.func
def _smooth_light(
    s: VoxelState, rules: Rules, w: int, shift: wp.vec2i, at: wp.vec3i, along: wp.vec3i, across: wp.vec3i, u: float,
    v: float,
):  # fmt: skip
    """Sky and block light at a point (u, v in [0, 1)) of a face, between the nearest four cells in front of it.

    Args:
        s, rules, w, shift: The world.
        at: The cell in front of the face, from the window's origin.
        along, across: Unit steps of u and v.
        u, v: Where on the face.
    """
    a = along
    b = across
    if u < 0.5:
        a = -along
    if v < 0.5:
        b = -across
    middle = _cell_light(s, rules, w, shift, at[0], at[1], at[2])
    side_a = _cell_light(s, rules, w, shift, at[0] + a[0], at[1] + a[1], at[2] + a[2])
    side_b = _cell_light(s, rules, w, shift, at[0] + b[0], at[1] + b[1], at[2] + b[2])
    c = a + b
    corner = _cell_light(s, rules, w, shift, at[0] + c[0], at[1] + c[1], at[2] + c[2])
    if side_a[0] + side_a[1] + side_b[0] + side_b[1] == 0.0:
        # Light does not come round a closed corner.
        corner = wp.vec2(0.0, 0.0)
    fu = wp.abs(u - 0.5)
    fv = wp.abs(v - 0.5)
    near = middle * (1.0 - fu) + _or_shaded(side_a, middle) * fu
    far = _or_shaded(side_b, middle) * (1.0 - fu) + _or_shaded(corner, middle) * fu
    return near * (1.0 - fv) + far * fv


@wp.func
def _face_light(s: VoxelState, rules: Rules, w: int, shift: wp.vec2i, hit: Hit, d: wp.vec3, p: wp.vec3):
    """Sky and block light on the face of a full cube at a point p of its cell."""
    if hit.axis == 0:
        at = wp.vec3i(hit.x - int(wp.sign(d[0])), hit.y, hit.z)
        return _smooth_light(s, rules, w, shift, at, wp.vec3i(0, 1, 0), wp.vec3i(0, 0, 1), p[1], p[2])
    if hit.axis == 1:
        at = wp.vec3i(hit.x, hit.y - int(wp.sign(d[1])), hit.z)
        return _smooth_light(s, rules, w, shift, at, wp.vec3i(1, 0, 0), wp.vec3i(0, 0, 1), p[0], p[2])
    at = wp.vec3i(hit.x, hit.y, hit.z - int(wp.sign(d[2])))
    return _smooth_light(s, rules, w, shift, at, wp.vec3i(1, 0, 0), wp.vec3i(0, 1, 0), p[0], p[1])


@wp.func
def _brightness(light: float):
    """Perceived brightness of a light level of 0 to 15."""
    level = wp.clamp(light / _MAX_LIGHT, 0.0, 1.0)
    return 0.04 + 0.96 * level / (2.0 - level)


@wp.func
def sky_colour(d: wp.vec3, length: float, sun_y: float, sun_z: float, day: float):
    """Sky in a direction (0 to 255): a gradient, a glow at dawn and dusk, sun, moon and stars."""
    rise = d[2] / length
    up = wp.clamp(rise * 1.6 + 0.1, 0.0, 1.0)
    bright = wp.clamp((day - 0.16) / 0.84, 0.0, 1.0)
    zenith = wp.vec3(8.0, 11.0, 26.0) * (1.0 - bright) + wp.vec3(84.0, 142.0, 232.0) * bright
    horizon = wp.vec3(18.0, 23.0, 42.0) * (1.0 - bright) + wp.vec3(178.0, 208.0, 244.0) * bright
    colour = horizon * (1.0 - up) + zenith * up
    toward = (d[1] * sun_y + d[2] * sun_z) / length
    low_sun = wp.clamp(1.0 - 4.0 * wp.abs(sun_z), 0.0, 1.0)
    glow = low_sun * wp.clamp(toward, 0.0, 1.0) * (1.0 - up)
    colour = colour * (1.0 - 0.75 * glow) + wp.vec3(244.0, 142.0, 66.0) * (0.75 * glow)
    side = wp.abs(d[0]) / length
    across = wp.abs(d[1] * sun_z - d[2] * sun_y) / length
    if side < 0.075 and across < 0.075:
        if toward > 0.0:
            return wp.vec3(255.0, 250.0, 214.0)
        return wp.vec3(214.0, 220.0, 232.0)
    return colour


@wp.func
def _tile_colour(look: Look, tile: int, texel: int):
    c = look.tiles[tile, texel]
    return wp.vec3(float(c[0]), float(c[1]), float(c[2]))


@wp.func
def _cracks(texel: int, stage: int):
    """Whether a texel is part of the cracks of a break at a stage of 1 to 10; cracks grow, they don't move."""
    x = texel & 15
    y = texel >> 4
    ridge = (x * 7 + y * 3 + ((x * y) >> 2) + ((x ^ y) << 1)) & 15
    return ridge * 10 < stage * 9


@wp.func
def _side_brightness(hit: Hit):
    """Factor on the light of a face by the way it looks."""
    if hit.axis == 0:
        return SIDE_FACE_X
    if hit.axis == 1:
        return SIDE_FACE_Y
    if hit.up == 0:
        return BOTTOM_FACE
    return 1.0


@wp.func
def shade(
    s: VoxelState, look: Look, rules: Rules, day: float, w: int, shift: wp.vec2i, eye: wp.vec3, d: wp.vec3, hit: Hit,
    stage: int,
):  # fmt: skip
    """Colour of a hit (0 to 255), before fog: texture, cracks, face, light of the sky and of blocks."""
    tile = hit.tile
    texel = hit.texel
    model = look.block_model[hit.block]
    p = wp.vec3(
        eye[0] + d[0] * hit.t - float(hit.x), eye[1] + d[1] * hit.t - float(hit.y), eye[2] + d[2] * hit.t - float(hit.z)
    )
    if model == MODEL_CUBE or model == MODEL_FLUID:
        face = int(1)
        if hit.axis == 2:
            face = 2 - 2 * hit.up
        tile = look.block_tile[hit.block, face]
        uv = face_uv(p, hit.axis)
        texel = texel_at(look, tile, wp.clamp(uv[0], 0.0, 0.9999), wp.clamp(uv[1], 0.0, 0.9999))
    colour = _tile_colour(look, tile, texel)
    if stage > 0 and _cracks(texel, stage):
        colour = colour * 0.35
    light = wp.vec2(0.0, 0.0)
    if model == MODEL_CROSS or model == MODEL_BOX:
        light = _cell_light(s, rules, w, shift, hit.x, hit.y, hit.z)
    else:
        light = _face_light(s, rules, w, shift, hit, d, p)
    side = float(1.0)
    if model != MODEL_CROSS:
        side = _side_brightness(hit)
    sky = light[0] * day
    bright = wp.max(_brightness(wp.max(sky, light[1])) * side, look.block_light[hit.block])
    warm = wp.clamp((light[1] - sky) / _MAX_LIGHT, 0.0, 1.0)
    return wp.cw_mul(colour * bright, wp.vec3(1.0 + 0.18 * warm, 1.0, 1.0 - 0.22 * warm))


@wp.func
def light_at_point(s: VoxelState, rules: Rules, day: float, w: int, shift: wp.vec2i, at: wp.vec3):
    """Brightness, 0 to 1, at a point in the air."""
    light = _cell_light(s, rules, w, shift, int(wp.floor(at[0])), int(wp.floor(at[1])), int(wp.floor(at[2])))
    return _brightness(wp.max(light[0] * day, light[1]))


@wp.func
def fluid_tint(look: Look, colour: wp.vec3, hit: Hit, length: float, fluid: int, day: float, eye: wp.vec3, d: wp.vec3):
    """What looking through or from within water or lava does to a colour."""
    if fluid == Fluid.LAVA:
        return wp.vec3(200.0, 80.0, 20.0) * 0.9 + colour * 0.1
    if hit.water >= 0.0:
        deep = wp.clamp((wp.min(hit.t, 64.0) - hit.water) * length * 0.11 + 0.42, 0.0, 0.93)
        if fluid == Fluid.WATER:
            deep = wp.clamp((wp.min(hit.t, 64.0)) * length * 0.08 + 0.3, 0.0, 0.95)
        blue = wp.vec3(30.0, 66.0, 158.0)
        if fluid != Fluid.WATER:
            # The surface carries the water's texture, by the point where the ray went in.
            u = eye[0] + d[0] * hit.water
            v = eye[1] + d[1] * hit.water
            texel = texel_at(look, look.block_tile[WATER, 0], u - wp.floor(u), v - wp.floor(v))
            blue = _tile_colour(look, look.block_tile[WATER, 0], texel) * 0.85
        return colour * (1.0 - deep) + blue * (deep * (0.15 + 0.85 * day))
    return colour


@wp.func
def overlay_colour(look: Look, colour: wp.vec3, held: int, px: int, py: int, swing: int):
    """The item in the hand at the lower right, and the crosshair."""
    size = (look.height * 3) // 8
    x0 = look.width - size + swing
    y0 = look.height - size + 2 * swing
    if held > 0 and px >= x0 and py >= y0:
        u = ((px - x0) * 16) // size
        v = ((py - y0) * 16) // size
        c = look.tiles[look.item_tile[held], wp.min(v, 15) * 16 + wp.min(u, 15)]
        if c[3] != wp.uint8(0):
            return wp.vec3(float(c[0]), float(c[1]), float(c[2])) * 0.92
    dx = wp.abs(2 * px - look.width + 1)
    dy = wp.abs(2 * py - look.height + 1)
    arm = wp.max(look.height // 32, 1)
    thick = wp.max(look.height // 96, 1)
    if (dx <= thick and dy <= 2 * arm + 1) or (dy <= thick and dx <= 2 * arm + 1):
        return wp.vec3(255.0, 255.0, 255.0) * 0.45 + (wp.vec3(255.0, 255.0, 255.0) - colour) * 0.4
    return colour
