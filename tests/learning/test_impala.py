import copy

import pytest
import torch

from farlands.agents import AgentConfig, make_agent
from farlands.learning.collect import Collector
from farlands.learning.config import ImpalaConfig, PPOConfig
from farlands.learning.impala import Impala
from farlands.learning.ppo import PPO
from farlands.learning.returns import ValueStream, generalised_advantages
from farlands.learning.vtrace import vtrace
from farlands.worlds.reference import Combination, CueCorridor, PointReach

WORLDS = [CueCorridor, Combination, PointReach]


class Run:
    """A learner whose rollouts come from a copy of its agent that is ``lag`` updates old."""

    def __init__(self, make_world, lag, learner=Impala, rows=16, config=None, heads=1, streams=(), hidden=32):
        torch.manual_seed(1)
        self.world, config = make_world(rows), config or ImpalaConfig(rollout=16)
        self.agent = make_agent(self.world.spec, AgentConfig(hidden=hidden), heads)
        self.actor, self.lag = copy.deepcopy(self.agent), lag
        chunks = config.rollout // config.chunk if config.chunk else 1
        self.collector = Collector(self.world, self.actor, config.rollout, 1, chunks=chunks)
        self.learner = learner(self.agent, config, streams, seed=1)
        self.collector.start(1)
        self.versions = []

    def collect(self):
        normaliser = self.learner.normaliser
        self.versions.append((copy.deepcopy(self.agent.state_dict()), normaliser.mean.clone(), normaliser.std.clone()))
        self.versions = self.versions[-1 - self.lag :]
        weights, mean, std = self.versions[0]
        self.actor.load_state_dict(weights)
        rollout = self.collector.collect()
        rollout.next_values.copy_(normaliser.normalise(rollout.next_values * std + mean))
        return rollout

    def update(self, progress=0.0):
        rollout = self.collect()
        return self.learner.update(rollout, rollout.rewards[..., None].expand(-1, -1, self.agent.value_heads), progress)


def train(make_world, updates, lag):
    """Mean reward of the episodes of the last fifth of a short training."""
    run = Run(make_world, lag, rows=64, config=ImpalaConfig(rollout=16, learning_rate=2e-3))
    for update in range(updates):
        if update == updates - updates // 5:
            run.world.drain_episodes()
        run.update(update / updates)
    return float(run.world.drain_episodes().reward.mean())


@pytest.mark.parametrize(
    ("make_world", "updates", "lag", "enough"), [(CueCorridor, 50, 2, 0.85), (PointReach, 80, 1, 1.6)]
)
def test_solves_worlds_from_old_rollouts(make_world, updates, lag, enough):
    assert train(make_world, updates, lag) > enough


@pytest.mark.parametrize("make_world", WORLDS)
@pytest.mark.parametrize("chunk", [0, 8])
def test_is_ppo_on_its_own_rollouts(make_world, chunk):
    settings = {"rollout": 24, "chunk": chunk, "epochs": 2, "minibatches": 2}
    ours = Run(make_world, 0, config=ImpalaConfig(**settings))
    theirs = Run(make_world, 0, learner=PPO, config=PPOConfig(**settings))
    for _ in range(2):
        one, other = ours.update(), theirs.update()
        assert one["policy_ratio"].item() == pytest.approx(1.0, abs=1e-5)
        for name in ("policy_loss", "value_loss", "entropy", "explained_variance", "return_mean"):
            assert float(one[name]) == pytest.approx(float(other[name]), abs=2e-4), name


def test_estimates_are_the_present_agents():
    streams = (ValueStream(0.9, 2.0), ValueStream(0.99, 0.5, episodic=False))
    config = ImpalaConfig(rollout=30, normalise_advantages=False, gae_lambda=0.9)
    run = Run(CueCorridor, 2, config=config, heads=2, streams=streams)
    for _ in range(3):
        run.update()
    rollout = run.collect()
    assert rollout.truncated.any()
    rewards, normaliser = torch.randn(30, 16, 2), copy.deepcopy(run.learner.normaliser)
    with torch.no_grad():
        output = run.agent.unroll(dict(rollout.steps.observation), rollout.memory, rollout.first)
    log_ratios = output.distribution[:-1].log_prob(rollout.actions) - rollout.log_probs
    assert log_ratios.abs().max() > 1e-3, "the policies differ"
    values = normaliser.denormalise(output.value)
    cut = torch.where(rollout.truncated[..., None], normaliser.denormalise(rollout.next_values), values[1:])
    ends = rollout.terminated, rollout.truncated
    expected = vtrace(rewards, values, cut, *ends, log_ratios, streams, trace_lambda=0.9)
    batch, _ = run.learner._prepare(rollout, rewards)
    weighed = 2.0 * expected.advantages[..., 0] + 0.5 * expected.advantages[..., 1]
    weighed = weighed * log_ratios.exp().clamp(max=1.0)
    assert torch.allclose(batch.advantages, weighed, atol=1e-4)
    assert torch.allclose(run.learner.normaliser.denormalise(batch.targets), expected.targets, atol=1e-4)
    uncorrected = generalised_advantages(rewards, values, cut, *ends, streams, 0.9)
    assert not torch.allclose(batch.advantages, 2.0 * uncorrected[..., 0] + 0.5 * uncorrected[..., 1], atol=1e-2)


def test_scores_do_not_drift_where_all_actions_are_worth_the_same():
    """Advantages that are all alike say nothing, whatever policy chose the actions: none is left of them."""
    run = Run(CueCorridor, 2, config=ImpalaConfig(rollout=16, gae_lambda=0.0, discount=0.0))
    for _ in range(3):
        run.update()
    rollout = run.collect()
    with torch.no_grad():
        values = run.learner.normaliser.denormalise(run.learner._review(rollout)[1])
    batch, _ = run.learner._prepare(rollout, values[:-1] + 3.0)
    assert batch.advantages.abs().max() < 1e-2


def test_state_goes_in_and_out():
    run, resumed = Run(CueCorridor, 0), Run(CueCorridor, 0)
    run.update()
    resumed.agent.load_state_dict(run.agent.state_dict())
    resumed.learner.load_state_dict(copy.deepcopy(run.learner.state_dict()))
    rollout = run.collect()
    run.learner.update(rollout, rollout.rewards[..., None], 0.5)
    resumed.learner.update(rollout, rollout.rewards[..., None], 0.5)
    for one, other in zip(run.agent.parameters(), resumed.agent.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rho_clip": 0.0}, "rho_clip is 0.0"),
        ({"trace_clip": 2.0}, "at most rho_clip"),
        ({"clip": 0.0}, "clip is 0.0"),
        ({"chunk": 5}, "chunk is 5"),
    ],
)
def test_config_refuses_the_impossible(settings, said):
    with pytest.raises(ValueError, match=said):
        ImpalaConfig(**settings)
