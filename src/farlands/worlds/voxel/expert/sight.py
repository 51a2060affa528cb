"""Aiming: every way an agent can look from where it is, and what is hit on the way, by the crosshair's own rule."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.crosshair import RAY_SHIFT, REACH
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, IS_SOLID, STATION_REACH, Cell, Outlook
from farlands.worlds.voxel.physics import BODY_HEIGHT, TURN_SHIFT
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, Body
from farlands.worlds.voxel.tables import NUM_HEADINGS, heading_sines

MAX_PITCH = 6
STEP_TICKS = 4
_CROSSINGS = 13
"""More cell borders than a ray of reach 4.5 can cross."""
_NEVER = 1 << 30
REPLACEABLE = np.array([block.replaceable for block in BLOCKS])


@dataclass(frozen=True)
class Aim:
    """A way to look.

    Attributes:
        yaw, pitch: In steps of 15 degrees, as in the body state.
        hit: The first cell in the crosshair.
        wanted: The cell aimed at, behind ``hit`` if they differ; for placing, the cell that would be filled.
        ticks: About what turning there and breaking the way free take.
    """

    yaw: int
    pitch: int
    hit: Cell
    wanted: Cell
    ticks: float


@functools.cache
def directions() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All ways to look: yaws int64 ``[N]``, pitches int64 ``[N]``, ray directions int64 ``[N, 3]`` (times 2^14)."""
    turn = heading_sines().astype(np.int64)
    yaw, pitch = (
        a.ravel() for a in np.meshgrid(np.arange(NUM_HEADINGS), np.arange(-MAX_PITCH, MAX_PITCH + 1), indexing="ij")
    )
    level = turn[(pitch + 30) % NUM_HEADINGS]
    x = (turn[yaw] * level) >> TURN_SHIFT
    y = (turn[(yaw + 6) % NUM_HEADINGS] * level) >> TURN_SHIFT
    return yaw, pitch, np.stack([x, y, turn[(pitch + 24) % NUM_HEADINGS]], axis=-1)


def turn_steps(view: Outlook, yaw: np.ndarray, pitch: np.ndarray) -> np.ndarray:
    """Steps it takes to turn from the present heading and pitch, by 15 and 45 degrees at a time."""
    around = (yaw - view.body(Body.YAW) + 12) % NUM_HEADINGS - 12
    whole = np.rint(around / 3)
    return np.abs(whole) + np.abs(around - 3 * whole) + np.abs(pitch - view.body(Body.PITCH))


