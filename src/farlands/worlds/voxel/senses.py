"""What agents perceive in symbols: the block cube, vitals, inventory, crosshair, compass and the action mask."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.actions import (
    CHOICES,
    FACTORED_SIZES,
    FLAT_ACTIONS,
    LONE_ACTIONS,
    LONE_CHOICES,
    Camera,
    ChoiceKind,
    Hand,
)
from farlands.worlds.voxel.blocks import AIR, BEDROCK, Fluid, Shape
from farlands.worlds.voxel.breaking import break_stage
from farlands.worlds.voxel.company import is_present
from farlands.worlds.voxel.crafting import can_craft, can_smelt, stations_near
from farlands.worlds.voxel.creatures.aim import ARM, being_ahead
from farlands.worlds.voxel.creatures.entities import sense_entities
from farlands.worlds.voxel.creatures.tending import can_draw
from farlands.worlds.voxel.crosshair import NO_CELL, RAY_SHIFT, REACH, Target, look
from farlands.worlds.voxel.dropping import thing_to_drop
from farlands.worlds.voxel.grid import cell_at
from farlands.worlds.voxel.hand import can_use, creature_to_tend, first_food
from farlands.worlds.voxel.inventory import best_tool, free_slots, held_item
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import TURN_SHIFT, feet_block, fluid_around
from farlands.worlds.voxel.placing import place_cell
from farlands.worlds.voxel.state import (
    NUM_ARMOUR,
    NUM_ITEMS,
    POSITION_ONE,
    POSITION_SHIFT,
    Body,
    Clock,
    Rules,
    VoxelState,
)
from farlands.worlds.voxel.tables import MILLI, BlockColumn, ChoiceColumn, ItemColumn, Tables
from farlands.worlds.voxel.using import possible_use
from farlands.worlds.voxel.vitals import DAY, armour_points, is_fast_asleep

NUM_FLAT = len(FLAT_ACTIONS)
NUM_CHOICES = len(CHOICES)
_NUM_MOVES, _NUM_JUMPS, _NUM_CAMERAS, _NUM_HANDS = FACTORED_SIZES[:4]
_HAND_START = _NUM_MOVES + _NUM_JUMPS + _NUM_CAMERAS
_CAMERA_START = _NUM_MOVES + _NUM_JUMPS
_CHOICE_START = _HAND_START + _NUM_HANDS
_ACTION_CAMERA, _ACTION_HAND, _ACTION_CHOICE = 2, 3, 4
_MAX_PITCH = 6
_FAR = 32_767


@wp.struct
class Senses:
    """Where a step's symbols go: one flat row per agent. Arrays that aren't asked for have no rows.

    Shapes after R: voxels uint8 [up * ahead * right], vitals uint8 [5], status uint8 [6], inventory int16 [items],
    equipment uint8 [5], durability uint8 [5], target_block uint8 [1], target uint8 [4], compass int8 [9],
    position int16 [6], entities int8 [8 * columns], trial uint8 [2], action_mask uint8 [actions].
    """

    voxels: wp.array2d(dtype=wp.uint8)
    vitals: wp.array2d(dtype=wp.uint8)
    status: wp.array2d(dtype=wp.uint8)
    inventory: wp.array2d(dtype=wp.int16)
    equipment: wp.array2d(dtype=wp.uint8)
    durability: wp.array2d(dtype=wp.uint8)
    target_block: wp.array2d(dtype=wp.uint8)
    target: wp.array2d(dtype=wp.uint8)
    compass: wp.array2d(dtype=wp.int8)
    position: wp.array2d(dtype=wp.int16)
    entities: wp.array2d(dtype=wp.int8)
    trial: wp.array2d(dtype=wp.uint8)
    action_mask: wp.array2d(dtype=wp.uint8)


@wp.func
def _sense_voxels(s: VoxelState, rules: Rules, out: wp.array2d(dtype=wp.uint8), cube: wp.vec3i, w: int, r: int):
    """The cube of blocks, turned so that the second axis points ahead and the third to the right."""
    x = s.body[Body.X, r] >> POSITION_SHIFT
    y = s.body[Body.Y, r] >> POSITION_SHIFT
    z0 = (s.body[Body.Z, r] >> POSITION_SHIFT) - (cube[0] >> 1)
    quarter = ((s.body[Body.YAW, r] + 3) // 6) & 3
    ahead_x = int(quarter == 1) - int(quarter == 3)
    ahead_y = int(quarter == 0) - int(quarter == 2)
    layer = cube[1] * cube[2]
    i = int(0)
    while i < cube[1]:
        j = int(0)
        while j < cube[2]:
            ahead = i - (cube[1] >> 1)
            right = j - (cube[2] >> 1)
            base = cell_at(
                s, rules, w, x + ahead * ahead_x + right * ahead_y, y + ahead * ahead_y - right * ahead_x, 0
            )  # fmt: skip
            k = int(0)
            at = i * cube[2] + j
            while k < cube[0]:
                z = z0 + k
                block = BEDROCK
                if z >= HEIGHT:
                    block = AIR
                elif base != NO_CELL and z >= 0:
                    block = wp.int32(s.blocks[w, base + z])
                out[r, at] = wp.uint8(block)
                at += layer
                k += 1
            j += 1
        i += 1


@wp.func
def _sense_vitals(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.uint8), r: int):
    out[r, 0] = wp.uint8(s.body[Body.HEALTH, r])
    out[r, 1] = wp.uint8(s.body[Body.FOOD, r])
    out[r, 2] = wp.uint8((s.body[Body.SATURATION, r] + MILLI - 1) // MILLI)
    out[r, 3] = wp.uint8((wp.max(s.body[Body.AIR, r], 0) + 14) // 15)
    out[r, 4] = wp.uint8(armour_points(s, t, r))


@wp.func
def _sense_status(s: VoxelState, t: Tables, rules: Rules, out: wp.array2d(dtype=wp.uint8), w: int, r: int):
    fluid = fluid_around(s, t, rules, w, r)
    feet = feet_block(s, rules, w, r, 0)
    out[r, 0] = wp.uint8(s.body[Body.ON_GROUND, r])
    out[r, 1] = wp.uint8(int(fluid == Fluid.WATER))
    out[r, 2] = wp.uint8(int(fluid == Fluid.LAVA))
    out[r, 3] = wp.uint8(int(t.block[feet, BlockColumn.SHAPE] == Shape.LADDER))
    out[r, 4] = wp.uint8(int(s.body[Body.FIRE, r] > 0))
    out[r, 5] = wp.uint8(int(s.body[Body.SLEEPING, r] > 0))


@wp.func
def _condition(t: Tables, item: int, wear: int):
    """Share of a tool's uses left, 0 to 255; 0 for things that don't wear."""
    durability = t.item[item, ItemColumn.DURABILITY]
    if durability == 0:
        return 0
    return 255 - (wear * 255) // durability


@wp.func
def _sense_equipment(
    s: VoxelState, t: Tables, ids: wp.array2d(dtype=wp.uint8), condition: wp.array2d(dtype=wp.uint8), r: int
):
    item = held_item(s, r)
    slot = wp.max(s.body[Body.HAND, r], 0)
    if ids.shape[0] > 0:
        ids[r, 0] = wp.uint8(item)
    if condition.shape[0] > 0:
        condition[r, 0] = wp.uint8(_condition(t, item, wp.int32(s.slot_wear[r, slot])))
    k = int(0)
    while k < NUM_ARMOUR:
        if ids.shape[0] > 0:
            ids[r, 1 + k] = s.armour_item[r, k]
        if condition.shape[0] > 0:
            worn = _condition(t, wp.int32(s.armour_item[r, k]), wp.int32(s.armour_wear[r, k]))
            condition[r, 1 + k] = wp.uint8(worn)
        k += 1


@wp.func
def _sense_target(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.uint8), w: int, r: int, target: Target):
    """Distance in tenths of a block, whether in reach, stage of the break (0 to 10), face (1 top, 2 bottom, 3 side)."""
    out[r, 0] = wp.uint8(wp.min((target.distance * 10) >> RAY_SHIFT, 255))
    out[r, 1] = wp.uint8(int(target.cell != NO_CELL and target.distance <= REACH))
    stage = int(0)
    if target.cell == s.body[Body.BREAK_CELL, r]:
        stage = break_stage(s, t, w, r)
    out[r, 2] = wp.uint8(stage)
    face = int(0)
    if target.block != AIR:
        face = 3
        if target.normal[2] > 0:
            face = 1
        elif target.normal[2] < 0:
            face = 2
    out[r, 3] = wp.uint8(face)


@wp.func
def _sense_compass(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.int8), w: int, r: int):
    """Heading, the part of it the cube isn't turned by, pitch, way back to the start, height, time of day."""
    yaw = s.body[Body.YAW, r]
    sine = t.turn[yaw]
    cosine = t.turn[(yaw + 6) % 24]
    out[r, 0] = wp.int8(wp.clamp(sine >> 7, -127, 127))
    out[r, 1] = wp.int8(wp.clamp(cosine >> 7, -127, 127))
    out[r, 2] = wp.int8(((yaw + 3) % 6 - 3) * 42)
    out[r, 3] = wp.int8(s.body[Body.PITCH, r] * 21)
    # Far beyond what the compass shows, but near enough to be turned in 32 bits.
    dx = wp.clamp(s.clock[Clock.START_X, w] - (s.body[Body.X, r] >> POSITION_SHIFT), -4096, 4096)
    dy = wp.clamp(s.clock[Clock.START_Y, w] - (s.body[Body.Y, r] >> POSITION_SHIFT), -4096, 4096)
    out[r, 4] = wp.int8(wp.clamp((dx * sine + dy * cosine) >> TURN_SHIFT, -127, 127))
    out[r, 5] = wp.int8(wp.clamp((dx * cosine - dy * sine) >> TURN_SHIFT, -127, 127))
    out[r, 6] = wp.int8(wp.clamp(s.body[Body.Z, r] >> POSITION_SHIFT, 0, 127))
    hour = (s.clock[Clock.TIME, w] * 24) // DAY
    out[r, 7] = wp.int8(wp.clamp(t.turn[hour] >> 7, -127, 127))
    out[r, 8] = wp.int8(wp.clamp(t.turn[(hour + 6) % 24] >> 7, -127, 127))


