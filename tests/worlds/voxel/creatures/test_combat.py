"""Blows both ways: how much they take, when they count, whom they knock back, and what is left of the dead."""

from __future__ import annotations

import itertools

import pytest
import torch

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID
from farlands.worlds.voxel.actions import Camera, Hand
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID, CREATURES
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.state import Body, Cause, Clock
from farlands.worlds.voxel.tasks.events import THINGS
from farlands.worlds.voxel.tasks.predicates import Event

NIGHT = {"creatures": "all", "spawn_rate": 0.0, "start_time": 18_000}


@pytest.fixture
def pen(make_arena):
    return make_arena(1, creatures="all", spawn_rate=0.0)


@pytest.mark.parametrize("weapon", ["", "wooden_sword", "diamond_sword", "iron_axe", "stick"])
def test_a_blow_takes_what_the_weapon_says(pen, weapon):
    if weapon:
        pen.hold(weapon)
    pen.put_creature("cow", 0.5, 2.2)
    pen.act(camera=Camera.DOWN, hand=Hand.ATTACK)
    damage = ITEMS[ITEM_ID[weapon]].damage if weapon else 1
    assert pen.creature()["HEALTH"] == 10 - damage
    assert int(pen.slot_wear[0, 0]) == (1 if weapon and weapon != "stick" else 0)


def test_blows_come_no_faster_than_they_may(pen):
    pen.put_creature("zombie", 0.5, 2.2, HEALTH=1000)
    pen.clock[Clock.TIME] = 18_000
    health = []
    for _ in range(30):
        pen.creatures[0, 0, Being.X], pen.creatures[0, 0, Being.Y] = 1024, 2 * 2048 + 400
        pen.put_body(HEALTH=20)
        pen.act(hand=Hand.ATTACK)
        health.append(pen.creature()["HEALTH"])
    blows = [k for k in range(1, 30) if health[k] < health[k - 1]]
    assert health[0] == 999
    assert all(later - sooner == 12 for sooner, later in itertools.pairwise(blows))
    assert len(blows) >= 2


def test_what_is_behind_a_block_or_out_of_reach_is_not_hit(pen):
    pen.put_creature("cow", 0.5, 4.5)
    pen.act(hand=Hand.ATTACK)
    assert pen.creature()["HEALTH"] == 10
    pen.clear()
    pen.set("stone", 0, 1, 1)
    pen.put_creature("cow", 0.5, 2.6)
    pen.act(hand=Hand.ATTACK)
    assert pen.creature()["HEALTH"] == 10
    assert int(pen.body[Body.BREAK_PROGRESS, 0]) > 0


def test_a_hit_animal_is_knocked_back_and_flees(pen):
    pen.put_creature("pig", 0.5, 2.0)
    pen.act(camera=Camera.DOWN)
    pen.act(camera=Camera.DOWN, hand=Hand.ATTACK)
    assert pen.creature()["HEALTH"] == 9
    pen.act(12)
    assert pen.creature()["Y"] > 2.6
    before = pen.creature()
    pen.act(60)
    after = pen.creature()
    assert (after["X"] - before["X"]) ** 2 + (after["Y"] - before["Y"]) ** 2 > 1.0


def creature_height(name: str) -> float:
    return CREATURES[CREATURE_ID[name] - 1].height


@pytest.mark.parametrize("name", [creature.name for creature in CREATURES[:8]])
def test_whoever_kills_gets_what_is_left_and_the_feat(make_arena, name):
    """Many worlds at once: the numbers left lie within the table's bounds and reach them."""
    pen = make_arena(24, **NIGHT)
    pen.put_creature(name, 0.5, 2.0, HEALTH=1)
    for w in pen.rows:
        pen.creatures[w, 0, Being.NAME] = 1 + w
    pen.put_body(PITCH=-2 if creature_height(name) > 0.8 else -3)
    pen.act(hand=Hand.ATTACK)
    creature = CREATURES[CREATURE_ID[name] - 1]
    assert pen.clock[Clock.CREATURES].sum() == 0
    assert (pen.unlocked[:, ACHIEVEMENT_ID[f"kill_{name}"]] == 1).all()
    tally = torch.as_tensor(pen.world.snapshot()["tally"])
    assert (tally[:, int(Event.KILLED) * THINGS + CREATURE_ID[name]] == 1).all()
    for drop in creature.drops:
        counts = pen.count(drop.item)
        assert int(counts.min()) >= drop.least
        assert int(counts.max()) <= drop.most
        assert drop.least == drop.most or len(counts.unique()) == drop.most - drop.least + 1
    pen.check_inventory()


def test_the_young_leave_nothing(pen):
    pen.put_creature("cow", 0.5, 1.6, HEALTH=1, AGE=-24_000)
    pen.act(3, camera=Camera.DOWN)
    pen.act(hand=Hand.ATTACK)
    assert pen.kinds() == []
    assert pen.carried() == {}


def test_a_zombie_comes_and_bites_and_armour_helps(make_arena):
    pen = make_arena(2, **NIGHT)
    for slot, name in enumerate(("diamond_helmet", "diamond_chestplate", "diamond_leggings", "diamond_boots")):
        pen.armour_item[1, slot] = ITEM_ID[name]
    pen.put_creature("zombie", 0.5, 8.5, yaw=0)
    start = pen.body[Body.Y].clone()
    for _ in range(200):
        pen.act()
        if (pen.health() < 20).all():
            break
    bare, armoured = pen.health().tolist()
    assert (bare, armoured) == (17, 19)
    pen.act(6)
    assert (pen.body[Body.Y] < start).all(), "knocked back"


def test_the_dead_of_a_bite_are_put_down_to_it(make_arena):
    pen = make_arena(1, **NIGHT)
    pen.put_creature("spider", 0.5, 3.5)
    pen.put_body(HEALTH=1)
    for _ in range(80):
        step = pen.act()
        if bool(step.terminated[0]):
            break
    assert bool(step.terminated[0])
    assert pen.world.drain_episodes().cause.tolist() == [Cause.SPIDER.name.lower()]


def test_nobody_sleeps_with_a_monster_near(make_arena):
    pen = make_arena(1, **NIGHT)
    pen.set("bed", 0, 2, 0)
    pen.act(3, camera=Camera.DOWN)
    pen.put_creature("creeper", 6.5, -6.5)
    pen.set("stone", 6, -5, 1)
    pen.act(hand=Hand.USE)
    assert int(pen.body[Body.SLEEPING, 0]) == 0
    pen.clock[Clock.CREATURES] = 0
    pen.act(hand=Hand.USE)
    assert int(pen.body[Body.SLEEPING, 0]) > 0
