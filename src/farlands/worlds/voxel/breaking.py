"""Breaking blocks: how long it takes, what drops, what falls with it.

Progress per tick is speed / hardness / 30 with a tool (or hand) that harvests the block, / 100 with one that can't;
the speed is a fifth off the ground, and a fifth with the eyes in water. Six ticks pass between two breaks.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import AIR, DOOR, LADDER, OPEN_DOOR, RIPE_WHEAT, TORCH, Shape, ToolClass
from farlands.worlds.voxel.creatures.aim import ARM, being_ahead
from farlands.worlds.voxel.crosshair import NO_CELL, REACH, Target, look
from farlands.worlds.voxel.grid import block_at, cell_at, set_block
from farlands.worlds.voxel.inventory import add_item, held_item, wear_held
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import EYE_HEIGHT, feet_block
from farlands.worlds.voxel.rng import Purpose, draw, one_in
from farlands.worlds.voxel.state import Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.support import NUM_SIDES, beside, is_held
from farlands.worlds.voxel.tables import BlockColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import note_event
from farlands.worlds.voxel.tasks.predicates import Event

BREAK_PAUSE = 6
MINING_EXHAUSTION = 5
HARVEST = 30
NO_HARVEST = 100
BREAK_STAGES = 10
STRIKE_PAUSE = 12
AXE_PAUSE = 22
"""Ticks between two blows."""
MAX_SEEDS = 4
"""Ripe wheat gives 1 to 4 seeds besides."""
_SEEDS = ITEM_ID["wheat_seeds"]
NOBODY = -1
"""Row of whoever breaks what breaks by itself."""
# Progress is counted in parts of 25, because mining off the ground and under water are each five times slower.
_FULL_SPEED = 25
_SLOWED = 5


@wp.func
def break_speed(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, block: int, held: int):
    """Progress per tick, in 25ths of a thousandth of hardness; see ``break_cost``."""
    speed = int(1)
    tool = t.item[held, ItemColumn.TOOL]
    if tool != 0 and tool == t.block[block, BlockColumn.TOOL]:
        speed = t.item[held, ItemColumn.SPEED]
    part = _FULL_SPEED
    if s.body[Body.ON_GROUND, r] == 0:
        part = part // _SLOWED
    if t.block[feet_block(s, rules, w, r, EYE_HEIGHT), BlockColumn.SHAPE] == Shape.FLUID:
        part = part // _SLOWED
    return speed * part * 1000 * rules.mining_speed


@wp.func
def can_harvest(t: Tables, block: int, held: int):
    """Whether breaking the block with this item drops anything."""
    tier = t.block[block, BlockColumn.TIER]
    if tier == 0:
        return True
    if t.item[held, ItemColumn.TOOL] != t.block[block, BlockColumn.TOOL]:
        return False
    return t.item[held, ItemColumn.TIER] >= tier


@wp.func
def break_cost(t: Tables, block: int, held: int):
    """Progress that breaks a block: 30 ticks per hardness for a bare hand that harvests it, 100 for one that can't."""
    per_hardness = HARVEST
    if not can_harvest(t, block, held):
        per_hardness = NO_HARVEST
    return t.block[block, BlockColumn.HARDNESS] * per_hardness * _FULL_SPEED


@wp.func
def break_stage(s: VoxelState, t: Tables, w: int, r: int):
    """How far the break under way is, 0 to 10."""
    cell = s.body[Body.BREAK_CELL, r]
    if cell == NO_CELL:
        return 0
    cost = break_cost(t, wp.int32(s.blocks[w, cell]), held_item(s, r))
    return wp.clamp(s.body[Body.BREAK_PROGRESS, r] // wp.max(cost // BREAK_STAGES, 1), 0, BREAK_STAGES)


@wp.func
def _drop(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, cell: int, block: int, held: int):
    """What a broken block leaves goes straight into the inventory, if it was broken by somebody."""
    if r == NOBODY or not can_harvest(t, block, held):
        return
    word = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], cell,
        Purpose.DROP,
    )  # fmt: skip
    item = t.block[block, BlockColumn.DROP]
    count = int(0)
    if item != 0 and one_in(word[0], t.block[block, BlockColumn.DROP_ONE_IN]):
        count = 1
    rare = t.block[block, BlockColumn.RARE_ONE_IN]
    if rare > 0:
        if one_in(word[1], rare):
            item = t.block[block, BlockColumn.RARE_DROP]
            count = 1
    if count > 0:
        add_item(s, t, rules, r, item, count, 0)
    if block == RIPE_WHEAT:
        add_item(s, t, rules, r, _SEEDS, 1 + wp.int32(word[2] % wp.uint32(MAX_SEEDS)), 0)


