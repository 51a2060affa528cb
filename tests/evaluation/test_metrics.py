from __future__ import annotations

import json
import math

import numpy as np
import pytest

from farlands.evaluation import metrics
from farlands.evaluation.metrics import Scale
from farlands.evaluation.statistics import wilson_interval

from .conftest import SCALE, make_episodes, random_episodes


def test_figures_of_four_episodes_by_hand(few):
    assert metrics.unlock_rates(few, SCALE)["log"] == wilson_interval(3, 4)
    assert metrics.success(few, SCALE) == wilson_interval(1, 4)
    assert metrics.depths_reached(few, SCALE).tolist() == [3, 1, 11, 0]
    assert metrics.depth(few, SCALE).value == 15 / 4
    assert metrics.deepest(few, SCALE) == 11
    assert metrics.steps_per_skill(few).value == pytest.approx(255 / 7)
    score = math.exp((math.log(76) + math.log(51) + 2 * math.log(26)) / 4) - 1
    assert metrics.score(few, SCALE).value == pytest.approx(score)


def test_measures_are_means_over_episodes(few):
    assert metrics.measures(few, SCALE)["distance"].value == pytest.approx(2.5 * 255 / 4)
    assert metrics.summarise(few, SCALE)["measures"]["distance"]["value"] == pytest.approx(2.5 * 255 / 4)
    assert metrics.measures(few, Scale(SCALE.achievements)) == {}


def test_survival_of_four_episodes_by_hand(few):
    found = metrics.survival(few, SCALE)
    assert found["deaths"] == {"fall": 1, "lava": 1}
    assert found["deaths_per_1000_steps"].value == pytest.approx(2000 / 255)
    assert {time: each.value for time, each in found["alive_after"].items()} == {
        "25": 0.75,
        "50": 0.5,
        "75": 0.5,
        "100": 0.5,
    }
    # 25 steps at 1, 25 at 3/4, 50 at 1/2: the goal at 80 is censored, not a death.
    assert found["steps_alive"].value == pytest.approx(25 + 0.75 * 25 + 0.5 * 50)


def test_first_unlocks_count_the_dead_as_never(few):
    log = metrics.unlock_curve(few, SCALE, 0)
    assert log.median().value == 10
    # The episode that ended in lava at 25 stays at risk to the end; censored there, the curve would fall to zero.
    assert log.at(100).value == 0.25
    table = metrics.unlock_curve(few, SCALE, 1)
    assert table.at(100).value == 0.5
    assert table.restricted_mean().value == pytest.approx((40 + 10 + 100 + 100) / 4)


def test_an_episode_cut_early_is_censored():
    cut = make_episodes([(30, 0.0, "horizon", (-1, -1, -1, -1)), (100, 0.0, "horizon", (60, -1, -1, -1))])
    curve = metrics.unlock_curve(cut, SCALE, 0)
    assert curve.at(59).value == 1.0
    assert curve.at(60).value == 0.0


def test_diversity_of_four_episodes_by_hand(few):
    found = metrics.diversity(few, SCALE)
    assert found["distinct"] == 4
    assert found["per_episode"].value == 7 / 4
    assert found["reliable"] == 0
    rates = np.array([3, 2, 1, 1]) / 7
    assert found["success_entropy"].value == pytest.approx(-(rates * np.log(rates)).sum())
    assert found["effective_achievements"].value == pytest.approx(math.exp(-(rates * np.log(rates)).sum()))
    assert found["distinct_sets"] == 4
    assert found["set_coverage"] == 0.0


def test_score_interval_equals_a_slow_bootstrap():
    episodes, generator = random_episodes(120), np.random.default_rng(1)
    unlocked, found = episodes.achievements > 0, []
    for _ in range(3000):
        rates = 100 * unlocked[generator.integers(120, size=120)].mean(axis=0)
        found.append(np.exp(np.log1p(rates).mean()) - 1)
    estimate = metrics.score(episodes, SCALE)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(found, (0.025, 0.975))), rel=0.03)


def test_summary_is_json_with_finite_numbers(few):
    data = metrics.summarise(few, SCALE)
    assert json.loads(json.dumps(data, allow_nan=False)) == data
    assert data["first_unlock"]["diamond"]["median"] == {"value": None, "low": 80.0, "high": None}
    assert data["causes"] == {"horizon": 1, "fall": 1, "goal": 1, "lava": 1}


def test_summary_of_nothing_and_of_a_world_without_feats(few):
    nothing = metrics.summarise(make_episodes([]), SCALE)
    assert nothing["episodes"] == 0
    assert nothing["return"]["value"] is None
    bare = metrics.summarise(
        type(few)(**{**vars(few), "achievements": np.zeros((4, 0), dtype=np.int64)}), Scale((), horizon=100)
    )
    assert (bare["score"], bare["depth"], bare["success"], bare["diversity"]) == (None, None, None, {})
    assert bare["steps_per_skill"]["value"] is None


def test_the_same_episodes_give_the_same_figures():
    assert metrics.summarise(random_episodes(50), SCALE) == metrics.summarise(random_episodes(50), SCALE)


def test_agents_of_one_level_count_as_what_they_are_worth():
    episodes = random_episodes(40)
    columns = {key: np.repeat(value, 3, axis=0) for key, value in vars(episodes).items() if key != "dropped"}
    together = type(episodes)(**columns)
    alone, shared = metrics.summarise(episodes, SCALE), metrics.summarise(together, SCALE)
    for name in ("return", "length", "depth", "score", "success", "steps_per_skill"):
        assert shared[name] == pytest.approx(alone[name], rel=1e-9), name
    assert shared["achievements"]["log"] == pytest.approx(alone["achievements"]["log"])
