"""Breaking blocks against the genre's published table: how long, what drops, what wears."""

from __future__ import annotations

import math

import pytest
import torch

from farlands.worlds.voxel.actions import Camera, Hand, Move
from farlands.worlds.voxel.blocks import BLOCKS, UNBREAKABLE
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.state import Body

MATERIALS = ("wooden", "stone", "iron", "diamond")

# Ticks by hand and by the four materials of the matching tool; True where the block leaves what it should.
TABLE: dict[str, tuple[str, tuple[tuple[int, bool], ...]]] = {
    "oak_log": ("axe", ((60, True), (30, True), (15, True), (10, True), (8, True))),
    "planks": ("axe", ((60, True), (30, True), (15, True), (10, True), (8, True))),
    "stone": ("pickaxe", ((150, False), (23, True), (12, True), (8, True), (6, True))),
    "cobblestone": ("pickaxe", ((200, False), (30, True), (15, True), (10, True), (8, True))),
    "coal_ore": ("pickaxe", ((300, False), (45, True), (23, True), (15, True), (12, True))),
    "iron_ore": ("pickaxe", ((300, False), (150, False), (23, True), (15, True), (12, True))),
    "gold_ore": ("pickaxe", ((300, False), (150, False), (75, False), (15, True), (12, True))),
    "diamond_ore": ("pickaxe", ((300, False), (150, False), (75, False), (15, True), (12, True))),
    "furnace": ("pickaxe", ((350, False), (53, True), (27, True), (18, True), (14, True))),
    "dirt": ("shovel", ((15, True), (8, True), (4, True), (3, True), (2, True))),
    "sand": ("shovel", ((15, True), (8, True), (4, True), (3, True), (2, True))),
    "grass": ("shovel", ((18, True), (9, True), (5, True), (3, True), (3, True))),
    "gravel": ("shovel", ((18, True), (9, True), (5, True), (3, True), (3, True))),
    "crafting_table": ("axe", ((75, True), (38, True), (19, True), (13, True), (10, True))),
}
OBSIDIAN = ((5000, False), (2500, False), (1250, False), (834, False), (188, True))
DROPS = {
    "stone": "cobblestone", "coal_ore": "coal", "diamond_ore": "diamond", "grass": "dirt", "gravel": "gravel",
}  # fmt: skip


def ticks_to_break(arena, most: int) -> list[int]:
    """Attack until the block in front of every agent is gone; the tick at which it went, -1 if it stands."""
    ticks = [-1] * len(arena.rows)
    for tick in range(1, most + 1):
        arena.act(hand=Hand.ATTACK)
        for row in arena.rows:
            if ticks[row] < 0 and arena.get(0, 1, 1, row) == "air":
                ticks[row] = tick
        if min(ticks) > 0:
            break
    return ticks


def break_with_each_tool(make_arena, table: dict, most: int) -> None:
    rows = [(block, level) for block in table for level in range(5)]
    arena = make_arena(len(rows))
    for row, (block, level) in enumerate(rows):
        arena.set(block, 0, 1, 1, worlds=row)
        if level:
            arena.hold(f"{MATERIALS[level - 1]}_{table[block][0]}", rows=row)
    ticks = ticks_to_break(arena, most)
    for row, (block, level) in enumerate(rows):
        expected, drops = table[block][1][level]
        assert ticks[row] == expected, (block, level)
        left = {name for name in arena.carried(row) if ITEMS[ITEM_ID[name]].durability == 0}
        wanted = {DROPS.get(block, block)} if drops else set()
        if block == "gravel" and left == {"flint"}:
            wanted = {"flint"}
        assert left == wanted, (block, level)
    arena.check_inventory()


def test_times_and_drops_follow_the_table(make_arena):
    break_with_each_tool(make_arena, TABLE, 400)


def test_obsidian_takes_its_time(make_arena):
    break_with_each_tool(make_arena, {"obsidian": ("pickaxe", OBSIDIAN)}, 5000)


