"""Ranges of settings, as people write them: ``ppo.learning-rate=1e-4..1e-2``, ``agent.hidden=64,128,256``."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Any

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.flags import Flag, list_flags

_WIDE = 10.0
"""A range of positive numbers whose ends are this many times apart is searched on a scale of doublings."""


@dataclass(frozen=True)
class Range:
    """Values that one flag may take.

    Attributes:
        flag: Its name without the dashes.
        choices: Texts to choose from, or empty for numbers between two ends.
        low, high: The ends, inclusive.
        whole: Whether only whole numbers will do.
        log: Whether to search on a scale of doublings.
    """

    flag: str
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    log: bool = False

    def distribution(self) -> Any:
        """The same for optuna."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.choices:
            return CategoricalDistribution(self.choices)
        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)


def read_range(text: str, config: TrainConfig) -> Range:
    """A range as written.

    Args:
        text: ``flag=low..high`` or ``flag=one,two,three``.
        config: Whose flags there are.

    Raises:
        UserError: There is no such flag, or its values are not of its kind.
    """
    name, equals, values = text.partition("=")
    name = name.strip().removeprefix("--").replace("_", "-")
    flags = {flag.name: flag for flag in list_flags(config)}
    if not equals or not values.strip():
        raise UserError("--ranges:", text, "expected flag=low..high or flag=one,two,three")
    if name not in flags:
        name = f"world.{name}" if f"world.{name}" in flags else name
    if name not in flags:
        raise UserError("--ranges: unknown flag", name, flags)
    low, dots, high = values.partition("..")
    if dots:
        return _read_ends(flags[name], low, high, text)
    choices = tuple(part.strip() for part in values.split(","))
    if len(set(choices)) < 2:
        raise UserError("--ranges:", text, "one value is no range; set it with --common")
    return Range(name, choices)


def _read_ends(flag: Flag, low: str, high: str, text: str) -> Range:
    kind = flag.kind if typing.get_origin(flag.kind) is None else None
    if kind not in (int, float):
        raise UserError("--ranges:", text, f"--{flag.name} is no number; give its values as one,two,three")
    try:
        ends = float(low), float(high)
    except ValueError as error:
        raise UserError("--ranges:", text, "the ends are not numbers") from error
    if not ends[0] < ends[1] < float("inf"):
        raise UserError("--ranges:", text, "the low end must be below the high one")
    if kind is int and any(end != int(end) for end in ends):
        raise UserError("--ranges:", text, f"--{flag.name} takes whole numbers")
    return Range(flag.name, (), *ends, whole=kind is int, log=ends[0] > 0 and ends[1] / ends[0] >= _WIDE)
