"""Arrays that a world and its workers share."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from multiprocessing.shared_memory import SharedMemory
from typing import TypeAlias

import numpy as np

from farlands.worlds.world import ActionSpec, ArraySpec, Box

Layout: TypeAlias = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype of each array by name."""
Arrays: TypeAlias = dict[str, np.ndarray]

_ALIGNMENT = 64
OBSERVATION, FINAL = "observation.", "final."
"""Prefixes of the names of observation arrays."""


def plan(
    rows: int, observation: Mapping[str, ArraySpec], action: ActionSpec, num_achievements: int, workers: int = 1
) -> Layout:
    """The arrays of a world of so many rows.

    By name: ``observation.<key>`` and ``final.<key>`` ``[R, *shape]``, the present and the last observation;
    ``actions``; ``reward``, ``terminated``, ``truncated`` ``[R]``; ``achieved`` uint8 ``[R, N]``, what the present
    episode has achieved by this step; ``stream`` and ``episode`` ``[R]``, from which the level's seed derives;
    ``held`` ``[R]``, rows that stand still; ``failed`` ``[R]``, rows whose environment raised an exception in this
    step; ``beat`` and ``at`` ``[workers]``, how many environment calls a worker has made and the row of the latest.
    """
    arrays: Layout = {}
    for key, array in observation.items():
        for prefix in (OBSERVATION, FINAL):
            arrays[prefix + key] = ((rows, *array.shape), array.dtype)
    return arrays | {
        "actions": ((rows, *action.shape), "float32" if isinstance(action, Box) else "int32"),
        "reward": ((rows,), "float64"),
        "terminated": ((rows,), "bool"),
        "truncated": ((rows,), "bool"),
        "achieved": ((rows, num_achievements), "uint8"),
        "stream": ((rows,), "uint64"),
        "episode": ((rows,), "int64"),
        "held": ((rows,), "bool"),
        "failed": ((rows,), "bool"),
        "beat": ((workers,), "int64"),
        "at": ((workers,), "int64"),
    }


def private(layout: Layout) -> Arrays:
    """The arrays, zeroed, in this process alone."""
    return {name: np.zeros(shape, dtype) for name, (shape, dtype) in layout.items()}


class SharedArrays:
    """The arrays in shared memory.

    The memory's name is to be forgotten (``unlink``) as soon as everyone has attached: the memory then goes when the
    last process does, however it ends.

    Args:
        layout: The arrays.
        name: Of existing memory to attach to; new memory, zeroed, if None.

    Attributes:
        arrays: By name; not to be used after ``close``.
        name: For others to attach.
    """

    def __init__(self, layout: Layout, name: str | None = None) -> None:
        offsets, size = {}, 0
        for key, (shape, dtype) in layout.items():
            offsets[key] = size
            needed = math.prod(shape) * np.dtype(dtype).itemsize
            size += -(-needed // _ALIGNMENT) * _ALIGNMENT
        self._memory = SharedMemory(name, create=name is None, size=max(size, 1))
        self._linked = name is None
        self.name = self._memory.name
        self.arrays: Arrays = {
            key: np.ndarray(shape, dtype, self._memory.buf, offsets[key]) for key, (shape, dtype) in layout.items()
        }

    def unlink(self) -> None:
        """Let the name go; attached processes keep the memory."""
        if self._linked:
            self._linked = False
            self._memory.unlink()

    def close(self) -> None:
        """Let go of the memory."""
        self.unlink()
        self.arrays.clear()
        # Where someone still holds a view, the memory goes with it.
        with contextlib.suppress(BufferError):
            self._memory.close()
