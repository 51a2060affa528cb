from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from farlands.evaluation.statistics import bootstrap_interval, interquartile_mean, wilson_interval


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


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=60).filter(lambda values: len(values) % 4 == 0))
def test_interquartile_mean_equals_scipys_where_quarters_are_whole(values):
    assert interquartile_mean(np.array(values)) == pytest.approx(stats.trim_mean(values, 0.25), abs=1e-6, rel=1e-9)


def test_interquartile_mean_of_few():
    assert interquartile_mean(np.array([3.0])) == 3.0
    assert interquartile_mean(np.array([0.0, 1.0, 100.0])) == pytest.approx((0.25 * 0 + 1 + 0.25 * 100) / 1.5)


def test_bootstrap_covers_about_as_often_as_it_says():
    generator = np.random.default_rng(0)
    inside = 0
    for index in range(300):
        estimate = bootstrap_interval(generator.normal(1.0, 2.0, size=60), samples=300, seed=index)
        inside += estimate.low <= 1.0 <= estimate.high
    assert 0.90 <= inside / 300 <= 0.98
