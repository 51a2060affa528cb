"""What a task can ask for: the table of predicates and of the combinators that join them. Data only.

Ids are part of encoded tasks: a row keeps its id for good, and new rows take free ones.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import Enum, IntEnum

from farlands.worlds.voxel.achievements import ACHIEVEMENTS
from farlands.worlds.voxel.blocks import BLOCKS, UNBREAKABLE, ToolClass
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES, LIVING
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.options import DAY, HEIGHT
from farlands.worlds.voxel.recipes import RECIPES, SMELTINGS


class Kind(Enum):
    """What an argument names."""

    ITEM = "item"
    WEARABLE = "piece of armour"
    TOOL = "tool"
    CRAFTED = "item with a recipe"
    SMELTED = "product of smelting"
    PLACEABLE = "item that places a block"
    FOOD = "food"
    BLOCK = "block"
    BREAKABLE = "breakable block"
    VITAL = "vital"
    FLUID = "fluid"
    ACHIEVEMENT = "achievement"
    CREATURE = "creature"
    BREEDABLE = "animal that breeds"
    SHEARABLE = "animal with wool"
    NUMBER = "whole number"


class Event(IntEnum):
    """What is tallied, by item or block id, for as long as an episode lasts."""

    GAINED = 0
    """Items that came into the slots, by whatever means."""
    CRAFTED = 1
    """Items made by a recipe."""
    SMELTED = 2
    """Items taken out of a furnace."""
    PLACED = 3
    """Items put up as blocks."""
    EATEN = 4
    """Items eaten."""
    BROKEN = 5
    """Blocks broken by hand, by block id; not what fell with them."""
    KILLED = 6
    """Creatures killed, by kind."""
    BRED = 7
    """Young that came of animals the agent had fed, by kind."""
    SHEARED = 8
    """Animals sheared, by kind."""


class Vital(IntEnum):
    """What ``at_least`` and ``at_most`` compare, in points of 20."""

    HEALTH = 0
    FOOD = 1
    AIR = 2
    ARMOUR = 3


class Timing(Enum):
    """How a predicate's truth comes and goes."""

    MOMENTARY = "momentary"
    """True while it holds."""
    EVENT = "event count"
    """Counted since its part of the task began; once true it stays so."""
    LASTING = "lasting"
    """Of the episode as a whole; once true it stays so."""


@dataclass(frozen=True)
class Argument:
    """One argument of a predicate.

    Attributes:
        name: For messages and docs.
        kind: What it names.
        low, high: Inclusive bounds of a number.
        default: A number that may be left out.
    """

    name: str
    kind: Kind
    low: int = 0
    high: int = 0
    default: int | None = None


@dataclass(frozen=True)
class Predicate:
    """One thing a task can ask for.

    Attributes:
        id: Its number in encoded tasks, 1 to 127.
        name: As it is written.
        arguments: At most one that names a thing, then at most two numbers (two only where nothing is named).
        timing: How its truth comes and goes.
        phrase: What to do, in words; ``{thing}`` is a named argument, ``{things}`` that and how many.
        meaning: One line for people.
        event: What an event count counts, where it is tallied.
    """

    id: int
    name: str
    arguments: tuple[Argument, ...]
    timing: Timing
    phrase: str
    meaning: str
    event: Event | None = None

    @property
    def names_thing(self) -> bool:
        """Whether the first argument is a name."""
        return bool(self.arguments) and self.arguments[0].kind != Kind.NUMBER


@dataclass(frozen=True)
class Combinator:
    """One way to join tasks.

    Attributes:
        id: Its number in encoded tasks, 128 to 255.
        name: As it is written.
        least, most: How many tasks it takes.
        number: Its leading number, if it takes one.
        commutes: Whether the order of its tasks means nothing.
        meaning: One line for people.
    """

    id: int
    name: str
    least: int
    most: int
    number: Argument | None
    commutes: bool
    meaning: str


MAX_NODES = 16
"""Most predicates and combinators of one task."""

RESERVED_IDS: dict[str, range] = {"agents": range(96, 112)}
"""Ids of predicates kept free for parts of the world to come."""

MAX_COUNT = 36 * 64
MAX_STEPS = 100_000
NIGHT = (12_541, 23_458)
"""Times of day at which a bed can be used."""
NEAR_MOST = 4
BESIDE_MOST = 16

_EVENT, _MOMENTARY, _LASTING = Timing.EVENT, Timing.MOMENTARY, Timing.LASTING


_SHORT = {
    Kind.WEARABLE: "armour", Kind.BREAKABLE: "block", Kind.CREATURE: "creature", Kind.BREEDABLE: "animal",
    Kind.SHEARABLE: "animal",
}  # fmt: skip


def _n(high: int = MAX_COUNT) -> Argument:
    return Argument("n", Kind.NUMBER, 1, high, default=1)


def _thing(kind: Kind) -> Argument:
    return Argument(kind.value if kind.value.isalpha() else _SHORT.get(kind, "item"), kind)


