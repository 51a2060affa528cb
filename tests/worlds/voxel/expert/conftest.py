"""What the tests of the honest expert share: one world that shows what it needs, and a way to live in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch

from farlands.runtime.scripted import HonestExpert
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

OPTIONS = VoxelOptions(task="diamond", senses=HonestExpert.senses)


@pytest.fixture(scope="module")
def shown() -> Iterator[VoxelWorld]:
    world = VoxelWorld(1, OPTIONS)
    yield world
    world.close()


def row_of(observation: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    return {name: value[0].numpy().copy() for name, value in observation.items()}


def live(
    world: VoxelWorld, expert: HonestExpert, seed: int, steps: int, begun: Callable[[int], None] = lambda step: None
) -> tuple[list[dict[str, np.ndarray]], list[int]]:
    """What an expert was shown and did; ``begun`` is told every step before it acts."""
    out = world.reset([seed])
    memory, first = expert.initial_memory(1), torch.ones(1, dtype=torch.bool)
    seen, done = [], []
    for step in range(steps):
        begun(step)
        seen.append(row_of(out.observation))
        action = expert.act(out.observation, memory, first).action
        done.append(int(action[0]))
        out, first = world.step(action), torch.zeros(1, dtype=torch.bool)
        if bool(out.terminated[0] | out.truncated[0]):
            break
    return seen, done