@wp.func
def _sense_position(s: VoxelState, out: wp.array2d(dtype=wp.int16), w: int, r: int):
    """Block of the feet, east and north of the start and above bedrock, and the place within it."""
    x = s.body[Body.X, r]
    y = s.body[Body.Y, r]
    z = s.body[Body.Z, r]
    inside = POSITION_ONE - 1
    out[r, 0] = wp.int16(wp.clamp((x >> POSITION_SHIFT) - s.clock[Clock.START_X, w], -_FAR, _FAR))
    out[r, 1] = wp.int16(wp.clamp((y >> POSITION_SHIFT) - s.clock[Clock.START_Y, w], -_FAR, _FAR))
    out[r, 2] = wp.int16(wp.clamp(z >> POSITION_SHIFT, -_FAR, _FAR))
    out[r, 3] = wp.int16(x & inside)
    out[r, 4] = wp.int16(y & inside)
    out[r, 5] = wp.int16(z & inside)


@wp.func
def _can_wear(s: VoxelState, t: Tables, r: int):
    k = int(0)
    while k < t.armours.shape[0]:
        item = t.armours[k]
        if s.counts[r, item] > wp.int16(0):
            worn = wp.int32(s.armour_item[r, t.item[item, ItemColumn.ARMOUR]])
            if t.item[item, ItemColumn.ARMOUR_POINTS] > t.item[worn, ItemColumn.ARMOUR_POINTS]:
                return True
        k += 1
    return False


