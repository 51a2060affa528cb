"""What lies in the directories of runs, as JSON data for pages; broken ones are told as broken, never raised."""

from __future__ import annotations

import fcntl
import json
import math
import os
from pathlib import Path
from typing import Any

from farlands.errors import UserError
from farlands.runtime.rundir import RunDirectory
from farlands.studio.access import inside

_MOST_RUNS = 200
_MOST_POINTS = 400
"""Of one curve."""
_CURVES = (
    "episode/return", "episode/length", "steps_per_second", "learn/entropy", "learn/explained_variance",
    "learn/value_loss", "learn/approx_kl", "learn/grad_norm",
)  # fmt: skip
"""Figures that are drawn where a run has them, in this order; every achievement and source of reward besides."""


class Runs:
    """The runs below one directory, or one run.

    Args:
        path: A run's directory, or one that holds some.

    Raises:
        UserError: There is no such directory.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise UserError("no such directory", path, "a run's, or one that holds some; farlands demo makes one")
        self.single = (path / "config.json").is_file()
        self.base = path.parent.absolute() if self.single else path.absolute()
        self.first = path.absolute().name if self.single else ""

    def names(self) -> list[str]:
        """Of all runs, the newest first."""
        if self.single:
            return [self.first]
        found = [path.parent for path in self.base.glob("*/config.json")]
        found.sort(key=_changed, reverse=True)
        return [path.name for path in found[:_MOST_RUNS]]

    def directory(self, name: str) -> RunDirectory:
        """A run by name. Raises UserError where there is none."""
        if name not in self.names():
            raise UserError("no such run", name, self.names() or "there is no run here yet")
        return RunDirectory.open(str(inside(self.base, name)))

    def overview(self) -> list[dict[str, Any]]:
        """Every run in a few words."""
        return [self._sketch(name) for name in self.names()]

    def describe(self, name: str) -> dict[str, Any]:
        """One run: its settings, its checkpoints, replays, and reports. Raises UserError where it is broken."""
        directory = self.directory(name)
        config = directory.read_config()
        path = directory.path
        return {
            **self._sketch(name),
            "settings": json.loads((path / "config.json").read_text(encoding="utf-8")),
            "task": getattr(config.options, "task", ""),
            "num_worlds": config.num_worlds,
            "depths": _depths(config.options),
            "checkpoints": sorted(each.name for each in directory.checkpoints.glob("step-*")),
            "replays": sorted(str(each.relative_to(path)) for each in path.glob("**/*.replay"))[:500],
            "reports": sorted(str(each.relative_to(path)) for each in path.glob("**/*.html"))[:50],
        }

    def figures(self, name: str) -> dict[str, Any]:
        """One run's figures so far: see ``Curves.tell``. Raises UserError where there is no such run."""
        curves = Curves(self.directory(name).metrics)
        while curves.read_on():
            pass
        return curves.tell()

    def _sketch(self, name: str) -> dict[str, Any]:
        path = self.base / name
        told: dict[str, Any] = {"name": name, "running": is_running(path), "changed": _changed(path)}
        try:
            config = json.loads((path / "config.json").read_text(encoding="utf-8"))
            told |= {"world": Path(str(config["world"])).name, "target": int(config["steps"])}
        except (OSError, ValueError, KeyError, TypeError):
            return told | {"broken": "its config.json cannot be read"}
        row = _last_row(path / "metrics.jsonl")
        told |= {"step": row.get("step", 0), "seconds": row.get("seconds"), "return": row.get("episode/return")}
        return told


