"""Splits by the rules and the land that tasks are set in."""

from __future__ import annotations

import pytest

from farlands.worlds.voxel.alterations import alter
from farlands.worlds.voxel.options import BIOMES, VoxelOptions
from farlands.worlds.voxel.spec import check_options, rules_hash
from farlands.worlds.voxel.tasks.bank import task_bank, tree_of
from farlands.worlds.voxel.tasks.judge import Judge
from farlands.worlds.voxel.tasks.land import LAND, land_of
from farlands.worlds.voxel.tasks.places import PART_BIOMES, land_biomes, rules_part, rules_seed, rules_seeds
from farlands.worlds.voxel.tasks.splits import parse_split


def options(**changes) -> VoxelOptions:
    return VoxelOptions(**{"task": "tasks", "task_count": 40, **changes})


def test_one_alteration_in_five_is_held_out():
    held_out = sum(rules_part(seed) == "test" for seed in range(1, 4_001))
    assert held_out == pytest.approx(800, abs=75)
    assert rules_part(0) == "train"


def test_the_first_seeds_of_a_part():
    for part in ("train", "test"):
        seeds = rules_seeds(part, 6)
        assert len(set(seeds)) == 6
        assert {rules_part(seed) for seed in seeds} == {part}
        assert 0 not in seeds


def test_a_split_by_rules_chooses_them():
    assert rules_seed(options(task_split="rules:train")) == 0
    assert rules_seed(options(task_split="rules:test")) == rules_seeds("test", 1)[0]
    for part in ("train", "test"):
        for seed in rules_seeds(part, 3):
            assert rules_seed(options(task_split=f"rules:{part}", altered_rules=seed)) == seed
            assert rules_seed(options(altered_rules=seed)) == seed
    # Without tasks there are no splits of them.
    assert rules_seed(VoxelOptions(task_split="rules:test")) == 0


def test_tasks_are_judged_by_the_rules_they_are_set_in():
    held_out = options(task_split="rules:test", task_depths=(7, 8))
    tasks = task_bank(held_out)
    judge = Judge(tree_of((), "flat", 0.95, rules_seed(held_out)))
    assert all(judge.judge(task).solvable and judge.depth(task) in (7, 8) for task in tasks)
    assert tasks != task_bank(options(task_split="rules:train", task_depths=(7, 8)))
    recipes, _, blocks = alter(rules_seed(held_out))
    assert (judge.tree.recipes, tuple(judge.tree.blocks.values())) == (recipes, blocks)


def test_a_split_by_land_chooses_it():
    assert land_biomes(options()) == BIOMES
    for part, biomes in PART_BIOMES.items():
        assert land_biomes(options(task_split=f"biome:{part}")) == biomes
        assert land_biomes(options(task_split=f"biome:{part}", biomes=biomes[-1:])) == biomes[-1:]
    assert sorted(PART_BIOMES["train"] + PART_BIOMES["test"]) == sorted(BIOMES)


@pytest.mark.parametrize("part", ["train", "test"])
def test_tasks_rest_on_what_the_land_grows(part):
    tasks = task_bank(options(task_split=f"biome:{part}"))
    judge = Judge(tree_of((), "flat", 0.95, biomes=PART_BIOMES[part]))
    assert all(judge.judge(task).solvable for task in tasks)
    texts = " ".join(map(str, tasks))
    assert ("oak_log" in texts.replace("_oak", "")) <= (part == "train")
    assert ("break(snow" in texts) <= (part == "test")


def test_land_without_a_biome_lacks_what_it_alone_grows():
    assert land_of(BIOMES) == LAND
    assert {"oak_log", "cactus", "water"} & set(land_of(("snow", "mountains"))) == set()
    assert land_of(("snow",))["spruce_log"].share == 1.0
    assert "grass" not in land_of(("desert",))
    assert "diamond_ore" in land_of(("desert",))


def test_splits_of_places_are_part_of_the_rules():
    hashes = {rules_hash(options(task_split=f"{rule}:{part}")) for rule in ("rules", "biome") for part in PART_BIOMES}
    assert len(hashes) == 4


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"task_split": "rules:train", "altered_rules": rules_seeds("test", 1)[0]},
            "is not of split rules:train",
        ),
        (
            {"task_split": "rules:test", "altered_rules": rules_seeds("train", 1)[0]},
            "is not of split rules:test",
        ),
        ({"task_split": "biome:test", "biomes": ("desert",)}, "desert is not of split biome:test"),
        ({"task_split": "biomes:test"}, "did you mean 'biome'"),
        ({"biomes": ("desert",)}, "nothing of depth"),
    ],
)
def test_places_that_cannot_be(changes, said):
    with pytest.raises(ValueError, match=said) as error:
        check_options(options(**changes))
    assert "\n" not in str(error.value)


def test_splits_are_written_as_before():
    assert str(parse_split("rules:test")) == "rules:test"
    assert str(parse_split("biome:train")) == "biome:train"
