"""The order of kernel launches: what happens in a step, and how finished worlds begin anew. No state of its own."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import warp as wp

from farlands.worlds.voxel.creatures.lives import _creatures_kernel
from farlands.worlds.voxel.creatures.spawning import _populate_kernel
from farlands.worlds.voxel.departures import _blank_kernel, _keep_last_kernel, _part_kernel
from farlands.worlds.voxel.dropping import _lie_kernel
from farlands.worlds.voxel.episodes import EpisodeLog
from farlands.worlds.voxel.generation.features import _place_features_kernel
from farlands.worlds.voxel.generation.start import _begin_episode_kernel, _start_agents_kernel
from farlands.worlds.voxel.generation.terrain import Lattice, _fill_columns_kernel, _sample_lattice_kernel
from farlands.worlds.voxel.journal import _begin_following_kernel, _follow_kernel, _recall_kernel, _return_kernel
from farlands.worlds.voxel.light.lighting import (
    LIGHT_KERNELS,
    OWN_CAPACITY,
    SHARED_CAPACITY,
    Lighting,
    make_queues,
)
from farlands.worlds.voxel.listed import Listed, list_worlds
from farlands.worlds.voxel.matter.moving import _move_matter_kernel
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.rendering.renderer import PICTURE_KERNELS, PICTURES, Renderer
from farlands.worlds.voxel.senses import Senses, _sense_kernel
from farlands.worlds.voxel.state import CHUNK, CHUNK_SHIFT, Rules, VoxelState
from farlands.worlds.voxel.step import (
    _act_kernel,
    _advance_clock_kernel,
    _begin_finishing_kernel,
    _end_night_kernel,
    _finish_kernel,
    _tick_kernel,
)
from farlands.worlds.voxel.tables import Tables
from farlands.worlds.voxel.tasks.goal import GOAL_SENSES
from farlands.worlds.voxel.tasks.progress import _advance_tasks_kernel, _begin_tasks_kernel
from farlands.worlds.voxel.tasks.senses import GoalBank, _sense_goals_kernel, goal_senses
from farlands.worlds.voxel.tasks.state import TaskPay, TaskState
from farlands.worlds.world import Step

_CUDA_THREADS = 1 << 18
"""Threads of a launch over a list whose length only the device knows; each strides over the list."""

_TICKS_BETWEEN_MOVES = 32
"""Ticks after which windows are looked after even within a step: nobody reaches a window's edge sooner."""

_SYMBOLS = (
    "voxels", "vitals", "status", "inventory", "equipment", "durability", "target_block", "target", "compass",
    "position", "entities", "trial", "action_mask",
)  # fmt: skip
_SENSE_TYPES = {"inventory": wp.int16, "compass": wp.int8, "position": wp.int16, "entities": wp.int8}


_WORLD_KERNELS = (
    _act_kernel,
    _begin_episode_kernel,
    _follow_kernel,
    _move_matter_kernel,
    _creatures_kernel,
    _populate_kernel,
    _fill_columns_kernel,
    _place_features_kernel,
    _start_agents_kernel,
    _sense_kernel,
    *LIGHT_KERNELS,
)
_COMPANY_KERNELS = (_lie_kernel, _part_kernel)
_loading = threading.Lock()
"""Threads that make worlds load one after the other: two that compile the same module are slower than one."""


def load_kernels(device: str, *, pictures: bool, company: bool = False) -> None:
    """Compile what a world launches, several modules at once; a cache on disk makes this quick but the first time.

    Args:
        device: Warp device name.
        pictures: Whether it draws.
        company: Whether it has several agents.
    """
    kernels = (*_WORLD_KERNELS, *(PICTURE_KERNELS if pictures else ()), *(_COMPANY_KERNELS if company else ()))
    modules = {kernel.module.name: kernel.module for kernel in kernels}
    with _loading:
        wp.force_load(device, list(modules.values()), max_workers=min(len(modules), os.cpu_count() or 1))


