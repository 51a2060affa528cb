"""How light spreads from cell to cell, breadth first: away from where it rose, and back to where it has gone.

Levels fall by one per step between the six neighbours. A level that may have come from a cell that has lost it is
taken away, wave by wave, until the wave meets light with another origin, which then fills the gap: the usual algorithm
of removing first and adding after. It leaves exactly the field that lighting the whole window gives.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.grid import HEIGHT_SHIFT, cell_z
from farlands.worlds.voxel.light.field import MAX_LIGHT
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.state import Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables

BLOCK_SHIFT = 0
"""Half of a cell's byte with the light of blocks; the halves are named by how far they are shifted."""
RISING, FALLING = 0, 1
NUM_QUEUES = 2
OVERFLOW = 2 * NUM_QUEUES
NUM_MARKS = OVERFLOW + 1
MARKS_STRIDE = 32
"""Numbers from one slot's marks to the next: threads that write to one line of memory slow each other down."""
_LEVEL_SHIFT = 20
_CELL_MASK = (1 << _LEVEL_SHIFT) - 1
NUM_SIDES = 6


@wp.struct
class LightQueues:
    """Scratch of spreading light, empty between launches; a slot is one world's, or one thread's where threads are few.

    ring: int32 ``[slots, 2, capacity]``, cells whose level rose, and ``level << 20 | cell`` where one fell; the
        capacity is a power of two. marks: int32 ``[slots, MARKS_STRIDE]``, places of the first value of each
        and after its last, and whether one was full.
    shared: 1 where slots are threads (shards), 0 where they are worlds.
    """

    ring: wp.array3d(dtype=wp.int32)
    marks: wp.array2d(dtype=wp.int32)
    shared: wp.int32


@wp.func
def slot_of(q: LightQueues, shard: int, w: int):
    """The slot of a world."""
    if q.shared != 0:
        return shard
    return w


@wp.func
def push(q: LightQueues, slot: int, queue: int, value: int):
    """Append a value; if there is no room, say so in ``OVERFLOW``."""
    end = q.marks[slot, 2 * queue + 1]
    if end - q.marks[slot, 2 * queue] < q.ring.shape[2]:
        q.ring[slot, queue, end & (q.ring.shape[2] - 1)] = value
        q.marks[slot, 2 * queue + 1] = end + 1
    else:
        q.marks[slot, OVERFLOW] = 1


@wp.func
def _rewind(q: LightQueues, slot: int, queue: int):
    """Begin a drained queue anew, so that its places stay small numbers."""
    q.marks[slot, 2 * queue] = 0
    q.marks[slot, 2 * queue + 1] = 0


@wp.func
def clear_queues(q: LightQueues, slot: int):
    """Empty both queues."""
    k = int(0)
    while k < NUM_MARKS:
        q.marks[slot, k] = 0
        k += 1


@wp.func
def neighbour(rules: Rules, cell: int, side: int, ox: int, oy: int):
    """The cell beside another, or -1 outside the window; (ox, oy) is that cell's offset from the window's origin."""
    z = cell_z(cell)
    if side == 0 and z < HEIGHT - 1:
        return cell + 1
    if side == 1 and z > 0:
        return cell - 1
    row = rules.side_mask << HEIGHT_SHIFT
    if side == 2 and oy < rules.side_mask:
        return (cell & ~row) | ((cell + HEIGHT) & row)
    if side == 3 and oy > 0:
        return (cell & ~row) | ((cell - HEIGHT) & row)
    step = HEIGHT << rules.side_shift
    last = (step << rules.side_shift) - 1
    if side == 4 and ox < rules.side_mask:
        return (cell + step) & last
    if side == 5 and ox > 0:
        return (cell - step) & last
    return -1


@wp.func
def offset_x(s: VoxelState, rules: Rules, w: int, cell: int):
    """How far east of the window's origin a cell lies."""
    return ((cell >> (HEIGHT_SHIFT + rules.side_shift)) - s.clock[Clock.ORIGIN_X, w]) & rules.side_mask


@wp.func
def offset_y(s: VoxelState, rules: Rules, w: int, cell: int):
    """How far north of the window's origin a cell lies."""
    return ((cell >> HEIGHT_SHIFT) - s.clock[Clock.ORIGIN_Y, w]) & rules.side_mask


@wp.func
def passes(s: VoxelState, t: Tables, w: int, cell: int):
    """Whether light goes through a cell."""
    return t.block[wp.int32(s.blocks[w, cell]), BlockColumn.OPAQUE] == 0


@wp.func
def level_of(s: VoxelState, w: int, cell: int, half: int):
    """Level of one kind of light in a cell."""
    return (wp.int32(s.light[w, cell]) >> half) & MAX_LIGHT


@wp.func
def set_level(s: VoxelState, w: int, cell: int, half: int, level: int):
    """Set the level of one kind of light in a cell."""
    other = wp.int32(s.light[w, cell]) & (0xF0 >> half)
    s.light[w, cell] = wp.uint8(other | (level << half))


