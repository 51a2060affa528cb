"""How far one predicate is fulfilled in a state: thousandths of progress, whether it holds, whether that is final."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.grid import FIXTURE_SHIFT, cell_at, cell_offset
from farlands.worlds.voxel.inventory import count_either, held_item
from farlands.worlds.voxel.options import HEIGHT
from farlands.worlds.voxel.physics import fluid_around
from farlands.worlds.voxel.state import MAX_FIXTURES, POSITION_SHIFT, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, ItemColumn, Tables
from farlands.worlds.voxel.tasks.events import tallied
from farlands.worlds.voxel.tasks.predicates import PREDICATE, Event, Vital
from farlands.worlds.voxel.vitals import armour_points

FULL = 1000
"""Progress of what is done, in thousandths."""
HOLDS = 1 << 10
FINAL = 1 << 11
"""Flags beside the progress: it holds now; that won't change any more in this episode."""
PROGRESS_MASK = 1023

_AIR_STEP = 15
_FAR = 30_000
_EVERY = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))
_ONES = wp.constant(wp.uint64(0x0101010101010101))
_TOPS = wp.constant(wp.uint64(0x8080808080808080))
_ID = {name: row.id for name, row in PREDICATE.items()}
_CARRY, _WEAR, _HOLD = _ID["carry"], _ID["wear"], _ID["hold"]
_GAIN, _CRAFT, _SMELT, _PLACE = _ID["gain"], _ID["craft"], _ID["smelt"], _ID["place"]
_BREAK, _EAT, _AT_LEAST, _AT_MOST = _ID["break"], _ID["eat"], _ID["at_least"], _ID["at_most"]
_ABOVE, _BELOW, _AWAY, _NEAR = _ID["above"], _ID["below"], _ID["away"], _ID["near"]
_INSIDE, _ASLEEP, _TIME = _ID["inside"], _ID["asleep"], _ID["time"]
_ALIVE, _VISIT, _UNLOCK = _ID["alive"], _ID["visit"], _ID["unlock"]
_KILL, _BREED, _SHEAR, _BESIDE = _ID["kill"], _ID["breed"], _ID["shear"], _ID["beside"]


@wp.func
def share(have: int, wanted: int):
    """Progress of a number that may only rise so far: holds once ``have`` reaches ``wanted`` (> 0)."""
    if have >= wanted:
        return FULL | HOLDS
    return (wp.max(have, 0) * FULL) // wanted


@wp.func
def either_way(holds: bool):
    """Progress of what is true or not, with nothing in between."""
    if holds:
        return FULL | HOLDS
    return 0


@wp.func
def finally_share(have: int, wanted: int):
    """``share`` of a number that never falls: final once it is reached."""
    value = share(have, wanted)
    if (value & HOLDS) != 0:
        return value | FINAL
    return value


@wp.func
def _vital(s: VoxelState, t: Tables, r: int, vital: int):
    """A vital in points of 20."""
    if vital == Vital.HEALTH:
        return s.body[Body.HEALTH, r]
    if vital == Vital.FOOD:
        return s.body[Body.FOOD, r]
    if vital == Vital.AIR:
        return (wp.max(s.body[Body.AIR, r], 0) + _AIR_STEP - 1) // _AIR_STEP
    return armour_points(s, t, r)


