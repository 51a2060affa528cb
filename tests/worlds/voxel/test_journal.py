"""Endless land: what is met on the way back, against fresh land and a plain record of what was changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.journal import EDGE, entry_block, entry_x, entry_y, entry_z, pack_entry
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import CHUNK, POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

COBBLESTONE, TORCH, TABLE = (BLOCK_ID[name] for name in ("cobblestone", "torch", "crafting_table"))
NOOP = 0


class Walker:
    """One or more worlds whose agents are put somewhere else before each step; they hover, so that nothing is hit."""

    def __init__(self, num_worlds: int = 1, **options: object) -> None:
        self.world = VoxelWorld(num_worlds, VoxelOptions(hunger=False, **options), num_shards=1)  # type: ignore[arg-type]
        self.world.reset(list(range(3, 3 + num_worlds)))
        self.side = self.world.options.window
        state = self.world.state
        self.body, self.clock = wp.to_torch(state.body), wp.to_torch(state.clock)
        self.blocks = wp.to_torch(state.blocks).view(num_worlds, self.side, self.side, 64)
        self.edited, self.journal = wp.to_torch(state.edited), wp.to_torch(state.journal)
        self.fixtures = wp.to_torch(state.fixtures)
        self.actions = torch.full((num_worlds,), NOOP, dtype=torch.int32)

    def at(self, w: int = 0) -> tuple[int, int]:
        return int(self.body[Body.X, w]) // POSITION_ONE, int(self.body[Body.Y, w]) // POSITION_ONE

    def go(self, dx: int, dy: int, steps: int = 1) -> None:
        """Shift every agent by some blocks before each step, near the top of the world."""
        for _ in range(steps):
            self.body[Body.X] += dx * POSITION_ONE
            self.body[Body.Y] += dy * POSITION_ONE
            self.body[Body.Z] = 61 * POSITION_ONE
            self.body[Body.VX : Body.VZ + 1] = 0
            self.body[Body.FALL] = 0
            self.world.step(self.actions)

    def origin(self, w: int = 0) -> tuple[int, int]:
        return int(self.clock[Clock.ORIGIN_X, w]), int(self.clock[Clock.ORIGIN_Y, w])

    def set(self, x: int, y: int, z: int, block: int, w: int = 0) -> None:
        """As the kernels change a cell."""
        i, j = x % self.side, y % self.side
        self.blocks[w, i, j, z] = block
        self.edited[w, i * self.side + j] |= 1 << z if z < 63 else -(1 << 63)

    def land(self, w: int = 0) -> np.ndarray:
        """Blocks of the window, uint8 ``[S, S, 64]``, from its least corner on."""
        x, y = self.origin(w)
        return np.roll(self.blocks[w].numpy(), (-x, -y), axis=(0, 1)).copy()


def fresh_land(seed: int, origin: tuple[int, int], side: int) -> tuple[np.ndarray, np.ndarray]:
    """Blocks and tops of a window made whole at that origin."""
    world = VoxelWorld(1, VoxelOptions(window=side), num_shards=1)
    world.reset([seed])
    clock = world.snapshot()["clock"][0]
    clock[Clock.ORIGIN_X], clock[Clock.ORIGIN_Y] = origin
    made = world.make_window(clock)
    blocks, tops = made[0].view(side, side, 64).numpy(), made[1].view(side, side).numpy()
    shift = (-origin[0], -origin[1])
    return np.roll(blocks, shift, axis=(0, 1)).copy(), np.roll(tops, shift, axis=(0, 1)).copy()


@pytest.mark.parametrize("side", [32, 64, 128])
@pytest.mark.parametrize("way", [(3, 0), (-3, 0), (0, 3), (0, -3), (3, 2)])
def test_land_that_comes_into_view_is_the_land_there_is(side, way):
    walker = Walker(window=side)
    walker.go(*way, steps=3 * side // 3)
    land, tops = fresh_land(3, walker.origin(), side)
    assert walker.origin()[0] % CHUNK == walker.origin()[1] % CHUNK == 0
    assert np.array_equal(walker.land(), land)
    shift = (-walker.origin()[0], -walker.origin()[1])
    seen = wp.to_torch(walker.world.state.tops).view(side, side).numpy()
    assert np.array_equal(np.roll(seen, shift, axis=(0, 1)), tops)
    assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == 0


def test_the_window_keeps_its_agent_in_the_middle():
    walker = Walker()
    generator = np.random.default_rng(0)
    for _ in range(200):
        dx, dy = (int(step) for step in generator.integers(-4, 5, size=2))
        walker.go(dx, dy)
        for axis in (0, 1):
            offset = walker.at()[axis] - walker.origin()[axis]
            assert 22 - 8 <= offset < 42 + 8, "at most one axis moves a step"
    moves = [walker.origin()]
    for _ in range(40):
        walker.go(2, 0)
        walker.go(-2, 0)
        moves.append(walker.origin())
    assert len(set(moves)) <= 2, "to and fro does not move it each time"


def test_ten_thousand_blocks_and_back_meet_the_same_land_with_the_same_changes():
    walker = Walker()
    home, land = walker.origin(), walker.land()
    x, y = walker.at()
    changed = {
        (x + 2, y - 3, 40): COBBLESTONE,
        (x - 9, y + 7, 10): 0,
        (x + 1, y + 1, 49): COBBLESTONE,
        (x + 1, y + 1, 50): TORCH,
        (x, y, 63): COBBLESTONE,
    }
    for (i, j, z), block in changed.items():
        walker.set(i, j, z, block)
        land[i - home[0], j - home[1], z] = block
    walker.go(4, 0, 2_500)
    assert walker.at()[0] == x + 10_000
    assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == len(changed)
    assert not bool(walker.edited.any())
    walker.go(-4, 0, 2_500)
    for _ in range(8):
        walker.go(0, 0)
    drift = walker.origin()[0] - home[0]
    seen = np.roll(walker.land(), (drift, walker.origin()[1] - home[1]), axis=(0, 1))
    overlap = slice(max(drift, 0), 64 + min(drift, 0))
    assert np.array_equal(seen[overlap], land[overlap])
    for (i, j, z), block in changed.items():
        assert int(walker.blocks[0, i % 64, j % 64, z]) == block
    assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == 0
    assert not bool(walker.journal.any()), "what is given back is nowhere else"
    assert int(sum(bin(int(word) & (2**64 - 1)).count("1") for word in walker.edited[0])) == len(changed)
    assert int(walker.clock[Clock.FORGOTTEN, 0]) == 0


def test_random_walks_keep_every_change():
    """Changes at random places while wandering about, against a dictionary; the journal holds just what is outside.

    High up, where there is nothing that would run, fall or break.
    """
    walker = Walker()
    generator = np.random.default_rng(1)
    record: dict[tuple[int, int, int], int] = {}
    way, most = (0, 0), 0
    for t in range(600):
        x, y = walker.at()
        cell = (x + int(generator.integers(-5, 6)), y + int(generator.integers(-5, 6)), int(generator.integers(52, 64)))
        record[cell] = int(generator.choice([0, COBBLESTONE]))
        walker.set(*cell, record[cell])
        if t % 20 == 0:
            way = tuple(int(step) for step in generator.integers(-4, 5, size=2))
        walker.go(*way)
        outside = 0
        for (i, j, z), block in record.items():
            if all(0 <= place - least < 64 for place, least in zip((i, j), walker.origin(), strict=True)):
                assert int(walker.blocks[0, i % 64, j % 64, z]) == block
            else:
                outside += 1
        assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == outside
        most = max(most, outside)
    assert most > outside > 0, "some came back into view"


def test_a_full_journal_forgets_the_oldest_and_counts():
    walker = Walker(journal=5)
    x, y = walker.at()
    columns = [x - 20 + k for k in range(8)]
    for i in columns:
        walker.set(i, y, 60, COBBLESTONE)
    walker.go(4, 0, 30)
    assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == 5
    assert int(walker.clock[Clock.FORGOTTEN, 0]) == 3
    walker.go(-4, 0, 30)
    kept = [int(walker.blocks[0, i % 64, y % 64, 60]) == COBBLESTONE for i in columns]
    assert kept == [False] * 3 + [True] * 5


def test_stations_left_behind_are_found_again():
    walker = Walker()
    x, y = walker.at()
    cell = ((x % 64) * 64 + y % 64) * 64 + 60
    walker.set(x, y, 60, TABLE)
    walker.fixtures[0, 0] = TABLE << 20 | cell
    walker.go(4, 0, 40)
    assert (walker.fixtures == -1).all(), "out of the window, out of the list"
    walker.go(-4, 0, 40)
    assert [int(f) for f in walker.fixtures[0] if f >= 0] == [TABLE << 20 | cell]


def test_an_episode_begins_with_an_empty_journal():
    walker = Walker(horizon=60)
    x, y = walker.at()
    walker.set(x, y, 60, COBBLESTONE)
    walker.go(4, 0, 59)
    assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == 1
    walker.go(0, 0)
    assert int(walker.clock[Clock.EPISODE, 0]) == 1
    assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == 0
    assert not bool(walker.journal.any())
    assert not bool(walker.edited.any())


def test_a_world_outlives_its_agent():
    walker = Walker(no_reset=True, horizon=10_000)
    start = walker.at()
    x, y = start
    walker.set(x + 5, y + 5, 60, COBBLESTONE)
    walker.go(4, 0, 40)
    far = walker.at()
    walker.set(far[0], far[1], 50, COBBLESTONE)
    time, seed = int(walker.clock[Clock.TIME, 0]), int(walker.clock[Clock.SEED_LOW, 0])
    walker.body[Body.HEALTH], walker.body[Body.FIRE] = 1, 100
    out = walker.world.step(walker.actions)
    assert bool(out.terminated[0])
    assert int(walker.clock[Clock.EPISODE, 0]) == 1
    assert int(walker.clock[Clock.STEP, 0]) == 0
    assert int(walker.clock[Clock.SEED_LOW, 0]) == seed
    assert int(walker.clock[Clock.TIME, 0]) == time + 4, "the day goes on"
    assert int(walker.body[Body.HEALTH, 0]) == 20
    assert max(abs(now - then) for now, then in zip(walker.at(), start, strict=True)) <= 14
    assert int(walker.blocks[0, (x + 5) % 64, (y + 5) % 64, 60]) == COBBLESTONE
    assert int(walker.clock[Clock.JOURNAL_COUNT, 0]) == 1, "what was done far away is remembered"
    assert np.array_equal(np.argwhere(walker.land() != fresh_land(3, walker.origin(), 64)[0]),
                          [[x + 5 - walker.origin()[0], y + 5 - walker.origin()[1], 60]])  # fmt: skip
    episodes = walker.world.drain_episodes()
    assert episodes.length.tolist() == [41]
    while walker.at()[0] < far[0]:
        walker.go(4, 0)
    assert int(walker.blocks[0, far[0] % 64, far[1] % 64, 50]) == COBBLESTONE


def test_the_window_stops_at_the_edge_of_the_numbers():
    walker = Walker(window=32)
    for axis in (0, 1):
        walker.clock[Clock.ORIGIN_X + axis] = EDGE - 96
        walker.body[Body.X + axis] = (EDGE - 80) * POSITION_ONE
    for _ in range(60):
        walker.body[Body.X] = torch.clamp(walker.body[Body.X], max=(EDGE - 40) * POSITION_ONE)
        walker.go(1, 0)
        assert walker.origin()[0] + 32 < EDGE
    assert walker.origin()[0] == EDGE - 64


def test_worlds_move_each_for_itself():
    """Batches and shards change nothing for walkers either."""
    options = VoxelOptions(window=32)
    run = torch.full((80, 6), FLAT_ACTION_ID["jump_sprint"], dtype=torch.int32)
    run[::7] = FLAT_ACTION_ID["attack"]
    hashes = []
    for shards, rows in ((1, [0, 1, 2, 3, 4, 5]), (3, [5, 3, 1, 0, 2, 4])):
        world = VoxelWorld(6, options, num_shards=shards)
        world.reset([70 + row for row in rows])
        for actions in run:
            world.step(actions)
        moved = wp.to_torch(world.state.clock)
        assert int((moved[Clock.REGION_NX] != moved[Clock.REGION_NY]).sum()) >= 2, "some windows moved"
        hashes.append(dict(zip(rows, world.state_hash().tolist(), strict=True)))
    assert hashes[0] == hashes[1]


@wp.kernel
def _round_trip_kernel(values: wp.array2d(dtype=wp.int32), out: wp.array2d(dtype=wp.int32)):
    i = wp.tid()
    entry = pack_entry(values[i, 0], values[i, 1], values[i, 2], values[i, 3])
    out[i, 0] = entry_x(entry)
    out[i, 1] = entry_y(entry)
    out[i, 2] = entry_z(entry)
    out[i, 3] = entry_block(entry)


def test_entries_hold_what_is_put_in():
    generator = np.random.default_rng(0)
    values = np.stack([generator.integers(low, high, size=500) for low, high in
                       ((-EDGE, EDGE), (-EDGE, EDGE), (0, 64), (0, 256))], axis=1).astype(np.int32)  # fmt: skip
    values[:4] = [[-EDGE, -EDGE, 0, 0], [EDGE - 1, EDGE - 1, 63, 255], [0, 0, 0, 0], [-1, 1, 63, 1]]
    out = wp.full((500, 4), -7, dtype=wp.int32)
    wp.launch(_round_trip_kernel, 500, inputs=[wp.array(values, dtype=wp.int32)], outputs=[out])
    assert np.array_equal(out.numpy(), values)
