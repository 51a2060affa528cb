"""The policy that comes with Farlands: it fits the default world, knows what it is doing, and refuses other worlds."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from farlands.agents import AgentConfig, make_agent
from farlands.agents.noise import uniforms
from farlands.agents.pretrained import POLICIES, describe_interface, pretrained, read_policy, write_policy
from farlands.worlds.reference import CueCorridor
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.spec import world_spec
from farlands.worlds.voxel.world import VoxelWorld

LIMIT = 5_000_000


def test_it_is_small_and_says_where_it_came_from():
    path = POLICIES / "voxel.safetensors"
    assert path.stat().st_size < LIMIT
    _, facts = read_policy(path)
    assert facts["origin"]["recipe"] == "voxel-symbols"
    assert facts["origin"]["achievements"]["make_stone_pickaxe"] > 0.9
    assert facts["rules"] == world_spec(VoxelOptions(task="tools", horizon=2_000, stagger=True)).rules


def test_it_makes_pickaxes():
    world = VoxelWorld(32, VoxelOptions(task="tools", horizon=600))
    agent = pretrained(world.spec)
    here, there = world.reset(5), world.allocate()
    memory, first = agent.initial_memory(32), torch.ones(32, dtype=torch.bool)
    for tick in range(600):
        noise = uniforms(5, torch.arange(32), torch.tensor(tick), agent.noise_size)
        with torch.no_grad():
            act = agent.act(here.observation, memory, first, noise)
        here, there = world.step(act.action, out=there), here
        memory, first = act.memory, here.terminated | here.truncated
    episodes = world.drain_episodes()
    made = {
        name: float((episodes.achievements[:, world.spec.achievements.index(name)] > 0).mean())
        for name in ("make_wooden_pickaxe", "make_stone_pickaxe")
    }
    assert made["make_wooden_pickaxe"] > 0.8, made
    assert made["make_stone_pickaxe"] > 0.4, made


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (world_spec(VoxelOptions(cube=(3, 7, 7))), "observations other than those of voxel-survive"),
        (world_spec(VoxelOptions(actions="factored")), "trained with"),
        (CueCorridor(1).spec, "observations other than those of"),
    ],
)
def test_worlds_it_was_not_trained_for_are_refused(spec, said):
    with pytest.raises(ValueError, match=said):
        pretrained(spec)


def test_names_of_ids_belong_to_the_interface():
    spec = world_spec(VoxelOptions())
    array = spec.observation["equipment"]
    renamed = dataclasses.replace(array, categories=(*array.categories[1:], "other"))
    other = dataclasses.replace(spec, observation={**spec.observation, "equipment": renamed})
    ours, theirs = describe_interface(spec)["observations"], describe_interface(other)["observations"]
    assert {key for key in ours if ours[key] != theirs[key]} == {"equipment"}


def test_a_policy_comes_back_as_written(tmp_path):
    torch.manual_seed(1)
    spec, config = CueCorridor(1).spec, AgentConfig(hidden=16)
    agent, path = make_agent(spec, config, 2), tmp_path / "mine.safetensors"
    write_policy(path, agent, config, spec, {"by": "me"})
    tensors, facts = read_policy(path)
    assert facts["origin"] == {"by": "me"}
    assert facts["value_heads"] == 2
    assert all(torch.equal(tensors[name], value) for name, value in agent.state_dict().items())


def test_what_is_no_policy_is_refused_in_one_line(tmp_path):
    with pytest.raises(ValueError, match="no policy named 'chess'"):
        pretrained(CueCorridor(1).spec, "chess")
    path = tmp_path / "torn.safetensors"
    for content in (b"", b"nonsense", (POLICIES / "voxel.safetensors").read_bytes()[:5000]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a policy"):
            read_policy(path)
