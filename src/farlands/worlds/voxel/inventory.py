"""Slots and stacks, and the achievements that come with gaining things.

Invariant: at most one stack of an item is not full, so ``counts`` and the number of free slots tell what still fits.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.items import NUM_SLOTS
from farlands.worlds.voxel.measures import note_item
from farlands.worlds.voxel.state import NUM_ARMOUR, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import note_event
from farlands.worlds.voxel.tasks.predicates import Event

NO_SLOT = -1


@wp.func
def unlock(s: VoxelState, t: Tables, rules: Rules, r: int, achievement: int):
    """Unlock an achievement (-1: none) once, and earn what the task pays for it."""
    if achievement >= 0:
        if s.unlocked[r, achievement] < 0:
            s.unlocked[r, achievement] = s.clock[Clock.STEP, r // rules.agents] - s.body[Body.BORN, r] + 1
            s.body[Body.REWARD, r] = s.body[Body.REWARD, r] + t.reward[achievement]


@wp.func
def free_slots(s: VoxelState, r: int):
    """Number of empty slots."""
    free = int(0)
    i = int(0)
    while i < NUM_SLOTS:
        if s.slot_item[r, i] == wp.uint8(0):
            free += 1
        i += 1
    return free


@wp.func
def has_room(s: VoxelState, t: Tables, r: int, item: int, count: int, free: int):
    """Whether ``count`` of an item fit, given the number of free slots."""
    stack = t.item[item, ItemColumn.STACK]
    partial = wp.int32(s.counts[r, item]) % stack
    room = free * stack
    if partial > 0:
        room += stack - partial
    return room >= count


@wp.func
def stow_item(s: VoxelState, t: Tables, r: int, item: int, count: int, wear: int):
    """Put items into the slots, the open stack first. Returns how many don't fit."""
    left = count
    stack = t.item[item, ItemColumn.STACK]
    i = int(0)
    while i < NUM_SLOTS and left > 0:
        if wp.int32(s.slot_item[r, i]) == item and wp.int32(s.slot_count[r, i]) < stack:
            taken = wp.min(left, stack - wp.int32(s.slot_count[r, i]))
            s.slot_count[r, i] = wp.uint8(wp.int32(s.slot_count[r, i]) + taken)
            left -= taken
        i += 1
    i = int(0)
    while i < NUM_SLOTS and left > 0:
        if s.slot_item[r, i] == wp.uint8(0):
            taken = wp.min(left, stack)
            s.slot_item[r, i] = wp.uint8(item)
            s.slot_count[r, i] = wp.uint8(taken)
            s.slot_wear[r, i] = wp.int16(wear)
            left -= taken
        i += 1
    if left < count:
        s.counts[r, item] = wp.int16(wp.int32(s.counts[r, item]) + count - left)
        note_item(s, r, item)
    return left


@wp.func
def add_item(s: VoxelState, t: Tables, rules: Rules, r: int, item: int, count: int, wear: int):
    """Gain items: stow them, what doesn't fit is lost, and unlock their achievement."""
    left = stow_item(s, t, r, item, count, wear)
    if left < count:
        note_event(s.tally, r, int(Event.GAINED), item, count - left)
        unlock(s, t, rules, r, t.item[item, ItemColumn.GAIN_ACHIEVEMENT])


@wp.func
def empty_slot(s: VoxelState, r: int, i: int):
    """Leave nothing in a slot; the hand that was on it is bare."""
    s.slot_item[r, i] = wp.uint8(0)
    s.slot_count[r, i] = wp.uint8(0)
    s.slot_wear[r, i] = wp.int16(0)
    if s.body[Body.HAND, r] == i:
        s.body[Body.HAND, r] = NO_SLOT


@wp.func
def _take(s: VoxelState, r: int, item: int, count: int, whole: int, stack: int):
    """Take from stacks that are full (``whole``) or from the open one; returns how many are still missing."""
    left = count
    i = int(0)
    while i < NUM_SLOTS and left > 0:
        if wp.int32(s.slot_item[r, i]) == item:
            held = wp.int32(s.slot_count[r, i])
            if int(held == stack) == whole:
                taken = wp.min(left, held)
                left -= taken
                s.slot_count[r, i] = wp.uint8(held - taken)
                if taken == held:
                    empty_slot(s, r, i)
        i += 1
    return left


