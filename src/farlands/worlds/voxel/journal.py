"""Endless land: the window follows the middle of its agents, and changes to the land it leaves are kept in a journal.

The window moves by whole chunks. The strip it leaves hands its changed cells to the journal; the strip it enters is
made as land is always made, and gets its changes back. Of a changed cell only one copy exists, in the window or in
the journal. The journal is a ring: when it is full, the oldest entry is forgotten and counted, and that cell is as the
land was made when it is next seen.

An entry is one 64-bit word: x and y + 2^20 in 21 bits each, z in 6, the block in 8, from the top down; the lowest
bit is set, so that no entry is zero.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.company import middle_of_agents
from farlands.worlds.voxel.grid import HEIGHT_SHIFT, add_fixture, cell_at, fit_top, remove_fixture
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.matter.growing import note_growing, strike_growing
from farlands.worlds.voxel.matter.pending import touch
from farlands.worlds.voxel.matter.resting import clear_matter, rest_matter
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import CHUNK, CHUNK_SHIFT, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

EDGE = 1 << 20
"""Blocks lie within this distance of the origin; the window stops before it."""
_X_SHIFT = 43
_Y_SHIFT = 22
_Z_SHIFT = 16
_BLOCK_SHIFT = 8
_COORDINATE_MASK = (1 << 21) - 1


@wp.func
def pack_entry(x: int, y: int, z: int, block: int):
    """A journal entry."""
    return (
        (wp.int64(x + EDGE) << wp.int64(_X_SHIFT))
        | (wp.int64(y + EDGE) << wp.int64(_Y_SHIFT))
        | (wp.int64(z) << wp.int64(_Z_SHIFT))
        | (wp.int64(block) << wp.int64(_BLOCK_SHIFT))
        | wp.int64(1)
    )


@wp.func
def entry_x(entry: wp.int64):
    """East coordinate of an entry's block."""
    return wp.int32((entry >> wp.int64(_X_SHIFT)) & wp.int64(_COORDINATE_MASK)) - EDGE


@wp.func
def entry_y(entry: wp.int64):
    """North coordinate of an entry's block."""
    return wp.int32((entry >> wp.int64(_Y_SHIFT)) & wp.int64(_COORDINATE_MASK)) - EDGE


@wp.func
def entry_z(entry: wp.int64):
    """Height of an entry's block."""
    return wp.int32((entry >> wp.int64(_Z_SHIFT)) & wp.int64(HEIGHT - 1))


@wp.func
def entry_block(entry: wp.int64):
    """Block of an entry."""
    return wp.int32((entry >> wp.int64(_BLOCK_SHIFT)) & wp.int64(255))


@wp.func
def _wrap(i: int, capacity: int):
    if i >= capacity:
        return i - capacity
    return i


@wp.func
def clear_journal(s: VoxelState, w: int):
    """Forget everything, as at the start of an episode."""
    capacity = s.journal.shape[1]
    k = int(0)
    while k < s.clock[Clock.JOURNAL_COUNT, w]:
        s.journal[w, _wrap(s.clock[Clock.JOURNAL_FIRST, w] + k, capacity)] = wp.int64(0)
        k += 1
    s.clock[Clock.JOURNAL_FIRST, w] = 0
    s.clock[Clock.JOURNAL_COUNT, w] = 0
    s.clock[Clock.FORGOTTEN, w] = 0


@wp.func
def _remember(s: VoxelState, w: int, entry: wp.int64):
    """Append an entry; if there is no room, over the oldest."""
    capacity = s.journal.shape[1]
    first = s.clock[Clock.JOURNAL_FIRST, w]
    count = s.clock[Clock.JOURNAL_COUNT, w]
    s.journal[w, _wrap(first + count, capacity)] = entry
    if count < capacity:
        s.clock[Clock.JOURNAL_COUNT, w] = count + 1
    else:
        s.clock[Clock.JOURNAL_FIRST, w] = _wrap(first + 1, capacity)
        s.clock[Clock.FORGOTTEN, w] = s.clock[Clock.FORGOTTEN, w] + 1


