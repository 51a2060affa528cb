"""Checkpoints: everything a run needs to go on exactly, published whole or not at all.

A checkpoint is a directory ``step-<steps>`` with, for each component, a JSON file and a safetensors file for its
tensors, and a manifest of their sizes and hashes. It is written under another name, synced, renamed, and only then
does ``latest`` name it. Where several processes train together each writes what it alone has, the first the rest and
the manifest; they see the same directory.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from farlands import __version__
from farlands.errors import UserError, first_line
from farlands.learning.peers import ALONE, Peers
from farlands.runtime.files import fsync_path, write_atomically
from farlands.runtime.shards import Share, deal, needed_shards, shard_name, split_name
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
        shards: Of each component, by the process that wrote it, its state; all but what processes have for themselves
            was written by process 0.
    """

    path: Path
    facts: dict[str, Any]
    shards: dict[str, dict[int, Any]]

    @property
    def processes(self) -> int:
        """How many wrote it."""
        return _processes(self.facts)

    @property
    def states(self) -> dict[str, Any]:
        """The state of each component by name, as the first process wrote it of those read."""
        return {name: next(iter(states.values())) for name, states in self.shards.items()}

    def load_into(self, components: Mapping[str, Stateful], own: Collection[str] = (), share: Share = Share()) -> None:
        """Give every component its state.

        Args:
            components: By name.
            own: Those that every process has for itself.
            share: Of this process.

        Raises:
            UserError: The checkpoint is of other components, or one of them refuses its state.
        """
        components = {name: part for name, part in components.items() if name in self.shards or name not in _LATER}
        if set(self.shards) != set(components):
            found, expected = ", ".join(sorted(self.shards)), ", ".join(sorted(components))
            raise UserError(f"checkpoint {self.path} holds other parts: {found}", allowed=f"expected {expected}")
        for name, component in components.items():
            try:
                states = self.shards[name]
                state = deal(component, states, share, self.processes) if name in own else states[0]
                if state is not None:
                    component.load_state_dict(state)
            except (ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
                raise UserError(f"checkpoint {self.path} does not fit: {name}", allowed=first_line(error)) from error


class CheckpointStore:
    """The checkpoints of one run.

    Args:
        directory: Where they are; made at the first save.
        keep: How many of the newest stay.
        peers: The processes that save and load together.
        at: Called with the name of each moment of a save, for those who want to see what happens if it ends there.
    """

    def __init__(
        self, directory: Path, keep: int = 3, peers: Peers = ALONE, at: Callable[[str], None] = lambda moment: None
    ) -> None:
        self.directory, self.keep, self.peers, self.at = directory, keep, peers, at

    def names(self) -> list[str]:
        """Every published checkpoint, oldest first."""
        if not self.directory.is_dir():
            return []
        return sorted(path.name for path in self.directory.iterdir() if path.name.startswith("step-"))

    def newest(self) -> str:
        """Name of the newest checkpoint; empty if there is none."""
        return (self.names() or [""])[-1]

    def save(self, components: Mapping[str, Stateful], facts: dict[str, Any], own: Collection[str] = ()) -> Path:
        """Publish the state of all components; every process calls it.

        Args:
            components: By name.
            facts: JSON data about the run; ``steps`` names the checkpoint.
            own: Names of the components that every process has for itself.

        Raises:
            UserError: It cannot be written, in any process; the checkpoints there were are as they were.
        """
        try:
            return self._save(f"step-{facts['steps']:012d}", components, facts, own)
        except UserError:
            if self.peers.rank == 0:
                # The others have written what they could. What was begun may be what the disk lacked room for.
                for path in self.directory.glob(".new-*"):
                    shutil.rmtree(path, ignore_errors=True)
            raise

    def load(self, name: str = "", parts: Collection[str] = (), share: Share = Share()) -> tuple[Checkpoint, list[str]]:
        """Read one checkpoint, by default the newest complete one; every process calls it.

        Args:
            name: Which; the newest if empty.
            parts: Names of the components wanted; all if empty.
            share: Of this process; of what processes have for themselves it reads what it needs.

        Returns:
            The checkpoint, and a warning for each newer one that was passed over because a crash tore it.

        Raises:
            UserError: There is none, or the one asked for is torn, damaged, foreign or of a newer version.
        """
        chosen, warnings = self.peers.first(lambda: self._choose(name))
        return self.peers.together(lambda: self._read(chosen, parts, share)), warnings

    def drop_after(self, name: str) -> None:
        """Remove the checkpoints newer than ``name`` and point ``latest`` at it."""
        write_atomically(self.directory / "latest", name + "\n")
        for later in self.names():
            if later > name:
                shutil.rmtree(self.directory / later)

    def _save(self, name: str, components: Mapping[str, Stateful], facts: dict[str, Any], own: Collection[str]) -> Path:
        peers, fresh = self.peers, self.directory / f".new-{name}"
        peers.first(lambda: self._guarded(lambda: self._make_room(fresh)))
        mine = {
            shard_name(part, peers.rank, peers.size) if part in own else part: component
            for part, component in components.items()
            if part in own or peers.rank == 0
        }
        written = peers.together(lambda: self._guarded(lambda: self._write(fresh, mine)))
        files = {file: described for each in peers.gather(written) for file, described in each.items()}
        manifest = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "farlands": __version__,
            "facts": {**facts, "processes": peers.size},
            "parts": sorted({file.rpartition(".")[0] for file in files}),
            "files": dict(sorted(files.items())),
        }
        return peers.first(lambda: self._guarded(lambda: self._publish(fresh, name, manifest)))

    def _choose(self, name: str) -> tuple[str, list[str]]:
        """The checkpoint asked for, or the newest that is whole, and what was passed over."""
        names = self.names()
        if name and name not in names:
            raise UserError(f"no checkpoint in {self.directory} named", name, names or "there is none")
        warnings: list[str] = []
        for candidate in [name] if name else reversed(names):
            try:
                _read_whole_manifest(self.directory / candidate)
                return candidate, warnings
            except TornError as error:
                if name or candidate == names[0]:
                    path = self.directory / candidate
                    raise UserError(f"checkpoint {path} is torn: {error}", allowed=self._others(candidate)) from error
                warnings.append(f"{candidate} was torn by a crash ({error}); going on from the one before it")
        raise UserError("no checkpoint in", self.directory, "nothing to go on from")

    def _guarded(self, work: Callable[[], Any]) -> Any:
        """Do work on the disk. Raises UserError where the disk refuses."""
        try:
            return work()
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError(
                "cannot write a checkpoint in",
                self.directory,
                f"{reason}; the newest that is whole: {self.newest() or 'none'}",
            ) from error

    def _make_room(self, fresh: Path) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._sweep()
        fresh.mkdir()
        self.at("begun")

    def _write(self, fresh: Path, components: Mapping[str, Stateful]) -> dict[str, list[Any]]:
        """Write components' files and wait until they are on the disk; what the manifest says of each."""
        if not fresh.is_dir():
            raise UserError("cannot see", fresh, "all processes of a run need the same directory, on a shared disk")
        for part, component in components.items():
            _write_part(fresh, part, component.state_dict())
            self.at("writing")
        files = [path for part in components for path in fresh.glob(f"{glob.escape(part)}.*")]
        for path in files:
            fsync_path(path)
        return {path.name: _describe(path) for path in files}

    def _publish(self, fresh: Path, name: str, manifest: dict[str, Any]) -> Path:
        path = fresh / _MANIFEST
        path.write_text(json.dumps({**manifest, "sha256": _seal(manifest)}, indent=1), encoding="utf-8")
        fsync_path(path)
        fsync_path(fresh)
        self.at("written")
        final = self.directory / name
        if final.exists():
            # A torn or repeated save of the same step; it must not be half there under its own name.
            os.replace(final, self.directory / f".old-{name}")
        os.replace(fresh, final)
        self.at("renamed")
        fsync_path(self.directory)
        write_atomically(self.directory / "latest", name + "\n")
        self.at("published")
        for old in self.names()[: -self.keep]:
            shutil.rmtree(self.directory / old)
        self._sweep()
        return final

    def _sweep(self) -> None:
        """Remove what an interrupted save left behind."""
        for path in self.directory.iterdir():
            if path.name.startswith((".new-", ".old-")):
                shutil.rmtree(path)

    def _read(self, name: str, parts: Collection[str], share: Share) -> Checkpoint:
        path = self.directory / name
        manifest = _read_whole_manifest(path)
        size = _processes(manifest["facts"])
        wanted = {}
        for part in manifest["parts"]:
            component, rank = split_name(part, size)
            own = component != part
            if (not parts or component in parts) and (not own or rank in needed_shards(share, size)):
                wanted[part] = component, rank
        for file, (length, digest) in manifest["files"].items():
            if file.rpartition(".")[0] in wanted and _describe(path / file) != [length, digest]:
                raise UserError(f"checkpoint {path} is damaged: {file} is not as written", allowed=self._others(name))
        shards: dict[str, dict[int, Any]] = {}
        try:
            for part, (component, rank) in wanted.items():
                shards.setdefault(component, {})[rank] = _read_part(path, part)
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            raise UserError(f"checkpoint {path} cannot be read", allowed=first_line(error)) from error
        return Checkpoint(path, manifest["facts"], shards)

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


