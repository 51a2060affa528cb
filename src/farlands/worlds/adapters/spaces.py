"""Gymnasium spaces of a world's spec, and options from plain keyword arguments."""

from __future__ import annotations

import dataclasses
import difflib
from typing import Any, TypeVar

import gymnasium
import numpy as np

from farlands.worlds.world import ArraySpec, Box, Discrete, WorldSpec

Options = TypeVar("Options")


def box_of(array: ArraySpec) -> gymnasium.spaces.Box:
    """The space of one observation array."""
    dtype = np.dtype(array.dtype).type
    return gymnasium.spaces.Box(dtype(array.low), dtype(array.high), array.shape, dtype)


def observation_space(spec: WorldSpec) -> gymnasium.spaces.Dict:
    """The space of one row's observation: a box for each array."""
    return gymnasium.spaces.Dict({name: box_of(array) for name, array in spec.observation.items()})


def action_space(spec: WorldSpec) -> gymnasium.Space:
    """The space of one row's action."""
    action = spec.action
    if isinstance(action, Discrete):
        return gymnasium.spaces.Discrete(action.n)
    if isinstance(action, Box):
        return gymnasium.spaces.Box(np.float32(action.low), np.float32(action.high), dtype=np.float32)
    return gymnasium.spaces.MultiDiscrete(action.nvec)


def options_from(kind: type[Options], values: dict[str, Any]) -> Options:
    """An options dataclass from keyword arguments; lists become tuples, as JSON has only those.

    Raises:
        ValueError: There is no such option, in one line with the nearest name.
    """
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            raise ValueError(f"no option {name!r}; " + (f"did you mean {close[0]!r}?" if close else f"one of: {', '.join(names)}"))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})
