"""Light of windows that were just made, whole or in part, worked out by one thread a world."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.generation.terrain import LAVA_LEVEL
from farlands.worlds.voxel.grid import HEIGHT_SHIFT
from farlands.worlds.voxel.light.field import MAX_LIGHT, SKY_SHIFT
from farlands.worlds.voxel.light.spread import (
    BLOCK_SHIFT,
    FALLING,
    OVERFLOW,
    RISING,
    LightQueues,
    clear_queues,
    due_level,
    level_of,
    lower_light,
    offset_x,
    offset_y,
    passes,
    push,
    set_level,
    slot_of,
    spread_darkness,
    spread_light,
)
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import CHUNK, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

WORDS = HEIGHT // 8
"""Words of eight cells in a column."""
_OPEN_WORD = wp.constant(wp.uint64(0xF0F0F0F0F0F0F0F0))
GLOW, SKY = RISING, FALLING
"""What the two queues hold while land is lit: cells that got block light, and cells that got sky light."""
_NATURAL_WORDS = (LAVA_LEVEL + 7) // 8
"""Words of a column in which land as it is made may give light."""
_ONES = wp.constant(wp.uint64(0x0101010101010101))
_HIGHS = wp.constant(wp.uint64(0x8080808080808080))
_BLOCK_BITS = wp.constant(wp.uint64(0x0F0F0F0F0F0F0F0F))
_SKY_EDGES = wp.constant(wp.uint64(0x7070707070707070))


@wp.func
def open_word(k: int, top: int):
    """Light of cells 8 k to 8 k + 7 of a column as the open sky alone gives it."""
    if top <= 8 * k:
        return _OPEN_WORD
    if top >= 8 * k + 8:
        return wp.uint64(0)
    return _OPEN_WORD << wp.uint64(8 * (top - 8 * k))


@wp.func
def _open_column(s: VoxelState, w: int, column: int):
    """Give a column the light of the open sky and no other."""
    top = wp.int32(s.tops[w, column])
    k = int(0)
    while k < WORDS:
        s.light_words[w, column * WORDS + k] = open_word(k, top)
        k += 1


@wp.func
def has_lamp(t: Tables, word: wp.uint64):
    """Whether one of eight blocks gives light."""
    k = int(0)
    while k < t.lamps.shape[0]:
        x = word ^ (_ONES * wp.uint64(t.lamps[k]))
        if ((x - _ONES) & ~x & _HIGHS) != wp.uint64(0):
            return True
        k += 1
    return False


@wp.func
def _light_eight(s: VoxelState, t: Tables, q: LightQueues, slot: int, w: int, first: int):
    """Queue those of eight cells that give light."""
    cell = first
    while cell < first + 8:
        level = t.block[wp.int32(s.blocks[w, cell]), BlockColumn.LIGHT]
        if level > level_of(s, w, cell, BLOCK_SHIFT):
            set_level(s, w, cell, BLOCK_SHIFT, level)
            push(q, slot, GLOW, cell)
        cell += 1


@wp.func
def _light_lamps(s: VoxelState, t: Tables, q: LightQueues, slot: int, w: int, column: int, everywhere: int):
    """Queue the cells of a column that give light; unless ``everywhere``, look only where land or changes have some."""
    edited = wp.uint64(s.edited[w, column])
    k = int(0)
    while k < WORDS:
        if k < _NATURAL_WORDS or everywhere != 0 or ((edited >> wp.uint64(8 * k)) & wp.uint64(255)) != wp.uint64(0):
            if has_lamp(t, s.columns[w, column * WORDS + k]):
                _light_eight(s, t, q, slot, w, (column << HEIGHT_SHIFT) | (8 * k))
        k += 1


@wp.func
def _lowest_top(s: VoxelState, rules: Rules, w: int, column: int):
    """Least top of the columns beside one, those in the window; 64 if none is lower."""
    lowest = int(HEIGHT)
    mask = rules.side_mask
    oy = offset_y(s, rules, w, column << HEIGHT_SHIFT)
    if oy < mask:
        lowest = wp.min(lowest, wp.int32(s.tops[w, (column & ~mask) | ((column + 1) & mask)]))
    if oy > 0:
        lowest = wp.min(lowest, wp.int32(s.tops[w, (column & ~mask) | ((column - 1) & mask)]))
    last = (1 << (2 * rules.side_shift)) - 1
    ox = offset_x(s, rules, w, column << HEIGHT_SHIFT)
    if ox < mask:
        lowest = wp.min(lowest, wp.int32(s.tops[w, (column + mask + 1) & last]))
    if ox > 0:
        lowest = wp.min(lowest, wp.int32(s.tops[w, (column - mask - 1) & last]))
    return lowest


@wp.func
def _let_sky_in(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, column: int):
    """Queue the covered cells of a column that the open sky reaches from the side."""
    cell = (column << HEIGHT_SHIFT) + _lowest_top(s, rules, w, column)
    top = (column << HEIGHT_SHIFT) + wp.int32(s.tops[w, column])
    while cell < top:
        if passes(s, t, w, cell):
            if level_of(s, w, cell, SKY_SHIFT) < MAX_LIGHT - 1:
                set_level(s, w, cell, SKY_SHIFT, MAX_LIGHT - 1)
                push(q, slot, SKY, cell)
        cell += 1


@wp.func
def _spread_again(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, queue: int, w: int, half: int):
    """Where a queue was too short, let the light of every cell spread; it may have to be done once more."""
    cells = HEIGHT << (2 * rules.side_shift)
    cell = int(0)
    while cell < cells:
        if level_of(s, w, cell, half) > 1:
            push(q, slot, queue, cell)
            spread_light(s, t, rules, q, slot, queue, w, half)
        cell += 1


@wp.func
def _spread_both(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int):
    """Let what is queued of both kinds of light spread."""
    spread_light(s, t, rules, q, slot, GLOW, w, BLOCK_SHIFT)
    spread_light(s, t, rules, q, slot, SKY, w, SKY_SHIFT)


@wp.func
def _flood(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, everywhere: int):
    """Light a whole window."""
    column = int(0)
    while column < 1 << (2 * rules.side_shift):
        _open_column(s, w, column)
        _light_lamps(s, t, q, slot, w, column, everywhere)
        _let_sky_in(s, t, rules, q, slot, w, column)
        column += 1
    _spread_both(s, t, rules, q, slot, w)
    while q.marks[slot, OVERFLOW] != 0:
        q.marks[slot, OVERFLOW] = 0
        _spread_again(s, t, rules, q, slot, GLOW, w, BLOCK_SHIFT)
        _spread_again(s, t, rules, q, slot, SKY, w, SKY_SHIFT)


@kernel
def _flood_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    everywhere: int,
    listed: Listed,
    # Out
    s: VoxelState,
    q: LightQueues,
):
    """Light the whole windows of the listed worlds; ``everywhere``: blocks may have come from outside, unmarked."""
    i = wp.tid()
    while i < how_many(listed):
        w = world_at(listed, i)
        _flood(s, t, rules, q, slot_of(q, listed.shard, w), w, everywhere)
        s.light_count[w] = 0
        i += listed.stride


@wp.struct
class Strip:
    """The part of a window that was just made: which way it lies, where it begins, and the staying land's edges.

    axis: 0 where the window moved along x, 1 along y. first: least coordinate of the strip along it. beside: coordinate
    of the staying columns next to the strip; border: of those that were next to the strip that was left.
    """

    axis: int
    first: int
    beside: int
    border: int


@wp.func
def _strip_of(s: VoxelState, rules: Rules, w: int):
    strip = Strip()
    if s.clock[Clock.REGION_NX, w] == rules.side_mask + 1:
        strip.axis = 1
    origin = s.clock[Clock.ORIGIN_X + strip.axis, w]
    strip.first = s.clock[Clock.REGION_X + strip.axis, w]
    strip.beside = strip.first - 1
    strip.border = origin
    if strip.first == origin:
        strip.beside = strip.first + CHUNK
        strip.border = origin + rules.side_mask
    return strip


@wp.func
def _column_at(rules: Rules, axis: int, along: int, across: int):
    """Column of the window by its place along an axis and across it."""
    x = along
    y = across
    if axis == 1:
        x = across
        y = along
    return ((x & rules.side_mask) << rules.side_shift) | (y & rules.side_mask)


@wp.func
def _is_plain(word: wp.uint64):
    """Whether eight cells have no light, or that of the open sky alone."""
    return (word & _BLOCK_BITS) == wp.uint64(0) and ((word ^ (word >> wp.uint64(1))) & _SKY_EDGES) == wp.uint64(0)


@wp.func
def _shut_column(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, column: int, half: int):
    """Queue for darkness the cells of a column that have light from beyond the window."""
    k = int(0)
    while k < WORDS:
        if not _is_plain(s.light_words[w, column * WORDS + k]):
            z = 8 * k
            while z < 8 * k + 8:
                cell = (column << HEIGHT_SHIFT) | z
                level = level_of(s, w, cell, half)
                if level > 0 and due_level(s, t, rules, w, cell, half) < level:
                    lower_light(s, t, q, slot, w, cell, half)
                z += 1
        k += 1


@wp.func
def _queue_column(s: VoxelState, q: LightQueues, slot: int, w: int, column: int):
    """Queue the light of a column that is not the open sky's."""
    k = int(0)
    while k < WORDS:
        if not _is_plain(s.light_words[w, column * WORDS + k]):
            cell = (column << HEIGHT_SHIFT) | (8 * k)
            end = cell + 8
            while cell < end:
                if level_of(s, w, cell, BLOCK_SHIFT) > 1:
                    push(q, slot, GLOW, cell)
                if level_of(s, w, cell, SKY_SHIFT) > 1:
                    push(q, slot, SKY, cell)
                cell += 1
        k += 1


