"""Tasks as text: ``parse`` reads what ``str(task)`` writes.

A task is a predicate or combinator with its arguments in brackets, e.g.
``sequence(gain(cobblestone, 8), within(200, craft(furnace)))``. Numbers with a default may be left out, and so may
empty brackets.
"""

from __future__ import annotations

import re

from farlands.worlds.voxel.tasks.predicates import COMBINATOR, MAX_NODES, PREDICATE, Combinator, Predicate
from farlands.worlds.voxel.tasks.tree import Leaf, Node, Task, check_tree, signature, unknown

_TOKEN = re.compile(r"\s*(?:([a-z][a-z_]*)|(\d[\d_]*)|([(),]))")
_MAX_DIGITS = 12


def parse(text: str) -> Task:
    """Read a task.

    Raises:
        ValueError: In one line: what stands where, and what is allowed there.
    """
    task, rest = _read_task(_tokens(text), 0)
    if rest:
        raise ValueError(f"task: {_show(rest[0])} after the end of the task")
    check_tree(task)
    return task


def _tokens(text: str) -> list[str | int]:
    found: list[str | int] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            left = text[at:].lstrip()
            raise ValueError(f"task: unexpected {left[0]!r} at character {len(text) - len(left) + 1}")
        if match[2] and len(match[2]) > _MAX_DIGITS:
            raise ValueError(f"task: the number {match[2][:_MAX_DIGITS]}... is too long")
        found.append(int(match[2].replace("_", "")) if match[2] else match[1] or match[3])
        at = match.end()
    if not found:
        raise ValueError("task: empty; write one like gain(log, 3)")
    return found


def _show(token: str | int) -> str:
    return repr(str(token))


def _read_task(tokens: list[str | int], depth: int) -> tuple[Task, list[str | int]]:
    if depth >= MAX_NODES:
        raise ValueError(f"task: nested more than {MAX_NODES} deep")
    if not tokens:
        raise ValueError("task: ends where a task should stand")
    name, *rest = tokens
    row = PREDICATE.get(str(name)) or COMBINATOR.get(str(name))
    if row is None:
        if isinstance(name, int) or name in "(),":
            raise ValueError(f"task: {_show(name)} where a task should stand")
        raise unknown("predicate", name, [*PREDICATE, *COMBINATOR])
    if isinstance(row, Combinator):
        return _read_node(row, rest, depth)
    return _read_leaf(row, rest)


def _read_leaf(row: Predicate, rest: list[str | int]) -> tuple[Task, list[str | int]]:
    values: list[str | int] = []
    if rest and rest[0] == "(":
        rest = rest[1:]
        while rest and rest[0] != ")":
            if values:
                rest = _expect(rest, ",", row)
            if not rest or rest[0] in ("(", ")", ","):
                raise ValueError(f"task: {signature(row)}: an argument is missing")
            values.append(rest[0])
            rest = rest[1:]
        rest = _expect(rest, ")", row)
    if len(values) > len(row.arguments):
        raise ValueError(f"task: {signature(row)} has {len(values)} arguments here")
    for argument in row.arguments[len(values) :]:
        if argument.default is None:
            raise ValueError(f"task: {signature(row)}: {argument.name} is missing")
        values.append(argument.default)
    return Leaf(row.name, tuple(values)), rest


def _read_node(row: Combinator, rest: list[str | int], depth: int) -> tuple[Task, list[str | int]]:
    rest = _expect(rest, "(", row)
    number = 0
    if row.number is not None:
        if not rest or not isinstance(rest[0], int):
            raise ValueError(f"task: {signature(row)}: {row.number.name} must come first, as a whole number")
        number, rest = rest[0], rest[1:]
    children: list[Task] = []
    while not rest or rest[0] != ")":
        if children or row.number is not None:
            rest = _expect(rest, ",", row)
        child, rest = _read_task(rest, depth + 1)
        children.append(child)
    return Node(row.name, tuple(children), number), rest[1:]


def _expect(rest: list[str | int], token: str, row: Predicate | Combinator) -> list[str | int]:
    if not rest:
        raise ValueError(f"task: {signature(row)}: ends where {token!r} should stand")
    if rest[0] != token:
        raise ValueError(f"task: {signature(row)}: {_show(rest[0])} where {token!r} should stand")
    return rest[1:]
