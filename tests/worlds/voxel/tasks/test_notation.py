"""Tasks as text, as integers and in one canonical form."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import (
    BY_ID,
    COMBINATORS,
    MAX_NODES,
    PREDICATES,
    RESERVED_IDS,
    Kind,
    vocabulary,
)
from farlands.worlds.voxel.tasks.program import LENGTH, Word, canonical, decode, encode, structure
from farlands.worlds.voxel.tasks.sentence import sentence
from farlands.worlds.voxel.tasks.tree import Leaf, Node, size

seeds = st.tuples(st.integers(0, 2**32), st.integers(1, MAX_NODES))


@given(seeds)
def test_text_and_program_round_trip(random_task, key):
    task = random_task(random.Random(key[0]), key[1])
    assert size(task) == key[1]
    assert parse(str(task)) == task
    program = encode(task)
    assert program.shape == (LENGTH,)
    assert program.dtype == np.int32
    assert decode(program) == task


@given(seeds)
def test_sentences_name_every_thing_and_number(random_task, key):
    task = random_task(random.Random(key[0]), key[1])
    text = sentence(task)
    assert text[0].isupper()
    assert text.endswith(".")
    for leaf in (leaf for leaf in _leaves(task) if leaf.thing):
        assert leaf.thing.replace("_", " ").removesuffix("s") in text.lower(), (task, text)
    assert text.count("(") == text.count(")")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gain(planks)", "Gain 1 plank."),
        ("gain(planks, 3)", "Gain 3 planks."),
        ("carry(wheat_seeds, 8)", "Carry 8 wheat seeds."),
        ("eat(mutton, 6)", "Eat 6 mutton."),
        ("craft(tnt, 2)", "Craft 2 TNT."),
        ("kill(cow, 2)", "Kill 2 cows."),
        ("kill(sheep, 2)", "Kill 2 sheep."),
        ("unlock(make_tnt)", "Unlock the feat 'make tnt'."),
    ],
)
def test_sentences_count_as_people_do(text, said):
    assert sentence(parse(text)) == said


def _leaves(task):
    return [task] if isinstance(task, Leaf) else [leaf for child in task.children for leaf in _leaves(child)]


@given(seeds, st.integers(0, 2**32))
def test_the_canonical_form_is_one_for_all_orders(random_task, key, shuffle):
    task = random_task(random.Random(key[0]), key[1])
    form = canonical(task)
    assert canonical(form) == form
    assert canonical(_shuffled(task, random.Random(shuffle))) == form
    assert structure(canonical(_shuffled(task, random.Random(shuffle)))) == structure(form)
    assert canonical(Node("not", (Node("not", (task,)),))) == form


def _shuffled(task, draw):
    if isinstance(task, Leaf):
        return task
    children = [_shuffled(child, draw) for child in task.children]
    if task.combinator.commutes:
        draw.shuffle(children)
    return Node(task.name, tuple(children), task.number)


def test_order_counts_in_sequences_and_nowhere_else():
    assert canonical(parse("all(asleep, all(above(3), asleep))")) == parse("all(above(3), asleep)")
    assert canonical(parse("any(asleep, asleep)")) == parse("asleep")
    assert canonical(parse("sequence(asleep, above(3))")) != canonical(parse("sequence(above(3), asleep)"))
    assert canonical(parse("count(1, asleep, asleep)")) == parse("count(1, asleep, asleep)")


def test_structure_forgets_quantities_and_ids():
    one = parse("sequence(gain(cobblestone, 8), within(200, craft(furnace)))")
    other = parse("sequence(gain(log, 2), within(900, craft(planks, 4)))")
    assert structure(one) == structure(other) == "sequence(gain,within(craft))"
    assert structure(parse("all(wear(iron_boots), asleep)")) == "all(asleep,wear)"


def test_what_may_be_left_out_is():
    assert str(parse("gain( log , 1 )")) == "gain(log)"
    assert parse("asleep()") == parse("asleep") == Leaf("asleep")
    assert parse("near(furnace)") == Leaf("near", ("furnace", 4))
    assert parse("away(1_000)") == Leaf("away", (1000,))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("gan(log)", "no predicate named 'gan'; did you mean 'gain'"),
        ("gain(lgo)", "no item for gain named 'lgo'; did you mean 'log'"),
        ("hold(dirt)", "no tool for hold named 'dirt'; one of: bow, bucket, diamond_axe"),
        ("gain(log, 0)", "gain: n 0 is out of range: 1 to 2304"),
        ("at_least(health, 21)", "at_least: n 21 is out of range: 1 to 20"),
        ("at_least(health)", "n is missing"),
        ("gain", "item is missing"),
        ("gain(log, dirt)", "n is 'dirt', not a whole number of 1 to 2304"),
        ("gain(3)", "no item for gain named 3"),
        ("gain(log, 3, 4)", "has 3 arguments here"),
        ("asleep(3)", "has 1 arguments here"),
        ("all(asleep)", "all takes 2 to 15 tasks, not 1"),
        ("not(asleep, asleep)", "not takes 1 task, not 2"),
        ("count(3, asleep, asleep)", "k 3 is more than its 2 tasks"),
        ("within(asleep)", "steps must come first"),
        ("within(0, asleep)", "steps 0 is out of range"),
        ("all(asleep, asleep", "ends where ',' should stand"),
        ("all(asleep,, asleep)", "',' where a task should stand"),
        ("asleep asleep", "'asleep' after the end of the task"),
        ("gain(log; 3)", "unexpected ';' at character 9"),
        ("above(99999999999999)", "is too long"),
        ("not(" * 500 + "asleep" + ")" * 500, "nested more than 16 deep"),
        ("all(" + ", ".join(["not(asleep)"] * 9) + ")", "19 predicates and combinators; a task has at most 16"),
    ],
)
def test_mistakes_are_named_in_one_line(text, says):
    with pytest.raises(ValueError, match=r"^task: ") as caught:
        parse(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(alphabet="gainlog(),0123 asleepnotwithin_\n;", max_size=60))
def test_any_text_is_a_task_or_a_one_line_mistake(text):
    task, complaint = _outcome(parse, text)
    assert (task is None) == complaint.startswith("task: ")
    assert "\n" not in complaint
    assert task is None or parse(str(task)) == task


def _outcome(function, argument):
    """What a function makes of an argument, and what it says if it refuses it."""
    try:
        return function(argument), ""
    except ValueError as error:
        return None, str(error)


@given(seeds, st.integers(0, LENGTH - 1), st.integers(-(2**31), 2**31 - 1))
def test_changed_programs_are_refused_or_mean_another_task(random_task, key, at, value):
    task = random_task(random.Random(key[0]), key[1])
    program = encode(task)
    program[at] = value
    other, complaint = _outcome(decode, program)
    assert (other is None) == complaint.startswith("task")
    assert "\n" not in complaint
    if other is not None:
        assert np.array_equal(encode(other), program)
        assert (other == task) == np.array_equal(program, encode(task))


def test_reserved_ids_are_refused_by_name():
    program = encode(parse("asleep"))
    program[Word.OP] = RESERVED_IDS["agents"].start
    with pytest.raises(ValueError, match="unknown id 96, kept for agents"):
        decode(program)


def test_the_table_is_sound():
    ids = [row.id for row in (*PREDICATES, *COMBINATORS)]
    assert len(set(ids)) == len(ids) == len(BY_ID)
    kept = {i for ids in RESERVED_IDS.values() for i in ids}
    assert not kept & set(ids)
    assert all(0 < row.id < 128 for row in PREDICATES)
    assert all(128 <= row.id < 256 for row in COMBINATORS)
    for row in PREDICATES:
        things = [a.kind != Kind.NUMBER for a in row.arguments]
        assert things in ([], [True], [False], [True, False], [False, False]), row.name
    for kind in Kind:
        if kind != Kind.NUMBER:
            names = vocabulary(kind)
            assert len(set(names.values())) == len(names) > 0, kind
