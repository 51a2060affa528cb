"""Users' own files on other machines: their text goes with the plan, and is written where it is not."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from farlands.config import TrainConfig
from farlands.saved_config import to_json


def describe(config: TrainConfig) -> tuple[dict[str, Any], dict[str, str]]:
    """What an actor has to know of a run: its config as JSON data, and the text of each file that names in it lead to.

    Callbacks are the learner's alone and are left out.
    """
    data = json.loads(json.dumps(to_json(dataclasses.replace(config, callbacks=()))))
    files: dict[str, str] = {}

    def note(reference: str) -> str:
        path = reference.rpartition(":")[0]
        if path.endswith(".py"):
            files[path] = Path(path).read_text(encoding="utf-8")
        return reference

    _rename(data, note)
    return data, files


def settle(data: dict[str, Any], files: Mapping[str, str], folder: Path) -> dict[str, Any]:
    """The same config with references that hold on this machine.

    Args:
        data: As ``describe`` gave it.
        files: Text by path. Where a path leads to that text already, as on the learner's own machine, it is left alone.
        folder: Where to write the others.
    """

    def find(reference: str) -> str:
        path, _, name = reference.rpartition(":")
        return f"{_place(path, files[path], folder)}:{name}" if path in files else reference

    return _rename(data, find)


def _place(path: str, text: str, folder: Path) -> Path:
    here = Path(path)
    if here.is_file() and here.read_text(encoding="utf-8") == text:
        return here
    there = folder / hashlib.sha256(f"{path}\n{text}".encode()).hexdigest()[:16] / here.name
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text(text, encoding="utf-8")
    return there


def _rename(data: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """A config's data with every reference to something by name changed."""
    return {
        **data,
        "world": change(data["world"]),
        "agent": {**data["agent"], "network": change(data["agent"]["network"])},
        "rewards": {**data["rewards"], "sources": [change(name) for name in data["rewards"]["sources"]]},
    }
