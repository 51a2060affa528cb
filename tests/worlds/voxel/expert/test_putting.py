"""Where things can be put up, against what the world does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.blocks import BLOCK_ID, Shape
from farlands.worlds.voxel.expert.putting import aim_to_put, goes_before, place_action
from farlands.worlds.voxel.expert.view import SHAPE, View
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body
from farlands.worlds.voxel.world import VoxelWorld

PUT = ("torch", "ladder", "door", "oak_sapling", "cobblestone", "bed", "crafting_table", "wheat_seeds", "tnt")


@pytest.fixture(scope="module")
def world() -> VoxelWorld:
    made = VoxelWorld(1, VoxelOptions(start_kit=tuple(PUT), creatures="none", ticks_per_step=1))
    made.reset([3])
    return made


def _poses(world: VoxelWorld, number: int) -> list[dict[Body, int]]:
    """Places on open ground with any way to look."""
    rng, view = np.random.default_rng(4), View(world)
    blocks, (x0, y0) = view.window(), view.origin
    found = []
    for _ in range(number):
        x, y = (int(value) for value in rng.integers(8, 56, 2))
        top = int(np.flatnonzero(SHAPE[blocks[x, y]] == Shape.CUBE).max())
        place = {Body.X: x0 + x, Body.Y: y0 + y, Body.Z: top + 1}
        pose = {row: value * POSITION_ONE for row, value in place.items()}
        pose[Body.X] += int(rng.integers(POSITION_ONE))
        pose[Body.Y] += int(rng.integers(POSITION_ONE))
        found.append(pose | {Body.YAW: int(rng.integers(24)), Body.PITCH: int(rng.integers(-6, 7))})
    return found


@pytest.mark.parametrize("item", PUT)
def test_what_is_aimed_at_is_where_it_goes(world: VoxelWorld, item: str):
    """And where no way to look will do, the world lets none of many ways do."""
    snapshot, body, view = world.snapshot(), wp.to_torch(world.state.body), View(world)
    block = BLOCK_ID[ITEMS[ITEM_ID[item]].places]
    action = torch.tensor([FLAT_ACTION_ID[place_action(item)]], dtype=torch.int32)
    placed = refused = 0
    for pose in _poses(world, 40):
        world.restore(snapshot)
        for row, value in pose.items():
            body[row] = value
        body[Body.VX : Body.VZ + 1] = 0
        aim = aim_to_put(view, item)
        if aim is None:
            before = view.carried()
            world.step(action)
            assert view.carried() == before
            refused += 1
            continue
        body[Body.YAW], body[Body.PITCH] = aim.yaw, aim.pitch
        world.step(action)
        assert view.block(aim.wanted) == block, (item, pose)
        assert view.count(item) == 0
        placed += 1
    world.restore(snapshot)
    assert placed + refused == 40
    assert placed > 15 or item == "wheat_seeds"


def test_only_cells_that_will_do_are_aimed_at(world: VoxelWorld):
    view = View(world)
    feet = np.array(view.feet)
    aim = aim_to_put(view, "cobblestone", lambda cells: np.abs(cells - feet).max(axis=-1) <= 1)
    assert aim is not None
    assert np.abs(np.array(aim.wanted) - feet).max() <= 1
    assert aim_to_put(view, "cobblestone", lambda cells: np.zeros(len(cells), dtype=bool)) is None


def test_actions_that_place_either_of_two_things():
    assert place_action("dirt") == place_action("cobblestone") == "place_block"
    assert goes_before("dirt") == "cobblestone"
    assert goes_before("cobblestone") == ""
    assert place_action("oak_log") == ""
