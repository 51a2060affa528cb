"""What the hand does besides breaking: use, equip, eat, and whatever a choice names."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.actions import ChoiceKind
from farlands.worlds.voxel.blocks import BED, DOOR, OPEN_DOOR
from farlands.worlds.voxel.crafting import craft, start_smelting
from farlands.worlds.voxel.creatures.aim import ARM, creature_ahead
from farlands.worlds.voxel.creatures.combat import monster_near
from farlands.worlds.voxel.creatures.tending import LEAST_DRAW, can_draw, can_tend
from farlands.worlds.voxel.crosshair import REACH, look
from farlands.worlds.voxel.dropping import drop
from farlands.worlds.voxel.grid import block_at, cell_at, set_block
from farlands.worlds.voxel.inventory import best_tool, find_slot, held_item, remove_item, unlock, wear_best_armour
from farlands.worlds.voxel.placing import overlaps_body, place
from farlands.worlds.voxel.state import Body, Rules, VoxelState
from farlands.worlds.voxel.tables import MILLI, ChoiceColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import note_event
from farlands.worlds.voxel.tasks.predicates import Event
from farlands.worlds.voxel.using import use_item
from farlands.worlds.voxel.vitals import MAX_FOOD, is_night

BITE_TICKS = 32


@wp.func
def can_use(s: VoxelState, t: Tables, w: int, r: int, block: int):
    """Whether using a block does anything now. Nobody goes to bed by day or with a monster near."""
    if block == BED:
        return is_night(s, w) and not monster_near(s, t, w, r)
    return block == DOOR or block == OPEN_DOOR


@wp.func
def creature_to_tend(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, free: int):
    """The creature in the crosshair, within ``free`` ray units, that can be fed or sheared, or -1."""
    k = creature_ahead(s, t, rules, w, r, wp.min(ARM, free))
    if k >= 0:
        if can_tend(s, t, w, r, k) != 0:
            return k
    return -1


@wp.func
def draw_bow(s: VoxelState, t: Tables, r: int, draws: bool):
    """A tick of drawing the bow, or of letting go: then the arrow flies."""
    if draws and can_draw(s, t, r):
        s.body[Body.DRAWN, r] = s.body[Body.DRAWN, r] + 1
        return
    if s.body[Body.DRAWN, r] >= LEAST_DRAW:
        s.body[Body.LOOSE, r] = s.body[Body.DRAWN, r]
    s.body[Body.DRAWN, r] = 0


@wp.func
def use(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Open or close the door, or lie down on the bed, in the crosshair; else use what is held. Returns if it did."""
    target = look(s, t, rules, w, r, REACH)
    if creature_to_tend(s, t, rules, w, r, target.distance) >= 0:
        s.body[Body.TEND, r] = 1
        return True
    if not can_use(s, t, w, r, target.block):
        return use_item(s, t, rules, w, r)
    if target.block == BED:
        s.body[Body.SLEEPING, r] = 1
        return True
    other = DOOR
    if target.block == DOOR:
        other = OPEN_DOOR
    elif overlaps_body(s, rules, w, target.position):
        return True
    side = int(-1)
    while side <= 1:
        at = wp.vec3i(target.position[0], target.position[1], target.position[2] + side)
        if block_at(s, rules, w, at[0], at[1], at[2]) == target.block:
            if other == OPEN_DOOR or not overlaps_body(s, rules, w, at):
                set_block(s, t, rules, w, cell_at(s, rules, w, at[0], at[1], at[2]), other)
        side += 1
    return True


@wp.func
def equip(s: VoxelState, t: Tables, r: int, tool: int):
    """Take the best carried tool of a class in hand. Returns whether the hand changed."""
    item = best_tool(s, t, r, tool)
    if item == 0 or item == held_item(s, r):
        return False
    s.body[Body.HAND, r] = find_slot(s, r, item)
    return True


@wp.func
def first_food(s: VoxelState, t: Tables, r: int):
    """Item id of the first carried food worth eating now, 0 for none."""
    i = int(0)
    while i < t.foods.shape[0]:
        if s.counts[r, t.foods[i]] > wp.int16(0):
            if s.body[Body.FOOD, r] < MAX_FOOD:
                return t.foods[i]
        i += 1
    return 0


@wp.func
def eat(s: VoxelState, t: Tables, rules: Rules, r: int):
    """One tick of eating; the bite is swallowed at the end."""
    food = first_food(s, t, r)
    if food == 0:
        s.body[Body.EATING, r] = 0
        return
    s.body[Body.EATING, r] = s.body[Body.EATING, r] + 1
    if s.body[Body.EATING, r] >= BITE_TICKS:
        s.body[Body.EATING, r] = 0
        remove_item(s, t, r, food, 1)
        note_event(s.tally, r, int(Event.EATEN), food, 1)
        points = wp.min(s.body[Body.FOOD, r] + t.item[food, ItemColumn.FOOD], MAX_FOOD)
        s.body[Body.FOOD, r] = points
        s.body[Body.SATURATION, r] = wp.min(
            s.body[Body.SATURATION, r] + t.item[food, ItemColumn.SATURATION], points * MILLI
        )
        unlock(s, t, rules, r, t.eat_achievement)


@wp.func
def choose(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, choice: int):
    """Carry out a craft, smelt, place, equip, wear or drop choice. Returns whether it was possible."""
    kind = t.choice[choice, ChoiceColumn.KIND]
    argument = t.choice[choice, ChoiceColumn.ARGUMENT]
    if kind == ChoiceKind.CRAFT:
        return craft(s, t, rules, w, r, argument)
    if kind == ChoiceKind.SMELT:
        return start_smelting(s, t, rules, w, r, argument)
    if kind == ChoiceKind.PLACE:
        either = t.choice[choice, ChoiceColumn.EITHER]
        if either != 0 and s.counts[r, argument] == wp.int16(0):
            argument = either
        return place(s, t, rules, w, r, argument)
    if kind == ChoiceKind.EQUIP:
        return equip(s, t, r, argument)
    if kind == ChoiceKind.WEAR:
        return wear_best_armour(s, t, rules, r)
    if kind == ChoiceKind.DROP:
        return drop(s, t, rules, w, r, argument, t.choice[choice, ChoiceColumn.EITHER])
    return False
