"""Holes to wait in, in an arena."""

from __future__ import annotations

import pytest
import torch

from farlands.worlds.voxel.expert.guard import Guard
from farlands.worlds.voxel.expert.hands import Doing, Hands, act
from farlands.worlds.voxel.expert.hunting import Hunter
from farlands.worlds.voxel.expert.legs import Legs
from farlands.worlds.voxel.expert.shelter import Shelter
from farlands.worlds.voxel.expert.travel import Crew, Travel
from farlands.worlds.voxel.expert.view import SIDES, View
from farlands.worlds.voxel.state import Body


@pytest.fixture
def arena(make_arena):
    return make_arena(1, actions="flat", ticks_per_step=4, start_time=14_000, creatures="all", spawn_rate=0.0)


def crew_of(arena) -> Crew:
    view = View(arena.world)
    hands = Hands(view, lambda cell: True)
    return Crew(view, hands, Legs(view, hands))


def carry_out(arena, doing: Doing) -> bool:
    """Do something to the end; what came of it."""
    try:
        while True:
            arena.act_rows(torch.tensor([next(doing)], dtype=torch.int32))
    except StopIteration as end:
        return end.value


@pytest.mark.parametrize("kind", ["", "skeleton"])
def test_wounds_heal_behind_walls(arena, kind: str):
    """An archer's arrows reach nobody who has dug in."""
    crew = crew_of(arena)
    arena.give("dirt", 12)
    arena.put_body(HEALTH=9)
    if kind:
        arena.put_creature(kind, 0.5, 9.5)
    assert carry_out(arena, Shelter(crew.view, crew, Travel(crew)).recover(12, 400))
    x, y, z = crew.view.feet
    assert crew.view.body(Body.HEALTH) >= 12
    assert crew.view.solid((x, y, z + 2))
    assert all(crew.view.solid((x + dx, y + dy, z + 1)) for dx, dy, dz in SIDES if dz == 0)


def test_what_stands_in_the_way_is_struck_while_digging_in(arena):
    crew = crew_of(arena)
    for item, count in (("dirt", 12), ("iron_sword", 1), ("iron_pickaxe", 1)):
        arena.give(item, count)
    arena.put_body(HEALTH=8)
    arena.put_creature("zombie", 0.5, 4.0)
    guard, shelter = Guard(crew.view, crew.hands), Shelter(crew.view, crew, Travel(crew))
    guard.flees_at, guard.retreat = 8, lambda: shelter.recover(12, 400)
    carry_out(arena, guard.watch(act("noop", 20)))
    assert arena.kinds() == []
    assert crew.view.body(Body.HEALTH) >= 5


def test_nowhere_is_hidden_where_digging_is_forbidden(arena):
    crew = crew_of(arena)
    shelter = Shelter(crew.view, crew, Travel(crew))
    shelter.may_dig = False
    assert list(shelter.recover(20, 100)) == []


def test_a_place_where_something_hurts_is_left(arena):
    """Whoever is shot through a gap digs on."""
    crew = crew_of(arena)
    arena.give("dirt", 12)
    shelter = Shelter(crew.view, crew, Travel(crew))
    assert carry_out(arena, shelter.rest(2))
    first = crew.view.feet
    resting = shelter.rest(5)
    arena.act_rows(torch.tensor([next(resting)], dtype=torch.int32))
    arena.put_body(HEALTH=15)
    carry_out(arena, resting)
    carry_out(arena, shelter.rest(2))
    assert crew.view.feet != first


def test_monsters_are_waited_for_by_day_and_sought_in_the_open_by_night(arena):
    crew = crew_of(arena)
    travel = Travel(crew)
    hunter = Hunter(crew.view, crew, travel, Guard(crew.view, crew.hands))
    arena.give("dirt", 12)
    assert carry_out(arena, Shelter(crew.view, crew, travel).rest(1))
    low = crew.view.feet[2]
    carry_out(arena, hunter.hunt("zombie"))
    assert crew.view.feet[2] > low