@wp.func
def own_level(s: VoxelState, t: Tables, w: int, cell: int, half: int):
    """Level that a cell has of itself: what its block gives, or full light under the open sky."""
    if half == BLOCK_SHIFT:
        return t.block[wp.int32(s.blocks[w, cell]), BlockColumn.LIGHT]
    if cell_z(cell) >= wp.int32(s.tops[w, cell >> HEIGHT_SHIFT]):
        return MAX_LIGHT
    return 0


@wp.func
def due_level(s: VoxelState, t: Tables, rules: Rules, w: int, cell: int, half: int):
    """Level that a cell ought to have by its own light and its neighbours' present levels."""
    level = own_level(s, t, w, cell, half)
    if passes(s, t, w, cell):
        ox = offset_x(s, rules, w, cell)
        oy = offset_y(s, rules, w, cell)
        side = int(0)
        while side < NUM_SIDES:
            beside = neighbour(rules, cell, side, ox, oy)
            if beside >= 0:
                level = wp.max(level, level_of(s, w, beside, half) - 1)
            side += 1
    return level


@wp.func
def raise_light(s: VoxelState, q: LightQueues, slot: int, w: int, cell: int, half: int, level: int):
    """Give a cell a higher level, to spread later."""
    set_level(s, w, cell, half, level)
    push(q, slot, RISING, cell)


@wp.func
def lower_light(s: VoxelState, t: Tables, q: LightQueues, slot: int, w: int, cell: int, half: int):
    """Leave a cell no light but its own; what came from it goes later."""
    own = own_level(s, t, w, cell, half)
    push(q, slot, FALLING, (level_of(s, w, cell, half) << _LEVEL_SHIFT) | cell)
    set_level(s, w, cell, half, own)
    if own > 0:
        push(q, slot, RISING, cell)


@wp.func
def spread_darkness(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, w: int, half: int):
    """Take away all light that may have come from the cells that lost it; queue the light that borders on it."""
    first = q.marks[slot, 2 * FALLING]
    while first != q.marks[slot, 2 * FALLING + 1]:
        entry = q.ring[slot, FALLING, first & (q.ring.shape[2] - 1)]
        first += 1
        q.marks[slot, 2 * FALLING] = first
        cell = entry & _CELL_MASK
        fallen = entry >> _LEVEL_SHIFT
        ox = offset_x(s, rules, w, cell)
        oy = offset_y(s, rules, w, cell)
        side = int(0)
        while side < NUM_SIDES:
            beside = neighbour(rules, cell, side, ox, oy)
            if beside >= 0:
                level = level_of(s, w, beside, half)
                if level > 0 and level < fallen and level > own_level(s, t, w, beside, half):
                    lower_light(s, t, q, slot, w, beside, half)
                elif level > 1:
                    push(q, slot, RISING, beside)
            side += 1
    _rewind(q, slot, FALLING)


@wp.func
def _reach(
    s: VoxelState, t: Tables, q: LightQueues, slot: int, queue: int, w: int, cell: int, half: int, level: int
):  # fmt: skip
    """Raise a cell to a level if it lets light in and has less."""
    light = wp.int32(s.light[w, cell])
    less = level - ((light >> half) & MAX_LIGHT)
    if less > 0:
        if passes(s, t, w, cell):
            s.light[w, cell] = wp.uint8(light + (less << half))
            if level > 1:
                push(q, slot, queue, cell)


@wp.func
def _shine(
    s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, queue: int, w: int, cell: int, half: int,
    level: int,
):  # fmt: skip
    """Raise the neighbours of a cell to a level. The six sides are written out: lighting land is nothing but this."""
    z = cell_z(cell)
    if z < HEIGHT - 1:
        _reach(s, t, q, slot, queue, w, cell + 1, half, level)
    if z > 0:
        _reach(s, t, q, slot, queue, w, cell - 1, half, level)
    row = rules.side_mask << HEIGHT_SHIFT
    oy = offset_y(s, rules, w, cell)
    if oy < rules.side_mask:
        _reach(s, t, q, slot, queue, w, (cell & ~row) | ((cell + HEIGHT) & row), half, level)
    if oy > 0:
        _reach(s, t, q, slot, queue, w, (cell & ~row) | ((cell - HEIGHT) & row), half, level)
    step = HEIGHT << rules.side_shift
    last = (step << rules.side_shift) - 1
    ox = offset_x(s, rules, w, cell)
    if ox < rules.side_mask:
        _reach(s, t, q, slot, queue, w, (cell + step) & last, half, level)
    if ox > 0:
        _reach(s, t, q, slot, queue, w, (cell - step) & last, half, level)


@wp.func
def spread_light(s: VoxelState, t: Tables, rules: Rules, q: LightQueues, slot: int, queue: int, w: int, half: int):
    """Let light spread from the cells of a queue as far as it goes."""
    first = q.marks[slot, 2 * queue]
    while first != q.marks[slot, 2 * queue + 1]:
        cell = q.ring[slot, queue, first & (q.ring.shape[2] - 1)]
        first += 1
        q.marks[slot, 2 * queue] = first
        level = level_of(s, w, cell, half) - 1
        if level > 0:
            _shine(s, t, rules, q, slot, queue, w, cell, half, level)
    _rewind(q, slot, queue)
