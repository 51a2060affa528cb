"""What the recipe graph says about tasks: depth, solvability, contradictions."""

from __future__ import annotations

import random

import pytest

from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper
from farlands.worlds.voxel.depths import item_depths
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import RECIPES, Recipe, Station
from farlands.worlds.voxel.tasks import predicates
from farlands.worlds.voxel.tasks.judge import Judge
from farlands.worlds.voxel.tasks.land import LAND, MET, met_by
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.program import canonical
from farlands.worlds.voxel.tasks.techtree import TechTree, default_tree, flat_choices
from farlands.worlds.voxel.vitals import DAY, SLEEP_FROM, SLEEP_UNTIL


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(default_tree())


def test_depths_are_those_of_the_tech_tree():
    known = item_depths()
    assert {name: way.depth for name, way in TechTree().ways.items()} == {
        name: depth for name, depth in known.items() if name != "obsidian"
    }
    assert {creature.name for creature in CREATURES if creature.temper != Temper.THING} == set(MET)


def test_what_creatures_leave_and_wheat_go_with_creatures_and_growth():
    alone = TechTree(met=met_by("none")).ways
    from_creatures = {drop.item for creature in CREATURES for drop in creature.drops}
    assert from_creatures & set(alone) <= {"arrow", "bone_meal"}
    with_animals = TechTree(met=met_by("animals")).ways
    assert "leather" in with_animals
    assert "gunpowder" not in with_animals
    slow, quick = (Judge(TechTree(growth=rate), 5_000).judge(parse("eat(bread)")) for rate in (1.0, 10.0))
    assert not slow.solvable
    assert quick.solvable


@pytest.mark.parametrize(
    ("text", "solvable"),
    [
        ("all(gain(beef), not(kill(cow)))", False),
        ("all(gain(beef), not(kill(pig)))", True),
        ("all(kill(zombie), not(unlock(kill_zombie)))", False),
        ("all(breed(pig), not(breed(pig)))", False),
        ("all(breed(pig), not(unlock(breed)))", False),
        ("all(shear(sheep, 2), not(kill(sheep)))", True),
        ("all(gain(lava_bucket), not(craft(bucket)))", False),
        ("sequence(kill(chicken, 2), eat(cooked_chicken, 2))", True),
    ],
)
def test_creatures_in_tasks(judge, text, solvable):
    verdict = judge.judge(parse(text))
    assert verdict.solvable == solvable, verdict.reasons
    assert not verdict.idle


def test_creatures_come_by_themselves(judge):
    assert judge.idle(parse("beside(zombie)"))
    assert not judge.idle(parse("kill(zombie)"))


