"""Choices about rewards. Free of torch, so that command lines can show them quickly."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RNDConfig:
    """Random network distillation (Burda et al. 2018)."""

    weight: float = 0.5
    """Weight of the bonus's advantage beside the task's."""
    keys: tuple[str, ...] = ()
    """Observation arrays whose novelty counts; by default all but the action mask."""
    discount: float = 0.99
    """Discount of the bonus, per step."""
    hidden: int = 128
    """Width of the target and predictor networks."""
    features: int = 64
    """Size of the target's output."""
    learning_rate: float = 3e-4
    """Step size of the predictor's Adam."""
    share: float = 0.25
    """Share of the steps the predictor learns from."""

    def __post_init__(self) -> None:
        for name in ("weight", "hidden", "features", "learning_rate", "share"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
        if self.share > 1:
            raise ValueError(f"share is {self.share}; it must be at most 1")
        if not 0.0 <= self.discount <= 1.0:
            raise ValueError(f"discount is {self.discount}; it must be in [0, 1]")


@dataclass(frozen=True)
class RewardConfig:
    """Which reward sources a run learns from."""

    task_weight: float = 1.0
    """Weight of the world's own reward; 0 leaves it out."""
    sources: tuple[str, ...] = ()
    """Further sources: "rnd", or your own, a RewardSource class or a function of the rollout, as "file.py:name" or
    "module:name"."""
    rnd: RNDConfig = field(default_factory=RNDConfig)
    """Random network distillation, when among the sources."""
