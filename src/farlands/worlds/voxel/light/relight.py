"""Light after changes to some blocks: only what they alter is worked out again.

A step notes the cells it changes and lights them once, after its ticks: within a step, light is that of its start (or
of the window's last move). A cell that alters nothing, as when digging in the dark, costs a dozen reads.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.grid import HEIGHT_SHIFT
from farlands.worlds.voxel.light.changes import LIGHT_ALL
from farlands.worlds.voxel.light.field import MAX_LIGHT, SKY_SHIFT
from farlands.worlds.voxel.light.spread import (
    BLOCK_SHIFT,
    OVERFLOW,
    RISING,
    LightQueues,
    clear_queues,
    due_level,
    level_of,
    lower_light,
    raise_light,
    slot_of,
    spread_darkness,
    spread_light,
)
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import Rules, VoxelState
from farlands.worlds.voxel.tables import Tables


@wp.func
def _is_stale(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int):
    """Whether the change of a cell has altered its own light, or where the open sky ends in its column."""
    column = cell >> HEIGHT_SHIFT
    top = wp.int32(s.tops[w, column])
    if top < HEIGHT and level_of(s, w, (column << HEIGHT_SHIFT) | wp.min(top, HEIGHT - 1), SKY_SHIFT) != MAX_LIGHT:
        return True
    if top > 0 and level_of(s, w, (column << HEIGHT_SHIFT) | wp.max(top - 1, 0), SKY_SHIFT) == MAX_LIGHT:
        return True
    if due_level(s, t, rules, w, cell, SKY_SHIFT) != level_of(s, w, cell, SKY_SHIFT):
        return True
    return due_level(s, t, rules, w, cell, BLOCK_SHIFT) != level_of(s, w, cell, BLOCK_SHIFT)


@wp.func
def _close_sky(s: VoxelState, t: Tables, q: LightQueues, slot: int, w: int, column: int):
    """Take the sky from the cells of a column that a higher top has cut off from it."""
    z = wp.int32(s.tops[w, column]) - 1
    while z >= 0 and level_of(s, w, (column << HEIGHT_SHIFT) | z, SKY_SHIFT) == MAX_LIGHT:
        lower_light(s, t, q, slot, w, (column << HEIGHT_SHIFT) | z, SKY_SHIFT)
        z -= 1


@wp.func
def _open_sky(s: VoxelState, q: LightQueues, slot: int, w: int, column: int):
    """Give the sky to the cells of a column that a lower top has opened to it."""
    z = wp.int32(s.tops[w, column])
    while z < HEIGHT and level_of(s, w, (column << HEIGHT_SHIFT) | z, SKY_SHIFT) != MAX_LIGHT:
        raise_light(s, q, slot, w, (column << HEIGHT_SHIFT) | z, SKY_SHIFT, MAX_LIGHT)
        z += 1


@wp.func
def _darken(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, half: int):
    """Take away the light that the changed cells no longer have or let through."""
    k = int(0)
    while k < s.light_count[w]:
        cell = s.light_changes[w, k]
        if half == SKY_SHIFT:
            _close_sky(s, t, q, slot, w, cell >> HEIGHT_SHIFT)
        if due_level(s, t, rules, w, cell, half) < level_of(s, w, cell, half):
            lower_light(s, t, q, slot, w, cell, half)
        k += 1
    spread_darkness(s, t, rules, q, slot, w, half)


@wp.func
def _brighten(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, half: int):
    """Spread the light that the changed cells now have or let through."""
    k = int(0)
    while k < s.light_count[w]:
        cell = s.light_changes[w, k]
        if half == SKY_SHIFT:
            _open_sky(s, q, slot, w, cell >> HEIGHT_SHIFT)
        level = due_level(s, t, rules, w, cell, half)
        if level > level_of(s, w, cell, half):
            raise_light(s, q, slot, w, cell, half, level)
        k += 1
    spread_light(s, t, rules, q, slot, RISING, w, half)


@wp.func
def _relight(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int):
    """Work out what the noted changes alter. Returns whether there was room for it."""
    stale = int(0)
    k = int(0)
    while k < s.light_count[w] and stale == 0:
        stale = int(_is_stale(s, t, rules, w, s.light_changes[w, k]))
        k += 1
    if stale == 0:
        return True
    _darken(s, t, rules, q, slot, w, BLOCK_SHIFT)
    _brighten(s, t, rules, q, slot, w, BLOCK_SHIFT)
    _darken(s, t, rules, q, slot, w, SKY_SHIFT)
    _brighten(s, t, rules, q, slot, w, SKY_SHIFT)
    return q.marks[slot, OVERFLOW] == 0


@kernel
def _begin_relighting_kernel(
    # In
    shard: int,
    # Out
    count: wp.array(dtype=wp.int32),
):
    """Empty the shard's list of worlds whose windows have to be lit whole."""
    count[shard] = 0


@kernel
def _relight_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    shard: int,
    begin: int,
    # Out
    s: VoxelState,
    q: LightQueues,
    relit: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
):
    """Light each world's changed cells; worlds with too many changes, or too far-reaching ones, go on the list."""
    w = begin + wp.tid()
    changes = s.light_count[w]
    if changes == 0:
        return
    slot = slot_of(q, shard, w)
    done = False
    if changes < LIGHT_ALL:
        done = _relight(s, t, rules, q, slot, w)
    if done:
        s.light_count[w] = 0
    else:
        clear_queues(q, slot)
        relit[begin + wp.atomic_add(count, shard, 1)] = w
