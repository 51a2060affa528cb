"""What one predicate takes under given rules: how deep it lies, what must be had first, about how many steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, ACHIEVEMENTS, Achievement
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES, LIVING
from farlands.worlds.voxel.items import ARMOUR_PIECES, ITEM_ID, ITEMS, armour_name
from farlands.worlds.voxel.tasks.land import START_HEIGHTS
from farlands.worlds.voxel.tasks.predicates import BLOCK_GROUPS, DAY, ITEM_GROUPS, NIGHT
from farlands.worlds.voxel.tasks.techtree import HOES, TICKS_PER_STEP, TechTree, Way
from farlands.worlds.voxel.tasks.tree import Leaf

NONE: frozenset[str] = frozenset()
FULL_POINTS = 20
_STEPS_PER_BLOCK = 1.5
_STEPS_PER_LEVEL = 12
_STEPS_PER_FOOD = 400
_STEPS_PER_HURT = 60
_BITE_STEPS = 10
_LEFT_STEPS = 1_000
"""What is left of a time of day, at least, for something to be done in it."""
_BREED_STEPS = 300
"""Getting two animals together, and half a pair's pause: broods beyond the first want other pairs."""
START_TIME = 1_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What a predicate takes.

    Attributes:
        depth: Acts that rest on each other; 0 where waiting is enough.
        unit: Rough steps for each of its number, on top of ``fixed``.
        fixed: Rough steps that do not depend on its number.
        once, needs, breaks: As of ``techtree.Way``.
        missing: Why it can't be had; empty where it can.
    """

    depth: int = 0
    unit: float = 0.0
    fixed: float = 0.0
    once: frozenset[str] = NONE
    needs: frozenset[str] = NONE
    breaks: frozenset[str] = NONE
    missing: str = ""


def leaf_facts(tree: TechTree, leaf: Leaf) -> Facts:
    """What a predicate takes, by the rules of ``tree``."""
    name, thing = leaf.name, leaf.thing
    if name in ("carry", "gain"):
        return _having(tree, leaf)
    if name in _BY_NAME:
        return _BY_NAME[name](tree, thing)
    if name == "near":
        return _being_near(tree, thing)
    if name == "beside":
        return _being_beside(tree, thing)
    if name == "at_least":
        return _being_well(tree, thing, leaf.number)
    if name == "at_most":
        return _being_low(tree, thing, leaf.number)
    return _going(leaf)


def members(thing: str, *, blocks: bool = False) -> tuple[str, ...]:
    """The items (or blocks) a name stands for."""
    return (BLOCK_GROUPS if blocks else ITEM_GROUPS).get(thing, (thing,))


def _from_way(way: Way | None, what: str, depth: int = 0, fixed: float = 0.0) -> Facts:
    if way is None:
        return Facts(missing=f"there is no way to come by {what}")
    return Facts(way.depth + depth, way.steps, fixed, way.once, way.needs, way.breaks)


def _having(tree: TechTree, leaf: Leaf) -> Facts:
    names = members(leaf.thing)
    kit = sum(tree.kit.get(name, 0) for name in names)
    if leaf.name == "carry" and kit >= leaf.number:
        return Facts()
    if not kit:
        return _from_way(tree.way(names), leaf.thing)
    # What the kit holds must not count as a way to more of it.
    natural = [way for name in names if (way := tree.natural.ways.get(name)) is not None]
    return _from_way(min(natural, key=lambda way: (way.depth, way.steps), default=None), leaf.thing)


def _crafting(tree: TechTree, thing: str) -> Facts:
    ways = [way for recipe in tree.recipes if recipe.output == thing and (way := tree.crafting(recipe)) is not None]
    return _from_way(min(ways, key=lambda way: (way.depth, way.steps), default=None), f"{thing} by a recipe")


def _smelting(tree: TechTree, thing: str) -> Facts:
    ways = [way for each in tree.smeltings if each.output == thing and (way := tree.smelting(each)) is not None]
    return _from_way(min(ways, key=lambda way: (way.depth, way.steps), default=None), f"{thing} by smelting")


def _placing(tree: TechTree, thing: str) -> Facts:
    offered = [name for name in members(thing) if any(map(tree.offers, _place_choices(name)))]
    if not offered:
        return Facts(missing=f"no action places {thing}")
    if thing == "wheat_seeds":
        return _sowing(tree)
    return _from_way(tree.way(offered), thing, 1, 2.0)


def _sowing(tree: TechTree) -> Facts:
    """Seeds go into tilled ground."""
    seeds, tilled = _from_way(tree.way("wheat_seeds"), "wheat_seeds", 1, 2.0), _deed(tree, "till")
    return replace(
        join([seeds, _single(tilled)]), depth=1 + max(seeds.depth - 1, tilled.depth), unit=seeds.unit + 2.0,
        once=seeds.once | tilled.once,
    )  # fmt: skip


def _place_choices(item: str) -> tuple[str, ...]:
    extra = {"cobblestone": "place_block", "dirt": "place_block"}.get(item)
    extra = extra or ("place_sapling" if item.endswith("_sapling") else "")
    return (f"place_{item}", extra) if extra else (f"place_{item}",)


def _breaking(tree: TechTree, thing: str) -> Facts:
    ways = [way for name in members(thing, blocks=True) if tree.grows(name) and (way := tree.breaking(name))]
    if ways:
        return _from_way(min(ways, key=lambda way: (way.depth, way.steps)), thing)
    placed = _placing(tree, thing) if thing in ITEM_ID else Facts(missing="it can't be placed")
    if placed.missing:
        return Facts(missing=f"{thing} does not grow where it can be counted on, and {placed.missing}")
    return Facts(
        placed.depth + 1, placed.unit + 5, placed.fixed, placed.once, placed.needs, placed.breaks | {thing}
    )  # fmt: skip


def _eating(tree: TechTree, thing: str) -> Facts:
    return _from_way(tree.way(thing), thing, 1, _BITE_STEPS)


def _wearing(tree: TechTree, thing: str) -> Facts:
    return _from_way(tree.way(thing) if tree.offers("wear_armour") else None, thing, 1, 1.0)


def _holding(tree: TechTree, thing: str) -> Facts:
    tool = ITEMS[ITEM_ID[thing]].tool.name.lower()
    return _from_way(tree.way(thing) if tree.offers(f"equip_{tool}") else None, thing, 1, 1.0)


def _sleeping(tree: TechTree, thing: str = "bed") -> Facts:
    bed = tree.way("bed") if tree.offers("place_bed") else None
    return _from_way(bed, "bed", 2, _waiting(*NIGHT))


def _being_in(tree: TechTree, thing: str) -> Facts:
    if not tree.grows(thing):
        return Facts(missing=f"{thing} can't be counted on near the start")
    return Facts(depth=1, fixed=tree.land[thing].search)


def _being_near(tree: TechTree, thing: str) -> Facts:
    grown = [tree.land[name].search for name in members(thing, blocks=True) if tree.grows(name)]
    if grown:
        return Facts(depth=1, fixed=min(grown))
    placed = _placing(tree, thing) if thing in ITEM_ID else Facts(missing=f"{thing} can't be placed")
    if placed.missing:
        return Facts(missing=f"{thing} does not grow where it can be counted on, and {placed.missing}")
    return Facts(placed.depth, 0.0, placed.fixed + placed.unit, placed.once, placed.needs, placed.breaks)


def _being_beside(tree: TechTree, thing: str) -> Facts:
    if not tree.meets(thing):
        return Facts(missing=f"{thing} can't be counted on")
    return Facts(depth=1, fixed=tree.met[thing].search)


def _killing(tree: TechTree, thing: str) -> Facts:
    way = tree.killing(thing)
    return Facts(missing=f"{thing} can't be counted on") if way is None else _from_way(way, thing)


def _breeding(tree: TechTree, thing: str) -> Facts:
    food = CREATURES[CREATURE_ID[thing] - 1].food
    return _tending(tree, thing, tree.way(food), food, 2, _BREED_STEPS)


def _shearing(tree: TechTree, thing: str) -> Facts:
    return _tending(tree, thing, tree.way("shears") if tree.offers("equip_shears") else None, "shears", 0, 0.0)


def _tending(tree: TechTree, thing: str, way: Way | None, what: str, used: int, more: float) -> Facts:
    """What it takes to do something for an animal: ``used`` of an item each time, or a tool once."""
    if way is None or not tree.meets(thing):
        return Facts(missing=f"{thing if way else what} can't be counted on")
    once = way.once | {f"find:{thing}"} | (NONE if used else {what})
    unit = tree.met[thing].each + way.steps * used + more
    return Facts(way.depth + 1, unit, 0.0, once, way.needs, way.breaks)


def _feat(tree: TechTree, thing: str) -> Facts:
    feat: Achievement = ACHIEVEMENTS[ACHIEVEMENT_ID[thing]]
    if feat.items:
        # The start kit unlocks nothing: one has to be had on top of it.
        ways = [way for name in feat.items if (way := tree.natural.ways.get(name)) is not None]
        return _single(_from_way(min(ways, key=lambda way: (way.depth, way.steps), default=None), feat.items[0]))
    if feat.places:
        each = [_placing(tree, name) for name in feat.places]
        return _single(min(each, key=lambda facts: (bool(facts.missing), facts.depth, facts.unit)))
    if feat.event == "eat":
        foods = [_eating(tree, item.name) for item in ITEMS if item.food]
        return _single(min(foods, key=lambda facts: (bool(facts.missing), facts.depth, facts.unit)))
    if feat.event == "sleep":
        return _single(_sleeping(tree))
    if not feat.event.startswith("wear_"):
        return _single(_deed(tree, feat.event))
    material = feat.event.removeprefix("wear_")
    return join([_single(_wearing(tree, armour_name(material, slot))) for slot in ARMOUR_PIECES])


def _deed(tree: TechTree, event: str) -> Facts:
    """What a feat of tilling, tending, shooting or killing takes."""
    if event.startswith("kill_"):
        return _killing(tree, event.removeprefix("kill_"))
    if event == "till":
        return _from_way(tree.way(HOES) if tree.offers("equip_hoe") else None, "a hoe", 1, 2.0)
    if event == "shear":
        return _shearing(tree, "sheep")
    if event == "breed":
        each = [_breeding(tree, creature.name) for creature in CREATURES if creature.food]
    else:
        assert event == "shoot", event
        each = [_shooting(tree, name) for name in LIVING]
    return min(each, key=lambda facts: (bool(facts.missing), facts.depth, facts.unit))


def _shooting(tree: TechTree, thing: str) -> Facts:
    bow, arrow = (tree.way(name) if tree.offers("equip_bow") else None for name in ("bow", "arrow"))
    if bow is None or arrow is None or not tree.meets(thing):
        return Facts(missing=f"{thing if bow and arrow else 'a bow with arrows'} can't be counted on")
    return Facts(
        1 + max(bow.depth, arrow.depth), tree.met[thing].each + arrow.steps, 0.0,
        bow.once | arrow.once | {"bow", f"find:{thing}"}, bow.needs | arrow.needs, bow.breaks | arrow.breaks,
    )  # fmt: skip


def _single(facts: Facts) -> Facts:
    """The same with its one unit among the fixed steps."""
    return Facts(
        facts.depth, 0.0, facts.fixed + facts.unit, facts.once, facts.needs, facts.breaks, facts.missing
    )  # fmt: skip


def join(parts: list[Facts]) -> Facts:
    """What several predicates without numbers take together."""
    missing = next((facts.missing for facts in parts if facts.missing), "")
    return Facts(
        max(facts.depth for facts in parts),
        0.0,
        sum(facts.fixed for facts in parts),
        NONE.union(*(facts.once for facts in parts)),
        NONE.union(*(facts.needs for facts in parts)),
        NONE.union(*(facts.breaks for facts in parts)),
        missing,
    )


def _being_well(tree: TechTree, vital: str, number: int) -> Facts:
    if vital != "armour":
        return Facts()
    pieces = [item for item in ITEMS if item.armour >= 0 and item.name in tree.ways]
    for depth in sorted({tree.ways[item.name].depth for item in pieces}):
        worn = []
        for slot in ARMOUR_PIECES:
            fit = [i for i in pieces if i.armour == slot and tree.ways[i.name].depth <= depth]
            worn += sorted(fit, key=lambda item: -item.armour_points)[:1]
        if sum(item.armour_points for item in worn) >= number and tree.offers("wear_armour"):
            return join([_single(_wearing(tree, item.name)) for item in worn])
    return Facts(missing=f"there is no armour of {number} points")


def _being_low(tree: TechTree, vital: str, number: int) -> Facts:
    if vital == "armour":
        return Facts()
    if vital == "air":
        water = _being_in(tree, "water")
        return Facts(1, 0.0, water.fixed + (FULL_POINTS - number) * 4, missing=water.missing)
    each = _STEPS_PER_FOOD if vital == "food" else _STEPS_PER_HURT
    return Facts(depth=1, fixed=(FULL_POINTS - number) * each)


def _going(leaf: Leaf) -> Facts:
    name, n = leaf.name, leaf.number
    if name == "away":
        return Facts(depth=1, fixed=n * _STEPS_PER_BLOCK)
    if name == "visit":
        return Facts(depth=1, unit=8 * _STEPS_PER_BLOCK)
    if name == "above":
        return Facts(depth=1, fixed=max(n - START_HEIGHTS[0], 0) * _STEPS_PER_LEVEL)
    if name == "below":
        return Facts(depth=1, fixed=max(START_HEIGHTS[1] - n, 0) * _STEPS_PER_LEVEL)
    if name == "alive":
        return Facts(unit=1.0)
    # The time of day: waiting for it from the start of the episode.
    return Facts(fixed=_waiting(int(leaf.arguments[0]), int(leaf.arguments[1])))


def _waiting(first: int, until: int) -> float:
    """Steps from the start of an episode to a time of day; the next day's, where this one's is about to be over."""
    now, long = (START_TIME - first) % DAY, (until - first) % DAY
    if now <= long and (long - now) / TICKS_PER_STEP >= _LEFT_STEPS:
        return 0.0
    return ((first - START_TIME) % DAY) / TICKS_PER_STEP


_BY_NAME = {
    "craft": _crafting,
    "smelt": _smelting,
    "place": _placing,
    "break": _breaking,
    "eat": _eating,
    "wear": _wearing,
    "hold": _holding,
    "asleep": _sleeping,
    "inside": _being_in,
    "unlock": _feat,
    "kill": _killing,
    "breed": _breeding,
    "shear": _shearing,
}
