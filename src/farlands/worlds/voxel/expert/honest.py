"""The honest expert: the expert's own plans, arms and legs, but what it knows of the land is what it was shown.

Where nothing it knows will do, it goes and looks: over land for trees, and for ores down to their depth, where it
drives a gallery.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from farlands.worlds.voxel.alterations import Rulebook
from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS
from farlands.worlds.voxel.expert.expert import Player
from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.memory import SeenView
from farlands.worlds.voxel.expert.mine import Mine
from farlands.worlds.voxel.expert.paths import Kind, Land, Move, stand_search
from farlands.worlds.voxel.expert.planner import Collect, break_ticks
from farlands.worlds.voxel.expert.view import IS_FLUID, IS_LAVA
from farlands.worlds.voxel.generation.features import VEINS

_FAR = {"oak_log": 600.0, "spruce_log": 600.0, "stone": 500.0, "coal_ore": 2_500.0, "iron_ore": 4_000.0,
        "sand": 3_000.0, "gold_ore": 9_000.0, "diamond_ore": 12_000.0}  # fmt: skip
"""Ticks that finding the first of a kind of block may take, for plans that are made before one is known."""
_WAY = 18
"""Blocks of a walk to unknown land."""
_GOLDEN = 2.399963
"""Radians between two directions of search: the golden angle, which never comes back to one."""
_STRETCH = 12
"""Moves of a gallery between two looks at the plan."""
_LOOK_ROUND = 8


class HonestPlayer(Player):
    """A scripted player of one world that knows what its observations told it.

    Args:
        view: Its map; told every observation before the next action is asked for.
        goal: Item to make or collect.
        ticks_per_step: Of the world.
        rules: Recipes, smeltings and drops to plan by.
    """

    spare: Mapping[str, int] = {"oak_log": 5, "spruce_log": 5}
    """There are no trees under ground."""

    def __init__(self, view: SeenView, goal: str, ticks_per_step: int, rules: Rulebook) -> None:
        super().__init__(view, goal, ticks_per_step, rules)
        self._map = view
        self._mine = Mine(view, self._hands, self._legs)
        self._searches = 0

    def _pursue(self) -> Doing:
        yield from act("turn_right_45", _LOOK_ROUND)
        while not (yield from super()._pursue()):
            yield from self._walk_on()
        return True

    def _block_ticks(self) -> dict[str, float]:
        """What is known costs its way, what is not costs a search."""
        known = super()._block_ticks()
        far = {name: ticks + min(break_ticks("nothing", BLOCKS[BLOCK_ID[name]]), 200.0) for name, ticks in _FAR.items()}
        return far | {name: min(ticks, far.get(name, math.inf)) for name, ticks in known.items()}

    def _seek(self, task: Collect) -> Doing:
        """Look where such blocks are found until one comes to be known. False when that led nowhere."""
        ids = {BLOCK_ID[name] for name in task.blocks}
        self._map.news()
        heights = [(vein.low, vein.high) for vein in VEINS if vein.block in task.blocks]
        tools = self._hands.best_tools()
        if not heights or not any(math.isfinite(self._hands.ticks[k]) for k in ids):
            return (yield from self._walk_on())
        moves = 0
        while not ids & self._map.news() and moves < _STRETCH and self._hands.best_tools() == tools:
            if not (yield from self._mine.go_on(heights[0])):
                return (yield from self._walk_on())
            moves += 1
        return True

    def _walk_on(self) -> Doing:
        """Walk to land farther off, in one direction after the other."""
        yield from self._legs.wait_for_ground()
        land = Land(self._view, self._hands.ticks)
        x, y, _ = self._view.feet
        for _ in range(4):
            # Three stretches in a direction, unless there is no way; then the next.
            angle = self._searches // 3 * _GOLDEN
            self._searches += 1
            place = (x + round(_WAY * math.sin(angle)), y + round(_WAY * math.cos(angle)))
            route = stand_search(land, self._view.feet, place, self._blocks_to_place()).run()
            if route is not None:
                for move in route.moves:
                    if not self._is_safe(move) or not (yield from self._legs.follow(move)):
                        break
                yield from act("turn_right_45", _LOOK_ROUND)
                return True
            self._searches += 2 - (self._searches - 1) % 3
        yield from self._shake()
        return False

    def _is_safe(self, move: Move) -> bool:
        """Whether what has come to be known since lets a move be made: no lava by it, ground where it ends."""
        view = self._view
        cells = [cell for cell in move.clear if view.solid(cell)]
        if any(view.touches_lava(cell) for cell in cells):
            return False
        x, y, z = move.cell
        around = [(x + a, y + b, z + c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-2, -1, 0)]
        if any(IS_LAVA[view.block(cell)] for cell in around):
            return False
        if move.kind is Kind.PILLAR:
            return True
        ground = (x, y, z - 1)
        return bool(self._map.knows(np.array(ground))) and (view.solid(ground) or bool(IS_FLUID[view.block(move.cell)]))
