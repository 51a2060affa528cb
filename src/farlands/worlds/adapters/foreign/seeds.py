"""Level seeds of foreign worlds, in plain integers: workers derive them without torch, and as ``TorchWorld`` does."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

import numpy as np

_WORD = (1 << 64) - 1
_DERIVED = (1 << 63) - 1


def mix(word: int) -> int:
    """SplitMix64's step (Steele et al. 2014) on a 64-bit word."""
    word = (word + 0x9E3779B97F4A7C15) & _WORD
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _WORD
    return word ^ (word >> 31)


def streams(seed: int | Sequence[int], num_worlds: int, first_world: int = 0) -> list[int]:
    """Every world's stream of seeds: derived from one seed by its index from ``first_world`` on, or as given.

    Raises:
        ValueError: A seed is not an integer in [0, 2**64), or their number is not ``num_worlds``.
    """
    several = isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str)
    seeds = list(seed) if several else [seed]  # type: ignore[arg-type]
    if several and len(seeds) != num_worlds:
        raise ValueError(f"{len(seeds)} seeds for {num_worlds} worlds")
    for one in seeds:
        if isinstance(one, bool) or not isinstance(one, (int, np.integer)) or not 0 <= one < 1 << 64:
            raise ValueError(f"seed {one!r} is not an integer in [0, 2**64)")
    if several:
        return [int(one) for one in seeds]  # type: ignore[arg-type]
    base = mix(int(seeds[0]))  # type: ignore[arg-type]
    return [mix((base + index) & _WORD) & _DERIVED for index in range(first_world, first_world + num_worlds)]


def episode_seed(stream: int, episode: int) -> int:
    """Seed of a world's episode: of the first its stream itself, later ones derive from it with the top bit clear."""
    return stream if episode == 0 else mix((mix(stream) + episode) & _WORD) & _DERIVED


def fit_seed(seed: int, bits: int) -> int:
    """A seed for environments that take fewer bits; levels with the top bit set stay apart from those without."""
    if bits >= 64:
        return seed
    low = bits - 1
    return (seed >> 63) << low | (seed ^ seed >> low ^ seed >> 2 * low) & ((1 << low) - 1)


def digest(arrays: Iterable[np.ndarray]) -> int:
    """A 64-bit hash of arrays' bytes, in their order."""
    word = 0
    for array in arrays:
        data = np.ascontiguousarray(array).tobytes()
        word = mix(word ^ zlib.crc32(data) ^ zlib.adler32(data) << 32)
    return word
