"""The bodies of creatures, agents and lying items on the device, and rays against the boxes they are made of."""

from __future__ import annotations

import numpy as np
import warp as wp

from farlands.worlds.voxel.creatures.kinds import CREATURES, SHEEP
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.lying import MAX_AGENTS
from farlands.worlds.voxel.rendering.figures import FIRST_ITEM, FIRST_PERSON, WIDEST_SWING, Figure
from farlands.worlds.voxel.rendering.models import MODELS, SHORN, Part, part_tiles
from farlands.worlds.voxel.rendering.people import NUM_POSES, Pose, awake_run, people
from farlands.worlds.voxel.rendering.raycast import NO_HIT
from farlands.worlds.voxel.rendering.things import thing

_UNIT = 1.0 / 16.0
_MARGIN = 1.02


@wp.struct
class Bodies:
    """Models on the device: first and number of parts by model, int32 ``[models, 2]``; boxes by part, vec3 ``[parts]``
    low and high; float ``[parts]`` swing; tiles uint8x4 ``[parts * 2, 256]``, front then sides; skin of shorn sheep;
    bounds by model, vec3 ``[models]``: height of the middle, radius of a ball about it that holds the body, and of an
    upright cylinder that does; blocks.
    """

    parts: wp.array2d(dtype=wp.int32)
    low: wp.array(dtype=wp.vec3)
    high: wp.array(dtype=wp.vec3)
    swing: wp.array(dtype=wp.float32)
    tiles: wp.array2d(dtype=wp.vec4ub)
    shorn: wp.vec3
    bounds: wp.array(dtype=wp.vec3)


@wp.struct
class Met:
    """Where a ray met a figure: distance, its place among the figures (-1: nowhere), colour, light of the side."""

    t: float
    figure: int
    colour: wp.vec3
    side: float


class _Builder:
    """Models as they are put together: a run of boxes each."""

    def __init__(self) -> None:
        self.runs: list[tuple[int, int]] = []
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []
        self.swing: list[float] = []
        self.tiles: list[np.ndarray] = []

    def add_box(self, low: np.ndarray, high: np.ndarray, front: np.ndarray, sides: np.ndarray, swing: int = 0) -> None:
        """A box by its corners in sixteenths of a block."""
        self.low.append(low * _UNIT)
        self.high.append(high * _UNIT)
        self.swing.append(swing)
        self.tiles += [front, sides]

    def add_parts(self, name: str, parts: tuple[Part, ...]) -> int:
        """Boxes of a body; returns the first one's number."""
        first = len(self.low)
        for index, part in enumerate(parts):
            centre, size = np.array(part.centre), np.array(part.size)
            low, high = centre - size * (0.5, 0.5, 0.0), centre + size * (0.5, 0.5, 1.0)
            self.add_box(low, high, *part_tiles(name, index, part), part.swing)
        return first

    def bounds(self, first: int, count: int) -> tuple[float, float, float]:
        """Of a run of boxes, their limbs swinging as far as they do: see ``Bodies``."""
        if count == 0:
            return (0.0, 0.0, 0.0)
        points = np.concatenate([self._corners(part) for part in range(first, first + count)])
        middle = (points[:, 2].min() + points[:, 2].max()) / 2
        aside = np.hypot(points[:, 0], points[:, 1])
        return middle, _MARGIN * np.hypot(aside, points[:, 2] - middle).max(), _MARGIN * aside.max()

    def _corners(self, part: int) -> np.ndarray:
        """Corners of a box, float ``[N, 3]``, at all turns that it can have."""
        low, high = self.low[part], self.high[part]
        corners = np.array([np.where(ends, high, low) for ends in np.ndindex(2, 2, 2)])
        if not self.swing[part]:
            return corners
        pivot = np.array([0.0, (low[1] + high[1]) / 2, high[2]])
        turned = []
        for angle in np.linspace(-WIDEST_SWING, WIDEST_SWING, 9):
            sine, cosine = np.sin(angle), np.cos(angle)
            turned.append((corners - pivot) @ np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]]) + pivot)
        return np.concatenate(turned)


