"""Creatures move like bodies: they fall, stand, stop at walls, jump up a step, swim, and keep out of harm's way."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper
from farlands.worlds.voxel.state import POSITION_ONE, Clock

ALIVE = [creature.name for creature in CREATURES if creature.temper != Temper.THING]


@pytest.fixture
def pen(make_arena):
    """One flat world, at night, in which no monster appears by itself."""
    return make_arena(1, creatures="all", spawn_rate=0.0, start_time=18_000)


@pytest.mark.parametrize("name", ALIVE)
def test_it_falls_to_the_floor_and_stays_there(pen, name):
    pen.put_creature(name, 9.5, -9.5, 2.5)
    pen.stand(-20.5, 20.5, 0.0)
    pen.act(50)
    after = pen.creature()
    assert (after["Z"], after["ON_GROUND"]) == (0.0, 1)
    assert after["HEALTH"] == CREATURES[after["KIND"] - 1].health


def test_a_long_fall_hurts_all_but_chickens(pen):
    for name, x in (("cow", 5.5), ("chicken", 9.5)):
        pen.put_creature(name, x, 8.5, 8.0)
    pen.act(160)
    cow, chicken = pen.creature(0), pen.creature(1)
    assert cow["Z"] == chicken["Z"] == 0.0
    assert cow["HEALTH"] == 10 - (8 - 3)
    assert chicken["HEALTH"] == 4


def walk(pen, name: str, steps: int, **columns: int) -> dict[str, int]:
    """Let a creature three blocks south of the wall line walk north, over and over."""
    pen.stand(-24.5, -24.5, 0.0)
    pen.put_creature(name, 4.5, 4.5, yaw=0)
    for _ in range(steps):
        pen.creatures[0, 0, Being.YAW] = 0
        pen.creatures[0, 0, Being.GOING] = 40
        for column, value in columns.items():
            pen.creatures[0, 0, Being[column]] = value
        pen.act()
    return pen.creature()


def test_it_stops_at_a_wall_and_jumps_up_a_step(pen):
    for x in range(2, 8):
        pen.set("stone", x, 8, 0)
        pen.set("stone", x, 8, 1)
    assert walk(pen, "cow", 120)["Y"] == pytest.approx(8 - 0.45, abs=2 / POSITION_ONE)
    pen.clear()
    for x in range(2, 8):
        for y in range(8, 20):
            pen.set("stone", x, y, 0)
    after = walk(pen, "cow", 120)
    assert after["Y"] > 8.5
    assert after["Z"] == 1.0


def test_spiders_climb(pen):
    for x in range(10):
        for y in range(8, 12):
            for z in range(4):
                pen.set("stone", x, y, z)
    after = walk(pen, "spider", 160)
    assert after["Y"] > 8.0
    assert after["Z"] >= 4.0


@pytest.mark.parametrize(("block", "depth"), [("lava", 1), ("water", 1), ("cactus", 1), ("air", 6)])
def test_animals_do_not_walk_into_lava_water_cacti_or_off_cliffs(pen, block, depth):
    for x in range(10):
        for y in range(7, 14):
            for z in range(depth):
                pen.set(block, x, y, -1 - z)
    if block == "cactus":
        for x in range(10):
            pen.set("cactus", x, 8, 0)
    for _ in range(8):
        after = walk(pen, "sheep", 20)
        assert after["Y"] < 7.5 + 0.5 * (block == "cactus")
        assert (after["HEALTH"], after["Z"]) == (8, 0.0)


def test_it_floats_in_water(pen):
    pen.fill("water", range(-8, 8), range(-8, 8), range(-4, 0))
    pen.put_creature("pig", 3.5, 3.5, -3.0)
    pen.act(120)
    assert -1.0 < pen.creature()["Z"] < 0.5


@settings(max_examples=12)
@given(seed=st.integers(0, 2**31), name=st.sampled_from(ALIVE))
def test_nobody_ends_up_inside_a_wall(make_arena, seed, name):
    """Random clutter, random walks: the box of a creature never overlaps a solid block it did not begin in."""
    pen = make_arena(1, creatures="all", spawn_rate=0.0)
    generator = torch.Generator().manual_seed(seed)
    clutter = torch.rand((12, 12, 3), generator=generator) < 0.25
    for x, y, z in clutter.nonzero().tolist():
        if max(abs(x - 6), abs(y - 6)) > 1:
            pen.set("stone", x, y, z)
    pen.put_creature(name, 6.5, 6.5)
    pen.creatures[0, 0, Being.PANIC] = 2**20
    creature = CREATURES[ALIVE.index(name)]
    solid = torch.tensor([block.shape == 1 for block in BLOCKS])
    half, tall = round(creature.width * POSITION_ONE / 2), round(creature.height * POSITION_ONE)
    for _ in range(60):
        pen.act()
        x, y, z = (int(pen.creatures[0, 0, axis]) for axis in (Being.X, Being.Y, Being.Z))
        i = torch.arange((x - half) >> 11, ((x + half - 1) >> 11) + 1) % pen.side
        j = torch.arange((y - half) >> 11, ((y + half - 1) >> 11) + 1) % pen.side
        k = torch.arange(z >> 11, min(((z + tall - 1) >> 11) + 1, 64))
        cells = pen.blocks[0][i][:, j][:, :, k].long()
        assert not solid[cells].any(), (name, x, y, z)


def test_what_is_beyond_the_window_stands_still(pen):
    pen.put_creature("cow", 200.5, 5.5, 3.0)
    before = pen.creature()
    pen.act(30)
    assert pen.creature() == before
    assert int(pen.clock[Clock.CREATURES, 0]) == 1


def test_monsters_beyond_the_window_are_gone(pen):
    pen.put_creature("cow", 200.5, 5.5)
    pen.put_creature("zombie", 200.5, 5.5)
    pen.put_creature("pig", 2.5, 5.5)
    pen.act(2)
    assert sorted(pen.kinds()) == ["cow", "pig"]


def test_creatures_fall_by_the_same_gravity(make_arena):
    ticks = []
    for gravity in (0.25, 1.0, 4.0):
        pen = make_arena(1, creatures="all", spawn_rate=0.0, start_time=18_000, gravity=gravity)
        pen.stand(-20.5, 20.5, 0.0)
        pen.put_creature("cow", 9.5, -9.5, 5.0)
        ticks.append(0)
        while pen.creature()["ON_GROUND"] == 0:
            pen.act()
            ticks[-1] += 1
            assert ticks[-1] < 200
    light, standard, heavy = ticks
    assert light == pytest.approx(2 * standard, abs=2)
    assert heavy == pytest.approx(standard / 2, abs=2)
