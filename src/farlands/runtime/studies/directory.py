"""What comparisons and sweeps share: directories that say what is done in them, so that the same command goes on."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from farlands.errors import UserError
from farlands.runtime.devices import resolve_threads
from farlands.runtime.files import write_json

Config = TypeVar("Config")

COMPARISON = ("compare.json", "comparison")
SWEEP = ("sweep.json", "sweep")
"""The file that says what is done in a directory, and what people call it."""


def split_flags(text: str, where: str) -> list[str]:
    """Flags written in one text. Raises UserError where a quote is left open."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise UserError(f"{where}:", text, str(error)) from error


def begin(directory: Path, config: Any, study: tuple[str, str]) -> None:
    """Make a new directory and write down what is done in it.

    Raises:
        UserError: It holds something already, or cannot be written.
    """
    record, kind = study
    if (directory / record).exists():
        verb = record.partition(".")[0]
        raise UserError(f"there is a {kind} already in", directory, f"go on with it by: farlands {verb} {directory}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UserError("directory is not empty:", directory, f"a {kind} needs a new or empty one")
        write_json(directory / record, dataclasses.asdict(config))
    except OSError as error:
        raise UserError("cannot write to", directory, error.strerror or str(error)) from error


def reopen(directory: Path, kind: type[Config], study: tuple[str, str]) -> Config:
    """The config a directory was begun with.

    Args:
        directory: Where.
        kind: The config's class.
        study: ``COMPARISON`` or ``SWEEP``.

    Raises:
        UserError: There is no such thing there.
    """
    record, name = study
    path = directory / record
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        tuples = {item.name for item in dataclasses.fields(kind) if isinstance(item.default, tuple)}  # type: ignore[arg-type]
        config = kind(**{key: tuple(value) if key in tuples else value for key, value in data.items()})
    except FileNotFoundError as error:
        raise UserError(f"not a {name}:", directory, f"it has no {record}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("cannot read", path, str(error)) from error
    return dataclasses.replace(config, run_dir=str(directory))  # type: ignore[type-var]


def check_changes(begun: Any, config: Any, study: tuple[str, str], may_change: Sequence[str]) -> None:
    """Raise UserError where something that is under way has been asked to become something else."""
    for item in dataclasses.fields(begun):
        stands, value = getattr(begun, item.name), getattr(config, item.name)
        if value != stands and item.name not in may_change:
            flag = f"--{item.name.replace('_', '-')}"
            raise UserError(f"{flag} was set when the {study[1]} was begun, to", stands, f"not {value}")


def budget_flags(steps: int, seconds: float) -> tuple[str, ...]:
    """Flags of `farlands train` for so many steps, or for so much time instead if there is any."""
    return ("--steps", str(10**15), "--seconds", repr(seconds)) if seconds else ("--steps", str(steps))


def thread_flags(flags: Sequence[str], parallel: int) -> tuple[str, ...]:
    """Side by side, runs share the cores evenly, unless their flags say otherwise."""
    if parallel == 1 or any(flag.partition("=")[0] == "--threads" for flag in flags):
        return ()
    return ("--threads", str(max(1, resolve_threads(0) // parallel)))