@wp.func
def _can_place(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, item: int, other: int, target: Target):
    chosen = item
    if other != 0 and s.counts[r, item] == wp.int16(0):
        chosen = other
    if s.counts[r, chosen] == wp.int16(0) or target.distance > REACH:
        return False
    return place_cell(s, t, rules, w, target, chosen) != NO_CELL


@wp.func
def _choice_possible(
    s: VoxelState, t: Tables, rules: Rules, w: int, r: int, choice: int, stations: int, free: int, target: Target
):
    kind = t.choice[choice, ChoiceColumn.KIND]
    argument = t.choice[choice, ChoiceColumn.ARGUMENT]
    if kind == ChoiceKind.CRAFT:
        return can_craft(s, t, r, argument, stations, free)
    if kind == ChoiceKind.SMELT:
        return can_smelt(s, t, r, argument, stations)
    if kind == ChoiceKind.PLACE:
        return _can_place(s, t, rules, w, r, argument, t.choice[choice, ChoiceColumn.EITHER], target)
    if kind == ChoiceKind.EQUIP:
        best = best_tool(s, t, r, argument)
        return best != 0 and best != held_item(s, r)
    if kind == ChoiceKind.WEAR:
        return _can_wear(s, t, r)
    if kind == ChoiceKind.DROP:
        return thing_to_drop(s, t, rules, w, r, argument, t.choice[choice, ChoiceColumn.EITHER]) != 0
    return True


