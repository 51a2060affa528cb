"""What can be made: the crafting table of recipes and the smelting table. Data only; ``crafting.py`` applies it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from farlands.worlds.voxel.blocks import ToolClass
from farlands.worlds.voxel.items import ARMOUR_PIECES, TOOL_MATERIALS, armour_name, tool_name


class Station(IntEnum):
    """What must stand within reach."""

    HAND = 0
    CRAFTING_TABLE = 1
    FURNACE = 2


MAX_INGREDIENTS = 3


@dataclass(frozen=True)
class Recipe:
    """Inputs to output at a station.

    Attributes:
        output: Item made.
        count: How many of it.
        inputs: (item, count) pairs, at most ``MAX_INGREDIENTS``; ``"a|b"`` takes any mix of the two, the first first.
        station: What must stand near.
    """

    output: str
    count: int
    inputs: tuple[tuple[str, int], ...]
    station: Station = Station.HAND


@dataclass(frozen=True)
class Smelting:
    """One item (``"a|b"`` takes either) to another in a furnace, ``SMELTING_TICKS`` each, burning fuel."""

    input: str
    output: str


SMELTING_TICKS = 200
SMELTING_QUEUE = 64
"""Most items an agent may have waiting in furnaces."""

_TABLE = Station.CRAFTING_TABLE
_TOOL_HEADS = {
    ToolClass.PICKAXE: (3, 2), ToolClass.AXE: (3, 2), ToolClass.SHOVEL: (1, 2), ToolClass.SWORD: (2, 1),
    ToolClass.HOE: (2, 2),
}  # fmt: skip
_HEAD_ITEM = {
    "wooden": "planks", "stone": "cobblestone", "iron": "iron_ingot", "golden": "gold_ingot", "diamond": "diamond",
    "leather": "leather",
}  # fmt: skip
_ARMOUR_COST = (5, 8, 7, 4)


def _tools() -> list[Recipe]:
    return [
        Recipe(tool_name(m.name, tool), 1, ((_HEAD_ITEM[m.name], head), ("stick", sticks)), _TABLE)
        for tool, (head, sticks) in _TOOL_HEADS.items()
        for m in TOOL_MATERIALS
    ]


def _armour() -> list[Recipe]:
    return [
        Recipe(armour_name(material, slot), 1, ((_HEAD_ITEM[material], cost),), _TABLE)
        for material in ("iron", "golden", "diamond", "leather")
        for slot, cost in zip(ARMOUR_PIECES, _ARMOUR_COST, strict=True)
    ]


RECIPES: tuple[Recipe, ...] = (
    Recipe("planks", 4, (("oak_log|spruce_log", 1),)),
    Recipe("stick", 4, (("planks", 2),)),
    Recipe("crafting_table", 1, (("planks", 4),)),
    Recipe("torch", 4, (("coal|charcoal", 1), ("stick", 1))),
    Recipe("furnace", 1, (("cobblestone", 8),), _TABLE),
    Recipe("ladder", 3, (("stick", 7),), _TABLE),
    Recipe("door", 3, (("planks", 6),), _TABLE),
    Recipe("bed", 1, (("wool", 3), ("planks", 3)), _TABLE),
    Recipe("shears", 1, (("iron_ingot", 2),)),
    Recipe("golden_apple", 1, (("apple", 1), ("gold_ingot", 8)), _TABLE),
    *_tools(),
    *_armour(),
    Recipe("bread", 1, (("wheat", 3),), _TABLE),
    Recipe("bucket", 1, (("iron_ingot", 3),), _TABLE),
    Recipe("bow", 1, (("stick", 3), ("string", 3)), _TABLE),
    Recipe("arrow", 4, (("flint", 1), ("stick", 1), ("feather", 1)), _TABLE),
    Recipe("flint_and_steel", 1, (("iron_ingot", 1), ("flint", 1))),
    Recipe("bone_meal", 3, (("bone", 1),)),
    Recipe("wool", 1, (("string", 4),)),
    Recipe("tnt", 1, (("gunpowder", 5), ("sand", 4)), _TABLE),
)

SMELTINGS: tuple[Smelting, ...] = (
    Smelting("iron_ore", "iron_ingot"),
    Smelting("gold_ore", "gold_ingot"),
    Smelting("oak_log|spruce_log", "charcoal"),
    Smelting("cobblestone", "stone"),
    Smelting("sand", "glass"),
    Smelting("beef", "cooked_beef"),
    Smelting("porkchop", "cooked_porkchop"),
    Smelting("mutton", "cooked_mutton"),
    Smelting("chicken", "cooked_chicken"),
)

FUELS: tuple[str, ...] = ("coal", "charcoal", "planks", "stick", "oak_log", "spruce_log")
"""What an agent feeds a furnace by itself, in this order: never what it may still need, such as tools."""
