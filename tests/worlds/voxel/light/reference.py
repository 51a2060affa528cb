"""Light by its definition, slowly: every cell looks at its neighbours until nothing changes."""

from __future__ import annotations

import numpy as np
import warp as wp

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.state import Clock
from farlands.worlds.voxel.world import VoxelWorld

OPAQUE = np.array([block.opaque for block in BLOCKS])
OWN = np.array([block.light for block in BLOCKS], dtype=np.int64)


def reference_light(blocks: np.ndarray) -> np.ndarray:
    """uint8 ``[S, S, 64]``, sky << 4 | block, of blocks uint8 ``[S, S, 64]`` from the window's least corner on."""
    opaque = OPAQUE[blocks]
    covered = np.maximum.accumulate(opaque[..., ::-1], axis=2)[..., ::-1]
    sky = spread(np.where(covered, 0, 15), opaque)
    return (sky << 4 | spread(OWN[blocks], opaque)).astype(np.uint8)


def spread(own: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """Levels from the cells' own, falling by one per step between cells that are not opaque."""
    level = own.copy()
    while True:
        padded = np.pad(level, 1)
        beside = [np.roll(padded, step, axis)[1:-1, 1:-1, 1:-1] for axis in range(3) for step in (1, -1)]
        new = np.where(opaque, own, np.maximum(level, np.max(beside, axis=0) - 1))
        if np.array_equal(new, level):
            return level
        level = new


def from_corner(world: VoxelWorld, name: str, w: int) -> np.ndarray:
    """uint8 ``[S, S, 64]``, an array of world ``w`` by cell, from the window's least corner on."""
    side = world.options.window
    clock = wp.to_torch(world.state.clock)
    shift = (-int(clock[Clock.ORIGIN_X, w]), -int(clock[Clock.ORIGIN_Y, w]))
    return np.roll(getattr(world.state, name).numpy()[w].reshape(side, side, 64), shift, axis=(0, 1))


def check_light(world: VoxelWorld, worlds: range | None = None) -> None:
    """The field of the worlds is the reference's, cell by cell, and nothing waits to be lit."""
    for w in worlds if worlds is not None else range(world.num_worlds):
        found, expected = from_corner(world, "light", w), reference_light(from_corner(world, "blocks", w))
        wrong = np.argwhere(found != expected)
        assert not len(wrong), (
            w, len(wrong), [(tuple(at.tolist()), hex(found[tuple(at)]), hex(expected[tuple(at)])) for at in wrong[:5]]
        )  # fmt: skip
    assert not wp.to_torch(world.state.light_count).any()
