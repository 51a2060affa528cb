"""Intervals for what evaluations measure: shares, means, differences and ratios over episodes.

Everything is seeded, so that the same values give the same intervals. Values that were found together, such as those of
several agents on one level, may be given as groups: then groups are what is drawn, and values in them count as less.
Axis letters: N values, G groups, S resamplings.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

LEVELS = (0.025, 0.975)
"""Quantiles that bound a 95 % interval."""
Z = 1.959964
"""Quantile of the normal distribution that bounds a 95 % interval."""
_CHUNK = 1 << 22
"""Most random numbers held at once."""


class Estimate(NamedTuple):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


UNKNOWN = Estimate(math.nan, math.nan, math.nan)
"""What is known of nothing."""


def wilson_interval(successes: float, trials: float, z: float = Z) -> Estimate:
    """Share of successes with its score interval (Wilson 1927).

    Args:
        successes: How many of the trials succeeded.
        trials: How many there were, or are worth; with none, the share is NaN and the interval [0, 1].
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


def share_interval(hits: np.ndarray, groups: np.ndarray | None = None) -> Estimate:
    """Share of hits with its Wilson interval; those of groups count as as many as they are worth (Rao & Scott 1992).

    What they are worth is their number over the factor by which the groups' spread exceeds that of independent hits:
    at most N and, where all groups are alike inside, G.

    Args:
        hits: bool ``[N]``.
        groups: int ``[N]``, the group of each, from 0; by default each is its own.
    """
    count = int(hits.sum())
    if groups is None or not len(hits):
        return wilson_interval(count, len(hits))
    share, sizes = count / len(hits), np.bincount(groups)
    least = len(sizes)
    worth = float(least)
    if 0 < share < 1 and least > 1:
        excess = np.bincount(groups, weights=hits) - share * sizes
        variance = least / (least - 1) * float(excess @ excess) / len(hits) ** 2
        worth = min(max(share * (1 - share) / max(variance, 1e-12), least), len(hits))
    return wilson_interval(share * worth, worth)


def interquartile_mean(values: np.ndarray) -> float:
    """Mean of what is left when the lowest and the highest quarter are cut off (Agarwal et al. 2021).

    As in the field's reference implementation, a quarter that is no whole number of values is rounded down; the mean
    of fewer than four values is therefore their plain mean.

    Args:
        values: float, any shape, at least one value.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=None)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def resample_weights(count: int, samples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each of ``count`` values is drawn in each resampling, float64 ``[s, count]``, s adding up to S.

    Sums over resampled values are products with these weights, so one pass serves every figure.

    Args:
        count: N, at least 1.
        samples: S.
        seed: Of the resampling.
    """
    generator = np.random.default_rng(seed)
    step = max(1, _CHUNK // count)
    for start in range(0, samples, step):
        rows = min(step, samples - start)
        drawn = generator.integers(count, size=(rows, count))
        flat = (drawn + count * np.arange(rows)[:, None]).ravel()
        yield np.bincount(flat, minlength=rows * count).reshape(rows, count).astype(np.float64)


def bootstrap(
    statistic: Callable[[np.ndarray], np.ndarray],
    count: int,
    samples: int = 2000,
    seed: int = 0,
    groups: np.ndarray | None = None,
) -> Estimate:
    """A figure with its percentile bootstrap interval (Efron 1979), NaN where resamplings leave it undefined.

    Args:
        statistic: The figure of weighted values: weights float64 ``[s, N]`` to figures ``[s]``.
        count: N; with none, everything is NaN.
        samples: S.
        seed: Of the resampling.
        groups: int ``[N]``, the group of each value, from 0: groups are drawn, with all that is in them.
    """
    if count < 1:
        return UNKNOWN
    value = float(statistic(np.ones((1, count)))[0])
    if math.isnan(value):
        return UNKNOWN
    found = np.concatenate([statistic(weights) for weights in _draws(count, samples, seed, groups)])
    found = found[~np.isnan(found)]
    low, high = np.quantile(found, LEVELS) if len(found) else (math.nan, math.nan)
    return Estimate(value, float(low), float(high))


def bootstrap_interval(
    values: np.ndarray, samples: int = 2000, seed: int = 0, groups: np.ndarray | None = None
) -> Estimate:
    """Mean with its percentile bootstrap interval (Efron 1979).

    Args:
        values: float ``[N]``; NaN for none.
        samples: Resamplings.
        seed: Of the resampling.
        groups: int ``[N]``, as ``bootstrap`` takes them.
    """
    values = np.asarray(values, dtype=np.float64)
    return bootstrap(lambda weights: weights @ values / weights.sum(axis=1), len(values), samples, seed, groups)


def ratio_interval(
    above: np.ndarray, below: np.ndarray, samples: int = 2000, seed: int = 0, groups: np.ndarray | None = None
) -> Estimate:
    """Ratio of two sums over the same N units, which are resampled together; NaN where the lower sum is zero.

    Args:
        above, below: float ``[N]``.
        samples, seed, groups: As above.
    """
    above, below = np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)

    def ratio(weights: np.ndarray) -> np.ndarray:
        total = weights @ below
        return np.where(total != 0, weights @ above / np.where(total != 0, total, 1.0), np.nan)

    return bootstrap(ratio, len(above), samples, seed, groups)


def difference_interval(
    left: np.ndarray,
    right: np.ndarray,
    samples: int = 2000,
    seed: int = 0,
    groups: tuple[np.ndarray | None, np.ndarray | None] = (None, None),
) -> Estimate:
    """Difference of the means of two independent samples, each resampled by itself.

    Args:
        left, right: float ``[N]`` and ``[M]``; NaN where one is empty.
        samples, seed: As above; the right sample uses ``seed + 1``.
        groups: Of the left and of the right sample, as above.
    """
    left, right = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not (len(left) and len(right)):
        return UNKNOWN
    means = [
        np.concatenate([weights @ values / weights.sum(axis=1) for weights in _draws(len(values), samples, start, own)])
        for values, start, own in ((left, seed, groups[0]), (right, seed + 1, groups[1]))
    ]
    low, high = np.quantile(means[0] - means[1], LEVELS)
    return Estimate(float(left.mean() - right.mean()), float(low), float(high))


def _draws(count: int, samples: int, seed: int, groups: np.ndarray | None) -> Iterator[np.ndarray]:
    """Weights of values ``[s, N]``, drawn alone or in groups."""
    if groups is None:
        return resample_weights(count, samples, seed)
    return (weights[:, groups] for weights in resample_weights(int(groups.max()) + 1, samples, seed))
