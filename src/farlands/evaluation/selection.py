"""Which of many achievements to draw: a chart holds a few lines."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def choose_curves(curves: Mapping[str, np.ndarray], depths: Mapping[str, int], count: int) -> list[str]:
    """Some of many curves, the highest end first: the best of every depth, the deepest counting most, then of the rest
    some from the highest to the lowest, evenly. The easiest alone would only hide each other.
    """
    ordered = sorted(curves, key=lambda name: (-curves[name][-1], -curves[name].sum()))
    best: dict[int, str] = {}
    for name in ordered:
        best.setdefault(depths.get(name, 0), name)
    best.pop(0, None)
    chosen = {best[depth] for depth in sorted(best, reverse=True)[:count]}
    others = [name for name in ordered if name not in chosen]
    free = min(count - len(chosen), len(others))
    chosen |= {others[place] for place in np.linspace(0, len(others) - 1, free).round().astype(int)}
    return [name for name in ordered if name in chosen]
