"""One world in words and numbers, and from above, as pages show it."""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from farlands.studio.scenes import Scene, Thought
from farlands.worlds.world import Discrete, MultiDiscrete, World, WorldSpec

if TYPE_CHECKING:
    from farlands.worlds.voxel.world import VoxelWorld

_LIKELIEST = 8
"""Options that are told with their chances."""
_HISTORY = 240
"""Steps over which values are told."""
_WAY = 600
"""Places that a way remembers."""


class Portrait:
    """What is told about one world of a scene, and what it did lately.

    Args:
        scene: The worlds.
        index: Which of them.

    Attributes:
        values: What the agent expected at the latest steps, the newest last.
        rewards: What it was paid by the world at these steps.
        way: Blocks (x, y) it stood on in this episode.
    """

    def __init__(self, scene: Scene, index: int) -> None:
        self.scene, self.index = scene, index
        self.values: deque[float] = deque(maxlen=_HISTORY)
        self.rewards: deque[float] = deque(maxlen=_HISTORY)
        self.way: deque[tuple[int, int]] = deque(maxlen=_WAY)
        self.total = 0.0

    @property
    def _row(self) -> int:
        return self.index * self.scene.world.num_agents

    def follow(self) -> None:
        """Take in the scene's newest step."""
        thought = self.scene.thought
        if thought is None:
            return
        reward = float(thought.reward[self._row])
        self.rewards.append(reward)
        if thought.value is not None and not torch.isnan(thought.value[self._row]):
            self.values.append(float(thought.value[self._row]))
        self.total = 0.0 if bool(thought.ended[self._row]) else self.total + reward
        if bool(thought.ended[self._row]):
            self.way.clear()
        place = place_of(self.scene.world, self.index)
        if place is not None and (not self.way or self.way[-1] != place[:2]):
            self.way.append(place[:2])

    def describe(self) -> dict[str, Any]:
        """Everything about it, as JSON data."""
        world, thought = self.scene.world, self.scene.thought
        levels = world.present_levels()
        told: dict[str, Any] = {
            "world": self.index,
            "reward": round(self.total, 3),
            "values": [round(value, 3) for value in self.values],
            "rewards": [round(value, 3) for value in self.rewards],
            "achieved": achieved(world, self.index),
            "goal": goal_of(world, self.index),
            **senses_of(world.spec, self.scene.seen.observation, self._row),
        }
        if levels is not None:
            told |= {"seed": str(int(levels[0][self.index])), "step": int(levels[1][self.index])}
        if thought is not None:
            told |= describe_thought(world.spec, thought, self._row)
        return told

    def map(self) -> np.ndarray | None:
        """The land around it from above with its way on it, uint8 ``[S, S, 3]``, north up; None where there is none."""
        world = self.scene.world
        if not hasattr(world, "store"):
            return None
        return draw_map(world, self.index, self.way)  # type: ignore[arg-type]


def describe_thought(spec: WorldSpec, thought: Thought, row: int) -> dict[str, Any]:
    """The action and the likeliest options of a row, as JSON data."""
    told: dict[str, Any] = {"action": action_name(spec, thought.action[row])}
    if thought.chances is not None and not torch.isnan(thought.chances[row, 0]):
        names, chances = option_names(spec), thought.chances[row]
        best = torch.topk(chances, min(_LIKELIEST, len(chances)))
        told["options"] = [
            [names[int(index)], round(float(chance), 4)]
            for chance, index in zip(best.values, best.indices, strict=True)
        ]
    return told


def senses_of(spec: WorldSpec, observation: Any, row: int) -> dict[str, Any]:
    """Vitals, flags, what is carried and worn, where a world shows them."""
    told: dict[str, Any] = {}
    for name in ("vitals", "status"):
        if name in observation and spec.observation[name].labels:
            labels = spec.observation[name].labels
            told[name] = dict(zip(labels, map(int, observation[name][row].tolist()), strict=True))
    if "inventory" in observation:
        counts = zip(spec.observation["inventory"].labels, observation["inventory"][row].tolist(), strict=True)
        told["inventory"] = {name: int(count) for name, count in counts if count}
    if "equipment" in observation and spec.observation["equipment"].categories:
        array = spec.observation["equipment"]
        told["equipment"] = {
            place: array.categories[int(item)]
            for place, item in zip(array.labels, observation["equipment"][row].tolist(), strict=True)
            if item
        }
    return told


def achieved(world: World, index: int) -> dict[str, int]:
    """Achievements of a world's first agent and the step of each, from 1; empty where it can't be told."""
    unlocked = _tensor(world, "unlocked")
    if unlocked is None:
        return {}
    steps = unlocked[index * world.num_agents].tolist()
    return {name: int(step) for name, step in zip(world.spec.achievements, steps, strict=True) if step >= 0}


