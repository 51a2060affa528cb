"""How an agent sees its task: arrays of ids and numbers, one entry a node, in the order of the program."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from farlands.worlds.voxel.achievements import ACHIEVEMENTS
from farlands.worlds.voxel.creatures.kinds import LIVING
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.tasks.predicates import (
    BLOCK_GROUPS,
    BY_ID,
    COMBINATORS,
    ITEM_GROUPS,
    MAX_NODES,
    NAMED_BLOCKS,
    PREDICATES,
    Kind,
    Predicate,
    Vital,
    vocabulary,
)
from farlands.worlds.voxel.tasks.program import WORDS, Word
from farlands.worlds.world import ArraySpec

GOAL_SENSES = ("goal_op", "goal_thing", "goal_number", "goal_arity", "goal_progress", "goal_at_work")
"""The arrays of a goal, each ``[MAX_NODES]``."""

OPS: tuple[str, ...] = ("none", *(row.name for row in (*PREDICATES, *COMBINATORS)))
"""What ``goal_op`` tells apart."""

THINGS: tuple[str, ...] = (
    "none",
    *(f"item {item.name}" for item in ITEMS[1:]),
    *(f"item {name}" for name in ITEM_GROUPS),
    *(f"block {name}" for name in NAMED_BLOCKS),
    *(f"block {name}" for name in BLOCK_GROUPS),
    *(f"vital {vital.name.lower()}" for vital in Vital),
    *(f"feat {feat.name}" for feat in ACHIEVEMENTS),
    *(f"creature {name}" for name in LIVING),
)
"""What ``goal_thing`` tells apart."""

MOST_NUMBER = 32_767

_ID_BITS = 8
_KIND_WORDS = {
    Kind.BLOCK: "block", Kind.BREAKABLE: "block", Kind.FLUID: "block", Kind.VITAL: "vital", Kind.ACHIEVEMENT: "feat",
    Kind.CREATURE: "creature", Kind.BREEDABLE: "creature", Kind.SHEARABLE: "creature",
}  # fmt: skip
_KINDS = ("item", "block", "vital", "feat", "creature")


def _thing_bits(index: int) -> tuple[int, ...]:
    """Five bits of kind, eight of the id: a code of its own for every thing."""
    word = THINGS[index].split(" ")[0]
    return (*(int(word == kind) for kind in _KINDS), *((index >> bit) & 1 for bit in reversed(range(_ID_BITS))))


def goal_specs() -> dict[str, ArraySpec]:
    """The arrays of a goal, in the order of ``GOAL_SENSES``."""
    one_hot = tuple(tuple(int(i == k) for k in range(1, len(OPS))) for i in range(len(OPS)))
    shape = (MAX_NODES,)
    specs = {
        "goal_op": ArraySpec(
            shape, "uint8", 0, len(OPS) - 1, categories=OPS, class_bits=one_hot,
            description="The task's nodes, children before their parent: predicate or combinator.",
        ),
        "goal_thing": ArraySpec(
            shape, "uint8", 0, len(THINGS) - 1, categories=THINGS,
            class_bits=tuple(_thing_bits(index) for index in range(len(THINGS))),
            description="What each predicate is about.",
        ),
        "goal_number": ArraySpec(
            shape, "int16", 0, MOST_NUMBER, description="Each node's number: how many, how far, how many steps.",
        ),
        "goal_arity": ArraySpec(
            shape, "uint8", 0, MAX_NODES - 1, description="How many children each node has: those just before it.",
        ),
        "goal_progress": ArraySpec(shape, "uint8", 0, 100, description="Progress of each node in hundredths."),
        "goal_at_work": ArraySpec(shape, "uint8", 0, 1, description="Whether each node is at work now."),
    }  # fmt: skip
    return {key: dataclasses.replace(array, list_name="goal") for key, array in specs.items()}


def goal_arrays(programs: np.ndarray) -> dict[str, np.ndarray]:
    """What does not change while a task lasts: the first four of ``GOAL_SENSES``, each ``[N, MAX_NODES]``.

    Args:
        programs: int32 ``[N, LENGTH]``.
    """
    words = np.asarray(programs).reshape(-1, MAX_NODES, WORDS)
    op, first, other = (words[..., word] for word in (Word.OP, Word.FIRST, Word.OTHER))
    keys = np.stack([op, first, other], axis=-1).reshape(-1, 3)
    unique, inverse = np.unique(keys, axis=0, return_inverse=True)
    things = np.array([_thing_index(*map(int, key)) for key in unique], dtype=np.uint8)
    ops = np.zeros(256, dtype=np.uint8)
    for index, row in enumerate((*PREDICATES, *COMBINATORS), 1):
        ops[row.id] = index
    return {
        "goal_op": ops[op],
        "goal_thing": things[inverse].reshape(op.shape),
        "goal_number": np.clip(words[..., Word.NUMBER], 0, MOST_NUMBER).astype(np.int16),
        "goal_arity": words[..., Word.ARITY].astype(np.uint8),
    }


@functools.lru_cache(maxsize=65536)
def _thing_index(op: int, first: int, other: int) -> int:
    row = BY_ID.get(op)
    if not isinstance(row, Predicate) or not row.names_thing:
        return 0
    kind = row.arguments[0].kind
    name = next(name for name, ids in vocabulary(kind).items() if ids == (first, other))
    return THINGS.index(f"{_KIND_WORDS.get(kind, 'item')} {name}")
