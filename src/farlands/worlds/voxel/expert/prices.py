"""About how many steps a predicate takes from here, to choose among alternatives by."""

from __future__ import annotations

import math
from collections.abc import Callable

from farlands.worlds.voxel.expert.planner import Planner
from farlands.worlds.voxel.expert.postures import Postures
from farlands.worlds.voxel.expert.view import View
from farlands.worlds.voxel.expert.wants import CARRIED, Want, wants_of
from farlands.worlds.voxel.options import DAY
from farlands.worlds.voxel.tasks.facts import members
from farlands.worlds.voxel.tasks.predicates import NIGHT
from farlands.worlds.voxel.tasks.techtree import TICKS_PER_STEP
from farlands.worlds.voxel.tasks.tree import Leaf

_ACT_STEPS = {"place": 5.0, "break": 12.0, "eat": 40.0, "visit": 14.0, "alive": 1.0, "kill": 60.0, "breed": 150.0}
_STEPS_PER_BLOCK, _STEPS_UP, _STEPS_DOWN = 1.5, 8.0, 6.0
_SOME = 100.0
_LOW = 300.0


class Prices:
    """Prices predicates; see ``pursuit.Price``.

    Args:
        view: The whole world.
        postures: To tell what holds.
        planner: Gives the present plans' costs.
    """

    def __init__(self, view: View, postures: Postures, planner: Callable[[], Planner]) -> None:
        self._view, self._postures, self._planner = view, postures, planner

    def __call__(self, leaf: Leaf, number: int) -> float:
        if leaf.predicate.timing.name != "MOMENTARY":
            return sum(self._event(want) for want in wants_of(leaf, number))
        if self._postures.holds(leaf):
            return 0.0
        return self._state(leaf)

    def _event(self, want: Want) -> float:
        demands = CARRIED.get(want.name, lambda want: [])(want)
        return _ACT_STEPS.get(want.name, 1.0) * want.number + sum(self._items(d.names, d.count) for d in demands)

    def _items(self, names: str, count: int) -> float:
        return self._planner().cost(names) * count / TICKS_PER_STEP

    def _state(self, leaf: Leaf) -> float:
        view, n = self._view, leaf.number
        if leaf.name in ("carry", "wear", "hold"):
            names = members(leaf.thing)
            have = sum(map(view.count, names))
            wanted = n if leaf.name == "carry" else 1
            return self._items("|".join(names), max(wanted - have, 0)) + 1.0
        if leaf.name == "near":
            return min(self._items("|".join(members(leaf.thing)), 1), 3 * _SOME)
        if leaf.name in ("time", "asleep"):
            first, until = NIGHT if leaf.name == "asleep" else map(int, leaf.arguments)
            return self._until(first, until) + (_LOW if leaf.name == "asleep" else 0.0)
        x, y, z = view.feet
        return {
            "above": (n - z) * _STEPS_UP, "below": (z - n) * _STEPS_DOWN,
            "away": (n - math.dist((x, y), view.start)) * _STEPS_PER_BLOCK, "at_least": _SOME, "at_most": _LOW,
            "inside": _SOME, "beside": _SOME,
        }[leaf.name]  # fmt: skip

    def _until(self, first: int, until: int) -> float:
        now = self._view.time
        return 0.0 if (now - first) % DAY <= (until - first) % DAY else ((first - now) % DAY) / TICKS_PER_STEP
