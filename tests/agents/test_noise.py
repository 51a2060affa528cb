import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.agents.noise import uniforms

WORD = (1 << 64) - 1


def mix(word: int) -> int:
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & WORD
    return word ^ (word >> 31)


def reference(seed: int, row: int, tick: int, index: int, purpose: int) -> float:
    """The same chain on Python's unbounded integers."""
    golden = 0x9E3779B97F4A7C15
    key = mix((mix((seed + golden) & WORD) + purpose + golden) & WORD)
    word = mix((row + key) & WORD)
    word = mix((word + mix((tick + mix((key + 1 + golden) & WORD)) & WORD)) & WORD)
    return ((mix((word + (index + 1) * golden) & WORD) >> 41) + 0.5) / 2**23


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, WORD),
    row=st.integers(0, 2**40),
    tick=st.integers(0, 2**62),
    index=st.integers(0, 9),
    purpose=st.integers(0, 5),
)
def test_equals_reference(seed, row, tick, index, purpose):
    drawn = uniforms(seed, torch.tensor([row]), torch.tensor(tick), 10, purpose)
    assert drawn.shape == (1, 10)
    assert drawn.dtype == torch.float32
    assert drawn[0, index].item() == reference(seed, row, tick, index, purpose)


def test_slices_equal_the_whole():
    rows, ticks = torch.arange(40), torch.arange(100, 120)
    whole = uniforms(3, rows, ticks, 5)
    assert whole.shape == (20, 40, 5)
    assert torch.equal(uniforms(3, rows[13:29], ticks, 5), whole[:, 13:29])
    assert torch.equal(uniforms(3, rows, ticks[7:], 5), whole[7:])
    assert torch.equal(uniforms(3, rows.flip(0), ticks[4], 3), whole[4].flip(0)[:, :3])


def test_strictly_inside():
    drawn = uniforms(1, torch.arange(2000), torch.arange(500), 1)
    assert drawn.min() > 0
    assert drawn.max() < 1
    assert torch.isfinite(torch.special.ndtri(drawn)).all()


def chi_square(values: torch.Tensor, bins: int) -> float:
    """Deviation of a chi-square statistic of uniform counts from its mean, in standard deviations."""
    counts = torch.bincount((values.flatten().double() * bins).long(), minlength=bins).double()
    expected = values.numel() / bins
    statistic = ((counts - expected) ** 2 / expected).sum().item()
    return (statistic - (bins - 1)) / math.sqrt(2 * (bins - 1))


@pytest.mark.parametrize("seed", [0, 1, 2**63, WORD])
def test_uniform_in_every_direction(seed):
    drawn = uniforms(seed, torch.arange(256), torch.arange(256), 8)
    assert abs(chi_square(drawn, 1000)) < 5
    assert abs(chi_square(drawn[0], 64)) < 5
    assert abs(chi_square(drawn[:, 0], 64)) < 5
    ordered = drawn.flatten().double().sort().values
    grid = (torch.arange(len(ordered)) + 0.5) / len(ordered)
    assert (ordered - grid).abs().max() * math.sqrt(len(ordered)) < 2.0  # Kolmogorov-Smirnov, p about 7e-4


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_neighbours_are_independent(axis):
    drawn = uniforms(7, torch.arange(256), torch.arange(256), 8).double()
    left, right = drawn.narrow(axis, 0, drawn.shape[axis] - 1), drawn.narrow(axis, 1, drawn.shape[axis] - 1)
    pairs = (left * 32).long() * 32 + (right * 32).long()
    assert abs(chi_square((pairs.double() + 0.5) / 1024, 1024)) < 5
    correlation = ((left - 0.5) * (right - 0.5)).mean().item() * 12
    assert abs(correlation) < 5 / math.sqrt(left.numel())


def test_seeds_and_purposes_are_independent():
    rows, ticks = torch.arange(512), torch.arange(64)
    streams = [uniforms(seed, rows, ticks, 1, purpose) for seed in (0, 1, 2) for purpose in (0, 1)]
    for i, one in enumerate(streams):
        for other in streams[:i]:
            correlation = ((one - 0.5) * (other - 0.5)).double().mean().item() * 12
            assert abs(correlation) < 5 / math.sqrt(one.numel())
