"""How a life begins: a place to stand on near another, and a body that is whole, fed and has its kit."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import Shape
from farlands.worlds.voxel.company import is_alive, is_present
from farlands.worlds.voxel.generation.fields import SEA_LEVEL
from farlands.worlds.voxel.grid import HEIGHT_SHIFT
from farlands.worlds.voxel.items import NUM_SLOTS
from farlands.worlds.voxel.lying import MAX_AGENTS
from farlands.worlds.voxel.measures import note_item, note_place
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import DAMP_SHIFT, DRAG
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import (
    NUM_ACHIEVEMENTS,
    NUM_ARMOUR,
    NUM_BODY,
    NUM_ITEMS,
    POSITION_ONE,
    POSITION_SHIFT,
    Body,
    Clock,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import NUM_HEADINGS, BlockColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import clear_tally
from farlands.worlds.voxel.vitals import MAX_AIR, MAX_FOOD, MAX_HEALTH, START_SATURATION

SEARCH_RADIUS = 14
_LEVEL = 3
"""Blocks up or down within which agents begin beside each other if they can."""
_FROM_EDGE = 8
"""Nobody begins nearer to the window's edge, in blocks."""


@wp.func
def stand_height(s: VoxelState, t: Tables, rules: Rules, w: int, dx: int, dy: int):
    """Height of the feet on a column given by its offset from the window's origin, or -1 if one can't stand there."""
    x = (s.clock[Clock.ORIGIN_X, w] + dx) & rules.side_mask
    y = (s.clock[Clock.ORIGIN_Y, w] + dy) & rules.side_mask
    column = (x << rules.side_shift) | y
    z = wp.int32(s.tops[w, column])
    if z < SEA_LEVEL or z > HEIGHT - 4:
        return -1
    ground = wp.int32(s.blocks[w, (column << HEIGHT_SHIFT) | (z - 1)])
    feet = t.block[wp.int32(s.blocks[w, (column << HEIGHT_SHIFT) | z]), BlockColumn.SHAPE]
    head = t.block[wp.int32(s.blocks[w, (column << HEIGHT_SHIFT) | (z + 1)]), BlockColumn.SHAPE]
    if t.block[ground, BlockColumn.SOLID] == 0:
        return -1
    if (feet != Shape.EMPTY and feet != Shape.PLANT) or (head != Shape.EMPTY and head != Shape.PLANT):
        return -1
    return z


@wp.func
def _is_taken(s: VoxelState, rules: Rules, w: int, r: int, x: int, y: int, apart: int):
    """Whether another agent stands within ``apart`` columns of one."""
    agent = int(0)
    while agent < rules.agents:
        other = w * rules.agents + agent
        if other != r and is_present(s, other) and is_alive(s, other):
            dx = wp.abs((s.body[Body.X, other] >> POSITION_SHIFT) - x)
            dy = wp.abs((s.body[Body.Y, other] >> POSITION_SHIFT) - y)
            if wp.max(dx, dy) <= apart:
                return True
        agent += 1
    return False


@wp.func
def _height_at(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, x: int, y: int, z: int, fussy: bool):
    """Height at which an agent can begin on a column, or -1; who is fussy wants elbow-room and about the height z."""
    dx = x - s.clock[Clock.ORIGIN_X, w]
    dy = y - s.clock[Clock.ORIGIN_Y, w]
    if wp.min(dx, dy) < 0 or wp.max(dx, dy) > rules.side_mask or _is_taken(s, rules, w, r, x, y, int(fussy)):
        return -1
    found = stand_height(s, t, rules, w, dx, dy)
    if fussy and wp.abs(found - z) > _LEVEL:
        return -1
    return found


@wp.func
def _on_ring(ring: int, i: int):
    """The i-th of the 8 * ring offsets that are ``ring`` columns away; one, the middle, for ring 0."""
    if ring == 0:
        return wp.vec2i(0, 0)
    side = i // (2 * ring)
    along = i - side * 2 * ring - ring
    if side == 0:
        return wp.vec2i(along, -ring)
    if side == 1:
        return wp.vec2i(ring, along)
    if side == 2:
        return wp.vec2i(-along, ring)
    return wp.vec2i(-ring, -along)


@wp.func
def find_place(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, near: wp.vec3i):
    """Block for the feet of an agent that begins a life: on the nearest ring of columns around another block where one
    can stand and nobody does, from a keyed side on; that block itself if there is none.
    """
    life = r - w * rules.agents + MAX_AGENTS * s.clock[Clock.STEP, w]
    attempt = int(0)
    while attempt < 2:
        ring = int(0)
        while ring <= SEARCH_RADIUS:
            word = draw(
                wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), life, ring,
                Purpose.START_PLACE,
            )[0]  # fmt: skip
            around = wp.max(8 * ring, 1)
            turned = wp.int32(word % wp.uint32(around))
            i = int(0)
            while i < around:
                d = _on_ring(ring, (i + turned) % around)
                z = _height_at(s, t, rules, w, r, near[0] + d[0], near[1] + d[1], near[2], attempt == 0)
                if z >= 0:
                    return wp.vec3i(near[0] + d[0], near[1] + d[1], z)
                i += 1
            ring += 1
        attempt += 1
    return near


