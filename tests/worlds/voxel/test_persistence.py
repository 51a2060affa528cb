"""Snapshot, restore, state dictionaries: nothing is missing, nothing else is touched."""

from __future__ import annotations

import pytest
import torch

from farlands.worlds.voxel.actions import FLAT_ACTIONS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

OPTIONS = VoxelOptions(window=32, horizon=30, start_kit=("oak_log:5", "cobblestone:12"), mining_speed=4)
W = 6


def actions(t: int, worlds: int = W) -> torch.Tensor:
    generator = torch.Generator().manual_seed(t)
    return torch.randint(0, len(FLAT_ACTIONS), (worlds,), generator=generator, dtype=torch.int32)


def played(steps: int = 20, seed: int = 0) -> VoxelWorld:
    world = VoxelWorld(W, OPTIONS)
    world.reset(seed)
    for t in range(steps):
        world.step(actions(t))
    return world


def future(world: VoxelWorld, begin: int, steps: int = 25) -> list:
    """What a world does next: hashes, rewards, flags, observations."""
    seen = []
    for t in range(begin, begin + steps):
        step = world.step(actions(t))
        seen.append((world.state_hash(), step))
    return seen


def assert_same_future(a: list, b: list) -> None:
    for t, ((hash_a, step_a), (hash_b, step_b)) in enumerate(zip(a, b, strict=True)):
        assert torch.equal(hash_a, hash_b), t
        assert torch.equal(step_a.reward, step_b.reward)
        assert torch.equal(step_a.truncated, step_b.truncated)
        for name, value in step_a.observation.items():
            assert torch.equal(value, step_b.observation[name]), (t, name)


def test_a_snapshot_restores_the_whole_future_across_an_episodes_end():
    world = played()
    saved = world.snapshot()
    expected = future(world, 20)
    other = played(7, seed=99)
    other.restore(saved)
    assert_same_future(future(other, 20), expected)


def test_a_snapshot_is_a_copy():
    world = played()
    saved = world.snapshot()
    kept = {name: value.clone() for name, value in saved.items()}
    future(world, 20)
    assert all(torch.equal(saved[name], kept[name]) for name in saved)


@pytest.mark.parametrize(("source", "target"), [([1, 4], [1, 4]), ([0], [5]), ([2, 3, 0], [0, 1, 2]), ([5, 5], [1, 2])])
def test_restoring_some_worlds_leaves_the_others_alone(source, target):
    world = played()
    saved = world.snapshot(source)
    for t in range(20, 24):
        world.step(actions(t))
    hashes = world.state_hash()
    saved_hashes = played().state_hash()
    world.restore(saved, target)
    after = world.state_hash().tolist()
    expected = hashes.tolist()
    for s, t in zip(source, target, strict=True):
        expected[t] = int(saved_hashes[s])
    assert after == expected


def test_a_restored_world_observes_what_it_saw():
    world = played()
    saved, seen = world.snapshot(), world.observe(world.allocate())
    future(world, 20)
    world.restore(saved)
    again = world.observe(world.allocate())
    for name, value in seen.observation.items():
        assert torch.equal(value, again.observation[name]), name
    assert float(again.reward.abs().sum()) == 0.0


def test_a_state_dict_keeps_undrained_episodes():
    world = played(40)
    state = world.state_dict()
    expected = future(world, 40)
    episodes = world.drain_episodes()
    other = VoxelWorld(W, OPTIONS)
    other.load_state_dict(state)
    assert_same_future(future(other, 40), expected)
    restored = other.drain_episodes()
    assert len(episodes) > 0
    for name in ("row", "seed", "length", "reward", "achievements", "cause"):
        assert (getattr(episodes, name) == getattr(restored, name)).all(), name


@pytest.mark.parametrize("shards", [2, 3])
def test_a_state_dict_loads_at_another_number_of_threads(shards):
    world = played(40)
    state = world.state_dict()
    expected = world.drain_episodes()
    other = VoxelWorld(W, OPTIONS, num_shards=shards)
    other.load_state_dict(state)
    restored = other.drain_episodes()
    assert len(expected) > 0
    for name in ("row", "seed", "length", "reward", "achievements", "cause"):
        assert (getattr(restored, name) == getattr(expected, name)).all(), name


def broken(state: dict[str, torch.Tensor], how: str) -> dict[str, torch.Tensor]:
    state = dict(state)
    if how == "missing":
        del state["body"]
    elif how == "shape":
        state["blocks"] = state["blocks"][:, :-1]
    elif how == "dtype":
        state["counts"] = state["counts"].to(torch.int32)
    else:
        state = {name: value[:-1] for name, value in state.items()}
    return state


@pytest.mark.parametrize("how", ["missing", "shape", "dtype", "worlds"])
def test_snapshots_that_do_not_fit_are_refused_and_change_nothing(how):
    world = played()
    before = world.state_hash()
    with pytest.raises(ValueError, match=r"snapshot: ") as error:
        world.restore(broken(world.snapshot(), how))
    assert "\n" not in str(error.value)
    assert torch.equal(world.state_hash(), before)


@pytest.mark.parametrize("how", ["missing", "shape", "dtype"])
def test_state_dicts_that_do_not_fit_are_refused_and_change_nothing(how):
    world = played()
    before = world.state_hash()
    with pytest.raises(ValueError, match=r"world state: ") as error:
        world.load_state_dict(broken(world.state_dict(), how))
    assert "\n" not in str(error.value)
    assert torch.equal(world.state_hash(), before)


@pytest.mark.parametrize("name", ["episode_rows", "episode_dropped", "episode_time"])
def test_a_state_dict_without_its_log_is_refused(name):
    world = played()
    state = world.state_dict()
    del state[name]
    with pytest.raises(ValueError, match=name):
        world.load_state_dict(state)


@pytest.mark.parametrize("worlds", [[6], [-1], [0, 99]])
def test_worlds_that_are_not_there_are_refused(worlds):
    with pytest.raises(ValueError, match="out of range: 0 to 5"):
        played(1).snapshot(worlds)
