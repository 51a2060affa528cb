"""What the expert does with its hands: look, equip, break, place. Generators that yield flat actions, one a step.

Each returns whether it got done what it was asked for; none assumes that it will.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator

import numpy as np

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS, ToolClass
from farlands.worlds.voxel.expert.planner import break_ticks
from farlands.worlds.voxel.expert.putting import Fits, aim_to_put, place_action
from farlands.worlds.voxel.expert.sight import STEP_TICKS, aim_at, aim_to_place
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, IS_SOURCE, Cell, Outlook
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tables import NUM_HEADINGS

Doing = Generator[int, None, bool]
"""Yields flat actions; returns whether what was to be done is done."""

_EXTRA_STEPS = 6
_AIMS = 4
_ARM, _NEAREST = 5, 24
_LONGEST_BREAK = 600.0
"""Ticks. Nothing that takes longer is worth breaking."""


def act(name: str, times: int = 1) -> Generator[int, None, None]:
    """The same flat action some times."""
    for _ in range(times):
        yield FLAT_ACTION_ID[name]


class Hands:
    """The hand and the eyes of one agent.

    Attributes:
        ticks: float ``[blocks]``: ticks to break each block with the best tool carried; infinite if not worth it.
        spared: Names of blocks that are never broken, as if nothing could.

    Args:
        view: The world.
        allowed: Whether a cell that is in the way may be broken.
    """

    def __init__(self, view: Outlook, allowed: Callable[[Cell], bool]) -> None:
        self._view = view
        self._allowed = allowed
        self._tools: frozenset[str] = frozenset({"?"})
        self._ticks = np.zeros(len(BLOCKS))
        self._spared: frozenset[str] = frozenset()

    @property
    def spared(self) -> frozenset[str]:
        return self._spared

    @spared.setter
    def spared(self, names: frozenset[str]) -> None:
        if names != self._spared:
            self._spared, self._tools = names, frozenset({"?"})

    @property
    def ticks(self) -> np.ndarray:
        tools = frozenset(self.best_tools().values())
        if tools != self._tools:
            self._tools = tools
            found = np.array([break_ticks(self.tool_for(block.name), block) for block in BLOCKS])
            spared = np.array([block.name in self._spared for block in BLOCKS])
            self._ticks = np.where((found > _LONGEST_BREAK) | spared, np.inf, found)
        return self._ticks

    def best_tools(self) -> dict[ToolClass, str]:
        """The tool of each class that equipping takes in hand: the best carried, by tier and then speed."""
        best: dict[ToolClass, str] = {}
        for item in sorted(ITEMS, key=lambda item: (item.tier, item.speed)):
            if item.tool != ToolClass.NONE and f"equip_{item.tool.name.lower()}" in FLAT_ACTION_ID:
                if self._view.count(item.name) > 0:
                    best[item.tool] = item.name
        return best

    def tool_for(self, block: str) -> str:
        """What to have in hand to break a block: the best tool of its class, else whatever is held."""
        return self.best_tools().get(BLOCKS[BLOCK_ID[block]].tool, "nothing")

    def equip_for(self, cell: Cell) -> Doing:
        """Take the tool for a cell's block in hand."""
        block = BLOCKS[self._view.block(cell)]
        tool = self.tool_for(block.name)
        if tool != "nothing" and self._view.held != tool:
            yield from act(f"equip_{block.tool.name.lower()}")
        return tool == "nothing" or self._view.held == tool

    def turn_to(self, yaw: int, pitch: int) -> Doing:
        """Turn to a heading and pitch in steps of 15 degrees."""
        around = (yaw - self._view.body(Body.YAW) + 12) % NUM_HEADINGS - 12
        whole = round(around / 3)
        rest = around - 3 * whole
        rise = pitch - self._view.body(Body.PITCH)
        yield from act("turn_right_45" if whole > 0 else "turn_left_45", abs(whole))
        yield from act("turn_right" if rest > 0 else "turn_left", abs(rest))
        yield from act("look_up" if rise > 0 else "look_down", abs(rise))
        return self._view.body(Body.YAW) == yaw and self._view.body(Body.PITCH) == pitch

    def break_cells(self, cells: Collection[Cell]) -> Doing:
        """Break the blocks in some cells, and what is in the way of that, the quickest first."""
        for _ in range(_AIMS * len(cells) + 2 * _AIMS):
            left = [cell for cell in cells if IN_CROSSHAIR[self._view.block(cell)]]
            if not left:
                return True
            eye = self._view.eye
            aim = aim_at(self._view, left, self.ticks, self._allowed)
            if aim is None:
                return False
            yield from self.equip_for(aim.hit)
            yield from self.turn_to(aim.yaw, aim.pitch)
            # A body that still slides has to aim again.
            if self._view.eye == eye:
                yield from self._break(aim.hit)
        return False

    def break_kind(self, blocks: Collection[str]) -> Doing:
        """Break one block of some kinds that is in reach, the quickest to get at, but none underfoot."""
        kinds = [BLOCK_ID[name] for name in blocks if np.isfinite(self.ticks[BLOCK_ID[name]])]
        span = np.arange(-_ARM, _ARM + 1)
        cells = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3) + self._view.feet
        near = cells[np.isin(self._view.blocks_at(cells), kinds)]
        order = np.argsort(np.abs(near - np.array(self._view.feet)).sum(axis=1), kind="stable")
        z, under = self._view.feet[2], self._view.footprint
        wanted = [(int(a), int(b), int(c)) for a, b, c in near[order] if c >= z or (a, b) not in under]
        wanted = [cell for cell in wanted[:_NEAREST] if self._allowed(cell)]
        aim = aim_at(self._view, wanted, self.ticks, self._allowed) if wanted else None
        if aim is None:
            return False
        eye = self._view.eye
        yield from self.equip_for(aim.hit)
        yield from self.turn_to(aim.yaw, aim.pitch)
        return self._view.eye == eye and (yield from self._break(aim.hit))

    def _break(self, cell: Cell) -> Doing:
        """Break the block that is in the crosshair now."""
        block = self._view.block(cell)
        if not math.isfinite(self.ticks[block]):
            return False
        limit = int(self.ticks[block] / STEP_TICKS) + _EXTRA_STEPS
        held = self._view.held
        for _ in range(limit):
            if self._view.block(cell) != block:
                return True
            if self._view.held != held:
                return False
            yield from act("attack")
        return self._view.block(cell) != block

    def look_through(self, cells: Collection[Cell]) -> Doing:
        """Turn so that one of some cells of a fluid is the first thing that is not air in the crosshair."""
        nothing = np.full(len(BLOCKS), np.inf)
        aim = aim_at(self._view, cells, nothing, lambda cell: False, stops=IN_CROSSHAIR | IS_SOURCE)
        return aim is not None and (yield from self.turn_to(aim.yaw, aim.pitch))

    def look_at(self, cells: Collection[Cell]) -> Doing:
        """Turn so that one of some cells is in the crosshair, breaking nothing."""
        nothing = np.full(len(BLOCKS), np.inf)
        aim = aim_at(self._view, cells, nothing, lambda cell: False)
        return aim is not None and (yield from self.turn_to(aim.yaw, aim.pitch))

    def put(self, item: str, fits: Fits | None = None) -> Generator[int, None, Cell | None]:
        """Put a carried item up as a block somewhere in reach.

        Args:
            item: Its name.
            fits: Which cells will do, as for ``aim_to_put``.

        Returns:
            The cell it is in now; None if that can't be done from here.
        """
        block = BLOCK_ID[ITEMS[ITEM_ID[item]].places]
        for _ in range(_AIMS):
            eye = self._view.eye
            aim = aim_to_put(self._view, item, fits)
            if aim is None:
                return None
            yield from self.turn_to(aim.yaw, aim.pitch)
            if self._view.eye == eye:
                yield from act(place_action(item))
            if self._view.block(aim.wanted) == block:
                return aim.wanted
        return None

    def place(self, item: str) -> Doing:
        """Place a carried item's block somewhere in reach, near enough to serve as a station."""
        block = BLOCK_ID[ITEMS[ITEM_ID[item]].places]
        for _ in range(_AIMS):
            eye = self._view.eye
            aim = aim_to_place(self._view)
            if aim is None:
                return False
            yield from self.turn_to(aim.yaw, aim.pitch)
            if self._view.eye == eye:
                yield from act(f"place_{item}")
            if self._view.block(aim.wanted) == block:
                return True
        return False
