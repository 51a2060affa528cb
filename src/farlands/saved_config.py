"""Configs as saved data: written as JSON, read back with every key checked, and compared."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, Literal

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.extensions import resolve_options

CARRIED = (
    "run_dir", "processes", "restarts", "peer_timeout", "save_every", "keep", "faults", "alarms", "tracker",
)  # fmt: skip
"""Settings of ``TrainConfig`` that decide where and how a run is carried, not what comes of it."""


def first_difference(one: Any, other: Any, prefix: str = "") -> tuple[str, Any, Any] | None:
    """The first field, in order, in which two configs of one kind differ: its dotted name and both values."""
    for item in dataclasses.fields(one):
        mine, theirs, name = getattr(one, item.name), getattr(other, item.name, None), prefix + item.name
        if dataclasses.is_dataclass(mine) and type(mine) is type(theirs):
            if found := first_difference(mine, theirs, f"{name}."):
                return found
        elif mine != theirs:
            return name.replace("_", "-"), mine, theirs
    return None


def to_json(config: Any) -> dict[str, Any]:
    """A config as plain JSON data."""
    return dataclasses.asdict(config)


def train_config_from_json(data: Any, where: str) -> TrainConfig:
    """Read a ``TrainConfig`` back, checking every key and type.

    A setting that is missing has its default: runs outlive the versions they were begun with, and a new setting's
    default is what was done before there was one.

    Args:
        data: What ``to_json`` gave, after a trip through JSON.
        where: Path of the file, for messages.

    Raises:
        UserError: A key is unknown, or a value has the wrong type.
    """
    if not isinstance(data, dict) or not isinstance(data.get("world"), str):
        raise UserError("not a run's config", where, "it does not name a world")
    options = resolve_options(data["world"])
    return _decode(TrainConfig, {"options": {}, **data}, where, "", {"options": options})


def _decode(kind: Any, value: Any, where: str, key: str, known: dict[str, Any] | None = None) -> Any:
    """``value`` as an instance of the type ``kind``; ``known`` gives types that the annotations leave open."""
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, value, where, key, known or {})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        kind = next(argument for argument in arguments if argument is not type(None))
        return _decode(kind, value, where, key)
    if origin is tuple and isinstance(value, list):
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(kinds) == len(value):
            return tuple(_decode(one, item, where, key) for one, item in zip(kinds, value, strict=True))
    elif origin is Literal:
        if value in arguments:
            return value
        raise UserError(f"{where}: {key} is", value, [str(argument) for argument in arguments])
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif isinstance(kind, type) and type(value) is kind:
        return value
    raise UserError(f"{where}: {key} is", value, f"expected {getattr(kind, '__name__', kind)}")


def _decode_dataclass(kind: Any, value: Any, where: str, key: str, known: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        raise UserError(f"{where}: {key or 'config'} is", value, "expected an object")
    hints = typing.get_type_hints(kind) | known
    allowed = [item.name for item in dataclasses.fields(kind)]
    for name in value:
        if name not in allowed:
            raise UserError(f"{where}: unknown key", f"{key}{name}", allowed)
    try:
        return kind(**{name: _decode(hints[name], value[name], where, f"{key}{name}.") for name in value})
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
