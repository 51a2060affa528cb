"""How kernels are compiled: the options that bit-equality between devices rests on can't be seen in CPU results."""

from __future__ import annotations

import importlib
import pkgutil

import numpy as np
import pytest
import warp as wp
from hypothesis import given
from hypothesis import strategies as st

import farlands.worlds
from farlands.worlds.kernels import MODULE_OPTIONS, kernel
from farlands.worlds.voxel.rng import Purpose, draw, pcg4d_host
from farlands.worlds.voxel.world import VoxelWorld


def world_kernels() -> list[wp.Kernel]:
    found = []
    for info in pkgutil.walk_packages(farlands.worlds.__path__, "farlands.worlds."):
        if ".adapters" not in info.name:
            module = importlib.import_module(info.name)
            found += [v for v in vars(module).values() if isinstance(v, wp.Kernel) and v.module.name == info.name]
    return found


def test_every_world_kernel_is_compiled_with_the_agreed_options():
    VoxelWorld(1).reset(0)
    kernels = world_kernels()
    assert len(kernels) >= 10
    for one in kernels:
        options = one.module.options
        assert {name: options[name] for name in MODULE_OPTIONS} == MODULE_OPTIONS, one.key
        assert one.module.name.startswith("farlands.worlds."), one.key
        assert one.key.startswith("_"), f"{one.key} is public"
    assert MODULE_OPTIONS["enable_backward"] is False
    assert MODULE_OPTIONS["fuse_fp"] is False
    assert MODULE_OPTIONS["fast_math"] is False


@kernel
def _draw_kernel(
    seeds: wp.array2d(dtype=wp.uint32),
    keys: wp.array2d(dtype=wp.int32),
    out: wp.array2d(dtype=wp.uint32),
):
    i = wp.tid()
    words = draw(seeds[i, 0], seeds[i, 1], keys[i, 0], keys[i, 1], keys[i, 2])
    for k in range(4):
        out[i, k] = words[k]


def _draw_on_device(seeds: np.ndarray, keys: np.ndarray) -> np.ndarray:
    out = wp.zeros((len(seeds), 4), dtype=wp.uint32, device="cpu")
    inputs = [wp.array(seeds, dtype=wp.uint32, device="cpu"), wp.array(keys, dtype=wp.int32, device="cpu")]
    wp.launch(_draw_kernel, len(seeds), inputs=inputs, outputs=[out], device="cpu")
    return out.numpy()


def _pcg4d_reference(x: int, y: int, z: int, w: int) -> tuple[int, ...]:
    """The published function with a third round, and its xor-shift after each, in plain Python integers."""
    mask = 0xFFFFFFFF
    x, y, z, w = ((v * 1664525 + 1013904223) & mask for v in (x, y, z, w))
    for _ in range(3):
        x = (x + y * w) & mask
        y = (y + z * x) & mask
        z = (z + x * y) & mask
        w = (w + y * z) & mask
        x, y, z, w = (v ^ (v >> 16) for v in (x, y, z, w))
    return x, y, z, w


def test_draws_are_equal_in_kernels_on_the_host_and_in_plain_integers():
    generator = np.random.default_rng(0)
    seeds = generator.integers(0, 2**32, (200, 2), dtype=np.uint32)
    counters = generator.integers(-(2**31), 2**31, 200).astype(np.int32)
    indices, purposes = generator.integers(0, 2**22, 200), generator.integers(1, 2**10, 200)
    words = _draw_on_device(seeds, np.stack([counters, indices, purposes], axis=1).astype(np.int32))
    key = (purposes.astype(np.uint64) << np.uint64(22)) ^ indices.astype(np.uint64)
    host = np.stack(pcg4d_host(seeds[:, 0], seeds[:, 1], counters.astype(np.int64), key), axis=1)
    np.testing.assert_array_equal(words, host)
    for i in range(0, 200, 20):
        plain = _pcg4d_reference(*(int(v) for v in seeds[i]), int(counters[i]) & 0xFFFFFFFF, int(key[i]))
        assert tuple(int(v) for v in words[i]) == plain


