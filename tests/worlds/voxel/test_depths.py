"""Depths in the tech tree, against chains counted by hand and against what the expert has to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

from farlands.worlds.voxel.achievements import ACHIEVEMENTS
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.depths import achievement_depths, item_depths
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.recipes import RECIPES, SMELTINGS
from farlands.worlds.voxel.spec import world_spec

DEPTH = dict(zip((a.name for a in ACHIEVEMENTS), achievement_depths(), strict=True))


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("collect_log", 1),
        ("make_planks", 2),
        ("make_stick", 3),
        ("make_crafting_table", 3),
        ("place_crafting_table", 4),
        ("make_wooden_pickaxe", 5),
        ("make_door", 5),
        ("collect_cobblestone", 6),
        ("make_stone_pickaxe", 7),
        ("make_furnace", 7),
        ("place_furnace", 8),
        ("collect_iron_ore", 8),
        ("make_iron_ingot", 9),
        ("make_iron_pickaxe", 10),
        ("collect_diamond", 11),
        ("make_diamond_pickaxe", 12),
        ("eat", 2),
        ("place_sapling", 2),
        ("wear_diamond_armour", 13),
    ],
)
def test_chains_counted_by_hand(name, depth):
    assert DEPTH[name] == depth


def test_what_is_made_is_deeper_than_what_it_is_made_of():
    depths = item_depths()
    dropped = {drop.item for creature in CREATURES for drop in creature.drops}
    for recipe in RECIPES:
        if recipe.output in dropped:
            assert depths[recipe.output] == 1
            continue
        for either, _ in recipe.inputs:
            assert depths[recipe.output] > min(depths[name] for name in either.split("|"))
    for smelting in SMELTINGS:
        assert depths[smelting.output] > depths["furnace"] + 1
    assert depths["wheat"] > depths["wooden_hoe"]
    assert depths["water_bucket"] > depths["bucket"] > depths["iron_ingot"]


def test_every_item_and_achievement_can_be_had():
    assert set(item_depths()) == {item.name for item in ITEMS} - {"nothing"}
    assert min(DEPTH.values()) == 1


def test_the_spec_tells_depths_and_goal():
    assert world_spec(VoxelOptions()).depths == achievement_depths()
    assert world_spec(VoxelOptions()).goal == ""
    assert world_spec(VoxelOptions(task="diamond")).goal == "make_diamond_pickaxe"


def test_needs_neither_torch_nor_warp():
    code = "import sys, farlands.worlds.voxel.depths; sys.exit(bool({'torch', 'warp'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