@wp.func
def _shut_border(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, strip: Strip, half: int):
    """Take away what came from the land that was left."""
    across = int(0)
    while across <= rules.side_mask:
        _shut_column(s, t, rules, q, slot, w, _column_at(rules, strip.axis, strip.border, across), half)
        across += 1
    spread_darkness(s, t, rules, q, slot, w, half)
    spread_light(s, t, rules, q, slot, RISING, w, half)


@wp.func
def _light_strip(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, strip: Strip):
    """Light the window after it has moved: out with what came from the land that was left, then in with the new."""
    i = int(0)
    while i < CHUNK << rules.side_shift:
        _open_column(s, w, _column_at(rules, strip.axis, strip.first + (i >> rules.side_shift), i & rules.side_mask))
        i += 1
    _shut_border(s, t, rules, q, slot, w, strip, BLOCK_SHIFT)
    _shut_border(s, t, rules, q, slot, w, strip, SKY_SHIFT)
    i = int(0)
    while i < CHUNK << rules.side_shift:
        column = _column_at(rules, strip.axis, strip.first + (i >> rules.side_shift), i & rules.side_mask)
        _light_lamps(s, t, q, slot, w, column, 0)
        _let_sky_in(s, t, rules, q, slot, w, column)
        i += 1
    i = int(0)
    while i <= rules.side_mask:
        column = _column_at(rules, strip.axis, strip.beside, i)
        _queue_column(s, q, slot, w, column)
        _let_sky_in(s, t, rules, q, slot, w, column)
        i += 1
    _spread_both(s, t, rules, q, slot, w)


@kernel
def _light_strip_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    listed: Listed,
    # Out
    s: VoxelState,
    q: LightQueues,
):
    """Light the windows of the listed worlds after each has moved by one strip."""
    i = wp.tid()
    while i < how_many(listed):
        w = world_at(listed, i)
        slot = slot_of(q, listed.shard, w)
        _light_strip(s, t, rules, q, slot, w, _strip_of(s, rules, w))
        if q.marks[slot, OVERFLOW] != 0:
            clear_queues(q, slot)
            _flood(s, t, rules, q, slot, w, 0)
        i += listed.stride
