"""Mining blind: down to a depth and along it, a move at a time, by what the nearest cells are known to be."""

from __future__ import annotations

from farlands.worlds.voxel.blocks import BEDROCK, CACTUS
from farlands.worlds.voxel.expert.hands import Doing, Hands
from farlands.worlds.voxel.expert.legs import Legs
from farlands.worlds.voxel.expert.paths import Kind, Move
from farlands.worlds.voxel.expert.view import IS_FLUID, IS_LAVA, Cell, Outlook

GALLERY = 10
"""Height of the feet in a gallery, unless what is sought lies elsewhere: all ores are there, and lava is below."""
_AHEAD = ((0, 1), (1, 0), (0, -1), (-1, 0))
_TRIES = 6


class Mine:
    """A shaft and a gallery that turns where it can't go on.

    Args:
        view: What is known.
        hands, legs: To dig and to go with.
    """

    def __init__(self, view: Outlook, hands: Hands, legs: Legs) -> None:
        self._view, self._hands, self._legs = view, hands, legs
        self._quarter = 0
        self._been: set[Cell] = set()

    def go_on(self, heights: tuple[int, int]) -> Doing:
        """One move down to, up to or along the level where something lies between two heights.

        Returns:
            False if no move can be made.
        """
        yield from self._legs.wait_for_ground()
        level = min(max(GALLERY, heights[0]), heights[1])
        for _ in range(_TRIES):
            move = self._next(level)
            if move is None:
                return False
            self._been.add(move.cell)
            if (yield from self._legs.follow(move)):
                return True
        return False

    def _next(self, level: int) -> Move | None:
        x, y, z = self._view.feet
        if z > level:
            down = Move(Kind.SINK, (x, y, z - 1), ((x, y, z - 1),))
            if self._fits(down) and self._stands((x, y, z - 1)):
                return down
        order = [(self._quarter + turn) % 4 for turn in (0, 1, 3, 2)]
        for fresh in (True, False):
            for quarter in order:
                move = self._ahead(quarter, level, fresh)
                if move is not None:
                    self._quarter = quarter
                    return move
        return None

    def _ahead(self, quarter: int, level: int, fresh: bool) -> Move | None:
        """The move into the next column of a direction that keeps best to a level."""
        x, y, z = self._view.feet
        x2, y2 = x + _AHEAD[quarter][0], y + _AHEAD[quarter][1]
        climb = Move(Kind.CLIMB, (x2, y2, z + 1), ((x, y, z + 2), (x2, y2, z + 2), (x2, y2, z + 1)))
        walk = Move(Kind.WALK, (x2, y2, z), ((x2, y2, z + 1), (x2, y2, z)))
        drop = Move(Kind.WALK, (x2, y2, z - 1), ((x2, y2, z + 1), (x2, y2, z), (x2, y2, z - 1)))
        order = (climb, walk, drop) if z < level else (drop, walk, climb) if z > level else (walk, climb, drop)
        for move in order:
            if fresh and move.cell in self._been:
                continue
            if self._fits(move) and self._stands(move.cell):
                return move
        return None

    def _stands(self, cell: Cell) -> bool:
        """Whether there is ground to stand on in a cell."""
        x, y, z = cell
        return self._view.solid((x, y, z - 1)) and self._view.block((x, y, z - 1)) != CACTUS

    def _fits(self, move: Move) -> bool:
        """Whether a move's cells can be freed, and no fluid is let in."""
        view, ticks = self._view, self._hands.ticks
        for cell in move.clear:
            block = view.block(cell)
            if block in (BEDROCK, CACTUS) or IS_FLUID[block]:
                return False
            if view.solid(cell) and (ticks[block] == float("inf") or view.touches_lava(cell)):
                return False
        x, y, z = move.cell
        around = [(x + a, y + b, z + c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-2, -1, 0, 1)]
        return not any(IS_LAVA[view.block(cell)] for cell in around)
