"""What agents see of their task."""

from __future__ import annotations

import random

import numpy as np
import pytest
import warp as wp

from farlands.worlds.voxel.listed import list_worlds
from farlands.worlds.voxel.tasks.goal import GOAL_SENSES, MOST_NUMBER, OPS, THINGS, goal_arrays, goal_specs
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import MAX_NODES, PREDICATES, vocabulary
from farlands.worlds.voxel.tasks.program import encode_all
from farlands.worlds.voxel.tasks.senses import GoalSenses, _sense_goals_kernel, make_goal_bank
from farlands.worlds.voxel.tasks.state import allocate_tasks
from farlands.worlds.voxel.tasks.tree import Leaf, Node, size


def read_back(arrays, n):
    """The tree of one row, rebuilt from what an agent sees alone."""
    stack = []
    for i in range(n):
        op, number = OPS[arrays["goal_op"][i]], int(arrays["goal_number"][i])
        arity = int(arrays["goal_arity"][i])
        if arity:
            stack[len(stack) - arity :] = [Node(op, tuple(stack[len(stack) - arity :]), number)]
        else:
            thing = THINGS[arrays["goal_thing"][i]].partition(" ")[2]
            stack.append((op, thing, number))
    assert len(stack) == 1
    return stack[0]


def plain(task):
    """A task as ``read_back`` gives it."""
    if isinstance(task, Leaf):
        return (task.name, task.thing, min(task.number, MOST_NUMBER))
    return Node(task.name, tuple(map(plain, task.children)), min(task.number, MOST_NUMBER))


def test_a_goal_tells_its_task(random_task):
    draw = random.Random(2)
    tasks = [random_task(draw, draw.randint(1, MAX_NODES)) for _ in range(200)]
    arrays = goal_arrays(encode_all(tasks))
    specs = goal_specs()
    assert tuple(specs) == GOAL_SENSES
    for name, array in arrays.items():
        assert array.dtype == specs[name].dtype
        assert array.shape == (200, *specs[name].shape)
        assert specs[name].low <= array.min() <= array.max() <= specs[name].high
    for i, task in enumerate(tasks):
        row = {name: array[i] for name, array in arrays.items()}
        assert read_back(row, size(task)) == plain(task)
        assert not any(array[i, size(task) :].any() for array in arrays.values())


def test_every_thing_has_a_code_of_its_own():
    for spec in (goal_specs()["goal_op"], goal_specs()["goal_thing"]):
        assert len(set(spec.class_bits)) == len(spec.class_bits) == len(spec.categories) <= 256
    named = {f" {name}" for row in PREDICATES if row.names_thing for name in vocabulary(row.arguments[0].kind)}
    assert named <= {f" {thing.partition(' ')[2]}" for thing in THINGS}


@pytest.mark.parametrize("stride", [1, 3])
def test_kernels_write_the_goal_of_the_present_task_and_its_progress(make_arena, stride):
    arena = make_arena(3)
    tasks = [parse("gain(log, 3)"), parse("sequence(asleep, gain(dirt))"), parse("within(50000, above(60))")]
    programs = encode_all(tasks)
    g, bank = allocate_tasks(3, "cpu"), make_goal_bank(programs, "cpu")
    g.index.assign(np.array([2, 0, 1], dtype=np.int32))
    g.value.assign(np.arange(3 * MAX_NODES, dtype=np.int32).reshape(3, MAX_NODES) * 20 | 1 << 11)
    g.flags.assign(np.arange(3 * MAX_NODES, dtype=np.int32).reshape(3, MAX_NODES))
    out = GoalSenses()
    for name in GOAL_SENSES:
        kind = wp.int16 if name == "goal_number" else wp.uint8
        setattr(out, name[5:], wp.full((3, MAX_NODES), 77, dtype=kind, device="cpu"))
    worlds = wp.array([1, 0, 2], dtype=wp.int32, device="cpu")
    count = wp.array([2], dtype=wp.int32, device="cpu")
    inputs = [arena.world._launcher.rules, bank, g, list_worlds(worlds, count, 0, 0, stride)]
    wp.launch(_sense_goals_kernel, stride, inputs=inputs, outputs=[out], device="cpu")
    expected = goal_arrays(programs)
    for name, array in expected.items():
        seen = getattr(out, name[5:]).numpy()
        np.testing.assert_array_equal(seen[:2], array[[2, 0]])
        assert (seen[2] == 77).all(), "a world that was not listed"
    np.testing.assert_array_equal(out.progress.numpy()[:2], (g.value.numpy() & 1023)[:2] // 10)
    np.testing.assert_array_equal(out.at_work.numpy()[:2], g.flags.numpy()[:2] & 1)
