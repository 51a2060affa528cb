"""The task expert at work: one small task for each kind of predicate, on levels that are not recorded."""

from __future__ import annotations

import pytest
import torch
import warp as wp

from farlands.runtime.scripted import XrayExpert
from farlands.worlds.voxel.expert.task_expert import TaskExpert
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.tasks.bank import task_bank
from farlands.worlds.voxel.world import VoxelWorld


def live(text: str, seed: int, steps: int, **options: object) -> tuple[str, int]:
    """How an episode of a task ended, and after how many steps; ``"open"`` if it did not."""
    world = VoxelWorld(1, VoxelOptions(task="tasks", tasks=(text,), horizon=steps, **options), num_shards=1)
    world.reset([seed])
    run = TaskExpert(world).actions()
    for _ in range(steps):
        step = world.step(torch.tensor([next(run, 0)], dtype=torch.int32))
        if bool(step.terminated[0] | step.truncated[0]):
            break
    episodes = world.drain_episodes()
    world.close()
    return (str(episodes.cause[0]), int(episodes.length[0])) if len(episodes.cause) else ("open", steps)


CARRIES = ("crafting_table:2", "planks:20", "cobblestone:20", "stone_pickaxe", "stick:9", "dirt:30", "coal:4")


@pytest.mark.parametrize(
    ("text", "kit", "steps"),
    [
        ("carry(planks, 30)", CARRIES, 200),
        ("craft(stick, 9)", CARRIES, 12),
        ("gain(crafting_table, 2)", CARRIES, 12),
        ("smelt(charcoal, 2)", (*CARRIES, "oak_log:3"), 200),
        ("place(crafting_table, 3)", CARRIES, 90),
        ("place(dirt, 4)", CARRIES, 220),
        ("break(dirt, 2)", CARRIES, 60),
        ("break(ladder, 3)", CARRIES, 90),
        ("eat(apple)", ("apple:3",), 600),
        ("unlock(place_sapling)", ("oak_sapling",), 30),
        ("gain(oak_sapling, 3)", ("oak_sapling",), 60),
        ("hold(stone_axe)", CARRIES, 30),
        ("wear(iron_helmet)", ("iron_helmet",), 5),
        ("at_least(armour, 5)", ("iron_helmet", "iron_leggings", "dirt"), 5),
        ("above(50)", CARRIES, 220),
        ("below(30)", CARRIES, 80),
        ("near(torch, 2)", CARRIES, 40),
        ("all(near(furnace), not(near(crafting_table)))", CARRIES, 160),
        ("away(40)", (), 120),
        ("visit(6)", (), 150),
        ("alive(40)", (), 45),
        ("time(1200, 1300)", (), 60),
        ("unlock(till)", ("wooden_hoe",), 40),
        ("place(wheat_seeds, 2)", ("wooden_hoe", "wheat_seeds:2"), 120),
        ("within(60, sequence(craft(stick), place(crafting_table)))", CARRIES, 60),
        ("all(carry(planks, 16), near(crafting_table, 2), hold(stone_pickaxe))", CARRIES, 60),
        ("all(craft(ladder, 3), not(gain(oak_log)), not(break(grass)))", CARRIES, 60),
        ("count(2, gain(diamond), craft(stick), place(crafting_table))", CARRIES, 60),
        ("not(carry(cobblestone, 19))", CARRIES, 60),
    ],
)
def test_small_tasks_are_solved(text: str, kit: tuple[str, ...], steps: int):
    assert live(text, 31, steps, start_kit=kit)[0] == "goal"


@pytest.mark.parametrize(
    ("text", "kit", "steps"),
    [
        ("unlock(kill_cow)", ("stone_sword",), 2_500),
        ("unlock(shear)", ("shears",), 2_500),
        ("unlock(collect_water)", ("bucket",), 3_000),
        ("inside(water)", (), 3_000),
        ("asleep", ("bed",), 4_000),
    ],
)
@pytest.mark.slow
def test_what_has_to_be_looked_for_is_found(text: str, kit: tuple[str, ...], steps: int):
    solved = [live(text, seed, steps, start_kit=kit)[0] == "goal" for seed in (41, 42, 43)]
    assert sum(solved) >= 2, solved


def test_a_kind_of_block_that_must_not_be_broken_is_not():
    """Down through rock with coal in it, of which none is broken on the way."""
    text = "all(below(20), gain(cobblestone, 12), not(break(coal_ore)), not(gain(gravel)))"
    assert live(text, 5, 500, start_kit=("stone_pickaxe",))[0] == "goal"


def test_altered_recipes_are_kept_to():
    for seed in (1, 3):
        options = VoxelOptions(task="tasks", tasks=("craft(wooden_pickaxe)",), altered_rules=seed)
        assert task_bank(options)
        assert live("craft(wooden_pickaxe)", 8, 600, altered_rules=seed)[0] == "goal"


def test_worlds_side_by_side_have_tasks_of_their_own_and_each_episode_the_next():
    texts = ("alive(5)", "craft(stick)", "place(crafting_table)")
    options = VoxelOptions(task="tasks", tasks=texts, start_kit=("planks:8", "crafting_table"))
    world = VoxelWorld(3, options, num_shards=1)
    wp.to_torch(world.tasks.choice)[:] = torch.arange(3, dtype=torch.int32)
    out = world.reset([1, 2, 3])
    expert = XrayExpert(world.spec, options, every_episode=True)
    expert.attend(world)
    memory, first = expert.initial_memory(3), torch.ones(3, dtype=torch.bool)
    ended = torch.zeros(3, dtype=torch.int32)
    for _ in range(40):
        out = world.step(expert.act(out.observation, memory, first).action)
        first = out.terminated | out.truncated
        ended += out.terminated.int()
    assert (ended >= 2).all(), ended
    assert set(world.drain_episodes().cause.tolist()) == {"goal"}
    world.close()


def test_who_has_lost_its_task_gives_up():
    world = VoxelWorld(1, VoxelOptions(task="tasks", tasks=("within(1, gain(diamond))",)), num_shards=1)
    world.reset([1])
    run = TaskExpert(world).actions()
    for _ in range(200):
        action = next(run, None)
        if action is None:
            break
        world.step(torch.tensor([action], dtype=torch.int32))
    assert action is None
    world.close()


def test_other_action_spaces_are_refused():
    world = VoxelWorld(1, VoxelOptions(task="tasks", tasks=("alive(1)",), actions="factored"))
    with pytest.raises(ValueError, match="flat"):
        TaskExpert(world)
    world.close()
