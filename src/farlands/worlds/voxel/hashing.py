"""The state hash: one 64-bit number per world that any single changed element changes.

Each element, as an integer, is multiplied by an odd 64-bit weight drawn from its place and summed with wrap-around. A
change of one element changes the sum (an odd factor is invertible modulo 2^64); sums don't depend on order, so CPU and
GPU agree.
"""

from __future__ import annotations

import functools
import zlib

import numpy as np
import torch


@functools.cache
def _weights(name: str, size: int) -> torch.Tensor:
    """Odd int64 ``[size]`` weights of an array, by splitmix64 (Steele, Lea and Flood, 2014) of its name and place."""
    with np.errstate(over="ignore"):
        x = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x += np.uint64(zlib.crc32(name.encode())) << np.uint64(20)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = (x ^ (x >> np.uint64(31))) | np.uint64(1)
    return torch.from_numpy(x.view(np.int64))


def hash_array(name: str, array: torch.Tensor) -> torch.Tensor:
    """int64 ``[W]`` hash of an integer array ``[W, ...]``."""
    flat = array.reshape(array.shape[0], -1)
    if flat.dtype == torch.uint8 and flat.shape[1] % 8 == 0 and flat.is_contiguous():
        flat = flat.view(torch.int64)
    weights = _weights(name, flat.shape[1]).to(flat.device)
    return torch.stack([(row.to(torch.int64) * weights).sum() for row in flat])
