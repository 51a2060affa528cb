"""Choices about an agent's network. Free of torch, so that command lines can show them quickly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class AgentConfig:
    """Sizes and kinds of an agent's three modules: perception, memory, heads."""

    hidden: int = 128
    """Width of every layer, and of the memory."""
    perception_layers: int = 1
    """Further layers of perception after the one that reads the observation."""
    memory: Literal["mingru", "none"] = "mingru"
    """Recurrent memory: a minimal gated recurrent unit (Feng et al. 2024), or none."""
    memory_layers: int = 1
    """Stacked memory layers."""
    memory_span: int = 256
    """Longest time scale at which memory starts out, in steps."""
    patch: int = 8
    """Side of the square patches, in pixels, into which images are cut."""
    patch_channels: int = 48
    """Features of each patch."""
    patch_layers: int = 1
    """Layers that mix patches."""
    log_std: float = -0.5
    """Initial log standard deviation of continuous actions."""
    network: str = ""
    """A user's own network instead: "file.py:Class" or "module:Class", a subclass of farlands.agents.agent.Agent."""

    def __post_init__(self) -> None:
        for name, least in (
            ("hidden", 1),
            ("perception_layers", 0),
            ("memory_layers", 1),
            ("memory_span", 1),
            ("patch", 1),
            ("patch_channels", 1),
            ("patch_layers", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        if self.memory not in ("mingru", "none"):
            raise ValueError(f"memory is {self.memory!r}; it must be 'mingru' or 'none'")
