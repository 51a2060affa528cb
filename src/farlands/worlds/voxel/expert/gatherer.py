"""A player that sees everything and gets what plans ask for: from blocks, creatures and springs, near or far."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping

import numpy as np

from farlands.worlds.voxel.alterations import Rulebook
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.expert.expert import Player
from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.hunting import Hunter
from farlands.worlds.voxel.expert.planner import break_ticks
from farlands.worlds.voxel.expert.plans import Collect, Fetch, Task
from farlands.worlds.voxel.expert.shelter import HEALING_FOOD
from farlands.worlds.voxel.expert.sources import HUNT, SHEAR
from farlands.worlds.voxel.expert.travel import Crew, Travel, surface_above
from farlands.worlds.voxel.expert.view import Cell, View
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tasks.land import LAND
from farlands.worlds.voxel.tasks.techtree import TICKS_PER_STEP

_FAR = 2.0
"""How much worse than as a rule a search is that has to leave the window."""
_TICKS_PER_BLOCK, _MOST_WAY = 12.0, 200.0
_SEARCHES = 40
WEAK = 7
"""Health points at which healing comes first."""


class Gatherer(Player):
    """A scripted player of one world that gets things.

    Args:
        view: The whole world.
        ticks_per_step: Of the world.
        rules: Recipes, smeltings and drops to plan by.
    """

    spare: Mapping[str, int] = {"oak_log": 1, "spruce_log": 1}
    most_targets = 8

    def __init__(self, view: View, ticks_per_step: int, rules: Rulebook) -> None:
        super().__init__(view, "", ticks_per_step, rules)
        self._all = view
        self._crew = Crew(view, self._hands, self._legs)
        self._ways = Travel(self._crew)
        self._hunter = Hunter(view, self._crew, self._ways, self._guard)

    def _start(self) -> Cell:
        return surface_above(self._view)

    def _do(self, tasks: list[Task]) -> Doing:
        task = tasks[0]
        if not isinstance(task, Fetch):
            return (yield from super()._do(tasks))
        before = self._view.count(task.source.item)
        kind, _, thing = task.source.name.partition(" ")
        if kind == HUNT:
            done = yield from self._hunter.hunt(thing)
        elif kind == SHEAR:
            done = yield from self._hunter.shear()
        else:
            done = yield from self._scoop(thing)
        return done or self._view.count(task.source.item) > before

    def _scoop(self, fluid: str) -> Doing:
        """Fill a bucket from a source."""
        cells = np.argwhere(self._view.window() == BLOCK_ID[fluid]) + np.array([*self._view.origin, 0])
        order = np.argsort(np.abs(cells - np.array(self._view.feet)).sum(axis=1), kind="stable")
        near = [(int(x), int(y), int(z)) for x, y, z in cells[order[: self.most_targets]]]
        if not near or not (yield from self._ways.near(near, 2)):
            return (yield from self._ways.roam())
        yield from act("equip_bucket")
        if not (yield from self._hands.look_through(near)):
            return False
        yield from act("use")
        return True

    def _collect(self, task: Collect) -> Doing:
        """What is at hand first, then as any player; only until something else is called for."""
        wanted = self._have(task) + task.count
        tools = self._hands.best_tools()
        while self._have(task) < wanted and self._hands.best_tools() == tools:
            if not (yield from self._fetch_block(task.blocks)):
                return False
        return True

    def _fetch_block(self, blocks: tuple[str, ...]) -> Generator[int, None, bool]:
        """Break one block of some kinds: what is in reach, else the nearest there is a way to, else look for some."""
        spared = self._hands.spared
        self._hands.spared = spared - frozenset(blocks)
        try:
            return (yield from self._fetch_unspared(blocks))
        finally:
            self._hands.spared = spared

    def _fetch_unspared(self, blocks: tuple[str, ...]) -> Doing:
        yield from self._legs.wait_for_ground()
        if self._view.body(Body.HEALTH) <= WEAK and self._view.body(Body.FOOD) >= HEALING_FOOD:
            return False
        if (yield from self._hands.break_kind(blocks)):
            return True
        for _ in range(_SEARCHES):
            route = self._route_to(blocks)
            if route is not None:
                if not (yield from self._travel(route)):
                    return False
                if (yield from self._hands.break_cells([route.target])):
                    return True
                self._banned.add((self._view.feet, route.target))
                return False
            if not (yield from self._ways.roam()):
                return False
        return False

    def _block_ticks(self) -> dict[str, float]:
        """What is in the window costs its way, what the land grows elsewhere costs a search."""
        window = self._view.window()
        x, y, z = np.ogrid[: window.shape[0], : window.shape[1], :HEIGHT]
        fx, fy, fz = self._view.feet
        x0, y0 = self._view.origin
        way = np.abs(x + x0 - fx) + np.abs(y + y0 - fy) + np.abs(z - fz)
        nearest = np.full(256, 10_000)
        np.minimum.at(nearest, window, way)
        found = {}
        for index, block in enumerate(self._rules.blocks):
            if block.name not in LAND:
                continue
            hand = min(break_ticks("nothing", block), _MOST_WAY)
            if nearest[index] < 10_000 and math.isfinite(hand):
                found[block.name] = float(nearest[index]) * _TICKS_PER_BLOCK + hand
            elif math.isfinite(hand):
                found[block.name] = LAND[block.name].search * TICKS_PER_STEP * _FAR + hand
        return found
