"""Feeding, breeding, growing up, shearing; the bow."""

from __future__ import annotations

import pytest

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID
from farlands.worlds.voxel.actions import Camera, Hand
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.creatures.tending import BREED_PAUSE, GROW_TICKS, LOVE_TICKS
from farlands.worlds.voxel.state import Body

FOOD = {creature.name: creature.food for creature in CREATURES if creature.food}


@pytest.fixture
def pen(make_arena):
    return make_arena(1, creatures="all", spawn_rate=0.0, start_time=6_000)


def use_possible(pen) -> bool:
    mask = pen.look()["action_mask"][0]
    names = [name for factor in pen.world.spec.action.names for name in factor]
    return bool(mask[names.index("use")])


@pytest.mark.parametrize("name", FOOD)
def test_two_that_are_fed_have_a_young_one(pen, name):
    pen.give(FOOD[name], 2)
    pen.put_body(PITCH=-2)
    for _ in range(2):
        place = pen.put_creature(name, 0.5, 1.9)
        assert use_possible(pen)
        pen.act(hand=Hand.USE)
        assert pen.creature(place)["LOVE"] > LOVE_TICKS - 8
        pen.creatures[0, place, Being.X] += 3 * 2048 * (place + 1)
    assert pen.carried() == {}
    assert not use_possible(pen)
    for _ in range(300):
        pen.act()
        if len(pen.kinds()) == 3:
            break
    assert pen.kinds() == [name] * 3
    assert [pen.creature(k)["AGE"] for k in range(3)] == [BREED_PAUSE, BREED_PAUSE, -GROW_TICKS]
    assert int(pen.unlocked[0, ACHIEVEMENT_ID["breed"]]) > 0
    pen.give(FOOD[name])
    pen.creatures[0, 0, Being.X], pen.creatures[0, 0, Being.Y] = 1024, round(1.9 * 2048)
    pen.creatures[0, 1:3, Being.Y] = 20 * 2048
    assert not use_possible(pen), "not again so soon"


def test_the_young_grow_up_in_their_time_and_sooner_when_fed(pen):
    pen.put_creature("cow", 5.5, 5.5, AGE=-40)
    pen.act(44)
    assert pen.creature()["AGE"] == 0
    pen.clear()
    pen.give("wheat")
    pen.put_body(PITCH=-3)
    pen.put_creature("cow", 0.5, 1.6, AGE=-10_000)
    pen.act(hand=Hand.USE)
    assert -9_010 < pen.creature()["AGE"] < -8_980


def test_shears_take_the_wool_which_grows_again_on_grass(make_arena):
    pen = make_arena(6, creatures="all", spawn_rate=0.0, start_time=6_000)
    pen.hold("shears")
    pen.put_body(PITCH=-1)
    pen.put_creature("sheep", 0.5, 2.0)
    for w in pen.rows:
        pen.creatures[w, 0, Being.NAME] = 1 + w
    pen.act(hand=Hand.USE)
    wool = pen.count("wool")
    assert int(wool.min()) >= 1
    assert int(wool.max()) <= 3
    assert len(wool.unique()) > 1
    assert (pen.unlocked[:, ACHIEVEMENT_ID["shear"]] == 1).all()
    assert (pen.creatures[:, 0, Being.SHEARED] == 1).all()
    assert not use_possible(pen)
    pen.act(400)
    assert (pen.creatures[:, 0, Being.SHEARED] == 1).all(), "there is no grass here"
    pen.fill("grass", range(-32, 32), range(-32, 32), range(-1, 0))
    pen.act(4_000)
    grown = pen.creatures[:, 0, Being.SHEARED] == 0
    assert int(grown.sum()) >= 3
    dirt = (pen.blocks[grown][..., 31] == 3).sum(dim=(1, 2))
    assert (dirt >= 1).all()


def test_a_shorn_sheep_leaves_no_wool(pen):
    pen.put_body(PITCH=-1)
    pen.put_creature("sheep", 0.5, 2.0, SHEARED=1, HEALTH=1)
    pen.act(hand=Hand.ATTACK)
    assert "wool" not in pen.carried()
    assert "mutton" in pen.carried()


def draw_and_loose(pen, ticks: int) -> None:
    pen.act(ticks, hand=Hand.USE)
    pen.act()


@pytest.mark.parametrize(("ticks", "damage"), [(20, 6), (30, 6), (10, 3), (4, 1)])
def test_an_arrow_hits_the_harder_the_longer_the_bow_was_drawn(pen, ticks, damage):
    pen.hold("bow")
    pen.give("arrow", 2)
    assert use_possible(pen)
    pen.put_creature("cow", 0.5, 2.6)
    pen.put_body(PITCH=-1)
    pen.creatures[0, 0, Being.HEALTH] = 100
    pen.set("stone", 0, 7, 1)
    draw_and_loose(pen, ticks)
    assert pen.carried()["arrow"] == 1
    assert int(pen.slot_wear[0, 0]) == 1
    assert "arrow" in pen.kinds()
    for _ in range(30):
        pen.act()
        pen.creatures[0, 0, Being.X] = 1024
    assert pen.creature()["HEALTH"] == 100 - damage
    assert int(pen.unlocked[0, ACHIEVEMENT_ID["shoot"]]) > 0
    assert pen.kinds() == ["cow"]


def test_without_arrows_or_hardly_drawn_nothing_flies(pen):
    pen.hold("bow")
    assert not use_possible(pen)
    draw_and_loose(pen, 20)
    assert pen.kinds() == []
    pen.give("arrow")
    draw_and_loose(pen, 2)
    assert pen.kinds() == []
    assert pen.carried()["arrow"] == 1


def test_arrows_end_in_walls_and_in_time(pen):
    pen.hold("bow")
    pen.give("arrow", 2)
    pen.set("stone", 0, 6, 1)
    draw_and_loose(pen, 20)
    pen.act(20)
    assert pen.kinds() == []
    pen.set("air", 0, 6, 1)
    pen.act(6, camera=Camera.UP)
    draw_and_loose(pen, 20)
    assert pen.kinds() == ["arrow"]
    pen.act(400)
    assert pen.kinds() == []
    assert int(pen.body[Body.HEALTH, 0]) > 13
