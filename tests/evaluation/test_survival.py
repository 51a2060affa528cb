from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from farlands.evaluation.survival import kaplan_meier

SUBJECTS = st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=60)


def split(subjects):
    time, happened = (np.array(column) for column in zip(*subjects, strict=True))
    return time.astype(float), happened.astype(bool)


@settings(max_examples=60, deadline=None)
@given(SUBJECTS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_curve_and_band_equal_scipys(subjects):
    time, happened = split(subjects)
    curve = kaplan_meier(time, happened)
    censored = stats.CensoredData(uncensored=time[happened], right=time[~happened])
    theirs = stats.ecdf(censored).sf
    steps = theirs.quantiles
    assert [curve.at(step).value for step in steps] == pytest.approx(theirs.probabilities, abs=1e-12)
    band = theirs.confidence_interval(0.95, method="log-log")
    for step, low, high in zip(steps, band.low.probabilities, band.high.probabilities, strict=True):
        ours = curve.at(step)
        if 0 < ours.value < 1:
            assert (ours.low, ours.high) == pytest.approx((low, high), abs=1e-6)
    assert (curve.low <= curve.share + 1e-12).all()
    assert (curve.high >= curve.share - 1e-12).all()


@given(SUBJECTS)
def test_restricted_mean_is_the_area(subjects):
    time, happened = split(subjects)
    curve = kaplan_meier(time, happened)
    for limit in (curve.limit, curve.limit / 2):
        grid = np.arange(0, limit, 0.5)
        area = sum(curve.at(at).value * min(0.5, limit - at) for at in grid)
        assert curve.restricted_mean(limit).value == pytest.approx(area, abs=1e-9)


def test_without_censoring_everything_is_plain():
    time = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0])
    curve = kaplan_meier(time, np.ones(6, dtype=bool))
    assert curve.restricted_mean().value == pytest.approx(time.mean())
    # Greenwood's variance of the area is that of the mean, with n below the line.
    spread = 1.959964 * time.std() / math.sqrt(6)
    assert curve.restricted_mean().low == pytest.approx(time.mean() - spread)
    assert curve.median().value == 3.0
    assert curve.at(4.0).value == pytest.approx(2 / 6)


def test_intervals_cover_about_as_often_as_they_say():
    generator, inside, means = np.random.default_rng(0), 0, 0
    for _ in range(400):
        life, watched = generator.exponential(10.0, size=60), generator.uniform(5, 30, size=60)
        curve = kaplan_meier(np.minimum(life, watched), life <= watched)
        found = curve.at(4.0)
        inside += found.low <= math.exp(-0.4) <= found.high
        area = curve.restricted_mean(5.0)
        means += area.low <= 10 * (1 - math.exp(-0.5)) <= area.high
    assert 0.92 <= inside / 400 <= 0.98
    assert 0.91 <= means / 400 <= 0.98


def test_what_never_happens():
    curve = kaplan_meier(np.array([5.0, 7.0]), np.zeros(2, dtype=bool))
    assert curve.at(6.0) == (1.0, 1.0, 1.0)
    assert curve.median().value == math.inf
    assert curve.restricted_mean() == (7.0, 7.0, 7.0)
    assert math.isnan(curve.at(8.0).value)


@pytest.mark.parametrize(
    ("time", "happened", "said"), [([], [], "at least one"), ([1.0], [], "at least one"), ([0.0], [True], "above 0")]
)
def test_subjects_that_are_none(time, happened, said):
    with pytest.raises(ValueError, match=said):
        kaplan_meier(np.array(time), np.array(happened, dtype=bool))


def test_a_limit_beyond_what_was_watched():
    with pytest.raises(ValueError, match="beyond 5"):
        kaplan_meier(np.array([5.0]), np.array([True])).restricted_mean(6)
