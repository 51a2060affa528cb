import pytest
import torch

from farlands.agents.baselines import RandomAgent
from farlands.learning.collect import Collector
from farlands.learning.returns import ValueStream
from farlands.rewards.config import RewardConfig
from farlands.rewards.rnd import RND
from farlands.rewards.source import (
    FunctionReward,
    RewardSource,
    TaskReward,
    make_reward_sources,
    reward_streams,
    value_streams,
)
from farlands.worlds.reference import CueCorridor


@pytest.fixture
def rollout():
    world = CueCorridor(6)
    collector = Collector(world, RandomAgent(world.spec), 10, seed=1)
    collector.start(1)
    return collector.collect()


def walking(rollout):
    """A user's own reward, in one line."""
    return (rollout.next_observations["walked"] > rollout.observations["walked"])[..., 0].float()


class Waiting(RewardSource):
    weight = 0.25
    own_value_head = True
    discount = 0.8

    def reward(self, rollout):
        return (rollout.actions == 0).float()


SPEC = CueCorridor(1).spec
RESOLVE = {"mine.py:walking": walking, "mine.py:Waiting": Waiting, "mine.py:number": 3, "mine.py:int": int}.get


def test_sources_and_streams_agree(rollout):
    config = RewardConfig(task_weight=2.0, sources=("mine.py:walking", "mine.py:Waiting", "rnd"))
    sources = make_reward_sources(config, SPEC, resolve=RESOLVE)
    assert [type(source) for source in sources] == [TaskReward, FunctionReward, Waiting, RND]
    streams = value_streams(sources, discount=0.95)
    assert streams == (ValueStream(0.95), ValueStream(0.8, 0.25), ValueStream(0.99, 0.5, episodic=False))
    rewards = reward_streams(sources, rollout)
    assert rewards.shape == (10, 6, 3)
    assert torch.allclose(rewards[..., 0], 2 * rollout.rewards + walking(rollout))
    assert torch.equal(rewards[..., 1], (rollout.actions == 0).float())
    assert walking(rollout).any()


def test_task_alone_changes_nothing(rollout):
    before = rollout.rewards.clone()
    rewards = reward_streams(make_reward_sources(RewardConfig(), SPEC), rollout)
    assert torch.equal(rewards[..., 0], before)
    assert torch.equal(rollout.rewards, before)


def test_wrong_shape_is_told(rollout):
    with pytest.raises(ValueError, match=r"FunctionReward gave a reward of shape \(10, 6, 1\); expected \(10, 6\)"):
        reward_streams([FunctionReward(lambda lived: lived.rewards[..., None], SPEC)], rollout)


@pytest.mark.parametrize("name", ["mine.py:number", "mine.py:int"])
def test_not_a_reward(name):
    with pytest.raises(TypeError, match="must be a RewardSource class or a function"):
        make_reward_sources(RewardConfig(sources=(name,)), SPEC, resolve=RESOLVE)


def test_unknown_without_a_resolver():
    with pytest.raises(ValueError, match="'rnf' is unknown; built in: rnd, items, affordances"):
        make_reward_sources(RewardConfig(sources=("rnf",)), SPEC)
