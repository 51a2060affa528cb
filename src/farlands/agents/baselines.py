"""Agents that need no learning, to try a task with."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from farlands.agents.agent import Act
from farlands.agents.distributions import Categorical, Distribution, MultiCategorical
from farlands.worlds.world import Box, Discrete, MultiDiscrete, WorldSpec


class RandomAgent:
    """Uniform over possible choices, or over the box of continuous actions. Acts as an ``Agent`` does.

    Args:
        spec: The world it will live in.

    Raises:
        ValueError: Continuous actions without bounds.
    """

    memory_size = 0
    value_heads = 1

    def __init__(self, spec: WorldSpec) -> None:
        self.action = spec.action
        match spec.action:
            case Discrete():
                self.noise_size = 1
            case MultiDiscrete(nvec=nvec):
                self.noise_size = len(nvec)
            case Box(low=low, high=high):
                self.noise_size = len(low)
                if not torch.isfinite(torch.tensor(low + high)).all():
                    raise ValueError(f"no uniform action in a box without bounds: low {low}, high {high}")

    def initial_memory(self, rows: int) -> Tensor:
        """Empty, float32 ``[rows, 0]``."""
        return torch.zeros(rows, 0)

    def act(self, observation: Mapping[str, Tensor], memory: Tensor, first: Tensor, noise: Tensor | None = None) -> Act:
        """See ``Agent.act``; values are zero. Without noise: the first possible choice, or the middle of the box."""
        rows = len(first)
        values = torch.zeros(rows, self.value_heads, device=first.device)
        if isinstance(self.action, Box):
            action, log_prob = self._in_box(rows, noise, first.device)
            return Act(action, log_prob, values, memory)
        distribution = self._uniform(rows, observation.get("action_mask"), first.device)
        action = distribution.mode() if noise is None else distribution.sample(noise)
        return Act(action, distribution.log_prob(action), values, memory)

    def _uniform(self, rows: int, mask: Tensor | None, device: torch.device) -> Distribution:
        match self.action:
            case Discrete(n=n):
                return Categorical(torch.zeros(rows, n, device=device), mask)
            case MultiDiscrete(nvec=nvec):
                return MultiCategorical(torch.zeros(rows, sum(nvec), device=device), nvec, mask)
        raise TypeError(f"no uniform choice for {self.action!r}")

    def _in_box(self, rows: int, noise: Tensor | None, device: torch.device) -> tuple[Tensor, Tensor]:
        # Bounds stay Python numbers: making tensors of them would wait for the host inside a CUDA graph.
        if noise is None:
            noise = torch.full((rows, self.noise_size), 0.5, device=device)
        sides = list(zip(self.action.low, self.action.high, strict=True))
        action = torch.stack([low + (high - low) * noise[:, i] for i, (low, high) in enumerate(sides)], dim=1)
        density = -sum(math.log(high - low) for low, high in sides)
        return action, torch.full((rows,), density, device=device)


class ZeroAgent(RandomAgent):
    """Always choice 0 of everything, or zeros."""

    def __init__(self, spec: WorldSpec) -> None:
        self.action = spec.action
        self.noise_size = 1

    def act(self, observation: Mapping[str, Tensor], memory: Tensor, first: Tensor, noise: Tensor | None = None) -> Act:
        """See ``Agent.act``; masks are ignored, for an impossible choice does nothing."""
        rows, device = len(first), first.device
        match self.action:
            case Discrete():
                action = torch.zeros(rows, dtype=torch.int32, device=device)
            case MultiDiscrete(nvec=nvec):
                action = torch.zeros(rows, len(nvec), dtype=torch.int32, device=device)
            case Box(low=low):
                action = torch.zeros(rows, len(low), device=device)
        zeros = torch.zeros(rows, device=device)
        return Act(action, zeros, zeros[:, None], memory)
