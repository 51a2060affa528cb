"""Games taken down, so that they can be watched again."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from farlands.errors import UserError
from farlands.worlds.voxel.persistence.replays import Recorder
from farlands.worlds.voxel.world import VoxelWorld

LEAST_STEPS = 20
"""Shorter games are not kept."""
MOST_STEPS = 500_000
"""Seven hours; longer games are kept in several pieces."""
WRITE_EVERY = 2_400
"""Steps, two minutes: what is lost at most where a game ends in a crash."""


class Tape:
    """Takes down what a world of one lives through, into files named by date and time.

    Args:
        home: Of the studio; replays are in ``replays`` there.
        describe: What is to be known of what was lived through, as JSON data.

    Attributes:
        written: Name of the newest file; empty before there is one.
    """

    def __init__(self, home: Path, describe: Callable[[], Mapping[str, Any]] = dict) -> None:
        self._folder, self._describe = home / "replays", describe
        self._recorder: Recorder | None = None
        self._path: Path | None = None
        self._steps = 0
        self.written = ""

    def begin(self, world: VoxelWorld, seed: int | None) -> None:
        """Begin anew, at the beginning of the level of a seed, or None for the world as it is; see ``finish``."""
        try:
            self.finish()
        finally:
            self._recorder, self._steps = Recorder(world, seed=seed), 0

    def note(self, world: VoxelWorld, actions: torch.Tensor) -> None:
        """Take down a step that is about to be made. Raises UserError as ``finish``, and has taken it down."""
        try:
            if self._recorder is None or self._steps >= MOST_STEPS:
                self.begin(world, None)
            elif self._steps and self._steps % WRITE_EVERY == 0:
                self._write(self._recorder)
        finally:
            if self._recorder is not None:
                self._recorder.note(actions)
            self._steps += 1

    def finish(self) -> None:
        """Write down what was taken down, if it is long enough. Raises UserError where that cannot be."""
        recorder, self._recorder = self._recorder, None
        if recorder is not None and self._steps >= LEAST_STEPS:
            self._write(recorder)
        self._path = None

    def _write(self, recorder: Recorder) -> None:
        """All there is so far, into one file that grows."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._path or self._free()
            recorder.finish(self._describe()).write(path, overwrite=True)
        except (OSError, ValueError) as error:
            raise UserError("the game could not be kept as a replay:", str(error)) from error
        self._path, self.written = path, path.name

    def _free(self) -> Path:
        now = f"{datetime.datetime.now():%Y-%m-%d-%H%M%S}"
        names = (f"{now}{'' if k == 1 else f'-{k}'}.replay" for k in range(1, 10_000))
        return next(self._folder / name for name in names if not (self._folder / name).exists())
