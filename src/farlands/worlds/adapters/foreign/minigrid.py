"""MiniGrid and BabyAI (Chevalier-Boisvert et al. 2023) in workers. Importable without torch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from farlands.worlds.adapters.foreign.host import EnvHost, Source
from farlands.worlds.adapters.foreign.options import MinigridOptions
from farlands.worlds.adapters.foreign.spaces import Leaf, encode_text
from farlands.worlds.world import ArraySpec

_PLANES = ("object", "colour", "state")
_TEXT_LENGTH = 128
_MOST_MISSIONS = 20_000


@dataclass
class MinigridSource(Source):
    """Environments of MiniGrid; cells are seen as three planes of ids, the mission as ids of words.

    Attributes:
        options: Their options.
    """

    options: MinigridOptions

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.options.env_id

    def make(self) -> gymnasium.Env:
        import minigrid  # noqa: F401 - registers the ids
        from minigrid.wrappers import FullyObsWrapper

        limit = self.options.horizon or None
        env = gymnasium.make(self.options.env_id, max_episode_steps=limit, render_mode="rgb_array")
        return FullyObsWrapper(env) if self.options.full_view else env

    def horizon(self, env: gymnasium.Env) -> int | None:
        own = super().horizon(env)
        return min(filter(None, (self.options.horizon, own)), default=None)

    def read(self, space: gymnasium.Space) -> list[Leaf]:
        assert isinstance(space, gymnasium.spaces.Dict), space
        return [*_planes(space["image"].shape), _direction(), _mission(space["mission"])]  # type: ignore[arg-type]

    def host(self, rows: Sequence[int]) -> EnvHost:
        return EnvHost(self, rows, ahead=True)


def _planes(shape: tuple[int, ...]) -> list[Leaf]:
    """The three channels of the picture, each an array of ids ``[width, height]``."""
    from minigrid.core import constants

    # An agent's state is its direction, of which there are more than of a door's.
    states = [*sorted(constants.STATE_TO_IDX, key=constants.STATE_TO_IDX.__getitem__), "up"]
    names = [
        sorted(constants.OBJECT_TO_IDX, key=constants.OBJECT_TO_IDX.__getitem__),
        sorted(constants.COLOR_TO_IDX, key=constants.COLOR_TO_IDX.__getitem__),
        states,
    ]
    return [
        Leaf(key, ("image", (..., channel)), ArraySpec(shape[:2], "uint8", 0, len(ids) - 1, categories=tuple(ids)))
        for channel, (key, ids) in enumerate(zip(_PLANES, names, strict=True))
    ]


def _direction() -> Leaf:
    names = ("right", "down", "left", "up")
    return Leaf("direction", ("direction",), ArraySpec((), "uint8", 0, 3, categories=names))


def _mission(space: Any) -> Leaf:
    """The mission as ids of words where every mission can be listed, as bytes where not."""
    missions = _missions(space)
    if missions is None:
        array = ArraySpec((_TEXT_LENGTH,), "uint8", 0, 255, description="the mission, UTF-8 bytes")
        return Leaf("mission", ("mission",), array, encode=lambda text: encode_text(text, _TEXT_LENGTH))
    vocabulary = ("", *sorted({word for mission in missions for word in mission.split()}))
    ids = {word: index for index, word in enumerate(vocabulary)}
    length = max(len(mission.split()) for mission in missions)
    dtype = "uint8" if len(vocabulary) <= 256 else "int32"

    def encode(text: str) -> np.ndarray:
        found = [ids[word] for word in text.split()]
        return np.array(found + [0] * (length - len(found)))

    array = ArraySpec(
        (length,), dtype, 0, len(vocabulary) - 1, categories=vocabulary, description="words of the mission"
    )
    return Leaf("mission", ("mission",), array, encode=encode)


def _missions(space: Any) -> list[str] | None:
    """Every mission of a ``MissionSpace``, None where they can't be listed."""
    from minigrid.core.mission import MissionSpace

    if type(space) is not MissionSpace:
        return None
    choices = space.ordered_placeholders or []
    if math.prod(map(len, choices)) > _MOST_MISSIONS:
        return None
    return [space.mission_func(*chosen) for chosen in itertools.product(*choices)]