def trace(eye: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cells that rays from ``eye`` (position units) pass, in all directions.

    Returns:
        cells int64 ``[K, N, 3]`` in the order of passing, distance int64 ``[K, N]`` at which each is entered, in ray
        units, and the axis int64 ``[K, N]`` along which (-1 for the cell of the eye).
    """
    cells, distance, axes = _trace_from(*(c & (POSITION_ONE - 1) for c in eye))
    return cells + np.array([c >> POSITION_SHIFT for c in eye]), distance, axes


@functools.lru_cache(maxsize=256)
def _trace_from(*inside: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``trace`` for an eye at a place inside the cell (0, 0, 0)."""
    d = directions()[2]
    go = np.sign(d)
    at = np.zeros_like(d)
    part = np.where(d > 0, POSITION_ONE - np.array(inside), np.array(inside)) << (
        RAY_SHIFT + TURN_SHIFT - POSITION_SHIFT
    )
    size = np.maximum(np.abs(d), 1)
    next_at = np.where(d != 0, part // size, _NEVER)
    every = np.where(d != 0, (1 << (RAY_SHIFT + TURN_SHIFT)) // size, _NEVER)
    rows = np.arange(len(d))
    cells, distance, axes = [at.copy()], [np.zeros(len(d), dtype=np.int64)], [np.full(len(d), -1)]
    for _ in range(_CROSSINGS):
        axis = np.where(next_at[:, 1] < next_at[:, 0], 1, 0)
        axis = np.where(next_at[:, 2] < next_at[rows, axis], 2, axis)
        distance.append(next_at[rows, axis])
        next_at[rows, axis] += every[rows, axis]
        at[rows, axis] += go[rows, axis]
        cells.append(at.copy())
        axes.append(axis)
    return np.stack(cells), np.stack(distance), np.stack(axes)


def line_of_sight(view: Outlook) -> list[tuple[Cell, int, int]]:
    """Cells that the crosshair's ray passes within reach, in order; distance and axis as of ``trace``."""
    cells, distance, axes = trace(view.eye)
    ray = view.body(Body.YAW) * (2 * MAX_PITCH + 1) + view.body(Body.PITCH) + MAX_PITCH
    passed = int((distance[:, ray] <= REACH).sum())
    return [(as_cell(cells[k, ray]), int(distance[k, ray]), int(axes[k, ray])) for k in range(passed)]


def aim_at(
    view: Outlook,
    targets: Iterable[Cell],
    ticks: np.ndarray,
    allowed: Callable[[Cell], bool],
    eye: tuple[int, int, int] | None = None,
    stops: np.ndarray = IN_CROSSHAIR,
) -> Aim | None:
    """The quickest way to get at any of the target cells with the hand, breaking what is in the way.

    Args:
        view: The world.
        targets: Cells that hold something the crosshair can hit.
        ticks: float ``[blocks]``, ticks to break each block.
        allowed: Whether a cell that is in the way may be broken.
        eye: Where to look from, the agent's own eye by default.
        stops: bool ``[blocks]``, which blocks a ray does not pass.

    Returns:
        None if there is no way.
    """
    cells, distance, _ = trace(eye or view.eye)
    blocks = view.blocks_at(cells)
    hits = stops[blocks] & (distance <= REACH)
    is_target = hits & _are_in(cells, targets)
    if not is_target.any():
        return None
    cost = np.where(hits & ~is_target, ticks[blocks], 0.0)
    before = np.concatenate([np.zeros_like(cost[:1]), np.cumsum(cost[:-1], axis=0)])
    first = is_target.argmax(axis=0)
    rays = np.arange(cells.shape[1])
    yaw, pitch, _ = directions()
    total = before[first, rays] + STEP_TICKS * turn_steps(view, yaw, pitch)
    total = np.where(is_target.any(axis=0), total, math.inf)
    for ray in np.argsort(total, kind="stable"):
        if math.isinf(total[ray]):
            return None
        way = cells[: first[ray], ray][hits[: first[ray], ray]]
        if all(allowed(as_cell(c)) for c in way):
            wanted = as_cell(cells[first[ray], ray])
            hit = as_cell(way[0]) if len(way) else wanted
            return Aim(int(yaw[ray]), int(pitch[ray]), hit, wanted, float(total[ray]))
    return None


def aim_to_place(view: Outlook) -> Aim | None:
    """The quickest way to look so that a full block can be placed in a cell from which a station serves.

    Returns:
        None if there is no way; else an aim whose ``wanted`` is the cell that would be filled.
    """
    cells, distance, axes = trace(view.eye)
    yaw, pitch, d = directions()
    blocks = view.blocks_at(cells)
    stops = IN_CROSSHAIR[blocks] & (distance <= REACH)
    first, rays = stops.argmax(axis=0), np.arange(cells.shape[1])
    hit, hit_block, axis = cells[first, rays], blocks[first, rays], axes[first, rays]
    back = np.zeros_like(hit)
    back[rays, axis] = -np.sign(d[rays, axis])
    into = np.where(REPLACEABLE[hit_block][:, None], hit, hit + back)
    fits = stops.any(axis=0) & (first > 0) & (IS_SOLID[hit_block] | REPLACEABLE[hit_block])
    fits &= REPLACEABLE[view.blocks_at(into)] & ~overlaps_body(view, into)
    low, high = np.array(STATION_REACH).T
    away = into - np.array(view.feet)
    fits &= ((away >= low) & (away <= high)).all(axis=-1)
    if not fits.any():
        return None
    total = np.where(fits, STEP_TICKS * turn_steps(view, yaw, pitch), math.inf)
    ray = int(total.argmin())
    return Aim(int(yaw[ray]), int(pitch[ray]), as_cell(hit[ray]), as_cell(into[ray]), float(total[ray]))


def overlaps_body(view: Outlook, cells: np.ndarray) -> np.ndarray:
    """Which cells int ``[..., 3]`` the body stands in, bool ``[...]``."""
    low = view.body(Body.Z) >> POSITION_SHIFT
    high = (view.body(Body.Z) + BODY_HEIGHT - 1) >> POSITION_SHIFT
    level = (cells[..., 2] >= low) & (cells[..., 2] <= high)
    under = _are_in(cells[..., :2], view.footprint)
    return level & under


def _are_in(cells: np.ndarray, wanted: Iterable[tuple[int, ...]]) -> np.ndarray:
    """Which of the cells int ``[..., D]`` are among the wanted, bool ``[...]``."""
    rows = np.array(list(wanted), dtype=np.int64).reshape(-1, cells.shape[-1])
    if not len(rows):
        return np.zeros(cells.shape[:-1], dtype=bool)
    # One number for each cell, relative to the least of those wanted, tells them apart.
    low, spread = rows.min(axis=0), np.ptp(rows, axis=0) + 1
    scale = np.append(np.cumprod(spread[::-1])[-2::-1], 1)
    away = cells - low
    inside = ((away >= 0) & (away < spread)).all(axis=-1)
    listed = np.zeros(int(np.prod(spread)), dtype=bool)
    listed[(rows - low) @ scale] = True
    return inside & listed[np.where(inside, away @ scale, 0)]


def as_cell(array: np.ndarray) -> Cell:
    """Three numbers as a cell."""
    return int(array[0]), int(array[1]), int(array[2])
