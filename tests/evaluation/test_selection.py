from __future__ import annotations

import numpy as np

from farlands.evaluation.selection import choose_curves


def test_curves_are_chosen_from_the_easy_to_the_rare():
    curves = {f"c{k:02}": np.array([0.0, k / 20]) for k in range(20)}
    assert choose_curves(curves, {}, 4) == ["c19", "c13", "c06", "c00"]
    assert choose_curves(dict(list(curves.items())[:2]), {}, 4) == ["c01", "c00"]
    assert choose_curves({}, {}, 4) == []


def test_curves_of_every_depth_come_first():
    curves = {name: np.array([0.0, end]) for name, end in zip("abcdef", (0.9, 0.8, 0.7, 0.2, 0.1, 0.05), strict=True)}
    depths = {"a": 1, "b": 1, "c": 2, "d": 2, "e": 3, "f": 3}
    assert choose_curves(curves, depths, 3) == ["a", "c", "e"]
    assert choose_curves(curves, depths, 2) == ["c", "e"]
    assert choose_curves(curves, depths, 9) == list("abcdef")
