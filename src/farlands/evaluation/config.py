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


@dataclass(frozen=True)
class Axis:
    """One thing that may differ from training. Values are as they stand on a command line, lists joined by ``+``.

    Attributes:
        name: Of the world's option or the perturbation.
        what: What a value means, for readers of reports.
        default: The value of the unchanged world.
        train: Values at the edge of what training may draw.
        held_out: Values beyond it, kept for testing.
        sense: Key of the observation array that shows it; empty where it shows in every one.
    """

    name: str
    what: str
    default: str
    train: tuple[str, ...]
    held_out: tuple[str, ...]
    sense: str = ""

    def values(self, part: str) -> tuple[str, ...]:
        """Those of a part of ``PARTS``."""
        return self.train if part == "train" else self.held_out


PARTS: tuple[str, ...] = ("train", "held-out")
"""Ranges of an axis: what training may draw, and what is kept for testing."""

PROTOCOLS: dict[str, Size] = {
    "basic": Size(episodes=512, clips=False),
    "quick": Size(episodes=256, max_steps=2_000, training_levels=256, varied=64),
    "standard": Size(episodes=1_000, training_levels=1_000, varied=256),
    "full": Size(episodes=10_000, training_levels=10_000, varied=1_000),
    "robust": Size(episodes=256, max_steps=2_000, varied=256, clips=False),
}
"""``quick`` takes minutes on two cores; ``standard`` speaks about rates of 0.3 %, ``full`` of 0.03 %; ``robust`` asks
what is kept when something differs."""

GENERIC_AXES: tuple[Axis, ...] = (
    Axis(
        "observation_noise", "Noise on what it senses: its standard deviation as a share of each array's range.",
        "0", ("0.01", "0.03"), ("0.1", "0.2"),
    ),
    Axis(
        "observation_loss", "It sees nothing at each step with the chance shown.",
        "0", ("0.05", "0.1"), ("0.25", "0.5"),
    ),
    Axis(
        "action_delay", "Each of its actions is carried out that many steps after it was sent.",
        "0", ("1",), ("2", "4"),
    ),
    Axis(
        "action_failure", "Each of its actions fails with the chance shown, as if it had done nothing.",
        "0", ("0.05", "0.1"), ("0.25", "0.5"),
    ),
)  # fmt: skip
"""What every world has: see ``farlands.worlds.perturbations``."""

AXES: dict[str, tuple[Axis, ...]] = {
    "voxel": (
        Axis(
            "texture_seed", "Other hues and grain of everything; training may draw seeds below 1,000.",
            "0", ("1", "2"), ("1001", "1002"), "pixels",
        ),
        Axis(
            "gamma", "Pictures are brighter (below 1) or darker (above 1).",
            "1.0", ("0.8", "1.25"), ("0.5", "2.0"), "pixels",
        ),
        Axis("gravity", "How fast things fall, as a factor.", "1.0", ("0.8", "1.15"), ("0.5", "1.3")),
        Axis("mining_speed", "How fast blocks break, as a factor.", "1", ("2",), ("4",)),
        Axis(
            "altered_rules", "Other recipes, smelting and drops; one alteration in five is held out.",
            "0", ("2", "3"), ("1", "8"),
        ),
        Axis("spawn_rate", "How readily monsters appear, as a factor.", "1.0", ("0.5", "1.5"), ("0.0", "2.0")),
        Axis("day_length", "How many ticks a day lasts.", "24000", ("18000", "30000"), ("8000", "60000")),
        Axis(
            "biomes", "Which kinds of land there are; snow and mountains are held out.",
            "", ("plains+forest", "ocean+plains+forest+desert"), ("snow+mountains", "snow"),
        ),
    ),
}  # fmt: skip
"""Options of built-in worlds that the protocols vary one at a time."""

PERTURBATIONS: tuple[str, ...] = tuple(axis.name for axis in GENERIC_AXES)
