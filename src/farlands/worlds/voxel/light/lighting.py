"""The launches that keep light right: after changes, after windows were made, after windows moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import warp as wp

from farlands.worlds.voxel.light.flood import _flood_kernel, _light_strip_kernel
from farlands.worlds.voxel.light.relight import _begin_relighting_kernel, _relight_kernel
from farlands.worlds.voxel.light.spread import MARKS_STRIDE, NUM_QUEUES, LightQueues
from farlands.worlds.voxel.light.sweep import SWEEPS, _begin_sweeping_kernel, _sweep_kernel
from farlands.worlds.voxel.listed import Listed, list_worlds
from farlands.worlds.voxel.state import Rules, VoxelState
from farlands.worlds.voxel.tables import Tables

SHARED_CAPACITY = 1 << 14
"""Cells that a CPU thread's queues hold, enough for any natural window."""
OWN_CAPACITY = 1 << 8
"""Cells that a world's queues hold on a GPU, where what does not fit is swept by many threads."""

LIGHT_KERNELS = (_relight_kernel, _flood_kernel, _sweep_kernel)


@dataclass
class Lighting:
    """Scratch and launches.

    Attributes:
        state, tables, rules: Of the worlds.
        queues: See ``LightQueues``.
        swept: uint8 ``[W, S * S]`` where windows are swept by many threads, else empty.
        relit, count: The shards' lists of worlds to light whole.
        sweeping: Whether many threads sweep a window, rather than one thread flooding it.
        launch: ``launch(kernel, dim, inputs, outputs)``.
        threads: Threads of a launch over a list.
    """

    state: VoxelState
    tables: Tables
    rules: Rules
    queues: LightQueues
    swept: wp.array
    relit: wp.array
    count: wp.array
    sweeping: bool
    launch: Callable[..., None]
    threads: int

    def relight(self, shard: int, begin: int, size: int) -> None:
        """Light what has changed in a shard's worlds."""
        self.launch(_begin_relighting_kernel, 1, [shard], [self.count])
        fixed = [self.tables, self.rules, shard, begin]
        self.launch(_relight_kernel, size, fixed, [self.state, self.queues, self.relit, self.count])
        self.flood(list_worlds(self.relit, self.count, shard, begin, self.threads), everywhere=True)

    def flood(self, listed: Listed, *, everywhere: bool = False) -> None:
        """Light the whole windows of the listed worlds.

        Args:
            listed: Which worlds.
            everywhere: Whether there may be blocks that give light which neither were made with the land nor are marked
                as changed.
        """
        fixed = [self.tables, self.rules]
        if not self.sweeping:
            self.launch(_flood_kernel, self.threads, [*fixed, int(everywhere), listed], [self.state, self.queues])
            return
        self.launch(_begin_sweeping_kernel, self.threads, [*fixed, listed], [self.state, self.swept])
        for sweep in range(1, SWEEPS + 1):
            self.launch(_sweep_kernel, self.threads, [*fixed, sweep, listed], [self.state, self.swept])

    def follow(self, listed: Listed) -> None:
        """Light the windows of the listed worlds after each has moved by one strip."""
        if self.sweeping:
            self.flood(listed)
        else:
            fixed = [self.tables, self.rules]
            self.launch(_light_strip_kernel, self.threads, [*fixed, listed], [self.state, self.queues])


def make_queues(slots: int, capacity: int, device: str, *, shared: bool) -> LightQueues:
    """Empty queues; ``capacity`` is a power of two."""
    queues = LightQueues()
    queues.ring = wp.zeros((slots, NUM_QUEUES, capacity), dtype=wp.int32, device=device)
    queues.marks = wp.zeros((slots, MARKS_STRIDE), dtype=wp.int32, device=device)
    queues.shared = int(shared)
    return queues
