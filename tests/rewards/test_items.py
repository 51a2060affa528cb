"""The reward for gathering, against a slow tally."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.learning.rollout import Rollout
from farlands.rewards.config import ItemsConfig, RewardConfig, read_worth
from farlands.rewards.items import ItemReward
from farlands.rewards.source import make_reward_sources
from farlands.worlds.reference import PointReach
from farlands.worlds.world import ArraySpec, Discrete, Step, WorldSpec

NAMES = ("stone", "log", "apple")
SPEC = WorldSpec("w", {"inventory": ArraySpec((3,), "int16", 0, 99, labels=NAMES)}, Discrete(2))
WORTH = ItemsConfig(worth=("log:4:0.5", "stone:2:3"))


def rollout_of(counts: torch.Tensor, ended: torch.Tensor) -> Rollout:
    """A rollout with these inventories int16 ``[T + 1, R, 3]``; ended bool ``[T, R]``, cut every other time."""
    length, rows = ended.shape
    zero, cut = torch.zeros(length + 1, rows), torch.arange(length)[:, None] % 2 == 0
    flags = [torch.cat([torch.zeros(1, rows, dtype=torch.bool), ended & part]) for part in (cut, ~cut)]
    steps = Step(observation={"inventory": counts}, reward=zero, terminated=flags[0], truncated=flags[1])
    nothing = torch.zeros(length, rows)
    return Rollout(steps, torch.zeros(length + 1, rows), nothing, nothing, zero, nothing, torch.zeros(1, rows, 0))


def tally(counts: torch.Tensor, ended: torch.Tensor, gained: list[dict[str, int]]) -> torch.Tensor:
    """The same by hand; ``gained`` holds what each row has gained this episode and is brought up to date."""
    caps = {name: (cap, worth) for name, cap, worth in map(read_worth, WORTH.worth)}
    paid = torch.zeros(ended.shape, dtype=torch.float64)
    for r in range(ended.shape[1]):
        for t in range(ended.shape[0]):
            if ended[t, r]:
                gained[r] = dict.fromkeys(caps, 0)
                continue
            for name, (cap, worth) in caps.items():
                more = int(counts[t + 1, r, NAMES.index(name)]) - int(counts[t, r, NAMES.index(name)])
                counted = min(max(more, 0), cap - gained[r][name])
                gained[r][name] += counted
                paid[t, r] += counted * worth
    return paid


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), often=st.sampled_from([0.0, 0.1, 0.5]))
def test_gains_are_paid_up_to_the_cap_of_each_episode(seed, often):
    generator = torch.Generator().manual_seed(seed)
    source, gained = ItemReward(SPEC, config=WORTH), [{"log": 0, "stone": 0} for _ in range(5)]
    counts = torch.randint(0, 4, (13, 5, 3), generator=generator).to(torch.int16)
    ended = torch.rand(12, 5, generator=generator) < often
    for part in (slice(0, 6), slice(6, 12)):
        found = source.reward(rollout_of(counts[part.start : part.stop + 1], ended[part]))
        assert torch.allclose(found.double(), tally(counts[part.start : part.stop + 1], ended[part], gained))


def test_each_trial_of_an_episode_is_paid_anew():
    counts = torch.tensor([0, 3, 0, 2, 4, 5], dtype=torch.int16)
    over = torch.tensor([0, 0, 1, 1, 1, 2], dtype=torch.uint8)
    counts = torch.stack([torch.zeros(6), counts, torch.zeros(6)], dim=1)[:, None].to(torch.int16)
    rollout = rollout_of(counts, torch.zeros(5, 1, dtype=torch.bool))
    rollout.steps.observation["trial"] = torch.stack([over, 2 - over], dim=1)[:, None]
    paid = ItemReward(SPEC, config=WORTH).reward(rollout)[:, 0]
    # Three logs in the first trial, four in the second; those of the step that ends it are not seen.
    assert paid.tolist() == [1.5, 0.0, 1.0, 1.0, 0.0]
    alone = rollout_of(counts, torch.zeros(5, 1, dtype=torch.bool))
    assert ItemReward(SPEC, config=WORTH).reward(alone)[:, 0].tolist() == [1.5, 0.0, 0.5, 0.0, 0.0]


def test_state_goes_on_exactly():
    counts = torch.randint(0, 4, (7, 5, 3), generator=torch.Generator().manual_seed(1)).to(torch.int16)
    rollout = rollout_of(counts, torch.zeros(6, 5, dtype=torch.bool))
    one, other = ItemReward(SPEC, config=WORTH), ItemReward(SPEC, config=WORTH)
    one.reward(rollout)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    assert torch.equal(one.reward(rollout), other.reward(rollout))


def test_defaults_name_items_of_the_voxel_world():
    from farlands.worlds.voxel.options import VoxelOptions
    from farlands.worlds.voxel.spec import world_spec

    source = make_reward_sources(RewardConfig(sources=("items",)), world_spec(VoxelOptions()))[1]
    assert isinstance(source, ItemReward)
    assert len(source._columns) == len(ItemsConfig().worth)


def test_what_cannot_be_is_refused_in_one_line():
    with pytest.raises(ValueError, match="needs an observation 'inventory'"):
        ItemReward(PointReach(1).spec)
    with pytest.raises(ValueError, match="no item named 'gold'"):
        ItemReward(SPEC, config=ItemsConfig(worth=("gold:1:1",)))
    for worth in (("log",), ("log:0:1",), ("log:1:x",), ("log:1:inf",), (":1:1",), ()):
        with pytest.raises(ValueError, match="worth"):
            ItemsConfig(worth=worth)
    with pytest.raises(ValueError, match="names log twice"):
        ItemsConfig(worth=("log:1:1", "log:2:1"))
    with pytest.raises(ValueError, match="weight is 0"):
        ItemsConfig(weight=0)
