"""Going places: near something, up, down, out of the water, and on and on over land that was not seen yet."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

import numpy as np

from farlands.worlds.voxel.blocks import CACTUS
from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.legs import PILLAR_BLOCKS, Legs
from farlands.worlds.voxel.expert.paths import WALK, Kind, Land, Move, Route, area_search
from farlands.worlds.voxel.expert.view import IS_FLUID, IS_LAVA, IS_SOLID, IS_WATER, Cell, Outlook
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tables import NUM_HEADINGS

_LEG, _ASIDE = 18, 14
"""Blocks that a leg over open land leads on, and at most aside."""
_GOLDEN = 2.399963
"""Radians between two directions: the golden angle, which never comes back to one."""
_TURNS = 10
_EXPANSIONS, _LEG_EXPANSIONS = 120_000, 25_000
_UPWARD, _DOWNWARD = 9.0, 3.0
_TRIES = 5
_RUN, _HALF, _WHOLE_TURN = 3.0, 0.45, 8
_BACK = -0.1
"""Cosine of the angle between two legs below which the second leads back."""
_SWIM = 8
"""Blocks of water that a leg over land may cross without looking for a drier one."""
_SINK_STEPS, _FALL, _LEAP_STEPS = 15, 7, 6


@dataclass
class Crew:
    """What every skill of a scripted player needs: its view, its hands and its legs."""

    view: Outlook
    hands: Hands
    legs: Legs

    @property
    def pillar_blocks(self) -> int:
        """Blocks carried to pillar up on."""
        return sum(self.view.count(name) for name in PILLAR_BLOCKS)

    @property
    def start(self) -> Cell:
        """Where ways begin: the feet, or the surface of the water they hang in."""
        return surface_above(self.view)


class Travel:
    """Ways to places.

    Attributes:
        angle: Direction of the legs over land, in radians from north, clockwise.

    Args:
        crew: Whose.
    """

    def __init__(self, crew: Crew) -> None:
        self._crew, self._view = crew, crew.view
        self.angle = 0.0

    def _axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Block coordinates of the window's cells, to be broadcast against each other."""
        x0, y0 = self._view.origin
        side = self._view.side
        x, y, z = np.ogrid[:side, :side, :HEIGHT]
        return x + x0, y + y0, z

    def _route(self, area: np.ndarray, guess: np.ndarray, limit: int = _EXPANSIONS) -> Route | None:
        crew = self._crew
        land = Land(self._view, crew.hands.ticks)
        return area_search(land, crew.start, area, guess, crew.pillar_blocks, limit).run()

    def _follow(self, route: Route) -> Doing:
        for move in route.moves:
            if not (yield from self._crew.legs.follow(move)):
                return False
        return True

    def _go(self, there: Callable[[], bool], plan: Callable[[], Route | None]) -> Doing:
        """Plan and go, anew where a way turns out not to lead on."""
        for _ in range(_TRIES):
            yield from self._crew.legs.wait_for_ground()
            if there():
                return True
            route = plan()
            if route is None:
                return False
            yield from self._follow(route)
        return there()

    def near(self, cells: Iterable[Cell], reach: int) -> Doing:
        """Stand so that one of some cells is within so many blocks of the feet along each axis."""
        wanted = np.array(list(cells))
        x, y, z = self._axes()
        area = np.zeros((self._view.side, self._view.side, HEIGHT), dtype=bool)
        guess = np.full(area.shape, np.inf, dtype=np.float32)
        for a, b, c in wanted:
            area |= (np.abs(x - a) <= reach) & (np.abs(y - b) <= reach) & (np.abs(z - c) <= reach)
            aside = np.abs(x - a) + np.abs(y - b) - 2 * reach
            np.minimum(guess, np.maximum(aside, 0) * WALK, out=guess)
        return (yield from self._go(lambda: is_near(self._view.feet, wanted, reach), lambda: self._route(area, guess)))

    def rise(self, height: int, spare: int) -> Generator[int, None, int]:
        """Get the feet to a height or higher.

        Args:
            height: In blocks.
            spare: Blocks that may be put underfoot on the way.

        Returns:
            How many blocks more it would take; 0 if the feet are there or there is no way.
        """
        _, _, z = self._axes()
        yield from self._crew.legs.wait_for_ground()
        route = self._route(z >= height, np.maximum(height - z, 0) * _UPWARD)
        if route is None:
            return max(height - self._view.feet[2] - spare, 0)
        missing = sum(move.kind is Kind.PILLAR for move in route.moves) - spare
        if missing > 0:
            return missing
        yield from self._follow(route)
        return 0

    def sink(self, height: int) -> Doing:
        """Get the feet to a height or lower."""
        _, _, z = self._axes()

        def plan() -> Route | None:
            return self._route((z <= height) & (z > 1), np.maximum(z - height, 0) * _DOWNWARD)

        return (yield from self._go(lambda: self._view.feet[2] <= height, plan))

    def surface(self) -> np.ndarray:
        """Bool ``[S, S, 64]``: cells with nothing solid above them in the window."""
        solid = IS_SOLID[self._view.window()]
        return np.logical_not(np.logical_or.accumulate(solid[..., ::-1], axis=-1)[..., ::-1])

    def roam(self, outward: float | None = None) -> Doing:
        """One leg over open land, on in the same direction if there is a way, else in another.

        Args:
            outward: Direction in radians from which a leg must not deviate by more than a right angle, if any.
        """
        view = self._view
        yield from self._crew.legs.wait_for_ground()
        x, y, _ = self._axes()
        open_land = self.surface()
        wet: tuple[Route, float] | None = None
        for angle in self._angles(outward):
            sine, cosine = math.sin(angle), math.cos(angle)
            dx, dy = x - view.feet[0], y - view.feet[1]
            along, aside = dx * sine + dy * cosine, np.abs(dx * cosine - dy * sine)
            area = (along >= _LEG) & (aside <= _ASIDE) & open_land
            route = self._route(area, np.maximum(_LEG - along, 0) * WALK, _LEG_EXPANSIONS)
            if route is not None and self._is_dry(route):
                self.angle = angle
                return (yield from self._follow(route))
            if route is not None and (wet is None or _is_nearer(angle, wet[1], outward)):
                wet = route, angle
        if wet is None:
            self.angle += _GOLDEN
            return False
        # Whoever has to swim goes on the same way, else it would swim to and fro.
        self.angle = wet[1]
        return (yield from self._follow(wet[0]))

    def _angles(self, outward: float | None) -> list[float]:
        """Directions to try, the present one first."""
        if outward is None:
            return [self.angle + k * _GOLDEN for k in range(_TURNS)]
        every = [outward + k * math.pi / 8 for k in (0, 1, -1, 2, -2, 3, -3, 4, -4)]
        # Never straight back: whoever follows a shore would walk to and fro on it.
        onward = [angle for angle in every if math.cos(angle - self.angle) > _BACK]
        return sorted(onward or every, key=lambda angle: -round(math.cos(angle - self.angle), 2))

    def _is_dry(self, route: Route) -> bool:
        """Whether little of a way is swum."""
        return sum(bool(IS_WATER[self._view.block(move.cell)]) for move in route.moves) <= _SWIM

    def come_ashore(self) -> Doing:
        """Stand where there is no fluid."""
        yield from self._crew.legs.swim_up()
        blocks = self._view.window()
        x, y, z = self._axes()
        fx, fy, fz = self._view.feet
        dry = ~IS_FLUID[blocks] & IS_SOLID[np.roll(blocks, 1, axis=2)]
        far = np.abs(x - fx) + np.abs(y - fy) + np.abs(z - fz)
        return (yield from self._go(lambda: not self._view.afloat, lambda: self._route(dry, far * 0.0)))

    def bathe(self) -> Doing:
        """Swim in the nearest water."""
        water = IS_WATER[self._view.window()]
        if not water.any():
            return False
        return (yield from self._go(lambda: self._view.afloat, lambda: self._route(water, np.zeros((1, 1, 1)))))

    def sink_here(self, depth: int) -> Doing:
        """Straight down some blocks, as far as nothing speaks against it."""
        view = self._view
        for _ in range(depth):
            x, y, z = view.feet
            below, ground = (x, y, z - 1), (x, y, z - 2)
            if not view.solid(ground) or view.touches_lava(below) or view.afloat:
                return True
            if not (yield from self._crew.legs.follow(Move(Kind.SINK, below, (below,)))):
                return False
        return True

    def dive(self) -> Doing:
        """Go to water that is two deep and let the body sink in it."""
        water = IS_WATER[self._view.window()]
        deep = water.copy()
        deep[..., 1:] &= water[..., :-1]
        if not deep.any():
            return (yield from self.roam())
        yield from self._go(lambda: self._view.afloat, lambda: self._route(deep, np.zeros((1, 1, 1))))
        yield from act("noop", _SINK_STEPS)
        return self._view.afloat

    def fall(self) -> Doing:
        """Leap from a pillar of some blocks; they must be carried, or there must be a hill."""
        z = self._view.feet[2]
        if (yield from self.rise(z + _FALL, self._crew.pillar_blocks)):
            return False
        yield from act("jump_sprint", _LEAP_STEPS)
        yield from self._crew.legs.wait_for_ground()
        return True

    def plunge(self, cells: np.ndarray) -> Doing:
        """Go beside the nearest of some cells, and in."""
        if not len(cells):
            return (yield from self.roam())
        order = np.argsort(np.abs(cells - np.array(self._view.feet)).sum(axis=1), kind="stable")
        x, y, z = (int(value) for value in cells[order[0]])
        yield from self.near([(x, y, z)], 2)
        for cell in ((x, y, z + 1), (x, y, z)):
            yield from self._crew.legs.follow(Move(Kind.WALK, cell, (cell,)))
        return True

    def exercise(self, steps: int) -> Doing:
        """Sprint about, which makes hungry, where the ground goes on; else jump against a wall, or go elsewhere."""
        turns = 0
        for _ in range(steps):
            if self.free_ahead(_RUN) >= _RUN:
                yield from act("sprint")
            elif self._faces_wall():
                yield from act("jump_sprint")
            elif turns < _WHOLE_TURN:
                turns += 1
                yield from act("turn_right_45")
            else:
                return (yield from self.roam())
        return (yield from self._crew.legs.wait_for_ground())

    def _faces_wall(self) -> bool:
        """Whether a body that runs and jumps straight on stays where it is."""
        angle = self._view.body(Body.YAW) * 2 * math.pi / NUM_HEADINGS
        x, y, _ = self._view.position
        ahead = (math.floor(x + 0.8 * math.sin(angle)), math.floor(y + 0.8 * math.cos(angle)))
        z = self._view.feet[2]
        walls = [(IS_SOLID[self._view.block((*ahead, z + k))], self._view.block((*ahead, z + k))) for k in (1, 2)]
        return ahead != self._view.feet[:2] and all(solid and block != CACTUS for solid, block in walls)

    def free_ahead(self, limit: float) -> float:
        """How far a body can go straight on without a wall, a step of more than one down, or a fluid."""
        angle = self._view.body(Body.YAW) * 2 * math.pi / NUM_HEADINGS
        sine, cosine = math.sin(angle), math.cos(angle)
        x, y, _ = self._view.position
        z = self._view.feet[2]
        for far in np.arange(0.5, limit + 0.25, 0.5):
            for aside in (-_HALF, _HALF):
                a, b = x + far * sine + aside * cosine, y + far * cosine - aside * sine
                if not self._is_ground((math.floor(a), math.floor(b), z)):
                    return float(far) - 0.5
        return limit

    def _is_ground(self, cell: Cell) -> bool:
        x, y, z = cell
        deep, low, feet, head = (self._view.block((x, y, z + k)) for k in (-2, -1, 0, 1))
        if IS_SOLID[feet] or IS_SOLID[head] or any(IS_FLUID[k] or IS_LAVA[k] for k in (deep, low, feet)):
            return False
        return CACTUS not in (deep, low) and bool(IS_SOLID[low] or IS_SOLID[deep])


def _is_nearer(angle: float, other: float, outward: float | None) -> bool:
    """Whether a direction leads outward more than another."""
    return outward is not None and math.cos(angle - outward) > math.cos(other - outward) + 1e-6


def surface_above(view: Outlook) -> Cell:
    """The cell of the feet; in deep water the highest one of it above them."""
    x, y, z = view.feet
    while IS_WATER[view.block((x, y, z))] and IS_WATER[view.block((x, y, z + 1))]:
        z += 1
    return x, y, z


def is_near(feet: Cell, cells: np.ndarray, reach: int) -> bool:
    """Whether one of some cells int ``[N, 3]`` is within ``reach`` of the feet along each axis."""
    return bool(len(cells)) and bool((np.abs(cells - np.array(feet)).max(axis=1) <= reach).any())
