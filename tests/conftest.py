"""What all tests share: the --slow option, kernels compiled once before workers start, a run made once per session."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# How long an example takes says more about the machine than about the code; speed is not tested here.
settings.register_profile("farlands", deadline=None)
settings.load_profile("farlands")

# Two workers with two threads each would mostly wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_COMPILE = """
import torch
from farlands.worlds.voxel.options import SENSES, VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

world = VoxelWorld(1, VoxelOptions(senses=SENSES))
world.reset(0)
world.step(torch.zeros(1, dtype=torch.int32))
world.close()
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run tests that take minutes")


def pytest_sessionstart(session: pytest.Session) -> None:
    is_controller = not hasattr(session.config, "workerinput")
    if is_controller and getattr(session.config.option, "numprocesses", None):
        # Two workers that compile the same kernels at once take more than twice as long as one that comes first.
        subprocess.run([sys.executable, "-c", _COMPILE], check=False, capture_output=True, timeout=900)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes; run with --slow"))


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small finished training run in the cue corridor with several checkpoints; copy it before changing it."""
    from farlands.cli import main

    path = tmp_path_factory.mktemp("runs") / "finished"
    flags = ["--num-worlds", "8", "--steps", "512", "--ppo.rollout", "16", "--save-every", "0", "--threads", "1"]
    assert main(["train", "cue-corridor", "--run-dir", str(path), *flags]) == 0
    return path


@pytest.fixture
def side_by_side() -> Callable[..., list[Any]]:
    """``side_by_side(size, work)``: the results of ``work(peers)`` of that many threads that are each other's peers."""
    import torch

    from farlands.learning.peers import Peers

    class Threads(Peers):
        def __init__(self, rank: int, size: int, slots: list[Any], barrier: threading.Barrier) -> None:
            self.rank, self.size, self._slots, self._barrier = rank, size, slots, barrier
            self.goes_first = rank == 0

        def gather(self, value: Any) -> list[Any]:
            self._slots[self.rank] = value
            self._barrier.wait()
            found = list(self._slots)
            self._barrier.wait()
            return found

        def sum_(self, tensor: torch.Tensor) -> torch.Tensor:
            parts = self.gather(tensor.clone())
            return tensor.copy_(torch.stack(parts).sum(dim=0))

    def run(size: int, work: Callable[[Peers], Any]) -> list[Any]:
        slots, barrier = [None] * size, threading.Barrier(size, timeout=60)

        def guarded(peers: Peers) -> Any:
            try:
                return work(peers)
            except BaseException:
                barrier.abort()
                raise

        with ThreadPoolExecutor(size) as pool:
            return list(pool.map(guarded, [Threads(rank, size, slots, barrier) for rank in range(size)]))

    return run
