"""Choices about the reference worlds. Free of torch, so that command lines can show them quickly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CueCorridorOptions:
    """Choices about the cue corridor."""

    length: int = 4
    """Cells to walk before the doors."""
    horizon: int = 12
    """Steps after which an episode is truncated."""

    def __post_init__(self) -> None:
        if not 1 <= self.length <= 200:
            raise ValueError(f"length is {self.length}; it must be in [1, 200]")
        if self.horizon <= self.length:
            raise ValueError(f"horizon is {self.horizon}; it must be above length, which is {self.length}")


@dataclass(frozen=True)
class CombinationOptions:
    """Choices about the combination lock."""

    lives: int = 3
    """Mistakes that end an episode."""
    horizon: int = 12
    """Steps after which an episode is truncated."""

    def __post_init__(self) -> None:
        for name in ("lives", "horizon"):
            if not 1 <= getattr(self, name) <= 200:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [1, 200]")


@dataclass(frozen=True)
class PointReachOptions:
    """Choices about the point and its target."""

    radius: float = 0.15
    """Distance to the target that counts as reached; the room reaches from -1 to 1."""
    horizon: int = 24
    """Steps after which an episode is truncated."""

    def __post_init__(self) -> None:
        if not 0.0 < self.radius < 1.0:
            raise ValueError(f"radius is {self.radius}; it must be in (0, 1)")
        if self.horizon < 1:
            raise ValueError(f"horizon is {self.horizon}; it must be at least 1")
