"""The honest expert at work, and the proof that it is honest."""

from __future__ import annotations

import pytest
import torch
import warp as wp

from farlands.runtime.scripted import HonestExpert, XrayExpert
from farlands.worlds.voxel.blocks import BLOCK_ID, STONE
from farlands.worlds.voxel.expert.expert import Expert
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.world import VoxelWorld

from .conftest import OPTIONS, live


def test_it_makes_stone_pickaxes_from_what_it_is_shown():
    """Two side by side; then each stands still."""
    world = VoxelWorld(2, OPTIONS, num_shards=1)
    out = world.reset([777, 778])
    expert = HonestExpert(world.spec, OPTIONS, goal="stone_pickaxe")
    memory, first = expert.initial_memory(2), torch.ones(2, dtype=torch.bool)
    carried = world.spec.observation["inventory"].labels.index("stone_pickaxe")
    for _ in range(700):
        act = expert.act(out.observation, memory, first)
        out, first = world.step(act.action), torch.zeros(2, dtype=torch.bool)
        if (out.observation["inventory"][:, carried] > 0).all():
            break
    assert (out.observation["inventory"][:, carried] > 0).all()
    act = expert.act(out.observation, memory, first)
    world.step(act.action)
    assert expert.act(out.observation, memory, first).action.tolist() == [0, 0]
    world.close()


def test_observations_alone_decide_what_it_does(shown: VoxelWorld):
    """Shown the same observations again, with no world anywhere, another one does the same."""
    seen, done = live(shown, HonestExpert(shown.spec, OPTIONS), 11, 120)
    spec = shown.spec
    again = HonestExpert(spec, OPTIONS)
    memory = again.initial_memory(1)
    repeated = []
    for step, row in enumerate(seen):
        observation = {name: torch.from_numpy(value[None]) for name, value in row.items()}
        repeated.append(int(again.act(observation, memory, torch.tensor([step == 0])).action[0]))
    assert repeated == done
    assert len(set(done)) > 8


def test_what_it_has_not_seen_changes_nothing_it_does(shown: VoxelWorld):
    """All rock deep below turns to diamonds: it goes on as it did, while the other expert plans anew."""
    _, plain = live(shown, HonestExpert(shown.spec, OPTIONS), 12, 120)
    blocks, body = wp.to_torch(shown.state.blocks).view(64, 64, 64), wp.to_torch(shown.state.body)

    def enrich(step: int) -> None:
        depth = (int(body[Body.Z, 0]) >> 11) - 5
        if step == 0:
            deep = blocks[..., :depth]
            deep[deep == STONE] = BLOCK_ID["diamond_ore"]

    _, rich = live(shown, HonestExpert(shown.spec, OPTIONS), 12, 120, enrich)
    assert rich == plain
    shown.reset([12])
    with_rock = _plan_cost(shown)
    enrich(0)
    assert _plan_cost(shown) != with_rock


def _plan_cost(world: VoxelWorld) -> dict[str, float]:
    return Expert(world)._block_ticks()


def test_senses_it_needs_are_asked_for():
    world = VoxelWorld(1, VoxelOptions())
    with pytest.raises(ValueError, match="position, depth, segmentation"):
        HonestExpert(world.spec)
    world.close()
    factored = VoxelWorld(1, VoxelOptions(actions="factored", senses=OPTIONS.senses))
    with pytest.raises(ValueError, match="flat"):
        HonestExpert(factored.spec)
    factored.close()


def test_the_expert_that_sees_everything_must_be_shown_the_world(shown: VoxelWorld):
    expert = XrayExpert(shown.spec, OPTIONS)
    memory, first = expert.initial_memory(1), torch.ones(1, dtype=torch.bool)
    out = shown.reset([1])
    with pytest.raises(ValueError, match="honest-expert"):
        expert.act(out.observation, memory, first)
    expert.attend(shown)
    memory = expert.initial_memory(1)
    assert 0 <= int(expert.act(out.observation, memory, first).action[0]) < shown.spec.action.n


def test_second_episodes_are_not_played(shown: VoxelWorld):
    expert = HonestExpert(shown.spec, OPTIONS)
    out = shown.reset([2])
    memory = expert.initial_memory(1)
    first, later = torch.ones(1, dtype=torch.bool), torch.zeros(1, dtype=torch.bool)
    assert int(expert.act(out.observation, memory, first).action[0]) != 0
    assert [int(expert.act(out.observation, memory, each).action[0]) for each in (first, later, later)] == [0, 0, 0]
    expert.initial_memory(1)
    assert int(expert.act(out.observation, memory, first).action[0]) != 0


@pytest.mark.slow
def test_it_makes_diamond_pickaxes(shown: VoxelWorld):
    """Most of a few unseen levels."""
    made = 0
    for seed in range(2_000, 2_006):
        expert = HonestExpert(shown.spec, OPTIONS)
        shown.drain_episodes()
        live(shown, expert, seed, OPTIONS.horizon)
        made += shown.drain_episodes().cause.tolist() == ["goal"]
    assert made >= 4
