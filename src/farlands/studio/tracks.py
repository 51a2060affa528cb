"""What can be lived again step by step: replays and recorded demonstrations, both as where they begin and what is done.

Axis letters: T steps, R rows.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from farlands.errors import UserError
from farlands.runtime.demonstration_files import open_dataset
from farlands.studio.recording import OTHERS, find_demonstration
from farlands.worlds.adapters.conversions import options_from
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.replays import Replay
from farlands.worlds.voxel.world import VoxelWorld

SENSES = ("vitals", "status", "inventory", "equipment")
"""What is shown of a world that is lived again."""
_LONGEST = 2_000_000
_ABOUT = (
    "algorithm_name", "recorded_by", "recorded_name", "consent", "consent_given", "consent_time", "farlands_version",
    "python_version", "warp_version", "minari_version", "rules",
)  # fmt: skip


@dataclass(frozen=True)
class Track:
    """A life, or several, that can be lived again.

    Attributes:
        what: ``"replay"`` or ``"demonstration"``.
        name: For people.
        options: Of the world.
        rules: Hash of the rules it was lived by.
        begin: Takes a world of one with these options to where it began.
        actions: int32 ``[T, R]`` or ``[T, R, factors]``.
        hashes: Of the state before some steps, by step.
        rewards: float32 ``[T]``, of the first agent; empty where they were not written down.
        facts: What else is to be told, as JSON data.
    """

    what: str
    name: str
    options: VoxelOptions
    rules: str
    begin: Callable[[VoxelWorld], None]
    actions: np.ndarray
    hashes: Mapping[int, int] = field(default_factory=dict)
    rewards: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    facts: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.actions)

    def make_world(self) -> VoxelWorld:
        """Its world, where it began.

        Raises:
            UserError: It is of other rules, or its options or beginning cannot be.
        """
        try:
            world = VoxelWorld(1, dataclasses.replace(self.options, senses=SENSES), num_shards=1)
        except ValueError as error:
            raise UserError(f"{self.name}: {error}") from error
        try:
            if world.spec.rules != self.rules:
                raise ValueError(f"it is of rules {self.rules}; this version has {world.spec.rules}")
            if self.actions.shape[1:] != (world.num_rows, *world.spec.action.shape):
                raise ValueError(f"it has actions of shape {self.actions.shape}")
            self.begin(world)
        except ValueError as error:
            world.close()
            raise UserError(f"{self.name} cannot be lived again: {error}") from error
        return world


def track_of_replay(path: Path) -> Track:
    """A replay file. Raises UserError where it is none."""
    try:
        replay = Replay.read(path)
    except (OSError, ValueError) as error:
        raise UserError(str(error)) from error
    agents, factored = replay.options.agents, replay.options.actions == "factored"
    shape = (len(replay), agents, *replay.actions.shape[1 + (agents > 1) :])
    if not 0 < len(replay) <= _LONGEST or replay.actions.ndim != 1 + (agents > 1) + factored:
        raise UserError(f"{path.name} cannot be lived again: it has actions of shape", str(replay.actions.shape))

    def begin(world: VoxelWorld) -> None:
        world.reset([replay.seed])
        if replay.start is not None:
            replay.start.put(world)

    hashes = dict(zip(replay.hash_steps.tolist(), replay.hashes.tolist(), strict=True))
    actions = replay.actions.astype(np.int32).reshape(shape)
    return Track("replay", path.name, replay.options, replay.rules, begin, actions, hashes)


def track_of_demonstration(home: Path, name: str, episode: int) -> Track:
    """An episode of a dataset. Raises UserError where there is none."""
    path = find_demonstration(home, name)
    if not path.is_dir():
        raise UserError("no recorded dataset named", name)
    data = open_dataset(path)
    if not 0 <= episode < data.total_episodes:
        raise UserError(f"{name} has no episode", episode, f"0 to {int(data.total_episodes) - 1}")
    about = data.storage.metadata
    try:
        options = options_from(VoxelOptions, json.loads(about["world_options"]))
        facts = next(iter(data.storage.get_episode_metadata([episode])))
        seed, lived = int(facts["seed"]), data[episode]
        actions = np.asarray(lived.actions, dtype=np.int32)[:, None]
        if OTHERS in (lived.infos or {}):
            others = np.asarray(lived.infos[OTHERS], dtype=np.int32)[1:]
            actions = np.concatenate([actions, others.reshape(len(actions), -1, actions.shape[2])], axis=1)
        track = Track(
            "demonstration", name, options, str(about["rules"]), lambda world: _begin(world, seed),
            actions, rewards=np.asarray(lived.rewards, dtype=np.float32),
            facts={
                "episode": episode, "episodes": int(data.total_episodes), "cause": str(facts.get("cause", "")),
                "about": {key: about[key] for key in _ABOUT if key in about},
            },
        )  # fmt: skip
    except (OSError, KeyError, TypeError, ValueError, StopIteration) as error:
        raise UserError(f"{name} holds no episode of a voxel world: {type(error).__name__} {error}") from error
    return track


def _begin(world: VoxelWorld, seed: int) -> None:
    world.reset([seed])
