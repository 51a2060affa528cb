import pytest
import torch

from farlands.agents import AgentConfig, make_agent
from farlands.agents.baselines import RandomAgent
from farlands.agents.noise import uniforms
from farlands.learning.collect import Collector
from farlands.worlds.reference import Combination, CueCorridor, PointReach

WORLDS = [CueCorridor, Combination, PointReach]


def make(world, heads: int = 1, memory: str = "mingru"):
    torch.manual_seed(0)
    return make_agent(world.spec, AgentConfig(hidden=16, memory=memory), heads)


@torch.no_grad()
def slow_collect(world, agent, seed: int, action_seed: int, length: int, rollouts: int):
    """The same life, one step at a time, each truncation valued on the spot; gives the last rollout's records."""
    step, first = world.reset(seed), torch.ones(world.num_rows, dtype=torch.bool)
    memory, rows = agent.initial_memory(world.num_rows), torch.arange(world.num_rows)
    for tick in range(length * rollouts):
        if tick % length == 0:
            records = []
        noise = uniforms(action_seed, rows, torch.tensor(tick), agent.noise_size)
        seen = {key: value.clone() for key, value in step.observation.items()}
        act = agent.act(step.observation, memory, first, noise)
        step, memory, begun = world.step(act.action), act.memory, first
        first = step.terminated | step.truncated
        following = agent.act(step.observation, memory, first).value
        final = agent.act(world.final_observation, memory, torch.zeros_like(first)).value
        following = torch.where(step.truncated[:, None], final, following)
        records.append((seen, begun, act, step, following))
    return records


@pytest.mark.parametrize("make_world", WORLDS)
@pytest.mark.parametrize("length", [5, 12, 40])
def test_equals_living_step_by_step(make_world, length):
    world = make_world(12)
    agent = make(world, heads=2)
    collector = Collector(world, agent, length, seed=5)
    collector.start(4)
    rollouts = -(-60 // length)
    for _ in range(rollouts):
        rollout = collector.collect()
    records = slow_collect(make_world(12), agent, 4, 5, length, rollouts)
    cuts = 0
    for t, (seen, first, act, step, following) in enumerate(records):
        for key, value in seen.items():
            assert torch.equal(rollout.observations[key][t], value)
        for key, value in step.observation.items():
            assert torch.equal(rollout.next_observations[key][t], value)
        assert torch.equal(rollout.first[t], first)
        assert torch.allclose(rollout.actions[t], act.action, atol=1e-5)
        assert torch.allclose(rollout.log_probs[t], act.log_prob, atol=1e-5)
        assert torch.allclose(rollout.values[t], act.value, atol=1e-5)
        assert torch.allclose(rollout.rewards[t], step.reward, atol=1e-5)
        assert torch.equal(rollout.terminated[t], step.terminated)
        assert torch.equal(rollout.truncated[t], step.truncated)
        going_on = ~step.terminated
        assert torch.allclose(rollout.next_values[t][going_on], following[going_on], atol=1e-5)
        cuts += int(step.truncated.sum())
    assert cuts > 0 or make_world is Combination


def test_truncation_is_not_valued_by_what_follows():
    world = CueCorridor(16, CueCorridor.Options(length=2, horizon=3))
    collector = Collector(world, make(world), 20, seed=1)
    collector.start(0)
    rollout = collector.collect()
    assert rollout.truncated.sum(0).max() >= 4
    same = torch.isclose(rollout.next_values, rollout.values[1:])[..., 0]
    assert same[~rollout.truncated].all()
    assert not same[rollout.truncated].any()


@pytest.mark.parametrize("make_world", WORLDS)
def test_sharding_changes_nothing(make_world):
    seeds = [11, 22, 33, 44, 55, 66]

    def collect(part: slice):
        world = make_world(len(seeds[part]))
        collector = Collector(world, RandomAgent(world.spec), 30, seed=9, first_row=part.start)
        collector.start(seeds[part])
        collector.collect()
        return collector.collect()

    whole, left, right = collect(slice(0, 6)), collect(slice(0, 2)), collect(slice(2, 6))
    assert torch.equal(torch.cat((left.actions, right.actions), dim=1), whole.actions)
    assert torch.equal(torch.cat((left.rewards, right.rewards), dim=1), whole.rewards)
    for key, value in whole.observations.items():
        assert torch.equal(torch.cat((left.observations[key], right.observations[key]), dim=1), value)


def test_length_changes_nothing():
    def collect(length: int):
        world = CueCorridor(8)
        collector = Collector(world, make(world), length, seed=9)
        collector.start(4)
        rollouts = [collector.collect().actions.clone() for _ in range(24 // length)]
        return torch.cat(rollouts)

    assert torch.equal(collect(24), collect(8))
    assert torch.equal(collect(24), collect(3))


def test_memories_are_stored_at_every_chunk():
    world = CueCorridor(8)
    agent = make(world)
    collector = Collector(world, agent, 24, seed=9, chunks=3)
    collector.start(4)
    collector.collect()
    rollout = collector.collect()
    assert rollout.memories.shape == (3, 8, agent.memory_size)
    assert torch.equal(rollout.memory, rollout.memories[0])
    memory = rollout.memory
    with torch.no_grad():
        for t in range(24):
            if t % 8 == 0:
                assert torch.allclose(rollout.memories[t // 8], memory, atol=1e-6)
            memory = agent.act(rollout.steps[t].observation, memory, rollout.first[t]).memory


@pytest.mark.parametrize("make_world", WORLDS)
def test_state_goes_on_exactly(make_world):
    world, other = make_world(5), make_world(5)
    agent = make(world)
    collector, resumed = (Collector(each, agent, 10, seed=2) for each in (world, other))
    collector.start(8)
    collector.collect()
    state = collector.state_dict()
    other.load_state_dict(world.state_dict())
    resumed.load_state_dict(state)
    ours, theirs = collector.collect(), resumed.collect()
    assert torch.equal(ours.actions, theirs.actions)
    assert torch.equal(ours.values, theirs.values)
    assert torch.equal(ours.memories, theirs.memories)
    assert torch.equal(ours.next_values, theirs.next_values)


def test_foreign_state_is_refused():
    state = Collector(CueCorridor(5), make(CueCorridor(5)), 10, seed=2).state_dict()
    other = CueCorridor(4)
    with pytest.raises(ValueError, match=r"shape \(5"):
        Collector(other, make(other), 10, seed=2).load_state_dict(state)
    point = PointReach(5)
    with pytest.raises(ValueError, match="expected"):
        Collector(point, make(point), 10, seed=2).load_state_dict(state)


def test_chunks_must_divide():
    world = CueCorridor(2)
    with pytest.raises(ValueError, match="divide"):
        Collector(world, make(world), 10, seed=0, chunks=3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("make_world", WORLDS)
def test_graph_equals_eager(make_world):
    worlds = [make_world(64, device="cuda") for _ in range(2)]
    agent = make(worlds[0]).cuda()
    graphed, eager = (Collector(world, agent, 20, seed=3) for world in worlds)
    eager._graph = None
    for collector in (graphed, eager):
        collector.start(1)
    for _ in range(4):
        ours, exact = graphed.collect(), eager.collect()
        assert torch.equal(ours.actions, exact.actions)
        assert torch.equal(ours.rewards, exact.rewards)
        assert torch.allclose(ours.next_values, exact.next_values, atol=1e-3)
