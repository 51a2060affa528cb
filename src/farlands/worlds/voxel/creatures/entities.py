"""What agents perceive of creatures, of other agents and of lying items: the nearest ones in sight, a row each."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import (
    AGENT_KIND,
    ENTITIES,
    ENTITY_LABELS,
    ENTITY_WIDTH,
    ITEM_KIND,
    MAX_CREATURES,
    Being,
)
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.creatures.sight import agent_eye, eye_of, free_line, squared, within
from farlands.worlds.voxel.inventory import held_item
from farlands.worlds.voxel.lying import Lying
from farlands.worlds.voxel.physics import TURN_SHIFT
from farlands.worlds.voxel.state import POSITION_ONE, POSITION_SHIFT, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, Tables

_KIND = ENTITY_LABELS.index(CREATURES[0].name) - 1
"""Added to a kind it is that kind's column."""
_QUARTER = POSITION_SHIFT - 2
_FULL = 127
_HEALTH = 6
"""Units of a health point."""
_MIDDLE = POSITION_ONE >> 3
"""Of a lying item, above its underside."""


@wp.func
def _next_nearest(s: VoxelState, rules: Rules, w: int, r: int, last: int, last_k: int, sight: int):
    """The nearest being or thing that is farther than the last one, or as far and later in order: (square, place).

    In order come creatures by their places, agents from ``MAX_CREATURES`` on, then lying items.
    """
    best = within(sight)
    found = int(-1)
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        far = squared(s.creatures[w, k, Being.X] - s.body[Body.X, r], s.creatures[w, k, Being.Y] - s.body[Body.Y, r])
        if far < best and (far > last or (far == last and k > last_k)):
            best = far
            found = k
        k += 1
    if rules.agents > 1:
        return _nearer_fellow(s, rules, w, r, last, last_k, wp.vec2i(best, found))
    return wp.vec2i(best, found)


@wp.func
def _nearer_fellow(s: VoxelState, rules: Rules, w: int, r: int, last: int, last_k: int, nearest: wp.vec2i):
    """Likewise among the other agents, and the items that only worlds of several agents have on the ground."""
    best = nearest[0]
    found = nearest[1]
    k = int(0)
    while k < rules.agents:
        other = w * rules.agents + k
        place = MAX_CREATURES + k
        far = squared(s.body[Body.X, other] - s.body[Body.X, r], s.body[Body.Y, other] - s.body[Body.Y, r])
        if other != r and s.body[Body.GONE, other] == 0 and far < best:
            if far > last or (far == last and place > last_k):
                best = far
                found = place
        k += 1
    k = int(0)
    while k < s.clock[Clock.LYING, w]:
        place = MAX_CREATURES + rules.agents + k
        far = squared(s.lying[w, k, Lying.X] - s.body[Body.X, r], s.lying[w, k, Lying.Y] - s.body[Body.Y, r])
        if far < best and (far > last or (far == last and place > last_k)):
            best = far
            found = place
        k += 1
    return wp.vec2i(best, found)


@wp.func
def _looked_at(s: VoxelState, t: Tables, rules: Rules, w: int, place: int):
    """The point that has to be seen of what is at a place."""
    if place < MAX_CREATURES:
        return eye_of(s, t, w, place)
    if place < MAX_CREATURES + rules.agents:
        return agent_eye(s, w * rules.agents + place - MAX_CREATURES)
    k = place - MAX_CREATURES - rules.agents
    return wp.vec3i(s.lying[w, k, Lying.X], s.lying[w, k, Lying.Y], s.lying[w, k, Lying.Z] + _MIDDLE)


@wp.func
def _write_place(
    s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.int8), r: int, column: int, x: int, y: int, z: int
):  # fmt: skip
    """Where a row's subject is, as the agent faces."""
    yaw = s.body[Body.YAW, r]
    sine = t.turn[yaw]
    cosine = t.turn[(yaw + 6) % NUM_HEADINGS]
    # Quarters of a block first: a window's width times the sine fits in 32 bits.
    dx = wp.clamp((x - s.body[Body.X, r]) >> _QUARTER, -512, 512)
    dy = wp.clamp((y - s.body[Body.Y, r]) >> _QUARTER, -512, 512)
    out[r, column] = wp.int8(wp.clamp((dx * sine + dy * cosine) >> TURN_SHIFT, -_FULL, _FULL))
    out[r, column + 1] = wp.int8(wp.clamp((dx * cosine - dy * sine) >> TURN_SHIFT, -_FULL, _FULL))
    out[r, column + 2] = wp.int8(wp.clamp((z - s.body[Body.Z, r]) >> _QUARTER, -_FULL, _FULL))


