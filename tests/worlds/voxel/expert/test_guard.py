"""Fights, in an arena."""

from __future__ import annotations

import pytest
import torch

from farlands.worlds.voxel.expert.guard import Guard
from farlands.worlds.voxel.expert.hands import Hands, act
from farlands.worlds.voxel.expert.view import View
from farlands.worlds.voxel.state import Body


def fight(arena, steps: int) -> list[str]:
    """Stand guard over doing nothing; the creatures that are left."""
    view = View(arena.world)
    for action in Guard(view, Hands(view, lambda cell: True)).watch(act("noop", steps)):
        arena.act_rows(torch.tensor([action], dtype=torch.int32))
        steps -= 1
        if steps == 0 or not arena.kinds():
            break
    return arena.kinds()


@pytest.mark.parametrize("place", [(0.5, 4.5), (-2.5, -1.5), (0.5, 0.5)], ids=["ahead", "behind", "in the same spot"])
@pytest.mark.parametrize("kind", ["zombie", "spider"])
def test_monsters_are_killed_wherever_they_stand(make_arena, kind: str, place: tuple[float, float]):
    arena = make_arena(1, actions="flat", ticks_per_step=4, start_time=14_000, creatures="all", spawn_rate=0.0)
    arena.give("iron_sword")
    arena.put_creature(kind, *place)
    assert fight(arena, 120) == []
    assert int(arena.health()[0]) >= 8
    assert View(arena.world).held == "iron_sword"


def test_what_cannot_be_struck_is_left_alone(make_arena):
    """Behind glass: in sight, out of reach for good; the guard turns back to its plan, and to where it looked."""
    arena = make_arena(1, actions="flat", ticks_per_step=4, start_time=14_000, creatures="all", spawn_rate=0.0)
    for x in range(-4, 5):
        for z in range(4):
            arena.set("glass", x, 2, z)
    arena.put_creature("zombie", 0.5, 4.0)
    arena.body[Body.PITCH] = 3
    view = View(arena.world)
    passed = []
    for action in Guard(view, Hands(view, lambda cell: True)).watch(act("jump", 3)):
        arena.act_rows(torch.tensor([action], dtype=torch.int32))
        passed.append(action)
        assert len(passed) < 200
    assert view.body(Body.PITCH) == 3
    assert view.body(Body.YAW) == 0


def test_animals_are_let_be(make_arena):
    arena = make_arena(1, actions="flat", ticks_per_step=4, creatures="all", spawn_rate=0.0)
    arena.put_creature("cow", 0.5, 2.5)
    view = View(arena.world)
    assert list(Guard(view, Hands(view, lambda cell: True)).watch(act("noop", 5))) == [0] * 5


@pytest.mark.parametrize(
    ("health", "flees_at", "kind", "weapon", "flees"),
    [
        (20, 8, "skeleton", "iron_sword", False), (6, 0, "skeleton", "iron_sword", False),
        (6, 8, "skeleton", "iron_sword", True), (6, 8, "zombie", "iron_pickaxe", True),
        (6, 8, "zombie", "iron_sword", False),
    ],
)  # fmt: skip
def test_whoever_is_beaten_gets_away_first(make_arena, health: int, flees_at: int, kind: str, weapon: str, flees: bool):
    """Not from a zombie that a sword will stop sooner than any wall."""
    arena = make_arena(1, actions="flat", ticks_per_step=4, start_time=14_000, creatures="all", spawn_rate=0.0)
    arena.give(weapon)
    arena.put_body(HEALTH=health)
    arena.put_creature(kind, 0.5, 4.5)
    view = View(arena.world)
    guard = Guard(view, Hands(view, lambda cell: True))
    fled = []

    def retreat():
        fled.append(view.body(Body.HEALTH))
        yield from act("back", 3)
        return True

    guard.flees_at, guard.retreat = flees_at, retreat
    for steps, action in enumerate(guard.watch(act("noop", 60))):
        arena.act_rows(torch.tensor([action], dtype=torch.int32))
        if fled or not arena.kinds() or steps > 8:
            break
    assert fled == ([health] if flees else [])
