"""What agents perceive of creatures: the nearest ones in sight, a row each."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import ENTITIES, ENTITY_WIDTH, Being
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.creatures.sight import agent_eye, eye_of, free_line, squared, within
from farlands.worlds.voxel.physics import TURN_SHIFT
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, Tables

_KIND = ENTITY_WIDTH - len(CREATURES)
_QUARTER = POSITION_SHIFT - 2
_FULL = 127
_HEALTH = 6
"""Units of a health point."""


@wp.func
def _next_nearest(s: VoxelState, w: int, r: int, last: int, last_k: int, sight: int):
    """The nearest creature that is farther than the last one, or as far and later in the list: (square, place)."""
    best = within(sight)
    found = int(-1)
    k = int(0)
    while k < s.clock[Clock.CREATURES, w]:
        far = squared(s.creatures[w, k, Being.X] - s.body[Body.X, r], s.creatures[w, k, Being.Y] - s.body[Body.Y, r])
        if far < best and (far > last or (far == last and k > last_k)):
            best = far
            found = k
        k += 1
    return wp.vec2i(best, found)


@wp.func
def _write(s: VoxelState, t: Tables, out: wp.array2d(dtype=wp.int8), w: int, r: int, k: int, column: int):
    """One creature's row: where it is as the agent faces, how it stands to the agent, how it is, what it is."""
    yaw = s.body[Body.YAW, r]
    sine = t.turn[yaw]
    cosine = t.turn[(yaw + 6) % NUM_HEADINGS]
    dx = s.creatures[w, k, Being.X] - s.body[Body.X, r]
    dy = s.creatures[w, k, Being.Y] - s.body[Body.Y, r]
    dz = s.creatures[w, k, Being.Z] - s.body[Body.Z, r]
    # Quarters of a block first: a window's width times the sine fits in 32 bits.
    dx = wp.clamp(dx >> _QUARTER, -512, 512)
    dy = wp.clamp(dy >> _QUARTER, -512, 512)
    turn = (s.creatures[w, k, Being.YAW] - yaw + NUM_HEADINGS) % NUM_HEADINGS
    out[r, column] = wp.int8(wp.clamp((dx * sine + dy * cosine) >> TURN_SHIFT, -_FULL, _FULL))
    out[r, column + 1] = wp.int8(wp.clamp((dx * cosine - dy * sine) >> TURN_SHIFT, -_FULL, _FULL))
    out[r, column + 2] = wp.int8(wp.clamp(dz >> _QUARTER, -_FULL, _FULL))
    out[r, column + 3] = wp.int8(wp.clamp(t.turn[turn] >> 7, -_FULL, _FULL))
    out[r, column + 4] = wp.int8(wp.clamp(t.turn[(turn + 6) % NUM_HEADINGS] >> 7, -_FULL, _FULL))
    out[r, column + 5] = wp.int8(wp.clamp(s.creatures[w, k, Being.HEALTH] * _HEALTH, 0, _FULL))
    out[r, column + 6] = wp.int8(_FULL * int(s.creatures[w, k, Being.HURT] > 0))
    roused = s.creatures[w, k, Being.SEES] > 0 or s.creatures[w, k, Being.PANIC] > 0
    out[r, column + 7] = wp.int8(_FULL * int(roused))
    out[r, column + 8] = wp.int8(_FULL * int(s.creatures[w, k, Being.AGE] < 0))
    out[r, column + _KIND + s.creatures[w, k, Being.KIND] - 1] = wp.int8(_FULL)


@wp.func
def sense_entities(
    s: VoxelState, t: Tables, rules: Rules, out: wp.array2d(dtype=wp.int8), w: int, r: int, sight: int
):  # fmt: skip
    """The nearest creatures within ``sight`` blocks that nothing solid hides, nearest first; zeros where none are."""
    column = int(0)
    while column < ENTITIES * ENTITY_WIDTH:
        out[r, column] = wp.int8(0)
        column += 1
    placed = int(0)
    last = wp.vec2i(-1, -1)
    going = s.clock[Clock.CREATURES, w] > 0
    while going:
        last = _next_nearest(s, w, r, last[0], last[1], sight)
        going = last[1] >= 0
        if going:
            if free_line(s, t, rules, w, agent_eye(s, r), eye_of(s, t, w, last[1])):
                _write(s, t, out, w, r, last[1], placed * ENTITY_WIDTH)
                placed += 1
                going = placed < ENTITIES
