"""The kinds of creatures: one row each. Ids are in the order of the table from 1 on; 0 is none. Data only.

Health, damage, sight and drops are those of the genre at normal difficulty; speeds are the push per tick that leads to
them on ordinary ground.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Temper(IntEnum):
    """What a creature wants of agents."""

    PEACEFUL = 0
    """Wanders, flees when hit."""
    HOSTILE = 1
    """Seeks whoever it sees."""
    THING = 2
    """Not alive: an arrow."""


@dataclass(frozen=True)
class Drop:
    """What a creature may leave: between ``least`` and ``most`` of an item, every number as likely."""

    item: str
    least: int
    most: int


@dataclass(frozen=True)
class Creature:
    """One kind of creature.

    Attributes:
        name: Its id in words.
        temper: What it wants.
        health: Health points.
        damage: Health points its blow takes.
        armour: Protection, of 20.
        speed: Push per tick on the ground, in blocks per tick.
        sight: Blocks within which it sees an agent.
        width, height: Of its body, in blocks.
        drops: What it leaves to whoever kills it.
        food: Item that makes it ready to breed; empty for none.
        burns: Whether daylight sets it on fire.
        climbs: Whether it climbs walls.
        weight: How often it is the one to appear, among its temper.
        pack: How many appear together.
    """

    name: str
    temper: Temper
    health: int
    width: float
    height: float
    speed: float = 0.0
    damage: int = 0
    armour: int = 0
    sight: int = 0
    drops: tuple[Drop, ...] = ()
    food: str = ""
    burns: bool = False
    climbs: bool = False
    weight: int = 0
    pack: int = 1


CREATURES: tuple[Creature, ...] = (
    Creature(
        "cow", Temper.PEACEFUL, 10, 0.9, 1.4, speed=0.05, drops=(Drop("leather", 0, 2), Drop("beef", 1, 3)),
        food="wheat", weight=8, pack=4,
    ),
    Creature(
        "pig", Temper.PEACEFUL, 10, 0.9, 0.9, speed=0.0625, drops=(Drop("porkchop", 1, 3),), food="apple", weight=10,
        pack=4,
    ),
    Creature(
        "sheep", Temper.PEACEFUL, 8, 0.9, 1.3, speed=0.0575, drops=(Drop("mutton", 1, 2), Drop("wool", 1, 1)),
        food="wheat", weight=12, pack=4,
    ),
    Creature(
        "chicken", Temper.PEACEFUL, 4, 0.4, 0.7, speed=0.0625, drops=(Drop("feather", 0, 2), Drop("chicken", 1, 1)),
        food="wheat_seeds", weight=10, pack=4,
    ),
    Creature(
        "zombie", Temper.HOSTILE, 20, 0.6, 1.95, speed=0.0575, damage=3, armour=2, sight=35,
        drops=(Drop("rotten_flesh", 0, 2),), burns=True, weight=95,
    ),
    Creature(
        "skeleton", Temper.HOSTILE, 20, 0.6, 1.99, speed=0.0625, sight=16,
        drops=(Drop("arrow", 0, 2), Drop("bone", 0, 2)), burns=True, weight=100,
    ),
    Creature(
        "spider", Temper.HOSTILE, 16, 1.4, 0.9, speed=0.075, damage=2, sight=16, drops=(Drop("string", 0, 2),),
        climbs=True, weight=100,
    ),
    Creature(
        "creeper", Temper.HOSTILE, 20, 0.6, 1.7, speed=0.0625, sight=16, drops=(Drop("gunpowder", 0, 2),), weight=100,
    ),
    Creature("arrow", Temper.THING, 1, 0.3, 0.3, damage=4),
)  # fmt: skip

CREATURE_ID: dict[str, int] = {creature.name: index for index, creature in enumerate(CREATURES, 1)}

LIVING: tuple[str, ...] = tuple(each.name for each in CREATURES if each.temper != Temper.THING)
"""Names of those that are alive."""

COW, PIG, SHEEP, CHICKEN, ZOMBIE, SKELETON, SPIDER, CREEPER, ARROW = range(1, len(CREATURES) + 1)
NUM_KINDS = len(CREATURES) + 1
"""Kinds of creatures, none included."""
