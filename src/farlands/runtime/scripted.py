"""The experts as agents, for evaluations and recordings: one scripted player for each row of a batch of worlds."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from farlands.agents.agent import Act
from farlands.worlds.voxel.alterations import alter
from farlands.worlds.voxel.expert.expert import Expert, Player
from farlands.worlds.voxel.expert.honest import HonestPlayer
from farlands.worlds.voxel.expert.memory import NEEDED, SeenView
from farlands.worlds.voxel.expert.planner import PlanError
from farlands.worlds.voxel.expert.task_expert import TaskExpert
from farlands.worlds.voxel.options import SENSES, VoxelOptions
from farlands.worlds.voxel.tasks.places import rules_seed
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Discrete, World, WorldSpec

GOAL = "diamond_pickaxe"


class ScriptedAgent:
    """Players that are no network: ``memory`` is empty, noise is ignored, and what they know is kept in this object.

    Every row plays its first episode after ``initial_memory`` and stands still in later ones, which evaluations do
    not look at, so that nobody waits for them; unless it is to play every episode.

    Args:
        spec: The world it will live in.
        options: What the world was made with.
        goal: Item to make or collect.
        every_episode: Whether later episodes are played too.

    Raises:
        ValueError: The actions are not flat, a sense it needs is missing, or there are several agents.
    """

    senses: tuple[str, ...] = ()
    """What it has to be shown; evaluations and recordings see to it."""
    noise_size = 1
    value_heads = 1

    def __init__(
        self, spec: WorldSpec, options: VoxelOptions = VoxelOptions(), goal: str = GOAL, *, every_episode: bool = False
    ) -> None:
        if not isinstance(spec.action, Discrete):
            raise ValueError("the expert plays flat actions: --world.actions flat")
        if getattr(options, "agents", 1) != 1:
            raise ValueError(f"the expert plays one agent to a world, not {options.agents}: --world.agents 1")
        missing = [name for name in self.senses if name not in spec.observation]
        if missing:
            raise ValueError(f"the expert needs to see {', '.join(missing)} too: --world.senses")
        self._options, self._goal, self._every_episode = options, goal, every_episode
        self._plays: list[Iterator[int] | None] = []
        self._over: set[int] = set()

    @classmethod
    def for_options(cls, spec: WorldSpec, options: VoxelOptions) -> ScriptedAgent:
        """One for a world that was made with these options."""
        return cls(spec, options)

    def initial_memory(self, rows: int) -> Tensor:
        """Empty, float32 ``[rows, 0]``; whoever played before is forgotten."""
        self._plays, self._over = [None] * rows, set()
        return torch.zeros(rows, 0)

    def act(self, observation: Mapping[str, Tensor], memory: Tensor, first: Tensor, noise: Tensor | None = None) -> Act:
        """See ``Agent.act``; values are zero."""
        rows, device = len(first), first.device
        if len(self._plays) != rows:
            self.initial_memory(rows)
        shown = {name: observation[name].cpu().numpy() for name in self.senses}
        begins = first.cpu().tolist()
        chosen = np.zeros(rows, dtype=np.int32)
        for row in range(rows):
            if begins[row] and (self._plays[row] is None or self._every_episode):
                self._plays[row] = self._begin(row)
                self._over.discard(row)
            elif begins[row]:
                self._over.add(row)
            if row not in self._over:
                chosen[row] = self._choose(row, {name: array[row] for name, array in shown.items()})
        zeros = torch.zeros(rows, device=device)
        return Act(torch.from_numpy(chosen).to(device), zeros, zeros[:, None], memory)

    def _begin(self, row: int) -> Generator[int, None, bool]:
        """A new player for a row."""
        raise NotImplementedError

    def _choose(self, row: int, seen: Mapping[str, np.ndarray]) -> int:
        """A row's next action; who knows no further stands still."""
        play = self._plays[row]
        try:
            return next(play, 0) if play is not None else 0
        except PlanError:
            self._over.add(row)
            return 0


class XrayExpert(ScriptedAgent):
    """The expert that reads the whole state of the worlds it plays in, through walls: an upper bound.

    In worlds that set tasks it pursues each world's own, see ``expert.task_expert``; elsewhere the goal item.
    """

    def __init__(
        self, spec: WorldSpec, options: VoxelOptions = VoxelOptions(), goal: str = GOAL, *, every_episode: bool = False
    ) -> None:
        super().__init__(spec, options, goal, every_episode=every_episode)
        self._world: VoxelWorld | None = None

    def attend(self, world: World) -> None:
        """Be told which worlds the next observations come from.

        Raises:
            ValueError: They are no voxel worlds on the CPU.
        """
        inner: Any = world
        while not hasattr(inner, "options") and hasattr(inner, "inner"):
            inner = inner.inner
        if not isinstance(getattr(inner, "options", None), VoxelOptions):
            raise ValueError(f"the expert reads voxel worlds, not {world.spec.name}")
        self._world = inner

    def _begin(self, row: int) -> Generator[int, None, bool]:
        if self._world is None:
            raise ValueError("the expert that sees everything was shown no world; honest-expert needs none")
        if self._world.options.task == "tasks":
            return TaskExpert(self._world, row).actions()
        return Expert(self._world, row, self._goal).actions()


class HonestExpert(ScriptedAgent):
    """The expert that knows nothing but its observations; the worlds may be anywhere."""

    senses = tuple(name for name in SENSES if name in NEEDED)

    def initial_memory(self, rows: int) -> Tensor:
        self._views = [SeenView(self._options) for _ in range(rows)]
        self._last = [0] * rows
        return super().initial_memory(rows)

    def _begin(self, row: int) -> Generator[int, None, bool]:
        self._views[row], self._last[row] = SeenView(self._options), 0
        rules = alter(rules_seed(self._options))
        player: Player = HonestPlayer(self._views[row], self._goal, self._options.ticks_per_step, rules)
        return player.actions()

    def _choose(self, row: int, seen: Mapping[str, np.ndarray]) -> int:
        self._views[row].take(seen, self._last[row])
        self._last[row] = super()._choose(row, seen)
        return self._last[row]
