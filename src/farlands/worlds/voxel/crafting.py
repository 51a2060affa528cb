"""Making things: crafting by recipe at once, smelting over time at a furnace within reach."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.blocks import CRAFTING_TABLE, FURNACE
from farlands.worlds.voxel.grid import station_near
from farlands.worlds.voxel.inventory import add_item, count_either, free_slots, has_room, remove_either, remove_item
from farlands.worlds.voxel.recipes import SMELTING_QUEUE, SMELTING_TICKS, Station
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Rules, VoxelState
from farlands.worlds.voxel.tables import ItemColumn, RecipeColumn, Tables
from farlands.worlds.voxel.tasks.events import note_event
from farlands.worlds.voxel.tasks.predicates import Event

NO_SMELTING = -1
_OR, _WANTED, _INGREDIENT = 1, 2, 3
"""Within an ingredient's columns: the other item that will do, and how many; then its width."""


@wp.func
def stations_near(s: VoxelState, rules: Rules, w: int, r: int):
    """Bits of the stations in reach: ``1 << Station``; the hand is always there."""
    x = s.body[Body.X, r] >> POSITION_SHIFT
    y = s.body[Body.Y, r] >> POSITION_SHIFT
    z = s.body[Body.Z, r] >> POSITION_SHIFT
    bits = int(1)
    if station_near(s, rules, w, CRAFTING_TABLE, x, y, z) != 0:
        bits = bits | (1 << Station.CRAFTING_TABLE)
    if station_near(s, rules, w, FURNACE, x, y, z) != 0:
        bits = bits | (1 << Station.FURNACE)
    return bits


@wp.func
def can_craft(s: VoxelState, t: Tables, r: int, recipe: int, stations: int, free: int):
    """Whether a recipe's station is near, its inputs are carried and its output fits."""
    if (stations & (1 << t.recipe[recipe, RecipeColumn.STATION])) == 0:
        return False
    k = int(RecipeColumn.FIRST)
    while k < RecipeColumn.COUNT:
        wanted = t.recipe[recipe, k + _WANTED]
        if wanted > 0 and count_either(s, r, t.recipe[recipe, k], t.recipe[recipe, k + _OR]) < wanted:
            return False
        k += _INGREDIENT
    output = t.recipe[recipe, RecipeColumn.OUTPUT]
    return has_room(s, t, r, output, t.recipe[recipe, RecipeColumn.COUNT], free)


@wp.func
def craft(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, recipe: int):
    """Make a recipe's output, if possible. Returns whether it was."""
    if not can_craft(s, t, r, recipe, stations_near(s, rules, w, r), free_slots(s, r)):
        return False
    k = int(RecipeColumn.FIRST)
    while k < RecipeColumn.COUNT:
        wanted = t.recipe[recipe, k + _WANTED]
        if wanted > 0:
            remove_either(s, t, r, t.recipe[recipe, k], t.recipe[recipe, k + _OR], wanted)
        k += _INGREDIENT
    output = t.recipe[recipe, RecipeColumn.OUTPUT]
    add_item(s, t, rules, r, output, t.recipe[recipe, RecipeColumn.COUNT], 0)
    note_event(s.tally, r, int(Event.CRAFTED), output, t.recipe[recipe, RecipeColumn.COUNT])
    return True


@wp.func
def _next_fuel(s: VoxelState, t: Tables, r: int, spare: int, spare_or: int):
    """Item to burn next, 0 for none. One unit of the item about to be smelted (``spare``) is kept back."""
    i = int(0)
    while i < t.fuel.shape[0]:
        item = t.fuel[i]
        need = int(1)
        if item == spare or item == spare_or:
            need = 2
        if wp.int32(s.counts[r, item]) >= need:
            return item
        i += 1
    return 0


@wp.func
def can_smelt(s: VoxelState, t: Tables, r: int, smelting: int, stations: int):
    """Whether an item can go into a furnace: one is near, fuel burns or is carried, no other kind is under way."""
    if (stations & (1 << Station.FURNACE)) == 0:
        return False
    item = t.smelting[smelting, RecipeColumn.FIRST]
    other = t.smelting[smelting, RecipeColumn.FIRST_OR]
    if count_either(s, r, item, other) < 1:
        return False
    now = s.body[Body.SMELTING, r]
    if now != NO_SMELTING and (now != smelting or s.body[Body.SMELT_COUNT, r] >= SMELTING_QUEUE):
        return False
    return s.body[Body.FUEL, r] > 0 or _next_fuel(s, t, r, item, other) != 0


@wp.func
def start_smelting(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, smelting: int):
    """Put one item into the furnace, if possible. Returns whether it was."""
    if not can_smelt(s, t, r, smelting, stations_near(s, rules, w, r)):
        return False
    remove_either(
        s, t, r, t.smelting[smelting, RecipeColumn.FIRST], t.smelting[smelting, RecipeColumn.FIRST_OR], 1
    )  # fmt: skip
    s.body[Body.SMELTING, r] = smelting
    s.body[Body.SMELT_COUNT, r] = s.body[Body.SMELT_COUNT, r] + 1
    return True


@wp.func
def _finish_smelting(s: VoxelState, t: Tables, rules: Rules, r: int, smelting: int):
    """Take the product out, if there is room for it; otherwise it waits in the furnace."""
    output = t.smelting[smelting, RecipeColumn.OUTPUT]
    if has_room(s, t, r, output, 1, free_slots(s, r)):
        add_item(s, t, rules, r, output, 1, 0)
        note_event(s.tally, r, int(Event.SMELTED), output, 1)
        s.body[Body.SMELT_PROGRESS, r] = 0
        s.body[Body.SMELT_COUNT, r] = s.body[Body.SMELT_COUNT, r] - 1
        if s.body[Body.SMELT_COUNT, r] == 0:
            s.body[Body.SMELTING, r] = NO_SMELTING


@wp.func
def smelt(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """One tick of an agent's furnace: it works while the agent is near it and there is fuel."""
    smelting = s.body[Body.SMELTING, r]
    if smelting == NO_SMELTING:
        return
    if (stations_near(s, rules, w, r) & (1 << Station.FURNACE)) == 0:
        return
    progress = s.body[Body.SMELT_PROGRESS, r]
    if progress >= SMELTING_TICKS:
        _finish_smelting(s, t, rules, r, smelting)
        return
    if s.body[Body.FUEL, r] == 0:
        item = _next_fuel(s, t, r, 0, 0)
        if item == 0:
            return
        remove_item(s, t, r, item, 1)
        s.body[Body.FUEL, r] = t.item[item, ItemColumn.FUEL]
    s.body[Body.FUEL, r] = s.body[Body.FUEL, r] - 1
    s.body[Body.SMELT_PROGRESS, r] = progress + 1
    if progress + 1 >= SMELTING_TICKS:
        _finish_smelting(s, t, rules, r, smelting)
