"""The tally of what an agent did in an episode, and the hook that other parts of the rules call to fill it.

Comparing inventories before and after a step can't tell a block that was mined from one that was crafted at the same
time, nor a placed one from one that was eaten by a recipe: the places where it happens say so.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.tasks.predicates import Event

THINGS = max(len(ITEMS), len(BLOCKS))
"""Columns of each event in a tally."""

TALLY = len(Event) * THINGS


@wp.func
def note_event(tally: wp.array2d(dtype=wp.int32), r: int, event: int, thing: int, count: int):
    """Add to what row ``r`` did.

    Args:
        tally: int32 ``[R, TALLY]``.
        r: Row.
        event: An ``Event``.
        thing: Item or block id.
        count: How many.
    """
    column = event * THINGS + thing
    tally[r, column] = tally[r, column] + count


@wp.func
def tallied(tally: wp.array2d(dtype=wp.int32), r: int, event: int, thing: int, other: int):
    """How often something, or the other thing of its group (0: none), was done in the episode."""
    count = tally[r, event * THINGS + thing]
    if other != 0:
        count += tally[r, event * THINGS + other]
    return count


@wp.func
def clear_tally(tally: wp.array2d(dtype=wp.int32), r: int):
    """Forget what row ``r`` did."""
    k = int(0)
    while k < TALLY:
        tally[r, k] = 0
        k += 1
