"""The verb `plan`: what it tells from runs and reports, what it says it doesn't know, and what it refuses."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from farlands.cli import main
from farlands.errors import UserError
from farlands.evaluation.statistics import wilson_interval
from farlands.runtime.scaling.plan import read_counts
from farlands.runtime.scaling.powerlaw import fit_rounds
from farlands.runtime.scaling.report import NAME, Processes, ScalingReport, write
from farlands.runtime.scaling.skills import RunSkills

ABOUT = {
    "world": "voxel", "date": "today", "threads": 1, "device": "cuda", "versions": {"farlands": "0"},
    "machine": {"cores": 2, "processor": "some", "gpus": ["some GPU"]},
}  # fmt: skip


@pytest.fixture
def report(tmp_path) -> Path:
    """Of a machine whose second process adds a fifth of the first, and draws 500 W for a thousand steps a second."""
    path, counts = tmp_path / "scaling", (1, 2)
    path.mkdir()
    rates = np.array([[1000.0, 1200.0], [1000.0, 1190.0], [1000.0, 1210.0]])
    depths = {f"make_{name}": depth for depth, name in enumerate(("log", "stick", "pickaxe", "sword"), start=1)}
    learnt = {"make_log": 1000, "make_stick": 4000, "make_pickaxe": 9000, "make_sword": None}
    shares = {name: wilson_interval(3, 100) for name in learnt}
    write(
        ScalingReport(
            ABOUT,
            base={"steps_per_second": [1000.0, 1000.0], "joules_per_step": 0.5, "num_worlds": 8},
            processes=Processes(counts, rates, fit_rounds(counts, rates)),
            skills=[RunSkills("runs/one", "voxel", 12_000, learnt, shares, depths, {})],
        ),
        path,
    )
    return path


@pytest.fixture
def run(finished_run, tmp_path) -> Path:
    """A finished run with a longer history: a thousand steps a second, returns that grow by one with each doubling."""
    path = Path(shutil.copytree(finished_run, tmp_path / "run"))
    rows = [
        {"step": 1000 * k, "seconds": float(k), "episode/count": 8.0, "episode/return": math.log2(k),
         "achievement/find": 0.5, "joules": 300.0 * k}
        for k in range(1, 513)
    ]  # fmt: skip
    (path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def plan(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    capsys.readouterr()
    assert main(["plan", *map(str, argv)]) == 0
    return capsys.readouterr().out


def test_a_run_tells_time_energy_money_and_gains(capsys, run):
    said = plan(capsys, run, "--steps", "3_600_000", "--price-per-hour", "2.5", "--skill", "find")
    assert said.startswith("3,600,000 steps of cue-corridor on cpu")
    [row] = [line.split() for line in said.splitlines() if line.strip().startswith("1 ")]
    assert row == ["1", "1,000", "1", "2.50", "0.3", "0.3", "100%"]
    assert "find: " in said
    assert "256k to 512k +0" in said
    assert "2.8 doublings beyond what was trained" in said
    assert "has to be cooled away is the electrical power" in said


def test_a_run_does_not_know_how_processes_add_up(capsys, run):
    said = plan(capsys, run, "--gpus", "1..3", "--deadline-hours", "1e-3")
    assert "only 1 device measured: others are in proportion, more of them at best" in said
    assert "in 0.001 hours: " in said
    assert "episode" in said
    assert "+1 (+" in said, "each doubling brought one more"


def test_a_run_of_several_processes_is_told_as_such(capsys, run):
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({**config, "processes": 2}))
    options = json.loads(plan(capsys, run, "--steps", "3.6e6", "--gpus", "1,2,4", "--json"))["options"]
    assert [option["rate"]["value"] for option in options] == pytest.approx([500, 1000, 2000])
    assert [option["measured"] for option in options] == [False, True, False]
    assert [option["kilowatts"] for option in options] == pytest.approx([0.15, 0.3, 0.6])


def test_a_report_tells_where_devices_stop_paying(capsys, report):
    data = json.loads(plan(capsys, report, "--steps", "1e6", "--gpus", "1,2,4", "--json"))
    one, two, four = data["options"]
    assert one["rate"]["value"] == 1000.0
    assert two["added"] == pytest.approx(0.2, abs=0.01)
    assert (two["measured"], four["measured"]) == (True, False)
    assert one["kilowatts"] == pytest.approx(0.5)
    assert two["kilowatt_hours"] == pytest.approx(2 / 1.2 * one["kilowatt_hours"], rel=0.01)
    notes = " ".join(data["notes"])
    assert "from 2 devices on, one more adds less than half" in notes
    assert "beyond the 2 that were measured" in notes
    assert "learning curve: no run to tell it from" in notes


def test_skills_from_a_report(capsys, report):
    said = plan(capsys, report, "--steps", "1e6", "--skill", "stick")
    assert "make stick: learnt in 4,000 steps by 1 of 1 runs; enough" in said
    said = plan(capsys, report, "--steps", "1e6", "--skill", "sword")
    assert "not learnt by one within 12,000 steps; in 3.0% of its last episodes" in said
    assert "by the law of depth some 16,0" in said


def test_deadlines(capsys, report):
    said = plan(capsys, report, "--steps", "3.6e6", "--gpus", "1..2", "--deadline-hours", "0.9")
    assert "in 0.9 hours: with 2 devices" in said
    said = plan(capsys, report, "--steps", "3.6e6", "--deadline-hours", "0.5")
    assert "not with up to 1 device " in said


@pytest.mark.parametrize(
    ("text", "counts"), [("4", [4]), ("1..3", [1, 2, 3]), ("4,1,2", [1, 2, 4]), ("2..2", [2]), ("1,1", [1])]
)
def test_counts(text, counts):
    assert read_counts(text) == counts


@pytest.mark.parametrize("text", ["", "0", "0..3", "3..1", "1..99999", "-1", "1.5", "a", "1,,2", "1..2..3", "١"])
def test_counts_that_are_none(text):
    with pytest.raises(UserError, match="--gpus is"):
        read_counts(text)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: (run / "metrics.jsonl").write_text(""), "too few updates to plan from"),
        (lambda run: (run / "metrics.jsonl").unlink(), "too few updates to plan from"),
        (lambda run: (run / "metrics.jsonl").write_text('{"step": 1}\n' * 9), "cannot read"),
        (lambda run: (run / "metrics.jsonl").write_text("[1]\n" * 9), "cannot read"),
        (lambda run: (run / "config.json").write_text("{"), "cannot read"),
        (lambda run: (run / "config.json").unlink(), "neither a run nor a scaling report"),
    ],
    ids=["empty", "none", "bare", "lists", "config", "foreign"],
)
def test_runs_that_cannot_be_planned_from(spoil, said, run, capsys):
    spoil(run)
    assert main(["plan", str(run)]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot read"),
        ("[]", "not a scaling report"),
        ('{"format": "farlands-scaling"}', "lacks what a report holds"),
        ('{"format": "farlands-scaling", "base": {}, "about": {}}', "lacks what a report holds"),
        ('{"format": "farlands-scaling", "base": null, "about": {"world": "x", "device": "cpu"},'
         ' "skills": {"runs": []}}', "no speed of training"),
    ],
    ids=["broken", "list", "empty", "hollow", "unmeasured"],
)  # fmt: skip
def test_reports_that_cannot_be_planned_from(text, said, report, capsys):
    (report / NAME).write_text(text)
    assert main(["plan", str(report), "--steps", "5"]) == 2
    assert said in capsys.readouterr().err


def test_what_is_missing_or_unknown(report, capsys):
    for argv, said in (
        ([], "--steps is missing"),
        (["--steps", "5", "--skill", "diamnod"], "unknown achievement"),
        (["--steps", "5", "--gpus", "many"], "--gpus is 'many'"),
        (["--steps", "5", "--price-per-hour", "-1"], "must be in [0"),
    ):
        assert main(["plan", str(report), *argv]) == 2
        assert said in capsys.readouterr().err
