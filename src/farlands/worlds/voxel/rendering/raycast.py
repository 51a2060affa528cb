"""The ray caster: one ray per pixel through the block grid, shaded by face, sky light, torches and fog.

Cells are stepped as by Amanatides and Woo (1987). Pictures may use ordinary floating point: they never touch state.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import AIR, LAVA, WATER
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.rendering.camera import Overlay, View
from farlands.worlds.voxel.state import Body, Rules, VoxelState

NO_HIT = 1.0e9
SIDE_FACE_X = 0.62
SIDE_FACE_Y = 0.8
BOTTOM_FACE = 0.5
_NUM_TEXELS = 256
_FOG_START = 0.6
_MAX_LIGHT = 15.0
_SHADE_RINGS = 4


@wp.struct
class Look:
    """How things look. tiles: RGBA uint8x4 ``[tiles, 256]``. block_tile: int32 ``[blocks, 3]`` tile of top, side and
    bottom. block_model: int32 ``[blocks]``, a ``Model``. block_box: vec2 ``[blocks]``, half width and height of the
    box of those drawn as one. item_tile: int32 ``[items]``. block_light: float ``[blocks]``, own glow 0 to 1.
    rays: vec3 ``[H * X]``: right, up, and length of each pixel's ray, one block ahead. ambient: least brightness.
    """

    tiles: wp.array2d(dtype=wp.vec4ub)
    block_tile: wp.array2d(dtype=wp.int32)
    block_model: wp.array(dtype=wp.int32)
    block_box: wp.array(dtype=wp.vec2)
    block_light: wp.array(dtype=wp.float32)
    item_tile: wp.array(dtype=wp.int32)
    rays: wp.array(dtype=wp.vec3)
    width: wp.int32
    height: wp.int32
    sight: wp.float32


MODEL_NONE, MODEL_CUBE, MODEL_CUTOUT, MODEL_CROSS, MODEL_BOX, MODEL_FLUID = range(6)


@wp.struct
class Pictures:
    """Where pictures go, one flat row per agent: pixels uint8 ``[R, H * X * 3]``, depth and segmentation ``[R, H * X]``."""

    pixels: wp.array2d(dtype=wp.uint8)
    depth: wp.array2d(dtype=wp.uint8)
    segmentation: wp.array2d(dtype=wp.uint8)


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
def _texel(look: Look, tile: int, u: float, v: float):
    column = wp.min(int(u * 16.0), 15)
    row = wp.min(int((1.0 - v) * 16.0), 15)
    return wp.max(row, 0) * 16 + wp.max(column, 0)


@wp.func
def _opaque(look: Look, tile: int, texel: int):
    return look.tiles[tile, texel][3] != wp.uint8(0)


@wp.func
def _face_uv(p: wp.vec3, axis: int):
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
                    texel = _texel(look, tile, u, v)
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
def _inside_cell(look: Look, hit: Hit, block: int, model: int, p: wp.vec3, d: wp.vec3, t: float, t_out: float, axis: int):
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
            uv = _face_uv(p + d * entry[0], hit.axis)
            hit.texel = _texel(look, hit.tile, uv[0], uv[1])
            hit.up = 1
    elif model == MODEL_CUTOUT and t > 0.0:
        uv = _face_uv(p + d * t, axis)
        hit.tile = look.block_tile[block, face]
        hit.texel = _texel(look, hit.tile, uv[0], uv[1])
        if _opaque(look, hit.tile, hit.texel):
            hit.block = block
            hit.t = t
            hit.axis = axis
            hit.up = int(d[2] < 0.0)
    return hit


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
                    if block == LAVA and t > 0.0:
                        hit.block = block
                        hit.t = t
                        hit.axis = axis
                        hit.up = int(d[2] < 0.0)
                        return hit
                    if hit.water < 0.0:
                        hit.water = t
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
        uv = _face_uv(p, hit.axis)
        texel = _texel(look, tile, wp.clamp(uv[0], 0.0, 0.9999), wp.clamp(uv[1], 0.0, 0.9999))
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
def _fluid_tint(
    look: Look, colour: wp.vec3, hit: Hit, length: float, fluid: int, day: float, eye: wp.vec3, d: wp.vec3
):
    """What looking through or from within water or lava does to a colour."""
    if fluid == LAVA:
        return wp.vec3(200.0, 80.0, 20.0) * 0.9 + colour * 0.1
    if hit.water >= 0.0:
        deep = wp.clamp((wp.min(hit.t, 64.0) - hit.water) * length * 0.11 + 0.42, 0.0, 0.93)
        if fluid == WATER:
            deep = wp.clamp((wp.min(hit.t, 64.0)) * length * 0.08 + 0.3, 0.0, 0.95)
        blue = wp.vec3(30.0, 66.0, 158.0)
        if fluid != WATER:
            # The surface carries the water's texture, by the point where the ray went in.
            u = eye[0] + d[0] * hit.water
            v = eye[1] + d[1] * hit.water
            texel = _texel(look, look.block_tile[WATER, 0], u - wp.floor(u), v - wp.floor(v))
            blue = _tile_colour(look, look.block_tile[WATER, 0], texel) * 0.85
        return colour * (1.0 - deep) + blue * (deep * (0.15 + 0.85 * day))
    return colour


@wp.func
def _overlay(look: Look, colour: wp.vec3, held: int, px: int, py: int, swing: int):
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


@kernel
def _draw_kernel(
    # Model
    look: Look,
    rules: Rules,
    # In
    s: VoxelState,
    views: wp.array2d(dtype=wp.float32),
    lights: wp.array2d(dtype=wp.int32),
    overlay: wp.array2d(dtype=wp.int32),
    worlds: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    shard: int,
    begin: int,
    stride: int,
    # Out
    out: Pictures,
):
    """Draw every pixel of every agent of the listed worlds; neighbouring threads draw neighbouring pixels."""
    size = look.width * look.height
    i = wp.tid()
    while i < count[shard] * rules.agents * size:
        row = i // size
        pixel = i - row * size
        w = worlds[begin + row // rules.agents]
        r = w * rules.agents + row % rules.agents
        ray = look.rays[pixel]
        eye = wp.vec3(views[r, View.EYE_X], views[r, View.EYE_Y], views[r, View.EYE_Z])
        d = wp.vec3(
            views[r, View.AHEAD_X] + ray[0] * views[r, View.RIGHT_X] + ray[1] * views[r, View.UP_X],
            views[r, View.AHEAD_Y] + ray[0] * views[r, View.RIGHT_Y] + ray[1] * views[r, View.UP_Y],
            views[r, View.AHEAD_Z] + ray[1] * views[r, View.UP_Z],
        )
        shift = wp.vec2i(overlay[r, Overlay.SHIFT_X], overlay[r, Overlay.SHIFT_Y])
        hit = cast(s, look, rules, w, shift, eye, d, look.sight / ray[2])
        if out.depth.shape[0] > 0:
            out.depth[r, pixel] = wp.uint8(wp.clamp(hit.t * ray[2] / look.sight, 0.0, 1.0) * 255.0)
        if out.segmentation.shape[0] > 0:
            seen = hit.block
            if hit.water >= 0.0 and hit.water < hit.t:
                seen = WATER
            out.segmentation[r, pixel] = wp.uint8(seen)
        if out.pixels.shape[0] > 0:
            day = views[r, View.DAYLIGHT]
            colour = sky_colour(d, ray[2], views[r, View.SUN_Y], views[r, View.SUN_Z], day)
            if hit.block != AIR:
                stage = int(0)
                column = (((hit.x + shift[0]) & rules.side_mask) << rules.side_shift) | (
                    (hit.y + shift[1]) & rules.side_mask
                )
                if ((column << 6) | hit.z) == s.body[Body.BREAK_CELL, r]:
                    stage = overlay[r, Overlay.CRACKS]
                lit = shade(s, look, rules, views, lights, w, r, shift, eye, d, hit, stage)
                far = wp.clamp((hit.t * ray[2] / look.sight - _FOG_START) / (1.0 - _FOG_START), 0.0, 1.0)
                haze = sky_colour(
                    wp.vec3(d[0], d[1], 0.0), wp.length(wp.vec3(d[0], d[1], 0.0)) + 1.0e-6, 2.0, views[r, View.SUN_Z], day
                )  # fmt: skip
                colour = lit * (1.0 - far) + haze * far
            colour = _fluid_tint(look, colour, hit, ray[2], int(views[r, View.FLUID]), day, eye, d)
            py = pixel // look.width
            colour = _overlay(look, colour, overlay[r, Overlay.HELD], pixel - py * look.width, py, overlay[r, Overlay.SWING])
            k = int(0)
            while k < 3:
                out.pixels[r, pixel * 3 + k] = wp.uint8(wp.clamp(colour[k], 0.0, 255.0))
                k += 1
        i += stride
