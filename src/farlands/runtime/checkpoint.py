"""Checkpoints: everything a run needs to go on exactly, published whole or not at all.

A checkpoint is a directory ``step-<steps>`` with, for each component, a JSON file and a safetensors file for its
tensors, and a manifest of their sizes and hashes. It is written under another name, synced, renamed, and only then
does ``latest`` name it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from farlands import __version__
from farlands.errors import UserError, first_line
from farlands.runtime.files import fsync_path, write_atomically
from farlands.runtime.tree import join_tensors, split_tensors

FORMAT = "farlands-checkpoint"
FORMAT_VERSION = 1
_MANIFEST = "manifest.json"
_LATER = ("monitor",)
"""Components that checkpoints of earlier versions lack; they begin anew."""


class Stateful(Protocol):
    """Whatever owns state."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any, /) -> Any: ...


class TornError(Exception):
    """A checkpoint is incomplete: a crash of the machine or a full disk interrupted it."""


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint, read and verified.

    Attributes:
        path: Its directory.
        facts: What was written about it: steps, updates, the world's spec, versions.
        states: The state of each component by name.
    """

    path: Path
    facts: dict[str, Any]
    states: dict[str, Any]

    def load_into(self, components: Mapping[str, Stateful]) -> None:
        """Give every component its state.

        Raises:
            UserError: The checkpoint is of other components, or one of them refuses its state.
        """
        components = {name: part for name, part in components.items() if name in self.states or name not in _LATER}
        if set(self.states) != set(components):
            found, expected = ", ".join(sorted(self.states)), ", ".join(sorted(components))
            raise UserError(f"checkpoint {self.path} holds other parts: {found}", allowed=f"expected {expected}")
        for name, component in components.items():
            try:
                component.load_state_dict(self.states[name])
            except (ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
                raise UserError(f"checkpoint {self.path} does not fit: {name}", allowed=first_line(error)) from error


class CheckpointStore:
    """The checkpoints of one run.

    Args:
        directory: Where they are; made at the first save.
        keep: How many of the newest stay.
    """

    def __init__(self, directory: Path, keep: int = 3) -> None:
        self.directory, self.keep = directory, keep

    def names(self) -> list[str]:
        """Every published checkpoint, oldest first."""
        if not self.directory.is_dir():
            return []
        return sorted(path.name for path in self.directory.iterdir() if path.name.startswith("step-"))

    def newest(self) -> str:
        """Name of the newest checkpoint; empty if there is none."""
        return (self.names() or [""])[-1]

    def save(self, components: Mapping[str, Stateful], facts: dict[str, Any]) -> Path:
        """Publish the state of all components.

        Args:
            components: By name.
            facts: JSON data about the run; ``steps`` names the checkpoint.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._sweep()
        name = f"step-{facts['steps']:012d}"
        fresh = self.directory / f".new-{name}"
        fresh.mkdir()
        for part, component in components.items():
            _write_part(fresh, part, component.state_dict())
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "farlands": __version__,
            "facts": facts,
            "parts": sorted(components),
            "files": {path.name: _describe(path) for path in sorted(fresh.iterdir())},
        }
        (fresh / _MANIFEST).write_text(json.dumps({**manifest, "sha256": _seal(manifest)}, indent=1), encoding="utf-8")
        for path in fresh.iterdir():
            fsync_path(path)
        fsync_path(fresh)
        return self._publish(fresh, name)

    def load(self, name: str = "", parts: Collection[str] = ()) -> tuple[Checkpoint, list[str]]:
        """Read one checkpoint, by default the newest complete one.

        Args:
            name: Which; the newest if empty.
            parts: Names of the components wanted; all if empty.

        Returns:
            The checkpoint, and a warning for each newer one that was passed over because a crash tore it.

        Raises:
            UserError: There is none, or the one asked for is torn, damaged, foreign or of a newer version.
        """
        names = self.names()
        if name:
            if name not in names:
                raise UserError(f"no checkpoint in {self.directory} named", name, names or "there is none")
            return self._read(name, parts, last_resort=True), []
        warnings: list[str] = []
        for candidate in reversed(names):
            try:
                return self._read(candidate, parts, last_resort=candidate == names[0]), warnings
            except TornError as error:
                warnings.append(f"{candidate} was torn by a crash ({error}); going on from the one before it")
        raise UserError("no checkpoint in", self.directory, "nothing to go on from")

    def drop_after(self, name: str) -> None:
        """Remove the checkpoints newer than ``name`` and point ``latest`` at it."""
        write_atomically(self.directory / "latest", name + "\n")
        for later in self.names():
            if later > name:
                shutil.rmtree(self.directory / later)

    def _publish(self, fresh: Path, name: str) -> Path:
        final = self.directory / name
        if final.exists():
            # A torn or repeated save of the same step; it must not be half there under its own name.
            os.replace(final, self.directory / f".old-{name}")
        os.replace(fresh, final)
        fsync_path(self.directory)
        write_atomically(self.directory / "latest", name + "\n")
        for old in self.names()[: -self.keep]:
            shutil.rmtree(self.directory / old)
        self._sweep()
        return final

    def _sweep(self) -> None:
        """Remove what an interrupted save left behind."""
        for path in self.directory.iterdir():
            if path.name.startswith((".new-", ".old-")):
                shutil.rmtree(path)

    def _read(self, name: str, parts: Collection[str], last_resort: bool) -> Checkpoint:
        path = self.directory / name
        try:
            manifest = _read_manifest(path)
            for file, (size, _) in manifest["files"].items():
                if not (path / file).is_file() or (path / file).stat().st_size < size:
                    raise TornError(f"{file} is missing or short")
        except TornError as error:
            if last_resort:
                raise UserError(f"checkpoint {path} is torn: {error}", allowed=self._others(name)) from error
            raise
        wanted = [part for part in manifest["parts"] if not parts or part in parts]
        for file, (size, digest) in manifest["files"].items():
            if file.rpartition(".")[0] in wanted and _describe(path / file) != [size, digest]:
                raise UserError(f"checkpoint {path} is damaged: {file} is not as written", allowed=self._others(name))
        try:
            states = {part: _read_part(path, part) for part in wanted}
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise UserError(f"checkpoint {path} cannot be read", allowed=first_line(error)) from error
        return Checkpoint(path, manifest["facts"], states)

    def _others(self, name: str) -> str:
        others = [other for other in self.names() if other != name]
        return f"others can be named with --checkpoint: {', '.join(others)}" if others else "there is no other"


