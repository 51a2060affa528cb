"""The tasks a world sets: written ones, or ones that are drawn by its options."""

from __future__ import annotations

import functools

from farlands.worlds.voxel.alterations import alter
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.kit import parse_kit
from farlands.worlds.voxel.options import BIOMES, VoxelOptions
from farlands.worlds.voxel.tasks.land import land_of, met_by
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.places import land_biomes, rules_seed
from farlands.worlds.voxel.tasks.sampler import MIN_SHARE, Sampler, sample_many
from farlands.worlds.voxel.tasks.splits import TOP_BIT, Split, parse_split
from farlands.worlds.voxel.tasks.techtree import TechTree, flat_choices
from farlands.worlds.voxel.tasks.tree import Task

MOST = 1_000_000


def task_bank(options: VoxelOptions) -> tuple[Task, ...]:
    """The tasks of a world with these options, the same for everyone.

    Raises:
        ValueError: A task or a setting that can't be, in one line.
    """
    if options.tasks:
        return tuple(parse(text) for text in options.tasks)
    kit = tuple(options.start_kit)
    return _draw(
        options.task_count, options.task_seed, options.task_depths, options.task_split, kit, options.actions,
        options.horizon, rules_seed(options), land_biomes(options), options.creatures, options.growth_rate,
    )  # fmt: skip


@functools.lru_cache(maxsize=8)
def _draw(
    count: int, seed: int, depths: tuple[int, ...], split: str, kit: tuple[str, ...], actions: str, horizon: int,
    rules: int, biomes: tuple[str, ...], creatures: str, growth: float,
) -> tuple[Task, ...]:  # fmt: skip
    if not 1 <= count <= MOST:
        raise ValueError(f"task_count {count} is out of range: 1 to {MOST}")
    if not 0 <= seed < TOP_BIT:
        raise ValueError(f"task_seed {seed} is out of range: 0 to 2**63 - 1")
    part = parse_split(split)
    tree = tree_of(kit, actions, MIN_SHARE, rules, biomes, creatures, growth)
    sampler = Sampler(tree, depths=depths, horizon=horizon, split=part)
    return tuple(task for _, task in sample_many(sampler, seed_for(part, seed), count))


def tree_of(
    kit: tuple[str, ...], actions: str, min_share: float, rules: int = 0, biomes: tuple[str, ...] = BIOMES,
    creatures: str = "all", growth: float = 1.0,
) -> TechTree:  # fmt: skip
    """The ways to things in a world with that start kit, those actions and creatures, under altered rules, in some
    biomes, where things grow so fast.

    Raises:
        ValueError: The kit or the rules can't be.
    """
    carried = {ITEMS[item].name: count for item, count in parse_kit(kit)}
    choices = flat_choices() if actions == "flat" else None
    return TechTree(
        *alter(rules), kit=carried, choices=choices, min_share=min_share, land=land_of(biomes), met=met_by(creatures),
        growth=growth,
    )  # fmt: skip


def seed_for(split: Split | None, seed: int) -> int:
    """A seed with the top bit that its part of the tasks asks for."""
    if split is None or split.rule != "seed":
        return seed
    return seed | TOP_BIT if split.part == "test" else seed & ~TOP_BIT
