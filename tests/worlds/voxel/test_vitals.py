"""Health, food, air, fire, armour and sleep against the genre's amounts and times (ticks of 0.05 s)."""

from __future__ import annotations

import math

import pytest

from farlands.worlds.voxel.actions import Camera, Hand, Move
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.state import Body, Clock

PIECES = ("helmet", "chestplate", "leggings", "boots")


def drown(arena) -> None:
    """Put a sealed tank of water around every agent."""
    arena.fill("stone", range(-1, 2), range(-1, 2), range(3))
    arena.fill("water", range(1), range(1), range(3))


def wear(arena, material: str) -> None:
    for place, piece in enumerate(PIECES):
        arena.armour_item[:, place] = ITEM_ID[f"{material}_{piece}"]


def losses(arena, ticks: int, **action: object) -> list[tuple[int, int]]:
    """(tick, health points) of every loss in the first agent's next ticks."""
    found, before = [], int(arena.health()[0])
    for tick in range(1, ticks + 1):
        arena.act(**action)
        now = int(arena.health()[0])
        if now < before:
            found.append((tick, before - now))
        before = now
    return found


def test_air_lasts_300_ticks_then_two_points_go_every_20(arena):
    drown(arena)
    arena.put_body(FOOD=10)
    assert losses(arena, 400) == [(tick, 2) for tick in range(320, 401, 20)]


def test_air_comes_back_four_times_as_fast(arena):
    arena.put_body(AIR=100)
    arena.act(30)
    assert int(arena.body[Body.AIR, 0]) == 220
    arena.act(30)
    assert int(arena.body[Body.AIR, 0]) == 300


def test_drowning_ends_the_episode(arena):
    drown(arena)
    arena.put_body(AIR=0, HEALTH=2, FOOD=10)
    step = arena.act(20)
    assert bool(step.terminated[0])
    assert not bool(step.truncated[0])
    assert list(arena.world.drain_episodes().cause) == ["drowning"]


def test_lava_takes_four_points_every_ten_ticks(arena):
    arena.fill("stone", range(-1, 2), range(-1, 2), range(3))
    arena.fill("lava", range(1), range(1), range(2))
    arena.put_body(FOOD=10)
    assert losses(arena, 35) == [(1, 4), (11, 4), (21, 4), (31, 4)]


def test_fire_burns_on_for_fifteen_seconds(arena):
    arena.put_body(FOOD=10, FIRE=300)
    burnt = losses(arena, 400)
    assert burnt == [(tick, 1) for tick in range(1, 300, 20)]


def test_water_puts_fire_out(arena):
    drown(arena)
    arena.put_body(FIRE=300)
    arena.act()
    assert int(arena.body[Body.FIRE, 0]) == 0
    assert arena.health().tolist() == [20]


def test_starving_takes_a_point_every_80_ticks_down_to_one(arena):
    arena.put_body(FOOD=0, SATURATION=0, HEALTH=4)
    assert losses(arena, 500) == [(80, 1), (160, 1), (240, 1)]
    assert arena.health().tolist() == [1]


@pytest.mark.parametrize(("food", "ticks"), [(18, 80), (19, 80)])
def test_a_point_comes_back_every_80_ticks_when_well_fed(arena, food, ticks):
    arena.put_body(FOOD=food, SATURATION=0, HEALTH=10)
    arena.act(ticks - 1)
    assert arena.health().tolist() == [10]
    arena.act()
    assert arena.health().tolist() == [11]
    # Six exhaustion for a point: one food point at once, two of the six left over.
    arena.act()
    assert int(arena.body[Body.FOOD, 0]) == food - 1
    assert int(arena.body[Body.EXHAUSTION, 0]) == 2000


def test_nothing_heals_between_hungry_and_well_fed(arena):
    arena.put_body(FOOD=17, HEALTH=10)
    arena.act(200)
    assert arena.health().tolist() == [10]


