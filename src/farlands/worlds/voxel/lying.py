"""The columns of a thing that lies on the ground, and how many a world has room for. Data only."""

from __future__ import annotations

from enum import IntEnum

MAX_AGENTS = 8
"""Agents that can share a world."""

_PER_AGENT = 16


class Lying(IntEnum):
    """Columns of ``VoxelState.lying``; units as of ``state.Body``, times in ticks."""

    ITEM = 0
    COUNT = 1
    """How many, at most a stack; 0 where nothing lies."""
    WEAR = 2
    """Uses so far."""
    X = 3
    Y = 4
    Z = 5
    VX = 6
    VY = 7
    VZ = 8
    AGE = 9
    PAUSE = 10
    """Ticks until whoever dropped it can pick it up; others can a while before."""
    OWNER = 11
    """The agent that dropped it, from 1 on; 0 nobody."""


NUM_LYING = len(Lying)


def max_lying(agents: int) -> int:
    """Things that a world of so many agents has room for on the ground. Alone, nobody can drop anything."""
    return _PER_AGENT * agents if agents > 1 else 1
