"""What a comparison of variants found: for the terminal, as Markdown and as JSON.

Axis letters: S seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from farlands.evaluation.aggregates import aggregate_interval, interquartile_mean, mean, probability_of_improvement
from farlands.evaluation.statistics import Estimate


@dataclass(frozen=True)
class VariantResult:
    """One variant's runs, one entry per training seed in every array.

    Attributes:
        name: What people know it by.
        flags: What makes it, as given.
        seeds: int ``[S]``.
        figures: By name, float ``[S]``: ``return``, ``length``, ``score``, and achievements as shares in [0, 1], each
            the mean over a run's evaluation episodes; NaN where a run has none.
        steps: int ``[S]``, trained.
        seconds: float ``[S]``, of training.
    """

    name: str
    flags: str
    seeds: np.ndarray
    figures: dict[str, np.ndarray]
    steps: np.ndarray
    seconds: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """Variants beside each other, the first being what the others are held against.

    Attributes:
        title: What was compared.
        metric: The figure that decides.
        variants: In the order given.
        facts: How, as JSON data.
    """

    title: str
    metric: str
    variants: tuple[VariantResult, ...]
    facts: dict[str, Any] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """One row per variant: estimates over seeds of the metric, and against the first variant."""
        first = self.variants[0].figures[self.metric]
        return [self._row(variant, None if index == 0 else first) for index, variant in enumerate(self.variants)]

    def _row(self, variant: VariantResult, first: np.ndarray | None) -> dict[str, Any]:
        values = variant.figures[self.metric]
        scores = values[:, None]
        return {
            "name": variant.name,
            "flags": variant.flags,
            "seeds": len(values),
            "values": values.tolist(),
            "mean": aggregate_interval(scores, mean)._asdict(),
            "interquartile_mean": aggregate_interval(scores, interquartile_mean)._asdict(),
            "better_than_first": None
            if first is None
            else probability_of_improvement(scores, first[:, None])._asdict(),
            "steps": int(variant.steps.mean()),
            "seconds": float(variant.seconds.mean()),
            "steps_per_second": float(variant.steps.sum() / max(variant.seconds.sum(), 1e-9)),
        }

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {
            "title": self.title,
            "metric": self.metric,
            **self.facts,
            "variants": [
                {
                    **row,
                    "training_seeds": variant.seeds.tolist(),
                    "figures": {name: values.tolist() for name, values in variant.figures.items()},
                }
                for row, variant in zip(self.rows(), self.variants, strict=True)
            ],
        }

    def to_markdown(self) -> str:
        """A page with one table, and one of the achievements."""
        heads, rows = self._cells()
        lines = [f"# {self.title}", "", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
        lines += [f"| {' | '.join(row)} |" for row in rows]
        lines += ["", self._footnote()]
        names = self._reached()
        if names:
            lines += ["", f"| share of episodes | {' | '.join(v.name for v in self.variants)} |"]
            lines += ["|---" * (1 + len(self.variants)) + "|"]
            lines += [f"| {name.replace('_', ' ')} | {' | '.join(self._shares(name))} |" for name in names]
            lines += ["", "Mean over seeds, and the lowest to the highest."]
        lines += ["", *(f"- {name.replace('_', ' ')}: {value}" for name, value in self.facts.items())]
        lines += [f"- {v.name}: `{v.flags}`" if v.flags else f"- {v.name}: as it comes" for v in self.variants]
        return "\n".join(lines) + "\n"

    def to_table(self) -> Any:
        """For ``rich``."""
        from rich.console import Group
        from rich.table import Table

        heads, rows = self._cells()
        table = Table(title=self.title, title_justify="left")
        narrow = [index for index, head in enumerate(heads) if head not in ("middle half", "steps")]
        for index in narrow:
            table.add_column(heads[index], justify="right" if index else "left", no_wrap=index > 0)
        for row in rows:
            table.add_row(*(row[index] for index in narrow))
        return Group(table, self._footnote())

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        metric = self.metric.replace("_", " ")
        heads = ["variant", "seeds", metric, "middle half", "beats the first", "steps", "steps/s"]
        return heads, [self._cell_row(row) for row in self.rows()]

    def _cell_row(self, row: dict[str, Any]) -> list[str]:
        better = row["better_than_first"]
        return [
            row["name"],
            str(row["seeds"]),
            _show(Estimate(**row["mean"])),
            f"{row['interquartile_mean']['value']:.3g}",
            "" if better is None else f"{better['value']:.0%} ({better['low']:.0%} to {better['high']:.0%})",
            f"{row['steps']:,}",
            f"{row['steps_per_second']:,.0f}",
        ]

    def _footnote(self) -> str:
        return (
            "Means over training seeds with 95 % bootstrap intervals; the mean of the middle half of the seeds; the "
            "chance that a run of a variant beats one of the first (Agarwal et al. 2021). Few seeds, vague intervals."
        )

    def _reached(self) -> list[str]:
        names = [name for name in self.variants[0].figures if name not in ("return", "length", "score")]
        common = [name for name in names if all(name in variant.figures for variant in self.variants)]
        highest = {name: max(np.nanmax(variant.figures[name]) for variant in self.variants) for name in common}
        return sorted((name for name in common if highest[name] > 0), key=lambda name: -highest[name])

    def _shares(self, name: str) -> list[str]:
        cells = []
        for variant in self.variants:
            values = variant.figures[name]
            cells.append(f"{values.mean():.1%} ({values.min():.1%} to {values.max():.1%})")
        return cells


def _show(estimate: Estimate) -> str:
    return f"{estimate.value:.3g} ({estimate.low:.3g} to {estimate.high:.3g})"
