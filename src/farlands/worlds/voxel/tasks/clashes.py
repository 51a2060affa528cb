"""What can't be so at one time, or must not happen on the way to what is wanted. One rule, one function."""

from __future__ import annotations

from dataclasses import dataclass, field

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, ACHIEVEMENTS
from farlands.worlds.voxel.items import ITEM_ID, ITEMS, NUM_SLOTS
from farlands.worlds.voxel.tasks.facts import members
from farlands.worlds.voxel.tasks.predicates import DAY, NIGHT
from farlands.worlds.voxel.tasks.tree import Leaf

_ERRAND = 64
"""Blocks (and an eighth of it in patches) that an errand for things may lead away."""


@dataclass
class Moment:
    """What must hold at one time, and what is done up to then.

    Attributes:
        wanted, avoided: Predicates that must and must not hold.
        earlier: Predicates that come true before it, as its stages and parts in time.
        needs: Items that come into the slots for it. breaks: Blocks broken for it.
        had: Items that came into the slots since the task began. done: Predicates that came true since then.
    """

    wanted: list[Leaf] = field(default_factory=list)
    avoided: list[Leaf] = field(default_factory=list)
    earlier: list[Leaf] = field(default_factory=list)
    needs: set[str] = field(default_factory=set)
    breaks: set[str] = field(default_factory=set)
    had: set[str] = field(default_factory=set)
    done: list[Leaf] = field(default_factory=list)

    def add_earlier(self, part: Moment) -> None:
        """Count in a part that is over by then."""
        self.earlier += [*part.earlier, *part.wanted]
        self.needs |= part.needs
        self.breaks |= part.breaks

    def of(self, name: str) -> list[Leaf]:
        """The wanted predicates of a name."""
        return [leaf for leaf in self.wanted if leaf.name == name]


def clash(moment: Moment, steps: float) -> str:
    """Why a moment can't be, or an empty text. ``steps``: how many it takes to get there, roughly."""
    if len(moment.wanted) > 1:
        for rule in _TOGETHER:
            if found := rule(moment):
                return found
    for leaf in moment.avoided:
        if found := _avoidance(moment, leaf, steps):
            return found
    return _better_at_hand(moment)


