"""The protocol: first episodes only, of exactly the levels asked for, whatever the batch."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from farlands.agents.baselines import RandomAgent, ZeroAgent
from farlands.cli import main
from farlands.evaluation.metrics import Scale
from farlands.evaluation.protocol import UNSEEN, evaluate, evaluation_seeds
from farlands.evaluation.report import Report
from farlands.runtime.build import evaluation_options
from farlands.worlds.reference import CueCorridor, CueCorridorOptions
from farlands.worlds.voxel.options import VoxelOptions

SPEC = CueCorridor(1).spec


def test_seeds_are_fixed_distinct_and_marked():
    seeds = evaluation_seeds(0, 512)
    assert seeds[:3] == evaluation_seeds(0, 3)
    assert len(set(seeds) | set(evaluation_seeds(1, 512))) == 1024
    assert all(UNSEEN <= seed < 2**64 for seed in seeds)


def by_hand(actor, seed: int, index: int) -> tuple[int, float]:
    """Length and return of one level's first episode, lived alone."""
    from farlands.agents.noise import uniforms

    world = CueCorridor(1)
    step, total = world.reset([seed]), 0.0
    memory, first = actor.initial_memory(1), torch.ones(1, dtype=torch.bool)
    for tick in range(100):
        noise = uniforms(0, torch.tensor([index]), torch.tensor(tick), actor.noise_size)
        act = actor.act(step.observation, memory, first, noise)
        step, memory = world.step(act.action), act.memory
        first = step.terminated | step.truncated
        total += float(step.reward)
        if first.item():
            return tick + 1, total
    raise AssertionError("no end")


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_equals_levels_lived_one_by_one_at_any_batch_size(batch):
    actor, seeds = RandomAgent(SPEC), evaluation_seeds(3, 20)
    found = evaluate(actor, CueCorridor, seeds, batch=batch)
    assert found.seed.tolist() == seeds
    assert found.row.tolist() == list(range(20))
    assert found.dropped == 0
    for index, seed in enumerate(seeds):
        length, total = by_hand(actor, seed, index)
        assert found.length[index] == length
        assert found.reward[index] == pytest.approx(total, abs=1e-5)


def test_what_does_not_end_in_time_is_counted():
    found = evaluate(ZeroAgent(SPEC), CueCorridor, evaluation_seeds(0, 9), max_steps=5)
    assert len(found) == 0
    assert found.dropped == 9


def test_a_world_without_end_needs_a_bound():
    import dataclasses

    def endless(count: int) -> CueCorridor:
        world = CueCorridor(count)
        world.spec = dataclasses.replace(world.spec, horizon=None)
        return world

    with pytest.raises(ValueError, match="max_steps must say"):
        evaluate(ZeroAgent(SPEC), endless, evaluation_seeds(0, 2))


def test_progress_is_told():
    told = []
    evaluate(ZeroAgent(SPEC), CueCorridor, evaluation_seeds(0, 9), batch=4, progress=lambda *both: told.append(both))
    assert told[-1] == (9, 9)
    assert told == sorted(told)


def test_first_episodes_are_not_cut_in_evaluation():
    options = evaluation_options(VoxelOptions(stagger=True), max_steps=77)
    assert options == VoxelOptions(stagger=False, horizon=77)
    assert evaluation_options(CueCorridorOptions()) == CueCorridorOptions()


def report() -> Report:
    seeds = evaluation_seeds(0, 40)
    zero, chance = (evaluate(kind(SPEC), CueCorridor, seeds) for kind in (ZeroAgent, RandomAgent))
    return Report("title", Scale.of(SPEC), zero, chance, {"world": "cue-corridor"})


def test_report_in_every_form(capsys):
    from rich.console import Console

    made = report()
    data = json.loads(json.dumps(made.to_json()))
    assert data["actors"]["agent"]["achievements"]["find"] == {
        "value": 0.0,
        "low": 0.0,
        "high": pytest.approx(0.0876, abs=1e-3),
    }
    assert data["actors"]["agent"]["causes"] == {"horizon": 40}
    share = data["actors"]["random"]["achievements"]["find"]["value"]
    assert share == (made.baseline.achievements[:, 1] > 0).mean()
    markdown = made.to_markdown()
    assert f"| find | 0.0% (0.0% to 8.8%) | {share:.1%} (" in markdown
    Console(width=120).print(made.to_table())
    assert f"{share:.1%}" in capsys.readouterr().out


def test_what_nobody_reached_shares_a_line(capsys):
    from rich.console import Console

    zero = evaluate(ZeroAgent(SPEC), CueCorridor, evaluation_seeds(0, 40))
    Console(width=120).print(Report("title", Scale.of(SPEC), zero).to_table())
    assert "never (0.0%, at most 8.8%): arrive, find" in capsys.readouterr().out


def test_eval_of_a_run(finished_run, tmp_path, capsys):
    out = tmp_path / "report"
    flags = ["--episodes", "24", "--threads", "1", "--out", str(out)]
    assert main(["eval", str(finished_run), *flags]) == 0
    data = json.loads((out / "report.json").read_text())
    assert data["levels_seen_in_training"] == 0
    assert data["checkpoint"] == "step-000000000512"
    assert set(data["actors"]) == {"agent", "random"}
    assert main(["eval", str(finished_run), *flags, "--checkpoint", "step-000000000256"]) == 0
    earlier = json.loads((out / "report.json").read_text())
    assert earlier["checkpoint"] == "step-000000000256"
    assert earlier["actors"]["random"] == data["actors"]["random"]
    assert "24" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["step-000000000256", "step-000000000512"])
def test_the_agent_measured_is_the_checkpoints(finished_run, name):
    from safetensors.torch import load_file

    from farlands.config import EvalConfig
    from farlands.runtime.subject import find_subject

    subject = find_subject(EvalConfig(target=str(finished_run), checkpoint=name))
    assert subject.checkpoint == name
    weights = subject.make_actor(SPEC, torch.device("cpu")).state_dict()
    written = load_file(finished_run / "checkpoints" / name / "agent.safetensors")
    assert all(torch.equal(weights[key], written[key]) for key in weights)


def test_training_levels_are_noticed(finished_run):
    from farlands.runtime.episodes import read_episodes
    from farlands.runtime.measure import _seen
    from farlands.runtime.rundir import RunDirectory
    from farlands.runtime.subject import Subject

    directory = RunDirectory.open(str(finished_run))
    subject = Subject("x", directory.read_config(), None, directory, "", lambda *_: None)
    trained = read_episodes(directory.episodes, ["seed"])["seed"].to_pylist()
    assert _seen(subject, [*trained[:3], *evaluation_seeds(0, 5)]) == 3


def test_eval_of_a_named_agent_needs_no_run(capsys):
    assert main(["eval", "cue-corridor", "--agent", "zero", "--episodes", "8", "--baseline", "False"]) == 0
    out = capsys.readouterr().out
    assert "zero agent in cue-corridor" in out
    assert "12.00" in out


def test_greedy_takes_the_mode(finished_run):
    seeds = evaluation_seeds(0, 4)
    calls = []

    class Spy(ZeroAgent):
        def act(self, observation, memory, first, noise=None):
            calls.append(noise)
            return super().act(observation, memory, first, noise)

    evaluate(Spy(SPEC), CueCorridor, seeds, greedy=True)
    assert all(noise is None for noise in calls)
    assert np.all([noise is None for noise in calls])
