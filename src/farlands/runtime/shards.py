"""State that every process of a run has for itself, in checkpoints that any number of processes can go on from.

A component is shared (equal in all processes, written by the first) or own: worlds, what collection holds for each row,
the row's part of rewards, process-wide generators. A checkpoint of n processes has the own components of process k as
``<name>-<k>of<n>``. As many processes take back each its own; another number of them deals the worlds anew.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from farlands.worlds.world import World

_NAME = re.compile(r"(?P<name>.+)-(?P<rank>\d+)of(?P<size>\d+)")


@dataclass(frozen=True)
class Share:
    """Which part of a run a process has.

    Attributes:
        rank, size: Of the process.
        total: Worlds of all processes together.
        agents: Rows of each world.
    """

    rank: int = 0
    size: int = 1
    total: int = 1
    agents: int = 1

    @property
    def worlds(self) -> range:
        """Of this process, among all."""
        return range(self.total * self.rank // self.size, self.total * (self.rank + 1) // self.size)

    def of(self, rank: int, size: int) -> Share:
        """The share of another process, or of one among another number of them."""
        return Share(rank, size, self.total, self.agents)


def shard_name(name: str, rank: int, size: int) -> str:
    """What an own component of a process is called in a checkpoint."""
    return name if size == 1 else f"{name}-{rank}of{size}"


def split_name(part: str, size: int) -> tuple[str, int]:
    """The component that a part of a checkpoint of ``size`` processes belongs to, and of which process it is."""
    match = _NAME.fullmatch(part) if size > 1 else None
    return (match["name"], int(match["rank"])) if match and int(match["size"]) == size else (part, 0)


def needed_shards(share: Share, size: int) -> list[int]:
    """Of the ``size`` processes that wrote a checkpoint, those with worlds that a process is to have."""
    if size == share.size:
        return [share.rank]
    mine = share.worlds
    theirs = [share.of(rank, size).worlds for rank in range(size)]
    return [rank for rank, span in enumerate(theirs) if span.start < mine.stop and mine.start < span.stop]


def deal(component: Any, states: Mapping[int, Any], share: Share, size: int) -> Any:
    """The state that a process's component goes on with.

    Args:
        component: A ``World``, or anything whose ``per_row`` names the entries of its state with a leading row axis.
        states: By process that wrote it, those that are needed.
        share: Of this process.
        size: How many processes wrote the checkpoint.

    Returns:
        A state for ``load_state_dict``; None where the component begins anew, having nothing that belongs to rows.
    """
    if size == share.size:
        return states[share.rank]
    if not isinstance(component, World) and not hasattr(component, "per_row"):
        return None
    mine, pieces = share.worlds, []
    for rank in sorted(states):
        theirs = share.of(rank, size).worlds
        start, stop = max(mine.start, theirs.start), min(mine.stop, theirs.stop)
        pieces.append((states[rank], slice(start - theirs.start, stop - theirs.start)))
    if isinstance(component, World):
        return component.regroup(pieces)
    rows = [(state, slice(cut.start * share.agents, cut.stop * share.agents)) for state, cut in pieces]
    return join_rows(rows, component.per_row)


def join_rows(pieces: Sequence[tuple[Mapping[str, Any], slice]], per_row: Collection[str]) -> dict[str, Any]:
    """State whose entries named by ``per_row``, tensors or dicts of them, are put together row by row.

    The others are equal in all processes. Entries that are still without rows (shape ``[0, ...]``) stay so.
    """

    def join(values: Sequence[Any], cuts: Sequence[slice]) -> Any:
        if isinstance(values[0], Mapping):
            return {key: join([value[key] for value in values], cuts) for key in values[0]}
        if any(len(value) < cut.stop for value, cut in zip(values, cuts, strict=True)):
            return values[0][:0]
        return torch.cat([value[cut] for value, cut in zip(values, cuts, strict=True)])

    cuts = [cut for _, cut in pieces]
    return {
        name: join([state[name] for state, _ in pieces], cuts) if name in per_row else value
        for name, value in pieces[0][0].items()
    }
