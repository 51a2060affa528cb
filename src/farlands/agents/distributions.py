"""Action distributions whose samples are a function of given uniforms, so that runs repeat exactly.

Axis letters: ``*`` any batch shape, K choices at once, n options of a choice, size continuous actions.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor

MASKED = -1e9
"""Logit of an impossible choice: finite, so that a row with no possible choice stays free of NaN, and so low that its
probability is exactly 0 beside any possible one."""


class Distribution(ABC):
    """A distribution over actions, batch shape ``[*]``."""

    @abstractmethod
    def sample(self, noise: Tensor) -> Tensor:
        """The action that uniforms in (0, 1) pick, noise float32 ``[*, K]``."""

    @abstractmethod
    def mode(self) -> Tensor:
        """The likeliest action."""

    @abstractmethod
    def log_prob(self, action: Tensor) -> Tensor:
        """Log probability (density) of an action, float32 ``[*]``."""

    @abstractmethod
    def entropy(self) -> Tensor:
        """Entropy in nats, float32 ``[*]``."""

    @abstractmethod
    def __getitem__(self, index: Any) -> Self:
        """The part of the batch that an index picks."""

    def chances(self) -> Tensor | None:
        """How likely every option is, float32 ``[*, n]``, of several choices side by side; None where not counted."""
        return None


class Categorical(Distribution):
    """One choice out of n; actions are int32 ``[*]``.

    Args:
        logits: float32 ``[*, n]``.
        mask: uint8 or bool ``[*, n]``, 1 where possible; None if everything is.
    """

    def __init__(self, logits: Tensor, mask: Tensor | None = None) -> None:
        if mask is not None:
            # Arithmetic rather than masked_fill: ten times faster on a CPU, and adding 0.0 changes no possible logit.
            logits = logits + (1.0 - mask.float()) * MASKED
        self.log_probs = logits.log_softmax(dim=-1)

    @classmethod
    def _of(cls, log_probs: Tensor) -> Self:
        made = cls.__new__(cls)
        made.log_probs = log_probs
        return made

    def sample(self, noise: Tensor) -> Tensor:
        probs = self._probs()
        possible = probs > 0
        cumulative = probs.cumsum(dim=-1)
        # Rounding may leave the sum beside 1, and a parallel sum need not even be monotone: measure the uniform against
        # the largest sum at a possible option, so that exactly one possible option is always first to reach it.
        total = (cumulative * possible).amax(dim=-1, keepdim=True)
        reached = (cumulative >= noise * total) & possible
        return reached.to(torch.uint8).argmax(dim=-1).to(torch.int32)

    def mode(self) -> Tensor:
        return self.log_probs.argmax(dim=-1).to(torch.int32)

    def log_prob(self, action: Tensor) -> Tensor:
        return self.log_probs.gather(-1, action[..., None].long())[..., 0]

    def entropy(self) -> Tensor:
        return -(self._probs() * self.log_probs).sum(dim=-1)

    def _probs(self) -> Tensor:
        # Not exp: it is slow on a CPU at the very low log probabilities of impossible choices.
        return self.log_probs.softmax(dim=-1)

    def __getitem__(self, index: Any) -> Self:
        return self._of(self.log_probs[index])

    def chances(self) -> Tensor:
        return self._probs()


class MultiCategorical(Distribution):
    """K independent choices at once; actions are int32 ``[*, K]``.

    Args:
        logits: float32 ``[*, sum(nvec)]``, in the order of ``nvec``.
        nvec: Options of each choice.
        mask: uint8 or bool ``[*, sum(nvec)]``, 1 where possible; None if everything is.
    """

    def __init__(self, logits: Tensor, nvec: Sequence[int], mask: Tensor | None = None) -> None:
        masks = [None] * len(nvec) if mask is None else mask.split(tuple(nvec), dim=-1)
        parts = logits.split(tuple(nvec), dim=-1)
        self.choices = [Categorical(part, allowed) for part, allowed in zip(parts, masks, strict=True)]

    def sample(self, noise: Tensor) -> Tensor:
        picks = [choice.sample(noise[..., k : k + 1]) for k, choice in enumerate(self.choices)]
        return torch.stack(picks, dim=-1)

    def mode(self) -> Tensor:
        return torch.stack([choice.mode() for choice in self.choices], dim=-1)

    def log_prob(self, action: Tensor) -> Tensor:
        parts = [choice.log_prob(action[..., k]) for k, choice in enumerate(self.choices)]
        return torch.stack(parts).sum(dim=0)

    def entropy(self) -> Tensor:
        return torch.stack([choice.entropy() for choice in self.choices]).sum(dim=0)

    def __getitem__(self, index: Any) -> Self:
        made = type(self).__new__(type(self))
        made.choices = [choice[index] for choice in self.choices]
        return made

    def chances(self) -> Tensor:
        return torch.cat([choice.chances() for choice in self.choices], dim=-1)


class Gaussian(Distribution):
    """Independent normal distributions; actions are float32 ``[*, size]``, unbounded: the world clips them.

    Args:
        mean: float32 ``[*, size]``.
        log_std: float32, broadcast to ``mean``.
    """

    def __init__(self, mean: Tensor, log_std: Tensor) -> None:
        self.mean = mean
        self.log_std = log_std.expand_as(mean)

    def sample(self, noise: Tensor) -> Tensor:
        return self.mean + self.log_std.exp() * torch.special.ndtri(noise)

    def mode(self) -> Tensor:
        return self.mean

    def log_prob(self, action: Tensor) -> Tensor:
        deviation = (action - self.mean) * (-self.log_std).exp()
        return -(0.5 * deviation.square() + self.log_std + 0.5 * math.log(2 * math.pi)).sum(dim=-1)

    def entropy(self) -> Tensor:
        return (self.log_std + 0.5 * math.log(2 * math.pi * math.e)).sum(dim=-1)

    def __getitem__(self, index: Any) -> Self:
        return type(self)(self.mean[index], self.log_std[index])
