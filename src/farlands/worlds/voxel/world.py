"""The voxel world: a batch of endless first-person survival and crafting worlds behind the ``World`` contract."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
import warp as wp

from farlands.worlds.voxel.actions import NUM_FACTORS
from farlands.worlds.voxel.alterations import alter
from farlands.worlds.voxel.capturing import launching, recording
from farlands.worlds.voxel.episodes import EpisodeBook
from farlands.worlds.voxel.generation.features import vein_rows
from farlands.worlds.voxel.generation.fields import CAVE_LEVELS, CAVE_SHIFT, COLUMN_SHIFT, NUM_RELIEF
from farlands.worlds.voxel.generation.terrain import Lattice
from farlands.worlds.voxel.kit import parse_kit
from farlands.worlds.voxel.launches import Launcher, Shard, load_kernels, load_task_kernels
from farlands.worlds.voxel.light.changes import LIGHT_ALL
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.rendering.renderer import PICTURES, Renderer
from farlands.worlds.voxel.rng import Purpose, pcg4d_host
from farlands.worlds.voxel.rules import make_rules
from farlands.worlds.voxel.spec import TASK_SUCCESS, check_options, world_spec
from farlands.worlds.voxel.state import Clock, allocate_state
from farlands.worlds.voxel.store import Store
from farlands.worlds.voxel.tables import make_tables
from farlands.worlds.voxel.tasks.bank import task_bank
from farlands.worlds.voxel.tasks.places import rules_seed
from farlands.worlds.voxel.tasks.program import LENGTH, encode_all
from farlands.worlds.voxel.tasks.senses import make_goal_bank
from farlands.worlds.voxel.tasks.state import TaskPay, allocate_tasks
from farlands.worlds.world import Episodes, Step, World


class VoxelWorld(World):
    """A batch of voxel worlds on one device.

    On a CPU the batch is split into shards, one thread each, and every shard's step is one captured graph of kernel
    launches. On a GPU the launches go to the current stream, so that a caller can capture them with its own work.

    Attributes:
        store: Everything that lasts, as tensors.
        supports_graph: Whether ``step`` may be captured in a CUDA graph together with torch's work.

    Args:
        num_worlds: W, at least 1.
        options: Rules and senses.
        device: ``"cpu"`` or ``"cuda"`` (``"cuda:1"``, ...).
        num_shards: CPU threads to step with; by default as many as torch has, but at least 16 worlds each.

    Raises:
        ValueError: An option or number that can't be, in one line.
    """

    Options = VoxelOptions

    def __init__(
        self, num_worlds: int, options: VoxelOptions = VoxelOptions(), *, device: str = "cpu", num_shards: int = 0
    ) -> None:  # fmt: skip
        if num_worlds < 1:
            raise ValueError(f"num_worlds {num_worlds} is out of range: at least 1")
        check_options(options)
        self.options = options
        self.num_worlds = num_worlds
        self.num_agents = options.agents
        self.device = torch.device(device)
        self.supports_graph = self.device.type == "cuda"
        self.spec = world_spec(options)
        self._device = str(self.device)
        self._side = options.window
        pictures = any(sense in PICTURES for sense in options.senses)
        load_kernels(self._device, pictures=pictures, company=options.agents > 1)
        self._shards = self._make_shards(num_shards)
        self._pool = ThreadPoolExecutor(len(self._shards)) if len(self._shards) > 1 else None
        self._graphs: dict[tuple[int, ...], list[object]] = {}
        self._graph_lock = threading.Lock()
        self._renderers: dict[tuple[int, int, int], Renderer] = {}
        self.state = allocate_state(num_worlds, self.num_agents, self._side, options.journal, self._device)
        self.tasks = allocate_tasks(self.num_rows, self._device, self.state.tally)
        self.store = Store(self.state, self.tasks, options, num_worlds)
        self._tensors = self.store.tensors
        self._launcher = self._make_launcher()
        if options.task == "tasks":
            self.set_tasks(encode_all(task_bank(options)), success=TASK_SUCCESS, ends=True)
        self.final_observation = self.allocate().observation
        self._seeded = False

    @functools.cached_property
    def _own_output(self) -> Step:
        """Where steps are written whose caller names no place for them; others do without."""
        return self.allocate()

    def set_tasks(self, programs: np.ndarray, *, success: int = 0, ends: bool = False) -> None:
        """Give every episode that begins from now on one of some tasks, drawn by its level's seed; then ``reset``.

        A step pays the change of the task's progress, one point for the whole way, on top of what the world pays.

        Args:
            programs: int32 ``[N, LENGTH]``, as ``tasks.program.encode_all`` writes them.
            success: Thousandths of a point on top when a task is fulfilled.
            ends: Whether that ends the episode.

        Raises:
            ValueError: The programs have another shape, or there is none.
        """
        if programs.ndim != 2 or programs.shape[1] != LENGTH or not len(programs):
            raise ValueError(f"tasks have shape {programs.shape}; expected (N, {LENGTH}) with N at least 1")
        load_task_kernels(self._device)
        pay = self._launcher.pay
        pay.progress, pay.success, pay.ends = 1, success, int(ends)
        self._launcher.bank = wp.array(programs, dtype=wp.int32, device=self._device)
        self._launcher.goals = make_goal_bank(programs, self._device)
        self._graphs.clear()

    def _make_shards(self, num_shards: int) -> list[Shard]:
        if self.device.type != "cpu":
            num_shards = 1
        elif num_shards < 1:
            num_shards = max(1, min(torch.get_num_threads(), self.num_worlds // 16))
        num_shards = min(num_shards, self.num_worlds)
        edges = [self.num_worlds * k // num_shards for k in range(num_shards + 1)]
        return [Shard(k, edges[k], edges[k + 1] - edges[k]) for k in range(num_shards)]

    def _make_launcher(self) -> Launcher:
        device, shards = self._device, len(self._shards)
        self._actions = torch.zeros(
            (self.num_rows, 1 if self.options.actions == "flat" else NUM_FACTORS), dtype=torch.int32, device=self.device
        )
        self._count = torch.zeros(shards, dtype=torch.int32, device=self.device)
        self._book = EpisodeBook([shard.size * self.num_agents for shard in self._shards], device)
        nodes = ((self._side >> COLUMN_SHIFT) + 1) ** 2
        caves = ((self._side >> CAVE_SHIFT) + 1) ** 2 * CAVE_LEVELS
        lattice = Lattice()
        lattice.relief = wp.zeros((self.num_worlds, nodes, NUM_RELIEF), dtype=wp.float32, device=device)
        lattice.caves = wp.zeros((self.num_worlds, caves), dtype=wp.vec3, device=device)
        kit = np.array(parse_kit(self.options.start_kit), dtype=np.int32).reshape(-1, 2)
        return Launcher(
            state=self.state,
            tables=make_tables(self.options.task, device, alter(rules_seed(self.options))),
            rules=make_rules(self.options),
            lattice=lattice,
            veins=wp.array(vein_rows(), dtype=wp.int32, device=device),
            kit=wp.array(kit, dtype=wp.int32, shape=kit.shape, device=device),
            actions=wp.from_torch(self._actions, requires_grad=False),
            finished=wp.zeros(self.num_worlds, dtype=wp.int32, device=device),
            count=wp.from_torch(self._count, requires_grad=False),
            parting=wp.zeros(self.num_worlds, dtype=wp.int32, device=device),
            parting_count=wp.zeros(shards, dtype=wp.int32, device=device),
            moved=wp.zeros(self.num_worlds, dtype=wp.int32, device=device),
            moved_count=wp.zeros(shards, dtype=wp.int32, device=device),
            everyone=wp.array(np.arange(self.num_worlds), dtype=wp.int32, device=device),
            shard_sizes=wp.array([shard.size for shard in self._shards], dtype=wp.int32, device=device),
            log=self._book.log,
            options=self.options,
            device=device,
            tasks=self.tasks,
            pay=TaskPay(),
            seen=self.allocate().observation if self.num_agents > 1 else None,
        )

    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        streams = self._streams(seed)
        clock = self._tensors["clock"]
        halves = torch.from_numpy(streams.view(np.int32).reshape(-1, 2).copy()).to(self.device)
        clock[Clock.STREAM_LOW] = halves[:, 0]
        clock[Clock.STREAM_HIGH] = halves[:, 1]
        clock[Clock.EPISODE] = -1
        self._book.clear()
        self._each_shard(
            lambda shard: self._launcher.regenerate(shard, self._launcher.everyone, self._launcher.shard_sizes)
        )
        self._seeded = True
        return self.observe(out if out is not None else self.allocate())

    def make_window(self, clock: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The window that a clock speaks of, as its seed made it and before any change; world 0 is spent on it.

        Args:
            clock: int32 ``[Clock]``.

        Returns:
            Blocks uint8 ``[S * S * 64]`` and tops uint8 ``[S * S]``, by cell and column of the window.
        """
        mine = self._tensors["clock"]
        mine[:, 0] = clock.to(self.device)
        for axis in (0, 1):
            mine[Clock.REGION_X + axis, 0] = mine[Clock.ORIGIN_X + axis, 0]
            mine[Clock.REGION_NX + axis, 0] = self._side
        one = wp.ones(1, dtype=wp.int32, device=self._device)
        with launching(), self._torch_stream():
            self._launcher.make_land(self._side, self._launcher.everyone, one)
        return self._tensors["blocks"][0].clone(), self._tensors["tops"][0].clone()

    def _streams(self, seed: int | Sequence[int]) -> np.ndarray:
        """uint64 ``[W]``: the stream of level seeds of each world; its first level is seeded by the stream itself."""
        try:
            seeds = [seed] if isinstance(seed, int | np.integer) else list(seed)
        except TypeError:
            raise ValueError(f"seed {seed!r} is neither an integer nor one for each world") from None
        for value in seeds:
            if not isinstance(value, int | np.integer) or not 0 <= int(value) < 2**64:
                raise ValueError(f"seed {value!r} is not an integer in [0, 2**64)")
        values = np.array([int(value) for value in seeds], dtype=np.uint64)
        if not isinstance(seed, int | np.integer):
            if len(values) != self.num_worlds:
                raise ValueError(f"{len(values)} seeds for {self.num_worlds} worlds: give one, or one for each world")
            return values
        low, high = values & np.uint64(0xFFFFFFFF), values >> np.uint64(32)
        words = pcg4d_host(
            low, high, self.first_world + np.arange(self.num_worlds), np.uint64(Purpose.WORLD_STREAM << 22)
        )
        high_words = words[1].astype(np.uint64) & np.uint64(0x7FFFFFFF)
        return words[0].astype(np.uint64) | (high_words << np.uint64(32))

    def step(self, actions: torch.Tensor, out: Step | None = None) -> Step:
        if not self._seeded:
            raise RuntimeError("step before reset: call reset(seed) first")
        self.check_actions(actions)
        self._actions.copy_(actions.reshape(self._actions.shape))
        target = self._own_output if out is None else out
        if self.supports_graph:
            with self._torch_stream():
                self._launcher.step(self._shards[0], target, self.final_observation)
        else:
            self._replay(target)
        return target if out is not None else _copy(target)

    def _replay(self, out: Step) -> None:
        """Run each shard's captured step in its own thread."""
        graphs = self._graphs_for(out)
        self._spread(lambda shard: wp.capture_launch(graphs[shard.number]))

    def _graphs_for(self, out: Step) -> list[object]:
        key = (out.reward.data_ptr(), out.terminated.data_ptr(), *(v.data_ptr() for v in out.observation.values()))
        with self._graph_lock:
            if key not in self._graphs:
                with recording():
                    self._graphs[key] = [self._capture(shard, out) for shard in self._shards]
        return self._graphs[key]

    def _capture(self, shard: Shard, out: Step) -> object:
        with wp.ScopedCapture(device=self._device) as capture:
            self._launcher.step(shard, out, self.final_observation)
        return capture.graph

    def _each_shard(self, work: Callable[[Shard], None]) -> None:
        """Launch kernels for every shard; see ``_spread``."""
        with launching():
            self._spread(work)

    def _spread(self, work: Callable[[Shard], None]) -> None:
        """Do work for every shard: side by side on a CPU, on torch's stream on a GPU."""
        if self._pool is None:
            with self._torch_stream():
                for shard in self._shards:
                    work(shard)
        else:
            for future in [self._pool.submit(work, shard) for shard in self._shards]:
                future.result()

    def _torch_stream(self) -> AbstractContextManager[object]:
        """Launch on the stream torch is on, so that a caller may order or capture both together."""
        if not self.supports_graph:
            return nullcontext()
        return wp.ScopedStream(wp.stream_from_torch(torch.cuda.current_stream(self.device)))

    def observe(self, out: Step) -> Step:
        self._each_shard(
            lambda shard: self._launcher.sense(
                shard, out.observation, self._launcher.everyone, self._launcher.shard_sizes
            )
        )
        return out.clear_outcome()

    def render(self, worlds: Sequence[int], height: int, width: int, *, first_only: bool = False) -> torch.Tensor:
        """First-person pictures of the agents of some worlds, at any size.

        Args:
            worlds: Which.
            height, width: In pixels.
            first_only: Draw the first agent of each world alone, which takes a share of the time.

        Returns:
            uint8 ``[len(worlds) * A, height, width, 3]``, the agents of a world one after the other; with
            ``first_only`` ``[len(worlds), height, width, 3]``.
        """
        chosen = self._index(worlds)
        drawn = 1 if first_only else self.num_agents
        if (height, width, drawn) not in self._renderers:
            self._renderers[height, width, drawn] = Renderer(
                self.state, self._launcher.tables, self._launcher.rules, self.num_rows, self.options, self._device,
                size=(height, width), drawn=drawn,
            )  # fmt: skip
        pixels = torch.zeros((self.num_rows, height, width, 3), dtype=torch.uint8, device=self.device)
        listed = wp.from_torch(chosen.to(torch.int32), requires_grad=False)
        count = wp.array([len(chosen)], dtype=wp.int32, device=self._device)
        with launching(), self._torch_stream():
            self._launcher.draw(self._renderers[height, width, drawn], listed, count, pixels)
        return pixels.unflatten(0, (self.num_worlds, self.num_agents))[chosen, :drawn].flatten(0, 1)

    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, torch.Tensor]:
        return self.store.take(self._index(worlds))

    def restore(self, snapshot: Mapping[str, torch.Tensor], worlds: Sequence[int] | None = None) -> None:
        self.store.put(snapshot, self._index(worlds))
        self.relight(worlds)
        self._seeded = True

    def relight(self, worlds: Sequence[int] | None = None) -> None:
        """Work out the light of whole windows anew, after their blocks and tops were written from outside.

        Args:
            worlds: Which; all by default.

        Raises:
            ValueError: A world is out of range.
        """
        wp.to_torch(self.state.light_count)[self._index(worlds)] = LIGHT_ALL
        self._each_shard(self._launcher.relight)

    def state_hash(self, worlds: Sequence[int] | None = None) -> torch.Tensor:
        return self.store.hash(self._index(worlds))

    def present_levels(self) -> tuple[np.ndarray, np.ndarray]:
        clock = wp.to_torch(self.state.clock).cpu().numpy()
        low, high = (clock[row].view(np.uint32).astype(np.uint64) for row in (Clock.SEED_LOW, Clock.SEED_HIGH))
        return low | (high << np.uint64(32)), clock[Clock.STEP].astype(np.int64)

    def _index(self, worlds: Sequence[int] | None) -> torch.Tensor:
        chosen = range(self.num_worlds) if worlds is None else worlds
        for w in chosen:
            if not 0 <= w < self.num_worlds:
                raise ValueError(f"world {w} is out of range: 0 to {self.num_worlds - 1}")
        return torch.as_tensor(list(chosen), dtype=torch.int64, device=self.device)

    def state_dict(self) -> dict[str, torch.Tensor]:
        return self.store.state_dict() | self._book.state_dict()

    def load_state_dict(self, state: Mapping[str, torch.Tensor]) -> None:
        self.store.check(state)
        self._book.check(state)
        self.store.load_state_dict(state)
        self._book.load_state_dict(state)
        self.relight()
        self._seeded = True

    def regroup(self, pieces: Sequence[tuple[Mapping[str, torch.Tensor], slice]]) -> dict[str, torch.Tensor]:
        return self.store.regroup(pieces) | self._book.empty_state()

    def drain_episodes(self) -> Episodes:
        return self._book.drain()

    def close(self) -> None:
        self._graphs.clear()
        if self._pool is not None:
            self._pool.shutdown()


def _copy(step: Step) -> Step:
    return Step(
        {key: value.clone() for key, value in step.observation.items()},
        step.reward.clone(), step.terminated.clone(), step.truncated.clone(),
    )  # fmt: skip
