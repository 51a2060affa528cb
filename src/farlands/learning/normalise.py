"""Running normalisers, whose state is part of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class ValueNormaliser:
    """Running mean and standard deviation of returns, per value head.

    Exponential averages of the first two moments, one step per rollout, with the bias of their start removed. Agents
    give values in these units; when the units move, PopArt (van Hasselt et al. 2016) moves the value heads with them.

    Args:
        heads: V.
        device: Where values live.
        rate: Weight of the newest rollout.
        least_std: Floor of the standard deviation, in units of reward.
    """

    def __init__(self, heads: int, device: torch.device | str = "cpu", rate: float = 0.03, least_std: float = 1e-4):
        self.rate, self.least_std = rate, least_std
        self.weight = torch.zeros((), dtype=torch.float64, device=device)
        self.moments = torch.zeros(2, heads, dtype=torch.float64, device=device)
        self.mean = torch.zeros(heads, device=device)
        self.std = torch.ones(heads, device=device)

    def update(self, returns: Tensor) -> tuple[Tensor, Tensor]:
        """Take in the returns of one rollout, float32 ``[T, R, V]``.

        Returns:
            Scale and shift, float32 ``[V]``: a value v in the old units is ``scale * v + shift`` in the new ones.
        """
        flat = returns.flatten(0, -2).double()
        self.moments.lerp_(torch.stack((flat.mean(dim=0), flat.square().mean(dim=0))), self.rate)
        self.weight += self.rate * (1 - self.weight)
        mean, square = self.moments / self.weight
        old_mean, old_std = self.mean.clone(), self.std.clone()
        self.mean.copy_(mean)
        self.std.copy_((square - mean.square()).clamp(min=self.least_std**2).sqrt())
        return old_std / self.std, (old_mean - self.mean) / self.std

    def normalise(self, values: Tensor) -> Tensor:
        """Units of reward to normalised units, ``[*, V]``."""
        return (values - self.mean) / self.std

    def denormalise(self, values: Tensor) -> Tensor:
        """Normalised units to units of reward, ``[*, V]``."""
        return values * self.std + self.mean

    def state_dict(self) -> dict[str, Tensor]:
        """The averages, and the units in use."""
        return {name: getattr(self, name).clone() for name in ("weight", "moments", "mean", "std")}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Put a ``state_dict`` back.

        Raises:
            ValueError: It has another number of heads.
        """
        if state["moments"].shape != self.moments.shape:
            raise ValueError(f"normaliser of {state['moments'].shape[-1]} value heads; expected {self.moments.shape[-1]}")
        for name in ("weight", "moments", "mean", "std"):
            getattr(self, name).copy_(state[name])
