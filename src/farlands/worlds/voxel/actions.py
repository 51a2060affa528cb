"""The two action spaces, as tables. Every action decodes to one row: (move, jump, camera, hand, choice).

``factored`` chooses each column by itself; ``flat`` lists the combinations a simple learner needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from farlands.worlds.voxel.blocks import ToolClass
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.recipes import RECIPES, SMELTINGS


class Move(IntEnum):
    """Walking, held for the whole step."""

    NONE = 0
    FORWARD = 1
    BACK = 2
    LEFT = 3
    RIGHT = 4
    SPRINT = 5


class Jump(IntEnum):
    """Jumping; swimming up in fluids, climbing on ladders."""

    NO = 0
    YES = 1


class Camera(IntEnum):
    """Turning, applied once at the start of the step, in steps of 15 degrees."""

    NONE = 0
    LEFT = 1
    RIGHT = 2
    UP = 3
    DOWN = 4
    LEFT_45 = 5
    RIGHT_45 = 6


class Hand(IntEnum):
    """What the hand does."""

    NONE = 0
    ATTACK = 1
    """Mine the block, or hit the creature, in the crosshair."""
    USE = 2
    """Open or close a door, sleep in a bed, feed or shear an animal; till, scoop, light or shoot with what is held."""
    EAT = 3
    """Eat; a bite takes 32 ticks of eating without a break."""


class ChoiceKind(IntEnum):
    """What a choice does with its arguments."""

    NONE = 0
    CRAFT = 1
    SMELT = 2
    PLACE = 3
    EQUIP = 4
    WEAR = 5
    DROP = 6
    """Drop one item, for others to pick up: possible for one of several agents."""


HELD = 0
FOOD = -1
"""Arguments of ``DROP`` that name no item: what is in the hand, and the most filling food carried."""


@dataclass(frozen=True)
class Choice:
    """One thing to choose from the inventory: recipe or smelting index, item to place or drop, tool class to take in
    hand.

    ``either`` is a second item to place or drop when the first is not carried.
    """

    name: str
    kind: ChoiceKind
    argument: int = 0
    either: int = 0


@dataclass(frozen=True)
class Action:
    """One row of the factored space, under the name it has in the flat one."""

    name: str
    move: Move = Move.NONE
    jump: Jump = Jump.NO
    camera: Camera = Camera.NONE
    hand: Hand = Hand.NONE
    choice: int = 0


def _item(name: str) -> int:
    return next(index for index, item in enumerate(ITEMS) if item.name == name)


_EQUIPPABLE = tuple(tool for tool in ToolClass if tool)

CHOICES: tuple[Choice, ...] = (
    Choice("none", ChoiceKind.NONE),
    *(Choice(f"craft_{recipe.output}", ChoiceKind.CRAFT, index) for index, recipe in enumerate(RECIPES)),
    *(Choice(f"smelt_{smelting.output}", ChoiceKind.SMELT, index) for index, smelting in enumerate(SMELTINGS)),
    Choice("place_block", ChoiceKind.PLACE, _item("cobblestone"), _item("dirt")),
    Choice("place_sapling", ChoiceKind.PLACE, _item("oak_sapling"), _item("spruce_sapling")),
    *(Choice(f"place_{item.name}", ChoiceKind.PLACE, i) for i, item in enumerate(ITEMS) if item.places),
    *(Choice(f"equip_{tool.name.lower()}", ChoiceKind.EQUIP, int(tool)) for tool in _EQUIPPABLE),
    Choice("wear_armour", ChoiceKind.WEAR),
    Choice("drop_held", ChoiceKind.DROP, HELD),
    Choice("drop_log", ChoiceKind.DROP, _item("oak_log"), _item("spruce_log")),
    Choice("drop_food", ChoiceKind.DROP, FOOD),
    *(Choice(f"drop_{item.name}", ChoiceKind.DROP, i) for i, item in enumerate(ITEMS) if i),
)

CHOICE_ID: dict[str, int] = {choice.name: index for index, choice in enumerate(CHOICES)}

_FLAT_CHOICES = (
    "craft_planks", "craft_stick", "craft_crafting_table", "craft_torch", "craft_furnace", "craft_ladder", "craft_bed",
    *(f"craft_{m}_{t}" for m in ("wooden", "stone", "iron", "diamond") for t in ("pickaxe", "axe", "shovel", "sword")),
    *(f"craft_{m}_{p}" for m in ("iron", "diamond") for p in ("helmet", "chestplate", "leggings", "boots")),
    "smelt_iron_ingot", "smelt_gold_ingot", "smelt_charcoal",
    "place_block", "place_crafting_table", "place_furnace", "place_torch", "place_ladder", "place_sapling", "place_bed",
    "equip_pickaxe", "equip_axe", "equip_shovel", "equip_sword", "wear_armour",
    "craft_wooden_hoe", "craft_bread", "craft_bucket", "craft_shears", "craft_door", "craft_bow", "craft_arrow",
    "craft_wool", "craft_bone_meal", "craft_flint_and_steel", "craft_tnt",
    *(f"craft_leather_{p}" for p in ("helmet", "chestplate", "leggings", "boots")),
    *(f"smelt_cooked_{m}" for m in ("beef", "porkchop", "mutton", "chicken")),
    "place_wheat_seeds", "place_door", "place_tnt", "place_water_bucket", "place_lava_bucket",
    "equip_hoe", "equip_bow", "equip_bucket", "equip_lighter", "equip_shears",
    "drop_held", "drop_log", "drop_planks", "drop_stick", "drop_cobblestone", "drop_coal", "drop_iron_ore",
    "drop_gold_ore", "drop_iron_ingot", "drop_gold_ingot", "drop_diamond", "drop_torch", "drop_food",
)  # fmt: skip

FLAT_ACTIONS: tuple[Action, ...] = (
    Action("noop"),
    Action("forward", move=Move.FORWARD),
    Action("back", move=Move.BACK),
    Action("left", move=Move.LEFT),
    Action("right", move=Move.RIGHT),
    Action("sprint", move=Move.SPRINT),
    Action("jump", jump=Jump.YES),
    Action("jump_forward", move=Move.FORWARD, jump=Jump.YES),
    Action("jump_sprint", move=Move.SPRINT, jump=Jump.YES),
    Action("turn_left", camera=Camera.LEFT),
    Action("turn_right", camera=Camera.RIGHT),
    Action("turn_left_45", camera=Camera.LEFT_45),
    Action("turn_right_45", camera=Camera.RIGHT_45),
    Action("look_up", camera=Camera.UP),
    Action("look_down", camera=Camera.DOWN),
    Action("attack", hand=Hand.ATTACK),
    Action("use", hand=Hand.USE),
    Action("eat", hand=Hand.EAT),
    *(Action(name, choice=CHOICE_ID[name]) for name in _FLAT_CHOICES),
)

FLAT_ACTION_ID: dict[str, int] = {action.name: index for index, action in enumerate(FLAT_ACTIONS)}

FACTORED_NAMES: tuple[tuple[str, ...], ...] = (
    tuple(m.name.lower() for m in Move),
    tuple(j.name.lower() for j in Jump),
    tuple(c.name.lower() for c in Camera),
    tuple(h.name.lower() for h in Hand),
    tuple(choice.name for choice in CHOICES),
)
FACTORED_SIZES: tuple[int, ...] = tuple(len(names) for names in FACTORED_NAMES)
NUM_FACTORS = len(FACTORED_SIZES)

LONE_CHOICES = CHOICE_ID["drop_held"]
LONE_ACTIONS = FLAT_ACTION_ID["drop_held"]
"""The first choices and flat actions are what one agent alone can do; the rest is for several."""
