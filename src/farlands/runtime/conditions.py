"""Axes of robustness as they are asked for: options of the world and perturbations, one change at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from farlands.config import EvalConfig
from farlands.errors import UserError
from farlands.evaluation.config import AXES, PERTURBATIONS
from farlands.flags import parse_flags


@dataclass(frozen=True)
class Change:
    """One value on one axis.

    Attributes:
        axis: Name of the option or perturbation, with underscores.
        value: As it was written.
        options: Of the changed world.
        perturbation: Chances by name; empty where an option was changed.
    """

    axis: str
    value: str
    options: Any
    perturbation: dict[str, float]


def read_changes(vary: Sequence[str], world: str, options: Any) -> list[Change]:
    """What ``--vary`` asks for, or the protocols' own axes where it asks for nothing.

    Values that a world has anyway are left out of the protocols' own axes.

    Raises:
        UserError: A text is not NAME=VALUE,VALUE, or there is no such option or value.
    """
    if vary:
        return [change for text in vary for change in _read_axis(text, options)]
    axes: Mapping[str, Sequence[str]] = {**PERTURBATIONS, **AXES.get(world, {})}
    changes = [_make_change(axis, value, options) for axis, values in axes.items() for value in values]
    return [change for change in changes if change.perturbation or change.options != options]


def _read_axis(text: str, options: Any) -> Iterator[Change]:
    name, equals, values = text.partition("=")
    if not equals or not name or not all(values.split(",")):
        raise UserError("--vary is", text, "expected NAME=VALUE,VALUE,...")
    axis = name.replace("-", "_").removeprefix("world.")
    names = {item.name for item in dataclasses.fields(options)}
    if axis not in names | set(PERTURBATIONS):
        raise UserError("--vary names no option of the world:", name, sorted(names | set(PERTURBATIONS)))
    for value in values.split(","):
        yield _make_change(axis, value, options)


def _make_change(axis: str, value: str, options: Any) -> Change:
    if axis in PERTURBATIONS:
        return Change(axis, value, options, {axis: _read_chance(axis, value)})
    flag = f"--world.{axis.replace('_', '-')}"
    # Values of options that are lists are joined by "+".
    config = parse_flags(EvalConfig(options=options), [flag, *value.split("+")], "farlands evaluate")
    return Change(axis, value, config.options, {})


def _read_chance(axis: str, value: str) -> float:
    try:
        chance = float(value)
    except ValueError:
        chance = -1.0
    if not 0.0 <= chance <= 1.0:
        raise UserError(f"--vary {axis} is", value, "expected a chance in [0, 1]")
    return chance
