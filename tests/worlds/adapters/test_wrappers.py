"""Gymnasium's own vector wrappers on the native vector environments: what works, and what refuses what."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import vector as wrappers

import farlands  # noqa: F401 - registers the ids
from farlands.worlds.voxel.world import VoxelWorld

MODES = [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP]
SHORT: dict[str, Any] = {
    "window": 32, "horizon": 14, "stagger": True, "mining_speed": 9,
    "start_kit": ("oak_log:3", "planks:9", "crafting_table"),
}  # fmt: skip


def make(num_envs: int = 4, **options: Any) -> gymnasium.vector.VectorEnv:
    return gymnasium.make_vec("farlands/Voxel-v0", num_envs=num_envs, **(SHORT | options))


def torch_env() -> gymnasium.vector.VectorEnv:
    return make(output="torch", autoreset_mode="SAME_STEP")


def play(env: gymnasium.vector.VectorEnv, steps: int = 35) -> list[Any]:
    env.reset(seed=0)
    env.action_space.seed(0)
    return [env.step(env.action_space.sample()) for _ in range(steps)]


@pytest.mark.parametrize("mode", MODES)
def test_record_episode_statistics_agrees_with_the_worlds_own_log(mode):
    env = wrappers.RecordEpisodeStatistics(make(autoreset_mode=mode))
    world = VoxelWorld(4, env.unwrapped.world.options)
    env.reset(seed=0)
    world.reset([0, 1, 2, 3])
    # All rows end together but for their staggered first episodes: compare those, of which both know the length.
    statistics: dict[int, tuple[float, int]] = {}
    for _ in range(15):
        *_, infos = env.step(np.full(4, 15))
        world.step(torch.full((4,), 15))
        for row in np.flatnonzero(infos.get("_episode", [])):
            statistics.setdefault(int(row), (float(infos["episode"]["r"][row]), int(infos["episode"]["l"][row])))
    log = world.drain_episodes()
    for row, (total, length) in statistics.items():
        first = int(np.flatnonzero(log.row == row)[0])
        assert length == log.length[first]
        assert total == pytest.approx(log.reward[first], abs=1e-5)
    assert len(statistics) == 4


@pytest.mark.parametrize("mode", MODES)
def test_reward_wrappers_work(mode):
    plain = play(make(autoreset_mode=mode))
    clipped = play(wrappers.ClipReward(make(autoreset_mode=mode), 0.0, 0.5))
    for (_, reward, *_), (_, ours, *_) in zip(plain, clipped, strict=True):
        np.testing.assert_allclose(ours, reward.clip(0, 0.5))
    normalised = play(wrappers.NormalizeReward(make(autoreset_mode=mode)))
    assert all(np.isfinite(step[1]).all() for step in normalised)
    assert any(step[1].any() for step in normalised)


@pytest.mark.parametrize("mode", ["NEXT_STEP", "DISABLED"])
def test_observation_wrappers_work(mode):
    steps = 35 if mode == "NEXT_STEP" else 1
    env = wrappers.FlattenObservation(make(autoreset_mode=mode))
    for observation, *_ in play(env, steps):
        assert observation in env.observation_space
    env = wrappers.FilterObservation(make(autoreset_mode=mode), filter_keys=["vitals", "voxels"])
    for observation, *_ in play(env, steps):
        assert set(observation) == {"vitals", "voxels"}
    env = wrappers.DtypeObservation(wrappers.FlattenObservation(make(autoreset_mode=mode)), np.float32)
    assert play(env, steps)[0][0].dtype == np.float32


@pytest.mark.parametrize("mode", MODES)
def test_infos_become_lists(mode):
    steps = play(wrappers.DictInfoToList(make(autoreset_mode=mode)))
    for _, _, terminated, truncated, infos in steps:
        for row, ended in enumerate(terminated | truncated):
            told = infos[row].get("final_info", infos[row])
            assert ("cause" in told) == ended
            assert infos[row]["action_mask"].dtype == np.int8


def test_next_step_observations_can_be_normalised():
    flat = wrappers.DtypeObservation(wrappers.FlattenObservation(make()), np.float32)
    for observation, *_ in play(wrappers.NormalizeObservation(flat)):
        assert np.isfinite(observation).all()


def test_pictures_can_be_picked_out_and_greyed():
    env = gymnasium.make_vec("farlands/VoxelPixels-v0", num_envs=2, width=24, height=20, **SHORT)
    pictures = wrappers.VectorizeTransformObservation(
        env,
        gymnasium.wrappers.TransformObservation,
        func=lambda observation: observation["pixels"],
        observation_space=env.single_observation_space["pixels"],
    )
    grey = wrappers.GrayscaleObservation(pictures)
    observation = play(grey, 3)[0][0]
    assert observation.shape == (2, 20, 24)
    assert observation in grey.observation_space


def test_videos_can_be_recorded(tmp_path):
    pytest.importorskip("moviepy")
    env = wrappers.RecordVideo(
        make(2, render_mode="rgb_array", render_size=(16, 16)), str(tmp_path / "videos"), episode_trigger=lambda _: True
    )
    play(env, 10)
    env.close()
    assert list(tmp_path.glob("videos/*.mp4"))


def test_wrappers_that_do_not_touch_arrays_take_tensors():
    actions = torch.arange(4)
    plain = torch_env()
    doubled = wrappers.TransformReward(torch_env(), lambda reward: 2 * reward)
    moved = wrappers.TransformAction(torch_env(), lambda batch: batch.flip(0))
    for env in (plain, doubled, moved):
        env.reset(seed=0)
    for _ in range(20):
        assert torch.equal(doubled.step(actions)[1], 2 * plain.step(actions)[1])
        assert isinstance(moved.step(actions)[1], torch.Tensor)


def test_what_gymnasium_refuses_is_as_documented():
    """Torch tensors in two wrappers, same-step autoreset in those of observations: told in docs/gymnasium.md."""
    actions = torch.zeros(4, dtype=torch.int32)
    refuse = {
        "RecordEpisodeStatistics": wrappers.RecordEpisodeStatistics,
        "NormalizeReward": wrappers.NormalizeReward,
        "ClipReward": lambda env: wrappers.ClipReward(env, 0.0, 1.0),
        "DictInfoToList": wrappers.DictInfoToList,
    }
    for wrap in refuse.values():
        env = wrap(torch_env())
        with pytest.raises((TypeError, RuntimeError, AssertionError, DeprecationWarning)):
            _ = [env.reset(seed=0), *(env.step(actions) for _ in range(20))]
    for wrapper in (wrappers.FlattenObservation, wrappers.NormalizeObservation):
        with pytest.raises(ValueError, match="NEXT_STEP"):
            wrapper(make(autoreset_mode="SAME_STEP"))
