"""Saved worlds, by name, in a directory of their own."""

from __future__ import annotations

import contextlib
import dataclasses
import re
from pathlib import Path
from typing import Any

from farlands.errors import UserError
from farlands.worlds.voxel.options import SYMBOLS, VoxelOptions
from farlands.worlds.voxel.persistence.saves import Save
from farlands.worlds.voxel.world import VoxelWorld

SENSES = (*SYMBOLS, "position")
"""What worlds that are walked in show."""
LEFT = "where-you-left"
"""Name of the world that was left last, which alone is written over."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_LOOKS = ("cube", "sight", "width", "height", "patch", "field_of_view", "texture_seed", "gamma")
_MOST_LISTED = 500


def check_name(name: str) -> str:
    """The name. Raises UserError unless it is 1 to 60 letters, digits, dashes or underscores."""
    if not _NAME.fullmatch(name):
        raise UserError("a name has letters, digits, - and _, at most 60 of them, not", name)
    return name


def free_name(name: str, taken: Any) -> str:
    """The name with the first number behind it that is free; ``taken(name)`` says which are not."""
    return next(f"{name[:55]}-{k}" for k in range(2, 10_000) if not taken(f"{name[:55]}-{k}"))


def names_in(path: Path, suffix: str) -> list[str]:
    """Names, without the suffix, of what lies in a directory and has it, the newest first; at most 500."""
    found = []
    for each in path.glob(f"*{suffix}"):
        with contextlib.suppress(OSError):
            found.append((each.stat().st_mtime, each.name.removesuffix(suffix)))
    return [name for _, name in sorted(found, reverse=True)[:_MOST_LISTED] if _NAME.fullmatch(name)]


class Saves:
    """The worlds saved below one directory.

    Args:
        home: Of the studio; they are in ``saves`` there.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "saves"

    def write(self, name: str, world: VoxelWorld) -> None:
        """Save a world.

        Raises:
            UserError: The name cannot be one, is taken, or the file cannot be written.
        """
        path = self.find(name)
        if name == LEFT:
            raise UserError("this name is kept for the world that was left last:", name, "choose another")
        if path.exists():
            other = free_name(name, lambda each: self.find(each).exists())
            raise UserError("there is a saved world already:", name, f"nothing was overwritten; {other} is free")
        self._write(path, world)

    def keep(self, world: VoxelWorld) -> None:
        """Save a world that is being left, whatever was left before. Raises UserError where it cannot be written."""
        self._write(self.find(LEFT), world, overwrite=True)

    def _write(self, path: Path, world: VoxelWorld, *, overwrite: bool = False) -> None:
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            Save.of(world).write(path, overwrite=overwrite)
        except OSError as error:
            raise UserError("cannot write to", path, error.strerror or str(error)) from error
        except ValueError as error:
            raise UserError(str(error)) from error

    def read(self, name: str) -> Save:
        """A saved world that can be walked in.

        Raises:
            UserError: There is none of that name, it is torn, of other rules, or of a world for other hands.
        """
        path = self.find(name)
        if not path.is_file():
            raise UserError("no saved world named", name, self.names() or "there is none yet")
        try:
            save = Save.read(path)
        except ValueError as error:
            raise UserError(str(error)) from error
        options = save.options
        if (options.actions, options.ticks_per_step) != ("factored", 1) or options.agents > 2 or options.trials > 1:
            raise UserError(
                f"the saved world {name} was not made by playing: it has {options.actions} actions, "
                f"{options.ticks_per_step} ticks a step and {options.agents} agents"
            )
        return save

    def overview(self) -> list[dict[str, Any]]:
        """Every saved world in a few words, the newest first; those that cannot be read are told as broken."""
        return [self._sketch(self.find(name)) for name in self.names()]

    def names(self) -> list[str]:
        """Of all saved worlds, the newest first."""
        return names_in(self._path, ".world")

    def find(self, name: str) -> Path:
        """Where a world of that name is saved. Raises UserError where it can't be one."""
        return self._path / f"{check_name(name)}.world"

    def _sketch(self, path: Path) -> dict[str, Any]:
        told: dict[str, Any] = {"name": path.stem}
        try:
            told["changed"] = path.stat().st_mtime
            about = Save.read(path)
        except (OSError, ValueError) as error:
            return told | {"broken": str(error)}
        facts = about.describe()
        seed, step = str(facts["level seed"]), facts["step"]
        return told | {"seed": seed, "task": about.options.task, "agents": about.options.agents, "step": step}


def options_to_walk(options: VoxelOptions) -> VoxelOptions:
    """Options of a world as they are where people walk in it: the same rules, the standard looks."""
    standard = VoxelOptions()
    return dataclasses.replace(options, senses=SENSES, **{name: getattr(standard, name) for name in _LOOKS})