def test_constants_are_those_of_the_rules():
    assert predicates.NIGHT == (SLEEP_FROM, SLEEP_UNTIL)
    assert predicates.DAY == DAY


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("gain(log)", 1),
        ("craft(planks, 9)", 2),
        ("place(crafting_table)", 4),
        ("near(crafting_table)", 4),
        ("near(grass)", 1),
        ("break(ladder)", 7),
        ("hold(stone_axe)", 8),
        ("smelt(iron_ingot)", 9),
        ("wear(iron_boots)", 11),
        ("unlock(wear_diamond_armour)", 13),
        ("at_least(armour, 2)", 6),
        ("at_least(health, 5)", 0),
        ("any(gain(log), gain(diamond))", 1),
        ("any(asleep, gain(diamond))", 7),
        ("all(gain(log), craft(furnace))", 7),
        ("sequence(craft(furnace), gain(log))", 7),
        ("count(2, gain(log), craft(planks), craft(furnace))", 2),
        ("count(3, gain(log), craft(planks), craft(furnace))", 7),
        ("all(gain(log), not(gain(diamond)))", 1),
        ("within(9000, gain(diamond))", 11),
    ],
)
def test_depth_of_tasks(judge, text, depth):
    verdict = judge.judge(parse(text))
    assert (verdict.depth, verdict.solvable) == (depth, True), verdict


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("place(obsidian)", "obsidian"),
        ("gain(obsidian)", "no way to come by obsidian"),
        ("place(glass)", "no action places glass"),
        ("break(planks)", "planks does not grow where it can be counted on, and no action places planks"),
        ("gain(diamond, 300)", "an episode has 10,000"),
        ("within(100, craft(furnace))", "of the 100 it is given"),
        ("all(above(50), below(40))", "nowhere is above 50 and below 40"),
        ("all(at_least(health, 9), at_most(health, 8))", "health can't be at least 9 and at most 8"),
        ("all(wear(iron_boots), wear(diamond_boots))", "can't be worn at once"),
        ("all(hold(iron_axe), hold(stone_axe))", "hold: iron_axe and stone_axe at once"),
        ("all(inside(water), inside(lava))", "at once"),
        ("all(time(0, 100), time(200, 300))", "no time of day"),
        ("all(carry(iron_pickaxe, 20), carry(stone_pickaxe, 20))", "takes 40 slots; there are 36"),
        ("all(carry(dirt, 4), not(carry(dirt, 3)))", "carry(dirt, 4) and not(carry(dirt, 3))"),
        ("all(gain(oak_log), not(gain(log)))", "gain(oak_log) and not(gain(log))"),
        ("all(craft(stick), not(craft(planks)))", "planks is needed"),
        ("all(gain(cobblestone), not(break(stone)))", "stone has to be broken"),
        ("all(craft(furnace), not(unlock(collect_cobblestone)))", "it comes with cobblestone"),
        ("sequence(gain(coal), all(gain(log), not(unlock(collect_coal))))", "it comes with coal"),
        ("sequence(gain(coal), all(gain(log), not(carry(coal))))", "coal is needed on the way"),
        ("all(hold(wooden_pickaxe), carry(stone_pickaxe))", "the hand would take stone_pickaxe"),
        ("sequence(craft(stone_pickaxe), hold(wooden_pickaxe))", "the hand would take stone_pickaxe"),
        ("all(wear(iron_boots), carry(diamond_boots))", "diamond_boots would be worn"),
        ("all(alive(50), not(alive(50)))", "alive(50) and not(alive(50))"),
        ("all(craft(furnace), not(alive(20)))", "takes about"),
        ("all(near(furnace, 2), not(near(furnace)))", "near(furnace, 2) and not(near(furnace))"),
        ("all(eat(apple), not(eat(apple)))", "eat(apple) and not(eat(apple))"),
        ("all(away(200), not(visit(9)))", "the way leads further"),
        ("not(any(alive(9000), not(gain(obsidian))))", "no way to come by obsidian"),
    ],
)
def test_contradictions_are_found(judge, text, reason):
    verdict = judge.judge(parse(text))
    assert not verdict.solvable
    assert any(reason in why for why in verdict.reasons), verdict.reasons


@pytest.mark.parametrize(
    "text",
    [
        "sequence(hold(wooden_pickaxe), craft(stone_pickaxe))",
        "all(time(23000, 100), time(50, 300))",
        "any(asleep, gain(log))",
        "count(1, asleep, gain(obsidian), gain(log))",
        "all(gain(spruce_log), not(gain(oak_log, 3)))",
        "all(wear(iron_boots), wear(iron_helmet), not(wear(diamond_boots)))",
        "all(above(40), below(50))",
        "not(all(asleep, gain(log)))",
    ],
)
def test_what_only_looks_like_a_contradiction_is_none(judge, text):
    assert judge.judge(parse(text)).solvable, judge.judge(parse(text)).reasons


