"""The one kernel of matter that changes by itself: a world at rest leaves it at once.

One launch for everything, because what a launch costs a world at rest is the launch.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.matter.explosions import burn_fuses
from farlands.worlds.voxel.matter.falling import settle
from farlands.worlds.voxel.matter.fire import burn
from farlands.worlds.voxel.matter.fluids import flow
from farlands.worlds.voxel.matter.growth import grow
from farlands.worlds.voxel.matter.leaves import wither
from farlands.worlds.voxel.matter.stirring import stir
from farlands.worlds.voxel.state import NUM_RINGS, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import Tables


@wp.func
def _is_at_rest(s: VoxelState, w: int):
    """Whether nothing in a world waits, grows, burns or is to be gone through."""
    waiting = s.clock[Clock.GROWING_COUNT, w] | s.clock[Clock.LEAF_COUNT, w] | s.clock[Clock.FUSE_COUNT, w]
    waiting = waiting | s.clock[Clock.SWEEP, w]
    ring = int(0)
    while ring < NUM_RINGS:
        waiting = waiting | s.clock[Clock.FALL_COUNT + 2 * ring, w]
        ring += 1
    return waiting == 0


@kernel
def _move_matter_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """One tick of each world's matter; what was touched in it is gone through last, so that delays count from now."""
    w = begin + wp.tid()
    if _is_at_rest(s, w):
        return
    settle(s, t, rules, w)
    flow(s, t, rules, w)
    burn(s, t, rules, w)
    grow(s, t, rules, w)
    wither(s, t, rules, w)
    burn_fuses(s, t, rules, w)
    stir(s, t, rules, w)
