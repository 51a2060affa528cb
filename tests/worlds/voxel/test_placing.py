"""Placing blocks, doors and lights: where they may stand and what comes of it."""

from __future__ import annotations

import pytest

from farlands.worlds.voxel.actions import Camera, Hand, Move
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.state import MAX_FIXTURES, Body

PLACEABLE = tuple(item.name for item in ITEMS if item.places)
# What a block needs around it: under it, or behind it.
GROUND = {
    "oak_sapling": "grass",
    "spruce_sapling": "dirt",
    "red_flower": "grass",
    "yellow_flower": "dirt",
    "cactus": "sand",
    "wheat_seeds": "farmland",
}


def look_down(arena) -> None:
    """Turn the crosshair to the top of the floor two blocks ahead."""
    arena.act(3, camera=Camera.DOWN)


@pytest.mark.parametrize("name", PLACEABLE)
def test_every_placeable_goes_on_its_ground(arena, name):
    arena.set(GROUND.get(name, "stone"), 0, 2, -1)
    arena.give(name, 2)
    if name == "ladder":
        arena.set("stone", 0, 2, 1)
        arena.act(choice="place_ladder")
        assert arena.get(0, 1, 1) == "ladder"
    else:
        look_down(arena)
        arena.act(choice=f"place_{name}")
        assert arena.get(0, 2, 0) == ITEMS[ITEM_ID[name]].places
    left = 2 - 1
    given_back = ITEMS[ITEM_ID[name]].gives_back
    assert arena.carried() == {name: left} | ({given_back: 1} if given_back else {})
    assert arena.count(name).tolist() == [left]
    arena.check_inventory()


@pytest.mark.parametrize("name", GROUND)
def test_plants_refuse_bare_stone(arena, name):
    arena.give(name)
    look_down(arena)
    assert not arena.possible(f"place_{name}")
    arena.act(choice=f"place_{name}")
    assert arena.get(0, 2, 0) == "air"
    assert arena.count(name).tolist() == [1]


def test_nothing_is_placed_into_the_air_or_out_of_reach(arena):
    arena.give("cobblestone")
    assert not arena.possible("place_cobblestone")
    arena.set("stone", 0, 6, 1)
    assert not arena.possible("place_cobblestone")
    arena.act(choice="place_cobblestone")
    assert arena.count("cobblestone").tolist() == [1]


def test_nothing_is_placed_into_ones_own_body(arena):
    arena.give("cobblestone", 3)
    arena.act(6, camera=Camera.DOWN)
    assert not arena.possible("place_cobblestone")
    arena.act(choice="place_cobblestone")
    assert arena.get(0, 0, 0) == "air"


def test_pillars_are_built_by_jumping(arena):
    arena.give("cobblestone", 3)
    arena.act(6, camera=Camera.DOWN)
    for level in range(1, 4):
        while arena.position()[2] < level:
            arena.act(jump=1)
        arena.act(choice="place_cobblestone")
        assert arena.get(0, 0, level - 1) == "cobblestone"
        arena.act(10)
    assert arena.position()[2] == 3


def test_a_ceiling_takes_blocks_on_its_underside_but_no_torch(arena):
    arena.fill("stone", range(-1, 2), range(1, 4), range(3, 4))
    arena.give("cobblestone")
    arena.give("torch")
    arena.act(2, camera=Camera.UP)
    assert not arena.possible("place_torch")
    assert arena.possible("place_cobblestone")


@pytest.mark.parametrize(("wall", "holds"), [("stone", True), ("glass", True), ("tall_grass", False), ("torch", False)])
def test_torches_and_ladders_need_a_solid_wall(arena, wall, holds):
    arena.set(wall, 0, 3, 1)
    if wall == "tall_grass":
        arena.set("air", 0, 3, 0)
    arena.give("torch")
    arena.give("ladder")
    assert arena.possible("place_torch") == holds
    assert arena.possible("place_ladder") == holds


def test_grass_gives_way(arena):
    arena.set("tall_grass", 0, 2, 0)
    arena.give("cobblestone")
    arena.act(2, camera=Camera.DOWN)
    arena.act(choice="place_cobblestone")
    assert arena.get(0, 2, 0) == "cobblestone"


