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
            update, candidate, mix = gates(norm(features)).float().chunk(3, dim=-1)
            forget = torch.sigmoid(-update) * kept
            states = scan(forget, torch.sigmoid(update) * candidate, before)
            features = torch.lerp(features.float(), states, torch.sigmoid(mix))
            after.append(states[-1])
        return features, after[0] if len(after) == 1 else torch.cat(after, dim=-1)


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
    """``scan`` along time or against it; serial where launches are cheap, in log2(T) doubling passes on a GPU."""
    if decay.is_cuda:
        return _recur_doubling(decay, gain, start, backwards=backwards)
    states = torch.empty_like(gain, memory_format=torch.contiguous_format)
    state = start
    for t in reversed(range(len(gain))) if backwards else range(len(gain)):
        state = torch.addcmul(gain[t], decay[t], state, out=states[t])
    return states


def _recur_doubling(decay: Tensor, gain: Tensor, start: Tensor, *, backwards: bool) -> Tensor:
    """``scan`` by recursive doubling (Hillis & Steele 1986): after pass k each step holds the last 2^k steps composed."""
    if backwards:
        return _recur_doubling(decay.flip(0), gain.flip(0), start, backwards=False).flip(0)
    length, reach = len(gain), 1
    while reach < length:
        gain = torch.cat((gain[:reach], torch.addcmul(gain[reach:], decay[reach:], gain[:-reach])))
        decay = torch.cat((decay[:reach], decay[reach:] * decay[:-reach]))
        reach *= 2
    return torch.addcmul(gain, decay, start)


def make_memory(config: AgentConfig) -> NoMemory | MinGRU:
    """The memory that a config names."""
    if config.memory == "none":
        return NoMemory()
    return MinGRU(config.hidden, config.memory_layers, config.memory_span)
