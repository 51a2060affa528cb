"""One actor, in this process: what it lives through, and how that comes back into one rollout."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from farlands.agents import make_agent
from farlands.config import TrainConfig, anchored
from farlands.learning.collect import Collector
from farlands.learning.normalise import ValueNormaliser
from farlands.learning.rollout import allocate_rollout
from farlands.recipes import read_train_flags
from farlands.runtime.actors.files import describe, settle
from farlands.runtime.actors.messages import Failure, Plan, Report, unpack
from farlands.runtime.actors.run import DistantWorlds
from farlands.runtime.actors.worker import Actor, keep_to_cores, snapshot
from farlands.runtime.loop import describe_spec
from farlands.runtime.seeds import derive_seed
from farlands.worlds.adapters.foreign.options import AtariOptions, MinigridOptions
from farlands.worlds.reference import CueCorridor

FLAGS = ["--learner", "impala", "--actors.count", "2", "--num-worlds", "8", "--impala.rollout", "20"]
MINE = """
from farlands.agents.agent import Agent
from farlands.worlds.adapters.foreign.options import AtariOptions, MinigridOptions
from farlands.worlds.reference import CueCorridor

class Corridor(CueCorridor):
    def step(self, actions, out=None):
        if {raises}:
            raise RuntimeError("the floor\\ngave way")
        return super().step(actions, out)

class Network(Agent):
    pass

def halved(rollout):
    return rollout.rewards / 2
