"""What each setting of a sweep did."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from farlands.runtime.plots import new_figure

_DONE, _EARLY = "#08519c", "#b0b0b0"
_COLUMNS = 3


def draw_sweep(trials: Sequence[Mapping[str, Any]], logs: Mapping[str, bool], metric: str, picture: Path) -> None:
    """One panel per setting: its values against what came of them; trials that were ended early in grey.

    Args:
        trials: ``settings``, ``value`` (None where ended early) and ``last``, the newest value known.
        logs: Settings by name, and whether each is drawn on a scale of doublings.
        metric: What was searched by.
        picture: The PNG to write.

    Raises:
        UserError: matplotlib is not installed.
    """
    columns = min(_COLUMNS, len(logs))
    lines = math.ceil(len(logs) / columns)
    figure = new_figure(3.6 * columns + 0.6, 3.0 * lines + 0.4)
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False).ravel()
    for panel, (name, log) in zip(panels, logs.items(), strict=False):
        _draw_panel(panel, trials, name, log)
    for panel in panels[len(logs) :]:
        panel.set_visible(False)
    for line in range(lines):
        panels[line * columns].set_ylabel(metric.replace("_", " "))
    panels[0].legend(frameon=False, fontsize=8)
    figure.savefig(picture)


def _draw_panel(panel: Any, trials: Sequence[Mapping[str, Any]], name: str, log: bool) -> None:
    ended = [trial for trial in trials if trial["value"] is not None]
    early = [trial for trial in trials if trial["value"] is None and trial["last"] is not None]
    categories = [str(one) for one in sorted({trial["settings"][name] for trial in trials}, key=_order)]
    words = any(isinstance(trial["settings"][name], str) for trial in trials)

    def place(trial: Mapping[str, Any]) -> float:
        value = trial["settings"][name]
        return categories.index(value) if words else value

    panel.scatter(list(map(place, early)), [t["last"] for t in early], s=18, color=_EARLY, label="ended early")
    panel.scatter(list(map(place, ended)), [t["value"] for t in ended], s=22, color=_DONE, label="whole run")
    if words:
        panel.set_xticks(range(len(categories)), categories)
        panel.set_xlim(-0.5, len(categories) - 0.5)
    elif log:
        panel.set_xscale("log")
    panel.set_xlabel(name)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="#e6e6e6", linewidth=0.6)
    panel.set_axisbelow(True)


def _order(value: Any) -> tuple[float, str]:
    """Numbers by size, before words by letter."""
    try:
        return float(value), ""
    except ValueError:
        return math.inf, str(value)
