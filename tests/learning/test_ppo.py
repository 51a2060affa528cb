import copy
import math

import pytest
import torch

from farlands.agents import AgentConfig, make_agent
from farlands.learning.collect import Collector
from farlands.learning.config import PPOConfig
from farlands.learning.ppo import PPO
from farlands.learning.returns import ValueStream, generalised_advantages
from farlands.worlds.reference import Combination, CueCorridor, PointReach

WORLDS = [CueCorridor, Combination, PointReach]


class Run:
    """A world, an agent, a collector and a learner."""

    def __init__(self, make_world, rows=16, config=None, agent_config=None, streams=(), seed=1):
        torch.manual_seed(seed)
        self.world, config = make_world(rows), config or PPOConfig(rollout=16)
        self.agent = make_agent(self.world.spec, agent_config or AgentConfig(hidden=32), max(1, len(streams)))
        chunks = config.rollout // config.chunk if config.chunk else 1
        self.collector = Collector(self.world, self.agent, config.rollout, seed, chunks=chunks)
        self.learner = PPO(self.agent, config, streams, seed=seed)
        self.collector.start(seed)

    def update(self, progress=0.0):
        rollout = self.collector.collect()
        rewards = rollout.rewards[..., None].expand(-1, -1, self.agent.value_heads)
        return self.learner.update(rollout, rewards, progress)

    def state(self):
        parts = (self.world, self.agent, self.collector, self.learner)
        return copy.deepcopy([part.state_dict() for part in parts])

    def load(self, state):
        for part, held in zip((self.world, self.agent, self.collector, self.learner), state, strict=True):
            part.load_state_dict(held)


def train(make_world, updates: int, memory: str = "mingru") -> float:
    """Mean reward of the episodes of the last fifth of a short training."""
    config = PPOConfig(rollout=16, learning_rate=3e-3)
    run = Run(make_world, rows=64, config=config, agent_config=AgentConfig(hidden=32, memory=memory))
    for update in range(updates):
        if update == updates - updates // 5:
            run.world.drain_episodes()
        run.update(update / updates)
    return float(run.world.drain_episodes().reward.mean())


@pytest.mark.parametrize(
    ("make_world", "updates", "enough"), [(CueCorridor, 40, 0.9), (Combination, 50, 10.0), (PointReach, 40, 1.5)]
)
def test_solves_each_reference_world(make_world, updates, enough):
    assert train(make_world, updates) > enough


def test_the_corridor_needs_memory():
    assert train(CueCorridor, 40, memory="none") < 0.3


def slow_advantages(rollout, values, next_values, discount, gae_lambda):
    """Backwards recursion on Python floats, ``[T][R]``."""
    length, rows = rollout.rewards.shape
    advantages = [[0.0] * rows for _ in range(length)]
    for row in range(rows):
        later = 0.0
        for t in reversed(range(length)):
            ended, cut = bool(rollout.terminated[t, row]), bool(rollout.truncated[t, row])
            follows = 0.0 if ended else float(next_values[t, row])
            difference = float(rollout.rewards[t, row]) + discount * follows - float(values[t, row])
            later = difference + (0.0 if ended or cut else discount * gae_lambda * later)
            advantages[t][row] = later
    return torch.tensor(advantages, dtype=torch.float64)


def slow_loss(agent, rollout, config, advantages, targets):
    """The paper's objective, by acting step by step and in torch's own distributions."""
    memory, losses = rollout.memory, []
    scaled = (advantages - advantages.mean()) / advantages.std(correction=0)
    for t in range(rollout.length):
        sequence = {key: value[t : t + 1] for key, value in rollout.observations.items()}
        output = agent.unroll(sequence, memory, rollout.first[t : t + 1])
        memory = output.memory
        exact = torch.distributions.Categorical(logits=output.distribution.log_probs[0].double())
        ratio = (exact.log_prob(rollout.actions[t]) - rollout.log_probs[t].double()).exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        policy = -torch.minimum(ratio * scaled[t], clipped * scaled[t])
        value = 0.5 * (output.value[0, :, 0].double() - targets[t]) ** 2
        losses.append(policy + config.value_weight * value - config.entropy * exact.entropy())
    return torch.stack(losses).mean()