@wp.func
def _write_heading(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.int8), r: int, column: int, yaw: int):
    """How a row's subject stands to the agent."""
    turn = (yaw - s.body[Body.YAW, r] + NUM_HEADINGS) % NUM_HEADINGS
    out[r, column + 3] = wp.int8(wp.clamp(t.turn[turn] >> 7, -_FULL, _FULL))
    out[r, column + 4] = wp.int8(wp.clamp(t.turn[(turn + 6) % NUM_HEADINGS] >> 7, -_FULL, _FULL))


@wp.func
def _write_creature(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.int8), w: int, r: int, k: int, column: int):
    """One creature's row: where it is as the agent faces, how it stands to the agent, how it is, what it is."""
    _write_place(
        s, t, out, r, column, s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z]
    )  # fmt: skip
    _write_heading(s, t, out, r, column, s.creatures[w, k, Being.YAW])
    out[r, column + 5] = wp.int8(wp.clamp(s.creatures[w, k, Being.HEALTH] * _HEALTH, 0, _FULL))
    out[r, column + 6] = wp.int8(_FULL * int(s.creatures[w, k, Being.HURT] > 0))
    roused = s.creatures[w, k, Being.SEES] > 0 or s.creatures[w, k, Being.PANIC] > 0
    out[r, column + 7] = wp.int8(_FULL * int(roused))
    out[r, column + 8] = wp.int8(_FULL * int(s.creatures[w, k, Being.AGE] < 0))
    out[r, column + _KIND + s.creatures[w, k, Being.KIND]] = wp.int8(_FULL)


@wp.func
def _write_agent(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.int8), r: int, other: int, column: int):
    """Another agent's row: as a creature's, and what it holds."""
    _write_place(s, t, out, r, column, s.body[Body.X, other], s.body[Body.Y, other], s.body[Body.Z, other])
    _write_heading(s, t, out, r, column, s.body[Body.YAW, other])
    out[r, column + 5] = wp.int8(wp.clamp(s.body[Body.HEALTH, other] * _HEALTH, 0, _FULL))
    out[r, column + 6] = wp.int8(_FULL * int(s.body[Body.HURT, other] > 0))
    strikes = s.body[Body.STRIKE_PAUSE, other] > 0 or s.body[Body.DRAWN, other] > 0
    out[r, column + 7] = wp.int8(_FULL * int(strikes))
    out[r, column + _KIND + AGENT_KIND] = wp.int8(_FULL)
    out[r, column + _KIND + ITEM_KIND] = wp.int8(held_item(s, other))


@wp.func
def _write_item(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.int8), w: int, r: int, k: int, column: int):
    """A lying item's row: where it is, how many there are, which item."""
    _write_place(s, t, out, r, column, s.lying[w, k, Lying.X], s.lying[w, k, Lying.Y], s.lying[w, k, Lying.Z])
    out[r, column + 5] = wp.int8(wp.clamp(s.lying[w, k, Lying.COUNT], 0, _FULL))
    out[r, column + _KIND + ITEM_KIND] = wp.int8(s.lying[w, k, Lying.ITEM])


@wp.func
def _write(
    s: VoxelState, t: Tables, rules: Rules, out: wp.array2d(dtype=wp.int8), w: int, r: int, place: int, column: int
):  # fmt: skip
    if place < MAX_CREATURES:
        _write_creature(s, t, out, w, r, place, column)
    elif place < MAX_CREATURES + rules.agents:
        _write_agent(s, t, out, r, w * rules.agents + place - MAX_CREATURES, column)
    else:
        _write_item(s, t, out, w, r, place - MAX_CREATURES - rules.agents, column)


@wp.func
def sense_entities(
    s: VoxelState, t: Tables, rules: Rules, out: wp.array2d(dtype=wp.int8), w: int, r: int, sight: int
):  # fmt: skip
    """The nearest creatures, other agents and lying items within ``sight`` blocks that nothing solid hides, nearest
    first; zeros where none are.
    """
    column = int(0)
    while column < ENTITIES * ENTITY_WIDTH:
        out[r, column] = wp.int8(0)
        column += 1
    placed = int(0)
    last = wp.vec2i(-1, -1)
    going = s.clock[Clock.CREATURES, w] > 0 or rules.agents > 1
    while going:
        last = _next_nearest(s, rules, w, r, last[0], last[1], sight)
        going = last[1] >= 0
        if going:
            if free_line(s, t, rules, w, agent_eye(s, r), _looked_at(s, t, rules, w, last[1])):
                _write(s, t, rules, out, w, r, last[1], placed * ENTITY_WIDTH)
                placed += 1
                going = placed < ENTITIES
