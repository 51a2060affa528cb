"""Configs as saved data: written as JSON, read back with every key checked, and compared."""

from __future__ import annotations

import dataclasses
from typing import Any

from farlands.config import TrainConfig
from farlands.decoding import decode
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
    return decode(TrainConfig, {"options": {}, **data}, where, {"options": options})
