"""Worlds in several threads of one process: recording graphs and launching at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch

from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

OPTIONS = VoxelOptions(window=32, creatures="none")


def live(seed):
    """Hash and picture at the end of a short life, in worlds that are made anew again and again."""
    found = []
    for _ in range(6):
        world = VoxelWorld(1, OPTIONS)
        world.reset([seed])
        slots = [world.allocate() for _ in range(4)]
        for step in range(8):
            # Every slot's first step is recorded as a graph.
            world.step(torch.tensor([1 + step % 5], dtype=torch.int32), slots[step % 4])
            picture = world.render([0], 24, 32)
        found.append((int(world.state_hash()[0]), picture.sum().item()))
        world.close()
    assert len(set(found)) == 1, found
    return found[0]


def test_worlds_in_several_threads_do_not_disturb_each_other():
    alone = [live(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(live, range(4))) == alone
