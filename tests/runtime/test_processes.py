"""Several real processes carry a run: they learn what one would, and survive each other."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from farlands.runtime.episodes import read_episodes
from farlands.runtime.faults import read_struck
from farlands.runtime.metrics import read_metrics

SMALL = ["--num-worlds", "12", "--ppo.rollout", "8", "--ppo.minibatches", "2", "--threads", "1", "--save-every", "0"]
RND = ["--rewards.sources", "rnd", "--rewards.rnd.share", "1"]


def farlands(*arguments: str, code: int = 0) -> str:
    """What a command says, on both streams; it must end with this code."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    environment |= {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, "-m", "farlands", *arguments], capture_output=True, text=True, timeout=300, env=environment
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def train(directory: Path, *flags: str, updates: int = 6, code: int = 0) -> str:
    steps = ["--steps", str(96 * updates), "--keep", "100", "--run-dir", str(directory)]
    return farlands("train", "cue-corridor", *SMALL, *steps, *flags, code=code)


def manifest(directory: Path, steps: int) -> dict:
    return json.loads((directory / "checkpoints" / f"step-{steps:012d}" / "manifest.json").read_text())


def world_hashes(directory: Path, processes: int, updates: int) -> list[str]:
    files = manifest(directory, 96 * updates)["files"]
    return [files[f"world-{rank}of{processes}.safetensors"][1] for rank in range(processes)]


@pytest.fixture(scope="module")
def two(tmp_path_factory) -> Path:
    """A run of two processes, unbroken."""
    directory, temporary = tmp_path_factory.mktemp("two") / "run", tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(temporary))
        said = train(directory, "--processes", "2")
    left = [path.name for path in temporary.iterdir() if not path.name.startswith("torchinductor")]
    assert not left, "nothing is left behind"
    assert "cue-corridor on cpu, 2 processes" in said
    assert said.count("done: 576 steps") == 1, "the first speaks for all"
    return directory


def test_two_learn_what_one_does(two, tmp_path):
    train(tmp_path / "one")
    ours, theirs = read_metrics(two / "metrics.jsonl"), read_metrics(tmp_path / "one" / "metrics.jsonl")
    assert len(ours) == len(theirs) == 6
    for one, other in zip(ours, theirs, strict=True):
        for name, value in other.items():
            if name.startswith(("learn/", "episode/", "achievement/", "step", "update")) and name != "steps_per_second":
                # After a few updates differences in the last bits have grown.
                assert math.isclose(one[name], value, rel_tol=1e-3, abs_tol=1e-4), name
    for name in ("learn/policy_loss", "learn/value_loss", "learn/entropy", "learn/grad_norm"):
        assert math.isclose(ours[0][name], theirs[0][name], rel_tol=1e-5, abs_tol=1e-5), name
    tables = [read_episodes(each / "episodes").sort_by([("step", "ascending"), ("row", "ascending")]) for each in
              (two, tmp_path / "one")]  # fmt: skip
    for column in ("step", "row", "seed", "length"):
        assert tables[0][column].to_pylist() == tables[1][column].to_pylist(), column
    assert "time/communicate" in ours[0]
    assert manifest(two, 576)["facts"]["processes"] == 2


@pytest.mark.parametrize("fault", ["kill@4/1", "kill@4:save.writing/1"])
def test_a_lost_process_costs_nothing_but_time(fault, two, tmp_path):
    said = train(tmp_path / "run", "--processes", "2", "--restarts", "1", "--faults", fault, "--peer-timeout", "60")
    assert len(read_struck(tmp_path / "run")) == 1
    assert "process 1 of 2" in said
    assert "going on from step" in said
    assert world_hashes(tmp_path / "run", 2, 6) == world_hashes(two, 2, 6)
    ours, theirs = manifest(tmp_path / "run", 576)["files"], manifest(two, 576)["files"]
    for file in ours:
        if not file.startswith("counters"):
            assert ours[file] == theirs[file], file
    assert [row["step"] for row in read_metrics(tmp_path / "run" / "metrics.jsonl")] == [96 * k for k in range(1, 7)]


