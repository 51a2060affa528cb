"""Fire: what it needs, what it burns, where it spreads, and how it ends.

A burning cell is looked at every 30 ticks. Each thing beside it that burns is eaten with a chance of its own, and
either burns itself or is gone; a few cells around, further up than down, catch fire if something beside them can. With
nothing to burn beside it, fire lasts some twelve seconds; with fuel, over a minute. Chances are keyed by tick and cell.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, FIRE, LIT_TNT, TNT, Fluid
from farlands.worlds.voxel.grid import block_at, cell_at, cell_position, set_block
from farlands.worlds.voxel.matter.fuses import FUSE_TICKS, add_fuse
from farlands.worlds.voxel.matter.pending import is_noted, note_pending, take_pending
from farlands.worlds.voxel.rng import Purpose, draw, one_in
from farlands.worlds.voxel.state import MAX_PENDING, Clock, Ring, Rules, VoxelState
from farlands.worlds.voxel.support import NUM_NEIGHBOURS, is_held, neighbour
from farlands.worlds.voxel.tables import BlockColumn, Tables

FIRE_DELAY = 30
CELLS_A_TICK = 16
"""Fires of a world that are looked at in a tick; the others wait for the next."""
DIES_ONE_IN = 8
DIES_FUELLED_ONE_IN = 48
BURN_OF = 300
"""A thing beside a fire is eaten with chance ``burns / 300`` at each look."""
SPREAD_DRAWS = 3
"""Each tries two of the cells around a fire."""
SPREAD_CELLS = 54
SPREAD_BASE = 54
SPREAD_OF = 333
"""A cell that is tried catches with chance ``(54 + catches) / 333`` of the readiest thing beside it."""
LAVA_ONE_IN = 12
"""Chance with which lava beside fuel tries to light it at each of its turns: the genre's random ticks, about."""


@wp.func
def fuel_beside(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i):
    """How easily fire spreads to a cell: the most of what is beside it, 0 for never."""
    most = int(0)
    k = int(0)
    while k < NUM_NEIGHBOURS:
        where = neighbour(at, k)
        most = wp.max(most, t.block[block_at(s, rules, w, where[0], where[1], where[2]), BlockColumn.CATCHES])
        k += 1
    return most


@wp.func
def note_fire(s: VoxelState, w: int, cell: int):
    """Look at a fire again in its time, unless it is noted already."""
    if not is_noted(s, w, int(Ring.FIRE), cell, MAX_PENDING):
        note_pending(s, w, int(Ring.FIRE), cell, s.clock[Clock.TICK, w] + FIRE_DELAY)


@wp.func
def light_tnt(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, ticks: int):
    """Light the fuse of TNT. Returns whether there was room for another fuse."""
    if not add_fuse(s, w, cell, s.clock[Clock.TICK, w] + ticks):
        return False
    set_block(s, t, rules, w, cell, LIT_TNT)
    return True


@wp.func
def tnt_is_lit(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i):
    """Whether fire or lava is beside a cell."""
    k = int(0)
    while k < NUM_NEIGHBOURS:
        where = neighbour(at, k)
        block = block_at(s, rules, w, where[0], where[1], where[2])
        if block == FIRE or t.block[block, BlockColumn.FLUID] == Fluid.LAVA:
            return True
        k += 1
    return False


@wp.func
def _burn_beside(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, cell: int):
    """Eat at what burns around a fire. What is eaten burns itself as often as not."""
    low = wp.uint32(s.clock[Clock.SEED_LOW, w])
    high = wp.uint32(s.clock[Clock.SEED_HIGH, w])
    first = draw(low, high, s.clock[Clock.TICK, w], cell, Purpose.FIRE_BURN)
    k = int(0)
    while k < NUM_NEIGHBOURS:
        where = neighbour(at, k)
        there = cell_at(s, rules, w, where[0], where[1], where[2])
        word = first[k >> 1] >> wp.uint32(16 * (k & 1))
        if there >= 0:
            block = wp.int32(s.blocks[w, there])
            burns = t.block[block, BlockColumn.BURNS]
            if burns > 0 and wp.int32(word & wp.uint32(0x7FFF)) % BURN_OF < burns:
                if block == TNT:
                    light_tnt(s, t, rules, w, there, FUSE_TICKS)
                elif (word & wp.uint32(0x8000)) != wp.uint32(0):
                    set_block(s, t, rules, w, there, FIRE)
                else:
                    set_block(s, t, rules, w, there, AIR)
        k += 1


