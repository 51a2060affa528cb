"""The state of tasks on the device: which one each row has, and how far it has come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import warp as wp

from farlands.worlds.voxel.tasks.events import TALLY
from farlands.worlds.voxel.tasks.predicates import MAX_NODES
from farlands.worlds.voxel.tasks.program import LENGTH

DRAWN = -1
"""``TaskState.choice`` of a row whose tasks its levels' seeds pick."""


AT_WORK = 1
"""Bit of ``TaskState.flags``: the node is looked at."""


class Status(IntEnum):
    """How a row stands with its task."""

    GOING_ON = 0
    SUCCEEDED = 1
    FAILED = 2
    """It can't be fulfilled any more in this episode."""


@wp.struct
class TaskPay:
    """What tasks pay, fixed for the life of a world object.

    progress: Points for the whole way from no progress to all of it; falls are taken back.
    success: Thousandths of a point on top when a task is fulfilled. ends: Whether that ends the episode.
    """

    progress: wp.int32
    success: wp.int32
    ends: wp.int32


@wp.struct
class TaskState:
    """Arrays on the device, all persistent. R rows, N nodes, see ``predicates.MAX_NODES``.

    choice: int32 ``[R]``, index into the bank of the task of the next episode; ``DRAWN``: picked by its level's seed.
    index: int32 ``[R]``, index into the bank of the present task.
    program: int32 ``[R, LENGTH]``, the present task.
    tally: int32 ``[R, TALLY]``, what was done in the episode, see ``events``; the world's own.
    start: int32 ``[R, N]``, what counts and times of each node are measured from.
    flags: int32 ``[R, N]``, whether a node is at work, done, expired, and the stage of a sequence.
    value: int32 ``[R, N]``, progress of each node with the flags of ``measure``; the last of a node no longer at work.
    steps: int32 ``[R]``, since the task began.
    progress: int32 ``[R]``, of the task, in thousandths. delta: int32 ``[R]``, its change at the last step.
    status: int32 ``[R]``, a ``Status``.
    """

    choice: wp.array(dtype=wp.int32)
    index: wp.array(dtype=wp.int32)
    program: wp.array2d(dtype=wp.int32)
    tally: wp.array2d(dtype=wp.int32)
    start: wp.array2d(dtype=wp.int32)
    flags: wp.array2d(dtype=wp.int32)
    value: wp.array2d(dtype=wp.int32)
    steps: wp.array(dtype=wp.int32)
    progress: wp.array(dtype=wp.int32)
    delta: wp.array(dtype=wp.int32)
    status: wp.array(dtype=wp.int32)


@dataclass(frozen=True)
class TaskArray:
    """One array of a ``TaskState``: its name and shape per row, int32."""

    name: str
    shape: tuple[int, ...]


TASK_ARRAYS: tuple[TaskArray, ...] = (
    TaskArray("choice", ()),
    TaskArray("index", ()),
    TaskArray("program", (LENGTH,)),
    TaskArray("start", (MAX_NODES,)),
    TaskArray("flags", (MAX_NODES,)),
    TaskArray("value", (MAX_NODES,)),
    TaskArray("steps", ()),
    TaskArray("progress", ()),
    TaskArray("delta", ()),
    TaskArray("status", ()),
)


def allocate_tasks(rows: int, device: str, tally: wp.array | None = None) -> TaskState:
    """A zeroed state for R rows on ``device``; tasks are drawn by the levels' seeds.

    Args:
        rows, device: R, and where.
        tally: That of the world's own state; a new one if None.
    """
    state = TaskState()
    state.tally = wp.zeros((rows, TALLY), dtype=wp.int32, device=device) if tally is None else tally
    for array in TASK_ARRAYS:
        setattr(state, array.name, wp.zeros((rows, *array.shape), dtype=wp.int32, device=device))
    state.choice.fill_(DRAWN)
    return state
