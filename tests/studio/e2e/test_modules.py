"""What the pages' small modules work out, asked for in a browser."""

from __future__ import annotations

from typing import Any

import pytest


def ask(browser: Any, module: str, expression: str) -> Any:
    """An expression of what a module exports."""
    script = f"const done = arguments[0]; import('/static/{module}').then((m) => done({expression}))"
    return browser.driver.execute_async_script(script)


@pytest.fixture
def opened(browser: Any) -> Any:
    browser.open("runs")
    return browser


def test_axes_have_round_numbers(opened: Any) -> None:
    assert ask(opened, "ticks.js", "m.niceTicks(0, 1, 5)") == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert ask(opened, "ticks.js", "m.niceTicks(-3, 130, 4)") == [0, 50, 100]
    assert ask(opened, "ticks.js", "m.niceTicks(7, 7, 4)") == [7]
    assert ask(opened, "ticks.js", "m.rangeOf([])") == [0, 1]
    low, high = ask(opened, "ticks.js", "m.rangeOf([2, 2])")
    assert low <= 2 <= high
    assert low < high


def test_numbers_and_names_read_well(opened: Any) -> None:
    assert ask(opened, "words.js", "[950, 12345, 15e6, 999999, null].map(m.big)") == ["950", "12.3k", "15M", "1M", "–"]
    assert ask(opened, "words.js", "[0, 0.25, 17.46, 1234.5, -0.0004].map(m.figure)") == [
        "0", "0.25", "17.5", "1,235", "-4.0e-4",
    ]  # fmt: skip
    assert ask(opened, "words.js", "[0, 0.004, 0.5].map(m.percent)") == ["0 %", "< 1 %", "50 %"]
    assert ask(opened, "words.js", "m.titled('craft_wooden_pickaxe')") == "Craft wooden pickaxe"
    assert ask(opened, "words.js", "m.moment('2026-11-27-230657.replay')") == "27 November 2026 at 23:06"
    assert ask(opened, "words.js", "m.moment('cave.replay')") == "cave"


def test_a_frame_is_its_header_and_its_picture(opened: Any) -> None:
    header = '{"type": "look", "world": 3}'
    frame = f"""(() => {{
        const header = new TextEncoder().encode('{header}');
        const data = new Uint8Array(4 + header.length + 5);
        new DataView(data.buffer).setUint32(0, header.length, true);
        data.set(header, 4);
        const read = m.readFrame(data.buffer);
        return [read.about.world, read.picture.size];
    }})()"""
    assert ask(opened, "socket.js", frame) == [3, 5]


def test_a_moving_mean_keeps_its_ends(opened: Any) -> None:
    straight = "m.movingMean(Array.from({ length: 100 }, (_, k) => [k, 2 * k]))"
    assert ask(opened, "chart.js", f"{straight}.every(([x, y]) => Math.abs(y - 2 * x) < 1e-9)")
    assert ask(opened, "chart.js", "m.nearest([[0, 1], [10, 2], [20, 3]], 14)") == [10, 2]
