"""From a task to what is to be brought about next: combinators are resolved here, predicates are left to ``errands``.

What lasts is brought about one after the other, the most urgent first; what must hold at one time is brought about
together, and last.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from farlands.worlds.voxel.expert.bans import NO_BANS, Bans, ban_of
from farlands.worlds.voxel.expert.standing import LATCHED, Part
from farlands.worlds.voxel.tasks.predicates import Timing
from farlands.worlds.voxel.tasks.tree import Leaf

Price = Callable[[Leaf, int], float]
"""Steps that a predicate may take, of whose number so many are missing; infinite where there is no way."""

_OPPOSITES: dict[str, Callable[[Leaf], Leaf]] = {
    "at_least": lambda leaf: Leaf("at_most", (leaf.thing, leaf.number - 1)),
    "at_most": lambda leaf: Leaf("at_least", (leaf.thing, leaf.number + 1)),
    "above": lambda leaf: Leaf("below", (leaf.number - 1,)),
    "below": lambda leaf: Leaf("above", (leaf.number + 1,)),
}
_MARGIN = {"craft": 4, "gain": 4}
"""How many of a forbidden count may come of one act."""


@dataclass
class Moment:
    """What is to be brought about now.

    Attributes:
        root: The part of the task that it makes true.
        events: Counts and feats that are missing, each with how many.
        states: What must hold at the end of it, all of it at once, whether it holds already or not.
        avoid: What must not hold at the end of it. undo: What of that holds now.
    """

    root: Part
    events: list[tuple[Leaf, int]] = field(default_factory=list)
    states: list[Leaf] = field(default_factory=list)
    avoid: list[Leaf] = field(default_factory=list)
    undo: list[Leaf] = field(default_factory=list)


class Pursuit:
    """Chooses what to do next for a task.

    Args:
        task: All of it.
        price: What a predicate may cost.
    """

    def __init__(self, task: Part, price: Price) -> None:
        self.task = task
        self._price = price
        self._blame: dict[int, float] = {}

    def moment(self) -> Moment:
        """What is to be brought about now."""
        moment = Moment(self._focus(self.task))
        self._fill(moment, moment.root, True)
        return moment

    def blame(self, part: Part) -> None:
        """Remember that a part could not be brought about: where there is a choice, others come first."""
        for each in part.walk():
            self._blame[each.index] = self._blame.get(each.index, 1.0) * 4.0

    def bans(self) -> Bans:
        """What must not be done at present."""
        return self._bans(self.task, True)

    def chosen(self, part: Part) -> list[Part]:
        """The children of a part that are to hold: of a choice the cheapest."""
        if part.name not in ("any", "count"):
            return list(part.children)
        k = 1 if part.name == "any" else part.task.number  # type: ignore[union-attr]
        return sorted(part.children, key=self._cost)[:k]

    def _cost(self, part: Part) -> float:
        """Steps that bringing about a part may still take."""
        if part.lost:
            return math.inf
        if part.holds and part.at_work:
            return 0.0
        return self._raw_cost(part) * self._blame.get(part.index, 1.0)

    def _raw_cost(self, part: Part) -> float:
        if isinstance(part.task, Leaf):
            return self._price(part.task, part.remaining if part.at_work else part.task.number)
        if part.name == "not":
            return 0.0 if not part.children[0].holds else 50.0
        costs = [self._cost(child) for child in part.children]
        if part.name == "sequence" and part.at_work:
            costs = costs[part.stage :]
        if part.name in ("any", "count"):
            costs = sorted(costs)[: 1 if part.name == "any" else part.task.number]
        total = sum(costs)
        late = part.name == "within" and total > (part.steps_left if part.at_work else part.task.number)  # type: ignore
        return 3.0 * total if late else total

    def _focus(self, part: Part) -> Part:
        """The least part that comes true by itself and has to first."""
        if part.name == "sequence":
            return self._focus(part.children[part.stage])
        if part.name == "within":
            return self._focus(part.children[0])
        latched = sorted(self._latched(part), key=lambda each: each.steps_left if each.name == "within" else math.inf)
        return self._focus(latched[0]) if latched else part

    def _latched(self, part: Part) -> Iterator[Part]:
        """Sequences and withins under a part that are open, through what is chosen."""
        if part.name not in ("all", "any", "count"):
            return
        for child in self.chosen(part):
            if child.holds or child.lost:
                continue
            if child.name in LATCHED:
                yield child
            else:
                yield from self._latched(child)

    def _fill(self, moment: Moment, part: Part, wanted: bool) -> None:
        """Note what has to hold, or must not, for a part without open sequences."""
        if isinstance(part.task, Leaf):
            self._note(moment, part, wanted)
        elif part.name == "not":
            self._fill(moment, part.children[0], not wanted)
        elif part.name in LATCHED:
            return
        elif wanted:
            for child in self.chosen(part):
                self._fill(moment, child, True)
        elif part.holds or part.name == "any":
            # Fewer than k must hold: let go of as many as there are too many, those that can be let go of first.
            k = {"all": len(part.children), "any": 1}.get(part.name, part.task.number)
            holding = [child for child in part.children if child.holds]
            for child in sorted(holding, key=lambda each: each.lasts)[: len(holding) - k + 1]:
                self._fill(moment, child, False)

    def _note(self, moment: Moment, part: Part, wanted: bool) -> None:
        leaf = part.leaf
        if leaf.predicate.timing == Timing.MOMENTARY:
            if wanted:
                moment.states.append(leaf)
            elif leaf.name in _OPPOSITES:
                moment.states.append(_OPPOSITES[leaf.name](leaf))
            else:
                moment.avoid.append(leaf)
                moment.undo += [leaf] if part.holds else []
        elif wanted and not part.holds:
            moment.events.append((leaf, part.remaining))

    def _bans(self, part: Part, at_work: bool) -> Bans:
        """Bans of a part; of one that is not at work yet only those of feats, which are of the whole episode."""
        found = NO_BANS
        if part.name == "not":
            child = part.children[0]
            return self._ban(child, at_work) if isinstance(child.task, Leaf) else found
        children = part.children[part.stage :] if part.name == "sequence" else self.chosen(part)
        for k, child in enumerate(children):
            if not (child.holds and child.lasts and at_work):
                found = found | self._bans(child, at_work and (part.name != "sequence" or k == 0))
        return found

    def _ban(self, part: Part, at_work: bool) -> Bans:
        leaf = part.leaf
        if leaf.name == "unlock":
            return NO_BANS if part.holds else ban_of(leaf)
        if not at_work or part.holds:
            return NO_BANS
        if leaf.predicate.timing == Timing.EVENT and leaf.number - part.done > _MARGIN.get(leaf.name, 1):
            return NO_BANS
        return ban_of(leaf)
