"""Recurrent proximal policy optimisation (Schulman et al. 2017), on whole sequences.

Axis letters: T steps, R rows, C chunks, L = T / C steps of a chunk, S = C * R sequences, B sequences of a minibatch,
V value heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from farlands.agents.agent import Agent
from farlands.agents.noise import uniforms
from farlands.learning.config import PPOConfig
from farlands.learning.graph import CapturedPhase
from farlands.learning.learner import Learner
from farlands.learning.normalise import ValueNormaliser
from farlands.learning.optimisation import FlatGradients, load_optimiser_state, optimiser_state, step_if_finite
from farlands.learning.peers import ALONE, Peers
from farlands.learning.returns import ValueStream, generalised_advantages, stream_arrays
from farlands.learning.rollout import Rollout

_ORDER = 1
"""Purpose of the uniforms that order minibatches."""

_MEANS = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")
"""Metrics that are means over the steps of a minibatch."""


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
        peers: With whom it learns. Minibatches are drawn over the sequences of all processes, each works through its
            own, and gradients are added up: what is learned is what one process would learn from all rows.

    Raises:
        ValueError: Streams and value heads differ in number.
    """

    def __init__(
        self,
        agent: Agent,
        config: PPOConfig | None = None,
        streams: Sequence[ValueStream] = (),
        *,
        seed: int = 0,
        peers: Peers = ALONE,
    ) -> None:
        self.agent, self.config, self.seed, self.peers = agent, config or PPOConfig(), seed, peers
        self.streams = tuple(streams) or (ValueStream(self.config.discount),)
        if len(self.streams) != agent.value_heads:
            raise ValueError(f"{len(self.streams)} value streams for an agent with {agent.value_heads} value heads")
        self.parameters = dict(agent.named_parameters())
        device = next(iter(self.parameters.values())).device
        # What changes from update to update is read from tensors, so that an update can be captured in a graph.
        self._rate = torch.tensor(self.config.learning_rate, device=device)
        self._entropy_weight = torch.tensor(self.config.entropy, device=device)
        self._tick = torch.zeros((), dtype=torch.int64, device=device)
        self._graph = CapturedPhase() if device.type == "cuda" and self.config.capture else None
        self.optimiser = torch.optim.Adam(
            self.parameters.values(),
            lr=self._rate,
            eps=self.config.adam_epsilon,
            fused=True,
            capturable=device.type == "cuda",
        )
        self.gradients = FlatGradients(self.parameters.values())
        self.normaliser = ValueNormaliser(len(self.streams), device, peers=peers)
        self.updates = 0
        # Where this process's rows stand among those of all, and how many these are; asked for once.
        self._place: tuple[int, int] | None = None
        self._rewards: Tensor | None = None
        self._metrics: dict[str, Tensor] = {}

    def update(self, rollout: Rollout, rewards: Tensor, progress: float) -> dict[str, Tensor | float]:
        config, done = self.config, min(max(progress, 0.0), 1.0)
        learning_rate = config.learning_rate * (1 - done * (1 - config.learning_rate_end))
        entropy_weight = config.entropy * (1 - done * (1 - config.entropy_end))
        self._rate.fill_(learning_rate)
        self._entropy_weight.fill_(entropy_weight)
        self._tick.fill_(self.updates)
        self._place = self._place or self.peers.place(rollout.num_rows)
        if self._graph and self._even(rollout.num_rows):
            self._captured(self._graph, rollout, rewards)
        else:
            self._metrics = self._learn(rollout, rewards)
        self.updates += 1
        return {**self._metrics, "learning_rate": learning_rate, "entropy_weight": entropy_weight}

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

    def _captured(self, graph: CapturedPhase, rollout: Rollout, rewards: Tensor) -> None:
        """The update as a graph, which reads the rollout where it stands and the rewards where the first ones did."""
        if self._rewards is None:
            self._rewards = rewards.clone()
        self._rewards.copy_(rewards)

        def phase() -> None:
            self._metrics = self._learn(rollout, self._rewards)  # type: ignore[arg-type]

        graph.run(phase)

    def _learn(self, rollout: Rollout, rewards: Tensor) -> dict[str, Tensor]:
        """All passes over a rollout; metrics, 0-dimensional."""
        batch, metrics = self._prepare(rollout, rewards)
        steps = []
        for epoch in range(self.config.epochs):
            for sequences, share in self._minibatches(epoch, rollout.num_rows, len(rollout.memories)):
                steps.append(self._improve(_take(batch, sequences), share))
        names = steps[0]
        means = self.peers.sum_(torch.stack([torch.stack([step[name] for step in steps]).mean() for name in names]))
        metrics |= dict(zip(names, means, strict=True))
        return metrics | {"skipped_steps": metrics["skipped_steps"] * len(steps)}

    def _even(self, rows: int) -> bool:
        """Whether all minibatches hold equally many of this process's sequences: sizes are then known beforehand."""
        first, total = self._place or self.peers.place(rows)
        return not any(count % self.config.minibatches for count in (first, rows, total))

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
        _, _, weights = stream_arrays(self.streams, rewards.device, advantages.dtype)
        advantage = (advantages * weights).sum(dim=-1)
        figures = torch.stack((advantage, advantages[..., 0], returns[..., 0]), dim=-1)
        mean, variance = self.peers.moments(figures.flatten(0, 1))
        metrics = {
            "advantage_std": variance[0].sqrt(),
            "return_mean": mean[2],
            "value_std": self.normaliser.std[0],
            "explained_variance": 1 - variance[1] / variance[2].clamp(min=1e-12),
        }
        if self.config.normalise_advantages:
            advantage = (advantage - mean[0].to(advantage)) / (variance[0].sqrt().to(advantage) + 1e-8)
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

    def _minibatches(self, epoch: int, rows: int, chunks: int) -> Iterator[tuple[Tensor, float]]:
        """This process's sequences of each minibatch of a pass, int64 ``[B]``, and their share of the minibatch.

        Of every ``minibatches`` neighbouring sequences each minibatch gets one, by lots that are a function of (seed,
        update, epoch) alone. So every minibatch holds equally many sequences of every process's rows, where these are
        a multiple of ``minibatches``, and the draw is the same for any number of processes.
        """
        parts, device = self.config.minibatches, self.normaliser.std.device
        first, total = self._place or self.peers.place(rows)
        sequences = chunks * total
        if sequences < parts:
            raise ValueError(f"minibatches is {parts}; there are only {sequences} sequences to split")
        tick = self._tick * self.config.epochs + epoch
        lots = uniforms(self.seed, torch.arange(sequences, device=device), tick, 1, _ORDER)[:, 0]
        # What fills up the last group comes after its members, whose lots are below 1.
        groups = functional.pad(lots, (0, -sequences % parts), value=2.0).view(-1, parts)
        part = groups.argsort(dim=1, stable=True).argsort(dim=1).flatten()[:sequences]
        mine = part.view(chunks, total)[:, first : first + rows].flatten()
        whole = [sequences // parts + (k < sequences % parts) for k in range(parts)]
        if rows == total:
            sizes = whole
        elif self._even(rows):
            sizes = [chunks * rows // parts] * parts
        else:
            sizes = mine.bincount(minlength=parts).tolist()
        order = mine.argsort(stable=True).split(sizes)
        return zip(order, (size / all_of_it for size, all_of_it in zip(sizes, whole, strict=True)), strict=True)

    def _improve(self, batch: Batch, share: float) -> dict[str, Tensor]:
        """One gradient step of all processes on a minibatch of which this one has a share in [0, 1].

        Returns:
            Metrics, which add up over the processes to those of the whole minibatch.
        """
        if not share:
            return self._stand_by()
        output = self.agent.unroll(batch.observations, batch.memory, batch.first)
        log_ratio = output.distribution.log_prob(batch.actions) - batch.log_probs
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - self.config.clip, 1 + self.config.clip)
        policy_loss = -torch.minimum(ratio * batch.advantages, clipped * batch.advantages).mean()
        value_loss = self._value_loss(output.value, batch)
        entropy = output.distribution.entropy().mean()
        loss = policy_loss + self.config.value_weight * value_loss - self._entropy_weight * entropy
        self.gradients.clear()
        (loss * share).backward()
        step = self._step()
        with torch.no_grad():
            means = (
                policy_loss,
                value_loss,
                entropy,
                (ratio - 1 - log_ratio).mean(),
                ((ratio - 1).abs() > self.config.clip).float().mean(),
            )
        return {name: value.detach() * share for name, value in zip(_MEANS, means, strict=True)} | step

    def _stand_by(self) -> dict[str, Tensor]:
        """A step on a minibatch that holds no sequence of this process: others' gradients move its parameters."""
        self.gradients.clear()
        step = self._step()
        return {name: torch.zeros_like(step["grad_norm"]) for name in _MEANS} | step

    def _step(self) -> dict[str, Tensor]:
        """Add up the gradients of all processes, bound them and step, unless they are not finite; metrics."""
        for flat in self.gradients.flats:
            self.peers.sum_(flat)
        norm = nn.utils.clip_grad_norm_(self.parameters.values(), self.config.max_grad_norm)
        skipped = step_if_finite(self.optimiser, norm)
        return {"grad_norm": norm.detach() / self.peers.size, "skipped_steps": skipped / self.peers.size}

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
