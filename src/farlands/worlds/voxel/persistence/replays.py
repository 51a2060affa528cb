"""Replays: where a world began, every action, and hashes of the states they led to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.documents import Document, describe_options, glance
from farlands.worlds.voxel.persistence.saves import Save
from farlands.worlds.voxel.world import VoxelWorld

KIND = "replay"
EVERY = 100
"""Steps between two hashes."""


@dataclass(frozen=True)
class Replay:
    """What one world lived through. It plays bit for bit, and can be drawn at any size, however it was recorded.

    Attributes:
        options: Of the world.
        rules: Hash of the rules it lived by (``WorldSpec.rules``).
        seed: Of the level it began with; unused where there is a ``start``.
        actions: uint8 ``[T]``, or ``[T, factors]`` for factored actions; of several agents ``[T, A]`` and
            ``[T, A, factors]``.
        hash_steps: int64 ``[H]``, ascending: actions before which the state was hashed.
        hashes: int64 ``[H]``.
        start: The save it began from; None for the beginning of its level.
        facts: What else is to be known of it, as JSON data.
    """

    options: VoxelOptions
    rules: str
    seed: int
    actions: np.ndarray
    hash_steps: np.ndarray
    hashes: np.ndarray
    start: Save | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.actions)

    def play(self, senses: tuple[str, ...] = ("vitals",)) -> Iterator[VoxelWorld]:
        """Play it again, one world on the CPU.

        Args:
            senses: What the world shows; pictures of any size come from ``VoxelWorld.render``.

        Yields:
            The world before each action, and once more after the last.

        Raises:
            ValueError: Rules have changed since, or a state is not the one that was recorded.
        """
        world = VoxelWorld(1, dataclasses.replace(self.options, senses=senses))
        try:
            self._begin(world)
            expected = dict(zip(self.hash_steps.tolist(), self.hashes.tolist(), strict=True))
            out = world.allocate()
            shape = (len(self), world.num_rows, *world.spec.action.shape)
            if self.actions.size != np.prod(shape):
                raise ValueError(f"the replay has actions of shape {self.actions.shape}, expected {shape}")
            actions = torch.from_numpy(self.actions.astype(np.int32)).reshape(shape)
            for step in range(len(self)):
                if step in expected and int(world.state_hash()[0]) != expected[step]:
                    raise ValueError(f"the replay goes another way than was recorded, before step {step + 1}")
                yield world
                world.step(actions[step], out)
            yield world
        finally:
            world.close()

    def _begin(self, world: VoxelWorld) -> None:
        if world.spec.rules != self.rules:
            raise ValueError(
                f"the replay is of rules {self.rules}, this version has {world.spec.rules}: record it again"
            )
        world.reset([self.seed])
        if self.start is not None:
            self.start.put(world)

    def write(self, path: Path, *, overwrite: bool = False) -> None:
        """Write a file. Raises ValueError and OSError as ``Document.write``."""
        arrays = {name: getattr(self, name) for name in ("actions", "hash_steps", "hashes")}
        header = {"options": describe_options(self.options), "rules": self.rules, "seed": self.seed, "start": None}
        header |= {"facts": dict(self.facts)} if self.facts else {}
        if self.start is not None:
            header["start"] = {"rules": self.start.rules, "state_hash": self.start.state_hash}
            arrays |= {f"start.{name}": value for name, value in self.start.arrays().items()}
        Document(KIND, header, arrays).write(path, overwrite=overwrite)

    @classmethod
    def read(cls, path: Path) -> Replay:
        """What ``write`` wrote. Raises ValueError, in one line, for anything else."""
        document = Document.read(path, KIND)
        header, arrays = document.header, document.arrays
        try:
            about = header["start"]
            inner = {name[6:]: value for name, value in arrays.items() if name.startswith("start.")}
            start = None if about is None else Save.from_arrays(document, about, inner)
            own = {name: arrays[name] for name in ("actions", "hash_steps", "hashes")}
            facts = dict(header.get("facts", {}))
            return cls(document.options, str(header["rules"]), int(header["seed"]), start=start, facts=facts, **own)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path}: the replay lacks {error}") from None


@dataclass(frozen=True)
class Glimpse:
    """What a replay file says of itself at a glance, unchecked.

    Attributes:
        steps: T.
        ticks_per_step: Of its world.
        task: Of its world.
        facts: As ``Replay.facts``.
    """

    steps: int
    ticks_per_step: int
    task: str
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, path: Path) -> Glimpse:
        """Look at a file. Raises ValueError, in one line, where it is no replay."""
        header, shapes = glance(path, KIND)
        try:
            ticks, task = int(header["options"]["ticks_per_step"]), str(header["options"]["task"])
            return cls(int(shapes["actions"][0]), ticks, task, dict(header.get("facts", {})))
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ValueError(f"{path}: the replay lacks {error}") from None


class Recorder:
    """Takes down what one world of a batch lives through, from now on.

    Args:
        world: The batch, reset.
        index: Which of its worlds.
        seed: Of the level that has just begun; None to begin from the world as it is.
    """

    def __init__(self, world: VoxelWorld, index: int = 0, *, seed: int | None = None) -> None:
        self._world, self._index = world, index
        self._seed = seed
        self._start = Save.of(world, index) if seed is None else None
        self._actions: list[np.ndarray] = []
        self._hashes: dict[int, int] = {}

    def note(self, actions: torch.Tensor) -> None:
        """Take down a step that is about to be made.

        Args:
            actions: Of the whole batch, as ``World.step`` takes them.
        """
        step = len(self._actions)
        if step % EVERY == 0:
            self._hashes[step] = self._hash()
        mine = actions.unflatten(0, (self._world.num_worlds, self._world.num_agents))[self._index]
        if self._world.num_agents == 1:
            mine = mine[0]
        self._actions.append(mine.cpu().numpy().astype(np.uint8))

    def finish(self, facts: Mapping[str, Any] | None = None) -> Replay:
        """The replay of what was noted, the last noted step being made or not; more may be noted, and this called anew.

        Args:
            facts: As ``Replay.facts``.

        Raises:
            ValueError: Nothing was noted.
        """
        if not self._actions:
            raise ValueError("there is nothing to replay: no step was noted")
        steps = sorted(self._hashes)
        return Replay(
            options=self._world.options,
            rules=self._world.spec.rules,
            seed=self._seed or 0,
            actions=np.stack(self._actions),
            hash_steps=np.array(steps, dtype=np.int64),
            hashes=np.array([self._hashes[step] for step in steps], dtype=np.int64),
            start=self._start,
            facts=facts or {},
        )

    def _hash(self) -> int:
        return int(self._world.state_hash([self._index])[0])
