"""What can be varied: a table of axes, each a way to change the settings of a training run."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from farlands.config import TrainConfig
from farlands.errors import UserError

Change = Callable[[TrainConfig, Any], TrainConfig]

_NIGHT = 14_000
"""A time of day at which monsters appear."""
_NUMBER, _MOST = re.compile(r"[0-9]{1,9}"), 2**24
"""How sizes are written, and the largest; beyond, a number is a slip of the hand."""
_DRAWN = 8
"""Worlds with pictures cost so many times as much that so many times fewer of them are measured."""


@dataclass(frozen=True)
class Axis:
    """One thing that can be varied.

    Attributes:
        name: For command lines.
        of: What grows along it, e.g. ``"drawn pixels"``.
        measured: The world alone, or training from end to end, in one process or in several.
        values: Those measured by default.
        change: The settings with a value instead of their own.
        size: How large a value is, along the axis; None where that has to be counted in the world.
        options: Names of the world's options that it needs.
    """

    name: str
    of: str
    measured: Literal["world", "training", "processes"]
    values: tuple[Any, ...]
    change: Change
    size: Callable[[TrainConfig, Any], float | None]
    options: tuple[str, ...] = ()

    def applies(self, options: Any) -> bool:
        """Whether a world with these options has it."""
        return all(hasattr(options, name) for name in self.options)


def _set_worlds(config: TrainConfig, value: Any) -> TrainConfig:
    return dataclasses.replace(config, num_worlds=int(value))


def _set_window(config: TrainConfig, value: Any) -> TrainConfig:
    return _with_options(config, window=int(value))


def _set_pixels(config: TrainConfig, value: Any) -> TrainConfig:
    few = dataclasses.replace(config, num_worlds=max(1, config.num_worlds // _DRAWN))
    return _with_options(few, senses=("pixels",), width=int(value), height=int(value))


def _set_creatures(config: TrainConfig, value: Any) -> TrainConfig:
    if value == "night":
        return _with_options(config, creatures="all", start_time=_NIGHT)
    return _with_options(config, creatures=str(value))


def _set_rollout(config: TrainConfig, value: Any) -> TrainConfig:
    return dataclasses.replace(config, ppo=dataclasses.replace(config.ppo, rollout=int(value), chunk=0))


def _set_layers(config: TrainConfig, value: Any) -> TrainConfig:
    return dataclasses.replace(config, agent=dataclasses.replace(config.agent, memory_layers=int(value)))


def _set_hidden(config: TrainConfig, value: Any) -> TrainConfig:
    return dataclasses.replace(config, agent=dataclasses.replace(config.agent, hidden=int(value)))


def _with_options(config: TrainConfig, **changes: Any) -> TrainConfig:
    return dataclasses.replace(config, options=dataclasses.replace(config.options, **changes))


def _itself(config: TrainConfig, value: Any) -> float:
    return float(value)


AXES: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis("worlds", "worlds", "world", (64, 128, 256, 512, 1024), _set_worlds, _itself),
        Axis("window", "columns of the window", "world", (32, 64, 128), _set_window,
             lambda config, side: float(side) ** 2, ("window",)),
        Axis("pixels", "drawn pixels", "world", (32, 64, 128), _set_pixels,
             lambda config, side: float(side) ** 2, ("width", "height", "senses")),
        Axis("creatures", "creatures in a world", "world", ("none", "animals", "night"), _set_creatures,
             lambda config, value: None, ("creatures", "start_time")),
        Axis("rollout", "steps of a rollout", "training", (16, 32, 64, 128), _set_rollout, _itself),
        Axis("memory", "numbers remembered", "training", (1, 2, 4), _set_layers,
             lambda config, layers: float(layers) * config.agent.hidden),
        Axis("hidden", "width of the network", "training", (64, 128, 256, 512), _set_hidden, _itself),
        Axis("processes", "processes", "processes", (1, 2), lambda config, value: config, _itself),
    )
}  # fmt: skip
"""By name, in the order in which they are measured."""


def choose_axes(texts: Sequence[str], options: Any) -> list[tuple[Axis, tuple[Any, ...]]]:
    """Axes with the values to measure.

    Args:
        texts: ``NAME`` or ``NAME=VALUE,VALUE,...``; all that the world has if there are none.
        options: The world's.

    Raises:
        UserError: There is no such axis, the world does not have it, or its values are fewer than two or no sizes.
    """
    if not texts:
        return [(axis, axis.values) for axis in AXES.values() if axis.applies(options)]
    chosen = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if name not in AXES:
            raise UserError("--axes: unknown axis", name, AXES)
        axis = AXES[name]
        if not axis.applies(options):
            raise UserError("--axes: this world has no axis", name, [a for a in AXES if AXES[a].applies(options)])
        if name in chosen:
            raise UserError("--axes has twice the axis", name)
        chosen[name] = (axis, _read_values(axis, values.split(",")) if equals else axis.values)
    return list(chosen.values())


def _read_values(axis: Axis, texts: Sequence[str]) -> tuple[Any, ...]:
    """Words that the axis knows, or whole numbers; two or more, each once. Raises UserError."""
    words = isinstance(axis.values[0], str)
    for text in texts:
        if words and text not in axis.values:
            raise UserError(f"--axes: {axis.name} is", text, axis.values)
        if not words and not (_NUMBER.fullmatch(text) and 0 < int(text) <= _MOST):
            raise UserError(f"--axes: {axis.name} is", text, f"whole numbers from 1 to {_MOST}, e.g. 64,128,256")
    values = tuple(text if words else int(text) for text in texts)
    if len(set(values)) < max(2, len(values)):
        raise UserError(f"--axes: {axis.name} is", ",".join(texts), "two or more values, each once")
    return values
