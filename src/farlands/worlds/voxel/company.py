"""Several agents in one world: whose turn it is, and how bodies stand in each other's way."""

from __future__ import annotations

from enum import IntEnum

import warp as wp

from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Cause, Clock, Rules, VoxelState

_IN_ORDER = 0x76543210
_NIBBLE = 15


class Turn(IntEnum):
    """What agents do one after the other, in an order drawn anew for each tick and each of these."""

    ACT = 0
    TICK = 1
    DEED = 2
    PICK = 3
    END = 4


@wp.func
def turn_order(s: VoxelState, rules: Rules, w: int, turn: int):
    """The agents of a world in a random order keyed by (seed, tick, turn): four bits each, the first lowest.

    Shuffled as by Fisher and Yates (Durstenfeld, "Algorithm 235: Random permutation", 1964).
    """
    order = int(_IN_ORDER)
    if rules.agents == 1:
        return order
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w], turn,
        Purpose.AGENT_ORDER,
    )  # fmt: skip
    i = rules.agents - 1
    while i > 0:
        half = (words[i >> 1] >> wp.uint32(16 * (i & 1))) & wp.uint32(0xFFFF)
        j = wp.int32(half % wp.uint32(i + 1))
        swapped = ((order >> (4 * i)) ^ (order >> (4 * j))) & _NIBBLE
        order = order ^ (swapped << (4 * i)) ^ (swapped << (4 * j))
        i -= 1
    return order


@wp.func
def row_in_turn(rules: Rules, w: int, order: int, n: int):
    """Row of the agent whose turn is the n-th of a ``turn_order``."""
    return w * rules.agents + ((order >> (4 * n)) & _NIBBLE)


@wp.func
def is_present(s: VoxelState, r: int):
    """Whether an agent has not left its world; it may have died in the present step."""
    return s.body[Body.GONE, r] == 0


@wp.func
def is_alive(s: VoxelState, r: int):
    """Whether an agent is present and its episode goes on."""
    return s.body[Body.CAUSE, r] == Cause.NONE


@wp.func
def _way_to_body(s: VoxelState, other: int, p: wp.vec3i, size: wp.vec3i, axis: int, distance: int):
    """How far a box at ``p`` can go along an axis before it meets the body of row ``other``, which is as large.

    Bodies that overlap can go apart, and up and down, but not farther into each other.
    """
    across = wp.vec3i(
        s.body[Body.X, other] - p[0], s.body[Body.Y, other] - p[1], s.body[Body.Z, other] - p[2]
    )  # fmt: skip
    k = int(0)
    while k < 3:
        if k != axis and wp.abs(across[k]) >= size[k]:
            return distance
        k += 1
    if (across[axis] > 0) != (distance > 0) or across[axis] == 0:
        return distance
    gap = wp.abs(across[axis]) - size[axis]
    if gap < 0:
        if axis == 2:
            return distance
        gap = 0
    return wp.clamp(distance, -gap, gap)


@wp.func
def free_way(
    s: VoxelState, rules: Rules, w: int, r: int, p: wp.vec3i, half: int, tall: int, axis: int, distance: int
):  # fmt: skip
    """How far row ``r``'s box at ``p`` can go along an axis past the other agents and within the window.

    Args:
        s, rules, w, r: State, rules, world, row.
        p: Feet, in position units.
        half, tall: Half the width and the height of every agent's box.
        axis: 0 east, 1 north, 2 up.
        distance: How far it would go past blocks.
    """
    way = distance
    size = wp.vec3i(2 * half, 2 * half, tall)
    agent = int(0)
    while agent < rules.agents:
        other = w * rules.agents + agent
        if other != r and is_alive(s, other):
            way = _way_to_body(s, other, p, size, axis, way)
        agent += 1
    if axis < 2:
        # Blocks hold at the window's edge already; above the top of the world there are none.
        low = (s.clock[Clock.ORIGIN_X + axis, w] << POSITION_SHIFT) + half
        high = ((s.clock[Clock.ORIGIN_X + axis, w] + rules.side_mask + 1) << POSITION_SHIFT) - half
        way = wp.clamp(p[axis] + way, low, high) - p[axis]
    return way


@wp.func
def middle_of_agents(s: VoxelState, rules: Rules, w: int, axis: int):
    """Block in the middle of the box around all present agents, along an axis; there must be one."""
    low = int(1 << 24)
    high = int(-(1 << 24))
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        if is_present(s, r):
            low = wp.min(low, s.body[Body.X + axis, r] >> POSITION_SHIFT)
            high = wp.max(high, s.body[Body.X + axis, r] >> POSITION_SHIFT)
        agent += 1
    return (low + high) >> 1