def test_every_block_takes_what_its_hardness_says(make_arena):
    """By hand: ceil(hardness * 30), or * 100 where a tool of some tier is needed; never for the unbreakable."""
    solid = [block for block in BLOCKS if block.name not in ("air", "water", "lava", "obsidian")]
    arena = make_arena(len(solid))
    for row, block in enumerate(solid):
        arena.set(block.name, 0, 1, 1, worlds=row)
    expected = [
        -1 if b.hardness == UNBREAKABLE else max(math.ceil(b.hardness * (100 if b.tier else 30) - 1e-9), 1)
        for b in solid
    ]
    assert ticks_to_break(arena, max(expected) + 5) == expected


def test_gold_is_fast_but_harvests_like_wood(make_arena):
    arena = make_arena(2)
    arena.set("stone", 0, 1, 1, worlds=0)
    arena.set("iron_ore", 0, 1, 1, worlds=1)
    arena.hold("golden_pickaxe")
    assert ticks_to_break(arena, 60) == [4, 25]
    assert arena.count("cobblestone").tolist() == [1, 0]
    assert arena.count("iron_ore").tolist() == [0, 0]


def test_a_tool_of_another_class_is_no_better_than_a_hand(make_arena):
    arena = make_arena(3)
    for row, tool in enumerate(("diamond_axe", "diamond_shovel", "diamond_sword")):
        arena.hold(tool, rows=row)
        arena.set("stone", 0, 1, 1, worlds=row)
    assert ticks_to_break(arena, 160) == [150] * 3
    assert arena.count("cobblestone").tolist() == [0] * 3


@pytest.mark.parametrize("speed", [2, 10, 100])
def test_mining_speed_divides_the_time(make_arena, speed):
    arena = make_arena(1, mining_speed=speed)
    arena.set("oak_log", 0, 1, 1)
    assert ticks_to_break(arena, 61) == [math.ceil(60 / speed)]


def test_mining_under_water_is_five_times_slower(arena):
    arena.fill("stone", range(-1, 2), range(-1, 2), range(3))
    arena.fill("water", range(1), range(1), range(3))
    arena.set("oak_log", 0, 1, 1)
    assert ticks_to_break(arena, 301) == [300]


def test_mining_off_the_ground_is_five_times_slower(arena):
    arena.fill("oak_log", range(1), range(1, 2), range(12))
    arena.stand(0.5, 0.5, 6.1)
    arena.put_body(ON_GROUND=0)
    arena.act(2, hand=Hand.ATTACK)
    assert int(arena.body[Body.BREAK_PROGRESS, 0]) == 2 * 5 * 1000
    arena.stand(0.5, 0.5, 0)
    arena.act(2)
    arena.act(2, hand=Hand.ATTACK)
    assert int(arena.body[Body.BREAK_PROGRESS, 0]) == 2 * 25 * 1000


def test_mining_afloat_under_water_is_slowed_by_both(arena):
    arena.fill("water", range(-1, 2), range(-1, 2), range(12))
    arena.set("oak_log", 0, 1, 6)
    arena.stand(0.5, 0.5, 5)
    arena.put_body(ON_GROUND=0)
    arena.act(2, hand=Hand.ATTACK)
    assert int(arena.body[Body.BREAK_PROGRESS, 0]) == 2 * 1000


def test_six_ticks_pass_between_two_breaks(arena):
    arena.set("dirt", 0, 1, 1)
    arena.set("dirt", 0, 2, 1)
    arena.act(15, hand=Hand.ATTACK)
    assert arena.get(0, 1, 1) == "air"
    arena.act(6 + 14, hand=Hand.ATTACK)
    assert arena.get(0, 2, 1) == "dirt"
    arena.act(hand=Hand.ATTACK)
    assert arena.get(0, 2, 1) == "air"
    assert arena.count("dirt").tolist() == [2]


def test_instant_breaks_need_no_pause(arena):
    for y in (1, 2, 3):
        arena.set("grass", 0, y, 0)
        arena.set("red_flower", 0, y, 1)
    arena.act(3, hand=Hand.ATTACK)
    assert arena.count("red_flower").tolist() == [3]


