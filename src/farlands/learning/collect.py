"""Collection: an agent lives in a world for T steps at a time, all of it on the world's device.

Axis letters: T steps, R rows, V value heads, M memory, K uniforms per action, S slots.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from farlands.agents.agent import Agent
from farlands.agents.noise import uniforms
from farlands.learning.rollout import Rollout, allocate_rollout
from farlands.worlds.world import World


class Collector:
    """Fills one rollout again and again, each going on where the last one ended.

    Action noise is a function of (seed, global row id, tick), so that neither the split of rows over processes nor the
    rollout's length changes it. On a GPU the first collection runs eagerly and the whole phase is then captured as one
    CUDA graph, if the world says so by an attribute ``supports_graph``; capturing runs nothing, so no state moves.

    Args:
        world: Where to live.
        agent: Who lives there; ``Agent`` or anything with its ``act`` and sizes.
        length: T.
        seed: Of the action noise, in [0, 2**64).
        chunks: C; memory is stored at the start of every ``length / chunks`` steps.
        first_row: Global id of this world's row 0.

    Raises:
        ValueError: ``chunks`` does not divide ``length``.
    """

    per_row = ("observation", "memory", "first")
    """Entries of ``state_dict`` with a leading row axis, or dicts of them."""

    def __init__(
        self, world: World, agent: Agent, length: int, seed: int, *, chunks: int = 1, first_row: int = 0
    ) -> None:
        if length < 1 or chunks < 1 or length % chunks:
            raise ValueError(f"chunks is {chunks}; it must divide length, which is {length}")
        self.world, self.agent, self.seed, self.chunk = world, agent, seed, length // chunks
        device = world.device
        self.rollout = allocate_rollout(world, length, agent.value_heads, agent.memory_size, chunks)
        self.memory = torch.zeros(world.num_rows, agent.memory_size, device=device)
        self.tick = torch.zeros((), dtype=torch.int64, device=device)
        self._rows = first_row + torch.arange(world.num_rows, device=device)
        self._times = torch.arange(length, device=device)
        self._endings = Truncations(world, length, agent.memory_size)
        self._graph = _Graph() if device.type == "cuda" and getattr(world, "supports_graph", False) else None

    def start(self, seed: int) -> None:
        """Reset the world and begin at tick 0."""
        self.world.reset(seed, out=self.rollout.steps[self.rollout.length])
        self.rollout.first[-1].fill_(True)
        self.memory.zero_()
        self.tick.zero_()

    @torch.no_grad()
    def collect(self) -> Rollout:
        """Live T steps of every row; the same storage is returned, overwritten, each time."""
        if self._graph:
            self._graph.run(self._collect)
        else:
            self._collect()
        return self.rollout

    def state_dict(self) -> dict[str, Any]:
        """Where collection stands; the world's own state is saved by its owner."""
        observation = {key: value[-1].clone() for key, value in self.rollout.steps.observation.items()}
        state = {"memory": self.memory, "first": self.rollout.first[-1], "tick": self.tick}
        return {"observation": observation, **{name: value.clone() for name, value in state.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back.

        Raises:
            ValueError: Keys or shapes do not fit.
        """
        here = {key: value[-1] for key, value in self.rollout.steps.observation.items()}
        here |= {"memory": self.memory, "first": self.rollout.first[-1], "tick": self.tick}
        given = {**state.get("observation", {}), **{k: v for k, v in state.items() if k != "observation"}}
        if set(given) != set(here):
            raise ValueError(f"the collector's state has {sorted(given)}; expected {sorted(here)}")
        for name, value in here.items():
            if given[name].shape != value.shape:
                found, expected = tuple(given[name].shape), tuple(value.shape)
                raise ValueError(f"{name} of the collector's state has shape {found}; expected {expected}")
        for name, value in here.items():
            value.copy_(given[name])

    def _collect(self) -> None:
        rollout, steps = self.rollout, self.rollout.steps
        for value in steps.observation.values():
            value[0].copy_(value[-1])
        rollout.first[0].copy_(rollout.first[-1])
        self._endings.clear()
        noise = uniforms(self.seed, self._rows, self.tick + self._times, self.agent.noise_size)
        for t in range(rollout.length):
            if t % self.chunk == 0:
                rollout.memories[t // self.chunk].copy_(self.memory)
            self._step(t, noise[t])
        last = self.agent.act(steps[rollout.length].observation, self.memory, rollout.first[-1])
        rollout.values[-1].copy_(last.value)
        self._endings.write_next_values(self.agent, rollout)
        self.tick += rollout.length

    def _step(self, t: int, noise: Tensor) -> None:
        rollout, after = self.rollout, self.rollout.steps[t + 1]
        act = self.agent.act(rollout.steps[t].observation, self.memory, rollout.first[t], noise)
        rollout.actions[t].copy_(act.action)
        rollout.log_probs[t].copy_(act.log_prob)
        rollout.values[t].copy_(act.value)
        self.memory.copy_(act.memory)
        self.world.step(rollout.actions[t], out=after)
        torch.logical_or(after.terminated, after.truncated, out=rollout.first[t + 1])
        self._endings.record(t, after.truncated, self.memory)


class Truncations:
    """Last observations and memories of episodes cut within a rollout, for the value they had left.

    A row's episodes are cut at least ``horizon`` steps apart, so that ``ceil(T / horizon)`` slots per row hold all of
    them, one when the horizon is no shorter than the rollout, none where nothing is ever cut. The slots are filled
    before the world overwrites its ``final_observation``, and valued in one forward pass at the rollout's end.
    Nothing depends on the host, so it works inside a CUDA graph.

    Args:
        world: Whose episodes are cut.
        length: T.
        memory_size: M.
    """

    def __init__(self, world: World, length: int, memory_size: int) -> None:
        self.world = world
        horizon, rows, device = world.spec.horizon, world.num_rows, world.device
        self.slots = 0 if horizon is None else -(-length // horizon)
        self._observation = world.allocate(self.slots).observation
        self._memory = torch.zeros(self.slots, rows, memory_size, device=device)
        self._count = torch.zeros(rows, dtype=torch.int64, device=device)
        self._slot = torch.zeros(length, rows, dtype=torch.int64, device=device)

    def clear(self) -> None:
        """Before a new rollout."""
        self._count.zero_()

    def record(self, t: int, truncated: Tensor, memory: Tensor) -> None:
        """Keep what the rows cut at step t saw last, and their memory float32 ``[R, M]`` from before seeing it."""
        if not self.slots:
            return
        self._slot[t].copy_(self._count)
        for slot in range(self.slots):
            here = truncated & (self._count == slot)
            for key, kept in self._observation.items():
                _keep(here, self.world.final_observation[key], kept[slot])
            _keep(here, memory, self._memory[slot])
        self._count += truncated

    def write_next_values(self, agent: Agent, rollout: Rollout) -> None:
        """Fill ``rollout.next_values``."""
        rollout.next_values.copy_(rollout.values[1:])
        if not self.slots:
            return
        observation = {key: kept.flatten(0, 1) for key, kept in self._observation.items()}
        memory = self._memory.flatten(0, 1)
        first = torch.zeros(len(memory), dtype=torch.bool, device=memory.device)
        value = agent.act(observation, memory, first).value.unflatten(0, (self.slots, -1))
        index = self._slot.clamp(max=self.slots - 1)[..., None].expand(rollout.next_values.shape)
        final = value.gather(0, index)
        rollout.next_values.copy_(torch.where(rollout.truncated[..., None], final, rollout.next_values))


def _keep(rows: Tensor, new: Tensor, kept: Tensor) -> None:
    """Overwrite the chosen rows of ``kept``, rows bool ``[R]``."""
    if rows.device.type == "cpu":
        # Touches only those rows; on a GPU their number would have to come back to the host.
        kept[rows] = new[rows]
        return
    torch.where(rows.view(-1, *(1,) * (kept.ndim - 1)), new, kept, out=kept)


class _Graph:
    """A phase captured as one CUDA graph on a stream of its own, which Warp shares with torch."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()
        self._graph: torch.cuda.CUDAGraph | None = None
        self._warm = False

    def run(self, phase: Any) -> None:
        """Run the phase: the first time eagerly, which also compiles and allocates what it needs; then replay."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            if not self._warm:
                phase()
                self._warm = True
            else:
                self._replay(phase)
        torch.cuda.current_stream().wait_stream(self._stream)

    def _replay(self, phase: Any) -> None:
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=self._stream, capture_error_mode="thread_local"):
                phase()
        self._graph.replay()
