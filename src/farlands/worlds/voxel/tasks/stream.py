"""Random numbers on the host as a pure function of a 64-bit seed, the same on every machine and version."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_WORDS = 16
_UNPACK = struct.Struct(f"<{_WORDS}I").unpack
_PACK = struct.Struct("<QQ").pack


class Stream:
    """Uniform draws from a seed: BLAKE2b of (seed, block number), in words of 32 bits.

    Args:
        seed: 64 bits.
        attempt: Keeps the streams of several attempts with one seed apart.
    """

    __slots__ = ("_at", "_block", "_seed", "_words")

    def __init__(self, seed: int, attempt: int = 0) -> None:
        self._seed = seed
        self._block = attempt << 32
        self._at = _WORDS
        self._words: tuple[int, ...] = ()

    def below(self, n: int) -> int:
        """A whole number of 0 to n - 1; n at most 2^16 (the bias is below n / 2^32)."""
        if self._at == _WORDS:
            self._words = _UNPACK(hashlib.blake2b(_PACK(self._seed, self._block), digest_size=64).digest())
            self._block += 1
            self._at = 0
        word = self._words[self._at]
        self._at += 1
        return word * n >> 32

    def chance(self, percent: int) -> bool:
        """True with so many chances of a hundred."""
        return self.below(100) < percent

    def pick(self, things: Sequence[T]) -> T:
        """One of some things."""
        return things[self.below(len(things))]
