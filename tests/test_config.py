from __future__ import annotations

import pytest

from farlands.config import (
    BenchConfig,
    DemoConfig,
    EvalConfig,
    ResumeConfig,
    TrainConfig,
    anchored,
)  # fmt: skip
from farlands.errors import UserError
from farlands.extensions import resolve_options
from farlands.flags import field_docs, list_flags, parse_flags
from farlands.recipes import RECIPES, apply_recipe
from farlands.worlds.voxel.options import VoxelOptions


def voxel_config(**changes) -> TrainConfig:
    return TrainConfig(world="voxel", options=VoxelOptions(), **changes)


@pytest.mark.parametrize(
    "config",
    [voxel_config(), ResumeConfig(), EvalConfig(options=VoxelOptions()), DemoConfig(), BenchConfig()],
    ids=lambda config: type(config).__name__,
)
def test_every_flag_is_documented_and_every_main_flag_exists(config):
    flags = {flag.name: flag for flag in list_flags(config)}
    assert [name for name, flag in flags.items() if not flag.doc] == []
    assert [name for name in config.MAIN_FLAGS if name not in flags] == []
    assert len(config.MAIN_FLAGS) <= 14


@pytest.mark.parametrize(
    ("tokens", "path", "value"),
    [
        (["--steps", "2e6"], "steps", 2_000_000),
        (["--steps=2_000"], "steps", 2000),
        (["--seed", str(2**64 - 1)], "seed", 2**64 - 1),
        (["--num_worlds", "7"], "num_worlds", 7),
        (["--save-every", "1"], "save_every", 1.0),
        (["--ppo.learning-rate", "1e-4"], "ppo.learning_rate", 1e-4),
        (["--world.cube", "3", "5", "5"], "options.cube", (3, 5, 5)),
        (["--world.hunger", "false"], "options.hunger", False),
        (["--task", "diamond"], "options.task", "diamond"),
        (["--world.task", "diamond"], "options.task", "diamond"),
        (["--callbacks", "a.py:f", "b.py:g"], "callbacks", ("a.py:f", "b.py:g")),
        (["--run-dir=-odd-"], "run_dir", "-odd-"),
    ],
)
def test_flags_are_read(tokens, path, value):
    found = parse_flags(voxel_config(), tokens, "farlands train voxel")
    for name in path.split("."):
        found = getattr(found, name)
    assert found == value
    assert type(found) is type(value)


def test_docs_of_fields_come_from_the_docstrings_below_them():
    assert field_docs(VoxelOptions)["horizon"] == "Steps after which an episode is cut."


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_fit_their_worlds(name):
    recipe = RECIPES[name]
    plain = TrainConfig(world=recipe.world, options=resolve_options(recipe.world)())
    made = apply_recipe(plain, name)
    assert made != plain
    assert made.recipe == name


def test_recipe_of_another_world_is_refused():
    with pytest.raises(UserError, match="it is for the world cue-corridor"):
        apply_recipe(voxel_config(), "cue-corridor")


def test_flags_override_the_recipe():
    config = apply_recipe(voxel_config(), "demo")
    assert parse_flags(config, ["--world.horizon", "77"], "x").options.horizon == 77


def test_files_named_in_a_config_are_anchored(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = anchored(voxel_config(callbacks=("mine.py:stop",)))
    assert config.callbacks == (f"{tmp_path.resolve()}/mine.py:stop",)
