"""The reward for what becomes possible, against a slow tally."""

from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.learning.rollout import Rollout
from farlands.rewards.affordances import AffordanceReward
from farlands.rewards.config import AffordancesConfig, RewardConfig
from farlands.rewards.source import make_reward_sources
from farlands.worlds.reference import PointReach
from farlands.worlds.world import ArraySpec, Discrete, MultiDiscrete, Step, WorldSpec

NAMES = ("wait", "craft_bow", "craft_axe", "smelt_iron")
SPEC = WorldSpec("w", {"action_mask": ArraySpec((4,), "uint8", 0, 1)}, Discrete(4, NAMES))


def rollout_of(mask: torch.Tensor, first: torch.Tensor) -> Rollout:
    """A rollout with these masks uint8 ``[T + 1, R, 4]`` and beginnings bool ``[T + 1, R]``."""
    length, rows = len(mask) - 1, mask.shape[1]
    zero = torch.zeros(length + 1, rows)
    steps = Step({"action_mask": mask}, zero, terminated=first, truncated=torch.zeros_like(first))
    nothing = torch.zeros(length, rows)
    return Rollout(steps, first, nothing, nothing, zero, nothing, torch.zeros(1, rows, 0))


def tally(mask: torch.Tensor, first: torch.Tensor, seen: list[set[int]]) -> list[list[float]]:
    """The same by hand; ``seen`` holds what each row has found possible and is brought up to date."""
    paid = [[0.0] * mask.shape[1] for _ in range(len(mask) - 1)]
    for r in range(mask.shape[1]):
        for t in range(1, len(mask)):
            now = {k for k in range(mask.shape[2]) if mask[t, r, k]}
            if first[t, r]:
                seen[r] = now
            else:
                paid[t - 1][r] = float(len(now - seen[r]))
                seen[r] |= now
    return paid


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), often=st.sampled_from([0.0, 0.1, 0.5]))
def test_each_action_pays_once_an_episode(seed, often):
    generator = torch.Generator().manual_seed(seed)
    mask = (torch.rand(13, 5, 4, generator=generator) < 0.3).to(torch.uint8)
    first = torch.rand(13, 5, generator=generator) < often
    source = AffordanceReward(SPEC)
    seen = [{k for k in range(4) if mask[0, r, k]} for r in range(5)]
    for part in (slice(0, 7), slice(6, 13)):
        expected = tally(mask[part], first[part], seen)
        assert source.reward(rollout_of(mask[part], first[part])).tolist() == expected


def test_only_the_actions_asked_for_count():
    mask = torch.tensor([[[1, 0, 0, 0]], [[1, 1, 0, 1]], [[1, 1, 1, 1]]], dtype=torch.uint8)
    first = torch.tensor([[True], [False], [False]])
    for patterns, expected in (((), [2, 1]), (("craft_*",), [1, 1]), (("*iron", "craft_axe"), [1, 1])):
        source = AffordanceReward(SPEC, config=AffordancesConfig(actions=patterns))
        assert source.reward(rollout_of(mask, first)).flatten().tolist() == expected, patterns


def test_state_goes_on_exactly():
    mask = (torch.rand(7, 5, 4, generator=torch.Generator().manual_seed(1)) < 0.3).to(torch.uint8)
    rollout = rollout_of(mask, torch.zeros(7, 5, dtype=torch.bool))
    one, other = AffordanceReward(SPEC), AffordanceReward(SPEC)
    one.reward(rollout)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    assert torch.equal(one.reward(rollout), other.reward(rollout))


@pytest.mark.parametrize("actions", ["flat", "factored"])
def test_the_voxel_world_names_its_actions(actions):
    from farlands.worlds.voxel.options import VoxelOptions
    from farlands.worlds.voxel.spec import world_spec

    spec = world_spec(VoxelOptions(actions=actions))
    size = spec.observation["action_mask"].shape[0]
    assert isinstance(spec.action, Discrete | MultiDiscrete)
    whole, some = (
        make_reward_sources(RewardConfig(sources=("affordances",), affordances=AffordancesConfig(2.0, patterns)), spec)[
            1
        ]
        for patterns in ((), ("craft_*", "smelt_*"))
    )
    assert whole._columns.tolist() == list(range(size))
    assert 10 < len(some._columns) < size
    assert whole.weight == 2.0


def test_what_cannot_be_is_refused_in_one_line():
    with pytest.raises(ValueError, match="needs an observation 'action_mask'"):
        AffordanceReward(PointReach(1).spec)
    with pytest.raises(ValueError, match=r"no action fits 'brew_\*'; there are wait, craft_bow"):
        AffordanceReward(SPEC, config=AffordancesConfig(actions=("brew_*",)))
    nameless = WorldSpec("w", SPEC.observation, Discrete(4))
    with pytest.raises(ValueError, match="does not name its actions"):
        AffordanceReward(nameless, config=AffordancesConfig(actions=("craft_*",)))
    assert len(AffordanceReward(nameless)._columns) == 4
    with pytest.raises(ValueError, match="weight is 0"):
        AffordancesConfig(weight=0)