def _write_part(directory: Path, part: str, state: Any) -> None:
    data, tensors = split_tensors(state)
    (directory / f"{part}.json").write_text(json.dumps(data), encoding="utf-8")
    if tensors:
        save_file(tensors, directory / f"{part}.safetensors")


def _read_part(directory: Path, part: str) -> Any:
    data = json.loads((directory / f"{part}.json").read_text(encoding="utf-8"))
    tensors = directory / f"{part}.safetensors"
    return join_tensors(data, load_file(tensors) if tensors.exists() else {})


def _describe(path: Path) -> list[Any]:
    """Size in bytes and SHA-256 of a file."""
    with path.open("rb") as file:
        return [path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()]


def _seal(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _read_manifest(path: Path) -> dict[str, Any]:
    """A manifest whose own hash is right. Raises TornError where it is cut off, UserError where it is foreign."""
    try:
        text = (path / _MANIFEST).read_text(encoding="utf-8")
        manifest = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise TornError("its manifest is missing or cut off") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError("not a Farlands checkpoint:", path)
    if manifest.get("format_version") != FORMAT_VERSION:
        written = f"format {manifest.get('format_version')} of Farlands {manifest.get('farlands')}"
        raise UserError(f"checkpoint {path} has {written}", allowed=f"this is {__version__}, format {FORMAT_VERSION}")
    if manifest.pop("sha256", None) != _seal(manifest):
        raise UserError(f"checkpoint {path} is damaged: {_MANIFEST} is not as written")
    if not _is_whole(manifest):
        raise UserError("not a Farlands checkpoint:", path, f"{_MANIFEST} lacks what it should hold")
    return manifest


def _is_whole(manifest: dict[str, Any]) -> bool:
    """Whether a manifest, which may come from a stranger, has the shape that is relied on."""
    facts, parts, files = (manifest.get(key) for key in ("facts", "parts", "files"))
    return (
        isinstance(facts, dict)
        and isinstance(facts.get("steps"), int)
        and isinstance(parts, list)
        and all(isinstance(part, str) and f"{part}.json" in (files or {}) for part in parts)
        and isinstance(files, dict)
        and all(
            Path(name).name == name and isinstance(entry, list) and len(entry) == 2 for name, entry in files.items()
        )
        and all(isinstance(entry[0], int) for entry in files.values())
    )
