"""Random network distillation (Burda et al. 2018): a bonus for seeing what has not been seen often.

Axis letters: T steps, R rows, N = T * R observations, F inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from farlands.agents.inputs import make_parts
from farlands.agents.perception import UNSEEN, Picture, is_image
from farlands.agents.precision import autocast
from farlands.learning.normalise import RunningMoments
from farlands.learning.optimisation import (
    FlatGradients,
    gradient_norm,
    load_optimiser_state,
    optimiser_state,
    step_if_finite,
)
from farlands.learning.peers import Peers
from farlands.learning.rollout import Rollout
from farlands.rewards.config import RNDConfig
from farlands.rewards.source import RewardSource
from farlands.worlds.world import ArraySpec, WorldSpec

BLOCK = 4096
"""Observations expanded at a time, so that a rollout never stands in memory as floats; also a minibatch."""


class RND(RewardSource):
    """The error of a network that learns to predict a fixed random one, on normalised observations.

    As in the paper, the bonus is divided by the running deviation of its discounted return, has a value head of its
    own, and its returns flow on through the ends of episodes. The bonus of a step is for the observation it led to.

    Args:
        spec: The world rewarded.
        device: Where rollouts live.
        config: Sizes and rates.

    Raises:
        ValueError: ``config.keys`` names what the world doesn't show.
    """

    own_value_head = True
    episodic = False
    per_row = ("running",)

    def __init__(self, spec: WorldSpec, device: torch.device | str = "cpu", config: RNDConfig | None = None) -> None:
        super().__init__(spec, device)
        self.config = config or RNDConfig()
        self.weight, self.discount = self.config.weight, self.config.discount
        self.inputs = FlatInputs(_chosen(spec.observation, self.config.keys)).to(self.device)
        self.target = self._network(layers=1).requires_grad_(requires_grad=False)
        self.predictor = self._network(layers=2)
        self.parameters = dict(self.predictor.named_parameters())
        self.optimiser = torch.optim.Adam(self.parameters.values(), lr=self.config.learning_rate, fused=True)
        self.gradients = FlatGradients(self.parameters.values())
        self.seen = RunningMoments((self.inputs.size,), self.device)
        self.returns = RunningMoments((), self.device)
        self.running = torch.zeros(0, device=self.device)
        self.updates = 0

    def join(self, peers: Peers) -> None:
        self.peers = self.seen.peers = self.returns.peers = peers

    def reward(self, rollout: Rollout) -> Tensor:
        if not self.updates:
            # Nothing has been seen yet to normalise by: this rollout is the paper's initial random walk.
            self._see(rollout)
        with torch.no_grad():
            bonus = torch.cat([self._error(inputs) for inputs in self._blocks(rollout.next_observations)])
        bonus = bonus.view(rollout.length, rollout.num_rows)
        if len(self.running) != rollout.num_rows:
            self.running = torch.zeros(rollout.num_rows, device=self.device)
        self.returns.update(self._discounted(bonus).flatten())
        return bonus / self.returns.std.clamp(min=1e-8)

    def update(self, rollout: Rollout) -> dict[str, Tensor | float]:
        if self.updates:
            self._see(rollout)
        losses, skipped = [], []
        for inputs in self._minibatches(rollout):
            count = self.peers.sum_(torch.full((), float(len(inputs)), device=self.device))
            loss = self._error(inputs).sum() / count
            self.gradients.clear()
            loss.backward()
            for flat in self.gradients.flats:
                self.peers.sum_(flat)
            skipped.append(step_if_finite(self.optimiser, gradient_norm(self.parameters.values())))
            losses.append(loss.detach())
        self.updates += 1
        return {
            "rnd_loss": self.peers.sum_(torch.stack(losses).mean()),
            "rnd_return_std": self.returns.std,
            "skipped_steps": torch.stack(skipped).sum(),
        }

    def state_dict(self) -> dict[str, Any]:
        return {
            "target": {name: value.clone() for name, value in self.target.state_dict().items()},
            "predictor": {name: value.clone() for name, value in self.predictor.state_dict().items()},
            "optimiser": optimiser_state(self.optimiser, self.parameters),
            "seen": self.seen.state_dict(),
            "returns": self.returns.state_dict(),
            "running": self.running.clone(),
            "updates": self.updates,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.target.load_state_dict(state["target"])
        self.predictor.load_state_dict(state["predictor"])
        load_optimiser_state(self.optimiser, self.parameters, state["optimiser"])
        self.seen.load_state_dict(state["seen"])
        self.returns.load_state_dict(state["returns"])
        self.running = state["running"].to(self.device, copy=True)
        self.updates = int(state["updates"])

    def _network(self, layers: int) -> nn.Sequential:
        width, network = self.inputs.size, nn.Sequential()
        for _ in range(layers):
            network.extend((nn.Linear(width, self.config.hidden), nn.ReLU()))
            width = self.config.hidden
        network.append(nn.Linear(width, self.config.features))
        for layer in network:
            if isinstance(layer, nn.Linear):
                nn.init.orthogonal_(layer.weight, gain=math.sqrt(2))
                nn.init.zeros_(layer.bias)
        return network.to(self.device)

    def _error(self, inputs: Tensor) -> Tensor:
        """Mean squared error of the prediction, float32 ``[N]``."""
        normal = ((inputs - self.seen.mean) / self.seen.std.clamp(min=1e-2)).clamp(-5.0, 5.0)
        with autocast(self.device):
            error = self.predictor(normal).float() - self.target(normal).float()
        return error.square().mean(dim=-1)

    def _blocks(self, observations: Mapping[str, Tensor]) -> Iterator[Tensor]:
        """Observations ``[T, R, ...]`` as inputs ``[up to BLOCK, F]``, block after block."""
        flat = {key: observations[key].flatten(0, 1) for key in self.inputs.keys}
        count = len(next(iter(flat.values())))
        for start in range(0, count, BLOCK):
            yield self.inputs({key: value[start : start + BLOCK] for key, value in flat.items()})

    def _see(self, rollout: Rollout) -> None:
        for inputs in self._minibatches(rollout):
            self.seen.update(inputs)

    def _minibatches(self, rollout: Rollout) -> Iterator[Tensor]:
        """What is learned from in this update, as inputs ``[N, F]``; equally many minibatches in every process."""
        flat = {key: value.flatten(0, 1) for key, value in self._share(rollout).items()}
        _, total = self.peers.place(len(next(iter(flat.values()))))
        parts = -(-total // (BLOCK * self.peers.size))
        for part in zip(*(value.tensor_split(parts) for value in flat.values()), strict=True):
            yield self.inputs(dict(zip(flat, part, strict=True)))

    def _share(self, rollout: Rollout) -> dict[str, Tensor]:
        """What some rows saw, others each time, ``[T, R * share, ...]``."""
        every = max(1, round(1 / self.config.share))
        start = self.updates % min(every, rollout.num_rows)
        seen = rollout.next_observations
        return {key: seen[key][:, start::every] for key in self.inputs.keys}

    def _discounted(self, bonus: Tensor) -> Tensor:
        """Discounted sums of the bonus up to each step, float32 ``[T, R]``, carried from rollout to rollout."""
        sums = torch.empty_like(bonus)
        for t in range(len(bonus)):
            self.running = torch.add(bonus[t], self.running, alpha=self.discount, out=sums[t])
        # What is not finite would never leave a discounted sum.
        self.running = torch.where(self.running.isfinite(), self.running, 0.0)
        return sums


class FlatInputs(nn.Module):
    """Observations as one flat vector: ids as bits, numbers scaled, images pooled to at most 16 x 16.

    Attributes:
        keys: Observation keys read.
        size: F.
    """

    def __init__(self, observation: Mapping[str, ArraySpec]) -> None:
        super().__init__()
        self.keys = tuple(observation)
        pictures = {key: Picture(array) for key, array in observation.items() if is_image(array)}
        parts = make_parts({key: array for key, array in observation.items() if key not in pictures})
        self.images = nn.ModuleDict(pictures)
        self.parts = nn.ModuleList(parts)
        self.size = sum(part.size for part in parts)
        self.size += sum(16 * 16 * picture.shape[2] for picture in pictures.values())

    def forward(self, flat: Mapping[str, Tensor]) -> Tensor:
        """By key ``[N, *shape]`` to float32 ``[N, F]``."""
        inputs = [part.expand(part.gather(flat)) for part in self.parts]
        for key, picture in self.images.items():
            image = picture(flat[key]).permute(0, 3, 1, 2).float() / picture.high
            inputs.append(functional.adaptive_avg_pool2d(image, 16).flatten(1))
        return torch.cat(inputs, dim=1)


def _chosen(observation: Mapping[str, ArraySpec], keys: tuple[str, ...]) -> dict[str, ArraySpec]:
    """The named arrays, or all that a network may see."""
    for key in keys:
        if key not in observation:
            raise ValueError(f"rnd.keys: no observation named {key!r}; there are {', '.join(observation)}")
    return {key: observation[key] for key in keys or observation if key not in UNSEEN or key in keys}
