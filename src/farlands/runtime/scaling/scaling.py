"""The verb `bench scaling`: how cost grows with sizes, and steps with the depth of skills."""

from __future__ import annotations

import dataclasses
import os
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.errors import UserError, first_line
from farlands.runtime.display import Display, make_display
from farlands.runtime.machine import describe_git, describe_machine, describe_versions, usable_cores
from farlands.runtime.scaling.axes import Axis, choose_axes
from farlands.runtime.scaling.config import ScalingConfig

if TYPE_CHECKING:
    import torch

    from farlands.runtime.scaling.report import Grown, Processes, ScalingReport


def scaling(config: ScalingConfig) -> int:
    """Measure, and write a report; what it says is printed too. Raises UserError, leaving no directory behind."""
    chosen = _choose(config)
    directory = _make_directory(config.out)
    try:
        with make_display(errors=True) as display:
            display.status("loading torch")
            from farlands.runtime.scaling.report import as_markdown, write

            report = measure(config, chosen, display)
        write(report, directory)
        _draw(report, directory)
    except BaseException:
        if not any(directory.iterdir()):
            directory.rmdir()
        raise
    print("\n".join(as_markdown(report)))
    plan = f"; plan a run with: farlands plan {directory} --steps 1e9" if report.base else ""
    print(f"\nwritten: {directory}{plan}")
    return 0


def measure(config: ScalingConfig, chosen: list[tuple[Axis, tuple[Any, ...]]], display: Display) -> ScalingReport:
    """Everything that is asked for."""
    import torch

    from farlands.runtime.devices import resolve_device, resolve_threads
    from farlands.runtime.scaling.report import ScalingReport

    device, threads = resolve_device(config.device), resolve_threads(config.threads)
    if config.clock == "processor" and device.type != "cpu":
        raise UserError("--clock processor says nothing of", device, "use --clock wall")
    torch.set_num_threads(threads)
    report = ScalingReport(_describe(config, str(device), threads), threshold=config.threshold, window=config.episodes)
    _read_runs(report, config, display)
    if config.world:
        train = dataclasses.replace(config.train_config(), device=str(device), threads=threads)
        _measure_world(report, config, train, chosen, device, display)
    return report


def _measure_world(
    report: ScalingReport, config: ScalingConfig, train: Any, chosen: list[tuple[Axis, tuple[Any, ...]]],
    device: torch.device, display: Display,
) -> None:  # fmt: skip
    from farlands.runtime.scaling.measure import measure_base
    from farlands.runtime.scaling.processes import most_processes

    display.status("training; the first time ever, kernels are compiled, which takes a minute")
    report.base = measure_base(train, config.rounds, config.seconds, device)
    for axis, values in chosen:
        display.status(f"varying {axis.name}: {', '.join(map(str, values))}")
        if axis.measured != "processes":
            report.grown.append(_grow(axis, values, config, train, device))
        elif config.axes or most_processes(device) > 1:
            report.processes = _run_processes(values, config, train, device)


def _grow(axis: Axis, values: tuple[Any, ...], config: ScalingConfig, train: Any, device: torch.device) -> Grown:
    import numpy as np

    from farlands.runtime.scaling.measure import measure_axis
    from farlands.runtime.scaling.powerlaw import fit_affine, fit_rounds
    from farlands.runtime.scaling.report import Grown

    clock = time.process_time if config.clock == "processor" else time.perf_counter
    found = measure_axis(axis, values, train, config.rounds, config.seconds, device, clock)
    sizes, times = tuple(found["sizes"]), found["seconds"]
    affine = fit = None
    if len(set(sizes)) > 2 and min(sizes) >= 0:
        affine = fit_affine(np.array(sizes), np.median(times, axis=0))
    # What begins with nothing grows by so much each, not by a power.
    if len(set(sizes)) > 1 and min(sizes) > 0:
        fit = fit_rounds(sizes, times)
    return Grown(axis.name, values, sizes, times, fit, affine)


def _run_processes(values: tuple[Any, ...], config: ScalingConfig, train: Any, device: torch.device) -> Processes:
    from farlands.runtime.scaling.powerlaw import fit_rounds
    from farlands.runtime.scaling.processes import measure_processes
    from farlands.runtime.scaling.report import Processes

    found = measure_processes(values, train, config.rounds, config.seconds, device, config.clock)
    fit = fit_rounds(found["sizes"], found["steps_per_second"]) if len(found["sizes"]) > 1 else None
    return Processes(tuple(found["sizes"]), found["steps_per_second"], fit)


def _read_runs(report: ScalingReport, config: ScalingConfig, display: Display) -> None:
    from farlands.runtime.metrics import read_metrics
    from farlands.runtime.rundir import RunDirectory
    from farlands.runtime.scaling.processes import communication_share
    from farlands.runtime.scaling.skills import compare_sizes, fit_depth, read_skills

    for run in config.runs:
        display.status(f"reading {run}")
        report.skills.append(read_skills(run, config.threshold, config.episodes))
        metrics = RunDirectory.open(run).metrics
        try:
            report.communication[run] = communication_share(read_metrics(metrics))
        except (OSError, AttributeError, TypeError, ValueError) as error:
            raise UserError("cannot read", metrics, first_line(error)) from error
    report.depth, report.compared = fit_depth(report.skills), compare_sizes(report.skills)


def _draw(report: ScalingReport, directory: Path) -> None:
    """Pictures, where there is matplotlib."""
    from farlands.runtime.scaling.draw import draw_costs, draw_skills

    machine = report.about["machine"]
    where = ", ".join(machine["gpus"]) or f"{machine['cores']} cores"
    try:
        title = f"{report.about['world']} on {where}: cost against size"
        draw_costs(report.grown, report.processes, directory / "scaling.png", title)
        draw_skills(report, directory / "skills.png", "Steps needed for each skill, by its depth")
    except UserError as error:
        print(f"no pictures: {error}")


def _choose(config: ScalingConfig) -> list[tuple[Axis, tuple[Any, ...]]]:
    if config.world:
        return choose_axes(config.axes, config.options)
    if config.axes:
        raise UserError("--axes needs a world", allowed="farlands bench scaling WORLD --axes ...")
    return []


def _describe(config: ScalingConfig, device: str, threads: int) -> dict[str, Any]:
    return {
        "world": config.world,
        "options": dataclasses.asdict(config.options) if config.world else {},
        "recipe": config.recipe,
        "device": device,
        "threads": threads,
        "rounds": config.rounds,
        "clock": config.clock,
        "load": os.getloadavg()[0] / usable_cores() if hasattr(os, "getloadavg") else None,
        "machine": describe_machine(),
        "versions": describe_versions(),
        "git": describe_git(Path(__file__).parent),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def _make_directory(given: str) -> Path:
    """A new one. Raises UserError where it holds something or cannot be made."""
    path = Path(given).expanduser() if given else Path(f"scaling-{datetime.now():%Y%m%d-%H%M%S}")
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise UserError("directory is not empty:", path, "a report needs a new or empty one")
    except (OSError, ValueError) as error:
        raise UserError("cannot write to", path, getattr(error, "strerror", None) or str(error)) from error
    return path
