"""A batch of worlds that processes share: every part is what it would be in the whole, and states can be dealt anew."""

import functools

import numpy as np
import pytest
import torch

from farlands.worlds.adapters.foreign.named import GymnasiumWorld
from farlands.worlds.adapters.foreign.options import GymnasiumOptions
from farlands.worlds.reference import Combination, CueCorridor, PointReach
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Box, MultiDiscrete

CARTPOLE = GymnasiumOptions(workers=0)
WORLDS = {
    "cue-corridor": CueCorridor,
    "combination": Combination,
    "point-reach": PointReach,
    "voxel": functools.partial(VoxelWorld, options=VoxelOptions(horizon=7)),
    "company": functools.partial(VoxelWorld, options=VoxelOptions(horizon=7, agents=2)),
    "cart-pole": lambda count: GymnasiumWorld(count, CARTPOLE),
}


def actions(world, rows: slice, time: int) -> torch.Tensor:
    """What the rows of a batch of 12 do at a time."""
    draw = np.random.default_rng(time)
    action = world.spec.action
    if isinstance(action, Box):
        drawn = draw.uniform(action.low, action.high, (12 * world.num_agents, action.size)).astype(np.float32)
    elif isinstance(action, MultiDiscrete):
        drawn = draw.integers(0, action.nvec, (12 * world.num_agents, len(action.nvec))).astype(np.int32)
    else:
        drawn = draw.integers(0, action.n, 12 * world.num_agents).astype(np.int32)
    return torch.from_numpy(drawn[rows.start * world.num_agents : rows.stop * world.num_agents])


def live(world, rows: slice, times: range) -> torch.Tensor:
    for time in times:
        world.step(actions(world, rows, time))
    return world.state_hash()


def make(name: str, rows: slice):
    world = WORLDS[name](rows.stop - rows.start)
    world.first_world = rows.start
    return world


@pytest.mark.parametrize("name", WORLDS)
def test_parts_are_what_they_are_in_the_whole(name):
    whole = make(name, slice(0, 6))
    whole.reset(3)
    hashes = live(whole, slice(0, 6), range(10))
    episodes = whole.drain_episodes()
    for rows in (slice(0, 2), slice(2, 6)):
        part = make(name, rows)
        part.reset(3)
        assert torch.equal(live(part, rows, range(10)), hashes[rows])
        mine = part.drain_episodes()
        here = np.isin(episodes.row // whole.num_agents, range(rows.start, rows.stop))
        assert np.array_equal(mine.row + rows.start * whole.num_agents, episodes.row[here])
        assert np.array_equal(mine.seed, episodes.seed[here])


@pytest.mark.parametrize("name", WORLDS)
def test_states_are_dealt_anew(name):
    cuts, states = [slice(0, 2), slice(2, 6)], []
    for rows in cuts:
        part = make(name, rows)
        part.reset(3)
        live(part, rows, range(10))
        part.drain_episodes()
        states.append(part.state_dict())
    whole = make(name, slice(0, 6))
    whole.reset(3)
    live(whole, slice(0, 6), range(10))
    dealt = (
        (slice(0, 3), [(states[0], slice(0, 2)), (states[1], slice(0, 1))]),
        (slice(3, 6), [(states[1], slice(1, 4))]),
        (slice(0, 6), [(states[0], slice(0, 2)), (states[1], slice(0, 4))]),
    )
    hashes, later = whole.state_hash(), live(whole, slice(0, 6), range(10, 16))
    for rows, pieces in dealt:
        part = make(name, rows)
        part.reset(99)
        part.load_state_dict(part.regroup(pieces))
        assert torch.equal(part.state_hash(), hashes[rows])
        assert torch.equal(live(part, rows, range(10, 16)), later[rows])