def goal_of(world: World, index: int) -> dict[str, Any] | None:
    """What the first agent of a world is after, in words, and how far it has come, in [0, 1]; None for no one goal."""
    chosen, progress = _tensor(world, "task_index"), _tensor(world, "task_progress")
    options = getattr(world, "options", None)
    if chosen is not None and progress is not None and getattr(options, "task", "") == "tasks":
        from farlands.worlds.voxel.tasks.bank import task_bank
        from farlands.worlds.voxel.tasks.sentence import sentence

        row = index * world.num_agents
        task = task_bank(options)[int(chosen[row])]  # type: ignore[arg-type]
        return {"text": sentence(task), "progress": int(progress[row]) / 1000}
    return {"text": world.spec.goal.replace("_", " ")} if world.spec.goal else None


def place_of(world: World, index: int) -> tuple[int, int, int] | None:
    """Block (x east, y north, z up) of the first agent of a voxel world; None in others."""
    body = _tensor(world, "body")
    if body is None:
        return None
    from farlands.worlds.voxel.state import POSITION_SHIFT, Body

    row = index * world.num_agents
    x, y, z = (int(body[axis, row]) >> POSITION_SHIFT for axis in (Body.X, Body.Y, Body.Z))
    return x, y, z


def draw_map(world: VoxelWorld, index: int, way: Any) -> np.ndarray:
    """A voxel world's window from above, uint8 ``[S, S, 3]``, north up, with a way of blocks (x, y) on it."""
    from farlands.worlds.voxel.options import HEIGHT
    from farlands.worlds.voxel.state import Clock

    side, clock = world.options.window, world.store.tensors["clock"][:, index]
    blocks = world.store.tensors["blocks"][index].view(side, side, HEIGHT)
    # The highest block of each column that is not air.
    depth = (blocks != 0).flip(-1).to(torch.uint8).argmax(dim=-1)
    top = HEIGHT - 1 - depth
    shown = blocks.gather(-1, top[..., None].long())[..., 0].cpu().numpy()
    light = 0.7 + 0.3 * np.clip((top.cpu().numpy() - 20) / 30, 0, 1)
    picture = (_colours()[shown] * light[..., None]).astype(np.uint8)
    x0, y0 = int(clock[Clock.ORIGIN_X]), int(clock[Clock.ORIGIN_Y])
    # Columns are stored by coordinate modulo the side; unroll so that the window's corner comes first.
    picture = np.roll(picture, (-(x0 % side), -(y0 % side)), axis=(0, 1))
    for age, (x, y) in enumerate(reversed(way)):
        if 0 <= x - x0 < side and 0 <= y - y0 < side:
            bright = max(0.35, 1 - age / _WAY)
            picture[x - x0, y - y0] = (np.array([255, 80, 60]) * bright).astype(np.uint8)
    here = place_of(world, index)
    if here and 0 <= here[0] - x0 < side and 0 <= here[1] - y0 < side:
        picture[here[0] - x0, here[1] - y0] = (255, 255, 255)
    return np.ascontiguousarray(picture.transpose(1, 0, 2)[::-1])


@cache
def _colours() -> np.ndarray:
    """Mean colour of the top of every block, float ``[blocks, 3]``."""
    from farlands.worlds.voxel.blocks import BLOCKS
    from farlands.worlds.voxel.rendering.textures import block_tile

    def colour(name: str) -> np.ndarray:
        tile = block_tile(name, "top").astype(np.float64)
        weight = tile[..., 3:] + 1e-6
        return (tile[..., :3] * weight).sum(axis=(0, 1)) / weight.sum()

    return np.stack([np.zeros(3) if block.name == "air" else colour(block.name) for block in BLOCKS])


def option_names(spec: WorldSpec) -> list[str]:
    """Names of all options of an action, of several choices side by side."""
    action = spec.action
    if isinstance(action, Discrete):
        return list(action.names) or [str(index) for index in range(action.n)]
    if isinstance(action, MultiDiscrete):
        names = action.names or tuple(tuple(map(str, range(n))) for n in action.nvec)
        return [name for choice in names for name in choice]
    return []


def action_name(spec: WorldSpec, action: torch.Tensor) -> str:
    """One row's action in words."""
    if isinstance(spec.action, Discrete) and spec.action.names:
        return spec.action.names[int(action)]
    if isinstance(spec.action, MultiDiscrete) and spec.action.names:
        chosen = [names[int(k)] for names, k in zip(spec.action.names, action.tolist(), strict=True)]
        return " ".join(name for name in chosen if name not in ("none", "no")) or "nothing"
    values = action.flatten().tolist()
    return ", ".join(f"{value:.2f}" if isinstance(value, float) else str(value) for value in values)


def _tensor(world: World, name: str) -> torch.Tensor | None:
    store = getattr(world, "store", None)
    return None if store is None else store.tensors.get(name)
