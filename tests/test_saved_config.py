from __future__ import annotations

import contextlib
import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.saved_config import CARRIED, first_difference, to_json, train_config_from_json
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


def test_the_first_difference_is_named_by_its_flag():
    config = voxel_config()
    assert first_difference(config, voxel_config()) is None
    other = dataclasses.replace(config, ppo=dataclasses.replace(config.ppo, learning_rate=0.5), steps=7)
    name, mine, theirs = first_difference(config, dataclasses.replace(other, steps=config.steps)) or ("", 0, 0)
    assert (name, mine, theirs) == ("ppo.learning-rate", config.ppo.learning_rate, 0.5)


def test_settings_that_only_carry_a_run_are_settings_of_a_run():
    assert set(CARRIED) <= {item.name for item in dataclasses.fields(TrainConfig)}
