"""Backward chaining over the rule tables: from a wanted item to what must be collected, crafted and smelted before it.

Knows no places: the costs of collecting come in from outside, as ticks per block. Free of torch and warp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.alterations import STANDARD, Rulebook
from farlands.worlds.voxel.blocks import BLOCK_ID, UNBREAKABLE, Block, ToolClass
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import FUELS, SMELTING_TICKS, Recipe, Smelting, Station

STATION_ITEM = {Station.CRAFTING_TABLE: "crafting_table", Station.FURNACE: "furnace"}
_CRAFT_TICKS = 4
_STATION_TICKS = 100
"""About what it takes to put a station up and to take it with you again."""


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


Task = Collect | Craft | Smelt


class PlanError(ValueError):
    """A wanted item can be had in no way with these rules, this land and these actions."""


def harvests(item: str, block: Block) -> bool:
    """Whether breaking a block with an item in hand makes it drop."""
    held = ITEMS[ITEM_ID[item]]
    return block.tier == 0 or (held.tool == block.tool and held.tier >= block.tier)


def break_ticks(item: str, block: Block) -> float:
    """Ticks to break a block with an item in hand (``"nothing"``: the bare hand), standing on the ground."""
    if block.hardness == UNBREAKABLE:
        return math.inf
    held = ITEMS[ITEM_ID[item]]
    speed = held.speed if held.tool != ToolClass.NONE and held.tool == block.tool else 1
    return max(1.0, math.ceil(block.hardness * (30 if harvests(item, block) else 100) / speed))


@dataclass(frozen=True)
class _Way:
    """How to come by an item: exactly one of the fields is set. ``cost``: ticks for one."""

    cost: float
    block: str = ""
    recipe: Recipe | None = None
    smelting: Smelting | None = None


class Planner:
    """Plans over the tables.

    Args:
        block_ticks: By name of each block that can be collected, the ticks that getting to one and breaking it may
            take. Blocks that are not listed are not counted on.
        rules: The recipes, smeltings and drops that hold.
    """

    def __init__(self, block_ticks: Mapping[str, float], rules: Rulebook = STANDARD) -> None:
        self._block_ticks = block_ticks
        self.rules = rules
        self._ways: dict[str, _Way] = {}
        self._settle()

    def _settle(self) -> None:
        """Cheapest way to each item, by relaxation until nothing gets cheaper (Bellman and Ford)."""
        changed = True
        while changed:
            changed = False
            for item, way in self._all_ways():
                if way.cost < self._cost(item) - 1e-9:
                    self._ways[item] = way
                    changed = True

    def _cost(self, names: str) -> float:
        """Least ticks for one of ``"a|b"``."""
        return min((self._ways[n].cost for n in names.split("|") if n in self._ways), default=math.inf)

    def _all_ways(self) -> list[tuple[str, _Way]]:
        found = [
            (
                block.drop,
                _Way(self._block_ticks[block.name] * block.drop_one_in + self._tool_cost(block), block=block.name),
            )
            for block in self.rules.blocks
            if block.drop and block.name in self._block_ticks
        ]
        for recipe in self.rules.recipes:
            if f"craft_{recipe.output}" in FLAT_ACTION_ID:
                inputs = sum(count * self._cost(names) for names, count in recipe.inputs)
                fixed = _CRAFT_TICKS + self._station_cost(recipe.station)
                found.append((recipe.output, _Way((inputs + fixed) / recipe.count, recipe=recipe)))
        for smelting in self.rules.smeltings:
            if f"smelt_{smelting.output}" in FLAT_ACTION_ID:
                cost = self._cost(smelting.input) + SMELTING_TICKS + self._station_cost(Station.FURNACE)
                found.append((smelting.output, _Way(cost, smelting=smelting)))
        return found

    def _station_cost(self, station: Station) -> float:
        """Ticks for having a station, or 0 for the hand. Charged in full, as tools are."""
        return 0.0 if station == Station.HAND else _STATION_TICKS + self._cost(STATION_ITEM[station])

    def _tool_cost(self, block: Block) -> float:
        """Ticks for the cheapest tool a block needs, or 0. Charged in full: it keeps far tiers expensive."""
        return 0.0 if block.tier == 0 else min((self._cost(name) for name in _tools_for(block)), default=math.inf)

    def plan(
        self,
        goal: str,
        carried: Mapping[str, int],
        *,
        near: frozenset[str] = frozenset(),
        spare: Mapping[str, int] | None = None,
    ) -> list[Task]:
        """Tasks that lead from what is carried to one of the goal item, each possible when its turn comes.

        Args:
            goal: Item wanted.
            carried: What is carried, by item.
            near: Station items that stand near already.
            spare: Items to collect more of than is needed, where they are collected at all.

        Raises:
            PlanError: There is no way.
        """
        draft = _Draft(self, dict(carried), set(near))
        draft.take(goal, 1)
        return _gather_at_once(draft.tasks, spare or {})

    def way(self, names: str) -> _Way:
        """The cheapest way to one of ``"a|b"``.

        Raises:
            PlanError: There is none.
        """
        known = [self._ways[name] for name in names.split("|") if name in self._ways]
        if not known:
            raise PlanError(f"there is no way to come by {names!r}")
        return min(known, key=lambda way: way.cost)

    def cheapest_tool(self, block: Block) -> str:
        """The tool to make for a block that needs one."""
        return min(_tools_for(block), key=self._cost)

    def cheapest_fuel(self) -> str:
        """Fuel with the least cost per tick it burns."""
        return min(FUELS, key=lambda name: self._cost(name) / ITEMS[ITEM_ID[name]].fuel)


def _tools_for(block: Block) -> list[str]:
    return [item.name for item in ITEMS if item.tool == block.tool and item.tier >= block.tier]


class _Draft:
    """A plan in the making: what would be carried and not yet be promised, and the tasks so far."""

    def __init__(self, planner: Planner, stock: dict[str, int], stations: set[str]) -> None:
        self.tasks: list[Task] = []
        self._planner = planner
        self._stock = stock
        self._stations = stations
        self._pending: list[str] = []

    def take(self, names: str, count: int) -> None:
        """Promise ``count`` of ``"a|b"`` to something, getting what is missing first."""
        for name in names.split("|"):
            used = min(self._stock.get(name, 0), count)
            self._stock[name] = self._stock.get(name, 0) - used
            count -= used
        if count == 0:
            return
        if names in self._pending:
            raise PlanError(f"{names!r} is needed to make itself")
        self._pending.append(names)
        self._get(names, count)
        self._pending.pop()

    def _get(self, names: str, count: int) -> None:
        way = self._planner.way(names)
        if way.recipe is not None:
            self._craft(way.recipe, count)
        elif way.smelting is not None:
            self._smelt(way.smelting, count)
        else:
            self._collect(names, way.block, count)

    def _collect(self, names: str, block_name: str, count: int) -> None:
        every = self._planner.rules.blocks
        block = every[BLOCK_ID[block_name]]
        if block.tier > 0 and not any(self._stock.get(name, 0) > 0 for name in _tools_for(block)):
            tool = self._planner.cheapest_tool(block)
            self.take(tool, 1)
            self._stock[tool] = self._stock.get(tool, 0) + 1
        blocks = tuple(
            b.name for b in every if b.drop in names.split("|") and b.tier <= block.tier and b.drop_one_in == 1
        )
        self.tasks.append(Collect(tuple(names.split("|")), count, blocks or (block_name,)))

    def _craft(self, recipe: Recipe, count: int) -> None:
        times = -(-count // recipe.count)
        for names, each in recipe.inputs:
            self.take(names, each * times)
        if recipe.station != Station.HAND:
            self._station(STATION_ITEM[recipe.station])
        self.tasks.append(Craft(recipe, times))
        self._stock[recipe.output] = self._stock.get(recipe.output, 0) + times * recipe.count - count

    def _smelt(self, smelting: Smelting, count: int) -> None:
        # The furnace first: it opens the way to better tools, and it is cheaper to carry than to come back for.
        self._station(STATION_ITEM[Station.FURNACE])
        self.take(smelting.input, count)
        self._fuel(count * SMELTING_TICKS)
        self.tasks.append(Smelt(smelting, count))

    def _station(self, item: str) -> None:
        """See to a station once; it is kept and carried on after that."""
        if item not in self._stations:
            self._stations.add(item)
            self.take(item, 1)

    def _fuel(self, ticks: int) -> None:
        """Promise fuel out of the stock, in the order a furnace is fed, and get the rest."""
        for name in FUELS:
            burns = ITEMS[ITEM_ID[name]].fuel
            used = min(self._stock.get(name, 0), -(-ticks // burns))
            if used > 0:
                self._stock[name] -= used
                ticks = max(ticks - used * burns, 0)
        if ticks > 0:
            fuel = self._planner.cheapest_fuel()
            self.take(fuel, -(-ticks // ITEMS[ITEM_ID[fuel]].fuel))


def _gather_at_once(tasks: list[Task], spare: Mapping[str, int]) -> list[Task]:
    """Merge collecting the same things into the first time they are collected, with something to spare."""
    first: dict[tuple[str, ...], int] = {}
    merged: list[Task] = []
    for task in tasks:
        if not isinstance(task, Collect):
            merged.append(task)
        elif task.items in first:
            at = first[task.items]
            merged[at] = replace(merged[at], count=merged[at].count + task.count)  # type: ignore[call-arg]
        else:
            first[task.items] = len(merged)
            extra = max((spare.get(name, 0) for name in task.items), default=0)
            merged.append(replace(task, count=task.count + extra))
    return merged
