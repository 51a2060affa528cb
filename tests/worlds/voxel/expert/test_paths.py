"""Routes on natural land: every move is one a body can make, and none opens the way to lava."""

from __future__ import annotations

import numpy as np
import pytest

from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS, LAVA
from farlands.worlds.voxel.expert.paths import MAX_DROP, Kind, Land, Search
from farlands.worlds.voxel.expert.planner import break_ticks
from farlands.worlds.voxel.expert.view import View, beside
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

TICKS = np.array([break_ticks("stone_pickaxe", block) for block in BLOCKS])


@pytest.fixture(scope="module")
def routes() -> list:
    """(view, targets, route) to a diamond on a few seeds."""
    found = []
    for seed in range(4):
        world = VoxelWorld(1, VoxelOptions())
        world.reset([seed])
        view = View(world)
        land = Land(view, TICKS)
        cells = np.argwhere((view.window() == BLOCK_ID["diamond_ore"]) & land.may_break) + np.array([*land.origin, 0])
        targets = [tuple(cell) for cell in cells.tolist()][:8]
        found.append((view, targets, Search(land, view.feet, targets, 0).run(), world))
    return found


def test_routes_lead_to_a_target(routes: list):
    for view, targets, route, _ in routes:
        assert route is not None
        assert route.target in targets
        end = route.moves[-1].cell if route.moves else view.feet
        assert max(abs(a - b) for a, b in zip(end, route.target, strict=True)) <= 6


def test_moves_are_such_as_a_body_can_make(routes: list):
    for view, _, route, _ in routes:
        at = view.feet
        for move in route.moves:
            aside = abs(move.cell[0] - at[0]) + abs(move.cell[1] - at[1])
            rise = move.cell[2] - at[2]
            if move.kind is Kind.WALK:
                assert aside == 1
                assert -MAX_DROP <= rise <= 0
            elif move.kind is Kind.CLIMB:
                assert (aside, rise) == (1, 1)
            elif move.kind is Kind.SINK:
                assert aside == 0
                assert -MAX_DROP - 1 <= rise < 0
            else:
                raise AssertionError("nothing is carried to pillar up on")
            at = move.cell


def test_routes_keep_off_lava(routes: list):
    for view, _, route, _ in routes:
        for move in route.moves:
            assert view.block(move.cell) != LAVA
            for cell in move.clear:
                if view.solid(cell):
                    assert all(view.block(side) != LAVA for side in beside(cell))


def test_a_block_to_place_opens_the_way_up():
    """In a shaft, only a pillar leads up without digging through its wall."""
    world = VoxelWorld(1, VoxelOptions())
    world.reset([1])
    view = View(world)
    x, y, z = view.feet
    view._blocks[...] = BLOCK_ID["bedrock"]
    for level in range(z, z + 12):
        view._blocks[x % 64, y % 64, level] = 0
    view._blocks[x % 64, (y + 1) % 64, z + 10] = BLOCK_ID["diamond_ore"]
    target = (x, y + 1, z + 10)
    assert Search(Land(view, TICKS), view.feet, [target], 0).run() is None
    route = Search(Land(view, TICKS), view.feet, [target], 9).run()
    assert route is not None
    assert {move.kind for move in route.moves} == {Kind.PILLAR}
