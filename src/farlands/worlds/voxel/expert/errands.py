"""One doing for each kind of act that tasks ask for. Each does a piece of it and says whether that led on."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial

import numpy as np

from farlands.worlds.voxel.blocks import AIR, BLOCK_ID, BLOCKS, DIRT, FARMLAND, GRASS, WET_FARMLAND, ToolClass
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES
from farlands.worlds.voxel.expert.bans import Bans
from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.hunting import Hunter, is_smitten
from farlands.worlds.voxel.expert.planner import harvests
from farlands.worlds.voxel.expert.putting import Fits, goes_before, place_action, stands_on
from farlands.worlds.voxel.expert.travel import Crew, Travel, is_near
from farlands.worlds.voxel.expert.view import IS_SOLID, SIDES, Cell, View
from farlands.worlds.voxel.expert.wants import Want
from farlands.worlds.voxel.items import FOODS, ITEM_ID, ITEMS
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tasks.predicates import NIGHT

_BITE_STEPS = 9
_FULL_FOOD = 20
_EXERCISE = 15
_WAIT = 10
_PAIR = 2
_QUICK = 120.0
"""Ticks within which breaking something put up, to put it up again, is cheaper than another one."""
_MOST_CELLS = 6
_FOOTINGS = 24

Breaker = Callable[[tuple[str, ...]], Doing]
"""Goes to a block of some kinds and breaks it."""


class Errands:
    """Acts of one agent.

    Attributes:
        bans: What must not be done.

    Args:
        view: The whole world.
        crew, travel, hunter: Whose.
        fetch: Goes to a block of some kinds and breaks it.
    """

    def __init__(self, view: View, crew: Crew, travel: Travel, hunter: Hunter, fetch: Breaker) -> None:
        self._view, self._crew, self._travel, self._hunter, self._fetch = view, crew, travel, hunter, fetch
        self.bans = Bans()
        self._table: dict[str, Callable[[Want], Doing]] = {
            "gain": self._regain, "place": self._place, "break": self._break, "eat": self._eat, "wear": self._wear,
            "till": self._till, "shear": lambda want: hunter.shear(), "kill": self._kill,
            "breed": self._breed, "shoot": self._shoot, "visit": lambda want: travel.roam(), "sleep": self._sleep,
            "alive": self._wait,
        }  # fmt: skip

    def do(self, want: Want) -> Doing:
        """A piece of an act whose things are carried."""
        return self._table[want.name](want)

    def can_cycle(self, item: str) -> bool:
        """Whether an item can be put up and taken back quickly, again and again."""
        row = ITEMS[ITEM_ID[item]]
        if not row.places or not place_action(item) or item in self.bans.place or item in self.bans.gain:
            return False
        block = BLOCKS[BLOCK_ID[row.places]]
        tool = self._crew.hands.tool_for(block.name)
        returns = block.drop == item and block.drop_one_in == 1 and harvests(tool, block)
        return returns and block.name not in self.bans.breaks and self._crew.hands.ticks[BLOCK_ID[block.name]] <= _QUICK

    def _regain(self, want: Want) -> Doing:
        """Put something up and take it back, as often as is wanted."""
        item = next(name for name in want.things if self._view.count(name) and self.can_cycle(name))
        for _ in range(want.number):
            cell = yield from self.put_up(item)
            if cell is None or not (yield from self._crew.hands.break_cells([cell])):
                return False
        return True

    def _place(self, want: Want) -> Doing:
        for k in range(want.number):
            item = next((name for name in want.things if self._view.count(name)), "")
            if not item:
                return k > 0
            cell = yield from self.put_up(item)
            if cell is None:
                return False
            again = k + 1 < want.number and not any(self._view.count(name) for name in want.things)
            if again and self.can_cycle(item):
                yield from self._crew.hands.break_cells([cell])
        return True

    def put_up(self, item: str, fits: Fits | None = None) -> Generator[int, None, Cell | None]:
        """Put an item up somewhere near: here, in a niche, or where the ground is right for it."""
        other = goes_before(item)
        while other and self._view.count(other):
            if (yield from self._put_anywhere(other, None)) is None:
                return None
        return (yield from self._put_anywhere(item, fits))

    def _put_anywhere(self, item: str, fits: Fits | None) -> Generator[int, None, Cell | None]:
        crew = self._crew
        yield from crew.legs.wait_for_ground()
        cell = yield from crew.hands.put(item, fits)
        if cell is not None:
            return cell
        if item == "wheat_seeds":
            yield from self._till(Want("till"))
        elif not (yield from self._find_footing(item)):
            yield from self._dig_niche()
        cell = yield from crew.hands.put(item, fits)
        if cell is None:
            yield from self._travel.roam()
            cell = yield from crew.hands.put(item, fits)
        return cell

    def _find_footing(self, item: str) -> Doing:
        """Go where the ground is what an item needs under it. False where it needs nothing special."""
        block = BLOCK_ID[ITEMS[ITEM_ID[item]].places]
        fit = stands_on(block, np.arange(len(BLOCKS)))
        if fit[GRASS] and fit[BLOCK_ID["stone"]]:
            return False
        return (yield from self._travel.near(self._open_ground(np.flatnonzero(fit)), 2))

    def _open_ground(self, kinds: np.ndarray) -> list[Cell]:
        """The nearest blocks of some kinds that have air above them."""
        blocks = self._view.window()
        free = np.isin(blocks, kinds)
        free[..., :-1] &= blocks[..., 1:] == AIR
        found = np.argwhere(free) + np.array([*self._view.origin, 0])
        order = np.argsort(np.abs(found - np.array(self._view.feet)).sum(axis=1), kind="stable")
        return [(int(x), int(y), int(z)) for x, y, z in found[order[:_FOOTINGS]]]

    def _dig_niche(self) -> Doing:
        """Break a block beside the head, to have room for another."""
        x, y, z = self._view.feet
        for dx, dy, dz in SIDES:
            niche = (x + dx, y + dy, z + 1)
            if dz == 0 and self._view.solid(niche) and not self._view.touches_lava(niche):
                if (yield from self._crew.hands.break_cells([niche])):
                    return True
        return False

    def _break(self, want: Want) -> Doing:
        """Break what there is, else what can be put up first."""
        for _ in range(min(want.number, _MOST_CELLS)):
            item = next((name for name in self._made(want) if self._view.count(name)), "")
            if item and not self._grown_near(want.things):
                cell = yield from self.put_up(item)
                if cell is None or not (yield from self._crew.hands.break_cells([cell])):
                    return False
            elif not (yield from self._fetch(want.things)):
                return False
        return True

    def _made(self, want: Want) -> list[str]:
        """Items that can be put up to be broken."""
        return [name for name in want.things if name in ITEM_ID and place_action(name) and name not in self.bans.place]

    def _grown_near(self, blocks: tuple[str, ...]) -> bool:
        """Whether one of some blocks is within a few steps."""
        reach = np.arange(-4, 5)
        offsets = np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), axis=-1).reshape(-1, 3)
        near = self._view.blocks_at(offsets + np.array(self._view.feet))
        return bool(np.isin(near, [BLOCK_ID[name] for name in blocks]).any())

    def _eat(self, want: Want) -> Doing:
        """Eat what is carried, in the order it is eaten; get hungry first where nothing would be eaten."""
        view = self._view
        first = next((name for name in FOODS if view.count(name)), "")
        if not first or first in self.bans.eat:
            return False
        if view.body(Body.FOOD) >= _FULL_FOOD:
            return (yield from self._travel.exercise(_EXERCISE))
        before = view.count(first)
        yield from act("eat", _BITE_STEPS)
        return view.count(first) < before or view.body(Body.FOOD) >= _FULL_FOOD

    def _wear(self, want: Want) -> Doing:
        yield from act("wear_armour")
        return want.things[0] in self._view.worn

    def _till(self, want: Want) -> Doing:
        """Till the nearest open ground with a hoe."""
        crew, view = self._crew, self._view
        ground = [c for c in self._open_ground(np.array([GRASS, DIRT])) if c[:2] not in view.footprint]
        if not ground or not (yield from self._travel.near(ground, 2)):
            return False
        yield from act("equip_hoe")
        near = [c for c in ground if is_near(view.feet, np.array([c]), 3) and c[:2] not in view.footprint]
        if not (yield from crew.hands.look_at(near)):
            return False
        yield from act("use")
        return any(view.block(cell) in (FARMLAND, WET_FARMLAND) for cell in near)

    def _kill(self, want: Want) -> Doing:
        there = [name for name in want.things if self._hunter.find(name) is not None]
        return (yield from self._hunter.hunt((there or list(want.things))[0]))

    def _breed(self, want: Want) -> Doing:
        """Feed two of a kind, the second soon after the first, then let them be."""
        smitten = {name: self._hunter.count(name, is_smitten) for name in want.things}
        if max(smitten.values()) >= _PAIR:
            return (yield from self._wait(want))
        fed = [
            name for name in want.things
            if self._view.count(CREATURES[CREATURE_ID[name] - 1].food) and self._hunter.find(name) is not None
        ]  # fmt: skip
        return (yield from self._hunter.feed(max(fed or want.things, key=smitten.__getitem__)))

    def _shoot(self, want: Want) -> Doing:
        """Draw the bow on the nearest animal and let go."""
        kinds = [each.name for each in CREATURES if self._hunter.find(each.name) is not None and each.name != "arrow"]
        if not kinds:
            return (yield from self._travel.roam())
        return (yield from self._hunter.shoot(kinds[0]))

    def _sleep(self, want: Want) -> Doing:
        """Put the bed up and lie down once it is night."""
        view, hands = self._view, self._crew.hands
        if view.body(Body.SLEEPING) > 0:
            yield from act("noop")
            return True
        if not NIGHT[0] <= view.time <= NIGHT[1]:
            return (yield from self._wait(want))
        bed = view.find_near("bed")
        if bed is None:
            bed = yield from self.put_up("bed")
        if bed is None or not (yield from hands.look_at([bed])):
            return False
        yield from act("use")
        return view.body(Body.SLEEPING) > 0

    def _wait(self, want: Want) -> Doing:
        yield from act("noop", min(want.number, _WAIT))
        return True

    def lie_down(self) -> Doing:
        """Be asleep."""
        return (yield from self._sleep(Want("sleep")))

    def set_up_near(self, items: tuple[str, ...], reach: int) -> Doing:
        """Put one of some items up within so many blocks of the feet along each axis."""
        feet = np.array(self._view.feet)
        item = next(name for name in items if self._view.count(name))
        fits = partial(_within, feet, reach)
        if (yield from self._crew.hands.put(item, fits)) is not None:
            return True
        x, y, z = self._view.feet
        if IS_SOLID[BLOCK_ID[ITEMS[ITEM_ID[item]].places]] and not self._view.solid((x, y, z + 2)):
            return (yield from self._crew.legs.pillar((x, y, z + 1), place_action(item), (item,)))
        return (yield from self.put_up(item, fits)) is not None

    def let_go(self, items: tuple[str, ...]) -> Doing:
        """Get rid of some items: put them up, eat them."""
        for item in items:
            if self._view.count(item) and place_action(item) and item not in self.bans.place:
                return (yield from self.put_up(item)) is not None
            if self._view.count(item) and ITEMS[ITEM_ID[item]].food and item not in self.bans.eat:
                return (yield from self._eat(Want("eat", (item,))))
        return False

    def change_hand(self, item: str) -> Doing:
        """Hold something else than an item."""
        for tool in ToolClass:
            name = self._crew.hands.best_tools().get(tool, "")
            if name and name != item:
                yield from act(f"equip_{tool.name.lower()}")
                return self._view.held != item
        return False


def _within(feet: np.ndarray, reach: int, cells: np.ndarray) -> np.ndarray:
    return np.abs(cells - feet).max(axis=-1) <= reach
