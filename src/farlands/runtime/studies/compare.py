"""The verb `compare`: variants of a training run, several seeds of each, at equal steps or equal time."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from farlands.config import CompareConfig, TrainConfig
from farlands.errors import UserError
from farlands.extensions import resolve_options
from farlands.recipes import read_train_flags
from farlands.runtime.display import make_display
from farlands.runtime.files import write_json
from farlands.runtime.signals import StopRequest
from farlands.runtime.studies.directory import COMPARISON, begin, budget_flags, check_changes, split_flags, thread_flags
from farlands.runtime.studies.members import Member, carry_members

if TYPE_CHECKING:
    from farlands.evaluation.comparison import Comparison, VariantResult

_OWN_FLAGS = ("run-dir", "seed", "steps", "seconds", "device")
"""What is the comparison's to set."""
_MAY_CHANGE = ("metric", "parallel", "seeds")
"""What a comparison that is under way can be given anew; more seeds add runs."""


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Attributes:
        name: What people know it by; also names its directory.
        flags: Of `farlands train`.
        config: What they amount to, with seed 1.
    """

    name: str
    flags: tuple[str, ...]
    config: TrainConfig


def compare(config: CompareConfig, begun: CompareConfig | None = None) -> int:
    """Train and measure whatever of a comparison is missing, then tell what came of it.

    Args:
        config: What is asked for.
        begun: The comparison to go on with, as it was begun; None for a new one.

    Returns:
        0, or ``StopRequest.exit_code`` of the signal that interrupted it.

    Raises:
        UserError: Something asked for is impossible, or a run failed.
    """
    if begun is None:
        config = _begin(config)
    else:
        check_changes(begun, config, COMPARISON, _MAY_CHANGE)
    directory = Path(config.run_dir)
    variants = read_variants(config)
    members = make_members(config, variants, directory)
    with make_display() as display, StopRequest() as stop:
        display.note(f"{len(members)} runs in {directory}; interrupt and repeat as you like")
        carry_members(list(members.values()), config.parallel, stop, display.status)
    if stop.signal:
        print(f"interrupted; go on with: farlands compare {shlex.quote(str(directory))}")
        return stop.exit_code
    found = read_comparison(config, variants, members)
    leave(found, members, directory)
    return 0


def compare_runs(directories: Sequence[str], config: CompareConfig) -> int:
    """Set finished, measured runs beside each other; runs that differ in their seeds alone count as one variant.

    Raises:
        UserError: One is no run, not measured, or their budgets differ.
    """
    from farlands.runtime.studies.grouping import group_runs

    variants, members = group_runs(directories)
    found = read_comparison(config, variants, members)
    leave(found, members, Path(config.run_dir) if config.run_dir else None)
    return 0


def leave(found: Comparison, members: dict[tuple[str, int], Member], directory: Path | None) -> None:
    """Print a comparison, and where there is a directory write it there with its curves."""
    from rich.console import Console

    Console().print(found.to_table())
    if directory is None:
        return
    from farlands.runtime.studies.comparison_plots import draw_comparison

    try:
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "comparison.md").write_text(found.to_markdown(), encoding="utf-8")
        write_json(directory / "comparison.json", found.to_json())
    except OSError as error:
        raise UserError("cannot write to", directory, error.strerror or str(error)) from error
    curves = {
        variant.name: [members[variant.name, int(seed)].directory / "metrics.jsonl" for seed in variant.seeds]
        for variant in found.variants
    }
    drawn = draw_comparison(curves, found.metric, directory / "comparison.png", found.title)
    names = ["comparison.md", "comparison.json", *(["comparison.png"] if drawn else [])]
    print("\n".join(str(directory / name) for name in names))


def read_variants(config: CompareConfig) -> list[Variant]:
    """The variants that a config describes.

    Raises:
        UserError: A text is not ``name`` or ``name: flags``, a name comes twice, or a flag is wrong.
    """
    variants: dict[str, Variant] = {}
    for text in config.variants:
        name, _, rest = (part.strip() for part in text.partition(":"))
        if not name or not all(c.isalnum() or c in "-_.+ " for c in name) or name.startswith("."):
            raise UserError(
                "--variants:", text, 'expected "name" or "name: --flag value ...", the name of plain letters'
            )
        if name in variants:
            raise UserError("--variants: twice the name", name)
        flags = (*split_flags(config.common, "--common"), *split_flags(rest, f"--variants {name}"))
        for flag in flags:
            own = flag.lstrip("-").partition("=")[0].replace("_", "-")
            if flag.startswith("--") and own in _OWN_FLAGS:
                raise UserError(
                    "--variants: this is the comparison's to set:", flag, f"see --{own} of farlands compare"
                )
        variants[name] = Variant(name, flags, read_train_flags(config.world, list(flags)))
    if len(variants) < 2:
        example = '--variants base "wide: --agent.hidden 256"'
        raise UserError(f"a comparison needs two variants or more, e.g. {example}")
    return list(variants.values())


def make_members(config: CompareConfig, variants: Sequence[Variant], directory: Path) -> dict[tuple[str, int], Member]:
    """The run of every variant and seed; seeds outermost, so that an interrupted comparison is an even one."""
    budget = budget_flags(config.steps, config.seconds)
    measure = ["--episodes", str(config.episodes), "--baseline", "False", "--device", config.device]
    measure += ["--max-steps", str(config.max_steps)] if config.max_steps else []
    members = {}
    for seed in range(1, config.seeds + 1):
        for variant in variants:
            own = (*budget, "--seed", str(seed), "--device", config.device)
            members[variant.name, seed] = Member(
                f"{variant.name}, seed {seed}",
                directory / variant.name.replace(" ", "-") / f"seed-{seed}",
                config.world,
                (*variant.flags, *own, *thread_flags(variant.flags, config.parallel)),
                tuple(measure),
            )
    return members


def read_comparison(
    config: CompareConfig, variants: Sequence[Variant], members: dict[tuple[str, int], Member]
) -> Comparison:
    """What finished and measured members found.

    Raises:
        UserError: A report is missing or broken, or none has the metric.
    """
    from farlands.evaluation.comparison import Comparison

    results = []
    for variant in variants:
        seeds = sorted(seed for name, seed in members if name == variant.name)
        results.append(_read_variant(variant, seeds, [members[variant.name, seed].directory for seed in seeds]))
    names = set.intersection(*(set(result.figures) for result in results))
    if config.metric not in names:
        raise UserError("--metric is", config.metric, names)
    facts: dict[str, Any] = {"world": variants[0].config.world}
    budget = f"{config.seconds:g} s" if config.seconds else f"{int(results[0].steps.max()):,} steps"
    title = f"{len(variants)} variants in {variants[0].config.world}, {budget} each"
    return Comparison(title, config.metric, tuple(results), facts)


def _read_variant(variant: Variant, seeds: list[int], directories: list[Path]) -> VariantResult:
    from farlands.evaluation.comparison import VariantResult

    reports = [_read_report(directory) for directory in directories]
    ends = [_read_end(directory) for directory in directories]
    names = set.intersection(*(set(report) for report in reports))
    return VariantResult(
        variant.name,
        shlex.join(variant.flags),
        np.array(seeds),
        {name: np.array([report[name] for report in reports], dtype=np.float64) for name in sorted(names)},
        np.array([end[0] for end in ends]),
        np.array([end[1] for end in ends]),
    )


def _read_report(directory: Path) -> dict[str, float]:
    """Figures of the agent in a run's report, by name."""
    path = directory / "report.json"
    try:
        agent = next(iter(json.loads(path.read_text(encoding="utf-8"))["actors"].values()))
        shares = {name: share["value"] for name, share in agent["achievements"].items()}
        figures = {name: agent[name]["value"] for name in ("return", "length", "score") if agent.get(name)} | shares
    except FileNotFoundError as error:
        raise UserError(
            "the run is not measured:", directory, f"measure it with: farlands evaluate {directory}"
        ) from error
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise UserError("cannot read", path, str(error)) from error
    return figures


def _read_end(directory: Path) -> tuple[int, float]:
    """Steps and seconds of training at the end of a run."""
    from farlands.runtime.checkpoint import CheckpointStore

    checkpoint, _ = CheckpointStore(directory / "checkpoints").load(parts=("counters",))
    return checkpoint.facts["steps"], checkpoint.facts["seconds"]


def _begin(config: CompareConfig) -> CompareConfig:
    """Write a new comparison down. Raises UserError."""
    resolve_options(config.world)
    directory = Path(config.run_dir or f"runs/compare-{datetime.now():%Y%m%d-%H%M%S}").expanduser()
    config = dataclasses.replace(config, run_dir=str(directory))
    read_variants(config)
    begin(directory, config, COMPARISON)
    return config
