"""The look of every block and item, drawn by code: 16 x 16 RGBA tiles, deterministic, no picture files."""

from farlands.worlds.voxel.rendering.textures.blocks import FACES, block_tile
from farlands.worlds.voxel.rendering.textures.items import item_tile

__all__ = ["FACES", "block_tile", "item_tile"]
