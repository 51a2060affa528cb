"""The observation in words: every fact of it, right; and actions back from words."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import FACTORED_NAMES, FLAT_ACTIONS
from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.options import SENSES, VoxelOptions
from farlands.worlds.voxel.spec import world_spec
from farlands.worlds.voxel.state import Body, Clock
from farlands.worlds.voxel.text import FACTORS, describe, parse_action, possible_actions

from .gathering import Gathering

FLAT, FACTORED = (world_spec(VoxelOptions(actions=kind)) for kind in ("flat", "factored"))


def words(arena, row: int = 0, **how: bool) -> str:
    return describe({name: value[row] for name, value in arena.look().items()}, arena.world.spec, **how)


def test_a_scene_in_words(make_arena):
    """One scene, every line of it."""
    arena = make_arena(1, actions="flat")
    arena.set("crafting_table", 1, 2, 0)
    arena.set("stone", 0, 2, 1)
    for z in (0, 1, 2):
        arena.set("stone", 2, 0, z)
    arena.set("dirt", 0, -1, 0)
    for z in (-1, -2):
        arena.set("air", -2, 0, z)
    arena.give("planks", 70)
    arena.hold("iron_pickaxe", wear=125)
    arena.armour_item[0, 3] = ITEM_ID["diamond_boots"]
    arena.put_body(HEALTH=13, FOOD=8, SATURATION=0, AIR=150)
    text = words(arena)
    assert text.splitlines()[:13] == [
        "You face north (0 degrees), looking level, at height 32.",
        "It is about 07:00, day. Your start is here.",
        "Health 13/20, food 8/20 (saturation 0), air 10/20, armour 3/20.",
        "You are on ground.",
        "In the crosshair: stone, 1.5 blocks away, in reach, its side.",
        "Equipped: hand iron_pickaxe (50% left), boots diamond_boots (100% left).",
        "You carry 70 planks, 1 iron_pickaxe.",
        "Ahead (north): free for 1, then stone at head height.",
        "Right (east): free for 1, then a wall of stone.",
        "Behind (south): a step up (dirt).",
        "Left (west): free for 1, then a drop of 2 or more.",
        "Underfoot: stone.",
        "Near you: crafting_table 2 ahead, 1 right.",
    ]
    actions = text.splitlines()[13].removeprefix("Possible actions: ").removesuffix(".").split(", ")
    assert {"noop", "attack", "craft_stick", "craft_crafting_table"} <= set(actions)
    assert not {"eat", "use", "place_torch", "craft_furnace"} & set(actions)
    assert len(text.splitlines()) == 14


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("water", "water"),
        ("lava", "lava"),
        ("ladder", "ladder"),
        ("door", "a step up (door)"),
        ("open_door", "free for 3"),
    ],
)
def test_what_is_in_the_way(arena, block, told):
    arena.set(block, 0, 1, 0)
    assert f"Ahead (north): {told}" in words(arena)


def test_drops_and_ceilings(arena):
    arena.fill("air", range(1), range(1, 4), range(-1, 0))
    arena.set("planks", 0, 0, 2)
    text = words(arena)
    assert "Ahead (north): a drop of 1 onto stone." in text
    assert "Overhead: planks." in text


@pytest.mark.parametrize(
    ("yaw", "wind", "degrees"), [(0, "north", 0), (3, "north-east", 45), (6, "east", 90), (19, "west", 285)]
)
def test_headings(arena, yaw, wind, degrees):
    arena.put_body(YAW=yaw, PITCH=-2)
    assert f"You face {wind} ({degrees} degrees), looking 30 degrees down" in words(arena)


@pytest.mark.parametrize(
    ("time", "told"), [(0, "06:00, day"), (6_000, "12:00, day"), (13_000, "19:00, night"), (18_500, "00:00, night")]
)
def test_times_of_day(arena, time, told):
    arena.clock[Clock.TIME] = time
    assert f"It is about {told}." in words(arena)


def test_the_way_back(arena):
    arena.stand(3.5, -1.5, 0)
    assert "Your start is 2 blocks ahead and 3 blocks to the left." in words(arena)
    arena.clock[Clock.START_X] = -900
    assert "over 127 blocks to the left" in words(arena)


def test_states(make_arena):
    arena = make_arena(2)
    arena.set("water", 0, 0, 0, worlds=0)
    arena.body[Body.FIRE, 0] = 5
    arena.body[Body.ON_GROUND, 1] = 0
    assert "You are on ground, in water, burning." in words(arena, 0)
    assert "You are in the air." in words(arena, 1)


def test_broken_and_far_targets(arena):
    arena.set("oak_log", 0, 1, 1)
    arena.act(30, hand=1)
    assert "In the crosshair: oak_log, 0.5 blocks away, in reach, its side, broken 5/10." in words(arena)
    arena.put_body(PITCH=6)
    assert "Nothing is in the crosshair." in words(arena)


@pytest.mark.parametrize("cube", [(5, 7, 7), (3, 5, 9), (1, 1, 1)])
def test_layers_lose_nothing_of_the_cube(make_arena, cube):
    arena = make_arena(1, cube=cube)
    generator = torch.Generator().manual_seed(0)
    arena.blocks[:] = torch.randint(0, len(BLOCKS), arena.blocks.shape, generator=generator).to(torch.uint8)
    text = words(arena, layers=True)
    legend = dict(pair.split("=") for pair in re.search(r"Map legend: (.*)\.", text)[1].split(", "))
    rows = [line.split() for line in text.splitlines() if re.fullmatch(r"[ \d]+", line)]
    assert all(BLOCKS[int(number)].name == name for number, name in legend.items())
    read = np.array(rows, dtype=int).reshape(cube)[::-1, ::-1]
    np.testing.assert_array_equal(read, arena.look()["voxels"][0].numpy())


@pytest.mark.parametrize("kind", ["flat", "factored"])
@pytest.mark.parametrize("name", SENSES)
def test_any_choice_of_senses_can_be_told(make_arena, name, kind):
    arena = make_arena(1, actions=kind, senses=(name,), width=8, height=8, creatures="animals")
    arena.put_creature("cow", -0.5, 4.6, HURT=1)
    text = words(arena)
    assert bool(text) == (name not in ("pixels", "depth", "segmentation", "durability", "target"))


def test_creatures_in_sight_are_told(make_arena):
    arena = make_arena(1, creatures="animals")
    arena.put_creature("cow", -0.5, 4.6, HURT=1)
    arena.put_creature("chicken", 0.5, -6.5, AGE=-5)
    told = "You see a cow (hurt) 4 blocks ahead and 1 block to the left; a chicken (young) 7 blocks behind."
    assert told in words(arena)


def test_other_agents_and_lying_items_are_told():
    meadow = Gathering(1, 3, creatures="none", senses=("entities",))
    meadow.put_agent(1, 0.5, 0.5)
    meadow.put_agent(0, 0.5, 4.5, holds="iron_axe", HURT=2, STRIKE_PAUSE=3)
    meadow.put_agent(2, -4.5, 0.5)
    meadow.drop("oak_log", 0.5, -1.5, count=12)
    told = (
        "You see 12 oak_log on the ground 2 blocks behind; an agent (hurt, roused) holding iron_axe 4 blocks ahead; "
        "an agent 5 blocks to the left."
    )
    assert words(meadow, 1) == told


def test_possible_actions_are_the_masks():
    generator = np.random.default_rng(0)
    mask = generator.integers(0, 2, len(FLAT_ACTIONS))
    found = possible_actions(mask, FLAT)["action"]
    assert found == [action.name for action, on in zip(FLAT_ACTIONS, mask, strict=True) if on]
    mask = generator.integers(0, 2, sum(FACTORED.action.nvec))
    found = possible_actions(mask, FACTORED)
    assert tuple(found) == FACTORS
    assert sum(map(len, found.values())) == mask.sum()


@pytest.mark.parametrize("mask", [np.ones((4, len(FLAT_ACTIONS))), np.ones(sum(FACTORED.action.nvec))])
def test_masks_of_several_rows_or_other_spaces_are_refused(mask):
    with pytest.raises(ValueError, match=r"expected .*: one row"):
        possible_actions(mask, FLAT)


@pytest.mark.parametrize("style", [str, str.upper, lambda name: name.replace("_", " "), lambda name: f" '{name}'. "])
def test_every_flat_action_is_found_by_its_name(style):
    for index, action in enumerate(FLAT_ACTIONS):
        assert parse_action(style(action.name), FLAT) == index


@given(st.tuples(*(st.integers(0, len(names) - 1) for names in FACTORED_NAMES)))
def test_every_factored_action_is_found_by_its_names(action):
    told = [f"{factor}={names[k]}" for factor, names, k in zip(FACTORS, FACTORED_NAMES, action, strict=True)]
    assert parse_action(", ".join(told), FACTORED) == action
    assert parse_action("; ".join(reversed(told)), FACTORED) == action


def test_names_of_one_factor_only_need_no_factor():
    assert parse_action("sprint, attack", FACTORED) == (5, 0, 0, 1, 0)
    assert parse_action("craft planks", FACTORED) == (0, 0, 0, 0, 1)
    assert parse_action("", FACTORED) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "spec", "message"),
    [
        ("forwards", FLAT, "no action named 'forwards'; did you mean 'forward'?"),
        ("dance", FLAT, "no action named 'dance'; "),
        ("", FLAT, "no action named ''; one of: noop"),
        ("left", FACTORED, "'left' may be move=left or camera=left: say which"),
        ("atack", FACTORED, "no choice named 'atack'; did you mean 'attack'?"),
        ("hand=forward", FACTORED, "no hand named 'forward'; one of: none, attack, use, eat"),
        ("foot=forward", FACTORED, "no factor named 'foot'"),
    ],
)
def test_names_that_are_none_are_refused_in_one_line(text, spec, message):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        parse_action(text, spec)
    assert message in str(error.value)


def test_an_agent_can_play_by_words_alone(make_arena):
    """Reading what is possible and answering by name."""
    arena = make_arena(1, actions="flat", sticky_hand="auto", start_kit=("oak_log:2",))
    for name in (
        "craft_planks",
        "craft planks",
        "craft-crafting-table",
        "look down",
        "look_down",
        "place crafting table",
    ):
        possible = re.search(r"Possible actions: (.*)\.", words(arena))[1].split(", ")
        assert re.sub("[ -]", "_", name) in possible, name
        arena.world.step(torch.tensor([parse_action(name, arena.world.spec)]))
    assert "crafting_table" in words(arena).split("Near you: ")[1]
