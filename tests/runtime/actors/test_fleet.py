"""The fleet on a cluster of the mind: its own clock, no processes, anything may die."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.errors import UserError
from farlands.runtime.actors.config import ActorsConfig
from farlands.runtime.actors.fleet import Fleet, LostError, StoppedError
from farlands.runtime.actors.messages import Failure, Report, Weights


def weights(version: int) -> Weights:
    return Weights(version, {}, None, None)  # type: ignore[arg-type]


@dataclass
class Handle:
    """An actor that takes ``seconds`` for a rollout."""

    slot: int
    incarnation: int
    seconds: float
    version: int
    jobs: list[int] = field(default_factory=list)
    free_at: float = 0.0
    dead: str = ""


class SimulatedCluster:
    """Rollouts take their time on a clock that only waiting moves."""

    def __init__(self, seconds=lambda slot, incarnation: 1.0, begin=1.0, failures=()):
        self.now, self.seconds, self.begin, self.failures = 0.0, seconds, begin, dict(failures)
        self.tickets = itertools.count()
        self.results: dict[int, tuple[float, Handle, object]] = {}
        self.handles: list[Handle] = []
        self.started: list[tuple[int, int]] = []
        self.most_open = 0
        self.puts = 0

    def clock(self):
        return self.now

    def start(self, slot, incarnation, weights):
        handle = Handle(slot, incarnation, self.seconds(slot, incarnation), weights.version)
        handle.free_at = self.now + self.begin
        self.handles.append(handle)
        self.started.append((slot, incarnation))
        return handle, self._ticket(handle, handle.free_at, True)

    def put(self, weights):
        self.puts += 1
        return weights

    def send(self, handle, weights):
        handle.version = weights.version
        return self._ticket(handle, self.now + 0.01, None)

    def ask(self, handle):
        begun = max(handle.free_at, self.now)
        handle.free_at = begun + handle.seconds
        ticket = self._ticket(handle, handle.free_at, self.failures.get((handle.slot, handle.incarnation)))
        handle.jobs.append(ticket)
        return ticket

    def wait(self, tickets, seconds):
        there = self._there(tickets)
        if not there:
            soonest = min((self.results[ticket][0] for ticket in tickets), default=float("inf"))
            self.now = min(self.now + seconds, max(soonest, self.now))
            there = self._there(tickets)
        self.most_open = max(self.most_open, sum(len(handle.jobs) for handle in self.handles if not handle.dead))
        return there

    def fetch(self, ticket):
        _, handle, result = self.results.pop(ticket)
        if handle.dead:
            raise LostError(handle.dead, blameless=handle.dead.startswith("machine"))
        if ticket in handle.jobs:
            handle.jobs.remove(ticket)
            if result is None:
                return Report(handle.slot, handle.incarnation, handle.version, handle.seconds, {}, None)
        return result

    def stop(self, handle):
        handle.dead = handle.dead or "stopped"

    def close(self):
        for handle in self.handles:
            self.stop(handle)

    def kill(self, slot, cause="process died"):
        for handle in self.handles:
            if handle.slot == slot and not handle.dead:
                handle.dead = cause

    def _ticket(self, handle, due, result):
        ticket = next(self.tickets)
        self.results[ticket] = (due, handle, result)
        return ticket

    def _there(self, tickets):
        found = [ticket for ticket in tickets if ticket in self.results]
        return [ticket for ticket in found if self.results[ticket][0] <= self.now or self.results[ticket][1].dead]


def make(cluster, stopping=lambda: False, **settings):
    notes: list[str] = []
    config = ActorsConfig(**{"count": 3, "timeout": 20.0, **settings})
    fleet = Fleet(config, cluster, lambda line, details: notes.append(line + details), stopping, cluster.clock)
    fleet.publish(weights(0))
    return fleet, notes


def test_rollouts_come_from_everyone_in_turn():
    cluster = SimulatedCluster()
    fleet, _ = make(cluster)
    reports = [fleet.take() for _ in range(30)]
    counts = [sum(report.slot == slot for report in reports) for slot in range(3)]
    assert counts == [10, 10, 10]
    assert cluster.now < 12.0, "three at a time"


@pytest.mark.parametrize("ahead", [1, 2, 5])
def test_a_slow_learner_holds_the_actors_back(ahead):
    cluster = SimulatedCluster()
    fleet, _ = make(cluster, ahead=ahead)
    for update in range(1, 20):
        fleet.take()
        cluster.now += 100.0
        fleet.publish(weights(update))
        assert len(fleet._arrived) + len(fleet._errands) <= 3 * ahead + 3, "rollouts, and weights on their way"
    assert cluster.most_open <= 3 * ahead
    assert cluster.puts == 20, "weights are kept once for all"


def test_a_slow_actor_holds_nobody_up():
    cluster = SimulatedCluster(seconds=lambda slot, _: 15.0 if slot == 2 else 1.0)
    fleet, _ = make(cluster)
    reports = [fleet.take() for _ in range(40)]
    assert sum(report.slot == 2 for report in reports) in (1, 2)
    assert fleet.roster.alive == 3


def test_versions_are_those_that_acted_and_new_ones_arrive():
    cluster = SimulatedCluster()
    fleet, _ = make(cluster)
    ages = []
    for update in range(1, 30):
        ages += [fleet.version - fleet.take().version for _ in range(3)]
        fleet.publish(weights(update))
    assert max(ages[9:]) <= 2
    assert min(ages) >= 0


def test_a_killed_actor_is_replaced_and_the_count_recovers():
    cluster = SimulatedCluster()
    fleet, notes = make(cluster)
    for _ in range(6):
        fleet.take()
    cluster.kill(1)
    reports = [fleet.take() for _ in range(20)]
    assert fleet.roster.alive == 3
    assert (1, 2) in {(report.slot, report.incarnation) for report in reports}
    assert notes == ["actor 1 was lost: process died; another takes its place"]
    assert (fleet.roster.lost, fleet.roster.failed) == (1, 0)


def test_an_actor_that_raises_is_reported_once_and_ends_the_run_when_it_does_not_stop():
    boom = Failure("ValueError: the door is stuck", "Traceback ...")
    cluster = SimulatedCluster(failures={(1, number): boom for number in range(1, 100)})
    fleet, notes = make(cluster, restarts=3)
    with pytest.raises(UserError, match=r"actor 1 failed 4 times within 600 s, .*: ValueError: the door is stuck"):
        [fleet.take() for _ in range(1000)]
    assert notes == ["actor 1 failed: ValueError: the door is stuck; another takes its placeTraceback ..."]
    assert [number for slot, number in cluster.started if slot == 1] == [1, 2, 3, 4]


def test_an_actor_that_raised_and_works_again_is_forgiven():
    cluster = SimulatedCluster(failures={(1, 1): Failure("OSError: busy", "")})
    fleet, _ = make(cluster, restarts=0, count=2)
    with pytest.raises(UserError, match="failed once"):
        [fleet.take() for _ in range(20)]
    cluster = SimulatedCluster(failures={(1, 1): Failure("OSError: busy", "")})
    fleet, _ = make(cluster, restarts=1, count=2)
    assert {(report.slot, report.incarnation) for report in (fleet.take() for _ in range(20))} == {(0, 1), (1, 2)}


def test_dying_before_doing_anything_is_a_failure_but_not_when_the_machine_went():
    for cause, failed in (("process died", 1), ("machine left", 0)):
        cluster = SimulatedCluster()
        fleet, _ = make(cluster)
        fleet._tend()
        cluster.kill(2, cause)
        fleet.take()
        assert (fleet.roster.lost, fleet.roster.failed) == (1, failed)


def test_one_that_hangs_is_replaced():
    cluster = SimulatedCluster(seconds=lambda slot, incarnation: 1e9 if (slot, incarnation) == (0, 1) else 1.0)
    fleet, notes = make(cluster)
    while cluster.now < 60.0:
        fleet.take()
    assert notes == ["actor 0 failed: no rollout within 20 s (--actors.timeout); another takes its place"]
    assert fleet.roster.alive == 3


def test_a_long_update_makes_nobody_late():
    cluster = SimulatedCluster()
    fleet, notes = make(cluster)
    for _ in range(6):
        fleet.take()
        cluster.now += 1000.0
    assert notes == []


def test_with_nobody_left_the_run_ends_and_says_who_is_missing():
    cluster = SimulatedCluster(begin=1e9)
    fleet, _ = make(cluster)
    with pytest.raises(UserError, match=r"0 of 3 actors are there, at least 1 must be; waited 20 s .*actor 2 starting"):
        fleet.take()
    assert 20.0 < cluster.now < 22.0


def test_the_minimum_is_kept_to():
    cluster = SimulatedCluster(begin=1.0)
    fleet, _ = make(cluster, minimum=3)
    fleet.take()
    cluster.begin = 1e9
    cluster.kill(0, "machine left")
    with pytest.raises(UserError, match=r"2 of 3 actors are there, at least 3 must be"):
        [fleet.take() for _ in range(1000)]


def test_a_request_to_stop_ends_the_wait():
    cluster = SimulatedCluster(seconds=lambda *_: 10.0)
    fleet, _ = make(cluster, stopping=lambda: cluster.now > 3.0)
    beats = []
    fleet.beat = lambda: beats.append(cluster.now)
    with pytest.raises(StoppedError):
        fleet.take()
    assert cluster.now < 4.0
    assert len(beats) >= 5, "whoever watches hears of it all the while"


@settings(max_examples=40)
@given(seed=st.integers(0, 10_000), ahead=st.integers(1, 3), count=st.integers(1, 5))
def test_whatever_dies_nothing_grows_and_no_incarnation_comes_twice(seed, ahead, count):
    chance = random.Random(seed)
    cluster = SimulatedCluster(seconds=lambda *_: chance.uniform(0.5, 3.0))
    fleet, _ = make(cluster, ahead=ahead, count=count, timeout=1e6, restarts=10**6)
    for update in range(1, 60):
        report = fleet.take()
        assert report.version <= fleet.version
        if chance.random() < 0.3:
            cluster.kill(chance.randrange(count), chance.choice(["process died", "machine left"]))
        if chance.random() < 0.2:
            cluster.now += chance.uniform(0.0, 30.0)
        fleet.publish(weights(update))
        for slot in fleet.roster.slots:
            assert 0 <= slot.running + slot.waiting <= ahead
        assert len(fleet._errands) <= count * (ahead + 2)
        assert len(fleet._arrived) <= count * ahead * 3
    assert len(set(cluster.started)) == len(cluster.started)
    while fleet.roster.alive < count:
        fleet.take()
