"""The experts as agents by name."""

from __future__ import annotations

import pytest
import torch

from farlands.cli import main
from farlands.evaluation.records import UNSEEN_LEVELS, read_records
from farlands.runtime.scripted import HonestExpert
from farlands.runtime.subject import with_senses
from farlands.worlds.perturbations import Perturbation, PerturbedWorld
from farlands.worlds.voxel.options import SENSES, SYMBOLS, VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

MEASURE = ["--episodes", "3", "--max-steps", "60", "--baseline", "False", "--clips", "off", "--num-worlds", "2"]


@pytest.mark.parametrize("agent", ["expert", "honest-expert"])
def test_evaluations_take_them(tmp_path, agent):
    """In two batches; every level yields a log, which no random agent gets in sixty steps."""
    out = str(tmp_path / agent)
    assert main(["evaluate", "voxel", "--world.task", "diamond", "--agent", agent, *MEASURE, "--out", out]) == 0
    records = read_records(tmp_path / agent / "report.parquet")
    episodes = records.episodes["agent", UNSEEN_LEVELS]
    logs = episodes.achievements[:, records.achievements.index("collect_log")]
    assert len(logs) == 3
    assert (logs > 0).all()


def test_what_they_need_to_see_is_shown():
    shown = with_senses("honest-expert", VoxelOptions()).senses
    assert set(SYMBOLS) | set(HonestExpert.senses) == set(shown) <= set(SENSES)
    assert with_senses("random", VoxelOptions()) == VoxelOptions()
    assert with_senses("expert", VoxelOptions()) == VoxelOptions()


@pytest.mark.parametrize("agent", ["expert", "honest-expert"])
def test_other_worlds_are_none_of_theirs(capsys, agent):
    assert main(["evaluate", "cue-corridor", "--agent", agent, *MEASURE]) == 2
    assert "expert" in capsys.readouterr().err.strip().splitlines()[-1]


def test_observations_that_are_lost_do_not_confuse():
    """Every third one is zeros; a log is found all the same."""
    options = VoxelOptions(task="diamond", senses=HonestExpert.senses)
    world = PerturbedWorld(VoxelWorld(1, options), Perturbation(observation_loss=0.33))
    expert = HonestExpert(world.spec, options)
    out, memory, first = world.reset([5]), expert.initial_memory(1), torch.ones(1, dtype=torch.bool)
    earned = 0.0
    for _ in range(150):
        out = world.step(expert.act(out.observation, memory, first).action)
        first = torch.zeros(1, dtype=torch.bool)
        earned += float(out.reward[0])
    assert earned >= 1
    world.close()