@wp.func
def _is_door(block: int):
    return block == DOOR or block == OPEN_DOOR


@wp.func
def _break_beside(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, position: wp.vec3i):
    """Torches and ladders that hung on an emptied cell fall."""
    side = int(0)
    while side < NUM_SIDES:
        at = beside(position, side)
        block = block_at(s, rules, w, at[0], at[1], at[2])
        if block == TORCH or block == LADDER:
            if not is_held(s, t, rules, w, at, block):
                cell = cell_at(s, rules, w, at[0], at[1], at[2])
                set_block(s, t, rules, w, cell, AIR)
                _drop(s, t, rules, w, r, cell, block, 0)
        side += 1


@wp.func
def break_dependants(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, position: wp.vec3i, block: int):
    """What stood or hung on a block that has gone falls with it; the other half of a door goes too.

    Row ``r`` gets what it drops, if it is not NOBODY. What falls by itself is left to fall.
    """
    at = wp.vec3i(position[0], position[1], position[2])
    broken = block
    if _is_door(block) and _is_door(block_at(s, rules, w, at[0], at[1], at[2] - 1)):
        set_block(s, t, rules, w, cell_at(s, rules, w, at[0], at[1], at[2] - 1), AIR)
    while at[2] < HEIGHT:
        _break_beside(s, t, rules, w, r, at)
        at[2] = at[2] + 1
        above = block_at(s, rules, w, at[0], at[1], at[2])
        cell = cell_at(s, rules, w, at[0], at[1], at[2])
        if above == AIR or cell == NO_CELL or is_held(s, t, rules, w, at, above):
            return
        set_block(s, t, rules, w, cell, AIR)
        # The two halves of a door are one item.
        if not (_is_door(broken) and _is_door(above)):
            _drop(s, t, rules, w, r, cell, above, 0)
        broken = above


@wp.func
def _break(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, target: Target, held: int):
    set_block(s, t, rules, w, target.cell, AIR)
    note_event(s.tally, r, int(Event.BROKEN), target.block, 1)
    _drop(s, t, rules, w, r, target.cell, target.block, held)
    break_dependants(s, t, rules, w, r, target.position, target.block)
    if t.block[target.block, BlockColumn.HARDNESS] > 0:
        wear_held(s, t, r, 1)
    s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + MINING_EXHAUSTION


@wp.func
def stop_breaking(s: VoxelState, r: int):
    """Forget the break under way."""
    s.body[Body.BREAK_CELL, r] = NO_CELL
    s.body[Body.BREAK_PROGRESS, r] = 0
    s.body[Body.HOLDING, r] = 0


@wp.func
def strike(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, free: int):
    """Whether a creature or agent is in the crosshair before anything else within ``free`` ray units; a blow falls when
    due.
    """
    if being_ahead(s, t, rules, w, r, wp.min(ARM, free)) < 0:
        return False
    if s.body[Body.STRIKE_PAUSE, r] == 0:
        tool = t.item[held_item(s, r), ItemColumn.TOOL]
        s.body[Body.STRIKE, r] = 1
        s.body[Body.STRIKE_PAUSE, r] = STRIKE_PAUSE
        if tool == ToolClass.AXE:
            s.body[Body.STRIKE_PAUSE, r] = AXE_PAUSE
    return True


@wp.func
def mine(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, asked: bool):
    """One tick of breaking the block in the crosshair. ``asked``: the action says so (else a sticky hand goes on)."""
    if s.body[Body.BREAK_PAUSE, r] > 0:
        s.body[Body.BREAK_PAUSE, r] = s.body[Body.BREAK_PAUSE, r] - 1
        return
    target = look(s, t, rules, w, r, REACH)
    if asked and strike(s, t, rules, w, r, target.distance):
        stop_breaking(s, r)
        return
    changed = target.cell != s.body[Body.BREAK_CELL, r]
    if target.cell == NO_CELL or (changed and not asked):
        stop_breaking(s, r)
        return
    hardness = t.block[target.block, BlockColumn.HARDNESS]
    if hardness < 0:
        stop_breaking(s, r)
        return
    if changed:
        s.body[Body.BREAK_PROGRESS, r] = 0
        s.body[Body.BREAK_CELL, r] = target.cell
    s.body[Body.HOLDING, r] = rules.sticky
    held = held_item(s, r)
    speed = break_speed(s, t, rules, w, r, target.block, held)
    cost = break_cost(t, target.block, held)
    progress = s.body[Body.BREAK_PROGRESS, r] + speed
    s.body[Body.BREAK_PROGRESS, r] = progress
    if progress >= cost:
        stop_breaking(s, r)
        if speed <= cost:
            s.body[Body.BREAK_PAUSE, r] = BREAK_PAUSE
        _break(s, t, rules, w, r, target, held)
