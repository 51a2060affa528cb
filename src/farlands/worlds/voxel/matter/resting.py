"""What becomes of moving matter when the window leaves it: it rests.

Cells that wait, leaves and fuses in the strip that is left are struck off; the blocks themselves go into the journal if
they are changes. What comes back with the strip is touched, and so begins anew: water runs on, fires burn, lit TNT has
a whole fuse again.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.matter.fuses import clear_fuses, drop_fuses
from farlands.worlds.voxel.matter.leaves import clear_leaves, drop_leaves
from farlands.worlds.voxel.matter.pending import clear_pending, drop_pending
from farlands.worlds.voxel.state import Rules, VoxelState


@wp.func
def clear_matter(s: VoxelState, w: int):
    """Everything rests, as when a level begins."""
    clear_pending(s, w)
    clear_leaves(s, w)
    clear_fuses(s, w)


@wp.func
def rest_matter(s: VoxelState, rules: Rules, w: int, axis: int, leaving: int, depth: int):
    """What lies in the strip of the window from ``leaving`` on, ``depth`` blocks deep along an axis, rests."""
    drop_pending(s, rules, w, axis, leaving, depth)
    drop_leaves(s, rules, w, axis, leaving, depth)
    drop_fuses(s, rules, w, axis, leaving, depth)
