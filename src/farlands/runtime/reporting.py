"""A report's files, and what its page shows beside the figures."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.config import EvalConfig
from farlands.errors import UserError
from farlands.evaluation.html import render
from farlands.evaluation.page import Clip, LearningCurve, Page, Provenance
from farlands.evaluation.records import TRAINING_LEVELS, UNSEEN_LEVELS, write_records
from farlands.evaluation.report import Report
from farlands.flags import field_docs
from farlands.runtime.display import Display
from farlands.runtime.files import write_atomically, write_json
from farlands.runtime.machine import describe_git, describe_machine, describe_versions
from farlands.runtime.subject import Subject, resolve_size
from farlands.saved_config import to_json

if TYPE_CHECKING:
    from farlands.worlds.world import Episodes

_POINTS = 400
"""Most points of a learning curve on the page."""
_CURVES = 6
"""Achievements on the learning curve."""


def write_report(page: Page, directory: Path) -> None:
    """Leave ``report.html``, ``.md``, ``.json`` and ``.parquet``. Raises UserError where they cannot be written."""
    report = page.report
    try:
        directory.mkdir(parents=True, exist_ok=True)
        measures = [measure.name for measure in report.scale.measures]
        write_records(directory / "report.parquet", _records(report), report.scale.achievements, measures)
        write_atomically(directory / "report.md", report.to_markdown())
        write_json(directory / "report.json", {**report.to_json(), "provenance": page.provenance.to_json()})
        write_atomically(directory / "report.html", render(page))
    except OSError as error:
        raise UserError("cannot write to", directory, error.strerror or str(error)) from error


def make_page(
    report: Report, subject: Subject, provenance: Provenance, clips: Sequence[Clip] = (), notes: Sequence[str] = ()
) -> Page:
    """All that the page shows."""
    curve = read_curve(subject.directory.metrics, report) if subject.directory else None
    return Page(report, provenance, curve, tuple(clips), tuple(notes), field_docs(type(subject.options)))


def make_clips(
    report: Report, subject: Subject, config: EvalConfig, display: Display
) -> tuple[tuple[Clip, ...], tuple[str, ...]]:
    """Films of the best, a typical and the worst episode, and notes; no films where they cannot be made."""
    import importlib.util

    from farlands.evaluation.protocol import evaluation_seeds
    from farlands.extensions import resolve
    from farlands.runtime.devices import resolve_device
    from farlands.runtime.measure import Stage

    if not hasattr(resolve("world", subject.settings.world), "render"):
        return (), ("This world cannot be drawn, so there are no films.",)
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return (), ("Films need imageio-ffmpeg: pip install 'farlands[video]'.",)
    from farlands.runtime.clips import film_episodes

    display.status("filming the best, a typical and the worst episode")
    size = resolve_size(config)
    stage = Stage.open(config, size, subject, resolve_device(config.device), display)
    clips, notes = film_episodes(
        stage.actor,
        stage.make_world,
        evaluation_seeds(config.seed, size.episodes),
        report.agent,
        report.scale.achievements,
        noise_seed=config.seed,
        greedy=config.greedy,
        batch=config.num_worlds,
    )
    return tuple(clips), tuple(notes)


def read_curve(metrics: Path, report: Report) -> LearningCurve | None:
    """Smoothed returns and achievements from a run's ``metrics.jsonl``; None where no training episode ended."""
    import numpy as np

    from farlands.evaluation.selection import choose_curves
    from farlands.runtime.metrics import read_metrics
    from farlands.runtime.plots import smooth

    rows = [row for row in read_metrics(metrics) if row.get("episode/count")] if metrics.is_file() else []
    if len(rows) < 2:
        return None
    counts = np.array([row["episode/count"] for row in rows])
    keep = np.unique(np.linspace(0, len(rows) - 1, _POINTS).astype(int))

    def curve(name: str) -> Any:
        return smooth(np.array([row.get(name, 0.0) for row in rows]), counts)

    shares = {name: curve(f"achievement/{name}")[keep] for name in report.scale.achievements}
    reached = {name: share for name, share in shares.items() if share.max() > 0.01}
    depths = dict(zip(report.scale.achievements, report.scale.depths, strict=False))
    shown = {name: reached[name] for name in choose_curves(reached, depths, _CURVES)}
    steps = np.array([row["step"] for row in rows], dtype=np.float64)
    return LearningCurve(steps[keep], curve("episode/return")[keep], shown)


def describe_run(report: Report, subject: Subject, config: EvalConfig, argv: Sequence[str]) -> Provenance:
    """Commands, costs, machine and settings behind a report."""
    given = _read_json(subject.directory.path / "given.json") if subject.directory else None
    commands = []
    if isinstance(given, dict) and isinstance(given.get("argv"), list):
        commands.append(("train the agent", shlex.join(map(str, given["argv"]))))
    commands.append(("measure it as here", shlex.join(argv or _command(config))))
    resolved: Any = to_json(subject.settings) if subject.directory else dataclasses.asdict(subject.options)
    return Provenance(
        commands=commands,
        cost=_costs(report, subject),
        machine=describe_machine(),
        versions=describe_versions(),
        git=describe_git(Path(__file__).parent),
        given=given.get("config") if isinstance(given, dict) else None,
        resolved=resolved,
    )


def _records(report: Report) -> dict[tuple[str, str], Episodes]:
    records = {(name, UNSEEN_LEVELS): episodes for name, episodes in report.actors.items()}
    if report.trained is not None:
        records[report.agent_name, TRAINING_LEVELS] = report.trained
    for condition in report.conditions:
        records[report.agent_name, f"{condition.axis}={condition.value}"] = condition.episodes
    return records


def _costs(report: Report, subject: Subject) -> dict[str, str]:
    facts, cost = subject.facts, {}
    steps, seconds = facts.get("steps"), facts.get("seconds")
    if isinstance(steps, int) and isinstance(seconds, int | float) and seconds > 0:
        where = subject.settings.device, subject.settings.threads
        cost["training"] = f"{steps:,} steps in {_duration(seconds)} ({steps / seconds:,.0f} steps a second)"
        spent = facts.get("joules")
        cost["energy of training"] = _energy(spent if isinstance(spent, int | float) else None)
        cost["trained on"] = f"{where[0]}, {where[1]} threads" if where[1] else where[0]
    joules = report.cost.get("joules")
    cost["this measurement"] = _duration(report.cost.get("seconds") or 0.0)
    cost["energy of this measurement"] = _energy(joules, ", films not counted")
    return cost


def _energy(joules: float | None, but: str = "") -> str:
    return "not measured" if joules is None else f"{joules / 3600:.2f} Wh of the device{but}"


def _command(config: EvalConfig) -> list[str]:
    """A command line that asks for the same; for measurements that were not asked for by one."""
    words = ["farlands", "evaluate", config.target]
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if item.name not in ("target", "options") and value != item.default:
            many = value if isinstance(value, tuple) else (value,)
            words += [f"--{item.name.replace('_', '-')}", *map(str, many)]
    return words


def _duration(seconds: float) -> str:
    minutes = int(seconds) // 60
    if minutes >= 120:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {int(seconds) % 60} s" if minutes else f"{seconds:.1f} s"


def _read_json(path: Path) -> Any:
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    return None
