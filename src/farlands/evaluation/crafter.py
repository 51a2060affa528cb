"""The Crafter protocol (Hafner 2021, arXiv 2109.06780): score over all training episodes inside a budget of steps.

The score is the geometric mean of success rates with an offset: ``exp(mean_i ln(1 + s_i)) - 1``, s_i the percentage of
episodes in which achievement i was unlocked. It is taken per training seed, and then averaged over seeds. It measures
the whole of training; scores of a final policy are not comparable with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from farlands.errors import UserError

BUDGET = 1_000_000
"""Environment steps of the protocol."""
_PREFIX = "achievement."


@dataclass(frozen=True)
class CrafterScore:
    """What one training run reached.

    Attributes:
        score: In percent, 0 to 100.
        rates: Percentage of episodes with each achievement, by name.
        episodes: How many there were.
        length, reward: Mean steps and mean return of an episode.
        steps: Training steps counted: the budget.
        interrupted: Episodes left out because a resume cut them.
    """

    score: float
    rates: Mapping[str, float]
    episodes: int
    length: float
    reward: float
    steps: int
    interrupted: int


def score_rates(rates: np.ndarray) -> np.ndarray:
    """The score of success rates.

    Args:
        rates: float ``[..., N]``, percentages of N achievements.

    Returns:
        float64 ``[...]``, in percent.

    Raises:
        ValueError: A rate is not in [0, 100].
    """
    rates = np.asarray(rates, dtype=np.float64)
    if not ((rates >= 0) & (rates <= 100)).all():
        raise ValueError(f"rates must be percentages from 0 to 100, got {rates.min()} to {rates.max()}")
    return np.expm1(np.log1p(rates).mean(axis=-1))


def score_run(run_dir: str | Path, budget: int = BUDGET, *, partial: bool = False) -> CrafterScore:
    """Score a run of `farlands train` from its record of episodes.

    Episodes count that ended inside the budget, at the resolution of updates; those still running do not.

    Args:
        run_dir: Its directory.
        budget: Training steps to look at.
        partial: Score a run that has trained for less than the budget by what it has, instead of refusing it.

    Raises:
        UserError: There is no such run, it has no achievements or episodes, or it has not reached the budget.
    """
    path = Path(run_dir)
    trained = _trained_steps(path)
    if trained < budget and not partial:
        raise UserError(f"the run {path} has trained for {trained:,} steps", allowed=f"its budget is {budget:,}")
    table = _read_table(path)
    names = [name for name in table.column_names if name.startswith(_PREFIX)]
    if not names:
        raise UserError("no achievements in the episodes of", path, "train in crafter or craftax")
    inside = table["step"].to_numpy() <= budget
    cut = np.array(table["cause"].to_pylist()) == "interrupted"
    counted = inside & ~cut
    if not counted.any():
        raise UserError("no episodes inside the budget in", path, f"it is {budget:,} steps")
    unlocked = np.stack([table[name].is_valid().to_numpy()[counted] for name in names], axis=1)
    rates = 100.0 * unlocked.mean(axis=0)
    return CrafterScore(
        score=float(score_rates(rates)),
        rates={name.removeprefix(_PREFIX): float(rate) for name, rate in zip(names, rates, strict=True)},
        episodes=int(counted.sum()),
        length=float(table["length"].to_numpy()[counted].mean()),
        reward=float(table["reward"].to_numpy()[counted].mean()),
        steps=min(trained, budget),
        interrupted=int((inside & cut).sum()),
    )


def mean_score(scores: Sequence[CrafterScore]) -> tuple[float, float]:
    """Mean and standard deviation (of the seeds, as published) of the scores of several seeds."""
    values = np.array([score.score for score in scores])
    return float(values.mean()), float(values.std())


def _trained_steps(path: Path) -> int:
    try:
        lines = (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        return int(json.loads(lines[-1])["step"])
    except (OSError, ValueError, IndexError, KeyError, TypeError) as error:
        raise UserError("not a run that has trained:", path, "it has no whole metrics.jsonl") from error


def _read_table(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = sorted((path / "episodes").glob("part-*.parquet"))
    if not parts:
        raise UserError("no episodes in", path, "none has ended, or none is saved yet")
    try:
        return pa.concat_tables([pq.read_table(part) for part in parts])
    except (OSError, pa.ArrowException) as error:
        raise UserError("cannot read the episodes of", path, str(error).splitlines()[0]) from error


METHODS = ("human", "DreamerV2", "PPO", "Rainbow", "Plan2Explore", "RND", "random")
"""Whose published success rates ``PUBLISHED`` has, in the order of its columns."""

PUBLISHED: dict[str, tuple[float, ...]] = {
    "collect_coal": (86, 14.7, 0.44, 0.01, 0.08, 0.12, 0),
    "collect_diamond": (12, 0, 0, 0, 0, 0, 0),
    "collect_drink": (92, 80.0, 30.3, 24.0, 48.7, 52.1, 9.3),
    "collect_iron": (53, 0.01, 0, 0, 0, 0, 0),
    "collect_sapling": (67, 86.6, 66.7, 97.4, 25.5, 34.1, 50.2),
    "collect_stone": (100, 42.8, 3.05, 0.21, 0.47, 0.60, 0.01),
    "collect_wood": (100, 92.7, 83.0, 74.9, 46.8, 49.6, 24.4),
    "defeat_skeleton": (31, 2.57, 0.25, 0.69, 0.25, 0.28, 0.02),
    "defeat_zombie": (84, 53.1, 1.96, 39.6, 0.18, 0.29, 0.14),
    "eat_cow": (89, 17.2, 12.0, 26.1, 0.67, 0.95, 0.38),
    "eat_plant": (8, 0.07, 0, 0, 0, 0.01, 0.01),
    "make_iron_pickaxe": (26, 0, 0, 0, 0, 0, 0),
    "make_iron_sword": (22, 0, 0, 0, 0, 0, 0),
    "make_stone_pickaxe": (78, 0.18, 0.04, 0.01, 0.01, 0.01, 0),
    "make_stone_sword": (78, 0.27, 0.05, 0, 0, 0, 0),
    "make_wood_pickaxe": (100, 59.6, 21.1, 4.79, 3.31, 2.48, 0.32),
    "make_wood_sword": (45, 40.2, 20.1, 9.76, 3.28, 2.59, 0.32),
    "place_furnace": (32, 1.77, 0.07, 0, 0.01, 0.05, 0),
    "place_plant": (24, 84.4, 65.0, 94.2, 14.0, 21.5, 44.6),
    "place_stone": (90, 29.0, 1.7, 0.04, 0.26, 0.36, 0.01),
    "place_table": (100, 85.7, 66.1, 52.3, 16.3, 16.7, 4.4),
    "wake_up": (73, 92.8, 92.5, 93.3, 47.8, 7.8, 93.6),
}
"""Percentages of episodes with each achievement, pooled over seeds, from the files that danijar/crafter-baselines
publishes: 100 human episodes, and a million steps of each agent, the last three of them without reward."""

PUBLISHED_SCORES = (52.0, 10.8, 4.6, 4.4, 2.1, 2.0, 1.55)
"""What the columns of ``PUBLISHED`` score; papers have 50.5 and 10.0 for the first two, means over groups or seeds."""
