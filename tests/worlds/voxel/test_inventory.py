"""Slots and stacks under long random play: nothing appears or vanishes but by a rule."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import CHOICE_ID, Hand
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.recipes import RECIPES
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.world import VoxelWorld

BY_HAND = [recipe for recipe in RECIPES if recipe.output in ("planks", "stick", "crafting_table", "torch")]


class ReferenceInventory:
    """Counts by name and the number of slots they need, in plain Python."""

    def __init__(self, counts: dict[str, int]) -> None:
        self.counts = dict(counts)

    def slots(self) -> int:
        return sum(-(-n // ITEMS[ITEM_ID[name]].stack) for name, n in self.counts.items())

    def craft(self, recipe) -> None:
        for names, count in recipe.inputs:
            if sum(self.counts.get(name, 0) for name in names.split("|")) < count:
                return
        stack, have = ITEMS[ITEM_ID[recipe.output]].stack, self.counts.get(recipe.output, 0)
        room = (36 - self.slots()) * stack + -have % stack
        if room < recipe.count:
            return
        for names, count in recipe.inputs:
            left = count
            for name in names.split("|"):
                taken = min(left, self.counts.get(name, 0))
                self.counts[name] = self.counts.get(name, 0) - taken
                left -= taken
        self.counts[recipe.output] = have + recipe.count


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    logs=st.integers(0, 70),
    spruce=st.integers(0, 70),
    coal=st.integers(0, 3),
    dirt=st.integers(0, 34 * 64),
    order=st.lists(st.sampled_from(BY_HAND), max_size=40),
)
def test_crafting_matches_a_plain_python_inventory(arena, logs, spruce, coal, dirt, order):
    arena.clear()
    reference = ReferenceInventory({})
    for name, count in (("oak_log", logs), ("dirt", dirt), ("spruce_log", spruce), ("coal", coal)):
        free = 36 - reference.slots()
        count = min(count, free * 64)
        if count:
            arena.give(name, count)
            reference.counts[name] = count
    for recipe in order:
        reference.craft(recipe)
        arena.act(choice=f"craft_{recipe.output}")
    assert arena.carried() == {name: n for name, n in reference.counts.items() if n}
    arena.check_inventory()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31))
def test_long_random_play_keeps_every_invariant(make_arena, seed):
    """Everything to work with at hand, all choices at random, with hunger, breaking and placing."""
    arena = make_arena(8, mining_speed=20)
    arena.set("crafting_table", 2, 2, 0)
    arena.set("furnace", -2, 2, 0)
    for name, count in (
        ("oak_log", 30),
        ("cobblestone", 70),
        ("coal", 4),
        ("iron_ore", 20),
        ("diamond", 30),
        ("wool", 6),
    ):
        arena.give(name, count)
    arena.give("wooden_pickaxe", wear=57)
    generator = torch.Generator().manual_seed(seed)
    sizes = (6, 2, 7, 4, len(CHOICE_ID))
    for k in range(150):
        actions = torch.stack([torch.randint(0, n, (8,), generator=generator) for n in sizes], dim=1).to(torch.int32)
        actions[:, 4] *= torch.rand(8, generator=generator) < 0.5
        actions[:, 3] = torch.where(torch.rand(8, generator=generator) < 0.5, int(Hand.ATTACK), actions[:, 3])
        arena.act_rows(actions)
        if k % 10 == 9:
            arena.check_inventory()


def test_what_does_not_fit_is_lost_and_nothing_else(arena):
    arena.give("cobblestone", 35 * 64 + 63)
    arena.set("dirt", 0, 1, 1)
    arena.act(15, hand=Hand.ATTACK)
    assert arena.get(0, 1, 1) == "air"
    assert arena.carried() == {"cobblestone": 35 * 64 + 63}
    arena.check_inventory()


def test_the_open_stack_is_used_first(arena):
    arena.give("cobblestone", 64 + 5)
    arena.set("crafting_table", 2, 2, 0)
    arena.act(choice="craft_furnace")
    assert arena.count("cobblestone").tolist() == [61]
    assert sorted(arena.slot_count[0].tolist())[-2:] == [1, 61]
    arena.check_inventory()


def test_a_tool_leaves_the_hand_when_it_leaves_the_slots(arena):
    arena.give("iron_helmet")
    arena.body[Body.HAND, 0] = 0
    arena.act(choice="wear_armour")
    assert int(arena.body[Body.HAND, 0]) == -1


@pytest.mark.parametrize(
    ("kit", "carried"),
    [
        (("planks:4", "wooden_pickaxe"), {"planks": 4, "wooden_pickaxe": 1}),
        (("planks:40", "planks:40"), {"planks": 80}),
        (("bed:3", "dirt:130"), {"bed": 3, "dirt": 130}),
        (("dirt:2304",), {"dirt": 2304}),
    ],
)
def test_the_start_kit_is_carried_and_pays_nothing(make_arena, kit, carried):
    arena = make_arena(1, start_kit=kit)
    assert arena.carried() == carried
    arena.check_inventory()
    arena.act()
    assert arena.rewards().tolist() == [0.0]
    assert int((arena.unlocked >= 0).sum()) == 0


@pytest.mark.parametrize(
    ("kit", "message"),
    [
        (("plonks:4",), "no item named 'plonks'; did you mean 'planks'"),
        (("planks:0",), "'planks:0' is not ITEM or ITEM:COUNT"),
        (("planks:-1",), "is not ITEM or ITEM:COUNT"),
        (("planks:many",), "is not ITEM or ITEM:COUNT"),
        (("nothing",), "no item named 'nothing'"),
        (("bed:37",), "fills 37 slots, but an agent has 36"),
        (("dirt:2304", "apple"), "fills 37 slots"),
    ],
)
def test_kits_that_cannot_be_are_refused_in_one_line(kit, message):
    with pytest.raises(ValueError, match=message) as error:
        VoxelWorld(1, VoxelOptions(start_kit=kit))
    assert "\n" not in str(error.value)
