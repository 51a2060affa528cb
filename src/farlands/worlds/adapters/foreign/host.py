"""Single environments hosted: a few rows of a world stepped one after another, in a worker or in the world's process.

Importable without torch: workers start quickly and stay small.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np

from farlands.worlds.adapters.foreign.memory import FINAL, OBSERVATION, Arrays
from farlands.worlds.adapters.foreign.seeds import episode_seed, fit_seed
from farlands.worlds.adapters.foreign.spaces import (
    MASK,
    Actions,
    Leaf,
    as_mask,
    mask_leaf,
    read_action,
    read_observation,
)
from farlands.worlds.world import ActionSpec, ArraySpec, Discrete


@dataclass(frozen=True)
class HostSpec:
    """What a host's environments look like to a world.

    Attributes:
        observation, action, achievements, horizon, reward_range: As in ``WorldSpec``.
        replays: The same level seed and actions lead to the same state, so that a state can be reached again.
        renders: It can draw.
    """

    observation: dict[str, ArraySpec]
    action: ActionSpec
    achievements: tuple[str, ...]
    horizon: int | None
    reward_range: tuple[float, float]
    replays: bool
    renders: bool


class Source(ABC):
    """Makes environments; sent to workers, so it must be picklable.

    Attributes:
        name: For messages.
        seed_bits: Bits of a seed that the environments take.
        observation_key: Name of an observation that is a single array.
        failures: Exceptions of its environments that a host puts up with.
    """

    name: str
    failures: int = 0
    seed_bits: int = 64
    observation_key: str = "observation"

    @abstractmethod
    def make(self) -> gymnasium.Env:
        """A new environment."""

    def horizon(self, env: gymnasium.Env) -> int | None:
        """Steps after which an episode is truncated, None where the environment does not say."""
        limit = env.spec.max_episode_steps if env.spec is not None else None
        # MiniGrid and its kin count by themselves.
        return limit or getattr(env.unwrapped, "max_steps", None)

    def read(self, space: gymnasium.Space) -> list[Leaf]:
        """The arrays of an observation."""
        return as_mask(read_observation(space, self.observation_key))

    def action_names(self, env: gymnasium.Env) -> tuple[str, ...]:
        """Names of the choices of a discrete action; empty where the environment has none."""
        # Crafter and its kin list them, MiniGrid and its kin have an enumeration.
        names = getattr(env.unwrapped, "action_names", None) or getattr(env.unwrapped, "actions", ())
        return tuple(str(getattr(name, "name", name)) for name in names)

    def host(self, rows: Sequence[int]) -> Host:
        """A host of these rows of the world."""
        return EnvHost(self, rows)


class Host(ABC):
    """Some rows of a world, written into its shared arrays.

    Attributes:
        spec: What they look like.
        rows: Their indices.
    """

    spec: HostSpec
    rows: Sequence[int]

    def attach(self, arrays: Arrays, worker: int = 0) -> None:
        """Take the arrays to read from and write to."""
        self.arrays, self.worker = arrays, worker
        self.observed = [arrays[OBSERVATION + key] for key in self.spec.observation]
        self.final = [arrays[FINAL + key] for key in self.spec.observation]

    def beat(self, row: int) -> None:
        """Say that the next call concerns this row."""
        self.arrays["at"][self.worker] = row
        self.arrays["beat"][self.worker] += 1

    @abstractmethod
    def reset(self, rows: Iterable[int]) -> None:
        """Begin the episodes that ``stream`` and ``episode`` name, in these rows."""

    @abstractmethod
    def step(self) -> None:
        """Step every row that is not held."""

    @abstractmethod
    def replay(self, row: int, actions: np.ndarray) -> None:
        """Begin a row's episode and take these actions ``[T, ...]``, as far as it lasts."""

    def prepare(self) -> bool:
        """Use idle time; False when there is nothing left to do."""
        return False

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        """Pictures, uint8 ``[height, width, 3]`` each."""
        raise NotImplementedError

    @abstractmethod
    def close(self) -> None:
        """Close the environments."""


@dataclass
class _Ready:
    """An environment that stands at the beginning of an episode.

    Attributes:
        seed: Level seed of the episode; None before the first.
        observation, info: What its reset gave.
    """

    env: gymnasium.Env
    seed: int | None = None
    observation: Any = None
    info: Any = None


