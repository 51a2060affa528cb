"""Agents that hit each other, and are hunted together."""

from __future__ import annotations

import pytest
import torch

from farlands.worlds.voxel.actions import Hand, Move
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.state import Body, Cause, Clock

SOUTH = 12


@pytest.fixture
def make_pair(make_arena):
    """Two agents two blocks apart, the first facing the second."""

    def make(**options: object):
        arena = make_arena(1, agents=2, **options)
        arena.stand(0.5, 0.5, 0, rows=0)
        arena.stand(0.5, 2.5, 0, rows=1)
        arena.body[Body.YAW, 1] = SOUTH
        return arena

    return make


def act(arena, steps: int = 1, **rows: dict[int, int]):
    """By factor, row to value."""
    actions = torch.zeros((len(arena.rows), 5), dtype=torch.int32)
    for name, values in rows.items():
        for row, value in values.items():
            actions[row, ("move", "jump", "camera", "hand", "choice").index(name)] = int(value)
    return arena.act_rows(actions, steps)


@pytest.mark.parametrize("weapon", ["nothing", "wooden_sword", "iron_sword", "diamond_axe"])
def test_a_blow_takes_what_the_weapon_does_and_knocks_back(make_pair, weapon):
    pair = make_pair()
    if weapon != "nothing":
        pair.hold(weapon, rows=0)
    act(pair, hand={0: Hand.ATTACK})
    assert pair.health().tolist() == [20, 20 - ITEMS[ITEM_ID[weapon]].damage]
    assert int(pair.body[Body.VY, 1]) > 20_000
    assert int(pair.body[Body.VZ, 1]) > 20_000
    assert int(pair.body[Body.HURT, 1]) == 10
    if weapon != "nothing":
        assert int(pair.slot_wear[0].sum()) == 1
    act(pair, 10)
    assert pair.position(1)[1] > 3.0


