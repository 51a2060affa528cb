"""Which tasks are for training and which are held out, by rules that look at nothing but the task or its seed.

Every rule parts the tasks in two, ``train`` and ``test``, so a task of one part is never drawn for the other:

- ``structure``: one structure in ten (its hash, quantities and ids aside) is held out.
- ``pairs``: one pair of predicates in twelve (by the hash of their names) is held out; a task is of the test part if
  any two of its predicates are such a pair. Every predicate by itself is seen in training.
- ``depth``: tasks deeper than ``DEEPEST_TRAINING`` are held out.
- ``seed``: tasks whose seed has its top bit set are held out, as levels are. The tasks themselves may be the same.

Two more say not which tasks are set but where: ``rules`` and ``biome``, see ``places``.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal, get_args

from farlands.errors import nearest
from farlands.worlds.voxel.tasks.program import structure, structure_hash
from farlands.worlds.voxel.tasks.tree import Task, leaves

Rule = Literal["structure", "pairs", "depth", "seed"]
Part = Literal["train", "test"]
RULES: tuple[str, ...] = get_args(Rule)
Place = Literal["rules", "biome"]
PLACES: tuple[str, ...] = get_args(Place)
"""What parts the worlds that tasks are set in."""
PARTS: tuple[str, ...] = get_args(Part)

STRUCTURE_ONE_IN = 10
PAIR_ONE_IN = 12
DEEPEST_TRAINING = 6
TOP_BIT = 1 << 63


@dataclass(frozen=True)
class Split:
    """One part of the tasks, or of the worlds they are set in, under one rule."""

    rule: Rule | Place
    part: Part

    def __str__(self) -> str:
        return f"{self.rule}:{self.part}"


def parse_split(text: str) -> Split | None:
    """``"structure:test"`` and the like; None for an empty text.

    Raises:
        ValueError: There is no such rule or part.
    """
    if not text:
        return None
    rule, _, part = text.partition(":")
    for value, allowed, what in ((rule, (*RULES, *PLACES), "rule"), (part, PARTS, "part")):
        if value not in allowed:
            close = nearest(value, allowed)
            hint = f"did you mean {close!r}?" if close else f"one of: {', '.join(allowed)}"
            raise ValueError(f"split {text!r}: no {what} named {value!r}; {hint}")
    return Split(rule, part)  # type: ignore[arg-type]


def part_of(task: Task, seed: int, depth: int, rule: Rule) -> Part:
    """Which part a task is of.

    Args:
        task: In canonical form.
        seed: It was drawn from.
        depth: Of the task.
        rule: How tasks are parted.
    """
    if rule == "structure":
        held_out = structure_hash(structure(task)) % STRUCTURE_ONE_IN == 0
    elif rule == "pairs":
        held_out = bool(pairs(task) & held_out_pairs())
    elif rule == "depth":
        held_out = depth > DEEPEST_TRAINING
    else:
        held_out = bool(seed & TOP_BIT)
    return "test" if held_out else "train"


def belongs(task: Task, seed: int, depth: int, split: Split) -> bool:
    """Whether a task is of a part; see ``part_of``. Any task may be set in any place."""
    return split.rule in PLACES or part_of(task, seed, depth, split.rule) == split.part  # type: ignore[arg-type]


def pairs(task: Task) -> frozenset[tuple[str, str]]:
    """The pairs of different predicates that meet in a task, each in the order of their names."""
    names = sorted({leaf.name for leaf in leaves(task)})
    return frozenset((one, other) for i, one in enumerate(names) for other in names[i + 1 :])


@functools.cache
def held_out_pairs() -> frozenset[tuple[str, str]]:
    """The pairs of predicates that training never sees together."""
    from farlands.worlds.voxel.tasks.predicates import PREDICATE

    names = sorted(PREDICATE)
    every = ((one, other) for i, one in enumerate(names) for other in names[i + 1 :])
    return frozenset(pair for pair in every if structure_hash("+".join(pair)) % PAIR_ONE_IN == 0)
