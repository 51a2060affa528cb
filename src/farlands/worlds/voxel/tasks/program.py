"""Tasks as integers, so that one batch can hold different ones, and the forms in which tasks are compared.

A program is ``MAX_NODES`` nodes of ``WORDS`` int32 words, in post-order (children before their parent, the task itself
last), then zeros:

| word | of a predicate | of a combinator |
|---|---|---|
| OP | its id, 1 to 127 | its id, 128 to 255 |
| FIRST | id of the thing named; of ``time`` the first number | 0 |
| OTHER | id of the other thing of a group, 0 for none | 0 |
| NUMBER | its number (``until`` of ``time``), 1 where it has none | its number, 0 where it has none |
| ARITY | 0 | number of children |
| SIZE | 1 | number of nodes of its subtree, itself included |

The last child of node i is node i - 1; the one before it is SIZE words of that further down, and so on.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from enum import IntEnum

import numpy as np

from farlands.worlds.voxel.tasks.predicates import (
    BY_ID,
    MAX_NODES,
    RESERVED_IDS,
    Kind,
    Predicate,
    vocabulary,
)
from farlands.worlds.voxel.tasks.tree import Leaf, Node, Task, check_tree, walk


class Word(IntEnum):
    """Words of a node."""

    OP = 0
    FIRST = 1
    OTHER = 2
    NUMBER = 3
    ARITY = 4
    SIZE = 5


WORDS = len(Word)
LENGTH = MAX_NODES * WORDS


def encode(task: Task) -> np.ndarray:
    """The program of a task, int32 ``[LENGTH]``.

    Raises:
        ValueError: It is not a task of the grammar.
    """
    check_tree(task)
    program = np.zeros((MAX_NODES, WORDS), dtype=np.int32)
    for i, node in enumerate(walk(task)):
        program[i] = _encode_leaf(node) if isinstance(node, Leaf) else _encode_node(node)
    return program.reshape(LENGTH)


def encode_all(tasks: Sequence[Task]) -> np.ndarray:
    """Programs of several tasks, int32 ``[N, LENGTH]``."""
    return np.stack([encode(task) for task in tasks]) if tasks else np.zeros((0, LENGTH), dtype=np.int32)


def decode(program: np.ndarray) -> Task:
    """The task of a program.

    Raises:
        ValueError: It is not one that ``encode`` writes; the message says where.
    """
    words = np.asarray(program)
    if words.shape != (LENGTH,) or not np.issubdtype(words.dtype, np.integer):
        raise ValueError(f"task program: {words.dtype} {words.shape}, expected integers {(LENGTH,)}")
    stack: list[Task] = []
    rows = words.reshape(MAX_NODES, WORDS)
    used = int(np.count_nonzero(rows[:, Word.OP]))
    for i in range(used):
        op, first, other, number, arity = (int(rows[i, k]) for k in range(WORDS - 1))
        row = BY_ID.get(op)
        if row is None:
            kept = next((name for name, ids in RESERVED_IDS.items() if op in ids), "")
            raise ValueError(f"task program: node {i} has the unknown id {op}{f', kept for {kept}' if kept else ''}")
        if isinstance(row, Predicate):
            stack.append(_decode_leaf(row, first, other, number, i))
        elif arity > len(stack) or not row.least <= arity <= row.most:
            raise ValueError(f"task program: node {i}, {row.name}, has {arity} children of {len(stack)} at hand")
        else:
            stack[len(stack) - arity :] = [Node(row.name, tuple(stack[len(stack) - arity :]), number)]
    if len(stack) != 1:
        raise ValueError(f"task program: holds {len(stack)} tasks, not one")
    if not np.array_equal(encode(stack[0]), words):
        raise ValueError("task program: words that mean nothing are set")
    return stack[0]


@functools.lru_cache(maxsize=65536)
def _encode_leaf(leaf: Leaf) -> tuple[int, ...]:
    row = leaf.predicate
    numbers = [value for value in leaf.arguments if isinstance(value, int)]
    first, other = 0, 0
    if row.names_thing:
        first, other = vocabulary(row.arguments[0].kind)[leaf.thing]
    elif len(numbers) == 2:
        first = numbers[0]
    return row.id, first, other, numbers[-1] if numbers else 1, 0, 1


def _encode_node(node: Node) -> tuple[int, ...]:
    return node.combinator.id, 0, 0, node.number, len(node.children), sum(1 for _ in walk(node))


@functools.cache
def _names_by_ids(kind: Kind) -> dict[tuple[int, int], str]:
    return {ids: name for name, ids in vocabulary(kind).items()}


def _decode_leaf(row: Predicate, first: int, other: int, number: int, at: int) -> Leaf:
    arguments: list[str | int] = []
    for argument in row.arguments:
        if argument.kind == Kind.NUMBER:
            arguments.append(first if len(arguments) == 0 and len(row.arguments) == 2 else number)
            continue
        names = _names_by_ids(argument.kind)
        if (first, other) not in names:
            raise ValueError(f"task program: node {at}, {row.name}, names no {argument.kind.value}: {first}, {other}")
        arguments.append(names[first, other])
    return Leaf(row.name, tuple(arguments))


def canonical(task: Task) -> Task:
    """An equal task in one form for all that differ only in order or in needless nesting.

    Children of combinators that don't care for order are sorted; ``all`` in ``all`` and ``any`` in ``any`` are
    flattened and repeats dropped; a double ``not`` goes; ``not`` of ``at_least`` and the like stays as it is.
    """
    if isinstance(task, Leaf):
        return task
    children = [canonical(child) for child in task.children]
    if task.name == "not" and isinstance(children[0], Node) and children[0].name == "not":
        return children[0].children[0]
    if task.name in ("all", "any"):
        flat = [c for child in children for c in (child.children if _is(child, task.name) else (child,))]
        children = sorted(set(flat), key=str)
        if len(children) == 1:
            return children[0]
    elif task.combinator.commutes:
        children.sort(key=str)
    return Node(task.name, tuple(children), task.number)


def _is(task: Task, name: str) -> bool:
    return isinstance(task, Node) and task.name == name


def structure(task: Task) -> str:
    """What is left of a task without quantities and ids: the names of its predicates and combinators.

    Children of combinators that don't care for order are sorted: of ``canonical`` tasks, equal structures have equal
    texts.
    """
    if isinstance(task, Leaf):
        return task.name
    children = [structure(child) for child in task.children]
    if task.combinator.commutes:
        children.sort()
    return f"{task.name}({','.join(children)})"


def structure_hash(text: str) -> int:
    """64 bits of a structure's text, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
