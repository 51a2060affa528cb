"""What a run shows while it lives: a table redrawn in place on a terminal, plain lines elsewhere.

Nothing here imports torch, so that something is on the screen before the heavy libraries load.
"""

from __future__ import annotations

import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TextIO

_WINDOW = 512
"""Episodes that shown means are taken over."""
_PHASES = ("collect", "reward", "learn", "log", "save")


@dataclass
class Recent:
    """Means over about the last ``_WINDOW`` episodes, from means per update."""

    rows: deque[Mapping[str, float]] = field(default_factory=deque)
    count: float = 0.0
    total: float = 0.0

    def add(self, row: Mapping[str, float]) -> None:
        """Take in the figures of one update."""
        ended = row.get("episode/count", 0.0)
        if not ended:
            return
        self.rows.append(row)
        self.count += ended
        self.total += ended
        while self.count - self.rows[0]["episode/count"] >= _WINDOW:
            self.count -= self.rows.popleft()["episode/count"]

    def mean(self, name: str) -> float:
        """Mean of a figure over these episodes; NaN before the first."""
        if not self.rows:
            return float("nan")
        return sum(row[name] * row["episode/count"] for row in self.rows) / self.count

    def achievements(self) -> dict[str, float]:
        """Share of episodes with each achievement, those never seen left out, the commonest first."""
        names = [name for name in (self.rows[-1] if self.rows else ()) if name.startswith("achievement/")]
        rates = {name.removeprefix("achievement/"): self.mean(name) for name in names}
        return dict(sorted(((n, r) for n, r in rates.items() if r > 0), key=lambda item: -item[1]))


class Display(ABC):
    """Where a run tells people how it goes."""

    @abstractmethod
    def status(self, text: str) -> None:
        """What is being waited for."""

    @abstractmethod
    def note(self, text: str) -> None:
        """A line that stays."""

    @abstractmethod
    def alarm(self, name: str, text: str) -> None:
        """Something goes wrong, until ``calm`` is told of it."""

    @abstractmethod
    def calm(self, name: str, text: str) -> None:
        """What ``alarm`` told of is over."""

    @abstractmethod
    def begin(self, title: str, total: int) -> None:
        """Training begins.

        Args:
            title: World, device, directory.
            total: Steps to be trained.
        """

    @abstractmethod
    def update(self, row: Mapping[str, float]) -> None:
        """Figures of one update, as in ``metrics.jsonl``."""

    def close(self) -> None:
        """Leave the last picture standing."""

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class NoDisplay(Display):
    """Shows nothing: for processes that leave it to the first."""

    def status(self, text: str) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def begin(self, title: str, total: int) -> None:
        pass

    def update(self, row: Mapping[str, float]) -> None:
        pass

    def alarm(self, name: str, text: str) -> None:
        pass

    def calm(self, name: str, text: str) -> None:
        pass


def make_display(*, errors: bool = False) -> Display:
    """The live display on a terminal, lines elsewhere; on standard error if ``errors``, when output is for programs."""
    stream = sys.stderr if errors else sys.stdout
    return LiveDisplay(stream) if stream.isatty() else LineDisplay(stream)


