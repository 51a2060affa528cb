"""The expert's rays against the simulator's own crosshair."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.expert.sight import aim_at, aim_to_place, directions, trace, turn_steps
from farlands.worlds.voxel.expert.view import IN_CROSSHAIR, View
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body
from farlands.worlds.voxel.world import VoxelWorld


@pytest.fixture(scope="module")
def world() -> VoxelWorld:
    made = VoxelWorld(1, VoxelOptions())
    made.reset([5])
    return made


def _move(world: VoxelWorld, rng: np.random.Generator) -> None:
    """Put the body anywhere in the window, inside rock or out, and turn it anyhow."""
    body, view = wp.to_torch(world.state.body), View(world)
    x0, y0 = view.origin
    spans = {Body.X: (x0 + 6, x0 + 58), Body.Y: (y0 + 6, y0 + 58), Body.Z: (8, 50)}
    for row, (low, high) in spans.items():
        body[row] = int(rng.integers(low * POSITION_ONE, high * POSITION_ONE))
    body[Body.YAW], body[Body.PITCH] = int(rng.integers(24)), int(rng.integers(-6, 7))


def test_rays_hit_what_the_crosshair_hits(world: VoxelWorld):
    rng = np.random.default_rng(0)
    out, view = world.allocate(), View(world)
    hits = 0
    for _ in range(300):
        _move(world, rng)
        world.observe(out)
        cells, distance, _ = trace(view.eye)
        yaw, pitch, _ = directions()
        ray = int(np.flatnonzero((yaw == view.body(Body.YAW)) & (pitch == view.body(Body.PITCH)))[0])
        blocks = view.blocks_at(cells[:, ray])
        stops = np.flatnonzero(IN_CROSSHAIR[blocks])
        tenths, in_reach = int(out.observation["target"][0, 0]), bool(out.observation["target"][0, 1])
        if in_reach:
            hits += 1
            first = stops[0]
            assert blocks[first] == int(out.observation["target_block"][0, 0])
            assert (int(distance[first, ray]) * 10) >> 16 == tenths
        else:
            assert not len(stops) or (int(distance[stops[0], ray]) * 10) >> 16 >= min(tenths, 45)
    assert hits > 50


def test_aims_hit_what_they_say(world: VoxelWorld):
    """Turned by an aim, the crosshair is on its first cell."""
    rng = np.random.default_rng(1)
    out, view, body = world.allocate(), View(world), wp.to_torch(world.state.body)
    ticks = np.where(np.arange(len(IN_CROSSHAIR)) == 1, np.inf, 20.0)
    found = 0
    for _ in range(60):
        _move(world, rng)
        x, y, z = view.feet
        near = [(x + a, y + b, z + c) for a in (-2, 0, 2) for b in (-1, 1) for c in (-1, 1, 3)]
        near = [cell for cell in near if IN_CROSSHAIR[view.block(cell)]]
        aim = aim_at(view, near, ticks, lambda cell: True)
        if aim is None:
            continue
        found += 1
        assert aim.wanted in near
        body[Body.YAW], body[Body.PITCH] = aim.yaw, aim.pitch
        world.observe(out)
        assert out.observation["target"][0, 1]
        assert int(out.observation["target_block"][0, 0]) == view.block(aim.hit)
    assert found > 30


def test_what_may_not_be_broken_is_looked_round(world: VoxelWorld):
    rng = np.random.default_rng(2)
    view = View(world)
    ticks = np.full(len(IN_CROSSHAIR), 20.0)
    refused = 0
    for _ in range(60):
        _move(world, rng)
        x, y, z = view.feet
        target = (x + 2, y + 1, z + 1)
        if not IN_CROSSHAIR[view.block(target)]:
            continue
        free = aim_at(view, [target], ticks, lambda cell: True)
        strict = aim_at(view, [target], ticks, lambda cell: False)
        assert strict is None or strict.hit == target
        refused += free is not None and free.hit != target and strict is None
    assert refused > 0


def test_placing_fills_the_cell_aimed_at():
    placed = VoxelWorld(1, VoxelOptions(start_kit=("crafting_table",)))
    for seed in range(5):
        placed.reset([seed])
        view, body = View(placed), wp.to_torch(placed.state.body)
        aim = aim_to_place(view)
        assert aim is not None
        body[Body.YAW], body[Body.PITCH] = aim.yaw, aim.pitch
        placed.step(torch.tensor([FLAT_ACTION_ID["place_crafting_table"]], dtype=torch.int32))
        assert view.count("crafting_table") == 0
        assert view.find_near("crafting_table") == aim.wanted


def test_turn_steps_count_the_shortest_way(world: VoxelWorld):
    body = wp.to_torch(world.state.body)
    body[Body.YAW], body[Body.PITCH] = 23, 0
    steps = turn_steps(View(world), np.array([23, 0, 2, 3, 11, 22, 23]), np.array([0, 0, 0, 0, 0, 0, -2]))
    assert steps.tolist() == [0, 1, 1, 2, 4, 1, 2]
