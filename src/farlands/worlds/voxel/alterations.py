"""Altered rules: recipes, smelting and drops that are not the standard ones, as many sets of them as there are seeds.

Every alteration trades places within classes of like worth: which ore gives what, which ingot makes which tools, how
many of it a head takes, what handles are of, what a set of armour costs, where things are made, what comes of what in a
furnace. Outputs, and so the actions, stay. An alteration under which something could not be had any more, or the tech
tree became too shallow for tasks, is drawn again. Data only, free of torch and warp.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from farlands.worlds.voxel.blocks import BLOCKS, Block, ToolClass
from farlands.worlds.voxel.items import ARMOUR_PIECES, TOOL_MATERIALS, armour_name, tool_name
from farlands.worlds.voxel.recipes import RECIPES, SMELTINGS, Recipe, Smelting, Station
from farlands.worlds.voxel.tasks.stream import Stream
from farlands.worlds.voxel.tasks.techtree import TechTree, flat_choices

MOST_SEED = 2**31 - 1
SURE_SHARE = 0.95
"""The diamond pickaxe is to be had from what at least so many levels grow near the start."""
DEPTHS = range(1, 9)
"""Depths at which something can be had, or put up or held, so that tasks of any of them can be drawn."""
LEAST_DEPTH = 9
"""Of the diamond pickaxe, which lies at 12 under the standard rules."""

_ATTEMPTS = 1_000
_TOOLS = (ToolClass.PICKAXE, ToolClass.AXE, ToolClass.SHOVEL, ToolClass.SWORD, ToolClass.HOE)
_ARMOURS = ("iron", "golden", "diamond", "leather")
_METALS = ("iron_ingot", "gold_ingot")
_HANDLES = ("stick", "planks", "oak_log|spruce_log")
_FITTINGS = ("crafting_table", "furnace", "ladder", "door")
"""Made of one thing alone: what they take of it is traded."""
_SMALL = ("torch", "ladder", "door", "bed", "shears", "bread", "bucket", "bow", "flint_and_steel", "bone_meal", "wool")
"""Made by hand or at a table: where is traded."""
_ORES = ("coal_ore", "iron_ore", "gold_ore", "diamond_ore")
_EARTHS = ("sand", "gravel", "clay")
_FLOWERS = ("red_flower", "yellow_flower")
_STONEWARE = ("charcoal", "stone", "glass")
_MEALS = ("cooked_beef", "cooked_porkchop", "cooked_mutton", "cooked_chicken")


class Rulebook(NamedTuple):
    """The tables that alterations change.

    Attributes:
        recipes, smeltings: In the order of ``RECIPES`` and ``SMELTINGS``, each row with the same output.
        blocks: In the order of ``BLOCKS``.
    """

    recipes: tuple[Recipe, ...]
    smeltings: tuple[Smelting, ...]
    blocks: tuple[Block, ...]


STANDARD = Rulebook(RECIPES, SMELTINGS, BLOCKS)


@functools.lru_cache(maxsize=256)
def alter(seed: int) -> Rulebook:
    """The rules of a seed: ``(recipes, smeltings, blocks)``, the same on every machine; seed 0 has the standard ones.

    Under all of them whatever can be had by the standard rules can be had, a diamond pickaxe from what is sure to grow.

    Args:
        seed: 0 to ``MOST_SEED``.

    Raises:
        ValueError: There is no such seed.
    """
    check_seed(seed)
    if seed == 0:
        return STANDARD
    for attempt in range(_ATTEMPTS):
        rules = _draft(Stream(seed, attempt))
        if rules != STANDARD and solvable(rules):
            return rules
    raise AssertionError(f"alteration {seed}: none of {_ATTEMPTS} drafts can be solved")


def check_seed(seed: int) -> None:
    """Raise ValueError in one line for what is no seed of an alteration."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= MOST_SEED:
        raise ValueError(f"altered_rules {seed} is out of range: 0 (the standard rules) to {MOST_SEED}")


def solvable(rules: Rulebook) -> bool:
    """Whether all that the standard rules give can be had, and by flat actions enough of it for tasks of any depth."""
    for choices, least in zip((None, flat_choices()), _standard_reach(), strict=True):
        if not least <= set(TechTree(*rules, choices=choices).ways):
            return False
    sure = TechTree(*rules, choices=flat_choices(), min_share=SURE_SHARE).ways
    depths = {way.depth + more for way in sure.values() for more in (0, 1)}
    goal = sure.get("diamond_pickaxe")
    return goal is not None and goal.depth >= LEAST_DEPTH and set(DEPTHS) <= depths


@functools.cache
def _standard_reach() -> tuple[frozenset[str], ...]:
    """Items that can be had under the standard rules, with all choices and with those of flat actions."""
    return tuple(frozenset(TechTree(choices=choices).ways) for choices in (None, flat_choices()))


