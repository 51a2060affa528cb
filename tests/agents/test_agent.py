import pytest
import torch

from farlands.agents import AgentConfig, make_agent
from farlands.agents.agent import Agent
from farlands.agents.baselines import RandomAgent, ZeroAgent
from farlands.worlds.reference import Combination, CueCorridor, PointReach

WORLDS = [CueCorridor, Combination, PointReach]
CONFIGS = [AgentConfig(hidden=16), AgentConfig(hidden=16, memory_layers=2), AgentConfig(hidden=16, memory="none")]


def live(world, steps: int):
    """Observations [T, R, ...] and first [T, R] of a random agent's life."""
    storage, agent = world.allocate(steps), RandomAgent(world.spec)
    world.reset(3, out=storage[0])
    first = torch.ones(steps, world.num_rows, dtype=torch.bool)
    for t in range(steps - 1):
        noise = torch.rand(world.num_rows, agent.noise_size)
        act = agent.act(storage[t].observation, agent.initial_memory(world.num_rows), first[t], noise)
        world.step(act.action, out=storage[t + 1])
        first[t + 1] = storage.terminated[t + 1] | storage.truncated[t + 1]
    return storage.observation, first


@pytest.mark.parametrize("make_world", WORLDS)
@pytest.mark.parametrize("config", CONFIGS, ids=["one", "two", "none"])
def test_unroll_equals_acting_step_by_step(make_world, config):
    torch.manual_seed(0)
    world = make_world(6)
    agent = make_agent(world.spec, config, value_heads=2)
    observations, first = live(world, 40)
    assert first[1:].any()
    memory = start = torch.randn(6, agent.memory_size)
    first[0, ::2] = False
    with torch.no_grad():
        output = agent.unroll(observations, start, first)
        for t in range(40):
            now = {key: value[t] for key, value in observations.items()}
            act = agent.act(now, memory, first[t], torch.rand(6, agent.noise_size))
            memory = act.memory
            assert torch.allclose(act.value, output.value[t], atol=1e-5)
            assert torch.allclose(
                act.log_prob, output.distribution.log_prob(act.action.expand(40, *act.action.shape))[t], atol=1e-5
            )
    assert act.value.shape == (6, 2)
    assert torch.allclose(memory, output.memory, atol=1e-5)


@pytest.mark.parametrize("make_world", [CueCorridor, Combination])
@pytest.mark.parametrize("make", [RandomAgent, make_agent])
def test_impossible_actions_are_never_sampled(make_world, make):
    world = make_world(64)
    agent, step = make(world.spec), world.reset(0)
    memory, first = agent.initial_memory(64), torch.ones(64, dtype=torch.bool)
    taken = set()
    with torch.no_grad():
        for _ in range(60):
            mask = step.observation["action_mask"].clone()
            act = agent.act(step.observation, memory, first, torch.rand(64, agent.noise_size))
            choices = act.action if act.action.ndim == 2 else act.action[:, None]
            offset = 0
            for k, n in enumerate(getattr(world, "DIALS", (4,))):
                picked = choices[:, k].long()
                assert mask[:, offset : offset + n].gather(1, picked[:, None]).all()
                taken |= {(k, one) for one in picked.tolist()}
                offset += n
            memory, step = act.memory, world.step(act.action)
            first = step.terminated | step.truncated
    assert len(taken) == world.spec.observation["action_mask"].shape[0]


@pytest.mark.parametrize("make_world", WORLDS)
def test_baselines_act_as_agents_do(make_world):
    world = make_world(500)
    observation, first = world.reset(1).observation, torch.ones(500, dtype=torch.bool)
    for agent in (RandomAgent(world.spec), ZeroAgent(world.spec)):
        act = agent.act(observation, agent.initial_memory(500), first, torch.rand(500, agent.noise_size))
        learned = make_agent(world.spec).act(observation, torch.zeros(500, 128), first)
        assert act.action.shape == learned.action.shape
        assert act.action.dtype == learned.action.dtype
        assert act.value.shape == (500, 1)
    assert not act.action.any()


def test_random_agent_is_uniform_over_the_box():
    world = PointReach(20_000)
    agent = RandomAgent(world.spec)
    act = agent.act({}, agent.initial_memory(20_000), torch.zeros(20_000, dtype=torch.bool), torch.rand(20_000, 2))
    assert act.action.min() > -1
    assert act.action.max() < 1
    assert torch.allclose(act.action.mean(0), torch.zeros(2), atol=0.02)
    assert torch.allclose(act.action.var(0), torch.full((2,), 1 / 3), atol=0.01)
    assert torch.allclose(act.log_prob.exp(), torch.tensor(0.25))


def test_modules_are_separable():
    spec = CueCorridor(1).spec
    names = {name.split(".")[0] for name, _ in make_agent(spec).named_parameters()}
    assert names == {"perception", "memory", "heads"}
    one, other = make_agent(spec), make_agent(spec)
    one.perception.load_state_dict(other.perception.state_dict())
    assert torch.equal(one.perception.weight, other.perception.weight)


def test_users_network():
    class Wide(Agent):
        def __init__(self, spec, config, value_heads):
            super().__init__(spec, config, value_heads)
            self.perception.trunk.append(torch.nn.Linear(config.hidden, config.hidden))

    spec = CueCorridor(1).spec
    agent = make_agent(spec, AgentConfig(hidden=8, network="mine.py:Wide"), 3, resolve={"mine.py:Wide": Wide}.get)
    assert isinstance(agent, Wide)
    assert agent.value_heads == 3
    with pytest.raises(TypeError, match="must be a subclass"):
        make_agent(spec, AgentConfig(network="x:y"), resolve=lambda name: int)
    with pytest.raises(ValueError, match="resolver"):
        make_agent(spec, AgentConfig(network="x:y"))


@pytest.mark.parametrize("field", ["hidden", "memory_layers", "patch", "memory_span"])
def test_config_refuses_the_impossible(field):
    with pytest.raises(ValueError, match=f"{field} is 0"):
        AgentConfig(**{field: 0})
