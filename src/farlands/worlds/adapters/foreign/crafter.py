"""Crafter (Hafner 2021, "Benchmarking the spectrum of agent capabilities") in workers. Importable without torch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from farlands.worlds.adapters.foreign.host import EnvHost, Source
from farlands.worlds.adapters.foreign.options import CrafterOptions
from farlands.worlds.adapters.foreign.sources import OldGymEnv


class CrafterEnv(OldGymEnv):
    """Crafter as an environment of Gymnasium, a pure function of its seed and the actions.

    ``info`` is Crafter's own but for the map; ``reset`` gives ``achievements`` too, every count zero.

    Args:
        options: Its size, horizon and reward.
    """

    def __init__(self, options: CrafterOptions) -> None:
        import crafter

        env: Any = crafter.Env(size=(options.size, options.size), reward=options.reward, length=options.horizon, seed=0)
        # Crafter picks the creature to remove from a chunk by its place in a set, which depends on addresses in memory.
        env._world.__class__ = _ordered(type(env._world))
        # No use is made of the map, which costs a third of a step.
        env._sem_view = lambda: None
        shape = (options.size, options.size, 3)
        super().__init__(
            env,
            reseed=_reseed,
            observation_space=gymnasium.spaces.Box(0, 255, shape, np.uint8),
            action_space=gymnasium.spaces.Discrete(len(env.action_names)),
            render_mode="rgb_array",
            max_steps=options.horizon,
        )
        self.action_names = tuple(env.action_names)
        self._achievements = dict.fromkeys(sorted(crafter.constants.achievements), 0)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        observation, info = super().reset(seed=seed, options=options)
        return observation, {**info, "achievements": dict(self._achievements)}


@dataclass
class CrafterSource(Source):
    """Crafter environments.

    Attributes:
        options: Their options.
    """

    options: CrafterOptions

    name = "crafter"
    observation_key = "image"

    def make(self) -> gymnasium.Env:
        return CrafterEnv(self.options)

    def host(self, rows: Sequence[int]) -> EnvHost:
        return EnvHost(self, rows, ahead=self.options.ahead)


class _OrderedSet(dict):
    """What a chunk needs of a set, in order of arrival."""

    def add(self, item: object) -> None:
        self[item] = None

    def remove(self, item: object) -> None:
        del self[item]


def _ordered(kind: type) -> type:
    """Crafter's class of worlds with chunks that keep their order."""

    class OrderedWorld(kind):
        def reset(self, seed: int | None = None) -> None:
            super().reset(seed)
            self._chunks = defaultdict(_OrderedSet)

    return OrderedWorld


def _reseed(env: Any, seed: int) -> None:
    """Make the next episode the first of this seed."""
    env._seed, env._episode = seed, 0