def _draft(stream: Stream) -> Rulebook:
    recipes = {recipe.output: recipe for recipe in RECIPES}
    for change in (_trade_metals, _trade_shapes, _choose_handles, _trade_armour, _trade_fittings, _move_stations):
        change(stream, recipes)
    blocks = {block.name: block for block in BLOCKS}
    for names in (_ORES, _EARTHS, _FLOWERS):
        _trade_drops(stream, blocks, names)
    smeltings = {smelting.output: smelting for smelting in SMELTINGS}
    for names in (_METALS, _STONEWARE, _MEALS):
        _trade_inputs(stream, smeltings, names)
    return Rulebook(
        tuple(recipes[recipe.output] for recipe in RECIPES),
        tuple(smeltings[smelting.output] for smelting in SMELTINGS),
        tuple(blocks[block.name] for block in BLOCKS),
    )


def _shuffled(stream: Stream, things: Sequence) -> list:
    """A permutation, all of them equally likely (Fisher and Yates)."""
    out = list(things)
    for i in range(len(out) - 1, 0, -1):
        j = stream.below(i + 1)
        out[i], out[j] = out[j], out[i]
    return out


Recipes = dict[str, Recipe]


def _map_inputs(recipes: Recipes, names: Sequence[str], change: Callable[[str, int], tuple[str, int]]) -> None:
    for name in names:
        recipe = recipes[name]
        recipes[name] = replace(recipe, inputs=tuple(change(item, count) for item, count in recipe.inputs))


def _trade_metals(stream: Stream, recipes: Recipes) -> None:
    """Which ingot each metal's tools and armour are of."""
    other = dict(zip(_METALS, _shuffled(stream, _METALS), strict=True))
    names = [tool_name(m, tool) for m in ("iron", "golden") for tool in _TOOLS]
    names += [armour_name(m, slot) for m in ("iron", "golden") for slot in ARMOUR_PIECES]
    _map_inputs(recipes, names, lambda item, count: (other.get(item, item), count))


def _trade_shapes(stream: Stream, recipes: Recipes) -> None:
    """How much head and how much handle each class of tool takes."""
    shapes = [tuple(count for _, count in recipes[tool_name("stone", tool)].inputs) for tool in _TOOLS]
    for tool, shape in zip(_TOOLS, _shuffled(stream, shapes), strict=True):
        for material in TOOL_MATERIALS:
            name = tool_name(material.name, tool)
            (head, _), (handle, _) = recipes[name].inputs
            recipes[name] = replace(recipes[name], inputs=((head, shape[0]), (handle, shape[1])))


def _choose_handles(stream: Stream, recipes: Recipes) -> None:
    """What the handles of each material's tools are of. Planks with handles of planks take the sum of both."""
    for material in TOOL_MATERIALS:
        handle = stream.pick(_HANDLES)
        for tool in _TOOLS:
            name = tool_name(material.name, tool)
            (head, count), (_, handles) = recipes[name].inputs
            inputs = ((head, count), (handle, handles)) if head != handle else ((head, count + handles),)
            recipes[name] = replace(recipes[name], inputs=inputs)


def _trade_armour(stream: Stream, recipes: Recipes) -> None:
    """What each piece of a set costs."""
    costs = _shuffled(stream, [recipes[armour_name("iron", slot)].inputs[0][1] for slot in ARMOUR_PIECES])
    for slot, cost in zip(ARMOUR_PIECES, costs, strict=True):
        _map_inputs(recipes, [armour_name(m, slot) for m in _ARMOURS], lambda item, _, cost=cost: (item, cost))


def _trade_fittings(stream: Stream, recipes: Recipes) -> None:
    """How much the things of one stuff take of it."""
    counts = _shuffled(stream, [recipes[name].inputs[0][1] for name in _FITTINGS])
    for name, count in zip(_FITTINGS, counts, strict=True):
        _map_inputs(recipes, [name], lambda item, _, count=count: (item, count))


def _move_stations(stream: Stream, recipes: Recipes) -> None:
    """Where small things are made; and whether each metal is worked at a table or at a furnace."""
    stations = _shuffled(stream, [recipes[name].station for name in _SMALL])
    for name, station in zip(_SMALL, stations, strict=True):
        recipes[name] = replace(recipes[name], station=station)
    for material in ("iron", "golden", "diamond"):
        station = stream.pick((Station.CRAFTING_TABLE, Station.FURNACE))
        for tool in _TOOLS:
            name = tool_name(material, tool)
            recipes[name] = replace(recipes[name], station=station)


def _trade_drops(stream: Stream, blocks: dict[str, Block], names: Sequence[str]) -> None:
    """Which block drops what; tools and hardness stay with the blocks."""
    drops = _shuffled(stream, [blocks[name].drop for name in names])
    for name, drop in zip(names, drops, strict=True):
        blocks[name] = replace(blocks[name], drop=drop)


def _trade_inputs(stream: Stream, smeltings: dict[str, Smelting], outputs: Sequence[str]) -> None:
    """What in a furnace becomes what."""
    inputs = _shuffled(stream, [smeltings[name].input for name in outputs])
    for name, item in zip(outputs, inputs, strict=True):
        smeltings[name] = replace(smeltings[name], input=item)
