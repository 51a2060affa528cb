"""Running fluids written again, plainly: a dictionary of cells and a list of what is due, one tick at a time.

Knows the blocks by name, water and lava alike by (kind, level, falling or source). What is no fluid, air or plant is a
wall. Nothing falls, burns or breaks here.
"""

from __future__ import annotations

from collections import deque

Cell = tuple[int, int, int]
SIDES = ((-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0))
BELOW, ABOVE = (0, 0, -1), (0, 0, 1)
AROUND = (*SIDES, BELOW, ABOVE)
RUNS = {"water": 7, "lava": 3}
DELAY = {"water": 5, "lava": 30}
SIGHT = {"water": 4, "lava": 2}
SOFT = {"air", "tall_grass", "red_flower", "torch"}


def kind(name: str) -> str:
    """``"water"``, ``"lava"`` or nothing."""
    return next((fluid for fluid in RUNS if fluid in name.split("_")), "")


def level(name: str) -> int:
    last = name.split("_")[-1]
    return int(last) if last.isdigit() else 8


def move(cell: Cell, by: Cell) -> Cell:
    return cell[0] + by[0], cell[1] + by[1], cell[2] + by[2]


class Pool:
    """A box of cells, stone outside of it (air above); the test says what is touched at first.

    Args:
        cells: Names of what is no air in the box.
        low, high: The box, its far corner not included.
    """

    def __init__(self, cells: dict[Cell, str], low: Cell, high: Cell) -> None:
        self.cells = dict(cells)
        self.low, self.high = low, high
        self.tick = 0
        self.due: dict[str, deque[tuple[int, Cell]]] = {"water": deque(), "lava": deque()}
        self.touched: deque[Cell] = deque()

    def get(self, cell: Cell) -> str:
        if all(a <= x < b for a, x, b in zip(self.low, cell, self.high, strict=True)):
            return self.cells.get(cell, "air")
        return "air" if cell[2] >= self.high[2] else "stone"

    def set(self, cell: Cell, name: str) -> None:
        self.cells[cell] = name
        self.touched.append(cell)

    def step(self) -> None:
        """A tick: water, then lava, then what was touched."""
        self.tick += 1
        for fluid in ("water", "lava"):
            for _ in range(32):
                if not self.due[fluid] or self.due[fluid][0][0] > self.tick:
                    break
                self._see_to(self.due[fluid].popleft()[1], fluid)
        for _ in range(32):
            if not self.touched:
                break
            cell = self.touched.popleft()
            for each in [*(move(cell, by) for by in AROUND), cell]:
                self._stir(each)

    @property
    def at_rest(self) -> bool:
        return not (self.touched or self.due["water"] or self.due["lava"])

    def _stir(self, cell: Cell) -> None:
        name = self.get(cell)
        fluid = kind(name)
        if not fluid:
            return
        wet = any(kind(self.get(move(cell, by))) == "water" for by in (*SIDES, ABOVE))
        if fluid == "lava" and wet:
            self.set(cell, "obsidian" if name == "lava" else "cobblestone")
        else:
            self._note(cell, fluid)

    def _note(self, cell: Cell, fluid: str) -> None:
        recent = list(self.due[fluid])[-24:]
        if cell not in [each for _, each in recent]:
            self.due[fluid].append((self.tick + DELAY[fluid], cell))

    def drawn(self, cell: Cell, fluid: str) -> str:
        """What a cell that is no source holds by its surroundings."""
        beside = [self.get(move(cell, by)) for by in SIDES]
        below = self.get(move(cell, BELOW))
        if fluid == "water" and beside.count("water") >= 2 and (below == "water" or not self._soft(below)):
            return "water"
        if kind(self.get(move(cell, ABOVE))) == fluid:
            return f"falling_{fluid}"
        most = max((level(name) for name in beside if kind(name) == fluid), default=0)
        return self._running(fluid, most)

    def _soft(self, name: str) -> bool:
        return name in SOFT or bool(kind(name))

    def _running(self, fluid: str, feed: int) -> str:
        own = RUNS[fluid] if feed == 8 else feed - 1
        return f"{fluid}_{own}" if own > 0 else "air"

    def _see_to(self, cell: Cell, fluid: str) -> None:
        name = self.get(cell)
        if kind(name) != fluid:
            if kind(name):
                self._note(cell, kind(name))
            return
        if name != fluid:
            drawn = self.drawn(cell, fluid)
            if drawn != name:
                self.set(cell, drawn)
                name = drawn
        if name == "air":
            return
        under = move(cell, BELOW)
        if self.get(under) in SOFT:
            self.set(under, f"falling_{fluid}")
        elif fluid == "lava" and kind(self.get(under)) == "water":
            self.set(under, "stone")
        elif name == fluid or kind(self.get(under)) != fluid:
            self._aside(cell, fluid, self._running(fluid, level(name)))

    def _aside(self, cell: Cell, fluid: str, name: str) -> None:
        if name == "air" or not any(self.get(move(cell, by)) in SOFT for by in SIDES):
            return
        ways = {by: self.way(move(cell, by), cell, fluid) for by in SIDES if self._open(move(cell, by), fluid)}
        shortest = min(ways.values())
        for by, way in ways.items():
            if way == shortest and self.get(move(cell, by)) in SOFT:
                self.set(move(cell, by), name)

    def _open(self, cell: Cell, fluid: str) -> bool:
        name = self.get(cell)
        return name in SOFT or (kind(name) == fluid and name != fluid)

    def way(self, start: Cell, past: Cell, fluid: str) -> int:
        """Steps from ``start`` to a drop, going round ``past``; 99 if there is none in sight."""
        edge, seen = [start], {start, past}
        for steps in range(SIGHT[fluid]):
            for cell in edge:
                under = self.get(move(cell, BELOW))
                if under in SOFT or kind(under) == fluid:
                    return steps
            edge = [move(cell, by) for cell in edge for by in SIDES]
            edge = list(dict.fromkeys(cell for cell in edge if cell not in seen and self._open(cell, fluid)))
            seen.update(edge)
        return 99