@wp.func
def _catch(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, place: wp.uint32, chance: wp.uint32):
    """Light one of the cells around a fire if it is free, beside something that burns, and chance has it."""
    k = wp.int32(place % wp.uint32(SPREAD_CELLS))
    where = wp.vec3i(at[0] + k % 3 - 1, at[1] + (k // 3) % 3 - 1, at[2] + k // 9 - 1)
    there = cell_at(s, rules, w, where[0], where[1], where[2])
    if there >= 0:
        if wp.int32(s.blocks[w, there]) == AIR:
            fuel = fuel_beside(s, t, rules, w, where)
            if fuel > 0 and wp.int32(chance % wp.uint32(SPREAD_OF)) < fuel + SPREAD_BASE:
                set_block(s, t, rules, w, there, FIRE)


@wp.func
def _spread(s: VoxelState, t: Tables, rules: Rules, w: int, at: wp.vec3i, cell: int):
    """Try to light a few cells around a fire: beside it, one below to four above."""
    low = wp.uint32(s.clock[Clock.SEED_LOW, w])
    high = wp.uint32(s.clock[Clock.SEED_HIGH, w])
    k = int(0)
    while k < SPREAD_DRAWS:
        words = draw(low, high, s.clock[Clock.TICK, w], cell, int(Purpose.FIRE_SPREAD) + k)
        _catch(s, t, rules, w, at, words[0], words[1])
        _catch(s, t, rules, w, at, words[2], words[3])
        k += 1


@wp.func
def _burn(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int):
    """See to a fire that is due."""
    if wp.int32(s.blocks[w, cell]) != FIRE:
        return
    at = cell_position(s, rules, w, cell)
    dies = int(DIES_FUELLED_ONE_IN)
    if fuel_beside(s, t, rules, w, at) == 0:
        dies = DIES_ONE_IN
    word = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], cell,
        Purpose.FIRE,
    )[0]  # fmt: skip
    if one_in(word, dies) or not is_held(s, t, rules, w, at, FIRE):
        set_block(s, t, rules, w, cell, AIR)
        return
    _burn_beside(s, t, rules, w, at, cell)
    _spread(s, t, rules, w, at, cell)
    note_fire(s, w, cell)


@wp.func
def light_from_lava(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int):
    """Let lava try to light one of the nine cells above it. Returns whether there is anything to burn there."""
    at = cell_position(s, rules, w, cell)
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], cell,
        Purpose.LAVA_FIRE,
    )  # fmt: skip
    chosen = wp.int32(words[0] % wp.uint32(9))
    found = int(0)
    k = int(0)
    while k < 9:
        where = wp.vec3i(at[0] + k % 3 - 1, at[1] + k // 3 - 1, at[2] + 1)
        there = cell_at(s, rules, w, where[0], where[1], where[2])
        if there >= 0:
            if wp.int32(s.blocks[w, there]) == AIR:
                if fuel_beside(s, t, rules, w, where) > 0:
                    found = 1
                    if k == chosen and one_in(words[1], LAVA_ONE_IN):
                        set_block(s, t, rules, w, there, FIRE)
        k += 1
    return found != 0


@wp.func
def burn(s: VoxelState, t: Tables, rules: Rules, w: int):
    """One tick of a world's fires."""
    n = int(0)
    cell = int(0)
    while n < CELLS_A_TICK and cell >= 0:
        cell = take_pending(s, w, int(Ring.FIRE))
        if cell >= 0:
            _burn(s, t, rules, w, cell)
        n += 1
