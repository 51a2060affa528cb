from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from farlands.evaluation.aggregates import (
    aggregate_interval,
    aggregates,
    interquartile_mean,
    mean,
    median,
    optimality_gap,
    performance_profile,
    probability_of_improvement,
)

SCORES = hnp.arrays(np.float64, st.tuples(st.integers(1, 9), st.integers(1, 6)), elements=st.floats(-10, 10))


@given(SCORES)
def test_aggregates_equal_scipy_and_numpy(scores):
    assert interquartile_mean(scores[None])[0] == pytest.approx(stats.trim_mean(scores, 0.25, axis=None), abs=1e-9)
    assert mean(scores[None])[0] == pytest.approx(scores.mean(), abs=1e-9)
    assert median(scores[None])[0] == pytest.approx(np.median(scores.mean(axis=0)), abs=1e-9)
    shortfall = np.where(scores > 1.5, 0.0, 1.5 - scores).mean()
    assert optimality_gap(1.5)(scores[None])[0] == pytest.approx(shortfall, abs=1e-9)


@settings(max_examples=30)
@given(SCORES, SCORES)
def test_probability_of_improvement_equals_mann_whitney(ours, theirs):
    tasks = min(ours.shape[1], theirs.shape[1])
    ours, theirs = ours[:, :tasks], theirs[:, :tasks]
    pairs = len(ours) * len(theirs)
    expected = np.mean([stats.mannwhitneyu(ours[:, t], theirs[:, t]).statistic / pairs for t in range(tasks)])
    found = probability_of_improvement(ours, theirs, samples=50)
    assert found.value == pytest.approx(expected)
    assert 0 <= found.low <= found.high <= 1


def slow_bootstrap(scores, statistic, samples, seed):
    """Runs drawn for each task by itself, one resampling at a time."""
    generator = np.random.default_rng(seed)
    runs, tasks = scores.shape
    found = []
    for _ in range(samples):
        columns = [scores[generator.integers(runs, size=runs), task] for task in range(tasks)]
        found.append(statistic(np.stack(columns, axis=1)))
    return np.quantile(found, (0.025, 0.975), axis=0)


def test_intervals_equal_a_slow_stratified_bootstrap():
    scores = np.random.default_rng(0).normal([0.0, 1.0, 5.0], [1.0, 0.2, 0.5], size=(8, 3))
    fast = aggregate_interval(scores, interquartile_mean, samples=20_000)
    slow = slow_bootstrap(scores, lambda each: stats.trim_mean(each, 0.25, axis=None), 4_000, 1)
    assert (fast.low, fast.high) == pytest.approx(tuple(slow), abs=0.03)
    # Without strata the tasks' means would mix and the interval be several times as wide.
    assert fast.high - fast.low < 1.0


def test_profile_and_its_band_equal_a_slow_reference():
    scores = np.random.default_rng(1).uniform(size=(6, 4))
    thresholds = np.array([0.1, 0.5, 0.9])
    fast = performance_profile(scores, thresholds, samples=8_000)
    assert fast.share == pytest.approx([(scores > each).mean() for each in thresholds])
    low, high = slow_bootstrap(scores, lambda each: (each[..., None] > thresholds).mean(axis=(0, 1)), 4_000, 2)
    assert fast.low == pytest.approx(low, abs=0.05)
    assert fast.high == pytest.approx(high, abs=0.05)


def test_improvement_interval_equals_a_slow_reference():
    generator = np.random.default_rng(2)
    ours, theirs = generator.normal(0.5, 1, size=(6, 2)), generator.normal(0, 1, size=(9, 2))
    fast = probability_of_improvement(ours, theirs, samples=8_000)
    found = []
    for _ in range(3_000):
        shares = []
        for task in range(2):
            mine, yours = generator.choice(ours[:, task], 6), generator.choice(theirs[:, task], 9)
            shares.append((mine[:, None] > yours).mean())
        found.append(np.mean(shares))
    assert (fast.low, fast.high) == pytest.approx(tuple(np.quantile(found, (0.025, 0.975))), abs=0.03)


def test_chunks_change_nothing(monkeypatch):
    from farlands.evaluation import aggregates as module

    scores, others = np.random.default_rng(3).normal(size=(5, 3)), np.random.default_rng(4).normal(size=(7, 3))
    whole = aggregate_interval(scores, mean, samples=500), probability_of_improvement(scores, others, samples=500)
    monkeypatch.setattr(module, "_CHUNK", 100)
    assert aggregate_interval(scores, mean, samples=500) == whole[0]
    assert probability_of_improvement(scores, others, samples=500) == pytest.approx(whole[1])


def test_one_run_of_one_task_has_a_degenerate_interval():
    assert aggregate_interval(np.array([[3.0]]), mean, samples=10) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize("bad", [np.zeros(3), np.zeros((0, 2)), np.array([[np.nan, 1.0]])])
def test_scores_that_are_none(bad):
    with pytest.raises(ValueError, match=r"scores"):
        aggregates(bad)
    with pytest.raises(ValueError, match=r"scores"):
        performance_profile(bad, np.zeros(1))


def test_tasks_must_be_the_same():
    with pytest.raises(ValueError, match="2 and of 3 tasks"):
        probability_of_improvement(np.zeros((4, 2)), np.zeros((4, 3)))


def test_equals_rliable():
    pytest.importorskip("rliable")
    from rliable import metrics

    scores = np.random.default_rng(5).uniform(size=(10, 7))
    found = aggregates(scores, samples=10)
    assert found["interquartile_mean"].value == pytest.approx(metrics.aggregate_iqm(scores))
    assert found["mean"].value == pytest.approx(metrics.aggregate_mean(scores))
    assert found["median"].value == pytest.approx(metrics.aggregate_median(scores))
    assert found["optimality_gap"].value == pytest.approx(metrics.aggregate_optimality_gap(scores))
    others = np.random.default_rng(6).uniform(size=(6, 7))
    theirs = metrics.probability_of_improvement(scores, others)
    assert probability_of_improvement(scores, others, samples=10).value == pytest.approx(theirs)
