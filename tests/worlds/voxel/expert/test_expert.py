"""The expert at work on levels that are not recorded."""

from __future__ import annotations

import pytest
import torch

from farlands.worlds.voxel.expert.expert import Expert
from farlands.worlds.voxel.expert.planner import PlanError
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld


def _play(world: VoxelWorld, experts: list[Expert], limit: int) -> list[bool | None]:
    """Experts side by side, one a world; what each returned."""
    runs = [expert.actions() for expert in experts]
    results: list[bool | None] = [None] * len(runs)
    for _ in range(limit):
        actions = torch.zeros(len(runs), dtype=torch.int32)
        for k, run in enumerate(runs):
            if results[k] is None:
                try:
                    actions[k] = next(run)
                except StopIteration as end:
                    results[k] = end.value
        if None not in results:
            break
        world.step(actions)
    return results


def test_experts_make_stone_pickaxes_side_by_side():
    world = VoxelWorld(3, VoxelOptions(), num_shards=1)
    world.reset([777, 778, 779])
    assert _play(world, [Expert(world, k, "stone_pickaxe") for k in range(3)], limit=1200) == [True] * 3
    assert world.drain_episodes().cause.tolist() == []


def test_what_is_carried_already_needs_no_action():
    world = VoxelWorld(1, VoxelOptions(start_kit=("torch",)))
    world.reset([1])
    assert _play(world, [Expert(world, goal="torch")], limit=1) == [True]


def test_a_goal_out_of_the_question_is_refused():
    world = VoxelWorld(1, VoxelOptions())
    world.reset([1])
    with pytest.raises(PlanError, match="bed"):
        next(Expert(world, goal="bed").actions())


def test_other_action_spaces_are_refused():
    with pytest.raises(ValueError, match="flat"):
        Expert(VoxelWorld(1, VoxelOptions(actions="factored")))
