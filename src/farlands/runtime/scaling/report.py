"""The report of a scaling measurement: JSON for programs and plans, Markdown for people."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from farlands.errors import UserError
from farlands.evaluation.statistics import Estimate
from farlands.runtime.files import write_atomically, write_json
from farlands.runtime.scaling.axes import AXES
from farlands.runtime.scaling.powerlaw import Affine, Fit, describe
from farlands.runtime.scaling.skills import DepthFit, RunSkills

NAME = "scaling.json"
FORMAT = "farlands-scaling"
_NAMED = 12
"""Skills that nobody learnt which are named."""


@dataclass(frozen=True)
class Grown:
    """One axis, measured.

    Attributes:
        axis: Its name.
        values: As asked for.
        sizes: How large each is; NaN where unknown.
        seconds: Of one step of the whole batch, float ``[R, N]``.
        fit: None with fewer than two sizes, or where one is 0 or unknown.
        affine: A fixed cost and one for each; None with fewer than three sizes, or where one is unknown.
    """

    axis: str
    values: tuple[Any, ...]
    sizes: tuple[float, ...]
    seconds: np.ndarray
    fit: Fit | None
    affine: Affine | None = None


@dataclass(frozen=True)
class Processes:
    """Processes side by side.

    Attributes:
        sizes: How many.
        rates: Steps per second of all of them together, float ``[R, N]``.
        fit: Of the rate against the number.
    """

    sizes: tuple[int, ...]
    rates: np.ndarray
    fit: Fit | None

    def efficiency(self, index: int) -> Estimate:
        """Rate of ``sizes[index]`` processes over so many times that of one, the median of the rounds and quartiles."""
        each = self.rates[:, index] / (self.sizes[index] * self.rates[:, 0])
        return Estimate(float(np.median(each)), *map(float, np.quantile(each, (0.25, 0.75))))


@dataclass
class ScalingReport:
    """Everything that was measured; what was not is None or empty.

    Attributes:
        about: World, options, machine, versions, commit, date.
        base: Speed and energy of training as it is: ``measure.measure_base``.
        grown: Axes.
        processes: Processes side by side.
        skills: Of each run.
        depth: Steps against depth.
        compared: ``skills.compare_sizes``.
        communication: Share of time by run that several processes spent talking; None where a run doesn't tell.
        threshold, window: What learning a skill means.
    """

    about: dict[str, Any]
    base: dict[str, Any] | None = None
    grown: list[Grown] = field(default_factory=list)
    processes: Processes | None = None
    skills: list[RunSkills] = field(default_factory=list)
    depth: DepthFit | None = None
    compared: list[dict[str, Any]] = field(default_factory=list)
    communication: dict[str, float | None] = field(default_factory=dict)
    threshold: float = 0.5
    window: int = 256


def write(report: ScalingReport, directory: Path) -> None:
    """``scaling.json`` and ``scaling.md``. Raises UserError where they cannot be written."""
    try:
        write_json(directory / NAME, plain({"format": FORMAT, **as_json(report)}))
        write_atomically(directory / "scaling.md", "\n".join(as_markdown(report)) + "\n")
    except OSError as error:
        raise UserError("cannot write to", directory, error.strerror or str(error)) from error


def read(directory: Path) -> dict[str, Any]:
    """The JSON of a report. Raises UserError where there is none or it is something else."""
    path = directory / NAME
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError("cannot read", path, str(error)) from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UserError("not a scaling report:", path)
    return data


def read_runs(data: Mapping[str, Any]) -> list[RunSkills]:
    """The skills of runs as a report's JSON has them. Raises KeyError, TypeError or ValueError where it does not."""
    runs = []
    for run in data["skills"]["runs"]:
        shares = {name: Estimate(**share) for name, share in run["shares"].items()}
        runs.append(RunSkills(**{**run, "shares": shares}))
    return runs


