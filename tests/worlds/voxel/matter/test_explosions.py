"""TNT: fuses, chains, what a blast breaks and what stops it, and what it costs a body."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.actions import Hand
from farlands.worlds.voxel.blocks import AIR, BLOCK_ID
from farlands.worlds.voxel.matter.explosions import explode
from farlands.worlds.voxel.state import MAX_FUSES, POSITION_ONE, Body, Cause, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import Tables

from .test_fluids import touch


@kernel
def _explode_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    at: wp.vec3i,
    power: int,
    # Out
    s: VoxelState,
):
    explode(s, t, rules, wp.tid(), at[0], at[1], at[2], power)


def blast(arena, x: float, y: float, z: float, power: int) -> None:
    """Explode in every world, at arena coordinates in blocks."""
    at = wp.vec3i(*(round(v * POSITION_ONE) for v in (x, y, z + 32)))
    world = arena.world
    wp.launch(
        _explode_kernel, world.num_worlds, [world._launcher.tables, world._launcher.rules, at, power], [world.state],
        device="cpu",
    )  # fmt: skip


@pytest.fixture
def arena(make_arena):
    arena = make_arena(1)
    arena.stand(-25.5, -25.5, 0)
    return arena


def hole(arena, world: int = 0) -> int:
    """How many cells of the floor are open."""
    return int((arena.blocks[world, :, :, 1:32] == AIR).sum())


def test_lit_by_hand_it_explodes_after_eighty_ticks(make_arena):
    arena = make_arena(1)
    arena.set("tnt", 0, 2, 1)
    arena.hold("flint_and_steel")
    arena.act(hand=Hand.USE)
    assert arena.get(0, 2, 1) == "lit_tnt"
    assert int(arena.slot_wear[0].max()) == 1
    assert int(arena.clock[Clock.FUSE_COUNT, 0]) == 1
    arena.stand(-25.5, -25.5, 0)
    arena.act(78)
    assert hole(arena) == 0
    arena.act(2)
    assert hole(arena) > 5
    assert arena.get(0, 2, 0) == "air"
    assert int(arena.clock[Clock.FUSE_COUNT, 0]) == 0
    assert int(arena.body[Body.HEALTH, 0]) == 20, "far away"


def test_lit_tnt_falls_like_sand_with_its_fuse(make_arena):
    arena = make_arena(1)
    arena.set("tnt", 0, 2, 1)
    arena.hold("flint_and_steel")
    arena.act(hand=Hand.USE)
    arena.stand(-25.5, -25.5, 0)
    arena.act(6)
    assert [arena.get(0, 2, z) for z in (0, 1)] == ["lit_tnt", "air"]
    arena.act(76)
    assert hole(arena) > 5
    assert not bool((arena.blocks == BLOCK_ID["lit_tnt"]).any())


def test_a_row_of_ten_goes_up_one_after_the_other(arena):
    for k in range(10):
        arena.set("tnt", -8 + 2 * k, 8, 0)
    arena.set("lava", -9, 8, 0)
    touch(arena, -9, 8, 0)
    ends = []
    for tick in range(1, 500):
        before = int((arena.blocks[0] == BLOCK_ID["tnt"]).sum() + (arena.blocks[0] == BLOCK_ID["lit_tnt"]).sum())
        arena.act()
        after = int((arena.blocks[0] == BLOCK_ID["tnt"]).sum() + (arena.blocks[0] == BLOCK_ID["lit_tnt"]).sum())
        if after < before:
            ends.append(tick)
            assert after == before - 1, "each lights others, none is lost"
    assert len(ends) == 10
    assert ends[0] in (81, 82)
    assert all(later - earlier <= 31 for earlier, later in itertools.pairwise(ends))
    assert ends[-1] > ends[0] + 30


def test_more_tnt_than_fuses_is_blown_away(arena):
    arena.fill("tnt", range(6), range(6), range(6))
    blast(arena, 3.5, 3.5, 6.5, 4)
    lit = int((arena.blocks[0] == BLOCK_ID["lit_tnt"]).sum())
    assert lit == int(arena.clock[Clock.FUSE_COUNT, 0]) == MAX_FUSES
    arena.act(2500)
    assert not bool((arena.blocks == BLOCK_ID["lit_tnt"]).any())
    assert int(arena.clock[Clock.FUSE_COUNT, 0]) == 0


@pytest.mark.parametrize("name", ["bedrock", "obsidian", "water", "lava"])
def test_what_holds(arena, name):
    arena.fill(name, range(-20, 20), range(-20, 20), range(-6, 0))
    blast(arena, 0.5, 0.5, 0.5, 4)
    assert bool((arena.blocks[0, :20, :20, 26:32] == BLOCK_ID[name]).all())


def test_a_blast_in_water_breaks_nothing(arena):
    arena.set("water", 0, 0, 0)
    blast(arena, 0.5, 0.5, 0.5, 4)
    assert hole(arena) == 0


def test_behind_obsidian_there_is_shelter(arena):
    arena.fill("obsidian", range(3, 4), range(-10, 11), range(12))
    arena.fill("glass", range(4, 5), range(-10, 11), range(12))
    arena.fill("glass", range(-4, -3), range(-10, 11), range(12))
    blast(arena, 0.5, 0.5, 1.5, 4)
    assert bool((arena.blocks[0, 4, :11, 32:44] == BLOCK_ID["glass"]).all())
    open_side = arena.blocks[0, -4, [*range(11), *range(-10, 0)], 32:44]
    assert int((open_side == AIR).sum()) > 15


def reference_cells(power: int, resistance: float, luck: float) -> set[tuple[int, int, int]]:
    """Cells that a blast with the same luck everywhere breaks in solid ground, by walking the lines in floats."""
    reach = int(power * 1.3 / 0.75)
    broken = {(0, 0, 0)}
    span = range(-reach, reach + 1)
    for d in ((x, y, z) for x in span for y in span for z in span):
        layers = max(map(abs, d))
        length = math.dist(d, (0, 0, 0))
        if 0 < length <= reach:
            through = length * (layers - 1) / layers * (resistance + 0.3)
            left = power * luck - length * 0.75 - through - 0.3 * (resistance + 0.3)
            if left > 0:
                broken.add(d)
    return broken


@pytest.mark.parametrize(("name", "resistance"), [("dirt", 0.5), ("sand", 0.5), ("planks", 3.0), ("stone", 6.0)])
def test_how_much_of_what_is_broken(make_arena, name, resistance):
    """In uniform ground: all that the least luck breaks is gone, nothing beyond what the most can is."""
    arena = make_arena(1)
    arena.stand(-25.5, -25.5, 0)
    arena.fill(name, range(-9, 10), range(-9, 10), range(-20, -1))
    blast(arena, 0.5, 0.5, -10.5, 4)
    gone = {
        (x, y, z + 11)
        for x in range(-9, 10)
        for y in range(-9, 10)
        for z in range(-20, -1)
        if arena.get(x, y, z) == "air"
    }
    assert reference_cells(4, resistance, 0.699) <= gone <= reference_cells(4, resistance, 1.301)
    if resistance < 1:
        assert len(reference_cells(4, resistance, 0.7)) < len(gone) < len(reference_cells(4, resistance, 1.3))


def expected(distance: float, power: int, share: float = 1.0) -> float:
    impact = (1 - distance / (2 * power)) * share
    return (impact**2 + impact) / 2 * 7 * power + 1


@pytest.mark.parametrize("power", [3, 4])
@pytest.mark.parametrize("distance", [3.0, 4.5, 5.9])
def test_damage_in_the_open_follows_the_formula(arena, power, distance):
    arena.body[Body.HEALTH] = 100
    blast(arena, -25.5 + distance, -25.5, 0.5, power)
    lost = 100 - int(arena.body[Body.HEALTH, 0])
    # The blast is half a block above the feet.
    wanted = expected(math.hypot(distance, 0.5), power)
    assert abs(lost - wanted) <= 1.2
    assert int(arena.body[Body.VX, 0]) < 0, "thrown away from it"


def test_it_kills_with_a_cause_of_its_own(arena):
    blast(arena, -25.5, -24.5, 0.5, 4)
    assert int(arena.body[Body.HEALTH, 0]) == 0
    assert int(arena.body[Body.CAUSE, 0]) == Cause.EXPLOSION


def test_walls_shelter_and_beyond_twice_the_power_nobody_is_hurt(arena):
    arena.fill("obsidian", range(-24, -23), range(-30, -20), range(6))
    blast(arena, -21.5, -25.5, 0.5, 4)
    assert int(arena.body[Body.HEALTH, 0]) == 20
    blast(arena, -25.5 + 8.2, -25.5, 0.5, 4)
    assert int(arena.body[Body.HEALTH, 0]) == 20


def test_half_a_wall_shelters_by_half(arena):
    """A wall up to the hips: of the body's four layers of points the upper two are seen."""
    arena.body[Body.HEALTH] = 100
    arena.fill("obsidian", range(-25, -24), range(-27, -24), range(1))
    blast(arena, -22.5, -25.5, 0.9, 4)
    lost = 100 - int(arena.body[Body.HEALTH, 0])
    whole = expected(math.hypot(3.0, 0.9), 4)
    assert expected(3.1, 4, 0.2) < lost < whole - 1.5


