"""Comparisons end to end: what they leave, how they go on, what they refuse."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from farlands.cli import main
from farlands.runtime.signals import PREEMPTED
from farlands.runtime.studies.comparison_plots import curve

FLAGS = ["--common", "--num-worlds 8 --ppo.rollout 16 --threads 1 --save-every 0", "--episodes", "8", "--steps", "512"]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "compared"
    variants = ["--variants", "gru", "none at all: --agent.memory none"]
    assert main(["compare", "cue-corridor", *variants, *FLAGS, "--seeds", "2", "--run-dir", str(path)]) == 0
    return path


def test_every_variant_has_a_measured_run_for_every_seed(compared):
    found = json.loads((compared / "comparison.json").read_text())
    assert [each["name"] for each in found["variants"]] == ["gru", "none at all"]
    for each in found["variants"]:
        assert each["training_seeds"] == [1, 2]
        assert each["steps"] == 512
    for name, memory in (("gru", "mingru"), ("none-at-all", "none")):
        for seed in (1, 2):
            config = json.loads((compared / name / f"seed-{seed}" / "config.json").read_text())
            assert (config["agent"]["memory"], config["seed"], config["num_worlds"]) == (memory, seed, 8)
    assert (compared / "comparison.png").stat().st_size > 10_000
    assert "none at all" in (compared / "comparison.md").read_text()


def test_the_figures_are_those_of_the_runs_own_reports(compared):
    found = json.loads((compared / "comparison.json").read_text())["variants"][1]["figures"]
    report = json.loads((compared / "none-at-all" / "seed-2" / "report.json").read_text())["actors"]["agent"]
    assert found["return"][1] == report["return"]["value"]
    shares = [100 * share["value"] for share in report["achievements"].values()]
    assert found["score"][1] == pytest.approx(np.exp(np.mean(np.log(1 + np.array(shares)))) - 1)


def test_repeating_does_no_more_work_and_more_seeds_add_runs(compared, tmp_path):
    path = Path(shutil.copytree(compared, tmp_path / "again"))
    before = (path / "gru" / "seed-1" / "metrics.jsonl").stat().st_mtime_ns
    assert main(["compare", str(path)]) == 0
    assert (path / "gru" / "seed-1" / "metrics.jsonl").stat().st_mtime_ns == before
    assert not (path / "gru" / "seed-3").exists()
    assert main(["compare", str(path), "--seeds", "3"]) == 0
    assert len(json.loads((path / "comparison.json").read_text())["variants"][0]["values"]) == 3


def test_what_was_killed_half_way_is_finished_and_equal(compared, tmp_path):
    path = Path(shutil.copytree(compared, tmp_path / "again"))
    run = path / "gru" / "seed-1"
    shutil.rmtree(run)
    (path / "gru" / "seed-2" / "report.json").unlink()
    flags = ["--num-worlds", "8", "--ppo.rollout", "16", "--threads", "1", "--save-every", "0", "--seed", "1"]
    assert main(["train", "cue-corridor", "--run-dir", str(run), *flags, "--steps", "512"]) == 0
    # As after a kill in the second update: nothing newer than the first checkpoint.
    for later in sorted((run / "checkpoints").glob("step-*"))[1:]:
        shutil.rmtree(later)
    assert main(["compare", str(path)]) == 0
    ours, theirs = (json.loads((each / "comparison.json").read_text())["variants"] for each in (path, compared))
    assert [each["figures"] for each in ours] == [each["figures"] for each in theirs]


def test_a_signal_saves_and_the_same_command_goes_on(tmp_path):
    path = tmp_path / "study"
    command = [sys.executable, "-m", "farlands", "compare"]
    begin = [
        "cue-corridor",
        "--variants",
        "a",
        "b: --ppo.epochs 1",
        "--steps",
        "1e9",
        "--seeds",
        "1",
        "--run-dir",
        str(path),
    ]
    process = subprocess.Popen(
        [*command, *begin, "--common", "--threads 1 --num-worlds 8"], stdout=subprocess.PIPE, text=True
    )
    metrics, patience = path / "a" / "seed-1" / "metrics.jsonl", time.monotonic() + 60
    while not metrics.exists() and time.monotonic() < patience:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == PREEMPTED
    assert f"go on with: farlands compare {path}" in said
    assert list((path / "a" / "seed-1" / "checkpoints").glob("step-*")), "the run was saved"
    assert not (path / "b").exists()


def test_a_failing_run_is_named_and_the_log_shown(tmp_path, capsys):
    (tmp_path / "bad.py").write_text("def fail(rollout):\n    raise ValueError('no such luck')\n")
    path = tmp_path / "study"
    flags = ["--variants", "a", f"b: --rewards.sources {tmp_path / 'bad.py'}:fail", *FLAGS, "--seeds", "1"]
    assert main(["compare", "cue-corridor", *flags, "--run-dir", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("farlands: b, seed 1: farlands train failed")
    assert "no such luck" in said
    assert len(said.splitlines()) == 1


def test_finished_runs_are_grouped_by_what_they_differ_in(compared, capsys):
    runs = [str(compared / name / f"seed-{seed}") for name in ("gru", "none-at-all") for seed in (1, 2)]
    assert main(["compare", *runs]) == 0
    said = capsys.readouterr().out
    # The table is as wide as a terminal: names may go on in the next line.
    assert {"memory", "mingru", "none"} <= set(said.split())
    assert main(["compare", runs[0], runs[0]]) == 2
    assert "a seed may count but once" in capsys.readouterr().err


def test_unequal_budgets_are_refused(compared, tmp_path, capsys):
    other = tmp_path / "longer"
    flags = ["--num-worlds", "8", "--ppo.rollout", "16", "--threads", "1", "--steps", "1024"]
    assert main(["train", "cue-corridor", "--run-dir", str(other), *flags]) == 0
    capsys.readouterr()
    first = compared / "gru" / "seed-1"
    assert main(["compare", str(first), str(other)]) == 2
    assert capsys.readouterr().err == f"farlands: budgets differ: {first} has 512 steps, '{other}'; has 1,024 steps\n"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--steps", "5"], "--steps was set when the comparison was begun, to '512'; not 5"),
        (["--metric", "happiness"], "--metric is 'happiness'"),
    ],
)
def test_what_was_begun_keeps_its_terms(compared, capsys, flags, said):
    assert main(["compare", str(compared), *flags]) == 2
    assert said in capsys.readouterr().err


def test_a_directory_in_use_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("precious")
    argv = ["compare", "cue-corridor", "--variants", "a", "b: --ppo.epochs 1", "--run-dir", str(tmp_path)]
    assert main(argv) == 2
    assert "directory is not empty" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["mine.txt"]


def test_curves_are_means_over_recent_episodes():
    rows = [{"step": 10.0 * k, "episode/count": 1.0 + k % 2, "episode/return": float(k)} for k in range(1, 11)]
    places = np.array([5.0, 10.0, 55.0, 100.0])
    found = curve(rows, "step", "episode/return", places)
    assert np.isnan(found[0])
    # A window of five steps holds one update at most; between updates the last one stands.
    assert found[1:].tolist() == [1.0, 5.0, 10.0]
