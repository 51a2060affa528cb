"""Counter-based uniforms: a pure function of (seed, row, tick, index), equal on every device and under any sharding."""

from __future__ import annotations

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
_WORD = 1 << 64


def uniforms(seed: int, rows: Tensor, ticks: Tensor, k: int, purpose: int = 0) -> Tensor:
    """Uniforms strictly inside (0, 1), float32 ``[*, R, k]``, on the device of ``rows``.

    Each is a chain of SplitMix64 finalisers (Steele et al. 2014) over 64-bit words, of which 23 bits are kept, so
    that neither end rounds to 0 or 1.

    Args:
        seed: Of the run, in [0, 2**64).
        rows: int64 ``[R]``, global ids of rows.
        ticks: int64 ``[*]``, any shape.
        k: Uniforms per row and tick.
        purpose: Separates independent streams of one seed.
    """
    key = _mix_int(_mix_int(seed) + purpose)
    words = _mix(rows + _signed(key))
    words = _mix(words + _mix(ticks[..., None] + _signed(_mix_int(key + 1))))
    index = torch.arange(1, k + 1, device=rows.device) * _signed(_GOLDEN)
    bits = _shift(_mix(words[..., None] + index), 41)
    return (bits.to(torch.float32) + 0.5) * 2.0**-23


def _mix(words: Tensor) -> Tensor:
    """SplitMix64's finaliser; int64 products wrap as unsigned ones do."""
    words = (words ^ _shift(words, 30)) * _signed(_FIRST)
    words = (words ^ _shift(words, 27)) * _signed(_SECOND)
    return words ^ _shift(words, 31)


def _mix_int(word: int) -> int:
    """``_mix`` of ``word + _GOLDEN`` on Python integers, unsigned."""
    word = (word + _GOLDEN) % _WORD
    word = (word ^ (word >> 30)) * _FIRST % _WORD
    word = (word ^ (word >> 27)) * _SECOND % _WORD
    return word ^ (word >> 31)


def _shift(words: Tensor, bits: int) -> Tensor:
    """Logical shift right; torch's own is arithmetic."""
    return (words >> bits) & ((1 << (64 - bits)) - 1)


def _signed(word: int) -> int:
    """The int64 with the same bits."""
    return word - _WORD if word >> 63 else word
