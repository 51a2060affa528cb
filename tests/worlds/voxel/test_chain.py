"""From bare hands to a diamond pickaxe on natural land with default options: recorded episodes, played again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, TASKS
from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.replays import Replay
from farlands.worlds.world import Episodes

CHAINS = sorted((Path(__file__).parent / "chains").glob("*.replay"))
MILESTONES = tuple(TASKS["diamond"].rewards)


def finish(replay: Replay) -> Episodes:
    """Play to the end; the episodes that ended there."""
    for world in replay.play():
        episodes = world.drain_episodes()
    return episodes


def test_three_levels_are_recorded():
    assert len({Replay.read(path).seed for path in CHAINS}) >= 3


@pytest.mark.parametrize("path", CHAINS, ids=lambda path: path.stem)
def test_recording_reaches_the_goal_by_every_milestone(path: Path):
    replay = Replay.read(path)
    assert replay.options == VoxelOptions(task="diamond"), "nothing but the task may differ from the defaults"
    assert replay.start is None, "from the first step of a level"
    assert len(replay.hashes) >= len(replay) // 100
    episodes = finish(replay)
    assert episodes.cause.tolist() == ["goal"]
    assert episodes.seed.tolist() == [replay.seed]
    assert episodes.length.tolist() == [len(replay)]
    assert len(replay) <= replay.options.horizon
    steps = [int(episodes.achievements[0, ACHIEVEMENT_ID[name]]) for name in MILESTONES]
    assert steps[0] > 0
    assert steps == sorted(set(steps)), dict(zip(MILESTONES, steps, strict=True))
    assert steps[-1] == len(replay)
    assert episodes.reward.tolist() == [sum(TASKS["diamond"].rewards.values())]


def test_another_action_leads_elsewhere():
    replay = Replay.read(CHAINS[0])
    actions = replay.actions.copy()
    middle = len(actions) // 2
    assert actions[middle] != FLAT_ACTION_ID["turn_left_45"]
    actions[middle] = FLAT_ACTION_ID["turn_left_45"]
    with pytest.raises(ValueError, match="goes another way"):
        finish(dataclasses.replace(replay, actions=actions))


def test_other_rules_are_refused():
    replay = dataclasses.replace(Replay.read(CHAINS[0]), options=VoxelOptions(task="diamond", mining_speed=2))
    with pytest.raises(ValueError, match="record it again"):
        finish(replay)
