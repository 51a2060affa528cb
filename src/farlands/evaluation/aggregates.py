"""Aggregates over runs and tasks with stratified bootstrap intervals (Agarwal et al. 2021).

Scores are float arrays ``[runs, tasks]``: one row per training seed, one column per task or level set. Runs are
resampled within each task by itself, which is what "stratified" means. Axis letters: S resamplings, K thresholds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from farlands.evaluation.statistics import LEVELS, Estimate

AGGREGATE_SAMPLES = 50_000
"""Resamplings for aggregates; the source's own number."""
PROFILE_SAMPLES = 2_000
"""Resamplings for performance profiles; the source's own number."""
_CHUNK = 1 << 22

Aggregate = Callable[[np.ndarray], np.ndarray]
"""Scores ``[s, runs, tasks]`` to one figure each, ``[s]``."""


class Profile(NamedTuple):
    """Share of runs that score above each threshold.

    Attributes:
        thresholds: float ``[K]``.
        share, low, high: float ``[K]``, with a pointwise 95 % band.
    """

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def interquartile_mean(scores: np.ndarray) -> np.ndarray:
    """Of all runs and tasks together; a quarter that is no whole number is rounded down."""
    ordered = np.sort(scores.reshape(len(scores), -1), axis=1)
    cut = ordered.shape[1] // 4
    return ordered[:, cut : ordered.shape[1] - cut].mean(axis=1)


def mean(scores: np.ndarray) -> np.ndarray:
    """Of all runs and tasks together."""
    return scores.mean(axis=(1, 2))


def median(scores: np.ndarray) -> np.ndarray:
    """Over tasks, of the means over runs."""
    return np.median(scores.mean(axis=1), axis=1)


def optimality_gap(goal: float = 1.0) -> Aggregate:
    """By how much scores fall short of ``goal`` on average, what exceeds it not counted."""
    return lambda scores: goal - np.minimum(scores, goal).mean(axis=(1, 2))


def aggregate_interval(
    scores: np.ndarray, aggregate: Aggregate, samples: int = AGGREGATE_SAMPLES, seed: int = 0
) -> Estimate:
    """An aggregate with its stratified percentile bootstrap interval.

    Args:
        scores: float ``[runs, tasks]``.
        aggregate: ``interquartile_mean``, ``mean``, ``median``, ``optimality_gap(goal)`` or one's own.
        samples: S.
        seed: Of the resampling.

    Raises:
        ValueError: The scores are not ``[runs, tasks]`` with at least one of each, or not all finite.
    """
    scores = check_scores(scores)
    runs, tasks = scores.shape
    columns = np.arange(tasks)
    found = [aggregate(scores[rows, columns]) for rows in _draw_runs(runs, tasks, samples, seed, _step(scores.size))]
    low, high = np.quantile(np.concatenate(found), LEVELS)
    return Estimate(float(aggregate(scores[None])[0]), float(low), float(high))


def aggregates(
    scores: np.ndarray, goal: float = 1.0, samples: int = AGGREGATE_SAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """The usual four: interquartile mean, mean, median and optimality gap. Raises as ``aggregate_interval``."""
    chosen: dict[str, Aggregate] = {
        "interquartile_mean": interquartile_mean,
        "mean": mean,
        "median": median,
        "optimality_gap": optimality_gap(goal),
    }
    return {name: aggregate_interval(scores, each, samples, seed) for name, each in chosen.items()}


def performance_profile(
    scores: np.ndarray, thresholds: np.ndarray, samples: int = PROFILE_SAMPLES, seed: int = 0
) -> Profile:
    """Share of runs with a score above each threshold, with a stratified bootstrap band.

    Args:
        scores: float ``[runs, tasks]``.
        thresholds: float ``[K]``.
        samples, seed: As above.

    Raises:
        ValueError: As ``aggregate_interval``.
    """
    scores = check_scores(scores)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    above = (scores.reshape(-1, 1) > thresholds).astype(np.float64)
    drawn = _weigh_runs(*scores.shape, samples, seed, _step(scores.size))
    shares = [weights.reshape(len(weights), -1) @ above / scores.size for weights in drawn]
    low, high = np.quantile(np.concatenate(shares), LEVELS, axis=0)
    return Profile(thresholds, above.mean(axis=0), low, high)


def probability_of_improvement(
    ours: np.ndarray, theirs: np.ndarray, samples: int = PROFILE_SAMPLES, seed: int = 0
) -> Estimate:
    """Chance that a run of ours beats one of theirs on a task drawn at random, ties counting half.

    It is the Mann-Whitney statistic of each task, averaged over tasks.

    Args:
        ours, theirs: float ``[runs, tasks]``, of the same tasks; the numbers of runs may differ.
        samples, seed: As above; their runs use ``seed + 1``.

    Raises:
        ValueError: As ``aggregate_interval``, or the numbers of tasks differ.
    """
    ours, theirs = check_scores(ours), check_scores(theirs)
    tasks = ours.shape[1]
    if theirs.shape[1] != tasks:
        raise ValueError(f"scores of {tasks} and of {theirs.shape[1]} tasks cannot be compared")
    left, right = ours[:, None, :], theirs[None, :, :]
    # Halves add up without rounding, so that certainty is exactly 1.
    wins, pairs = (left > right) + 0.5 * (left == right), len(ours) * len(theirs) * tasks
    step = _step(max(ours.size, theirs.size))
    drawn = zip(
        _weigh_runs(len(ours), tasks, samples, seed, step),
        _weigh_runs(len(theirs), tasks, samples, seed + 1, step),
        strict=True,
    )
    found = [np.einsum("sat,abt,sbt->s", mine, wins, yours, optimize=True) for mine, yours in drawn]
    low, high = np.quantile(np.concatenate(found) / pairs, LEVELS)
    return Estimate(float(wins.sum() / pairs), float(low), float(high))


def check_scores(scores: np.ndarray) -> np.ndarray:
    """Scores as float64 ``[runs, tasks]``. Raises ValueError where they are not that."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 2 or not scores.size:
        raise ValueError(f"scores have shape {scores.shape}; expected [runs, tasks], at least one of each")
    if not np.isfinite(scores).all():
        raise ValueError(f"{int((~np.isfinite(scores)).sum())} of {scores.size} scores are not finite")
    return scores


def _step(cells: int) -> int:
    """Resamplings of that many scores to hold at once."""
    return max(1, _CHUNK // cells)


def _draw_runs(runs: int, tasks: int, samples: int, seed: int, step: int) -> Iterator[np.ndarray]:
    """Indices of runs, drawn for each task by itself, int64 ``[s, runs, tasks]``, s at most ``step``."""
    generator = np.random.default_rng(seed)
    for start in range(0, samples, step):
        yield generator.integers(runs, size=(min(step, samples - start), runs, tasks))


def _weigh_runs(runs: int, tasks: int, samples: int, seed: int, step: int) -> Iterator[np.ndarray]:
    """How often each run of each task is drawn, float64 ``[s, runs, tasks]``."""
    for drawn in _draw_runs(runs, tasks, samples, seed, step):
        count = len(drawn)
        cell = (np.arange(count)[:, None, None] * runs + drawn) * tasks + np.arange(tasks)
        yield np.bincount(cell.ravel(), minlength=count * runs * tasks).reshape(count, runs, tasks).astype(np.float64)
