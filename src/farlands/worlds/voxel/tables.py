"""The data tables as device arrays: small int32 matrices, one row per thing, columns named by enums."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
import warp as wp

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, ACHIEVEMENTS, TASKS
from farlands.worlds.voxel.actions import CHOICES, FLAT_ACTIONS
from farlands.worlds.voxel.alterations import STANDARD, Rulebook
from farlands.worlds.voxel.blocks import BLOCK_ID, Block, ToolClass, is_restless
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.items import FOODS, ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import FUELS, Recipe, Smelting
from farlands.worlds.voxel.state import POSITION_ONE, VELOCITY_ONE

MILLI = 1000
"""Rewards, hardness, food and saturation are whole thousandths on the device."""


class BlockColumn(IntEnum):
    """Columns of ``Tables.block``."""

    HARDNESS = 0
    TOOL = 1
    TIER = 2
    SHAPE = 3
    DROP = 4
    DROP_ONE_IN = 5
    RARE_DROP = 6
    RARE_ONE_IN = 7
    OPAQUE = 8
    LIGHT = 9
    REPLACEABLE = 10
    ITEM = 11
    PLACE_ACHIEVEMENT = 12
    FIXTURE = 13
    SOLID = 14
    FALLS = 15
    GROWS = 16
    FLUID = 17
    LEVEL = 18
    RESTLESS = 19
    """Whether a change beside it can change it."""
    CATCHES = 20
    BURNS = 21
    RESISTANCE = 22
    """Blast resistance in thousandths."""


class ItemColumn(IntEnum):
    """Columns of ``Tables.item``."""

    STACK = 0
    PLACES = 1
    TOOL = 2
    TIER = 3
    SPEED = 4
    DURABILITY = 5
    DAMAGE = 6
    FOOD = 7
    SATURATION = 8
    ARMOUR = 9
    ARMOUR_POINTS = 10
    FUEL = 11
    GAIN_ACHIEVEMENT = 12
    SET = 13
    """Armour set for the achievements of wearing a full one: 1 iron, 2 diamond, 3 leather, 0 others."""
    GIVES_BACK = 14


class CreatureColumn(IntEnum):
    """Columns of ``Tables.creature``; sizes in position units, the push in velocity units."""

    TEMPER = 0
    HEALTH = 1
    DAMAGE = 2
    ARMOUR = 3
    SIGHT = 4
    HALF_WIDTH = 5
    HEIGHT = 6
    PUSH = 7
    BURNS = 8
    CLIMBS = 9
    FOOD = 10
    WEIGHT = 11
    PACK = 12
    KILL_ACHIEVEMENT = 13
    DROP = 14
    """First of ``MAX_DROPS`` times item, least, most."""


MAX_DROPS = 2
DROP_WIDTH = 3


class RecipeColumn(IntEnum):
    """Columns of ``Tables.recipe`` and ``Tables.smelting`` (which uses the first four, count 1)."""

    OUTPUT = 0
    FIRST = 1
    FIRST_OR = 2
    FIRST_COUNT = 3
    SECOND = 4
    SECOND_OR = 5
    SECOND_COUNT = 6
    THIRD = 7
    THIRD_OR = 8
    THIRD_COUNT = 9
    COUNT = 10
    STATION = 11


class ChoiceColumn(IntEnum):
    """Columns of ``Tables.choice``."""

    KIND = 0
    ARGUMENT = 1
    EITHER = 2


@wp.struct
class Tables:
    """Read-only rules on the device.

    block: int32 ``[blocks, BlockColumn]``. item: int32 ``[items, ItemColumn]``. recipe, smelting: int32
    ``[n, RecipeColumn]``. creature: int32 ``[kinds, CreatureColumn]``. choice: int32 ``[choices, ChoiceColumn]``. flat:
    int32 ``[actions, 5]``, the factored row of each flat action. fuel: int32 ``[n]`` item ids in the order they are
    burnt. reward: int32 ``[achievements]``, in thousandths. turn: int32 ``[24]``, sine of each heading times 16,384
    (0 north, clockwise). tools: int32 ``[tool classes, 5]``, item ids of each class, best first, then zeros. foods,
    armours: int32 ``[n]`` item ids. wear_achievement: int32 ``[4]``, by armour set. lamps: int32 ``[n]``, ids of the
    blocks that give light.
    """

    block: wp.array2d(dtype=wp.int32)
    item: wp.array2d(dtype=wp.int32)
    recipe: wp.array2d(dtype=wp.int32)
    smelting: wp.array2d(dtype=wp.int32)
    creature: wp.array2d(dtype=wp.int32)
    choice: wp.array2d(dtype=wp.int32)
    flat: wp.array2d(dtype=wp.int32)
    fuel: wp.array(dtype=wp.int32)
    reward: wp.array(dtype=wp.int32)
    turn: wp.array(dtype=wp.int32)
    tools: wp.array2d(dtype=wp.int32)
    foods: wp.array(dtype=wp.int32)
    armours: wp.array(dtype=wp.int32)
    wear_achievement: wp.array(dtype=wp.int32)
    lamps: wp.array(dtype=wp.int32)
    eat_achievement: wp.int32
    sleep_achievement: wp.int32
    shear_achievement: wp.int32
    breed_achievement: wp.int32
    shoot_achievement: wp.int32
    till_achievement: wp.int32


TURN_ONE = 16_384
"""Fixed-point one of the sine table."""

NUM_HEADINGS = 24


def _milli(value: float) -> int:
    return round(value * MILLI)


def _block_rows(blocks: Sequence[Block]) -> np.ndarray:
    place = {ITEMS[ITEM_ID[name]].places: ACHIEVEMENT_ID[a.name] for a in ACHIEVEMENTS for name in a.places}
    fixtures = {"crafting_table", "furnace"}
    return np.array(
        [
            [
                _milli(b.hardness), b.tool, b.tier, b.shape, ITEM_ID.get(b.drop, 0), b.drop_one_in,
                ITEM_ID.get(b.rare_drop, 0), b.rare_one_in, b.opaque, b.light, b.replaceable,
                ITEM_ID.get(b.name, 0),
                place.get(b.name, -1), b.name in fixtures, b.shape == 1, b.falls, b.grows, b.fluid, b.level,
                is_restless(b), b.catches, b.burns, _milli(b.resistance),
            ]
            for b in blocks
        ],
        dtype=np.int32,
    )  # fmt: skip


def _item_rows() -> np.ndarray:
    gain = {name: ACHIEVEMENT_ID[a.name] for a in ACHIEVEMENTS for name in a.items}
    sets = {"iron": 1, "diamond": 2, "leather": 3}
    return np.array(
        [
            [
                i.stack, BLOCK_ID[i.places] if i.places else 0, i.tool, i.tier, i.speed, i.durability, i.damage, i.food,
                _milli(i.saturation), i.armour, i.armour_points, i.fuel, gain.get(i.name, -1),
                sets.get(i.name.split("_")[0], 0) if i.armour >= 0 else 0, ITEM_ID.get(i.gives_back, 0),
            ]
            for i in ITEMS
        ],
        dtype=np.int32,
    )  # fmt: skip


def _ingredient(names: str, count: int) -> list[int]:
    first, _, second = names.partition("|")
    return [ITEM_ID[first], ITEM_ID[second] if second else 0, count]


def _recipe_rows(recipes: Sequence[Recipe]) -> np.ndarray:
    rows = []
    for recipe in recipes:
        inputs = [_ingredient(*pair) for pair in recipe.inputs] + [[0, 0, 0]] * 2
        rows.append([ITEM_ID[recipe.output], *inputs[0], *inputs[1], *inputs[2], recipe.count, recipe.station])
    return np.array(rows, dtype=np.int32)


def _smelting_rows(smeltings: Sequence[Smelting]) -> np.ndarray:
    rows = [[ITEM_ID[s.output], *_ingredient(s.input, 1), *[0] * 6, 1, 2] for s in smeltings]
    return np.array(rows, dtype=np.int32)


def _creature_rows() -> np.ndarray:
    rows = [[0] * (CreatureColumn.DROP + MAX_DROPS * DROP_WIDTH)]
    for c in CREATURES:
        drops = [n for drop in c.drops for n in (ITEM_ID[drop.item], drop.least, drop.most)]
        rows.append(
            [
                c.temper, c.health, c.damage, c.armour, c.sight, round(c.width * POSITION_ONE / 2),
                round(c.height * POSITION_ONE), round(c.speed * VELOCITY_ONE), c.burns, c.climbs,
                ITEM_ID.get(c.food, 0), c.weight, c.pack, ACHIEVEMENT_ID.get(f"kill_{c.name}", -1),
                *drops, *[0] * (MAX_DROPS * DROP_WIDTH - len(drops)),
            ]
        )  # fmt: skip
    return np.array(rows, dtype=np.int32)


def _tool_rows() -> np.ndarray:
    rows = np.zeros((len(ToolClass), 5), dtype=np.int32)
    for tool in ToolClass:
        own = [i for i, item in enumerate(ITEMS) if item.tool == tool != ToolClass.NONE]
        own.sort(key=lambda i: (-ITEMS[i].tier, -ITEMS[i].speed))
        rows[tool, : len(own)] = own
    return rows


def heading_sines() -> np.ndarray:
    """int32 ``[24]``: sine of 15-degree headings in units of 1/16384, the same on every machine."""
    return np.round(np.sin(np.arange(NUM_HEADINGS) * (2 * np.pi / NUM_HEADINGS)) * TURN_ONE).astype(np.int32)


def make_tables(task: str, device: str, rules: Rulebook = STANDARD) -> Tables:
    """The tables on a device, with the rewards of ``task`` and the recipes, smeltings and drops of ``rules``."""
    task_rewards = TASKS[task].rewards
    arrays = {
        "block": _block_rows(rules.blocks),
        "item": _item_rows(),
        "recipe": _recipe_rows(rules.recipes),
        "smelting": _smelting_rows(rules.smeltings),
        "creature": _creature_rows(),
        "choice": np.array([[c.kind, c.argument, c.either] for c in CHOICES], dtype=np.int32),
        "flat": np.array([[a.move, a.jump, a.camera, a.hand, a.choice] for a in FLAT_ACTIONS], dtype=np.int32),
        "fuel": np.array([ITEM_ID[name] for name in FUELS], dtype=np.int32),
        "reward": np.array([_milli(task_rewards.get(a.name, 0.0)) for a in ACHIEVEMENTS], dtype=np.int32),
        "turn": heading_sines(),
        "tools": _tool_rows(),
        "foods": np.array([ITEM_ID[name] for name in FOODS], dtype=np.int32),
        "armours": np.array([i for i, item in enumerate(ITEMS) if item.armour >= 0], dtype=np.int32),
        "wear_achievement": np.array(
            [-1, *(ACHIEVEMENT_ID[f"wear_{name}_armour"] for name in ("iron", "diamond", "leather"))], dtype=np.int32
        ),
        "lamps": np.array([i for i, block in enumerate(rules.blocks) if block.light > 0], dtype=np.int32),
    }
    tables = Tables()
    for name, array in arrays.items():
        setattr(tables, name, wp.array(array, dtype=wp.int32, device=device))
    tables.eat_achievement = ACHIEVEMENT_ID["eat"]
    tables.sleep_achievement = ACHIEVEMENT_ID["sleep"]
    tables.shear_achievement = ACHIEVEMENT_ID["shear"]
    tables.breed_achievement = ACHIEVEMENT_ID["breed"]
    tables.shoot_achievement = ACHIEVEMENT_ID["shoot"]
    tables.till_achievement = ACHIEVEMENT_ID["till"]
    return tables