@pytest.mark.parametrize("interruption", ["release", "turn", "choice"])
def test_an_interrupted_break_begins_anew(arena, interruption):
    arena.set("dirt", 0, 1, 1)
    arena.give("oak_log")
    arena.act(14, hand=Hand.ATTACK)
    if interruption == "release":
        arena.act()
    elif interruption == "turn":
        arena.act(camera=Camera.UP)
        arena.act(camera=Camera.DOWN)
    else:
        arena.act(choice="craft_planks")
    arena.act(14, hand=Hand.ATTACK)
    assert arena.get(0, 1, 1) == "dirt"
    arena.act(hand=Hand.ATTACK)
    assert arena.get(0, 1, 1) == "air"


def test_a_sticky_hand_goes_on_until_something_else_happens(make_arena):
    arena = make_arena(1, sticky_hand="on")
    arena.set("dirt", 0, 1, 1)
    arena.act(hand=Hand.ATTACK)
    arena.act(13)
    assert arena.get(0, 1, 1) == "dirt"
    arena.act()
    assert arena.get(0, 1, 1) == "air"
    # It does not go on to the next block by itself.
    arena.set("dirt", 0, 1, 1)
    arena.act(60)
    assert arena.get(0, 1, 1) == "dirt"
    arena.act(5, hand=Hand.ATTACK)
    arena.act(camera=Camera.UP)
    arena.act(camera=Camera.DOWN)
    arena.act(30)
    assert arena.get(0, 1, 1) == "dirt"


def test_a_sticky_hand_lets_the_feet_walk(make_arena):
    arena = make_arena(1, sticky_hand="on")
    arena.set("oak_log", 0, 2, 1)
    arena.act(hand=Hand.ATTACK)
    arena.act(59, move=Move.FORWARD)
    assert arena.count("oak_log").tolist() == [1]


def test_a_new_target_resets_progress(arena):
    arena.set("dirt", 0, 2, 1)
    arena.act(10, hand=Hand.ATTACK)
    arena.set("dirt", 0, 1, 1)
    arena.act(14, hand=Hand.ATTACK)
    assert arena.get(0, 1, 1) == "dirt"
    arena.act(hand=Hand.ATTACK)
    assert arena.get(0, 1, 1) == "air"


def test_the_edge_of_reach(arena):
    """A face at exactly 4.5 is reached, one a position unit farther is not."""
    arena.set("dirt", 0, 5, 1)
    arena.act(20, hand=Hand.ATTACK)
    assert arena.count("dirt").tolist() == [1]
    arena.set("dirt", 0, 5, 1)
    arena.stand(0.5, 0.5 - 1 / 2048, 0)
    arena.act(40, hand=Hand.ATTACK)
    assert arena.count("dirt").tolist() == [1]


@pytest.mark.parametrize("material", MATERIALS)
def test_tools_break_when_their_uses_are_spent(arena, material):
    uses = {"wooden": 59, "stone": 131, "iron": 250, "diamond": 1561}[material]
    arena.hold(f"{material}_pickaxe", wear=uses - 2)
    for left in (1, 0):
        arena.body[Body.BREAK_PAUSE] = 0
        arena.set("stone", 0, 1, 1)
        arena.act(30, hand=Hand.ATTACK)
        assert arena.count(f"{material}_pickaxe").tolist() == [left]
    assert int(arena.body[Body.HAND, 0]) == -1
    assert arena.count("cobblestone").tolist() == [2]
    arena.check_inventory()


def test_soft_things_do_not_wear_tools(arena):
    arena.hold("wooden_sword")
    arena.set("red_flower", 0, 1, 1)
    arena.act(hand=Hand.ATTACK)
    assert int(arena.slot_wear.sum()) == 0


