"""Every recipe and every smelting, by the environment's own step, against the tables and plain arithmetic."""

from __future__ import annotations

import pytest

from farlands.worlds.voxel.actions import CHOICE_ID
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import FUELS, RECIPES, SMELTINGS, Station
from farlands.worlds.voxel.state import Body, Clock

# Recipes of the genre that agents depend on: output -> (count, inputs, station).
ANCHORS = {
    "planks": (4, {"oak_log": 1}, Station.HAND),
    "stick": (4, {"planks": 2}, Station.HAND),
    "crafting_table": (1, {"planks": 4}, Station.HAND),
    "torch": (4, {"coal": 1, "stick": 1}, Station.HAND),
    "furnace": (1, {"cobblestone": 8}, Station.CRAFTING_TABLE),
    "wooden_pickaxe": (1, {"planks": 3, "stick": 2}, Station.CRAFTING_TABLE),
    "stone_pickaxe": (1, {"cobblestone": 3, "stick": 2}, Station.CRAFTING_TABLE),
    "iron_pickaxe": (1, {"iron_ingot": 3, "stick": 2}, Station.CRAFTING_TABLE),
    "diamond_pickaxe": (1, {"diamond": 3, "stick": 2}, Station.CRAFTING_TABLE),
    "iron_sword": (1, {"iron_ingot": 2, "stick": 1}, Station.CRAFTING_TABLE),
    "stone_axe": (1, {"cobblestone": 3, "stick": 2}, Station.CRAFTING_TABLE),
    "iron_shovel": (1, {"iron_ingot": 1, "stick": 2}, Station.CRAFTING_TABLE),
    "iron_helmet": (1, {"iron_ingot": 5}, Station.CRAFTING_TABLE),
    "diamond_chestplate": (1, {"diamond": 8}, Station.CRAFTING_TABLE),
    "iron_leggings": (1, {"iron_ingot": 7}, Station.CRAFTING_TABLE),
    "iron_boots": (1, {"iron_ingot": 4}, Station.CRAFTING_TABLE),
    "ladder": (3, {"stick": 7}, Station.CRAFTING_TABLE),
    "door": (3, {"planks": 6}, Station.CRAFTING_TABLE),
    "bed": (1, {"wool": 3, "planks": 3}, Station.CRAFTING_TABLE),
    "shears": (1, {"iron_ingot": 2}, Station.HAND),
}


def inputs_of(recipe) -> dict[str, int]:
    """Inputs with the first of each pair of alternatives."""
    return {names.split("|")[0]: count for names, count in recipe.inputs}


@pytest.mark.parametrize("name", ANCHORS)
def test_recipes_are_the_genres(name):
    recipe = next(recipe for recipe in RECIPES if recipe.output == name)
    assert (recipe.count, inputs_of(recipe), recipe.station) == ANCHORS[name]


def craft_all(arena, missing: int = 0) -> list[dict[str, int]]:
    """Give each agent the inputs of its own recipe, ``missing`` too few of the last, and craft once."""
    for row, recipe in enumerate(RECIPES):
        wanted = list(inputs_of(recipe).items())
        for k, (name, count) in enumerate(wanted):
            arena.give(name, count - (missing if k == len(wanted) - 1 else 0), rows=row)
    arena.act(choice=[f"craft_{recipe.output}" for recipe in RECIPES])
    arena.check_inventory()
    return [arena.carried(row) for row in arena.rows]


def test_every_recipe_turns_its_inputs_into_its_output(make_arena):
    arena = make_arena(len(RECIPES))
    arena.set("crafting_table", 2, 2, 0)
    for recipe, carried in zip(RECIPES, craft_all(arena), strict=True):
        assert carried == {recipe.output: recipe.count}


def test_no_recipe_works_with_too_little(make_arena):
    arena = make_arena(len(RECIPES))
    arena.set("crafting_table", 2, 2, 0)
    for recipe, carried in zip(RECIPES, craft_all(arena, missing=1), strict=True):
        assert recipe.output not in carried
        assert sum(carried.values()) == sum(inputs_of(recipe).values()) - 1


def test_recipes_of_the_table_need_one(make_arena):
    arena = make_arena(len(RECIPES))
    for recipe, carried in zip(RECIPES, craft_all(arena), strict=True):
        assert (carried == {recipe.output: recipe.count}) == (recipe.station == Station.HAND), recipe.output


