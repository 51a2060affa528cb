"""Light of whole windows by many threads: every cell looks at its neighbours until nothing changes any more.

For a GPU, where a queue in one thread would hold up the batch. A level never exceeds what the cell is due and only
rises, so it does not matter in which order cells see each other's new levels: after as many sweeps as light has steps,
the field is the one that ``flood.py`` makes. Each cell is written by one thread alone.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.light.field import MAX_LIGHT, SKY_SHIFT
from farlands.worlds.voxel.light.flood import WORDS, has_lamp, open_word
from farlands.worlds.voxel.light.spread import BLOCK_SHIFT, NUM_SIDES, level_of, neighbour, offset_x, offset_y, passes
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.state import Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

SWEEPS = MAX_LIGHT - 1
"""Sweeps after which the dimmest light has come as far as it can."""


@kernel
def _begin_sweeping_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    listed: Listed,
    # Out
    s: VoxelState,
    swept: wp.array2d(dtype=wp.uint8),
):
    """Open sky and lamps of the listed worlds' windows, eight cells a thread."""
    i = wp.tid()
    words = WORDS << (2 * rules.side_shift)
    while i < how_many(listed) * words:
        w = world_at(listed, i // words)
        word = i % words
        column = word // WORDS
        k = word % WORDS
        light = open_word(k, wp.int32(s.tops[w, column]))
        blocks = s.columns[w, word]
        if has_lamp(t, blocks):
            j = int(0)
            while j < 8:
                block = wp.int32((blocks >> wp.uint64(8 * j)) & wp.uint64(255))
                light = light | (wp.uint64(t.block[block, BlockColumn.LIGHT]) << wp.uint64(8 * j))
                j += 1
        s.light_words[w, word] = light
        if k == 0:
            swept[w, column] = wp.uint8(0)
            s.light_count[w] = 0
        i += listed.stride


@wp.func
def _is_near_change(rules: Rules, swept: wp.array2d(dtype=wp.uint8), w: int, column: int, sweep: int):
    """Whether the last sweep, or this one, has changed a column or one beside it."""
    north = (column & ~rules.side_mask) | ((column + 1) & rules.side_mask)
    south = (column & ~rules.side_mask) | ((column - 1) & rules.side_mask)
    last = (1 << (2 * rules.side_shift)) - 1
    east = (column + rules.side_mask + 1) & last
    west = (column - rules.side_mask - 1) & last
    latest = wp.max(wp.int32(swept[w, column]), wp.max(wp.int32(swept[w, north]), wp.int32(swept[w, south])))
    latest = wp.max(latest, wp.max(wp.int32(swept[w, east]), wp.int32(swept[w, west])))
    return latest >= sweep - 1


@wp.func
def _due_light(s: VoxelState, rules: Rules, w: int, cell: int):
    """Both kinds of light of a cell by its neighbours' and its own present light."""
    light = wp.int32(s.light[w, cell])
    sky = light >> SKY_SHIFT
    glow = light & MAX_LIGHT
    ox = offset_x(s, rules, w, cell)
    oy = offset_y(s, rules, w, cell)
    side = int(0)
    while side < NUM_SIDES:
        beside = neighbour(rules, cell, side, ox, oy)
        if beside >= 0:
            sky = wp.max(sky, level_of(s, w, beside, SKY_SHIFT) - 1)
            glow = wp.max(glow, level_of(s, w, beside, BLOCK_SHIFT) - 1)
        side += 1
    return (sky << SKY_SHIFT) | glow


@kernel
def _sweep_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    sweep: int,
    listed: Listed,
    # Out
    s: VoxelState,
    swept: wp.array2d(dtype=wp.uint8),
):
    """One sweep, 1 to ``SWEEPS``, eight cells a thread; ``swept`` has the sweep in which each column last changed."""
    i = wp.tid()
    words = WORDS << (2 * rules.side_shift)
    while i < how_many(listed) * words:
        w = world_at(listed, i // words)
        column = (i % words) // WORDS
        if _is_near_change(rules, swept, w, column, sweep):
            cell = (i % words) * 8
            end = cell + 8
            while cell < end:
                if passes(s, t, w, cell):
                    due = _due_light(s, rules, w, cell)
                    if due != wp.int32(s.light[w, cell]):
                        s.light[w, cell] = wp.uint8(due)
                        swept[w, column] = wp.uint8(sweep)
                cell += 1
        i += listed.stride
