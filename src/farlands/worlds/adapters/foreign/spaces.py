"""From the spaces of Gymnasium to the arrays of a world's observation, and actions back.

Axis letters: N rows of one host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

from farlands.errors import UserError
from farlands.worlds.world import ActionSpec, ArraySpec, Box, Discrete, MultiDiscrete

MASK = "action_mask"
"""Key of the mask of possible actions, in observations and infos."""
_MOST_CATEGORIES = 1024
"""Choices up to which a number in an observation counts as an id; networks expand ids."""
_KEPT = ("uint8", "int8", "int16", "int32", "int64", "float32")
_WIDENED = {"bool": "uint8", "uint16": "int32", "uint32": "int64", "uint64": "int64"}


@dataclass(frozen=True)
class Leaf:
    """One array of an observation.

    Attributes:
        key: Its name in the world's observation.
        path: Keys and indices that lead to it in the environment's observation.
        array: What it becomes.
        start: Subtracted from every value; None for nothing.
        encode: Turns a value that is no array into one; None where values are arrays already.
    """

    key: str
    path: tuple[Any, ...]
    array: ArraySpec
    start: np.ndarray | None = None
    encode: Callable[[Any], np.ndarray] | None = None

    def find(self, observation: Any) -> Any:
        """Its value in an observation, or the batch of values in a batch of them."""
        for step in self.path:
            observation = observation[step]
        return observation

    def write(self, observation: Any, into: np.ndarray, row: int) -> None:
        """Write one observation's value into a row of ``into`` ``[N, *shape]``."""
        value = self.find(observation)
        into[row] = self.encode(value) if self.encode else value if self.start is None else value - self.start

    def write_batch(self, observation: Any, into: np.ndarray, rows: np.ndarray) -> None:
        """Write the chosen rows of a batch of observations into the same rows of ``into`` ``[N, *shape]``."""
        values = self.find(observation)
        if self.encode:
            for row in rows:
                into[row] = self.encode(values[row])
        else:
            chosen = np.asarray(values)[rows]
            into[rows] = chosen if self.start is None else chosen - self.start


def read_observation(space: gymnasium.Space, name: str = "observation") -> list[Leaf]:
    """What an observation space becomes: nested dictionaries and tuples by dotted keys.

    Boxes stay arrays (float64 becomes float32), discrete spaces become ids, texts become bytes padded with zeros.

    Raises:
        UserError: A space has no fixed shape.
    """
    return _read(space, (), name)


def _read(space: gymnasium.Space, path: tuple[str | int, ...], name: str) -> list[Leaf]:
    key = ".".join(str(step) for step in path) or name
    match space:
        case spaces.Dict():
            return [leaf for step, inner in space.spaces.items() for leaf in _read(inner, (*path, step), name)]
        case spaces.Tuple():
            return [leaf for step, inner in enumerate(space.spaces) for leaf in _read(inner, (*path, step), name)]
        case spaces.Box():
            return [Leaf(key, path, _box(space))]
        case spaces.Discrete():
            return [Leaf(key, path, _ids((), int(space.n)), _offset(space.start))]
        case spaces.MultiDiscrete():
            return [Leaf(key, path, _ids(space.shape, int(space.nvec.max())), _offset(space.start))]
        case spaces.MultiBinary():
            return [Leaf(key, path, ArraySpec(space.shape, "uint8", 0, 1))]
        case spaces.Text():
            length = int(space.max_length)
            array = ArraySpec((length,), "uint8", 0, 255, description="UTF-8 bytes, zeros behind the end")
            return [Leaf(key, path, array, encode=lambda text: encode_text(text, length))]
    raise UserError(f"the observation {key} is a {type(space).__name__}, which has no fixed shape", allowed=_REWRITE)


_REWRITE = "wrap the environment in a gymnasium.ObservationWrapper that makes it a Box, Discrete, Dict or Text"


def encode_text(text: str, length: int) -> np.ndarray:
    """The first ``length`` bytes of a text as uint8 ``[length]``, padded with zeros."""
    data = text.encode("utf-8")[:length]
    return np.frombuffer(data.ljust(length, b"\0"), dtype=np.uint8)


