"""The Learner contract: what turns rollouts into better agents."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from farlands.learning.rollout import Rollout


class Learner(ABC):
    """Improves one agent from its own rollouts."""

    @abstractmethod
    def update(self, rollout: Rollout, rewards: Tensor, progress: float) -> dict[str, Tensor | float]:
        """Learn from one rollout.

        Args:
            rollout: What the agent lived through, T steps of R rows.
            rewards: float32 ``[T, R, V]``, one stream per value head.
            progress: Share of the run that is done, in [0, 1]; schedules follow it.

        Returns:
            Metrics by name; tensors are 0-dimensional and still on the device.
        """

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything besides the agent's parameters that the next update depends on: nested dicts, tensors, numbers."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put a ``state_dict`` back."""
