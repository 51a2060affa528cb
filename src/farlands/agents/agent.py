"""The Agent contract and its standard form: perception, memory and heads, three modules that can be swapped apart.

Axis letters: R rows, T time, B minibatch rows, D features, M memory, V value heads, K uniforms per action.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from farlands.agents.config import AgentConfig
from farlands.agents.distributions import Distribution
from farlands.agents.heads import make_heads
from farlands.agents.memory import make_memory
from farlands.agents.perception import make_perception
from farlands.agents.precision import autocast
from farlands.worlds.world import WorldSpec


class Act(NamedTuple):
    """What an agent does at one step.

    Attributes:
        action: int32 ``[R]`` or ``[R, K]``, or float32 ``[R, size]``, as the world's action spec says.
        log_prob: float32 ``[R]``, log probability (density) of the action.
        value: float32 ``[R, V]``, value of the observation, in the learner's normalised units.
        memory: float32 ``[R, M]``, memory after the observation.
    """

    action: Tensor
    log_prob: Tensor
    value: Tensor
    memory: Tensor


class Output(NamedTuple):
    """What an agent thinks along whole sequences.

    Attributes:
        distribution: Over actions, batch shape ``[T, B]``.
        value: float32 ``[T, B, V]``, in the learner's normalised units.
        memory: float32 ``[B, M]``, memory after the last observation.
    """

    distribution: Distribution
    value: Tensor
    memory: Tensor


class Agent(nn.Module):
    """An actor-critic of three modules.

    A user's own network is a subclass that replaces any of the modules after ``super().__init__``, or overrides
    ``unroll``, from which everything else follows.

    Attributes:
        perception: Observation dictionary ``[*, ...]`` to features float32 ``[*, D]``.
        memory: Features ``[T, B, D]``, memory ``[B, M]``, first ``[T, B]`` to features ``[T, B, D]`` and memory.
        heads: Features ``[*, D]`` and action mask to an action distribution and values.
        memory_size: M, 0 without memory.
        noise_size: K, how many uniforms one action consumes.
        value_heads: V.
    """

    def __init__(self, spec: WorldSpec, config: AgentConfig | None = None, value_heads: int = 1) -> None:
        super().__init__()
        config = config or AgentConfig()
        self.perception = make_perception(spec.observation, config)
        self.memory = make_memory(config)
        self.heads = make_heads(spec.action, config, value_heads)

    @property
    def memory_size(self) -> int:
        return self.memory.size

    @property
    def value_heads(self) -> int:
        return self.heads.value_heads

    @property
    def noise_size(self) -> int:
        return self.heads.noise_size

    def initial_memory(self, rows: int) -> Tensor:
        """Memory of an agent that has seen nothing, float32 ``[rows, M]``."""
        return torch.zeros(rows, self.memory_size, device=next(self.parameters()).device)

    def act(self, observation: Mapping[str, Tensor], memory: Tensor, first: Tensor, noise: Tensor | None = None) -> Act:
        """Choose one action per row.

        Args:
            observation: By key, ``[R, *shape]``.
            memory: float32 ``[R, M]``, from the step before.
            first: bool ``[R]``: the observation starts an episode; memory is cleared before it is used.
            noise: float32 ``[R, K]``, uniforms in (0, 1) that decide the action; None for the likeliest action.
        """
        sequence = {key: value[None] for key, value in observation.items()}
        output = self.unroll(sequence, memory, first[None])
        distribution = output.distribution[0]
        action = distribution.mode() if noise is None else distribution.sample(noise)
        return Act(action, distribution.log_prob(action), output.value[0], output.memory)

    def unroll(self, observations: Mapping[str, Tensor], memory: Tensor, first: Tensor) -> Output:
        """Go through sequences; equal to ``act`` step by step.

        Args:
            observations: By key, ``[T, B, *shape]``.
            memory: float32 ``[B, M]``, from before the first observation.
            first: bool ``[T, B]``: the observation starts an episode; memory is cleared before it is used.
        """
        with autocast(memory.device):
            features = self.perception(observations)
            features, memory = self.memory(features, memory, first)
            distribution, value = self.heads(features, observations.get("action_mask"))
        return Output(distribution, value, memory)
