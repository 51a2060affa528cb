"""Ways through the land for a body that can walk, jump up, drop, dig and pillar: least ticks, by A* over the window."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from farlands.worlds.voxel.blocks import AIR, CACTUS
from farlands.worlds.voxel.expert.sight import Aim, aim_at
from farlands.worlds.voxel.expert.view import IS_LAVA, IS_SOLID, IS_WATER, Cell, Outlook
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import EYE_HEIGHT
from farlands.worlds.voxel.state import POSITION_ONE

WALK, CLIMB, SINK, PILLAR, SWIM = 5.0, 12.0, 8.0, 18.0, 14.0
"""Ticks of a move besides digging: a block ahead, a jump up one, down a hole, up on a placed block, one block swum."""
FALL = 3.0
DIG_PAUSE = 8.0
"""Ticks a break costs besides the breaking: the pause after it and some turning."""
MAX_DROP = 3
_BESIDE_LAVA = 300.0
_BESIDE_DROP = 15.0
_AHEAD, _UPWARD = 7.0, 9.0
_REACH_ASIDE, _REACH_DOWN, _REACH_UP = 5, 4, 7
_MAX_EXPANSIONS = 150_000


class Kind(Enum):
    """How one node of a path leads to the next."""

    WALK = "walk"
    """To a neighbour on the level, or down an edge."""
    CLIMB = "climb"
    """To a neighbour one up."""
    SINK = "sink"
    """Down through the floor."""
    PILLAR = "pillar"
    """Up one on a block placed underfoot."""


@dataclass(frozen=True)
class Move:
    """One step of a path: the cell the feet end in and the cells that must be free on the way there."""

    kind: Kind
    cell: Cell
    clear: tuple[Cell, ...]


@dataclass(frozen=True)
class Route:
    """Moves to where a target is in reach of the hand."""

    moves: tuple[Move, ...]
    target: Cell
    ticks: float


class Land:
    """The window as costs, at one moment.

    Attributes:
        clear: float by flat index: ticks to make a cell free, 0 if it is, infinite if it must not be touched.
        floor: bool, whether one can stand on the block.
        water: bool, whether one can swim there: water with air above.
        risk: float, ticks that standing there is feared like.

    Args:
        view: The world.
        ticks: float ``[blocks]``: ticks to break each block with the tools at hand.
    """

    def __init__(self, view: Outlook, ticks: np.ndarray) -> None:
        blocks = view.window()
        self.side = view.side
        self.origin = view.origin
        self.view = view
        self.ticks = ticks
        lava, solid = IS_LAVA[blocks], IS_SOLID[blocks]
        by_lava = _dilate(lava)
        clear = np.where(solid, ticks[blocks] + DIG_PAUSE, 0.0)
        # A cell beside lava is never opened, and fluids are not walked through below their surface.
        clear[(solid & by_lava) | lava | (blocks == CACTUS)] = math.inf
        above = np.roll(blocks, -1, axis=2)
        water = IS_WATER[blocks] & (above == AIR)
        clear[IS_WATER[blocks] & ~water] = math.inf
        clear[[0, -1]] = clear[:, [0, -1]] = math.inf
        clear[:, :, [0, HEIGHT - 2, HEIGHT - 1]] = math.inf
        self.may_break = ~(solid & by_lava) & (blocks != CACTUS)
        self.by_lava = by_lava
        self.clear: list[float] = clear.ravel().tolist()
        self.floor: list[bool] = (solid & (blocks != CACTUS)).ravel().tolist()
        self.water: list[bool] = water.ravel().tolist()
        self.risk: list[float] = _risk(blocks, lava, solid).ravel().tolist()

    def index(self, cell: Cell) -> int:
        """Flat index of a cell inside the window."""
        return ((cell[0] - self.origin[0]) * self.side + cell[1] - self.origin[1]) * HEIGHT + cell[2]

    def cell(self, index: int) -> Cell:
        """The cell of a flat index."""
        column, z = divmod(index, HEIGHT)
        x, y = divmod(column, self.side)
        return x + self.origin[0], y + self.origin[1], z

    def allowed(self, cell: Cell) -> bool:
        """Whether a cell inside the window may be broken."""
        x, y = cell[0] - self.origin[0], cell[1] - self.origin[1]
        return 0 <= x < self.side and 0 <= y < self.side and bool(self.may_break[x, y, cell[2]])


def _dilate(mask: np.ndarray) -> np.ndarray:
    """The cells of a mask and those that share a side with one."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    grown[:, :, 1:] |= mask[:, :, :-1]
    grown[:, :, :-1] |= mask[:, :, 1:]
    return grown


def _around(mask: np.ndarray, radius: int) -> np.ndarray:
    """The cells within ``radius`` columns of a mask, the square way. Wraps round the rim, where nobody goes."""
    for axis in (0, 1):
        mask = np.logical_or.reduce([np.roll(mask, k, axis) for k in range(-radius, radius + 1)])
    return mask