def test_blows_come_at_their_pace_and_armour_softens_them(make_pair):
    pair = make_pair()
    pair.hold("iron_sword", rows=0)
    pair.armour_item[1] = torch.tensor([ITEM_ID[f"iron_{p}"] for p in ("helmet", "chestplate", "leggings", "boots")])
    pair.put_body(FOOD=15)
    for step in range(24):
        pair.stand(0.5, 2.5, 0, rows=1)
        act(pair, hand={0: Hand.ATTACK})
        if step < 12:
            first = int(pair.health()[1])
    damage = ITEMS[ITEM_ID["iron_sword"]].damage
    shield = min(20, max(15 // 5, 15 - damage // 2))
    softened = (damage * (25 - shield) + 12) // 25
    assert first == 20 - softened
    assert int(pair.health()[1]) == 20 - 2 * softened
    assert pair.armour_wear[1].tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize("between", ["block", "creature", "agent"])
def test_the_nearest_is_hit(make_arena, between):
    arena = make_arena(1, agents=3)
    for row, y in ((0, 0.5), (1, 3.0), (2, 1.8)):
        arena.stand(0.5, y, 0, rows=row)
    if between != "agent":
        arena.stand(9.5, 9.5, 0, rows=2)
    if between == "block":
        arena.set("stone", 0, 1, 1)
    if between == "creature":
        arena.put_creature("zombie", 0.5, 1.7)
    act(arena, hand={0: Hand.ATTACK})
    assert arena.health().tolist() == [20, 20, 19 if between == "agent" else 20]
    if between == "creature":
        assert arena.creature()["HEALTH"] < 20


def test_an_agent_before_an_animal_keeps_it_from_being_fed(make_arena):
    arena = make_arena(1, agents=2)
    arena.stand(0.5, 0.5, 0, rows=0)
    arena.stand(9.5, 9.5, 0, rows=1)
    arena.body[Body.PITCH, 0] = -2
    arena.give("wheat", 3, rows=0)
    arena.put_creature("cow", 0.5, 2.2)
    mask = arena.look()["action_mask"][0]
    use = 6 + 2 + 7 + int(Hand.USE)
    assert mask[use] == 1
    arena.stand(0.5, 1.3, 0, rows=1)
    assert arena.look()["action_mask"][0, use] == 0


def test_who_is_killed_by_another_dies_of_an_agent(make_pair):
    pair = make_pair()
    pair.body[Body.HEALTH, 1] = 1
    out = act(pair, hand={0: Hand.ATTACK})
    assert out.terminated.tolist() == [False, True]
    assert pair.world.drain_episodes().cause.tolist() == ["agent"]
    assert Cause.AGENT == 14


def test_two_who_strike_at_once_kill_either_by_turns(make_arena):
    arena = make_arena(32, agents=2)
    arena.clock[Clock.SEED_LOW] = torch.arange(32, dtype=torch.int32)
    for w in range(32):
        arena.stand(0.5, 0.5, 0, rows=2 * w)
        arena.stand(0.5, 2.5, 0, rows=2 * w + 1)
    arena.body[Body.YAW, 1::2] = SOUTH
    arena.body[Body.HEALTH] = 1
    died = arena.act(hand=Hand.ATTACK).terminated.view(32, 2)
    assert (died.sum(1) == 1).all()
    assert 6 < int(died[:, 0].sum()) < 26


@pytest.mark.parametrize("hitting", [True, False])
def test_arrows_of_agents_hurt_or_pass(make_pair, hitting):
    pair = make_pair(hitting=hitting)
    pair.stand(0.5, 8.5, 0, rows=1)
    pair.hold("bow", rows=0)
    pair.give("arrow", 2, rows=0)
    pair.fill("stone", range(-1, 2), range(12, 13), range(4))
    act(pair, 21, hand={0: Hand.USE})
    act(pair, 15)
    assert (int(pair.health()[1]) < 20) is hitting
    assert pair.kinds() == []
    if hitting:
        pair.body[Body.HEALTH, 1] = 1
        act(pair, 21, hand={0: Hand.USE})
        pair.stand(0.5, 8.5, 0, rows=1)
        act(pair, 15)
        assert pair.world.drain_episodes().cause.tolist() == ["agent"]


def test_without_hitting_blows_pass_through_to_what_is_behind(make_pair):
    pair = make_pair(hitting=False)
    pair.set("dirt", 0, 3, 1)
    act(pair, 40, hand={0: Hand.ATTACK})
    assert pair.health().tolist() == [20, 20]
    assert pair.get(0, 3, 1) == "air"
    assert pair.carried(0) == {"dirt": 1}


def test_monsters_hunt_the_nearest_and_forget_who_is_gone(make_arena):
    arena = make_arena(1, agents=2, respawn=False, creatures="all", spawn_rate=0.0, start_time=18_000)
    arena.stand(0.5, 6.5, 0, rows=0)
    arena.stand(0.5, -4.5, 0, rows=1)
    arena.put_creature("zombie", 0.5, 0.5, yaw=SOUTH)
    arena.act(24)
    assert arena.creature()["PREY"] == 1
    assert arena.creature()["Y"] < 0.0
    arena.body[Body.HEALTH, 1], arena.body[Body.CAUSE, 1] = 0, int(Cause.FALL)
    arena.act(1)
    assert arena.creature()["SEES"] == 0
    arena.act(60)
    assert arena.creature()["PREY"] == 0
    assert arena.creature()["Y"] > 0.5


def where_monsters_appear(arena, places: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Places at which monsters appear while every other agent is held at one of two places."""
    found = []
    for _ in range(120):
        for agent, (x, y) in enumerate(places):
            arena.stand(x, y, 0, rows=range(agent, len(arena.rows), 2))
        arena.body[Body.HEALTH] = torch.where(arena.body[Body.GONE] == 1, 0, 20)
        arena.clock[Clock.TIME] = 18_000
        arena.act(4)
        for w in range(arena.world.num_worlds):
            here = [arena.creature(k, w) for k, kind in enumerate(arena.kinds(w)) if kind != "arrow"]
            found += [(creature["X"], creature["Y"]) for creature in here]
        arena.creatures[...] = 0
        arena.clock[Clock.CREATURES] = 0
    return found


@pytest.fixture
def dark(make_arena):
    """Twelve worlds of two agents at night; who dies is gone."""
    arena = make_arena(12, agents=2, respawn=False, creatures="all", spawn_rate=2.0, start_time=18_000)
    arena.clock[Clock.SEED_LOW] = torch.arange(12, dtype=torch.int32)
    return arena


def test_monsters_appear_far_from_every_agent(dark):
    places = [(-10.5, 0.5), (10.5, 0.5)]
    found = where_monsters_appear(dark, places)
    assert len(found) > 15
    assert min(((x - a) ** 2 + (y - b) ** 2) ** 0.5 for x, y in found for a, b in places) > 13


def test_who_is_gone_keeps_no_monster_away(dark):
    dark.body[Body.HEALTH, 0::2], dark.body[Body.CAUSE, 0::2] = 0, int(Cause.FALL)
    dark.act()
    assert dark.body[Body.GONE].tolist() == [1, 0] * 12
    found = where_monsters_appear(dark, [(-10.5, 0.5), (10.5, 0.5)])
    assert min(((x + 10.5) ** 2 + (y - 0.5) ** 2) ** 0.5 for x, y in found) < 11
    assert min(((x - 10.5) ** 2 + (y - 0.5) ** 2) ** 0.5 for x, y in found) > 13


def test_an_explosion_hurts_all_who_are_near(make_arena):
    arena = make_arena(1, agents=3, respawn=False)
    for row, y in ((0, -3.5), (1, 4.5), (2, 25.5)):
        arena.stand(0.5, y, 0, rows=row)
    arena.body[Body.GONE, 2] = 0
    arena.set("tnt", 0, 2, 0)
    arena.hold("flint_and_steel", rows=0)
    arena.stand(0.5, 0.5, 0, rows=0)
    arena.body[Body.PITCH, 0] = -3
    act(arena, hand={0: Hand.USE})
    arena.stand(0.5, -3.5, 0, rows=0)
    arena.act(82, move=Move.NONE)
    health = arena.health().tolist()
    assert health[2] == 20
    assert health[1] < 20
