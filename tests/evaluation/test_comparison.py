"""Comparisons of variants, on figures small enough to reckon by hand."""

from __future__ import annotations

import numpy as np
import pytest

from farlands.evaluation.comparison import Comparison, VariantResult


def variant(name: str, returns: list[float], logs: list[float] | None = None, seconds: float = 2.0) -> VariantResult:
    figures = {"return": np.array(returns)} | ({"collect_log": np.array(logs)} if logs else {})
    count = len(returns)
    return VariantResult(
        name, f"--x {name}", np.arange(1, count + 1), figures, np.full(count, 100), np.full(count, seconds)
    )


def test_every_variant_is_held_against_the_first():
    rows = Comparison("t", "return", (variant("a", [1.0, 2.0, 3.0]), variant("b", [2.0, 2.5, 9.0]))).rows()
    assert rows[0]["better_than_first"] is None
    # Of nine pairs b wins 2 > 1, 2.5 > 1, 2.5 > 2, 9 > 1, 9 > 2, 9 > 3 and ties 2 = 2.
    assert rows[1]["better_than_first"]["value"] == pytest.approx(6.5 / 9)
    assert rows[1]["mean"]["value"] == pytest.approx(4.5)
    assert rows[1]["mean"]["low"] < 4.5 < rows[1]["mean"]["high"]
    assert rows[1]["steps_per_second"] == pytest.approx(50.0)


def test_one_seed_is_shown_for_what_it_is():
    row = Comparison("t", "return", (variant("a", [1.5]), variant("b", [1.0]))).rows()[1]
    assert (row["seeds"], row["values"], row["better_than_first"]["value"]) == (1, [1.0], 0.0)


def test_the_page_shows_what_anyone_reached():
    both = (variant("a", [1.0, 2.0], [0.0, 0.5]), variant("b", [2.0, 2.0], [0.25, 0.75]))
    page = Comparison("two", "return", both, {"world": "w"}).to_markdown()
    assert "| collect log | 25.0% (0.0% to 50.0%) | 50.0% (25.0% to 75.0%) |" in page
    assert "- world: w" in page
    nobody = (variant("a", [1.0], [0.0]), variant("b", [2.0], [0.0]))
    assert "collect log" not in Comparison("two", "return", nobody).to_markdown()


def test_json_holds_every_figure():
    data = Comparison("two", "return", (variant("a", [1.0]), variant("b", [2.0]))).to_json()
    assert [each["figures"]["return"] for each in data["variants"]] == [[1.0], [2.0]]
    assert [each["training_seeds"] for each in data["variants"]] == [[1], [1]]