@wp.func
def _hand_possible(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, hand: int, target: Target):
    near = target.cell != NO_CELL and target.distance <= REACH
    if hand == Hand.ATTACK:
        if near and t.block[target.block, BlockColumn.HARDNESS] >= 0:
            return True
        return being_ahead(s, t, rules, w, r, wp.min(ARM, target.distance)) >= 0
    if hand == Hand.USE:
        if near and can_use(s, t, w, r, target.block):
            return True
        if can_draw(s, t, r) or creature_to_tend(s, t, rules, w, r, target.distance) >= 0:
            return True
        reached = target
        if not near:
            reached.cell = NO_CELL
        return possible_use(s, t, rules, w, r, reached) != 0
    if hand == Hand.EAT:
        return first_food(s, t, r) != 0
    return True


@wp.func
def _camera_possible(s: VoxelState, r: int, camera: int):
    if camera == Camera.UP:
        return s.body[Body.PITCH, r] < _MAX_PITCH
    if camera == Camera.DOWN:
        return s.body[Body.PITCH, r] > -_MAX_PITCH
    return True


@wp.func
def _clear_mask(out: wp.array2d(dtype=wp.uint8), r: int, begin: int):
    """Nothing from an index on is possible."""
    a = begin
    while a < out.shape[1]:
        out[r, a] = wp.uint8(0)
        a += 1


@wp.func
def _mask_flat(
    s: VoxelState, t: Tables, rules: Rules, out: wp.array2d(dtype=wp.uint8), w: int, r: int, target: Target,
    stations: int, free: int,
):  # fmt: skip
    known = int(NUM_FLAT)
    if rules.agents == 1:
        known = LONE_ACTIONS
    _clear_mask(out, r, known)
    a = int(0)
    while a < known:
        choice = t.flat[a, _ACTION_CHOICE]
        possible = True
        if choice != 0:
            possible = _choice_possible(s, t, rules, w, r, choice, stations, free, target)
        elif t.flat[a, _ACTION_HAND] != 0:
            possible = _hand_possible(s, t, rules, w, r, t.flat[a, _ACTION_HAND], target)
        elif t.flat[a, _ACTION_CAMERA] != 0:
            possible = _camera_possible(s, r, t.flat[a, _ACTION_CAMERA])
        out[r, a] = wp.uint8(int(possible))
        a += 1


