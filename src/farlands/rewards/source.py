"""The RewardSource contract: a rollout in, a stream of rewards out.

Axis letters: T steps, R rows, V value heads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from farlands.learning.peers import ALONE, Peers
from farlands.learning.returns import ValueStream
from farlands.learning.rollout import Rollout
from farlands.rewards.config import RewardConfig
from farlands.worlds.world import WorldSpec


class RewardSource:
    """Something that rewards an agent for what it lived through. Subclasses need only ``reward``.

    Attributes:
        weight: Factor of the reward, or of its advantage where the source has its own value head.
        own_value_head: Learn this reward's value apart, with its own discount, instead of adding it to the task's.
        discount: Per step; used with an own value head only.
        episodic: Whether returns end with the episode; used with an own value head only.
        per_row: Entries of ``state_dict`` that have a leading row axis; where several processes share the rows, each
            keeps its own, and a run goes on with any number of processes.
        peers: The processes that train together. What all rewards depend on must be learned from all their rollouts:
            sum gradients and moments with ``peers.sum_``. A source that learns nothing needs none.
    """

    weight: float = 1.0
    own_value_head: bool = False
    discount: float = 0.99
    episodic: bool = True
    per_row: tuple[str, ...] = ()
    peers: Peers = ALONE

    def __init__(self, spec: WorldSpec, device: torch.device | str = "cpu") -> None:
        self.spec = spec
        self.device = torch.device(device)

    def join(self, peers: Peers) -> None:
        """Learn together with these from now on."""
        self.peers = peers

    def reward(self, rollout: Rollout) -> Tensor:
        """Reward of each step, float32 ``[T, R]``; not yet weighted. Called once per rollout, before ``update``."""
        raise NotImplementedError

    def update(self, rollout: Rollout) -> dict[str, Tensor | float]:
        """Learn from a rollout; metrics by name, tensors 0-dimensional and still on the device."""
        return {}

    def state_dict(self) -> dict[str, Any]:
        """Everything later rewards depend on: nested dicts, tensors, numbers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put a ``state_dict`` back."""


class TaskReward(RewardSource):
    """The world's own reward."""

    def reward(self, rollout: Rollout) -> Tensor:
        return rollout.rewards


class FunctionReward(RewardSource):
    """A plain function of the rollout that gives float32 ``[T, R]``."""

    def __init__(
        self, function: Callable[[Rollout], Tensor], spec: WorldSpec, device: torch.device | str = "cpu"
    ) -> None:
        super().__init__(spec, device)
        self.function = function

    def reward(self, rollout: Rollout) -> Tensor:
        return self.function(rollout)


def make_reward_sources(
    config: RewardConfig,
    spec: WorldSpec,
    device: torch.device | str = "cpu",
    resolve: Callable[[str], Any] | None = None,
) -> list[RewardSource]:
    """The sources a config names, the task's first (with weight 0 if it is left out).

    Args:
        config: Which sources.
        spec: The world rewarded.
        device: Where rollouts live.
        resolve: Turns "file.py:name" or "module:name" into the object named; needed only for such names.

    Raises:
        ValueError: A source has no built-in name and there is no ``resolve``.
        TypeError: What a source names is neither a RewardSource class nor a function.
    """
    task = TaskReward(spec, device)
    task.weight = config.task_weight
    return [task, *(_make_reward_source(name, config, spec, device, resolve) for name in config.sources)]


def _make_reward_source(
    name: str,
    config: RewardConfig,
    spec: WorldSpec,
    device: torch.device | str,
    resolve: Callable[[str], Any] | None,
) -> RewardSource:
    if name == "rnd":
        from farlands.rewards.rnd import RND

        return RND(spec, device, config.rnd)
    if name == "items":
        from farlands.rewards.items import ItemReward

        return ItemReward(spec, device, config.items)
    if name == "affordances":
        from farlands.rewards.affordances import AffordanceReward

        return AffordanceReward(spec, device, config.affordances)
    if resolve is None:
        raise ValueError(f"reward source {name!r} is unknown; built in: rnd, items, affordances")
    target = resolve(name)
    if isinstance(target, type) and issubclass(target, RewardSource):
        return target(spec, device)
    if callable(target) and not isinstance(target, type):
        return FunctionReward(target, spec, device)
    raise TypeError(
        f"reward source {name!r} is {target!r}; it must be a RewardSource class or a function of the rollout"
    )


def value_streams(sources: Sequence[RewardSource], discount: float) -> tuple[ValueStream, ...]:
    """What each value head learns: head 0 everything without an own head, then one for each source that asks."""
    own = (source for source in sources if source.own_value_head)
    return (ValueStream(discount), *(ValueStream(source.discount, source.weight, source.episodic) for source in own))


def reward_streams(sources: Sequence[RewardSource], rollout: Rollout) -> Tensor:
    """Rewards of every value head, float32 ``[T, R, V]``, in the order of ``value_streams``.

    Raises:
        ValueError: A source's reward is not ``[T, R]``.
    """
    return combine_rewards(sources, source_rewards(sources, rollout))


def source_rewards(sources: Sequence[RewardSource], rollout: Rollout) -> list[Tensor]:
    """What each source gives for a rollout, ``[T, R]``, not yet weighted.

    Raises:
        ValueError: A source's reward is not ``[T, R]``.
    """
    given = [source.reward(rollout) for source in sources]
    for source, reward in zip(sources, given, strict=True):
        if reward.shape != rollout.rewards.shape:
            found, expected = tuple(reward.shape), tuple(rollout.rewards.shape)
            raise ValueError(f"{type(source).__name__} gave a reward of shape {found}; expected {expected}")
    return given


def combine_rewards(sources: Sequence[RewardSource], given: Sequence[Tensor]) -> Tensor:
    """What all sources gave, as rewards of every value head, float32 ``[T, R, V]``."""
    shared = torch.zeros_like(given[0], dtype=torch.float32)
    streams = [shared]
    for source, reward in zip(sources, given, strict=True):
        if source.own_value_head:
            streams.append(reward.float())
        else:
            shared += source.weight * reward
    return torch.stack(streams, dim=-1)
