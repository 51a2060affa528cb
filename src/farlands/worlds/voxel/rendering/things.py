"""The bodies of items that lie on the ground or are held: small cubes of blocks, and upright pictures of all else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS, Shape
from farlands.worlds.voxel.items import Item
from farlands.worlds.voxel.rendering.restyle import restyle
from farlands.worlds.voxel.rendering.textures import block_tile, item_tile

_CUBE, _LID, _PICTURE = 5.0, 0.03, 7.0
"""Side of a cube, how far its lid stands out, and side of a picture; sixteenths of a block."""
_LOW = {"bed": 0.5625}
"""Heights of those that are no whole cubes."""


@dataclass(frozen=True)
class Slab:
    """A box with a texture all over it.

    Attributes:
        low, high: Corners in sixteenths of a block from the middle of the underside: right, ahead, up.
        tile: uint8 ``[16, 16, 4]``; what is transparent lets rays pass.
    """

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    tile: np.ndarray


def thing(item: Item, texture_seed: int) -> tuple[Slab, ...]:
    """The body of an item: a cube with a lid, for it may look different from above, or a picture as thin as light."""
    if item.name == "nothing":
        return ()
    style = item.places or item.name
    half = _CUBE / 2
    if item.places == item.name and BLOCKS[BLOCK_ID[item.name]].shape == Shape.CUBE:
        side, top = (restyle(block_tile(item.name, face), style, texture_seed) for face in ("side", "top"))
        tall = _CUBE * _LOW.get(item.name, 1.0)
        return (
            Slab((-half, -half, 0.0), (half, half, tall), side),
            Slab((-half, -half, tall), (half, half, tall + _LID), top),
        )
    picture = restyle(item_tile(item.name, item.places), style, texture_seed)
    return (Slab((-_PICTURE / 2, 0.0, 0.0), (_PICTURE / 2, 0.0, _PICTURE), picture),)