def test_water_gives_way(arena):
    arena.set("water", 0, 2, 0)
    arena.give("cobblestone")
    look_down(arena)
    arena.act(choice="place_cobblestone")
    assert arena.get(0, 2, 0) == "cobblestone"


def test_place_block_takes_cobblestone_before_dirt(arena):
    arena.give("dirt", 2)
    arena.give("cobblestone", 1)
    look_down(arena)
    arena.act(choice="place_block")
    assert arena.carried() == {"dirt": 2}
    arena.act(choice="place_block")
    assert arena.carried() == {"dirt": 1}


def test_the_top_of_the_world_is_the_limit(arena):
    arena.fill("stone", range(1), range(2, 3), range(32))
    arena.stand(0.5, 0.5, 32)
    arena.fill("stone", range(1), range(1), range(32))
    arena.give("cobblestone")
    arena.give("door")
    look_down(arena)
    assert not arena.possible("place_cobblestone")
    assert not arena.possible("place_door")
    arena.act(choice="place_cobblestone")
    assert arena.count("cobblestone").tolist() == [1]


def test_a_door_opens_closes_and_breaks_as_one(arena):
    arena.give("door")
    look_down(arena)
    arena.act(choice="place_door")
    assert [arena.get(0, 2, z) for z in (0, 1)] == ["door", "door"]
    arena.act(2, camera=Camera.UP)
    arena.act(40, move=Move.FORWARD)
    assert arena.position()[1] == pytest.approx(2 - 0.3, abs=0.001)
    arena.act(hand=Hand.USE)
    assert [arena.get(0, 2, z) for z in (0, 1)] == ["open_door", "open_door"]
    arena.act(4, move=Move.FORWARD)
    assert 2 - 0.3 < arena.position()[1] < 3
    # It does not shut on a body.
    arena.act(hand=Hand.USE)
    assert arena.get(0, 2, 0) == "open_door"
    arena.act(12, move=Move.BACK)
    arena.act(hand=Hand.USE)
    assert [arena.get(0, 2, z) for z in (0, 1)] == ["door", "door"]
    arena.act(100, hand=Hand.ATTACK)
    assert [arena.get(0, 2, z) for z in (0, 1)] == ["air", "air"]
    assert arena.carried() == {"door": 1}


def test_a_door_needs_two_cells(arena):
    arena.set("stone", 0, 2, 1)
    arena.give("door")
    look_down(arena)
    assert not arena.possible("place_door")


def test_no_door_stands_on_a_door(arena):
    arena.give("door", 2)
    arena.set("door", 0, 2, -2)
    arena.set("door", 0, 2, -1)
    look_down(arena)
    assert not arena.possible("place_door")


def test_a_world_holds_so_many_stations_and_no_more(arena):
    for k in range(MAX_FIXTURES - 1):
        arena.set("furnace", k % 16 - 20, k // 16 - 20, 0)
    arena.give("furnace", 2)
    arena.give("torch", 1)
    look_down(arena)
    arena.act(choice="place_furnace")
    assert arena.count("furnace").tolist() == [1]
    arena.act(2, camera=Camera.UP)
    arena.set("stone", 0, 2, 1)
    assert not arena.possible("place_furnace")
    assert arena.possible("place_torch")
    arena.set("air", -20, -20, 0)
    assert arena.possible("place_furnace")


@pytest.mark.parametrize(
    ("name", "feat"),
    [("crafting_table", 1.0), ("furnace", 1.0), ("torch", 1.0), ("oak_sapling", 1.0), ("cobblestone", 0.0)],
)
def test_placing_feats_are_paid_once(arena, name, feat):
    arena.set("grass", 0, 2, -1)
    arena.give(name, 2)
    look_down(arena)
    arena.act(choice=f"place_{name}")
    assert arena.rewards().tolist() == [feat]
    arena.set("air", 0, 2, 0)
    arena.act(choice=f"place_{name}")
    assert arena.rewards().tolist() == [0.0]
    assert arena.count(name).tolist() == [0]


def test_beds_are_used_only_in_reach(arena):
    arena.set("bed", 0, 7, 1)
    arena.clock[2] = 14_000
    arena.act(hand=Hand.USE)
    assert int(arena.body[Body.SLEEPING, 0]) == 0
