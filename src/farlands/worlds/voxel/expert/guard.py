"""How the expert stays alive among monsters: it fights those that come near, and eats when it is worth it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from farlands.worlds.voxel.actions import FLAT_ACTIONS, Hand
from farlands.worlds.voxel.blocks import AIR, BLOCKS
from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper
from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.sight import line_of_sight
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, Outlook
from farlands.worlds.voxel.items import FOODS
from farlands.worlds.voxel.physics import EYE_HEIGHT
from farlands.worlds.voxel.state import POSITION_ONE, Body
from farlands.worlds.voxel.tables import NUM_HEADINGS
from farlands.worlds.voxel.vitals import MAX_AIR

_ALARM = {"zombie": 4.5, "spider": 4.5, "creeper": 6.0, "skeleton": 9.0}
"""Blocks within which a monster in sight is fought."""
_ARM = 2.9
_LONGEST_FIGHT = 150
_LONGEST_CHASE = 20
"""Steps without a chance to strike after which a monster is given up."""
_LEAVES_ALONE = 30
"""Steps for which a monster that could not be reached is left alone."""
_BITE_STEPS = 9
_HUNGRY, _HURT = 14, 12
_BREATH, _LONGEST_BREATH = 120, 60
"""Ticks of air left at which it comes up, and steps of coming up."""
_EYE = EYE_HEIGHT / POSITION_ONE
_WEAPONS = ("equip_sword", "equip_axe", "equip_pickaxe", "equip_shovel")


@dataclass(frozen=True)
class Foe:
    """A monster: what tells it from others, its kind, middle of its body and height of its feet in blocks."""

    name: int
    number: int
    x: float
    y: float
    z: float
    foot: float

    @property
    def kind(self) -> str:
        return CREATURES[self.number - 1].name


class Guard:
    """Stands between a plan and the world: lets its actions pass while nothing threatens.

    Attributes:
        may_eat: Whether it may eat of what is carried.
        spared: Kinds of monsters that it does not fight.
        may_breathe: Whether it comes up for air before it is too late.

    Args:
        view: The world.
        hands: To take weapons with.
    """

    def __init__(self, view: Outlook, hands: Hands) -> None:
        self._view, self._hands = view, hands
        self._ignored: dict[int, int] = {}
        self._step = 0
        self.spared: frozenset[str] = frozenset()
        self.may_eat: Callable[[], bool] = lambda: True
        self.may_breathe: Callable[[], bool] = lambda: False

    def watch(self, plan: Doing) -> Doing:
        """A plan's actions, with fights and meals in between; afterwards it looks where it looked before."""
        try:
            while True:
                action = next(plan)
                foe = self._threat()
                if self.may_breathe() and self._view.body(Body.AIR) < _BREATH:
                    yield from self._count(self._come_up())
                if foe is not None:
                    yield from self._count(self._fight(foe))
                elif self._should_eat(action):
                    yield from self._count(act("eat", _BITE_STEPS))
                self._step += 1
                yield action
        except StopIteration as end:
            return end.value

    def _come_up(self) -> Generator[int, None, None]:
        """Swim up and get the breath back."""
        for _ in range(_LONGEST_BREATH):
            if self._view.body(Body.AIR) >= MAX_AIR:
                return
            yield from act("jump")

    def _count(self, actions: Generator[int, None, None]) -> Generator[int, None, None]:
        for action in actions:
            self._step += 1
            yield action

    def _should_eat(self, action: int) -> bool:
        """Whether a bite would do good now and interrupt nothing."""
        food, health = self._view.body(Body.FOOD), self._view.body(Body.HEALTH)
        carries = any(self._view.count(name) for name in FOODS if name != "golden_apple")
        busy = FLAT_ACTIONS[action].hand == Hand.ATTACK
        return carries and not busy and food < 20 and self.may_eat() and self._has_use(food, health)

    @staticmethod
    def _has_use(food: int, health: int) -> bool:
        return food <= _HUNGRY or (health <= _HURT and food < 18)

    def _threat(self) -> Foe | None:
        """The nearest monster in sight that is near enough to be fought."""
        x, y, z = self._view.position
        near = []
        for name, kind, fx, fy, fz in self._view.creatures():
            creature = CREATURES[kind - 1]
            far = math.hypot(fx - x, fy - y)
            if creature.name in self.spared:
                continue
            if creature.temper == Temper.HOSTILE and far < _ALARM[creature.name] and abs(fz - z) < 4:
                foe = Foe(name, kind, fx, fy, fz + 0.6 * creature.height, fz)
                if self._ignored.get(name, -1) < self._step and self._view.sees((foe.x, foe.y, foe.z)):
                    near.append((far, name, foe))
        return min(near)[2] if near else None

    def _fight(self, foe: Foe) -> Generator[int, None, None]:
        """Strike until it is dead, gone or has to be left alone."""
        yaw, pitch = self._view.body(Body.YAW), self._view.body(Body.PITCH)
        held = self._view.held
        yield from self.arm()
        now: Foe | None = foe
        missed = 0
        for _ in range(_LONGEST_FIGHT):
            if now is None:
                break
            met = self.meets(now)
            missed = 0 if met else missed + 1
            if missed > _LONGEST_CHASE:
                self._ignored[now.name] = self._step + _LEAVES_ALONE
            yield from act("attack") if met and self.may_strike() else self._approach(now)
            now = self._threat()
        else:
            self._ignored[foe.name] = self._step + _LEAVES_ALONE
        if held.rpartition("_")[2] in ("pickaxe", "axe", "shovel", "sword") and self._view.held != held:
            yield from act(f"equip_{held.rpartition('_')[2]}")
        yield from self._hands.turn_to(yaw, pitch)

    def _approach(self, foe: Foe) -> Generator[int, None, None]:
        """One step of turning towards a monster; to those that keep off or leap, one of going there."""
        turn = next(self._hands.turn_to(*self.aim(foe)), None)
        if turn is not None:
            yield turn
        else:
            yield from act("forward" if foe.kind in ("skeleton", "spider") else "noop")

    def meets(self, foe: Foe) -> bool:
        """Whether the crosshair is on a monster within reach of a blow."""
        x, y, z = self._view.position
        yaw, pitch = (self._view.body(row) * 2 * math.pi / NUM_HEADINGS for row in (Body.YAW, Body.PITCH))
        ray = (math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch))
        half = CREATURES[foe.number - 1].width / 2
        low = (foe.x - half - x, foe.y - half - y, foe.foot - z - _EYE)
        high = (foe.x + half - x, foe.y + half - y, foe.foot + CREATURES[foe.number - 1].height - z - _EYE)
        enter, leave = 0.0, _ARM
        for a, b, d in zip(low, high, ray, strict=True):
            if abs(d) < 1e-9:
                enter, leave = (enter, leave) if a <= 0 <= b else (1.0, 0.0)
            else:
                enter, leave = max(enter, min(a / d, b / d)), min(leave, max(a / d, b / d))
        return enter <= leave

    def may_strike(self) -> bool:
        """Whether a blow that falls short breaks nothing that must not be broken."""
        spared = self._hands.spared
        if not spared:
            return True
        blocks = (self._view.block(cell) for cell, _, _ in line_of_sight(self._view))
        first = next((block for block in blocks if IN_CROSSHAIR[block]), AIR)
        return BLOCKS[first].name not in spared

    def arm(self) -> Generator[int, None, None]:
        """Take the best weapon in hand: what hits hardest of what there is."""
        tools = {tool.name.lower() for tool in self._hands.best_tools()}
        weapon = next((name for name in _WEAPONS if name.removeprefix("equip_") in tools), None)
        if weapon and not self._view.held.endswith(weapon.removeprefix("equip_")):
            yield from act(weapon)

    def aim(self, foe: Foe) -> tuple[int, int]:
        """Heading and pitch, in steps of 15 degrees, at the middle of a monster's body."""
        x, y, z = self._view.position
        dx, dy, dz = foe.x - x, foe.y - y, foe.z - (z + _EYE)
        yaw = round(math.degrees(math.atan2(dx, dy)) / 15) % NUM_HEADINGS
        pitch = round(math.degrees(math.atan2(dz, math.hypot(dx, dy))) / 15)
        return yaw, max(-6, min(6, pitch))
