"""Games taken down, so that they can be watched again."""

from __future__ import annotations

import datetime
from pathlib import Path

import torch

from farlands.errors import UserError
from farlands.worlds.voxel.persistence.replays import Recorder
from farlands.worlds.voxel.world import VoxelWorld

LEAST_STEPS = 20
"""Shorter games are not kept."""
MOST_STEPS = 500_000
"""Seven hours; longer games are kept in several pieces."""


class Tape:
    """Takes down what a world of one lives through, into files named by date and time.

    Args:
        home: Of the studio; replays are in ``replays`` there.

    Attributes:
        written: Name of the newest file; empty before there is one.
    """

    def __init__(self, home: Path) -> None:
        self._path = home / "replays"
        self._recorder: Recorder | None = None
        self._steps = 0
        self.written = ""

    def begin(self, world: VoxelWorld, seed: int | None) -> None:
        """Begin anew, at the beginning of the level of a seed, or None for the world as it is; see ``finish``."""
        self.finish()
        self._recorder, self._steps = Recorder(world, seed=seed), 0

    def note(self, world: VoxelWorld, actions: torch.Tensor) -> None:
        """Take down a step that is about to be made. Raises UserError as ``finish``."""
        if self._recorder is None or self._steps >= MOST_STEPS:
            self.begin(world, None)
        assert self._recorder is not None
        self._recorder.note(actions)
        self._steps += 1

    def finish(self) -> None:
        """Write down what was taken down, if it is long enough. Raises UserError where that cannot be."""
        recorder, self._recorder = self._recorder, None
        if recorder is None or self._steps < LEAST_STEPS:
            return
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            path = self._free()
            recorder.finish().write(path)
        except (OSError, ValueError) as error:
            raise UserError("the game could not be kept as a replay:", str(error)) from error
        self.written = path.name

    def _free(self) -> Path:
        now = f"{datetime.datetime.now():%Y-%m-%d-%H%M%S}"
        names = (f"{now}{'' if k == 1 else f'-{k}'}.replay" for k in range(1, 10_000))
        return next(self._path / name for name in names if not (self._path / name).exists())
