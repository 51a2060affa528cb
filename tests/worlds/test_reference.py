import dataclasses

import numpy as np
import pytest
import torch

from farlands.agents.baselines import RandomAgent
from farlands.agents.noise import uniforms
from farlands.worlds.reference import Combination, CueCorridor, PointReach


class Forgiving(Combination):
    """Lives long enough at random to see both endings."""

    def __init__(self, num_worlds, options=Combination.Options(lives=11)):
        super().__init__(num_worlds, options)


WORLDS = [CueCorridor, Forgiving, PointReach]
everywhere = pytest.mark.parametrize("make", WORLDS)


def actions_for(world, t: int, rows: torch.Tensor) -> torch.Tensor:
    """A random choice of every row, a function of its id and the time only."""
    agent = RandomAgent(world.spec)
    noise = uniforms(5, rows, torch.tensor(t), agent.noise_size)
    return agent.act(
        world.allocate().observation | {"action_mask": None}, torch.zeros(len(rows), 0), rows < 0, noise
    ).action


def live(world, steps: int, rows: torch.Tensor | None = None, start: int = 0):
    rows = torch.arange(world.num_rows) if rows is None else rows
    trace = world.allocate(steps)
    for t in range(steps):
        world.step(actions_for(world, start + t, rows), out=trace[t])
    return trace


def assert_equal(left, right):
    for name in ("reward", "terminated", "truncated"):
        assert torch.equal(getattr(left, name), getattr(right, name)), name
    for key, value in left.observation.items():
        assert torch.equal(value, right.observation[key]), key


@everywhere
def test_what_comes_out_fits_the_spec(make):
    world = make(50)
    world.reset(0)
    trace = live(world, 80)
    for key, array in world.spec.observation.items():
        value = trace.observation[key]
        assert value.shape == (80, 50, *array.shape)
        assert str(value.dtype) == f"torch.{array.dtype}"
        assert value.min() >= array.low
        assert value.max() <= array.high
    low, high = world.spec.reward_range
    assert trace.reward.min() >= low - 1e-6
    assert trace.reward.max() <= high + 1e-6
    assert not (trace.terminated & trace.truncated).any()
    assert trace.terminated.any()
    assert trace.truncated.any()


@everywhere
def test_any_batch_size_and_order(make):
    seeds = [2**64 - 1, 7, 0, 123456789, 42]
    batch, rows = make(5), torch.arange(5)
    batch.reset(seeds)
    trace, hashes = live(batch, 60), batch.state_hash()
    backwards = make(5)
    backwards.reset(seeds[::-1])
    live(backwards, 60, rows.flip(0))
    assert torch.equal(backwards.state_hash().flip(0), hashes)
    for w in range(5):
        single = make(1)
        single.reset([seeds[w]])
        alone = live(single, 60, rows[w : w + 1])
        assert torch.equal(alone.reward[:, 0], trace.reward[:, w])
        assert single.state_hash()[0] == hashes[w]


@everywhere
def test_one_seed_gives_every_world_its_own(make):
    world = make(64)
    world.reset(9)
    assert len(set(world.state_hash().tolist())) == 64
    again = make(64)
    again.reset(9)
    assert torch.equal(again.state_hash(), world.state_hash())
    again.reset(10)
    assert not (again.state_hash() == world.state_hash()).any()


@everywhere
def test_autoreset_in_the_same_step(make):
    world = make(30)
    world.reset(1)
    ended = 0
    for t in range(60):
        before = world.snapshot()
        step = world.step(actions_for(world, t, torch.arange(30)))
        over = step.terminated | step.truncated
        ended += int(over.sum())
        assert torch.equal(world.state["episode"], before["episode"] + over)
        assert (world.state["time"][over] == 0).all()
        assert torch.equal(world.state["time"][~over], before["time"][~over] + 1)
        assert (before["time"][step.truncated] + 1 == world.options.horizon).all()
        fresh = make(30)
        fresh.reset(world._seed().numpy().view(np.uint64).tolist())
        for key, value in fresh.observe(fresh.allocate()).observation.items():
            assert torch.equal(step.observation[key][over], value[over])
    assert ended > 30


@everywhere
def test_final_observation_is_the_old_episodes_last(make):
    world, endless = make(30), make(30)
    endless.options = dataclasses.replace(world.options, horizon=200)
    for each in (world, endless):
        each.reset(4)
    horizon = world.options.horizon
    for t in range(horizon):
        actions = actions_for(world, t, torch.arange(30))
        step, uncut = world.step(actions), endless.step(actions)
    cut = step.truncated & (world.state["episode"] == 1)
    assert cut.any()
    for key, value in uncut.observation.items():
        assert torch.equal(world.final_observation[key][cut], value[cut])


@everywhere
def test_snapshot_and_restore(make):
    world = make(8)
    world.reset(2)
    live(world, 13)
    saved, hashes = world.snapshot(), world.state_hash()
    future = live(world, 30, start=13)
    world.restore(saved)
    assert torch.equal(world.state_hash(), hashes)
    assert_equal(live(world, 30, start=13), future)
    other = make(3)
    other.reset(77)
    untouched = other.state_hash()[2]
    other.restore(world.snapshot([5, 1]), [1, 0])
    assert torch.equal(other.state_hash(), torch.stack((*world.state_hash()[[1, 5]], untouched)))


