"""Placing blocks: where they may stand, and what they need under or behind them."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, DOOR, LADDER, TORCH
from farlands.worlds.voxel.company import is_present
from farlands.worlds.voxel.crosshair import NO_CELL, REACH, Target, look
from farlands.worlds.voxel.grid import block_at, cell_at, free_fixture, set_block
from farlands.worlds.voxel.inventory import add_item, remove_item, unlock
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import BODY_HALF_WIDTH, BODY_HEIGHT
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Rules, VoxelState
from farlands.worlds.voxel.support import is_wall, stands_on
from farlands.worlds.voxel.tables import BlockColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import note_event
from farlands.worlds.voxel.tasks.predicates import Event


@wp.func
def overlaps_body(s: VoxelState, rules: Rules, w: int, at: wp.vec3i):
    """Whether any body of the world stands in a cell."""
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        x0 = (s.body[Body.X, r] - BODY_HALF_WIDTH) >> POSITION_SHIFT
        x1 = (s.body[Body.X, r] + BODY_HALF_WIDTH - 1) >> POSITION_SHIFT
        y0 = (s.body[Body.Y, r] - BODY_HALF_WIDTH) >> POSITION_SHIFT
        y1 = (s.body[Body.Y, r] + BODY_HALF_WIDTH - 1) >> POSITION_SHIFT
        z0 = s.body[Body.Z, r] >> POSITION_SHIFT
        z1 = (s.body[Body.Z, r] + BODY_HEIGHT - 1) >> POSITION_SHIFT
        inside = at[0] >= x0 and at[0] <= x1 and at[1] >= y0 and at[1] <= y1 and at[2] >= z0 and at[2] <= z1
        if inside and is_present(s, r):
            return True
        agent += 1
    return False


@wp.func
def _supported(t: Tables, block: int, below: int, against: int, normal: wp.vec3i):
    """Whether a block may be put there, by what is under it and what it is put against."""
    if block == TORCH:
        return is_wall(t, against) and normal[2] >= 0
    if block == LADDER:
        return is_wall(t, against) and normal[2] == 0
    if block == DOOR and below == DOOR:
        # Two doors on top of each other could not tell their halves apart.
        return False
    return stands_on(t, block, below)


@wp.func
def place_cell(s: VoxelState, t: Tables, rules: Rules, w: int, target: Target, item: int):
    """Cell where an item's block would go, or -1 when it can't be placed at the target."""
    block = t.item[item, ItemColumn.PLACES]
    if block == AIR or target.block == AIR:
        return NO_CELL
    at = target.position
    against = target.block
    if t.block[target.block, BlockColumn.REPLACEABLE] != 0:
        against = block_at(s, rules, w, at[0], at[1], at[2] - 1)
        target.normal = wp.vec3i(0, 0, 1)
    else:
        at = at + target.normal
    cell = cell_at(s, rules, w, at[0], at[1], at[2])
    if cell == NO_CELL:
        return NO_CELL
    if t.block[wp.int32(s.blocks[w, cell]), BlockColumn.REPLACEABLE] == 0:
        return NO_CELL
    if not _supported(t, block, block_at(s, rules, w, at[0], at[1], at[2] - 1), against, target.normal):
        return NO_CELL
    if t.block[block, BlockColumn.SOLID] != 0 and overlaps_body(s, rules, w, at):
        return NO_CELL
    if block == DOOR:
        above = wp.vec3i(at[0], at[1], at[2] + 1)
        if block_at(s, rules, w, above[0], above[1], above[2]) != AIR or above[2] >= HEIGHT:
            return NO_CELL
        if overlaps_body(s, rules, w, above):
            return NO_CELL
    if t.block[block, BlockColumn.FIXTURE] != 0 and free_fixture(s, w) < 0:
        return NO_CELL
    return cell


@wp.func
def place(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, item: int):
    """Place one carried item at the crosshair, if possible. Returns whether it was."""
    if s.counts[r, item] <= wp.int16(0):
        return False
    cell = place_cell(s, t, rules, w, look(s, t, rules, w, r, REACH), item)
    if cell == NO_CELL:
        return False
    block = t.item[item, ItemColumn.PLACES]
    set_block(s, t, rules, w, cell, block)
    if block == DOOR:
        set_block(s, t, rules, w, cell + 1, block)
    remove_item(s, t, r, item, 1)
    if t.item[item, ItemColumn.GIVES_BACK] != 0:
        add_item(s, t, rules, r, t.item[item, ItemColumn.GIVES_BACK], 1, 0)
    note_event(s.tally, r, int(Event.PLACED), item, 1)
    unlock(s, t, rules, r, t.block[block, BlockColumn.PLACE_ACHIEVEMENT])
    return True