@pytest.mark.parametrize(
    ("place", "near"),
    [
        ((4, 4, 0), True),
        ((-4, 4, 3), True),
        ((-4, -4, -3), True),
        ((5, 0, 0), False),
        ((0, -5, 0), False),
        ((0, 0, 5), True),
        ((0, 0, 6), False),
        ((0, 0, -4), False),
    ],
)
def test_stations_are_in_reach_as_far_as_the_arm_goes_from_the_eye(arena, place, near):
    arena.set("crafting_table", *place)
    arena.give("cobblestone", 8)
    assert arena.possible("craft_furnace") == near
    arena.act(choice="craft_furnace")
    assert (arena.carried() == {"furnace": 1}) == near


def test_a_station_at_the_other_end_of_the_window_is_far(arena):
    """The window wraps in memory, where cells 31 and -32 are neighbours; on the ground they are not."""
    arena.stand(31.5, 0.5, 0)
    arena.set("crafting_table", -32, 0, 0)
    arena.give("cobblestone", 8)
    assert not arena.possible("craft_furnace")
    arena.set("crafting_table", 28, 0, 0)
    assert arena.possible("craft_furnace")


@pytest.mark.parametrize("origin", [(-32, -32), (-64, 0), (96, -160), (1000, -999)])
def test_stations_are_near_wherever_the_window_lies(arena, origin):
    arena.clock[Clock.ORIGIN_X], arena.clock[Clock.ORIGIN_Y] = origin
    x, y = origin[0] + 20, origin[1] + 40
    arena.stand(x + 0.5, y + 0.5, 0)
    arena.set("crafting_table", x + 4, y - 4, 0)
    arena.give("cobblestone", 8)
    assert arena.possible("craft_furnace")
    arena.stand(x - 0.5, y + 0.5, 0)
    assert not arena.possible("craft_furnace")


def test_alternatives_mix(arena):
    arena.give("coal", 1)
    arena.give("charcoal", 2)
    arena.give("stick", 3)
    arena.act(2, choice="craft_torch")
    assert arena.carried() == {"charcoal": 1, "stick": 1, "torch": 8}
    arena.give("spruce_log", 1)
    arena.act(choice="craft_planks")
    assert arena.carried() == {"charcoal": 1, "stick": 1, "torch": 8, "planks": 4}
    arena.check_inventory()


def test_a_full_inventory_takes_no_more(arena):
    arena.give("dirt", 35 * 64)
    arena.give("oak_log", 2)
    assert not arena.possible("craft_planks")
    before = arena.carried()
    arena.act(choice="craft_planks")
    assert arena.carried() == before
    # One slot free: four planks fit, and then sixty more.
    arena.slot_item[0, 0] = arena.slot_count[0, 0] = 0
    arena.counts[0, ITEM_ID["dirt"]] -= 64
    arena.act(choice="craft_planks")
    assert arena.count("planks").tolist() == [4]
    arena.check_inventory()


def test_tools_need_a_slot_each(arena):
    arena.set("crafting_table", 2, 2, 0)
    arena.give("planks", 12)
    arena.give("stick", 8)
    arena.give("dirt", 33 * 64)
    arena.act(2, choice="craft_wooden_pickaxe")
    assert arena.count("wooden_pickaxe").tolist() == [1]
    arena.check_inventory()


@pytest.mark.parametrize("smelting", SMELTINGS, ids=lambda s: s.output)
@pytest.mark.parametrize("alternative", [0, 1])
def test_smelting_takes_200_ticks(arena, smelting, alternative):
    item = smelting.input.split("|")[-alternative]
    arena.set("furnace", 1, 2, 0)
    arena.give(item)
    arena.give("coal")
    arena.act(choice=f"smelt_{smelting.output}")
    assert arena.carried() == {}
    arena.act(198)
    assert arena.carried() == {}
    arena.act()
    assert arena.carried() == {smelting.output: 1}
    assert int(arena.body[Body.FUEL, 0]) == 1600 - 200
    assert int(arena.body[Body.SMELTING, 0]) == -1


