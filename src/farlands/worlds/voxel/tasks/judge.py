"""Whether a task can be solved, how deep it lies, how long it may take, and whether doing nothing solves it.

A judgement of the recipe graph, not of a level: every way to fulfil the task is looked at in turn, and one without a
contradiction is enough. It errs towards refusing: a task that must not carry what it needs on the way is refused
although it could be put away again. A ``not`` over a ``sequence`` or ``within`` is taken to cost nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from farlands.worlds.voxel.tasks.clashes import Moment, clash
from farlands.worlds.voxel.tasks.facts import NONE, Facts, leaf_facts
from farlands.worlds.voxel.tasks.land import LAND, START_HEIGHTS
from farlands.worlds.voxel.tasks.supply import shortage
from farlands.worlds.voxel.tasks.techtree import TechTree
from farlands.worlds.voxel.tasks.tree import Leaf, Task, leaves

MAX_BRANCHES = 64
"""Most ways to fulfil a task that are looked at."""


@dataclass(frozen=True)
class Verdict:
    """What there is to say about a task.

    Attributes:
        solvable: Whether some way to fulfil it is without contradiction and fits the horizon.
        reasons: Why not, a line each; empty where it is.
        depth: Acts that rest on each other on the least deep way.
        steps: Rough number of steps it takes.
        idle: Whether doing nothing may fulfil it.
        needs: Items to be had on the way, the least deep first.
    """

    solvable: bool
    reasons: tuple[str, ...]
    depth: int
    steps: int
    idle: bool
    needs: tuple[str, ...]


class Judge:
    """Judges tasks under given rules.

    Args:
        tree: The rules.
        horizon: Steps of an episode.
    """

    def __init__(self, tree: TechTree, horizon: int = 10_000) -> None:
        self.tree = tree
        self.horizon = horizon
        self._facts: dict[tuple[str, tuple], Facts] = {}

    def facts(self, leaf: Leaf) -> Facts:
        """What a predicate takes; remembered."""
        key = (leaf.name, leaf.arguments)
        known = self._facts.get(key)
        if known is None:
            if len(self._facts) > 100_000:
                self._facts.clear()
            known = self._facts[key] = leaf_facts(self.tree, leaf)
        return known

    def judge(self, task: Task) -> Verdict:
        """Everything there is to say about a task of the grammar."""
        best: _Trial | None = None
        for form in itertools.islice(_branches(_normal(task, True)), MAX_BRANCHES):
            trial = _Trial(self)
            trial.run(form)
            if not trial.reasons:
                best = trial
                break
            best = best or trial
        assert best is not None
        order = sorted(best.needs, key=lambda name: (self._depth_of(name), name))
        steps = round(best.steps)
        return Verdict(
            not best.reasons, tuple(best.reasons), self.depth(task), steps, self.idle(task), tuple(order)
        )  # fmt: skip

    def steps(self, task: Task) -> float:
        """Rough number of steps of all that a task names, as if nothing were there yet."""
        total, once = 0.0, set()
        for leaf in leaves(task):
            facts = self.facts(leaf)
            total += facts.fixed + facts.unit * leaf.number
            once |= facts.once
        return total + sum(map(self.tree.once_steps, once))

    def _depth_of(self, item: str) -> int:
        return self.tree.ways[item].depth if item in self.tree.ways else 0

    def depth(self, task: Task) -> int:
        """Acts that rest on each other on the least deep way to fulfil a task."""
        return self._depth(_normal(task, True))

    def _depth(self, form: tuple[Any, ...]) -> int:
        if form[0] == "leaf":
            return self.facts(form[1]).depth if form[2] else 0
        if form[0] == "some":
            depths = sorted(self._depth(part) for part in form[2] if not self._hopeless(part)) or [0]
            return depths[min(form[1], len(depths)) - 1]
        if form[0] == "sequence":
            return max(map(self._depth, form[1]))
        return self._depth(form[2]) if form[0] == "within" else 0

    def _hopeless(self, form: tuple[Any, ...]) -> bool:
        return form[0] == "leaf" and form[2] and bool(self.facts(form[1]).missing)

    def idle(self, task: Task) -> bool:
        """Whether doing nothing may fulfil a task, by chance of the level or by waiting."""
        return self._idle(_normal(task, True))

    def _idle(self, form: tuple[Any, ...]) -> bool:
        if form[0] == "leaf":
            return not form[2] or self._idle_leaf(form[1])
        if form[0] == "some":
            return sum(map(self._idle, form[2])) >= form[1]
        if form[0] == "sequence":
            return all(map(self._idle, form[1]))
        return form[0] == "free" or self._idle(form[2])

    def _idle_leaf(self, leaf: Leaf) -> bool:
        name = leaf.name
        if name in ("alive", "time"):
            return True
        if name in ("at_least", "at_most"):
            return (name == "at_least") == (leaf.thing != "armour")
        if name in ("above", "below"):
            return START_HEIGHTS[0] <= leaf.number <= START_HEIGHTS[1] or (name == "above") == (
                leaf.number < START_HEIGHTS[0]
            )
        if name == "beside":
            return True
        if name in ("near", "inside"):
            return leaf.thing in LAND or leaf.thing in ("log", "leaves", "flower")
        return name == "carry" and not self.facts(leaf).depth


# A task in normal form: ("leaf", leaf, wanted), ("some", k, parts), ("sequence", parts), ("within", steps, part), or
# ("free",) for what is taken to cost nothing. Negation stands at leaves only.


def _normal(task: Task, wanted: bool) -> tuple[Any, ...]:
    if isinstance(task, Leaf):
        return ("leaf", task, wanted)
    if task.name == "not":
        return _normal(task.children[0], not wanted)
    if task.name in ("sequence", "within"):
        if not wanted:
            return ("free",)
        parts = tuple(_normal(child, True) for child in task.children)
        return ("sequence", parts) if task.name == "sequence" else ("within", task.number, parts[0])
    parts = tuple(_normal(child, wanted) for child in task.children)
    n = len(parts)
    k = {"all": n, "any": 1}.get(task.name, task.number)
    # At least k hold, unless fewer than k must: then n - k + 1 do not hold.
    return ("some", k if wanted else n - k + 1, parts)


def _branches(form: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The ways to fulfil a form: the same with every choice made, ``some`` then wanting all its parts."""
    if form[0] == "sequence":
        for parts in itertools.product(*(list(_branches(part)) for part in form[1])):
            yield ("sequence", parts)
    elif form[0] == "within":
        for part in _branches(form[2]):
            yield ("within", form[1], part)
    elif form[0] == "some":
        for chosen in itertools.combinations(form[2], form[1]):
            for parts in itertools.product(*(list(itertools.islice(_branches(part), MAX_BRANCHES)) for part in chosen)):
                yield ("some", len(parts), parts)
    else:
        yield form