def _read_whole_manifest(path: Path) -> dict[str, Any]:
    """A manifest of which every file is there in its length. Raises TornError where one is not."""
    manifest = _read_manifest(path)
    for file, (size, _) in manifest["files"].items():
        if not (path / file).is_file() or (path / file).stat().st_size < size:
            raise TornError(f"{file} is missing or short")
    return manifest


def _processes(facts: Mapping[str, Any]) -> int:
    """How many processes wrote a checkpoint; those of earlier versions do not say, and were one."""
    return facts.get("processes", 1)


def file_hashes(path: Path) -> dict[str, str]:
    """SHA-256 of each file of a checkpoint, as its manifest has it: equal hashes are equal states.

    Raises:
        TornError: It is not whole.
        UserError: It is no checkpoint.
    """
    return {name: digest for name, (_, digest) in _read_whole_manifest(path)["files"].items()}


def _is_whole(manifest: dict[str, Any]) -> bool:
    """Whether a manifest, which may come from a stranger, has the shape that is relied on."""
    facts, parts, files = (manifest.get(key) for key in ("facts", "parts", "files"))
    return (
        isinstance(facts, dict)
        and isinstance(facts.get("steps"), int)
        and isinstance(facts.get("processes", 1), int)
        and facts.get("processes", 1) >= 1
        and isinstance(parts, list)
        and all(isinstance(part, str) and f"{part}.json" in (files or {}) for part in parts)
        and isinstance(files, dict)
        and all(
            Path(name).name == name and isinstance(entry, list) and len(entry) == 2 for name, entry in files.items()
        )
        and all(isinstance(entry[0], int) for entry in files.values())
    )
