"""How the expert stays alive among monsters: it fights those that come near, and eats when it is worth it."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

from farlands.worlds.voxel.actions import FLAT_ACTIONS, Hand
from farlands.worlds.voxel.blocks import AIR, BLOCKS, ToolClass
from farlands.worlds.voxel.creatures.kinds import CREATURES, Creature, Temper
from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.sight import line_of_sight
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, Outlook
from farlands.worlds.voxel.items import FOODS
from farlands.worlds.voxel.physics import EYE_HEIGHT
from farlands.worlds.voxel.state import POSITION_ONE, Body
from farlands.worlds.voxel.tables import NUM_HEADINGS
from farlands.worlds.voxel.vitals import MAX_AIR

_ALARM = {"zombie": 4.5, "spider": 4.5, "creeper": 6.0, "skeleton": 12.0}
"""Blocks within which a monster in sight is fought."""
_ARM = 2.9
_BESIDE = 4.0
"""Blocks within which even whoever hides strikes at a monster."""
_LONGEST_FIGHT = 150
_LONGEST_CHASE, _LONGEST_RUN = 20, 40
"""Steps without a chance to strike after which a monster is given up, and one that keeps its distance."""
_STOREY, _STEPS = 4, 2.5
"""Blocks up or down within which a monster is dealt with, and an archer that has to be gone to."""
_LEAP = 1.5
"""Blocks of even ground that it takes to run for a step."""
_FAR_OFF = 4
"""Health points more at which it gets away from those that shoot from afar."""
_LEAVES_ALONE = 30
"""Steps for which a monster that could not be reached is left alone."""
_STANDS = 40
"""Steps for which it fights on where it could not get away."""
_BITE_STEPS = 9
_HUNGRY, _HURT, _HEALS = 14, 12, 18
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
        eats_at: Health points up to which it eats in order to heal, though it is not hungry.
        flees_at: Health points up to which it gets away from monsters; 0 to fight to the end.
        free_ahead: How far, up to a limit in blocks, it may run straight on; None to run anywhere.
        retreat: How it gets away, and comes back when it is safe. False where it can't.

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
        self.eats_at = _HURT
        self.flees_at = 0
        self.retreat: Callable[[], Doing] | None = None
        self._stands_until = 0
        self.free_ahead: Callable[[float], float] | None = None

    def watch(self, plan: Doing) -> Doing:
        """A plan's actions, with fights and meals in between; afterwards it looks where it looked before."""
        try:
            while True:
                action = next(plan)
                foe = self._threat()
                if self.may_breathe() and self._view.body(Body.AIR) < _BREATH:
                    yield from self._count(self._come_up())
                if foe is not None and self._is_beaten(foe):
                    yield from self._withdraw()
                elif foe is not None:
                    yield from self._count(self._fight(foe))
                elif self._should_eat(action):
                    yield from self._count(act("eat", _BITE_STEPS))
                self._step += 1
                yield action
        except StopIteration as end:
            return end.value

    def _is_beaten(self, foe: Foe) -> bool:
        """Whether to get away rather than fight: sooner from an archer afar, and not from what only a sword stops."""
        if foe.kind in ("zombie", "spider") and ToolClass.SWORD in self._hands.best_tools():
            return False
        x, y, _ = self._view.position
        far = foe.kind == "skeleton" and math.hypot(foe.x - x, foe.y - y) > _FAR_OFF
        least = self.flees_at + (_FAR_OFF if far and self.flees_at else 0)
        tired = self._view.body(Body.HEALTH) <= least
        return tired and self.retreat is not None and self._step >= self._stands_until

    def _withdraw(self) -> Generator[int, None, None]:
        """Get away, striking only at what stands in the way."""
        assert self.retreat is not None
        retreat = self.retreat()
        try:
            while True:
                action = next(retreat)
                foe = self._threat(_BESIDE)
                if foe is not None:
                    yield from self._count(self._fight(foe, _BESIDE))
                elif self._should_eat(action) and self._threat() is None:
                    yield from self._count(act("eat", _BITE_STEPS))
                self._step += 1
                yield action
        except StopIteration as end:
            if not end.value or self._view.body(Body.HEALTH) <= self.flees_at:
                self._stands_until = self._step + _STANDS

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

    def _has_use(self, food: int, health: int) -> bool:
        return food <= _HUNGRY or (health <= self.eats_at and food < _HEALS)

    def _threat(self, limit: float = math.inf) -> Foe | None:
        """The nearest monster in sight that is near enough to be fought, and no farther than a limit in blocks."""
        x, y, z = self._view.position
        near = []
        for name, kind, fx, fy, fz in self._view.creatures():
            creature = CREATURES[kind - 1]
            far = math.hypot(fx - x, fy - y)
            if creature.name in self.spared:
                continue
            if creature.temper != Temper.HOSTILE or not self._is_level(creature, fz - z):
                continue
            if far < min(limit, _ALARM[creature.name]):
                foe = Foe(name, kind, fx, fy, fz + 0.6 * creature.height, fz)
                if self._ignored.get(name, -1) < self._step and self._view.sees((foe.x, foe.y, foe.z)):
                    near.append((far, name, foe))
        return min(near)[2] if near else None

    def _is_level(self, creature: Creature, rise: float) -> bool:
        """Whether a monster is at a height from which it can come, or be come at; archers do not come."""
        return abs(rise) < (_STEPS if creature.name == "skeleton" and self.flees_at else _STOREY)

    def _fight(self, foe: Foe, limit: float = math.inf) -> Generator[int, None, None]:
        """Strike until it is dead, gone or has to be left alone."""
        yaw, pitch = self._view.body(Body.YAW), self._view.body(Body.PITCH)
        held = self._view.held
        yield from self.arm()
        now: Foe | None = foe
        missed = 0
        for _ in range(_LONGEST_FIGHT):
            if now is None or (limit == math.inf and self._is_beaten(now)):
                break
            met = self.meets(now)
            missed = 0 if met else missed + 1
            if missed > (_LONGEST_RUN if now.kind == "skeleton" else _LONGEST_CHASE):
                self._ignored[now.name] = self._step + _LEAVES_ALONE
            yield from act("attack") if met and self.may_strike() else self._approach(now)
            now = self._threat(limit)
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
        elif foe.kind in ("skeleton", "spider"):
            yield from act(self._step_towards())
        else:
            yield from act("noop")

    def _step_towards(self) -> str:
        """The action that brings a body that faces a monster nearer to it."""
        if self.free_ahead is None:
            return "forward"
        if self.free_ahead(_LEAP) >= _LEAP:
            return "sprint"
        yaw = self._view.body(Body.YAW) * 2 * math.pi / NUM_HEADINGS
        x, y, _ = self._view.position
        ahead = (math.floor(x + math.sin(yaw)), math.floor(y + math.cos(yaw)), self._view.feet[2])
        return "jump_forward" if self._view.solid(ahead) else "noop"

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
