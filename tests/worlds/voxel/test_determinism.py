"""The same seeds and actions lead to the same worlds, whatever the batch, the order, the threads, the launching."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import FLAT_ACTIONS, Hand
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import Clock, VoxelState, persistent_arrays
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Step

SEEDS = [3, 2**63 + 11, 5, 0, 2**64 - 1, 77, 123456789]
STEPS = 40
KIT = (
    "oak_log:8", "cobblestone:20", "torch:3", "crafting_table", "furnace", "iron_ore:3", "coal:2",
    "water_bucket", "water_bucket", "lava_bucket", "tnt:9", "flint_and_steel", "wooden_hoe", "wheat_seeds:9",
)  # fmt: skip
OPTIONS = VoxelOptions(start_kit=KIT, horizon=25, mining_speed=5)
"""A horizon below the number of steps, so that every comparison crosses regenerated worlds."""


def actions_of(seed: int, steps: int = STEPS) -> np.ndarray:
    """int32 ``[steps]`` flat actions, a function of the world's seed alone; attacks and choices often."""
    generator = np.random.default_rng(seed % 2**32)
    weights = np.array([6.0 if a.hand == Hand.ATTACK else 0.6 if a.choice else 1.5 for a in FLAT_ACTIONS])
    return generator.choice(len(FLAT_ACTIONS), steps, p=weights / weights.sum()).astype(np.int32)


def rollout(world: VoxelWorld, seeds: list[int], steps: int = STEPS) -> tuple[torch.Tensor, list[Step]]:
    """Hashes int64 ``[steps + 1, W]`` and copies of every step."""
    actions = torch.from_numpy(np.stack([actions_of(seed, steps) for seed in seeds], axis=1))
    out = [world.reset(seeds)]
    hashes = [world.state_hash()]
    for t in range(steps):
        out.append(world.step(actions[t].clone()))
        hashes.append(world.state_hash())
    return torch.stack(hashes), out


@pytest.fixture(scope="module")
def stirred() -> torch.Tensor:
    """bool ``[Clock]``: which rows of the clock were ever set in these runs."""
    world = VoxelWorld(7, OPTIONS)
    actions = torch.from_numpy(np.stack([actions_of(seed) for seed in SEEDS], axis=1))
    world.reset(SEEDS)
    seen = torch.zeros(len(Clock), dtype=torch.bool)
    for t in range(STEPS):
        world.step(actions[t].clone())
        seen |= (world.snapshot()["clock"] != 0).any(0)
    return seen


def assert_same_steps(ours: list[Step], theirs: list[Step], rows: list[int]) -> None:
    for t, (a, b) in enumerate(zip(ours, theirs, strict=True)):
        for name, value in a.observation.items():
            assert torch.equal(value, b.observation[name][rows]), (t, name)
        for name in ("reward", "terminated", "truncated"):
            assert torch.equal(getattr(a, name), getattr(b, name)[rows]), (t, name)


@pytest.fixture(scope="module")
def alone() -> tuple[torch.Tensor, list[Step]]:
    """Every seed in a world of its own: hashes ``[steps + 1, seeds]`` and joined steps."""
    world = VoxelWorld(1, OPTIONS)
    runs = [rollout(world, [seed]) for seed in SEEDS]
    joined = [
        Step(
            {k: torch.cat([run[1][t].observation[k] for run in runs]) for k in runs[0][1][t].observation},
            *(torch.cat([getattr(run[1][t], k) for run in runs]) for k in ("reward", "terminated", "truncated")),
        )
        for t in range(STEPS + 1)
    ]
    return torch.cat([run[0] for run in runs], dim=1), joined


def test_episodes_end_and_worlds_differ(alone):
    """What the other tests compare is worth comparing."""
    hashes, steps = alone
    assert len(set(hashes[-1].tolist())) == len(SEEDS)
    assert sum(bool((s.terminated | s.truncated).any()) for s in steps) >= 1
    assert sum(float(s.reward.abs().sum()) for s in steps) > 0


def test_matter_moves_in_what_is_compared(stirred):
    assert bool(stirred[[Clock.WATER_COUNT, Clock.LAVA_COUNT, Clock.TOUCHED_FIRST]].all())


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6], [6, 2, 4, 0, 5, 1, 3]])
def test_a_batch_of_seven_in_any_order_equals_single_worlds(alone, order):
    hashes, steps = rollout(VoxelWorld(7, OPTIONS), [SEEDS[k] for k in order])
    assert torch.equal(hashes, alone[0][:, order])
    assert_same_steps(steps, alone[1], order)


@pytest.mark.parametrize("shards", [1, 2, 3])
def test_a_batch_of_64_equals_single_worlds_at_any_number_of_threads(alone, shards):
    seeds = [SEEDS[k % 7] if k % 9 == 0 else 1000 + k for k in range(64)]
    hashes, steps = rollout(VoxelWorld(64, OPTIONS, num_shards=shards), seeds)
    rows = [k for k in range(64) if k % 9 == 0]
    order = [k % 7 for k in rows]
    assert torch.equal(hashes[:, rows], alone[0][:, order])
    kept = [
        Step({n: v[rows] for n, v in s.observation.items()}, s.reward[rows], s.terminated[rows], s.truncated[rows])
        for s in steps
    ]
    assert_same_steps(kept, alone[1], order)


def test_one_seed_makes_the_same_worlds_at_any_batch_size():
    small, large = VoxelWorld(2), VoxelWorld(9)
    small.reset(7)
    large.reset(7)
    assert torch.equal(small.state_hash(), large.state_hash()[:2])
    assert len(set(large.state_hash().tolist())) == 9
    large.reset(8)
    assert not bool((small.state_hash() == large.state_hash()[:2]).any())


