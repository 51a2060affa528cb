"""Everything at once (flood, fire, falls, TNT, leaves, crops): the same in any batch, order and number of threads."""

from __future__ import annotations

import torch
import warp as wp

from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.options import RANDOM_TICKS, VoxelOptions
from farlands.worlds.voxel.state import MAX_PENDING, Clock, Ring
from farlands.worlds.voxel.world import VoxelWorld

SEEDS = [5, 2**63 + 3, 17, 99, 4, 1234567, 8]
STEPS = 60


def stir_up(world: VoxelWorld) -> None:
    """In each world, at places of its own seed's land: a sheet of things high up, touched all over."""
    state, count = world.state, world.num_worlds
    blocks = wp.to_torch(state.blocks).view(count, 64, 64, 64)
    edited, clock = wp.to_torch(state.edited), wp.to_torch(state.clock)
    cells = wp.to_torch(state.pending_cell)
    names = ["water", "lava", "sand", "fire", "planks", "lit_tnt", "oak_leaves", "tnt", "gravel", "wool"]
    for w in range(count):
        seed = int(clock[Clock.SEED_LOW, w])
        for k in range(120):
            x, y = (seed + 7 * k) % 64, (seed // 64 + 5 * k + k // 11) % 64
            blocks[w, x, y, 44 + k % 3] = BLOCK_ID[names[(k + seed) % len(names)]]
            edited[w, x * 64 + y] |= 1 << (44 + k % 3)
            cells[w, Ring.TOUCHED * MAX_PENDING + k] = BLOCK_ID["oak_log"] << 20 | ((x * 64 + y) * 64 + 44 + k % 3)
        clock[Clock.TOUCHED_COUNT, w] = 120


def hashes(seeds: list[int], shards: int) -> tuple[torch.Tensor, torch.Tensor]:
    """State hashes int64 ``[STEPS, W]``, and which rows of the clock were ever set."""
    world = VoxelWorld(len(seeds), VoxelOptions(growth_rate=RANDOM_TICKS / 8), num_shards=shards)
    world.reset(seeds)
    stir_up(world)
    found, seen = [], torch.zeros(len(Clock), dtype=torch.bool)
    for t in range(STEPS):
        world.step(torch.full((len(seeds),), 5 if t % 3 else 15, dtype=torch.int32))
        found.append(world.state_hash())
        seen |= (wp.to_torch(world.state.clock) != 0).any(1)
    return torch.stack(found), seen


def test_the_same_in_any_batch_order_and_number_of_threads():
    alone = torch.cat([hashes([seed], 1)[0] for seed in SEEDS], dim=1)
    batch, seen = hashes(SEEDS, 2)
    assert torch.equal(batch, alone)
    order = [6, 2, 4, 0, 5, 1, 3]
    assert torch.equal(hashes([SEEDS[k] for k in order], 1)[0], alone[:, order])
    rows = [Clock.FALL_COUNT, Clock.WATER_COUNT, Clock.LAVA_COUNT, Clock.FIRE_COUNT, Clock.LEAF_COUNT, Clock.FUSE_COUNT]
    assert bool(seen[rows].all()), "or the test shows little"
    assert len(set(batch[-1].tolist())) == len(SEEDS)


def test_a_world_taken_apart_and_put_together_goes_on_alike():
    """Snapshot and restore in the middle of it all, into another place of another batch."""
    world = VoxelWorld(3, VoxelOptions(), num_shards=1)
    world.reset(SEEDS[:3])
    stir_up(world)
    still = torch.zeros(3, dtype=torch.int32)
    for _ in range(8):
        world.step(still)
    other = VoxelWorld(2, VoxelOptions(), num_shards=1)
    other.reset([1, 2])
    kept = world.snapshot([1])
    other.restore(kept, [0])
    for _ in range(25):
        world.step(still)
        other.step(still[:2])
        assert int(other.state_hash()[0]) == int(world.state_hash()[1])