def is_running(path: Path) -> bool:
    """Whether a process is carrying the run in a directory."""
    try:
        handle = os.open(path / ".lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(handle, fcntl.LOCK_UN)
        return False
    except OSError:
        return True
    finally:
        os.close(handle)


class Curves:
    """A run's figures as they grow, read on from where the last reading ended.

    Args:
        path: The ``metrics.jsonl``.

    Attributes:
        last: The newest value of every figure; an update in which no episode ended, say, has no return.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._place = path, 0
        self._rows: list[dict[str, Any]] = []
        self.last: dict[str, Any] = {}

    def read_on(self) -> bool:
        """Take in what has been written since; False where nothing has."""
        try:
            if self._path.stat().st_size < self._place:
                # A resume took rows back.
                self._place, self._rows, self.last = 0, [], {}
            with self._path.open("rb") as file:
                file.seek(self._place)
                data = file.read(1 << 24)
        except OSError:
            return False
        end = data.rfind(b"\n") + 1
        rows = [row for line in data[:end].splitlines() if (row := _row(line))]
        self._place += end
        if not rows:
            return False
        self._rows += rows
        self._thin()
        for row in rows:
            self.last |= row
        return True

    def tell(self) -> dict[str, Any]:
        """Curves by name as ``[[step, value], ...]``, the newest row's phases, alarms and costs, and the feats."""
        names = [name for name in _CURVES if name in self.last]
        names += [name for name in self.last if name.startswith(("reward/", "measure/"))][:12]
        feats = {name[12:]: value for name, value in self.last.items() if name.startswith("achievement/")}
        return {
            "curves": {name: self._curve(name) for name in names},
            "feats": {name: self._best(f"achievement/{name}", value) for name, value in feats.items()},
            "phases": {name[5:]: value for name, value in self.last.items() if name.startswith("time/")},
            "energy": {name: value for name, value in self.last.items() if name.startswith(("energy/", "joules"))},
            "alarms": self._alarms(),
            "now": {name: self.last.get(name) for name in ("step", "seconds", "progress", "steps_per_second")},
        }

    def _alarms(self) -> dict[str, str]:
        """What those that ring said when they began to, by name."""
        said: dict[str, str] = {}
        try:
            for line in (self._path.parent / "alarms.jsonl").read_text(encoding="utf-8").splitlines():
                ring = json.loads(line)
                said[str(ring["name"])] = str(ring["text"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        ringing = [name[6:] for name, value in self.last.items() if name.startswith("alarm/") and value]
        return {name: said.get(name, "") for name in ringing}

    def _curve(self, name: str) -> list[list[float]]:
        return [[row["step"], row[name]] for row in self._rows if row.get(name) is not None]

    def _best(self, name: str, now: Any) -> list[float]:
        """The newest share, and the largest there was."""
        values = [row[name] for row in self._rows if row.get(name) is not None]
        return [now or 0.0, max(values, default=0.0)]

    def _thin(self) -> None:
        """Every second row goes once there are too many, the newest stays."""
        while len(self._rows) > 2 * _MOST_POINTS:
            self._rows = [*self._rows[:-1:2], self._rows[-1]]


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not isinstance(row.get("step"), int | float):
        return None
    return {name: value for name, value in row.items() if isinstance(value, int | float) and math.isfinite(value)}


def _depths(options: Any) -> dict[str, int]:
    """How many acts, each resting on the one before, an achievement takes; empty where that is not known."""
    if not hasattr(options, "cube"):
        return {}
    from farlands.worlds.voxel.achievements import ACHIEVEMENTS
    from farlands.worlds.voxel.depths import achievement_depths

    return dict(zip((each.name for each in ACHIEVEMENTS), achievement_depths(), strict=True))


def _last_row(path: Path) -> dict[str, Any]:
    """The newest value of every figure in the last rows."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - (1 << 15)))
            lines = file.read().splitlines()
    except OSError:
        return {}
    known: dict[str, Any] = {}
    for line in lines:
        known |= _row(line) or {}
    return known


def _changed(path: Path) -> float:
    try:
        return max((path / name).stat().st_mtime for name in ("metrics.jsonl", "config.json") if (path / name).exists())
    except (OSError, ValueError):
        return 0.0
