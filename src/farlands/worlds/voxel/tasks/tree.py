"""A task as an immutable tree: predicates at the leaves, combinators above them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from farlands.errors import nearest
from farlands.worlds.voxel.tasks.predicates import (
    COMBINATOR,
    MAX_NODES,
    PREDICATE,
    Argument,
    Combinator,
    Kind,
    Predicate,
    vocabulary,
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A predicate with its arguments, every one of them given.

    Attributes:
        name: Of the predicate.
        arguments: In the order of the predicate's own; a name or a number each.
    """

    name: str
    arguments: tuple[str | int, ...] = ()

    @property
    def predicate(self) -> Predicate:
        """The row of the table."""
        return PREDICATE[self.name]

    @property
    def thing(self) -> str:
        """The named argument, or an empty text."""
        return self.arguments[0] if self.arguments and isinstance(self.arguments[0], str) else ""

    @property
    def number(self) -> int:
        """The last argument, if it is a number, else 1."""
        return self.arguments[-1] if self.arguments and isinstance(self.arguments[-1], int) else 1

    def __str__(self) -> str:
        rows = PREDICATE[self.name].arguments
        shown = [str(v) for v, row in zip(self.arguments, rows, strict=True) if v != row.default]
        return f"{self.name}({', '.join(shown)})" if shown else self.name


@dataclass(frozen=True, slots=True)
class Node:
    """A combinator over tasks.

    Attributes:
        name: Of the combinator.
        children: The tasks it joins.
        number: Its leading number (steps of ``within``, k of ``count``), 0 where it takes none.
    """

    name: str
    children: tuple[Task, ...]
    number: int = 0

    @property
    def combinator(self) -> Combinator:
        """The row of the table."""
        return COMBINATOR[self.name]

    def __str__(self) -> str:
        shown = [str(self.number)] if self.number else []
        return f"{self.name}({', '.join([*shown, *map(str, self.children)])})"


Task: TypeAlias = Leaf | Node


def walk(task: Task) -> Iterator[Task]:
    """Every node, children before their parents (post-order)."""
    if isinstance(task, Node):
        for child in task.children:
            yield from walk(child)
    yield task


def leaves(task: Task) -> Iterator[Leaf]:
    """Every predicate, from left to right."""
    return (node for node in walk(task) if isinstance(node, Leaf))


def size(task: Task) -> int:
    """Number of nodes."""
    return 1 + sum(map(size, task.children)) if isinstance(task, Node) else 1


def check_tree(task: Task) -> None:
    """Raise ValueError, in one line that names the place, where a tree is not one of the grammar."""
    nodes = list(walk(task))
    if len(nodes) > MAX_NODES:
        raise ValueError(f"task: {len(nodes)} predicates and combinators; a task has at most {MAX_NODES}")
    for node in nodes:
        if isinstance(node, Leaf):
            _check_leaf(node)
        else:
            _check_node(node)


def unknown(what: str, value: object, allowed: list[str]) -> ValueError:
    """``task: no <what> named 'value'`` with the nearest name or, for a short list, all of them."""
    close = nearest(str(value), allowed)
    some = ", ".join(sorted(allowed)[:12]) + (f", and {len(allowed) - 12} more" if len(allowed) > 12 else "")
    return ValueError(
        f"task: no {what} named {value!r}; " + (f"did you mean {close!r}?" if close else f"one of: {some}")
    )


def _check_leaf(leaf: Leaf) -> None:
    row = PREDICATE.get(leaf.name)
    if row is None:
        raise unknown("predicate", leaf.name, [*PREDICATE, *COMBINATOR])
    if len(leaf.arguments) != len(row.arguments):
        raise ValueError(f"task: {signature(row)} has {len(leaf.arguments)} arguments here")
    for value, argument in zip(leaf.arguments, row.arguments, strict=True):
        check_argument(row.name, argument, value)


def check_argument(owner: str, argument: Argument, value: str | int) -> None:
    """Raise ValueError where a value can't be that argument of a predicate or combinator."""
    if argument.kind != Kind.NUMBER:
        if value not in (known := vocabulary(argument.kind)):
            raise unknown(f"{argument.kind.value} for {owner}", value, list(known))
    elif not isinstance(value, int):
        raise ValueError(
            f"task: {owner}: {argument.name} is {value!r}, not a whole number of {argument.low} to {argument.high}"
        )
    elif not argument.low <= value <= argument.high:
        raise ValueError(
            f"task: {owner}: {argument.name} {value} is out of range: {argument.low} to {argument.high}"
        )  # fmt: skip


def _check_node(node: Node) -> None:
    row = COMBINATOR.get(node.name)
    if row is None:
        raise unknown("combinator", node.name, [*PREDICATE, *COMBINATOR])
    n = len(node.children)
    if not row.least <= n <= row.most:
        wanted = f"{row.least}" if row.least == row.most else f"{row.least} to {row.most}"
        raise ValueError(f"task: {row.name} takes {wanted} task{'s' if row.most > 1 else ''}, not {n}")
    if row.number is not None:
        check_argument(row.name, row.number, node.number)
    if row.name == "count" and node.number > n:
        raise ValueError(f"task: count: k {node.number} is more than its {n} tasks")


def signature(row: Predicate | Combinator) -> str:
    """How it is written, e.g. ``carry(item, n=1)``."""
    if isinstance(row, Predicate):
        names = [a.name if a.default is None else f"{a.name}={a.default}" for a in row.arguments]
        return f"{row.name}({', '.join(names)})" if names else row.name
    numbers = [row.number.name] if row.number else []
    return f"{row.name}({', '.join([*numbers, 'task' if row.most == 1 else 'task, ...'])})"