def _tally(identity: int, name: str, kind: Kind, event: Event, meaning: str) -> Predicate:
    return Predicate(identity, name, (_thing(kind), _n()), _EVENT, name + " {things}", meaning, event)


PREDICATES: tuple[Predicate, ...] = (
    Predicate(1, "carry", (_thing(Kind.ITEM), _n()), _MOMENTARY, "carry {things}", "At least n of an item carried."),
    Predicate(2, "wear", (_thing(Kind.WEARABLE),), _MOMENTARY, "wear {thing}", "A piece of armour is worn."),
    Predicate(3, "hold", (_thing(Kind.TOOL),), _MOMENTARY, "hold {thing}", "A tool is in the hand."),
    _tally(4, "gain", Kind.ITEM, Event.GAINED, "n of an item came into the slots, by whatever means."),
    _tally(5, "craft", Kind.CRAFTED, Event.CRAFTED, "n of an item were made by a recipe."),
    _tally(6, "smelt", Kind.SMELTED, Event.SMELTED, "n of an item came out of a furnace."),
    _tally(7, "place", Kind.PLACEABLE, Event.PLACED, "n of an item were put up as blocks."),
    _tally(8, "break", Kind.BREAKABLE, Event.BROKEN, "n blocks of a kind were broken by hand."),
    _tally(9, "eat", Kind.FOOD, Event.EATEN, "n of an item were eaten."),
    Predicate(
        10, "at_least", (Argument("vital", Kind.VITAL), Argument("n", Kind.NUMBER, 1, 20)), _MOMENTARY,
        "have at least {n} points of {thing}", "Health, food, air or armour is n points of 20 or more.",
    ),
    Predicate(
        11, "at_most", (Argument("vital", Kind.VITAL), Argument("n", Kind.NUMBER, 0, 19)), _MOMENTARY,
        "have at most {n} points of {thing}", "Health, food, air or armour is n points of 20 or fewer.",
    ),
    Predicate(
        12, "above", (Argument("z", Kind.NUMBER, 1, HEIGHT),), _MOMENTARY, "be at height {n} or higher",
        "The feet are at height z or higher.",
    ),
    Predicate(
        13, "below", (Argument("z", Kind.NUMBER, 1, HEIGHT),), _MOMENTARY, "be at height {n} or lower",
        "The feet are at height z or lower.",
    ),
    Predicate(
        14, "away", (Argument("d", Kind.NUMBER, 1, 20_000),), _MOMENTARY, "be {n} or more blocks from the start",
        "The feet are d blocks or more from where the episode began, sideways, the straight way.",
    ),
    Predicate(
        15, "near", (_thing(Kind.BLOCK), Argument("d", Kind.NUMBER, 1, NEAR_MOST, default=NEAR_MOST)), _MOMENTARY,
        "be within {n} blocks of {thing}",
        "A block of the kind, grown or placed, is within d blocks of the feet along each axis.",
    ),
    Predicate(16, "inside", (_thing(Kind.FLUID),), _MOMENTARY, "be in {thing}", "The body is in a fluid."),
    Predicate(17, "asleep", (), _MOMENTARY, "be asleep", "The agent sleeps in a bed."),
    Predicate(
        18, "time", (Argument("from", Kind.NUMBER, 0, DAY - 1), Argument("until", Kind.NUMBER, 0, DAY - 1)), _MOMENTARY,
        "be there at a time of day from {first} until {n}",
        "The time of day is in a window of ticks (0 sunrise, 6000 noon, 13000 night), which may pass midnight.",
    ),
    Predicate(
        19, "alive", (Argument("n", Kind.NUMBER, 1, MAX_STEPS),), _EVENT, "live on for {n} steps",
        "n steps have passed since its part of the task began.",
    ),
    Predicate(
        20, "visit", (_n(4096),), _EVENT, "set foot on {n} new patches of land",
        "n patches of 8 x 8 blocks were set foot in that the episode had not seen before.",
    ),
    Predicate(
        21, "unlock", (_thing(Kind.ACHIEVEMENT),), _LASTING, "unlock the feat {thing}",
        "An achievement is unlocked in this episode.",
    ),
    _tally(64, "kill", Kind.CREATURE, Event.KILLED, "n creatures of a kind died by the agent's hand or arrow."),
    Predicate(
        65, "breed", (_thing(Kind.BREEDABLE), _n()), _EVENT, "breed {things}",
        "n young were born to animals of a kind that the agent had fed.", Event.BRED,
    ),
    _tally(66, "shear", Kind.SHEARABLE, Event.SHEARED, "n animals of a kind were shorn."),
    Predicate(
        67, "beside", (_thing(Kind.CREATURE), Argument("d", Kind.NUMBER, 1, BESIDE_MOST, default=NEAR_MOST)),
        _MOMENTARY, "be within {n} blocks of {thing}",
        "A creature of the kind is within d blocks of the agent along each axis.",
    ),
)  # fmt: skip

