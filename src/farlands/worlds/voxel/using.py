"""What using a thing held on what is in the crosshair does: hoe, bucket, flint and steel; and bone meal, if carried.

One function says which use is possible, so that what the mask allows is what happens.
"""

from __future__ import annotations

from enum import IntEnum

import warp as wp

from farlands.worlds.voxel.blocks import (
    AIR,
    DIRT,
    FARMLAND,
    FIRE,
    GRASS,
    LAVA,
    RIPE_WHEAT,
    TNT,
    WATER,
    ToolClass,
)
from farlands.worlds.voxel.crosshair import NO_CELL, REACH, Target, look, look_for_source
from farlands.worlds.voxel.grid import block_at, cell_at, set_block
from farlands.worlds.voxel.inventory import add_item, free_slots, has_room, held_item, remove_item, unlock, wear_held
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.matter.farming import is_sapling, is_wheat
from farlands.worlds.voxel.matter.fire import light_tnt
from farlands.worlds.voxel.matter.fuses import FUSE_TICKS
from farlands.worlds.voxel.matter.pending import note_pending
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import MAX_FUSES, Clock, Ring, Rules, VoxelState
from farlands.worlds.voxel.support import is_held
from farlands.worlds.voxel.tables import BlockColumn, ItemColumn, Tables

_BONE_MEAL = ITEM_ID["bone_meal"]
_WATER_BUCKET = ITEM_ID["water_bucket"]
_LAVA_BUCKET = ITEM_ID["lava_bucket"]
_BUCKET = ITEM_ID["bucket"]
MEAL_STAGES = 2
MEAL_SPREAD = 4
"""Bone meal takes wheat up 2 to 5 stages."""
_TREE_OF_HUNDRED = 45


class Use(IntEnum):
    """What using does."""

    NONE = 0
    TILL = 1
    SCOOP = 2
    LIGHT_TNT = 3
    SET_FIRE = 4
    FEED = 5


@wp.func
def _free_beside(s: VoxelState, rules: Rules, w: int, target: Target):
    """The cell before the face that is looked at, or -1."""
    if target.cell == NO_CELL:
        return NO_CELL
    at = target.position + target.normal
    return cell_at(s, rules, w, at[0], at[1], at[2])


@wp.func
def _can_burn_at(s: VoxelState, t: Tables, rules: Rules, w: int, target: Target):
    """Whether fire can be set at the face that is looked at."""
    cell = _free_beside(s, rules, w, target)
    if cell == NO_CELL or t.block[target.block, BlockColumn.SOLID] == 0:
        return False
    return wp.int32(s.blocks[w, cell]) == AIR and is_held(s, t, rules, w, target.position + target.normal, FIRE)


@wp.func
def _can_till(s: VoxelState, rules: Rules, w: int, target: Target):
    if target.cell == NO_CELL or (target.block != GRASS and target.block != DIRT):
        return False
    return block_at(s, rules, w, target.position[0], target.position[1], target.position[2] + 1) == AIR


@wp.func
def _can_scoop(s: VoxelState, t: Tables, r: int, source: Target):
    """Whether a bucket can take what is looked at, and its filled kin will have a slot."""
    if source.cell == NO_CELL or (source.block != WATER and source.block != LAVA):
        return False
    # The last bucket leaves its slot to the full one.
    return s.counts[r, _BUCKET] == wp.int16(1) or has_room(s, t, r, _WATER_BUCKET, 1, free_slots(s, r))


@wp.func
def possible_use(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, target: Target):
    """The ``Use`` that can be made now of what is held or carried, for a target in reach (or no cell at all)."""
    tool = t.item[held_item(s, r), ItemColumn.TOOL]
    if tool == ToolClass.HOE and _can_till(s, rules, w, target):
        return int(Use.TILL)
    if tool == ToolClass.BUCKET and _can_scoop(s, t, r, look_for_source(s, t, rules, w, r, REACH)):
        return int(Use.SCOOP)
    if tool == ToolClass.LIGHTER:
        if target.block == TNT and target.cell != NO_CELL:
            if s.clock[Clock.FUSE_COUNT, w] < MAX_FUSES:
                return int(Use.LIGHT_TNT)
        elif _can_burn_at(s, t, rules, w, target):
            return int(Use.SET_FIRE)
    if target.cell != NO_CELL and s.counts[r, _BONE_MEAL] > wp.int16(0):
        if is_sapling(target.block) or (is_wheat(target.block) and target.block != RIPE_WHEAT):
            return int(Use.FEED)
    return int(Use.NONE)


@wp.func
def _scoop(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Fill a bucket from a source, which is gone."""
    source = look_for_source(s, t, rules, w, r, REACH)
    full = int(_WATER_BUCKET)
    if source.block == LAVA:
        full = _LAVA_BUCKET
    set_block(s, t, rules, w, source.cell, AIR)
    remove_item(s, t, r, _BUCKET, 1)
    add_item(s, t, rules, r, full, 1, 0)


@wp.func
def _feed(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, target: Target):
    """Bone meal: wheat goes up some stages, a sapling becomes a tree in 45 of 100 cases if there is room."""
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w],
        target.cell, Purpose.BONE_MEAL,
    )  # fmt: skip
    remove_item(s, t, r, _BONE_MEAL, 1)
    if is_wheat(target.block):
        stages = MEAL_STAGES + wp.int32(words[0] % wp.uint32(MEAL_SPREAD))
        set_block(s, t, rules, w, target.cell, wp.min(target.block + stages, RIPE_WHEAT))
    elif words[1] % wp.uint32(100) < wp.uint32(_TREE_OF_HUNDRED):
        note_pending(s, w, int(Ring.GROW), target.cell, s.clock[Clock.TICK, w])


@wp.func
def use_item(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Make the possible use of what is held or carried. Returns whether there was one."""
    target = look(s, t, rules, w, r, REACH)
    use = possible_use(s, t, rules, w, r, target)
    if use == int(Use.TILL):
        set_block(s, t, rules, w, target.cell, FARMLAND)
        wear_held(s, t, r, 1)
        unlock(s, t, rules, r, t.till_achievement)
    elif use == int(Use.SCOOP):
        _scoop(s, t, rules, w, r)
    elif use == int(Use.LIGHT_TNT):
        light_tnt(s, t, rules, w, target.cell, FUSE_TICKS)
        wear_held(s, t, r, 1)
    elif use == int(Use.SET_FIRE):
        set_block(s, t, rules, w, _free_beside(s, rules, w, target), FIRE)
        wear_held(s, t, r, 1)
    elif use == int(Use.FEED):
        _feed(s, t, rules, w, r, target)
    return use != int(Use.NONE)