def as_json(report: ScalingReport) -> dict[str, Any]:
    """Plain data, but for NaN."""
    depth = report.depth
    return {
        "about": report.about,
        "base": report.base,
        "axes": {
            each.axis: {
                "values": each.values,
                "sizes": each.sizes,
                "seconds": each.seconds,
                "fit": each.fit.as_json() if each.fit else None,
                "affine": vars(each.affine) if each.affine else None,
            }
            for each in report.grown
        },
        "processes": _processes_json(report.processes) if report.processes else None,
        "skills": {
            "threshold": report.threshold,
            "episodes": report.window,
            "runs": [
                {**vars(run), "shares": {name: share._asdict() for name, share in run.shares.items()}}
                for run in report.skills
            ],
            "depth": depth
            and {
                "power": depth.power.as_json(),
                "exponential": depth.exponential.as_json(),
                "factor": depth.factor._asdict(),
                "learnt": depth.learnt,
                "missing": depth.missing,
            },
            "sizes": [{**each, "exponent": each["exponent"]._asdict()} for each in report.compared],
        },
        "communication": report.communication,
    }


def _processes_json(processes: Processes) -> dict[str, Any]:
    return {
        "sizes": processes.sizes,
        "steps_per_second": processes.rates,
        "efficiency": [processes.efficiency(index)._asdict() for index in range(len(processes.sizes))],
        "fit": processes.fit.as_json() if processes.fit else None,
    }


def as_markdown(report: ScalingReport) -> Iterator[str]:
    """Tables and what they say, line by line."""
    about = report.about
    yield f"# Scaling of {about['world'] or 'runs'}"
    yield ""
    yield f"{about['date']}, {_describe_machine(about)}, Farlands {about['versions']['farlands']}."
    if report.base:
        yield ""
        yield from _describe_base(report.base)
    if report.grown:
        yield from _axes_table(report.grown, about.get("clock", "wall"))
    if report.processes:
        yield from _processes_table(report.processes, about.get("clock", "wall"))
    for run, share in report.communication.items():
        if share is not None:
            yield from ("", f"{run}: its processes spent {share:.1%} of the time talking.")
    if report.skills:
        yield from _skills_table(report)


def _describe_machine(about: Mapping[str, Any]) -> str:
    machine = about["machine"]
    cores = f"{machine['cores']} cores of {machine['processor']}"
    device = f"{', '.join(machine['gpus'])}, {cores}" if machine["gpus"] else cores
    load = f", load {about['load']:.1f} a core" if about.get("load") else ""
    return f"{device}, {about['threads']} threads{load}" if about.get("threads") else device


def _describe_base(base: Mapping[str, Any]) -> Iterator[str]:
    rates = np.asarray(base["steps_per_second"])
    low, middle, high = np.quantile(rates, (0.25, 0.5, 0.75))
    joules = base["joules_per_step"]
    energy = "energy not measured" if joules is None else f"{1e6 * joules:,.0f} J for a million steps"
    yield (
        f"Training with {base['num_worlds']} worlds: {middle:,.0f} steps/s "
        f"(quartiles {low:,.0f} to {high:,.0f}); {energy}."
    )


def _axes_table(grown: Sequence[Grown], clock: str) -> Iterator[str]:
    spent = "of processor time, all threads together," if clock == "processor" else "of"
    yield from ("", "## Cost against size", "")
    yield f"Milliseconds {spent} one step of the whole batch: medians of rounds in which the sizes take turns."
    yield from ("", "| axis | sizes | ms | exponent | fits within | fixed + each, ms |", "|---|---|---|---|---|---|")
    for each in grown:
        medians = ", ".join(_digits(1000 * value) for value in np.median(each.seconds, axis=0))
        sizes = ", ".join(_size_name(value, size) for value, size in zip(each.values, each.sizes, strict=True))
        fit, affine = each.fit, each.affine
        exponent = f"{_interval(fit.exponent)}{'' if fit.holds else ' (no power law)'}" if fit else "-"
        within = f"{fit.deviation:.0%}" if fit else "-"
        terms = f"{1000 * affine.fixed:.3g} + {1000 * affine.each:.3g}, {affine.deviation:.0%}" if affine else "-"
        yield f"| {AXES[each.axis].of} | {sizes} | {medians} | {exponent} | {within} | {terms} |"
    yield ""
    for each in grown:
        if each.fit and not each.fit.holds:
            yield f"- {each.axis}: {describe(each.fit, 'seconds', each.axis)}"


