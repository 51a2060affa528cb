"""What happened to a world's blocks since its light was last worked out: a short list of cells."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.state import MAX_LIGHT_CHANGES, VoxelState

LIGHT_ALL = MAX_LIGHT_CHANGES + 1
"""Value of ``light_count`` that says: work out the whole window's light."""


@wp.func
def note_light(s: VoxelState, w: int, cell: int):
    """Note that a cell of world ``w`` has changed; where the list has no room, the whole window is lit anew."""
    count = s.light_count[w]
    if count < MAX_LIGHT_CHANGES:
        s.light_changes[w, count] = cell
    s.light_count[w] = wp.min(count + 1, LIGHT_ALL)
