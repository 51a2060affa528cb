"""The learner for rollouts that older versions of the agent lived through.

Estimates are V-trace's (Espeholt et al. 2018), by the agent as it is when an update begins; the objective is PPO's,
with that same agent at the centre of its trust region, so that the age of a rollout decides what it is worth and not
how far a step may go (Hilton et al. 2022). Learning from its own newest rollouts, it is PPO.

Axis letters: T steps, R rows, C chunks, V value heads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from farlands.agents.agent import Agent
from farlands.learning.config import ImpalaConfig
from farlands.learning.peers import ALONE, Peers
from farlands.learning.ppo import PPO, Batch
from farlands.learning.returns import ValueStream, stream_arrays
from farlands.learning.rollout import Rollout
from farlands.learning.vtrace import vtrace


class Impala(PPO):
    """PPO on rollouts of older policies.

    Log probabilities and values are the present agent's, from going through each chunk again with the memory that was
    stored at its start. Only an episode's last observation, where it was cut, is not part of a rollout: its value is
    the older agent's.

    Args:
        agent: Improved in place.
        config: How.
        streams: What each of the agent's value heads learns; by default one, the task.
        seed: Of the order of minibatches, in [0, 2**64).
        peers: With whom it learns, as ``PPO`` does.

    Raises:
        ValueError: Streams and value heads differ in number.
    """

    config: ImpalaConfig

    def __init__(
        self,
        agent: Agent,
        config: ImpalaConfig | None = None,
        streams: Sequence[ValueStream] = (),
        *,
        seed: int = 0,
        peers: Peers = ALONE,
    ) -> None:
        super().__init__(agent, config or ImpalaConfig(), streams, seed=seed, peers=peers)

    @torch.no_grad()
    def _prepare(self, rollout: Rollout, rewards: Tensor) -> tuple[Batch, dict[str, Tensor]]:
        """V-trace advantages and targets of a rollout, cut into sequences."""
        log_probs, values = self._review(rollout)
        values = self.normaliser.denormalise(values)
        cut = self.normaliser.denormalise(rollout.next_values)
        log_ratios = log_probs - rollout.log_probs
        targets, advantages = vtrace(
            rewards,
            values,
            torch.where(rollout.truncated[..., None], cut, values[1:]),
            rollout.terminated,
            rollout.truncated,
            log_ratios,
            self.streams,
            rho_clip=self.config.rho_clip,
            trace_clip=self.config.trace_clip,
            trace_lambda=self.config.gae_lambda,
        )
        scale, shift = self.normaliser.update(targets)
        if hasattr(self.agent.heads, "rescale_values"):
            self.agent.heads.rescale_values(scale, shift)
        _, _, weights = stream_arrays(self.streams, rewards.device, advantages.dtype)
        advantage = (advantages * weights).sum(dim=-1)
        errors, ratios = targets - values[:-1], log_ratios.exp().clamp(max=self.config.rho_clip)
        figures = torch.stack((ratios * advantage, errors[..., 0], targets[..., 0], ratios), dim=-1)
        mean, variance = self.peers.moments(figures.flatten(0, 1))
        metrics = {
            "advantage_std": variance[0].sqrt(),
            "return_mean": mean[2],
            "value_std": self.normaliser.std[0],
            "explained_variance": 1 - variance[1] / variance[2].clamp(min=1e-12),
            "policy_ratio": mean[3],
        }
        if self.config.normalise_advantages:
            # What is taken away must be weighted like the rest: the scores of actions that another policy chose do not
            # average to zero, and a plain mean would push this policy away from that one.
            advantage = (advantage - (mean[0] / mean[3]).to(advantage)) / (variance[0].sqrt().to(advantage) + 1e-8)
        advantage = ratios * advantage
        old, targets = self.normaliser.normalise(values[:-1]), self.normaliser.normalise(targets)
        reviewed = dataclasses.replace(rollout, log_probs=log_probs)
        return self._sequences(reviewed, old, advantage, targets), metrics

    def _review(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """What the present agent thinks of a rollout, chunk by chunk.

        Returns:
            float32 ``[T, R]``, log probabilities of the actions; and ``[T + 1, R, V]``, values of every observation in
            normalised units.
        """
        length, chunks = rollout.length, len(rollout.memories)
        log_probs, values = [], []
        for chunk, memory in enumerate(rollout.memories):
            begin, end = (length * k // chunks for k in (chunk, chunk + 1))
            # The last chunk goes on to what is seen after the last step, which is valued only.
            seen = slice(begin, end + (chunk == chunks - 1))
            observations = {key: value[seen] for key, value in rollout.steps.observation.items()}
            output = self.agent.unroll(observations, memory, rollout.first[seen])
            log_probs.append(output.distribution[: end - begin].log_prob(rollout.actions[begin:end]))
            values.append(output.value)
        return torch.cat(log_probs), torch.cat(values)