def test_armour_counts(make_arena):
    arena = make_arena(2)
    arena.stand(-25.5, -25.5, 0)
    from farlands.worlds.voxel.items import ITEM_ID

    for k, piece in enumerate(("helmet", "chestplate", "leggings", "boots")):
        arena.armour_item[1, k] = ITEM_ID[f"diamond_{piece}"]
    blast(arena, -20.5, -25.5, 0.5, 4)
    bare, clad = (20 - int(arena.body[Body.HEALTH, r]) for r in (0, 1))
    assert 0 < clad < bare
    assert int(arena.armour_wear[1].min()) > 0


def test_luck_is_the_worlds_own_and_repeats(make_arena):
    arena = make_arena(2)
    arena.stand(-25.5, -25.5, 0)
    craters = []
    for _ in range(2):
        arena.clear()
        arena.stand(-25.5, -25.5, 0)
        arena.fill("dirt", range(-9, 10), range(-9, 10), range(-20, 0))
        blast(arena, 0.5, 0.5, 0.5, 4)
        craters.append(arena.blocks.clone())
    assert torch.equal(craters[0], craters[1])
    assert not torch.equal(craters[0][0], craters[0][1])
    assert np.all([hole(arena, w) > 30 for w in (0, 1)])


def test_what_hung_or_stood_on_blown_blocks_goes_too(arena):
    arena.fill("dirt", range(-9, 10), range(-9, 10), range(-6, 0))
    for x in range(-9, 10):
        for y in range(-9, 10):
            arena.set("grass", x, y, -1)
            arena.set("red_flower", x, y, 0)
    blast(arena, 0.5, 0.5, 1.5, 3)
    arena.act(40)
    for x in range(-9, 10):
        for y in range(-9, 10):
            if arena.get(x, y, 0) == "red_flower":
                assert arena.get(x, y, -1) == "grass", (x, y)


def test_a_fuse_rests_when_the_window_leaves_and_is_whole_when_it_comes_back():
    from ..test_journal import Walker

    walker = Walker()
    x, y = walker.at()
    cell = ((x % 64) * 64 + y % 64) * 64 + 50
    walker.set(x, y, 49, BLOCK_ID["obsidian"])
    walker.set(x, y, 50, BLOCK_ID["lit_tnt"])
    state = walker.world.state
    wp.to_torch(state.fuse_cell)[0, 0] = cell
    wp.to_torch(state.fuse_due)[0, 0] = 2**30
    walker.clock[Clock.FUSE_COUNT, 0] = 1
    walker.go(4, 0, 30)
    assert int(walker.clock[Clock.FUSE_COUNT, 0]) == 0
    walker.go(-4, 0, 20)
    for _ in range(40):
        if int(walker.clock[Clock.FUSE_COUNT, 0]):
            break
        walker.go(-1, 0)
    assert int(walker.clock[Clock.FUSE_COUNT, 0]) == 1
    assert int(wp.to_torch(state.fuse_cell)[0, 0]) == cell
    for _ in range(25):
        walker.go(0, 0)
    assert int(walker.blocks[0, x % 64, y % 64, 50]) == AIR
