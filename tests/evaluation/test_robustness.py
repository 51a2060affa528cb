from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from farlands.evaluation.report import Report
from farlands.evaluation.robustness import Condition, generalisation_gap, robustness

from .conftest import SCALE, make_episodes, random_episodes


def shifted(episodes, factor, rows):
    """The first rows with another return, in another order."""
    order = np.arange(rows)[::-1]
    arrays = {name: value[order] for name, value in vars(episodes).items() if name != "dropped"}
    return dataclasses.replace(episodes, **{**arrays, "reward": arrays["reward"] * factor})


def test_levels_are_compared_with_themselves():
    clean = random_episodes(60, lift=2.0)
    found = robustness(
        clean, [Condition("wind", "1", shifted(clean, 0.5, 20)), Condition("wind", "2", shifted(clean, 0.25, 20))]
    )
    # Every level keeps exactly half: paired, that has no uncertainty; unpaired it would.
    assert found["axes"]["wind"]["1"]["kept"] == pytest.approx((0.5, 0.5, 0.5))
    assert found["axes"]["wind"]["1"]["difference"].value == pytest.approx(-0.5 * clean.reward[:20].mean())
    assert found["mean_kept"] == pytest.approx(0.375)


def test_worst_axis():
    clean = random_episodes(60, lift=2.0)
    conditions = [
        Condition(axis, "x", shifted(clean, factor, 60)) for axis, factor in (("a", 0.9), ("b", 0.3), ("c", 0.6))
    ]
    found = robustness(clean, conditions)
    assert (found["worst_axis"], found["worst_kept"]) == ("b", pytest.approx(0.3))
    assert found["mean_kept"] == pytest.approx(0.6)


def test_ranges_are_summed_up_apart():
    clean = random_episodes(60, lift=2.0)
    conditions = [
        Condition("wind", "1", shifted(clean, 0.9, 60), "train"),
        Condition("wind", "2", shifted(clean, 0.7, 60), "train"),
        Condition("wind", "8", shifted(clean, 0.2, 60), "held-out"),
        Condition("rain", "1", shifted(clean, 0.6, 60), "train"),
        Condition("rain", "9", shifted(clean, 0.5, 60), "held-out"),
        Condition("frost", "3", shifted(clean, 0.1, 60)),
    ]
    found = robustness(clean, conditions)
    train, held_out = found["parts"]["train"], found["parts"]["held-out"]
    assert train["kept"] == {"wind": pytest.approx(0.8), "rain": pytest.approx(0.6)}
    assert (train["mean_kept"], train["worst_axis"]) == (pytest.approx(0.7), "rain")
    assert held_out["kept"] == {"wind": pytest.approx(0.2), "rain": pytest.approx(0.5)}
    assert (held_out["worst_axis"], held_out["worst_kept"]) == ("wind", pytest.approx(0.2))
    assert (found["worst_axis"], found["worst_kept"]) == ("frost", pytest.approx(0.1))
    report = Report("storm", SCALE, clean, conditions=tuple(conditions))
    assert report.part_heads() == ["train range", "held-out range"]
    assert report.part_rows() == [
        ["wind", "80%", "20%"],
        ["rain", "60%", "50%"],
        ["mean over axes", "70%", "35%"],
        ["worst axis", "60% (rain)", "20% (wind)"],
    ]


def test_where_no_share_is_known_the_change_is_shown():
    clean = random_episodes(60, lift=-9.0)
    report = Report("storm", SCALE, clean, conditions=(Condition("wind", "1", shifted(clean, 2.0, 60), "train"),))
    change = clean.reward.mean()
    assert report.part_rows()[0] == ["wind", f"return {change:+.2f}"]


def test_a_share_of_nothing_is_unknown():
    clean = make_episodes([(10, -1.0, "fall", (-1,) * 4), (10, 1.0, "fall", (-1,) * 4)])
    found = robustness(clean, [Condition("wind", "1", clean)])
    assert math.isnan(found["axes"]["wind"]["1"]["kept"].value)
    assert found["axes"]["wind"]["1"]["difference"].value == 0
    assert found["worst_axis"] is None


def test_gap():
    trained, unseen = random_episodes(200, seed=1, lift=1.0), random_episodes(300, seed=2)
    gap = generalisation_gap(trained, unseen, SCALE)
    assert gap.difference.value == pytest.approx(trained.reward.mean() - unseen.reward.mean())
    assert 0 < gap.difference.low < 1 < gap.difference.high + 0.3
    same = generalisation_gap(unseen, unseen, SCALE).difference
    assert same.low < 0 < same.high
    assert gap.scores is not None
