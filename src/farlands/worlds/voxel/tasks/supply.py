"""Whether a limited start kit lasts for what is wanted: a plan with exact numbers, as the rules would consume it."""

from __future__ import annotations

from collections.abc import Iterable

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, ACHIEVEMENTS
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.recipes import FUELS, SMELTING_TICKS
from farlands.worlds.voxel.tasks.facts import members
from farlands.worlds.voxel.tasks.techtree import STATION_ITEM, TechTree
from farlands.worlds.voxel.tasks.tree import Leaf

_KEPT = ("carry", "gain", "craft", "smelt", "hold", "wear")


class _ShortageError(Exception):
    """Something runs out."""


def shortage(tree: TechTree, wanted: Iterable[Leaf]) -> str:
    """What a start kit has too little of and the land does not give, or an empty text. Without a kit nothing is."""
    if not tree.kit:
        return ""
    supply = _Supply(tree)
    try:
        for leaf in wanted:
            _meet(supply, leaf)
    except _ShortageError as short:
        return str(short)
    return ""


def _meet(supply: _Supply, leaf: Leaf) -> None:
    if leaf.name == "unlock":
        feat = ACHIEVEMENTS[ACHIEVEMENT_ID[leaf.thing]]
        if feat.items:
            supply.have(feat.items, 1, new=True)
    elif leaf.name in ("place", "eat"):
        supply.take(members(leaf.thing), leaf.number)
    elif leaf.name in _KEPT:
        supply.have(members(leaf.thing), leaf.number, new=leaf.name in ("gain", "craft", "smelt"))


class _Supply:
    """What is carried and not promised; what the land gives is without limit."""

    def __init__(self, tree: TechTree) -> None:
        self.tree = tree
        self.stock = dict(tree.kit)
        self.pending: list[str] = []

    def have(self, names: tuple[str, ...], count: int, *, new: bool) -> None:
        """See to ``count`` of some items, on top of what is carried where they must be ``new``."""
        if new:
            self._make(names, count)
        else:
            self.take(names, count)
            return
        # Made things are carried afterwards.
        self.stock[names[0]] = self.stock.get(names[0], 0) + count

    def take(self, names: tuple[str, ...], count: int) -> None:
        """Use up ``count`` of any of some items, making what is missing."""
        for name in names:
            used = min(self.stock.get(name, 0), count)
            self.stock[name] = self.stock.get(name, 0) - used
            count -= used
        if count:
            self._make(names, count)

    def _make(self, names: tuple[str, ...], count: int) -> None:
        known = [name for name in names if name in self.tree.natural.ways]
        name = min(known, key=lambda n: self.tree.natural.ways[n].depth, default="")
        if name:
            return
        for recipe in self.tree.recipes:
            if recipe.output in names and recipe.output not in self.pending and self.tree.crafting(recipe) is not None:
                self._craft(recipe.output, recipe.inputs, STATION_ITEM.get(recipe.station, ""), count, recipe.count)
                return
        for smelting in self.tree.smeltings:
            if smelting.output in names and self.tree.smelting(smelting) is not None:
                burns = max(ITEMS[ITEM_ID[fuel]].fuel for fuel in FUELS)
                fuel = (("|".join(FUELS), -(-count * SMELTING_TICKS // burns)),)
                self._craft(smelting.output, ((smelting.input, 1),), "furnace", count, 1)
                self.take(tuple(fuel[0][0].split("|")), fuel[0][1])
                return
        raise _ShortageError(f"the start kit has too little {names[0]}, and there is no way to more")

    def _craft(self, output: str, inputs: tuple, station: str, count: int, each: int) -> None:
        times = -(-count // each)
        self.pending.append(output)
        for names, per in inputs:
            self.take(tuple(names.split("|")), per * times)
        if station:
            self.have((station,), 1, new=False)
            self.stock[station] = self.stock.get(station, 0) + 1
        self.pending.pop()
        self.stock[output] = self.stock.get(output, 0) + times * each - count
