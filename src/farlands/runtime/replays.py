"""The verbs `save-info` and `replay`, and replays of what evaluations live through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from farlands.config import ReplayConfig
from farlands.errors import UserError
from farlands.runtime.display import Display, make_display
from farlands.runtime.quiet import hush_warp
from farlands.worlds.world import World

if TYPE_CHECKING:
    from farlands.worlds.voxel.persistence.replays import Replay


def save_info(path: str) -> int:
    """Say what a saved world is. Raises UserError where the file is none."""
    from farlands.worlds.voxel.persistence.saves import Save

    hush_warp()
    about = _read(Save, path).describe()
    print(f"saved world {path}")
    for name, value in about.items():
        print(f"  {name:<30}{value}")
    return 0


def replay(config: ReplayConfig) -> int:
    """Play a replay again, check it, and draw it if asked to. Raises UserError where that can't be."""
    from farlands.worlds.voxel.persistence.replays import Replay

    hush_warp()
    recording = _read(Replay, config.path)
    target = Path(config.render).expanduser() if config.render else None
    if target and target.exists():
        raise UserError("--render: there is a file already:", target, "nothing was overwritten")
    with make_display() as display:
        try:
            if target is None:
                for _ in _played(recording, display):
                    pass
            else:
                _render(recording, target, config, display)
        except ValueError as error:
            raise UserError(str(error)) from error
    begun = "from a saved world" if recording.start else f"level {recording.seed}"
    print(f"{begun}, {len(recording)} steps, {len(recording.hashes)} hashes, all as recorded")
    if target:
        print(target)
    return 0


def _read(kind: Any, path: str) -> Any:
    try:
        return kind.read(Path(path).expanduser())
    except ValueError as error:
        raise UserError(str(error)) from error


def _played(recording: Replay, display: Display) -> Iterator[Any]:
    for step, world in enumerate(recording.play()):
        if step % 100 == 0:
            display.status(f"step {step} of {len(recording)}")
        yield world


def _render(recording: Replay, target: Path, config: ReplayConfig, display: Display) -> None:
    from farlands.runtime.video import write_video

    size = (config.width, config.height)

    def pictures() -> Iterator[np.ndarray]:
        for step, world in enumerate(_played(recording, display)):
            if step % config.every == 0:
                yield world.render([0], config.height, config.width)[0].cpu().numpy()

    try:
        write_video(target, pictures(), size)
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def recording(make_world: Callable[[int], World], directory: Path, count: int) -> Callable[[int], World]:
    """``make_world``, but that the first ``count`` worlds of its first batch are taken down. Raises UserError."""
    from farlands.worlds.voxel.world import VoxelWorld

    first = True

    def make(size: int) -> World:
        nonlocal first
        world = make_world(size)
        if not first:
            return world
        first = False
        if not isinstance(world, VoxelWorld):
            raise UserError("--replays: worlds that can be taken down are those of voxel, not", world.spec.name)
        return cast("World", RecordedWorld(world, directory, count))

    return make


class RecordedWorld:
    """A batch of voxel worlds whose first ones are taken down until the first episode of every agent has ended.

    Args:
        world: The batch.
        directory: Where the replays go, as ``level-<index>.replay``, when the batch is closed.
        count: How many worlds.

    Attributes:
        All of ``World``'s, which are the batch's own.
    """

    def __init__(self, world: World, directory: Path, count: int) -> None:
        self._world, self._directory = world, directory
        self._count = min(count, world.num_worlds)
        self._recorders: dict[int, Any] = {}
        self._done: dict[int, Any] = {}
        self._ended = torch.zeros(world.num_worlds, world.num_agents, dtype=torch.bool)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)

    def reset(self, seed: Sequence[int], out: Any = None) -> Any:
        """As ``World.reset``, with a seed for each world; begins to record."""
        from farlands.worlds.voxel.persistence.replays import Recorder

        step = self._world.reset(seed, out)
        self._ended.zero_()
        self._recorders = {k: Recorder(self._world, k, seed=int(seed[k])) for k in range(self._count)}  # type: ignore[arg-type]
        return step

    def step(self, actions: torch.Tensor, out: Any = None) -> Any:
        """As ``World.step``."""
        for recorder in self._recorders.values():
            recorder.note(actions)
        step = self._world.step(actions, out)
        if self._recorders:
            self._ended |= (step.terminated | step.truncated).cpu().view_as(self._ended)
            for index in [k for k in self._recorders if self._ended[k].all()]:
                self._done[index] = self._recorders.pop(index).finish()
        return step

    def close(self) -> None:
        """Write the replays and release the worlds. Raises UserError where they cannot be written."""
        self._done |= {index: recorder.finish() for index, recorder in self._recorders.items()}
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for index, recording in self._done.items():
                recording.write(self._directory / f"level-{index:04d}.replay", overwrite=True)
        except OSError as error:
            raise UserError("cannot write to", self._directory, error.strerror or str(error)) from error
        finally:
            self._world.close()
