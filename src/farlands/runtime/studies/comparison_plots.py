"""Learning curves of variants beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from farlands.runtime.metrics import read_metrics
from farlands.runtime.plots import new_figure

POINTS = 100
"""Places along a curve at which runs are averaged."""
WINDOW = 0.05
"""Share of a run over which episodes are averaged at each place."""
COLOURS = ("#08519c", "#d94801", "#238b45", "#6a51a3", "#cb181d", "#8c6d31", "#0097a7", "#737373")


def draw_comparison(curves: Mapping[str, Sequence[Path]], metric: str, picture: Path, title: str) -> bool:
    """Draw the metric over training steps and over training time: mean over runs, and the lowest to the highest.

    Args:
        curves: For each variant the ``metrics.jsonl`` of its runs.
        metric: ``return``, ``length`` or an achievement; for anything else the return is drawn.
        picture: The PNG to write.
        title: What was compared.

    Returns:
        Whether it was drawn: not without a finished episode.

    Raises:
        UserError: matplotlib is not installed.
    """
    figure = new_figure()
    rows = {name: [_episode_rows(path) for path in paths] for name, paths in curves.items()}
    rows = {name: [run for run in runs if run] for name, runs in rows.items() if any(runs)}
    if not rows:
        return False
    some = next(iter(rows.values()))[0][-1]
    key = metric_key(metric, some)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, along, label in zip(axes, ("step", "seconds"), ("training steps", "training time, s"), strict=True):
        for (name, runs), colour in zip(rows.items(), _endless(COLOURS), strict=False):
            _draw_variant(axis, runs, along, key, name, colour)
        _dress(axis, label)
    axes[0].set_ylabel(_label(key))
    axes[0].legend(frameon=False, fontsize=8)
    figure.suptitle(title)
    figure.savefig(picture)
    return True


def metric_key(metric: str, row: Mapping[str, float]) -> str:
    """Which figure of a training's metrics shows an evaluation's metric."""
    for key in (f"episode/{metric}", f"achievement/{metric}"):
        if key in row:
            return key
    return "episode/return"


def curve(rows: Sequence[Mapping[str, float]], along: str, key: str, places: np.ndarray) -> np.ndarray:
    """A figure at some places of a run: mean over the episodes of the last ``WINDOW`` of the way there.

    Args:
        rows: A run's metrics, those with episodes.
        along: ``step`` or ``seconds``.
        key: Which figure.
        places: float ``[P]``, ascending.

    Returns:
        float ``[P]``; NaN before the first episode.
    """
    at = np.array([row[along] for row in rows])
    counts = np.array([row["episode/count"] for row in rows])
    totals = np.concatenate([[0.0], np.cumsum(counts * np.array([row.get(key, 0.0) for row in rows]))])
    weights = np.concatenate([[0.0], np.cumsum(counts)])
    last = np.searchsorted(at, places, side="right")
    # A window without an episode reaches back to the last one.
    first = np.minimum(np.searchsorted(at, places - WINDOW * places[-1], side="right"), np.maximum(last - 1, 0))
    weight = weights[last] - weights[first]
    return np.where(weight > 0, (totals[last] - totals[first]) / np.maximum(weight, 1e-9), np.nan)


def _draw_variant(axis: Any, runs: Sequence[Any], along: str, key: str, name: str, colour: str) -> None:
    end = min(run[-1][along] for run in runs)
    places = np.linspace(end / POINTS, end, POINTS)
    lines = np.stack([curve(run, along, key, places) for run in runs])
    known = np.isfinite(lines).all(axis=0)
    places, lines = places[known], lines[:, known]
    axis.plot(places, lines.mean(axis=0), color=colour, linewidth=1.8, label=f"{name} ({len(runs)})")
    axis.fill_between(places, lines.min(axis=0), lines.max(axis=0), color=colour, alpha=0.15, linewidth=0)


def _dress(axis: Any, label: str) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axis.set_xlabel(label)
    axis.set_xlim(left=0)
    axis.xaxis.set_major_locator(MaxNLocator(5))
    if "steps" in label:
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#e6e6e6", linewidth=0.6)
    axis.set_axisbelow(True)


def _episode_rows(path: Path) -> list[dict[str, float]]:
    return [row for row in read_metrics(path) if row.get("episode/count")]


def _label(key: str) -> str:
    kind, _, name = key.partition("/")
    return f"{name} of an episode" if kind == "episode" else f"share of episodes: {name.replace('_', ' ')}"


def _endless(colours: Sequence[str]) -> Any:
    import itertools

    return itertools.cycle(colours)
