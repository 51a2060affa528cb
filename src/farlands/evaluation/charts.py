"""The charts of a report's page, each with the sentence that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np

from farlands.evaluation.aggregates import performance_profile
from farlands.evaluation.config import AXES, GENERIC_AXES
from farlands.evaluation.metrics import survival_curve, unlock_curve
from farlands.evaluation.page import LearningCurve
from farlands.evaluation.report import Report, words
from farlands.evaluation.selection import choose_curves
from farlands.evaluation.survival import SurvivalCurve
from farlands.evaluation.svg import Line, line_chart

_UNLOCKS = 6
_POINTS = 200


def figure(title: str, chart: str, sentence: str) -> str:
    """A chart with its heading and explanation."""
    return f"<figure><h3>{escape(title)}</h3>{chart}<figcaption>{escape(sentence)}</figcaption></figure>"


def learning(curve: LearningCurve) -> str:
    """Return and achievements over training."""
    said = "Return of training attempts over training steps."
    returns = line_chart([Line("return", curve.steps, curve.returns)], "training steps", "return", said, zero=True)
    parts = [figure("Return", returns, "Mean over the last few hundred attempts: higher is better.")]
    if curve.achievements:
        lines = [
            Line(words(name), curve.steps, share, colour=index)
            for index, (name, share) in enumerate(curve.achievements.items())
        ]
        said = "Share of training attempts with some of the achievements, over training steps."
        chart = line_chart(lines, "training steps", "attempts with it", said, percent=True)
        parts.append(figure("Some achievements", chart, "Share of the last few hundred attempts that got each."))
    return "".join(parts)


def unlocks(report: Report) -> str:
    """How soon the agent unlocks some of its achievements."""
    rates = {name: np.array([rates[0]["value"] or 0.0]) for name, rates in report.rate_rows() if rates[0]["value"]}
    depths = dict(zip(report.scale.achievements, report.scale.depths, strict=False))
    chosen = choose_curves(rates, depths, _UNLOCKS)
    lines = []
    for colour, name in enumerate(chosen):
        curve = unlock_curve(report.agent, report.scale, report.scale.achievements.index(name))
        assert curve is not None, name
        lines.append(_line(words(name), _complement(_to_the_end(curve)), colour))
    if not lines:
        return ""
    said = "Share of attempts that had each of some achievements, by step, with 95 % bands."
    chart = line_chart(lines, "steps into the attempt", "attempts that have it", said, percent=True)
    sentence = (
        "How many attempts had the achievement by each step (Kaplan-Meier estimate); a curve that rises early means "
        "quick work, one that stays low means it is rarely done at all."
    )
    return f'<div class="grid2">{figure("How soon", chart, sentence)}{_depths(report)}</div>'


def _depths(report: Report) -> str:
    from farlands.evaluation.metrics import depths_reached

    if not report.scale.depths:
        return ""
    most = max(int(depths_reached(each, report.scale).max(initial=0)) for each in report.actors.values())
    depths = np.arange(1, max(most, 1) + 1)
    lines = []
    for colour, (name, episodes) in enumerate(report.actors.items()):
        profile = performance_profile(depths_reached(episodes, report.scale)[:, None], depths - 0.5)
        lines.append(Line(name, depths, profile.share, profile.low, profile.high, colour, dots=True))
    chart = line_chart(
        lines, "depth", "attempts that got there", "Share of attempts that reached each depth.", percent=True
    )
    sentence = (
        "How far up the ladder of feats attempts got: depth 1 is picking something up, and each next depth needs a "
        "tool or material from the one before."
    )
    return figure("How deep", chart, sentence)


def behaviour(report: Report) -> str:
    """Survival and the distribution of returns."""
    curves = {name: survival_curve(episodes) for name, episodes in report.actors.items()}
    lines = [_line(name, _to_the_end(c), colour) for colour, (name, c) in enumerate(curves.items()) if c is not None]
    alive = line_chart(
        lines, "steps into the attempt", "still alive", "Share of attempts still alive, by step.", percent=True
    )
    returns = np.concatenate([episodes.reward for episodes in report.actors.values()])
    thresholds = np.linspace(returns.min(), returns.max(), _POINTS)
    lines = []
    for colour, (name, episodes) in enumerate(report.actors.items()):
        if len(episodes):
            profile = performance_profile(episodes.reward[:, None], thresholds)
            lines.append(Line(name, thresholds, profile.share, profile.low, profile.high, colour))
    said = "Share of attempts with a return above each value."
    spread = line_chart(lines, "return", "attempts above it", said, percent=True)
    going = (
        "How many attempts were still going at each step, those ended by the time limit not counted as deaths; the "
        "band is the 95 % range."
    )
    better = (
        "How many attempts had a return above the value below (a performance profile): the further to the right a "
        "curve reaches, the better."
    )
    return figure("Staying alive", alive, going) + figure("Good and bad attempts", spread, better)


def robustness_charts(report: Report, meanings: Mapping[str, str]) -> str:
    """Return along each axis of robustness, beside what it is unchanged; ``meanings`` explains the world's options."""
    found = report.robustness or {"axes": {}}
    rows = {condition.axis: condition for condition in report.conditions}
    charts = []
    for axis, values in found["axes"].items():
        levels = np.isin(report.agent.row, rows[axis].episodes.row)
        clean = float(report.agent.reward[levels].mean()) if levels.any() else float("nan")
        option = f"Return when an option of the world is another than in training. {meanings.get(axis, '')}"
        meaning = _MEANINGS.get(axis, option.strip())
        charts.append(_axis_figure(axis, values, clean, meaning))
    return "".join(charts)


