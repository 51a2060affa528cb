"""What a set of episodes says about an agent. Every figure comes with a 95 % interval.

Axis letters: N episodes, K achievements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from farlands.evaluation.entropy import chao_shen, entropy, good_turing_coverage
from farlands.evaluation.statistics import (
    UNKNOWN,
    Estimate,
    bootstrap,
    bootstrap_interval,
    interquartile_mean,
    ratio_interval,
    share_interval,
)
from farlands.evaluation.survival import SurvivalCurve, kaplan_meier
from farlands.worlds.world import Episodes, Measure, WorldSpec

CUT, GOAL = "horizon", "goal"
"""Causes that are no deaths: an episode cut at its limit, and one that reached the goal."""


@dataclass(frozen=True)
class Scale:
    """What there is to reach in a world.

    Attributes:
        achievements: Names ``[K]``, in the order of ``Episodes.achievements``.
        depths: Depth of each in the tech tree ``[K]``; empty where that is not known.
        goal: The achievement that is the task, or another word where episodes end by the cause "goal"; empty for none.
        horizon: Steps after which episodes are cut; 0 where they are not.
        measures: What else is known of an episode, in the order of ``Episodes.measures``.
    """

    achievements: tuple[str, ...]
    depths: tuple[int, ...] = ()
    goal: str = ""
    horizon: int = 0
    measures: tuple[Measure, ...] = ()

    @classmethod
    def of(cls, spec: WorldSpec) -> Scale:
        """As a world's spec has it."""
        return cls(spec.achievements, spec.depths, spec.goal, spec.horizon or 0, spec.measures)


def summarise(episodes: Episodes, scale: Scale) -> dict[str, Any]:
    """All figures as JSON data: estimates as ``{"value", "low", "high"}``, what is undefined or endless as None."""
    causes, ends = np.unique(episodes.cause.astype(str), return_counts=True)
    rates = unlock_rates(episodes, scale)
    figures = {
        "episodes": len(episodes),
        "not_ended_in_time": episodes.dropped,
        "return": _mean(episodes, episodes.reward),
        "return_interquartile_mean": interquartile_mean(episodes.reward) if len(episodes) else None,
        "length": _mean(episodes, episodes.length),
        "success": success(episodes, scale),
        "score": score(episodes, scale),
        "depth": depth(episodes, scale),
        "deepest": deepest(episodes, scale),
        "steps_per_skill": steps_per_skill(episodes),
        "survival": survival(episodes, scale),
        "diversity": diversity(episodes, scale),
        "measures": measures(episodes, scale),
        "causes": {str(cause): int(number) for cause, number in zip(causes, ends, strict=True)},
        "achievements": rates,
        "first_unlock": {
            name: _unlock_times(episodes, scale, index)
            for index, name in enumerate(scale.achievements)
            if rates[name].value > 0
        },
    }
    return jsonable(figures)


def which_levels(seeds: np.ndarray) -> np.ndarray | None:
    """Which level each of some episodes was on, int ``[N]`` from 0, where some shared one; None where none did.

    Agents of one world meet the same land and each other, so that they say less than as many alone.

    Args:
        seeds: uint64 ``[N]``, of their levels.
    """
    levels, which = np.unique(seeds, return_inverse=True)
    return which if len(levels) < len(seeds) else None


def unlock_rates(episodes: Episodes, scale: Scale) -> dict[str, Estimate]:
    """Share of episodes with each achievement, with Wilson intervals."""
    unlocked, levels = episodes.achievements > 0, which_levels(episodes.seed)
    return {name: share_interval(unlocked[:, k], levels) for k, name in enumerate(scale.achievements)}


def success(episodes: Episodes, scale: Scale) -> Estimate | None:
    """Share of episodes that reached the world's goal, with its Wilson interval; None where there is no goal."""
    if scale.goal in scale.achievements:
        return unlock_rates(episodes, scale)[scale.goal]
    reached = episodes.cause.astype(str) == GOAL
    return share_interval(reached, which_levels(episodes.seed)) if scale.goal else None


def score(episodes: Episodes, scale: Scale) -> Estimate | None:
    """Geometric mean of the achievement rates in percent, 0 to 100 (Hafner 2022); None without achievements.

    ``exp(mean(ln(1 + rate))) - 1``: rare achievements count as much as common ones. Episodes are resampled.
    """
    if not scale.achievements:
        return None
    unlocked = (episodes.achievements > 0).astype(np.float64)

    def geometric_mean(weights: np.ndarray) -> np.ndarray:
        rates = 100.0 * (weights @ unlocked) / weights.sum(axis=1, keepdims=True)
        return np.exp(np.log1p(rates).mean(axis=1)) - 1.0

    return bootstrap(geometric_mean, len(episodes), groups=which_levels(episodes.seed))


def depths_reached(episodes: Episodes, scale: Scale) -> np.ndarray:
    """Depth of the deepest achievement of each episode, int ``[N]``, 0 with none."""
    return np.where(episodes.achievements > 0, np.array(scale.depths, dtype=np.int64), 0).max(axis=1, initial=0)


def depth(episodes: Episodes, scale: Scale) -> Estimate | None:
    """Mean tech-tree depth of an episode: the longest chain of feats that rest on each other; None if unknown."""
    return _mean(episodes, depths_reached(episodes, scale)) if scale.depths else None


