"""Recurrent proximal policy optimisation (Schulman et al. 2017), on whole sequences.

Axis letters: T steps, R rows, C chunks, L = T / C steps of a chunk, S = C * R sequences, B sequences of a minibatch,
V value heads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from farlands.agents.agent import Agent
from farlands.agents.noise import uniforms
from farlands.learning.config import PPOConfig
from farlands.learning.learner import Learner
from farlands.learning.normalise import ValueNormaliser
from farlands.learning.optimisation import load_optimiser_state, optimiser_state, step_if_finite
from farlands.learning.returns import ValueStream, generalised_advantages
from farlands.learning.rollout import Rollout

_ORDER = 1
"""Purpose of the uniforms that order minibatches."""


class Batch(NamedTuple):
    """Sequences to learn from: ``[L, S, ...]`` of a rollout, or ``[L, B, ...]`` of a minibatch.

    Attributes:
        observations: By key ``[L, S, *shape]``.
        memory: float32 ``[S, M]``, before each sequence.
        first: bool ``[L, S]``.
        actions: ``[L, S, ...]``.
        log_probs: float32 ``[L, S]``, when the actions were chosen.
        values: float32 ``[L, S, V]``, when the actions were chosen, in normalised units.
        advantages: float32 ``[L, S]``.
        targets: float32 ``[L, S, V]``, returns in normalised units.
    """

    observations: Mapping[str, Tensor]
    memory: Tensor
    first: Tensor
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    advantages: Tensor
    targets: Tensor


class PPO(Learner):
    """The reference learner.

    Args:
        agent: Improved in place.
        config: How.
        streams: What each of the agent's value heads learns; by default one, the task.
        seed: Of the order of minibatches, in [0, 2**64).

    Raises:
        ValueError: Streams and value heads differ in number.
    """

    def __init__(
        self, agent: Agent, config: PPOConfig | None = None, streams: Sequence[ValueStream] = (), *, seed: int = 0
    ) -> None:
        self.agent, self.config, self.seed = agent, config or PPOConfig(), seed
        self.streams = tuple(streams) or (ValueStream(self.config.discount),)
        if len(self.streams) != agent.value_heads:
            raise ValueError(f"{len(self.streams)} value streams for an agent with {agent.value_heads} value heads")
        self.parameters = dict(agent.named_parameters())
        device = next(iter(self.parameters.values())).device
        self.optimiser = torch.optim.Adam(
            self.parameters.values(), lr=self.config.learning_rate, eps=self.config.adam_epsilon, fused=True
        )
        self.normaliser = ValueNormaliser(len(self.streams), device)
        self.updates = 0

    def update(self, rollout: Rollout, rewards: Tensor, progress: float) -> dict[str, Tensor | float]:
        config, done = self.config, min(max(progress, 0.0), 1.0)
        learning_rate = config.learning_rate * (1 - done * (1 - config.learning_rate_end))
        entropy_weight = config.entropy * (1 - done * (1 - config.entropy_end))
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        batch, metrics = self._prepare(rollout, rewards)
        steps = []
        for epoch in range(config.epochs):
            parts = self._order(epoch, len(batch.memory)).tensor_split(config.minibatches)
            steps.extend(self._improve(_take(batch, sequences), entropy_weight) for sequences in parts)
        self.updates += 1
        means = {name: torch.stack([each[name] for each in steps]).mean() for name in steps[0]}
        means["skipped_steps"] = means["skipped_steps"] * len(steps)
        return {**metrics, **means, "learning_rate": learning_rate, "entropy_weight": entropy_weight}

    def state_dict(self) -> dict[str, Any]:
        return {
            "optimiser": optimiser_state(self.optimiser, self.parameters),
            "normaliser": self.normaliser.state_dict(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put a ``state_dict`` back.

        Raises:
            ValueError: It is of other parameters.
        """
        load_optimiser_state(self.optimiser, self.parameters, state["optimiser"])
        self.normaliser.load_state_dict(state["normaliser"])
        self.updates = int(state["updates"])

    @torch.no_grad()
    def _prepare(self, rollout: Rollout, rewards: Tensor) -> tuple[Batch, dict[str, Tensor]]:
        """Advantages and targets of a rollout, cut into sequences."""
        values = self.normaliser.denormalise(rollout.values)
        advantages = generalised_advantages(
            rewards,
            values,
            self.normaliser.denormalise(rollout.next_values),
            rollout.terminated,
            rollout.truncated,
            self.streams,
            self.config.gae_lambda,
        )
        returns = advantages + values[:-1]
        scale, shift = self.normaliser.update(returns)
        if hasattr(self.agent.heads, "rescale_values"):
            self.agent.heads.rescale_values(scale, shift)
        weights = torch.tensor([stream.weight for stream in self.streams], device=rewards.device)
        advantage = (advantages * weights).sum(dim=-1)
        metrics = {
            "advantage_std": advantage.std(correction=0),
            "return_mean": returns[..., 0].mean(),
            "value_std": self.normaliser.std[0],
            "explained_variance": 1 - advantages[..., 0].var() / returns[..., 0].var().clamp(min=1e-12),
        }
        if self.config.normalise_advantages:
            advantage = (advantage - advantage.mean()) / (advantage.std(correction=0) + 1e-8)
        old, targets = self.normaliser.normalise(values[:-1]), self.normaliser.normalise(returns)
        return self._sequences(rollout, old, advantage, targets), metrics

    def _sequences(self, rollout: Rollout, values: Tensor, advantages: Tensor, targets: Tensor) -> Batch:
        """Chunks side by side: ``[T, R, ...]`` becomes ``[L, C * R, ...]``."""
        length, rows = rollout.length, rollout.num_rows
        chunk = self.config.chunk or length
        chunks = length // chunk
        if len(rollout.memories) != chunks:
            stored = len(rollout.memories)
            raise ValueError(f"chunks of {chunk} steps need {chunks} stored memories per row; the rollout has {stored}")

        def cut(value: Tensor) -> Tensor:
            if chunks == 1:
                return value
            return value.unflatten(0, (chunks, chunk)).transpose(0, 1).flatten(1, 2)

        return Batch(
            observations={key: cut(value) for key, value in rollout.observations.items()},
            memory=rollout.memories.reshape(chunks * rows, -1),
            first=cut(rollout.first[:-1]),
            actions=cut(rollout.actions),
            log_probs=cut(rollout.log_probs),
            values=cut(values),
            advantages=cut(advantages),
            targets=cut(targets),
        )

    def _order(self, epoch: int, sequences: int) -> Tensor:
        """The order of sequences in a pass, int64 ``[S]``: a function of (seed, update, epoch)."""
        if sequences < self.config.minibatches:
            raise ValueError(f"minibatches is {self.config.minibatches}; there are only {sequences} sequences to split")
        index = torch.arange(sequences, device=self.normaliser.std.device)
        tick = torch.tensor(self.updates * self.config.epochs + epoch, device=index.device)
        return uniforms(self.seed, index, tick, 1, _ORDER)[:, 0].argsort(stable=True)

    def _improve(self, batch: Batch, entropy_weight: float) -> dict[str, Tensor]:
        """One gradient step."""
        output = self.agent.unroll(batch.observations, batch.memory, batch.first)
        log_ratio = output.distribution.log_prob(batch.actions) - batch.log_probs
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - self.config.clip, 1 + self.config.clip)
        policy_loss = -torch.minimum(ratio * batch.advantages, clipped * batch.advantages).mean()
        value_loss = self._value_loss(output.value, batch)
        entropy = output.distribution.entropy().mean()
        loss = policy_loss + self.config.value_weight * value_loss - entropy_weight * entropy
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.parameters.values(), self.config.max_grad_norm)
        skipped = step_if_finite(self.optimiser, norm)
        with torch.no_grad():
            metrics = {
                "policy_loss": policy_loss,
                "value_loss": value_loss,
                "entropy": entropy,
                "approx_kl": (ratio - 1 - log_ratio).mean(),
                "clip_fraction": ((ratio - 1).abs() > self.config.clip).float().mean(),
                "grad_norm": norm,
                "skipped_steps": skipped,
            }
        return {name: value.detach() for name, value in metrics.items()}

    def _value_loss(self, values: Tensor, batch: Batch) -> Tensor:
        """Half the squared error, in normalised units; with ``value_clip`` the larger of it and the clipped one."""
        error = (values - batch.targets).square()
        if self.config.value_clip:
            change = (values - batch.values).clamp(-self.config.value_clip, self.config.value_clip)
            error = torch.maximum(error, (batch.values + change - batch.targets).square())
        return 0.5 * error.mean()


def _take(batch: Batch, sequences: Tensor) -> Batch:
    """Some sequences of a batch."""
    along_rows = {name: value for name, value in batch._asdict().items() if name not in ("observations", "memory")}
    return Batch(
        observations={key: value.index_select(1, sequences) for key, value in batch.observations.items()},
        memory=batch.memory.index_select(0, sequences),
        **{name: value.index_select(1, sequences) for name, value in along_rows.items()},
    )
