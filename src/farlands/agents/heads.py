"""Heads: features to an action distribution and values, all from one matrix product."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from farlands.agents.config import AgentConfig
from farlands.agents.distributions import Categorical, Distribution, Gaussian, MultiCategorical
from farlands.worlds.world import ActionSpec, Box, Discrete, MultiDiscrete


class Heads(nn.Module):
    """Policy and value heads; subclasses say what the policy's outputs mean.

    Attributes:
        noise_size: K, uniforms that one action consumes.
        value_heads: V.
    """

    noise_size: int

    def __init__(self, features: int, outputs: int, value_heads: int) -> None:
        super().__init__()
        self.value_heads = value_heads
        self.out = nn.Linear(features, outputs + value_heads)
        # A policy that starts near uniform explores, and a value that starts near zero misleads least.
        nn.init.orthogonal_(self.out.weight[:outputs].detach(), gain=0.01)
        nn.init.orthogonal_(self.out.weight[outputs:].detach(), gain=0.1)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> tuple[Distribution, Tensor]:
        """Features ``[*, D]`` and mask ``[*, n]`` to a distribution over ``[*]`` and values float32 ``[*, V]``."""
        out = self.out(features).float()
        return self.distribution(out[..., : -self.value_heads], mask), out[..., -self.value_heads :]

    def distribution(self, outputs: Tensor, mask: Tensor | None) -> Distribution:
        """What the policy's outputs float32 ``[*, outputs]`` mean."""
        raise NotImplementedError

    @torch.no_grad()
    def rescale_values(self, scale: Tensor, shift: Tensor) -> None:
        """Change every value v into ``scale * v + shift``, both float32 ``[V]`` (PopArt, van Hasselt et al. 2016)."""
        self.out.weight[-self.value_heads :].mul_(scale[:, None])
        self.out.bias[-self.value_heads :].mul_(scale).add_(shift)


class CategoricalHeads(Heads):
    """For one choice out of n."""

    noise_size = 1

    def __init__(self, features: int, action: Discrete, value_heads: int) -> None:
        super().__init__(features, action.n, value_heads)

    def distribution(self, outputs: Tensor, mask: Tensor | None) -> Categorical:
        return Categorical(outputs, mask)


class MultiCategoricalHeads(Heads):
    """For several choices at once."""

    def __init__(self, features: int, action: MultiDiscrete, value_heads: int) -> None:
        super().__init__(features, sum(action.nvec), value_heads)
        self.nvec = action.nvec
        self.noise_size = len(action.nvec)

    def distribution(self, outputs: Tensor, mask: Tensor | None) -> MultiCategorical:
        return MultiCategorical(outputs, self.nvec, mask)


class GaussianHeads(Heads):
    """For continuous actions: a mean in units of half the action's range, and a standard deviation of its own."""

    centre: Tensor
    reach: Tensor

    def __init__(self, features: int, action: Box, value_heads: int, log_std: float) -> None:
        super().__init__(features, action.size, value_heads)
        self.noise_size = action.size
        low, high = torch.tensor(action.low), torch.tensor(action.high)
        bounded = torch.isfinite(high - low)
        self.register_buffer("centre", torch.where(bounded, (low + high) / 2, 0.0), persistent=False)
        self.register_buffer("reach", torch.where(bounded, (high - low) / 2, 1.0), persistent=False)
        self.log_std = nn.Parameter(torch.full((action.size,), log_std))

    def distribution(self, outputs: Tensor, mask: Tensor | None) -> Gaussian:
        return Gaussian(self.centre + self.reach * outputs, self.log_std + self.reach.log())


def make_heads(action: ActionSpec, config: AgentConfig, value_heads: int) -> Heads:
    """The heads that suit an action space, reading ``config.hidden`` features."""
    match action:
        case Discrete():
            return CategoricalHeads(config.hidden, action, value_heads)
        case MultiDiscrete():
            return MultiCategoricalHeads(config.hidden, action, value_heads)
        case Box():
            return GaussianHeads(config.hidden, action, value_heads, config.log_std)
    raise TypeError(f"no heads for the action space {action!r}; expected Discrete, MultiDiscrete or Box")
