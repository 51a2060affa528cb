"""Leaf decay against a plain breadth-first search, and its pace."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.matter.leaves import REACH
from farlands.worlds.voxel.options import RANDOM_TICKS
from farlands.worlds.voxel.state import MAX_PENDING, Clock, Ring

LEAVES, LOG = BLOCK_ID["oak_leaves"], BLOCK_ID["oak_log"]


def take_log(arena, x: int, y: int, z: int, world: int = 0) -> None:
    """Take a log away and note it as the kernels do."""
    import warp as wp

    arena.blocks[world, x % 64, y % 64, z + 32] = 0
    slot = Ring.TOUCHED * MAX_PENDING + int(arena.clock[Clock.TOUCHED_COUNT, world])
    cell = ((x % 64) * 64 + y % 64) * 64 + z + 32
    wp.to_torch(arena.world.state.pending_cell)[world, slot] = LOG << 20 | cell
    arena.clock[Clock.TOUCHED_COUNT, world] += 1


def held(cells: set, logs: set) -> set:
    """Leaves with a path of at most six steps through leaves to a log."""
    steps = dict.fromkeys(logs, 0)
    queue = deque(logs)
    while queue:
        x, y, z = queue.popleft()
        here = steps[x, y, z]
        for d in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)):
            cell = (x + d[0], y + d[1], z + d[2])
            if here < REACH and cell in cells and cell not in steps:
                steps[cell] = here + 1
                queue.append(cell)
    return cells & set(steps)


@pytest.fixture(scope="module")
def wood():
    from ..conftest import Arena

    return Arena(1)


def wait(arena) -> None:
    for _ in range(400):
        arena.act(100)
        if int(arena.clock[Clock.LEAF_COUNT, 0]) == 0 and int(arena.clock[Clock.TOUCHED_COUNT, 0]) == 0:
            return
    raise AssertionError("leaves wait for ever")


@settings(max_examples=12, deadline=None)
@given(
    cells=st.sets(st.tuples(st.integers(-4, 4), st.integers(-3, 3), st.integers(0, 4)), min_size=20, max_size=120),
    logs=st.sets(st.tuples(st.integers(-6, 6), st.integers(-5, 5), st.integers(0, 5)), max_size=3),
)
def test_what_no_log_holds_vanishes_and_the_rest_stays(cells, logs, wood):
    """All leaves lie within reach of the log that goes, so that all are looked at."""
    arena = wood.clear()
    arena.stand(-25.5, -25.5, 0)
    gone = (0, 0, 2)
    cells = {c for c in cells if sum(abs(a - b) for a, b in zip(c, gone, strict=True)) <= REACH} - logs - {gone}
    logs = logs - {gone}
    for name, places in ((LEAVES, cells), (LOG, logs)):
        for x, y, z in places:
            arena.blocks[0, x % 64, y % 64, z + 33] = name
    take_log(arena, 0, 0, 3)
    wait(arena)
    left = {(x, y, z) for x, y, z in cells if int(arena.blocks[0, x % 64, y % 64, z + 33]) == LEAVES}
    assert left == held(cells, logs)


def test_a_felled_tree_loses_its_crown_and_its_neighbour_does_not(make_arena):
    arena = make_arena(1)
    arena.stand(-25.5, -25.5, 0)
    for x in (4, 12):
        arena.fill("oak_leaves", range(x - 2, x + 3), range(-2, 3), range(3, 6))
        arena.fill("oak_log", range(x, x + 1), range(1), range(5))
    for z in range(5):
        take_log(arena, 4, 0, z)
    wait(arena)
    assert not any(arena.get(x, y, z) == "oak_leaves" for x in range(2, 7) for y in range(-2, 3) for z in range(3, 6))
    assert (
        sum(arena.get(x, y, z) == "oak_leaves" for x in range(10, 15) for y in range(-2, 3) for z in range(3, 6)) > 70
    )
    assert arena.carried() == {}, "nobody gets what they would have dropped"


def test_leaves_nobody_touches_stay(make_arena):
    arena = make_arena(1)
    arena.stand(-25.5, -25.5, 0)
    arena.fill("oak_leaves", range(4, 8), range(4, 8), range(3, 6))
    arena.act(4000)
    assert int((arena.blocks[0] == LEAVES).sum()) == 48


def test_they_go_at_the_pace_of_random_ticks(make_arena):
    """Single leaves in many worlds: the waits are geometric with the mean of a random tick."""
    arena = make_arena(16)
    arena.stand(-25.5, -25.5, 0)
    spots = [(x, y) for x in (2, 4, 6) for y in (0, 2)]
    for w in arena.rows:
        for x, y in spots:
            arena.blocks[w, x, y, 40] = LEAVES
        take_log(arena, 4, 1, 8, w)
    total = 16 * len(spots)
    ticks = 0
    for span in (300, 400, 700, 1400):
        arena.act(span)
        ticks += span
        share = (1 - 1 / RANDOM_TICKS) ** (ticks - 1)
        left = int((arena.blocks == LEAVES).sum())
        assert abs(left - total * share) < 4 * np.sqrt(total * share * (1 - share)) + 1, ticks