key_parts = st.tuples(st.integers(0, 2**22 - 1), st.sampled_from([int(p) + k for p in Purpose for k in range(20)]))


@given(one=key_parts, other=key_parts)
def test_no_two_purposes_share_a_draw(one, other):
    """The key (purpose, index) is injective over the allowed range, and pcg4d is a bijection of its 128 bits."""
    keys = [(purpose << 22) ^ index for index, purpose in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert max(keys) < 2**32


def test_purposes_fit_and_are_distinct():
    values = [int(purpose) for purpose in Purpose]
    assert len(set(values)) == len(values)
    assert max(values) == Purpose.NOISE
    assert max(values) + 20 < 2**10


def _streams(along: str, purpose: Purpose) -> np.ndarray:
    """uint32 ``[4, seeds, draws]``: one stream of draws for each of many seeds, along the counter or the index."""
    generator = np.random.default_rng(1)
    low, high = generator.integers(0, 2**32, (2, 500, 1), dtype=np.uint64)
    steps = np.arange(4096, dtype=np.uint64)[None]
    counter, index = (steps, np.uint64(12_345)) if along == "counter" else (np.uint64(777), steps * np.uint64(64))
    return np.stack(pcg4d_host(low, high, counter, (np.uint64(purpose) << np.uint64(22)) ^ index))


@pytest.mark.parametrize("along", ["counter", "index"])
@pytest.mark.parametrize("purpose", [Purpose.DROP, Purpose.VEIN, Purpose.NOISE])
def test_every_bit_is_fair_within_every_seed(along, purpose):
    """Not only on average over seeds: within one world's own stream, low bits too (``%`` and ``&`` look at those)."""
    words = _streams(along, purpose)
    for bit in (0, 1, 2, 3, 7, 15, 16, 31):
        share = ((words >> np.uint32(bit)) & 1).mean(axis=2)
        assert np.abs(share - 0.5).max() < 5.5 * 0.5 / np.sqrt(words.shape[2]), bit
        assert share.std() < 1.2 * 0.5 / np.sqrt(words.shape[2]), bit


@pytest.mark.parametrize("along", ["counter", "index"])
@pytest.mark.parametrize("n", [6, 10, 20, 40])
def test_small_chances_are_fair_within_every_seed(along, n):
    share = (_streams(along, Purpose.DROP) % n == 0).mean(axis=2)
    spread = np.sqrt((1 / n) * (1 - 1 / n) / 4096)
    assert np.abs(share - 1 / n).max() < 6 * spread
    assert share.std() < 1.2 * spread


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pearson's coefficient along the last axis."""
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    return (a * b).sum(axis=-1) / np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))


@pytest.mark.parametrize("change", ["purpose", "index", "counter", "seed", "top_bit"])
def test_neighbouring_streams_are_uncorrelated(change):
    """Streams that differ by one in one thing, or in a seed's top bit: correlations as of independent draws."""
    generator = np.random.default_rng(2)
    low, high = generator.integers(0, 2**32, (2, 300, 1), dtype=np.uint64)
    draws = np.arange(2048, dtype=np.uint64)[None]
    key = np.uint64(Purpose.DROP << 22)
    step = {name: np.uint64(name == change) for name in ("purpose", "index", "counter", "seed")}
    base = pcg4d_host(low, high, draws, key)
    other_key = key + (step["purpose"] << np.uint64(22)) + step["index"]
    top = np.uint64((change == "top_bit") << 31)
    others = pcg4d_host(low ^ step["seed"] ^ top, high, draws + step["counter"], other_key)
    for a, b in zip(base, others, strict=True):
        for mask, shift in ((0xFFFFFFFF, 0), (0xFF, 0), (0xFF, 24)):
            parts = [((v >> np.uint32(shift)) & np.uint32(mask)).astype(np.float64) for v in (a, b)]
            score = _correlation(*parts) * np.sqrt(2048)
            assert np.abs(score).max() < 5.5
            assert score.std() < 1.25
