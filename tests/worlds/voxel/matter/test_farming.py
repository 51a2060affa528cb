"""Fields from the hoe to the loaf; how fast wheat ripens; bone meal and buckets; and that the mask knows every use."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID
from farlands.worlds.voxel.actions import FACTORED_SIZES, Camera, Hand, Jump
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.options import RANDOM_TICKS
from farlands.worlds.voxel.state import Body, Clock

from .test_fluids import touch

SOONEST = RANDOM_TICKS
"""The growth rate at which everything listed is looked at every tick."""


def note_growing(arena, cells: list[tuple[int, int, int]], world: int = 0) -> None:
    """List cells as the kernels do."""
    growing = wp.to_torch(arena.world.state.growing)
    count = int(arena.clock[Clock.GROWING_COUNT, world])
    for k, (x, y, z) in enumerate(cells):
        growing[world, count + k] = ((x % arena.side) * arena.side + y % arena.side) * 64 + z + 32
    arena.clock[Clock.GROWING_COUNT, world] = count + len(cells)


def can_use(arena, row: int = 0) -> bool:
    return bool(arena.look()["action_mask"][row][sum(FACTORED_SIZES[:3]) + Hand.USE])


def look_down(arena, steps: int) -> None:
    for _ in range(steps):
        arena.act(camera=Camera.DOWN)


def test_from_the_hoe_to_the_loaf(make_arena):
    """Every step by an action: till, sow, wait, reap, bake; the achievements come."""
    arena = make_arena(1, growth_rate=200.0)
    for x in range(-4, 5):
        for y in range(-4, 5):
            arena.set("grass", x, y, -1)
    arena.set("water", 3, 0, -1)
    arena.give("wheat_seeds", 3)
    arena.hold("stone_hoe")
    look_down(arena, 3)
    for turn in range(3):
        assert can_use(arena)
        arena.act(hand=Hand.USE)
        assert int(
            (arena.blocks[0] == BLOCK_ID["farmland"]).sum() + (arena.blocks[0] == BLOCK_ID["wet_farmland"]).sum()
        )
        arena.act(choice="place_wheat_seeds")
        for _ in range(2 if turn < 2 else 0):
            arena.act(camera=Camera.RIGHT_45)
    plots = np.argwhere((arena.blocks[0, :, :, 32] == BLOCK_ID["wheat_0"]).numpy())
    assert len(plots) == 3
    arena.act(1500)
    assert int((arena.blocks[0] == BLOCK_ID["ripe_wheat"]).sum()) == 3
    assert int((arena.blocks[0] == BLOCK_ID["wet_farmland"]).sum()) == 3
    for turn in range(3):
        arena.act(2, hand=Hand.ATTACK)
        for _ in range(2 if turn < 2 else 0):
            arena.act(camera=Camera.LEFT_45)
    assert int(arena.count("wheat")[0]) == 3
    assert 3 <= int(arena.count("wheat_seeds")[0]) <= 12
    arena.set("crafting_table", -2, -2, 0)
    arena.act(choice="craft_bread")
    assert int(arena.count("bread")[0]) == 1
    assert int(arena.count("wheat")[0]) == 0
    for name in ("till", "place_seeds", "collect_wheat", "make_bread"):
        assert int(arena.unlocked[0, ACHIEVEMENT_ID[name]]) > 0, name
    arena.check_inventory()


@pytest.mark.parametrize(("above", "soil", "tills"), [
    ("air", "grass", True), ("air", "dirt", True), ("glass", "dirt", False), ("air", "sand", False),
    ("air", "farmland", False), ("tall_grass", "grass", False),
])  # fmt: skip
def test_what_a_hoe_tills(make_arena, above, soil, tills):
    arena = make_arena(1)
    arena.set(soil, 0, 2, 1)
    arena.set(above, 0, 2, 2)
    arena.hold("iron_hoe")
    assert can_use(arena) == tills
    arena.act(hand=Hand.USE)
    assert arena.get(0, 2, 1) == ("farmland" if tills or soil == "farmland" else soil)
    assert int(arena.slot_wear[0].max()) == int(tills)


def test_a_hand_or_another_tool_tills_nothing(make_arena):
    arena = make_arena(1)
    arena.set("grass", 0, 2, 1)
    arena.give("iron_hoe")
    arena.hold("iron_shovel")
    assert not can_use(arena)
    arena.act(hand=Hand.USE)
    assert arena.get(0, 2, 1) == "grass"


@pytest.mark.parametrize(("water", "wets"), [
    ((4, 4, 0), True), ((4, -4, 1), True), ((5, 0, 0), False), ((4, 4, 2), False), ((1, 0, -1), False),
])  # fmt: skip
def test_water_within_four_blocks_wets_farmland_and_without_it_is_dirt_again(make_arena, water, wets):
    arena = make_arena(1, growth_rate=SOONEST)
    arena.stand(-25.5, -25.5, 0)
    arena.set("farmland", 8, 8, 5)
    arena.set("water", 8 + water[0], 8 + water[1], 5 + water[2])
    note_growing(arena, [(8, 8, 5)])
    arena.act(2)
    assert arena.get(8, 8, 5) == ("wet_farmland" if wets else "dirt")
    if wets:
        arena.set("air", 8 + water[0], 8 + water[1], 5 + water[2])
        arena.act(1)
        assert arena.get(8, 8, 5) == "farmland"
        arena.act(1)
        assert arena.get(8, 8, 5) == "dirt"
        assert int(arena.clock[Clock.GROWING_COUNT, 0]) == 0


def test_crops_keep_dry_farmland_and_a_block_on_it_does_not(make_arena):
    arena = make_arena(1, growth_rate=SOONEST)
    arena.stand(-25.5, -25.5, 0)
    arena.set("farmland", 8, 8, 0)
    arena.set("wheat_0", 8, 8, 1)
    note_growing(arena, [(8, 8, 0)])
    arena.act(5)
    assert arena.get(8, 8, 0) == "farmland"
    arena.set("stone", 8, 8, 1)
    touch(arena, 8, 8, 1)
    arena.act(1)
    assert arena.get(8, 8, 0) == "dirt"


def test_a_jump_tramples_it_and_a_walk_does_not(make_arena):
    arena = make_arena(1, growth_rate=0.0)
    arena.fill("wet_farmland", range(-2, 3), range(-2, 3), range(-1, 0))
    arena.set("wheat_3", 0, 0, 0)
    arena.act(5)
    assert arena.get(0, 0, -1) == "wet_farmland"
    arena.act(15, jump=Jump.YES)
    arena.act(15)
    assert arena.get(0, 0, -1) == "dirt"
    assert arena.get(0, 0, 0) == "air", "what grew on it is gone"


def points(arena, x: int, y: int) -> float:
    """The f of the genre's growth rule, written in floats."""
    f = 1.0
    wheat = {(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if "wheat" in arena.get(x + dx, y + dy, 0)}
    for dx in (-1, 0, 1):
        for dy in (-1, 0, 1):
            worth = {"farmland": 1.0, "wet_farmland": 3.0}.get(arena.get(x + dx, y + dy, -1), 0.0)
            f += worth if dx == dy == 0 else worth / 4
    diagonal = any((dx, dy) in wheat for dx in (-1, 1) for dy in (-1, 1))
    both = any((dx, 0) in wheat for dx in (-1, 1)) and any((0, dy) in wheat for dy in (-1, 1))
    return f / 2 if diagonal or both else f


FIELDS = {
    "alone and dry": ["...", ".d.", "..."],
    "alone and wet": ["...", ".w.", "..."],
    "rows": ["www", "WWW", "www"],
    "square": ["WWW", "WWW", "WWW"],
    "mixed": ["dw.", ".w.", "W.d"],
}
"""d, w: dry and wet farmland; capitals and the middle carry wheat."""


@pytest.mark.parametrize("name", FIELDS)
def test_wheat_ripens_with_the_genres_chance(make_arena, name):
    """The same field in many worlds, looked at every tick: the first growth is geometric with chance 1/(25/f + 1)."""
    arena = make_arena(32, growth_rate=SOONEST)
    arena.stand(-25.5, -25.5, 0)
    spots = [(x, y) for x in (-12, -6, 0, 6, 12) for y in (-6, 0, 6, 12)]
    soils = {"d": "farmland", "w": "wet_farmland"}
    for sx, sy in spots:
        for dx, row in enumerate(FIELDS[name]):
            for dy, letter in enumerate(row):
                x, y = sx + dx - 1, sy + dy - 1
                if letter != ".":
                    arena.blocks[:, x % 64, y % 64, 31] = BLOCK_ID[soils[letter.lower()]]
                if letter.isupper() or dx == dy == 1:
                    arena.blocks[:, x % 64, y % 64, 32] = BLOCK_ID["wheat_3"]
    for w in arena.rows:
        note_growing(arena, [(x, y, 0) for x, y in spots], w)
    chance = 1 / (int(25 / points(arena, *spots[0])) + 1)
    total = 32 * len(spots)
    middle = torch.stack([arena.blocks[:, x % 64, y % 64, 32] for x, y in spots])
    assert bool((middle == BLOCK_ID["wheat_3"]).all())
    for tick in range(1, 7):
        arena.act()
        middle = torch.stack([arena.blocks[:, x % 64, y % 64, 32] for x, y in spots])
        left = int((middle == BLOCK_ID["wheat_3"]).sum())
        share = (1 - chance) ** tick
        assert abs(left - total * share) < 4 * np.sqrt(total * share * (1 - share)) + 1, tick


def test_how_often_it_is_looked_at_is_that_of_random_ticks(make_arena):
    """Dry plots far from water turn to dirt at their first look: geometric, with the mean of a random tick / rate."""
    rate = 20.0
    arena = make_arena(16, growth_rate=rate)
    arena.stand(-25.5, -25.5, 0)
    spots = [(x, y) for x in range(-12, 13, 3) for y in range(0, 13, 3)]
    for w in arena.rows:
        for x, y in spots:
            arena.blocks[w, x % 64, y % 64, 31] = BLOCK_ID["farmland"]
        note_growing(arena, [(x, y, -1) for x, y in spots], w)
    total, ticks = 16 * len(spots), 0
    for span in (10, 20, 30, 40, 60):
        arena.act(span)
        ticks += span
        left = int((arena.blocks == BLOCK_ID["farmland"]).sum())
        share = (1 - rate / RANDOM_TICKS) ** ticks
        assert abs(left - total * share) < 4 * np.sqrt(total * share * (1 - share)) + 1, ticks


@pytest.mark.parametrize("torch", [False, True])
def test_in_the_dark_nothing_ripens_and_by_torchlight_it_does(make_arena, torch):
    arena = make_arena(1, growth_rate=SOONEST)
    arena.stand(-25.5, -25.5, 0)
    # In a pit with a lid.
    arena.set("wet_farmland", 8, 8, -5)
    arena.set("wheat_0", 8, 8, -4)
    for z in (-3, -2):
        arena.set("torch" if torch and z == -2 else "air", 8, 8, z)
    note_growing(arena, [(8, 8, -4)])
    arena.world.relight()
    arena.act(100)
    assert (arena.get(8, 8, -4) == "wheat_0") != torch


def test_ripe_it_is_struck_off_and_gives_one_to_four_seeds(make_arena):
    arena = make_arena(64)
    arena.set("wet_farmland", 0, 2, 0)
    arena.set("ripe_wheat", 0, 2, 1)
    arena.act(2, hand=Hand.ATTACK)
    assert arena.count("wheat").tolist() == [1] * 64
    seeds = arena.count("wheat_seeds").tolist()
    assert set(seeds) == {1, 2, 3, 4}
    arena.clear()
    arena.set("wet_farmland", 0, 2, 0)
    arena.set("wheat_6", 0, 2, 1)
    arena.act(2, hand=Hand.ATTACK)
    assert arena.count("wheat").tolist() == [0] * 64
    assert arena.count("wheat_seeds").tolist() == [1] * 64


def test_bone_meal_takes_wheat_up_two_to_five_stages(make_arena):
    arena = make_arena(64)
    arena.set("wet_farmland", 0, 2, 0)
    arena.set("wheat_0", 0, 2, 1)
    arena.give("bone_meal", 2)
    assert can_use(arena)
    arena.act(hand=Hand.USE)
    stages = {arena.get(0, 2, 1, w) for w in arena.rows}
    assert stages == {f"wheat_{k}" for k in (2, 3, 4, 5)}
    assert arena.count("bone_meal").tolist() == [1] * 64
    arena.set("ripe_wheat", 0, 2, 1)
    assert not can_use(arena), "there is nothing more to gain"


def test_bone_meal_grows_a_tree_in_45_of_100_cases(make_arena):
    arena = make_arena(64, growth_rate=0.0)
    arena.set("grass", 0, 3, 0)
    arena.set("oak_sapling", 0, 3, 1)
    arena.give("bone_meal", 1)
    arena.act(hand=Hand.USE)
    arena.act(1)
    grown = sum(arena.get(0, 3, 1, w) == "oak_log" for w in arena.rows)
    assert abs(grown - 0.45 * 64) < 4 * np.sqrt(64 * 0.45 * 0.55)
    assert arena.count("bone_meal").tolist() == [0] * 64


@pytest.mark.parametrize("fluid", ["water", "lava"])
def test_a_bucket_scoops_a_source_and_pours_it_out_again(make_arena, fluid):
    arena = make_arena(1)
    arena.set(fluid, 0, 3, 1)
    arena.hold("bucket")
    assert can_use(arena)
    arena.act(hand=Hand.USE)
    assert arena.get(0, 3, 1) == "air"
    assert arena.carried() == {f"{fluid}_bucket": 1}
    assert int(arena.unlocked[0, ACHIEVEMENT_ID[f"collect_{fluid}"]]) > 0
    arena.set("stone", 0, 3, 1)
    arena.act(choice=f"place_{fluid}_bucket")
    assert arena.get(0, 2, 1) == fluid
    assert arena.carried() == {"bucket": 1}
    arena.act(40)
    assert arena.get(0, 2, 0) == f"falling_{fluid}"
    arena.check_inventory()


def test_a_bucket_takes_no_running_water_and_needs_a_slot(make_arena):
    arena = make_arena(1)
    arena.set("water_7", 0, 2, 1)
    arena.hold("bucket")
    assert not can_use(arena)
    arena.set("water", 0, 2, 1)
    assert can_use(arena)
    arena.give("bucket", 5)
    for _ in range(35):
        arena.give("iron_pickaxe")
    assert not can_use(arena), "five buckets are left in their slot, and there is no other"
    arena.act(hand=Hand.USE)
    assert arena.get(0, 2, 1) == "water"
    arena.check_inventory()


def test_the_mask_says_what_using_does(make_arena):
    """Every thing that can be held, before many blocks: the world changes if and only if the mask allows it."""
    held = ["bucket", "iron_hoe", "flint_and_steel", "stick", "bone_meal", "iron_pickaxe"]
    blocks = [
        "grass", "dirt", "stone", "tnt", "water", "lava", "planks", "wheat_3", "ripe_wheat", "oak_sapling", "door",
        "torch", "tall_grass", "farmland", "leaves",
    ]  # fmt: skip
    changed = 0
    for tool in held:
        for name in blocks:
            arena = make_arena(1, growth_rate=0.0)
            arena.hold(tool)
            ground = (
                "grass" if "sapling" in name or name == "tall_grass" else "farmland" if "wheat" in name else "stone"
            )
            arena.set(ground, 0, 2, 0)
            arena.set("oak_leaves" if name == "leaves" else name, 0, 2, 1)
            allowed = can_use(arena)
            before = arena.blocks.clone(), arena.counts.clone()
            arena.act(hand=Hand.USE)
            same = torch.equal(before[0], arena.blocks) and torch.equal(before[1], arena.counts)
            assert same != allowed, (tool, name)
            changed += allowed
    assert changed > 12
    assert int(arena.body[Body.CAUSE, 0]) == 0
    assert "bone_meal" in ITEM_ID
