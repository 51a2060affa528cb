"""The World contract: the only thing learners know of a simulator.

A world is a batch. Axis letters, used everywhere: W worlds, A agents per world, R = W * A rows (row = world * A +
agent), T time. Every tensor a world hands out is indexed by row first; with a leading T inside a rollout.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class ArraySpec:
    """One named array of an observation, without the row axis.

    Attributes:
        shape: Shape per row, e.g. ``(5, 7, 7)``.
        dtype: NumPy name of the element type, e.g. ``"uint8"``.
        low, high: Inclusive bounds of every element.
        labels: Names of the elements along the last axis, where they have names.
        categories: For arrays of ids, the meaning of each id (``categories[id]``).
        class_bits: For arrays of ids, a fixed 0/1 code ``[len(categories)][bits]`` that networks may expand ids into.
        list_name: Where several arrays describe the entries of one list along their first axis, the list's name:
            networks may read every entry alike.
        grid: For pictures stored in square patches, ``(rows, columns)`` of them; the shape is then ``(rows * columns,
            side, side, channels)``. Empty for others.
        description: One line for people, with units.
    """

    shape: tuple[int, ...]
    dtype: str
    low: float
    high: float
    labels: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    class_bits: tuple[tuple[int, ...], ...] = ()
    list_name: str = ""
    grid: tuple[int, ...] = ()
    description: str = ""


@dataclass(frozen=True)
class Discrete:
    """One choice out of ``n``; actions are int32 ``[R]``."""

    n: int
    names: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row's action."""
        return ()


