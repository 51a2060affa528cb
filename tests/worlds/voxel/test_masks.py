"""The mask tells the truth: a masked action does what resting does, an unmasked choice from the inventory does more."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import CHOICES, FACTORED_SIZES, FLAT_ACTIONS, Camera, ChoiceKind, Hand
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.world import VoxelWorld

KIT = (
    "oak_log:6", "planks:24", "stick:12", "cobblestone:20", "coal:3", "iron_ore:2", "iron_ingot:9", "diamond:9",
    "sand:3",
    "crafting_table:2", "furnace:2", "torch:4", "ladder:2", "bed", "door:2", "oak_sapling", "dirt:3", "apple:2",
    "wool:3",
    "wooden_pickaxe", "stone_axe", "iron_helmet", "diamond_helmet",
)  # fmt: skip
_MUST_CHANGE = (ChoiceKind.CRAFT, ChoiceKind.SMELT, ChoiceKind.PLACE, ChoiceKind.EQUIP, ChoiceKind.WEAR)


@pytest.fixture(scope="module")
def player() -> VoxelWorld:
    return VoxelWorld(4, VoxelOptions(start_kit=KIT, start_time=12_600, horizon=2**20), num_shards=1)


@pytest.fixture(scope="module")
def flat_copies() -> VoxelWorld:
    return VoxelWorld(len(FLAT_ACTIONS), VoxelOptions(start_kit=KIT, horizon=2**20), num_shards=1)


@pytest.fixture(scope="module")
def factored_copies() -> VoxelWorld:
    """One tick a step: what is masked out of reach may come into reach within a longer step."""
    options = VoxelOptions(start_kit=KIT, actions="factored", ticks_per_step=1, horizon=2**20)
    return VoxelWorld(sum(FACTORED_SIZES), options, num_shards=1)


def play(world: VoxelWorld, seed: int, steps: int) -> None:
    """Random unmasked actions, attacking often so that there are breaks under way, building often."""
    generator = torch.Generator().manual_seed(seed)
    step = world.reset(seed)
    weights = torch.tensor(
        [8.0 if a.hand == Hand.ATTACK else 0.3 if a.choice else 1.0 for a in FLAT_ACTIONS], dtype=torch.float64
    )
    for _ in range(steps):
        possible = step.observation["action_mask"].double() * weights
        step = world.step(torch.multinomial(possible, 1, generator=generator)[:, 0].to(torch.int32))


def spread(player: VoxelWorld, copies: VoxelWorld, source: int) -> torch.Tensor:
    """Put one world of ``player`` into every row of ``copies``; the mask there."""
    copies.reset(0)
    one = player.snapshot([source])
    copies.restore({k: v.expand(copies.num_worlds, *v.shape[1:]).clone() for k, v in one.items()})
    return copies.observe(copies.allocate()).observation["action_mask"]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 60))
def test_flat_masks_agree_with_what_happens(player, flat_copies, seed, steps):
    play(player, seed, steps)
    for source in range(player.num_worlds):
        mask = spread(player, flat_copies, source)[0]
        asleep = bool(player.snapshot([source])["body"][0, Body.SLEEPING] > 0)
        ended = flat_copies.step(torch.arange(len(FLAT_ACTIONS), dtype=torch.int32)).terminated
        after = flat_copies.state_hash()
        for k, action in enumerate(FLAT_ACTIONS):
            if ended[k] or ended[0]:
                continue  # Whatever was done, what stands there is the next level.
            if not mask[k] and action.hand != Hand.ATTACK:
                assert after[k] == after[0], f"masked {action.name} did something"
            if mask[k] and action.choice and CHOICES[action.choice].kind in _MUST_CHANGE:
                assert after[k] != after[0], f"unmasked {action.name} did nothing"
            if mask[k] and action.camera != Camera.NONE:
                assert after[k] != after[0], f"unmasked {action.name} did nothing"
        if asleep:
            assert mask.nonzero().flatten().tolist() == [0]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), steps=st.integers(1, 40))
def test_factored_masks_agree_with_what_happens(player, factored_copies, seed, steps):
    play(player, seed, steps)
    rows = []
    for factor, size in enumerate(FACTORED_SIZES):
        for value in range(size):
            row = [0] * len(FACTORED_SIZES)
            row[factor] = value
            rows.append(row)
    actions = torch.tensor(rows, dtype=torch.int32)
    for source in range(player.num_worlds):
        mask = spread(player, factored_copies, source)[0]
        ended = factored_copies.step(actions).terminated
        after = factored_copies.state_hash()
        for k, row in enumerate(rows):
            if ended[k] or ended[0]:
                continue
            choice = CHOICES[row[4]]
            if not mask[k]:
                # A moving body may bring something breakable into reach within the step.
                if row[3] == Hand.ATTACK:
                    continue
                assert after[k] == after[0], f"masked {row} ({choice.name}) did something"
            elif choice.kind in _MUST_CHANGE:
                assert after[k] != after[0], f"unmasked {choice.name} did nothing"


def test_attack_is_masked_when_nothing_breakable_is_in_reach(make_arena):
    arena = make_arena(4)
    for row, name in enumerate(("air", "stone", "bedrock", "red_flower")):
        arena.set(name, 0, 2, 1, worlds=row)
    start = sum(FACTORED_SIZES[:3])
    assert arena.look()["action_mask"][:, start + Hand.ATTACK].tolist() == [0, 1, 0, 1]


def test_moves_and_jumps_are_always_possible(make_arena):
    arena = make_arena(1)
    mask = arena.look()["action_mask"][0]
    assert bool(mask[: FACTORED_SIZES[0] + FACTORED_SIZES[1]].all())
    assert bool(mask[sum(FACTORED_SIZES[:4])])


@pytest.mark.parametrize("bad", [-1, 10**6, -(2**31), 2**31 - 1])
def test_out_of_range_actions_are_choice_zero(player, flat_copies, bad):
    play(player, 3, 5)
    spread(player, flat_copies, 0)
    actions = torch.zeros(len(FLAT_ACTIONS), dtype=torch.int32)
    actions[1::2] = bad
    flat_copies.step(actions)
    assert len(set(flat_copies.state_hash().tolist())) == 1
