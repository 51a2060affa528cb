"""Backward chaining over the rule tables: from a wanted item to what must be collected, crafted and smelted before it.

Knows no places: the costs of collecting come in from outside, as ticks per block. Free of torch and warp.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.alterations import STANDARD, Rulebook
from farlands.worlds.voxel.blocks import BLOCK_ID, UNBREAKABLE, Block, ToolClass
from farlands.worlds.voxel.expert.bans import NO_BANS, Bans
from farlands.worlds.voxel.expert.plans import (
    STATION_ITEM,
    Collect,
    Craft,
    Demand,
    Fetch,
    How,
    PlanError,
    Smelt,
    Source,
    Task,
)
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import FUELS, SMELTING_TICKS, Recipe, Smelting, Station

_CRAFT_TICKS = 4
_STATION_TICKS = 100
"""About what it takes to put a station up and to take it with you again."""


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
    source: Source | None = None


class Planner:
    """Plans over the tables.

    Args:
        block_ticks: By name of each block that can be collected, the ticks that getting to one and breaking it may
            take. Blocks that are not listed are not counted on.
        rules: The recipes, smeltings and drops that hold.
        bans: What must not be gained, made, put up or broken.
        sources: Further ways to items.
    """

    def __init__(
        self, block_ticks: Mapping[str, float], rules: Rulebook = STANDARD, *, bans: Bans = NO_BANS,
        sources: Collection[Source] = (),
    ) -> None:  # fmt: skip
        self._block_ticks = block_ticks
        self._bans = bans
        self._sources = sources
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

    def _all_ways(self) -> Iterator[tuple[str, _Way]]:
        """Every way to every item that is not banned, with what it costs by what is known so far."""
        return ((item, way) for item, way in self._any_ways() if item not in self._bans.gain)

    def _any_ways(self) -> Iterator[tuple[str, _Way]]:
        yield from self._drops()
        for recipe in self.rules.recipes:
            if f"craft_{recipe.output}" in FLAT_ACTION_ID and recipe.output not in self._bans.craft:
                inputs = sum(count * self._cost(names) for names, count in recipe.inputs)
                fixed = _CRAFT_TICKS + self._station_cost(recipe.station)
                yield recipe.output, _Way((inputs + fixed) / recipe.count, recipe=recipe)
        for smelting in self.rules.smeltings:
            if f"smelt_{smelting.output}" in FLAT_ACTION_ID and smelting.output not in self._bans.smelt:
                cost = self._cost(smelting.input) + SMELTING_TICKS + self._station_cost(Station.FURNACE)
                yield smelting.output, _Way(cost, smelting=smelting)
        for source in self._sources:
            cost = source.ticks + sum(map(self._cost, (*source.uses, *source.tools)))
            yield source.item, _Way(cost, source=source)

    def _drops(self) -> Iterator[tuple[str, _Way]]:
        for block in self.rules.blocks:
            if block.name not in self._block_ticks or block.name in self._bans.breaks:
                continue
            each = self._block_ticks[block.name]
            if block.drop:
                yield block.drop, _Way(each * block.drop_one_in + self._tool_cost(block), block=block.name)
            if block.rare_drop:
                yield block.rare_drop, _Way(each * block.rare_one_in + self._tool_cost(block), block=block.name)

    def _station_cost(self, station: Station) -> float:
        """Ticks for having a station, or 0 for the hand. Charged in full, as tools are."""
        if station == Station.HAND:
            return 0.0
        item = STATION_ITEM[station]
        return math.inf if item in self._bans.place else _STATION_TICKS + self._cost(item)

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
        return self.plan_all([Demand(goal, 1)], carried, near=near, spare=spare)

    def plan_all(
        self,
        demands: Iterable[Demand],
        carried: Mapping[str, int],
        *,
        near: frozenset[str] = frozenset(),
        spare: Mapping[str, int] | None = None,
    ) -> list[Task]:
        """The same for several things, none of which is promised twice: what is made anew before what is only had.

        Raises:
            PlanError: There is no way.
        """
        draft = _Draft(self, dict(carried), set(near))
        for demand in sorted(demands, key=lambda demand: demand.how is How.HAVE):
            draft.meet(demand)
        return _gather_at_once(draft.tasks, spare or {})

    def cost(self, names: str) -> float:
        """Ticks for one of ``"a|b"`` from nothing; infinite where there is no way."""
        return self._cost(names)

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

    def recipe(self, output: str) -> Recipe:
        """The recipe of an item. Raises PlanError where it must not or can't be made."""
        for recipe in self.rules.recipes:
            if recipe.output == output and f"craft_{output}" in FLAT_ACTION_ID and self._may_make(output, "craft"):
                return recipe
        raise PlanError(f"{output} can't be made")

    def smelting(self, output: str) -> Smelting:
        """The smelting of an item. Raises PlanError where it must not or can't be done."""
        for smelting in self.rules.smeltings:
            if smelting.output == output and f"smelt_{output}" in FLAT_ACTION_ID and self._may_make(output, "smelt"):
                return smelting
        raise PlanError(f"{output} can't be smelted")

    def _may_make(self, output: str, how: str) -> bool:
        return output not in self._bans.gain and output not in getattr(self._bans, how)

    def may_break(self, block: Block) -> bool:
        """Whether nothing forbids breaking a kind of block."""
        return block.name not in self._bans.breaks

    def cheapest_fuel(self) -> str:
        """Fuel with the least cost per tick it burns."""
        return min(FUELS, key=lambda name: self._cost(name) / ITEMS[ITEM_ID[name]].fuel)


def _gives(block: Block, items: list[str]) -> int:
    """One in how many blocks of a kind gives one of some items; 0 for none."""
    if block.drop in items:
        return block.drop_one_in
    return block.rare_one_in if block.rare_drop in items else 0


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

    def meet(self, demand: Demand) -> None:
        """See to what is demanded."""
        if demand.how is How.HAVE:
            self.take(demand.names, demand.count)
            return
        name = demand.names.split("|")[0]
        if demand.how is How.GAIN:
            self._get(demand.names, demand.count)
        elif demand.how is How.CRAFT:
            self._craft(self._planner.recipe(name), demand.count)
        else:
            self._smelt(self._planner.smelting(name), demand.count)
        self._stock[name] = self._stock.get(name, 0) + demand.count

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
        elif way.source is not None:
            self._fetch(way.source, count)
        else:
            self._collect(names, way.block, count)

    def _collect(self, names: str, block_name: str, count: int) -> None:
        every = self._planner.rules.blocks
        block = every[BLOCK_ID[block_name]]
        if block.tier > 0 and not any(self._stock.get(name, 0) > 0 for name in _tools_for(block)):
            tool = self._planner.cheapest_tool(block)
            self.take(tool, 1)
            self._stock[tool] = self._stock.get(tool, 0) + 1
        blocks = [b for b in every if _gives(b, names.split("|")) == _gives(block, names.split("|"))]
        chosen = tuple(b.name for b in blocks if b.tier <= block.tier and self._planner.may_break(b))
        self.tasks.append(Collect(tuple(names.split("|")), count, chosen or (block_name,)))

    def _fetch(self, source: Source, count: int) -> None:
        for tools in source.tools:
            names = tools.split("|")
            if not any(self._stock.get(name, 0) > 0 for name in names):
                self.take(tools, 1)
                self._stock[names[0]] = self._stock.get(names[0], 0) + 1
        for name in source.uses:
            self.take(name, count)
        self.tasks.append(Fetch(source, count))

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
