"""Plans are checked by carrying them out on paper: arithmetic over an inventory, one task at a time."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.worlds.voxel.alterations import STANDARD, Rulebook, alter
from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS
from farlands.worlds.voxel.expert.bans import Bans
from farlands.worlds.voxel.expert.planner import Planner, break_ticks
from farlands.worlds.voxel.expert.plans import Collect, Craft, Demand, Fetch, How, PlanError, Smelt, Source, Task
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import FUELS, SMELTING_TICKS, Recipe

LAND = {"oak_log": 100.0, "stone": 60.0, "coal_ore": 300.0, "iron_ore": 400.0, "diamond_ore": 900.0, "sand": 200.0}
GOALS = ("diamond_pickaxe", "diamond_sword", "iron_chestplate", "torch", "ladder", "furnace", "charcoal", "coal")


def _use(carried: Counter[str], names: str, count: int) -> None:
    for name in names.split("|"):
        used = min(carried[name], count)
        carried[name] -= used
        count -= used
    assert count == 0, f"{count} of {names} are missing"


def _carry_out(task: Task, carried: Counter[str], rules: Rulebook) -> None:
    """One task, with every rule that the tables state."""
    if isinstance(task, Collect):
        for name in task.blocks:
            block = rules.blocks[BLOCK_ID[name]]
            assert block.drop in task.items
            tools = [i for i in ITEMS if carried[i.name] and i.tool == block.tool and i.tier >= block.tier]
            assert block.tier == 0 or tools, f"no tool for {name}"
        carried[task.items[0]] += task.count
        return
    assert all(carried[station] > 0 for station in task.stations)
    if isinstance(task, Craft):
        assert task.recipe in rules.recipes
        for names, count in task.recipe.inputs:
            _use(carried, names, count * task.times)
        carried[task.recipe.output] += task.recipe.count * task.times
    else:
        assert task.smelting in rules.smeltings
        _use(carried, task.smelting.input, task.count)
        _burn(carried, task.count * SMELTING_TICKS)
        carried[task.smelting.output] += task.count


def _burn(carried: Counter[str], ticks: int) -> None:
    """What a furnace takes for itself, in its own order."""
    for name in FUELS:
        while ticks > 0 and carried[name] > 0:
            carried[name] -= 1
            ticks -= ITEMS[ITEM_ID[name]].fuel
    assert ticks <= 0, "out of fuel"


def _carry_out_all(goal: str, carried: Counter[str], land: dict[str, float], rules: Rulebook = STANDARD) -> list[Task]:
    """Plan and do the first task again and again, as the expert does; returns what was done."""
    done: list[Task] = []
    while carried[goal] == 0:
        tasks = Planner(land, rules).plan(goal, carried)
        _carry_out(tasks[0], carried, rules)
        done.append(tasks[0])
        assert len(done) < 60, f"no end to it: {done[-3:]}"
    return done


@pytest.mark.parametrize("goal", GOALS)
def test_plans_lead_from_nothing_to_the_goal(goal: str):
    done = _carry_out_all(goal, Counter(), LAND)
    assert any(isinstance(task, Collect) for task in done)


@given(
    goal=st.sampled_from(GOALS),
    start=st.dictionaries(
        st.sampled_from(("oak_log", "planks", "stick", "cobblestone", "iron_ore", "coal", "stone_pickaxe", "furnace")),
        st.integers(1, 9),
    ),
)
def test_plans_lead_to_the_goal_from_anything(goal: str, start: dict[str, int]):
    _carry_out_all(goal, Counter(start), LAND)


def test_everything_of_a_kind_is_collected_at_once_with_something_to_spare():
    tasks = Planner(LAND).plan("diamond_pickaxe", {}, spare={"oak_log": 2})
    logs = [task for task in tasks if isinstance(task, Collect) and "oak_log" in task.items]
    assert len(logs) == 1
    crafted = sum(t.times for t in tasks if isinstance(t, Craft) and t.recipe.output == "planks")
    assert logs[0].count == crafted + 2
    assert tasks[0] == logs[0]


def test_what_is_carried_is_not_collected():
    tasks = Planner(LAND).plan("stone_pickaxe", {"cobblestone": 3, "stick": 2, "crafting_table": 1})
    assert [type(task) for task in tasks] == [Craft]


def test_a_station_that_stands_near_is_not_made():
    carried = {"cobblestone": 3, "stick": 2}
    assert len(Planner(LAND).plan("stone_pickaxe", carried, near=frozenset({"crafting_table"}))) == 1
    assert len(Planner(LAND).plan("stone_pickaxe", carried)) > 1


def test_other_recipes_give_other_plans():
    def dearer(recipe: Recipe) -> Recipe:
        if recipe.output != "stone_pickaxe":
            return recipe
        return dataclasses.replace(recipe, inputs=(("planks", 5), ("coal", 1)))

    rules = STANDARD._replace(recipes=tuple(map(dearer, STANDARD.recipes)))
    done = _carry_out_all("diamond_pickaxe", Counter(), LAND, rules)
    assert any("coal" in task.items for task in done if isinstance(task, Collect))


@pytest.mark.parametrize("seed", range(1, 13))
def test_plans_under_altered_rules_lead_to_the_diamond_pickaxe(seed: int):
    _carry_out_all("diamond_pickaxe", Counter(), LAND | {"gold_ore": 700.0}, alter(seed))


def test_the_cheaper_way_is_taken():
    without_coal = {name: ticks for name, ticks in LAND.items() if name != "coal_ore"}
    assert any(isinstance(task, Smelt) for task in Planner(without_coal).plan("torch", {}))
    assert not any(isinstance(task, Smelt) for task in Planner(LAND).plan("torch", {}))


@pytest.mark.parametrize(("goal", "land"), [("bed", LAND), ("diamond_pickaxe", {"stone": 60.0}), ("planks", {})])
def test_what_cannot_be_had_is_refused(goal: str, land: dict[str, float]):
    with pytest.raises(PlanError, match="no way"):
        Planner(land).plan(goal, {})


def test_break_ticks_follow_hardness_tool_and_tier():
    stone, log = BLOCKS[BLOCK_ID["stone"]], BLOCKS[BLOCK_ID["oak_log"]]
    assert break_ticks("nothing", stone) == 150
    assert break_ticks("wooden_pickaxe", stone) == 23
    assert break_ticks("wooden_pickaxe", log) == 60
    assert break_ticks("stone_pickaxe", BLOCKS[BLOCK_ID["diamond_ore"]]) == 75
    assert break_ticks("iron_pickaxe", BLOCKS[BLOCK_ID["bedrock"]]) == float("inf")


def _tasks(demands: list[Demand], carried: dict[str, int], **more: object) -> list[Task]:
    return Planner(LAND, **more).plan_all(demands, carried)  # type: ignore[arg-type]


def test_nothing_is_promised_twice():
    """Ten planks to be carried and a table to be put up: a table's planks come on top."""
    logs = [task.count for task in _tasks([Demand("planks", 8), Demand("crafting_table", 1)], {}) if
            isinstance(task, Collect)]  # fmt: skip
    assert logs == [3]
    assert _tasks([Demand("planks", 8)], {"planks": 8}) == []
    assert _tasks([Demand("planks", 8), Demand("crafting_table", 1)], {"planks": 8}) != []