def test_saturation_heals_fast(arena):
    """Every 10 ticks min(saturation, 6) / 6 of a point, which costs as much exhaustion; slow float reference."""
    arena.put_body(HEALTH=5, SATURATION=20_000)
    health, saturation, exhaustion, food, timer = 5.0, 20.0, 0.0, 20, 0
    for _ in range(200):
        if exhaustion > 4:
            exhaustion -= 4
            saturation, food = (max(saturation - 1, 0.0), food) if saturation > 0 else (saturation, food - 1)
        timer += 1
        fast = food == 20 and saturation > 0
        if timer >= (10 if fast else 80):
            gain = min(saturation, 6.0) if fast else 6.0
            health, exhaustion, timer = min(health + gain / 6, 20.0), exhaustion + gain, 0
        arena.act()
        assert int(arena.body[Body.FOOD, 0]) == food
        assert int(arena.body[Body.SATURATION, 0]) == pytest.approx(1000 * saturation, abs=5)
        found = int(arena.health()[0]) + int(arena.body[Body.REGENERATION, 0]) / 1000
        assert found == pytest.approx(health, abs=0.01)


@pytest.mark.parametrize(("saturation", "lost"), [(2000, "SATURATION"), (0, "FOOD")])
def test_exhaustion_eats_saturation_before_food(arena, saturation, lost):
    arena.put_body(SATURATION=saturation, EXHAUSTION=4000)
    arena.act()
    assert int(arena.body[Body.FOOD, 0]) == 20
    assert int(arena.body[Body.SATURATION, 0]) == saturation
    arena.put_body(EXHAUSTION=4001)
    arena.act()
    assert int(arena.body[Body.EXHAUSTION, 0]) == 1
    assert int(arena.body[Body.FOOD, 0]) == (19 if lost == "FOOD" else 20)
    assert int(arena.body[Body.SATURATION, 0]) == max(saturation - 1000, 0)


def test_hunger_can_be_switched_off(make_arena):
    arena = make_arena(1, hunger=False)
    arena.act(400, move=Move.SPRINT)
    assert int(arena.body[Body.FOOD, 0]) == 20
    assert int(arena.body[Body.SATURATION, 0]) == 5000


@pytest.mark.parametrize(("food", "points", "saturation"), [("apple", 4, 2400), ("golden_apple", 4, 9600)])
def test_a_bite_takes_32_ticks(arena, food, points, saturation):
    arena.give(food, 2)
    arena.put_body(FOOD=10, SATURATION=0)
    arena.act(31, hand=Hand.EAT)
    assert arena.count(food).tolist() == [2]
    arena.act(hand=Hand.EAT)
    assert arena.count(food).tolist() == [1]
    assert int(arena.body[Body.FOOD, 0]) == 10 + points
    assert int(arena.body[Body.SATURATION, 0]) == saturation
    arena.check_inventory()


def test_an_interrupted_bite_begins_anew(arena):
    arena.give("apple")
    arena.put_body(FOOD=10)
    arena.act(31, hand=Hand.EAT)
    arena.act()
    arena.act(31, hand=Hand.EAT)
    assert arena.count("apple").tolist() == [1]
    arena.act(hand=Hand.EAT)
    assert arena.count("apple").tolist() == [0]


def test_the_full_do_not_eat_and_never_get_more_than_twenty(arena):
    arena.give("apple", 2)
    arena.act(40, hand=Hand.EAT)
    assert arena.count("apple").tolist() == [2]
    arena.put_body(FOOD=19, SATURATION=19_000)
    arena.act(32, hand=Hand.EAT)
    assert arena.count("apple").tolist() == [1]
    assert int(arena.body[Body.FOOD, 0]) == 20
    assert int(arena.body[Body.SATURATION, 0]) == 20_000


def test_a_block_over_the_eyes_suffocates(arena):
    arena.set("stone", 0, 0, 1)
    arena.put_body(FOOD=10)
    assert losses(arena, 31) == [(tick, 1) for tick in (1, 11, 21, 31)]


def test_the_hurt_window_lets_only_harder_hits_through(make_arena):
    """A lava bath (4) right after a burn (1) takes the 3 that are missing."""
    arena = make_arena(1)
    arena.put_body(FOOD=10, FIRE=300)
    arena.act()
    assert arena.health().tolist() == [19]
    arena.set("lava", 0, 0, 0)
    arena.act()
    assert arena.health().tolist() == [16]
    arena.act(8)
    assert arena.health().tolist() == [16]


