"""What creatures do of themselves: hunt what they see, keep shy, hiss, shoot, graze and burn."""

from __future__ import annotations

import itertools

import pytest
import torch

from farlands.worlds.voxel.blocks import STONE, WATER
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID
from farlands.worlds.voxel.creatures.minds import FUSE
from farlands.worlds.voxel.state import POSITION_ONE, Body, Clock

from ..conftest import FLOOR


def pen_of(make_arena, worlds: int = 1, time: int = 18_000):
    return make_arena(worlds, creatures="all", spawn_rate=0.0, start_time=time)


def distance(pen, place: int = 0, world: int = 0) -> float:
    """Blocks sideways between a creature and the agent."""
    offset = [
        (int(pen.creatures[world, place, axis]) - int(pen.body[row, world])) / POSITION_ONE
        for axis, row in ((Being.X, Body.X), (Being.Y, Body.Y))
    ]
    return (offset[0] ** 2 + offset[1] ** 2) ** 0.5


@pytest.mark.parametrize(("x", "y"), [(10.5, 0.5), (-9.5, -9.5), (0.5, -12.5), (3.5, 11.5)])
def test_a_zombie_hunts_from_any_side(make_arena, x, y):
    pen = pen_of(make_arena)
    pen.put_creature("zombie", x, y, yaw=5)
    before = distance(pen)
    pen.act(60)
    assert distance(pen) < before - 3.0
    assert pen.creature()["SEES"] > 0


def test_nobody_hunts_through_a_wall(make_arena):
    pen = pen_of(make_arena)
    for x in range(-12, 13):
        for z in range(4):
            pen.set("stone", x, 5, z)
    pen.put_creature("zombie", 0.5, 9.5)
    for _ in range(60):
        pen.act()
        assert pen.creature()["SEES"] == 0


def test_it_remembers_for_a_while_whom_it_saw(make_arena):
    pen = pen_of(make_arena)
    pen.put_creature("zombie", 0.5, 9.5)
    pen.act(10)
    assert pen.creature()["SEES"] > 0
    for x in range(-12, 13):
        for z in range(4):
            pen.set("stone", x, 4, z)
    pen.act(20)
    assert pen.creature()["SEES"] > 0
    pen.act(60)
    assert pen.creature()["SEES"] == 0


def test_spiders_hunt_in_the_dark_only_unless_they_were_hurt(make_arena):
    by_day = pen_of(make_arena, time=6_000)
    by_day.put_creature("spider", 0.5, 8.5)
    by_day.act(40)
    assert by_day.creature()["SEES"] == 0
    by_day.creatures[0, 0, Being.PANIC] = 100
    by_day.act(20)
    assert by_day.creature()["SEES"] > 0
    by_night = pen_of(make_arena)
    by_night.put_creature("spider", 0.5, 8.5)
    by_night.act(40)
    assert by_night.creature()["SEES"] > 0


def test_a_skeleton_shoots_and_keeps_its_distance(make_arena):
    pen = pen_of(make_arena, 8)
    pen.put_creature("skeleton", 0.5, 9.5, yaw=12)
    for w in pen.rows:
        pen.creatures[w, 0, Being.NAME] = 1 + w
    shots = 0
    for _ in range(200):
        pen.act()
        pen.put_body(FOOD=17)
        shots = max(shots, sum(pen.kinds(w).count("arrow") for w in pen.rows))
    assert shots >= 3
    assert (pen.health() < 20).sum() >= 4, "some arrows hit"
    pen.clear()
    pen.put_creature("skeleton", 0.5, 2.6, yaw=12)
    pen.act(60)
    assert distance(pen) > 3.5


def test_a_creeper_hisses_and_stops_when_its_prey_is_gone(make_arena):
    pen = pen_of(make_arena)
    pen.put_creature("creeper", 0.5, 2.5, yaw=12)
    pen.act(16)
    assert 8 <= pen.creature()["FUSE"] <= FUSE
    pen.stand(20.5, 20.5, 0.0)
    pen.act(40)
    assert pen.creature()["FUSE"] == 0


def test_a_creeper_that_is_left_to_it_blows_up(make_arena):
    pen = pen_of(make_arena)
    pen.put_creature("creeper", 0.5, 2.5, yaw=12)
    pen.act(60)
    assert pen.kinds() == []


@pytest.mark.parametrize("name", ["zombie", "skeleton"])
def test_daylight_burns_the_dead_but_not_under_a_roof_or_in_water(make_arena, name):
    pen = pen_of(make_arena, 3, time=6_000)
    pen.put_creature(name, 9.5, 9.5)
    # Nobody sees the agent in its tower.
    for x, y in itertools.product((-1, 0, 1), (-1, 0, 1)):
        for z in range(4 * (x != 0 or y != 0)):
            pen.set("stone", x, y, z)
    pen.blocks[1, :, :, FLOOR + 5] = STONE
    pen.tops[1] = FLOOR + 6
    pen.blocks[2, :, :, FLOOR] = torch.where(pen.blocks[2, :, :, FLOOR] == STONE, STONE, WATER).to(torch.uint8)
    pen.act(480)
    assert pen.kinds(0) == []
    assert pen.creature(world=1)["HEALTH"] == 20
    assert pen.creature(world=2)["HEALTH"] == 20


def test_animals_stroll_about_as_often_as_they_should(make_arena):
    """A stroll begins on average every 120 ticks of rest."""
    pen = pen_of(make_arena, 48, time=6_000)
    pen.put_creature("cow", 0.5, 20.5)
    for w in pen.rows:
        pen.creatures[w, 0, Being.NAME] = 1 + 7 * w
    begun = rested = 0
    for _ in range(100):
        going = pen.creatures[:, 0, Being.GOING] > 0
        pen.act(4)
        now = pen.creatures[:, 0, Being.GOING] > 0
        begun += int((now & ~going).sum())
        rested += int((~going).sum())
    expected = rested * 4 / 120
    assert abs(begun - expected) < 4 * expected**0.5, (begun, expected)


def test_animals_mind_nobody(make_arena):
    pen = pen_of(make_arena, time=6_000)
    for k, name in enumerate(("cow", "pig", "sheep", "chicken")):
        pen.put_creature(name, k + 1.5, 2.5)
    pen.act(200)
    assert pen.health().tolist() == [20]
    assert [CREATURE_ID[name] for name in pen.kinds()] == [1, 2, 3, 4]
    assert int(pen.clock[Clock.CREATURES, 0]) == 4