class LineDisplay(Display):
    """One line for each status and, at most every ``seconds``, for the figures."""

    def __init__(self, stream: TextIO, seconds: float = 10.0) -> None:
        self._stream, self._seconds = stream, seconds
        self._next = self._next_status = 0.0
        self._subject = ""
        self._recent = Recent()

    def status(self, text: str) -> None:
        subject = text.partition(":")[0]
        if subject == self._subject and time.monotonic() < self._next_status:
            return
        self._subject, self._next_status = subject, time.monotonic() + self._seconds
        self.note(f"{text} ...")

    def note(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def alarm(self, name: str, text: str) -> None:
        self.note(f"ALARM {name}: {text}")

    def calm(self, name: str, text: str) -> None:
        self.note(f"alarm {name}: {text}")

    def begin(self, title: str, total: int) -> None:
        self.note(title)

    def update(self, row: Mapping[str, float]) -> None:
        self._recent.add(row)
        if time.monotonic() < self._next and row["progress"] < 1:
            return
        self._next = time.monotonic() + self._seconds
        self.note(describe_progress(row, self._recent))


def describe_progress(row: Mapping[str, float], recent: Recent) -> str:
    """The figures of an update on one line."""
    parts = [f"step {int(row['step']):,} ({row['progress']:.0%})", f"{row['steps_per_second']:,.0f} steps/s"]
    if recent.rows:
        parts.append(f"return {recent.mean('episode/return'):.2f}")
        parts.append(f"length {recent.mean('episode/length'):.0f}")
    parts += [f"{name} {rate:.0%}" for name, rate in list(recent.achievements().items())[:4]]
    return "  ".join(parts)


class LiveDisplay(Display):
    """A table that is redrawn in place."""

    def __init__(self, stream: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(file=stream)
        self._status, self._since = "starting", time.monotonic()
        self._title, self._total = "", 1
        self._row: Mapping[str, float] = {}
        self._left = 0.0
        self._recent, self._returns = Recent(), deque[float](maxlen=48)
        self._spent: dict[str, float] = {}
        self._alarms: dict[str, str] = {}
        self._live = Live(console=self._console, get_renderable=self._render, refresh_per_second=4, transient=False)
        self._live.start()

    def status(self, text: str) -> None:
        self._status, self._since = text, time.monotonic()

    def note(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False)

    def alarm(self, name: str, text: str) -> None:
        self._alarms[name] = text

    def calm(self, name: str, text: str) -> None:
        if self._alarms.pop(name, None):
            self.note(f"alarm {name}: {text}")

    def begin(self, title: str, total: int) -> None:
        self._title, self._total, self._status = title, total, ""

    def update(self, row: Mapping[str, float]) -> None:
        before = self._row or {"progress": 0.0, "seconds": 0.0}
        pace = (row["progress"] - before["progress"]) / max(row["seconds"] - before["seconds"], 1e-9)
        self._left = (1 - row["progress"]) / max(pace, 1e-9)
        self._row = row
        self._recent.add(row)
        if "episode/return" in row:
            self._returns.append(row["episode/return"])
        for name in _PHASES:
            self._spent[name] = self._spent.get(name, 0.0) + row.get(f"time/{name}", 0.0)

    def close(self) -> None:
        if not self._row:
            self._live.transient = True
        self._live.stop()

    def _render(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        if not self._row:
            return Spinner("dots", f"{self._title} {self._status} {time.monotonic() - self._since:.0f} s".strip())
        parts = [Text(self._title, style="bold"), self._progress(), *self._ringing(), Text(), self._tables()]
        return Group(*parts, *([Spinner("dots", self._status)] if self._status else []))

    def _progress(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        row, grid = self._row, Table.grid(padding=(0, 2))
        grid.add_row(
            ProgressBar(total=1.0, completed=row["progress"], width=30),
            f"{row['progress']:4.0%}",
            f"{_short(row['step'])} of {_short(self._total)} steps",
            f"{row['steps_per_second']:,.0f} steps/s",
            f"{int(self._left) // 60}:{int(self._left) % 60:02} left",
        )
        return grid

    def _ringing(self) -> list[Any]:
        from rich.text import Text

        return [Text(f"{name}: {text}", style="bold red") for name, text in list(self._alarms.items())]

    def _tables(self) -> Any:
        from rich.columns import Columns

        return Columns([self._learning_table(), self._time_table()], padding=(0, 4))

    def _learning_table(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        table.add_row("episodes", f"{self._recent.total:,.0f}", "")
        table.add_row("return", f"{self._recent.mean('episode/return'):.2f}", sparkline(self._returns))
        table.add_row("length", f"{self._recent.mean('episode/length'):.0f}", "")
        room = max(3, self._console.size.height - 12 - 2 * len(self._alarms))
        for name, rate in list(self._recent.achievements().items())[:room]:
            table.add_row(name, f"{rate:4.0%}", Text("━" * round(24 * rate), style="green"))
        return table

    def _time_table(self) -> Any:
        from rich.table import Table

        table, whole = Table.grid(padding=(0, 2)), sum(self._spent.values()) or 1.0
        for name, seconds in self._spent.items():
            table.add_row(name, f"{seconds / whole:4.0%}", f"{self._row.get(f'time/{name}', 0.0) * 1000:,.0f} ms")
        for name in ("entropy", "approx_kl", "explained_variance"):
            if f"learn/{name}" in self._row:
                table.add_row(name.replace("_", " "), f"{self._row[f'learn/{name}']:.3f}", "")
        return table


def sparkline(values: Any) -> str:
    """A row of blocks as high as the values."""
    values = [value for value in values if value == value]
    if not values:
        return ""
    low, high = min(values), max(values)
    scale = 7 / (high - low) if high > low else 0.0
    return "".join("▁▂▃▄▅▆▇█"[int((value - low) * scale)] for value in values)


def _short(count: float) -> str:
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if count >= size:
            return f"{count / size:.4g}{unit}"
    return f"{count:.0f}"
