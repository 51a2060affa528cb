"""Several trials in an episode: the level begins anew, the episode does not."""

from __future__ import annotations

import pytest
import torch
import warp as wp

from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import Body, Cause, Clock
from farlands.worlds.voxel.world import VoxelWorld

SHORT = {"window": 32, "creatures": "none", "horizon": 7}


def make(**options) -> VoxelWorld:
    return VoxelWorld(3, VoxelOptions(**{**SHORT, **options}))


def noop(world):
    return world.step(torch.zeros(world.num_rows, dtype=torch.int32))


def test_each_trial_begins_like_the_first_and_only_the_last_ends_the_episode():
    world = make(trials=3, task="tasks", tasks=("gain(diamond)", "craft(furnace)", "gain(iron_ore)", "away(90)"))
    begun = world.reset(5)
    first, tasks = world.snapshot(), begun.observation["goal_op"].clone()
    for trial in range(3):
        assert begun.observation["trial"].tolist() == [[trial, 2 - trial]] * 3
        assert torch.equal(begun.observation["goal_op"], tasks)
        for name, array in world.snapshot().items():
            if name == "clock":
                array[:, Clock.TRIAL] = 0
            assert torch.equal(array, first[name]), name
        for step in range(7):
            begun = noop(world)
            last = trial == 2 and step == 6
            assert begun.truncated.tolist() == [last] * 3
            assert not begun.terminated.any()
    assert begun.observation["trial"].tolist() == [[0, 2]] * 3
    log = world.drain_episodes()
    assert log.row.tolist() == [0, 1, 2] * 3
    assert (log.length == 7).all()
    assert log.seed.reshape(3, 3).T.tolist() == [[seed] * 3 for seed in log.seed[:3].tolist()]
    assert not torch.equal(world.snapshot()["blocks"], first["blocks"])


def test_a_death_ends_a_trial_too():
    world = make(trials=2, horizon=50)
    world.reset(1)
    body = wp.to_torch(world.state.body)
    for expected in (False, True):
        noop(world)
        body[Body.CAUSE, 1] = int(Cause.LAVA)
        step = noop(world)
        assert step.terminated.tolist() == [False, expected, False]
    log = world.drain_episodes()
    assert log.cause.tolist() == ["lava", "lava"]
    assert log.seed[0] == log.seed[1]


def test_one_trial_shows_nothing_of_trials():
    assert "trial" not in make().spec.observation
    assert make(trials=2).spec.trials == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"trials": 0}, "trials 0 is out of range: 1 to 255"),
        ({"trials": 2, "agents": 2}, "trials 2: a level cannot begin anew where agents share a world"),
        ({"trials": 2, "no_reset": True}, "trials 2: a level cannot begin anew where no_reset keeps the land"),
    ],
)
def test_mistakes_are_one_clear_line(options, says):
    with pytest.raises(ValueError, match=says):
        make(**options)
