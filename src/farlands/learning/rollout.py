"""Rollout storage: what an agent lived through between two updates.

Axis letters: T steps, R rows, V value heads, M memory, C chunks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from farlands.worlds.world import Box, Step, World, WorldSpec


@dataclass
class Rollout:
    """T steps of R rows, allocated once and overwritten by every collection.

    Time t of ``actions`` is the choice made on seeing ``steps.observation[...][t]``; what came of it stands in
    ``steps`` at t + 1 and, without the offset, in ``rewards``, ``terminated`` and ``truncated``.

    Attributes:
        steps: ``[T + 1, R]``; slot 0 holds the observation left from before.
        first: bool ``[T + 1, R]``: the observation at that time starts an episode.
        actions: As the action spec says, ``[T, R, ...]``.
        log_probs: float32 ``[T, R]``, of the actions when they were chosen.
        values: float32 ``[T + 1, R, V]``, of every observation, in the learner's normalised units.
        next_values: float32 ``[T, R, V]``, of what each step led to: ``values`` one step later, but where a step was
            truncated the value of the old episode's last observation, with the memory the agent had then. Where a
            step terminated it means nothing: the value is zero by definition, and the learner's to set.
        memories: float32 ``[C, R, M]``, memory before the first observation of every chunk of T / C steps.
    """

    steps: Step
    first: Tensor
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    next_values: Tensor
    memories: Tensor

    @property
    def length(self) -> int:
        """T."""
        return len(self.actions)

    @property
    def num_rows(self) -> int:
        """R."""
        return self.actions.shape[1]

    @property
    def memory(self) -> Tensor:
        """Memory before the first observation, float32 ``[R, M]``."""
        return self.memories[0]

    @property
    def observations(self) -> Mapping[str, Tensor]:
        """What the actions were chosen on, by key ``[T, R, *shape]``."""
        return {key: value[:-1] for key, value in self.steps.observation.items()}

    @property
    def next_observations(self) -> Mapping[str, Tensor]:
        """What the world showed after each action, by key ``[T, R, *shape]``; a new episode's first where one ended."""
        return {key: value[1:] for key, value in self.steps.observation.items()}

    @property
    def rewards(self) -> Tensor:
        """The world's own reward of each action, float32 ``[T, R]``."""
        return self.steps.reward[1:]

    @property
    def terminated(self) -> Tensor:
        """Whether the episode ended by the rules at this step, bool ``[T, R]``."""
        return self.steps.terminated[1:]

    @property
    def truncated(self) -> Tensor:
        """Whether the episode was cut at this step, bool ``[T, R]``."""
        return self.steps.truncated[1:]


def allocate_rollout(world: World, length: int, value_heads: int, memory_size: int, chunks: int = 1) -> Rollout:
    """Zeroed storage for ``length`` steps of every row of a world, on its device."""
    rows, device = world.num_rows, world.device
    return Rollout(
        steps=world.allocate(length + 1),
        first=torch.zeros(length + 1, rows, dtype=torch.bool, device=device),
        actions=allocate_actions(world.spec, (length, rows), device),
        log_probs=torch.zeros(length, rows, device=device),
        values=torch.zeros(length + 1, rows, value_heads, device=device),
        next_values=torch.zeros(length, rows, value_heads, device=device),
        memories=torch.zeros(chunks, rows, memory_size, device=device),
    )


def allocate_actions(spec: WorldSpec, shape: tuple[int, ...], device: torch.device) -> Tensor:
    """Zero actions of a leading shape: int32 ``[*shape]`` or ``[*shape, K]``, or float32 ``[*shape, size]``."""
    dtype = torch.float32 if isinstance(spec.action, Box) else torch.int32
    return torch.zeros(*shape, *spec.action.shape, dtype=dtype, device=device)
