"""How an agent fares when something differs from training: the levels, the world's options, its own hands and eyes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from farlands.evaluation.metrics import Scale, score
from farlands.evaluation.statistics import (
    UNKNOWN,
    Estimate,
    bootstrap_interval,
    difference_interval,
    ratio_interval,
)
from farlands.worlds.world import Episodes


class Gap(NamedTuple):
    """Generalisation gap: training levels minus unseen ones, under the same protocol.

    Attributes:
        trained, unseen: Mean return on each.
        difference: Of the means; above zero where training levels go better.
        scores: Score on training and on unseen levels, None without achievements.
    """

    trained: Estimate
    unseen: Estimate
    difference: Estimate
    scores: tuple[Estimate, Estimate] | None


@dataclass(frozen=True)
class Condition:
    """One value on one axis, everything else as it was.

    Attributes:
        axis: What was changed, e.g. ``"action_failure"``.
        value: To what, as it stands on the command line.
        episodes: What came of it, on the first of the unseen levels; ``row`` names the level.
    """

    axis: str
    value: str
    episodes: Episodes


def generalisation_gap(trained: Episodes, unseen: Episodes, scale: Scale) -> Gap:
    """Compare episodes on training levels with those on unseen ones; they are independent samples of levels."""
    left, right = score(trained, scale), score(unseen, scale)
    return Gap(
        bootstrap_interval(trained.reward),
        bootstrap_interval(unseen.reward),
        difference_interval(trained.reward, unseen.reward),
        None if left is None or right is None else (left, right),
    )


def robustness(clean: Episodes, conditions: Sequence[Condition]) -> dict[str, Any]:
    """Return kept and lost on every axis.

    Levels are compared with themselves, clean and changed. ``kept`` is the ratio of mean returns, which says something
    only where the clean mean is clearly above zero (NaN otherwise); ``difference`` is changed minus clean.

    Returns:
        ``axes``: by axis and value, estimates of ``return``, ``kept`` and ``difference``. ``mean_kept``: over axes, of
        the mean over their values. ``worst_axis`` and ``worst_kept``: the axis that keeps least.
    """
    axes: dict[str, dict[str, dict[str, Estimate]]] = {}
    for condition in conditions:
        before, after = _same_levels(clean, condition.episodes)
        axes.setdefault(condition.axis, {})[condition.value] = {
            "return": bootstrap_interval(after),
            "kept": ratio_interval(after, before) if bootstrap_interval(before).low > 0 else UNKNOWN,
            "difference": bootstrap_interval(after - before),
        }
    kept = {axis: float(np.mean([each["kept"].value for each in values.values()])) for axis, values in axes.items()}
    known = {axis: share for axis, share in kept.items() if np.isfinite(share)}
    worst = min(known, key=lambda axis: known[axis]) if known else None
    return {
        "axes": axes,
        "mean_kept": float(np.mean(list(known.values()))) if known else None,
        "worst_axis": worst,
        "worst_kept": known[worst] if worst else None,
    }


def _same_levels(clean: Episodes, changed: Episodes) -> tuple[np.ndarray, np.ndarray]:
    """Returns of the levels that ended in time in both, in the same order."""
    _, left, right = np.intersect1d(clean.row, changed.row, return_indices=True)
    return clean.reward[left], changed.reward[right]