def test_what_stood_on_a_block_falls_with_it(make_arena):
    arena = make_arena(3)
    towers = (("grass", "red_flower"), ("sand", "cactus", "cactus"), ("stone", "torch"))
    for row, tower in enumerate(towers):
        for z, name in enumerate(tower):
            arena.set(name, 0, 1, 1 + z, worlds=row)
    arena.hold("diamond_pickaxe")
    arena.act(20, hand=Hand.ATTACK)
    assert arena.count("red_flower").tolist() == [1, 0, 0]
    assert arena.count("cactus").tolist() == [0, 2, 0]
    assert arena.count("torch").tolist() == [0, 0, 1]
    assert [arena.get(0, 1, 2, row) for row in arena.rows] == ["air"] * 3
    assert int((arena.fixtures[2] >= 0).sum()) == 0


def test_chance_drops_come_as_often_as_they_should(make_arena):
    arena = make_arena(64)
    arena.give("diamond_shovel")
    counts = {"gravel": 0, "flint": 0, "oak_sapling": 0, "apple": 0}
    for _ in range(40):
        for block in ("gravel", "oak_leaves"):
            arena.blocks[:, 0, 1, 33] = [b.name for b in BLOCKS].index(block)
            arena.body[Body.BREAK_PAUSE] = 0
            arena.act(20, hand=Hand.ATTACK)
    for name in counts:
        counts[name] = int(arena.count(name).sum())
    tries = 40 * 64
    assert counts["gravel"] + counts["flint"] == tries
    for name, chance in (("flint", 1 / 10), ("oak_sapling", 39 / 40 / 20), ("apple", 1 / 40)):
        spread = 4.5 * math.sqrt(tries * chance * (1 - chance))
        assert abs(counts[name] - tries * chance) < spread, (name, counts[name], tries * chance)


def test_column_tops_follow_what_is_broken_and_placed(arena):
    def tops() -> torch.Tensor:
        opaque = torch.tensor([block.opaque for block in BLOCKS])[arena.blocks.long()]
        heights = torch.arange(1, 65) * opaque
        return heights.amax(dim=-1).to(torch.uint8)

    arena.set("dirt", 0, 1, 1)
    arena.set("oak_leaves", 0, 1, 2)
    arena.act(20, hand=Hand.ATTACK)
    assert torch.equal(arena.tops, tops())
    assert int(arena.tops[0, 0, 1]) == 32
    arena.set("glass", 0, 2, 1)
    arena.give("cobblestone", 2)
    arena.act(choice="place_cobblestone")
    assert arena.get(0, 1, 1) == "cobblestone"
    assert torch.equal(arena.tops, tops())


def test_what_hung_on_a_block_falls_with_it_unless_something_else_holds_it(make_arena):
    arena = make_arena(2)
    arena.set("dirt", 0, 1, 1)
    arena.set("torch", 1, 1, 1)
    arena.set("ladder", -1, 1, 1)
    arena.set("stone", 2, 1, 1, worlds=1)
    arena.set("stone", -1, 2, 1, worlds=1)
    arena.act(30, hand=Hand.ATTACK)
    assert [arena.get(0, 1, 1, row) for row in arena.rows] == ["air"] * 2
    assert arena.count("torch").tolist() == [1, 0]
    assert arena.count("ladder").tolist() == [1, 0]
    assert [arena.get(1, 1, 1, row) for row in arena.rows] == ["air", "torch"]
    assert [arena.get(-1, 1, 1, row) for row in arena.rows] == ["air", "ladder"]


def test_wall_torches_outlast_the_block_under_them(arena):
    arena.set("dirt", 0, 1, 1)
    arena.set("torch", 0, 1, 2)
    arena.set("stone", 0, 2, 2)
    arena.act(30, hand=Hand.ATTACK)
    assert [arena.get(0, 1, z) for z in (1, 2)] == ["air", "torch"]


@pytest.mark.parametrize("name", ["door", "bed"])
def test_furniture_falls_with_the_ground_under_it_as_one_item(arena, name):
    arena.set("dirt", 0, 1, 1)
    arena.set(name, 0, 1, 2)
    if name == "door":
        arena.set(name, 0, 1, 3)
    arena.act(30, hand=Hand.ATTACK)
    assert [arena.get(0, 1, z) for z in (1, 2, 3)] == ["air"] * 3
    assert arena.carried() == {"dirt": 1, name: 1}