class EnvHost(Host):
    """Rows that are one environment each.

    Args:
        source: Makes them.
        rows: Indices of the rows.
        ahead: Keep a second environment per row, and begin its next episode while nothing else is to be done.
    """

    def __init__(self, source: Source, rows: Sequence[int], *, ahead: bool = False) -> None:
        self.source, self.rows = source, list(rows)
        self._ahead, self._failures = ahead, 0
        self._envs: dict[int, _Ready] = {}
        self._next: dict[int, _Ready] = {}
        first = source.make()
        self._envs[self.rows[0]] = _Ready(first)
        self.leaves: list[Leaf] = source.read(first.observation_space)
        self.actions: Actions = read_action(first.action_space)
        names = source.action_names(first)
        if isinstance(self.actions.spec, Discrete) and len(names) == self.actions.spec.n:
            self.actions = replace(self.actions, spec=Discrete(len(names), names))
        _, info = first.reset(seed=fit_seed(0, source.seed_bits))
        observation = {leaf.key: leaf.array for leaf in self.leaves}
        mask = mask_leaf(info, self.leaves, self.actions.spec)
        self._mask_in_info = mask is not None
        reward_range = getattr(first.unwrapped, "reward_range", None)
        self.spec = HostSpec(
            observation | ({MASK: mask} if mask else {}),
            self.actions.spec,
            tuple(str(name) for name in info.get("achievements", ())),
            source.horizon(first),
            (float(reward_range[0]), float(reward_range[1])) if reward_range else (-np.inf, np.inf),
            replays=True,
            renders=first.render_mode == "rgb_array",
        )

    def reset(self, rows: Iterable[int]) -> None:
        for row in rows:
            self._begin(row)
            self.arrays["achieved"][row] = 0

    def step(self) -> None:
        arrays = self.arrays
        for row in self.rows:
            arrays["failed"][row] = False
            if arrays["held"][row]:
                arrays["reward"][row] = arrays["terminated"][row] = arrays["truncated"][row] = 0
            else:
                self._step(row, arrays["actions"][row])

    def replay(self, row: int, actions: np.ndarray) -> None:
        self._begin(row)
        env = self._envs[row].env
        last = None
        for action in actions:
            self.beat(row)
            last = env.step(self.actions.single(action))
            if last[2] or last[3]:
                break
        if last is not None:
            self._write(row, last[0], last[4], self.observed)

    def prepare(self) -> bool:
        if not self._ahead:
            return False
        for row in self.rows:
            seed = self._seed(row, 1)
            ready = self._next.get(row)
            if ready is None or ready.seed != seed:
                ready = ready or _Ready(self.source.make())
                self.beat(row)
                self._reset(ready, seed)
                self._next[row] = ready
                return True
        return False

    def render(self, rows: Sequence[int]) -> list[np.ndarray]:
        return [np.asarray(self._envs[row].env.render(), dtype=np.uint8) for row in rows]

    def close(self) -> None:
        for ready in (*self._envs.values(), *self._next.values()):
            ready.env.close()

    def _seed(self, row: int, later: int = 0) -> int:
        stream, episode = int(self.arrays["stream"][row]), int(self.arrays["episode"][row])
        return episode_seed(stream, episode + later)

    def _reset(self, ready: _Ready, seed: int) -> None:
        # Forgotten first: a reset that fails must not look like one that is done.
        ready.seed = None
        ready.observation, ready.info = ready.env.reset(seed=fit_seed(seed, self.source.seed_bits))
        ready.seed = seed

    def _begin(self, row: int) -> None:
        seed = self._seed(row)
        self.beat(row)
        waiting = self._next.get(row)
        if waiting is not None and waiting.seed == seed:
            self._next[row], self._envs[row] = self._envs[row], waiting
        else:
            if row not in self._envs:
                self._envs[row] = _Ready(self.source.make())
            self._reset(self._envs[row], seed)
        ready = self._envs[row]
        self._write(row, ready.observation, ready.info, self.observed)
        # An episode that has begun can't be begun again without a reset.
        ready.seed = ready.observation = ready.info = None

    def _step(self, row: int, action: np.ndarray) -> None:
        arrays = self.arrays
        self.beat(row)
        try:
            step = self._envs[row].env.step(self.actions.single(action))
        except Exception:
            self._failures += 1
            if self._failures > self.source.failures:
                raise
            self._give_up(row)
            return
        observation, reward, terminated, truncated, info = step
        arrays["reward"][row] = reward
        arrays["terminated"][row] = terminated
        arrays["truncated"][row] = truncated and not terminated
        if self.spec.achievements:
            counts = info["achievements"]
            arrays["achieved"][row] = [bool(counts[name]) for name in self.spec.achievements]
        if terminated or truncated:
            self._write(row, observation, info, self.final)
            arrays["episode"][row] += 1
            self._begin(row)
        else:
            self._write(row, observation, info, self.observed)

    def _give_up(self, row: int) -> None:
        """Cut the episode of an environment that failed, without reward, and begin the next in one made anew."""
        arrays = self.arrays
        arrays["reward"][row] = arrays["terminated"][row] = 0
        arrays["truncated"][row] = arrays["failed"][row] = True
        for seen, final in zip(self.observed, self.final, strict=True):
            final[row] = seen[row]
        with contextlib.suppress(Exception):
            self._envs[row].env.close()
        self._envs[row] = _Ready(self.source.make())
        arrays["episode"][row] += 1
        self._begin(row)

    def _write(self, row: int, observation: Any, info: Any, into: list[np.ndarray]) -> None:
        # The mask, where it comes in infos, stands behind the leaves.
        for leaf, array in zip(self.leaves, into, strict=False):
            leaf.write(observation, array, row)
        if self._mask_in_info:
            into[-1][row] = info[MASK]
