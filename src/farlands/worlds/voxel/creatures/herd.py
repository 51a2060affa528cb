"""The list of a world's creatures: joining it, leaving it, and where its members are."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import MAX_CREATURES, NUM_BEING, Being
from farlands.worlds.voxel.grid import cell_at
from farlands.worlds.voxel.state import POSITION_SHIFT, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import CreatureColumn, Tables

NOBODY = -1


@wp.func
def add_creature(s: VoxelState, t: Tables, w: int, kind: int, x: int, y: int, z: int, yaw: int):
    """Let a creature appear, its feet at a position. Returns its place in the list, or -1 when that is full."""
    k = s.clock[Clock.CREATURES, w]
    if k >= MAX_CREATURES:
        return NOBODY
    s.clock[Clock.CREATURES, w] = k + 1
    s.clock[Clock.NAMES, w] = s.clock[Clock.NAMES, w] + 1
    s.creatures[w, k, Being.KIND] = kind
    s.creatures[w, k, Being.NAME] = s.clock[Clock.NAMES, w]
    s.creatures[w, k, Being.X] = x
    s.creatures[w, k, Being.Y] = y
    s.creatures[w, k, Being.Z] = z
    s.creatures[w, k, Being.YAW] = yaw
    s.creatures[w, k, Being.HEALTH] = t.creature[kind, CreatureColumn.HEALTH]
    return k


@wp.func
def remove_creature(s: VoxelState, w: int, k: int):
    """Take a creature off the list; the last one takes its place."""
    last = s.clock[Clock.CREATURES, w] - 1
    column = int(0)
    while column < NUM_BEING:
        s.creatures[w, k, column] = s.creatures[w, last, column]
        s.creatures[w, last, column] = 0
        column += 1
    s.clock[Clock.CREATURES, w] = last


@wp.func
def clear_creatures(s: VoxelState, w: int):
    """An empty list, as at the start of an episode."""
    k = s.clock[Clock.CREATURES, w] - 1
    while k >= 0:
        remove_creature(s, w, k)
        k -= 1
    s.clock[Clock.NAMES, w] = 0


@wp.func
def in_window(s: VoxelState, rules: Rules, w: int, k: int):
    """Whether a creature is in the land that the world holds now; beyond it, time stands still for it."""
    x = s.creatures[w, k, Being.X] >> POSITION_SHIFT
    y = s.creatures[w, k, Being.Y] >> POSITION_SHIFT
    return cell_at(s, rules, w, x, y, 0) >= 0


@wp.func
def count_temper(s: VoxelState, t: Tables, w: int, temper: int):
    """How many creatures of a temper the world has."""
    count = int(0)
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        count += int(t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.TEMPER] == temper)
        k += 1
    return count