@wp.func
def place_to_return(s: VoxelState, rules: Rules, w: int):
    """Block on the ground where the level began; if the window has left it, the nearest that is well inside."""
    side = rules.side_mask + 1
    low_x = s.clock[Clock.ORIGIN_X, w] + _FROM_EDGE
    low_y = s.clock[Clock.ORIGIN_Y, w] + _FROM_EDGE
    x = wp.clamp(s.clock[Clock.START_X, w], low_x, low_x + side - 1 - 2 * _FROM_EDGE)
    y = wp.clamp(s.clock[Clock.START_Y, w], low_y, low_y + side - 1 - 2 * _FROM_EDGE)
    column = ((x & rules.side_mask) << rules.side_shift) | (y & rules.side_mask)
    return wp.vec3i(x, y, wp.max(wp.int32(s.tops[w, column]), SEA_LEVEL))


@wp.func
def _fill_kit(s: VoxelState, t: Tables, kit: wp.array2d(dtype=wp.int32), r: int):
    """Put the start kit into the slots; it unlocks nothing."""
    slot = int(0)
    k = int(0)
    while k < kit.shape[0]:
        item = kit[k, 0]
        left = kit[k, 1]
        while left > 0 and slot < NUM_SLOTS:
            taken = wp.min(left, t.item[item, ItemColumn.STACK])
            s.slot_item[r, slot] = wp.uint8(item)
            s.slot_count[r, slot] = wp.uint8(taken)
            s.counts[r, item] = wp.int16(wp.int32(s.counts[r, item]) + taken)
            note_item(s, r, item)
            left -= taken
            slot += 1
        k += 1


@wp.func
def clear_life(s: VoxelState, r: int):
    """Forget all about an agent."""
    k = int(0)
    while k < NUM_BODY:
        s.body[k, r] = 0
        k += 1
    k = int(0)
    while k < NUM_SLOTS:
        s.slot_item[r, k] = wp.uint8(0)
        s.slot_count[r, k] = wp.uint8(0)
        s.slot_wear[r, k] = wp.int16(0)
        k += 1
    k = int(0)
    while k < NUM_ARMOUR:
        s.armour_item[r, k] = wp.uint8(0)
        s.armour_wear[r, k] = wp.int16(0)
        k += 1
    k = int(0)
    while k < NUM_ITEMS:
        s.counts[r, k] = wp.int16(0)
        k += 1
    k = int(0)
    while k < NUM_ACHIEVEMENTS:
        s.unlocked[r, k] = -1
        k += 1
    k = int(0)
    while k < s.visited.shape[1]:
        s.visited[r, k] = 0
        k += 1
    clear_tally(s.tally, r)
    k = int(0)
    while k < s.held.shape[1]:
        s.held[r, k] = 0
        k += 1


@wp.func
def begin_life(
    s: VoxelState, t: Tables, rules: Rules, kit: wp.array2d(dtype=wp.int32), w: int, r: int, at: wp.vec3i
):  # fmt: skip
    """Stand an agent on a block, whole, fed and facing a keyed way, with its kit."""
    clear_life(s, r)
    s.body[Body.BORN, r] = s.clock[Clock.STEP, w]
    s.body[Body.X, r] = (at[0] << POSITION_SHIFT) + (POSITION_ONE >> 1)
    s.body[Body.Y, r] = (at[1] << POSITION_SHIFT) + (POSITION_ONE >> 1)
    s.body[Body.Z, r] = at[2] << POSITION_SHIFT
    # At rest on the ground, pressed there in the next tick.
    s.body[Body.VZ, r] = -((rules.gravity * DRAG) >> DAMP_SHIFT)
    s.body[Body.ON_GROUND, r] = 1
    life = r - w * rules.agents + MAX_AGENTS * s.clock[Clock.STEP, w]
    word = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), life, 0, Purpose.SPAWN_HEADING,
    )[0]  # fmt: skip
    s.body[Body.YAW, r] = wp.int32(word % wp.uint32(NUM_HEADINGS))
    s.body[Body.HEALTH, r] = MAX_HEALTH
    s.body[Body.FOOD, r] = MAX_FOOD
    s.body[Body.SATURATION, r] = START_SATURATION
    s.body[Body.AIR, r] = MAX_AIR
    s.body[Body.HAND, r] = -1
    s.body[Body.BREAK_CELL, r] = -1
    s.body[Body.SMELTING, r] = -1
    s.body[Body.LOWEST, r] = at[2]
    note_place(s, r)
    _fill_kit(s, t, kit, r)
