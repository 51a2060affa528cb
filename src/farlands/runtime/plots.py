"""Pictures of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from farlands.errors import UserError
from farlands.evaluation.selection import choose_curves
from farlands.runtime.metrics import read_metrics

_SHOWN = 8
"""Achievements drawn at most."""


def new_figure(width: float = 10.0, height: float = 4.0) -> Any:
    """A matplotlib figure that needs no screen, sizes in inches. Raises UserError where matplotlib is missing."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError("drawing needs matplotlib", allowed="pip install 'farlands[plots]'") from error

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def draw_learning_curve(metrics: Path, picture: Path, title: str, depths: Mapping[str, int] | None = None) -> bool:
    """Draw return and achievements over training steps.

    Args:
        metrics: A run's ``metrics.jsonl``.
        picture: The PNG to write.
        title: What was trained.
        depths: How far up the tech tree each achievement stands, where that is known.

    Returns:
        Whether it was drawn: not without a finished episode.

    Raises:
        UserError: matplotlib is not installed.
    """
    figure = new_figure()
    from matplotlib.ticker import EngFormatter, MaxNLocator

    rows = [row for row in read_metrics(metrics) if row.get("episode/count")]
    if not rows:
        return False
    steps = np.array([row["step"] for row in rows])
    counts = np.array([row["episode/count"] for row in rows])
    names = sorted(name for name in rows[-1] if name.startswith("achievement/"))
    curves = {name: smooth(np.array([row.get(name, 0.0) for row in rows]), counts) for name in names}
    known = {f"achievement/{name}": depth for name, depth in (depths or {}).items()}
    shown = choose_curves({name: curve for name, curve in curves.items() if curve.max() > 0.01}, known, _SHOWN)

    figure.set_size_inches(10 if shown else 6, 4)
    axes = figure.subplots(1, 2 if shown else 1, squeeze=False)[0]
    returns = np.array([row["episode/return"] for row in rows])
    axes[0].plot(steps, returns, color="#9ecae1", linewidth=0.8)
    axes[0].plot(steps, smooth(returns, counts), color="#08519c", linewidth=2)
    axes[0].set_ylabel("return of an episode")
    for name, colour in zip(shown, _colours(len(shown)), strict=True):
        axes[1].plot(steps, 100 * curves[name], color=colour, linewidth=1.6)
    if shown:
        axes[1].set_ylabel("episodes with the achievement, %")
        axes[1].set_ylim(0, 100)
        _label_ends(axes[1], steps[-1], {name: 100 * curves[name][-1] for name in shown}, _colours(len(shown)))
    for axis in axes:
        axis.set_xlabel("training steps")
        axis.set_xlim(0, steps[-1])
        axis.xaxis.set_major_locator(MaxNLocator(5))
        axis.xaxis.set_major_formatter(EngFormatter(sep=""))
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#e6e6e6", linewidth=0.6)
        axis.set_axisbelow(True)
    figure.suptitle(title)
    figure.savefig(picture)
    return True


def smooth(values: np.ndarray, counts: np.ndarray, window: int = 512) -> np.ndarray:
    """Means over about the last ``window`` episodes, from means and counts per update."""
    totals, weights = np.cumsum(values * counts), np.cumsum(counts)
    start = np.searchsorted(weights, np.maximum(weights - window, 0.0), side="left")
    before = np.where(weights > window, start, -1)
    total = totals - np.where(before >= 0, totals[before], 0.0)
    weight = weights - np.where(before >= 0, weights[before], 0.0)
    # One update may hold more episodes than the window; it then stands alone.
    return np.where(weight > 0, total / np.maximum(weight, 1e-9), values)


def _colours(count: int) -> list[str]:
    palette = ["#08519c", "#d94801", "#238b45", "#6a51a3", "#cb181d", "#8c6d31", "#0097a7", "#737373"]
    return palette[:count]


def _label_ends(axis: object, x: float, ends: dict[str, float], colours: list[str]) -> None:
    """Names at the right ends of curves, pushed apart so that none covers another."""
    ordered = sorted(zip(ends.items(), colours, strict=True), key=lambda item: item[0][1])
    places = _spread([end for (_, end), _ in ordered], gap=5.0)
    for place, ((name, end), colour) in zip(places, ordered, strict=True):
        text = f"{name.removeprefix('achievement/').replace('_', ' ')} {end:.0f} %"
        axis.annotate(  # type: ignore[attr-defined]
            text, (x, place), xytext=(6, 0), textcoords="offset points",
            color=colour, fontsize=8, va="center", annotation_clip=False,
        )  # fmt: skip


def _spread(places: list[float], gap: float, high: float = 100.0) -> list[float]:
    """Ascending places moved as little as keeps them ``gap`` apart and below ``high``."""
    spread: list[float] = []
    for place in places:
        spread.append(max(place, spread[-1] + gap) if spread else place)
    for index in range(len(spread) - 1, -1, -1):
        limit = spread[index + 1] - gap if index + 1 < len(spread) else high
        spread[index] = min(spread[index], limit)
    return spread
