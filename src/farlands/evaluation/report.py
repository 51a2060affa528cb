"""What an evaluation found: for the terminal, as Markdown and as JSON. ``html.py`` makes the page."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from farlands.evaluation.metrics import Scale, jsonable, summarise
from farlands.evaluation.robustness import Condition, Gap, generalisation_gap, robustness
from farlands.worlds.world import Episodes

Figure = dict[str, float | None]
"""An estimate as JSON data: value, low and high, None where it is undefined or endless."""


@dataclass(frozen=True)
class Report:
    """An agent's episodes, beside those of a baseline on the same levels.

    Attributes:
        title: What was measured where.
        scale: What there is to reach in the world.
        agent, baseline: Episodes on unseen levels; no baseline if None.
        facts: How it was measured, as JSON data.
        trained: The agent's episodes on levels of its own training, None where that was not measured.
        conditions: The agent's episodes where something was changed.
        agent_name, baseline_name: Column headings.
        cost: Seconds, and joules of the GPU or None, that the measurement took.
        later_trials: The agent's second, third, ... trials of those levels, where an episode holds several; ``agent``
            has the first ones.
    """

    title: str
    scale: Scale
    agent: Episodes
    baseline: Episodes | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    trained: Episodes | None = None
    conditions: tuple[Condition, ...] = ()
    agent_name: str = "agent"
    baseline_name: str = "random"
    cost: dict[str, float | None] = field(default_factory=dict)
    later_trials: tuple[Episodes, ...] = ()

    @property
    def actors(self) -> dict[str, Episodes]:
        """Episodes by column heading."""
        columns = {self.agent_name: self.agent}
        return columns | ({self.baseline_name: self.baseline} if self.baseline is not None else {})

    @functools.cached_property
    def figures(self) -> dict[str, dict[str, Any]]:
        """All figures of each actor: see ``metrics.summarise``."""
        return {name: summarise(episodes, self.scale) for name, episodes in self.actors.items()}

    @functools.cached_property
    def gap(self) -> Gap | None:
        """Training levels against unseen ones."""
        return None if self.trained is None else generalisation_gap(self.trained, self.agent, self.scale)

    @functools.cached_property
    def robustness(self) -> dict[str, Any] | None:
        """What is kept where something is changed."""
        return robustness(self.agent, self.conditions) if self.conditions else None

    @functools.cached_property
    def trials(self) -> list[dict[str, Any]]:
        """All figures of each trial; empty where an episode is one."""
        parts = (self.agent, *self.later_trials) if self.later_trials else ()
        return [summarise(episodes, self.scale) for episodes in parts]

    def trial_rows(self) -> list[list[str]]:
        """What came of each trial: its number, how many ended, goal reached, return, length."""
        return [
            [
                str(k), _show_count(each["episodes"]), show_share(each["success"]), show_number(each["return"]),
                show_number(each["length"]),
            ]
            for k, each in enumerate(self.trials, 1)
        ]  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """All figures, every number finite or None."""
        more = {"generalisation_gap": self.gap and self.gap._asdict(), "robustness": self.robustness}
        if self.trials:
            more["trials"] = self.trials
        return jsonable({"title": self.title, **self.facts, "actors": self.figures, **more})

    def summary_rows(self) -> list[tuple[str, list[str]]]:
        """The main figures: name, and a cell for each actor. Rows nobody has a figure for are left out."""
        columns = list(self.figures.values())
        rows = [(name, [show(get(each)) for each in columns]) for name, get, show in _SUMMARY]
        if not any(each["not_ended_in_time"] for each in columns):
            rows = [row for row in rows if row[0] != "not ended in time"]
        rows += [
            (f"{words(each.name)} ({each.unit})", [show_number(figures["measures"][each.name]) for figures in columns])
            for each in self.scale.measures
        ]
        return [row for row in rows if any(cell != NOTHING for cell in row[1])]

    def rate_rows(self) -> list[tuple[str, list[Figure]]]:
        """Achievements that anybody unlocked, the agent's commonest first, with each actor's rate."""
        rates = [each["achievements"] for each in self.figures.values()]
        reached = [name for name in self.scale.achievements if any((each[name]["value"] or 0) > 0 for each in rates)]
        reached.sort(key=lambda name: [-(each[name]["value"] or 0.0) for each in rates])
        return [(name, [each[name] for each in rates]) for name in reached]

    def never(self) -> tuple[list[str], float]:
        """Achievements that nobody unlocked, and the upper end of their intervals."""
        rates = [each["achievements"] for each in self.figures.values()]
        names = [name for name in self.scale.achievements if not any(each[name]["value"] for each in rates)]
        return names, max((each[name]["high"] for each in rates for name in names), default=0.0)

    def to_markdown(self) -> str:
        """A page of tables."""
        heads = list(self.actors)
        lines = [f"# {self.title}", "", *_table(["", *heads], [[name, *cells] for name, cells in self.summary_rows()])]
        if self.scale.achievements:
            halves = [self._half_time(name) for name, _ in self.rate_rows()]
            rows = [
                [words(name), *map(show_share, rates), half]
                for (name, rates), half in zip(self.rate_rows(), halves, strict=True)
            ]
            lines += ["", *_table(["achievement", *heads, f"half of {self.agent_name}'s episodes by step"], rows)]
            lines += ["", self._never_line()] if self.never()[0] else []
        lines += self._trial_lines() + self._gap_lines() + self._robustness_lines()
        lines += ["", f"{EXPLANATION[0].upper()}{EXPLANATION[1:]}.", ""]
        lines += [f"- {words(name)}: {value}" for name, value in self.facts.items()]
        return "\n".join(lines) + "\n"

    def to_table(self) -> Any:
        """For ``rich``: a table, and below it one line for the achievements that nobody reached."""
        from rich.console import Group
        from rich.table import Table

        table = Table(title=self.title, title_justify="left")
        table.add_column("")
        for name in self.actors:
            table.add_column(name, justify="right")
        for name, cells in self.summary_rows():
            table.add_row(name, *cells)
        table.add_section()
        for name, rates in self.rate_rows():
            table.add_row(words(name), *map(show_share, rates))
        notes = [EXPLANATION, *([self._never_line()] if self.never()[0] else []), *self._short_notes()]
        more = []
        if self.trials:
            more.append(_rich_table("Trial after trial on the same levels", TRIAL_HEADS, self.trial_rows()))
        if self.part_rows():
            title = "Share of the return kept when one thing is changed"
            more.append(_rich_table(title, ["", *self.part_heads()], self.part_rows()))
        return Group(table, *more, "\n".join(notes))

    def part_heads(self) -> list[str]:
        """Headings of the columns of ``part_rows`` behind the first."""
        return [f"{part} range" for part in (self.robustness or {"parts": {}})["parts"]]

    def part_rows(self) -> list[list[str]]:
        """Share of the return kept on each axis, a column for each range: axis and cells, then the mean and the worst.

        Where no share is known, the change of the return. Empty where no values of such ranges were measured.
        """
        found = self.robustness
        parts = list(found["parts"].values()) if found else []
        if not found or not parts:
            return []
        axes = [axis for axis, values in found["axes"].items() if any(each["part"] for each in values.values())]
        rows = [[words(axis), *(_show_kept_on(part, axis) for part in parts)] for axis in axes]
        rows.append(["mean over axes", *(_show_kept(part["mean_kept"]) for part in parts)])
        worst = [
            f"{_show_kept(part['worst_kept'])} ({words(part['worst_axis'])})" if part["worst_axis"] else NOTHING
            for part in parts
        ]
        return [*rows, ["worst axis", *worst]]

    def _never_line(self) -> str:
        names, most = self.never()
        return f"never (0.0%, at most {most:.1%}): {', '.join(map(words, names))}"

    def _half_time(self, name: str) -> str:
        times = self.figures[self.agent_name]["first_unlock"].get(name)
        return show_number(times["median"]) if times else NOTHING

    def _short_notes(self) -> list[str]:
        notes = []
        if self.gap:
            notes.append(f"training levels minus unseen ones: return {show_number(self.gap.difference._asdict())}")
        if self.robustness and self.robustness["worst_axis"]:
            kept, worst = self.robustness["mean_kept"], self.robustness["worst_kept"]
            axis = words(self.robustness["worst_axis"])
            notes.append(f"return kept when something is changed: {kept:.0%} on average, {worst:.0%} for {axis}")
        return notes

    def _trial_lines(self) -> list[str]:
        if not self.trials:
            return []
        return ["", "## Trial after trial on the same levels", "", *_table(TRIAL_HEADS, self.trial_rows())]

    def _gap_lines(self) -> list[str]:
        if not self.gap:
            return []
        cells = [show_number(each._asdict()) for each in (self.gap.trained, self.gap.unseen, self.gap.difference)]
        head = ["return on training levels", "on unseen levels", "difference"]
        return ["", "## Generalisation", "", *_table(head, [cells])]

    def _robustness_lines(self) -> list[str]:
        if not self.robustness:
            return []
        rows = [
            [
                words(axis), value, each["part"] or NOTHING, show_number(each["return"]._asdict()),
                show_share(each["kept"]._asdict()),
            ]
            for axis, values in self.robustness["axes"].items()
            for value, each in values.items()
        ]  # fmt: skip
        by_part = self.part_rows()
        kept = ["", *_table(["share kept", *self.part_heads()], by_part)] if by_part else []
        return [
            "",
            "## Robustness",
            "",
            *_table(["changed", "to", "range", "return", "share kept"], rows),
            *kept,
            *self._short_notes()[-1:],
        ]


NOTHING = "–"
TRIAL_HEADS = ["trial", "ended", "goal reached", "return", "length"]
EXPLANATION = (
    "shares of episodes with 95 % Wilson intervals; other figures with 95 % bootstrap or Kaplan-Meier intervals"
)


def words(name: str) -> str:
    """An identifier as people write it."""
    return name.replace("_", " ")


def show_number(figure: Figure | None) -> str:
    """``3.14 (2.9 to 3.3)``; what is unknown or endless as such."""
    if figure is None or figure["value"] is None or not math.isfinite(figure["value"]):
        return NOTHING
    digits = 0 if abs(figure["value"]) >= 100 else 2
    low, high = (_bound(figure[name], digits) for name in ("low", "high"))
    return f"{figure['value']:,.{digits}f} ({low} to {high})"


def show_share(figure: Figure | None) -> str:
    """``31.4% (29.0% to 33.9%)``."""
    if figure is None or figure["value"] is None or not math.isfinite(figure["value"]):
        return NOTHING
    return f"{figure['value']:.1%} ({figure['low']:.1%} to {figure['high']:.1%})"


def _show_kept(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.0%}"


def _show_kept_on(part: dict[str, Any], axis: str) -> str:
    """The share kept on an axis; the change of the return where that is all there is."""
    if axis in part["kept"] or not math.isfinite(part["difference"].get(axis, math.nan)):
        return _show_kept(part["kept"].get(axis))
    return f"return {part['difference'][axis]:+.2f}"


def _bound(value: float | None, digits: int) -> str:
    return "never" if value is None or not math.isfinite(value) else f"{value:,.{digits}f}"


def _show_count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


_SUMMARY: Sequence[tuple[str, Callable[[dict[str, Any]], Any], Callable[[Any], str]]] = (
    ("episodes", lambda f: f["episodes"], _show_count),
    ("not ended in time", lambda f: f["not_ended_in_time"], _show_count),
    ("return", lambda f: f["return"], show_number),
    ("goal reached", lambda f: f["success"], show_share),
    ("score, of 100", lambda f: f["score"], show_number),
    ("achievements an episode", lambda f: f["diversity"].get("per_episode"), show_number),
    ("different achievements", lambda f: f["diversity"].get("distinct"), _show_count),
    ("depth in the tech tree", lambda f: f["depth"], show_number),
    ("greatest depth", lambda f: f["deepest"], _show_count),
    ("steps per achievement", lambda f: f["steps_per_skill"], show_number),
    ("length", lambda f: f["length"], show_number),
    ("steps alive", lambda f: f["survival"]["steps_alive"], show_number),
    ("deaths per 1,000 steps", lambda f: f["survival"]["deaths_per_1000_steps"], show_number),
)
"""Rows of the summary: name, where the figure is, how it is shown."""


def _rich_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for place, name in enumerate(heads):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows)]