def _too_much(moment: Moment) -> str:
    least: dict[str, int] = {}
    for leaf in moment.of("carry"):
        name = members(leaf.thing)[0]
        least[name] = max(least.get(name, 0), leaf.number)
    slots = sum(-(-count // ITEMS[ITEM_ID[name]].stack) for name, count in least.items())
    return f"carrying it all takes {slots} slots; there are {NUM_SLOTS}" if slots > NUM_SLOTS else ""


def _two_in_one_place(moment: Moment) -> str:
    worn: dict[int, str] = {}
    for leaf in moment.of("wear"):
        other = worn.setdefault(ITEMS[ITEM_ID[leaf.thing]].armour, leaf.thing)
        if other != leaf.thing:
            return f"{other} and {leaf.thing} can't be worn at once"
    for name in ("hold", "inside"):
        things = {leaf.thing for leaf in moment.of(name)}
        if len(things) > 1:
            return f"{name}: " + " and ".join(sorted(things)) + " at once"
    return ""


def _out_of_order(moment: Moment) -> str:
    low = max((leaf.number for leaf in moment.of("above")), default=0)
    high = min((leaf.number for leaf in moment.of("below")), default=low)
    if low > high:
        return f"nowhere is above {low} and below {high}"
    for vital in {leaf.thing for leaf in moment.of("at_least")}:
        least = max(leaf.number for leaf in moment.of("at_least") if leaf.thing == vital)
        most = min((leaf.number for leaf in moment.of("at_most") if leaf.thing == vital), default=20)
        if least > most:
            return f"{vital} can't be at least {least} and at most {most}"
    return ""


def _no_such_time(moment: Moment) -> str:
    windows = [tuple(leaf.arguments) for leaf in moment.of("time")] + [NIGHT] * bool(moment.of("asleep"))
    if len(windows) < 2:
        return ""
    # Where windows overlap, the overlap begins where one of them does.
    if any(all(_in_window(int(start), window) for window in windows) for start, _ in windows):
        return ""
    return "no time of day is in all of " + ", ".join(f"{a} to {b}" for a, b in windows)


def _in_window(time: int, window: tuple) -> bool:
    first, until = window
    return (time - first) % DAY <= (until - first) % DAY


_TOGETHER = (_too_much, _two_in_one_place, _out_of_order, _no_such_time)


def _avoidance(moment: Moment, leaf: Leaf, steps: float) -> str:
    """Why something can't be avoided, or an empty text."""
    if found := _same_wanted(moment, leaf):
        return found
    rule = _AVOIDANCE.get(leaf.name)
    return rule(moment, leaf, steps) if rule else ""


def _same_wanted(moment: Moment, leaf: Leaf) -> str:
    """What is wanted implies what is avoided: the same thing in at least the same number, or the same limit."""
    rising = leaf.name not in ("at_most", "below", "near", "time")
    blocks = leaf.name in ("break", "near", "inside")
    for other in moment.of(leaf.name):
        same = set(members(other.thing, blocks=blocks)) <= set(members(leaf.thing, blocks=blocks))
        implied = other.number >= leaf.number if rising else other.number <= leaf.number
        if leaf.name == "time":
            implied = other.arguments == leaf.arguments
        if same and implied:
            return f"{other} and not({leaf})"
    return ""


def _avoid_item(moment: Moment, leaf: Leaf, steps: float) -> str:
    needed = moment.needs & set(members(leaf.thing))
    return f"not({leaf}): {min(needed)} is needed" if needed else ""


def _avoid_carrying(moment: Moment, leaf: Leaf, steps: float) -> str:
    had = moment.had & set(members(leaf.thing))
    return f"not({leaf}): {min(had)} is needed on the way" if had else ""


def _avoid_breaking(moment: Moment, leaf: Leaf, steps: float) -> str:
    broken = moment.breaks & set(members(leaf.thing, blocks=True))
    return f"not({leaf}): {min(broken)} has to be broken" if broken else ""


def _avoid_killing(moment: Moment, leaf: Leaf, steps: float) -> str:
    return f"not({leaf}): {leaf.thing} has to be killed" if leaf.thing in moment.breaks else ""


def _avoid_eating(moment: Moment, leaf: Leaf, steps: float) -> str:
    eaten = [other for other in (*moment.wanted, *moment.earlier) if other.name == "eat" and other.thing == leaf.thing]
    return f"{eaten[0]} and not({leaf})" if eaten else ""


def _avoid_feat(moment: Moment, leaf: Leaf, steps: float) -> str:
    feat = ACHIEVEMENTS[ACHIEVEMENT_ID[leaf.thing]]
    through = moment.had & {*feat.items, *feat.places}
    if through or leaf in moment.done or _does(feat.event, moment):
        return f"not({leaf}): it comes with {min(through) if through else 'what is wanted'}"
    return ""


def _does(event: str, moment: Moment) -> bool:
    """Whether what is wanted, or done on the way to it, is what unlocks a feat."""
    if event.startswith("kill_"):
        return event.removeprefix("kill_") in moment.breaks
    if event == "till":
        return "wheat" in moment.had
    return event in ("eat", "breed", "shear") and any(other.name == event for other in moment.done)


def _avoid_time_passing(moment: Moment, leaf: Leaf, steps: float) -> str:
    return f"not({leaf}): takes about {steps:,.0f} steps" if steps >= leaf.number else ""


def _avoid_roaming(moment: Moment, leaf: Leaf, steps: float) -> str:
    reach = leaf.number if leaf.name == "away" else leaf.number * 8
    far = max((other.number for other in (*moment.wanted, *moment.earlier) if other.name == "away"), default=0)
    # Being away counts at the moment itself, patches all the way.
    if leaf.name == "visit" and (far >= reach or (moment.needs and reach < _ERRAND)):
        return f"not({leaf}): the way leads further"
    return f"not({leaf}): what is needed may lie further" if moment.needs and reach < _ERRAND // 2 else ""


_AVOIDANCE = {
    "carry": _avoid_carrying,
    "gain": _avoid_item,
    "craft": _avoid_item,
    "smelt": _avoid_item,
    "place": _avoid_item,
    "break": _avoid_breaking,
    "eat": _avoid_eating,
    "kill": _avoid_killing,
    "unlock": _avoid_feat,
    "alive": _avoid_time_passing,
    "away": _avoid_roaming,
    "visit": _avoid_roaming,
}


def _better_at_hand(moment: Moment) -> str:
    """The hand takes the best tool of a class, and the body the best armour, that is carried: no lesser one."""
    for leaf in moment.wanted:
        if leaf.name not in ("hold", "wear"):
            continue
        own = ITEMS[ITEM_ID[leaf.thing]]
        others = moment.had | {other.thing for other in moment.done if other.thing in ITEM_ID}
        for name in sorted(others - {leaf.thing}):
            item = ITEMS[ITEM_ID[name]]
            better = (item.tier, item.speed) > (own.tier, own.speed)
            if leaf.name == "hold" and item.tool == own.tool and better:
                return f"{leaf}: the hand would take {name}"
            if leaf.name == "wear" and item.armour == own.armour and item.armour_points > own.armour_points:
                return f"{leaf}: {name} would be worn"
    return ""
