"""What plans are made of: wanted items, ways to them, and the tasks that lead there. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from farlands.worlds.voxel.recipes import Recipe, Smelting, Station

STATION_ITEM = {Station.CRAFTING_TABLE: "crafting_table", Station.FURNACE: "furnace"}


@dataclass(frozen=True)
class Collect:
    """Break blocks until ``count`` more of any of ``items`` are carried, with a tool of at least a tier if ``tool``."""

    items: tuple[str, ...]
    count: int
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class Craft:
    """Make a recipe ``times`` times at its station."""

    recipe: Recipe
    times: int

    @property
    def stations(self) -> tuple[str, ...]:
        """Items of the stations that must stand near."""
        return () if self.recipe.station == Station.HAND else (STATION_ITEM[self.recipe.station],)


@dataclass(frozen=True)
class Smelt:
    """Smelt ``count`` items in a furnace."""

    smelting: Smelting
    count: int

    @property
    def stations(self) -> tuple[str, ...]:
        """Items of the stations that must stand near."""
        return (STATION_ITEM[Station.FURNACE],)


@dataclass(frozen=True)
class Source:
    """A way to an item that is neither a block to break nor a recipe: an animal to hunt, a spring to scoop from.

    Attributes:
        name: What it is, for whoever carries it out.
        item: What it gives.
        ticks: For one of it.
        uses: Items spent on one of it. tools: Items that must be carried, any of ``"a|b"`` for each.
    """

    name: str
    item: str
    ticks: float
    uses: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fetch:
    """Get ``count`` more of an item from a source."""

    source: Source
    count: int

    @property
    def stations(self) -> tuple[str, ...]:
        """None."""
        return ()


Task = Collect | Craft | Smelt | Fetch


class How(Enum):
    """How a wanted item must come about."""

    HAVE = "have"
    """By whatever means; what is carried counts."""
    GAIN = "gain"
    """By whatever means, on top of what is carried."""
    CRAFT = "craft"
    """By a recipe, on top of what is carried."""
    SMELT = "smelt"
    """In a furnace, on top of what is carried."""


@dataclass(frozen=True)
class Demand:
    """``count`` of any of ``"a|b"``, and how it must come about."""

    names: str
    count: int
    how: How = How.HAVE


class PlanError(ValueError):
    """A wanted item can be had in no way with these rules, this land and these actions."""