def test_gradient_equals_the_papers():
    config = PPOConfig(rollout=30, epochs=1, minibatches=1, max_grad_norm=1e9, entropy=0.05)
    run = Run(CueCorridor, rows=10, config=config)
    run.update()
    rollout = run.collector.collect()
    assert rollout.truncated.any()
    assert rollout.terminated.any()
    agent, normaliser = copy.deepcopy(run.agent), copy.deepcopy(run.learner.normaliser)
    values = (normaliser.denormalise(held)[..., 0].double() for held in (rollout.values, rollout.next_values))
    values, next_values = values
    advantages = slow_advantages(rollout, values, next_values, config.discount, config.gae_lambda)
    returns = advantages + values[:-1]
    agent.heads.rescale_values(*normaliser.update(returns[..., None].float()))
    targets = (returns - normaliser.mean.double()) / normaliser.std.double()
    slow_loss(agent, rollout, config, advantages, targets).backward()
    run.learner.update(rollout, rollout.rewards[..., None], 0.0)
    for (name, ours), exact in zip(run.agent.named_parameters(), agent.parameters(), strict=True):
        assert ours.grad.abs().max() > 0, name
        assert torch.allclose(ours.grad, exact.grad, atol=2e-5, rtol=1e-3), name


@pytest.mark.parametrize("make_world", WORLDS)
@pytest.mark.parametrize("chunk", [0, 8, 24])
def test_first_pass_finds_the_policy_that_acted(make_world, chunk):
    config = PPOConfig(rollout=24, chunk=chunk, epochs=1, minibatches=1)
    run = Run(make_world, config=config, agent_config=AgentConfig(hidden=16, memory_layers=2))
    for _ in range(3):
        metrics = run.update()
        assert abs(float(metrics["approx_kl"])) < 1e-6
        assert float(metrics["clip_fraction"]) == 0.0


@pytest.mark.parametrize("make_world", WORLDS)
@pytest.mark.parametrize("streams", [(), (ValueStream(0.9), ValueStream(0.99, 0.5, episodic=False))])
def test_resume_is_bit_equal(make_world, streams):
    run, resumed = Run(make_world, streams=streams), Run(make_world, streams=streams, seed=2)
    resumed.learner.seed = resumed.collector.seed = run.learner.seed
    for _ in range(2):
        run.update(0.1)
        resumed.update(0.5)
    resumed.load(run.state())
    for _ in range(2):
        ours, theirs = run.update(0.2), resumed.update(0.2)
        assert {name: float(value) for name, value in ours.items()} == {name: float(v) for name, v in theirs.items()}
    for one, other in zip(run.agent.parameters(), resumed.agent.parameters(), strict=True):
        assert torch.equal(one, other)
    assert torch.equal(run.world.state_hash(), resumed.world.state_hash())
    assert not torch.equal(run.collector.memory, torch.zeros_like(run.collector.memory))


def test_fresh_state_goes_in_and_out():
    run, other = Run(CueCorridor), Run(CueCorridor, seed=2)
    other.update()
    other.load(run.state())
    other.learner.seed = other.collector.seed = run.learner.seed
    run.update()
    other.update()
    assert all(torch.equal(one, two) for one, two in zip(run.agent.parameters(), other.agent.parameters(), strict=True))


def test_foreign_state_is_refused():
    state = Run(CueCorridor).learner.state_dict()
    run = Run(CueCorridor, agent_config=AgentConfig(hidden=8, memory="none"))
    with pytest.raises(ValueError, match="optimiser's state"):
        run.learner.load_state_dict(state)
    wide = Run(CueCorridor, agent_config=AgentConfig(hidden=64))
    wide.update()
    with pytest.raises(ValueError, match="has shape"):
        Run(CueCorridor).learner.load_state_dict(wide.learner.state_dict())


def test_schedules_follow_progress():
    config = PPOConfig(rollout=8, learning_rate=1e-3, learning_rate_end=0.2, entropy=0.04, entropy_end=0.5)
    run = Run(CueCorridor, config=config)
    for progress, rate, entropy in ((0.0, 1e-3, 0.04), (0.5, 6e-4, 0.03), (1.0, 2e-4, 0.02), (1.5, 2e-4, 0.02)):
        metrics = run.update(progress)
        assert metrics["learning_rate"] == pytest.approx(rate)
        assert metrics["entropy_weight"] == pytest.approx(entropy)


