"""The page: well-formed, self-contained, and showing the figures it should."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.evaluation.html import render
from farlands.evaluation.page import Clip, LearningCurve, Page, Provenance
from farlands.evaluation.report import Report, show_share
from farlands.evaluation.robustness import Condition
from farlands.evaluation.svg import Line, line_chart, short, ticks

from .conftest import SCALE, make_episodes, random_episodes

VOID = {"meta", "source", "br", "img"}


class Outline(HTMLParser):
    """Checks that tags close in order, and notes what they are."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def page(**changes) -> Page:
    agent, chance = random_episodes(60, seed=1, lift=1.0), random_episodes(60, seed=2)
    conditions = (
        Condition("wind", "1", agent, "train"), Condition("wind", "3", chance, "held-out"),
        Condition("wind", "2", chance, "train"), Condition("season", "wet", chance),
    )  # fmt: skip
    report = Report(
        "agent of <runs/x> & co in voxel",
        SCALE,
        agent,
        chance,
        {"world": "voxel", "protocol": "quick"},
        chance,
        conditions,
    )
    steps = np.arange(20.0)
    curve = LearningCurve(steps, np.sqrt(steps), {"log": steps / 20})
    source = Provenance(
        [("train", "farlands train 'a b'")], {"training": "1 s"}, {"cores": 2}, {"torch": "2"}, {}, {"a": 1}, {}
    )
    clip = Clip("The best episode", 'says "hello" & <more>', b"video", b"poster")
    return Page(
        **{
            "report": report,
            "provenance": source,
            "curve": curve,
            "clips": (clip,),
            "meanings": {"season": "which season it is"},
            **changes,
        }
    )


def test_page_is_well_formed_and_needs_no_network():
    text = render(page())
    outline = Outline(text)
    assert outline.open == []
    for tag, attributes in outline.tags:
        assert tag not in ("script", "link", "iframe")
        for name in ("src", "href", "poster"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert "url(" not in text
    assert "@import" not in text


def test_page_is_accessible():
    outline = Outline(render(page()))
    tags = [tag for tag, _ in outline.tags]
    assert dict(outline.tags)["html"]["lang"] == "en"
    for tag, attributes in outline.tags:
        if tag in ("svg", "video"):
            assert attributes["aria-label"]
        if tag == "th":
            assert attributes["scope"] in ("row", "col")
    assert tags.count("h1") == 1
    assert tags.index("h1") < tags.index("h2") < tags.index("h3")
    assert tags.count("figcaption") == tags.count("figure") >= 8
    assert "prefers-color-scheme: dark" in render(page())


def test_figures_are_those_of_the_report():
    made = page()
    text = render(made)
    plain = re.sub(r"</?span[^>]*>", "", text)
    for name, rates in made.report.rate_rows():
        assert name in text
        for rate in rates:
            assert show_share(rate) in plain
    assert f'<dd class="big">{made.report.figures["agent"]["success"]["value"]:.0%}</dd>' in text
    assert "agent of &lt;runs/x&gt; &amp; co" in text
    assert "worlds it trained on" in text
    assert "From left to right: wet" in text
    assert "which season it is" in text


def test_parts_that_are_missing_are_left_out():
    report = Report("bare", SCALE, random_episodes(10))
    text = render(page(report=report, curve=None, clips=(), notes=("no films here",)))
    assert Outline(text).open == []
    for heading in ("See it", "How it learned", "New worlds against known ones", "When something is different"):
        assert heading not in text
    assert "no films here" in text
    assert "random:" not in text


@pytest.mark.parametrize(
    "rows",
    [
        [(5, 0.0, "fall", (-1,) * 4)],
        [(5, 0.0, "horizon", (-1,) * 4)] * 3,
        [(1, 3.0, "goal", (1, 1, 1, 1))],
    ],
    ids=["one", "same", "goal"],
)
def test_odd_episodes_make_a_page(rows):
    odd = make_episodes(rows)
    report = Report("odd", SCALE, odd, odd, {}, odd, (Condition("wind", "1", odd),))
    text = render(page(report=report))
    assert Outline(text).open == []
    assert "nan" not in re.sub(r"<style>.*</style>", "", text).lower().replace("finance", "")


def coordinates(svg: str, kind: str) -> list[list[tuple[float, float]]]:
    found = re.findall(rf'<path class="{kind} c\d" d="M([^"Z]*)', svg)
    return [[tuple(map(float, point.split())) for point in path.split("L")] for path in found]


def test_lines_lie_where_they_should():
    x = np.array([0.0, 5.0, 10.0])
    svg = line_chart([Line("a", x, np.array([0.0, 1.0, 0.5]), np.zeros(3), np.ones(3))], "x", "y", "d", percent=True)
    ElementTree.fromstring(svg)
    ((left, middle, right),) = coordinates(svg, "line")
    assert middle[0] == pytest.approx((left[0] + right[0]) / 2, abs=0.1)
    assert right[1] == pytest.approx((left[1] + middle[1]) / 2, abs=0.1)
    assert middle[1] < left[1]
    (band,) = coordinates(svg, "band")
    assert {y for _, y in band} == {left[1], middle[1]}


def test_steps_hold_until_the_next():
    svg = line_chart([Line("a", np.array([0.0, 1.0]), np.array([1.0, 0.0]), steps=True)], "x", "y", "d")
    ((first, corner, last),) = coordinates(svg, "line")
    assert corner == (last[0], first[1])


@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9))
def test_ticks_are_round_and_inside(low, width):
    found = ticks(low, low + width)
    assert 2 <= len(found) <= 12
    assert all(low - width * 1e-6 <= tick <= low + width * (1 + 1e-6) for tick in found)
    gaps = np.diff(found)
    assert gaps == pytest.approx(gaps[0], rel=1e-3)


def test_short_numbers():
    assert [short(value) for value in (0, 0.25, 1500, 2_500_000, -3e9)] == ["0", "0.25", "1.5k", "2.5M", "-3G"]
