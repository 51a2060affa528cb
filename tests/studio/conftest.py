"""Runs and pages for the studio's tests."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from farlands.cli import main

TINY = [
    "--num-worlds", "4", "--ppo.rollout", "8", "--ppo.minibatches", "2", "--agent.hidden", "16", "--threads", "1",
    "--world.window", "32", "--world.horizon", "40", "--world.creatures", "none", "--device", "cpu",
]  # fmt: skip
"""A voxel run that takes seconds."""


class Page:
    """Stands in for a ``Client``: remembers what it was told and shown."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.shown: list[tuple[str, dict[str, Any], bytes]] = []
        self.gone = False
        self.news = threading.Condition()

    def tell(self, kind: str, **about: Any) -> None:
        with self.news:
            self.told.append(json.loads(json.dumps({"type": kind, **about})))
            self.news.notify_all()

    def show(self, stream: str, about: Any, picture: bytes) -> None:
        with self.news:
            self.shown.append((stream, json.loads(json.dumps(dict(about))), picture))
            self.news.notify_all()

    def of(self, kind: str) -> list[dict[str, Any]]:
        """What was told of a kind."""
        with self.news:
            return [each for each in self.told if each["type"] == kind]

    def pictures(self, stream: str) -> list[tuple[dict[str, Any], bytes]]:
        """What was shown in a stream."""
        with self.news:
            return [(about, picture) for name, about, picture in self.shown if name == stream]

    def wait(self, what: Any, seconds: float = 60.0) -> bool:
        """Until something is true of what was told and shown; False where it did not come true in time."""
        with self.news:
            return self.news.wait_for(what, seconds)


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture(scope="session")
def voxel_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished voxel run of a few updates."""
    path = tmp_path_factory.mktemp("studio") / "small"
    assert main(["train", "voxel", *TINY, "--steps", "96", "--run-dir", str(path)]) == 0
    return path