def drawn(learner, epoch, rows, chunks=1):
    """The sequences of every minibatch, as lists."""
    return [part.tolist() for part, _ in learner._minibatches(epoch, rows, chunks)]


@pytest.mark.parametrize(("rows", "chunks"), [(50, 1), (48, 1), (5, 3), (4, 1)])
def test_every_sequence_once_per_pass(rows, chunks):
    learner = Run(CueCorridor).learner
    draws = []
    for learner.updates in range(20):
        for epoch in range(learner.config.epochs):
            parts = drawn(learner, epoch, rows, chunks)
            assert sorted(one for part in parts for one in part) == list(range(rows * chunks))
            assert max(map(len, parts)) - min(map(len, parts)) <= 1
            draws.append(str(parts))
    assert len(set(draws)) > 2


def test_minibatches_are_drawn_without_bias():
    learner, together = Run(CueCorridor).learner, torch.zeros(8, 8)
    for learner.updates in range(600):
        for part in drawn(learner, 0, 8):
            for one in part:
                together[one, part] += 1
    share = together / 600
    groups = torch.arange(8) // 4
    apart = (groups[:, None] == groups) & ~torch.eye(8, dtype=torch.bool)
    assert (share[apart] == 0).all(), "neighbours are never in one minibatch"
    assert (share[groups[:, None] != groups] - 0.25).abs().max() < 0.08, "all others equally often"


def test_streams_weigh_in():
    streams = (ValueStream(0.9, 2.0), ValueStream(0.99, 0.5, episodic=False), ValueStream(0.5, 0.0))
    run = Run(CueCorridor, config=PPOConfig(rollout=16, normalise_advantages=False), streams=streams)
    rollout = run.collector.collect()
    rewards = torch.randn(16, 16, 3)
    batch, _ = run.learner._prepare(rollout, rewards)
    ends = rollout.terminated, rollout.truncated
    parts = generalised_advantages(rewards, rollout.values, rollout.next_values, *ends, streams, 0.95)
    assert torch.allclose(batch.advantages, 2.0 * parts[..., 0] + 0.5 * parts[..., 1], atol=1e-5)


def test_value_clip_bounds_the_change():
    learner = PPO(Run(CueCorridor).agent, PPOConfig(value_clip=0.1))
    batch = type("Batch", (), {"targets": torch.tensor([[[3.0]]]), "values": torch.tensor([[[1.0]]])})
    for value, expected in ((1.05, 0.5 * 1.95**2), (1.5, 0.5 * 1.9**2), (0.0, 0.5 * 3.0**2)):
        assert learner._value_loss(torch.tensor([[[value]]]), batch).item() == pytest.approx(expected)


def test_metrics_stay_on_the_device():
    metrics = Run(CueCorridor).update()
    assert {"policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction", "explained_variance"} <= set(metrics)
    for name, value in metrics.items():
        assert isinstance(value, float) or (isinstance(value, torch.Tensor) and value.ndim == 0), name
        assert math.isfinite(float(value)), name
        assert not getattr(value, "requires_grad", False), name


def test_mistakes_are_told():
    agent = Run(CueCorridor).agent
    with pytest.raises(ValueError, match="2 value streams"):
        PPO(agent, streams=(ValueStream(0.9), ValueStream(0.9)))
    run = Run(CueCorridor, rows=2, config=PPOConfig(rollout=8, minibatches=4))
    with pytest.raises(ValueError, match="only 2 sequences"):
        run.update()
    run = Run(CueCorridor)
    run.learner = PPO(run.agent, PPOConfig(rollout=16, chunk=4))
    with pytest.raises(ValueError, match="4 stored memories"):
        run.update()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rollout", 0),
        ("epochs", 0),
        ("discount", 1.1),
        ("clip", 0.0),
        ("entropy", -1.0),
        ("chunk", 5),
        ("learning_rate", 0),
    ],
)
def test_config_refuses_the_impossible(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value}"):
        PPOConfig(**{field: value})
