"""Tasks in the world: real actions fill the tally, progress is paid, levels draw their task."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import FLAT_ACTION_ID, Camera, Hand
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.spec import world_spec
from farlands.worlds.voxel.tasks.bank import task_bank
from farlands.worlds.voxel.tasks.events import THINGS
from farlands.worlds.voxel.tasks.goal import GOAL_SENSES, goal_arrays
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.predicates import Event
from farlands.worlds.voxel.tasks.program import encode_all, structure
from farlands.worlds.voxel.world import VoxelWorld

from ..conftest import Arena

KIT = ("oak_log:4", "stick:4")


def tally(arena: Arena) -> dict[tuple[str, str], int]:
    """What the first row did, by event and thing."""
    counts = wp.to_torch(arena.world.state.tally)[0]
    found = {}
    for event in Event:
        for name, index in (BLOCK_ID if event == Event.BROKEN else ITEM_ID).items():
            if count := int(counts[event * THINGS + index]):
                found[event.name, name] = count
    return found


def test_every_deed_is_tallied_where_it_is_done(make_arena):
    arena = make_arena(1)
    for name, count in (("oak_log", 4), ("cobblestone", 20), ("coal", 3), ("iron_ore", 2), ("apple", 2)):
        arena.give(name, count)
    for choice in ("craft_planks", "craft_planks", "craft_crafting_table"):
        arena.act(choice=choice)
    for _ in range(3):
        arena.act(camera=Camera.DOWN)
    arena.act(choice="place_crafting_table")
    assert tally(arena) == {
        ("GAINED", "planks"): 8,
        ("CRAFTED", "planks"): 8,
        ("GAINED", "crafting_table"): 1,
        ("CRAFTED", "crafting_table"): 1,
        ("PLACED", "crafting_table"): 1,
    }
    arena.act(choice="craft_furnace")
    arena.act(2, camera=Camera.RIGHT_45)
    arena.act(choice="place_furnace")
    arena.act(choice="smelt_iron_ingot")
    arena.act(250)
    arena.put_body(FOOD=10)
    arena.act(34, hand=Hand.EAT)
    for choice in ("craft_stick", "craft_stone_pickaxe", "equip_pickaxe"):
        arena.act(choice=choice)
    arena.act(2, camera=Camera.RIGHT_45)
    arena.act(60, hand=Hand.ATTACK)
    done = tally(arena)
    assert done["SMELTED", "iron_ingot"] == done["GAINED", "iron_ingot"] == 1
    assert done["EATEN", "apple"] == 1
    assert done["PLACED", "furnace"] == 1
    assert done["CRAFTED", "stick"] == 4
    assert done["BROKEN", "stone"] == done["GAINED", "cobblestone"] >= 1


def world_with(*texts: str, **how: object) -> VoxelWorld:
    world = VoxelWorld(4, VoxelOptions(task="diamond", window=32, start_kit=KIT, horizon=30))
    world.set_tasks(encode_all([parse(text) for text in texts]), **how)  # type: ignore[arg-type]
    world.reset(3)
    return world


def step(world: VoxelWorld, name: str):
    return world.step(torch.full((4,), FLAT_ACTION_ID[name], dtype=torch.int32))


def test_progress_is_paid_on_top_of_what_the_world_pays():
    world = world_with("all(craft(planks, 8), craft(crafting_table))")
    paid = [
        step(world, name).reward[0].item() for name in ("craft_planks", "craft_planks", "craft_crafting_table", "noop")
    ]
    milestones = [2.0, 0.0, 4.0, 0.0]
    assert np.allclose(np.array(paid) - milestones, [0.25, 0.25, 0.5, 0.0])


def test_a_fulfilled_task_may_end_the_episode():
    world = world_with("craft(planks, 4)", success=2_000, ends=True)
    out = step(world, "craft_planks")
    assert out.terminated.all()
    assert np.allclose(out.reward, 2.0 + 1.0 + 2.0)
    assert world.drain_episodes().cause.tolist() == ["goal"] * 4


def test_levels_draw_their_task_and_each_episode_begins_anew():
    texts = [f"craft(planks, {n})" for n in range(1, 9)]
    world = world_with(*texts)
    first = wp.to_torch(world.tasks.index).clone()
    assert first.max() < len(texts)
    again = world_with(*texts)
    assert torch.equal(wp.to_torch(again.tasks.index), first), "by the level's seed alone"
    step(world, "craft_planks")
    assert int(wp.to_torch(world.tasks.progress).min()) > 0
    seen = {tuple(first.tolist())}
    for _ in range(4 * 30):
        step(world, "noop")
        seen.add(tuple(wp.to_torch(world.tasks.index).tolist()))
    assert len(seen) > 2
    assert int(wp.to_torch(world.tasks.progress).max()) == 0


def test_snapshots_hold_the_task():
    world = world_with("craft(planks, 8)")
    step(world, "craft_planks")
    kept, before = world.snapshot(), world.state_hash()
    step(world, "craft_planks")
    assert (world.state_hash() != before).all()
    world.restore(kept)
    assert torch.equal(world.state_hash(), before)
    assert wp.to_torch(world.tasks.progress).tolist() == [500] * 4


@pytest.mark.parametrize("programs", [np.zeros((0, 96), np.int32), np.zeros((3, 7), np.int32), np.zeros(96, np.int32)])
def test_programs_of_another_shape_are_refused(programs):
    with pytest.raises(ValueError, match="tasks have shape"):
        VoxelWorld(1, VoxelOptions(window=32)).set_tasks(programs)


def test_the_task_of_an_episode_is_seen():
    texts = ("sequence(craft(planks, 4), within(9, craft(stick)))", "gain(log, 3)")
    world = VoxelWorld(4, VoxelOptions(task="tasks", tasks=texts, window=32, start_kit=KIT))
    assert set(GOAL_SENSES) <= set(world.spec.observation)
    first = world.reset(3)
    fixed = goal_arrays(encode_all([parse(text) for text in texts]))
    index = wp.to_torch(world.tasks.index).numpy()
    assert set(index) == {0, 1}
    for name, expected in fixed.items():
        assert np.array_equal(first.observation[name].numpy(), expected[index]), name
    after = step(world, "craft_planks")
    hundredths = after.observation["goal_progress"].numpy()
    # The last node of each is the task itself: half of the sequence is done, of the other nothing.
    assert [int(hundredths[w, 3 if index[w] == 0 else 0]) for w in range(4)] == [50 if k == 0 else 0 for k in index]
    assert after.reward.tolist() == [0.5 if k == 0 else 0.0 for k in index]


def test_drawn_tasks_follow_from_the_options_alone():
    options = VoxelOptions(task="tasks", task_count=30, task_depths=(3, 4), window=32)
    bank = task_bank(options)
    assert task_bank(VoxelOptions(task="tasks", task_count=30, task_depths=(3, 4))) == bank
    assert len(set(map(str, bank))) > 20
    held_out = task_bank(VoxelOptions(task="tasks", task_count=30, task_depths=(3, 4), task_split="structure:test"))
    assert not {structure(task) for task in bank} & {structure(task) for task in held_out}
    other = task_bank(VoxelOptions(task="tasks", task_count=30, task_depths=(3, 4), task_seed=1))
    assert set(map(str, other)) != set(map(str, bank))


def test_a_fulfilled_task_is_the_goal_of_the_episode():
    from farlands.evaluation.metrics import Scale, success

    world = VoxelWorld(4, VoxelOptions(task="tasks", tasks=("craft(planks, 4)",), window=32, start_kit=KIT, horizon=5))
    world.reset(0)
    actions = torch.tensor([FLAT_ACTION_ID["craft_planks"]] * 3 + [0], dtype=torch.int32)
    out = world.step(actions)
    assert out.reward.tolist() == [2.0, 2.0, 2.0, 0.0]
    assert out.terminated.tolist() == [True, True, True, False]
    low, high = world.spec.reward_range
    assert (low, high) == (-1.0, 2.0)
    found = success(world.drain_episodes(), Scale.of(world.spec))
    assert found is not None
    assert found.value == 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tasks": ("crfat(planks)",)}, "did you mean 'craft'"),
        ({"task_count": 0}, "task_count 0 is out of range"),
        ({"task_seed": -1}, "task_seed -1 is out of range"),
        ({"task_split": "structure:tset"}, "did you mean 'test'"),
        ({"task_depths": (99,)}, "nothing of depth 99"),
    ],
)
def test_tasks_that_cannot_be_are_refused_in_one_line(options, said):
    with pytest.raises(ValueError, match=said) as caught:
        VoxelWorld(1, VoxelOptions(task="tasks", window=32, **options))
    assert "\n" not in str(caught.value)


def test_the_tasks_are_part_of_the_rules():
    def rules(**options: object) -> str:
        return world_spec(VoxelOptions(task="tasks", **options)).rules  # type: ignore[arg-type]

    one = rules(tasks=("craft(planks)",))
    assert one == rules(tasks=("craft(planks)",)) != rules(tasks=("craft(stick)",))
    assert rules(task_count=3) == rules(task_count=3) != rules(task_count=3, task_seed=9)
