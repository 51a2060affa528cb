"""Returns and advantages.

Axis letters: T steps, R rows, V value heads.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class ValueStream:
    """What one value head learns.

    Attributes:
        discount: Per step.
        weight: Of its advantage in the policy's objective.
        episodic: Whether returns end with the episode. A stream that is not episodic flows on through ends (Burda et
            al. 2018, section 2.3).
    """

    discount: float
    weight: float = 1.0
    episodic: bool = True


@functools.cache
def stream_arrays(
    streams: tuple[ValueStream, ...], device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Whether streams are episodic, bool ``[V]``, their discounts and their weights, ``dtype`` ``[V]``; made once."""
    episodic = torch.tensor([stream.episodic for stream in streams], device=device)
    discount = torch.tensor([stream.discount for stream in streams], device=device, dtype=dtype)
    weight = torch.tensor([stream.weight for stream in streams], device=device, dtype=dtype)
    return episodic, discount, weight


def generalised_advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    streams: Sequence[ValueStream],
    gae_lambda: float,
) -> Tensor:
    """Generalised advantage estimates (Schulman et al. 2015, equation 16), float32 ``[T, R, V]``.

    A step that terminated has no value after it. A step that was truncated is bootstrapped from ``next_values``, and no
    advantage flows back over it from the next episode. Streams that are not episodic know no ends.

    Args:
        rewards: float32 ``[T, R, V]``.
        values: float32 ``[T + 1, R, V]``, of every observation.
        next_values: float32 ``[T, R, V]``, of what each step led to (see ``Rollout.next_values``).
        terminated: bool ``[T, R]``.
        truncated: bool ``[T, R]``.
        streams: V of them.
        gae_lambda: Weight of longer estimates, in [0, 1].
    """
    episodic, discount, _ = stream_arrays(tuple(streams), rewards.device, values.dtype)
    going_on = ~(terminated[..., None] & episodic)
    flowing = ~((terminated | truncated)[..., None] & episodic)
    bootstrap = torch.where(episodic, next_values, values[1:])
    advantages = rewards + discount * going_on * bootstrap - values[:-1]
    carry = discount * gae_lambda * flowing
    for t in range(len(advantages) - 2, -1, -1):
        advantages[t].addcmul_(carry[t], advantages[t + 1])
    return advantages