def test_what_must_come_about_anew_does_though_it_is_carried():
    stock = {"planks": 50, "stick": 50}
    assert _tasks([Demand("stick", 3)], stock) == []
    for how in (How.GAIN, How.CRAFT):
        (made,) = _tasks([Demand("stick", 3, how)], stock)
        assert isinstance(made, Craft)
        assert (made.recipe.output, made.times) == ("stick", 1)
    # What is made anew is then carried: it serves both.
    assert len(_tasks([Demand("stick", 4, How.CRAFT), Demand("stick", 4)], {"planks": 2})) == 1


def test_smelting_is_asked_for_by_name():
    tasks = _tasks([Demand("charcoal", 2, How.SMELT)], {"coal": 9, "charcoal": 9, "oak_log": 9, "furnace": 1})
    assert [type(task) for task in tasks] == [Smelt]
    with pytest.raises(PlanError):
        _tasks([Demand("planks", 1, How.SMELT)], {"oak_log": 9})


@pytest.mark.parametrize(
    "bans",
    [Bans(gain=frozenset({"planks"})), Bans(craft=frozenset({"stick"})), Bans(place=frozenset({"crafting_table"})),
     Bans(breaks=frozenset({"oak_log"}))],
)  # fmt: skip
def test_plans_keep_to_what_is_forbidden(bans: Bans):
    assert _tasks([Demand("wooden_pickaxe", 1)], {})
    with pytest.raises(PlanError):
        _tasks([Demand("wooden_pickaxe", 1)], {}, bans=bans)


def test_a_forbidden_way_is_gone_round():
    """Light without coal: charcoal will do; and what must not be broken is not among the blocks to collect from."""
    tasks = _tasks([Demand("torch", 1)], {}, bans=Bans(gain=frozenset({"coal"})))
    assert any(isinstance(task, Smelt) and task.smelting.output == "charcoal" for task in tasks)
    land = LAND | {"dirt": 50.0, "grass": 40.0}
    (collect,) = Planner(land, bans=Bans(breaks=frozenset({"grass"}))).plan_all([Demand("dirt", 2)], {})
    assert isinstance(collect, Collect)
    assert "grass" not in collect.blocks
    assert "dirt" in collect.blocks


def test_rare_drops_are_a_way():
    (collect,) = Planner({"gravel": 50.0}).plan_all([Demand("flint", 2)], {})
    assert collect == Collect(("flint",), 2, ("gravel",))


def test_sources_are_ways_with_tools_and_things_spent():
    scoop = Source("scoop water", "water_bucket", 50.0, uses=("bucket",))
    shear = Source("shear", "wool", 50.0, tools=("shears",))
    stock = {"bucket": 2, "shears": 1, "planks": 9, "crafting_table": 1}
    tasks = _tasks([Demand("water_bucket", 2), Demand("bed", 1)], stock, sources=(scoop, shear))
    assert Fetch(scoop, 2) in tasks
    assert Fetch(shear, 3) in tasks
    with pytest.raises(PlanError):
        _tasks([Demand("water_bucket", 1)], {}, sources=(replace(scoop, uses=("bedrock_bucket",)),))


def test_any_of_several_tools_will_do_and_the_best_way_that_is_open_is_taken():
    armed = Source("hunt", "string", 50.0, tools=("stone_sword|iron_sword",))
    bare = Source("hunt", "string", 9_000.0)
    stock = {"planks": 9, "stick": 2, "crafting_table": 1, "cobblestone": 2}
    demands = [Demand("string", 2)]
    made = _tasks(demands, stock, sources=(armed, bare))
    assert [task.recipe.output for task in made if isinstance(task, Craft)] == ["stone_sword"]
    assert made[-1] == Fetch(armed, 2)
    assert _tasks(demands, {"iron_sword": 1}, sources=(armed, bare)) == [Fetch(armed, 2)]
    banned = Planner({}, bans=Bans(gain=frozenset({"stone_sword", "iron_sword"})), sources=(armed, bare))
    assert banned.plan_all(demands, {}) == [Fetch(bare, 2)]