"""


def read(world: str = "cue-corridor", *flags: str) -> TrainConfig:
    return anchored(read_train_flags(world, [*FLAGS, *flags]))


def make(config: TrainConfig, slot: int = 0, incarnation: int = 1) -> Actor:
    data, files = describe(config)
    return Actor(Plan(data, files, slot, incarnation, describe_spec(CueCorridor(1).spec)))


def agent_of(config: TrainConfig, seed: int = 0):
    torch.manual_seed(seed)
    return make_agent(CueCorridor(1).spec, dataclasses.replace(config.agent, network=""))


def units(mean: float = 0.0, std: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.tensor([mean]), torch.tensor([std])


def test_lives_as_a_collector_with_its_seeds_and_rows_does():
    config = read()
    agent, actor = agent_of(config), make(config, slot=1, incarnation=3)
    assert actor.begin(snapshot(5, agent, *units(2.0, 10.0))) is True
    world = CueCorridor(4)
    collector = Collector(world, agent, 20, derive_seed(1, "actions", 3), first_row=4)
    collector.start(derive_seed(1, "worlds", 1, 3))
    for _ in range(2):
        report, rollout = actor.collect(), collector.collect()
        assert isinstance(report, Report)
        assert (report.slot, report.incarnation, report.version) == (1, 3, 5)
        assert np.array_equal(report.arrays["actions"], rollout.actions)
        assert np.array_equal(report.arrays["observation.view"], rollout.steps.observation["view"])
        assert np.allclose(report.arrays["next_values"], rollout.next_values * 10 + 2, atol=1e-5)
        ended = world.drain_episodes()
        assert np.array_equal(report.episodes.row, ended.row + 4)
        assert np.array_equal(report.episodes.seed, ended.seed)


def test_the_newest_weights_are_used_from_the_next_rollout_on():
    config = read()
    actor, new = make(config), agent_of(config, 1)
    actor.begin(snapshot(0, agent_of(config), *units()))
    assert actor.collect().version == 0
    actor.take(snapshot(2, new, *units()))
    actor.take(snapshot(1, agent_of(config, 2), *units()))
    report = actor.collect()
    assert report.version == 2, "what comes late does not replace what is newer"
    steps = {key.removeprefix("observation."): value for key, value in report.arrays.items() if "observation." in key}
    with torch.no_grad():
        sequence = {key: torch.tensor(value) for key, value in steps.items()}
        memory, first = (torch.tensor(report.arrays[name]) for name in ("memories", "first"))
        output = new.unroll(sequence, memory[0], first)
        log_probs = output.distribution[:-1].log_prob(torch.tensor(report.arrays["actions"]))
    assert torch.allclose(log_probs, torch.tensor(report.arrays["log_probs"]), atol=1e-5)


def test_no_two_actors_ever_meet_the_same_levels_or_noise():
    config, seen, acts = read(), [], []
    for slot, incarnation in ((0, 1), (0, 2), (1, 1), (1, 2)):
        actor = make(config, slot, incarnation)
        actor.begin(snapshot(0, agent_of(config), *units()))
        report = actor.collect()
        seen += report.episodes.seed.tolist()
        acts.append(report.arrays["actions"].tobytes())
    assert len(set(seen)) == len(seen) > 20
    assert len(set(acts)) == 4


def test_rollouts_of_several_lie_side_by_side_in_todays_units():
    config = read()
    agent, reports = agent_of(config), []
    for slot in range(2):
        actor = make(config, slot)
        actor.begin(snapshot(0, agent, *units(2.0, 10.0)))
        reports.append(actor.collect())
    rollout = allocate_rollout(CueCorridor(8), 20, 1, agent.memory_size)
    normaliser = ValueNormaliser(1)
    normaliser.update(torch.randn(20, 8, 1) * 3 + 1)
    for slot, report in enumerate(reports):
        unpack(report.arrays, rollout, 4 * slot, normaliser.mean, normaliser.std)
    for slot, report in enumerate(reports):
        rows = slice(4 * slot, 4 * slot + 4)
        assert np.array_equal(rollout.rewards[:, rows], report.arrays["rewards"][1:])
        assert np.array_equal(rollout.memories[:, rows], report.arrays["memories"])
        values = normaliser.denormalise(rollout.next_values[:, rows])
        assert np.allclose(values, report.arrays["next_values"], atol=1e-4)
    with pytest.raises(ValueError, match="has shape"):
        unpack(reports[0].arrays, rollout, 6, normaliser.mean, normaliser.std)
    world = DistantWorlds(CueCorridor(1).spec, 8, 1, torch.device("cpu"))
    for report in reports:
        world.note_episodes(report.episodes)
    assert len(world.drain_episodes()) == sum(len(report.episodes) for report in reports)
    assert len(world.drain_episodes()) == 0


def test_what_goes_wrong_comes_back_on_one_line(tmp_path):
    (tmp_path / "mine.py").write_text(MINE.format(raises="True"))
    config = read(f"{tmp_path}/mine.py:Corridor")
    actor = make(config)
    assert actor.begin(snapshot(0, agent_of(config), *units())) is True
    failure = actor.collect()
    assert isinstance(failure, Failure)
    assert failure.cause == "RuntimeError: the floor gave way"
    assert "mine.py" in failure.details


def test_a_world_that_is_another_here_is_refused():
    data, files = describe(read())
    failure = Actor(Plan(data, files, 0, 1, {"rules": "others"})).begin(snapshot(0, agent_of(read()), *units()))
    assert isinstance(failure, Failure)
    assert "another on this machine; install the same versions" in failure.cause


def test_files_of_ones_own_are_found_where_they_are_not(tmp_path, monkeypatch):
    mine = tmp_path / "mine.py"
    mine.write_text(MINE.format(raises="False"))
    references = ["--agent.network", f"{mine}:Network", "--rewards.sources", f"{mine}:halved"]
    config = read(f"{mine}:Corridor", *references, "--callbacks", f"{mine}:halved")
    data, files = describe(config)
    assert list(files) == [str(mine)]
    assert data["callbacks"] == []
    assert settle(data, files, tmp_path / "elsewhere") == data, "nothing is written where the file is"
    mine.rename(tmp_path / "away.py")
    settled = settle(data, files, tmp_path / "elsewhere")
    written = next((tmp_path / "elsewhere").rglob("mine.py"))
    assert written.read_text() == MINE.format(raises="False")
    assert settled["world"] == f"{written}:Corridor"
    assert settled["rewards"]["sources"] == [f"{written}:halved"]
    actor = Actor(Plan(data, files, 0, 1, describe_spec(CueCorridor(1).spec)))
    assert actor.begin(snapshot(0, agent_of(config), *units())) is True
    assert isinstance(actor.collect(), Report)


def test_an_update_takes_as_many_rows_as_without_actors():
    config = read()
    assert config.actors.worlds_each(config.num_worlds) * config.actors.rollouts == 8
    own = dataclasses.replace(config, actors=dataclasses.replace(config.actors, worlds=5, batch=3))
    assert own.actors.worlds_each(own.num_worlds) * own.actors.rollouts == 15


def test_actors_do_not_each_take_the_whole_machine():
    assert [keep_to_cores(MinigridOptions(), cores).workers for cores in (0.5, 1.0, 4.0)] == [0, 0, 4]
    assert keep_to_cores(AtariOptions(), 1.0).workers == 1, "the emulator must not be in the actor's own process"
    assert keep_to_cores(MinigridOptions(workers=3), 1.0).workers == 3, "what was asked for stays"
    assert keep_to_cores(CueCorridor.Options(), 1.0) == CueCorridor.Options()