def test_without_restarts_the_loss_is_told(tmp_path):
    said = train(tmp_path / "run", "--processes", "2", "--faults", "exit@3/1", code=7)
    assert "process 1 of 2 is gone" in said
    assert "farlands: process 1 ended with code 7; --restarts starts it again" in said
    assert farlands("resume", str(tmp_path / "run"), "--restarts", "1").count("done: 576 steps") == 1


def test_a_process_that_hangs_is_named(tmp_path):
    flags = ("--processes", "2", "--restarts", "1", "--faults", "hang@3:learn/0", "--peer-timeout", "5")
    said = train(tmp_path / "run", *flags)
    assert "process 0 of 2 is late" in said
    assert "learn of update 3" in said


def test_any_number_of_processes_goes_on(two, tmp_path):
    run = Path(shutil.copytree(two, tmp_path / "run"))
    before = read_metrics(run / "metrics.jsonl")
    assert "going on from step 576" in farlands("resume", str(run), "--processes", "1", "--steps", "672")
    said = farlands("resume", str(run), "--processes", "3", "--steps", "768")
    assert "going on from step 672" in said
    assert "3 processes" in said
    rows = read_metrics(run / "metrics.jsonl")
    assert rows[:6] == before
    assert [row["step"] for row in rows] == [96 * k for k in range(1, 9)]
    table = read_episodes(run / "episodes")
    assert table.num_rows == sum(row["episode/count"] for row in rows)
    assert set(table["row"].to_pylist()) == set(range(12))
    assert len(set(table["seed"].to_pylist())) == table.num_rows, "no level is met twice"


def test_rewards_that_learn_go_on_too(tmp_path):
    train(tmp_path / "run", *RND, "--processes", "2", updates=2)
    assert "done: 288" in farlands("resume", str(tmp_path / "run"), "--processes", "1", "--steps", "288")


def test_the_same_command_goes_on(tmp_path):
    run = tmp_path / "run"
    said = train(run, "--faults", "preempt@2", code=75)
    assert "interrupted and saved at step 192" in said
    assert "going on from step 192" in train(run)
    assert "done already: 576 steps" in train(run)
    said = train(run, "--seed", "7", code=2)
    assert "there is a run with other settings" in said
    assert "seed was 1, here it is '7'" in said
    assert len(read_metrics(run / "metrics.jsonl")) == 6


def test_a_run_that_ended_before_its_first_checkpoint_begins_anew(tmp_path):
    run = tmp_path / "run"
    train(run, "--save-every", "1000", "--faults", "exit@3", code=7)
    assert not (run / "checkpoints").exists()
    assert "done: 576 steps" in train(run, "--save-every", "1000", "--faults", "exit@3")
    assert [row["step"] for row in read_metrics(run / "metrics.jsonl")] == [96 * k for k in range(1, 7)]


def test_a_full_disk_is_told_in_one_line(tmp_path):
    said = train(tmp_path / "run", "--faults", "full-disk@3", code=2)
    assert "cannot write" in said
    assert "stands at step 192" in said
    assert "Traceback" not in said
    assert "going on from step 192" in farlands("resume", str(tmp_path / "run"))


def test_a_torn_checkpoint_is_passed_over(tmp_path):
    train(tmp_path / "run", "--faults", "torn@3", code=-9)
    said = farlands("resume", str(tmp_path / "run"))
    assert "step-000000000288 was torn by a crash" in said
    assert "going on from step 192" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--processes", "0"], "processes is 0; it must be at least 1"),
        (["--processes", "13"], "processes is 13; there are only 12 worlds to share"),
        (["--processes", "2", "--restarts", "-1"], "restarts is -1"),
        (["--peer-timeout", "0"], "peer-timeout is 0"),
        (["--faults", "kil@3"], "did you mean kill"),
        (["--processes", "2", "--ppo.minibatches", "13"], "there are only 12 sequences"),
        (["--processes", "2", "--device", "cuda"], "2 processes need a GPU each"),
    ],
)
def test_mistakes_are_one_line(flags, words, tmp_path):
    said = train(tmp_path / "run", *flags, code=2)
    lines = [line for line in said.splitlines() if line.startswith("farlands: ")]
    assert len(lines) == 1
    assert words in lines[0]
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
