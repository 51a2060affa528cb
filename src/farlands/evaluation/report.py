"""What an evaluation found: for the terminal, as Markdown and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from farlands.evaluation.statistics import Estimate, bootstrap_interval, interquartile_mean, wilson_interval
from farlands.worlds.world import Episodes


@dataclass(frozen=True)
class Report:
    """An agent's episodes, beside those of a baseline on the same levels.

    Attributes:
        title: What was measured where.
        achievements: Names, in the order of ``Episodes.achievements``.
        agent, baseline: Episodes; no baseline if None.
        facts: How it was measured, as JSON data.
        agent_name, baseline_name: Column headings.
    """

    title: str
    achievements: tuple[str, ...]
    agent: Episodes
    baseline: Episodes | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    agent_name: str = "agent"
    baseline_name: str = "random"

    @property
    def actors(self) -> dict[str, Episodes]:
        """Episodes by column heading."""
        columns = {self.agent_name: self.agent}
        return columns | ({self.baseline_name: self.baseline} if self.baseline is not None else {})

    def rates(self, episodes: Episodes) -> dict[str, Estimate]:
        """Share of episodes with each achievement, with Wilson intervals."""
        counts = (episodes.achievements > 0).sum(axis=0)
        return {
            name: wilson_interval(int(count), len(episodes))
            for name, count in zip(self.achievements, counts, strict=True)
        }

    def to_json(self) -> dict[str, Any]:
        """All figures."""
        return {"title": self.title, **self.facts, "actors": {k: self._figures(v) for k, v in self.actors.items()}}

    def to_markdown(self) -> str:
        """A page with two tables."""
        heads = list(self.actors)
        lines = [f"# {self.title}", "", f"| | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
        lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in self._summary_rows()]
        if self.achievements:
            lines += ["", f"| achievement | {' | '.join(heads)} |", "|---|" + "---|" * len(heads)]
            lines += [f"| {name.replace('_', ' ')} | {' | '.join(cells)} |" for name, cells in self._rate_rows()]
        lines += ["", "Shares of episodes with 95 % Wilson intervals; means with 95 % bootstrap intervals."]
        lines += [f"- {name.replace('_', ' ')}: {value}" for name, value in self.facts.items()]
        return "\n".join(lines) + "\n"

    def to_table(self) -> Any:
        """For ``rich``: a table, and below it one line for the achievements that nobody reached."""
        from rich.console import Group
        from rich.table import Table

        never = [name for name in self.achievements if all(each[name].value == 0.0 for each in self._rates())]
        table = Table(title=self.title, title_justify="left")
        table.add_column("")
        for name in self.actors:
            table.add_column(name, justify="right")
        for name, cells in self._summary_rows():
            table.add_row(name, *cells)
        table.add_section()
        for name, cells in self._rate_rows():
            if name not in never:
                table.add_row(name.replace("_", " "), *cells)
        return Group(table, self._footnote(never))

    def _rates(self) -> list[dict[str, Estimate]]:
        return [self.rates(each) for each in self.actors.values()]

    def _footnote(self, never: list[str]) -> str:
        text = "means with 95 % bootstrap intervals, shares of episodes with 95 % Wilson intervals"
        if not never:
            return text
        most = max(each[name].high for each in self._rates() for name in never)
        names = ", ".join(name.replace("_", " ") for name in never)
        return f"{text}\nnever (0.0%, at most {most:.1%}): {names}"

    def _summary_rows(self) -> list[tuple[str, list[str]]]:
        columns = list(self.actors.values())
        rows = [("episodes", [f"{len(each):,}" for each in columns])]
        for name in ("reward", "length"):
            estimates = [_mean(getattr(each, name)) for each in columns]
            rows.append(({"reward": "return"}.get(name, name), [_show_mean(one) for one in estimates]))
        if any(each.dropped for each in columns):
            rows.append(("not ended in time", [f"{each.dropped:,}" for each in columns]))
        return rows

    def _rate_rows(self) -> list[tuple[str, list[str]]]:
        rates = self._rates()
        order = sorted(self.achievements, key=lambda name: -rates[0][name].value if len(self.agent) else 0.0)
        return [(name, [_show_share(each[name]) for each in rates]) for name in order]

    def _figures(self, episodes: Episodes) -> dict[str, Any]:
        count = len(episodes)
        causes, ends = np.unique(episodes.cause, return_counts=True)
        return {
            "episodes": count,
            "not_ended_in_time": episodes.dropped,
            "return": _mean(episodes.reward)._asdict(),
            "return_interquartile_mean": interquartile_mean(episodes.reward) if count else None,
            "length": _mean(episodes.length)._asdict(),
            "causes": {str(cause): int(number) for cause, number in zip(causes, ends, strict=True)},
            "achievements": {name: estimate._asdict() for name, estimate in self.rates(episodes).items()},
        }


def _mean(values: np.ndarray) -> Estimate:
    return bootstrap_interval(values) if len(values) else Estimate(float("nan"), float("nan"), float("nan"))


def _show_mean(estimate: Estimate) -> str:
    digits = 0 if abs(estimate.value) >= 100 else 2
    return f"{estimate.value:.{digits}f} ({estimate.low:.{digits}f} to {estimate.high:.{digits}f})"


def _show_share(estimate: Estimate) -> str:
    return f"{estimate.value:.1%} ({estimate.low:.1%} to {estimate.high:.1%})"
