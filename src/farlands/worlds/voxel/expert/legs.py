"""How the expert gets about: closed-loop walking, jumping, sinking and pillaring along the moves of a route.

A step is coarse: walking forward from rest for one moves 0.63 block and slides on to 0.86. So where it will come to
rest is reckoned with, not where it is, and walls are leant on.
"""

from __future__ import annotations

import math

from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.paths import Kind, Move
from farlands.worlds.voxel.expert.view import Cell, View
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tables import NUM_HEADINGS

STRIDE = 0.863
"""Blocks that one step of walking moves in the end."""
_SLIDE = 1 / (1 - 0.546)
_SLIDE_IN_AIR = 4.0
"""Ticks of present motion still to come, on the ground; and in the air, roughly, until the feet touch down."""
_DIRECTIONS = (("forward", 0), ("right", 6), ("back", 12), ("left", 18))
_PATIENCE = 24
PILLAR_BLOCKS = ("cobblestone", "dirt")
"""What ``place_block`` places."""


class Legs:
    """The body of one agent.

    Args:
        view: The world.
        hands: What breaks and places on the way.
    """

    def __init__(self, view: View, hands: Hands) -> None:
        self._view = view
        self._hands = hands

    def follow(self, move: Move) -> Doing:
        """Free the way of one move and make it."""
        view = self._view
        if not (yield from self._wait_for_ground()):
            return False
        solid = [cell for cell in self._to_clear(move) if view.solid(cell)]
        if solid and not (yield from self._hands.break_cells(solid)):
            return False
        if move.kind is Kind.SINK:
            return (yield from self._sink(move.cell))
        if move.kind is Kind.PILLAR:
            return (yield from self._pillar(move.cell))
        return (yield from self._walk(move.cell, jump=move.kind is Kind.CLIMB))

    def _to_clear(self, move: Move) -> list[Cell]:
        """The cells of a move, and for a jump what is over the whole body, which may stand over several columns."""
        cells = list(move.clear)
        if move.kind in (Kind.CLIMB, Kind.PILLAR):
            z = self._view.feet[2] + 2
            cells += [(x, y, z) for x, y in self._view.footprint if (x, y, z) not in cells]
        return cells

    def _wait_for_ground(self) -> Doing:
        for _ in range(_PATIENCE):
            if self._view.on_ground or self._view.afloat:
                return True
            yield from act("noop")
        return False

    def _walk(self, cell: Cell, *, jump: bool) -> Doing:
        """Walk to a cell beside, jumping or swimming where need be."""
        view = self._view
        for _ in range(_PATIENCE):
            if view.feet == cell and (view.on_ground or view.afloat):
                return True
            away = self._away(cell)
            if view.afloat:
                yield from self._head_for(away, "jump_forward")
            elif not view.on_ground:
                # Steering in the air is weak: push while short of the cell, and let the body come down.
                yield from act("noop" if view.feet[:2] == cell[:2] else self._nearest_direction(away))
            elif jump and view.feet[2] < cell[2]:
                yield from self._head_for(away, "jump_forward")
            elif view.feet[2] < cell[2] or view.feet[2] > cell[2] + 3:
                return False
            else:
                yield from self._stride(away)
        return False

    def _away(self, cell: Cell) -> tuple[float, float]:
        """From where the body will come to rest to the middle of a cell, in blocks east and north."""
        view = self._view
        slide = _SLIDE if view.on_ground else _SLIDE_IN_AIR
        x, y, _ = view.position
        vx, vy = view.velocity
        return cell[0] + 0.5 - x - vx * slide, cell[1] + 0.5 - y - vy * slide

    def _stride(self, away: tuple[float, float]) -> Doing:
        """One step of walking or turning towards a point, whichever brings the body there soonest."""
        best = min(
            (
                (turns + 1 + self._left(away, yaw) / STRIDE, turns, around, name)
                for around, turns in ((0, 0), (-1, 1), (1, 1), (-3, 1), (3, 1), (-2, 2), (2, 2))
                for name, yaw in self._headings(around)
            ),
            key=lambda option: option[:3],
        )
        _, turns, around, name = best
        if turns == 0 and math.hypot(*away) < self._left(away, dict(self._headings(0))[name]):
            yield from act("noop")
        elif turns == 0:
            yield from act(name)
        else:
            yield from self._turn(around)
        return True

    def _headings(self, around: int) -> list[tuple[str, int]]:
        """Each way of walking and the heading it goes, after a turn."""
        yaw = self._view.body(Body.YAW) + around
        return [(name, (yaw + turn) % NUM_HEADINGS) for name, turn in _DIRECTIONS]

    @staticmethod
    def _left(away: tuple[float, float], yaw: int) -> float:
        """Distance left to a point after one stride on a heading."""
        angle = yaw * 2 * math.pi / NUM_HEADINGS
        return math.hypot(away[0] - STRIDE * math.sin(angle), away[1] - STRIDE * math.cos(angle))

    def _nearest_direction(self, away: tuple[float, float]) -> str:
        return min(self._headings(0), key=lambda option: self._left(away, option[1]))[0]

    def _turn(self, around: int) -> Doing:
        name = "turn_right" if around > 0 else "turn_left"
        yield from act(f"{name}_45" if abs(around) >= 3 else name)
        return True

    def _head_for(self, away: tuple[float, float], name: str) -> Doing:
        """Face a point to within a notch, then one step of a forward action."""
        wanted = round(math.atan2(away[0], away[1]) / (2 * math.pi / NUM_HEADINGS))
        around = (wanted - self._view.body(Body.YAW) + 12) % NUM_HEADINGS - 12
        if around != 0 and math.hypot(*away) > 0.2:
            yield from self._turn(around)
        else:
            yield from act(name)
        return True

    def _sink(self, cell: Cell) -> Doing:
        """Get into the hole just dug: a body that hangs over its rim is nudged until it falls."""
        view = self._view
        for _ in range(_PATIENCE):
            if view.feet[2] <= cell[2] and (view.on_ground or view.afloat):
                return view.feet == cell
            if view.on_ground:
                yield from act(self._nearest_direction(self._away(cell)))
            else:
                yield from act("noop")
        return False

    def _pillar(self, cell: Cell) -> Doing:
        """Jump and put a block underfoot."""
        view = self._view
        x, y, z = cell
        for _ in range(3):
            yield from self._hands.turn_to(view.body(Body.YAW), -6)
            if view.feet != (x, y, z - 1) or not any(view.count(name) for name in PILLAR_BLOCKS):
                return False
            yield from act("jump")
            yield from act("place_block")
            if not (yield from self._wait_for_ground()):
                return False
            if view.feet == cell:
                return True
            yield from act("noop", 2)
        return False
