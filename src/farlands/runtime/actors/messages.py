"""What learner and actors send each other: plain data, arrays on the host.

Axis letters: T steps, R rows of one actor, V value heads, M memory, C chunks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from farlands.learning.rollout import Rollout
from farlands.worlds.world import Episodes

_VALUES = ("values", "next_values")
"""Parts of a rollout that are sent in units of reward: those in which agents give values move with the weights."""


@dataclass(frozen=True)
class Plan:
    """What an actor is to be.

    Attributes:
        config: The run's ``TrainConfig`` as JSON data, for Python objects of a user's file are known by its path only.
        files: Text of the users' files that it names, by path.
        slot, incarnation: Whose place it takes, and how manieth it is there; its levels and its noise follow from both.
        spec: What its worlds must look like, as ``describe_spec`` has it.
    """

    config: dict[str, Any]
    files: dict[str, str]
    slot: int
    incarnation: int
    spec: dict[str, Any]


@dataclass(frozen=True)
class Weights:
    """An agent at one moment of its training.

    Attributes:
        version: Updates of the learner before it.
        agent: Parameters and buffers by name.
        mean, std: float32 ``[V]``, units in which it gives values: a value v means ``v * std + mean``.
    """

    version: int
    agent: dict[str, np.ndarray]
    mean: np.ndarray
    std: np.ndarray


@dataclass(frozen=True)
class Report:
    """One rollout of an actor.

    Attributes:
        slot, incarnation: Whose.
        version: Of the weights that chose its actions.
        seconds: That it took.
        arrays: Parts of the rollout by name, as ``pack`` gives them.
        episodes: That ended in it, rows numbered over all actors.
    """

    slot: int
    incarnation: int
    version: int
    seconds: float
    arrays: dict[str, np.ndarray]
    episodes: Episodes


@dataclass(frozen=True)
class Failure:
    """An actor raised; nothing more is to be had from it.

    Attributes:
        cause: What it says, on one line.
        details: Traceback.
    """

    cause: str
    details: str


def pack(rollout: Rollout, mean: Tensor, std: Tensor) -> dict[str, np.ndarray]:
    """Every part of a rollout on the host; values, given in units of mean and std, in units of reward.

    Arrays may share the rollout's memory: send them before the next one is collected.
    """
    return {
        name: (part * std + mean if name in _VALUES else part).detach().cpu().numpy() for name, part in _parts(rollout)
    }


def unpack(arrays: Mapping[str, np.ndarray], rollout: Rollout, column: int, mean: Tensor, std: Tensor) -> None:
    """Write one actor's rollout into some rows of a larger one.

    Args:
        arrays: As ``pack`` gave them.
        rollout: Where to.
        column: The first of the rows.
        mean, std: float32 ``[V]``, units that values are to be in.

    Raises:
        ValueError: The parts are not those of this rollout, or have other shapes.
    """
    parts = dict(_parts(rollout))
    if set(parts) != set(arrays):
        raise ValueError(f"a rollout of parts {sorted(arrays)}; expected {sorted(parts)}")
    rows = slice(column, column + arrays["rewards"].shape[1])
    for name, part in parts.items():
        given = torch.tensor(arrays[name]).to(part.device)
        if given.shape != part[:, rows].shape:
            found, expected = tuple(given.shape), tuple(part[:, rows].shape)
            raise ValueError(f"{name} of an actor's rollout has shape {found}; expected {expected}")
        part[:, rows] = (given - mean) / std if name in _VALUES else given


def _parts(rollout: Rollout) -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a rollout by name, each with rows along its second axis."""
    steps = rollout.steps
    yield from ((f"observation.{key}", value) for key, value in steps.observation.items())
    yield from (("rewards", steps.reward), ("terminated", steps.terminated), ("truncated", steps.truncated))
    for name in ("first", "actions", "log_probs", "values", "next_values", "memories"):
        yield name, getattr(rollout, name)
