"""Worlds of several agents with everything on: the same in any batch and shards, saved, restored and played again."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import FLAT_ACTIONS, Hand
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.options import SYMBOLS, VoxelOptions
from farlands.worlds.voxel.persistence.replays import Recorder, Replay
from farlands.worlds.voxel.persistence.saves import Save
from farlands.worlds.voxel.state import Body, Clock, persistent_arrays
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Step

A, STEPS = 3, 60
SEEDS = [3, 2**63 + 11, 5, 0]
KIT = (
    "oak_log:8", "cobblestone:20", "torch:3", "furnace", "crafting_table", "coal:4", "bread:2", "iron_sword", "bow",
    "arrow:20", "water_bucket", "lava_bucket", "tnt:3", "flint_and_steel", "diamond:4",
)  # fmt: skip
OPTIONS = VoxelOptions(
    agents=A, start_kit=KIT, horizon=45, start_time=15_000, spawn_rate=2.0, mining_speed=5, window=32,
    senses=(*SYMBOLS, "depth"), width=8, height=8,
)  # fmt: skip


def actions_of(seed: int, steps: int = STEPS, agents: int = A) -> np.ndarray:
    """int32 ``[steps, agents]``, a function of the world's seed alone; attacks, uses and choices often."""
    generator = np.random.default_rng(seed % 2**32)
    weights = np.array([6.0 if a.hand in (Hand.ATTACK, Hand.USE) else 0.5 if a.choice else 1.5 for a in FLAT_ACTIONS])
    return generator.choice(len(FLAT_ACTIONS), (steps, agents), p=weights / weights.sum()).astype(np.int32)


def gather(world: VoxelWorld) -> None:
    """Stand the others before the first agent, who has a sword and may kill one; another burns to death."""
    body, slots = wp.to_torch(world.state.body), wp.to_torch(world.state.slot_item)
    for row in range(world.num_rows):
        first, agent = row - row % A, row % A
        if agent:
            body[Body.X : Body.Z + 1, row] = body[Body.X : Body.Z + 1, first]
            body[Body.Y, row] += (2 * agent - 3) * 3_000
            body[Body.HEALTH, row] = agent
        body[Body.YAW, row] = 0 if agent == 0 else 12
        body[Body.HAND, row] = slots[row].tolist().index(ITEM_ID["iron_sword"])
        body[Body.FIRE, row] = 100 if agent == 2 else 0


def rollout(world: VoxelWorld, seeds: list[int], steps: int = STEPS) -> tuple[torch.Tensor, list[Step]]:
    """Hashes int64 ``[steps + 1, W]`` and copies of every step."""
    seen = [world.reset(seeds)]
    gather(world)
    hashes = [world.state_hash()]
    actions = np.concatenate([actions_of(seed, steps) for seed in seeds], axis=1)
    for t in range(steps):
        seen.append(world.step(torch.from_numpy(actions[t].copy())))
        hashes.append(world.state_hash())
    return torch.stack(hashes), seen


def rows_of(worlds: list[int]) -> list[int]:
    return [w * A + agent for w in worlds for agent in range(A)]


def assert_same(found: tuple, expected: tuple, worlds: list[int]) -> None:
    """What a batch lived is what those worlds of another batch lived."""
    assert torch.equal(found[0], expected[0][:, worlds])
    rows = rows_of(worlds)
    for t, (mine, theirs) in enumerate(zip(found[1], expected[1], strict=True)):
        for name in ("reward", "terminated", "truncated"):
            assert torch.equal(getattr(mine, name), getattr(theirs, name)[rows]), (t, name)
        for name, value in mine.observation.items():
            assert torch.equal(value, theirs.observation[name][rows]), (t, name)


@pytest.fixture(scope="module", params=[True, False], ids=["respawn", "gone"])
def lived(request):
    options = dataclasses.replace(OPTIONS, respawn=request.param)
    world = VoxelWorld(4, options, num_shards=1)
    result = rollout(world, SEEDS)
    return options, result, world.drain_episodes()


