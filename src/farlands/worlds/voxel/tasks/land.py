"""What can be counted on in the land, for judging and drawing tasks. Data only, measured over many levels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper


@dataclass(frozen=True)
class Deposit:
    """One kind of block that the land grows.

    Attributes:
        share: Levels in which at least eight of it lie in the 64 x 64 blocks around the start, of 400.
        search: Steps that finding the first may take. A rough guess, as is ``each``.
        each: Steps between one and the next, without the breaking.
    """

    share: float
    search: int
    each: int


LAND: dict[str, Deposit] = {
    "stone": Deposit(1.0, 60, 6),
    "dirt": Deposit(1.0, 20, 6),
    "grass": Deposit(1.0, 10, 6),
    "sand": Deposit(0.695, 200, 6),
    "gravel": Deposit(1.0, 300, 10),
    "clay": Deposit(1.0, 400, 10),
    "snow": Deposit(0.472, 300, 6),
    "oak_log": Deposit(0.978, 40, 15),
    "spruce_log": Deposit(0.757, 200, 15),
    "oak_leaves": Deposit(0.985, 40, 10),
    "spruce_leaves": Deposit(0.772, 200, 10),
    "cactus": Deposit(0.160, 800, 60),
    "tall_grass": Deposit(1.0, 30, 15),
    "red_flower": Deposit(0.995, 80, 40),
    "yellow_flower": Deposit(0.995, 80, 40),
    "coal_ore": Deposit(1.0, 200, 25),
    "iron_ore": Deposit(1.0, 300, 40),
    "gold_ore": Deposit(1.0, 600, 80),
    "diamond_ore": Deposit(1.0, 900, 120),
    "water": Deposit(0.355, 300, 0),
    "lava": Deposit(1.0, 600, 0),
}
"""Blocks that are grown, not made; ``python benchmarks/tasks.py land`` measures the shares."""

_GROWN_IN: dict[str, tuple[str, ...]] = {
    "oak_log": ("plains", "forest"), "oak_leaves": ("plains", "forest"),
    "spruce_log": ("forest", "snow", "mountains"), "spruce_leaves": ("forest", "snow", "mountains"),
    "cactus": ("desert",), "snow": ("snow", "mountains"), "water": ("ocean",),
    "grass": ("plains", "forest", "mountains"), "tall_grass": ("plains", "forest", "mountains"),
    "red_flower": ("plains", "forest", "mountains"), "yellow_flower": ("plains", "forest", "mountains"),
}  # fmt: skip


def _rarer(grass: float, tall_grass: float, flowers: float) -> dict[str, Deposit]:
    shares = {"grass": grass, "tall_grass": tall_grass, "red_flower": flowers, "yellow_flower": flowers}
    return {name: replace(LAND[name], share=share) for name, share in shares.items()}


_SPRUCES = {"spruce_log": Deposit(1.0, 40, 15), "spruce_leaves": Deposit(1.0, 40, 10)}
_SNOW = {**_SPRUCES, "snow": Deposit(1.0, 10, 6)}
_COLD_LAND: dict[frozenset[str], dict[str, Deposit]] = {
    frozenset({"snow"}): _SNOW,
    frozenset({"mountains"}): {**_SPRUCES, "snow": Deposit(0.7, 100, 6), **_rarer(0.96, 0.925, 0.81)},
    frozenset({"snow", "mountains"}): {**_SNOW, **_rarer(0.42, 0.4, 0.21)},
}
"""Rows that differ much from those of all biomes together, of 200 levels."""


def land_of(biomes: Iterable[str]) -> dict[str, Deposit]:
    """What some biomes grow: the rows of ``LAND`` without those that none of them grows.

    Where nothing else was measured, shares are those of all biomes together, a rough guess for some of them: with cold
    woods in place of snow, oaks stand near the start in 0.885 of levels instead of 0.978.
    """
    chosen = frozenset(biomes)
    found = {name: each for name, each in LAND.items() if name not in _GROWN_IN or chosen & set(_GROWN_IN[name])}
    return {name: _COLD_LAND.get(chosen, {}).get(name, each) for name, each in found.items()}


MET: dict[str, Deposit] = {
    "cow": Deposit(0.98, 1_500, 60), "pig": Deposit(0.98, 1_500, 60), "sheep": Deposit(0.995, 1_200, 60),
    "chicken": Deposit(0.985, 1_500, 60),
    "zombie": Deposit(0.99, 3_300, 400), "skeleton": Deposit(1.0, 3_300, 400), "spider": Deposit(0.98, 3_300, 400),
    "creeper": Deposit(0.99, 3_300, 400),
}  # fmt: skip
"""Creatures that are met: animals in a walk of 1,440 blocks (of 200 levels), monsters in the first 5,000 steps spent at
the start (of 100 levels); ``python benchmarks/chances.py creatures`` measures the shares."""

RIPENING_STEPS = 21_500
"""Steps that lone wheat on wet farmland takes from seed to harvest, on average."""


def met_by(creatures: str) -> dict[str, Deposit]:
    """The rows of ``MET`` for a value of ``VoxelOptions.creatures``."""
    tempers = {"all": (Temper.PEACEFUL, Temper.HOSTILE), "animals": (Temper.PEACEFUL,), "none": ()}[creatures]
    return {each.name: MET[each.name] for each in CREATURES if each.temper in tempers}


START_HEIGHTS = (34, 43)
"""Least and greatest height of the feet at the start, of 192 levels."""

RANDOM_PLAY: dict[tuple[str, str], int] = {
    ("gain", "dirt"): 4, ("gain", "sand"): 3, ("gain", "oak_sapling"): 2, ("gain", "spruce_sapling"): 2,
    ("gain", "sapling"): 2, ("gain", "red_flower"): 3, ("gain", "yellow_flower"): 3, ("gain", "flower"): 4,
    ("gain", "apple"): 2, ("break", "dirt"): 4, ("break", "grass"): 4, ("break", "sand"): 3, ("break", "leaves"): 16,
    ("break", "oak_leaves"): 16, ("break", "spruce_leaves"): 16, ("break", "tall_grass"): 16,
    ("break", "red_flower"): 3, ("break", "yellow_flower"): 3, ("break", "flower"): 4, ("break", "snow"): 3,
    ("place", "dirt"): 4, ("away", ""): 90, ("visit", ""): 45, ("above", ""): 45, ("eat", "apple"): 1,
    ("carry", "dirt"): 3, ("carry", "flower"): 4, ("carry", "red_flower"): 3, ("carry", "yellow_flower"): 3,
    ("carry", "sapling"): 2, ("carry", "oak_sapling"): 2, ("carry", "spruce_sapling"): 2, ("carry", "apple"): 2,
    ("carry", "sand"): 3, ("gain", "wheat_seeds"): 6, ("carry", "wheat_seeds"): 6, ("place", "wheat_seeds"): 2,
    ("place", "sapling"): 1,
}  # fmt: skip
"""Numbers that random play (10,000 steps, 200 levels, possible choices) reaches in fewer than one episode of twenty;
``python benchmarks/chances.py play`` measures what it reaches in one of twenty, mostly half of it."""
