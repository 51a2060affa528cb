"""How the expert gets about: closed-loop walking, jumping, sinking and pillaring along the moves of a route.

A step is coarse: walking forward from rest for one moves 0.63 block and slides on to 0.86. So where it will come to
rest is reckoned with, not where it is, and walls are leant on.
"""

from __future__ import annotations

import math

from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.paths import MAX_DROP, Kind, Move
from farlands.worlds.voxel.expert.view import IS_FLUID, Cell, Outlook
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tables import NUM_HEADINGS

STRIDE = 0.863
"""Blocks that one step of walking moves in the end."""
_SLIDE = 1 / (1 - 0.546)
_SLIDE_IN_AIR = 4.0
"""Ticks of present motion still to come, on the ground; and in the air, roughly, until the feet touch down."""
_DIRECTIONS = (("forward", 0), ("right", 6), ("back", 12), ("left", 18))
_PATIENCE = 24
_STILL = 0.02
"""Blocks per tick below which a body counts as at rest."""
_PROGRESS = 0.08
"""Least gain in blocks that is worth a step."""
PILLAR_BLOCKS = ("cobblestone", "dirt")
"""What ``place_block`` places."""


class Legs:
    """The body of one agent.

    Args:
        view: The world.
        hands: What breaks and places on the way.
    """

    def __init__(self, view: Outlook, hands: Hands) -> None:
        self._view = view
        self._hands = hands

    def follow(self, move: Move) -> Doing:
        """Free the way of one move and make it."""
        view = self._view
        if not (yield from self.wait_for_ground()):
            return False
        solid = [cell for cell in self._to_clear(move) if view.solid(cell)]
        if solid and not (yield from self._hands.break_cells(solid)):
            return False
        if move.kind is Kind.SINK:
            return (yield from self._sink(move.cell))
        if move.kind is Kind.PILLAR:
            return (yield from self.pillar(move.cell))
        return (yield from self._walk(move.cell, jump=move.kind is Kind.CLIMB))

    def _to_clear(self, move: Move) -> list[Cell]:
        """The cells of a move, and for a jump what is over the whole body, which may stand over several columns."""
        cells = list(move.clear)
        if move.kind in (Kind.CLIMB, Kind.PILLAR):
            z = self._view.feet[2] + 2
            cells += [(x, y, z) for x, y in self._view.footprint if (x, y, z) not in cells]
        return cells

    def wait_for_ground(self) -> Doing:
        """Do nothing until the body stands or swims."""
        for _ in range(_PATIENCE):
            if self._view.on_ground or self._view.afloat:
                return True
            yield from act("noop")
        return False

    def swim_up(self) -> Doing:
        """Swim up until the head is out of the water."""
        for _ in range(_PATIENCE):
            x, y, z = self._view.feet
            if not IS_FLUID[self._view.block((x, y, z + 1))]:
                return True
            yield from act("jump")
        return False

    def _walk(self, cell: Cell, *, jump: bool) -> Doing:
        """Walk to a cell beside, jumping or swimming where need be."""
        view = self._view
        for _ in range(_PATIENCE):
            if view.feet == cell and (view.on_ground or view.afloat):
                return True
            away, below = self._away(cell), view.feet[2] - cell[2]
            if view.afloat:
                yield from self._head_for(away, "jump_forward")
            elif not view.on_ground:
                # Steering in the air is weak: push while short of the cell, and let the body come down.
                yield from act("noop") if view.feet[:2] == cell[:2] else self._push(away)
            elif below > MAX_DROP or (below < 0 and not jump):
                return False
            elif below < 0:
                if not (yield from self._line_up(cell, away)):
                    yield from self._head_for(away, "jump_forward")
            elif below > 0 and view.feet[:2] == cell[:2]:
                # Hanging over the edge by a foot.
                yield from self._push(away)
            elif not (yield from self._stride(away)) and not (yield from self._settle(cell)):
                return False
        return False

    def _settle(self, cell: Cell) -> Doing:
        """Where no stride leads on: come to rest, then break what the body bumps into on its way into a cell."""
        if math.hypot(*self._view.velocity) > _STILL:
            yield from act("noop")
            return True
        bumps = self._beside(cell)
        return bool(bumps) and (yield from self._hands.break_cells(bumps))

    def _beside(self, cell: Cell) -> list[Cell]:
        """The solid cells that a body, offset as it is now, would bump into on its way into a cell beside."""
        x, y, _ = self._view.feet
        columns = {(cell[0] + a - x, cell[1] + b - y) for a, b in self._view.footprint}
        levels = (max(cell[2], self._view.feet[2]), max(cell[2], self._view.feet[2]) + 1)
        return [
            (a, b, z)
            for a, b in columns
            for z in levels
            if self._is_aside((a, b), cell) and self._view.solid((a, b, z))
        ]

    def _is_aside(self, column: tuple[int, int], cell: Cell) -> bool:
        """Whether a column lies beside the way to a cell, not on it."""
        x = self._view.feet[0]
        return column[1] != cell[1] if cell[0] != x else column[0] != cell[0]

    def _line_up(self, cell: Cell, away: tuple[float, float]) -> Doing:
        """Before a jump: step sideways out of the way of what the body would bump into. False if there is no need."""
        if not self._beside(cell) or math.hypot(*self._view.velocity) > _STILL:
            return False
        sideways = (0.0, away[1]) if cell[0] != self._view.feet[0] else (away[0], 0.0)
        return (yield from self._stride(sideways)) or (yield from self._settle(cell))

    def _away(self, cell: Cell) -> tuple[float, float]:
        """From where the body will come to rest to the middle of a cell, in blocks east and north."""
        view = self._view
        slide = _SLIDE if view.on_ground else _SLIDE_IN_AIR
        x, y, _ = view.position
        vx, vy = view.velocity
        return cell[0] + 0.5 - x - vx * slide, cell[1] + 0.5 - y - vy * slide

    def _stride(self, away: tuple[float, float]) -> Doing:
        """One step of walking or turning that brings the body nearest to a point soonest; nothing if none does."""
        room = (self._view.room(0), self._view.room(1))
        here = abs(away[0]) + abs(away[1])
        best = (math.inf, 0, 0, "")
        for around, turns in ((0, 0), (-1, 1), (1, 1), (-3, 1), (3, 1), (-2, 2), (2, 2)):
            for name, yaw in self._headings(around):
                left = _left(away, room, yaw)
                if left < here - _PROGRESS:
                    best = min(best, (turns + left / STRIDE, turns, around, name))
        _, turns, around, name = best
        if not name:
            return False
        if turns == 0:
            yield from act(name)
        else:
            yield from self._turn(around)
        return True

    def _headings(self, around: int) -> list[tuple[str, int]]:
        """Each way of walking and the heading it goes, after a turn."""
        yaw = self._view.body(Body.YAW) + around
        return [(name, (yaw + turn) % NUM_HEADINGS) for name, turn in _DIRECTIONS]

    def _push(self, away: tuple[float, float]) -> Doing:
        """Turn so that some way of walking leads straight to a point, then walk that way for a step."""
        wanted = round(math.atan2(away[0], away[1]) / (2 * math.pi / NUM_HEADINGS)) % NUM_HEADINGS
        for around in (0, -1, 1, -3, 3, -2, 2):
            for name, yaw in self._headings(around):
                if yaw == wanted:
                    if around == 0:
                        yield from act(name)
                    else:
                        yield from self._turn(around)
                    return True
        return False

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
                yield from self._push(self._away(cell))
            else:
                yield from act("noop")
        return False

    def pillar(self, cell: Cell, action: str = "place_block", blocks: tuple[str, ...] = PILLAR_BLOCKS) -> Doing:
        """Jump and put a block underfoot.

        Args:
            cell: The one above the feet, to end in.
            action: What puts it there.
            blocks: Items that the action may take.
        """
        view = self._view
        x, y, z = cell
        for _ in range(3):
            yield from self._hands.turn_to(view.body(Body.YAW), -6)
            if view.feet != (x, y, z - 1) or not any(view.count(name) for name in blocks):
                return False
            yield from act("jump")
            yield from act(action)
            if not (yield from self.wait_for_ground()):
                return False
            if view.feet == cell:
                return True
            yield from act("noop", 2)
        return False


def _left(away: tuple[float, float], room: tuple[tuple[float, float], tuple[float, float]], yaw: int) -> float:
    """City-block distance left to a point after one stride on a heading that walls may cut short along each axis."""
    angle = yaw * 2 * math.pi / NUM_HEADINGS
    return sum(
        abs(part - min(max(STRIDE * heading, -back), forth))
        for part, heading, (back, forth) in zip(away, (math.sin(angle), math.cos(angle)), room, strict=True)
    )
