"""The grammar as tables in Markdown, made from the data."""

from __future__ import annotations

from farlands.worlds.voxel.tasks.predicates import (
    BLOCK_GROUPS,
    COMBINATORS,
    ITEM_GROUPS,
    MAX_NODES,
    PREDICATES,
    Argument,
    Kind,
    vocabulary,
)
from farlands.worlds.voxel.tasks.tree import signature

_LISTED = 8


def predicate_table() -> str:
    """A row for each predicate: how it is written, what its arguments may be, when it is true, how truth goes."""
    rows = [
        f"| `{signature(row)}` | {_describe_all(row.arguments)} | {row.meaning} | {row.timing.value} |"
        for row in PREDICATES
    ]
    return "\n".join(["| predicate | arguments | true when | truth |", "|---|---|---|---|", *rows])


def combinator_table() -> str:
    """A row for each combinator."""
    rows = [f"| `{signature(row)}` | {row.meaning} |" for row in COMBINATORS]
    return "\n".join(["| combinator | true when |", "|---|---|", *rows])


def group_line() -> str:
    """The names that stand for either of two things."""
    groups = {name: set(pair) for name, pair in (ITEM_GROUPS | BLOCK_GROUPS).items()}
    texts = [f"`{name}` ({' or '.join(f'`{thing}`' for thing in sorted(pair))})" for name, pair in groups.items()]
    return f"Some names stand for either of two things: {', '.join(texts)}. A task has at most {MAX_NODES} nodes."


def _describe_all(arguments: tuple[Argument, ...]) -> str:
    return "; ".join(map(_describe, arguments)) or "none"


def _describe(argument: Argument) -> str:
    if argument.kind == Kind.NUMBER:
        return f"{argument.name}: {argument.low} to {argument.high:,}"
    names = list(vocabulary(argument.kind))
    if len(names) <= _LISTED:
        return f"{argument.kind.value}: {', '.join(f'`{name}`' for name in names)}"
    return f"{argument.kind.value} ({len(names)})"