@wp.func
def _leave_column(s: VoxelState, t: Tables, rules: Rules, w: int, x: int, y: int):
    """Hand the changed cells of a column to the journal."""
    column = ((x & rules.side_mask) << rules.side_shift) | (y & rules.side_mask)
    bits = s.edited[w, column]
    z = int(0)
    while bits != wp.int64(0) and z < HEIGHT:
        bit = wp.int64(1) << wp.int64(z)
        if (bits & bit) != wp.int64(0):
            bits = bits & ~bit
            cell = (column << HEIGHT_SHIFT) | z
            block = wp.int32(s.blocks[w, cell])
            if t.block[block, BlockColumn.FIXTURE] != 0:
                remove_fixture(s, w, cell)
            strike_growing(s, t, w, cell, block)
            _remember(s, w, pack_entry(x, y, z, block))
        z += 1


@wp.func
def _touch_edge(s: VoxelState, rules: Rules, w: int, axis: int, toward: int, across: int):
    """Touch the changed cells along the edge that was the window's: what stopped there may go on."""
    side = rules.side_mask + 1
    edge = s.clock[Clock.ORIGIN_X + axis, w]
    if toward > 0:
        edge += rules.side_mask
    j = int(0)
    while j < side:
        x = edge
        y = across + j
        if axis == 1:
            x = across + j
            y = edge
        column = ((x & rules.side_mask) << rules.side_shift) | (y & rules.side_mask)
        bits = s.edited[w, column]
        z = int(0)
        while bits != wp.int64(0) and z < HEIGHT:
            bit = wp.int64(1) << wp.int64(z)
            if (bits & bit) != wp.int64(0):
                bits = bits & ~bit
                cell = (column << HEIGHT_SHIFT) | z
                touch(s, w, cell, wp.int32(s.blocks[w, cell]))
            z += 1
        j += 1


@wp.func
def _move_window(s: VoxelState, t: Tables, rules: Rules, w: int, axis: int, toward: int):
    """Move the window by a chunk along an axis, and set the region that has to be made."""
    side = rules.side_mask + 1
    old = s.clock[Clock.ORIGIN_X + axis, w]
    leaving = old
    entering = old + side
    if toward < 0:
        leaving = old + side - CHUNK
        entering = old - CHUNK
    across = s.clock[Clock.ORIGIN_X + 1 - axis, w]
    i = int(0)
    while i < CHUNK:
        j = int(0)
        while j < side:
            if axis == 0:
                _leave_column(s, t, rules, w, leaving + i, across + j)
            else:
                _leave_column(s, t, rules, w, across + j, leaving + i)
            j += 1
        i += 1
    rest_matter(s, rules, w, axis, leaving, CHUNK)
    _touch_edge(s, rules, w, axis, toward, across)
    s.clock[Clock.ORIGIN_X + axis, w] = old + toward * CHUNK
    s.clock[Clock.REGION_X + axis, w] = entering
    s.clock[Clock.REGION_X + 1 - axis, w] = across
    s.clock[Clock.REGION_NX + axis, w] = CHUNK
    s.clock[Clock.REGION_NX + 1 - axis, w] = side


@wp.func
def _way_to_move(s: VoxelState, rules: Rules, w: int, axis: int):
    """-1, 0 or 1: which way the window should go along an axis to keep the middle of its agents near its own.

    Nobody is left outside: all are within the window's side, so that if their middle is a chunk's margin off its own,
    the last of them is more than a chunk from the edge that comes nearer.
    """
    side = rules.side_mask + 1
    # Two blocks less than would centre a chunk: whoever walks to and fro must go four blocks to move the window back.
    margin = ((side - CHUNK) >> 1) - 2
    origin = s.clock[Clock.ORIGIN_X + axis, w]
    offset = middle_of_agents(s, rules, w, axis) - origin
    if offset < margin and origin - CHUNK > CHUNK - EDGE:
        return -1
    if offset >= side - margin and origin + side + CHUNK < EDGE - CHUNK:
        return 1
    return 0


