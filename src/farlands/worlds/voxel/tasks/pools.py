"""What the sampler draws from: goals by depth, steps on the way to them, conditions and things to avoid."""

from __future__ import annotations

from dataclasses import dataclass

from farlands.worlds.voxel.achievements import ACHIEVEMENTS
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.tasks.facts import Facts
from farlands.worlds.voxel.tasks.judge import Judge
from farlands.worlds.voxel.tasks.land import LAND, MET, RANDOM_PLAY
from farlands.worlds.voxel.tasks.predicates import DAY, PREDICATE, Kind, vocabulary
from farlands.worlds.voxel.tasks.stream import Stream
from farlands.worlds.voxel.tasks.techtree import STATION_ITEM
from farlands.worlds.voxel.tasks.tree import Leaf, Node, Task

_THINGS = (
    "carry", "wear", "hold", "gain", "craft", "smelt", "place", "break", "eat", "unlock", "near", "kill", "breed",
    "shear",
)  # fmt: skip
_MOST = 12
_MOST_SINGLE = 2
"""Of tools, armour and stations: more of them would be a chore."""
_MOST_CREATURES = 3
_HUNTED = frozenset(MET)
_HUNTS_REDRAWN = 60
"""Of a hundred."""
_BUDGET = 500
"""Steps that the number of one predicate may cost."""
_PLACES = {"away": (90, 240), "visit": (46, 90), "above": (46, 58)}
_UNDERFOOT = {
    "dirt", "cobblestone", "stone", "grass", "gravel", "sand", "snow", "clay", "log", "oak_log", "spruce_log", "leaves",
    "oak_leaves", "spruce_leaves", "tall_grass", "planks", "stick",
}  # fmt: skip
"""What comes along with almost anything that is done: to avoid it would be a trick, not a skill."""


@dataclass(frozen=True)
class Goal:
    """Something to do, its number to be drawn.

    Attributes:
        name, thing: Of the predicate and its argument.
        low, high: Bounds of the number, both 0 where there is none.
        facts: What one of it takes.
    """

    name: str
    thing: str
    low: int
    high: int
    facts: Facts

    def draw(self, stream: Stream) -> Leaf:
        """The predicate with a number."""
        thing = (self.thing,) if self.thing else ()
        if not self.high:
            return Leaf(self.name, thing)
        return Leaf(self.name, (*thing, self.low + stream.below(self.high - self.low + 1)))


class Pools:
    """Everything that can be drawn under given rules, in an order that follows from the tables alone.

    Attributes:
        by_depth: Goals of each depth, by the name of their predicate.
        on_the_way: Goals about what a thing takes, by (predicate, thing).
    """

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        goals = [goal for goal in self._all_goals() if not goal.facts.missing and goal.facts.depth > 0]
        self.by_depth: dict[int, list[list[Goal]]] = {}
        for depth in sorted({goal.facts.depth for goal in goals}):
            named: dict[str, list[Goal]] = {}
            for goal in goals:
                if goal.facts.depth == depth:
                    named.setdefault(goal.name, []).append(goal)
            self.by_depth[depth] = list(named.values())
        about: dict[str, list[Goal]] = {}
        for goal in goals:
            about.setdefault(goal.thing, []).append(goal)
        self.on_the_way = {
            (goal.name, goal.thing): [
                other
                for item in sorted({*goal.facts.needs, *goal.facts.breaks})
                for other in about.get(item, [])
                if other.facts.depth <= goal.facts.depth and other is not goal
            ]
            for goal in goals
        }
        self._avoidable = self._all_avoidable(goals)
        self._windows = [
            Leaf("time", (first, (first + long) % DAY))
            for first in range(0, DAY, 1_000)
            for long in (4_000, 6_000, 9_000)
        ]  # fmt: skip

    def _all_goals(self) -> list[Goal]:
        found = []
        for name in _THINGS:
            things = vocabulary(PREDICATE[name].arguments[0].kind)
            # What grows may be near from the start.
            fit = (thing for thing in things if name != "near" or (thing in ITEM_ID and thing not in LAND))
            found += [self._goal(name, thing) for thing in fit]
        found += [Goal(name, "", *bounds, self.judge.facts(Leaf(name, (1,)))) for name, bounds in _PLACES.items()]
        for points in (2, 5, 7, 10, 15):
            leaf = Leaf("at_least", ("armour", points))
            found.append(Goal("at_least", "armour", points, points, self.judge.facts(leaf)))
        return found

    def _goal(self, name: str, thing: str) -> Goal:
        numbers = [a for a in PREDICATE[name].arguments if a.kind == Kind.NUMBER]
        if not numbers:
            return Goal(name, thing, 0, 0, self.judge.facts(Leaf(name, (thing,))))
        facts = self.judge.facts(Leaf(name, (thing, 1)))
        if name == "near":
            return Goal(name, thing, 2, 4, facts)
        low = RANDOM_PLAY.get((name, thing), 0) + 1
        single = thing in ITEM_ID and (ITEMS[ITEM_ID[thing]].stack == 1 or thing in STATION_ITEM.values())
        most = _MOST_CREATURES if name in ("kill", "breed", "shear") else _MOST_SINGLE if single else _MOST
        spare = int(_BUDGET / max(facts.unit, 1.0))
        return Goal(name, thing, low, low + max(0, min(most, spare) - 1), facts)

    def _all_avoidable(self, goals: list[Goal]) -> list[list[Leaf]]:
        """By predicate, what may be forbidden on the way to something else."""
        named: dict[str, list[Leaf]] = {}
        feats = {feat.name for feat in ACHIEVEMENTS if not {*feat.items, *feat.places} & _UNDERFOOT}
        for goal in goals:
            fit = goal.thing in feats if goal.name == "unlock" else goal.thing not in _UNDERFOOT
            if goal.thing and fit and goal.name != "at_least":
                number = () if not goal.high else (4,) if goal.name == "near" else (1,)
                named.setdefault(goal.name, []).append(Leaf(goal.name, (goal.thing, *number)))
        named["inside"] = [Leaf("inside", (fluid,)) for fluid in ("water", "lava")]
        return list(named.values())

    def goal(self, stream: Stream, depth: int) -> Goal:
        """One of a depth: first which predicate, then of what; a hunt is often drawn anew, for half of all would be."""
        goal = stream.pick(stream.pick(self.by_depth[depth]))
        if _HUNTED & goal.facts.breaks and stream.chance(_HUNTS_REDRAWN):
            return stream.pick(stream.pick(self.by_depth[depth]))
        return goal

    def condition(self, stream: Stream) -> Task:
        """Something that must, or must not, hold at the end of its part of the task."""
        kind = stream.below(10)
        if kind < 5:
            return Node("not", (stream.pick(stream.pick(self._avoidable)),))
        if kind < 7:
            return Leaf("at_least", (stream.pick(("health", "food", "air")), 4 + stream.below(9)))
        if kind == 7:
            return stream.pick(self._windows)
        if kind == 8:
            return Leaf("above", (32 + stream.below(12),))
        return Node("not", (Leaf("at_most", (stream.pick(("health", "food")), 3 + stream.below(6))),))
