"""Counter-based randomness: a pure function of (64-bit seed, two counters), so order and batch size change nothing.

The mixing function is pcg4d (Jarzynski and Olano, "Hash Functions for GPU Rendering", JCGT 9(3), 2020), with one round
more and its xor-shift after every round: as published, the low bits, which ``%`` and ``&`` look at, are biased within
most seeds, and seeds that differ in a top bit alone have related first words.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import warp as wp

_MASK = 0xFFFFFFFF
_ROUNDS = 3


class Purpose(IntEnum):
    """What a draw is for. Keeps streams apart: two purposes never share a draw. Values fit ten bits."""

    EPISODE_SEED = 1
    WORLD_STREAM = 2
    STAGGER = 3
    START_AREA = 4
    VEIN = 5
    TREE = 6
    PLANT = 7
    DROP = 8
    LAVA_LEVEL = 9
    SPAWN_HEADING = 10
    VISITED = 11
    GROWTH = 12
    CREATURE = 13
    LEAF = 14
    FIRE = 15
    FIRE_BURN = 16
    FIRE_SPREAD = 17
    """Three draws."""
    LAVA_FIRE = 20
    BLAST = 21
    BONE_MEAL = 22
    SPAWN = 23
    PACK = 24
    LOOT = 25
    AGENT_ORDER = 26
    START_PLACE = 27
    SCATTER = 28
    NOISE = 32
    """First of the noise fields; each field adds its own number."""


@wp.func
def pcg4d(x: wp.uint32, y: wp.uint32, z: wp.uint32, w: wp.uint32):
    """Mix 128 bits. Returns four independent uniform words."""
    x = x * wp.uint32(1664525) + wp.uint32(1013904223)
    y = y * wp.uint32(1664525) + wp.uint32(1013904223)
    z = z * wp.uint32(1664525) + wp.uint32(1013904223)
    w = w * wp.uint32(1664525) + wp.uint32(1013904223)
    turn = int(0)
    while turn < _ROUNDS:
        x = x + y * w
        y = y + z * x
        z = z + x * y
        w = w + y * z
        x = x ^ (x >> wp.uint32(16))
        y = y ^ (y >> wp.uint32(16))
        z = z ^ (z >> wp.uint32(16))
        w = w ^ (w >> wp.uint32(16))
        turn += 1
    return wp.vec4ui(x, y, z, w)


@wp.func
def draw(low: wp.uint32, high: wp.uint32, counter: int, index: int, purpose: int):
    """Four uniform words for seed ``high:low`` at (counter, index < 2^22, purpose < 2^10)."""
    key = (wp.uint32(purpose) << wp.uint32(22)) ^ wp.uint32(index)
    return pcg4d(low, high, wp.uint32(counter), key)


@wp.func
def one_in(word: wp.uint32, n: int):
    """True with chance 1/n (n > 0), from one uniform word."""
    return (word % wp.uint32(n)) == wp.uint32(0)


def pcg4d_host(x: np.ndarray, y: np.ndarray, z: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, ...]:
    """``pcg4d`` on uint32 arrays on the host; equal to the kernel's bit for bit."""
    x, y, z, w = (np.asarray(v, dtype=np.uint64) & _MASK for v in (x, y, z, w))
    x, y, z, w = ((v * 1664525 + 1013904223) & _MASK for v in (x, y, z, w))
    for _ in range(_ROUNDS):
        x = (x + y * w) & _MASK
        y = (y + z * x) & _MASK
        z = (z + x * y) & _MASK
        w = (w + y * z) & _MASK
        x, y, z, w = (v ^ (v >> np.uint64(16)) for v in (x, y, z, w))
    return x.astype(np.uint32), y.astype(np.uint32), z.astype(np.uint32), w.astype(np.uint32)
