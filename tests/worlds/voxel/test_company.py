"""Several agents in one world: turns, bodies in each other's way, one leash, where they begin, nights."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.actions import CHOICE_ID, FLAT_ACTION_ID, FLAT_ACTIONS, Hand, Move
from farlands.worlds.voxel.company import Turn, row_in_turn, turn_order
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.physics import BODY_HALF_WIDTH, BODY_HEIGHT
from farlands.worlds.voxel.state import POSITION_ONE, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.world import VoxelWorld

WALK = ("sprint", "jump_sprint", "forward", "turn_left_45", "turn_right", "sprint", "jump_sprint", "sprint")
NORTH, EAST, SOUTH, WEST = 0, 6, 12, 18


@pytest.fixture
def pair(make_arena):
    """Two agents on a floor, a block and a half apart, facing each other: the second stands north of the first."""
    arena = make_arena(1, agents=2)
    arena.stand(0.5, 0.5, 0, rows=0)
    arena.stand(0.5, 2.0, 0, rows=1)
    arena.body[Body.YAW, 1] = SOUTH
    return arena


def rows_of(arena, **rows: dict[int, int]) -> torch.Tensor:
    """Actions int32 ``[R, 5]``: by factor, row to value."""
    actions = torch.zeros((len(arena.rows), 5), dtype=torch.int32)
    for name, values in rows.items():
        for row, value in values.items():
            actions[row, ("move", "jump", "camera", "hand", "choice").index(name)] = int(value)
    return actions


@kernel
def _orders_kernel(s: VoxelState, rules: Rules, turn: int, out: wp.array2d(dtype=wp.int32)):
    w = wp.tid()
    order = turn_order(s, rules, w, turn)
    n = wp.int32(0)
    while n < rules.agents:
        out[w, n] = row_in_turn(rules, w, order, n) - w * rules.agents
        n += 1


def orders(agents: int, worlds: int, turn: Turn) -> np.ndarray:
    """int32 ``[worlds, agents]``: whose turn it is, at tick w of one seed."""
    state, rules = VoxelState(), Rules()
    clock = np.zeros((len(Clock), worlds), dtype=np.int32)
    clock[Clock.TICK], clock[Clock.SEED_LOW] = np.arange(worlds), 99
    state.clock = wp.array(clock, dtype=wp.int32, device="cpu")
    rules.agents = agents
    out = wp.zeros((worlds, agents), dtype=wp.int32, device="cpu")
    wp.launch(_orders_kernel, worlds, inputs=[state, rules, int(turn)], outputs=[out], device="cpu")
    return out.numpy()


@pytest.mark.parametrize("agents", range(1, 9))
def test_everybody_has_one_turn_and_every_place_is_as_likely(agents):
    found = orders(agents, 4_000, Turn.ACT)
    assert (np.sort(found, axis=1) == np.arange(agents)).all()
    for place in range(agents):
        counts = np.bincount(found[:, place], minlength=agents)
        expected = 4_000 / agents
        assert ((counts - expected) ** 2 / expected).sum() < 40, (place, counts.tolist())


def test_all_orders_of_three_are_as_likely_and_turns_are_drawn_apart():
    found = orders(3, 6_000, Turn.TICK)
    counts = Counter(map(tuple, found.tolist()))
    assert len(counts) == 6
    assert all(850 < count < 1_150 for count in counts.values()), counts
    same = (found == orders(3, 6_000, Turn.DEED)).all(1).mean()
    assert 0.12 < same < 0.22


def overlap(arena) -> bool:
    """Whether any two bodies of a world do."""
    side, agents = 2 * BODY_HALF_WIDTH, arena.world.num_agents
    place = arena.body[Body.X : Body.Z + 1].T.reshape(-1, agents, 3)
    apart = (place[:, :, None] - place[:, None]).abs()
    meet = (apart < torch.tensor([side, side, BODY_HEIGHT])).all(-1)
    return bool((meet & ~torch.eye(agents, dtype=torch.bool)).any())


@pytest.mark.parametrize("move", [Move.FORWARD, Move.SPRINT])
def test_bodies_stop_each_other_face_to_face(pair, move):
    for _ in range(40):
        pair.act_rows(rows_of(pair, move={0: move, 1: move}))
        assert not overlap(pair)
    gap = pair.position(1)[1] - pair.position(0)[1]
    assert gap == pytest.approx(2 * BODY_HALF_WIDTH / POSITION_ONE, abs=1e-9)


def test_nobody_is_stopped_who_passes_beside(pair):
    pair.stand(0.5 + 0.61, 2.0, 0, rows=1)
    pair.act_rows(rows_of(pair, move={0: Move.FORWARD}), 30)
    assert pair.position(0)[1] > 3.0


def test_bodies_that_overlap_can_go_apart_but_not_through(pair):
    pair.stand(0.5, 0.7, 0, rows=1)
    pair.act_rows(rows_of(pair, move={0: Move.FORWARD}), 10)
    assert pair.position(0)[1] == 0.5
    pair.act_rows(rows_of(pair, move={0: Move.BACK}), 10)
    assert pair.position(0)[1] < 0.0


def test_one_can_stand_on_anothers_head_and_both_feel_it(pair):
    pair.stand(0.5, 0.5, 2.5, rows=1)
    pair.act(steps=20)
    assert pair.position(1)[2] == pytest.approx(BODY_HEIGHT / POSITION_ONE)
    assert int(pair.body[Body.ON_GROUND, 1]) == 1
    assert pair.health().tolist() == [20, 20]
    pair.act_rows(rows_of(pair, jump={0: 1}), 10)
    assert pair.position(0)[2] == 0.0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**20))
def test_random_walkers_never_walk_into_each_other(make_arena, seed):
    arena = make_arena(2, agents=4)
    generator = np.random.default_rng(seed)
    for row in arena.rows:
        arena.stand(0.5 + row % 4 % 2 * 0.7, 0.5 + row % 4 // 2 * 0.7, 0, rows=row)
        arena.body[Body.YAW, row] = int(generator.integers(24))
    for _ in range(40):
        actions = torch.zeros((8, 5), dtype=torch.int32)
        actions[:, 0] = torch.from_numpy(generator.integers(0, 6, 8))
        actions[:, 1] = torch.from_numpy(generator.integers(0, 2, 8))
        arena.act_rows(actions)
        assert not overlap(arena)


def test_nobody_places_a_block_into_another(pair):
    pair.stand(0.5, 2.5, 0, rows=1)
    pair.give("stone", 5, rows=0)
    pair.body[Body.PITCH, 0] = -3
    assert not pair.possible("place_stone", row=0)
    pair.act_rows(rows_of(pair, choice={0: CHOICE_ID["place_stone"]}))
    assert pair.get(0, 2, 0) == "air"
    pair.stand(3.5, 2.5, 0, rows=1)
    assert pair.possible("place_stone", row=0)
    pair.act_rows(rows_of(pair, choice={0: CHOICE_ID["place_stone"]}))
    assert pair.get(0, 2, 0) == "stone"


def test_a_block_two_agents_break_goes_to_either_by_turns(make_arena):
    arena = make_arena(24, agents=2)
    for w in range(24):
        arena.stand(0.5, 0.5, 0, rows=2 * w)
        arena.stand(0.5, 2.5, 0, rows=2 * w + 1)
    arena.body[Body.YAW, 1::2] = SOUTH
    arena.set("dirt", 0, 1, 1)
    arena.clock[Clock.SEED_LOW] = torch.arange(24, dtype=torch.int32)
    arena.act(60, hand=Hand.ATTACK)
    got = arena.count("dirt").view(24, 2)
    assert (got.sum(1) == 1).all()
    assert 4 < int(got[:, 0].sum()) < 20


def test_it_is_morning_when_everybody_has_slept(make_arena):
    arena = make_arena(1, agents=2, start_time=14_000)
    for row, x in ((0, 0), (1, 4)):
        arena.stand(x + 0.5, 0.5, 0, rows=row)
        arena.body[Body.PITCH, row] = -3
        arena.set("bed", x, 1, 0)
    arena.act_rows(rows_of(arena, hand={0: Hand.USE}))
    arena.act(150)
    assert int(arena.body[Body.SLEEPING, 0]) > 100
    assert arena.clock[Clock.TIME, 0] > 14_000
    arena.act_rows(rows_of(arena, hand={1: Hand.USE}))
    arena.act(98)
    assert int(arena.clock[Clock.TIME, 0]) > 14_000
    arena.act(5)
    assert int(arena.clock[Clock.TIME, 0]) < 10
    assert arena.body[Body.SLEEPING].tolist() == [0, 0]
    assert (arena.unlocked >= 0).sum(1).tolist() == [1, 1]


def test_who_has_slept_while_others_are_up_gets_up_by_any_action(make_arena):
    arena = make_arena(1, agents=2, start_time=14_000)
    arena.stand(4.5, 0.5, 0, rows=1)
    arena.body[Body.SLEEPING, 0] = 1
    masks = []
    for steps in (50, 60):
        arena.act_rows(rows_of(arena, move={0: Move.FORWARD} if steps == 50 else {}), steps)
        masks.append(int(arena.look()["action_mask"][0].sum()))
    assert masks[0] == 5
    assert masks[1] > 10
    assert arena.position(0)[1] == 0.5
    arena.act_rows(rows_of(arena, move={0: Move.FORWARD}), 5)
    assert int(arena.body[Body.SLEEPING, 0]) == 0
    assert arena.position(0)[1] > 0.5


def columns(world: VoxelWorld) -> torch.Tensor:
    """int ``[W, A, 2]``: the columns agents stand on."""
    body = world.snapshot()["body"]
    return body[..., [Body.X, Body.Y]] >> 11


@pytest.mark.parametrize("agents", [2, 8])
def test_agents_begin_near_each_other_each_on_ground_of_its_own(agents):
    world = VoxelWorld(24, VoxelOptions(agents=agents, window=32))
    world.reset(4)
    place = columns(world)
    assert all(len({tuple(c) for c in world_columns}) == agents for world_columns in place.tolist())
    assert int((place - place[:, :1]).abs().max()) <= 14
    body = world.snapshot()["body"]
    z = body[..., Body.Z] >> 11
    blocks = world.snapshot()["blocks"].view(24, 32, 32, 64)
    solid_below = [
        int(blocks[w, place[w, a, 0] % 32, place[w, a, 1] % 32, z[w, a] - 1]) != 0
        for w in range(24) for a in range(agents)
    ]  # fmt: skip
    assert all(solid_below)
    spread = (z - z[:, :1]).abs().flatten().tolist()
    assert np.mean([dz <= 3 for dz in spread]) > 0.9
    alone = VoxelWorld(24, VoxelOptions(window=32))
    alone.reset(4)
    assert torch.equal(columns(alone), place[:, 0])


def walk(world: VoxelWorld, generator: np.random.Generator, headings: np.ndarray, steps: int) -> torch.Tensor:
    """Walk each row its own way with sidesteps. Returns the least and greatest block offsets within the window."""
    ids = np.array([FLAT_ACTION_ID[name] for name in WALK])
    seen = []
    body, clock = wp.to_torch(world.state.body), wp.to_torch(world.state.clock)
    out = world.allocate()
    for step in range(steps):
        if step % 25 == 0:
            body[Body.YAW] = torch.from_numpy(headings + generator.integers(-2, 3, len(headings))).int() % 24
        world.step(torch.from_numpy(generator.choice(ids, world.num_rows)).int(), out)
        for axis in (0, 1):
            place = body[Body.X + axis].view(world.num_worlds, -1)
            origin = clock[Clock.ORIGIN_X + axis][:, None] * POSITION_ONE
            seen.append(torch.stack([(place - origin).min(), (place - origin).max()]))
    return torch.stack(seen)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**30), together=st.booleans(), window=st.sampled_from([32, 64]))
def test_walkers_stay_within_a_window_that_follows_them(seed, together, window):
    options = VoxelOptions(agents=8, window=window, creatures="none", hunger=False, senses=("vitals",))
    world = VoxelWorld(2, options)
    world.reset(seed)
    generator = np.random.default_rng(seed)
    heading = generator.integers(0, 24, 1) if together else generator.integers(0, 24, 16)
    offsets = walk(world, generator, np.broadcast_to(heading, 16).copy(), 220)
    assert int(offsets[:, 0].min()) >= BODY_HALF_WIDTH
    assert int(offsets[:, 1].max()) <= window * POSITION_ONE - BODY_HALF_WIDTH
    clock = world.snapshot()["clock"]
    other = VoxelWorld(1, options)
    other.reset(seed)
    for w in range(2):
        blocks, _ = other.make_window(clock[w])
        edited = world.snapshot()["edited"][w].numpy().view(np.uint64)
        same = (blocks == world.snapshot()["blocks"][w]).view(-1, 64).numpy()
        untouched = (edited[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1) == 0
        assert (same | ~untouched).all()


def test_the_window_goes_with_those_who_walk_together():
    """On levels where nothing holds any of them up; one who is stuck would hold them all."""
    world = VoxelWorld(2, VoxelOptions(agents=3, creatures="none", hunger=False, senses=("vitals",)))
    world.reset(7)
    origin = wp.to_torch(world.state.clock)[Clock.ORIGIN_X : Clock.ORIGIN_Y + 1]
    start = origin.clone()
    walk(world, np.random.default_rng(7), np.full(6, 6), 220)
    assert int((origin - start).abs().max()) >= 16


def test_nobody_walks_off_over_the_top_of_the_world(make_arena):
    arena = make_arena(1, agents=2)
    half = arena.side // 2
    arena.fill("stone", range(half - 3, half), range(-3, 3), range(31, 32))
    arena.stand(half - 1.5, 0.5, 32, rows=0)
    arena.body[Body.YAW, 0] = EAST
    arena.act_rows(rows_of(arena, move={0: Move.SPRINT}), 40)
    x, _, z = arena.position(0)
    assert z == 32.0
    assert x == pytest.approx(half - BODY_HALF_WIDTH / POSITION_ONE)


def test_the_window_follows_the_middle_of_those_present(make_arena):
    world = VoxelWorld(1, VoxelOptions(agents=3, respawn=False, creatures="none", horizon=2**20))
    world.reset(1)
    body, clock = wp.to_torch(world.state.body), wp.to_torch(world.state.clock)
    origin = clock[Clock.ORIGIN_X, 0].clone()
    for row, offset in ((0, 10), (1, 60), (2, 60)):
        body[Body.X, row] = (int(origin) + offset) * POSITION_ONE
    noop = torch.zeros(3, dtype=torch.int32)
    world.step(noop)
    assert clock[Clock.ORIGIN_X, 0] == origin
    body[Body.HEALTH, 0], body[Body.CAUSE, 0] = 0, 3
    world.step(noop)
    assert bool(body[Body.GONE, 0])
    assert clock[Clock.ORIGIN_X, 0] == origin + 16


@pytest.mark.parametrize("agents", [0, 9, -1])
def test_a_number_of_agents_that_cannot_be_is_one_line(agents):
    with pytest.raises(ValueError, match=f"^agents {agents} is out of range: 1 to 8$"):
        VoxelWorld(1, VoxelOptions(agents=agents))


def test_one_agent_has_no_use_for_dropping():
    world = VoxelWorld(2, VoxelOptions(start_kit=("oak_log:3", "planks:3", "apple:2", "torch")))
    mask = world.reset(0).observation["action_mask"]
    drops = [i for i, a in enumerate(FLAT_ACTIONS) if a.name.startswith("drop_")]
    assert len(drops) == 13
    assert int(mask[:, drops].sum()) == 0
    before = world.state_hash()
    other = VoxelWorld(2, world.options)
    other.reset(0)
    for index in drops:
        world.step(torch.full((2,), index, dtype=torch.int32))
        other.step(torch.zeros(2, dtype=torch.int32))
    assert torch.equal(world.state_hash(), other.state_hash())
    assert not torch.equal(world.state_hash(), before)