def _axis_figure(axis: str, values: Mapping[str, Mapping[str, Any]], clean: float, meaning: str) -> str:
    labels = list(values)
    numbers = _numbers(labels)
    x = np.array(numbers if numbers else range(len(labels)), dtype=np.float64)
    edge = (x.min(), x.max()) if len(x) > 1 else (x[0] - 0.5, x[0] + 0.5)
    unchanged = Line("unchanged", np.array(edge), np.array([clean, clean]), colour=7)
    parts = np.array([each["part"] for each in values.values()])
    lines = []
    for colour, part in enumerate(dict.fromkeys(parts.tolist())):
        mine = np.flatnonzero(parts == part)
        mine = mine[np.argsort(x[mine])]
        estimates = [values[labels[k]]["return"] for k in mine]
        y, low, high = (np.array(column) for column in zip(*estimates, strict=True))
        lines.append(Line(f"{part} range" if part else "changed", x[mine], y, low, high, colour, dots=True))
    name = words(axis)
    said = f"Return against {name}, with the return of the unchanged world as a level line."
    chart = line_chart([*lines, unchanged], name, "return", said, zero=True)
    kinds = "" if numbers else f" From left to right: {', '.join(labels)}."
    return figure(name, chart, meaning + kinds)


_MEANINGS = {axis.name: axis.what for axis in (*GENERIC_AXES, *(axis for own in AXES.values() for axis in own))}


def _numbers(labels: list[str]) -> list[float]:
    try:
        return [float(label) for label in labels]
    except ValueError:
        return []


def _line(name: str, curve: SurvivalCurve, colour: int) -> Line:
    return Line(name, curve.time, curve.share, curve.low, curve.high, colour, steps=True)


def _to_the_end(curve: SurvivalCurve) -> SurvivalCurve:
    """The curve drawn on to the last step that was watched."""
    columns = {name: np.append(getattr(curve, name), getattr(curve, name)[-1]) for name in ("share", "low", "high")}
    time = np.append(curve.time, curve.limit)
    return SurvivalCurve(time=time, **columns, at_risk=curve.at_risk, events=curve.events, limit=curve.limit)


def _complement(curve: SurvivalCurve) -> SurvivalCurve:
    """Share to which it has happened."""
    return SurvivalCurve(
        curve.time, 1 - curve.share, 1 - curve.high, 1 - curve.low, curve.at_risk, curve.events, curve.limit
    )
