"""Memory modules: what an agent carries from step to step, with exact resets where episodes start.

Axis letters: T time, B rows, D features, M memory.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from farlands.agents.config import AgentConfig


class NoMemory(nn.Module):
    """Carries nothing: features pass through and M is 0."""

    size = 0

    def forward(self, features: Tensor, memory: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Features ``[T, B, D]`` as they came, memory ``[B, 0]`` as it came."""
        return features, memory


class MinGRU(nn.Module):
    """Stacked minimal gated recurrent units (Feng et al. 2024, section 3.1), linear-space form.

    Each unit keeps ``h = (1 - z) h + z c``, whose gate z and candidate c see only the features, so that whole sequences
    reduce to a few matrix products and a linear scan. A second gate mixes h into the features (a highway, Srivastava
    et al. 2015), so that memory can be ignored where it does not help.

    Attributes:
        size: M, layers times width.
    """

    def __init__(self, width: int, layers: int, span: int) -> None:
        super().__init__()
        self.width = width
        self.size = width * layers
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.gates = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(layers))
        for gates in self.gates:
            nn.init.orthogonal_(gates.weight)
            nn.init.zeros_(gates.bias)
            # Time scales spread from one step to the whole span (chrono initialisation, Tallec & Ollivier 2018).
            scales = torch.rand(width) * max(span - 2, 0) + 1
            gates.bias.data[:width] = -scales.log()

    def forward(self, features: Tensor, memory: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """Go through sequences.

        Args:
            features: ``[T, B, D]``, D the width.
            memory: float32 ``[B, M]``, from before the first step.
            first: bool ``[T, B]``: memory is cleared before this step.

        Returns:
            Features ``[T, B, D]``, and memory float32 ``[B, M]`` after the last step.
        """
        kept = (~first).float()[..., None]
        after = []
        for layer, (norm, gates) in enumerate(zip(self.norms, self.gates, strict=True)):
            before = memory[:, layer * self.width : (layer + 1) * self.width]
            features, states = remember(features.float(), gates(norm(features)).float(), kept, before)
            after.append(states[-1])
        return features, after[0] if len(after) == 1 else torch.cat(after, dim=-1)


def remember(features: Tensor, gates: Tensor, kept: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
    """One layer's recurrence, ``h[t] = (1 - z[t]) kept[t] h[t - 1] + z[t] c[t]``, mixed into the features.

    Args:
        features: float32 ``[T, B, D]``.
        gates: float32 ``[T, B, 3 D]``: update gate z and mixing gate before their sigmoids, candidate c.
        kept: float32 ``[T, B, 1]``, 0 where memory is cleared first, else 1.
        start: float32 ``[B, D]``, h before the first step.

    Returns:
        Mixed features and states h, both float32 ``[T, B, D]``.
    """
    if len(gates) > 1 and not gates.is_cuda:
        return _Remember.apply(features, gates, kept, start)
    update, mix, candidate = gates.chunk(3, dim=-1)
    states = scan(torch.sigmoid(-update) * kept, torch.sigmoid(update) * candidate, start)
    return torch.lerp(features, states, torch.sigmoid(mix)), states


class _Remember(torch.autograd.Function):
    """``remember`` one time slice after another, so that on a CPU all of a slice's arithmetic stays in the cache."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, gates: Tensor, kept: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        width = features.shape[-1]
        opened = torch.empty_like(gates[..., : 2 * width], memory_format=torch.contiguous_format)
        before, states, mixed = (torch.empty_like(features) for _ in range(3))
        state = start
        for t in range(len(gates)):
            torch.sigmoid(gates[t, :, : 2 * width], out=opened[t])
            update, mix = opened[t].chunk(2, dim=-1)
            torch.mul(state, kept[t], out=before[t])
            state = torch.lerp(before[t], gates[t, :, 2 * width :], update, out=states[t])
            torch.lerp(features[t], state, mix, out=mixed[t])
        ctx.save_for_backward(features, gates, kept, opened, before, states)
        return mixed, states

    @staticmethod
    def backward(ctx: Any, grad_mixed: Tensor, grad_states: Tensor) -> tuple[Tensor, Tensor, None, Tensor]:
        features, gates, kept, opened, before, states = ctx.saved_tensors
        grad_features, grad_gates = torch.empty_like(features), torch.empty_like(gates)
        # The derivative of a sigmoid s is s (1 - s); ``carried`` is what reaches the state from later steps.
        carried = torch.zeros_like(before[0])
        for t in range(len(gates) - 1, -1, -1):
            update, mix = opened[t].chunk(2, dim=-1)
            grad_update, grad_mix, grad_candidate = grad_gates[t].chunk(3, dim=-1)
            through = grad_mixed[t] * mix
            torch.sub(grad_mixed[t], through, out=grad_features[t])
            slope = torch.sub(states[t], features[t]).mul_(through)
            torch.addcmul(slope, slope, mix, value=-1.0, out=grad_mix)
            carried += through
            carried += grad_states[t]
            torch.mul(carried, update, out=grad_candidate)
            slope = torch.sub(gates[t].chunk(3, dim=-1)[2], before[t]).mul_(grad_candidate)
            torch.addcmul(slope, slope, update, value=-1.0, out=grad_update)
            carried = (carried - grad_candidate).mul_(kept[t])
        return grad_features, grad_gates, None, carried


def scan(decay: Tensor, gain: Tensor, start: Tensor) -> Tensor:
    """All states of ``h[t] = decay[t] * h[t - 1] + gain[t]`` with ``h[-1] = start``.

    Args:
        decay: float32 ``[T, B, M]``.
        gain: float32 ``[T, B, M]``.
        start: float32 ``[B, M]``.
    """
    if len(decay) == 1:
        return torch.addcmul(gain, decay, start)
    return _Scan.apply(decay, gain, start)


class _Scan(torch.autograd.Function):
    """The recurrence and its gradient, which is the same recurrence run backwards."""

    @staticmethod
    def forward(ctx: Any, decay: Tensor, gain: Tensor, start: Tensor) -> Tensor:
        states = _recur(decay, gain, start)
        ctx.save_for_backward(decay, states, start)
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decay, states, start = ctx.saved_tensors
        # g[t] = grad[t] + decay[t + 1] * g[t + 1]; nothing follows the last step.
        following = torch.cat((decay[1:], torch.zeros_like(decay[:1])))
        grad_gain = _recur(following, grad, torch.zeros_like(start), backwards=True)
        grad_decay = torch.empty_like(grad_gain)
        torch.mul(grad_gain[0], start, out=grad_decay[0])
        torch.mul(grad_gain[1:], states[:-1], out=grad_decay[1:])
        return grad_decay, grad_gain, decay[0] * grad_gain[0]


def _recur(decay: Tensor, gain: Tensor, start: Tensor, *, backwards: bool = False) -> Tensor:
    """``scan`` along time or against it, by recursive doubling (Hillis & Steele 1986).

    After pass k of log2(T) each step holds its last 2^k steps composed.
    """
    if backwards:
        return _recur(decay.flip(0), gain.flip(0), start).flip(0)
    reach = 1
    while reach < len(gain):
        gain = torch.cat((gain[:reach], torch.addcmul(gain[reach:], decay[reach:], gain[:-reach])))
        decay = torch.cat((decay[:reach], decay[reach:] * decay[:-reach]))
        reach *= 2
    return torch.addcmul(gain, decay, start)


def make_memory(config: AgentConfig) -> NoMemory | MinGRU:
    """The memory that a config names."""
    if config.memory == "none":
        return NoMemory()
    return MinGRU(config.hidden, config.memory_layers, config.memory_span)
