"""Played episodes as small files: a seed, options and actions, and the hash of the state they lead to."""

from __future__ import annotations

import base64
import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

import torch

from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Episodes


@dataclass(frozen=True)
class Recording:
    """One episode, from its seed to its last action.

    Attributes:
        seed: Seed of the level.
        options: Options of the world.
        rules: Hash of the rules it was played by (``WorldSpec.rules``).
        actions: Flat actions, one byte each.
        state_hash: Hash of the world before its last action, which ends the episode and so begins another.
    """

    seed: int
    options: VoxelOptions
    rules: str
    actions: bytes
    state_hash: int

    def save(self, path: Path) -> None:
        """Write as JSON, the actions in base64."""
        document = {
            "seed": self.seed,
            "rules": self.rules,
            "state_hash": self.state_hash,
            "options": dataclasses.asdict(self.options),
            "actions": base64.b64encode(self.actions).decode(),
        }
        path.write_text(json.dumps(document, indent=1) + "\n")

    @staticmethod
    def load(path: Path) -> Recording:
        """Read what ``save`` wrote.

        Raises:
            ValueError: The file is not a recording, in one line.
        """
        try:
            document = json.loads(path.read_text())
            options = {k: tuple(v) if isinstance(v, list) else v for k, v in document["options"].items()}
            actions = base64.b64decode(document["actions"], validate=True)
            return Recording(
                int(document["seed"]), VoxelOptions(**options), document["rules"], actions, int(document["state_hash"])
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path}: not a recording: {error!r}") from None


def replay(recording: Recording) -> tuple[int, Episodes]:
    """Play a recording again, by steps alone.

    Returns:
        The state hash before the last action, and the episodes finished by the end.

    Raises:
        ValueError: The rules have changed since.
    """
    world = VoxelWorld(1, recording.options)
    if world.spec.rules != recording.rules:
        raise ValueError(f"recording of rules {recording.rules}, but these are {world.spec.rules}: record it again")
    world.reset([recording.seed])
    out = world.allocate()
    actions = torch.tensor(list(recording.actions), dtype=torch.int32)
    for action in actions[:-1]:
        world.step(action[None], out)
    state_hash = int(world.state_hash()[0])
    world.step(actions[-1:], out)
    episodes = world.drain_episodes()
    world.close()
    return state_hash, episodes
