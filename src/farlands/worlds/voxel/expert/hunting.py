"""Dealing with creatures: killing them, shearing them, feeding them."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

import numpy as np

from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES, SHEEP, Temper
from farlands.worlds.voxel.expert.guard import Foe, Guard
from farlands.worlds.voxel.expert.hands import Doing, act
from farlands.worlds.voxel.expert.travel import Crew, Travel
from farlands.worlds.voxel.expert.view import SIDES, View
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT

_NEAR = 2
_LOST = 5.0
_PATIENCE = 60
_WAIT = 12
"""Steps of waiting for monsters at a time."""
_DUSK, _ALL_SIDES = 12_500, 4
_CLOSE = 1.6
_DEEP = 6.0
"""Blocks up or down from which a monster is not gone for."""
_BOWSHOT, _DRAW_STEPS = 3, 5

Fit = Callable[[np.ndarray], bool]
"""Whether a creature, int32 ``[Being]``, is one that is looked for."""


def is_shaggy(row: np.ndarray) -> bool:
    """Whether a creature is a grown sheep with its wool."""
    return bool(row[Being.KIND] == SHEEP and row[Being.SHEARED] == 0 and row[Being.AGE] >= 0)


def is_hungry(row: np.ndarray) -> bool:
    """Whether feeding makes it ready to breed."""
    return bool(row[Being.AGE] == 0 and row[Being.LOVE] == 0)


def is_smitten(row: np.ndarray) -> bool:
    """Whether it has been fed and looks for a mate."""
    return bool(row[Being.LOVE] > 0)


class Hunter:
    """Deals with creatures.

    Args:
        view: The whole world.
        crew, travel, guard: Whose.
    """

    def __init__(self, view: View, crew: Crew, travel: Travel, guard: Guard) -> None:
        self._view, self._crew, self._travel, self._guard = view, crew, travel, guard

    def find(self, kind: str, fit: Fit = lambda row: True) -> Foe | None:
        """The nearest creature of a kind in the window."""
        x, y, z = self._view.position
        rows = [row for row in self._view.beings() if row[Being.KIND] == CREATURE_ID[kind] and fit(row)]
        foes = [_foe(row) for row in rows if row[Being.HEALTH] > 0]
        return min(foes, key=lambda foe: math.dist((foe.x, foe.y, foe.z), (x, y, z)), default=None)

    def count(self, kind: str, fit: Fit) -> int:
        """How many of a kind that fit are in the window."""
        return sum(row[Being.KIND] == CREATURE_ID[kind] and fit(row) for row in self._view.beings())

    def cells(self, kind: str) -> np.ndarray:
        """Cells int64 ``[N, 3]`` of the feet of every creature of a kind."""
        rows = [row for row in self._view.beings() if row[Being.KIND] == CREATURE_ID[kind]]
        return np.array([[int(row[c]) >> POSITION_SHIFT for c in (Being.X, Being.Y, Being.Z)] for row in rows])

    def approach(self, kind: str, reach: int) -> Doing:
        """Go to the nearest of a kind, or look for one."""
        foe = self.find(kind)
        if foe is None:
            return (yield from self._look_for(kind))
        cell = (math.floor(foe.x), math.floor(foe.y), math.floor(foe.foot))
        return (yield from self._travel.near([cell], reach)) or (yield from self._travel.roam())

    def hunt(self, kind: str) -> Doing:
        """Kill one of a kind, or look for one."""
        return (yield from self._deal(kind, "attack", lambda row: True, self._guard.arm))

    def shear(self) -> Doing:
        """Shear a sheep, or look for one; shears must be carried."""
        return (yield from self._deal("sheep", "use", is_shaggy, lambda: act("equip_shears")))

    def feed(self, kind: str) -> Doing:
        """Make one of a kind ready to breed, or look for one; its food must be carried."""

        def drop_shears() -> Generator[int, None, None]:
            if self._view.held == "shears":
                yield from self._guard.arm()

        return (yield from self._deal(kind, "use", is_hungry, drop_shears))

    def shoot(self, kind: str) -> Doing:
        """Shoot an arrow at one of a kind that is near; bow and arrows must be carried."""
        foe = self.find(kind)
        if foe is None:
            return False
        cell = (math.floor(foe.x), math.floor(foe.y), math.floor(foe.foot))
        if not (yield from self._travel.near([cell], _BOWSHOT)):
            return False
        yield from act("equip_bow")
        rows = [row for row in self._view.beings() if row[Being.NAME] == foe.name]
        if not rows or not (yield from self._crew.hands.turn_to(*self._guard.aim(_foe(rows[0])))):
            return False
        yield from act("use", _DRAW_STEPS)
        yield from act("noop", 2)
        return True

    def _deal(self, kind: str, action: str, fit: Fit, prepare: Callable[[], Generator[int, None, None]]) -> Doing:
        foe = self.find(kind, fit)
        if foe is None or self._is_deep(foe):
            return (yield from self._look_for(kind))
        cell = (math.floor(foe.x), math.floor(foe.y), math.floor(foe.foot))
        if not (yield from self._travel.near([cell], _NEAR)):
            return (yield from self._travel.roam())
        yield from prepare()
        return (yield from self._close_in(foe.name, fit, action))

    def _is_deep(self, foe: Foe) -> bool:
        """Whether a monster is in a cave far above or below, where it is better not met."""
        hostile = CREATURES[foe.number - 1].temper == Temper.HOSTILE
        return hostile and abs(foe.foot - self._view.position[2]) > _DEEP

    def _look_for(self, kind: str) -> Doing:
        """Go on over land; monsters come by themselves, in the dark, to whoever is out in the open."""
        hostile = CREATURES[CREATURE_ID[kind] - 1].temper == Temper.HOSTILE
        if hostile and (self._view.time < _DUSK or self._is_outside()):
            yield from act("noop", _WAIT)
            return True
        return (yield from self._travel.roam())

    def _is_outside(self) -> bool:
        """Whether a monster on the ground could come up to the body."""
        x, y, z = self._view.feet
        walls = sum(self._view.solid((x + dx, y + dy, z + 1)) for dx, dy, dz in SIDES if dz == 0)
        x0, y0 = self._view.origin
        return walls < _ALL_SIDES and bool(self._travel.surface()[x - x0, y - y0, z])

    def _close_in(self, name: int, fit: Fit, action: str) -> Doing:
        """Turn to a creature and act on it until it is no longer one to act on."""
        for _ in range(_PATIENCE):
            rows = [row for row in self._view.beings() if row[Being.NAME] == name]
            if not rows or not fit(rows[0]):
                return True
            foe = _foe(rows[0])
            x, y, _ = self._view.position
            far = math.hypot(foe.x - x, foe.y - y)
            if far > _LOST:
                return True
            if self._guard.meets(foe):
                yield from act(action if action != "attack" or self._guard.may_strike() else "left")
                continue
            turn = next(self._crew.hands.turn_to(*self._guard.aim(foe)), None)
            if turn is not None:
                yield turn
            else:
                yield from act(self._step_towards(foe, far))
        return False

    def _step_towards(self, foe: Foe, far: float) -> str:
        """The action that brings a body that faces a creature nearer to it, but over no edge."""
        if far <= _CLOSE:
            return "noop"
        if foe.foot > self._view.position[2] + 0.5:
            return "jump_forward"
        return "forward" if self._travel.free_ahead(1.5) >= 1.5 else "noop"


def _foe(row: np.ndarray) -> Foe:
    x, y, z = (float(row[column]) / POSITION_ONE for column in (Being.X, Being.Y, Being.Z))
    kind = int(row[Being.KIND])
    tall = CREATURES[kind - 1].height * (0.5 if row[Being.AGE] < 0 else 1.0)
    return Foe(int(row[Being.NAME]), kind, x, y, z + 0.6 * tall, z)
