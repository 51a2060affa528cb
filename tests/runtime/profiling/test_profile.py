"""The verb: it trains for a moment, tells the parts apart, and leaves nothing behind."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from farlands.cli import main
from farlands.config import TrainConfig
from farlands.recipes import apply_recipe
from farlands.runtime.profiling.batches import without_pictures
from farlands.runtime.profiling.config import begin
from farlands.worlds.reference_options import CueCorridorOptions
from farlands.worlds.voxel.options import PIXELS, VoxelOptions
from farlands.worlds.voxel.spec import world_spec

QUICK = ["--seconds", "0.01", "--threads", "1", "--json"]


def run(capsys, *argv: str) -> tuple[dict, dict[str, dict], list[str]]:
    """What is printed as JSON: about, parts by name, words."""
    capsys.readouterr()
    assert main(["profile", *argv, *QUICK]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    parts = {line["part"]["name"]: line["part"] for line in lines if "part" in line}
    return lines[0]["profile"], parts, lines[-1]["words"]


def test_every_part_of_an_update_is_told_apart(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    about, parts, words = run(capsys, "cue-corridor", "--num-worlds", "8", "--ppo.rollout", "8")
    assert about["num_worlds"] == 8
    assert about["updates"] >= 3
    assert about["limits"]["dtype"] == "float32"
    assert {"collect/simulate", "collect/act", "learn/forward", "learn/backward", "learn/optimiser"} <= set(parts)
    assert sum(part["share"] for name, part in parts.items() if "/" not in name) == pytest.approx(1.0)
    # A backward pass has two products for each of the forward one, but for the inputs' gradient, which nobody needs.
    forward, backward = (part["operations"] * part["seconds"] for part in
                         (parts["learn/forward"], parts["learn/backward"]))  # fmt: skip
    assert 1.0 < backward / forward < 2.0
    assert words
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_looked_at_where_it_stands(capsys, finished_run, tmp_path):
    copy = str(shutil.copytree(finished_run, tmp_path / "run"))
    about, _, _ = run(capsys, copy)
    assert about["world"] == "cue-corridor"
    assert about["num_worlds"] == 8
    assert main(["profile", copy, *QUICK, "--agent.hidden", "8"]) == 0
    assert "checkpoint is left aside" in capsys.readouterr().err
    assert main(["profile", copy, "--recipe", "demo"]) == 2
    assert "a run has settings of its own" in capsys.readouterr().err


def test_pictures_are_told_from_rules(capsys):
    small = ["--num-worlds", "4", "--ppo.rollout", "4", "--ppo.minibatches", "1", "--height", "32", "--width", "32"]
    _, parts, _ = run(capsys, "voxel", *small, "--world.senses", "pixels", "vitals", "action_mask")
    assert parts["collect/draw"]["seconds"] > 0
    # The pictures of four worlds.
    assert parts["collect/draw"]["bandwidth"] * parts["collect/draw"]["seconds"] == pytest.approx(4 * 4 * 32 * 32 * 3)


def test_the_table_is_for_people(capsys):
    assert main(["profile", "cue-corridor", "--seconds", "0.01", "--num-worlds", "4", "--ppo.rollout", "8"]) == 0
    out = capsys.readouterr().out
    for expected in ("cue-corridor: 4 worlds on cpu", "GFLOP/s in float32", "  backward", "energy: not measured"):
        assert expected in out


def test_recipes_apply_as_in_training():
    config, tokens = begin("voxel", ["--recipe", "demo", "--seconds", "3"])
    assert tokens == ["--seconds", "3"]
    trained = apply_recipe(TrainConfig(world="voxel", options=VoxelOptions()), "demo")
    assert config.train_config().ppo == trained.ppo
    assert config.train_config().options == trained.options


def test_what_would_be_left_without_pictures():
    options = VoxelOptions(senses=PIXELS)
    plain = without_pictures(options, world_spec(options))
    assert plain is not None
    assert set(plain.senses) == set(PIXELS) - {"pixels"}
    assert without_pictures(plain, world_spec(plain)) is None
    patches = VoxelOptions(senses=PIXELS, patch=8)
    assert without_pictures(patches, world_spec(patches)) == dataclasses.replace(patches, senses=plain.senses)
    assert without_pictures(VoxelOptions(senses=("pixels",)), world_spec(options)) is None
    assert without_pictures(CueCorridorOptions(), world_spec(options)) is None
