"""Replays: what was lived is lived again, bit for bit, and drawn at any size."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.replays import EVERY, Recorder, Replay
from farlands.worlds.voxel.world import VoxelWorld

from .test_saves import OPTIONS, busy_actions


def record(options: VoxelOptions, steps: int, *, late: int = 0) -> tuple[Replay, VoxelWorld, list[torch.Tensor]]:
    """A replay of world 1 of three, the batch after it, and what that world saw before each step."""
    world = VoxelWorld(3, options, num_shards=1)
    step = world.reset([21, 22, 23])
    lead, actions = busy_actions(late, 3, seed=3), busy_actions(steps, 3, seed=4)
    for chosen in lead:
        step = world.step(chosen)
    recorder = Recorder(world, 1, seed=None if late else 22)
    seen = []
    for chosen in actions:
        seen.append(step.observation["vitals"][1].clone())
        recorder.note(chosen)
        step = world.step(chosen)
    return recorder.finish(), world, seen


@pytest.mark.parametrize("late", [0, 130])
def test_a_replay_leads_where_the_world_went(tmp_path, late):
    replay, world, seen = record(OPTIONS, 2 * EVERY + 30, late=late)
    path = tmp_path / "episode.replay"
    replay.write(path)
    again = Replay.read(path)
    assert again.hash_steps.tolist() == [0, EVERY, 2 * EVERY]
    assert (again.start is None) == (late == 0)
    for t, one in enumerate(again.play()):
        if t < len(seen):
            assert one.snapshot()["body"].shape[0] == 1
            assert torch.equal(one.observe(one.allocate()).observation["vitals"][0], seen[t])
        else:
            assert one.state_hash()[0] == world.state_hash()[1]
    assert t == len(again)


def test_it_goes_through_the_ends_of_episodes():
    options = dataclasses.replace(OPTIONS, horizon=40)
    replay, world, _ = record(options, 130)
    for one in replay.play():
        last = one.state_hash()[0]
    assert last == world.state_hash()[1]


def test_it_is_drawn_at_any_size_though_nothing_was_drawn():
    replay, _, _ = record(OPTIONS, 12)
    pictures = [one.render([0], 24, 40)[0] for one in replay.play()]
    assert len(pictures) == 13
    assert pictures[0].shape == (24, 40, 3)
    assert len({picture.numpy().tobytes() for picture in pictures}) > 3


def test_another_path_is_noticed_at_the_next_hash():
    replay, _, _ = record(OPTIONS, 2 * EVERY + 5)
    actions = replay.actions.copy()
    actions[10] = FLAT_ACTION_ID["turn_left"]
    with pytest.raises(ValueError, match=f"another way than was recorded, before step {EVERY + 1}"):
        list(dataclasses.replace(replay, actions=actions).play())


def test_factored_actions_are_kept_whole(tmp_path):
    options = VoxelOptions(window=32, actions="factored")
    world = VoxelWorld(2, options, num_shards=1)
    world.reset([5, 6])
    recorder = Recorder(world, 0, seed=5)
    generator = torch.Generator().manual_seed(0)
    sizes = torch.tensor(world.spec.action.nvec)
    for _ in range(30):
        actions = (torch.rand(2, 5, generator=generator) * sizes).to(torch.int32)
        recorder.note(actions)
        world.step(actions)
    replay = recorder.finish()
    assert replay.actions.shape == (30, 5)
    replay.write(tmp_path / "a.replay")
    for one in Replay.read(tmp_path / "a.replay").play():
        last = one.state_hash()[0]
    assert last == world.state_hash()[0]


def test_what_cannot_be_is_refused_in_one_line(tmp_path):
    replay, world, _ = record(OPTIONS, 3)
    with pytest.raises(ValueError, match="no step was noted"):
        Recorder(world, 0).finish()
    path = tmp_path / "a.replay"
    replay.write(path)
    with pytest.raises(ValueError, match="exists already"):
        replay.write(path)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match="torn or no replay"):
        Replay.read(path)
    other = dataclasses.replace(replay, options=dataclasses.replace(OPTIONS, mining_speed=3))
    with pytest.raises(ValueError, match="record it again"):
        next(other.play())
    assert np.array_equal(replay.actions, record(OPTIONS, 3)[0].actions)
