"""The verb `evaluate`: protocols, what is left behind, the same figures every time, and one line for every mistake."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from farlands.cli import main
from farlands.config import EvalConfig
from farlands.evaluation.config import AXES, GENERIC_AXES, PARTS, PERTURBATIONS, PROTOCOLS
from farlands.evaluation.records import TRAINING_LEVELS, UNSEEN_LEVELS, read_records
from farlands.extensions import resolve_options
from farlands.runtime.conditions import read_changes
from farlands.runtime.subject import find_subject, resolve_size
from farlands.worlds.voxel.options import VoxelOptions

SMALL = ["--protocol", "quick", "--episodes", "24", "--training-levels", "16", "--varied", "8", "--threads", "1"]


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run, tmp_path / "run"))


def complaint(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    capsys.readouterr()
    assert main(argv) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1, said
    return said


def read(out: Path) -> dict:
    data = json.loads((out / "report.json").read_text())
    data.pop("provenance")
    return data


def test_a_protocol_leaves_a_whole_report(run, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["evaluate", str(run), *SMALL, "--out", str(out)]) == 0
    assert "training levels minus unseen ones" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {"report.html", "report.json", "report.md", "report.parquet"}
    data = read(out)
    assert data["protocol"] == "quick"
    assert set(data["robustness"]["axes"]) == set(PERTURBATIONS)
    assert set(data["robustness"]["parts"]) == {"train", "held-out"}
    assert data["generalisation_gap"]["difference"]["low"] <= data["generalisation_gap"]["difference"]["high"]
    page = (out / "report.html").read_text()
    assert "This world cannot be drawn" in page
    assert f"farlands evaluate {run}" in page


def test_raw_results_hold_what_the_report_says(run, tmp_path):
    out = tmp_path / "out"
    assert main(["evaluate", str(run), *SMALL, "--out", str(out)]) == 0
    records, names, _ = read_records(out / "report.parquet")
    data = read(out)
    unseen = records["agent", UNSEEN_LEVELS]
    assert data["actors"]["agent"]["return"]["value"] == pytest.approx(unseen.reward.mean())
    shares = (unseen.achievements > 0).mean(axis=0)
    assert [data["actors"]["agent"]["achievements"][name]["value"] for name in names] == pytest.approx(shares)
    assert len(records["agent", TRAINING_LEVELS]) == 16
    assert len(records["agent", "action_failure=0.5"]) == 8
    gap = records["agent", TRAINING_LEVELS].reward.mean() - unseen.reward.mean()
    assert data["generalisation_gap"]["difference"]["value"] == pytest.approx(gap)


def test_training_levels_are_the_runs_own(run, tmp_path):
    from farlands.runtime.episodes import read_episodes

    out = tmp_path / "out"
    assert main(["evaluate", str(run), *SMALL, "--out", str(out)]) == 0
    records = read_records(out / "report.parquet").episodes
    trained = read_episodes(run / "episodes", ["seed"])["seed"].to_pylist()
    assert set(records["agent", TRAINING_LEVELS].seed.tolist()) <= set(trained)
    assert not set(records["agent", UNSEEN_LEVELS].seed.tolist()) & set(trained)


def test_twice_gives_the_same_figures(run, tmp_path):
    outs = [tmp_path / name for name in ("one", "two")]
    for out in outs:
        assert main(["evaluate", str(run), *SMALL, "--out", str(out)]) == 0
    assert read(outs[0]) == read(outs[1])
    assert (outs[0] / "report.md").read_text() == (outs[1] / "report.md").read_text()
    first, second = (read_records(out / "report.parquet").episodes for out in outs)
    for key, episodes in first.items():
        assert all(np.array_equal(getattr(episodes, name), getattr(second[key], name)) for name in vars(episodes))


def test_worlds_do_not_depend_on_how_many_stand_side_by_side(tmp_path):
    """With the random agent, whose choices are the same at any batch size, everything is."""
    flags = ["--agent", "random", "--max-steps", "60", "--varied", "8", "--vary", "observation-loss=0.5"]
    records = []
    for side, episodes in (("1", "8"), ("64", "70")):
        out = tmp_path / side
        sizes = ["--num-worlds", side, "--episodes", episodes]
        assert main(["evaluate", "voxel", *flags, *sizes, "--out", str(out)]) == 0
        records.append(read_records(out / "report.parquet").episodes)
    assert set(records[0]) == {("agent", UNSEEN_LEVELS), ("agent", "observation_loss=0.5")}
    for key, episodes in records[0].items():
        for name in ("row", "seed", "length", "reward", "cause", "achievements"):
            assert np.array_equal(getattr(episodes, name), getattr(records[1][key], name)[:8]), (key, name)


def test_eval_is_the_same_verb(tmp_path, capsys):
    flags = ["cue-corridor", "--agent", "random", "--episodes", "16"]
    said = []
    for verb in ("eval", "evaluate"):
        assert main([verb, *flags]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert main(["eval", "--help"]) == 0
    assert "usage: farlands evaluate" in capsys.readouterr().out


def test_sizes_come_from_the_protocol_and_flags_override():
    assert resolve_size(EvalConfig()) == PROTOCOLS["basic"]
    assert resolve_size(EvalConfig(protocol="standard")).episodes == 1000
    chosen = resolve_size(EvalConfig(protocol="full", episodes=7, training_levels=0, varied=3, clips="off"))
    assert (chosen.episodes, chosen.training_levels, chosen.varied, chosen.clips) == (7, 0, 3, False)
    assert resolve_size(EvalConfig(vary=("a=1",))).varied > 0


def test_a_protocol_shortens_the_horizon_and_never_lengthens_it():
    def horizon(options: VoxelOptions, **asked: object) -> int:
        return find_subject(EvalConfig(target="voxel", options=options, agent="random", **asked)).options.horizon

    assert horizon(VoxelOptions(horizon=10_000), protocol="quick") == 2_000
    assert horizon(VoxelOptions(horizon=1_500), protocol="quick") == 1_500
    assert horizon(VoxelOptions(horizon=1_500), protocol="quick", max_steps=3_000) == 3_000
    assert horizon(VoxelOptions(horizon=10_000)) == 10_000


def test_agents_without_training_have_no_gap_and_no_default_axes(tmp_path):
    out = tmp_path / "out"
    assert main(["evaluate", "cue-corridor", "--agent", "random", *SMALL, "--out", str(out)]) == 0
    data = read(out)
    assert (data["generalisation_gap"], data["robustness"]) == (None, None)


def test_options_can_be_varied(tmp_path, run):
    out = tmp_path / "out"
    assert main(["evaluate", str(run), "--episodes", "8", "--vary", "horizon=12,30", "--out", str(out)]) == 0
    assert list(read(out)["robustness"]["axes"]["horizon"]) == ["12", "30"]
    records = read_records(out / "report.parquet").episodes
    assert records["agent", "horizon=12"].length.max() <= 12


@pytest.mark.parametrize("world", AXES)
def test_own_axes_exist_and_differ_from_the_defaults(world):
    options = dataclasses.replace(resolve_options(world)(), senses=("pixels", "vitals"))
    changes = read_changes((), world, options)
    every = {axis.name: axis for axis in (*GENERIC_AXES, *AXES[world])}
    assert {change.axis for change in changes} == set(every)
    for name, axis in every.items():
        mine = [change for change in changes if change.axis == name]
        for part in PARTS:
            assert [change.value for change in mine if change.part == part] == list(axis.values(part))
        assert len({(str(change.options), str(change.perturbation)) for change in mine}) == len(mine)
        if name not in PERTURBATIONS:
            default = getattr(options, name)
            kind = type(default)
            assert default == (tuple(filter(None, [axis.default])) if kind is tuple else kind(axis.default))
            assert all(getattr(change.options, name) != default for change in mine)


def test_values_of_the_held_out_range_lie_beyond_those_of_the_train_range():
    for axis in (*GENERIC_AXES, *AXES["voxel"]):
        if axis.name in ("altered_rules", "biomes"):
            continue
        default, train, held_out = (
            float(axis.default), [float(v) for v in axis.train], [float(v) for v in axis.held_out]
        )  # fmt: skip
        assert not set(train) & set(held_out)
        for value in held_out:
            same_side = [v for v in train if (v > default) == (value > default)]
            assert all(abs(value - default) > abs(v - default) for v in same_side), axis.name


def test_the_page_lists_the_axes_as_they_are():
    page = (Path(__file__).parents[2] / "docs" / "evaluate.md").read_text(encoding="utf-8")
    rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}
    for axis in (*GENERIC_AXES, *AXES["voxel"]):
        shown = [", ".join(axis.values(part)).replace("+", " + ") for part in PARTS]
        assert rows[axis.name] == f"| `{axis.name}` | {axis.what} | {axis.default or 'all'} | {shown[0]} | {shown[1]} |"


def test_axes_of_rules_and_land_keep_to_the_splits_of_tasks():
    from farlands.worlds.voxel.tasks.places import PART_BIOMES, rules_part

    axes = {axis.name: axis for axis in AXES["voxel"]}
    for part, name in (("train", "train"), ("held-out", "test")):
        assert {rules_part(int(seed)) for seed in axes["altered_rules"].values(part)} == {name}
        assert all(set(value.split("+")) <= set(PART_BIOMES[name]) for value in axes["biomes"].values(part))


def test_looks_are_varied_only_for_agents_that_see_them():
    def names(*senses: str) -> set[str]:
        return {change.axis for change in read_changes((), "voxel", VoxelOptions(senses=senses))}

    assert names("pixels") - names("voxels") == {"texture_seed", "gamma"}
    assert names("voxels") <= names("pixels")


def test_ranges_can_be_asked_for(tmp_path, run):
    out = tmp_path / "out"
    small = ["--episodes", "8", "--varied", "4", "--threads", "1"]
    assert main(["evaluate", str(run), *small, "--axes", "held-out", "--vary", "horizon=12", "--out", str(out)]) == 0
    found = read(out)["robustness"]
    assert list(found["parts"]) == ["held-out"]
    assert set(found["axes"]) == {*PERTURBATIONS, "horizon"}
    assert list(found["axes"]["action_delay"]) == ["2", "4"]
    assert found["axes"]["horizon"]["12"]["part"] == ""
    assert set(found["parts"]["held-out"]["difference"]) == set(PERTURBATIONS)
    table = (out / "report.md").read_text()
    assert "| share kept | held-out range |" in table
    assert "held-out range" in (out / "report.html").read_text()


def test_values_that_the_world_refuses_are_left_out_of_the_protocols_own(tmp_path, capsys):
    """A world whose tasks keep to the rules for training has no place for other rules."""
    out = tmp_path / "out"
    flags = ["--agent", "random", "--episodes", "2", "--varied", "1", "--max-steps", "4", "--out", str(out)]
    tasks = ["--task", "tasks", "--tasks", "gain(dirt, 9)", "--task-split", "rules:train"]
    assert main(["evaluate", "voxel", *flags, *tasks, "--axes", "held-out"]) == 0
    assert "left out altered_rules=1" in " ".join(capsys.readouterr().out.split())
    axes = read(out)["robustness"]["axes"]
    assert "altered_rules" not in axes
    assert {"biomes", "gravity", "action_delay"} <= set(axes)
    asked = complaint(capsys, "evaluate", "voxel", *flags, *tasks, "--vary", "altered-rules=1")
    assert "not of split rules:train" in asked


def test_the_protocol_of_robustness_measures_any_agent(tmp_path, capsys):
    out = tmp_path / "out"
    flags = ["--agent", "random", "--protocol", "robust", "--episodes", "8", "--varied", "4", "--out", str(out)]
    assert main(["evaluate", "cue-corridor", *flags]) == 0
    said = capsys.readouterr().out
    assert "train range" in said
    assert "held-out range" in said
    assert set(read(out)["robustness"]["parts"]) == set(PARTS)
    assert main(["evaluate", "cue-corridor", *flags, "--axes", "none"]) == 0
    assert read(out)["robustness"] is None


def test_values_of_lists_are_joined():
    (change,) = read_changes(["start-kit=wooden_pickaxe+planks:4"], "voxel", VoxelOptions())
    assert change.options.start_kit == ("wooden_pickaxe", "planks:4")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--protocol", "quik"], "did you mean quick?"),
        (["--vary", "length"], "expected NAME=VALUE,VALUE"),
        (["--vary", "length="], "expected NAME=VALUE,VALUE"),
        (["--vary", "lenght=3"], "did you mean length?"),
        (["--vary", "length=many"], "expected a whole number"),
        (["--vary", "length=0"], "must be in [1, 200]"),
        (["--vary", "action-failure=2"], "expected a chance in [0, 1]"),
        (["--vary", "action-failure=x"], "expected a chance in [0, 1]"),
        (["--vary", "action-delay=1.5"], "expected a whole number of steps"),
        (["--vary", "action-delay=1001"], "expected a whole number of steps"),
        (["--vary", "observation-noise=2"], "expected a share in [0, 1]"),
        (["--axes", "held"], "--axes is 'held'"),
        (["--training-levels", "-2"], "at least -1"),
        (["--num-worlds", "0"], "at least 1"),
        (["--clips", "maybe"], "--clips is 'maybe'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(flags, said, capsys, tmp_path):
    out = tmp_path / "out"
    mistaken = complaint(capsys, "evaluate", "cue-corridor", "--agent", "random", *flags, "--out", str(out))
    assert said in mistaken
    assert not list(out.glob("*"))


def test_an_option_that_changes_the_senses_cannot_be_varied(capsys):
    flags = ["--agent", "random", "--episodes", "2", "--max-steps", "4", "--vary", "cube=3+3+3"]
    assert "changes what the agent sees" in complaint(capsys, "evaluate", "voxel", *flags)


ENDLESS = """
import dataclasses
from farlands.worlds.reference import CueCorridor