@everywhere
def test_restore_refuses_what_does_not_fit(make):
    world = make(4)
    saved = world.snapshot()
    hashes = world.state_hash()
    with pytest.raises(ValueError, match="snapshot has"):
        world.restore({name: value for name, value in saved.items() if name != "time"})
    with pytest.raises(ValueError, match="expected"):
        world.restore(saved, [0])
    with pytest.raises(ValueError, match="total of the snapshot"):
        world.restore(saved | {"total": saved["total"].float()})
    assert torch.equal(world.state_hash(), hashes)


@everywhere
def test_hash_covers_every_array(make):
    world = make(3)
    live(world, 5)
    hashes = world.state_hash()
    for value in world.state.values():
        flat = value.view(3, -1)
        for column in range(flat.shape[1]):
            kept = flat[1, column].clone()
            flat[1, column] = kept + 1
            assert torch.equal(world.state_hash() != hashes, torch.tensor([False, True, False]))
            flat[1, column] = kept
    assert torch.equal(world.state_hash(), hashes)


@everywhere
def test_state_dict_goes_on_exactly(make):
    world, other = make(6), make(6)
    world.reset(3)
    live(world, 40)
    other.load_state_dict(world.state_dict())
    assert_equal(live(world, 40, start=40), live(other, 40, start=40))
    assert torch.equal(world.state_hash(), other.state_hash())
    ours, theirs = world.drain_episodes(), other.drain_episodes()
    assert len(ours) > 0
    for name in ("row", "seed", "length", "reward", "cause", "achievements"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name)), name
    with pytest.raises(ValueError, match="lacks 'log'"):
        world.load_state_dict(world.snapshot())


@everywhere
def test_episodes_tell_what_happened(make):
    world = make(12)
    world.reset(6)
    trace = live(world, 100)
    episodes = world.drain_episodes()
    over = trace.terminated | trace.truncated
    assert len(episodes) == int(over.sum())
    assert episodes.dropped == 0
    starts, entry = np.zeros(12, dtype=int), 0
    for t, row in over.nonzero().tolist():
        assert episodes.row[entry] == row
        assert episodes.length[entry] == t + 1 - starts[row]
        assert episodes.reward[entry] == pytest.approx(trace.reward[starts[row] : t + 1, row].double().sum().item())
        assert episodes.cause[entry] == ("rules" if trace.terminated[t, row] else "horizon")
        unlocked = episodes.achievements[entry]
        assert ((unlocked == -1) | ((unlocked >= 1) & (unlocked <= episodes.length[entry]))).all()
        starts[row], entry = t + 1, entry + 1
    first = [int(np.flatnonzero(episodes.row == row)[0]) for row in range(12)]
    replay = make(12)
    replay.reset([int(seed) for seed in episodes.seed[first]])
    again = live(replay, 100)
    assert torch.equal(again.reward[:3], trace.reward[:3])
    assert len(world.drain_episodes()) == 0


def test_hash_knows_where_a_value_stands():
    world = PointReach(2)
    hashes, position, target = world.state_hash(), world.state["position"].clone(), world.state["target"].clone()
    world.state["position"].copy_(target)
    world.state["target"].copy_(position)
    assert not (world.state_hash() == hashes).any()
    world.state["position"].copy_(position.flip(1))
    world.state["target"].copy_(target)
    assert not (world.state_hash() == hashes).any()


def test_full_log_is_counted():
    world = PointReach(2, PointReach.Options(horizon=1))
    world.capacity = 10
    live(world, 8)
    episodes = world.drain_episodes()
    assert len(episodes) == 10
    assert episodes.dropped == 6
    assert episodes.row.tolist() == [0, 1] * 5


@everywhere
@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, "one", True, [1, 2], [1, 2, -3]])
def test_seeds_are_checked(make, seed):
    with pytest.raises(ValueError, match="seed"):
        make(3).reset(seed)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (CueCorridor, {"length": 0}),
        (CueCorridor, {"length": 9, "horizon": 9}),
        (Combination, {"lives": 0}),
        (PointReach, {"radius": 2.0}),
    ],
)
def test_options_are_checked(make, options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}|horizon"):
        make.Options(**options)


def test_corridor_needs_its_cue():
    world = CueCorridor(200)
    step = world.reset(0)
    cues = step.observation["view"][:, 1, 0].clone()
    assert set(cues.tolist()) == {2, 3}
    for _ in range(world.options.length):
        step = world.step(torch.ones(200, dtype=torch.int32))
    views = step.observation["view"].flatten(1)
    assert (views == views[0]).all()
    step = world.step(cues.to(torch.int32))
    assert torch.allclose(step.reward, torch.tensor(0.99))
    assert step.terminated.all()


def test_out_of_range_choices_are_choice_zero():
    for make, wild in ((CueCorridor, [9]), (Combination, [9, -4])):
        one, other = make(1), make(1)
        for each in (one, other):
            each.reset(1)
        shape = () if make is CueCorridor else (2,)
        wanted = one.step(torch.zeros(1, *shape, dtype=torch.int32))
        assert_equal(other.step(torch.tensor(wild, dtype=torch.int32).view(1, *shape)), wanted)


@everywhere
def test_actions_of_another_shape_are_refused_in_one_line(make):
    world = make(3)
    world.reset(1)
    before = world.state_hash()
    for shape in [(2,), (3, 9), (3, 1, 1)]:
        with pytest.raises(ValueError, match=r"^actions have shape .*; expected \(3,"):
            world.step(torch.zeros(shape))
    assert torch.equal(world.state_hash(), before)
