"""The kernel that draws: one ray per pixel."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import AIR, WATER
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.rendering.bodies import Bodies, meet_figures
from farlands.worlds.voxel.rendering.camera import Overlay, View
from farlands.worlds.voxel.rendering.figures import FIRST_CREATURE, Figure
from farlands.worlds.voxel.rendering.raycast import Look, cast
from farlands.worlds.voxel.rendering.shading import fluid_tint, light_at_point, overlay_colour, shade, sky_colour
from farlands.worlds.voxel.state import Body, Rules, VoxelState

_FOG_START = 0.6


@wp.struct
class Pictures:
    """Where pictures go, flat rows of agents: pixels uint8 ``[R, H * X * 3]`` in the order of ``Look.order``, depth and
    segmentation ``[R, H * X]`` row by row.
    """

    pixels: wp.array2d(dtype=wp.uint8)
    depth: wp.array2d(dtype=wp.uint8)
    segmentation: wp.array2d(dtype=wp.uint8)


@kernel
def _draw_kernel(
    # Model
    look: Look,
    bodies: Bodies,
    rules: Rules,
    # In
    s: VoxelState,
    views: wp.array2d(dtype=wp.float32),
    overlay: wp.array2d(dtype=wp.int32),
    figures: wp.array3d(dtype=wp.float32),
    seen: wp.array(dtype=wp.int32),
    listed: Listed,
    # Out
    out: Pictures,
):
    """Draw every pixel of the first agents of the listed worlds; neighbouring threads draw neighbouring pixels."""
    size = look.width * look.height
    i = wp.tid()
    while i < how_many(listed) * look.drawn * size:
        row = i // size
        slot = i - row * size
        pixel = look.order[slot]
        w = world_at(listed, row // look.drawn)
        r = w * rules.agents + row % look.drawn
        ray = look.rays[pixel]
        eye = wp.vec3(views[r, View.EYE_X], views[r, View.EYE_Y], views[r, View.EYE_Z])
        d = wp.vec3(
            views[r, View.AHEAD_X] + ray[0] * views[r, View.RIGHT_X] + ray[1] * views[r, View.UP_X],
            views[r, View.AHEAD_Y] + ray[0] * views[r, View.RIGHT_Y] + ray[1] * views[r, View.UP_Y],
            views[r, View.AHEAD_Z] + ray[1] * views[r, View.UP_Z],
        )
        shift = wp.vec2i(overlay[r, Overlay.SHIFT_X], overlay[r, Overlay.SHIFT_Y])
        hit = cast(s, look, rules, w, shift, eye, d, look.sight / ray[2])
        py = pixel // look.width
        px = pixel - py * look.width
        met = meet_figures(bodies, figures, seen, r, px, py, eye, d, wp.min(hit.t, look.sight / ray[2]))
        if met.figure >= 0:
            hit.t = met.t
        if out.depth.shape[0] > 0:
            out.depth[r, pixel] = wp.uint8(wp.clamp(hit.t * ray[2] / look.sight, 0.0, 1.0) * 255.0)
        if out.segmentation.shape[0] > 0:
            what = hit.block
            if met.figure >= 0:
                what = FIRST_CREATURE + int(figures[r, met.figure, Figure.KIND])
            if hit.water >= 0.0 and hit.water < hit.t:
                what = WATER
            out.segmentation[r, pixel] = wp.uint8(what)
        if out.pixels.shape[0] > 0:
            day = views[r, View.DAYLIGHT]
            colour = sky_colour(d, ray[2], views[r, View.SUN_Y], views[r, View.SUN_Z], day)
            if met.figure >= 0 or hit.block != AIR:
                stage = int(0)
                column = (((hit.x + shift[0]) & rules.side_mask) << rules.side_shift) | (
                    (hit.y + shift[1]) & rules.side_mask
                )
                if ((column << 6) | hit.z) == s.body[Body.BREAK_CELL, r]:
                    stage = overlay[r, Overlay.CRACKS]
                lit = wp.vec3(0.0, 0.0, 0.0)
                if met.figure >= 0:
                    at = eye + d * met.t
                    lit = met.colour * met.side * light_at_point(s, rules, day, w, shift, at)
                else:
                    lit = shade(s, look, rules, day, w, shift, eye, d, hit, stage)
                far = wp.clamp((hit.t * ray[2] / look.sight - _FOG_START) / (1.0 - _FOG_START), 0.0, 1.0)
                level = wp.vec3(d[0], d[1], 0.0)
                haze = sky_colour(level, wp.length(level) + 1.0e-6, 2.0, views[r, View.SUN_Z], day)
                colour = lit * (1.0 - far) + haze * far
            colour = fluid_tint(look, colour, hit, ray[2], int(views[r, View.FLUID]), day, eye, d)
            colour = overlay_colour(look, colour, overlay[r, Overlay.HELD], px, py, overlay[r, Overlay.SWING])
            k = int(0)
            while k < 3:
                out.pixels[r, slot * 3 + k] = look.tone[int(wp.clamp(colour[k], 0.0, 255.0))]
                k += 1
        i += listed.stride
