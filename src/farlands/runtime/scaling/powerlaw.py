"""Fitting growth: the exponent of a power law with its interval, and whether it is a power law at all.

Lines are fitted through logarithms by least squares. Axis letters: N sizes or points, R rounds, S resamplings.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from farlands.evaluation.statistics import LEVELS, UNKNOWN, Estimate, Z, bootstrap

_CLOSE = 0.05
"""A line that passes within 5 % of every size's median is taken for what is there."""


@dataclass(frozen=True)
class Affine:
    """``fixed + each * x``, fitted by relative errors.

    Attributes:
        fixed: At x = 0, not negative.
        each: Per unit of x, not negative.
        deviation: Largest relative distance of a median.
    """

    fixed: float
    each: float
    deviation: float


@dataclass(frozen=True)
class Fit:
    """``factor * x ** exponent``.

    Attributes:
        exponent: With its 95 % bootstrap interval; that of the best line, even where none holds.
        factor: y at x = 1.
        deviation: Largest relative distance of a size's median, or of a point, from the line.
        scatter: Factor by which sizes or points typically lie off the line (root mean square of logarithms).
        noise: Relative half-width of the middle half of the rounds, the median over sizes; 0 where there are none.
        local: Exponent between each two neighbouring sizes.
        affine: The other simple law, where there are three sizes or more.
    """

    exponent: Estimate
    factor: float
    deviation: float
    scatter: float
    noise: float
    local: tuple[float, ...]
    affine: Affine | None

    @property
    def holds(self) -> bool:
        """Whether a power law describes all sizes, as closely as the noise lets one see."""
        return self.deviation <= max(_CLOSE, 2 * self.noise)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        data = asdict(self)
        return {**data, "exponent": self.exponent._asdict(), "holds": self.holds}


def fit_rounds(sizes: Sequence[float], values: np.ndarray, samples: int = 2000, seed: int = 0) -> Fit:
    """Fit values that were measured in rounds, in each of which every size took its turn.

    The exponent is the mean of those of the rounds, and rounds are what is resampled: what troubled one round troubled
    all of its sizes. A bootstrap of few rounds gives too narrow an interval; it is stretched by what Student's quantile
    is beyond the normal one.

    Args:
        sizes: x ``[N]``, positive, two different ones at least.
        values: y ``[R, N]``, positive.
        samples, seed: Of the bootstrap.

    Raises:
        ValueError: There are fewer sizes, or something isn't positive.
    """
    x, y = _checked(sizes, values)
    slopes = _slopes(np.log(x), np.log(y))
    generator = np.random.default_rng(seed)
    drawn = slopes[generator.integers(len(slopes), size=(samples, len(slopes)))].mean(axis=1)
    value, stretch = float(slopes.mean()), _stretch(len(slopes))
    low, high = (value + stretch * (float(bound) - value) for bound in np.quantile(drawn, LEVELS))
    exponent = Estimate(value, low, high)
    quartiles = np.quantile(y, (0.25, 0.75), axis=0)
    noise = float(np.median((quartiles[1] - quartiles[0]) / 2 / np.median(y, axis=0))) if len(y) > 1 else 0.0
    return _finish(x, np.median(y, axis=0), exponent, noise)


def fit_points(
    x: Sequence[float], y: Sequence[float], groups: np.ndarray | None = None, samples: int = 2000, seed: int = 0
) -> Fit:
    """Fit points, each measured once; points, or groups of them, are what is resampled.

    Args:
        x, y: ``[N]``, positive; two different x at least.
        groups: int ``[N]``, from 0: points that belong together.
        samples, seed: Of the bootstrap.

    Raises:
        ValueError: As above.
    """
    at, values = _checked(x, np.asarray(y, dtype=float)[None])
    logs = np.log(at), np.log(values[0])

    def slope(weights: np.ndarray) -> np.ndarray:
        total = weights.sum(axis=1)
        mean_x, mean_y = weights @ logs[0] / total, weights @ logs[1] / total
        spread = weights @ logs[0] ** 2 / total - mean_x**2
        shared = weights @ (logs[0] * logs[1]) / total - mean_x * mean_y
        # A resampling that holds one x alone has no slope.
        return np.where(spread > 1e-12, shared / np.maximum(spread, 1e-12), np.nan)

    return _finish(at, values[0], bootstrap(slope, len(at), samples, seed, groups), 0.0)


