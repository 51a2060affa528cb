"""Choices about learners. Free of torch, so that command lines can show them quickly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PPOConfig:
    """Recurrent proximal policy optimisation (Schulman et al. 2017)."""

    rollout: int = 64
    """Steps that every row takes between updates (T)."""
    epochs: int = 2
    """Passes over each rollout."""
    minibatches: int = 4
    """Minibatches per pass; each holds whole sequences of some rows."""
    chunk: int = 0
    """Split sequences into chunks of this many steps, each starting from stored memory; 0 for whole rollouts."""
    learning_rate: float = 1e-3
    """Step size of Adam at the start."""
    learning_rate_end: float = 0.0
    """Fraction of the step size left at the end of the run; it falls linearly."""
    discount: float = 0.99
    """Discount of the task's reward, per step."""
    gae_lambda: float = 0.95
    """Lambda of generalised advantage estimation (Schulman et al. 2015)."""
    clip: float = 0.2
    """Bound on the change of the probability ratio."""
    value_clip: float = 0.0
    """Bound on the change of a value within an update, in normalised units; 0 for none."""
    value_weight: float = 0.5
    """Weight of the value loss."""
    entropy: float = 0.01
    """Weight of the entropy bonus at the start."""
    entropy_end: float = 0.1
    """Fraction of the entropy weight left at the end of the run; it falls linearly."""
    max_grad_norm: float = 0.5
    """Bound on the norm of the gradient."""
    adam_epsilon: float = 1e-5
    """Epsilon of Adam."""
    normalise_advantages: bool = True
    """Scale advantages of each rollout to mean 0 and standard deviation 1."""
    capture: bool = True
    """On a GPU, capture the whole update as one CUDA graph. Not for networks that ask the host in between."""

    def __post_init__(self) -> None:
        for name, least in (("rollout", 1), ("epochs", 1), ("minibatches", 1), ("chunk", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least {least}")
        for name in ("discount", "gae_lambda", "learning_rate_end", "entropy_end"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [0, 1]")
        for name in ("learning_rate", "clip", "max_grad_norm", "adam_epsilon"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
        for name in ("value_clip", "value_weight", "entropy"):
            if not getattr(self, name) >= 0.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must not be negative")
        if self.chunk and self.rollout % self.chunk:
            raise ValueError(f"chunk is {self.chunk}; it must divide rollout, which is {self.rollout}")

    @property
    def chunks(self) -> int:
        """Sequences that a row's rollout is split into."""
        return self.rollout // self.chunk if self.chunk else 1


@dataclass(frozen=True)
class ImpalaConfig(PPOConfig):
    """Actors apart from the learner: recurrent PPO whose estimates are V-trace's (Espeholt et al. 2018)."""

    rho_clip: float = 1.0
    """Most weight of a temporal difference (rho bar): the larger, the nearer the values learned are to the present
    policy's."""
    trace_clip: float = 1.0
    """Most weight of what comes after a step (c bar), at most rho-clip; gae-lambda is a factor of it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("rho_clip", "trace_clip"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be above 0")
        if self.trace_clip > self.rho_clip:
            raise ValueError(f"trace_clip is {self.trace_clip}; it must be at most rho_clip, which is {self.rho_clip}")