def test_the_batch_lived_through_something(lived):
    """So that the comparisons below compare deaths, drops, hits and new levels."""
    options, (hashes, _), episodes = lived
    assert len(set(hashes.flatten().tolist())) == hashes.numel()
    assert {"horizon", "fire", "agent"} <= set(episodes.cause)
    world = VoxelWorld(4, options)
    lay = 0
    world.reset(SEEDS)
    gather(world)
    actions = np.concatenate([actions_of(seed) for seed in SEEDS], axis=1)
    for t in range(40):
        world.step(torch.from_numpy(actions[t].copy()))
        lay = max(lay, int(world.snapshot()["clock"][:, Clock.LYING].max()))
    assert lay > 5


@pytest.mark.parametrize("worlds", [[0], [3], [2, 0]])
def test_a_world_lives_the_same_alone_and_among_others(lived, worlds):
    options, expected, _ = lived
    world = VoxelWorld(len(worlds), options, num_shards=1)
    assert_same(rollout(world, [SEEDS[w] for w in worlds]), expected, worlds)


@pytest.mark.parametrize("shards", [2, 4])
def test_threads_change_nothing(lived, shards):
    options, expected, episodes = lived
    world = VoxelWorld(4, options, num_shards=shards)
    assert_same(rollout(world, SEEDS), expected, [0, 1, 2, 3])
    found = world.drain_episodes()
    for name in ("row", "seed", "length", "reward", "achievements", "cause"):
        assert (getattr(found, name) == getattr(episodes, name)).all(), name


def test_every_element_handed_out_is_written(lived):
    options, expected, _ = lived
    world, actions = VoxelWorld(4, options), np.concatenate([actions_of(seed) for seed in SEEDS], axis=1)
    out = world.allocate()
    world.reset(SEEDS)
    gather(world)
    for t in range(STEPS):
        for value in out.observation.values():
            value.fill_(torch.iinfo(value.dtype).max)
        out.reward.fill_(torch.nan)
        out.terminated.fill_(True)
        out.truncated.fill_(True)
        world.step(torch.from_numpy(actions[t].copy()), out)
        assert_same((expected[0], [out]), (expected[0], [expected[1][t + 1]]), [0, 1, 2, 3])


def test_the_first_agent_alone_lives_in_the_same_land():
    """One agent and several begin on the same land, at the same place."""
    alone, shared = VoxelWorld(2, VoxelOptions(window=32)), VoxelWorld(2, VoxelOptions(window=32, agents=5))
    for world in (alone, shared):
        world.reset([4, 9])
    one, many = alone.snapshot(), shared.snapshot()
    for name in ("blocks", "tops", "creatures"):
        assert torch.equal(one[name], many[name]), name
    place = [Body.X, Body.Y, Body.Z, Body.YAW]
    assert torch.equal(one["body"][:, place], many["body"][:, 0, place])


def later(world: VoxelWorld, steps: int = 25) -> torch.Tensor:
    actions = np.concatenate([actions_of(100 + w, steps) for w in range(world.num_worlds)], axis=1)
    hashes = []
    for t in range(steps):
        world.step(torch.from_numpy(actions[t].copy()))
        hashes.append(world.state_hash())
    return torch.stack(hashes)


def played(options: VoxelOptions, steps: int = 30) -> VoxelWorld:
    world = VoxelWorld(4, options)
    rollout(world, SEEDS, steps)
    return world


def test_a_snapshot_restores_the_whole_future(lived):
    world = played(lived[0])
    saved, expected = world.snapshot(), later(played(lived[0]))
    assert saved["body"].shape[:2] == (4, A)
    other = VoxelWorld(4, lived[0])
    other.reset(99)
    other.restore(saved)
    assert torch.equal(later(other), expected)


@pytest.mark.parametrize(("source", "target"), [([1, 3], [1, 3]), ([0], [3]), ([2, 3, 0], [0, 1, 2])])
def test_restoring_some_worlds_leaves_the_others_alone(lived, source, target):
    world = played(lived[0])
    saved, saved_hashes = world.snapshot(source), world.state_hash(source)
    later(world, 7)
    before = {name: value.clone() for name, value in world.state_dict().items()}
    expected = world.state_hash()
    world.restore(saved, target)
    expected[target] = saved_hashes
    assert torch.equal(world.state_hash(), expected)
    others = [w for w in range(4) if w not in target]
    for array in persistent_arrays(32, 2_048, A):
        now = world.state_dict()[array.name].movedim(array.batch_axis, 0)
        then = before[array.name].movedim(array.batch_axis, 0)
        chosen = rows_of(others) if array.per_row else others
        assert torch.equal(now[chosen], then[chosen]), array.name


