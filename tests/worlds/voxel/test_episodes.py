"""Episodes: seeds, same-step autoreset, last observations, rewards and the log of what ended."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, ACHIEVEMENTS, TASKS
from farlands.worlds.voxel.actions import FLAT_ACTION_ID, Hand
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.rng import Purpose, pcg4d_host
from farlands.worlds.voxel.state import Body, Clock
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Step

W, HORIZON = 6, 7


def level_seed(stream: int, episode: int) -> int:
    """The documented rule in plain Python: the stream itself, then a draw from it for each later episode."""
    if episode == 0:
        return stream
    words = pcg4d_host(
        np.uint64(stream & 0xFFFFFFFF),
        np.uint64(stream >> 32),
        np.uint64(episode),
        np.uint64(Purpose.EPISODE_SEED << 22),
    )
    return int(words[0]) | (int(words[1]) & 0x7FFFFFFF) << 32


def random_actions(steps: int, worlds: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, len(FLAT_ACTION_ID), (steps, worlds), generator=generator, dtype=torch.int32)


def test_a_finished_episode_is_followed_by_the_first_observation_of_the_next():
    """Against a world of the same seeds that is never cut, and fresh worlds of the seeds that come next."""
    world = VoxelWorld(W, VoxelOptions(horizon=HORIZON))
    endless = VoxelWorld(W, VoxelOptions(horizon=10_000))
    fresh = VoxelWorld(W, VoxelOptions(horizon=10_000))
    seeds = list(range(40, 40 + W))
    actions = random_actions(3 * HORIZON, W)
    world.reset(seeds)
    for episode in range(3):
        endless.reset([level_seed(seed, episode) for seed in seeds])
        for t in range(HORIZON):
            now = actions[episode * HORIZON + t]
            expected, step = endless.step(now), world.step(now)
            last = t == HORIZON - 1
            assert step.truncated.tolist() == [last] * W
            assert step.terminated.tolist() == [False] * W
            assert torch.equal(step.reward, expected.reward)
            if last:
                expected_next = fresh.reset([level_seed(seed, episode + 1) for seed in seeds])
                for name, value in world.final_observation.items():
                    assert torch.equal(value, expected.observation[name]), name
                for name, value in step.observation.items():
                    assert torch.equal(value, expected_next.observation[name]), name
            else:
                for name, value in step.observation.items():
                    assert torch.equal(value, expected.observation[name]), name


def test_only_finished_rows_are_regenerated():
    world = VoxelWorld(W)
    world.reset(1)
    before = world.snapshot()
    body = world.store.by_world(next(a for a in world.store.arrays if a.name == "body"))
    body[2, Body.HEALTH] = 1
    body[2, Body.FIRE] = 20
    step = world.step(torch.zeros(W, dtype=torch.int32))
    assert step.terminated.tolist() == [k == 2 for k in range(W)]
    assert not bool(step.truncated.any())
    after = world.snapshot()
    assert after["clock"][:, Clock.EPISODE].tolist() == [int(k == 2) for k in range(W)]
    for k in range(W):
        assert torch.equal(before["blocks"][k], after["blocks"][k]) == (k != 2)


def test_the_log_tells_each_episode_once():
    options = VoxelOptions(horizon=HORIZON, start_kit=("oak_log:3",), task="survive")
    world = VoxelWorld(W, options)
    world.reset(11)
    streams = [int(low) & 0xFFFFFFFF | (int(high) & 0xFFFFFFFF) << 32 for low, high in zip(
        world.snapshot()["clock"][:, Clock.STREAM_LOW], world.snapshot()["clock"][:, Clock.STREAM_HIGH], strict=True
    )]  # fmt: skip
    planks = torch.full((W,), FLAT_ACTION_ID["craft_planks"], dtype=torch.int32)
    planks[0] = 0
    totals = torch.zeros(W, dtype=torch.float64)
    for t in range(2 * HORIZON):
        totals += world.step(planks if t == 2 else torch.zeros_like(planks)).reward.double()
    log = world.drain_episodes()
    assert len(log) == 2 * W
    assert log.dropped == 0
    assert list(log.cause) == ["horizon"] * (2 * W)
    assert log.length.tolist() == [HORIZON] * (2 * W)
    for row in range(W):
        mine = np.flatnonzero(log.row == row)
        assert [int(s) for s in log.seed[mine]] == [level_seed(streams[row], 0), level_seed(streams[row], 1)]
        assert log.reward[mine].sum() == pytest.approx(float(totals[row]))
        unlocked = log.achievements[mine]
        assert unlocked.shape == (2, len(ACHIEVEMENTS))
        assert unlocked[0, ACHIEVEMENT_ID["make_planks"]] == (-1 if row == 0 else 3)
        unlocked[0, ACHIEVEMENT_ID["make_planks"]] = -1
        assert (unlocked == -1).all()
    assert len(world.drain_episodes()) == 0


@pytest.mark.parametrize("shards", [1, 2])
def test_the_log_is_ordered_by_the_end_then_the_row(shards):
    world = VoxelWorld(8, VoxelOptions(horizon=20, stagger=True), num_shards=shards)
    world.reset(3)
    ends = []
    for t in range(60):
        step = world.step(torch.zeros(8, dtype=torch.int32))
        ends += [(t, row) for row in (step.truncated | step.terminated).nonzero().flatten().tolist()]
    log = world.drain_episodes()
    assert log.row.tolist() == [row for _, row in ends]


def test_a_full_log_counts_what_it_drops():
    world = VoxelWorld(2, VoxelOptions(horizon=1))
    world.reset(0)
    for _ in range(50):
        world.step(torch.zeros(2, dtype=torch.int32))
    log = world.drain_episodes()
    assert len(log) + log.dropped == 100
    assert log.dropped > 0
    assert world.drain_episodes().dropped == 0


def test_stagger_cuts_only_first_episodes_at_keyed_steps():
    world = VoxelWorld(32, VoxelOptions(horizon=50, stagger=True, window=32), num_shards=1)
    world.reset(9)
    limits = world.snapshot()["clock"][:, Clock.LIMIT]
    assert int(limits.min()) >= 1
    assert int(limits.max()) <= 50
    assert len(set(limits.tolist())) > 12
    for _ in range(100):
        world.step(torch.zeros(32, dtype=torch.int32))
    log = world.drain_episodes()
    for row in range(32):
        lengths = log.length[log.row == row]
        assert lengths[0] == int(limits[row])
        assert set(lengths[1:]) <= {50}


@pytest.mark.parametrize(
    "seed", [-1, 2**64, 1.5, "7", [1], [1, 2, 3], [1, -2], [1, 2.0], [True, "x"], None]
)  # fmt: skip
def test_seeds_that_cannot_be_are_refused(seed):
    with pytest.raises(ValueError, match="seed") as error:
        VoxelWorld(2, VoxelOptions(window=32)).reset(seed)
    assert "\n" not in str(error.value)


def test_seeds_may_be_numpy_integers_and_fill_64_bits():
    world = VoxelWorld(2, VoxelOptions(window=32))
    world.reset([np.uint64(2**64 - 1), np.int64(5)])
    clock = world.snapshot()["clock"]
    assert clock[:, Clock.SEED_LOW].tolist() == [-1, 5]
    assert clock[:, Clock.SEED_HIGH].tolist() == [-1, 0]


def test_stepping_before_a_reset_is_refused():
    with pytest.raises(RuntimeError, match="reset"):
        VoxelWorld(1, VoxelOptions(window=32)).step(torch.zeros(1, dtype=torch.int32))


def run(arena, name: str) -> Step:
    return arena.act(choice=name)


def test_every_first_unlock_is_paid_once_and_logged_at_its_step(make_arena):
    arena = make_arena(1)
    arena.give("oak_log", 3)
    assert float(run(arena, "craft_planks").reward[0]) == 1.0
    assert float(run(arena, "craft_planks").reward[0]) == 0.0
    assert float(run(arena, "craft_stick").reward[0]) == 1.0
    unlocked = {ACHIEVEMENTS[k].name: int(v) for k, v in enumerate(arena.unlocked[0]) if v >= 0}
    assert unlocked == {"make_planks": 1, "make_stick": 3}


@pytest.mark.parametrize("name", TASKS["diamond"].rewards)
def test_the_diamond_chain_pays_its_milestones(make_arena, name):
    arena = make_arena(1, task="diamond")
    verb, _, thing = name.partition("_")
    pay = TASKS["diamond"].rewards[name]
    if verb == "make" and thing == "iron_ingot":
        arena.set("furnace", 1, 2, 0)
        arena.give("iron_ore")
        arena.give("coal")
        arena.act(choice="smelt_iron_ingot")
        paid = sum(float(arena.act().reward[0]) for _ in range(200))
    elif verb == "make":
        arena.set("crafting_table", 2, 2, 0)
        for item in ("oak_log", "cobblestone", "iron_ingot", "diamond", "planks", "stick"):
            arena.give(item, 16)
        paid = float(run(arena, f"craft_{thing}").reward[0])
    else:
        block = {"log": "oak_log", "cobblestone": "stone", "diamond": "diamond_ore"}.get(thing, thing)
        arena.set(block, 0, 1, 1)
        arena.hold("diamond_pickaxe")
        paid = sum(float(arena.act(hand=Hand.ATTACK).reward[0]) for _ in range(70))
    assert paid == pay
    assert (list(arena.world.drain_episodes().cause) == ["goal"]) == (name == "make_diamond_pickaxe")


def test_reaching_the_goal_terminates_and_pays(make_arena):
    arena = make_arena(1, task="diamond")
    arena.set("crafting_table", 2, 2, 0)
    arena.give("diamond", 3)
    arena.give("stick", 2)
    step = run(arena, "craft_diamond_pickaxe")
    assert (bool(step.terminated[0]), bool(step.truncated[0])) == (True, False)
    assert float(step.reward[0]) == 2048.0


def test_death_and_the_horizon_at_once_is_a_death(make_arena):
    arena = make_arena(1, horizon=1)
    arena.put_body(HEALTH=1, FIRE=20, FOOD=10)
    step = arena.act()
    assert (bool(step.terminated[0]), bool(step.truncated[0])) == (True, False)
    arena.clear()
    step = arena.act()
    assert (bool(step.terminated[0]), bool(step.truncated[0])) == (False, True)


@pytest.mark.parametrize("name", ["collect_log", "collect_flower", "collect_diamond"])
def test_tools_pays_feats_and_milestones_and_goes_on(make_arena, name):
    arena = make_arena(1, task="tools")
    item = name.removeprefix("collect_").replace("flower", "red_flower")
    block = {"log": "oak_log", "diamond": "diamond_ore"}.get(item, item)
    arena.set(block, 0, 1, 1)
    arena.hold("iron_pickaxe")
    pay = 0.0
    for _ in range(80):
        step = arena.act(hand=Hand.ATTACK)
        pay += float(step.reward[0])
        assert not step.terminated[0]
    assert pay == pytest.approx(1.0 + TASKS["diamond"].rewards.get(name, 0.0))


def test_rewards_stay_in_the_promised_range():
    for task in TASKS:
        world = VoxelWorld(8, VoxelOptions(task=task, window=32, start_kit=("oak_log:9", "planks:9")))
        world.reset(0)
        low, high = world.spec.reward_range
        for actions in random_actions(60, 8, seed=4):
            reward = world.step(actions).reward
            assert low <= float(reward.min())
            assert float(reward.max()) <= high
