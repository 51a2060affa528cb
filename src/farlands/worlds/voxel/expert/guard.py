"""How the expert stays alive among monsters: it fights those that come near, and eats when it is worth it."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

from farlands.worlds.voxel.actions import FLAT_ACTIONS, Hand
from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper
from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.view import View
from farlands.worlds.voxel.items import FOODS
from farlands.worlds.voxel.physics import EYE_HEIGHT
from farlands.worlds.voxel.state import POSITION_ONE, Body
from farlands.worlds.voxel.tables import NUM_HEADINGS

_ALARM = {"zombie": 4.5, "spider": 4.5, "creeper": 6.0, "skeleton": 9.0}
"""Blocks within which a monster in sight is fought."""
_ARM = 2.9
_LONGEST_FIGHT = 60
_LEAVES_ALONE = 30
"""Steps for which a monster that could not be reached is left alone."""
_BITE_STEPS = 9
_HUNGRY, _HURT = 14, 12
_EYE = EYE_HEIGHT / POSITION_ONE
_WEAPONS = ("equip_sword", "equip_axe", "equip_pickaxe", "equip_shovel")


@dataclass(frozen=True)
class Foe:
    """A monster: its number within the episode, kind, middle of its body in blocks."""

    name: int
    kind: str
    x: float
    y: float
    z: float


class Guard:
    """Stands between a plan and the world: lets its actions pass while nothing threatens.

    Args:
        view: The world.
        hands: To take weapons with.
    """

    def __init__(self, view: View, hands: Hands) -> None:
        self._view, self._hands = view, hands
        self._ignored: dict[int, int] = {}
        self._step = 0

    def watch(self, plan: Doing) -> Doing:
        """A plan's actions, with fights and meals in between; afterwards it looks where it looked before."""
        try:
            while True:
                action = next(plan)
                foe = self._threat()
                if foe is not None:
                    yield from self._count(self._fight(foe))
                elif self._should_eat(action):
                    yield from self._count(act("eat", _BITE_STEPS))
                self._step += 1
                yield action
        except StopIteration as end:
            return end.value

    def _count(self, actions: Generator[int, None, None]) -> Generator[int, None, None]:
        for action in actions:
            self._step += 1
            yield action

    def _should_eat(self, action: int) -> bool:
        """Whether a bite would do good now and interrupt nothing."""
        food, health = self._view.body(Body.FOOD), self._view.body(Body.HEALTH)
        carries = any(self._view.count(name) for name in FOODS if name != "golden_apple")
        busy = FLAT_ACTIONS[action].hand == Hand.ATTACK
        return carries and not busy and food < 20 and (food <= _HUNGRY or (health <= _HURT and food < 18))

    def _threat(self) -> Foe | None:
        """The nearest monster in sight that is near enough to be fought."""
        x, y, z = self._view.position
        near = []
        for name, kind, fx, fy, fz in self._view.creatures():
            creature = CREATURES[kind - 1]
            far = math.hypot(fx - x, fy - y)
            if creature.temper == Temper.HOSTILE and far < _ALARM[creature.name] and abs(fz - z) < 4:
                foe = Foe(name, creature.name, fx, fy, fz + 0.6 * creature.height)
                if self._ignored.get(name, -1) < self._step and self._view.sees((foe.x, foe.y, foe.z)):
                    near.append((far, name, foe))
        return min(near)[2] if near else None

    def _fight(self, foe: Foe) -> Generator[int, None, None]:
        """Strike until it is dead, gone or has to be left alone."""
        yaw, pitch = self._view.body(Body.YAW), self._view.body(Body.PITCH)
        held = self._view.held
        yield from self._arm()
        now: Foe | None = foe
        for _ in range(_LONGEST_FIGHT):
            if now is None:
                break
            yield from self._hands.turn_to(*self._aim(now))
            x, y, _ = self._view.position
            reach = math.hypot(now.x - x, now.y - y)
            near = reach < _ARM + 0.3
            yield from act("attack" if near else "forward" if now.kind in ("skeleton", "spider") else "noop")
            now = self._threat()
        else:
            self._ignored[foe.name] = self._step + _LEAVES_ALONE
        if held.rpartition("_")[2] in ("pickaxe", "axe", "shovel", "sword") and self._view.held != held:
            yield from act(f"equip_{held.rpartition('_')[2]}")
        yield from self._hands.turn_to(yaw, pitch)

    def _arm(self) -> Generator[int, None, None]:
        """Take the best weapon in hand: what hits hardest of what there is."""
        tools = {tool.name.lower() for tool in self._hands.best_tools()}
        weapon = next((name for name in _WEAPONS if name.removeprefix("equip_") in tools), None)
        if weapon and not self._view.held.endswith(weapon.removeprefix("equip_")):
            yield from act(weapon)

    def _aim(self, foe: Foe) -> tuple[int, int]:
        """Heading and pitch, in steps of 15 degrees, at the middle of a monster's body."""
        x, y, z = self._view.position
        dx, dy, dz = foe.x - x, foe.y - y, foe.z - (z + _EYE)
        yaw = round(math.degrees(math.atan2(dx, dy)) / 15) % NUM_HEADINGS
        pitch = round(math.degrees(math.atan2(dz, math.hypot(dx, dy))) / 15)
        return yaw, max(-6, min(6, pitch))