@dataclass(frozen=True)
class MultiDiscrete:
    """Several choices at once; actions are int32 ``[R, len(nvec)]``."""

    nvec: tuple[int, ...]
    names: tuple[tuple[str, ...], ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row's action."""
        return (len(self.nvec),)


@dataclass(frozen=True)
class Box:
    """Continuous actions, float32 ``[R, size]``; values outside the bounds are clipped by the world."""

    low: tuple[float, ...]
    high: tuple[float, ...]

    @property
    def size(self) -> int:
        return len(self.low)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one row's action."""
        return (self.size,)


ActionSpec: TypeAlias = Discrete | MultiDiscrete | Box


@dataclass(frozen=True)
class Measure:
    """A number that a world notes down about every episode, beside length and reward.

    Attributes:
        name: An identifier.
        unit: A word or two, e.g. ``"blocks"``.
        description: One line for people.
    """

    name: str
    unit: str
    description: str = ""


@dataclass(frozen=True)
class WorldSpec:
    """What a world looks like from outside; equal specs mean interchangeable worlds.

    Attributes:
        name: Id of the world and its options, for records.
        observation: Observation arrays by key. The key ``action_mask`` (uint8, 1 = possible) is never fed to a
            network: heads use it. Its size is ``n``, or ``sum(nvec)`` in the order of ``nvec``.
        action: The action space.
        reward_range: Bounds of the reward of one step.
        horizon: Steps after which an episode, or each of its trials, is truncated, or None when it never is.
        trials: Attempts that an episode holds. Each but the last ends in a fresh start on the same level, without
            flags; each is noted down like an episode.
        achievements: Names of one-off feats an episode may unlock, for records and evaluation.
        depths: Length of the chain of feats each achievement rests on, itself included; empty where that is not known.
        goal: The achievement that is the task; another word where what ends an episode by the cause "goal" is none of
            them; empty where there is no one goal.
        measures: What else is noted down about an episode.
        rules: Hash of everything that changes what the same seed and actions lead to.
    """

    name: str
    observation: Mapping[str, ArraySpec]
    action: ActionSpec
    reward_range: tuple[float, float] = (-np.inf, np.inf)
    horizon: int | None = None
    trials: int = 1
    achievements: tuple[str, ...] = ()
    depths: tuple[int, ...] = ()
    goal: str = ""
    measures: tuple[Measure, ...] = ()
    rules: str = ""


@dataclass
class Step:
    """One step of every row, or ``[T, R]`` of them: storage owned by the caller and written in place.

    Attributes:
        observation: By key, ``[R, *shape]``. For a row that finished, already the first one of its next episode.
        reward: float32 ``[R]``.
        terminated: bool ``[R]``: the episode ended by the rules; its value afterwards is zero.
        truncated: bool ``[R]``: the episode was cut; bootstrap from ``World.final_observation``. Never both.
    """

    observation: dict[str, torch.Tensor]
    reward: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor
    _views: dict[int, Step] = field(default_factory=dict, repr=False, compare=False)

    def __getitem__(self, t: int) -> Step:
        """The view of time ``t``; the same object each time, so that worlds can cache what they make of it."""
        if t not in self._views:
            observation = {key: value[t] for key, value in self.observation.items()}
            self._views[t] = Step(observation, self.reward[t], self.terminated[t], self.truncated[t])
        return self._views[t]

    def clear_outcome(self) -> Step:
        """Zero the reward and both flags: what is seen came of no action. Returns the step itself."""
        for outcome in (self.reward, self.terminated, self.truncated):
            outcome.zero_()
        return self


@dataclass(frozen=True)
class Episodes:
    """Finished episodes, one entry each, as host arrays.

    Attributes:
        row: int64 ``[N]``, the row that lived it.
        seed: uint64 ``[N]``, the seed of that episode's level.
        length: int64 ``[N]``, steps.
        reward: float64 ``[N]``, undiscounted sum of the world's own reward.
        cause: ``[N]`` short names of how it ended, e.g. ``"horizon"``.
        achievements: int64 ``[N, len(spec.achievements)]``: step of the first unlock, from 1; -1 when never.
        measures: float64 ``[N, len(spec.measures)]``; needn't be given where a world has none.
        dropped: Episodes that finished but did not fit the world's log since the last drain.
    """

    row: np.ndarray
    seed: np.ndarray
    length: np.ndarray
    reward: np.ndarray
    cause: np.ndarray
    achievements: np.ndarray
    measures: np.ndarray = None  # type: ignore[assignment]
    dropped: int = 0

    def __post_init__(self) -> None:
        if self.measures is None:
            object.__setattr__(self, "measures", np.empty((len(self.row), 0)))

    def __len__(self) -> int:
        return len(self.row)

    def shifted(self, rows: int) -> Episodes:
        """The same, rows counted from another one on."""
        return dataclasses.replace(self, row=self.row + rows) if rows else self


class World(ABC):
    """A batch of worlds stepped together, with same-step autoreset.

    When a row's episode ends at a step, that step's reward and flags belong to the old episode, while the observation
    is the first of the next one, whose seed derives from the row's stream of seeds. Derived seeds have their top bit
    clear, so that levels with it set are unseen unless they are asked for. The last observation of the old
    episode stands in ``final_observation``.

    Every world is made the same way, ``SomeWorld(num_worlds, SomeWorld.Options(...), device="cpu")``, so that runs,
    evaluations and tests can make any of them by name.

    Attributes:
        Options: Frozen dataclass of what can be chosen about the world; every field has a default.
        spec: What it looks like.
        num_worlds, num_agents: W and A.
        first_world: Index of world 0 in a larger batch of which this one is a part, as where processes share worlds:
            one seed gives every world the stream that it would have there. Set it before ``reset``.
        device: Where its tensors live, e.g. ``torch.device("cpu")``.
        final_observation: By key, ``[R, *shape]``: the last observation of the latest episode each row finished.
            Rows are overwritten when they finish again and are meaningless before they first do.
    """

    Options: ClassVar[type]
    spec: WorldSpec
    num_worlds: int
    num_agents: int = 1
    first_world: int = 0
    device: torch.device
    final_observation: dict[str, torch.Tensor]

    @property
    def num_rows(self) -> int:
        return self.num_worlds * self.num_agents

    def allocate(self, *leading: int) -> Step:
        """Storage for ``[*leading, R]`` steps on this world's device, zeroed."""
        import torch

        shape = (*leading, self.num_rows)
        observation = {
            key: torch.zeros((*shape, *array.shape), dtype=getattr(torch, array.dtype), device=self.device)
            for key, array in self.spec.observation.items()
        }
        return Step(
            observation,
            reward=torch.zeros(shape, dtype=torch.float32, device=self.device),
            terminated=torch.zeros(shape, dtype=torch.bool, device=self.device),
            truncated=torch.zeros(shape, dtype=torch.bool, device=self.device),
        )

    @abstractmethod
    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        """Start every world anew.

        Args:
            seed: One seed, from which each world's stream of episode seeds derives by its index and ``first_world``, or
                W seeds of the levels to start on (a world's later levels then derive from its own seed).
            out: Storage to write the first observations into; reward and flags are set to zero. New if None.

        Raises:
            ValueError: A seed is not an integer in [0, 2**64), or their number is not W.
        """

    @abstractmethod
    def step(self, actions: torch.Tensor, out: Step | None = None) -> Step:
        """Advance every row by one step.

        Args:
            actions: As the action spec says, on this device. Out-of-range choices are treated as choice 0.
            out: Storage to write into, usually one time slot of a rollout. New if None.

        Raises:
            ValueError: The actions have another shape.
        """

    def check_actions(self, actions: torch.Tensor) -> None:
        """Raise ValueError where actions have not the shape that ``step`` expects."""
        expected = (self.num_rows, *self.spec.action.shape)
        if tuple(actions.shape) != expected:
            raise ValueError(f"actions have shape {tuple(actions.shape)}; expected {expected}")

    @abstractmethod
    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, torch.Tensor]:
        """Copy of the whole state of the chosen worlds (all by default), each array with a leading world axis."""

    @abstractmethod
    def restore(self, snapshot: Mapping[str, torch.Tensor], worlds: Sequence[int] | None = None) -> None:
        """Put a snapshot back, into the same or other world indices; other worlds stay untouched.

        Raises:
            ValueError: Keys, shapes or dtypes do not fit this world.
        """

    @abstractmethod
    def state_hash(self, worlds: Sequence[int] | None = None) -> torch.Tensor:
        """Hashes of the chosen worlds, all by default, int64 ``[n]``.

        Each is of every persistent array of its world, and equal on every device and at every batch size.
        """

    @abstractmethod
    def drain_episodes(self) -> Episodes:
        """Episodes that finished since the last call, ordered by (end time, row)."""

    def observe(self, out: Step) -> Step:
        """Write the present observation of every row into ``out`` again (after ``restore``); flags and reward zero."""
        raise NotImplementedError

    def present_levels(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Seeds uint64 ``[W]`` of the levels the worlds are on, and steps int64 ``[W]`` since their episodes began.

        None where a world cannot tell. For evidence of what went wrong: it waits for the device.
        """
        return None

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Everything needed to go on exactly: all worlds, their streams of seeds, undrained episodes."""
        return self.snapshot()

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Put a ``state_dict`` back. Raises ValueError when it does not fit."""
        self.restore(state)

    def regroup(self, pieces: Sequence[tuple[Mapping[str, torch.Tensor], slice]]) -> dict[str, torch.Tensor]:
        """A ``state_dict`` for this world, put together from parts of others'; undrained episodes are not carried over.

        Args:
            pieces: State dicts of worlds of the same kind, each with which of its worlds are meant, in order; W in all.
        """
        return {name: join_worlds(name, pieces) for name in pieces[0][0]}

    def close(self) -> None:
        """Release threads and device memory."""


def join_worlds(name: str, pieces: Sequence[tuple[Mapping[str, torch.Tensor], slice]], axis: int = 0) -> torch.Tensor:
    """One array of several state dicts, the chosen worlds of each side by side along ``axis``."""
    import torch

    chosen = [state[name].movedim(axis, 0)[worlds] for state, worlds in pieces]
    return torch.cat(chosen).movedim(0, axis).contiguous()
