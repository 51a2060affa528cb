"""V-trace: returns and advantages of one policy from what another one did (Espeholt et al. 2018).

Axis letters: T steps, R rows, V value heads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from farlands.learning.returns import ValueStream, stream_arrays


class VTrace(NamedTuple):
    """What to learn from a rollout.

    Attributes:
        targets: float32 ``[T, R, V]``, of the values.
        advantages: float32 ``[T, R, V]``, of the actions; times the clipped ratio of the two policies they are the
            weights of the actions' log probabilities.
    """

    targets: Tensor
    advantages: Tensor


def vtrace(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    log_ratios: Tensor,
    streams: Sequence[ValueStream],
    *,
    rho_clip: float = 1.0,
    trace_clip: float = 1.0,
    trace_lambda: float = 1.0,
) -> VTrace:
    """V-trace targets (Espeholt et al. 2018, equation 1, remark 2) and policy gradients (section 4.2).

    Where both policies are one and nothing is clipped, advantages are generalised advantage estimates and targets are
    they plus the values. Ends are dealt with as there (``generalised_advantages``): a step that terminated has no
    value after it; one that was truncated is bootstrapped from ``next_values``, and nothing flows back over either.
    Streams that are not episodic know no ends.

    Args:
        rewards: float32 ``[T, R, V]``.
        values: float32 ``[T + 1, R, V]``, of every observation, by the policy that learns.
        next_values: float32 ``[T, R, V]``, of what each step led to (see ``Rollout.next_values``).
        terminated: bool ``[T, R]``.
        truncated: bool ``[T, R]``.
        log_ratios: float32 ``[T, R]``, log probability of each action by the policy that learns minus that by the one
            that acted.
        streams: V of them.
        rho_clip: Most weight of a temporal difference (rho bar): sets which policy's value is learned.
        trace_clip: Most weight of what comes after (c bar), no larger than ``rho_clip``: sets how fast it is learned.
        trace_lambda: Weight of longer estimates, in [0, 1].
    """
    episodic, discount, _ = stream_arrays(tuple(streams), rewards.device, values.dtype)
    going_on = ~(terminated[..., None] & episodic)
    flowing = ~((terminated | truncated)[..., None] & episodic)
    bootstrap = torch.where(episodic, next_values, values[1:])
    ratios = log_ratios.exp()[..., None]
    rho, trace = ratios.clamp(max=rho_clip), ratios.clamp(max=trace_clip)
    differences = rewards + discount * going_on * bootstrap - values[:-1]
    carry = discount * trace_lambda * flowing
    excess = rho * differences
    for t in range(len(excess) - 2, -1, -1):
        excess[t].addcmul_(carry[t] * trace[t], excess[t + 1])
    ahead = torch.zeros_like(excess)
    ahead[:-1] = carry[:-1] * excess[1:]
    return VTrace(targets=values[:-1] + excess, advantages=differences + ahead)
