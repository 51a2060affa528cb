"""The verb `bench scaling` from end to end, small: what is measured, what is written, what is refused."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
import torch

from farlands.cli import main
from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.runtime.scaling.axes import AXES
from farlands.runtime.scaling.measure import measure_axis, measure_base
from farlands.runtime.scaling.powerlaw import fit_rounds
from farlands.runtime.scaling.processes import measure_processes, most_processes
from farlands.runtime.scaling.report import Grown, Processes, ScalingReport, as_markdown, read, read_runs, write
from farlands.worlds.reference_options import CueCorridorOptions
from farlands.worlds.voxel.options import VoxelOptions

CPU = torch.device("cpu")
QUICK = ["--rounds", "2", "--seconds", "0.001", "--num-worlds", "8", "--ppo.rollout", "8", "--threads", "1"]
TINY = TrainConfig(world="cue-corridor", options=CueCorridorOptions(), num_worlds=4)
ABOUT = {
    "world": "voxel", "date": "today", "threads": 1, "device": "cpu", "load": 0.5, "versions": {"farlands": "0"},
    "machine": {"cores": 2, "processor": "some", "gpus": []},
}  # fmt: skip


def test_axes_of_a_world(capsys, tmp_path):
    out = tmp_path / "scaling"
    assert main(["bench", "scaling", "cue-corridor", "--axes", "worlds=2,4,8", "hidden=8,16", "--out", str(out),
                 *QUICK]) == 0  # fmt: skip
    said = capsys.readouterr().out
    data = read(out)
    assert data["axes"]["worlds"]["sizes"] == [2, 4, 8]
    assert np.array(data["axes"]["hidden"]["seconds"]).shape == (2, 2)
    assert set(data["axes"]["worlds"]["fit"]["exponent"]) == {"value", "low", "high"}
    assert data["base"]["num_worlds"] == 8
    assert len(data["base"]["steps_per_second"]) == 2
    assert data["processes"] is None
    assert {path.name for path in out.iterdir()} == {"scaling.json", "scaling.md", "scaling.png"}
    assert (out / "scaling.md").read_text() in said
    assert "| width of the network | 8, 16 |" in said


def test_skills_of_runs_alone(capsys, tmp_path, finished_run):
    out = tmp_path / "scaling"
    assert main(["bench", "scaling", str(finished_run), "--episodes", "8", "--out", str(out)]) == 0
    assert "Steps until a skill is learnt" in capsys.readouterr().out
    [run] = read_runs(read(out))
    assert set(run.learnt) == {"arrive", "find"}
    assert not (out / "scaling.png").exists()
    for flags in (["--axes", "worlds"], ["--recipe", "demo"]):
        assert main(["bench", "scaling", str(finished_run), *flags]) == 2
        assert "needs a world" in capsys.readouterr().err


def test_runs_that_cannot_be_read(capsys, tmp_path, finished_run):
    copy = shutil.copytree(finished_run, tmp_path / "run")
    (copy / "metrics.jsonl").write_text("[1]\n")
    assert main(["bench", "scaling", str(copy), "--out", str(tmp_path / "scaling")]) == 2
    assert "cannot read" in capsys.readouterr().err
    assert not (tmp_path / "scaling").exists()


def test_nothing_is_left_of_what_failed(capsys, tmp_path):
    out = tmp_path / "scaling"
    argv = ["bench", "scaling", "cue-corridor", "--axes", "processes=1,4096", "--out", str(out), *QUICK]
    assert main(argv) == 2
    assert "there are" in capsys.readouterr().err
    assert not out.exists()


def test_creatures_are_counted_where_there_are_any():
    config = TrainConfig(world="voxel", options=VoxelOptions(), num_worlds=4)
    found = measure_axis(AXES["creatures"], ("none", "animals"), config, 2, 0.001, CPU)
    assert found["sizes"][0] == 0.0
    assert 0.0 < found["sizes"][1] <= 24.0
    assert found["seconds"].shape == (2, 2)
    assert (found["seconds"] > 0).all()


def test_the_processors_own_clock(capsys, tmp_path):
    argv = ["bench", "scaling", "voxel", "--clock", "processor", "--axes", "creatures", *QUICK, "--window", "32"]
    assert main([*argv, "--out", str(tmp_path / "scaling")]) == 0
    assert "Milliseconds of processor time" in capsys.readouterr().out
    creatures = read(tmp_path / "scaling")["axes"]["creatures"]
    assert creatures["fit"] is None, "none of them is no size that a power begins at"
    assert creatures["sizes"][0] == 0.0


def test_an_impossible_size_is_the_users_mistake():
    config = TrainConfig(world="voxel", options=VoxelOptions(), num_worlds=2)
    with pytest.raises(UserError, match="48"):
        measure_axis(AXES["window"], (32, 48), config, 2, 0.001, CPU)


def test_speed_of_training_as_it_is():
    base = measure_base(TINY, 2, 0.001, CPU)
    assert len(base["steps_per_second"]) == 2
    assert base["joules_per_step"] is None or base["joules_per_step"] > 0


@pytest.mark.parametrize("clock", ["wall", "processor"])
def test_processes_train_side_by_side(clock):
    found = measure_processes((1,), TINY, 2, 0.01, CPU, clock)
    assert found["sizes"] == [1]
    assert found["steps_per_second"].shape == (2, 1)
    assert (found["steps_per_second"] > 0).all()


def test_what_a_process_complains_of_is_passed_on():
    bad = TrainConfig(world="cue-corridor", options=VoxelOptions(), num_worlds=4)
    with pytest.raises(UserError, match="process that should have trained says"):
        measure_processes((1,), bad, 2, 0.01, CPU)
    with pytest.raises(UserError, match="cores"):
        measure_processes((most_processes(CPU) + 1,), TINY, 2, 0.01, CPU)


def test_a_report_says_what_holds_and_what_does_not(tmp_path):
    sizes, rates = (64.0, 128.0, 256.0), np.array([[100.0, 180.0], [110.0, 190.0]])
    bent = np.array([[1.0, 1.1, 2.0]] * 3)
    grown = [
        Grown("worlds", (64, 128, 256), sizes, np.array([sizes] * 3), fit_rounds(sizes, np.array([sizes] * 3))),
        Grown("hidden", (64, 128, 256), sizes, bent, fit_rounds(sizes, bent)),
        Grown("creatures", ("none", "night"), (0.0, math.nan), np.ones((3, 2)), None),
    ]
    report = ScalingReport(ABOUT, grown=grown, processes=Processes((1, 2), rates, fit_rounds((1, 2), rates)))
    report.communication = {"runs/one": 0.08, "runs/two": None}
    text = "\n".join(as_markdown(report))
    for expected in (
        "| worlds | 64, 128, 256 | 64000, 128000, 256000 | 1.00 (1.00 to 1.00) | 0% |",
        "(no power law)",
        "- hidden: seconds ~ hidden^",
        "| creatures in a world | none (0.0), night |",
        "| 2 | 185 | 0.88 (0.87 to 0.89) |",
        "runs/one: its processes spent 8.0% of the time talking.",
    ):
        assert expected in text
    assert "runs/two" not in text
    write(report, tmp_path)
    assert json.loads((tmp_path / "scaling.json").read_text())["axes"]["creatures"]["sizes"] == [0.0, None]