@wp.func
def remove_item(s: VoxelState, t: Tables, r: int, item: int, count: int):
    """Take items out of the slots, the open stack first. There must be enough."""
    stack = t.item[item, ItemColumn.STACK]
    left = _take(s, r, item, count, 0, stack)
    left = _take(s, r, item, left, 1, stack)
    s.counts[r, item] = wp.int16(wp.int32(s.counts[r, item]) - count + left)


@wp.func
def count_either(s: VoxelState, r: int, item: int, other: int):
    """How many of an item and of its alternative (0: none) are carried."""
    total = wp.int32(s.counts[r, item])
    if other != 0:
        total += wp.int32(s.counts[r, other])
    return total


@wp.func
def remove_either(s: VoxelState, t: Tables, r: int, item: int, other: int, count: int):
    """Take ``count`` of an item and, once it has run out, of its alternative."""
    first = wp.min(wp.int32(s.counts[r, item]), count)
    if first > 0:
        remove_item(s, t, r, item, first)
    if count > first:
        remove_item(s, t, r, other, count - first)


@wp.func
def held_item(s: VoxelState, r: int):
    """Item id in the hand, 0 for the bare hand."""
    slot = s.body[Body.HAND, r]
    if slot < 0:
        return 0
    return wp.int32(s.slot_item[r, slot])


@wp.func
def wear_held(s: VoxelState, t: Tables, r: int, uses: int):
    """Wear the held tool; it breaks when its uses are spent."""
    slot = s.body[Body.HAND, r]
    if slot < 0:
        return
    item = wp.int32(s.slot_item[r, slot])
    durability = t.item[item, ItemColumn.DURABILITY]
    if durability == 0:
        return
    wear = wp.int32(s.slot_wear[r, slot]) + uses
    s.slot_wear[r, slot] = wp.int16(wear)
    if wear >= durability:
        s.counts[r, item] = wp.int16(wp.int32(s.counts[r, item]) - 1)
        empty_slot(s, r, slot)


@wp.func
def best_tool(s: VoxelState, t: Tables, r: int, tool: int):
    """Item id of the best carried tool of a class (tier first, then speed), 0 for none."""
    best = int(0)
    k = int(0)
    while k < t.tools.shape[1]:
        item = t.tools[tool, k]
        if best == 0 and item != 0:
            if s.counts[r, item] > wp.int16(0):
                best = item
        k += 1
    return best


@wp.func
def find_slot(s: VoxelState, r: int, item: int):
    """First slot that holds an item, or -1."""
    i = int(0)
    while i < NUM_SLOTS:
        if wp.int32(s.slot_item[r, i]) == item:
            return i
        i += 1
    return NO_SLOT


@wp.func
def better_armour(s: VoxelState, t: Tables, r: int, place: int):
    """Slot of a carried piece that protects ``place`` better than what is worn there, or -1."""
    best = t.item[wp.int32(s.armour_item[r, place]), ItemColumn.ARMOUR_POINTS]
    slot = int(NO_SLOT)
    i = int(0)
    while i < NUM_SLOTS:
        item = wp.int32(s.slot_item[r, i])
        if item != 0:
            if t.item[item, ItemColumn.ARMOUR] == place and t.item[item, ItemColumn.ARMOUR_POINTS] > best:
                best = t.item[item, ItemColumn.ARMOUR_POINTS]
                slot = i
        i += 1
    return slot


@wp.func
def wear_best_armour(s: VoxelState, t: Tables, rules: Rules, r: int):
    """Put on every carried piece that beats the one worn, which goes into the freed slot. Returns whether any did."""
    changed = bool(False)
    place = int(0)
    while place < NUM_ARMOUR:
        slot = better_armour(s, t, r, place)
        if slot >= 0:
            item = wp.int32(s.slot_item[r, slot])
            wear = s.slot_wear[r, slot]
            old = wp.int32(s.armour_item[r, place])
            old_wear = wp.int32(s.armour_wear[r, place])
            s.counts[r, item] = wp.int16(wp.int32(s.counts[r, item]) - 1)
            empty_slot(s, r, slot)
            s.armour_item[r, place] = wp.uint8(item)
            s.armour_wear[r, place] = wear
            changed = True
            if old != 0:
                add_item(s, t, rules, r, old, 1, old_wear)
        place += 1
    same = t.item[wp.int32(s.armour_item[r, 0]), ItemColumn.SET]
    place = int(1)
    while place < NUM_ARMOUR:
        if t.item[wp.int32(s.armour_item[r, place]), ItemColumn.SET] != same:
            same = 0
        place += 1
    if same != 0:
        unlock(s, t, rules, r, t.wear_achievement[same])
    return changed
