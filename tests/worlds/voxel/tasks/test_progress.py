"""Progress on the device against a slow interpreter of task trees in plain Python."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
import warp as wp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.state import Body, Cause, Clock
from farlands.worlds.voxel.tasks.events import TALLY, THINGS, note_event
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import PREDICATES, Event, Kind, vocabulary
from farlands.worlds.voxel.tasks.program import encode_all
from farlands.worlds.voxel.tasks.state import TASK_ARRAYS, Status

ROWS = 48


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_random_tasks_on_random_walks_equal_the_reference(make_arena, following, random_task, seed):
    draw = random.Random(seed)
    arena = make_arena(ROWS)
    tasks = [random_task(draw, draw.randint(1, 12), leaf=lambda: following.likely_leaf(draw)) for _ in range(ROWS)]
    follower = following.Follower(arena, tasks)
    following.shake(arena, follower.tally, draw)
    follower.begin()
    references = [following.Reference(task, following.Row(arena, follower.tally, r)) for r, task in enumerate(tasks)]
    for reference in references:
        reference.look()
    before = [0] * ROWS
    for step in range(25):
        progress, status, delta = follower.read()
        for r, reference in enumerate(references):
            assert progress[r] == reference.progress, (step, str(tasks[r]))
            assert status[r] == reference.status, (step, str(tasks[r]))
            assert 0 <= progress[r] <= 1000
            assert (progress[r] == 1000) == (status[r] == Status.SUCCEEDED)
            assert delta[r] == (progress[r] - before[r] if step else 0)
        before = progress
        following.shake(arena, follower.tally, draw)
        # First on the device, which also notes down where everybody stands.
        follower.advance()
        for reference in references:
            reference.advance()


def test_the_walks_above_reach_every_outcome(make_arena, following, random_task):
    """Else equality would prove little: successes, failures and unfinished tasks, and falls of progress."""
    draw = random.Random(1)
    arena = make_arena(ROWS)
    tasks = [random_task(draw, draw.randint(1, 12), leaf=lambda: following.likely_leaf(draw)) for _ in range(ROWS)]
    follower = following.Follower(arena, tasks)
    follower.begin()
    falls = 0
    for _ in range(25):
        following.shake(arena, follower.tally, draw)
        follower.advance()
        falls += sum(change < 0 for change in follower.read()[2])
    status = follower.read()[1]
    assert min(status.count(outcome) for outcome in Status) >= 3
    assert falls > 0


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_progress_of_what_is_counted_never_falls(make_arena, following, random_task, seed):
    """No momentary predicate, no ``not`` and no ``within``: then progress only rises."""
    draw = random.Random(seed)
    arena = make_arena(ROWS)
    lasting = [row for row in PREDICATES if row.timing.name != "MOMENTARY"]

    def leaf():
        while (made := following.likely_leaf(draw)).predicate not in lasting:
            pass
        return made

    tasks = []
    while len(tasks) < ROWS:
        task = random_task(draw, draw.randint(1, 12), leaf=leaf)
        if not any(word in str(task) for word in ("not(", "within(")):
            tasks.append(task)
    follower = following.Follower(arena, tasks)
    follower.begin()
    for _ in range(20):
        following.shake(arena, follower.tally, draw)
        follower.advance()
        assert min(follower.read()[2]) >= 0


def follow(make_arena, following, text):
    arena = make_arena(1)
    follower = following.Follower(arena, [parse(text)])
    follower.begin()
    return arena, follower


_IDS = {Event.BROKEN: BLOCK_ID, **dict.fromkeys((Event.KILLED, Event.BRED, Event.SHEARED), CREATURE_ID)}


def done(follower, event, thing, count=1):
    follower.tally[0, event * THINGS + _IDS.get(event, ITEM_ID)[thing]] += count


def test_a_stage_counts_from_when_it_begins(make_arena, following):
    _, follower = follow(make_arena, following, "sequence(gain(log, 2), gain(spruce_log))")
    done(follower, Event.GAINED, "oak_log")
    done(follower, Event.GAINED, "spruce_log")
    follower.advance()
    assert follower.read()[0] == [500]
    follower.advance()
    assert follower.read()[:2] == [[500], [Status.GOING_ON]]
    done(follower, Event.GAINED, "spruce_log")
    follower.advance()
    assert follower.read() == [[1000], [Status.SUCCEEDED], [500]]
    follower.advance()
    assert follower.read() == [[1000], [Status.SUCCEEDED], [0]]


@pytest.mark.parametrize(("at", "outcome"), [(3, Status.SUCCEEDED), (4, Status.FAILED)])
def test_within_counts_its_last_step(make_arena, following, at, outcome):
    _, follower = follow(make_arena, following, "within(3, gain(dirt))")
    for step in range(1, 5):
        if step == at:
            done(follower, Event.GAINED, "dirt")
        follower.advance()
    assert follower.read()[1] == [outcome]
    assert follower.read()[0] == [1000 if outcome == Status.SUCCEEDED else 0]


def test_what_must_not_happen_fails_the_task_when_it_does(make_arena, following):
    _, follower = follow(make_arena, following, "all(gain(dirt, 2), not(break(stone)))")
    done(follower, Event.GAINED, "dirt")
    follower.advance()
    assert follower.read()[:2] == [[750], [Status.GOING_ON]]
    done(follower, Event.BROKEN, "stone")
    follower.advance()
    assert follower.read()[1] == [Status.FAILED]


def test_what_must_not_be_carried_may_be_put_away_again(make_arena, following):
    arena, follower = follow(make_arena, following, "all(above(30), not(carry(dirt)))")
    assert follower.read()[1] == [Status.SUCCEEDED]
    arena.give("dirt")
    follower.begin()
    assert follower.read()[:2] == [[500], [Status.GOING_ON]]
    arena.counts[0, ITEM_ID["dirt"]] = 0
    follower.advance()
    assert follower.read()[1] == [Status.SUCCEEDED]


def test_all_in_an_all_must_hold_at_once(make_arena, following):
    arena, follower = follow(make_arena, following, "all(carry(dirt), asleep)")
    arena.give("dirt")
    follower.advance()
    arena.counts[0] = 0
    arena.put_body(SLEEPING=1)
    follower.advance()
    assert follower.read()[:2] == [[500], [Status.GOING_ON]]


def test_progress_and_success_are_paid_once(make_arena, following):
    arena, follower = follow(make_arena, following, "gain(dirt, 4)")
    follower.pay.progress, follower.pay.success, follower.pay.ends = 2, 500, 1
    arena.put_body(REWARD=0)
    for number, reward, cause in ((1, 500, Cause.NONE), (3, 2500, Cause.GOAL), (1, 2500, Cause.GOAL)):
        done(follower, Event.GAINED, "dirt", number)
        follower.advance()
        assert int(arena.body[Body.REWARD, 0]) == reward
        assert int(arena.body[Body.CAUSE, 0]) == cause


def test_falls_of_progress_are_taken_back(make_arena, following):
    arena, follower = follow(make_arena, following, "carry(dirt, 4)")
    follower.pay.progress = 1
    arena.put_body(REWARD=0)
    for count, total in ((3, 750), (1, 250), (2, 500)):
        arena.counts[0, ITEM_ID["dirt"]] = count
        follower.advance()
        assert int(arena.body[Body.REWARD, 0]) == total


def test_the_task_of_a_dead_agent_stands_still(make_arena, following):
    arena, follower = follow(make_arena, following, "gain(dirt)")
    arena.put_body(CAUSE=int(Cause.LAVA))
    done(follower, Event.GAINED, "dirt")
    follower.advance()
    assert follower.read() == [[0], [Status.GOING_ON], [0]]


def test_tasks_are_drawn_by_the_level_or_chosen(make_arena, following):
    arena = make_arena(ROWS)
    tasks = [parse(f"gain(dirt, {n})") for n in range(1, 9)]
    follower = following.Follower(arena, tasks * 6)
    seeds = random.Random(5)
    arena.clock[Clock.SEED_LOW] = torch.tensor([seeds.randrange(2**31) for _ in arena.rows], dtype=torch.int32)
    arena.clock[Clock.SEED_HIGH] = 1
    follower.g.choice.fill_(-1)
    follower.begin()
    index = follower.g.index.numpy().copy()
    assert len(set(index.tolist())) > ROWS // 2
    arena.clock[Clock.SEED_LOW] = arena.clock[Clock.SEED_LOW].flip(0)
    follower.begin()
    assert np.array_equal(follower.g.index.numpy(), index[::-1])
    follower.g.choice.fill_(7)
    follower.begin()
    assert (follower.g.index.numpy() == 7).all()
    assert np.array_equal(follower.g.program.numpy(), np.repeat(encode_all(tasks[7:]), ROWS, axis=0))


def test_nothing_of_a_former_task_is_left(make_arena, following, random_task):
    """Beginning a task gives one state, whatever went before."""
    arena = make_arena(1)
    draw = random.Random(6)
    tasks = [
        parse("gain(dirt, 2)"),
        *(random_task(draw, n, leaf=lambda: following.likely_leaf(draw)) for n in (16, 12)),
    ]
    used, fresh = following.Follower(arena, tasks), following.Follower(arena, tasks)
    for index in (1, 2, 0):
        used.g.choice.fill_(index)
        used.begin()
        for _ in range(5):
            following.shake(arena, used.tally, draw)
            used.advance()
    fresh.g.choice.fill_(0)
    arena.clear()
    used.begin()
    fresh.begin()
    for array in TASK_ARRAYS:
        expected = getattr(fresh.g, array.name).numpy()
        np.testing.assert_array_equal(getattr(used.g, array.name).numpy(), expected, err_msg=array.name)


@kernel
def _note_kernel(events: wp.array2d(dtype=wp.int32), tally: wp.array2d(dtype=wp.int32)):
    i = wp.tid()
    note_event(tally, events[i, 0], events[i, 1], events[i, 2], events[i, 3])


@pytest.mark.parametrize(("thing", "block"), [("leaves", "spruce_leaves"), ("ice", "ice"), ("torch", "torch")])
def test_near_looks_exactly_as_far_as_it_says(make_arena, following, thing, block):
    """Every cell of the box around the feet and its outside, at heights that fall differently into words of eight."""
    for height in (0, 3, 7):
        for reach in (1, 4):
            arena, follower = follow(make_arena, following, f"near({thing}, {reach})")
            arena.stand(0.5, 0.5, height)
            edges = [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
            for far in (reach, reach + 1):
                for x, y, z in ((far * a, far * b, height + far * c) for a, b, c in edges if (a, b, c) != (0, 0, 0)):
                    before = arena.get(x, y, z)
                    arena.set(block, x, y, z)
                    follower.g.status.zero_()
                    follower.advance()
                    outcome = Status.SUCCEEDED if far == reach else Status.GOING_ON
                    assert follower.read()[1] == [outcome], (x, y, z, height, reach)
                    arena.set(before, x, y, z)


def test_the_tally_adds_up():
    draw = np.random.default_rng(3)
    events = np.stack([draw.integers(0, high, 300) for high in (4, len(Event), THINGS, 5)], axis=1)
    tally = wp.zeros((4, TALLY), dtype=wp.int32, device="cpu")
    wp.launch(_note_kernel, 300, inputs=[wp.array(events, dtype=wp.int32, device="cpu"), tally], device="cpu")
    expected = np.zeros((4, TALLY), dtype=np.int64)
    for row, event, thing, count in events:
        expected[row, event * THINGS + thing] += count
    np.testing.assert_array_equal(tally.numpy(), expected)


def test_every_predicate_is_followed(make_arena, following):
    """A task per predicate, made true by hand: none is forgotten in the kernel."""
    made_true = {
        "carry": ("carry(dirt, 2)", lambda a, f: a.give("dirt", 2)),
        "wear": ("wear(iron_boots)", lambda a, f: a.armour_item.__setitem__((0, 3), ITEM_ID["iron_boots"])),
        "hold": ("hold(iron_axe)", lambda a, f: a.hold("iron_axe")),
        "gain": ("gain(flower, 2)", lambda a, f: done(f, Event.GAINED, "red_flower", 2)),
        "craft": ("craft(planks, 4)", lambda a, f: done(f, Event.CRAFTED, "planks", 4)),
        "smelt": ("smelt(glass)", lambda a, f: done(f, Event.SMELTED, "glass")),
        "place": ("place(torch)", lambda a, f: done(f, Event.PLACED, "torch")),
        "break": ("break(leaves, 3)", lambda a, f: done(f, Event.BROKEN, "oak_leaves", 3)),
        "eat": ("eat(apple)", lambda a, f: done(f, Event.EATEN, "apple")),
        "at_least": ("at_least(armour, 2)", lambda a, f: a.armour_item.__setitem__((0, 3), ITEM_ID["iron_boots"])),
        "at_most": ("at_most(food, 3)", lambda a, f: a.put_body(FOOD=3)),
        "above": ("above(40)", lambda a, f: a.stand(0.5, 0.5, 8)),
        "below": ("below(31)", lambda a, f: a.stand(0.5, 0.5, -1)),
        "away": ("away(5)", lambda a, f: a.stand(3.5, 4.5, 0)),
        "near": ("near(furnace, 3)", lambda a, f: a.set("furnace", -3, 2, 1)),
        "inside": ("inside(water)", lambda a, f: a.set("water", 0, 0, 0)),
        "asleep": ("asleep", lambda a, f: a.put_body(SLEEPING=1)),
        "time": ("time(23000, 100)", lambda a, f: a.clock.__setitem__(Clock.TIME, 50)),
        "alive": ("alive(1)", lambda a, f: None),
        "visit": ("visit(2)", lambda a, f: a.put_body(PLACES=int(a.body[Body.PLACES, 0]) + 2)),
        "unlock": ("unlock(eat)", lambda a, f: a.unlocked.__setitem__((0, vocabulary(Kind.ACHIEVEMENT)["eat"][0]), 5)),
        "kill": ("kill(zombie, 2)", lambda a, f: done(f, Event.KILLED, "zombie", 2)),
        "breed": ("breed(pig)", lambda a, f: done(f, Event.BRED, "pig", 1)),
        "shear": ("shear(sheep)", lambda a, f: done(f, Event.SHEARED, "sheep", 1)),
        "beside": ("beside(cow, 3)", lambda a, f: a.put_creature("cow", 3.0, -2.0)),
    }
    assert set(made_true) == {row.name for row in PREDICATES}
    for text, change in made_true.values():
        arena, follower = follow(make_arena, following, text)
        assert follower.read()[1] == [Status.GOING_ON], text
        change(arena, follower)
        follower.advance()
        assert follower.read()[:2] == [[1000], [Status.SUCCEEDED]], text