@pytest.mark.parametrize(
    ("material", "points"), [("iron", 15), ("golden", 11), ("diamond", 20)]
)  # fmt: skip
def test_armour_softens_what_it_can(arena, material, points):
    arena.put_body(FOOD=10)
    wear(arena, material)
    assert int(arena.look()["vitals"][0, 4]) == points
    arena.set("lava", 0, 0, 0)
    arena.act()
    shield = min(20.0, max(points / 5, points - 4 / 2))
    assert int(arena.health()[0]) == 20 - round(4 * (1 - shield / 25))


def test_armour_does_not_soften_falls(arena):
    arena.put_body(FOOD=10, ON_GROUND=0)
    wear(arena, "diamond")
    arena.stand(0.5, 0.5, 10)
    arena.act(40)
    assert arena.health().tolist() == [13]
    assert int(arena.armour_wear.sum()) == 0


def test_armour_wears_once_for_each_hit_taken(arena):
    """A second in lava is three hits of four points, one use each, though the lava is there on every tick."""
    arena.put_body(FOOD=10)
    wear(arena, "diamond")
    arena.set("lava", 0, 0, 0)
    arena.act(25)
    assert arena.armour_wear[0].tolist() == [3, 3, 3, 3]


def test_worn_out_armour_is_gone(arena):
    arena.put_body(FOOD=10)
    wear(arena, "iron")
    arena.armour_wear[:, 0] = 164
    arena.set("lava", 0, 0, 0)
    arena.act()
    assert arena.armour_item[0].tolist()[0] == 0
    assert arena.armour_item[0].tolist()[1] == ITEM_ID["iron_chestplate"]
    assert int(arena.armour_wear[0, 0]) == 0


def lie_down(arena) -> None:
    arena.set("bed", 0, 1, 0)
    arena.act(2, camera=Camera.DOWN)
    arena.act(hand=Hand.USE)


@pytest.mark.parametrize(
    ("time", "sleeps"), [(12_500, False), (12_600, True), (23_400, True), (23_470, False), (6000, False)]
)
def test_beds_are_for_the_night(arena, time, sleeps):
    arena.clock[Clock.TIME] = time
    lie_down(arena)
    assert bool(arena.body[Body.SLEEPING, 0] > 0) == sleeps


def test_sleep_lasts_five_seconds_and_ends_in_the_morning(arena):
    arena.clock[Clock.TIME] = 14_000
    lie_down(arena)
    arena.act(98, move=Move.SPRINT, hand=Hand.ATTACK)
    assert int(arena.body[Body.SLEEPING, 0]) == 100
    assert arena.position()[:2] == (0.5, 0.5)
    assert int(arena.clock[Clock.TIME, 0]) > 14_000
    arena.act()
    assert int(arena.body[Body.SLEEPING, 0]) == 0
    assert int(arena.clock[Clock.TIME, 0]) == 0
    assert arena.rewards().tolist() == [1.0]


def test_pain_wakes(arena):
    arena.clock[Clock.TIME] = 14_000
    lie_down(arena)
    arena.put_body(FIRE=41)
    arena.act(5)
    assert int(arena.body[Body.SLEEPING, 0]) == 0


def test_a_sleeper_can_only_sleep(arena):
    arena.clock[Clock.TIME] = 14_000
    lie_down(arena)
    mask = arena.look()["action_mask"][0]
    sizes = arena.world.spec.action.nvec
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    assert mask.nonzero().flatten().tolist() == starts


def test_the_day_has_24000_ticks(arena):
    arena.clock[Clock.TIME] = 23_999
    arena.act()
    assert int(arena.clock[Clock.TIME, 0]) == 0


def test_survive_pays_a_tenth_of_a_point_of_health(arena):
    arena.put_body(FOOD=10, FIRE=21)
    arena.act()
    assert arena.rewards().tolist() == [0.0]
    arena.act()
    assert arena.rewards().tolist() == pytest.approx([-0.1])
    arena.put_body(FIRE=0, FOOD=18, FOOD_TIMER=79)
    arena.act()
    assert arena.rewards().tolist() == pytest.approx([0.1])


@pytest.mark.parametrize("points", range(1, 21))
def test_vitals_are_sensed_in_points_of_twenty(arena, points):
    arena.put_body(HEALTH=points, FOOD=points, SATURATION=1000 * points - 1, AIR=15 * points - 7)
    assert arena.look()["vitals"][0].tolist() == [points, points, points, math.ceil((15 * points - 7) / 15), 0]
