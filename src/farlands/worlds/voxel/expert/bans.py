"""What must not be done on the way to something else: the planner, the paths and the hands keep to it."""

from __future__ import annotations

from dataclasses import dataclass, fields

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, ACHIEVEMENTS
from farlands.worlds.voxel.alterations import Rulebook
from farlands.worlds.voxel.tasks.facts import members
from farlands.worlds.voxel.tasks.tree import Leaf

_NONE: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Bans:
    """Names of what is forbidden.

    Attributes:
        gain: Items that must not come into the slots. craft, smelt: That must not be made so.
        place: Items that must not be put up. breaks: Blocks that must not be broken.
        eat: Items that must not be eaten. kill: Creatures that must not be killed.
        events: Achievements' events that must not come about, such as ``eat`` and ``sleep``.
    """

    gain: frozenset[str] = _NONE
    craft: frozenset[str] = _NONE
    smelt: frozenset[str] = _NONE
    place: frozenset[str] = _NONE
    breaks: frozenset[str] = _NONE
    eat: frozenset[str] = _NONE
    kill: frozenset[str] = _NONE
    events: frozenset[str] = _NONE

    def __or__(self, other: Bans) -> Bans:
        return Bans(*(getattr(self, field.name) | getattr(other, field.name) for field in fields(self)))

    def untouchable(self, rules: Rulebook) -> frozenset[str]:
        """Blocks to leave alone unless they are what is wanted: forbidden ones, and those that may drop what is."""
        dropping = (b.name for b in rules.blocks if b.drop in self.gain or b.rare_drop in self.gain)
        return self.breaks | frozenset(dropping)


NO_BANS = Bans()


def ban_of(leaf: Leaf) -> Bans:
    """What must not be done so that a predicate that does not hold goes on so."""
    things = frozenset(members(leaf.thing, blocks=leaf.name == "break"))
    if leaf.name in ("carry", "gain"):
        return Bans(gain=things)
    if leaf.name == "unlock":
        return _feat_ban(leaf.thing)
    field = {"craft": "craft", "smelt": "smelt", "place": "place", "break": "breaks", "eat": "eat", "kill": "kill"}.get(
        leaf.name
    )
    if leaf.name in ("breed", "shear"):
        return Bans(events=frozenset({leaf.name}))
    return Bans(**{field: things}) if field else NO_BANS


def _feat_ban(name: str) -> Bans:
    feat = ACHIEVEMENTS[ACHIEVEMENT_ID[name]]
    if feat.event.startswith("wear_"):
        return Bans(gain=frozenset({f"{feat.event.removeprefix('wear_')}_helmet"}))
    if feat.event.startswith("kill_"):
        return Bans(kill=frozenset({feat.event.removeprefix("kill_")}))
    return Bans(
        gain=frozenset(feat.items), place=frozenset(feat.places),
        events=frozenset({feat.event} if feat.event else ()),
    )  # fmt: skip
