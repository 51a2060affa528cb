"""Matter that moves by itself: sand and gravel fall, a cell at a time, when nothing is under them."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import LIT_TNT, Shape
from farlands.worlds.voxel.breaking import NOBODY, break_dependants
from farlands.worlds.voxel.grid import cell_position, cell_z, set_block
from farlands.worlds.voxel.matter.fluids import closing_block
from farlands.worlds.voxel.matter.fuses import find_fuse
from farlands.worlds.voxel.matter.pending import take_pending
from farlands.worlds.voxel.state import Ring, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

CELLS_A_TICK = 16
"""Cells of a world that are looked at in a tick; the others wait for the next."""
FALL_DELAY = 2
"""Ticks until a block whose support went moves down a cell."""


@wp.func
def _gives_way(t: Tables, block: int):
    """Whether a falling block goes on through a cell: air, fluids and plants, which it crushes."""
    return t.block[block, BlockColumn.REPLACEABLE] != 0 or t.block[block, BlockColumn.SHAPE] == Shape.PLANT


@wp.func
def _fall(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int):
    """Move a falling block down by one cell if it can; the next tick it is due sees to the rest."""
    block = wp.int32(s.blocks[w, cell])
    if t.block[block, BlockColumn.FALLS] == 0 or cell_z(cell) == 0:
        return
    if not _gives_way(t, wp.int32(s.blocks[w, cell - 1])):
        return
    at = cell_position(s, rules, w, cell)
    set_block(s, t, rules, w, cell - 1, block)
    set_block(s, t, rules, w, cell, closing_block(s, t, rules, w, at))
    break_dependants(s, t, rules, w, NOBODY, at, block)
    if block == LIT_TNT:
        fuse = find_fuse(s, w, cell)
        if fuse >= 0:
            s.fuse_cell[w, fuse] = cell - 1


@wp.func
def settle(s: VoxelState, t: Tables, rules: Rules, w: int):
    """One tick of a world's sand, gravel and lit TNT."""
    n = int(0)
    while n < CELLS_A_TICK:
        cell = take_pending(s, w, int(Ring.FALL))
        if cell < 0:
            return
        _fall(s, t, rules, w, cell)
        n += 1