def make_bodies(device: str, texture_seed: int = 0) -> Bodies:
    """All models on a device: none, creatures by kind, agents in all poses, items by id."""
    made = _Builder()
    made.runs.append((0, 0))
    for name, parts in MODELS.items():
        made.runs.append((made.add_parts(name, parts), len(parts)))
    _add_people(made)
    for item in ITEMS:
        slabs = thing(item, texture_seed)
        made.runs.append((len(made.low), len(slabs)))
        for slab in slabs:
            made.add_box(np.array(slab.low), np.array(slab.high), slab.tile, slab.tile)
    bodies = Bodies()
    bodies.parts = wp.array(np.array(made.runs), dtype=wp.int32, device=device)
    bodies.low = wp.array(np.array(made.low), dtype=wp.vec3, device=device)
    bodies.high = wp.array(np.array(made.high), dtype=wp.vec3, device=device)
    bodies.swing = wp.array(np.array(made.swing), dtype=wp.float32, device=device)
    bodies.tiles = wp.array(np.stack(made.tiles).reshape(len(made.tiles), -1, 4), dtype=wp.vec4ub, device=device)
    bodies.bounds = wp.array([made.bounds(*run) for run in made.runs], dtype=wp.vec3, device=device)
    bodies.shorn = wp.vec3(*(float(channel) for channel in SHORN))
    return bodies


def _add_people(made: _Builder) -> None:
    """Each agent's models, one for each pose."""
    assert len(made.runs) == FIRST_PERSON == len(CREATURES) + 1
    for index, (awake, asleep) in enumerate(people()):
        first, bed = made.add_parts(f"agent_{index}", awake), made.add_parts(f"sleeper_{index}", asleep)
        for pose in Pose:
            begin, count = awake_run(pose, len(awake))
            made.runs.append((bed, len(asleep)) if pose == Pose.ASLEEP else (first + begin, count))
    assert len(made.runs) == FIRST_ITEM == FIRST_PERSON + MAX_AGENTS * NUM_POSES


@wp.func
def _enter_box(p: wp.vec3, d: wp.vec3, low: wp.vec3, high: wp.vec3):
    """Where a ray enters a box: (distance or NO_HIT, axis)."""
    near = float(-1.0e9)
    far = float(1.0e9)
    axis = int(0)
    k = int(0)
    while k < 3:
        if wp.abs(d[k]) < 1.0e-7:
            if p[k] < low[k] or p[k] > high[k]:
                far = -2.0e9
        else:
            a = (low[k] - p[k]) / d[k]
            b = (high[k] - p[k]) / d[k]
            if wp.min(a, b) > near:
                near = wp.min(a, b)
                axis = k
            far = wp.min(far, wp.max(a, b))
        k += 1
    if near <= far and near > 0.0:
        return wp.vec2(near, float(axis))
    return wp.vec2(NO_HIT, 0.0)


@wp.func
def _skin(bodies: Bodies, part: int, p: wp.vec3, axis: int, ahead: float):
    """Colour, and whether there is any, of a part at a point on its surface."""
    low = bodies.low[part]
    high = bodies.high[part]
    u = (p[0] - low[0]) / (high[0] - low[0])
    v = (p[2] - low[2]) / (high[2] - low[2])
    if axis == 0:
        u = (p[1] - low[1]) / (high[1] - low[1])
    elif axis == 2:
        v = (p[1] - low[1]) / (high[1] - low[1])
    row = wp.clamp(int((1.0 - v) * 16.0), 0, 15)
    column = wp.clamp(int(u * 16.0), 0, 15)
    tile = 2 * part + 1
    if axis == 1 and ahead < 0.0:
        tile = 2 * part
    c = bodies.tiles[tile, row * 16 + column]
    return wp.vec4(float(c[0]), float(c[1]), float(c[2]), float(c[3]))


