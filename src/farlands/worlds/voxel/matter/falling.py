"""Matter that moves by itself: sand and gravel fall, a cell at a time, when nothing is under them."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import AIR, Shape
from farlands.worlds.voxel.breaking import NOBODY, break_dependants
from farlands.worlds.voxel.grid import block_at, cell_position, cell_z, set_block
from farlands.worlds.voxel.matter.pending import take_pending
from farlands.worlds.voxel.state import Rules, VoxelState
from farlands.worlds.voxel.support import NUM_SIDES, beside
from farlands.worlds.voxel.tables import BlockColumn, Tables

CELLS_A_TICK = 16
"""Cells of a world that are looked at in a tick; the others wait for the next."""


@wp.func
def _gives_way(t: Tables, block: int):
    """Whether a falling block goes on through a cell: air, fluids and plants, which it crushes."""
    return t.block[block, BlockColumn.REPLACEABLE] != 0 or t.block[block, BlockColumn.SHAPE] == Shape.PLANT


@wp.func
def _fluid_or_air(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i):
    """What closes over a cell that something has fallen out of: a fluid above or beside it, else air."""
    above = block_at(s, rules, w, at[0], at[1], at[2] + 1)
    if t.block[above, BlockColumn.SHAPE] == Shape.FLUID:
        return above
    side = int(0)
    while side < NUM_SIDES:
        where = beside(at, side)
        block = block_at(s, rules, w, where[0], where[1], where[2])
        if t.block[block, BlockColumn.SHAPE] == Shape.FLUID:
            return block
        side += 1
    return AIR


@wp.func
def _fall(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int):
    """Move a falling block down by one cell if it can; the next tick it is due sees to the rest."""
    block = wp.int32(s.blocks[w, cell])
    if t.block[block, BlockColumn.FALLS] == 0 or cell_z(cell) == 0:
        return
    if not _gives_way(t, wp.int32(s.blocks[w, cell - 1])):
        return
    at = cell_position(s, rules, w, cell)
    set_block(s, t, rules, w, cell, _fluid_or_air(s, t, rules, w, at))
    set_block(s, t, rules, w, cell - 1, block)
    break_dependants(s, t, rules, w, NOBODY, at, block)


@kernel
def _settle_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """One tick of each world's moving matter."""
    w = begin + wp.tid()
    n = int(0)
    while n < CELLS_A_TICK:
        cell = take_pending(s, w)
        if cell < 0:
            return
        _fall(s, t, rules, w, cell)
        n += 1
