"""Other looks: hues, grain and brightness that differ from the standard ones. They touch pictures, never state."""

from __future__ import annotations

import re
import zlib

import numpy as np

from farlands.worlds.voxel.rendering.textures.paint import TILE

_STATE = re.compile(r"^(falling|lit|open|wet|ripe)_|_\d$")
"""What tells the states of one block apart: they keep their likeness."""
_LUMA = np.array([0.299, 0.587, 0.114])
_SPREAD = 14.0
"""Greatest standard deviation of the grain, of 255."""


def restyle(tile: np.ndarray, name: str, seed: int) -> np.ndarray:
    """A tile in other hues and with other grain; its shape and transparency stay.

    All faces of a block turn by one hue. Grey tiles take a tint, so that stone differs too.

    Args:
        tile: uint8 ``[16, 16, 4]``.
        name: Of the block or item.
        seed: Which looks; 0 gives the tile back.

    Returns:
        uint8 ``[16, 16, 4]``.
    """
    if seed == 0:
        return tile
    rng = np.random.default_rng([seed, zlib.crc32(_STATE.sub("", name).encode())])
    colour = tile[..., :3].astype(np.float64)
    turned = colour @ _hue_turn(rng.uniform(0.0, 2 * np.pi)).T
    tint = rng.normal(0.0, 1.0, 3)
    tint = (tint - tint @ _LUMA) * 16.0
    light = rng.uniform(0.8, 1.2)
    grain = rng.normal(0.0, rng.uniform(0.0, _SPREAD), (TILE, TILE, 1))
    out = tile.copy()
    out[..., :3] = np.clip((turned + tint) * light + grain, 0, 255).astype(np.uint8)
    return out


def _hue_turn(angle: float) -> np.ndarray:
    """float64 ``[3, 3]``: turns colours about the axis of greys (Rodrigues)."""
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.cos(angle) * np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * np.outer(axis, axis)


def tone_curve(gamma: float) -> np.ndarray:
    """uint8 ``[256]``: what each level of a channel becomes, ``255 (v / 255) ** gamma``."""
    return np.round(255.0 * (np.arange(256) / 255.0) ** gamma).astype(np.uint8)
