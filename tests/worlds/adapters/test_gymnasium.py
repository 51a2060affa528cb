"""Single environments, ids, seeds and registration."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env, data_equivalence

import farlands  # noqa: F401 - registers the ids
from farlands.registration import IDS, register_ids
from farlands.worlds.adapters.gymnasium import WorldEnv
from farlands.worlds.reference import CueCorridor
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

SMALL: dict[str, Any] = {"window": 32}
KIT: dict[str, Any] = {"start_kit": ("oak_log:3", "planks:9", "crafting_table"), "mining_speed": 9}


@pytest.mark.parametrize("name", IDS)
def test_gymnasiums_own_check_finds_nothing(name, recwarn):
    env = gymnasium.make(name, **SMALL)
    check_env(env.unwrapped)
    env.close()
    assert [str(w.message) for w in recwarn if "CUDA" not in str(w.message)] == []


def test_the_default_is_symbols_and_flat_actions():
    env = gymnasium.make("farlands/Voxel-v0", **SMALL)
    assert isinstance(env.action_space, gymnasium.spaces.Discrete)
    assert {"voxels", "vitals", "inventory", "compass", "action_mask"} <= set(env.observation_space.spaces)
    assert "pixels" not in env.observation_space.spaces


def test_the_pixel_id_sees_pixels():
    env = gymnasium.make("farlands/VoxelPixels-v0", width=48, height=40, **SMALL)
    space = env.observation_space["pixels"]
    assert (space.shape, space.dtype, int(space.low.min()), int(space.high.max())) == ((40, 48, 3), np.uint8, 0, 255)
    observation, _ = env.reset(seed=1)
    assert len(np.unique(observation["pixels"])) > 20


def test_the_survival_id_is_for_long_lives():
    world = gymnasium.make("farlands/Survival-v0", **SMALL).unwrapped.world
    assert (world.spec.horizon, world.options.journal) == (60_000, 32_768)
    assert gymnasium.make("farlands/Survival-v0", horizon=9, **SMALL).unwrapped.world.spec.horizon == 9


def test_options_reach_the_world():
    env = gymnasium.make("farlands/Voxel-v0", task="diamond", actions="factored", horizon=3, cube=[3, 5, 5], **SMALL)
    world = env.unwrapped.world
    assert (world.options.task, world.options.cube) == ("diamond", (3, 5, 5))
    assert isinstance(env.action_space, gymnasium.spaces.MultiDiscrete)
    env.reset(seed=0)
    ends = [env.step(env.action_space.sample() * 0)[3] for _ in range(3)]
    assert ends == [False, False, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizn": 3}, "no option 'horizn'; did you mean 'horizon'?"),
        ({"task": "diamonds"}, "no task named 'diamonds'"),
        ({"render_mode": "ansi"}, "render_mode: 'ansi' is not one of"),
        ({"zzz": 1}, "no option 'zzz'; one of: task, tasks"),
    ],
)
@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
@pytest.mark.filterwarnings("ignore:.*not in the possible render_modes")
def test_mistakes_get_one_line(make, options, message):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        make("farlands/Voxel-v0", **options)
    assert message in str(error.value)


def test_the_environment_is_its_world(monkeypatch):
    """Observations, rewards and flags against the World stepped directly."""
    env = gymnasium.make("farlands/Voxel-v0", horizon=12, **SMALL, **KIT).unwrapped
    world = VoxelWorld(1, VoxelOptions(horizon=12, **SMALL, **KIT))
    generator = np.random.default_rng(0)
    seen, info = env.reset(seed=77)
    out = world.reset([77])
    for _ in range(40):
        for name, value in out.observation.items():
            np.testing.assert_array_equal(seen[name], value[0].numpy())
        np.testing.assert_array_equal(info["action_mask"], out.observation["action_mask"][0].numpy())
        assert info["action_mask"].dtype == np.int8
        action = int(generator.choice(np.flatnonzero(info["action_mask"])))
        seen, reward, terminated, truncated, info = env.step(action)
        out = world.step(torch.tensor([action]))
        assert (reward, terminated, truncated) == (
            float(out.reward[0]),
            bool(out.terminated[0]),
            bool(out.truncated[0]),
        )
        if terminated or truncated:
            for name, value in world.final_observation.items():
                np.testing.assert_array_equal(seen[name], value[0].numpy())
            log = world.drain_episodes()
            assert (info["cause"], info["level_seed"]) == (log.cause[0], int(log.seed[0]))
            np.testing.assert_array_equal(info["achievements"], log.achievements[0])
            seen, info = env.reset()


def test_seeds_name_levels():
    env = gymnasium.make("farlands/Voxel-v0", **SMALL)
    first, _ = env.reset(seed=5)
    other, _ = env.reset(seed=6)
    again, _ = env.reset(seed=5)
    drawn, _ = env.reset()
    assert data_equivalence(first, again, exact=True)
    assert not data_equivalence(first, other)
    assert not data_equivalence(first, drawn)
    env.reset(seed=5)
    assert data_equivalence(env.reset()[0], drawn, exact=True)


def test_unseeded_environments_differ():
    observations = [gymnasium.make("farlands/Voxel-v0", **SMALL).reset()[0] for _ in range(2)]
    assert not data_equivalence(*observations)


def test_masks_fit_the_action_space():
    env = gymnasium.make("farlands/Voxel-v0", **SMALL, **KIT)
    _, info = env.reset(seed=0)
    for _ in range(50):
        action = env.action_space.sample(info["action_mask"])
        assert info["action_mask"][action] == 1
        _, _, _, _, info = env.step(action)
    factored = gymnasium.make("farlands/Voxel-v0", actions="factored", **SMALL, **KIT)
    _, info = factored.reset(seed=0)
    parts = tuple(np.split(info["action_mask"], np.cumsum(factored.action_space.nvec)[:-1]))
    factored.step(factored.action_space.sample(parts))


@pytest.mark.parametrize("action", [-1, 10**6, 1.5, [1, 2], "left"])
def test_actions_that_are_none_are_refused(action):
    env = gymnasium.make("farlands/Voxel-v0", **SMALL).unwrapped
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions"):
        env.step(action)


def test_stepping_out_of_an_episode_is_refused():
    env = gymnasium.make("farlands/Voxel-v0", horizon=1, **SMALL).unwrapped
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    env.step(0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
    with pytest.raises(ValueError, match="no options"):
        env.reset(options={"level": 3})


def test_rendering_shows_what_the_world_renders_and_the_last_view_at_an_end():
    env = gymnasium.make("farlands/Voxel-v0", horizon=4, render_mode="rgb_array", render_size=(20, 30), **SMALL)
    assert env.metadata["render_fps"] == 5
    env.reset(seed=2)
    frame = env.render()
    assert (frame.shape, frame.dtype) == ((20, 30, 3), np.uint8)
    np.testing.assert_array_equal(frame, env.unwrapped.world.render([0], 20, 30)[0].numpy())
    for _ in range(4):
        before = env.render()
        env.step(9)
    np.testing.assert_array_equal(env.render(), before)
    env.reset()
    assert not np.array_equal(env.render(), before)


def test_any_world_of_one_row_can_be_wrapped():
    env = WorldEnv(CueCorridor(1, CueCorridor.Options(), device="cpu"))
    check_env(env, skip_render_check=True)
    assert env.metadata["render_modes"] == []
    with pytest.raises(ValueError, match="one row, not 3"):
        WorldEnv(CueCorridor(3, CueCorridor.Options(), device="cpu"))
    with pytest.raises(ValueError, match="render_mode"):
        WorldEnv(CueCorridor(1, CueCorridor.Options(), device="cpu"), render_mode="rgb_array")


def test_a_spec_makes_the_same_environment_again():
    env = gymnasium.make("farlands/Voxel-v0", horizon=9, start_kit=("planks:3",), **SMALL)
    spec = gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json())
    copy = gymnasium.make(spec)
    assert copy.unwrapped.world.options == env.unwrapped.world.options
    assert data_equivalence(env.reset(seed=3), copy.reset(seed=3), exact=True)


IMPORTS = {
    "farlands first": "import farlands, sys; assert 'gymnasium' not in sys.modules; import gymnasium",
    "gymnasium first": "import gymnasium, farlands",
    "farlands twice": "import farlands, importlib; importlib.reload(farlands); import gymnasium",
    "a part of gymnasium": "import farlands; import gymnasium.spaces; import gymnasium",
    "from gymnasium": "import farlands; from gymnasium import make; import gymnasium",
}


@pytest.mark.parametrize("imports", IMPORTS.values(), ids=IMPORTS)
def test_ids_are_known_whatever_is_imported_first_and_cost_no_torch(imports):
    code = (
        f"{imports}; import sys; from importlib import resources;"
        f"assert all(name in gymnasium.registry for name in {IDS!r}), 'not registered';"
        "heavy = {'torch', 'warp'} & set(sys.modules); assert not heavy, heavy;"
        "assert resources.files('gymnasium').joinpath('core.py').is_file();"
        "assert not any('Gymnasium' in type(f).__name__ for f in sys.meta_path)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_registering_twice_changes_nothing():
    before = dict(gymnasium.registry)
    register_ids()
    assert gymnasium.registry == before
