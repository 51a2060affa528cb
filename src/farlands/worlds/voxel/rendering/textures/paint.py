"""How tiles are painted: a tile is uint8 ``[16, 16, 4]``, row 0 at the top; alpha is 0 or 255. Deterministic."""

from __future__ import annotations

import zlib

import numpy as np

TILE = 16
Colour = tuple[int, int, int]


def rng_of(name: str) -> np.random.Generator:
    """The stream of chances that belongs to a name."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def solid(colour: Colour) -> np.ndarray:
    """A tile of one colour, as floats."""
    tile = np.empty((TILE, TILE, 4), dtype=np.float64)
    tile[..., :3] = colour
    tile[..., 3] = 255
    return tile


def speckle(name: str, colour: Colour, spread: float = 10.0, grain: int = 1) -> np.ndarray:
    """A colour with brightness noise; ``grain`` 2 makes the specks two pixels wide."""
    noise = rng_of(name).normal(0.0, spread, (TILE // grain, TILE // grain, 1))
    tile = solid(colour)
    tile[..., :3] += np.kron(noise, np.ones((grain, grain, 1)))
    return tile


def blobs(tile: np.ndarray, name: str, colour: Colour, count: int, size: int = 2) -> np.ndarray:
    """Lumps of a colour with a darker lower edge, as in ore."""
    rng = rng_of(name + "blobs")
    for _ in range(count):
        y, x = rng.integers(1, TILE - size - 1, 2)
        lump = rng.random((size + 1, size + 1)) < 0.8
        for dy, dx in np.argwhere(lump):
            shade = 1.0 if dy < size else 0.72
            tile[y + dy, x + dx, :3] = np.array(colour) * shade * rng.uniform(0.9, 1.08)
    return tile


def framed(inner: np.ndarray, colour: Colour, border: int = 1) -> np.ndarray:
    """A tile with a border of a colour."""
    tile = inner.copy()
    edge = np.ones((TILE, TILE), dtype=bool)
    edge[border:-border, border:-border] = False
    tile[edge] = (*colour, 255)
    return tile


def draw_letters(rows: tuple[str, ...], colours: dict[str, Colour]) -> np.ndarray:
    """A tile from text: one letter per pixel, blank for nothing."""
    tile = np.zeros((TILE, TILE, 4))
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            if letter in colours:
                tile[y, x] = (*colours[letter], 255)
    return tile
