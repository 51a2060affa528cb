"""Axes of robustness as they are asked for: options of the world and perturbations, one change at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from farlands.config import EvalConfig
from farlands.errors import UserError
from farlands.evaluation.config import AXES, GENERIC_AXES, PARTS, PERTURBATIONS
from farlands.flags import parse_flags

_MOST_DELAY = 1_000


@dataclass(frozen=True)
class Change:
    """One value on one axis.

    Attributes:
        axis: Name of the option or perturbation, with underscores.
        value: As it was written.
        options: Of the changed world.
        perturbation: Its fields by name; empty where an option was changed.
        part: Range of the axis it is of, ``"train"`` or ``"held-out"``; empty where it was asked for by value.
    """

    axis: str
    value: str
    options: Any
    perturbation: dict[str, float]
    part: str = ""


def read_changes(vary: Sequence[str], world: str, options: Any, axes: str = "auto") -> list[Change]:
    """What ``--vary`` and ``--axes`` ask for.

    Values that a world has anyway, and axes that none of the agent's senses shows, are left out.

    Args:
        vary: Texts of the form NAME=VALUE,VALUE.
        world: Its name.
        options: Its options, unchanged.
        axes: Which ranges of the protocols' own axes: train, held-out, both, none, or (auto) both if ``vary`` is empty.

    Raises:
        UserError: A text is not NAME=VALUE,VALUE, or there is no such option or value.
    """
    changes = [change for text in vary for change in _read_axis(text, options)]
    if axes == "auto":
        axes = "none" if vary else "both"
    parts = {"both": PARTS, "none": ()}.get(axes, (axes,))
    senses = getattr(options, "senses", None)
    for axis in (*GENERIC_AXES, *AXES.get(world, ())):
        if axis.sense and senses is not None and axis.sense not in senses:
            continue
        for part in parts:
            own = (_make_change(axis.name, value, options, part) for value in axis.values(part))
            changes += [change for change in own if change.perturbation or change.options != options]
    return changes


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


def _make_change(axis: str, value: str, options: Any, part: str = "") -> Change:
    if axis in PERTURBATIONS:
        return Change(axis, value, options, {axis: _read_amount(axis, value)}, part)
    flag = f"--world.{axis.replace('_', '-')}"
    # Values of options that are lists are joined by "+".
    config = parse_flags(EvalConfig(options=options), [flag, *value.split("+")], "farlands evaluate")
    return Change(axis, value, config.options, {}, part)


def _read_amount(axis: str, value: str) -> float:
    if axis == "action_delay":
        if not (value.isdecimal() and int(value) <= _MOST_DELAY):
            raise UserError(f"--vary {axis} is", value, f"expected a whole number of steps, 0 to {_MOST_DELAY}")
        return int(value)
    try:
        amount = float(value)
    except ValueError:
        amount = -1.0
    if not 0.0 <= amount <= 1.0:
        what = "a share" if axis == "observation_noise" else "a chance"
        raise UserError(f"--vary {axis} is", value, f"expected {what} in [0, 1]")
    return amount