def fit_affine(x: np.ndarray, y: np.ndarray) -> Affine:
    """A fixed cost and one for each, by least squares of relative errors, neither of them negative.

    Args:
        x: float ``[N]``, not negative.
        y: float ``[N]``, positive.
    """
    columns = np.stack((1 / y, x / y), axis=1)
    fixed, each = np.linalg.lstsq(columns, np.ones(len(y)), rcond=None)[0]
    if fixed < 0:
        fixed, each = 0.0, (columns[:, 1].sum()) / (columns[:, 1] @ columns[:, 1])
    elif each < 0:
        fixed, each = columns[:, 0].sum() / (columns[:, 0] @ columns[:, 0]), 0.0
    return Affine(float(fixed), float(each), float(np.max(np.abs((fixed + each * x) / y - 1))))


def describe(fit: Fit, what: str, of: str) -> str:
    """A fit in words, e.g. ``describe(fit, "seconds of a step", "worlds")``."""
    said = f"{what} ~ {of}^{fit.exponent.value:.2f} ({fit.exponent.low:.2f} to {fit.exponent.high:.2f})"
    if fit.holds:
        return said
    bends = f"; no power law: off by up to {fit.deviation:.0%}, exponents {', '.join(f'{e:.2f}' for e in fit.local)}"
    if fit.affine is not None and fit.affine.deviation < fit.deviation:
        bends += f"; {fit.affine.fixed:.3g} + {fit.affine.each:.3g} each is off by {fit.affine.deviation:.0%}"
    return said + bends


def _stretch(count: int) -> float:
    """How much wider the interval of a mean over few values is than their bootstrap has it, by Student's t.

    Its quantile is the normal one and two terms of its expansion in 1 / (count - 1) (Abramowitz & Stegun, 26.7.5).
    """
    if count < 2:
        return 1.0
    free = count - 1
    t = Z + (Z**3 + Z) / (4 * free) + (5 * Z**5 + 16 * Z**3 + 3 * Z) / (96 * free**2)
    return t / Z * math.sqrt(count / free)


def _checked(sizes: Sequence[float], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(sizes, dtype=float), np.asarray(values, dtype=float)
    if y.ndim != 2 or y.shape[1] != len(x) or not len(y):
        raise ValueError(f"values have shape {y.shape}; expected (R, {len(x)})")
    if not (np.all(x > 0) and np.all(y > 0)) or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("sizes and values must be positive and finite")
    if len(np.unique(x)) < 2:
        raise ValueError("a line needs two different sizes")
    return x, y


def _slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Of the least-squares line through each row of ``y``."""
    centred = x - x.mean()
    return (y - y.mean(axis=1, keepdims=True)) @ centred / (centred @ centred)


def _finish(x: np.ndarray, medians: np.ndarray, exponent: Estimate, noise: float) -> Fit:
    if math.isnan(exponent.value):
        return Fit(UNKNOWN, math.nan, math.nan, math.nan, noise, (), None)
    log_factor = float(np.mean(np.log(medians) - exponent.value * np.log(x)))
    line = np.exp(log_factor) * x**exponent.value
    order = np.argsort(x, kind="stable")
    steps = np.diff(np.log(x[order]))
    local = np.diff(np.log(medians[order])) / np.where(steps > 0, steps, np.nan)
    return Fit(
        exponent=exponent,
        factor=math.exp(log_factor),
        deviation=float(np.max(np.abs(medians / line - 1))),
        scatter=math.exp(float(np.sqrt(np.mean(np.log(medians / line) ** 2)))),
        noise=noise,
        local=tuple(float(each) for each in local if np.isfinite(each)),
        affine=fit_affine(x, medians) if len(np.unique(x)) > 2 else None,
    )
