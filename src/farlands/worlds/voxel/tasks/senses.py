"""Writing goals into observations on the device."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.state import Rules
from farlands.worlds.voxel.tasks.goal import GOAL_SENSES, goal_arrays
from farlands.worlds.voxel.tasks.measure import FULL, PROGRESS_MASK
from farlands.worlds.voxel.tasks.predicates import MAX_NODES
from farlands.worlds.voxel.tasks.state import AT_WORK, TaskState

_PERCENT = FULL // 100


@wp.struct
class GoalBank:
    """What does not change about the goals of a bank of N tasks; see ``goal.goal_arrays``.

    op, thing, arity: uint8 ``[N, MAX_NODES]``. number: int16 ``[N, MAX_NODES]``.
    """

    op: wp.array2d(dtype=wp.uint8)
    thing: wp.array2d(dtype=wp.uint8)
    number: wp.array2d(dtype=wp.int16)
    arity: wp.array2d(dtype=wp.uint8)


@wp.struct
class GoalSenses:
    """Where a step's goals go, each ``[R, MAX_NODES]``; see ``goal.goal_specs``."""

    op: wp.array2d(dtype=wp.uint8)
    thing: wp.array2d(dtype=wp.uint8)
    number: wp.array2d(dtype=wp.int16)
    arity: wp.array2d(dtype=wp.uint8)
    progress: wp.array2d(dtype=wp.uint8)
    at_work: wp.array2d(dtype=wp.uint8)


def make_goal_bank(programs: np.ndarray, device: str) -> GoalBank:
    """The goals of some programs, int32 ``[N, LENGTH]``, on a device."""
    arrays = goal_arrays(programs)
    bank = GoalBank()
    for name in ("op", "thing", "number", "arity"):
        kind = wp.int16 if name == "number" else wp.uint8
        setattr(bank, name, wp.array(arrays[f"goal_{name}"], dtype=kind, device=device))
    return bank


def goal_senses(into: Mapping[str, torch.Tensor]) -> GoalSenses:
    """Where goals go among the arrays of an observation, each ``[..., MAX_NODES]``."""
    senses = GoalSenses()
    for name in GOAL_SENSES:
        kind = wp.int16 if name == "goal_number" else wp.uint8
        array = wp.from_torch(into[name].reshape(-1, MAX_NODES), dtype=kind, requires_grad=False)
        setattr(senses, name.removeprefix("goal_"), array)
    return senses


@wp.func
def sense_goal(g: TaskState, bank: GoalBank, out: GoalSenses, r: int):
    """Write one row's goal and how far each of its nodes is."""
    index = g.index[r]
    i = int(0)
    while i < MAX_NODES:
        out.op[r, i] = bank.op[index, i]
        out.thing[r, i] = bank.thing[index, i]
        out.number[r, i] = bank.number[index, i]
        out.arity[r, i] = bank.arity[index, i]
        out.progress[r, i] = wp.uint8((g.value[r, i] & PROGRESS_MASK) // _PERCENT)
        out.at_work[r, i] = wp.uint8(g.flags[r, i] & AT_WORK)
        i += 1


@kernel
def _sense_goals_kernel(
    # Model
    rules: Rules,
    bank: GoalBank,
    # In
    g: TaskState,
    listed: Listed,
    # Out
    out: GoalSenses,
):
    """Goals of the listed worlds."""
    i = wp.tid()
    while i < how_many(listed):
        agent = int(0)
        while agent < rules.agents:
            sense_goal(g, bank, out, world_at(listed, i) * rules.agents + agent)
            agent += 1
        i += listed.stride
