"""Pictures of how things scale: a panel for each axis, one of processes, one of skills."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from farlands.runtime.plots import new_figure
from farlands.runtime.scaling.axes import AXES
from farlands.runtime.scaling.report import Grown, Processes, ScalingReport
from farlands.runtime.scaling.skills import RunSkills

_DOTS, _LINE, _GUIDE = "#9ecae1", "#08519c", "#b0b0b0"
_COLOURS = ("#08519c", "#d94801", "#238b45", "#6a51a3", "#cb181d", "#8c6d31", "#0097a7", "#737373")
_COLUMNS = 4


def draw_costs(grown: Sequence[Grown], processes: Processes | None, picture: Path, title: str) -> bool:
    """Draw cost against every size, on logarithmic scales, with the power law that fits best.

    Returns:
        Whether it was drawn: not without an axis.

    Raises:
        UserError: matplotlib is not installed.
    """
    shown = [each for each in grown if each.fit or each.affine]
    count = len(shown) + (processes is not None)
    if not count:
        return False
    columns = min(_COLUMNS, count)
    lines = math.ceil(count / columns)
    figure = new_figure(3.0 * columns + 0.4, 2.7 * lines + 0.4)
    panels = figure.subplots(lines, columns, squeeze=False).ravel()
    for number, (panel, each) in enumerate(zip(panels, shown, strict=False)):
        _draw_axis(panel, each)
        if number % columns == 0:
            panel.set_ylabel("ms for a step of the batch", fontsize=9)
    if processes is not None:
        _draw_processes(panels[len(shown)], processes)
    for panel in panels[count:]:
        panel.set_visible(False)
    figure.suptitle(title)
    figure.savefig(picture)
    return True


def _draw_axis(panel: Any, each: Grown) -> None:
    sizes, times = np.array(each.sizes), 1000 * each.seconds
    for line in times:
        panel.plot(sizes, line, "o", color=_DOTS, markersize=3)
    panel.plot(sizes, np.median(times, axis=0), "o", color=_LINE, markersize=5)
    fit, affine = each.fit, each.affine
    if fit is not None:
        along = np.geomspace(sizes.min(), sizes.max(), 50)
        style = "-" if fit.holds else "--"
        panel.plot(along, 1000 * fit.factor * along**fit.exponent.value, style, color=_LINE, lw=1.2)
        word = "exponent" if fit.holds else "no power law; best line"
        bounds = f"{fit.exponent.value:.2f} ({fit.exponent.low:.2f} to {fit.exponent.high:.2f})"
        panel.set_title(f"{word} {bounds}", fontsize=8)
        _dress(panel, AXES[each.axis].of, sizes)
    elif affine is not None:
        along = np.linspace(sizes.min(), sizes.max(), 2)
        panel.plot(along, 1000 * (affine.fixed + affine.each * along), "-", color=_LINE, lw=1.2)
        panel.set_title(f"{1000 * affine.fixed:.3g} ms and {1000 * affine.each:.3g} ms each", fontsize=8)
        panel.set_ylim(bottom=0)
        _dress_plainly(panel, AXES[each.axis].of)


def _draw_processes(panel: Any, processes: Processes) -> None:
    counts = np.array(processes.sizes, dtype=float)
    for line in processes.rates:
        panel.plot(counts, line, "o", color=_DOTS, markersize=3)
    medians = np.median(processes.rates, axis=0)
    panel.plot(counts, medians, "o", color=_LINE, markersize=5)
    panel.plot(counts, counts * medians[0], "--", color=_GUIDE, lw=1.2)
    last = processes.efficiency(len(counts) - 1)
    panel.set_title(f"{counts[-1]:.0f} reach {last.value:.0%} of {counts[-1]:.0f} times one", fontsize=8)
    panel.set_ylabel("steps/s together", fontsize=9)
    _dress(panel, "processes", counts)


def _dress(panel: Any, along: str, ticks: np.ndarray) -> None:
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter, NullLocator

    panel.set_xscale("log")
    panel.set_yscale("log")
    # A range of less than a decade would show no number at all by itself.
    low, high = panel.get_ylim()
    middle = math.sqrt(low * high)
    panel.set_ylim(min(low, middle / 2.2), max(high, middle * 2.2))
    panel.yaxis.set_major_locator(LogLocator(10, subs=(1.0, 2.0, 5.0), numticks=12))
    short = EngFormatter(sep="")
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}" if value < 1000 else short(value)))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.xaxis.set_minor_locator(NullLocator())
    panel.set_xticks(ticks)
    panel.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    _dress_plainly(panel, along)


def _dress_plainly(panel: Any, along: str) -> None:
    panel.tick_params(labelsize=8)
    panel.set_xlabel(along, fontsize=9)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="#e6e6e6", linewidth=0.6)
    panel.set_axisbelow(True)


def draw_skills(report: ScalingReport, picture: Path, title: str) -> bool:
    """Draw the steps that each skill took against its depth, one colour for each run, with the law that is nearer.

    Returns:
        Whether it was drawn: not where no skill of known depth was learnt.

    Raises:
        UserError: matplotlib is not installed.
    """
    runs = [run for run in report.skills if any(run.learnt.get(name) for name in run.depths)]
    if not runs:
        return False
    from matplotlib.ticker import EngFormatter, MaxNLocator

    figure = new_figure(8.0, 4.6)
    axis = figure.subplots()
    for number, run in enumerate(runs[: len(_COLOURS)]):
        _draw_run(axis, run, _COLOURS[number], (number - (len(runs) - 1) / 2) * 0.12)
    if report.depth:
        _draw_depth_law(axis, report)
    axis.set_yscale("log")
    axis.yaxis.set_major_formatter(EngFormatter(sep=""))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("depth in the tech tree")
    axis.set_ylabel(f"steps until {report.threshold:.0%} of episodes have it")
    axis.spines[["top", "right"]].set_visible(False)
    axis.grid(color="#e6e6e6", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.legend(frameon=False, fontsize=8, loc="lower right")
    figure.suptitle(title)
    figure.savefig(picture)
    return True


def _draw_run(axis: Any, run: RunSkills, colour: str, aside: float) -> None:
    learnt = {name: run.learnt[name] for name in run.depths if run.learnt.get(name)}
    depths = [run.depths[name] + aside for name in learnt]
    axis.plot(depths, list(learnt.values()), "o", color=colour, markersize=5, label=Path(run.run).name)
    # Not learnt: somewhere above.
    open_depths = sorted({run.depths[name] for name in run.depths if not run.learnt.get(name)})
    axis.plot(
        [depth + aside for depth in open_depths], [run.steps] * len(open_depths), "^", color=colour, markersize=5,
        fillstyle="none",
    )  # fmt: skip


def _draw_depth_law(axis: Any, report: ScalingReport) -> None:
    depth = report.depth
    assert depth is not None
    known = [run.depths[name] for run in report.skills for name in run.depths if run.learnt.get(name)]
    along = np.linspace(min(known), max(known), 50)
    if depth.better == "power":
        fit, x, word = depth.power, along, f"depth^{depth.power.exponent.value:.2f}"
    else:
        fit, x, word = depth.exponential, np.exp(along), f"times {depth.factor.value:.2f} a level"
    axis.plot(along, fit.factor * x**fit.exponent.value, "--", color=_GUIDE, lw=1.4, label=f"steps ~ {word}")
    axis.plot([], [], "^", color=_GUIDE, fillstyle="none", label="some skill of this depth not learnt by then")
