"""Which cells a picture shows: from depth and segmentation back to block coordinates."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from farlands.worlds.voxel.blocks import BLOCKS, WATER
from farlands.worlds.voxel.expert.view import IS_SOLID
from farlands.worlds.voxel.rendering.renderer import pixel_rays
from farlands.worlds.voxel.tables import NUM_HEADINGS, TURN_ONE, heading_sines

_LEVELS = 255
"""Steps of the depth picture up to the limit of sight."""
_SURE = 2e-3
"""Blocks that a face must be away from its neighbours' for the cell behind it to be certain."""
_STRIDE = 4
"""Every so many pixels each way tell what is empty on the way."""
_PACE = 0.45
"""Blocks between two places on such a way."""
_FULL = np.zeros(256, dtype=bool)
_FULL[: len(BLOCKS)] = IS_SOLID
_LEFT_OUT = np.zeros(256, dtype=bool)
# Of water the picture tells the ground below; creatures come and go.
_LEFT_OUT[[0, WATER, *range(len(BLOCKS), 256)]] = True


@dataclass(frozen=True)
class Eye:
    """The camera that pictures were taken with.

    Attributes:
        height, width: Pixels.
        field_of_view: Vertical opening angle, degrees.
        sight: Blocks at which depth is full.
    """

    height: int
    width: int
    field_of_view: float
    sight: float


@functools.lru_cache(maxsize=512)
def _rays(eye: Eye, yaw: int, pitch: int) -> tuple[np.ndarray, np.ndarray]:
    """Directions float64 ``[H * X, 3]`` one block ahead, and their lengths ``[H * X]``."""
    turn = heading_sines() / TURN_ONE
    sine, cosine = turn[yaw], turn[(yaw + 6) % NUM_HEADINGS]
    level, rise = turn[(pitch + 30) % NUM_HEADINGS], turn[(pitch + 24) % NUM_HEADINGS]
    basis = np.array(
        [[cosine, -sine, 0.0], [-sine * rise, -cosine * rise, level], [sine * level, cosine * level, rise]]
    )
    rays = pixel_rays(eye.height, eye.width, eye.field_of_view).astype(np.float64)
    return np.column_stack([rays[:, :2], np.ones(len(rays))]) @ basis, rays[:, 2]


def shown_cells(
    eye: Eye, at: np.ndarray, yaw: int, pitch: int, depth: np.ndarray, seen: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The cells whose faces a picture shows beyond doubt.

    Depth comes in steps of a tenth of a block, so the face a ray met is known only if it crosses a single border of
    cells within that step.

    Args:
        eye: The camera.
        at: float ``[3]``, where it was, in blocks.
        yaw, pitch: In steps of 15 degrees.
        depth, seen: uint8 ``[H, X]``, the pictures of depth and of segmentation.

    Returns:
        Cells int64 ``[N, 3]``, possibly several times the same, and their block ids uint8 ``[N]``.
    """
    directions, lengths = _rays(eye, yaw, pitch)
    depth, seen = depth.ravel(), seen.ravel()
    use = np.flatnonzero((depth < _LEVELS) & ~_LEFT_OUT[seen])
    d, what = directions[use], seen[use]
    unit = eye.sight / _LEVELS / lengths[use]
    near = at + d * (depth[use] * unit - 1e-4)[:, None]
    far = at + d * ((depth[use] + 1) * unit + 1e-4)[:, None]
    crossed = np.floor(near) != np.floor(far)
    full = _FULL[what]
    faces = np.flatnonzero(full & (crossed.sum(axis=1) == 1))
    axis = crossed[faces].argmax(axis=1)
    cells, sure = _behind(at, d[faces], far[faces], axis)
    # Plants, torches and the like stand inside their cell.
    inner = np.flatnonzero(~full & ~crossed.any(axis=1))
    found = np.concatenate([cells[sure], np.floor(near[inner]).astype(np.int64)])
    return found, np.concatenate([what[faces][sure], what[inner]])


def _behind(at: np.ndarray, d: np.ndarray, far: np.ndarray, axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells behind the borders crossed along an axis, and whether no neighbour could be meant instead."""
    rows = np.arange(len(d))
    ahead = d[rows, axis] > 0
    beyond = np.floor(far[rows, axis])
    border = np.where(ahead, beyond, beyond + 1)
    t = (border - at[axis]) / d[rows, axis]
    point = at + d * t[:, None]
    off = np.abs(point - np.rint(point))
    off[rows, axis] = 1.0
    cells = np.floor(point).astype(np.int64)
    cells[rows, axis] = np.where(ahead, border, border - 1)
    return cells, (off > _SURE).all(axis=1)


def empty_cells(eye: Eye, at: np.ndarray, yaw: int, pitch: int, depth: np.ndarray) -> np.ndarray:
    """Cells int64 ``[N, 3]`` that some rays of a picture passed through; arguments as of ``shown_cells``."""
    directions, lengths = _rays(eye, yaw, pitch)
    keep = np.zeros((eye.height, eye.width), dtype=bool)
    keep[_STRIDE // 2 :: _STRIDE, _STRIDE // 2 :: _STRIDE] = True
    chosen = np.flatnonzero(keep)
    d = directions[chosen] / lengths[chosen, None]
    far = depth.ravel()[chosen] * (eye.sight / _LEVELS) - 0.2
    way = np.arange(1, int(eye.sight / _PACE)) * _PACE
    passed = way[None, :] < far[:, None]
    points = at + d[:, None, :] * way[None, :, None]
    return np.floor(points[passed]).astype(np.int64)