@dataclass
class _Trial:
    """One way to fulfil a task, gone through in order."""

    judge: Judge
    steps: float = 0.0
    have: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)
    wanted: list[Leaf] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def run(self, form: tuple[Any, ...]) -> None:
        """Go through the whole form, noting reasons against it."""
        self._moment(form)
        if not self.reasons and (short := shortage(self.judge.tree, self.wanted)):
            self.reasons.append(short)
        if self.steps > self.judge.horizon:
            self.reasons.append(f"takes about {self.steps:,.0f} steps; an episode has {self.judge.horizon:,}")

    def _moment(self, form: tuple[Any, ...]) -> Moment:
        """Everything that must hold at one time, with what is done for it up to then."""
        moment = Moment(had=self.needs, done=self.wanted)
        before = self.steps
        self._gather(form, moment)
        if found := clash(moment, self.steps - before):
            self.reasons.append(found)
        return moment

    def _gather(self, form: tuple[Any, ...], moment: Moment) -> None:
        if form[0] == "leaf":
            (self._want if form[2] else self._avoid)(form[1], moment)
        elif form[0] == "some":
            # What is done comes before what is forbidden until then.
            for part in form[2]:
                self._gather(part, moment)
        elif form[0] == "sequence":
            for part in form[1]:
                moment.add_earlier(self._moment(part))
        elif form[0] == "within":
            before = self.steps
            moment.add_earlier(self._moment(form[2]))
            if self.steps - before > form[1]:
                self.reasons.append(f"takes about {self.steps - before:,.0f} steps of the {form[1]:,} it is given")

    def _avoid(self, leaf: Leaf, moment: Moment) -> None:
        moment.avoided.append(leaf)

    def _want(self, leaf: Leaf, moment: Moment) -> None:
        facts = self.judge.facts(leaf)
        if facts.missing:
            self.reasons.append(f"{leaf}: {facts.missing}")
            return
        # Waiting for one time of day is waiting for another in the same window.
        waits = leaf.name == "time" and any(other.name in ("time", "asleep") for other in moment.wanted)
        moment.wanted.append(leaf)
        self.wanted.append(leaf)
        moment.needs |= facts.needs
        moment.breaks |= facts.breaks
        self.needs |= facts.needs
        new = facts.once - self.have if facts.once else NONE
        self.have |= new
        once = sum(self.judge.tree.once_steps(name) for name in new)
        self.steps += once + facts.fixed * (not waits) + facts.unit * leaf.number