ALL, ANY, NOT, SEQUENCE, WITHIN, COUNT = 128, 129, 130, 131, 132, 133

COMBINATORS: tuple[Combinator, ...] = (
    Combinator(ALL, "all", 2, MAX_NODES - 1, None, True, "All of them hold at once; counts that are reached stay so."),
    Combinator(ANY, "any", 2, MAX_NODES - 1, None, True, "At least one of them holds."),
    Combinator(NOT, "not", 1, 1, None, True, "It does not hold."),
    Combinator(
        SEQUENCE, "sequence", 2, MAX_NODES - 1, None, False, "One after the other; each begins when the last was done."
    ),
    Combinator(
        WITHIN, "within", 1, 1, Argument("steps", Kind.NUMBER, 1, MAX_STEPS), True,
        "It comes true in at most so many steps from when its part of the task began, and then counts as done.",
    ),
    Combinator(
        COUNT, "count", 2, MAX_NODES - 1, Argument("k", Kind.NUMBER, 1, MAX_NODES - 1), True,
        "At least k of them hold at once.",
    ),
)  # fmt: skip

PREDICATE: dict[str, Predicate] = {row.name: row for row in PREDICATES}
COMBINATOR: dict[str, Combinator] = {row.name: row for row in COMBINATORS}
BY_ID: dict[int, Predicate | Combinator] = {row.id: row for row in (*PREDICATES, *COMBINATORS)}

ITEM_GROUPS: dict[str, tuple[str, str]] = {
    "log": ("oak_log", "spruce_log"),
    "sapling": ("oak_sapling", "spruce_sapling"),
    "flower": ("red_flower", "yellow_flower"),
}
"""Names for either of two items, counted together."""

BLOCK_GROUPS: dict[str, tuple[str, str]] = {
    "log": ("oak_log", "spruce_log"),
    "leaves": ("oak_leaves", "spruce_leaves"),
    "flower": ("red_flower", "yellow_flower"),
}
"""Names for either of two blocks, counted together."""


NAMED_BLOCKS: tuple[str, ...] = tuple(
    block.name for block in BLOCKS[1:] if not re.fullmatch(r".*_\d|falling_.*|lit_.*", block.name)
)
"""Blocks that tasks speak of: passing states of a block, such as water that runs, have no name of their own."""


_CREATURE_KINDS: dict[Kind, tuple[str, ...]] = {
    Kind.CREATURE: LIVING,
    Kind.BREEDABLE: tuple(creature.name for creature in CREATURES if creature.food),
    Kind.SHEARABLE: ("sheep",),
}


@functools.cache
def vocabulary(kind: Kind) -> dict[str, tuple[int, int]]:
    """Every name an argument of a kind can have, with its id and the id of the other of its group (0: none)."""
    if kind == Kind.VITAL:
        return {vital.name.lower(): (int(vital), 0) for vital in Vital}
    if kind == Kind.ACHIEVEMENT:
        return {each.name: (index, 0) for index, each in enumerate(ACHIEVEMENTS)}
    if kind in _CREATURE_KINDS:
        return {name: (CREATURE_ID[name], 0) for name in _CREATURE_KINDS[kind]}
    if kind in (Kind.BLOCK, Kind.BREAKABLE, Kind.FLUID):
        return _with_groups(_blocks(kind), BLOCK_GROUPS)
    return _with_groups(_items(kind), ITEM_GROUPS)


def _blocks(kind: Kind) -> dict[str, tuple[int, int]]:
    fluids = ("water", "lava")
    return {
        block.name: (index, 0)
        for index, block in enumerate(BLOCKS)
        if block.name in NAMED_BLOCKS
        and (kind != Kind.FLUID or block.name in fluids)
        and (kind != Kind.BREAKABLE or block.hardness != UNBREAKABLE)
    }


def _items(kind: Kind) -> dict[str, tuple[int, int]]:
    crafted, smelted = {recipe.output for recipe in RECIPES}, {smelting.output for smelting in SMELTINGS}
    fits = {
        Kind.ITEM: lambda item: True,
        Kind.WEARABLE: lambda item: item.armour >= 0,
        Kind.TOOL: lambda item: item.tool != ToolClass.NONE,
        Kind.CRAFTED: lambda item: item.name in crafted,
        Kind.SMELTED: lambda item: item.name in smelted,
        Kind.PLACEABLE: lambda item: bool(item.places),
        Kind.FOOD: lambda item: item.food > 0,
    }[kind]
    return {item.name: (index, 0) for index, item in enumerate(ITEMS) if index and fits(item)}


def _with_groups(names: dict[str, tuple[int, int]], groups: dict[str, tuple[str, str]]) -> dict[str, tuple[int, int]]:
    both = {
        group: (names[one][0], names[other][0])
        for group, (one, other) in groups.items()
        if one in names and other in names
    }
    return names | both
