"""The PettingZoo adapter, by PettingZoo's own tests and by ours."""

from __future__ import annotations

import warnings

import gymnasium
import numpy as np
import pytest
import torch

pytest.importorskip("pettingzoo")

with warnings.catch_warnings():
    # Its tests still make its own games in a way that it has given up.
    warnings.simplefilter("ignore", DeprecationWarning)
    from pettingzoo.test import parallel_api_test, parallel_seed_test

from farlands.worlds.adapters.pettingzoo import WorldParallelEnv, parallel_env
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

SHORT = {"horizon": 60, "window": 32, "creatures": "none"}


@pytest.mark.parametrize("agents", [1, 3])
@pytest.mark.parametrize("respawn", [False, True])
def test_pettingzoos_own_tests(agents, respawn):
    parallel_api_test(parallel_env(agents=agents, respawn=respawn, **SHORT), num_cycles=200)
    parallel_seed_test(lambda: parallel_env(agents=agents, respawn=respawn, **SHORT), num_cycles=80)


def test_choices_in_factors_come_with_a_mask_in_parts():
    env = parallel_env(actions="factored", **SHORT)
    observations, infos = env.reset(seed=1)
    assert "action_mask" not in observations["agent_0"]
    for _ in range(10):
        actions = {a: env.action_space(a).sample(mask=infos[a]["action_mask"]) for a in env.agents}
        observations, *_, infos = env.step(actions)
        assert all(env.observation_space(a).contains(observations[a]) for a in env.agents)
    env.close()


def test_a_level_goes_as_it_does_in_a_batch():
    """The same seed and actions give what a batch of worlds gives."""
    env = parallel_env(agents=2, **SHORT)
    world = VoxelWorld(3, VoxelOptions(agents=2, respawn=False, **SHORT))
    world.reset([5, 7, 9])
    env.reset(seed=7)
    random = np.random.default_rng(0)
    for _ in range(30):
        chosen = random.integers(0, 20, 6)
        observations, rewards, *_ = env.step({"agent_0": int(chosen[2]), "agent_1": int(chosen[3])})
        step = world.step(torch.as_tensor(chosen, dtype=torch.int32))
        for k, agent in enumerate(("agent_0", "agent_1")):
            assert rewards[agent] == pytest.approx(float(step.reward[2 + k]))
            for name, value in observations[agent].items():
                np.testing.assert_array_equal(value, step.observation[name][2 + k].numpy(), err_msg=name)


def test_who_dies_leaves_and_all_leave_at_the_horizon():
    env = parallel_env(agents=2, **SHORT)
    env.reset(seed=3)
    noop = dict.fromkeys(env.agents, 0)
    _kill(env, 1)
    observations, _, terminated, truncated, infos = env.step(noop)
    assert terminated == {"agent_0": False, "agent_1": True}
    assert truncated == {"agent_0": False, "agent_1": False}
    assert env.agents == ["agent_0"]
    assert infos["agent_1"]["cause"] == "lava"
    assert infos["agent_1"]["level_seed"] == 3
    assert "cause" not in infos["agent_0"]
    for _ in range(58):
        observations, _, terminated, truncated, infos = env.step({"agent_0": 0})
        assert set(observations) == {"agent_0"}
    observations, _, terminated, truncated, infos = env.step({"agent_0": 0})
    assert truncated == {"agent_0": True}
    assert infos["agent_0"]["cause"] == "horizon"
    assert env.agents == []
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step({})
    env.reset()
    assert env.agents == env.possible_agents


def _kill(env, row):
    import warp as wp

    from farlands.worlds.voxel.state import Body, Cause

    body = wp.to_torch(env.world.state.body)
    body[Body.HEALTH, row] = 0
    body[Body.CAUSE, row] = int(Cause.LAVA)


def test_mistakes_are_one_clear_line():
    env = parallel_env(**SHORT)
    env.reset(seed=1)
    with pytest.raises(ValueError, match="no action for agent_1"):
        env.step({"agent_0": 0})
    with pytest.raises(ValueError, match="integers from 0 to below"):
        env.step({"agent_0": 0, "agent_1": 10_000})
    with pytest.raises(ValueError, match="agents 9 is out of range: 1 to 8"):
        parallel_env(agents=9)
    with pytest.raises(ValueError, match="did you mean 'agents'"):
        parallel_env(agent=2)
    with pytest.raises(ValueError, match="one world, not 2"):
        WorldParallelEnv(VoxelWorld(2, VoxelOptions()))


def test_views_stand_side_by_side():
    env = parallel_env(render_mode="rgb_array", render_size=(24, 32), **SHORT)
    env.reset(seed=1)
    frame = env.render()
    assert frame.shape == (24, 64, 3)
    assert frame.dtype == np.uint8
    blind = parallel_env(**SHORT)
    blind.reset(seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert blind.render() is None