@pytest.mark.parametrize("fuel", FUELS)
def test_fuels_burn_as_long_as_the_table_says(arena, fuel):
    ticks = {"coal": 1600, "charcoal": 1600, "planks": 300, "stick": 100, "oak_log": 300, "spruce_log": 300}[fuel]
    arena.set("furnace", 1, 2, 0)
    arena.give("iron_ore", 8)
    arena.give(fuel)
    for _ in range(8):
        arena.act(choice="smelt_iron_ingot")
    arena.act(1700)
    assert arena.count("iron_ingot").tolist() == [ticks // 200]
    assert int(arena.body[Body.SMELT_PROGRESS, 0]) == ticks % 200


def test_a_queue_of_eight_takes_one_coal_and_1600_ticks(arena):
    arena.set("furnace", 1, 2, 0)
    arena.give("iron_ore", 8)
    arena.give("coal", 2)
    arena.act(8, choice="smelt_iron_ingot")
    arena.act(1600 - 8 - 1)
    assert arena.count("iron_ingot").tolist() == [7]
    arena.act()
    assert arena.carried() == {"coal": 1, "iron_ingot": 8}


def test_a_furnace_works_only_while_one_is_near(arena):
    arena.set("furnace", 1, 2, 0)
    arena.give("iron_ore")
    arena.give("coal")
    arena.act(choice="smelt_iron_ingot")
    arena.act(49)
    arena.stand(0.5, -10.5, 0)
    arena.act(300)
    assert arena.count("iron_ingot").tolist() == [0]
    arena.stand(0.5, 0.5, 0)
    arena.act(150)
    assert arena.count("iron_ingot").tolist() == [1]


def test_one_kind_at_a_time(arena):
    arena.set("furnace", 1, 2, 0)
    arena.give("iron_ore")
    arena.give("sand")
    arena.give("coal", 2)
    arena.act(choice="smelt_iron_ingot")
    assert not arena.possible("smelt_glass")
    arena.act(choice="smelt_glass")
    assert arena.count("sand").tolist() == [1]
    arena.act(200)
    assert arena.possible("smelt_glass")


def test_nothing_smelts_without_fuel_and_no_log_burns_itself(arena):
    arena.set("furnace", 1, 2, 0)
    arena.give("iron_ore")
    assert not arena.possible("smelt_iron_ingot")
    arena.give("oak_log")
    assert arena.possible("smelt_iron_ingot")
    assert not arena.possible("smelt_charcoal")
    arena.give("oak_log")
    assert arena.possible("smelt_charcoal")


def test_the_product_waits_for_room(arena):
    arena.set("furnace", 1, 2, 0)
    arena.give("iron_ore")
    arena.give("coal")
    arena.act(choice="smelt_iron_ingot")
    arena.act(2)
    arena.give("dirt", 36 * 64)
    arena.act(400)
    assert arena.count("iron_ingot").tolist() == [0]
    arena.slot_item[0, 5] = arena.slot_count[0, 5] = 0
    arena.counts[0, ITEM_ID["dirt"]] -= 64
    arena.act()
    assert arena.count("iron_ingot").tolist() == [1]
    assert int(arena.body[Body.FUEL, 0]) == 1400
    arena.check_inventory()


def test_equipping_takes_the_best_tool_of_the_class(arena):
    for name in ("wooden_pickaxe", "iron_axe", "diamond_pickaxe", "golden_pickaxe"):
        arena.give(name)
    arena.act(choice="equip_pickaxe")
    assert int(arena.slot_item[0, int(arena.body[Body.HAND, 0])]) == ITEM_ID["diamond_pickaxe"]
    assert not arena.possible("equip_pickaxe")
    assert not arena.possible("equip_sword")
    arena.act(choice="equip_axe")
    assert int(arena.slot_item[0, int(arena.body[Body.HAND, 0])]) == ITEM_ID["iron_axe"]


def test_armour_is_put_on_where_it_is_better_and_swapped_back_into_the_slots(arena):
    arena.armour_item[0, 0], arena.armour_wear[0, 0] = ITEM_ID["iron_helmet"], 7
    for name in ("golden_helmet", "diamond_helmet", "iron_boots"):
        arena.give(name, wear=3)
    arena.act(choice="wear_armour")
    worn = [ITEMS[i].name for i in arena.armour_item[0].tolist()]
    assert worn == ["diamond_helmet", "nothing", "nothing", "iron_boots"]
    assert arena.armour_wear[0].tolist() == [3, 0, 0, 3]
    assert arena.carried() == {"golden_helmet": 1, "iron_helmet": 1}
    old = next(i for i in range(36) if int(arena.slot_item[0, i]) == ITEM_ID["iron_helmet"])
    assert int(arena.slot_wear[0, old]) == 7
    assert not arena.possible("wear_armour")
    arena.check_inventory()


@pytest.mark.parametrize(("material", "unlocks"), [("iron", True), ("diamond", True), ("golden", False)])
def test_a_full_set_of_armour_is_a_feat(arena, material, unlocks):
    for piece in ("helmet", "chestplate", "leggings"):
        arena.give(f"{material}_{piece}")
    arena.act(choice="wear_armour")
    assert arena.rewards().tolist() == [0.0]
    arena.give(f"{material}_boots")
    arena.act(choice="wear_armour")
    assert arena.rewards().tolist() == [float(unlocks)]


def test_names_of_choices_are_unique_and_known():
    assert len(set(CHOICE_ID)) == len(CHOICE_ID)
    assert {f"craft_{recipe.output}" for recipe in RECIPES} <= set(CHOICE_ID)
    assert {f"place_{item.name}" for item in ITEMS if item.places} <= set(CHOICE_ID)
