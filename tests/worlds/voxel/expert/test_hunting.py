"""Dealing with creatures, in an arena."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from farlands.worlds.voxel.achievements import ACHIEVEMENT_ID
from farlands.worlds.voxel.expert.bans import NO_BANS, Bans
from farlands.worlds.voxel.expert.guard import Guard
from farlands.worlds.voxel.expert.hands import Doing, Hands
from farlands.worlds.voxel.expert.hunting import Hunter, is_smitten
from farlands.worlds.voxel.expert.legs import Legs
from farlands.worlds.voxel.expert.planner import Planner
from farlands.worlds.voxel.expert.plans import Craft
from farlands.worlds.voxel.expert.sources import known_sources
from farlands.worlds.voxel.expert.travel import Crew, Travel
from farlands.worlds.voxel.expert.view import View


@pytest.fixture
def arena(make_arena):
    return make_arena(1, actions="flat", ticks_per_step=4, creatures="all", spawn_rate=0.0)


def hunter_of(arena) -> Hunter:
    view = View(arena.world)
    hands = Hands(view, lambda cell: True)
    crew = Crew(view, hands, Legs(view, hands))
    return Hunter(view, crew, Travel(crew), Guard(view, hands))


def carry_out(arena, again: Callable[[], Doing], over: Callable[[], bool], steps: int = 300) -> bool:
    """Do something again and again until a condition holds; whether it came to that."""
    while steps > 0 and not over():
        began = steps
        for action in again():
            arena.act_rows(torch.tensor([action], dtype=torch.int32))
            steps -= 1
            if over() or steps == 0:
                break
        if steps == began:
            return False
    return over()


@pytest.mark.parametrize("kind", ["cow", "chicken", "sheep", "zombie"])
def test_the_nearest_of_a_kind_is_killed(arena, kind: str):
    arena.give("iron_sword")
    arena.put_creature("pig", 1.5, 3.5)
    arena.put_creature(kind, -5.5, 7.5)
    hunter = hunter_of(arena)
    assert carry_out(arena, lambda: hunter.hunt(kind), lambda: kind not in arena.kinds())
    assert arena.kinds() == ["pig"]


def test_sheep_are_shorn_once(arena):
    arena.give("shears")
    arena.put_creature("sheep", 3.5, 3.5)
    hunter = hunter_of(arena)
    assert carry_out(arena, hunter.shear, lambda: arena.carried().get("wool", 0) > 0)
    assert arena.kinds() == ["sheep"]
    assert hunter.find("sheep", lambda row: False) is None


def test_two_that_are_fed_have_young(arena):
    arena.give("wheat", 4)
    arena.put_creature("cow", 3.5, 3.5)
    arena.put_creature("cow", 4.5, 5.5)
    hunter = hunter_of(arena)
    bred = ACHIEVEMENT_ID["breed"]

    def feed() -> Doing:
        return hunter.feed("cow")

    assert carry_out(arena, feed, lambda: hunter.count("cow", is_smitten) == 1)
    assert carry_out(arena, feed, lambda: arena.carried().get("wheat", 0) == 2)
    for _ in range(200):
        arena.act_rows(torch.zeros(1, dtype=torch.int32))
    assert int(arena.unlocked[0, bred]) >= 0
    assert arena.kinds() == ["cow"] * 3


def test_arrows_hit_what_is_shot_at(arena):
    arena.give("bow")
    arena.give("arrow", 9)
    arena.put_creature("cow", 0.5, 3.5)
    hunter, shot = hunter_of(arena), ACHIEVEMENT_ID["shoot"]
    assert carry_out(arena, lambda: hunter.shoot("cow"), lambda: int(arena.unlocked[0, shot]) >= 0)


def test_creatures_near_make_their_drops_cheaper(arena):
    view, hunter = View(arena.world), hunter_of(arena)

    def ticks(bans: Bans = NO_BANS) -> dict[str, float]:
        return {source.item: source.ticks for source in known_sources(view, hunter, bans) if "cow" in source.name}

    far = ticks()
    arena.put_creature("cow", 3.5, 3.5)
    near = ticks()
    assert set(near) == {"leather", "beef"}
    assert all(near[item] < far[item] for item in near)
    assert ticks(Bans(kill=frozenset({"cow"}))) == {}


def test_monsters_far_above_are_waited_for_and_those_on_the_ground_are_gone_for(arena):
    hunter = hunter_of(arena)
    start = arena.position()[:2]
    arena.put_creature("zombie", 0.5, 9.5, z=20.0)
    for action in hunter.hunt("zombie"):
        arena.act_rows(torch.tensor([action], dtype=torch.int32))
    assert arena.position()[:2] == pytest.approx(start)
    arena.put_creature("zombie", 0.5, 9.5)
    assert carry_out(arena, lambda: hunter.hunt("zombie"), lambda: arena.kinds() == ["zombie"], 200)


def test_the_best_sword_that_may_be_had_is_taken_to_monsters(arena):
    view, hunter = View(arena.world), hunter_of(arena)
    land = {"oak_log": 100.0, "stone": 60.0}

    def swords(bans: Bans) -> list[str]:
        tasks = Planner(land, bans=bans, sources=known_sources(view, hunter, bans)).plan("rotten_flesh", {})
        return [task.recipe.output for task in tasks if isinstance(task, Craft) and "sword" in task.recipe.output]

    assert swords(NO_BANS) == ["stone_sword"]
    assert swords(Bans(gain=frozenset({"cobblestone"}))) == ["wooden_sword"]
    assert swords(Bans(gain=frozenset({"stick"}))) == []
