"""Saplings: how long they wait, where they can grow, and that what grew is a change to the land like any other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.options import GROWTH_TICKS, VoxelOptions
from farlands.worlds.voxel.state import MAX_GROWING, Clock
from farlands.worlds.voxel.world import VoxelWorld

LOGS = {"oak_sapling": "oak_log", "spruce_sapling": "spruce_log"}


def plant(arena, name: str, x: int, y: int, world: int = 0) -> None:
    """A sapling on grass, listed as the kernels list it."""
    arena.set("grass", x, y, -1, world)
    arena.set(name, x, y, 0, world)
    count = int(arena.clock[Clock.GROWING_COUNT, world])
    growing = wp.to_torch(arena.world.state.growing)
    growing[world, count] = ((x % arena.side) * arena.side + y % arena.side) * 64 + 32
    arena.clock[Clock.GROWING_COUNT, world] = count + 1


@pytest.mark.parametrize("name", LOGS)
def test_a_sapling_becomes_a_tree(make_arena, name):
    arena = make_arena(1, growth_rate=GROWTH_TICKS / 2)
    plant(arena, name, 5, 5)
    for _ in range(40):
        arena.act()
    assert arena.get(5, 5, 0) == LOGS[name]
    assert arena.get(5, 5, -1) == "dirt"
    leaves = name.replace("sapling", "leaves")
    around = [arena.get(5 + i, 5 + j, z) for i in (-1, 0, 1) for j in (-1, 0, 1) for z in range(10)]
    assert around.count(leaves) > 10
    assert int(arena.clock[Clock.GROWING_COUNT, 0]) == 0
    assert not bool(wp.to_torch(arena.world.state.growing).any())


def test_the_mean_wait_is_that_of_random_ticks():
    """Sixteen saplings in each of many worlds, drawn every tick: a geometric wait with the mean that was asked for."""
    rate, worlds, ticks = 600.0, 64, 240
    world = VoxelWorld(worlds, VoxelOptions(growth_rate=rate, ticks_per_step=1, endless=False, hunger=False))
    world.reset(3)
    blocks = wp.to_torch(world.state.blocks).view(worlds, 64, 64, 64)
    clock, growing = wp.to_torch(world.state.clock), wp.to_torch(world.state.growing)
    wp.to_torch(world.state.tops).fill_(40)
    blocks[..., 40:] = 0
    blocks[..., 39] = BLOCK_ID["grass"]
    # Rows and columns of the array are the window's modulo its side; the middle of the window is far from both seams.
    places = [(i, j) for i in range(4) for j in range(4)]
    for w in range(worlds):
        x0, y0 = int(clock[Clock.ORIGIN_X, w]), int(clock[Clock.ORIGIN_Y, w])
        for k, (i, j) in enumerate(places):
            x, y = (x0 + 10 + 12 * i) % 64, (y0 + 10 + 12 * j) % 64
            blocks[w, x, y, 40] = BLOCK_ID["oak_sapling"]
            growing[w, k] = (x * 64 + y) * 64 + 40
        clock[Clock.GROWING_COUNT, w] = len(places)
    world.relight()
    left = []
    for _ in range(ticks):
        world.step(torch.zeros(worlds, dtype=torch.int32))
        left.append(int((blocks[..., 40] == BLOCK_ID["oak_sapling"]).sum()))
    total, mean = worlds * len(places), GROWTH_TICKS / rate
    expected = total * (1 - 1 / mean) ** np.arange(1, ticks + 1)
    # Four standard deviations of a binomial count at every tick looked at.
    for t in (5, 15, 31, 62, 124):
        share = expected[t - 1] / total
        assert abs(left[t - 1] - expected[t - 1]) < 4 * np.sqrt(total * share * (1 - share)) + 1, t


@pytest.mark.parametrize("what", ["roof", "crowded", "edge", "night"])
def test_without_room_or_light_it_waits(make_arena, what):
    arena = make_arena(1, growth_rate=GROWTH_TICKS)
    x = -31 if what == "edge" else 5
    plant(arena, "oak_sapling", x, 5)
    if what == "roof":
        for i in range(-8, 9):
            for j in range(-8, 9):
                arena.set("stone", x + i, 5 + j, 12)
    elif what == "night":
        arena.clock[Clock.TIME] = 18_000
    elif what == "crowded":
        arena.set("glass", x, 5, 3)
    for _ in range(20):
        arena.act()
    assert arena.get(x, 5, 0) == "oak_sapling"
    if what == "crowded":
        arena.set("air", x, 5, 3)
        arena.act(3)
        assert arena.get(x, 5, 0) == "oak_log", "as soon as there is room"
    if what in ("roof", "night"):
        arena.set("torch", x + 3, 5, 0)
        arena.act(3)
        assert arena.get(x, 5, 0) == "oak_log", "by torchlight"


@pytest.mark.parametrize(("steps", "grows"), [(5, True), (6, False)])
def test_nine_levels_of_light_are_enough(make_arena, steps, grows):
    arena = make_arena(1, growth_rate=GROWTH_TICKS, start_time=18_000)
    plant(arena, "spruce_sapling", 5, 5)
    arena.set("torch", 5 + steps, 5, 0)
    arena.act(3)
    assert (arena.get(5, 5, 0) == "spruce_log") == grows


def test_planted_by_hand_it_is_listed_and_broken_it_is_not(make_arena):
    arena = make_arena(1)
    arena.set("grass", 0, 2, 0)
    arena.set("stone", 0, 3, 1)
    arena.give("oak_sapling")
    arena.act(choice="place_oak_sapling")
    planted = [(0, y, z) for y in range(1, 4) for z in range(3) if arena.get(0, y, z) == "oak_sapling"]
    assert len(planted) == 1
    assert int(arena.clock[Clock.GROWING_COUNT, 0]) == 1
    from farlands.worlds.voxel.actions import Hand

    arena.act(3, hand=Hand.ATTACK)
    assert arena.get(*planted[0]) == "air"
    assert int(arena.clock[Clock.GROWING_COUNT, 0]) == 0


def test_a_full_list_leaves_a_sapling_a_sapling(make_arena):
    arena = make_arena(1, growth_rate=0.0)
    arena.clock[Clock.GROWING_COUNT, 0] = MAX_GROWING
    arena.set("grass", 0, 2, 0)
    arena.set("stone", 0, 3, 1)
    arena.give("oak_sapling")
    arena.act(choice="place_oak_sapling")
    assert int(arena.clock[Clock.GROWING_COUNT, 0]) == MAX_GROWING


def test_a_grown_tree_is_remembered_when_the_window_leaves():
    from ..test_journal import Walker

    walker = Walker(growth_rate=GROWTH_TICKS)
    x, y = walker.at()
    for i in range(-3, 4):
        for j in range(-3, 4):
            for z in range(40, 64):
                walker.set(x + i, y + j, z, 0)
    walker.set(x, y, 49, BLOCK_ID["grass"])
    walker.set(x, y, 50, BLOCK_ID["oak_sapling"])
    growing = wp.to_torch(walker.world.state.growing)
    growing[0, 0] = ((x % 64) * 64 + y % 64) * 64 + 50
    walker.clock[Clock.GROWING_COUNT, 0] = 1
    wp.to_torch(walker.world.state.tops)[0, (x % 64) * 64 + y % 64] = 50
    walker.world.relight()
    walker.go(0, 0, 2)
    log = BLOCK_ID["oak_log"]
    trunk = [z for z in range(64) if int(walker.blocks[0, x % 64, y % 64, z]) == log]
    assert len(trunk) >= 4
    walker.go(4, 0, 40)
    walker.go(-4, 0, 40)
    assert [z for z in range(64) if int(walker.blocks[0, x % 64, y % 64, z]) == log] == trunk


def test_a_sapling_left_behind_grows_on_when_it_is_seen_again():
    from ..test_journal import Walker

    walker = Walker(growth_rate=0.0)
    x, y = walker.at()
    walker.set(x, y, 49, BLOCK_ID["grass"])
    walker.set(x, y, 50, BLOCK_ID["oak_sapling"])
    growing = wp.to_torch(walker.world.state.growing)
    cell = ((x % 64) * 64 + y % 64) * 64 + 50
    growing[0, 0] = cell
    walker.clock[Clock.GROWING_COUNT, 0] = 1
    walker.go(4, 0, 40)
    assert int(walker.clock[Clock.GROWING_COUNT, 0]) == 0
    assert not bool(growing.any())
    walker.go(-4, 0, 40)
    assert int(walker.clock[Clock.GROWING_COUNT, 0]) == 1
    assert int(growing[0, 0]) == cell


@pytest.mark.parametrize("rate", [-1.0, 1e6, float("nan")])
def test_rates_that_cannot_be_are_refused(rate):
    with pytest.raises(ValueError, match="growth_rate"):
        VoxelWorld(1, VoxelOptions(growth_rate=rate, window=32))
