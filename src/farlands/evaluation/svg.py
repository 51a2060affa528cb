"""Line charts as SVG text whose colours follow the page: see ``style.py``. K points along a line."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

WIDTH, HEIGHT = 480, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 12, 12, 44


@dataclass(frozen=True)
class Line:
    """One line of a chart, with its band where it has one.

    Attributes:
        name: For the legend.
        x, y: float ``[K]``, x rising.
        low, high: Band, float ``[K]``, or None.
        colour: Index of the page's colour.
        steps: Drawn as a step function, each value holding until the next x.
        dots: Whether points are marked.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    colour: int = 0
    steps: bool = False
    dots: bool = False


def line_chart(
    lines: Sequence[Line], x_label: str, y_label: str, description: str, *, percent: bool = False, zero: bool = False
) -> str:
    """A chart with its legend as HTML.

    Args:
        lines: At least one, each with at least one point.
        x_label, y_label: What the axes show.
        description: What the chart shows, for those who can't see it.
        percent: y is a share in [0, 1], shown from 0 to 100 %.
        zero: The y axis includes zero.
    """
    x_low, x_high = _range([line.x for line in lines])
    drawn = [values for line in lines for values in (line.y, line.low, line.high) if values is not None]
    y_low, y_high = (0.0, 1.0) if percent else _range(drawn, zero)
    frame = _Frame(x_low, x_high, y_low, y_high)
    parts = [_axes(frame, x_label, y_label, percent)]
    parts += [_band(frame, line) for line in lines if line.low is not None and line.high is not None]
    parts += [_path(frame, line) for line in lines]
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(description, quote=True)}">'
        f"<title>{escape(description)}</title>{body}</svg>" + (_legend(lines) if len(lines) > 1 else "")
    )


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers in [low, high], at most about ``most``."""
    raw = (high - low) / max(1, most - 1)
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def short(value: float) -> str:
    """``1500000`` as ``1.5M``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


@dataclass(frozen=True)
class _Frame:
    """Where values lie on the drawing."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _range(arrays: Sequence[np.ndarray], zero: bool = False) -> tuple[float, float]:
    values = np.concatenate([np.asarray(array, dtype=np.float64) for array in arrays])
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        low, high = low - 0.5, high + 0.5
    return low, high


def _axes(frame: _Frame, x_label: str, y_label: str, percent: bool) -> str:
    left, right, floor = _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM
    parts = []
    for value in ticks(frame.y_low, frame.y_high):
        y = frame.y(value)
        text = f"{100 * value:.0f} %" if percent else short(value)
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{right}"/>')
        parts.append(f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    for value in ticks(frame.x_low, frame.x_high):
        x = frame.x(value)
        parts.append(f'<path class="axis" d="M{x:.1f} {floor}v4"/>')
        parts.append(f'<text class="tick" x="{x:.1f}" y="{floor + 17}" text-anchor="middle">{short(value)}</text>')
    middle = (_TOP + floor) / 2
    parts.append(f'<path class="axis" d="M{left} {floor}H{right}"/>')
    parts.append(
        f'<text class="label" x="{(left + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x_label)}</text>'
    )
    parts.append(
        f'<text class="label" transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(y_label)}</text>"
    )
    return "".join(parts)


def _points(frame: _Frame, x: np.ndarray, y: np.ndarray, steps: bool) -> list[str]:
    keep = np.isfinite(x) & np.isfinite(y)
    points = [(frame.x(a), frame.y(b)) for a, b in zip(x[keep], y[keep], strict=True)]
    if steps:
        corners = [(right[0], left[1]) for left, right in itertools.pairwise(points)]
        mixed = [point for pair in zip(points, corners, strict=False) for point in pair]
        points = mixed + points[-1:]
    return [f"{a:.1f} {b:.1f}" for a, b in points]


def _path(frame: _Frame, line: Line) -> str:
    points = _points(frame, line.x, line.y, line.steps)
    path = f'<path class="line c{line.colour}" d="M{"L".join(points)}"/>' if points else ""
    if line.dots:
        spots = (point.split() for point in points)
        path += "".join(f'<circle class="dot c{line.colour}" cx="{x}" cy="{y}" r="3.5"/>' for x, y in spots)
    return path


def _band(frame: _Frame, line: Line) -> str:
    assert line.low is not None, line.name
    assert line.high is not None, line.name
    points = _points(frame, line.x, line.high, line.steps)
    points += _points(frame, line.x, line.low, line.steps)[::-1]
    return f'<path class="band c{line.colour}" d="M{"L".join(points)}Z"/>' if points else ""


def _legend(lines: Sequence[Line]) -> str:
    entries = "".join(
        f'<li><span class="swatch c{line.colour}" aria-hidden="true"></span>{escape(line.name)}</li>' for line in lines
    )
    return f'<ul class="legend">{entries}</ul>'