def _offset(start: Any) -> np.ndarray | None:
    return np.asarray(start) if np.any(start) else None


def _box(space: spaces.Box) -> ArraySpec:
    name = np.dtype(space.dtype).name
    kept = name if name in _KEPT else _WIDENED.get(name, "float32")
    return ArraySpec(tuple(space.shape), kept, float(np.min(space.low)), float(np.max(space.high)))


def _ids(shape: tuple[int, ...], n: int) -> ArraySpec:
    categories = tuple(str(value) for value in range(n)) if n <= _MOST_CATEGORIES else ()
    return ArraySpec(shape, "uint8" if n <= 256 else "int32", 0, n - 1, categories=categories)


@dataclass(frozen=True)
class Actions:
    """How rows of a world's actions become what an environment takes.

    Attributes:
        spec: The world's action space.
        start: Added to every choice; None for nothing.
        shape: Of the environment's own action, for continuous ones of other shapes.
        dtype: NumPy name of the environment's own element type.
    """

    spec: ActionSpec
    start: np.ndarray | None = None
    shape: tuple[int, ...] = ()
    dtype: str = "int64"

    def single(self, action: np.ndarray) -> Any:
        """One row's action, as a ``Space.sample()`` of the environment looks."""
        if isinstance(self.spec, Discrete):
            return np.int64(action if self.start is None else action + self.start)
        return self.batch(action[None])[0]

    def batch(self, actions: np.ndarray) -> np.ndarray:
        """All rows' actions ``[N, ...]``."""
        shifted = actions if self.start is None else actions + self.start
        return shifted.reshape(len(actions), *self.shape).astype(self.dtype)


def read_action(space: gymnasium.Space) -> Actions:
    """What an action space becomes.

    Raises:
        UserError: It is neither discrete, multi-discrete, multi-binary nor a box.
    """
    match space:
        case spaces.Discrete():
            return Actions(Discrete(int(space.n)), _offset(space.start))
        case spaces.MultiDiscrete():
            choices = MultiDiscrete(tuple(int(n) for n in space.nvec.ravel()))
            return Actions(choices, _offset(space.start.ravel()), tuple(space.shape))
        case spaces.MultiBinary():
            return Actions(MultiDiscrete((2,) * int(np.prod(space.shape))), None, tuple(space.shape), "int8")
        case spaces.Box():
            low, high = (tuple(float(bound) for bound in side.ravel()) for side in (space.low, space.high))
            return Actions(Box(low, high), None, tuple(space.shape), np.dtype(space.dtype).name)
    raise UserError(
        "no world action for the space", type(space).__name__, "expected Discrete, MultiDiscrete, MultiBinary or Box"
    )


def clean_actions(actions: np.ndarray, spec: ActionSpec) -> np.ndarray:
    """Actions with choices that do not exist replaced by choice 0, and numbers clipped into their bounds."""
    if isinstance(spec, Box):
        # What is not a number would poison an environment's state for good.
        return np.clip(np.nan_to_num(actions), np.array(spec.low, np.float32), np.array(spec.high, np.float32))
    most = spec.n if isinstance(spec, Discrete) else np.array(spec.nvec)
    return np.where((actions >= 0) & (actions < most), actions, 0)


def mask_array(spec: ActionSpec) -> ArraySpec:
    """The array of a mask of possible actions."""
    size = spec.n if isinstance(spec, Discrete) else sum(spec.nvec)  # type: ignore[union-attr]
    return ArraySpec((size,), "uint8", 0, 1, description="possible actions")


def mask_leaf(info: Mapping[str, Any], leaves: list[Leaf], spec: ActionSpec) -> ArraySpec | None:
    """The array of a mask that comes in infos, None where there is none or it is observed already."""
    if MASK not in info or isinstance(spec, Box) or any(leaf.key == MASK for leaf in leaves):
        return None
    return mask_array(spec)


def as_mask(leaves: list[Leaf]) -> list[Leaf]:
    """The leaves, with an observed mask of possible actions declared as one."""
    return [
        replace(leaf, array=replace(leaf.array, dtype="uint8", low=0, high=1, categories=()))
        if leaf.key == MASK
        else leaf
        for leaf in leaves
    ]
