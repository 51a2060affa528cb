"""Several processes learn what one would; threads stand in for processes here, tests/runtime has real ones."""

import copy

import pytest
import torch

from farlands.agents import AgentConfig, make_agent
from farlands.learning.collect import Collector
from farlands.learning.config import PPOConfig
from farlands.learning.normalise import RunningMoments, ValueNormaliser
from farlands.learning.peers import ALONE, Peers
from farlands.learning.ppo import PPO
from farlands.learning.rollout import Rollout
from farlands.rewards.config import RNDConfig
from farlands.rewards.rnd import RND
from farlands.worlds.reference import Combination, CueCorridor, PointReach
from farlands.worlds.world import Step


@pytest.mark.parametrize(("total", "size"), [(10, 3), (2, 2), (7, 7), (512, 6), (5, 1)])
def test_shares_cover_everything_once(total, size):
    peers = [copy.copy(ALONE) for _ in range(size)]
    for rank, each in enumerate(peers):
        each.rank, each.size = rank, size
    spans = [each.span(total) for each in peers]
    assert [one for span in spans for one in span] == list(range(total))
    assert max(map(len, spans)) - min(map(len, spans)) <= 1


def test_statistics_are_those_of_everything(side_by_side):
    samples = torch.randn(23, 4, dtype=torch.float64) * 3 + 1e4
    cuts = samples.tensor_split([5, 6])

    def work(peers: Peers):
        return *peers.moments(cuts[peers.rank]), peers.place(len(cuts[peers.rank]))

    for rank, (mean, variance, place) in enumerate(side_by_side(3, work)):
        assert torch.allclose(mean, samples.mean(0), rtol=1e-12)
        assert torch.allclose(variance, samples.var(0, correction=0), rtol=1e-9)
        assert place == ((0, 5, 6)[rank], 23)


def test_normalisers_agree_with_one_that_sees_everything(side_by_side):
    returns = [torch.randn(6, 9, 2) * (k + 1) - k for k in range(3)]

    def work(peers: Peers):
        values, moments = ValueNormaliser(2, peers=peers), RunningMoments((2,))
        moments.peers = peers
        for each in returns:
            mine = each.tensor_split([4], dim=1)[peers.rank] if peers.size > 1 else each
            values.update(mine)
            moments.update(mine.flatten(0, 1))
        return torch.cat((values.mean, values.std, moments.mean, moments.std))

    alone = work(ALONE)
    for found in side_by_side(2, work):
        assert torch.allclose(found, alone, rtol=1e-6)


@pytest.fixture(params=[torch.float64, torch.float32], ids=str)
def precision(request, monkeypatch):
    """Everything that asks for a float gets one of this precision; how far losses may then differ."""
    monkeypatch.setattr(torch.Tensor, "float", lambda tensor: tensor.to(request.param))
    torch.set_default_dtype(request.param)
    yield 1e-9 if request.param == torch.float64 else 1e-5
    torch.set_default_dtype(torch.float32)


def share_of(rollout: Rollout, rows: slice) -> Rollout:
    steps = rollout.steps
    observation = {key: value[:, rows] for key, value in steps.observation.items()}
    return Rollout(
        Step(observation, steps.reward[:, rows], steps.terminated[:, rows], steps.truncated[:, rows]),
        *(getattr(rollout, name)[:, rows] for name in (
            "first", "actions", "log_probs", "values", "next_values", "memories")),
    )  # fmt: skip


def make_case(make_world, rows: int, config: PPOConfig):
    """Rollouts of a world and a function that gives an agent which learns from them with some peers."""
    torch.manual_seed(1)
    world = make_world(rows)
    agent = make_agent(world.spec, AgentConfig(hidden=16)).to(torch.get_default_dtype())
    chunks = config.rollout // config.chunk if config.chunk else 1
    collector = Collector(world, agent, config.rollout, 1, chunks=chunks)
    collector.start(1)
    rollouts = [copy.deepcopy(collector.collect()) for _ in range(3)]

    def learn(peers: Peers, cuts):
        mine = copy.deepcopy(agent)
        learner, figures = PPO(mine, config, seed=5, peers=peers), []
        rows = slice(cuts[peers.rank], cuts[peers.rank + 1])
        for each in rollouts:
            part = share_of(each, rows)
            figures.append(learner.update(part, part.rewards[..., None], 0.1))
        return mine, [{name: float(value) for name, value in each.items()} for each in figures]

    return learn


@pytest.mark.parametrize("make_world", [Combination, CueCorridor, PointReach])
@pytest.mark.parametrize(
    ("cuts", "chunk", "minibatches"),
    [((0, 8, 16), 0, 4), ((0, 3, 16), 0, 4), ((0, 5, 10, 16), 4, 3), ((0, 1, 16), 0, 8)],
)
def test_losses_equal_those_of_one_process(precision, make_world, cuts, chunk, minibatches, side_by_side):
    config = PPOConfig(rollout=8, chunk=chunk, minibatches=minibatches, epochs=2, learning_rate=1e-4)
    learn = make_case(make_world, cuts[-1], config)
    alone, expected = learn(ALONE, (0, cuts[-1]))
    for agent, figures in side_by_side(len(cuts) - 1, lambda peers: learn(peers, cuts)):
        for ours, theirs in zip(figures, expected, strict=True):
            for name, value in theirs.items():
                assert ours[name] == pytest.approx(value, rel=precision, abs=precision), name
        for one, other in zip(agent.parameters(), alone.parameters(), strict=True):
            # Adam divides by the gradient's size: where that is next to nothing, rounding decides the direction.
            assert torch.allclose(one, other, atol=precision * 10)


def test_parameters_stay_equal_bit_for_bit(side_by_side):
    learn = make_case(CueCorridor, 16, PPOConfig(rollout=8, minibatches=4))
    (one, _), (other, _) = side_by_side(2, lambda peers: learn(peers, (0, 7, 16)))
    for ours, theirs in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_rnd_stays_equal(side_by_side):
    torch.manual_seed(0)
    world = CueCorridor(10)
    agent = make_agent(world.spec, AgentConfig(hidden=16))
    collector = Collector(world, agent, 8, 1)
    collector.start(1)
    rollouts = [copy.deepcopy(collector.collect()) for _ in range(3)]
    source = RND(world.spec, config=RNDConfig(hidden=8, features=4))

    def work(peers: Peers):
        mine = copy.deepcopy(source)
        mine.join(peers)
        for each in rollouts:
            part = share_of(each, slice(*((0, 4), (4, 10))[peers.rank]))
            mine.reward(part)
            mine.update(part)
        return mine.state_dict()

    one, other = side_by_side(2, work)
    for name in ("predictor", "seen", "returns"):
        for key in one[name]:
            assert torch.equal(one[name][key], other[name][key]), (name, key)
    assert float(one["seen"]["count"]) == float(other["seen"]["count"]) > 3 * 8