def test_a_state_dict_restores_the_whole_future_and_the_log(lived):
    world = played(lived[0], 50)
    state = world.state_dict()
    expected, episodes = later(world), world.drain_episodes()
    other = VoxelWorld(4, lived[0], num_shards=2)
    other.load_state_dict(state)
    assert torch.equal(later(other), expected)
    found = other.drain_episodes()
    assert len(episodes) > 0
    for name in ("row", "length", "reward", "cause"):
        assert (getattr(found, name) == getattr(episodes, name)).all(), name


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_hash_sees_every_element_of_every_agent(data):
    if not _hashed:
        _hashed.append(VoxelWorld(3, VoxelOptions(window=32, agents=A)))
        _hashed[0].reset(5)
    world = _hashed[0]
    array = data.draw(st.sampled_from([a for a in persistent_arrays(32, 2_048, A) if a.per_row or a.name == "lying"]))
    tensor, before = world.store.by_world(array), world.state_hash()
    w = data.draw(st.integers(0, 2))
    place = (w, *(data.draw(st.integers(0, size - 1)) for size in tensor.shape[1:]))
    old = int(tensor[place])
    try:
        tensor[place] = 1 - old if old in (0, 1) else 0
        after = world.state_hash()
    finally:
        tensor[place] = old
    assert (after != before).tolist() == [k == w for k in range(3)], (array.name, place)


_hashed: list[VoxelWorld] = []


def test_a_save_is_the_world_and_tells_of_every_agent(lived, tmp_path):
    world = played(lived[0])
    Save.of(world, 2).write(tmp_path / "a.save")
    save = Save.read(tmp_path / "a.save")
    assert save.options == lived[0]
    about = save.describe()
    assert [f"agent {k} health" in about for k in range(A + 1)] == [True] * A + [False]
    expected = world.state_hash()[2]
    later(world, 5)
    save.put(world, 1)
    assert world.state_hash()[1] == expected
    with pytest.raises(ValueError, match="rules"):
        save.put(VoxelWorld(1, dataclasses.replace(lived[0], agents=2)))


@pytest.mark.parametrize("actions", ["flat", "factored"])
def test_a_replay_of_several_agents_plays_again_as_it_was(tmp_path, actions):
    options = dataclasses.replace(OPTIONS, actions=actions)
    world = VoxelWorld(3, options)
    world.reset([7, 8, 9])
    recorder = Recorder(world, 1, seed=8)
    generator = np.random.default_rng(0)
    sizes = [len(FLAT_ACTIONS)] if actions == "flat" else list(world.spec.action.nvec)
    for _ in range(60):
        chosen = torch.from_numpy(np.stack([generator.integers(0, n, 3 * A) for n in sizes], 1)).int()
        chosen = chosen[:, 0] if actions == "flat" else chosen
        recorder.note(chosen)
        world.step(chosen)
    recorder.finish().write(tmp_path / "a.replay")
    replay = Replay.read(tmp_path / "a.replay")
    assert replay.actions.shape == ((60, A) if actions == "flat" else (60, A, 5))
    last = [again.state_hash()[0] for again in replay.play()][-1]
    assert last == world.state_hash()[1]
    with pytest.raises(ValueError, match="actions of shape"):
        list(dataclasses.replace(replay, actions=replay.actions[:, :2]).play())


def test_pictures_are_of_every_agent():
    world = VoxelWorld(3, VoxelOptions(window=32, agents=2))
    world.reset(0)
    pictures = world.render([2, 0], 24, 32)
    assert pictures.shape == (4, 24, 32, 3)
    everyone = world.render([0, 1, 2], 24, 32)
    firsts = world.render([2, 0], 24, 32, first_only=True)
    assert torch.equal(firsts, pictures[:: world.num_agents])
    assert torch.equal(pictures, everyone[[4, 5, 0, 1]])
    assert all(int(picture.max()) > 0 for picture in pictures)
    assert not torch.equal(everyone[0], everyone[1])
