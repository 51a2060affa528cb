"""What creatures see: how far agents are, which way, and whether anything solid is between."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.herd import NOBODY
from farlands.worlds.voxel.grid import block_at
from farlands.worlds.voxel.physics import EYE_HEIGHT
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Cause, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, BlockColumn, CreatureColumn, Tables

FINE = 7
"""Distances are compared in sixteenths of a block: position units shifted by this."""
FINE_SHIFT = POSITION_SHIFT - FINE


@wp.func
def squared(dx: int, dy: int):
    """Square of a distance sideways, in sixteenths of a block; sides are cut at 1,024 blocks."""
    a = wp.clamp(dx >> FINE, -16384, 16384)
    b = wp.clamp(dy >> FINE, -16384, 16384)
    return a * a + b * b


@wp.func
def within(blocks: int):
    """The square that ``squared`` gives for so many blocks."""
    return (blocks << FINE_SHIFT) * (blocks << FINE_SHIFT)


@wp.func
def free_line(s: VoxelState, t: Tables, rules: Rules, w: int, a: wp.vec3i, b: wp.vec3i):
    """Whether no solid block lies on the way between two points, by one look per block of the longest side."""
    d = b - a
    far = wp.max(wp.abs(d[0]), wp.max(wp.abs(d[1]), wp.abs(d[2]))) >> POSITION_SHIFT
    shift = int(2)
    while (1 << shift) <= far:
        shift += 1
    i = int(1)
    while i < (1 << shift):
        x = a[0] + ((d[0] * i) >> shift)
        y = a[1] + ((d[1] * i) >> shift)
        z = a[2] + ((d[2] * i) >> shift)
        block = block_at(s, rules, w, x >> POSITION_SHIFT, y >> POSITION_SHIFT, z >> POSITION_SHIFT)
        if t.block[block, BlockColumn.SOLID] != 0:
            return False
        i += 1
    return True


@wp.func
def eye_of(s: VoxelState, t: Tables, w: int, k: int):
    """Where a creature sees from: at nine tenths of its height."""
    tall = t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.HEIGHT]
    return wp.vec3i(
        s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y], s.creatures[w, k, Being.Z] + tall - tall // 10
    )


@wp.func
def agent_eye(s: VoxelState, r: int):
    """Where an agent sees from."""
    return wp.vec3i(s.body[Body.X, r], s.body[Body.Y, r], s.body[Body.Z, r] + EYE_HEIGHT)


@wp.func
def nearest_seen(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, sight: int):
    """The nearest living agent that a creature sees within ``sight`` blocks: its number in the world, or -1."""
    best = within(sight)
    found = int(NOBODY)
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        far = squared(s.body[Body.X, r] - s.creatures[w, k, Being.X], s.body[Body.Y, r] - s.creatures[w, k, Being.Y])
        if far < best and s.body[Body.CAUSE, r] == Cause.NONE:
            if free_line(s, t, rules, w, eye_of(s, t, w, k), agent_eye(s, r)):
                best = far
                found = agent
        agent += 1
    return found


@wp.func
def heading_dot(t: Tables, yaw: int, dx: int, dy: int):
    """How far (dx, dy), in sixteenths of a block, lies along a heading."""
    return dx * t.turn[yaw] + dy * t.turn[(yaw + 6) % NUM_HEADINGS]


@wp.func
def turn_toward(t: Tables, yaw: int, dx: int, dy: int):
    """A heading two steps of 15 degrees nearer to a direction given in position units, or in it."""
    x = wp.clamp(dx >> FINE, -1024, 1024)
    y = wp.clamp(dy >> FINE, -1024, 1024)
    best = yaw
    k = int(0)
    while k < 2:
        left = (best + NUM_HEADINGS - 1) % NUM_HEADINGS
        right = (best + 1) % NUM_HEADINGS
        here = heading_dot(t, best, x, y)
        to_left = heading_dot(t, left, x, y)
        to_right = heading_dot(t, right, x, y)
        if to_right > here and to_right >= to_left:
            best = right
        elif to_left > here:
            best = left
        k += 1
    return best
