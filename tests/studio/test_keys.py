"""Keys and mouse as rows of factored actions, one for every tick."""

from __future__ import annotations

import numpy as np
import pytest

from farlands.errors import UserError
from farlands.studio.keys import Keys
from farlands.studio.messages import Act
from farlands.worlds.voxel.actions import CHOICE_ID, FACTORED_SIZES, Camera, Hand, Move

ALL = np.ones(sum(FACTORED_SIZES), dtype=np.uint8)
NOTHING = (0, 0, 0, 0, 0)


def rows(keys, count, mask=ALL, **about):
    return [keys.next_row(mask, **about).action for _ in range(count)]


def test_held_keys_count_for_every_tick():
    keys = Keys()
    keys.take(Act(move="sprint", jump=True, hand="attack"))
    assert rows(keys, 2) == [(Move.SPRINT, 1, 0, Hand.ATTACK, 0)] * 2
    keys.take(Act(move="back"))
    assert rows(keys, 2) == [(Move.BACK, 0, 0, 0, 0)] * 2


def test_a_tap_between_two_ticks_counts_for_one():
    keys = Keys()
    for act in (Act(move="left", jump=True), Act(hand="attack"), Act()):
        keys.take(act)
    assert rows(keys, 2) == [(Move.LEFT, 1, 0, Hand.ATTACK, 0), NOTHING]


def test_turns_add_up_and_are_made_one_a_tick():
    keys = Keys()
    for _ in range(4):
        keys.take(Act(turn=1))
    keys.take(Act(tilt=-1))
    assert [camera for _, _, camera, _, _ in rows(keys, 4)] == [Camera.RIGHT_45, Camera.DOWN, Camera.RIGHT, 0]
    keys.take(Act(turn=-5))
    keys.take(Act(turn=1))
    assert [camera for _, _, camera, _, _ in rows(keys, 3)] == [Camera.LEFT_45, Camera.LEFT, 0]


def test_a_flood_of_messages_leaves_bounded_debts():
    keys = Keys()
    for k in range(1_000):
        keys.take(Act(turn=24, tilt=24, sent=float(k + 1)))
    made = [keys.next_row(ALL) for _ in range(40)]
    cameras = [row.action[2] for row in made]
    assert cameras.count(Camera.RIGHT_45) * 3 + cameras.count(Camera.RIGHT) == 24
    assert cameras.count(Camera.UP) == 12
    assert len(made[0].sent) == 32
    assert made[0].sent[-1] == 1_000.0
    for _ in range(4):
        keys.take(Act(choice="craft_planks"))
    with pytest.raises(UserError, match="too many choices"):
        keys.take(Act(choice="craft_planks"))
    assert [row[4] for row in rows(keys, 5)] == [CHOICE_ID["craft_planks"]] * 4 + [0]


def test_a_tilt_that_cannot_be_made_is_let_off():
    keys, mask = Keys(), ALL.copy()
    mask[8 + Camera.UP] = 0
    keys.take(Act(tilt=5, turn=1))
    assert [camera for _, _, camera, _, _ in rows(keys, 2, mask)] == [Camera.RIGHT, 0]


def test_a_choice_comes_before_the_turn_that_was_asked_for_with_it():
    keys = Keys()
    keys.take(Act(turn=1, choice="craft_planks"))
    assert rows(keys, 2) == [(0, 0, 0, 0, CHOICE_ID["craft_planks"]), (0, 0, Camera.RIGHT, 0, 0)]


def test_using_is_done_once_a_press_but_a_bow_is_drawn_on():
    keys = Keys()
    keys.take(Act(hand="use"))
    keys.take(Act(hand="use", move="forward"))
    assert [row[3] for row in rows(keys, 3)] == [Hand.USE, 0, 0]
    keys.take(Act())
    keys.take(Act(hand="use"))
    assert [row[3] for row in rows(keys, 3, bow=True)] == [Hand.USE] * 3


def test_what_cannot_be_done_is_said():
    keys, mask = Keys(), ALL * 0
    keys.take(Act(choice="craft_bed"))
    assert keys.next_row(mask).refused == "craft_bed"
    keys.take(Act(hand="eat"))
    assert keys.next_row(mask).refused == "eat"
    assert keys.next_row(mask).refused == "", "once a press"
    with pytest.raises(UserError, match=r"no such choice 'craft_plank'; did you mean craft_planks\?"):
        keys.take(Act(choice="craft_plank"))
