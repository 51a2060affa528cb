"""Bringing about what must hold at one time: where the agent is, what it carries, wears and holds, how it fares."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS
from farlands.worlds.voxel.expert.errands import Errands
from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.hunting import Hunter
from farlands.worlds.voxel.expert.planner import Demand
from farlands.worlds.voxel.expert.putting import place_action
from farlands.worlds.voxel.expert.shelter import Shelter
from farlands.worlds.voxel.expert.travel import Crew, Travel, is_near
from farlands.worlds.voxel.expert.view import IS_LAVA, IS_WATER, Cell, View
from farlands.worlds.voxel.expert.wants import MEALS, Want
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import DAY
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tasks.facts import members
from farlands.worlds.voxel.tasks.tree import Leaf

_AIR_STEP = 15
_HEALING_FOOD = 18
_WAIT = 10
_EXERCISE = 20
_ANCHORS = 8
_SETTLED = 40
"""Blocks from the start from where on the way leads outward."""
_SPARE_BLOCKS = 4
STONES = "cobblestone"

ORDER = ("wear", "at_least", "away", "time", "at_most", "above", "below", "near", "inside", "asleep", "beside",
         "hold")  # fmt: skip
"""What is seen to first, so that what comes later disturbs little of it."""


class Postures:
    """States of one agent: whether they hold, what must be carried for them, and how to bring them about.

    Attributes:
        pillar: Blocks wanted to climb on.
        apart: Whether something must not be near, so that what must be is put up elsewhere.

    Args:
        view: The whole world.
        crew, travel, errands, shelter, hunter: Whose.
    """

    def __init__(
        self, view: View, crew: Crew, travel: Travel, errands: Errands, shelter: Shelter, hunter: Hunter
    ) -> None:
        self._hunter = hunter
        self._view, self._crew, self._travel, self._errands, self._shelter = view, crew, travel, errands, shelter
        self.pillar = 0
        self.apart = False
        self._reserved = 0
        self._acts: dict[str, Callable[[Leaf], Doing]] = {
            "wear": lambda leaf: errands.do(Want("wear", (leaf.thing,))), "at_least": self._be_well,
            "at_most": self._be_low, "away": self._go_away, "time": lambda leaf: shelter.wait(_WAIT),
            "beside": lambda leaf: hunter.approach(leaf.thing, leaf.number),
            "above": self._rise, "below": lambda leaf: travel.sink(leaf.number), "near": self._be_near,
            "inside": self._be_inside, "asleep": lambda leaf: errands.lie_down(), "hold": self._hold,
        }  # fmt: skip

    def holds(self, leaf: Leaf) -> bool:
        """Whether a momentary predicate is true now."""
        view, name, n = self._view, leaf.name, leaf.number
        x, y, z = view.feet
        if name == "carry":
            return sum(view.count(item) for item in members(leaf.thing)) >= n
        if name in ("at_least", "at_most"):
            return self.vital(leaf.thing) >= n if name == "at_least" else self.vital(leaf.thing) <= n
        if name == "beside":
            cells = self._hunter.cells(leaf.thing)
            return is_near(view.feet, cells, n)
        if name == "near":
            return is_near(view.feet, self._blocks(leaf, n), n)
        if name == "time":
            first, until = (int(value) for value in leaf.arguments)
            return (view.time - first) % DAY <= (until - first) % DAY
        return {
            "wear": leaf.thing in view.worn, "hold": view.held == leaf.thing, "above": z >= n, "below": z <= n,
            "away": math.dist((x, y), view.start) >= n, "asleep": view.body(Body.SLEEPING) > 0,
            "inside": bool((IS_LAVA if leaf.thing == "lava" else IS_WATER)[view.block(view.feet)]),
        }[name]  # fmt: skip

    def vital(self, name: str) -> int:
        """A vital in points of 20."""
        if name == "armour":
            return sum(ITEMS[ITEM_ID[piece]].armour_points for piece in self._view.worn)
        value = self._view.body(Body[name.upper()])
        return (max(value, 0) + _AIR_STEP - 1) // _AIR_STEP if name == "air" else value

    def _blocks(self, leaf: Leaf, reach: int) -> np.ndarray:
        """Cells int ``[N, 3]`` of a kind of block within so many blocks of the feet; 0: anywhere in the window."""
        view = self._view
        names = members(leaf.thing, blocks=True)
        fluids = {BLOCKS[BLOCK_ID[name]].fluid for name in names} - {0}
        kinds = np.array([block.name in names or block.fluid in fluids for block in BLOCKS])
        corner = np.array([*view.origin, 0])
        if not reach:
            return np.argwhere(kinds[view.window()]) + corner
        span = np.arange(-reach, reach + 1)
        cells = np.stack(np.meshgrid(span, span, span, indexing="ij"), axis=-1).reshape(-1, 3) + np.array(view.feet)
        return cells[kinds[view.blocks_at(cells)]]

    def demands(self, states: list[Leaf]) -> list[Demand]:
        """What must be carried for some states, those aside that hold without."""
        found = []
        stones = [leaf.number for leaf in states if leaf.name == "carry" and leaf.thing in ("cobblestone", "dirt")]
        self._reserved = sum(stones)
        for leaf in states:
            names = "|".join(members(leaf.thing)) if leaf.thing else ""
            if leaf.name == "carry":
                found.append(Demand(names, leaf.number))
            elif leaf.name == "wear" and not self.holds(leaf):
                found.append(Demand(names, 1))
            elif leaf.name == "hold":
                found.append(Demand(names, 1))
            elif leaf.name == "near" and not self.holds(leaf) and self._must_be_made(leaf):
                found.append(Demand(names, 1))
            elif leaf.name == "asleep" and self._view.find_near("bed") is None:
                found.append(Demand("bed", 1))
        if self.pillar:
            only_stones = any(leaf.name == "carry" and leaf.thing == STONES for leaf in states)
            found.append(Demand(STONES if only_stones else "dirt|cobblestone", self.pillar))
        return found

    def _must_be_made(self, leaf: Leaf) -> bool:
        made = [name for name in members(leaf.thing) if name in ITEM_ID and place_action(name)]
        return bool(made) and (self.apart or not len(self._blocks(leaf, 0)))

    def bring_about(self, leaf: Leaf) -> Doing:
        """A piece of the way to a state whose things are carried."""
        return self._acts[leaf.name](leaf)

    def undo(self, leaf: Leaf) -> Doing:
        """A piece of the way out of a state."""
        view = self._view
        if leaf.name == "carry":
            return (yield from self._errands.let_go(members(leaf.thing)))
        if leaf.name == "hold":
            return (yield from self._errands.change_hand(leaf.thing))
        if leaf.name == "away":
            x, y, _ = view.feet
            self._travel.angle = math.atan2(view.start[0] - x, view.start[1] - y)
        if leaf.name in ("near", "beside", "away"):
            return (yield from self._travel.roam())
        if leaf.name == "inside":
            return (yield from self._travel.come_ashore())
        yield from act("jump" if leaf.name == "asleep" else "noop")
        return leaf.name in ("asleep", "time")

    def _be_near(self, leaf: Leaf) -> Doing:
        cells = self._blocks(leaf, 0)
        made = tuple(name for name in members(leaf.thing) if name in ITEM_ID and self._view.count(name))
        if self.apart and made:
            return (yield from self._errands.set_up_near(made, leaf.number))
        if len(cells):
            order = np.argsort(np.abs(cells - np.array(self._view.feet)).sum(axis=1), kind="stable")
            near: list[Cell] = [(int(a), int(b), int(c)) for a, b, c in cells[order[:_ANCHORS]]]
            if (yield from self._travel.near(near, leaf.number)):
                return True
        if made:
            return (yield from self._errands.set_up_near(made, leaf.number))
        return (yield from self._travel.roam())

    def _be_inside(self, leaf: Leaf) -> Doing:
        if leaf.thing == "lava":
            return (yield from self._travel.plunge(self._blocks(leaf, 0)))
        return (yield from self._travel.bathe()) or (yield from self._travel.roam())

    def _go_away(self, leaf: Leaf) -> Doing:
        """Straight on, away from the start."""
        x, y, _ = self._view.feet
        dx, dy = x - self._view.start[0], y - self._view.start[1]
        outward = math.atan2(dx, dy) if math.hypot(dx, dy) > _SETTLED else None
        return (yield from self._travel.roam(outward))

    def _rise(self, leaf: Leaf) -> Doing:
        """Climb; where that takes blocks, note how many."""
        spare = max(self._crew.pillar_blocks - self._reserved, 0)
        missing = yield from self._travel.rise(leaf.number, spare)
        self.pillar = spare + missing + _SPARE_BLOCKS if missing else 0
        return bool(missing) or self.holds(leaf) or (yield from self._travel.roam())

    def _hold(self, leaf: Leaf) -> Doing:
        yield from act(f"equip_{ITEMS[ITEM_ID[leaf.thing]].tool.name.lower()}")
        return self._view.held == leaf.thing

    def _be_well(self, leaf: Leaf) -> Doing:
        """Get the air, the meal or the rest that is missing; armour is put on once it is carried."""
        view = self._view
        if leaf.thing == "armour":
            yield from act("wear_armour")
            return self.holds(leaf)
        if leaf.thing == "air":
            return (yield from self._travel.come_ashore())
        hungry = leaf.thing == "food" or view.body(Body.FOOD) < _HEALING_FOOD
        if hungry and any(view.count(name) for name in MEALS):
            return (yield from self._errands.do(Want("eat", MEALS)))
        if hungry:
            return False
        return (yield from self._shelter.wait(_WAIT))

    def _be_low(self, leaf: Leaf) -> Doing:
        """Grow hungry, hold the breath, or fall from where it hurts."""
        if leaf.thing == "food":
            return (yield from self._travel.exercise(_EXERCISE))
        if leaf.thing == "air":
            return (yield from self._travel.dive())
        if leaf.thing == "health":
            return (yield from self._travel.fall())
        return False