@wp.func
def _side(axis: int, rise: float):
    """Factor on the light of a box's face by its axis, and by whether the ray that meets it rises."""
    if axis == 0:
        return 0.68
    if axis == 1:
        return 0.8
    if rise > 0.0:
        return 0.5
    return 1.0


@wp.func
def _tinted(bodies: Bodies, part: int, colour: wp.vec3, tint: float):
    """A colour as a ``Figure.TINT`` changes it."""
    if tint == 1.0:
        return wp.cw_mul(colour, wp.vec3(1.0, 0.45, 0.45)) + wp.vec3(60.0, 0.0, 0.0)
    if tint == 2.0:
        return colour * 0.35 + wp.vec3(165.0, 165.0, 165.0)
    if tint == 3.0 and part == bodies.parts[SHEEP, 0]:
        return bodies.shorn
    return colour


@wp.func
def meet_figures(
    bodies: Bodies, figures: wp.array3d(dtype=wp.float32), seen: wp.array(dtype=wp.int32), r: int, px: int, py: int,
    eye: wp.vec3, d: wp.vec3, limit: float,
):  # fmt: skip
    """The nearest figure on a pixel's ray before ``limit`` ray lengths."""
    met = Met()
    met.t = limit
    met.figure = -1
    x = float(px) + 0.5
    y = float(py) + 0.5
    n = int(0)
    while n < seen[r]:
        across = x >= figures[r, n, Figure.LEFT] and x <= figures[r, n, Figure.RIGHT]
        if across and y >= figures[r, n, Figure.TOP] and y <= figures[r, n, Figure.BOTTOM]:
            met = _meet_figure(bodies, figures, r, n, eye, d, met)
        n += 1
    return met


@wp.func
def _meet_figure(
    bodies: Bodies, figures: wp.array3d(dtype=wp.float32), r: int, n: int, eye: wp.vec3, d: wp.vec3, met: Met
):
    sine = figures[r, n, Figure.SINE]
    cosine = figures[r, n, Figure.COSINE]
    inverse = 1.0 / figures[r, n, Figure.SCALE]
    ex = (eye[0] - figures[r, n, Figure.X]) * inverse
    ey = (eye[1] - figures[r, n, Figure.Y]) * inverse
    ez = (eye[2] - figures[r, n, Figure.Z]) * inverse
    p = wp.vec3(ex * cosine - ey * sine, ex * sine + ey * cosine, ez)
    q = wp.vec3((d[0] * cosine - d[1] * sine) * inverse, (d[0] * sine + d[1] * cosine) * inverse, d[2] * inverse)
    model = int(figures[r, n, Figure.MODEL])
    part = bodies.parts[model, 0]
    end = part + bodies.parts[model, 1]
    while part < end:
        a = p
        b = q
        swing = bodies.swing[part]
        if swing != 0.0:
            # About the sideways axis through the middle of the limb's top.
            pivot_y = 0.5 * (bodies.low[part][1] + bodies.high[part][1])
            pivot_z = bodies.high[part][2]
            si = figures[r, n, Figure.SWING_SINE] * swing
            co = figures[r, n, Figure.SWING_COSINE]
            ay = p[1] - pivot_y
            az = p[2] - pivot_z
            a = wp.vec3(p[0], ay * co + az * si + pivot_y, az * co - ay * si + pivot_z)
            b = wp.vec3(q[0], q[1] * co + q[2] * si, q[2] * co - q[1] * si)
        entry = _enter_box(a, b, bodies.low[part], bodies.high[part])
        if entry[0] < met.t:
            axis = int(entry[1])
            skin = _skin(bodies, part, a + b * entry[0], axis, b[1])
            if skin[3] > 0.0:
                met.t = entry[0]
                met.figure = n
                met.side = _side(axis, b[2])
                met.colour = _tinted(bodies, part, wp.vec3(skin[0], skin[1], skin[2]), figures[r, n, Figure.TINT])
        part += 1
    return met
