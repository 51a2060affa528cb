"""Exact resume: killed at any moment, a run goes on to the very states it would have reached unbroken."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from farlands.cli import main
from farlands.runtime.checkpoint import file_hashes
from farlands.runtime.episodes import read_episodes
from farlands.runtime.metrics import read_metrics

MINE = """
import random
import numpy as np
import torch

def noisy(rollout):
    \"\"\"A reward that draws from every process-wide generator.\"\"\"
    return rollout.rewards + 0.01 * torch.randn_like(rollout.rewards) + 0.01 * random.random() + 0.01 * np.random.rand()
"""
UPDATES = 6
SETUPS = {
    "cue-corridor": ["--num-worlds", "8", "--ppo.rollout", "8"],
    "combination": ["--num-worlds", "8", "--ppo.rollout", "8", "--agent.hidden", "16", "--rewards.sources", "rnd"],
    "point-reach": ["--num-worlds", "8", "--ppo.rollout", "8", "--ppo.chunk", "4", "--agent.hidden", "16"],
    "voxel": ["--num-worlds", "8", "--ppo.rollout", "8", "--world.horizon", "24", "--agent.hidden", "16"],
}


def train_arguments(world: str, directory: Path, updates: int = UPDATES) -> list[str]:
    """A small run that saves after every update and keeps every checkpoint."""
    steps = ["--steps", str(64 * updates), "--save-every", "0", "--keep", "1000", "--threads", "1"]
    return ["train", world, *SETUPS[world], *steps, "--run-dir", str(directory)]


def state_hashes(directory: Path) -> dict[str, dict[str, str]]:
    """By checkpoint, the hash of each file of each component; those that hold times of day are left out."""
    found = {}
    for path in sorted((directory / "checkpoints").glob("step-*")):
        hashes = file_hashes(path)
        found[path.name] = {name: digest for name, digest in hashes.items() if not name.startswith("counters")}
    return found


def comparable_rows(directory: Path) -> list[dict[str, float]]:
    """Figures of all updates, times left out."""
    timing = ("time/", "seconds", "steps_per_second")
    rows = read_metrics(directory / "metrics.jsonl")
    return [{name: value for name, value in row.items() if not name.startswith(timing)} for row in rows]


def assert_same_run(broken: Path, unbroken: Path) -> None:
    ours, theirs = state_hashes(broken), state_hashes(unbroken)
    assert list(ours)[-1] == list(theirs)[-1]
    for name in ours:
        assert ours[name] == theirs[name], name
    assert repr(comparable_rows(broken)) == repr(comparable_rows(unbroken))
    assert read_episodes(broken / "episodes").equals(read_episodes(unbroken / "episodes"))


@pytest.mark.parametrize("world", SETUPS)
def test_stopping_and_going_on_changes_nothing(world, tmp_path, monkeypatch):
    mine = tmp_path / "mine.py"
    mine.write_text(MINE)
    sources = (
        [*SETUPS[world][SETUPS[world].index("--rewards.sources") + 1 :]] if "--rewards.sources" in SETUPS[world] else []
    )
    flags = ["--rewards.sources", *sources, f"{mine}:noisy"]
    assert main([*train_arguments(world, tmp_path / "unbroken", 7), *flags]) == 0
    assert main([*train_arguments(world, tmp_path / "broken", 7), *flags]) == 0
    assert_same_run(tmp_path / "broken", tmp_path / "unbroken")
    for later in sorted((tmp_path / "broken" / "checkpoints").glob("step-*"))[3:]:
        shutil.rmtree(later)
    random.seed(0)
    assert main(["resume", str(tmp_path / "broken")]) == 0
    assert_same_run(tmp_path / "broken", tmp_path / "unbroken")


def test_the_hashes_tell_runs_apart(tmp_path):
    for seed in ("1", "2"):
        assert main([*train_arguments("cue-corridor", tmp_path / seed, 2), "--seed", seed]) == 0
    one, two = (list(state_hashes(tmp_path / seed).values())[-1] for seed in ("1", "2"))
    for name in ("agent.safetensors", "learner.safetensors", "world.safetensors", "collector.safetensors"):
        assert one[name] != two[name]


def kill_at_random(arguments: list[str], directory: Path, delay: float) -> None:
    """Start a command and SIGKILL it ``delay`` seconds after its first new checkpoint."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "farlands", *arguments]
    before = set((directory / "checkpoints").glob("step-*"))
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment) as process:
        while process.poll() is None and set((directory / "checkpoints").glob("step-*")) <= before:
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        assert process.stderr is not None
        assert process.wait(60) in (-signal.SIGKILL, 0), process.stderr.read()


def check_kills(world: str, kills: int, tmp_path: Path, seed: int) -> None:
    """Kill a run again and again, each time going on, and compare it in the end with one that was left alone."""
    draw = random.Random(seed)
    updates = UPDATES + 12 * kills
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    assert main(train_arguments(world, unbroken, updates)) == 0
    arguments = train_arguments(world, broken, updates)
    done = 0
    while done < kills and (not broken.exists() or len(state_hashes(broken)) < updates):
        kill_at_random(arguments, broken, draw.uniform(0.0, 0.4))
        arguments = ["resume", str(broken)]
        done += 1
    assert done == kills, f"the run ended after {done} of {kills} kills"
    assert main(["resume", str(broken)]) == 0
    assert len(state_hashes(broken)) == updates
    assert_same_run(broken, unbroken)


def test_sigkill_and_resume(tmp_path):
    check_kills("cue-corridor", 3, tmp_path, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("world", ["cue-corridor", "voxel"])
def test_twenty_sigkills(world, tmp_path):
    check_kills(world, 20, tmp_path, seed=2)
