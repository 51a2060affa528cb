from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from farlands.evaluation.statistics import (
    bootstrap_interval,
    difference_interval,
    interquartile_mean,
    ratio_interval,
    resample_weights,
    share_interval,
    wilson_interval,
)


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_equals_scipys(case):
    successes, trials = case
    ours = wilson_interval(successes, trials)
    theirs = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert ours.value == successes / trials
    assert ours.low == pytest.approx(theirs.low, abs=1e-6)
    assert ours.high == pytest.approx(theirs.high, abs=1e-6)
    assert 0 <= ours.low <= ours.value <= ours.high <= 1


def test_wilson_of_nothing_and_of_nonsense():
    nothing = wilson_interval(0, 0)
    assert math.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0, 1)
    with pytest.raises(ValueError, match="successes is 3"):
        wilson_interval(3, 2)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
def test_interquartile_mean_equals_scipys(values):
    assert interquartile_mean(np.array(values)) == pytest.approx(stats.trim_mean(values, 0.25), abs=1e-6, rel=1e-9)


def test_weights_are_counts_of_draws():
    weights = np.concatenate(list(resample_weights(7, 5000, 0)))
    assert weights.shape == (5000, 7)
    assert (weights.sum(axis=1) == 7).all()
    # Each count is binomial(7, 1/7): mean 1, variance 6/7.
    assert weights.mean() == 1.0
    assert weights.var(axis=0) == pytest.approx(np.full(7, 6 / 7), rel=0.1)


def test_bootstrap_equals_scipys():
    values = np.random.default_rng(3).exponential(2.0, size=80)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=1).confidence_interval
    ours = bootstrap_interval(values, samples=20_000)
    assert ours.value == pytest.approx(values.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_difference_equals_scipys():
    generator = np.random.default_rng(4)
    left, right = generator.normal(3, 1, size=50), generator.normal(1, 2, size=90)
    ours = difference_interval(left, right, samples=20_000)
    theirs = stats.bootstrap(
        (left, right),
        lambda a, b, axis=-1: a.mean(axis) - b.mean(axis),
        method="percentile",
        n_resamples=20_000,
        rng=1,
    ).confidence_interval
    assert ours.value == pytest.approx(left.mean() - right.mean())
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_ratio_resamples_pairs():
    below = np.random.default_rng(5).uniform(1, 3, size=40)
    # A constant ratio has no uncertainty, which only shows where pairs stay together.
    assert ratio_interval(2.5 * below, below) == pytest.approx((2.5, 2.5, 2.5))
    assert math.isnan(ratio_interval(np.ones(4), np.zeros(4)).value)


def test_nothing_is_known_of_nothing():
    for estimate in (bootstrap_interval(np.array([])), difference_interval(np.array([]), np.ones(3))):
        assert all(math.isnan(number) for number in estimate)


def test_the_same_values_give_the_same_interval():
    values = np.random.default_rng(6).normal(size=300)
    assert bootstrap_interval(values) == bootstrap_interval(values)


def test_bootstrap_covers_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    inside = 0
    for index in range(300):
        estimate = bootstrap_interval(generator.normal(1.0, 2.0, size=60), samples=300, seed=index)
        inside += estimate.low <= 1.0 <= estimate.high
    assert 0.90 <= inside / 300 <= 0.98


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=30), st.integers(2, 4))
def test_copies_in_a_group_say_nothing_new(values, copies):
    alone, repeated = np.array(values), np.repeat(values, copies)
    groups = np.repeat(np.arange(len(values)), copies)
    for ours, theirs in (
        (bootstrap_interval(repeated, groups=groups), bootstrap_interval(alone)),
        (ratio_interval(repeated, repeated**2 + 1, groups=groups), ratio_interval(alone, alone**2 + 1)),
        (share_interval(repeated > 0, groups), share_interval(alone > 0)),
        (difference_interval(repeated, repeated + 1, groups=(groups, groups)), difference_interval(alone, alone + 1)),
    ):
        assert np.array(ours) == pytest.approx(np.array(theirs), rel=1e-6, abs=1e-6)


def test_groups_that_are_mixed_inside_count_almost_as_if_alone():
    drawn = np.random.default_rng(5)
    groups, hits = np.repeat(np.arange(500), 4), drawn.random(2000) < 0.3
    alone, grouped = share_interval(hits), share_interval(hits, groups)
    assert grouped.value == alone.value
    assert 0.85 < (grouped.high - grouped.low) / (alone.high - alone.low) < 1.15
    values = drawn.normal(size=2000)
    alone, grouped = bootstrap_interval(values), bootstrap_interval(values, groups=groups)
    assert 0.85 < (grouped.high - grouped.low) / (alone.high - alone.low) < 1.15


def test_shares_of_groups_cover_as_often_as_they_say():
    """Four agents of a level do as it goes on that level, nine times in ten: as if alone, far too sure."""
    drawn, covered, naive = np.random.default_rng(9), 0, 0
    groups = np.repeat(np.arange(100), 4)
    for _ in range(400):
        luck = np.repeat(drawn.random(100) < 0.4, 4)
        hits = np.where(drawn.random(400) < 0.9, luck, drawn.random(400) < 0.4)
        covered += share_interval(hits, groups).low <= 0.4 <= share_interval(hits, groups).high
        naive += share_interval(hits).low <= 0.4 <= share_interval(hits).high
    assert covered > 0.92 * 400
    assert naive < 0.8 * 400


def test_groups_without_a_difference_are_worth_their_number():
    groups = np.repeat(np.arange(6), 3)
    assert share_interval(np.zeros(18, dtype=bool), groups) == wilson_interval(0, 6)
    assert share_interval(np.ones(18, dtype=bool), groups).low == pytest.approx(wilson_interval(6, 6).low)
    assert math.isnan(share_interval(np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int64)).value)
