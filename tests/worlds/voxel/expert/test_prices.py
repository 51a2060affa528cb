"""What the task expert thinks that bringing something about costs."""

from __future__ import annotations

import math

import pytest

from farlands.worlds.voxel.expert.task_expert import TaskExpert
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import PREDICATES, Timing
from farlands.worlds.voxel.world import VoxelWorld

STATES = (
    "carry(log, 3)", "wear(iron_boots)", "hold(stone_sword)", "near(oak_log, 3)", "above(60)", "below(20)", "away(90)",
    "at_least(armour, 5)", "at_least(health, 20)", "at_most(food, 4)", "inside(water)", "beside(cow, 2)", "asleep",
    "time(13000, 23000)",
)  # fmt: skip


@pytest.fixture(scope="module")
def expert() -> TaskExpert:
    world = VoxelWorld(1, VoxelOptions(task="tasks", tasks=("alive(1)",), window=32, creatures="none"))
    world.reset(3)
    return TaskExpert(world)


def test_every_state_of_the_grammar_is_among_these():
    momentary = {row.name for row in PREDICATES if row.timing == Timing.MOMENTARY}
    assert momentary <= {text.partition("(")[0] for text in STATES}


@pytest.mark.parametrize("text", STATES)
def test_every_state_has_a_price(expert, text):
    leaf = parse(text)
    price = expert._pursuit._price(leaf, leaf.number)
    assert 0.0 <= price < math.inf
    if text.startswith(("time", "asleep")):
        # The morning has begun: until the evening it is some eight minutes.
        assert 2_000 < price < 4_000
