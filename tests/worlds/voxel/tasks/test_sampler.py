"""Drawn tasks: the same for the same seed, of the depth asked for, solvable, not idle, apart by split."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.tasks.judge import Judge
from farlands.worlds.voxel.tasks.land import RANDOM_PLAY
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import COMBINATOR, PREDICATE
from farlands.worlds.voxel.tasks.program import canonical, decode, encode, structure
from farlands.worlds.voxel.tasks.sampler import DEPTHS, MIN_SHARE, SLACK, Sampler, sample_many
from farlands.worlds.voxel.tasks.splits import (
    DEEPEST_TRAINING,
    PARTS,
    RULES,
    TOP_BIT,
    Split,
    held_out_pairs,
    pairs,
    parse_split,
    part_of,
)
from farlands.worlds.voxel.tasks.stream import Stream
from farlands.worlds.voxel.tasks.techtree import TechTree, default_tree
from farlands.worlds.voxel.tasks.tree import Leaf, Node, leaves, walk

NUMBER = 1500


@pytest.fixture(scope="module")
def sampler() -> Sampler:
    return Sampler()


@pytest.fixture(scope="module")
def tasks(sampler):
    return [sampler.sample(seed) for seed in range(NUMBER)]


def test_a_seed_always_gives_the_same_task(sampler, tasks):
    other = Sampler()
    order = np.random.default_rng(0).permutation(200)
    assert [other.sample(int(seed)) for seed in order] == [tasks[seed] for seed in order]


def test_tasks_of_known_seeds_stay_what_they_are(sampler):
    """Seeds name tasks in records: a change to the sampler must be meant."""
    assert [str(sampler.sample(seed)) for seed in (0, 1, 2**63)] == KNOWN


KNOWN = [
    "sequence(gain(oak_log, 9), carry(planks, 7), gain(planks, 4))",
    "carry(iron_ore, 10)",
    "sequence(break(oak_log, 2), sequence(all(not(break(furnace)), unlock(make_planks)), gain(bone_meal, 3)))",
]


def test_depths_are_even(sampler, tasks):
    found = Counter(sampler.judge.depth(task) for task in tasks)
    assert set(found) == set(DEPTHS)
    expected = NUMBER / len(DEPTHS)
    assert max(abs(n - expected) for n in found.values()) < 5 * expected**0.5


def test_drawn_tasks_are_canonical_solvable_and_not_idle(sampler, tasks):
    """By a judge of its own, and with steps to spare."""
    judge = Judge(default_tree(min_share=MIN_SHARE))
    for task in tasks:
        verdict = judge.judge(task)
        assert verdict.solvable, (str(task), verdict.reasons)
        assert not verdict.idle, str(task)
        assert sampler.judge.judge(task).steps * SLACK <= judge.horizon
        assert canonical(task) == task
        assert decode(encode(task)) == parse(str(task)) == task


def test_goals_lie_beyond_random_play(tasks):
    """No task is fulfilled by a single easy predicate."""
    for task in tasks:
        if isinstance(task, Leaf):
            assert task.number > RANDOM_PLAY.get((task.name, task.thing), 0)


def test_every_combinator_and_most_predicates_are_drawn(tasks):
    names = Counter(node.name for task in tasks for node in walk(task))
    assert set(COMBINATOR) <= set(names)
    assert all(names[name] > NUMBER / 100 for name in COMBINATOR)
    # What needs smelting, wool or harm lies deeper than eight or is no goal.
    assert set(PREDICATE) - set(names) <= {
        "wear",
        "smelt",
        "asleep",
        "alive",
        "below",
        "at_most",
        "inside",
        "beside",
        "shear",
    }


def test_no_count_counts_one_thing_twice(tasks):
    for node in (node for task in tasks for node in walk(task) if node.name == "count"):
        assert len(set(node.children)) == len(node.children), str(node)


def test_structures_hardly_repeat(tasks):
    assert len({structure(task) for task in tasks}) > 0.75 * NUMBER


def test_deeper_tasks_can_be_asked_for():
    deep = Sampler(depths=(10, 12, 13), horizon=20_000)
    found = {deep.judge.depth(deep.sample(seed)) for seed in range(60)}
    assert found == {10, 12, 13}
    with pytest.raises(ValueError, match="nothing of depth 14 can be had; depths there are: 1, 2"):
        Sampler(depths=(3, 14))


def test_a_start_kit_and_its_limits_are_heeded():
    tree = TechTree(kit={"wool": 3, "wooden_pickaxe": 1})
    sampler = Sampler(tree)
    judge = Judge(TechTree(kit={"wool": 3, "wooden_pickaxe": 1}))
    drawn = [sampler.sample(seed) for seed in range(300)]
    assert all(judge.judge(task).solvable for task in drawn)
    beds = [leaf for task in drawn for leaf in leaves(task) if leaf.thing == "bed" or leaf.name == "asleep"]
    assert beds


@pytest.mark.parametrize("rule", RULES)
def test_parts_share_no_task(rule):
    train = Sampler(split=Split(rule, "train"))
    test = Sampler(split=Split(rule, "test"))
    one = sample_many(train, 5, 150)
    other = sample_many(test, 5 | TOP_BIT, 150) if rule == "seed" else sample_many(test, 5, 150)
    for part, found in (("train", one), ("test", other)):
        assert {part_of(task, seed, train.judge.depth(task), rule) for seed, task in found} == {part}
    if rule == "seed":
        assert not {seed for seed, _ in one} & {seed for seed, _ in other}
    else:
        assert not {task for _, task in one} & {task for _, task in other}
    if rule == "structure":
        assert not {structure(task) for _, task in one} & {structure(task) for _, task in other}
    if rule == "pairs":
        assert not {pair for _, task in one for pair in pairs(task)} & held_out_pairs()
    if rule == "depth":
        depth = train.judge.depth
        assert max(depth(task) for _, task in one) <= DEEPEST_TRAINING < min(depth(task) for _, task in other)


def test_every_predicate_is_seen_in_training_by_itself(sampler):
    """Held-out pairs hold out pairs, not predicates."""
    train = Sampler(split=Split("pairs", "train"))
    seen = {leaf.name for seed in range(600) for leaf in leaves(train.sample(seed))}
    everything = {leaf.name for seed in range(600) for leaf in leaves(sampler.sample(seed))}
    assert seen == everything


@given(st.integers(0, 2**64 - 1))
@settings(max_examples=50)
def test_parts_look_at_nothing_but_the_canonical_task_and_its_seed(sampler, seed):
    task = sampler.sample(seed)
    depth = sampler.judge.depth(task)
    turned = canonical(_reversed(task))
    for rule in RULES:
        assert part_of(task, seed, depth, rule) == part_of(turned, seed, depth, rule)
        assert part_of(task, seed, depth, rule) in PARTS


def _reversed(task):
    if isinstance(task, Leaf):
        return task
    children = tuple(map(_reversed, task.children))
    return Node(task.name, children[::-1] if task.combinator.commutes else children, task.number)


def test_mistakes_are_told_in_one_line(sampler):
    for text, says in (("structur:test", "did you mean 'structure'"), ("depth", "no part named ''")):
        with pytest.raises(ValueError, match=says):
            parse_split(text)
    assert parse_split("") is None
    for seed in (-1, 2**64):
        with pytest.raises(ValueError, match="is not in"):
            sampler.sample(seed)


def test_many_tasks_keep_the_top_bit_of_their_seed(sampler):
    low, high = sample_many(sampler, 9, 40), sample_many(sampler, 9 | TOP_BIT, 40)
    assert not any(seed & TOP_BIT for seed, _ in low)
    assert all(seed & TOP_BIT for seed, _ in high)
    assert [seed for seed, _ in sample_many(sampler, 9, 10)] == [seed for seed, _ in low[:10]]
    assert len({seed for seed, _ in low + high}) == 80


@pytest.mark.parametrize("n", [2, 3, 7, 100])
def test_streams_are_even_and_apart(n):
    stream = Stream(7)
    counts = np.bincount([stream.below(n) for _ in range(20_000)], minlength=n)
    assert np.abs(counts - 20_000 / n).max() < 5.5 * (20_000 / n) ** 0.5
    apart = [Stream(seed, attempt) for seed in range(200) for attempt in (0, 1)]
    assert len({(stream.below(1 << 16), stream.below(1 << 16)) for stream in apart}) == len(apart)
