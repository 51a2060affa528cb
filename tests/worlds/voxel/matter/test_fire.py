"""Fire: what burns away and what does not, how it ends, whom it hurts, and what lights it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import Hand
from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS
from farlands.worlds.voxel.matter.fire import DIES_ONE_IN, FIRE_DELAY
from farlands.worlds.voxel.matter.pending import SWEPT_PARTS
from farlands.worlds.voxel.state import Body, Cause, Clock

from .test_fluids import at_rest, count, touch


@pytest.fixture
def arena(make_arena):
    arena = make_arena(1)
    arena.stand(-25.5, -25.5, 0)
    return arena


def kindle(arena, x: int, y: int, z: int) -> None:
    arena.set("fire", x, y, z)
    touch(arena, x, y, z)


def burn(arena, ticks: int) -> int:
    """Until everything is at rest; how many ticks that took."""
    for tick in range(0, ticks, 20):
        if at_rest(arena):
            return tick
        arena.act(20)
    return ticks


def test_a_wooden_hut_burns_down_and_the_stone_around_it_stays(make_arena):
    arena = make_arena(4)
    arena.stand(-25.5, -25.5, 0)
    arena.fill("planks", range(5, 11), range(5, 11), range(5))
    arena.fill("air", range(6, 10), range(6, 10), range(4))
    arena.fill("stone", range(11, 12), range(4, 12), range(6))
    arena.fill("planks", range(12, 14), range(5, 11), range(5))
    stone = (arena.blocks == BLOCK_ID["stone"]).clone()
    for w in arena.rows:
        arena.set("fire", 6, 6, 0, w)
        touch(arena, 6, 6, 0, w)
    arena.act(8_000)
    assert not bool(arena.clock[Clock.FIRE_COUNT].any())
    left = (arena.blocks[:, 5:11, 5:11, 32:37] == BLOCK_ID["planks"]).sum((1, 2, 3)).tolist()
    # A single small fire may go out before it spreads.
    assert sorted(left)[2] < 20, "most of 116 planks, in most huts"
    assert torch.equal(arena.blocks == BLOCK_ID["stone"], stone)
    assert not bool((arena.blocks == BLOCK_ID["fire"]).any())


def test_a_hut_burns_to_the_last_plank_if_lit_again_where_it_went_out(arena):
    arena.fill("planks", range(5, 8), range(5, 8), range(3))
    for _ in range(40):
        left = np.argwhere((arena.blocks[0] == BLOCK_ID["planks"]).numpy())
        if not len(left):
            break
        x, y, z = left[-1]
        kindle(arena, int(x), int(y), int(z) - 31)
        burn(arena, 40_000)
    assert count(arena, "planks") == 0


def test_without_fuel_it_lasts_as_long_as_its_chance_says(make_arena):
    """Fires on bare stone: a geometric number of looks, against four standard deviations at several times."""
    arena = make_arena(16)
    arena.stand(-25.5, -25.5, 0)
    places = [(x, y) for x in range(-8, 12, 4) for y in range(0, 12, 4)]
    for w in arena.rows:
        for x, y in places:
            arena.blocks[w, x % 64, y % 64, 32] = BLOCK_ID["fire"]
            touch(arena, x, y, 0, w)
    total = 16 * len(places)
    for looks in range(1, 13):
        arena.act(FIRE_DELAY + (2 if looks == 1 else 0))
        left = int((arena.blocks == BLOCK_ID["fire"]).sum())
        share = (1 - 1 / DIES_ONE_IN) ** looks
        assert abs(left - total * share) < 4 * np.sqrt(total * share * (1 - share)) + 1, looks


@pytest.mark.parametrize("name", ["stone", "dirt", "glass", "cobblestone", "crafting_table", "obsidian"])
def test_what_does_not_burn(arena, name):
    arena.fill(name, range(7, 10), range(7, 10), range(3))
    before = count(arena, name)
    arena.set("air", 8, 8, 2)
    kindle(arena, 8, 8, 2)
    burn(arena, 5_000)
    assert count(arena, name) == before - 1


def test_every_block_that_burns_is_named():
    assert {block.name for block in BLOCKS if block.burns} == {
        "planks", "oak_log", "spruce_log", "oak_leaves", "spruce_leaves", "wool", "tall_grass", "red_flower",
        "yellow_flower", "tnt",
    }  # fmt: skip
    assert all((block.burns > 0) == (block.catches > 0) for block in BLOCKS)


def test_grass_fire_runs_over_a_meadow(arena):
    for x in range(12):
        for y in range(12):
            arena.set("grass", x, y, -1)
            arena.set("tall_grass", x, y, 0)
    kindle(arena, 5, 12, 0)
    burn(arena, 20_000)
    assert count(arena, "tall_grass") < 72


def test_water_puts_it_out(arena):
    arena.fill("planks", range(17), range(18), range(1))
    kindle(arena, 8, 8, 1)
    arena.set("water", 8, 9, 1)
    touch(arena, 8, 9, 1)
    arena.act(12)
    assert BLOCKS[int(arena.blocks[0, 8, 8, 33])].fluid == 1
    assert arena.get(8, 8, 0) == "planks"


def test_what_holds_it_gone_it_goes(arena):
    arena.set("stone", 8, 8, 0)
    kindle(arena, 8, 8, 1)
    arena.act(3)
    assert arena.get(8, 8, 1) == "fire"
    arena.set("air", 8, 8, 0)
    touch(arena, 8, 8, 0)
    arena.act(2)
    assert arena.get(8, 8, 1) == "air"


def test_it_hurts_a_point_every_ten_ticks_and_sets_alight(make_arena):
    arena = make_arena(1, hunger=False)
    arena.put_body(FOOD=10)
    arena.fill("fire", range(1), range(1), range(1))
    arena.act(40)
    assert int(arena.health()[0]) == 16
    assert int(arena.body[Body.FIRE, 0]) > 100
    arena.stand(5.5, 5.5, 0)
    before = int(arena.health()[0])
    arena.act(60)
    assert int(arena.health()[0]) < before, "it burns on"
    arena.body[Body.HEALTH] = 1
    arena.act(60)
    assert arena.world.drain_episodes().cause.tolist() == [Cause.FIRE.name.lower()]


def test_flint_and_steel_lights_the_free_cell_and_wears(make_arena):
    arena = make_arena(1)
    arena.set("planks", 0, 2, 1)
    arena.hold("flint_and_steel")
    assert arena.look()["action_mask"][0].tolist()
    arena.act(hand=Hand.USE)
    assert arena.get(0, 1, 1) == "fire"
    assert int(arena.slot_wear[0].max()) == 1
    assert int(arena.clock[Clock.FIRE_COUNT, 0]) == 1


def test_lava_lights_wood_above_it_and_nothing_else(make_arena):
    arena = make_arena(4)
    arena.stand(-25.5, -25.5, 0)
    for w in arena.rows:
        arena.set("lava", 8, 8, -1, w)
        arena.set("planks" if w % 2 == 0 else "cobblestone", 9, 8, 0, w)
        touch(arena, 8, 8, -1, w)
    lit = torch.zeros(4, dtype=torch.bool)
    for _ in range(400):
        arena.act(20)
        lit |= (arena.blocks == BLOCK_ID["fire"]).any(-1).any(-1).any(-1)
    assert lit.tolist() == [True, False, True, False]
    assert arena.clock[Clock.LAVA_COUNT].tolist()[1::2] == [0, 0], "with nothing to burn it is at rest"


def test_fire_beside_tnt_lights_it(arena):
    arena.set("tnt", 8, 8, 0)
    kindle(arena, 9, 8, 0)
    arena.act(2)
    assert arena.get(8, 8, 0) == "lit_tnt"


def test_more_fires_than_the_ring_holds_are_seen_to_later(arena):
    edited = wp.to_torch(arena.world.state.edited)
    for x in range(28):
        for y in range(28):
            arena.blocks[0, x, y, 32] = BLOCK_ID["fire"]
            edited[0, x * 64 + y] |= 1 << 32
    arena.clock[Clock.SWEEP, 0] = 64 * 64 * SWEPT_PARTS
    assert burn(arena, 30_000) < 30_000
    assert count(arena, "fire") == 0
