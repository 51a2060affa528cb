"""The protocol: first episodes only, of exactly the levels asked for, whatever the batch."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
import warp as wp

from farlands.agents.baselines import RandomAgent, ZeroAgent
from farlands.cli import main
from farlands.evaluation.metrics import Scale
from farlands.evaluation.protocol import UNSEEN, evaluate, evaluation_seeds, relive, split_trials
from farlands.evaluation.report import Report
from farlands.runtime.build import evaluation_options
from farlands.worlds.reference import CueCorridor, CueCorridorOptions
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Episodes

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


@pytest.mark.parametrize("batch", [1, 2, 8])
@pytest.mark.parametrize("respawn", [True, False])
def test_of_several_agents_the_first_episode_of_each_counts_at_any_batch_size(batch, respawn):
    options = VoxelOptions(agents=2, respawn=respawn, horizon=20, window=32, senses=("vitals", "action_mask"))
    seeds, kept = evaluation_seeds(5, 3), []

    def make(count: int) -> VoxelWorld:
        world = VoxelWorld(count, options)
        kept.append(world)
        return world

    class Unlucky(RandomAgent):
        """Every second row burns to death at once."""

        def act(self, observation, memory, first, noise=None):
            body = wp.to_torch(kept[-1].state.body)
            body[Body.HEALTH, 1::2], body[Body.FIRE, 1::2] = 1, 20
            return super().act(observation, memory, first, noise)

    found = evaluate(Unlucky(VoxelWorld(1, options).spec), make, seeds, batch=batch)
    assert found.row.tolist() == list(range(6))
    assert found.seed.tolist() == [seed for seed in seeds for _ in range(2)]
    assert found.length[0::2].tolist() == [20] * 3
    assert found.cause.tolist()[1::2] == ["fire"] * 3
    assert found.dropped == 0
    alone = evaluate(Unlucky(VoxelWorld(1, options).spec), make, seeds, batch=3)
    assert (found.reward == alone.reward).all()
    shown: dict[int, list[int]] = {}

    def watch(world, tick, rows) -> None:
        assert world is kept[-1]
        for index, row in rows.items():
            assert row == index % (2 * batch)
            shown.setdefault(index, []).append(tick)

    chosen = dataclasses.replace(found, **{n: v[[0, 3]] for n, v in vars(found).items() if n != "dropped"})
    again = relive(Unlucky(VoxelWorld(1, options).spec), make, seeds, chosen, watch, batch=batch)
    assert again.reward.tolist() == found.reward[[0, 3]].tolist()
    assert {index: len(ticks) for index, ticks in shown.items()} == {k: int(found.length[k]) for k in (0, 3)}


@pytest.mark.parametrize("batch", [2, 8])
def test_trials_are_told_apart(batch, capsys):
    """Each level is lived three times over, at any batch size; a report sets the trials side by side."""
    from rich.console import Console

    options = VoxelOptions(trials=3, horizon=40, window=32, creatures="none", task="tools", start_kit=("oak_log:2",))
    spec = VoxelWorld(1, options).spec
    seeds = evaluation_seeds(0, 5)
    lived = evaluate(RandomAgent(spec), lambda count: VoxelWorld(count, options), seeds, batch=batch)
    assert lived.row.tolist() == [level for level in range(5) for _ in range(3)]
    trials = split_trials(lived, 3)
    assert [trial.seed.tolist() for trial in trials] == [seeds] * 3
    assert len({tuple(trial.reward.tolist()) for trial in trials}) == 3
    single = evaluate(
        RandomAgent(spec), lambda n: VoxelWorld(n, dataclasses.replace(options, trials=1)), seeds, batch=batch
    )
    assert trials[0].reward.tolist() == single.reward.tolist()
    made = Report("title", Scale.of(spec), trials[0], later_trials=tuple(trials[1:]))
    assert [each["episodes"] for each in made.to_json()["trials"]] == [5, 5, 5]
    assert "## Trial after trial" in made.to_markdown()
    Console(width=120).print(made.to_table())
    assert "Trial after trial" in capsys.readouterr().out
    assert not report().trials


def test_trials_that_do_not_end_in_time_are_counted():
    cut = Episodes(
        *(np.array(x) for x in ([0, 0, 2], [5, 5, 7], [1, 1, 1], [0.0] * 3, ["a"] * 3, [[1]] * 3)), dropped=3
    )
    first, second = split_trials(cut, 2)
    assert (first.row.tolist(), first.dropped) == ([0, 2], 1)
    assert (second.row.tolist(), second.dropped) == ([0], 2)


def test_what_does_not_end_in_time_is_counted():
    found = evaluate(ZeroAgent(SPEC), CueCorridor, evaluation_seeds(0, 9), max_steps=5)
    assert len(found) == 0
    assert found.dropped == 9


def test_a_world_without_end_needs_a_bound():
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
