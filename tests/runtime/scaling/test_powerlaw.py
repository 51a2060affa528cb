"""Fits find the exponents that data was made with, say how sure they are, and say where no power law holds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.runtime.scaling.powerlaw import describe, fit_points, fit_rounds

SIZES = (64, 128, 256, 512)


def rounds(law, spread: float = 0.0, count: int = 7, seed: int = 0) -> np.ndarray:
    """Values of a law in rounds, with noise of its own in each and a slowness that a whole round shares."""
    generator = np.random.default_rng(seed)
    own, shared = generator.normal(0, spread, (count, len(SIZES))), generator.normal(0, 3 * spread, (count, 1))
    return np.array([law(size) for size in SIZES]) * np.exp(own + shared)


@given(exponent=st.floats(-2, 3), factor=st.floats(1e-6, 1e6))
def test_an_exact_law_is_found_exactly(exponent, factor):
    fit = fit_rounds(SIZES, rounds(lambda size: factor * size**exponent))
    assert fit.exponent.value == pytest.approx(exponent, abs=1e-6)
    assert fit.exponent.low == pytest.approx(exponent, abs=1e-6)
    assert fit.factor == pytest.approx(factor, rel=1e-6)
    assert fit.holds
    assert fit.local == pytest.approx([exponent] * 3, abs=1e-6)


@given(exponent=st.floats(0, 2), seed=st.integers(0, 10_000))
def test_noise_that_a_round_shares_does_not_matter(exponent, seed):
    fit = fit_rounds(SIZES, rounds(lambda size: size**exponent, 0.05, seed=seed), samples=200)
    assert fit.exponent.value == pytest.approx(exponent, abs=0.15)
    assert fit.exponent.low <= fit.exponent.value <= fit.exponent.high
    assert fit.holds


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    fits = [fit_rounds(SIZES, rounds(lambda size: size**0.7, 0.1, seed=seed), samples=300) for seed in range(200)]
    held = np.mean([fit.exponent.low <= 0.7 <= fit.exponent.high for fit in fits])
    assert 0.9 < held <= 1.0


def test_a_fixed_cost_is_no_power_law():
    fit = fit_rounds(SIZES, rounds(lambda size: 200 + size))
    assert not fit.holds
    assert fit.local[0] < fit.local[-1]
    assert fit.affine is not None
    assert (fit.affine.fixed, fit.affine.each) == pytest.approx((200, 1))
    assert fit.affine.deviation == pytest.approx(0, abs=1e-9)
    said = describe(fit, "seconds", "worlds")
    assert "no power law" in said
    assert "200 + 1 each is off by 0%" in said


@pytest.mark.parametrize(("law", "terms"), [(lambda x: 3 * x**1.5, "fixed"), (lambda x: 3 / x, "each")])
def test_neither_term_is_negative(law, terms):
    affine = fit_rounds(SIZES, rounds(law)).affine
    assert affine is not None
    assert getattr(affine, terms) == 0.0


def test_two_sizes_make_a_line_and_no_more():
    fit = fit_rounds((1, 2), np.array([[1.0, 1.8], [1.1, 1.9]]))
    assert fit.exponent.value == pytest.approx(0.82, abs=0.05)
    assert fit.affine is None


@pytest.mark.parametrize(
    ("sizes", "values"),
    [((1, 2), [[1.0]]), ((1, 1), [[1.0, 2.0]]), ((0, 1), [[1.0, 2.0]]), ((1, 2), [[1.0, -2.0]]),
     ((1, 2), [[1.0, math.nan]]), ((1, 2), np.empty((0, 2)))],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused(sizes, values):
    with pytest.raises(ValueError, match=r"expected|must be|needs"):
        fit_rounds(sizes, np.asarray(values, dtype=float))


def test_points_and_groups():
    x = np.repeat([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3)
    noise = np.repeat(np.random.default_rng(0).normal(0, 0.5, 6), 3)
    groups = np.repeat(np.arange(6), 3)
    y = 10 * x**2 * np.exp(noise)
    alone, together = fit_points(list(x), list(y)), fit_points(list(x), list(y), groups)
    assert alone.exponent.value == together.exponent.value == pytest.approx(2.0, abs=0.8)
    width = together.exponent.high - together.exponent.low
    assert width > 1.2 * (alone.exponent.high - alone.exponent.low), "three runs of one skill are not three skills"
