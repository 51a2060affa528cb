"""What predicates ask of an agent, reduced to a few kinds of acts, and what must be carried for each. Pure tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, ACHIEVEMENTS
from farlands.worlds.voxel.blocks import ToolClass
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES, Temper
from farlands.worlds.voxel.expert.planner import Demand, How
from farlands.worlds.voxel.items import ARMOUR_PIECES, FOODS, ITEM_ID, ITEMS, armour_name
from farlands.worlds.voxel.tasks.facts import members
from farlands.worlds.voxel.tasks.tree import Leaf


@dataclass(frozen=True)
class Want:
    """Something to be done ``number`` times (more), with any of ``things``: items, blocks, kinds of creatures."""

    name: str
    things: tuple[str, ...] = ()
    number: int = 1

    @property
    def names(self) -> str:
        """The things as plans write them."""
        return "|".join(self.things)


ORDER = (
    "gain", "craft", "smelt", "wear", "break", "place", "till", "shear", "breed", "kill", "shoot", "eat", "visit",
    "sleep", "alive",
)  # fmt: skip
"""Kinds of acts, in the order they are done: first what brings things, last what takes time."""
WEAPONS = tuple(item.name for item in ITEMS if item.tool == ToolClass.SWORD and not item.name.startswith("golden"))
STRONG_WEAPONS = tuple(name for name in WEAPONS if not name.startswith("wooden"))
"""Swords that win against a monster as a rule."""
HOES = tuple(item.name for item in ITEMS if item.tool == ToolClass.HOE and not item.name.startswith("golden"))
MEALS = tuple(name for name in FOODS if name not in ("golden_apple", "rotten_flesh"))
MATERIALS = ("leather", "iron", "diamond")
"""Of armour that flat actions make."""
_SPARE_ARROWS = 4


def wants_of(leaf: Leaf, number: int) -> list[Want]:
    """What to do for an event count or a feat of which so many are missing."""
    if leaf.name == "unlock":
        return _feat_wants(leaf.thing)
    blocks = leaf.name in ("break", "near", "inside")
    return [Want(leaf.name, members(leaf.thing, blocks=blocks) if leaf.thing else (), number)]


def _feat_wants(name: str) -> list[Want]:
    feat = ACHIEVEMENTS[ACHIEVEMENT_ID[name]]
    if feat.items:
        return [Want("gain", feat.items)]
    if feat.places:
        return [Want("place", feat.places)]
    event, _, thing = feat.event.partition("_")
    if event == "wear":
        return [Want("wear", (armour_name(thing, slot),)) for slot in ARMOUR_PIECES]
    things = {
        "eat": MEALS, "kill": (thing,), "shear": ("sheep",),
        "breed": tuple(each.name for each in CREATURES if each.food),
    }.get(event, ())  # fmt: skip
    return [Want(event, things)]


def _creature_food(want: Want) -> list[Demand]:
    foods = [CREATURES[CREATURE_ID[name] - 1].food for name in want.things]
    return [Demand("|".join(dict.fromkeys(foods)), 2)]


def _weapon(want: Want) -> list[Demand]:
    hostile = any(CREATURES[CREATURE_ID[name] - 1].temper == Temper.HOSTILE for name in want.things)
    return [Demand("|".join(WEAPONS), 1)] if hostile else []


CARRIED: dict[str, Callable[[Want], list[Demand]]] = {
    "gain": lambda want: [Demand(want.names, want.number, How.GAIN)],
    "craft": lambda want: [Demand(want.names, want.number, How.CRAFT)],
    "smelt": lambda want: [Demand(want.names, want.number, How.SMELT)],
    "wear": lambda want: [Demand(want.names, 1)],
    "place": lambda want: [Demand(want.names, want.number)],
    "eat": lambda want: [Demand(want.names, want.number)],
    "till": lambda want: [Demand("|".join(HOES), 1)],
    "shear": lambda want: [Demand("shears", 1)],
    "breed": _creature_food,
    "kill": _weapon,
    "shoot": lambda want: [Demand("bow", 1), Demand("arrow", _SPARE_ARROWS)],
    "sleep": lambda want: [Demand("bed", 1)],
}
"""What must be carried (or made) for an act; for acts that are not listed, nothing."""


def armour_for(points: int, worn: tuple[str, ...], cost: Callable[[str], float]) -> list[str]:
    """The cheapest pieces that bring what is worn to so many points; empty where there are none.

    Args:
        points: Of 20.
        worn: Pieces by place, ``"nothing"`` where there is none.
        cost: Of an item.
    """
    best: tuple[float, list[str]] = (math.inf, [])
    for choice in itertools.product(("", *MATERIALS), repeat=len(ARMOUR_PIECES)):
        pieces = zip(choice, ARMOUR_PIECES, strict=True)
        names = [armour_name(material, slot) if material else "" for material, slot in pieces]
        total = sum(
            max(ITEMS[ITEM_ID[name or "nothing"]].armour_points, ITEMS[ITEM_ID[had]].armour_points)
            for name, had in zip(names, worn, strict=True)
        )
        new = [name for name, had in zip(names, worn, strict=True) if name and name != had]
        price = sum(map(cost, new))
        if total >= points and price < best[0]:
            best = price, new
    return best[1]
