"""Running normalisers, whose state is part of a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from farlands.learning.peers import ALONE, Peers


class ValueNormaliser:
    """Running mean and standard deviation of returns, per value head.

    Exponential averages of the first two moments, one step per rollout, with the bias of their start removed. Agents
    give values in these units; when the units move, PopArt (van Hasselt et al. 2016) moves the value heads with them.

    Args:
        heads: V.
        device: Where values live.
        rate: Weight of the newest rollout.
        least_std: Floor of the standard deviation, in units of reward.
        peers: Whose rollouts count together.
    """

    def __init__(
        self,
        heads: int,
        device: torch.device | str = "cpu",
        rate: float = 0.03,
        least_std: float = 1e-4,
        peers: Peers = ALONE,
    ) -> None:
        self.rate, self.least_std, self.peers = rate, least_std, peers
        self.weight = torch.zeros((), dtype=torch.float64, device=device)
        self.moments = torch.zeros(2, heads, dtype=torch.float64, device=device)
        self.mean = torch.zeros(heads, device=device)
        self.std = torch.ones(heads, device=device)

    def update(self, returns: Tensor) -> tuple[Tensor, Tensor]:
        """Take in the returns of one rollout, float32 ``[T, R, V]``; all or, where one is not finite, none of them.

        Returns:
            Scale and shift, float32 ``[V]``: a value v in the old units is ``scale * v + shift`` in the new ones.
        """
        before = self.state_dict()
        flat = returns.flatten(0, -2).double()
        self.moments.lerp_(self.peers.mean(torch.stack((flat, flat.square()), dim=1)), self.rate)
        self.weight += self.rate * (1 - self.weight)
        mean, square = self.moments / self.weight
        self.mean.copy_(mean)
        self.std.copy_((square - mean.square()).clamp(min=self.least_std**2).sqrt())
        undo_unless_finite(self, before)
        return before["std"] / self.std, (before["mean"] - self.mean) / self.std

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
            raise ValueError(
                f"normaliser of {state['moments'].shape[-1]} value heads; expected {self.moments.shape[-1]}"
            )
        for name in ("weight", "moments", "mean", "std"):
            getattr(self, name).copy_(state[name])


class RunningMoments:
    """Mean and standard deviation of everything seen so far, combined batch by batch (Chan et al. 1979), in float64.

    Args:
        shape: Of one sample.
        device: Where samples live.

    Attributes:
        peers: Whose samples count together.
    """

    peers: Peers = ALONE

    def __init__(self, shape: tuple[int, ...], device: torch.device | str = "cpu") -> None:
        self.count = torch.zeros((), dtype=torch.float64, device=device)
        self.average = torch.zeros(shape, dtype=torch.float64, device=device)
        self.squares = torch.zeros(shape, dtype=torch.float64, device=device)

    @property
    def mean(self) -> Tensor:
        """float32, of the sample's shape; 0 before anything was seen."""
        return self.average.float()

    @property
    def std(self) -> Tensor:
        """float32, of the sample's shape; 0 before anything was seen."""
        return (self.squares / self.count.clamp(min=1.0)).sqrt().float()

    def update(self, samples: Tensor) -> None:
        """Take in samples ``[N, *shape]``, of which every process gives some; all or, if one is not finite, none."""
        before = self.state_dict()
        average, variance = self.peers.moments(samples)
        count = self.peers.sum_(torch.full_like(self.count, len(samples)))
        gap, total = average - self.average, self.count + count
        self.squares += variance * count + gap.square() * (self.count * count / total)
        self.average += gap * (count / total)
        self.count.copy_(total)
        undo_unless_finite(self, before)

    def state_dict(self) -> dict[str, Tensor]:
        """What has been seen."""
        return {name: getattr(self, name).clone() for name in ("count", "average", "squares")}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Put a ``state_dict`` back.

        Raises:
            ValueError: Samples have another shape.
        """
        if state["average"].shape != self.average.shape:
            found, expected = tuple(state["average"].shape), tuple(self.average.shape)
            raise ValueError(f"moments of samples of shape {found}; expected {expected}")
        for name in ("count", "average", "squares"):
            getattr(self, name).copy_(state[name])


def undo_unless_finite(normaliser: ValueNormaliser | RunningMoments, before: Mapping[str, Tensor]) -> None:
    """Put a normaliser's ``state_dict`` back if anything in it is no longer finite; decided on the device.

    One bad number would otherwise stay in every average for good.
    """
    good = torch.stack([getattr(normaliser, name).isfinite().all() for name in before]).all()
    for name, value in before.items():
        now = getattr(normaliser, name)
        now.copy_(torch.where(good, now, value))
