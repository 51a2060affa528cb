"""Falling sand and gravel, against a plain sorting of columns."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import Hand
from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS, Shape
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.matter.falling import CELLS_A_TICK
from farlands.worlds.voxel.state import MAX_PENDING, Body, Clock

AIR, SAND, GRAVEL, STONE = (BLOCK_ID[name] for name in ("air", "sand", "gravel", "stone"))


@pytest.fixture
def arena(make_arena):
    return make_arena(1)


def wake(arena, x: int, y: int, z: int) -> None:
    """Note a cell as the kernels do when it is touched."""
    state = arena.world.state
    count = int(arena.clock[Clock.FALL_COUNT, 0])
    slot = (int(arena.clock[Clock.FALL_FIRST, 0]) + count) % MAX_PENDING
    wp.to_torch(state.pending_cell)[0, slot] = ((x % arena.side) * arena.side + y % arena.side) * 64 + z + 32
    wp.to_torch(state.pending_due)[0, slot] = int(arena.clock[Clock.TICK, 0]) + 2
    arena.clock[Clock.FALL_COUNT, 0] = count + 1


def column(arena, x: int, y: int, low: int, high: int) -> list[str]:
    return [arena.get(x, y, z) for z in range(low, high)]


def test_what_loses_its_support_falls_to_the_ground(arena):
    """A stone under three blocks of sand is mined; they come down one after the other, two ticks a cell."""
    arena.set("stone", 0, 1, 1)
    for z in (2, 3, 4):
        arena.set("sand", 0, 1, z)
    arena.give("diamond_pickaxe")
    arena.hold("diamond_pickaxe")
    while arena.get(0, 1, 1) == "stone":
        arena.act(hand=Hand.ATTACK)
    heights = []
    for _ in range(12):
        heights.append([z for z in range(6) if arena.get(0, 1, z) == "sand"])
        arena.act()
    assert heights[0] == [2, 3, 4], "not at once"
    assert heights[-1] == [0, 1, 2]
    assert [len(each) for each in heights] == [3] * 12
    assert int(arena.clock[Clock.FALL_COUNT, 0]) == 0, "then all is at rest"


def test_sand_put_on_nothing_falls(arena):
    arena.set("stone", 0, 2, 1)
    arena.give("sand")
    arena.act(choice="place_sand")
    assert arena.get(0, 1, 1) == "sand", "put against the stone, in the air"
    arena.act(4)
    assert column(arena, 0, 1, 0, 2) == ["sand", "air"]


def test_land_that_nobody_touches_stays(arena):
    arena.set("sand", 3, 3, 5)
    arena.act(50)
    assert arena.get(3, 3, 5) == "sand"


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_columns_come_to_rest_as_if_sorted(data, make_arena_once):
    """Between stones, everything that falls lies at the bottom in its order; nothing is lost or made."""
    arena = make_arena_once.clear()
    names = ["air", "sand", "gravel", "stone", "tall_grass", "red_flower"]
    cells = data.draw(st.lists(st.sampled_from(names), min_size=12, max_size=12))
    for z, name in enumerate(cells):
        arena.blocks[0, 5, 5, z + 32] = BLOCK_ID[name]
    for z in range(12):
        if cells[z] in ("sand", "gravel"):
            wake(arena, 5, 5, z)
    arena.act(60)
    expected: list[str] = []
    run: list[str] = []
    for name in [*cells, "stone"]:
        if name == "stone":
            expected += [*settle(run), "stone"]
            run = []
        else:
            run.append(name)
    assert column(arena, 5, 5, 0, 12) == expected[:-1]
    assert int(arena.clock[Clock.FALL_COUNT, 0]) == 0


def settle(run: list[str]) -> list[str]:
    """What a stretch of a column without stone becomes: falling things below, plants crushed where they pass."""
    cells = list(run)
    moved = True
    while moved:
        moved = False
        for z in range(1, len(cells)):
            if cells[z] in ("sand", "gravel") and cells[z - 1] not in ("sand", "gravel"):
                cells[z - 1], cells[z] = cells[z], "air"
                # Plants that stood on what has gone go too.
                above = z + 1
                while above < len(cells) and cells[above] in ("tall_grass", "red_flower"):
                    cells[above] = "air"
                    above += 1
                moved = True
    return cells


@pytest.fixture(scope="module")
def make_arena_once():
    from ..conftest import Arena

    return Arena(1)


def test_water_closes_over_what_falls_through_it(arena):
    arena.fill("water", range(3, 6), range(3, 6), range(4))
    arena.set("sand", 4, 4, 6)
    wake(arena, 4, 4, 6)
    arena.act(30)
    assert column(arena, 4, 4, 0, 7) == ["sand", "water", "water", "water", "air", "air", "air"]


def test_a_torch_is_crushed_and_no_longer_listed(arena):
    arena.set("torch", 4, 4, 0)
    arena.set("gravel", 4, 4, 3)
    wake(arena, 4, 4, 3)
    arena.act(20)
    assert column(arena, 4, 4, 0, 4) == ["gravel", "air", "air", "air"]
    assert (arena.fixtures == -1).all()


def test_what_stood_on_falling_sand_breaks(arena):
    arena.set("sand", 4, 4, 3)
    arena.set("cactus", 4, 4, 4)
    arena.set("cactus", 4, 4, 5)
    wake(arena, 4, 4, 3)
    arena.act(20)
    assert column(arena, 4, 4, 0, 6) == ["sand", "air", "air", "air", "air", "air"]
    assert int(arena.counts[0, ITEM_ID["cactus"]]) == 0, "nobody broke it, nobody gets it"


def test_sand_on_the_head_suffocates(arena):
    for z in range(2, 5):
        arena.set("sand", 0, 0, z)
    wake(arena, 0, 0, 2)
    arena.act(60)
    assert arena.get(0, 0, 1) == "sand"
    assert int(arena.body[Body.HEALTH, 0]) < 20


def test_more_than_a_tick_can_see_to_waits_its_turn(arena):
    """Forty columns at once: each tick moves some, all come down, in the order in which they were touched."""
    places = [(x, y) for x in range(8, 16) for y in range(8, 13)]
    assert len(places) > 2 * CELLS_A_TICK
    for x, y in places:
        arena.set("sand", x, y, 1)
        wake(arena, x, y, 1)
    arena.act(2)
    down = [arena.get(x, y, 0) == "sand" for x, y in places]
    assert down == [True] * CELLS_A_TICK + [False] * (len(places) - CELLS_A_TICK)
    arena.act(10)
    assert all(arena.get(x, y, 0) == "sand" for x, y in places)


def test_a_full_ring_only_delays(arena):
    """What finds no room is counted, and found again by a sweep over the changed cells once there is room."""
    due = wp.to_torch(arena.world.state.pending_due)
    due[0, :MAX_PENDING] = 2**30
    arena.clock[Clock.FALL_COUNT, 0] = MAX_PENDING
    arena.set("stone", 0, 2, 1)
    arena.give("sand")
    arena.act(choice="place_sand")
    arena.act(100)
    assert arena.get(0, 1, 1) == "sand", "no room: it hangs"
    assert int(arena.clock[Clock.OVERFLOWS, 0]) > 0
    assert int(arena.clock[Clock.SWEEP, 0]) > 0
    due[0, :MAX_PENDING] = 0
    arena.act(MAX_PENDING // CELLS_A_TICK + 100)
    assert arena.get(0, 1, 0) == "sand", "and comes down later"
    assert int(arena.clock[Clock.SWEEP, 0]) == 0
    assert not bool(wp.to_torch(arena.world.state.pending_cell).any())


def test_falling_goes_on_when_the_strip_comes_back_into_view():
    from ..test_journal import Walker

    walker = Walker()
    x, y = walker.at()
    walker.set(x, y, 62, SAND)
    for z in range(33, 62):
        walker.set(x, y, z, AIR)
    cell = ((x % 64) * 64 + y % 64) * 64 + 62
    pending, due = (wp.to_torch(array) for array in (walker.world.state.pending_cell, walker.world.state.pending_due))
    pending[0, 0], due[0, 0] = cell, 2**30
    walker.clock[Clock.FALL_COUNT, 0] = 1
    walker.go(4, 0, 30)
    assert int(walker.clock[Clock.FALL_COUNT, 0]) == 0
    assert not bool(pending.any())
    walker.go(-4, 0, 30)
    for _ in range(40):
        walker.go(0, 0)
    heights = [z for z in range(64) if int(walker.blocks[0, x % 64, y % 64, z]) == SAND and z > 20]
    assert max(heights) < 62, "it was noted again and fell"


def test_digging_anywhere_conserves_what_falls():
    """Random diggers in a desert of sand over holes: no sand or gravel appears or goes but into the inventories."""
    from farlands.worlds.voxel.actions import FLAT_ACTION_ID
    from farlands.worlds.voxel.options import VoxelOptions
    from farlands.worlds.voxel.world import VoxelWorld

    world = VoxelWorld(4, VoxelOptions(window=32, endless=False, mining_speed=50, hunger=False))
    world.reset(1)
    blocks = wp.to_torch(world.state.blocks).view(4, 32, 32, 64)
    generator = torch.Generator().manual_seed(0)
    hollow = torch.rand(blocks.shape, generator=generator) < 0.3
    blocks[..., 20:45] = torch.where(hollow[..., 20:45], AIR, SAND).to(torch.uint8)
    counts = wp.to_torch(world.state.counts)

    def total() -> int:
        return int((blocks == SAND).sum()) + int(counts[:, ITEM_ID["sand"]].sum())

    before = total()
    chosen = [FLAT_ACTION_ID[name] for name in ("attack", "look_down", "attack", "turn_right_45", "forward", "attack")]
    health = wp.to_torch(world.state.body)[Body.HEALTH]
    for t in range(200):
        health.fill_(20)
        out = world.step(torch.full((4,), chosen[t // 3 % len(chosen)], dtype=torch.int32))
        assert not bool((out.terminated | out.truncated).any())
        assert total() == before
    assert int(counts[:, ITEM_ID["sand"]].sum()) > 3, "they dug"


def test_only_sand_gravel_and_lit_tnt_fall():
    assert [block.name for block in BLOCKS if block.falls] == ["sand", "gravel", "lit_tnt"]
    assert all(block.shape == Shape.CUBE for block in BLOCKS if block.falls)
    assert np.all([SAND, GRAVEL, STONE])
