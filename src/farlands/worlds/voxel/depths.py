"""How deep in the tech tree each achievement lies, from the rule tables alone. Free of torch and warp.

The depth of an item is the number of acts, each resting on the one before it, of the shortest way to it: breaking a
block that drops it is one act more than the cheapest tool that makes it drop, crafting and smelting are one more than
the deepest of their inputs, their station put up and, for smelting, a fuel. Putting a block up is one act more.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator

from farlands.worlds.voxel.achievements import ACHIEVEMENTS, Achievement
from farlands.worlds.voxel.alterations import STANDARD, Rulebook
from farlands.worlds.voxel.blocks import UNBREAKABLE, Block, ToolClass
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.items import ARMOUR_PIECES, ITEMS, armour_name
from farlands.worlds.voxel.recipes import FUELS, RECIPES, SMELTINGS, Station

_STATION = {Station.CRAFTING_TABLE: "crafting_table", Station.FURNACE: "furnace"}
_MADE = {recipe.output for recipe in RECIPES} | {smelting.output for smelting in SMELTINGS}
_HOES = tuple(item.name for item in ITEMS if item.tool == ToolClass.HOE)
_FEATS: dict[str, tuple[tuple[str, ...], ...]] = {
    "till": (_HOES,),
    "shear": (("shears",),),
    "breed": (tuple(creature.food for creature in CREATURES if creature.food),),
    "shoot": (("bow",), ("arrow",)),
}
"""What some feats take: one item of each group."""
_USES: dict[str, tuple[tuple[str, ...], ...]] = {
    "wheat": (_HOES, ("wheat_seeds",)), "water_bucket": (("bucket",),), "lava_bucket": (("bucket",),),
}  # fmt: skip
"""Items that come of using others on the land."""


@functools.lru_cache(maxsize=256)
def item_depths(rules: Rulebook = STANDARD) -> dict[str, int]:
    """Depth of every item that can be had, 1 for what a bare hand gathers."""
    depths: dict[str, float] = {"nothing": 0.0}
    changed = True
    while changed:
        changed = False
        for item, depth in _ways(depths, rules):
            if depth < depths.get(item, math.inf):
                depths[item], changed = depth, True
    return {item: int(depth) for item, depth in depths.items() if item != "nothing"}


def achievement_depths(rules: Rulebook = STANDARD) -> tuple[int, ...]:
    """Depth of every achievement, in the order of the table."""
    depths = item_depths(rules)
    return tuple(_achievement_depth(each, depths) for each in ACHIEVEMENTS)


def _achievement_depth(achievement: Achievement, depths: dict[str, int]) -> int:
    if achievement.items:
        return min(depths[item] for item in achievement.items)
    if achievement.places:
        # Seeds go into tilled ground.
        tilled = 1 + min(depths[hoe] for hoe in _HOES) if achievement.places == ("wheat_seeds",) else 0
        return 1 + max(min(depths[item] for item in achievement.places), tilled)
    if achievement.event == "eat":
        return 1 + min(depths[item.name] for item in ITEMS if item.food)
    if achievement.event == "sleep":
        return 2 + depths["bed"]
    if achievement.event in _FEATS:
        return 1 + max(min(depths[item] for item in either) for either in _FEATS[achievement.event])
    if achievement.event.startswith("kill_"):
        return 1
    material = achievement.event.removeprefix("wear_")
    return 1 + max(depths[armour_name(material, slot)] for slot in ARMOUR_PIECES)


def _ways(depths: dict[str, float], rules: Rulebook) -> Iterator[tuple[str, float]]:
    """Every way to every item, with the depth it gives by what is known so far."""
    for creature in CREATURES:
        yield from ((drop.item, 1) for drop in creature.drops)
    for item, groups in _USES.items():
        yield item, 1 + max(_least("|".join(group), depths) for group in groups)
    for block in rules.blocks:
        if block.hardness != UNBREAKABLE:
            for item in filter(None, (block.drop, block.rare_drop)):
                # A block that drops what is made by hand was put up by somebody who had made it.
                if item not in _MADE and item not in _USES:
                    yield item, 1 + _tool_depth(block, depths)
    for recipe in rules.recipes:
        inputs = [_least(either, depths) for either, _ in recipe.inputs]
        yield recipe.output, 1 + max(*inputs, _station_depth(recipe.station, depths))
    fuel = _least("|".join(FUELS), depths)
    for smelting in rules.smeltings:
        furnace = _station_depth(Station.FURNACE, depths)
        yield smelting.output, 1 + max(_least(smelting.input, depths), furnace, fuel)


def _tool_depth(block: Block, depths: dict[str, float]) -> float:
    if block.tier == 0:
        return 0.0
    fit = (item.name for item in ITEMS if item.tool == block.tool and item.tier >= block.tier)
    return min((depths.get(name, math.inf) for name in fit), default=math.inf)


def _station_depth(station: Station, depths: dict[str, float]) -> float:
    return 0.0 if station == Station.HAND else 1 + depths.get(_STATION[station], math.inf)


def _least(either: str, depths: dict[str, float]) -> float:
    return min(depths.get(name, math.inf) for name in either.split("|"))
