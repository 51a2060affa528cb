"""Sizes of the protocols and axes of robustness: data, free of torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """How much a protocol measures.

    Attributes:
        episodes: Unseen levels, one episode each.
        max_steps: Steps after which episodes are cut, where the world's own horizon is longer; 0 for that horizon.
        training_levels: Levels of the run's own training lived again, for the generalisation gap.
        varied: Episodes for each value on each axis of robustness.
        clips: Whether the page shows films of the best, a typical and the worst episode.
    """

    episodes: int
    max_steps: int = 0
    training_levels: int = 0
    varied: int = 0
    clips: bool = True


PROTOCOLS: dict[str, Size] = {
    "basic": Size(episodes=512, clips=False),
    "quick": Size(episodes=256, max_steps=2_000, training_levels=256, varied=64),
    "standard": Size(episodes=1_000, training_levels=1_000, varied=256),
    "full": Size(episodes=10_000, training_levels=10_000, varied=1_000),
}
"""``quick`` takes minutes on two cores; ``standard`` speaks about rates of 0.3 %, ``full`` of 0.03 %."""

PERTURBATIONS: dict[str, tuple[str, ...]] = {
    "action_failure": ("0.1", "0.25", "0.5"),
    "observation_loss": ("0.1", "0.25", "0.5"),
}
"""Axes that every world has: see ``farlands.worlds.perturbations``. Values as they stand on a command line."""

AXES: dict[str, dict[str, tuple[str, ...]]] = {
    "voxel": {
        "ticks_per_step": ("2", "3", "6", "8"),
        "start_time": ("6000", "12000", "18000"),
        "sight": ("5", "10", "16"),
    },
}
"""Options of built-in worlds that the protocols vary one at a time, with the values tried."""