@wp.func
def _way_to(have: int, start: int, wanted: int):
    """Progress from a height at the start of the task to a height above or below it that is not reached yet."""
    span = wp.abs(wanted - start)
    if span == 0:
        return FULL - 1
    gone = span - wp.abs(wanted - have)
    return wp.clamp((wp.max(gone, 0) * FULL) // span, 0, FULL - 1)


@wp.func
def _away(s: VoxelState, w: int, r: int, wanted: int):
    """Progress of the straight way sideways from the start of the episode."""
    dx = wp.clamp((s.body[Body.X, r] >> POSITION_SHIFT) - s.clock[Clock.START_X, w], -_FAR, _FAR)
    dy = wp.clamp((s.body[Body.Y, r] >> POSITION_SHIFT) - s.clock[Clock.START_Y, w], -_FAR, _FAR)
    square = dx * dx + dy * dy
    if square >= wanted * wanted:
        return FULL | HOLDS
    return wp.min((wp.int32(wp.sqrt(float(square))) * FULL) // wanted, FULL - 1)


@wp.func
def _has_byte(word: wp.uint64, value: int, outside: wp.uint64):
    """Whether one of eight bytes has a value, those that are set in ``outside`` aside."""
    left = (word ^ (wp.uint64(value) * _ONES)) | outside
    # A byte of zero, and only with one present, borrows into its top bit.
    return ((left - _ONES) & ~left & _TOPS) != wp.uint64(0)


@wp.func
def _in_columns(s: VoxelState, rules: Rules, w: int, r: int, block: int, other: int, reach: int):
    """Whether a block of a kind is within ``reach`` of the feet along each axis, eight cells at a time."""
    x = s.body[Body.X, r] >> POSITION_SHIFT
    y = s.body[Body.Y, r] >> POSITION_SHIFT
    z = s.body[Body.Z, r] >> POSITION_SHIFT
    low = wp.clamp(z - reach, 0, HEIGHT - 1)
    high = wp.clamp(z + reach, 0, HEIGHT - 1)
    k = low >> 3
    while k <= high >> 3:
        first = wp.max(low - (k << 3), 0)
        last = wp.min(high - (k << 3), 7)
        inside = (_EVERY << wp.uint64(8 * first)) & (_EVERY >> wp.uint64(8 * (7 - last)))
        i = int(-reach)
        while i <= reach:
            j = int(-reach)
            while j <= reach:
                base = cell_at(s, rules, w, x + i, y + j, 0)
                if base >= 0:
                    word = s.columns[w, (base >> 3) + k]
                    if _has_byte(word, block, ~inside):
                        return True
                    if other != 0 and _has_byte(word, other, ~inside):
                        return True
                j += 1
            i += 1
        k += 1
    return False


@wp.func
def _in_fixtures(s: VoxelState, rules: Rules, w: int, r: int, block: int, reach: int):
    """The same for stations, which are on a list."""
    i = int(0)
    while i < MAX_FIXTURES:
        fixture = s.fixtures[w, i]
        if fixture >= 0 and (fixture >> FIXTURE_SHIFT) == block:
            d = cell_offset(
                s, rules, w, fixture & ((1 << FIXTURE_SHIFT) - 1), s.body[Body.X, r] >> POSITION_SHIFT,
                s.body[Body.Y, r] >> POSITION_SHIFT, s.body[Body.Z, r] >> POSITION_SHIFT,
            )  # fmt: skip
            if wp.abs(d[0]) <= reach and wp.abs(d[1]) <= reach and wp.abs(d[2]) <= reach:
                return True
        i += 1
    return False


@wp.func
def _near(s: VoxelState, t: Tables, rules: Rules, w: int, r: int, block: int, other: int, reach: int):
    """Whether a block of a kind, or any level of a fluid, is within ``reach`` of the feet along each axis."""
    if t.block[block, BlockColumn.FIXTURE] != 0:
        return _in_fixtures(s, rules, w, r, block, reach)
    fluid = t.block[block, BlockColumn.FLUID]
    if fluid == 0:
        return _in_columns(s, rules, w, r, block, other, reach)
    k = int(0)
    while k < t.block.shape[0]:
        if t.block[k, BlockColumn.FLUID] == fluid:
            if _in_columns(s, rules, w, r, k, 0, reach):
                return True
        k += 1
    return False


@wp.func
def _beside(s: VoxelState, w: int, r: int, kind: int, reach: int):
    """Whether a creature of a kind is within ``reach`` blocks along each axis, from feet to feet."""
    limit = reach << POSITION_SHIFT
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        if s.creatures[w, k, Being.KIND] == kind:
            dx = wp.abs(s.creatures[w, k, Being.X] - s.body[Body.X, r])
            dy = wp.abs(s.creatures[w, k, Being.Y] - s.body[Body.Y, r])
            dz = wp.abs(s.creatures[w, k, Being.Z] - s.body[Body.Z, r])
            if dx <= limit and dy <= limit and dz <= limit:
                return True
        k += 1
    return False


@wp.func
def _time_between(s: VoxelState, w: int, begin: int, end: int):
    time = s.clock[Clock.TIME, w]
    if begin <= end:
        return time >= begin and time <= end
    return time >= begin or time <= end


@wp.func
def event_of(op: int):
    """The event a predicate counts, or -1."""
    if op == _GAIN:
        return int(Event.GAINED)
    if op == _CRAFT:
        return int(Event.CRAFTED)
    if op == _SMELT:
        return int(Event.SMELTED)
    if op == _PLACE:
        return int(Event.PLACED)
    if op == _EAT:
        return int(Event.EATEN)
    if op == _BREAK:
        return int(Event.BROKEN)
    if op == _KILL:
        return int(Event.KILLED)
    if op == _BREED:
        return int(Event.BRED)
    if op == _SHEAR:
        return int(Event.SHEARED)
    return -1


@wp.func
def measure_start(
    s: VoxelState, tally: wp.array2d(dtype=wp.int32), r: int, op: int, first: int, other: int, steps: int
):  # fmt: skip
    """What a predicate's count or way is measured from, taken when its part of the task begins."""
    event = event_of(op)
    if event >= 0:
        return tallied(tally, r, event, first, other)
    if op == _VISIT:
        return s.body[Body.PLACES, r]
    if op == _ABOVE or op == _BELOW:
        return s.body[Body.Z, r] >> POSITION_SHIFT
    return steps


@wp.func
def _measure_body(
    s: VoxelState, t: Tables, rules: Rules, w: int, r: int, op: int, first: int, other: int, number: int, start: int
):  # fmt: skip
    """Predicates over where the body is and how it is."""
    z = s.body[Body.Z, r] >> POSITION_SHIFT
    if op == _AT_LEAST:
        return share(_vital(s, t, r, first), number)
    if op == _AT_MOST:
        return either_way(_vital(s, t, r, first) <= number)
    if op == _ABOVE:
        if z >= number:
            return FULL | HOLDS
        return _way_to(z, start, number)
    if op == _BELOW:
        if z <= number:
            return FULL | HOLDS
        return _way_to(z, start, number)
    if op == _AWAY:
        return _away(s, w, r, number)
    if op == _NEAR:
        return either_way(_near(s, t, rules, w, r, first, other, number))
    if op == _BESIDE:
        return either_way(_beside(s, w, r, first, number))
    if op == _INSIDE:
        return either_way(fluid_around(s, t, rules, w, r) == t.block[first, BlockColumn.FLUID])
    if op == _ASLEEP:
        return either_way(s.body[Body.SLEEPING, r] > 0)
    return 0


@wp.func
def measure(
    s: VoxelState, t: Tables, rules: Rules, tally: wp.array2d(dtype=wp.int32), w: int, r: int,
    op: int, first: int, other: int, number: int, start: int, steps: int,
):  # fmt: skip
    """A predicate's value now: progress with the flags ``HOLDS`` and ``FINAL``.

    Args:
        op, first, other, number: Words of its node.
        start: What ``measure_start`` gave when its part of the task began.
        steps: Steps since the task began.
    """
    event = event_of(op)
    if event >= 0:
        return finally_share(tallied(tally, r, event, first, other) - start, number)
    if op == _CARRY:
        return share(count_either(s, r, first, other), number)
    if op == _WEAR:
        return either_way(wp.int32(s.armour_item[r, t.item[first, ItemColumn.ARMOUR]]) == first)
    if op == _HOLD:
        return either_way(held_item(s, r) == first)
    if op == _TIME:
        return either_way(_time_between(s, w, first, number))
    if op == _ALIVE:
        return finally_share(steps - start, number)
    if op == _VISIT:
        return finally_share(s.body[Body.PLACES, r] - start, number)
    if op == _UNLOCK:
        return finally_share(int(s.unlocked[r, first] >= 0), 1)
    return _measure_body(s, t, rules, w, r, op, first, other, number, start)
