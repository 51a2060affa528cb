"""Runs in worlds of several agents: training, resuming, measuring, filming; what is refused is so in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farlands.cli import main
from farlands.evaluation.records import UNSEEN_LEVELS, read_records
from farlands.runtime.episodes import read_episodes
from farlands.runtime.metrics import read_metrics
from farlands.worlds.voxel.persistence.replays import Replay

SHARED = ["--world.agents", "2", "--world.window", "32", "--world.horizon", "30"]
SMALL = ["--num-worlds", "4", "--ppo.rollout", "16", "--threads", "1"]


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory) -> Path:
    """A run of 512 steps in four worlds of two agents."""
    run = tmp_path_factory.mktemp("shared") / "run"
    assert main(["train", "voxel", *SHARED, *SMALL, "--steps", "512", "--run-dir", str(run)]) == 0
    return run


def test_a_run_counts_the_steps_and_episodes_of_every_agent(shared_run):
    assert read_metrics(shared_run / "metrics.jsonl")[-1]["step"] == 512
    episodes = read_episodes(shared_run / "episodes")
    assert set(episodes["row"].to_pylist()) == set(range(8))
    assert max(episodes["length"].to_pylist()) == 30
    seeds = np.array(episodes["seed"].to_pylist()), np.array(episodes["row"].to_pylist()) // 2
    assert all(len(set(seeds[0][seeds[1] == w].tolist())) >= 1 for w in range(4))
    assert len(set(seeds[0].tolist())) < len(episodes)


def test_a_run_goes_on_and_is_measured_and_filmed(shared_run, tmp_path, capsys):
    assert main(["resume", str(shared_run), "--steps", "640"]) == 0
    assert read_metrics(shared_run / "metrics.jsonl")[-1]["step"] == 640
    out = tmp_path / "out"
    asked = ["--episodes", "3", "--varied", "0", "--training-levels", "2", "--replays", "1", "--out", str(out)]
    assert main(["evaluate", str(shared_run), *asked, "--threads", "1"]) == 0
    found = read_records(out / "report.parquet").episodes
    measured = [episodes for (_, levels), episodes in found.items() if levels == UNSEEN_LEVELS]
    assert [episodes.row.tolist() for episodes in measured] == [list(range(6))] * 2
    replay = Replay.read(out / "replays" / "level-0000.replay")
    assert replay.actions.shape[1] == 2
    assert len(replay) <= 30
    assert sum(1 for _ in replay.play()) == len(replay) + 1
    capsys.readouterr()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["evaluate", "voxel", "--agent", "expert"], "the expert plays one agent to a world, not 2"),
        (["record", "voxel", "--agent", "random"], "demonstrations are of one agent to a world, not"),
    ],
)
def test_what_is_for_one_agent_says_so_in_one_line(argv, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main([*argv, *SHARED, "--episodes", "1"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_too_many_agents_are_one_line(capsys):
    capsys.readouterr()
    assert main(["train", "voxel", "--world.agents", "9", *SMALL, "--steps", "64"]) == 2
    error = capsys.readouterr().err
    assert "agents 9 is out of range: 1 to 8" in error
    assert len(error.strip().splitlines()) == 1
