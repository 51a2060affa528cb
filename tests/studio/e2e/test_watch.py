"""Watching runs in a browser."""

from __future__ import annotations

from typing import Any


def test_runs_are_listed_opened_and_compared(browser: Any) -> None:
    browser.open()
    browser.find("tr", "small")
    assert "Broken: its config.json cannot be read" in browser.find("tr", "broken").text
    assert "finished" in browser.find("tr", "small").text
    browser.show("runs")
    for name in ("small", "corridor"):
        browser.find(f"input[aria-label='Compare {name}']").click()
    browser.find("a", "Compare 2 runs").click()
    browser.find("figcaption", "Return of an episode")
    assert len(browser.all("figure.wide .chart-lines g[style]")) == 2
    browser.show("compare")


def test_a_click_on_a_world_shows_its_mind(browser: Any) -> None:
    browser.open("run/small")
    browser.find(".wall-state", "The newest agent")
    browser.changes(".wall canvas")
    browser.show("wall")
    browser.find(".door[aria-label='Look into world 3']").click()
    browser.find("h2", "World 3")
    browser.find(".options li", "%")
    browser.changes("canvas.first-person")
    browser.wait(lambda: len(browser.all(".mind canvas.map")) == 1, "the map")
    browser.find(".vital-health[aria-label^='health '][aria-label$=' of 20']")
    browser.show("mind")
    browser.driver.find_element("tag name", "body").send_keys("\ue014")
    browser.find("h2", "World 4")
    browser.driver.find_element("tag name", "body").send_keys("\ue00c")
    browser.find(".wall canvas")


def test_worlds_without_pictures_still_have_a_mind(browser: Any) -> None:
    browser.open("run/corridor/worlds")
    browser.find(".hint", "no pictures")
    browser.find(".door").click()
    browser.find(".options li", "%")
    assert not browser.all("canvas")


def test_learning_is_drawn(browser: Any) -> None:
    browser.open("run/small/learning")
    browser.find("figcaption", "Return of an episode")
    browser.find(".feat-tile", "collect log")
    assert browser.find("h3", "Energy")
    browser.find(".key", "living in the worlds")
    browser.show("learning")


def test_reports_and_replays_are_opened_in_place(browser: Any) -> None:
    browser.open("run/small/reports")
    browser.driver.switch_to.frame(browser.find("iframe"))
    browser.find("p", "Measured.")
    browser.driver.switch_to.default_content()
    browser.open("run/corridor/reports")
    browser.find(".empty", "No report yet")
    browser.open("run/small/replays")
    browser.find(".empty", "No replay yet")


def test_a_run_that_goes_on_is_seen_live(browser: Any, live_run: str) -> None:
    browser.open("runs")
    browser.find(f"tr:has(a[href='#/run/{live_run}'])", "running").click()
    browser.find(".wall-state", "Live: these are the very worlds")
    # Who watches stands back where others want the cores.
    browser.changes(".wall canvas")
    browser.find("h1 + .state", "running")
    browser.show_at("desktop", "live")
    browser.find(".door[aria-label='Look into world 2']").click()
    browser.find(".options li", "%")


def test_what_is_not_there_is_told(browser: Any) -> None:
    browser.open("run/nowhere")
    browser.find(".lead", "no such run")
    browser.find("a", "All runs").click()
    browser.find("h1", "Runs")


def test_a_lost_connection_is_told_and_comes_back(browser: Any, passing_studio: Any) -> None:
    browser.address = passing_studio.address
    browser.open("run/small/learning")
    browser.find("figcaption", "Return of an episode")
    passing_studio.stop()
    browser.find(".lost", "trying again")
    passing_studio.start()
    browser.wait(lambda: not browser.all(".lost"), "the line goes away")
    browser.find("h1", "small")
    browser.driver.get("about:blank")
    refused = browser.driver.get_log("browser")
    assert all("WebSocket" in entry["message"] for entry in refused)