def test_launching_kernels_one_by_one_equals_replaying_the_graph(alone):
    """The captured graph must not have frozen a scalar that changes (over three episodes' worth of steps)."""
    world = VoxelWorld(7, OPTIONS, num_shards=1)
    eager = VoxelWorld(7, OPTIONS, num_shards=1)
    eager._replay = lambda out: eager._launcher.step(eager._shards[0], out, eager.final_observation)
    hashes, steps = rollout(world, SEEDS, 80)
    others, other_steps = rollout(eager, SEEDS, 80)
    assert torch.equal(hashes, others)
    assert_same_steps(steps, other_steps, list(range(7)))
    assert torch.equal(hashes[: STEPS + 1], alone[0])


def test_a_second_reset_forgets_everything(alone):
    world = VoxelWorld(7, OPTIONS)
    rollout(world, list(range(100, 107)), 30)
    hashes, steps = rollout(world, SEEDS)
    assert torch.equal(hashes, alone[0])
    assert_same_steps(steps, alone[1], list(range(7)))


def test_every_element_handed_out_is_written(alone):
    """Storage is poisoned before each call: what stays poisoned was not written."""
    world = VoxelWorld(7, OPTIONS)
    out = world.allocate()

    def poison() -> Step:
        for value in out.observation.values():
            value.fill_(torch.iinfo(value.dtype).max)
        out.reward.fill_(torch.nan)
        out.terminated.fill_(True)
        out.truncated.fill_(True)
        return out

    actions = torch.from_numpy(np.stack([actions_of(seed) for seed in SEEDS], axis=1))
    world.reset(SEEDS, poison())
    assert_same_steps([out], [alone[1][0]], list(range(7)))
    for t in range(STEPS):
        world.step(actions[t].clone(), poison())
        assert_same_steps([out], [alone[1][t + 1]], list(range(7)))
    final = {name: value.clone() for name, value in world.observe(poison()).observation.items()}
    assert all(torch.equal(value, alone[1][STEPS].observation[name]) for name, value in final.items())


def test_steps_into_a_rollout_equal_steps_apart(alone):
    world = VoxelWorld(7, OPTIONS)
    storage = world.allocate(STEPS + 1)
    actions = torch.from_numpy(np.stack([actions_of(seed) for seed in SEEDS], axis=1))
    world.reset(SEEDS, storage[0])
    for t in range(STEPS):
        world.step(actions[t].clone(), storage[t + 1])
    assert_same_steps([storage[t] for t in range(STEPS + 1)], alone[1], list(range(7)))


def test_the_hash_names_every_array_of_the_state():
    """Every array of the state struct is persistent but second views, the action, scratch, and light with its list."""
    fields = {name for name, kind in VoxelState.vars.items() if isinstance(kind.type, wp.array)}
    light = {"light", "light_words", "light_changes", "light_count"}
    assert fields - {"columns", "action", "scratch"} - light == {array.name for array in persistent_arrays(64, 2_048)}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_the_hash_sees_every_element(data):
    world = _hashed()
    array = data.draw(st.sampled_from(persistent_arrays(32, 2_048)))
    tensor = world.store.by_world(array)
    before = world.state_hash()
    w = data.draw(st.integers(0, 2))
    place = tuple(data.draw(st.integers(0, size - 1)) for size in tensor.shape[1:])
    old = int(tensor[(w, *place)])
    info = torch.iinfo(tensor.dtype)
    new = data.draw(st.integers(info.min, info.max).filter(lambda value: value != old))
    try:
        tensor[(w, *place)] = new
        after = world.state_hash()
    finally:
        tensor[(w, *place)] = old
    assert (after != before).tolist() == [k == w for k in range(3)], (array.name, place)
    assert torch.equal(world.state_hash(), before)


_worlds: list[VoxelWorld] = []


def _hashed() -> VoxelWorld:
    if not _worlds:
        _worlds.append(VoxelWorld(3, VoxelOptions(window=32)))
        _worlds[0].reset(5)
    return _worlds[0]


def test_swapping_two_elements_changes_the_hash():
    world = _hashed()
    blocks = world.store.by_world(persistent_arrays(32, 2_048)[0])
    before = world.state_hash()
    first, second = 5, next(k for k in range(6, 4000) if int(blocks[0, k]) != int(blocks[0, 5]))
    swapped = blocks[0, [second, first]].clone()
    kept = blocks[0, [first, second]].clone()
    blocks[0, [first, second]] = swapped
    after = world.state_hash()
    blocks[0, [first, second]] = kept
    assert after[0] != before[0]


def test_what_is_seen_does_not_change_what_happens(alone):
    """Other senses, cube or sight: the same hashes."""
    options = VoxelOptions(
        **{**OPTIONS.__dict__, "senses": ("vitals", "depth"), "width": 16, "height": 12, "sight": 10, "cube": (3, 5, 5)}
    )
    hashes, _ = rollout(VoxelWorld(7, options), SEEDS)
    assert torch.equal(hashes, alone[0])


def test_pictures_come_after_a_state_is_loaded_into_a_world_that_never_began():
    """A step that is captured before anything was drawn draws all the same."""
    options = VoxelOptions(senses=("pixels", "action_mask"), width=16, height=16, window=32, creatures="none")
    lived, fresh = VoxelWorld(2, options), VoxelWorld(2, options, num_shards=2)
    lived.reset(3)
    fresh.load_state_dict(lived.state_dict())
    noop = torch.zeros(2, dtype=torch.int32)
    for _ in range(3):
        seen, expected = fresh.step(noop).observation["pixels"], lived.step(noop).observation["pixels"]
        assert torch.equal(seen, expected)