@kernel
def _begin_following_kernel(
    # In
    shard: int,
    # Out
    count: wp.array(dtype=wp.int32),
):
    """Empty the shard's list of worlds whose window moves."""
    count[shard] = 0


@kernel
def _follow_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    shard: int,
    begin: int,
    # Out
    s: VoxelState,
    moved: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
):
    """Move the window of each world whose agents have come near its edge, along one axis; those go on the list."""
    w = begin + wp.tid()
    axis = int(0)
    toward = _way_to_move(s, rules, w, 0)
    if toward == 0:
        axis = 1
        toward = _way_to_move(s, rules, w, 1)
    if toward != 0:
        _move_window(s, t, rules, w, axis, toward)
        moved[begin + wp.atomic_add(count, shard, 1)] = w


@kernel
def _return_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    listed: Listed,
    # Out
    s: VoxelState,
):
    """Begin another life in each listed world: its window goes back to the level's start, time and changes stay."""
    side = rules.side_mask + 1
    n = wp.tid()
    while n < how_many(listed):
        w = world_at(listed, n)
        s.clock[Clock.EPISODE, w] = s.clock[Clock.EPISODE, w] + 1
        s.clock[Clock.STEP, w] = 0
        s.clock[Clock.LIMIT, w] = rules.horizon
        clear_matter(s, w)
        i = int(0)
        while i < side * side:
            x = s.clock[Clock.ORIGIN_X, w] + (i >> rules.side_shift)
            y = s.clock[Clock.ORIGIN_Y, w] + (i & rules.side_mask)
            _leave_column(s, t, rules, w, x, y)
            i += 1
        axis = int(0)
        while axis < 2:
            nearest = (s.clock[Clock.START_X + axis, w] + (CHUNK >> 1)) >> CHUNK_SHIFT
            s.clock[Clock.ORIGIN_X + axis, w] = (nearest << CHUNK_SHIFT) - (side >> 1)
            s.clock[Clock.REGION_X + axis, w] = s.clock[Clock.ORIGIN_X + axis, w]
            s.clock[Clock.REGION_NX + axis, w] = side
            axis += 1
        n += listed.stride


@kernel
def _recall_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    listed: Listed,
    # Out
    s: VoxelState,
):
    """Give the changes that lie in the window of each listed world back to it; the others keep their order."""
    n = wp.tid()
    while n < how_many(listed):
        w = world_at(listed, n)
        capacity = s.journal.shape[1]
        first = s.clock[Clock.JOURNAL_FIRST, w]
        total = s.clock[Clock.JOURNAL_COUNT, w]
        kept = int(0)
        k = int(0)
        while k < total:
            place = _wrap(first + k, capacity)
            entry = s.journal[w, place]
            s.journal[w, place] = wp.int64(0)
            cell = cell_at(s, rules, w, entry_x(entry), entry_y(entry), entry_z(entry))
            if cell >= 0:
                _put_back(s, t, w, cell, entry_block(entry))
            else:
                s.journal[w, _wrap(first + kept, capacity)] = entry
                kept += 1
            k += 1
        s.clock[Clock.JOURNAL_COUNT, w] = kept
        n += listed.stride


@wp.func
def _put_back(s: VoxelState, t: Tables, w: int, cell: int, block: int):
    old = wp.int32(s.blocks[w, cell])
    s.blocks[w, cell] = wp.uint8(block)
    column = cell >> HEIGHT_SHIFT
    s.edited[w, column] = s.edited[w, column] | (wp.int64(1) << wp.int64(cell & (HEIGHT - 1)))
    note_growing(s, t, w, cell, block)
    add_fixture(s, t, w, cell, block)
    fit_top(s, t, w, cell, block)
    touch(s, w, cell, old)
