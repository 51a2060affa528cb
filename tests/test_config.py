from __future__ import annotations

import contextlib
import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.config import (
    BenchConfig,
    DemoConfig,
    EvalConfig,
    ResumeConfig,
    TrainConfig,
    anchored,
    to_json,
    train_config_from_json,
)  # fmt: skip
from farlands.errors import UserError
from farlands.extensions import resolve_options
from farlands.flags import field_docs, list_flags, parse_flags
from farlands.recipes import RECIPES, apply_recipe
from farlands.worlds.voxel.options import VoxelOptions


def voxel_config(**changes) -> TrainConfig:
    return TrainConfig(world="voxel", options=VoxelOptions(), **changes)


@given(
    steps=st.integers(1, 10**15),
    seed=st.integers(0, 2**64 - 1),
    save_every=st.floats(0, 1e6),
    callbacks=st.lists(st.text(), max_size=3).map(tuple),
    kit=st.lists(st.text(), max_size=3).map(tuple),
)
def test_json_round_trip(steps, seed, save_every, callbacks, kit):
    config = voxel_config(steps=steps, seed=seed, save_every=save_every, callbacks=callbacks)
    config = dataclasses.replace(config, options=VoxelOptions(start_kit=kit))
    assert train_config_from_json(json.loads(json.dumps(to_json(config))), "here") == config


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"stepz": 1}, "unknown key 'stepz'; did you mean steps?"),
        ({"steps": "many"}, "expected int"),
        ({"steps": True}, "expected int"),
        ({"steps": 0}, "at least 1"),
        ({"agent": 3}, "expected an object"),
        ({"callbacks": "one"}, "expected"),
        ({"world": "voxl"}, "did you mean voxel?"),
        ({"world": None}, "does not name a world"),
    ],
)
def test_broken_config_files_are_refused(change, said):
    with pytest.raises(UserError) as caught:
        train_config_from_json({**json.loads(json.dumps(to_json(voxel_config()))), **change}, "config.json")
    assert said in str(caught.value)


def test_a_setting_that_came_later_has_its_default():
    config = voxel_config(steps=12_345)
    data = json.loads(json.dumps(to_json(config)))
    del data["ppo"]["clip"], data["rewards"], data["options"]["horizon"], data["recipe"]
    assert train_config_from_json(data, "config.json") == config
    del data["options"]
    assert train_config_from_json(data, "config.json") == config


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


PATHS = st.sampled_from(
    ["steps", "ppo.clip", "ppo", "agent.memory", "options.cube", "callbacks", "world", "rewards.rnd.weight"]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


@settings(max_examples=200, deadline=None)
@given(PATHS, VALUES)
def test_fuzzed_config_files_are_refused_or_read_never_worse(path, value):
    data = json.loads(json.dumps(to_json(voxel_config())))
    *parents, last = path.split(".")
    node = data
    for name in parents:
        node = node[name]
    node[last] = value
    with contextlib.suppress(UserError):
        train_config_from_json(data, "config.json")
