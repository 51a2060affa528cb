"""The book kept about actors, by itself."""

from __future__ import annotations

import pytest

from farlands.runtime.actors.config import ActorsConfig
from farlands.runtime.actors.roster import Roster, State


def make(**settings) -> Roster:
    return Roster(ActorsConfig(**{"count": 3, "timeout": 10.0, "window": 100.0, "restarts": 2, **settings}), now=0.0)


def fill(roster: Roster, now: float = 0.0) -> None:
    for slot in list(roster.vacant(now)):
        roster.start(slot, 0, now)
        roster.ready(slot, now)


def test_slots_fill_and_are_refilled_by_new_incarnations():
    roster = make()
    assert [slot.number for slot in roster.vacant(0.0)] == [0, 1, 2]
    fill(roster)
    assert (roster.alive, list(roster.vacant(0.0))) == (3, [])
    roster.gone(roster.slots[1], "its machine left", failed=False, now=5.0)
    assert roster.alive == 2
    assert [slot.number for slot in roster.vacant(5.0)] == [1]
    fill(roster, 5.0)
    assert [slot.incarnation for slot in roster.slots] == [1, 2, 1]
    assert (roster.lost, roster.failed) == (1, 0)


def test_nobody_gets_further_ahead_than_allowed():
    roster = make(ahead=2)
    fill(roster)
    slot = roster.slots[0]
    for _ in range(2):
        roster.asked(slot, 0.0)
    assert slot not in list(roster.idle())
    roster.arrived(slot, 1.0)
    assert slot not in list(roster.idle()), "what waits for the learner counts too"
    roster.taken(slot)
    assert slot in list(roster.idle())


def test_late_is_who_is_at_one_rollout_for_too_long():
    roster = make()
    fill(roster)
    slow, steady, idle = roster.slots
    for slot in (slow, steady):
        roster.asked(slot, 0.0)
        roster.asked(slot, 0.0)
    roster.arrived(steady, 6.0)
    assert list(roster.late(9.0)) == []
    assert list(roster.late(11.0)) == [slow]
    assert list(roster.late(17.0)) == [slow, steady]
    assert idle.running == 0


def test_failures_put_the_next_try_off_and_add_up_within_the_window():
    roster = make()
    fill(roster)
    slot = roster.slots[0]
    roster.gone(slot, "boom", failed=True, now=1.0)
    assert list(roster.vacant(1.5)) == []
    assert list(roster.vacant(2.0)) == [slot]
    roster.gone(slot, "boom", failed=True, now=3.0)
    assert list(roster.vacant(4.5)) == []
    assert roster.exhausted() is None
    roster.gone(slot, "boom", failed=True, now=90.0)
    assert roster.exhausted() is slot
    later = make()
    for now in (0.0, 60.0, 120.0, 180.0, 240.0):
        later.gone(later.slots[0], "boom", failed=True, now=now)
        assert later.exhausted() is None, "two failures in a hundred seconds are forgiven"


def test_losses_are_forgiven_without_end():
    roster = make()
    fill(roster)
    for now in range(50):
        roster.gone(roster.slots[0], "its machine left", failed=False, now=float(now))
        fill(roster, float(now))
    assert roster.exhausted() is None
    assert (roster.lost, roster.alive, roster.slots[0].incarnation) == (50, 3, 51)


def test_too_few_for_too_long_and_who_is_missing():
    roster = make(minimum=2)
    assert not roster.too_few(10.0)
    assert roster.too_few(10.1), "at the start too"
    fill(roster)
    roster.gone(roster.slots[0], "its machine left", failed=False, now=20.0)
    assert not roster.too_few(1000.0)
    roster.gone(roster.slots[2], "boom", failed=True, now=25.0)
    assert not roster.too_few(35.0)
    assert roster.too_few(35.1)
    roster.start(roster.slots[0], 0, 30.0)
    said = roster.describe_missing(36.0)
    assert (
        said
        == "actor 0 starting for 6 s (no room on the cluster, or slow to make its worlds); actor 2 gone for 11 s (boom)"
    )
    roster.ready(roster.slots[0], 36.0)
    assert not roster.too_few(1000.0)


def test_many_missing_are_counted():
    roster = make(count=50)
    assert roster.describe_missing(1.0).endswith("actor 3 gone for 1 s; and 46 more")


def test_weights_are_sent_once_at_a_time():
    roster = make()
    fill(roster)
    slot = roster.slots[0]
    assert list(roster.outdated(0)) == []
    assert len(list(roster.outdated(1))) == 3
    slot.version, slot.sending = 1, True
    assert slot not in list(roster.outdated(2)), "one is on its way; nothing piles up"
    slot.sending = False
    assert slot in list(roster.outdated(2))


def test_a_resumed_run_goes_on_counting_incarnations():
    roster, resumed = make(), make(count=4)
    fill(roster)
    roster.gone(roster.slots[2], "x", failed=True, now=1.0)
    fill(roster, 5.0)
    roster.dropped = 7
    resumed.load_state_dict(roster.state_dict())
    fill(resumed)
    assert [slot.incarnation for slot in resumed.slots] == [2, 2, 3, 1]
    assert (resumed.lost, resumed.failed, resumed.dropped) == (1, 1, 7)
    assert all(slot.state is State.READY for slot in resumed.slots)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"count": -1}, "actors.count is -1; it must be at least 0"),
        ({"count": 10**9}, "at most 100000"),
        ({"ahead": 0}, "actors.ahead is 0"),
        ({"max_staleness": -1}, "actors.max-staleness is -1"),
        ({"timeout": 0.0}, "actors.timeout is 0.0; it must be above 0"),
        ({"cpus": -1.0}, "actors.cpus is -1.0"),
        ({"count": 2, "minimum": 3}, "at most actors.count, which is 2"),
    ],
)
def test_config_refuses_the_impossible(settings, said):
    with pytest.raises(ValueError, match=said):
        ActorsConfig(**settings)
