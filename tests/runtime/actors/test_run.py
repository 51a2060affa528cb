"""Whole runs with actors, in this process: a cluster that does each errand when it is waited for."""

from __future__ import annotations

import itertools
import pickle

import pytest

from farlands.cli import main
from farlands.runtime.actors import build
from farlands.runtime.actors.files import describe
from farlands.runtime.actors.fleet import LostError
from farlands.runtime.actors.messages import Plan
from farlands.runtime.actors.worker import Actor
from farlands.runtime.episodes import read_episodes
from farlands.runtime.loop import Run, describe_spec
from farlands.runtime.metrics import read_metrics
from farlands.runtime.signals import PREEMPTED

FLAGS = ["--learner", "impala", "--actors.count", "2", "--num-worlds", "8", "--threads", "1"]


class Here:
    """Actors in this process. ``made`` is the newest of its kind."""

    made: Here

    def __init__(self, config, spec) -> None:
        self.config, self.spec = config, spec
        self.tickets, self.queue, self.closed = itertools.count(), {}, False
        self.dead: set[Actor] = set()
        self.actors: list[Actor] = []
        Here.made = self

    def start(self, slot, incarnation, weights):
        data, files = describe(self.config)
        actor = Actor(Plan(data, files, slot, incarnation, describe_spec(self.spec)))
        self.actors.append(actor)
        return actor, self._do(actor, lambda: actor.begin(weights))

    def put(self, weights):
        return weights

    def send(self, handle, weights):
        return self._do(handle, lambda: handle.take(weights))

    def ask(self, handle):
        return self._do(handle, handle.collect)

    def wait(self, tickets, seconds):
        return list(tickets)

    def fetch(self, ticket):
        actor, errand = self.queue.pop(ticket)
        if actor in self.dead:
            raise LostError("its process died")
        return pickle.loads(pickle.dumps(errand()))

    def stop(self, handle):
        self.dead.add(handle)

    def close(self):
        self.closed = True

    def _do(self, actor, errand):
        ticket = next(self.tickets)
        self.queue[ticket] = (actor, errand)
        return ticket


@pytest.fixture(autouse=True)
def _without_ray(monkeypatch):
    monkeypatch.setattr(build, "RayCluster", Here)


def train(directory, *flags: str) -> int:
    return main(["train", "cue-corridor", "--run-dir", str(directory), *FLAGS, *flags])


def test_reaches_the_return_of_a_run_without_actors(tmp_path):
    flags = ["--num-worlds", "64", "--steps", "51200"]
    assert train(tmp_path / "run", *flags) == 0
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert len(rows) == 50
    assert sum(row["episode/return"] for row in rows[-10:]) / 10 > 0.9
    assert 0.0 < max(row["actors/staleness_max"] for row in rows) <= 3.0, "rollouts were asked for ahead"
    assert Here.made.closed


def test_records_are_those_of_any_run(tmp_path):
    run = tmp_path / "run"
    assert train(run, "--steps", "1024", "--save-every", "0", "--rewards.sources", "rnd") == 0
    rows = read_metrics(run / "metrics.jsonl")
    assert [row["step"] for row in rows] == [128 * (n + 1) for n in range(8)]
    assert {"learn/policy_ratio", "actors/alive", "time/save", "steps_per_second"} <= set(rows[-1])
    assert any(name.startswith("reward/RND/") for name in rows[-1])
    table = read_episodes(run / "episodes")
    assert table.num_rows == sum(row["episode/count"] for row in rows) > 50
    assert set(table["row"].to_pylist()) == set(range(8))
    assert main(["evaluate", str(run), "--episodes", "8", "--baseline", "False", "--device", "cpu"]) == 0


def test_resume_goes_on_from_agent_learner_and_counts_on_new_levels(tmp_path):
    run = tmp_path / "run"
    assert train(run, "--steps", "512") == 0
    first = read_episodes(run / "episodes")["seed"].to_pylist()
    assert main(["resume", str(run), "--steps", "1024"]) == 0
    rows = read_metrics(run / "metrics.jsonl")
    assert [row["update"] for row in rows] == list(range(1, 9))
    seeds = read_episodes(run / "episodes")["seed"].to_pylist()
    assert len(set(seeds)) == len(seeds) > len(first)
    assert [actor._plan.incarnation for actor in Here.made.actors] == [2, 2]


def test_rollouts_that_are_too_old_are_dropped_and_counted(tmp_path):
    run = tmp_path / "run"
    assert train(run, "--steps", "1024", "--actors.max-staleness", "0", "--actors.ahead", "3") == 0
    rows = read_metrics(run / "metrics.jsonl")
    assert rows[-1]["actors/dropped"] > 0
    assert max(row["actors/staleness_max"] for row in rows) == 0.0
    assert rows[-1]["step"] == 1024, "steps are those that were learned from"
    assert sum(row["episode/count"] for row in rows) > 1024 / 12, "episodes are all that were lived"


@pytest.mark.parametrize("end", ["signal", "failures"])
def test_whatever_ends_the_wait_the_run_is_saved(tmp_path, capsys, monkeypatch, end):
    run = tmp_path / "run"
    log = Run.log

    def interrupted(self, rollout, metrics):
        log(self, rollout, metrics)
        if self.counters.updates == 3:
            Here.made.wait = nothing_comes
            Here.made.fetch = never
            stop.append(self.stop)

    stop = []

    def nothing_comes(tickets, seconds):
        if end == "failures":
            return list(tickets)
        stop[0].signal = 15
        return []

    def never(ticket):
        raise LostError("the cable was cut")

    monkeypatch.setattr(Run, "log", interrupted)
    code = train(run, "--steps", "1e6", "--actors.restarts", "1", "--actors.timeout", "20")
    said = capsys.readouterr()
    assert code == (PREEMPTED if end == "signal" else 2)
    if end == "failures":
        assert "failed 2 times within 600 s, the last time with: the cable was cut" in said.err
        assert len(said.err.splitlines()) == 1
    assert [path.name for path in (run / "checkpoints").glob("step-*")] == ["step-000000000384"]
    assert read_metrics(run / "metrics.jsonl")[-1]["step"] == 384
    monkeypatch.undo()
    monkeypatch.setattr(build, "RayCluster", Here)
    assert main(["resume", str(run), "--steps", "512"]) == 0