def deepest(episodes: Episodes, scale: Scale) -> int | None:
    """Depth reached in any episode."""
    return int(depths_reached(episodes, scale).max(initial=0)) if scale.depths else None


def steps_per_skill(episodes: Episodes) -> Estimate:
    """Steps lived for each first unlock, over all episodes; NaN where nothing was unlocked."""
    unlocked = (episodes.achievements > 0).sum(axis=1)
    return ratio_interval(episodes.length, unlocked, groups=which_levels(episodes.seed))


def unlock_curve(episodes: Episodes, scale: Scale, index: int) -> SurvivalCurve | None:
    """Share of episodes that have not unlocked an achievement yet, by step; None without episodes.

    An episode cut at its limit is censored there. One that ended otherwise can unlock nothing more, so it stays among
    those without the achievement to the end: one minus the curve is the cumulative incidence, with death competing.
    """
    if not len(episodes):
        return None
    unlocked = episodes.achievements[:, index]
    over = (episodes.cause.astype(str) != CUT) & (unlocked <= 0)
    limit = _limit(episodes, scale)
    time = np.where(unlocked > 0, unlocked, np.where(over, limit, episodes.length))
    return kaplan_meier(np.maximum(time, 1), unlocked > 0)


def survival_curve(episodes: Episodes) -> SurvivalCurve | None:
    """Share of episodes still alive, by step; what was cut or reached the goal is censored. None without episodes."""
    return kaplan_meier(np.maximum(episodes.length, 1), died(episodes)) if len(episodes) else None


def died(episodes: Episodes) -> np.ndarray:
    """Whether each episode ended by the rules without reaching the goal, bool ``[N]``."""
    return ~np.isin(episodes.cause.astype(str), (CUT, GOAL))


def survival(episodes: Episodes, scale: Scale) -> dict[str, Any]:
    """Steps alive, share alive after quarters of the horizon, deaths per 1,000 steps, deaths by cause."""
    curve, dead = survival_curve(episodes), died(episodes)
    if curve is None:
        return {"steps_alive": UNKNOWN, "alive_after": {}, "deaths_per_1000_steps": UNKNOWN, "deaths": {}}
    times = [round(_limit(episodes, scale) * part) for part in (0.25, 0.5, 0.75, 1.0)]
    causes, counts = np.unique(episodes.cause[dead].astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {
        "steps_alive": curve.restricted_mean(),
        "alive_after": {str(time): curve.at(time) for time in times if time <= curve.limit},
        "deaths_per_1000_steps": ratio_interval(1000.0 * dead, episodes.length, groups=which_levels(episodes.seed)),
        "deaths": {str(causes[i]): int(counts[i]) for i in order},
    }


def diversity(episodes: Episodes, scale: Scale) -> dict[str, Any]:
    """How varied the episodes are.

    ``distinct``: achievements unlocked in any episode. ``per_episode``: mean number in one. ``reliable``: achievements
    in at least nine of ten episodes. ``success_entropy``: entropy in nats of the achievement rates scaled to add up to
    1, and ``effective_achievements``, its exponential. ``distinct_sets``, ``set_entropy`` (Chao-Shen) and
    ``set_coverage`` (Good-Turing): of the sets of achievements that episodes end with.
    """
    if not (scale.achievements and len(episodes)):
        return {}
    unlocked = episodes.achievements > 0
    rates = unlocked.mean(axis=0)
    _, sets = np.unique(unlocked, axis=0, return_counts=True)
    entropies = bootstrap(
        lambda weights: _row_entropy(weights @ unlocked), len(episodes), groups=which_levels(episodes.seed)
    )
    return {
        "distinct": int((rates > 0).sum()),
        "per_episode": _mean(episodes, unlocked.sum(axis=1)),
        "reliable": int((rates >= 0.9).sum()),
        "success_entropy": entropies,
        "effective_achievements": Estimate(*np.exp(entropies)) if rates.any() else None,
        "distinct_sets": len(sets),
        "set_entropy": chao_shen(sets),
        "set_coverage": good_turing_coverage(sets),
    }


def measures(episodes: Episodes, scale: Scale) -> dict[str, Estimate]:
    """Mean of each measure over episodes."""
    return {measure.name: _mean(episodes, episodes.measures[:, index]) for index, measure in enumerate(scale.measures)}


def _mean(episodes: Episodes, values: np.ndarray) -> Estimate:
    """Mean of one value an episode."""
    return bootstrap_interval(values, groups=which_levels(episodes.seed))


def _row_entropy(weights: np.ndarray) -> np.ndarray:
    return np.array([entropy(row) for row in weights])


def _limit(episodes: Episodes, scale: Scale) -> int:
    longest = int(episodes.length.max(initial=1))
    return max(scale.horizon, longest) if scale.horizon else longest


def _unlock_times(episodes: Episodes, scale: Scale, index: int) -> dict[str, Estimate]:
    curve = unlock_curve(episodes, scale, index)
    assert curve is not None, "an achievement was unlocked in no episode"
    return {"median": curve.median(), "restricted_mean": curve.restricted_mean()}


def jsonable(value: Any) -> Any:
    """Estimates as dictionaries, and None for what JSON has no number for."""
    if isinstance(value, Estimate):
        return {name: jsonable(number) for name, number in value._asdict().items()}
    if isinstance(value, dict):
        return {name: jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return value