def _risk(blocks: np.ndarray, lava: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Ticks of fear: of lava one may slide into, of edges higher than a safe drop."""
    burns = lava.copy()
    for down in range(1, 4):
        burns[:, :, down:] |= lava[:, :, :-down]
    risk = np.where(_around(burns, 2), _BESIDE_LAVA, 0.0)
    deep = blocks == AIR
    for down in range(1, MAX_DROP + 2):
        open_below = np.zeros_like(deep)
        open_below[:, :, down:] = ~solid[:, :, :-down] & ~IS_WATER[blocks[:, :, :-down]]
        deep = deep & open_below
    risk[_around(deep, 1)] += _BESIDE_DROP
    risk[_around(blocks == CACTUS, 1)] += 3 * _BESIDE_DROP
    return risk


def stand_search(land: Land, start: Cell, place: tuple[int, int], blocks_to_place: int) -> Search:
    """A search for a way to stand in a column, on whatever level."""
    return _Walk(land, start, [(*place, start[2])], blocks_to_place)


def area_search(
    land: Land, start: Cell, area: np.ndarray, guess: np.ndarray, blocks_to_place: int, limit: int
) -> Search:
    """A search for the quickest way to stand in any of some cells.

    Args:
        land: The window.
        start: Cell of the feet.
        area: bool ``[S, S, 64]``, the cells, from the window's origin on.
        guess: float, broadcast to the same shape: ticks left, none too many.
        blocks_to_place: How many blocks are carried to pillar up on.
        limit: Cells to look at before giving up.
    """
    return _Area(land, start, area, guess, blocks_to_place, limit)


class Search:
    """One A* from where the agent stands to where any of some cells is in reach.

    Args:
        land: The window.
        start: Cell of the feet.
        targets: Cells to reach with the hand.
        blocks_to_place: How many blocks are carried to pillar up on.
        banned: Targets that have proved out of reach from some cells: pairs (cell of the feet, target).
    """

    def __init__(
        self, land: Land, start: Cell, targets: Sequence[Cell], blocks_to_place: int,
        banned: frozenset[tuple[Cell, Cell]] = frozenset(),
    ) -> None:  # fmt: skip
        self._land = land
        self._start = land.index(start)
        self._targets = targets
        self._can_pillar = blocks_to_place > 0
        self._banned = banned
        self._guess, self._near = self._survey()
        self._limit = _MAX_EXPANSIONS

    def _survey(self) -> tuple[list[float], list[bool]]:
        """The estimate of ticks left by cell, and whether some target may be in reach of it."""
        side = self._land.side
        x, y, z = np.ogrid[:side, :side, :HEIGHT]
        guess = np.full((side, side, HEIGHT), math.inf)
        near = np.zeros((side, side, HEIGHT), dtype=bool)
        for target in self._targets:
            tx, ty, tz = target[0] - self._land.origin[0], target[1] - self._land.origin[1], target[2]
            aside = np.abs(x - tx) + np.abs(y - ty)
            rise = tz - z
            away = np.maximum(aside - 4, 0) * _AHEAD + np.maximum(np.maximum(rise - 5, -rise - 2), 0) * _UPWARD
            np.minimum(guess, away, out=guess)
            near |= (
                (np.abs(x - tx) <= _REACH_ASIDE) & (np.abs(y - ty) <= _REACH_ASIDE)
                & (rise >= -_REACH_DOWN) & (rise <= _REACH_UP)
            )  # fmt: skip
        return guess.ravel().tolist(), near.ravel().tolist()

    def run(self) -> Route | None:
        """The quickest route found, or None."""
        count = itertools.count()
        start = self._start
        best: dict[int, float] = {start: 0.0}
        came: dict[int, tuple[int, Kind]] = {}
        done: set[int] = set()
        ends: dict[int, tuple[int, Cell]] = {}
        heap: list[tuple[float, int, int, float]] = [(self._guess[start], next(count), start, 0.0)]
        while heap and len(done) < self._limit:
            _, _, node, cost = heapq.heappop(heap)
            if node < 0:
                last, target = ends[node]
                return Route(self._moves(last, came), target, cost)
            if node in done:
                continue
            done.add(node)
            if self._near[node]:
                aim = self._aim(node)
                if aim is not None:
                    end = -1 - len(ends)
                    ends[end] = (node, aim.wanted)
                    total = cost + aim.ticks
                    heapq.heappush(heap, (total, next(count), end, total))
            for to, ticks, kind in self._neighbours(node):
                total = cost + ticks
                if total < best.get(to, math.inf):
                    best[to] = total
                    came[to] = (node, kind)
                    heapq.heappush(heap, (total + self._guess[to], next(count), to, total))
        return None

    def _aim(self, node: int) -> Aim | None:
        """How the hand gets at a target from the middle of a cell."""
        x, y, z = here = self._land.cell(node)
        close = [
            t for t in self._targets
            if abs(t[0] - x) <= _REACH_ASIDE and abs(t[1] - y) <= _REACH_ASIDE and -_REACH_DOWN <= t[2] - z <= _REACH_UP
            and (here, t) not in self._banned
        ]  # fmt: skip
        if not close:
            return None
        half = POSITION_ONE // 2
        eye = (x * POSITION_ONE + half, y * POSITION_ONE + half, z * POSITION_ONE + EYE_HEIGHT)
        return aim_at(self._land.view, close, self._land.ticks + DIG_PAUSE, self._land.allowed, eye)

    def _neighbours(self, i: int) -> list[tuple[int, float, Kind]]:
        """Where one gets from a cell, at what price and how."""
        land = self._land
        clear, floor, water, risk = land.clear, land.floor, land.water, land.risk
        found: list[tuple[int, float, Kind]] = []
        overhead = clear[i + 2]
        for step in (land.side * HEIGHT, HEIGHT, -land.side * HEIGHT, -HEIGHT):
            j = i + step
            body = clear[j] + clear[j + 1]
            if body < math.inf:
                if floor[j - 1] or water[j]:
                    found.append((j, body + (SWIM if water[j] else WALK) + risk[j], Kind.WALK))
                else:
                    landing = self._landing(j - 1)
                    if landing >= 0:
                        found.append((landing, body + WALK + FALL * (j - landing) + risk[landing], Kind.WALK))
            rise = overhead + clear[j + 1] + clear[j + 2]
            if rise < math.inf and floor[j]:
                found.append((j + 1, rise + CLIMB + risk[j + 1], Kind.CLIMB))
        below = clear[i - 1]
        if 0.0 < below < math.inf:
            landing = i - 1 if floor[i - 2] else self._landing(i - 2)
            if landing >= 0:
                found.append((landing, below + SINK + FALL * (i - landing) + risk[landing], Kind.SINK))
        if self._can_pillar and overhead < math.inf and not water[i]:
            found.append((i + 1, overhead + PILLAR + risk[i + 1], Kind.PILLAR))
        return found

    def _landing(self, i: int) -> int:
        """Cell where one who falls into a cell comes to stand, or -1 if that is too deep or deadly."""
        for k in range(i, i - MAX_DROP, -1):
            if self._land.water[k]:
                return k
            if self._land.clear[k] != 0.0:
                return -1
            if self._land.floor[k - 1]:
                return k
        return -1

    def _moves(self, last: int, came: dict[int, tuple[int, Kind]]) -> tuple[Move, ...]:
        moves = []
        node = last
        while node in came:
            before, kind = came[node]
            moves.append(Move(kind, self._land.cell(node), self._to_clear(before, node, kind)))
            node = before
        return tuple(reversed(moves))

    def _to_clear(self, before: int, after: int, kind: Kind) -> tuple[Cell, ...]:
        """The cells that must be free for a move, in the order to free them."""
        x, y, z = self._land.cell(before)
        tx, ty, tz = self._land.cell(after)
        if kind is Kind.CLIMB:
            return ((x, y, z + 2), (tx, ty, tz + 1), (tx, ty, tz))
        if kind is Kind.SINK:
            return ((x, y, z - 1),)
        if kind is Kind.PILLAR:
            return ((x, y, z + 2),)
        return ((tx, ty, z + 1), (tx, ty, z))


class _Walk(Search):
    """A search that ends where the feet stand in the column of its one target."""

    def _survey(self) -> tuple[list[float], list[bool]]:
        side = self._land.side
        x, y, _ = np.ogrid[:side, :side, :HEIGHT]
        aside = np.abs(x - self._targets[0][0] + self._land.origin[0]) + np.abs(
            y - self._targets[0][1] + self._land.origin[1]
        )
        guess = np.broadcast_to(aside * WALK, (side, side, HEIGHT))
        return guess.ravel().tolist(), (guess == 0).ravel().tolist()

    def _aim(self, node: int) -> Aim | None:
        here = self._land.cell(node)
        return Aim(0, 0, here, here, 0.0)


class _Area(_Walk):
    """A search that ends where the feet stand in an area."""

    def __init__(
        self, land: Land, start: Cell, area: np.ndarray, guess: np.ndarray, blocks_to_place: int, limit: int
    ) -> None:
        self._area = area
        self._costs = guess
        super().__init__(land, start, (), blocks_to_place)
        self._limit = limit

    def _survey(self) -> tuple[list[float], list[bool]]:
        shape = (self._land.side, self._land.side, HEIGHT)
        return (
            np.broadcast_to(self._costs, shape).ravel().tolist(), np.broadcast_to(self._area, shape).ravel().tolist()
        )  # fmt: skip
