"""A real studio over real runs, and a browser that looks at it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SMALL = (
    "--num-worlds", "16", "--ppo.rollout", "16", "--ppo.minibatches", "2", "--world.horizon", "60", "--threads", "1",
)  # fmt: skip
"""A voxel run that learns next to nothing, quickly, and whose episodes end."""
PATIENCE = 60.0
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}


def start(*words: str) -> subprocess.Popen[str]:
    """`farlands WORDS` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "farlands", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, finished_run: Path) -> Path:
    """A directory of runs: a small voxel run, one in a world without pictures, and a broken one."""
    pytest.importorskip("starlette", reason="the studio's server is not installed")
    base = tmp_path_factory.mktemp("studio")
    trained = start("train", "voxel", "--recipe", "demo", *SMALL, "--steps", "4096", "--run-dir", str(base / "small"))
    said, _ = trained.communicate(timeout=300)
    assert trained.returncode == 0, said
    (base / "small" / "report.html").write_text("<!doctype html><title>x</title><p style='color: teal'>Measured.</p>")
    shutil.copytree(finished_run, base / "corridor")
    (base / "broken").mkdir()
    (base / "broken" / "config.json").write_text("{")
    return base


@pytest.fixture(scope="session")
def address(runs: Path) -> Iterator[str]:
    """Where a studio over ``runs`` answers."""
    server = start("studio", str(runs), "--port", "0")
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line
        yield found[0]
    finally:
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser without a window."""
    pytest.importorskip("selenium", reason="selenium is not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("chromium and chromedriver are not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for flag in (
        "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
        "disable-component-update", "disable-sync", f"user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    made.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": dark})
    try:
        yield made
    finally:
        made.quit()


class Browser:
    """A page of the studio, as a person uses it."""

    def __init__(self, driver: Any, address: str, pictures: Path) -> None:
        self.driver, self.address, self.pictures = driver, address, pictures

    def open(self, place: str = "") -> None:
        """Go somewhere, anew."""
        self.driver.get("about:blank")
        self.driver.get(self.address + (f"#/{place}" if place else ""))

    def all(self, selector: str) -> list[Any]:
        """Every element that can be seen."""
        return [each for each in self.driver.find_elements("css selector", selector) if each.is_displayed()]

    def find(self, selector: str, text: str = "", seconds: float = PATIENCE) -> Any:
        """The first element that can be seen and holds a text, once there is one."""

        def look() -> Any:
            return next((each for each in self.all(selector) if text in each.text), None)

        return self.wait(look, f"{selector} {text!r}", seconds)

    def wait(self, look: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """What a function returns, once that is something."""
        from selenium.common.exceptions import StaleElementReferenceException

        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                found = look()
            except StaleElementReferenceException:
                continue
            if found:
                return found
            time.sleep(0.05)
        shown = self.driver.find_element("tag name", "body").text
        raise AssertionError(f"not seen within {seconds:.0f} s: {what}\n{shown}")

    def pixels(self, selector: str) -> str:
        """What a canvas shows, as data to compare."""
        return self.driver.execute_script("return document.querySelector(arguments[0]).toDataURL()", selector)

    def changes(self, selector: str, seconds: float = PATIENCE) -> None:
        """Wait until a canvas shows something else, twice."""
        for _ in range(2):
            before = self.pixels(selector)
            self.wait(lambda before=before: self.pixels(selector) != before, f"{selector} changes", seconds)

    def resize(self, size: str) -> int:
        """Make the page as large as it is on some device; its width."""
        width, height = SIZES[size]
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        return width

    def show_at(self, size: str, name: str) -> None:
        """Take a picture of the page at a size, and see that nothing is wider than it."""
        width = self.resize(size)
        time.sleep(0.4)
        self.driver.save_screenshot(str(self.pictures / f"{name}-{size}.png"))
        wide = self.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, f"{name} is {wide} pixels wide on a page of {width}"

    def show(self, name: str) -> None:
        """The same at every size, the large one last."""
        for size in SIZES:
            self.show_at(size, name)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of pages are kept; ``FARLANDS_SHOTS`` names another place."""
    path = Path(os.environ.get("FARLANDS_SHOTS") or tmp_path_factory.mktemp("pictures"))
    path.mkdir(parents=True, exist_ok=True)
    return path


@pytest.fixture
def browser(chromium: Any, address: str, pictures: Path) -> Iterator[Browser]:
    """The browser at the studio; whatever it complains about fails the test."""
    made = Browser(chromium, address, pictures)
    made.resize("desktop")
    chromium.get_log("browser")
    yield made
    complaints = [entry["message"] for entry in chromium.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    chromium.get("about:blank")
    assert not complaints


@pytest.fixture
def live_run(runs: Path) -> Iterator[str]:
    """Name of a run that goes on meanwhile."""
    path = runs / "live"
    process = start("train", "voxel", "--recipe", "demo", *SMALL, "--steps", "10000000", "--run-dir", str(path))
    try:
        yield path.name
    finally:
        process.kill()
        process.communicate(timeout=60)
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def passing_studio(runs: Path) -> Iterator[Any]:
    """A studio that ``stop`` ends and ``start`` begins again, at one ``address``."""

    class Passing:
        def __init__(self) -> None:
            with socket.socket() as door:
                door.bind(("127.0.0.1", 0))
                self.port = door.getsockname()[1]
            self.address = f"http://127.0.0.1:{self.port}/"
            self.start()

        def start(self) -> None:
            self.server = start("studio", str(runs), "--port", str(self.port))
            assert self.server.stdout is not None
            assert self.address in self.server.stdout.readline()

        def stop(self) -> None:
            self.server.send_signal(signal.SIGINT)
            self.server.communicate(timeout=30)

    passing = Passing()
    try:
        yield passing
    finally:
        passing.stop()
