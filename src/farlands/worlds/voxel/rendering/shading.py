"""What a hit looks like: texture, cracks, faces, sky light, torches, water, sky, and what lies over the picture."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import WATER, Fluid
from farlands.worlds.voxel.rendering.camera import View
from farlands.worlds.voxel.rendering.raycast import MODEL_CROSS, MODEL_CUBE, MODEL_FLUID, Hit, Look, face_uv, texel_at
from farlands.worlds.voxel.state import Rules, VoxelState

SIDE_FACE_X = 0.62
SIDE_FACE_Y = 0.8
BOTTOM_FACE = 0.5
_MAX_LIGHT = 15.0
_SHADE_RINGS = 4


@wp.func
def _open_sky(s: VoxelState, rules: Rules, w: int, shift: wp.vec2i, x: int, y: int, z: int):
    if wp.uint32(x) > wp.uint32(rules.side_mask) or wp.uint32(y) > wp.uint32(rules.side_mask):
        return False
    column = (((x + shift[0]) & rules.side_mask) << rules.side_shift) | ((y + shift[1]) & rules.side_mask)
    return z >= wp.int32(s.tops[w, column])


@wp.func
def sky_light(s: VoxelState, rules: Rules, w: int, shift: wp.vec2i, x: int, y: int, z: int):
    """Sky light of a cell, 0 to 15: full under the open sky, fading with the distance to the nearest open column."""
    if _open_sky(s, rules, w, shift, x, y, z):
        return _MAX_LIGHT
    ring = int(1)
    while ring <= _SHADE_RINGS:
        if (
            _open_sky(s, rules, w, shift, x + ring, y, z) or _open_sky(s, rules, w, shift, x - ring, y, z)
            or _open_sky(s, rules, w, shift, x, y + ring, z) or _open_sky(s, rules, w, shift, x, y - ring, z)
        ):  # fmt: skip
            return _MAX_LIGHT - 3.0 * float(ring)
        ring += 1
    return 0.0


@wp.func
def torch_light(lights: wp.array2d(dtype=wp.int32), r: int, count: int, x: int, y: int, z: int):
    """Light of the brightest torch at a cell, 0 to 14, less one per block walked."""
    best = int(0)
    k = int(0)
    while k < count:
        packed = lights[r, k]
        far = wp.abs((packed >> 16) - x) + wp.abs(((packed >> 8) & 255) - y) + wp.abs((packed & 255) - z)
        best = wp.max(best, 14 - far)
        k += 1
    return float(best)


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
def shade(
    s: VoxelState, look: Look, rules: Rules, views: wp.array2d(dtype=wp.float32), lights: wp.array2d(dtype=wp.int32),
    w: int, r: int, shift: wp.vec2i, eye: wp.vec3, d: wp.vec3, hit: Hit, stage: int,
):  # fmt: skip
    """Colour of a hit (0 to 255), before fog: texture, cracks, face, sky light and torches."""
    tile = hit.tile
    texel = hit.texel
    if look.block_model[hit.block] == MODEL_CUBE or look.block_model[hit.block] == MODEL_FLUID:
        p = wp.vec3(
            eye[0] + d[0] * hit.t - float(hit.x), eye[1] + d[1] * hit.t - float(hit.y),
            eye[2] + d[2] * hit.t - float(hit.z),
        )  # fmt: skip
        face = int(1)
        if hit.axis == 2:
            face = 2 - 2 * hit.up
        tile = look.block_tile[hit.block, face]
        uv = face_uv(p, hit.axis)
        texel = texel_at(look, tile, wp.clamp(uv[0], 0.0, 0.9999), wp.clamp(uv[1], 0.0, 0.9999))
    colour = _tile_colour(look, tile, texel)
    if stage > 0 and _cracks(texel, stage):
        colour = colour * 0.35
    x = hit.x
    y = hit.y
    z = hit.z
    face_light = float(1.0)
    if look.block_model[hit.block] != MODEL_CROSS:
        if hit.axis == 0:
            face_light = SIDE_FACE_X
            x = x - int(wp.sign(d[0]))
        elif hit.axis == 1:
            face_light = SIDE_FACE_Y
            y = y - int(wp.sign(d[1]))
        else:
            z = z - int(wp.sign(d[2]))
            if hit.up == 0:
                face_light = BOTTOM_FACE
    sky = sky_light(s, rules, w, shift, x, y, z) * views[r, View.DAYLIGHT]
    torch = torch_light(lights, r, int(views[r, View.LIGHTS]), x, y, z)
    bright = wp.max(_brightness(wp.max(sky, torch)) * face_light, look.block_light[hit.block])
    warm = wp.clamp((torch - sky) / _MAX_LIGHT, 0.0, 1.0)
    return wp.cw_mul(colour * bright, wp.vec3(1.0 + 0.18 * warm, 1.0, 1.0 - 0.22 * warm))


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
