"""Lives that end while their world goes on, as those of several agents do.

What a dead agent saw last is kept and what it had is left behind; it begins another life, or is gone until its world
begins anew.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.company import Turn, is_alive, is_present, row_in_turn, turn_order
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import ARROW
from farlands.worlds.voxel.dropping import leave_everything
from farlands.worlds.voxel.generation.lives import begin_life, clear_life, find_place, place_to_return
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.state import Body, Cause, Clock, Rules, VoxelState
from farlands.worlds.voxel.step import is_over
from farlands.worlds.voxel.tables import Tables

_PARTS_SHIFT = 6
"""A row is copied in 2^6 interleaved parts."""


@wp.func
def _forget_agent(s: VoxelState, w: int, agent: int):
    """Nobody hunts an agent that has died; its arrows are lost, and what it fed owes its next life nothing."""
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        if s.creatures[w, k, Being.PREY] == agent:
            s.creatures[w, k, Being.SEES] = 0
        if s.creatures[w, k, Being.OWNER] == agent + 1:
            s.creatures[w, k, Being.OWNER] = 0
            if s.creatures[w, k, Being.KIND] == ARROW:
                s.creatures[w, k, Being.HEALTH] = 0
        k += 1


@wp.func
def _leave_world(s: VoxelState, r: int):
    """Gone: nothing is left of an agent but how its episode ended."""
    cause = s.body[Body.CAUSE, r]
    clear_life(s, r)
    s.body[Body.CAUSE, r] = cause
    s.body[Body.GONE, r] = 1
    s.body[Body.HAND, r] = -1
    s.body[Body.BREAK_CELL, r] = -1
    s.body[Body.SMELTING, r] = -1


@kernel
def _part_kernel(
    # Model
    t: Tables,
    rules: Rules,
    kit: wp.array2d(dtype=wp.int32),
    # In
    listed: Listed,
    # Out
    s: VoxelState,
):
    """What comes of the listed worlds' agents whose episode has just ended; worlds that are over see to theirs."""
    i = wp.tid()
    while i < how_many(listed):
        w = world_at(listed, i)
        over = is_over(s, rules, w)
        order = turn_order(s, rules, w, int(Turn.END))
        n = int(0)
        while n < rules.agents:
            r = row_in_turn(rules, w, order, n)
            if is_present(s, r) and not is_alive(s, r):
                if s.body[Body.CAUSE, r] != Cause.HORIZON:
                    leave_everything(s, rules, w, r)
                _forget_agent(s, w, r - w * rules.agents)
                if not over and rules.respawn != 0:
                    begin_life(s, t, rules, kit, w, r, find_place(s, t, rules, w, r, place_to_return(s, rules, w)))
                elif not over:
                    _leave_world(s, r)
            n += 1
        i += listed.stride


@kernel
def _keep_last_kernel(
    # Model
    rules: Rules,
    # In
    s: VoxelState,
    seen: wp.array2d(dtype=wp.uint8),
    listed: Listed,
    # Out
    last: wp.array2d(dtype=wp.uint8),
):
    """Copy what the agents of the listed worlds see whose episode has just ended."""
    i = wp.tid()
    while i < (how_many(listed) * rules.agents) << _PARTS_SHIFT:
        row = i >> _PARTS_SHIFT
        r = world_at(listed, row // rules.agents) * rules.agents + row % rules.agents
        if is_present(s, r) and not is_alive(s, r):
            k = i & ((1 << _PARTS_SHIFT) - 1)
            while k < seen.shape[1]:
                last[r, k] = seen[r, k]
                k += 1 << _PARTS_SHIFT
        i += listed.stride


@kernel
def _blank_kernel(
    # Model
    rules: Rules,
    # In
    s: VoxelState,
    listed: Listed,
    # Out
    seen: wp.array2d(dtype=wp.uint8),
):
    """Zeros for the agents of the listed worlds that are gone."""
    i = wp.tid()
    while i < (how_many(listed) * rules.agents) << _PARTS_SHIFT:
        row = i >> _PARTS_SHIFT
        r = world_at(listed, row // rules.agents) * rules.agents + row % rules.agents
        if not is_present(s, r):
            k = i & ((1 << _PARTS_SHIFT) - 1)
            while k < seen.shape[1]:
                seen[r, k] = wp.uint8(0)
                k += 1 << _PARTS_SHIFT
        i += listed.stride
