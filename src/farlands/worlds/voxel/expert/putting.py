"""Where any item can be put up from where the agent stands, by the rules of ``placing``."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.blocks import (
    AIR,
    BED,
    BLOCK_ID,
    BLOCKS,
    CACTUS,
    DIRT,
    DOOR,
    FARMLAND,
    GRASS,
    LADDER,
    OPEN_DOOR,
    SAND,
    TORCH,
    WET_FARMLAND,
    Shape,
)
from farlands.worlds.voxel.crosshair import REACH
from farlands.worlds.voxel.expert.sight import (
    REPLACEABLE,
    STEP_TICKS,
    Aim,
    as_cell,
    directions,
    overlaps_body,
    trace,
    turn_steps,
)
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, IS_SOLID, SHAPE, Outlook
from farlands.worlds.voxel.items import ITEM_ID, ITEMS

_IS_WALL = (SHAPE == Shape.CUBE) & (np.arange(len(BLOCKS)) != DOOR)
_SOIL = (GRASS, DIRT)
_FARMLAND = (FARMLAND, WET_FARMLAND)

Fits = Callable[[np.ndarray], np.ndarray]
"""Which cells int ``[N, 3]`` will do, bool ``[N]``."""

EITHER = {"cobblestone": "place_block", "dirt": "place_block", "oak_sapling": "place_sapling",
          "spruce_sapling": "place_sapling"}  # fmt: skip
"""Flat actions that place either of two items, the first carried first."""
_BEFORE = {"dirt": "cobblestone", "spruce_sapling": "oak_sapling"}


def place_action(item: str) -> str:
    """The flat action that places an item, or an empty text."""
    name = EITHER.get(item, f"place_{item}")
    return name if name in FLAT_ACTION_ID else ""


def goes_before(item: str) -> str:
    """The item that the same action would place instead as long as it is carried, or an empty text."""
    return _BEFORE.get(item, "")


def stands_on(block: int, below: np.ndarray) -> np.ndarray:
    """Where a block has under it what it needs, by ``support.stands_on``; ``below``: block ids ``[N]``."""
    if block == CACTUS:
        return (below == SAND) | (below == CACTUS)
    if block in (TORCH, BED):
        return _IS_WALL[below]
    if block == DOOR:
        return (IS_SOLID[below] | (below == OPEN_DOOR)) & (below != DOOR)
    if BLOCKS[block].name.startswith("wheat_"):
        return np.isin(below, _FARMLAND)
    if SHAPE[block] == Shape.PLANT:
        return np.isin(below, _SOIL)
    return np.ones(below.shape, dtype=bool)


def aim_to_put(view: Outlook, item: str, fits: Fits | None = None) -> Aim | None:
    """The quickest way to look so that an item's block can be put up.

    Args:
        view: The world.
        item: Name of the item.
        fits: Which cells will do; all by default.

    Returns:
        None if there is no way; else an aim whose ``wanted`` is the cell that would be filled.
    """
    block = BLOCK_ID[ITEMS[ITEM_ID[item]].places]
    cells, distance, axes = trace(view.eye)
    yaw, pitch, d = directions()
    seen = view.blocks_at(cells)
    stops = IN_CROSSHAIR[seen] & (distance <= REACH)
    first, rays = stops.argmax(axis=0), np.arange(cells.shape[1])
    hit, hit_block, axis = cells[first, rays], seen[first, rays], axes[first, rays]
    normal = np.zeros_like(hit)
    normal[rays, axis] = -np.sign(d[rays, axis])
    over = REPLACEABLE[hit_block]
    normal[over] = (0, 0, 1)
    into = np.where(over[:, None], hit, hit + normal)
    below = view.blocks_at(into - np.array([0, 0, 1]))
    against = np.where(over, below, hit_block)
    good = stops.any(axis=0) & ((first > 0) | over) & REPLACEABLE[view.blocks_at(into)]
    good &= _supported(block, below, against, normal[:, 2])
    if IS_SOLID[block]:
        good &= ~overlaps_body(view, into)
    if block == DOOR:
        above = into + np.array([0, 0, 1])
        good &= (view.blocks_at(above) == AIR) & ~overlaps_body(view, above)
    if fits is not None:
        good &= fits(into)
    if not good.any():
        return None
    total = np.where(good, STEP_TICKS * turn_steps(view, yaw, pitch), math.inf)
    ray = int(total.argmin())
    return Aim(int(yaw[ray]), int(pitch[ray]), as_cell(hit[ray]), as_cell(into[ray]), float(total[ray]))


def _supported(block: int, below: np.ndarray, against: np.ndarray, up: np.ndarray) -> np.ndarray:
    if block == TORCH:
        return _IS_WALL[against] & (up >= 0)
    if block == LADDER:
        return _IS_WALL[against] & (up == 0)
    return stands_on(block, below)
