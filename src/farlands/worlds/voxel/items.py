"""The items: one row each. Ids are bytes in the order of the table; 0 is "nothing"."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from farlands.worlds.voxel.blocks import ToolClass


class ArmourSlot(IntEnum):
    """Where a piece of armour is worn; the value is its index, and NONE is no armour."""

    NONE = -1
    HELMET = 0
    CHESTPLATE = 1
    LEGGINGS = 2
    BOOTS = 3


class Tier(IntEnum):
    """What a tool is made of, by what it can harvest. Gold harvests like wood."""

    HAND = 0
    WOOD = 1
    STONE = 2
    IRON = 3
    DIAMOND = 4


@dataclass(frozen=True)
class Item:
    """One kind of item.

    Attributes:
        name: Its id in words.
        stack: Most that share one inventory slot.
        places: Name of the block it places; empty for none.
        tool: Class of tool it is.
        tier: What it can harvest.
        speed: Mining speed on the blocks of its class (a hand has 1).
        durability: Uses before it breaks; 0 for things that don't wear.
        damage: Health points a hit takes.
        gives_back: Item left when it is placed; empty for none.
        food: Food points eating it gives; 0 when it can't be eaten.
        saturation: Saturation points eating it gives.
        armour: Where it is worn.
        armour_points: Protection, of 20.
        fuel: Ticks it burns in a furnace; 0 when it doesn't.
    """

    name: str
    stack: int = 64
    places: str = ""
    gives_back: str = ""
    tool: ToolClass = ToolClass.NONE
    tier: Tier = Tier.HAND
    speed: int = 1
    durability: int = 0
    damage: int = 1
    food: int = 0
    saturation: float = 0.0
    armour: ArmourSlot = ArmourSlot.NONE
    armour_points: int = 0
    fuel: int = 0


@dataclass(frozen=True)
class Material:
    """What a set of tools shares: (name, tier, speed, durability, extra damage, fuel)."""

    name: str
    tier: Tier
    speed: int
    durability: int
    damage: int
    fuel: int = 0


TOOL_MATERIALS = (
    Material("wooden", Tier.WOOD, 2, 59, 0, fuel=200),
    Material("stone", Tier.STONE, 4, 131, 1),
    Material("iron", Tier.IRON, 6, 250, 2),
    Material("golden", Tier.WOOD, 12, 32, 0),
    Material("diamond", Tier.DIAMOND, 8, 1561, 3),
)
_TOOL_DAMAGE = {
    ToolClass.PICKAXE: 2, ToolClass.AXE: 7, ToolClass.SHOVEL: 2, ToolClass.SWORD: 4, ToolClass.HOE: 1,
}  # fmt: skip

ARMOUR_PIECES = (ArmourSlot.HELMET, ArmourSlot.CHESTPLATE, ArmourSlot.LEGGINGS, ArmourSlot.BOOTS)
_ARMOUR_POINTS = {"leather": (1, 3, 2, 1), "iron": (2, 6, 5, 2), "golden": (2, 5, 3, 1), "diamond": (3, 8, 6, 3)}
_ARMOUR_DURABILITY = {
    "leather": (55, 80, 75, 65), "iron": (165, 240, 225, 195), "golden": (77, 112, 105, 91),
    "diamond": (363, 528, 495, 429),
}  # fmt: skip


def tool_name(material: str, tool: ToolClass) -> str:
    """E.g. ``"stone_pickaxe"``."""
    return f"{material}_{tool.name.lower()}"


def armour_name(material: str, slot: ArmourSlot) -> str:
    """E.g. ``"iron_helmet"``."""
    return f"{material}_{slot.name.lower()}"


def _tools(tool: ToolClass) -> list[Item]:
    return [
        Item(
            tool_name(m.name, tool), stack=1, tool=tool, tier=m.tier, speed=m.speed, durability=m.durability,
            damage=_TOOL_DAMAGE[tool] + m.damage, fuel=m.fuel,
        )
        for m in TOOL_MATERIALS
    ]  # fmt: skip


def _armour(material: str) -> list[Item]:
    rows = zip(ARMOUR_PIECES, _ARMOUR_DURABILITY[material], _ARMOUR_POINTS[material], strict=True)
    return [
        Item(armour_name(material, slot), stack=1, durability=durability, armour=slot, armour_points=points)
        for slot, durability, points in rows
    ]


def _meat(name: str, raw: tuple[int, float], cooked: tuple[int, float]) -> tuple[Item, Item]:
    return (
        Item(name, food=raw[0], saturation=raw[1]),
        Item(f"cooked_{name}", food=cooked[0], saturation=cooked[1]),
    )


def _block(name: str, *, fuel: int = 0, stack: int = 64) -> Item:
    return Item(name, stack=stack, places=name, fuel=fuel)


ITEMS: tuple[Item, ...] = (
    Item("nothing"),
    _block("dirt"),
    _block("cobblestone"),
    _block("stone"),
    _block("sand"),
    _block("gravel"),
    _block("clay"),
    _block("snow"),
    _block("oak_log", fuel=300),
    _block("spruce_log", fuel=300),
    _block("planks", fuel=300),
    _block("oak_sapling", fuel=100),
    _block("spruce_sapling", fuel=100),
    _block("cactus"),
    _block("red_flower"),
    _block("yellow_flower"),
    _block("iron_ore"),
    _block("gold_ore"),
    _block("obsidian"),
    _block("glass"),
    _block("wool"),
    _block("crafting_table", fuel=300),
    _block("furnace"),
    _block("torch"),
    _block("ladder", fuel=300),
    _block("bed", stack=1),
    _block("door", fuel=200),
    Item("stick", fuel=100),
    Item("coal", fuel=1600),
    Item("charcoal", fuel=1600),
    Item("iron_ingot"),
    Item("gold_ingot"),
    Item("diamond"),
    Item("flint"),
    Item("apple", food=4, saturation=2.4),
    Item("golden_apple", food=4, saturation=9.6),
    Item("shears", stack=1, tool=ToolClass.SHEARS, speed=5, durability=238),
    *_tools(ToolClass.PICKAXE),
    *_tools(ToolClass.AXE),
    *_tools(ToolClass.SHOVEL),
    *_tools(ToolClass.SWORD),
    *_armour("iron"),
    *_armour("golden"),
    *_armour("diamond"),
    *_tools(ToolClass.HOE),
    *_armour("leather"),
    Item("bow", stack=1, tool=ToolClass.BOW, durability=384, fuel=300),
    Item("arrow"),
    Item("flint_and_steel", stack=1, tool=ToolClass.LIGHTER, durability=64),
    Item("bucket", stack=16, tool=ToolClass.BUCKET),
    Item("water_bucket", stack=1, places="water", gives_back="bucket"),
    Item("lava_bucket", stack=1, places="lava", gives_back="bucket", fuel=20_000),
    Item("wheat_seeds", places="wheat_0"),
    Item("wheat"),
    Item("bread", food=5, saturation=6.0),
    Item("bone"),
    Item("bone_meal"),
    Item("string"),
    Item("feather"),
    Item("gunpowder"),
    Item("leather"),
    Item("rotten_flesh", food=4, saturation=0.8),
    *_meat("beef", (3, 1.8), (8, 12.8)),
    *_meat("porkchop", (3, 1.8), (8, 12.8)),
    *_meat("mutton", (2, 1.2), (6, 9.6)),
    *_meat("chicken", (2, 1.2), (6, 7.2)),
    _block("tnt"),
)

ITEM_ID: dict[str, int] = {item.name: index for index, item in enumerate(ITEMS)}

FOODS: tuple[str, ...] = tuple(
    sorted(
        (item.name for item in ITEMS if item.food),
        key=lambda name: (
            name in ("golden_apple", "rotten_flesh"), -ITEMS[ITEM_ID[name]].food, -ITEMS[ITEM_ID[name]].saturation,
        ),
    )
)  # fmt: skip
"""What can be eaten, in the order it is: the most filling first, the precious and the foul last."""

NUM_SLOTS = 36
"""Inventory slots an agent carries."""