def _digits(value: float) -> str:
    """Three digits, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _size_name(value: Any, size: float) -> str:
    known = math.isfinite(size)
    if isinstance(value, str):
        return f"{value} ({size:.1f})" if known else value
    return f"{size:,.0f}" if known else str(value)


def _processes_table(processes: Processes, clock: str) -> Iterator[str]:
    spent = ", by the time that the processors gave to each" if clock == "processor" else ""
    yield from ("", "## Processes side by side", "")
    yield f"Each trains by itself on its share of the machine, without a word to the others{spent}."
    yield from ("", "| processes | steps/s together | of so many times one (quartiles) |", "|---|---|---|")
    for index, count in enumerate(processes.sizes):
        rate = np.median(processes.rates[:, index])
        yield f"| {count} | {rate:,.0f} | {_interval(processes.efficiency(index))} |"


def _skills_table(report: ScalingReport) -> Iterator[str]:
    yield from ("", "## Steps until a skill is learnt", "")
    yield f"Learnt: {report.threshold:.0%} of the last {report.window} episodes have it."
    names = sorted({name for run in report.skills for name in run.learnt}, key=lambda name: _order(report.skills, name))
    yield from ("", f"| skill | depth | {' | '.join(Path(run.run).name for run in report.skills)} |")
    yield "|---|---" + "|---" * len(report.skills) + "|"
    for name in names:
        if any(run.learnt.get(name) for run in report.skills):
            depth = next((run.depths[name] for run in report.skills if name in run.depths), "")
            cells = " | ".join(_steps(run, name) for run in report.skills)
            yield f"| {name.replace('_', ' ')} | {depth} | {cells} |"
    missing = [name.replace("_", " ") for name in names if not any(run.learnt.get(name) for run in report.skills)]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        yield from ("", f"Not learnt by any, the least deep first: {', '.join(missing[:_NAMED])}{more}.")
    if report.depth:
        yield from ("", _describe_depth(report.depth))
    for each in report.compared:
        name, values = each["option"], ", ".join(f"{value:g}" for value in each["values"])
        seeds = "" if each["runs"] > 1 else " Not every value has several runs: seeds may differ by as much."
        yield from ("", f"Against {name} ({values}): steps ~ {name}^{_interval(each['exponent'])}, over skills.{seeds}")


def _describe_depth(depth: DepthFit) -> str:
    better = "the power law" if depth.better == "power" else "the factor a level"
    return (
        f"Steps ~ depth^{_interval(depth.power.exponent)}, or times {_interval(depth.factor)} for each level; {better} "
        f"is nearer (skills are typically off by a factor of {depth.power.scatter:.2f} and "
        f"{depth.exponential.scatter:.2f}). From {depth.learnt} times that a run learnt one; {depth.missing} times it "
        "did not: the truth is at least as steep."
    )


def _steps(run: RunSkills, name: str) -> str:
    steps = run.learnt.get(name)
    return f"{steps:,}" if steps else f"not within {run.steps:,}"


def _order(runs: Sequence[RunSkills], name: str) -> tuple[float, float]:
    depth = next((run.depths[name] for run in runs if name in run.depths), math.inf)
    return depth, min((run.learnt.get(name) or math.inf for run in runs), default=math.inf)


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


def plain(value: Any) -> Any:
    """JSON data: NaN as null, arrays and tuples as lists, those with named fields as objects."""
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(each) for each in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
