"""What bodies are made of: boxes with a texture each, some of them limbs that swing; and the bodies of creatures.

Sizes are sixteenths of a block; x to the right, y ahead, z up, from the middle of the feet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.rendering.textures.paint import TILE, Colour, speckle


@dataclass(frozen=True)
class Part:
    """A box of a body.

    Attributes:
        centre: Of its floor.
        size: Right, ahead, up.
        skin: Colour, and how mottled it is.
        spread: Brightness noise of the skin.
        face: Text drawing on its front, one letter per pixel over the whole face: see ``_PALETTE``.
        sides: The same for all other sides.
        swing: -1, 0 or 1: which way it swings with the stride, about the middle of its top.
        colours: Letters of its drawings beside those of ``_PALETTE``.
    """

    centre: tuple[float, float, float]
    size: tuple[float, float, float]
    skin: Colour
    spread: float = 9.0
    face: tuple[str, ...] = ()
    sides: tuple[str, ...] = ()
    swing: int = 0
    colours: Mapping[str, Colour] = field(default_factory=dict)


_PALETTE: dict[str, Colour] = {
    "k": (18, 18, 20), "w": (236, 236, 232), "p": (232, 150, 150), "n": (120, 78, 62), "r": (196, 30, 30),
    "y": (240, 190, 60), "g": (38, 66, 32), "d": (70, 70, 72), "b": (74, 50, 32),
}  # fmt: skip


def _legs(apart: float, along: float, size: tuple[float, float, float], skin: Colour) -> tuple[Part, ...]:
    """Four legs, those across from each other in step."""
    return tuple(
        Part((x * apart, y * along, 0), size, skin, swing=1 if x * y > 0 else -1) for x in (-1, 1) for y in (-1, 1)
    )


def _person(skin: Colour, shirt: Colour, trousers: Colour, limb: float, face: tuple[str, ...], *, reaching: bool):
    arms = [Part((x * (4 + limb / 2), 4, 19), (limb, 10, limb), skin) for x in (-1, 1)]
    if not reaching:
        arms = [Part((x * (4 + limb / 2), 0, 12), (limb, limb, 12), skin, swing=x) for x in (-1, 1)]
    return (
        Part((0, 0, 24), (8, 8, 7.5), skin, face=face),
        Part((0, 0, 12), (8, 4, 12), shirt),
        *arms,
        *(Part((x * 2.2, 0, 0), (limb, limb, 12), trousers, swing=-x) for x in (-1, 1)),
    )


_COW_FACE = ("        ", "  nnnn  ", "knnnnnnk", "knnnnnnk", "  nwwn  ", " pppppp ", " pkppkp ", " pppppp ")
_PIG_FACE = ("        ", "        ", "kw    wk", "        ", "  nnnn  ", "  nkkn  ", "  nnnn  ", "        ")
_SHEEP_FACE = ("wwwwwwww", "wwwwwwww", "ww    ww", "kw    wk", "        ", "        ", "  pppp  ", "  pppp  ")
_HEN_FACE = ("        ", " k    k ", "  yyyy  ", "  yyyy  ", "   rr   ", "   rr   ", "        ", "        ")
_ZOMBIE_FACE = ("gggggggg", "        ", "        ", " kk  kk ", "        ", "   dd   ", "  gggg  ", "        ")
_SKELETON_FACE = ("        ", "        ", "        ", " kk  kk ", " kk  kk ", "   kk   ", " kdkdkd ", "        ")
_SPIDER_FACE = ("        ", " r    r ", "        ", " rr  rr ", " rr  rr ", "        ", "  d  d  ", "  d  d  ")
_CREEPER_FACE = ("        ", " kk  kk ", " kk  kk ", "   kk   ", "  kkkk  ", "  kkkk  ", "  k  k  ", "        ")

_BROWN, _PINK, _WOOL, _GREEN = (86, 60, 42), (232, 152, 148), (226, 224, 216), (92, 150, 72)

MODELS: dict[str, tuple[Part, ...]] = {
    "cow": (
        Part((0, 0, 11), (12, 18, 11), _BROWN, 12.0),
        Part((0, -3, 10.9), (12.2, 5, 7), (222, 214, 204)),
        Part((0, 5, 15), (12.2, 4, 7.1), (222, 214, 204)),
        Part((0, 11.5, 15), (8, 6, 8), _BROWN, 12.0, _COW_FACE),
        Part((-4.5, 11, 22), (1, 1, 3), (214, 206, 190)),
        Part((4.5, 11, 22), (1, 1, 3), (214, 206, 190)),
        *_legs(3.8, 6.5, (4, 4, 11), (70, 48, 34)),
    ),
    "pig": (
        Part((0, 0, 6), (9, 15, 8), _PINK),
        Part((0, 10, 7), (8, 7, 8), _PINK, 6.0, _PIG_FACE),
        Part((0, 14, 8.5), (4, 1, 3), (206, 118, 112)),
        *_legs(2.6, 5.0, (4, 4, 6), (216, 136, 130)),
    ),
    "sheep": (
        Part((0, 0, 10), (12, 17, 11), _WOOL, 12.0),
        Part((0, 11, 15), (6, 7, 7), (200, 176, 150), 6.0, _SHEEP_FACE),
        *_legs(3.4, 5.8, (4, 4, 10), (206, 188, 164)),
    ),
    "chicken": (
        Part((0, 0, 4), (5, 7, 6), (240, 240, 236), 6.0),
        Part((0, 3.6, 8), (3.4, 3, 4), (240, 240, 236), 5.0, _HEN_FACE),
        Part((0, 5.7, 9.4), (2.4, 1.4, 1.2), (238, 182, 56)),
        Part((-2.8, 0, 5), (0.8, 5, 4), (214, 214, 208)),
        Part((2.8, 0, 5), (0.8, 5, 4), (214, 214, 208)),
        *(Part((x * 1.4, 0, 0), (1, 1, 4), (238, 182, 56), swing=x) for x in (-1, 1)),
    ),
    "zombie": _person((86, 140, 74), (38, 116, 122), (58, 54, 128), 4, _ZOMBIE_FACE, reaching=True),
    "skeleton": (
        *_person((204, 204, 198), (178, 178, 172), (198, 198, 192), 2, _SKELETON_FACE, reaching=True),
        Part((5, 9.5, 14), (0.8, 0.8, 12), (122, 86, 48)),
    ),
    "spider": (
        Part((0, -7, 4), (12, 12, 8), (44, 36, 34), 14.0),
        Part((0, 1, 5), (6, 6, 6), (52, 44, 42)),
        Part((0, 7, 4), (8, 8, 8), (48, 40, 38), 10.0, _SPIDER_FACE),
        *(
            Part((x * 8.0, y, height), (10, 1.2, 1.4), (38, 32, 30), swing=x if n % 2 else -x)
            for x in (-1, 1)
            for n, (y, height) in enumerate(((-6, 6), (-2, 7), (2, 7), (6, 6)))
        ),
        *(
            Part((x * 12.6, y, 0), (1.4, 1.2, 7), (30, 26, 24), swing=x if n % 2 else -x)
            for x in (-1, 1)
            for n, y in enumerate((-6, -2, 2, 6))
        ),
    ),
    "creeper": (
        Part((0, 0, 18), (8, 8, 8), _GREEN, 24.0, _CREEPER_FACE),
        Part((0, 0, 6), (8, 4, 12), _GREEN, 24.0),
        *_legs(2.0, 3.6, (4, 4, 6), (74, 124, 58)),
    ),
    "arrow": (
        Part((0, 0, 1.5), (0.8, 9, 0.8), (132, 96, 56)),
        Part((0, 5, 1.2), (1.6, 2, 1.6), (176, 176, 180)),
        Part((0, -4.5, 1), (2.2, 2, 2.2), (236, 236, 232)),
    ),
}  # fmt: skip
assert tuple(MODELS) == tuple(creature.name for creature in CREATURES)

SHORN = (222, 186, 172)
"""Skin of a sheep without its wool."""


def part_tiles(name: str, index: int, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """uint8 ``[16, 16, 4]`` tiles of a part: its front, and its other sides."""
    skin = speckle(f"{name}_{index}", part.skin, part.spread, 2)
    front, side = (_drawn(skin, drawing, _PALETTE | dict(part.colours)) for drawing in (part.face, part.sides))
    return front, side


def _drawn(skin: np.ndarray, drawing: tuple[str, ...], palette: Mapping[str, Colour]) -> np.ndarray:
    """A skin with a text drawing all over it; as many rows as letters in a row, 8 or 16."""
    tile = skin.copy()
    for row, line in enumerate(drawing):
        step = TILE // len(drawing)
        for column, letter in enumerate(line):
            if letter in palette:
                where = (slice(row * step, (row + 1) * step), slice(column * step, (column + 1) * step))
                tile[where] = (*palette[letter], 255)
    return np.clip(tile, 0, 255).astype(np.uint8)
