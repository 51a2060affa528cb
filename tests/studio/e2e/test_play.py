"""Playing and recording in a browser, with the keys of a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SEED = "271"
"""Of a level on which a tree stands before whoever begins."""
ESCAPE = "\ue00c"


@pytest.fixture
def hands(browser: Any) -> Any:
    """Presses keys and lets them go."""
    from selenium.webdriver.common.action_chains import ActionChains

    class Hands:
        def hold(self, keys: str) -> None:
            chain = ActionChains(browser.driver)
            for key in keys:
                chain.key_down(key)
            chain.perform()

        def let_go(self, keys: str) -> None:
            chain = ActionChains(browser.driver)
            for key in keys:
                chain.key_up(key)
            chain.perform()

        def tap(self, keys: str) -> None:
            self.hold(keys)
            self.let_go(keys)

    return Hands()


def enter(browser: Any, beside: str) -> None:
    browser.open("play")
    browser.find(f".radio input[value='{beside}']").click()
    browser.find("input[inputmode='numeric']").send_keys(SEED)
    browser.find("button", "Enter the world").click()
    browser.find(".curtain button", "Begin", seconds=90)


def test_a_person_gathers_a_log_and_makes_planks_of_it(browser: Any, hands: Any) -> None:
    browser.open("play")
    browser.find("h1", "Walk into a world")
    browser.show("lobby")
    enter(browser, "next-world")
    browser.show("ready")
    browser.find(".curtain button", "Begin").click()
    hands.hold("wj")
    browser.find(".toast", "Collect log")
    hands.let_go("wj")
    browser.find(".slot", "log")
    browser.find(".quick .choice", "make planks")
    browser.show("play")
    hands.tap("1")
    browser.find(".slot", "planks")
    browser.find(".neighbour-view canvas")
    browser.find(".delay", "ms")
    hands.tap("c")
    browser.find(".menu .choice", "stick")
    browser.show_at("desktop", "menu")
    hands.tap(ESCAPE)
    hands.tap(ESCAPE)
    browser.find("button", "Leave").click()
    browser.find("a", "Watch it again").click()
    browser.find(".scrub-place", "/")
    browser.find("button[aria-label='Play']").click()
    browser.changes("canvas.first-person")


def test_recording_asks_first_and_leaves_a_dataset(browser: Any, hands: Any) -> None:
    import minari

    enter(browser, "nobody")
    browser.find(".curtain button", "Begin").click()
    hands.tap(ESCAPE)
    browser.find(".curtain h2", "Paused")
    browser.find("button", "Record").click()
    browser.find(".consent p")
    browser.show("consent")
    start = browser.find("dialog button", "Start recording")
    start.click()
    assert browser.find(".consent p"), "without agreement nothing begins"
    browser.find("dialog input[type='checkbox']").click()
    start.click()
    browser.find(".record", "Stop recording")
    hands.hold("w")
    browser.find(".record", "Stop recording · 4")
    browser.show_at("desktop", "recording")
    hands.let_go("w")
    hands.tap(ESCAPE)
    browser.find(".record", "Stop recording").click()
    path = Path(browser.find("dialog .path code").text)
    data = minari.MinariDataset(path / "data")
    assert data.total_episodes == 1
    assert (data[0].actions[:, 0] == 1).any()
    browser.find("dialog a", "Look at it").click()
    browser.find(".around li")
    browser.find("button[aria-label='Play']").click()
    browser.changes("canvas.first-person")
    browser.show("demonstration")
    browser.open("recordings")
    browser.find(".cards a", "episode")
    browser.show("recordings")
