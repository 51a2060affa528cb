"""Intervals for what evaluations measure."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson_interval(successes: int, trials: int, z: float = 1.959964) -> Estimate:
    """Share of successes with its score interval (Wilson 1927).

    Args:
        successes: How many of the trials succeeded.
        trials: How many there were; with none, the share is NaN and the interval [0, 1].
        z: Quantile of the normal distribution; the default gives 95 %.

    Raises:
        ValueError: ``successes`` is not in [0, trials].
    """
    if not 0 <= successes <= trials:
        raise ValueError(f"successes is {successes}; it must be in [0, {trials}]")
    if trials == 0:
        return Estimate(math.nan, 0.0, 1.0)
    share, z2 = successes / trials, z * z
    centre = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = z / (1 + z2 / trials) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials * trials))
    # Rounding must not put the share outside its own interval.
    return Estimate(share, max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


def interquartile_mean(values: np.ndarray) -> float:
    """Mean of the middle half, the share of the values at its edges counted (Agarwal et al. 2021).

    Args:
        values: float ``[N]``, N at least 1.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    count = len(ordered)
    # Value i covers [i, i + 1); its weight is how much of that lies in the middle half.
    edges = np.arange(count)
    weights = np.clip(np.minimum(edges + 1, 0.75 * count) - np.maximum(edges, 0.25 * count), 0.0, 1.0)
    return float((ordered * weights).sum() / weights.sum())


def bootstrap_interval(values: np.ndarray, samples: int = 2000, seed: int = 0) -> Estimate:
    """Mean with its percentile bootstrap interval (Efron 1979).

    Args:
        values: float ``[N]``, N at least 1.
        samples: Resamplings.
        seed: Of the resampling.
    """
    values = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    means = np.array([values[generator.integers(len(values), size=len(values))].mean() for _ in range(samples)])
    low, high = np.quantile(means, (0.025, 0.975))
    return Estimate(float(values.mean()), float(low), float(high))
