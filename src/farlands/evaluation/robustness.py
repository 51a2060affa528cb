"""How an agent fares when something differs from training: the levels, the world's options, its own hands and eyes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from farlands.evaluation.metrics import Scale, score, which_levels
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
        part: Range of the axis that the value is of, ``"train"`` or ``"held-out"``; empty where nobody said.
    """

    axis: str
    value: str
    episodes: Episodes
    part: str = ""


def generalisation_gap(trained: Episodes, unseen: Episodes, scale: Scale) -> Gap:
    """Compare episodes on training levels with those on unseen ones; they are independent samples of levels."""
    left, right = score(trained, scale), score(unseen, scale)
    levels = which_levels(trained.seed), which_levels(unseen.seed)
    return Gap(
        bootstrap_interval(trained.reward, groups=levels[0]),
        bootstrap_interval(unseen.reward, groups=levels[1]),
        difference_interval(trained.reward, unseen.reward, groups=levels),
        None if left is None or right is None else (left, right),
    )


def robustness(clean: Episodes, conditions: Sequence[Condition]) -> dict[str, Any]:
    """Return kept and lost on every axis.

    Levels are compared with themselves, clean and changed. ``kept`` is the ratio of mean returns, which says something
    only where the clean mean is clearly above zero (NaN otherwise); ``difference`` is changed minus clean.

    Returns:
        ``axes``: by axis and value, estimates of ``return``, ``kept`` and ``difference``, and the ``part``.
        ``mean_kept``: over axes, of the mean over their values. ``worst_axis`` and ``worst_kept``: the axis that keeps
        least. ``parts``: the same three, and ``kept`` and ``difference`` by axis, of each range alone.
    """
    axes: dict[str, dict[str, dict[str, Any]]] = {}
    for condition in conditions:
        before, after, levels = _pairs(clean, condition.episodes)
        known = bootstrap_interval(before, groups=levels).low > 0
        axes.setdefault(condition.axis, {})[condition.value] = {
            "return": bootstrap_interval(after, groups=levels),
            "kept": ratio_interval(after, before, groups=levels) if known else UNKNOWN,
            "difference": bootstrap_interval(after - before, groups=levels),
            "part": condition.part,
        }
    parts = dict.fromkeys(condition.part for condition in conditions if condition.part)
    summary = _summarise(axes)
    del summary["kept"], summary["difference"]
    return {"axes": axes, **summary, "parts": {part: _summarise(axes, part) for part in parts}}


def _summarise(axes: Mapping[str, Mapping[str, Mapping[str, Any]]], part: str | None = None) -> dict[str, Any]:
    """Share kept by axis, its mean and the least of it; of the values of a part, or of all."""
    shares: dict[str, float] = {}
    differences: dict[str, float] = {}
    for axis, values in axes.items():
        mine = [each for each in values.values() if part is None or each["part"] == part]
        kept = [each["kept"].value for each in mine]
        if kept and np.isfinite(kept).all():
            shares[axis] = float(np.mean(kept))
        if mine:
            differences[axis] = float(np.mean([each["difference"].value for each in mine]))
    worst = min(shares, key=lambda axis: shares[axis]) if shares else None
    return {
        "kept": shares,
        "difference": differences,
        "mean_kept": float(np.mean(list(shares.values()))) if shares else None,
        "worst_axis": worst,
        "worst_kept": shares[worst] if worst else None,
    }


def _pairs(clean: Episodes, changed: Episodes) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Returns of the rows that ended in time in both, in the same order, and which of them shared a level."""
    _, left, right = np.intersect1d(clean.row, changed.row, return_indices=True)
    return clean.reward[left], changed.reward[right], which_levels(clean.seed[left])
