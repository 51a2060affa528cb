"""From bare hands to a diamond pickaxe on natural land with default options: recorded episodes, played again."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID, TASKS
from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.expert.recording import Recording, replay
from farlands.worlds.voxel.options import VoxelOptions

CHAINS = sorted((Path(__file__).parent / "chains").glob("*.json"))
MILESTONES = tuple(TASKS["diamond"].rewards)


def test_three_levels_are_recorded():
    assert len({Recording.load(path).seed for path in CHAINS}) >= 3


@pytest.mark.parametrize("path", CHAINS, ids=lambda path: path.stem)
def test_recording_reaches_the_goal_by_every_milestone(path: Path):
    recording = Recording.load(path)
    assert recording.options == VoxelOptions(task="diamond"), "nothing but the task may differ from the defaults"
    state_hash, episodes = replay(recording)
    assert episodes.cause.tolist() == ["goal"]
    assert episodes.seed.tolist() == [recording.seed]
    assert episodes.length.tolist() == [len(recording.actions)]
    assert len(recording.actions) <= recording.options.horizon
    steps = [int(episodes.achievements[0, ACHIEVEMENT_ID[name]]) for name in MILESTONES]
    assert steps[0] > 0
    assert steps == sorted(set(steps)), dict(zip(MILESTONES, steps, strict=True))
    assert steps[-1] == len(recording.actions)
    assert episodes.reward.tolist() == [sum(TASKS["diamond"].rewards.values())]
    assert state_hash == recording.state_hash, (
        "the same seed and actions lead elsewhere: see benchmarks/chains.py --record"
    )


def test_another_action_leads_elsewhere():
    recording = Recording.load(CHAINS[0])
    actions = bytearray(recording.actions)
    actions[len(actions) // 2] = FLAT_ACTION_ID["turn_left_45"]
    assert bytes(actions) != recording.actions
    state_hash, _ = replay(dataclasses.replace(recording, actions=bytes(actions)))
    assert state_hash != recording.state_hash


def test_other_rules_are_refused():
    recording = dataclasses.replace(Recording.load(CHAINS[0]), options=VoxelOptions(task="diamond", mining_speed=2))
    with pytest.raises(ValueError, match="record it again"):
        replay(recording)


@pytest.mark.parametrize("text", ["", "{}", '{"seed": 1, "options": {"nothing": 2}, "actions": ""}', "[]"])
def test_other_files_are_refused_in_one_line(tmp_path: Path, text: str):
    path = tmp_path / "chain.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a recording") as error:
        Recording.load(path)
    assert "\n" not in str(error.value)
