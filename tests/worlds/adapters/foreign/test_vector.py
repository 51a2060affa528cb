"""Vector environments of every autoreset mode become the same same-step world."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from foreign_environments import Everything
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.named import GymnasiumWorld, VectorEnvWorld
from farlands.worlds.adapters.foreign.options import GymnasiumOptions

ROWS = 3


class Stranger(VectorEnv):
    """A vector environment that is none of Gymnasium's own, so that nothing is known of how it resets."""

    def __init__(self, inner: SyncVectorEnv) -> None:
        self.inner = inner
        self.num_envs, self.metadata = inner.num_envs, inner.metadata
        self.observation_space, self.single_observation_space = inner.observation_space, inner.single_observation_space
        self.action_space, self.single_action_space = inner.action_space, inner.single_action_space

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        assert not options, "this one resets no single rows"
        return self.inner.reset(seed=seed)

    def step(self, actions: Any) -> Any:
        return self.inner.step(actions)


def vector(mode: AutoresetMode, *, strange: bool = False) -> VectorEnvWorld:
    inner = SyncVectorEnv([functools.partial(Everything, 20)] * ROWS, autoreset_mode=mode)
    return VectorEnvWorld(Stranger(inner) if strange else inner, horizon=20)


def actions_of(steps: int) -> torch.Tensor:
    return torch.randint(4, (steps, ROWS), generator=torch.Generator().manual_seed(0), dtype=torch.int32)


@pytest.mark.parametrize("mode", [AutoresetMode.DISABLED, AutoresetMode.NEXT_STEP], ids=lambda mode: mode.name)
def test_masked_resets_live_what_single_environments_live(mode):
    """Levels included: every episode starts from its own seed."""
    world = vector(mode)
    single = GymnasiumWorld(ROWS, GymnasiumOptions(workers=0), constructor=functools.partial(Everything, 20))
    assert world.spec.observation == single.spec.observation
    assert (world.spec.action, world.spec.horizon, world.spec.achievements) == (
        single.spec.action, single.spec.horizon, single.spec.achievements,
    )  # fmt: skip
    a, b = world.reset(7), single.reset(7)
    for actions in actions_of(120):
        assert all(torch.equal(a.observation[key], b.observation[key]) for key in a.observation)
        a, b = world.step(actions), single.step(actions)
        for name in ("reward", "terminated", "truncated"):
            assert torch.equal(getattr(a, name), getattr(b, name)), name
        ended = a.terminated | a.truncated
        for key, last in world.final_observation.items():
            assert torch.equal(last[ended], single.final_observation[key][ended]), key
    logs = [vars(each.drain_episodes()) for each in (world, single)]
    assert len(logs[0]["row"]) > 10
    assert all(np.array_equal(logs[0][name], logs[1][name]) for name in logs[0])


def play(mode: AutoresetMode, steps: int) -> list[tuple[Any, ...]]:
    """What a lone vector environment of one row gives, as (seen, reward, terminated, truncated, last)."""
    env = SyncVectorEnv([functools.partial(Everything, 20)] * ROWS, autoreset_mode=mode)
    env.reset(seed=[1, 2, 3])
    lived = []
    for actions in actions_of(steps).numpy():
        seen, reward, terminated, truncated, infos = env.step(actions.astype(np.int64) + 2)
        lived.append((seen["picture"].copy(), reward, terminated, truncated & ~terminated, infos))
    return lived


def test_same_step_is_taken_as_it_is():
    world = vector(AutoresetMode.SAME_STEP)
    world.reset([1, 2, 3])
    ends = 0
    for actions, (seen, reward, terminated, truncated, infos) in zip(
        actions_of(80), play(AutoresetMode.SAME_STEP, 80), strict=True
    ):
        out = world.step(actions)
        np.testing.assert_array_equal(out.observation["picture"], seen)
        np.testing.assert_array_equal(out.reward, reward.astype(np.float32))
        np.testing.assert_array_equal(out.terminated, terminated)
        np.testing.assert_array_equal(out.truncated, truncated)
        for row in np.flatnonzero(terminated | truncated):
            ends += 1
            np.testing.assert_array_equal(world.final_observation["picture"][row], infos["final_obs"][row]["picture"])
    assert ends > 6
    assert len(world.drain_episodes()) == ends


def test_next_step_of_strangers_is_told_with_the_step_that_resets():
    """Nothing of the next episode is lost, and nothing of the last one leaks into it."""
    world = vector(AutoresetMode.NEXT_STEP, strange=True)
    assert world.spec.horizon == 21
    world.reset([1, 2, 3])
    over, picture, ends = np.zeros(ROWS, bool), np.zeros((ROWS, 4, 5, 3), np.uint8), 0
    cut = over.copy()
    for actions, (seen, reward, terminated, truncated, _) in zip(
        actions_of(80), play(AutoresetMode.NEXT_STEP, 80), strict=True
    ):
        out = world.step(actions)
        np.testing.assert_array_equal(out.observation["picture"], seen)
        np.testing.assert_array_equal(out.terminated | out.truncated, over)
        np.testing.assert_array_equal(out.truncated, over & cut)
        np.testing.assert_array_equal(out.reward, np.where(over, 0, reward).astype(np.float32))
        np.testing.assert_array_equal(world.final_observation["picture"].numpy()[over], picture[over])
        ends += int(over.sum())
        over, cut, picture = terminated | truncated, truncated, seen
    log = world.drain_episodes()
    assert len(log) == ends > 6
    assert log.length.max() == 21


@pytest.mark.parametrize("strange", [False, True])
def test_a_resume_cuts_episodes(strange):
    world, other = (vector(AutoresetMode.NEXT_STEP, strange=strange) for _ in range(2))
    world.reset(5)
    for actions in actions_of(4):
        out = world.step(actions)
    with pytest.warns(UserWarning, match="3 of 3 episodes are cut here; their states can't be reached again"):
        other.load_state_dict(world.state_dict())
    cut = other.step(actions_of(1)[0])
    assert cut.truncated.all()
    assert torch.equal(other.final_observation["picture"], out.observation["picture"])
    assert not torch.equal(cut.observation["picture"], out.observation["picture"])
    assert other.drain_episodes().cause.tolist()[-3:] == ["interrupted"] * 3


def test_gymnasiums_own_makers():
    """One with an entry point of its own, that takes one seed and resets itself a step late."""
    world = VectorEnvWorld(gymnasium.make_vec("CartPole-v1", 4, vectorization_mode="vector_entry_point"))
    assert (world.spec.name, world.spec.horizon, world.spec.action.n) == ("CartPole-v1", 501, 2)
    world.reset(0)
    generator = torch.Generator().manual_seed(0)
    for _ in range(100):
        world.step(torch.randint(2, (4,), generator=generator, dtype=torch.int32))
    assert 8 <= world.drain_episodes().length.mean() <= 60
    world.close()
    with pytest.raises(UserError, match="is closed"):
        world.step(torch.zeros(4, dtype=torch.int32))