class Endless(CueCorridor):
    def __init__(self, num_worlds, options=CueCorridor.Options(), *, device="cpu"):
        super().__init__(num_worlds, options, device=device)
        self.spec = dataclasses.replace(self.spec, horizon=None)
        self.options = dataclasses.replace(self.options, horizon=10**6)
"""


def test_episodes_that_never_end(capsys, tmp_path):
    (tmp_path / "mine.py").write_text(ENDLESS)
    world = ["evaluate", f"{tmp_path}/mine.py:Endless", "--agent", "zero", "--episodes", "4"]
    assert "max_steps must say" in complaint(capsys, *world)
    assert "none of 4 episodes ended in time" in complaint(capsys, *world, "--max-steps", "30")


def test_a_checkpoint_of_another_world_is_refused(run, capsys):
    config = json.loads((run / "config.json").read_text())
    config["world"], config["options"] = "combination", json.loads(json.dumps(vars(resolve_options("combination")())))
    (run / "config.json").write_text(json.dumps(config))
    assert "was made with other observation" in complaint(capsys, "evaluate", str(run))


def test_a_damaged_record_of_training_is_told(run, capsys):
    part = next((run / "episodes").iterdir())
    part.write_bytes(part.read_bytes()[:40])
    assert "cannot read" in complaint(capsys, "evaluate", str(run), "--episodes", "4")


def test_a_report_that_cannot_be_written(run, capsys):
    (run / "report.html").mkdir()
    assert "cannot write to" in complaint(capsys, "evaluate", str(run), "--episodes", "4")
    assert (run / "config.json").exists()


def test_the_page_names_the_commands(run):
    assert main(["evaluate", str(run), "--episodes", "8", "--threads", "1"]) == 0
    page = (run / "report.html").read_text()
    assert f"farlands evaluate {run} --episodes 8 --threads 1" in page
    assert "# train the agent\nfarlands train cue-corridor --run-dir" in page
    assert re.search(r"\d+ steps in [\d.]+ s", page)