def load_task_kernels(device: str) -> None:
    """Compile what worlds with tasks launch besides."""
    modules = {kernel.module.name: kernel.module for kernel in (_advance_tasks_kernel, _sense_goals_kernel)}
    with _loading:
        wp.force_load(device, list(modules.values()), max_workers=len(modules))


@dataclass(frozen=True)
class Shard:
    """A run of worlds that one thread steps."""

    number: int
    begin: int
    size: int


@dataclass
class Launcher:
    """Everything the kernels take, bound once.

    ``seen`` is room for observations, with which several agents keep the last ones of those that have died.
    """

    state: VoxelState
    tables: Tables
    rules: Rules
    lattice: Lattice
    veins: wp.array
    kit: wp.array
    actions: wp.array
    finished: wp.array
    count: wp.array
    parting: wp.array
    parting_count: wp.array
    moved: wp.array
    moved_count: wp.array
    everyone: wp.array
    shard_sizes: wp.array
    log: EpisodeLog
    options: VoxelOptions
    device: str
    tasks: TaskState
    pay: TaskPay
    bank: wp.array | None = None
    seen: Mapping[str, torch.Tensor] | None = None
    goals: GoalBank | None = None
    renderer: Renderer | None = None

    def __post_init__(self) -> None:
        worlds, shards = self.everyone.shape[0], self.shard_sizes.shape[0]
        on_cpu = self.device == "cpu"
        swept = (0, 0) if on_cpu else (worlds, self.options.window**2)
        self.lighting = Lighting(
            self.state, self.tables, self.rules,
            make_queues(shards, SHARED_CAPACITY, self.device, shared=True) if on_cpu
            else make_queues(worlds, OWN_CAPACITY, self.device, shared=False),
            swept=wp.zeros(swept, dtype=wp.uint8, device=self.device),
            relit=wp.zeros(worlds, dtype=wp.int32, device=self.device),
            count=wp.zeros(shards, dtype=wp.int32, device=self.device),
            sweeping=not on_cpu, launch=self._launch, threads=self._threads,
        )  # fmt: skip
        if any(name in PICTURES for name in self.options.senses):
            # Now: what a captured step copies from the host is gone when the graph is replayed.
            rows = worlds * self.rules.agents
            self.renderer = Renderer(self.state, self.tables, self.rules, rows, self.options, self.device)

    def step(self, shard: Shard, out: Step, final: Mapping[str, torch.Tensor]) -> None:
        """One step of a shard: act, tick, light, finish, remember last observations, regenerate, observe."""
        s, t, rules, begin, size = self.state, self.tables, self.rules, shard.begin, shard.size
        alone = rules.agents == 1
        for place in range(rules.agents):
            self._launch(_act_kernel, size, [t, rules, self.actions, begin, place], [s])
        for tick in range(self.options.ticks_per_step):
            if tick and tick % _TICKS_BETWEEN_MOVES == 0:
                self.relight(shard)
                self.follow(shard)
            self._launch(_advance_clock_kernel, size, [rules, begin], [s])
            for place in range(rules.agents):
                self._launch(_tick_kernel, size, [t, rules, begin, place], [s])
            if not alone:
                self._launch(_end_night_kernel, size, [t, rules, begin], [s])
            self._launch(_move_matter_kernel, size, [t, rules, begin], [s])
            if self.options.creatures != "none" or not alone:
                self._launch(_creatures_kernel, size, [t, rules, begin], [s])
            if not alone:
                self._launch(_lie_kernel, size, [t, rules, begin], [s])
        self.relight(shard)
        if self.bank is not None:
            self._advance_tasks(shard)
        self._finish(shard, out)
        if self.seen is None:
            self.sense(shard, final, self.finished, self.count)
        else:
            self._part(shard, self.seen, final)
        if self.options.no_reset:
            self.begin_lives(shard, self.finished, self.count)
        else:
            self.regenerate(shard, self.finished, self.count)
        self.follow(shard)
        self.sense(shard, out.observation, self.everyone, self.shard_sizes)

    def _advance_tasks(self, shard: Shard) -> None:
        begin, size = shard.begin * self.rules.agents, shard.size * self.rules.agents
        fixed = [self.tables, self.rules, self.pay, begin]
        self._launch(_advance_tasks_kernel, size, fixed, [self.state, self.tasks])

    def _finish(self, shard: Shard, out: Step) -> None:
        """Rewards, flags, the log, and the lists of worlds that are over or in which somebody's episode is."""
        lists = [self.count, self.parting_count, self.log]
        self._launch(_begin_finishing_kernel, 1, [shard.number], lists)
        flags = [_flat(out.reward, wp.float32), _flat(out.terminated, wp.bool), _flat(out.truncated, wp.bool)]
        lists = [self.finished, self.count, self.parting, self.parting_count, self.log]
        self._launch(_finish_kernel, shard.size, [self.rules, shard.number, shard.begin], [self.state, *flags, *lists])

    def _part(self, shard: Shard, seen: Mapping[str, torch.Tensor], final: Mapping[str, torch.Tensor]) -> None:
        """Keep the last observations of those of several agents whose episode is over; they come back or go."""
        listed = self._list(self.parting, self.parting_count, shard)
        self.sense(shard, seen, self.parting, self.parting_count)
        for name, last in final.items():
            self._launch(
                _keep_last_kernel, self._threads, [self.rules, self.state, _bytes(seen[name]), listed], [_bytes(last)]
            )
        self._launch(_part_kernel, self._threads, [self.tables, self.rules, self.kit, listed], [self.state])
        self._begin_tasks(listed)

    def regenerate(self, shard: Shard, worlds: wp.array, count: wp.array) -> None:
        """Give the first ``count[shard]`` worlds of the shard's part of a list their next level."""
        listed = self._list(worlds, count, shard)
        self._launch(_begin_episode_kernel, self._threads, [self.rules, listed], [self.state])
        self._make_land(self.options.window, listed)
        self.lighting.flood(listed)
        self._launch(_start_agents_kernel, self._threads, [self.tables, self.rules, self.kit, listed], [self.state])
        self._populate(listed)
        self._begin_tasks(listed)

    def begin_lives(self, shard: Shard, worlds: wp.array, count: wp.array) -> None:
        """Give the first ``count[shard]`` listed worlds of the shard another life where their level began."""
        s, fixed = self.state, [self.tables, self.rules]
        listed = self._list(worlds, count, shard)
        self._launch(_return_kernel, self._threads, [*fixed, listed], [s])
        self._make_land(self.options.window, listed)
        self._launch(_recall_kernel, self._threads, [*fixed, listed], [s])
        self.lighting.flood(listed)
        self._launch(_start_agents_kernel, self._threads, [*fixed, self.kit, listed], [s])
        self._begin_tasks(listed)

    def _populate(self, listed: Listed) -> None:
        """Animals on the land that the listed worlds have just made."""
        if self.rules.animals > 0:
            self._launch(_populate_kernel, self._threads, [self.tables, self.rules, listed], [self.state])

    def _begin_tasks(self, listed: Listed) -> None:
        """Tasks for the agents of the listed worlds, who stand where their episode begins."""
        if self.bank is not None:
            fixed = [self.tables, self.rules, self.bank, self.state]
            self._launch(_begin_tasks_kernel, self._threads, [*fixed, listed], [self.tasks])

    def follow(self, shard: Shard) -> None:
        """Move windows after their agents: hand over what is left, make what is entered, recall what was changed, and
        light it. What has changed before has to be lit before.
        """
        if not self.options.endless:
            return
        s, fixed = self.state, [self.tables, self.rules]
        self._launch(_begin_following_kernel, 1, [shard.number], [self.moved_count])
        self._launch(_follow_kernel, shard.size, [*fixed, shard.number, shard.begin], [s, self.moved, self.moved_count])
        listed = self._list(self.moved, self.moved_count, shard)
        self._make_land(CHUNK, listed)
        self._launch(_recall_kernel, self._threads, [*fixed, listed], [s])
        self._populate(listed)
        self.lighting.follow(listed)

    def relight(self, shard: Shard) -> None:
        """Light what has changed in the shard's worlds."""
        self.lighting.relight(shard.number, shard.begin, shard.size)

    def make_land(self, depth: int, worlds: wp.array, count: wp.array) -> None:
        """Land in the regions of the first ``count[0]`` listed worlds, which are in the first shard."""
        self._make_land(depth, self._list(worlds, count))

    def _make_land(self, depth: int, listed: Listed) -> None:
        """Land in the regions of the listed worlds, each as long as the window and ``depth`` blocks deep."""
        s, rules, side = self.state, self.rules, self.options.window
        self._launch(_sample_lattice_kernel, self._threads, [rules, s, side, depth, listed], [self.lattice])
        self._launch(_fill_columns_kernel, self._threads, [rules, self.lattice, side * depth, listed], [s])
        chunks = (side >> CHUNK_SHIFT) * (depth >> CHUNK_SHIFT)
        self._launch(_place_features_kernel, self._threads, [rules, self.veins, self.lattice, chunks, listed], [s])

    def sense(self, shard: Shard, into: Mapping[str, torch.Tensor], worlds: wp.array, count: wp.array) -> None:
        """Write the observations of the listed worlds."""
        listed = self._list(worlds, count, shard)
        if any(name in into for name in _SYMBOLS):
            fixed = [self.tables, self.rules, wp.vec3i(*self.options.cube), self.options.sight]
            self._launch(_sense_kernel, self._threads, [*fixed, self.state, listed], [self._senses(into)])
        if self.goals is not None and GOAL_SENSES[0] in into:
            self._launch(
                _sense_goals_kernel, self._threads, [self.rules, self.goals, self.tasks, listed], [goal_senses(into)]
            )
        if any(name in into for name in PICTURES):
            assert self.renderer is not None
            self.renderer.draw(self._launch, listed, into)
        if self.rules.agents > 1 and self.rules.respawn == 0:
            self._blank(into, listed)

    def _blank(self, into: Mapping[str, torch.Tensor], listed: Listed) -> None:
        """Agents that are gone see nothing; what they may do is seen to by the mask itself."""
        for name, tensor in into.items():
            if name != "action_mask":
                self._launch(_blank_kernel, self._threads, [self.rules, self.state, listed], [_bytes(tensor)])

    def draw(self, renderer: Renderer, worlds: wp.array, count: wp.array, pixels: torch.Tensor) -> None:
        """Draw the listed worlds with a renderer of any size, all in one shard."""
        renderer.draw(self._launch, self._list(worlds, count), {"pixels": pixels})

    def _senses(self, into: Mapping[str, torch.Tensor]) -> Senses:
        senses = Senses()
        for name in _SYMBOLS:
            kind = _SENSE_TYPES.get(name, wp.uint8)
            if name in into:
                tensor = into[name]
                setattr(
                    senses, name, wp.from_torch(tensor.reshape(tensor.shape[0], -1), dtype=kind, requires_grad=False)
                )
            else:
                setattr(senses, name, wp.empty((0, 0), dtype=kind, device=self.device))
        return senses

    def _list(self, worlds: wp.array, count: wp.array, shard: Shard | None = None) -> Listed:
        """The first ``count[shard]`` worlds of a shard's part of a list; by default of the first shard's."""
        number, begin = (shard.number, shard.begin) if shard else (0, 0)
        return list_worlds(worlds, count, number, begin, self._threads)

    @property
    def _threads(self) -> int:
        # A CPU launch is one serial loop anyway; striding by one keeps it cheapest.
        return 1 if self.device == "cpu" else _CUDA_THREADS

    def _launch(self, kernel: wp.Kernel, dim: int, inputs: list, outputs: list) -> None:
        wp.launch(kernel, dim, inputs=inputs, outputs=outputs, device=self.device)


def _flat(tensor: torch.Tensor, dtype: type) -> wp.array:
    return wp.from_torch(tensor, dtype=dtype, requires_grad=False)


def _bytes(tensor: torch.Tensor) -> wp.array:
    """A tensor ``[R, ...]`` as uint8 ``[R, bytes]``."""
    return _flat(tensor.reshape(tensor.shape[0], -1).view(torch.uint8), wp.uint8)