@wp.func
def _mask_factored(
    s: VoxelState, t: Tables, rules: Rules, out: wp.array2d(dtype=wp.uint8), w: int, r: int, target: Target,
    stations: int, free: int,
):  # fmt: skip
    a = int(0)
    while a < _CAMERA_START:
        out[r, a] = wp.uint8(1)
        a += 1
    a = int(0)
    while a < _NUM_CAMERAS:
        out[r, _CAMERA_START + a] = wp.uint8(int(_camera_possible(s, r, a)))
        a += 1
    a = int(0)
    while a < _NUM_HANDS:
        out[r, _HAND_START + a] = wp.uint8(int(_hand_possible(s, t, rules, w, r, a, target)))
        a += 1
    known = int(NUM_CHOICES)
    if rules.agents == 1:
        known = LONE_CHOICES
    _clear_mask(out, r, _CHOICE_START + known)
    a = int(0)
    while a < known:
        possible = _choice_possible(s, t, rules, w, r, a, stations, free, target)
        out[r, _CHOICE_START + a] = wp.uint8(int(possible))
        a += 1


@wp.func
def _mask_asleep(out: wp.array2d(dtype=wp.uint8), flat: int, r: int):
    """A sleeper, or who is gone, can do nothing: the first choice of every factor."""
    a = int(0)
    while a < out.shape[1]:
        first = a == 0
        if flat == 0:
            first = first or a == _NUM_MOVES or a == _CAMERA_START or a == _HAND_START or a == _CHOICE_START
        out[r, a] = wp.uint8(int(first))
        a += 1


@wp.func
def _sense_mask(
    s: VoxelState, t: Tables, rules: Rules, out: wp.array2d(dtype=wp.uint8), w: int, r: int, target: Target
):
    if is_fast_asleep(s, r) or not is_present(s, r):
        _mask_asleep(out, rules.flat, r)
        return
    stations = stations_near(s, rules, w, r)
    free = free_slots(s, r)
    if rules.flat != 0:
        _mask_flat(s, t, rules, out, w, r, target, stations, free)
    else:
        _mask_factored(s, t, rules, out, w, r, target, stations, free)


@kernel
def _sense_kernel(
    # Model
    t: Tables,
    rules: Rules,
    cube: wp.vec3i,
    sight: int,
    # In
    s: VoxelState,
    listed: Listed,
    # Out
    out: Senses,
):
    """Write the symbols of every agent of the listed worlds."""
    i = wp.tid()
    while i < how_many(listed) * rules.agents:
        w = world_at(listed, i // rules.agents)
        r = w * rules.agents + i % rules.agents
        target = look(s, t, rules, w, r, sight << RAY_SHIFT)
        if out.voxels.shape[0] > 0:
            _sense_voxels(s, rules, out.voxels, cube, w, r)
        if out.vitals.shape[0] > 0:
            _sense_vitals(s, t, out.vitals, r)
        if out.status.shape[0] > 0:
            _sense_status(s, t, rules, out.status, w, r)
        if out.inventory.shape[0] > 0:
            k = int(0)
            while k < NUM_ITEMS:
                out.inventory[r, k] = s.counts[r, k]
                k += 1
        _sense_equipment(s, t, out.equipment, out.durability, r)
        if out.target_block.shape[0] > 0:
            out.target_block[r, 0] = wp.uint8(target.block)
        if out.target.shape[0] > 0:
            _sense_target(s, t, out.target, w, r, target)
        if out.compass.shape[0] > 0:
            _sense_compass(s, t, out.compass, w, r)
        if out.position.shape[0] > 0:
            _sense_position(s, out.position, w, r)
        if out.entities.shape[0] > 0:
            sense_entities(s, t, rules, out.entities, w, r, sight)
        if out.trial.shape[0] > 0:
            out.trial[r, 0] = wp.uint8(s.clock[Clock.TRIAL, w])
            out.trial[r, 1] = wp.uint8(rules.trials - 1 - s.clock[Clock.TRIAL, w])
        if out.action_mask.shape[0] > 0:
            _sense_mask(s, t, rules, out.action_mask, w, r, target)
        i += listed.stride
