"""The expert: plans, goes, digs and makes until it has the goal item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping

import numpy as np

from farlands.worlds.voxel.alterations import Rulebook, alter
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.expert.guard import Guard
from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.legs import PILLAR_BLOCKS, Legs
from farlands.worlds.voxel.expert.paths import Land, Move, Route, Search
from farlands.worlds.voxel.expert.planner import Collect, Craft, Planner, Smelt, Task, break_ticks
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, SIDES, Cell, Outlook, View
from farlands.worlds.voxel.recipes import SMELTING_TICKS
from farlands.worlds.voxel.tasks.places import rules_seed
from farlands.worlds.voxel.world import VoxelWorld

_TICKS_PER_BLOCK = 12.0
"""About what a block of way costs, for guesses of what is cheap to collect."""
_FAILURES = 12
"""Tasks that may fail in a row before the expert gives up."""
_MISSES = 4
"""Times that a way may turn out not to lead where it should before other measures are taken."""
_GAIN_STEPS = 12
_SHAKES = ("back", "left", "right", "forward", "turn_left_45", "jump_forward", "jump")


class Player:
    """A scripted player of one world that acts by flat actions on whatever view it is given.

    Attributes:
        failures: How often tasks of each kind failed at first.

    Args:
        view: What it knows.
        goal: Item to make or collect.
        ticks_per_step: Of the world.
        rules: Recipes, smeltings and drops to plan by.
    """

    spare: Mapping[str, int] = {"oak_log": 2, "spruce_log": 2}
    """Wood for another tool, collected while there are trees about."""
    most_targets = 24
    """Blocks of a kind that a way is looked for to."""

    def __init__(self, view: Outlook, goal: str, ticks_per_step: int, rules: Rulebook) -> None:
        self._view = view
        self._goal = goal
        self._rules = rules
        self._ticks_per_step = ticks_per_step
        self._hands = Hands(self._view, self._may_break)
        self._legs = Legs(self._view, self._hands)
        self._guard = Guard(self._view, self._hands)
        self._banned: set[tuple[Cell, Cell]] = set()
        self._failed = 0
        self.failures: Counter[str] = Counter()

    def actions(self) -> Generator[int, None, bool]:
        """Flat actions, one a step, each to be carried out before the next is asked for.

        Returns:
            Whether the goal item is carried; if not, the expert has given up. An episode that the goal ends is over
            before this returns.

        Raises:
            PlanError: The goal can't be had with what the window holds.
        """
        return (yield from self._guard.watch(self._pursue()))

    def _pursue(self) -> Doing:
        self._failed = 0
        while self._view.count(self._goal) == 0 and self._failed < _FAILURES:
            tasks = self._plan()
            if (yield from self._do(tasks)):
                self._failed = 0
            else:
                self._failed += 1
                self.failures[type(tasks[0]).__name__] += 1
                yield from self._shake()
        return self._view.count(self._goal) > 0

    def _plan(self) -> list[Task]:
        stations = frozenset(name for name in ("crafting_table", "furnace") if self._view.station_near(name))
        planner = Planner(self._block_ticks(), self._rules)
        return planner.plan(self._goal, self._view.carried(), near=stations, spare=self.spare)

    def _block_ticks(self) -> dict[str, float]:
        """What getting to the nearest of each kind of block and breaking it by hand may take."""
        blocks = self._view.window()
        x, y, z = self._view.feet
        here = np.array([x - self._view.origin[0], y - self._view.origin[1], z])
        found = {}
        for index, block in enumerate(self._rules.blocks):
            cells = np.argwhere(blocks == index) if block.drop else ()
            if len(cells):
                way = float(np.abs(cells - here).sum(axis=1).min())
                found[block.name] = way * _TICKS_PER_BLOCK + min(break_ticks("nothing", block), 200.0)
        return found

    def _do(self, tasks: list[Task]) -> Doing:
        """The first task of a plan."""
        task = tasks[0]
        if isinstance(task, Collect):
            return (yield from self._collect(task))
        for station in task.stations:
            if not (yield from self._set_up(station)):
                return False
        done = (yield from self._craft(task)) if isinstance(task, Craft) else (yield from self._smelt(task))
        if done:
            yield from self._take_along(tasks[1:])
        return done

    def _collect(self, task: Collect) -> Doing:
        """Go to the nearest source and break it, until there is enough or a tool has worn out."""
        wanted = self._have(task) + task.count
        tools = self._hands.best_tools()
        misses = 0
        while self._have(task) < wanted and self._hands.best_tools() == tools:
            yield from self._legs.wait_for_ground()
            route = self._route_to(task.blocks)
            if misses == _MISSES:
                return False
            if route is None:
                if not (yield from self._seek(task)):
                    return False
            elif not (yield from self._travel(route)):
                misses += 1
            elif not (yield from self._hands.break_cells([route.target])):
                misses += 1
                self._banned.add((self._view.feet, route.target))
        return True

    def _seek(self, task: Collect) -> Doing:
        """Look for what is nowhere in view; the base class sees everything and knows that there is nothing to find."""
        return False
        yield  # makes it a generator, as those that do look are

    def _have(self, task: Collect) -> int:
        return sum(self._view.count(name) for name in task.items)

    def _route_to(self, blocks: tuple[str, ...]) -> Route | None:
        """The quickest way to one of the nearest blocks of some kinds."""
        ticks = self._hands.ticks
        land = Land(self._view, ticks)
        ids = [BLOCK_ID[name] for name in blocks if np.isfinite(ticks[BLOCK_ID[name]])]
        cells = np.argwhere(np.isin(self._view.window(), ids) & land.may_break) + np.array([*land.origin, 0])
        distance = np.abs(cells - np.array(self._view.feet)).sum(axis=1)
        nearest = cells[np.argsort(distance, kind="stable")[: self.most_targets * (1 + self._failed)]]
        targets = [(int(x), int(y), int(z)) for x, y, z in nearest]
        if not targets:
            return None
        return Search(land, self._start(), targets, self._blocks_to_place(), frozenset(self._banned)).run()

    def _start(self) -> Cell:
        """Where ways begin."""
        return self._view.feet

    def _blocks_to_place(self) -> int:
        return sum(self._view.count(name) for name in PILLAR_BLOCKS)

    def _travel(self, route: Route) -> Doing:
        for move in route.moves:
            if not (IN_CROSSHAIR[self._view.block(route.target)] and self._is_safe(move)):
                return False
            if not (yield from self._legs.follow(move)):
                return False
        return True

    def _is_safe(self, move: Move) -> bool:
        """Whether a move is still as good as it looked when the route was made."""
        return True

    def _may_break(self, cell: Cell) -> bool:
        """Whether a block may go because it is in the way: never one that holds back lava."""
        return not self._view.touches_lava(cell)

    def _set_up(self, station: str) -> Doing:
        """See that a station stands near."""
        yield from self._legs.wait_for_ground()
        if self._view.station_near(station) or (yield from self._hands.place(station)):
            return True
        x, y, z = self._view.feet
        niches = [(x + dx, y + dy, z + 1) for dx, dy, dz in SIDES if dz == 0]
        niches = [cell for cell in niches if self._view.solid(cell) and self._may_break(cell)]
        for niche in niches:
            if (yield from self._hands.break_cells([niche])) and (yield from self._hands.place(station)):
                return True
        return False

    def _craft(self, task: Craft) -> Doing:
        before = self._view.count(task.recipe.output)
        for _ in range(task.times):
            yield from act(f"craft_{task.recipe.output}")
        return self._view.count(task.recipe.output) > before

    def _smelt(self, task: Smelt) -> Doing:
        """Fill the furnace and stay with it."""
        output = task.smelting.output
        before = self._view.count(output)
        for _ in range(task.count):
            yield from act(f"smelt_{output}")
        for _ in range(task.count * SMELTING_TICKS // self._ticks_per_step + _GAIN_STEPS):
            if not self._view.smelting or self._view.count(output) >= before + task.count:
                break
            yield from act("noop")
        return self._view.count(output) >= before + task.count

    def _take_along(self, rest: list[Task]) -> Generator[int, None, None]:
        """Break and so carry the stations near that a later task needs, unless the next tasks need them here."""
        here = next((k for k, task in enumerate(rest) if isinstance(task, Collect)), len(rest))
        now = {station for task in rest[:here] if not isinstance(task, Collect) for station in task.stations}
        later = {station for task in rest[here:] if not isinstance(task, Collect) for station in task.stations}
        for station in sorted(later - now):
            cell = self._view.find_near(station)
            if cell is not None:
                yield from self._hands.break_cells([cell])

    def _shake(self) -> Generator[int, None, None]:
        """Get out of a corner: small moves that differ from time to time."""
        yield from act(_SHAKES[self._failed % len(_SHAKES)])
        yield from act("noop")


class Expert(Player):
    """The expert that reads the whole state of its world.

    Args:
        world: A batch of worlds on the CPU with ``flat`` actions, one agent each.
        index: Which world to play.
        goal: Item to make or collect.

    Raises:
        ValueError: The worlds are not on the CPU or their actions are not flat.
    """

    def __init__(self, world: VoxelWorld, index: int = 0, goal: str = "diamond_pickaxe") -> None:
        if world.options.actions != "flat":
            raise ValueError(f"actions {world.options.actions!r}: the expert plays flat actions")
        super().__init__(View(world, index), goal, world.options.ticks_per_step, alter(rules_seed(world.options)))
