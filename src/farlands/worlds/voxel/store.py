"""Everything that lasts of a batch of voxel worlds, as tensors: taken out, put back, hashed.

Axis letters: W worlds, A agents of a world, R = W * A rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import warp as wp

from farlands.worlds.voxel.blocks import BLOCKS
from farlands.worlds.voxel.hashing import hash_array
from farlands.worlds.voxel.options import HEIGHT, VoxelOptions
from farlands.worlds.voxel.state import StateArray, VoxelState, persistent_arrays
from farlands.worlds.voxel.tasks.state import TASK_ARRAYS, TaskState
from farlands.worlds.world import join_worlds


class Store:
    """The persistent arrays of a batch.

    Attributes:
        arrays: What each of them is.
        tensors: By name, as kernels see them; those of tasks have names that begin with ``task_``.

    Args:
        state, tasks: Where the arrays are.
        options: Of the worlds.
        num_worlds: W.
    """

    def __init__(self, state: VoxelState, tasks: TaskState, options: VoxelOptions, num_worlds: int) -> None:
        self._num_worlds, self._num_agents = num_worlds, options.agents
        of_worlds = persistent_arrays(options.window, options.journal, options.agents)
        of_tasks = tuple(StateArray(f"task_{a.name}", wp.int32, ("R", *a.shape)) for a in TASK_ARRAYS)
        self.arrays: tuple[StateArray, ...] = of_worlds + of_tasks
        self.tensors: dict[str, torch.Tensor] = {a.name: wp.to_torch(getattr(state, a.name)) for a in of_worlds}
        self.tensors |= {f"task_{a.name}": wp.to_torch(getattr(tasks, a.name)) for a in TASK_ARRAYS}

    def take(self, worlds: torch.Tensor) -> dict[str, torch.Tensor]:
        """Copies of some worlds, int64 ``[N]``: by name, the world axis first."""
        return {a.name: _take_rows(self.by_world(a), worlds) for a in self.arrays}

    def put(self, snapshot: Mapping[str, torch.Tensor], worlds: torch.Tensor) -> None:
        """Overwrite some worlds, int64 ``[N]``, by what ``take`` gave.

        Raises:
            ValueError: An array is missing, has another shape or dtype, or holds what can't be. Nothing is changed.
        """
        for array in self.arrays:
            if array.name not in snapshot:
                raise ValueError(f"snapshot: array {array.name!r} is missing")
            value, target = snapshot[array.name], self.by_world(array)
            if value.shape[1:] != target.shape[1:] or value.dtype != target.dtype or len(value) != len(worlds):
                raise ValueError(
                    f"snapshot: {array.name} is {value.dtype} {tuple(value.shape)}, "
                    f"expected {target.dtype} {(len(worlds), *target.shape[1:])}"
                )
        _check_land(snapshot)
        for array in self.arrays:
            target = self.by_world(array)
            _put_rows(target, worlds, snapshot[array.name].to(target.device))

    def hash(self, worlds: torch.Tensor) -> torch.Tensor:
        """Hashes of some worlds, int64 ``[N]``, over every array."""
        parts = (hash_array(a.name, _take_rows(self.by_world(a), worlds)) for a in self.arrays)
        return sum(parts)  # type: ignore[return-value]

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Copies of all arrays as kernels see them."""
        return {a.name: self.tensors[a.name].clone() for a in self.arrays}

    def regroup(self, pieces: Sequence[tuple[Mapping[str, torch.Tensor], slice]]) -> dict[str, torch.Tensor]:
        """A ``state_dict`` put together from some worlds of others'; see ``World.regroup``."""
        rows = [
            (state, slice(worlds.start * self._num_agents, worlds.stop * self._num_agents)) for state, worlds in pieces
        ]
        return {a.name: join_worlds(a.name, rows if a.per_row else pieces, a.batch_axis) for a in self.arrays}

    def check(self, state: Mapping[str, torch.Tensor]) -> None:
        """Raise ValueError where ``load_state_dict`` would not have what it needs."""
        for array in self.arrays:
            target = self.tensors[array.name]
            value = state.get(array.name)
            if value is None or value.shape != target.shape or value.dtype != target.dtype:
                found = "missing" if value is None else f"{value.dtype} {tuple(value.shape)}"
                raise ValueError(f"world state: {array.name} is {found}, expected {target.dtype} {tuple(target.shape)}")
        _check_land(state)

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        """Overwrite all arrays by what ``state_dict`` gave, which ``check`` has passed."""
        for array in self.arrays:
            self.tensors[array.name].copy_(state[array.name])

    def by_world(self, array: StateArray) -> torch.Tensor:
        """A view with the world axis first; that of several agents follows it, one agent has none of its own."""
        view = self.tensors[array.name].movedim(array.batch_axis, 0)
        if array.per_row and self._num_agents > 1:
            view = view.unflatten(0, (self._num_worlds, self._num_agents))
        return view


def _check_land(arrays: Mapping[str, torch.Tensor]) -> None:
    """Raise ValueError where blocks or tops are none that can be."""
    for name, most in (("blocks", len(BLOCKS) - 1), ("tops", HEIGHT)):
        found = int(arrays[name].max()) if arrays[name].numel() else 0
        if found > most:
            raise ValueError(f"world state: {name} holds {found}, expected 0 to {most}")


def _take_rows(array: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Copies of some rows. On a CPU by NumPy: torch would wake its threads, which costs far more than a row."""
    if array.device.type == "cpu":
        return torch.from_numpy(array.numpy()[rows.numpy()])
    return array.index_select(0, rows)


def _put_rows(array: torch.Tensor, rows: torch.Tensor, values: torch.Tensor) -> None:
    """Overwrite some rows; see ``_take_rows``."""
    if array.device.type == "cpu":
        array.numpy()[rows.numpy()] = values.numpy()
    else:
        array.index_copy_(0, rows, values)
