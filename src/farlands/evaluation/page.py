"""What a report's page shows beside the figures: films, learning curves, where it all comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from farlands.evaluation.report import Report


@dataclass(frozen=True)
class Clip:
    """A film of one episode.

    Attributes:
        title: Which episode, e.g. ``"The best episode"``.
        caption: What it shows, in a sentence or two.
        video: An .mp4 file.
        poster: A .jpg file, shown before it plays.
    """

    title: str
    caption: str
    video: bytes
    poster: bytes


@dataclass(frozen=True)
class LearningCurve:
    """How training went. T points in time.

    Attributes:
        steps: float ``[T]``, training steps.
        returns: float ``[T]``, mean return of recent training episodes.
        achievements: Share of recent training episodes with each achievement, float ``[T]``, for the commonest few.
    """

    steps: np.ndarray
    returns: np.ndarray
    achievements: dict[str, np.ndarray]


@dataclass(frozen=True)
class Provenance:
    """Where the figures come from, as JSON data.

    Attributes:
        commands: What to type to train and measure again, in order: what it does, and the command.
        cost: What it took: a name and a phrase for each.
        machine, versions, git: As ``runtime.machine`` describes them.
        given: The training run's settings as given; None without a run.
        resolved: Every setting of the training run, or of the world; resolved.
    """

    commands: list[tuple[str, str]]
    cost: dict[str, str]
    machine: dict[str, Any]
    versions: dict[str, str]
    git: dict[str, Any]
    given: Any = None
    resolved: Any = None

    def to_json(self) -> dict[str, Any]:
        """All but the settings, which lie beside the run."""
        return {
            "commands": [command for _, command in self.commands],
            "cost": self.cost,
            "machine": self.machine,
            "versions": self.versions,
            "git": self.git,
        }


@dataclass(frozen=True)
class Page:
    """All that ``html.render`` needs.

    Attributes:
        report: The figures.
        provenance: Where they come from.
        curve: How training went; None without a run.
        clips: Films, where the world can draw.
        notes: What should be known about the films or their absence.
        meanings: What the world's options mean, by name.
    """

    report: Report
    provenance: Provenance
    curve: LearningCurve | None = None
    clips: tuple[Clip, ...] = ()
    notes: tuple[str, ...] = ()
    meanings: dict[str, str] = field(default_factory=dict)
