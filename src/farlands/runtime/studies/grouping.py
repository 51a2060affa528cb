"""Finished runs as variants: those that differ in nothing but their seeds are one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.studies.compare import Variant
from farlands.runtime.studies.members import Member, trained_share
from farlands.saved_config import CARRIED

_PLACE = ("seed", "threads", "device", "recipe", *CARRIED)
"""Settings that say where and how a run went rather than what was learned."""
_EVEN = 0.02
"""Budgets that differ by less than this share, say by the last update, count as equal."""


def group_runs(directories: Sequence[str]) -> tuple[list[Variant], dict[tuple[str, int], Member]]:
    """Variants among finished runs, and where each one's runs lie.

    Returns:
        Variants, the first run's first, named by the settings in which they differ; members by (name, seed).

    Raises:
        UserError: A directory holds no run or an unfinished one, worlds or budgets differ, or a seed comes twice.
    """
    runs = [(Path(given), RunDirectory.open(given).read_config()) for given in directories]
    for directory, _ in runs:
        if trained_share(directory) < 1:
            raise UserError("the run is not finished:", directory, f"go on with it by: farlands resume {directory}")
    _check_even(runs)
    groups: dict[tuple[tuple[str, str], ...], list[tuple[Path, TrainConfig]]] = {}
    for directory, config in runs:
        groups.setdefault(tuple(sorted(_settings(config).items())), []).append((directory, config))
    variants, members = [], {}
    for settings, group in groups.items():
        name, flags = _name_group(settings, list(groups))
        variants.append(Variant(name, flags, group[0][1]))
        for directory, config in group:
            if (name, config.seed) in members:
                other = members[name, config.seed].directory
                raise UserError(f"the same settings and seed as {other}:", directory, "a seed may count but once")
            members[name, config.seed] = Member(name, directory, config.world, ())
    return variants, members


def _check_even(runs: Sequence[tuple[Path, TrainConfig]]) -> None:
    (first, one), *others = runs
    for directory, config in others:
        if config.world != one.world:
            raise UserError(f"worlds differ: {first} is in {one.world},", directory, f"is in {config.world}")
        if bool(config.seconds) != bool(one.seconds):
            raise UserError(f"budgets differ: {first} has {_budget(one)},", directory, f"has {_budget(config)}")
        ours, theirs = (each.seconds or each.steps for each in (one, config))
        if abs(ours - theirs) > _EVEN * max(ours, theirs):
            raise UserError(f"budgets differ: {first} has {_budget(one)},", directory, f"has {_budget(config)}")


def _budget(config: TrainConfig) -> str:
    return f"{config.seconds:g} s" if config.seconds else f"{config.steps:,} steps"


def _settings(config: TrainConfig) -> dict[str, str]:
    """Every setting that changes what is learned, by flag name, as text."""
    flat: dict[str, str] = {}

    def walk(value: Any, name: str) -> None:
        if dataclasses.is_dataclass(value):
            for item in dataclasses.fields(value):
                walk(getattr(value, item.name), f"{name}.{item.name}" if name else item.name)
        else:
            flat[name.replace("options.", "world.").replace("_", "-")] = str(value)

    walk(config, "")
    budget = ("steps", "seconds")
    return {name: value for name, value in flat.items() if name.replace("-", "_") not in (*_PLACE, *budget)}


def _name_group(
    settings: tuple[tuple[str, str], ...], groups: Sequence[tuple[tuple[str, str], ...]]
) -> tuple[str, tuple[str, ...]]:
    """A name and flags made of the settings in which this group is unlike another."""
    shared = set(groups[0]).intersection(*groups[1:])
    own = [(name, value) for name, value in settings if (name, value) not in shared]
    flags = tuple(token for name, value in own for token in (f"--{name}", value))
    short = ", ".join(f"{name.rpartition('.')[2]} {value}" for name, value in own[:3])
    return short + (", ..." if len(own) > 3 else "") or "all", flags
