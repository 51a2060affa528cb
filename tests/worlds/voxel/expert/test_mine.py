"""Shafts and galleries in rock of known make."""

from __future__ import annotations

import torch

from farlands.worlds.voxel.expert.hands import Hands
from farlands.worlds.voxel.expert.legs import Legs
from farlands.worlds.voxel.expert.mine import GALLERY, Mine
from farlands.worlds.voxel.expert.view import View


def dig(arena, moves: int, heights: tuple[int, int]) -> list[tuple[int, int, int]]:
    """Go on so many moves; where the feet were after each. Ends early where nothing can be done."""
    view = View(arena.world)
    hands = Hands(view, lambda cell: not view.touches_lava(cell))
    mine = Mine(view, hands, Legs(view, hands))
    been = []
    for _ in range(moves):
        play, done = mine.go_on(heights), None
        while done is None:
            try:
                arena.act_rows(torch.tensor([next(play)], dtype=torch.int32))
            except StopIteration as end:
                done = end.value
        if not done:
            break
        been.append(view.feet)
    return been


def miner(make_arena):
    arena = make_arena(1, actions="flat", ticks_per_step=4)
    arena.give("iron_pickaxe")
    return arena


def test_a_shaft_leads_down_and_a_gallery_along(make_arena):
    arena = miner(make_arena)
    been = dig(arena, 30, (2, 13))
    assert len(been) == 30
    levels = [z for _, _, z in been]
    assert levels == sorted(levels, reverse=True), "down first"
    assert levels[-1] == GALLERY
    along = [cell[:2] for cell in been if cell[2] == GALLERY]
    assert len(set(along)) == len(along) >= 6, "a gallery does not come back"


def test_what_lies_higher_is_not_dug_past(make_arena):
    arena = miner(make_arena)
    assert min(z for _, _, z in dig(arena, 20, (20, 32))) == 20


def test_lava_is_never_let_in(make_arena):
    """A pool below the shaft and one before the gallery: the way leads round both."""
    arena = miner(make_arena)
    arena.fill("lava", range(-3, 4), range(-3, 4), range(-12, -10))
    arena.fill("lava", range(-8, 9), range(6, 9), range(-24, -18))
    been = dig(arena, 60, (2, 13))
    assert len(been) == 60
    assert been[-1][2] == GALLERY
    assert int(arena.health()[0]) == 20
    view = View(arena.world)
    assert not any(view.touches_lava(cell) for cell in been)


def test_bare_hands_do_not_mine(make_arena):
    """Rock takes them five seconds a block and drops nothing, but it goes; bedrock does not."""
    arena = make_arena(1, actions="flat", ticks_per_step=4)
    arena.fill("bedrock", range(-8, 9), range(-8, 9), range(-31, 3))
    assert dig(arena, 3, (2, 13)) == []