@pytest.mark.parametrize(
    ("text", "idle"),
    [
        ("alive(50)", True),
        ("not(gain(log))", True),
        ("any(alive(9), gain(log))", True),
        ("all(alive(9), gain(log))", False),
        ("sequence(alive(9), at_least(health, 3))", True),
        ("at_least(armour, 2)", False),
        ("near(grass)", True),
        ("near(furnace)", False),
        ("above(20)", True),
        ("above(60)", False),
        ("below(60)", True),
        ("count(2, alive(9), time(0, 500), gain(log))", True),
        ("count(3, alive(9), time(0, 500), gain(log))", False),
    ],
)
def test_what_doing_nothing_fulfils(judge, text, idle):
    assert judge.judge(parse(text)).idle == idle


def test_random_tasks_get_a_verdict_whatever_their_order(judge, random_task):
    """The judge answers for any tree of the grammar; order changes neither solvability nor depth."""
    draw = random.Random(4)
    solvable = 0
    for _ in range(300):
        task = random_task(draw, draw.randint(1, 12), most=12)
        verdict, again = judge.judge(task), judge.judge(canonical(task))
        assert bool(verdict.reasons) != verdict.solvable
        assert verdict.idle == again.idle
        solvable += verdict.solvable
    assert 20 < solvable < 280


def test_altered_recipes_alter_the_verdict():
    """A furnace of planks, at no station: as deep as a crafting table, and no pickaxe on the way."""
    other = [Recipe("furnace", 1, (("planks", 8),), Station.HAND) if r.output == "furnace" else r for r in RECIPES]
    judge = Judge(TechTree(other))
    verdict = judge.judge(parse("all(craft(furnace), not(gain(cobblestone)))"))
    assert (verdict.solvable, verdict.depth) == (True, 3)
    assert "wooden_pickaxe" not in verdict.needs
    without = Judge(TechTree([recipe for recipe in RECIPES if recipe.output != "stick"]))
    assert not without.judge(parse("craft(torch)")).solvable
    assert without.judge(parse("craft(crafting_table)")).solvable


def test_a_start_kit_shortens_the_way_as_far_as_it_lasts():
    kit = {"diamond": 3, "wooden_pickaxe": 1, "wool": 3}
    judge = Judge(TechTree(kit=kit, choices=flat_choices(), met={}))
    assert judge.judge(parse("gain(cobblestone)")).depth == 1
    assert judge.judge(parse("carry(diamond, 3)")).idle
    assert judge.judge(parse("gain(diamond)")).depth == 11
    assert judge.judge(parse("sequence(craft(bed), asleep)")).solvable
    verdict = judge.judge(parse("craft(bed, 2)"))
    assert not verdict.solvable
    assert verdict.reasons == ("the start kit has too little wool, and there is no way to more",)
    assert not judge.judge(parse("sequence(craft(bed), craft(bed))")).solvable
    assert judge.judge(parse("sequence(craft(diamond_pickaxe), craft(diamond_pickaxe))")).solvable


def test_rare_blocks_may_be_left_out():
    everywhere = Judge(default_tree(min_share=0.95))
    assert not everywhere.judge(parse("gain(cactus)")).solvable
    assert everywhere.judge(parse("gain(log)")).solvable
    assert Judge(default_tree()).judge(parse("gain(cactus)")).solvable


def test_factored_actions_place_more():
    text = "all(place(planks), craft(golden_sword))"
    assert Judge(default_tree(flat=False)).judge(parse(text)).solvable
    assert not Judge(default_tree()).judge(parse(text)).solvable


def test_every_item_has_a_way_or_a_reason(judge):
    judge = Judge(judge.tree, 30_000)
    for item in ITEMS[1:]:
        verdict = judge.judge(parse(f"gain({item.name})"))
        assert verdict.solvable == (item.name in judge.tree.ways), item.name
        assert not verdict.solvable or verdict.needs[-1] == item.name or item.name in verdict.needs
    assert set(LAND) <= set(predicates.vocabulary(predicates.Kind.BLOCK))
    assert all(item in ITEM_ID for way in judge.tree.ways.values() for item in way.needs)
