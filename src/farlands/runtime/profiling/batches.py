"""The last rollout lived again, whole, without pictures and by halves, to see what parts and sizes cost."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from farlands.agents.noise import uniforms
from farlands.runtime.build import build_world
from farlands.runtime.loop import Run
from farlands.runtime.profiling.probe import wait
from farlands.worlds.world import ArraySpec, World, WorldSpec

_ROUNDS = 5
"""Times that things compared take turns."""
_TURN = 0.2
"""Seconds of a turn, about."""
_ACTS = 8
"""Choices of actions in a turn."""


class Batches:
    """Worlds and agents of a run that is over.

    Args:
        run: Its last rollout says what is done.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.rollout, self.device = run, run.collector.rollout, run.world.device

    def time_world(self, world: World, steps: int = 0) -> float:
        """Seconds of one rollout of a world, any number of rows up to the run's, from ``steps`` of it or all."""
        out, actions = world.allocate(), self.rollout.actions[:, : world.num_rows].contiguous()
        count = steps or len(actions)
        # The run's own world has stopwatches on it, which are the run's.
        step = type(world).step

        def work() -> None:
            for t in range(count):
                step(world, actions[t % len(actions)], out=out)

        return _seconds(work, self.device, bool(getattr(world, "supports_graph", False))) * len(actions) / count

    def compare_worlds(self) -> tuple[dict[str, float], float]:
        """Seconds of a rollout of the ``whole`` batch and ``without pictures``, if any; whole over half."""
        config, spec = self.run.config, self.run.world.spec
        worlds, half = {"whole": self.run.world}, config.num_worlds // 2
        plain = without_pictures(config.options, spec)
        if plain is not None:
            worlds["without pictures"] = self._like(config.num_worlds, plain)
        if half:
            worlds["half"] = self._like(half, config.options)
        once = self.time_world(self.run.world, 4) / len(self.rollout.actions)
        steps = max(4, min(len(self.rollout.actions), int(_TURN / max(once, 1e-6))))
        times = _take_turns({name: lambda world=world: self.time_world(world, steps) for name, world in worlds.items()})
        for name, world in worlds.items():
            if name != "whole":
                world.close()
        return times, times["whole"] / times["half"] if half else math.nan

    def compare_acting(self) -> float:
        """Time of choosing actions for all rows over that for half of them."""
        rows = self.rollout.num_rows
        if rows < 2:
            return math.nan
        sizes = {"whole": rows, "half": rows // 2}
        times = _take_turns({name: lambda size=size: self._time_acting(size, _ACTS) for name, size in sizes.items()})
        return times["whole"] / times["half"]

    def time_acting(self) -> float:
        """Seconds of choosing the actions of one rollout, on a GPU as a graph of its own."""
        return self._time_acting(self.rollout.num_rows, self.rollout.length, captured=True)

    @torch.no_grad()
    def _time_acting(self, rows: int, count: int, captured: bool = False) -> float:
        agent, device = self.run.agent, self.device
        act = type(agent).act
        observation = {key: value[0][:rows] for key, value in self.rollout.observations.items()}
        memory, first = self.rollout.memory[:rows].clone(), self.rollout.first[0][:rows]
        tick = torch.zeros((), dtype=torch.int64, device=device)
        noise = uniforms(0, torch.arange(rows, device=device), tick, agent.noise_size)

        def work() -> None:
            for _ in range(count):
                act(agent, observation, memory, first, noise)

        return _seconds(work, device, captured)

    def _like(self, num_worlds: int, options: Any) -> World:
        """Worlds that stand where the run's first so many stand, or at their start where that can't be had."""
        world = build_world(self.run.config.world, num_worlds, options, self.device)
        try:
            world.restore(self.run.world.snapshot(range(num_worlds)))
        except (NotImplementedError, RuntimeError, ValueError):
            world.reset(0)
        return world


def without_pictures(options: Any, spec: WorldSpec) -> Any | None:
    """The same options without the senses that are drawn; None where there are none, or nothing would be left.

    By convention an option named ``senses`` lists the observation keys to hand out.
    """
    senses = getattr(options, "senses", None)
    if not isinstance(senses, tuple):
        return None
    left = tuple(sense for sense in senses if not (sense in spec.observation and is_picture(spec.observation[sense])))
    return dataclasses.replace(options, senses=left) if left and left != senses else None


def is_picture(array: ArraySpec) -> bool:
    """Whether an observation array is drawn: it covers a plane of at least 16 x 16, or is stored in patches."""
    return bool(array.grid) or (len(array.shape) >= 2 and min(array.shape[:2]) >= 16)


def bytes_written(world: World) -> tuple[int, int]:
    """Bytes that a step has to write for its pictures, and for everything else, its actions read among it."""
    out, spec = world.allocate(), world.spec
    pictures = sum(_size(value) for key, value in out.observation.items() if is_picture(spec.observation[key]))
    everything = [*out.observation.values(), out.reward, out.terminated, out.truncated]
    actions = 4 * world.num_rows * math.prod(spec.action.shape)
    return pictures, sum(map(_size, everything)) - pictures + actions


def _seconds(work: Callable[[], None], device: torch.device, captured: bool) -> float:
    """Seconds of one call, after one that warms up; on a GPU of its replay as a graph, if it can be captured.

    On a CPU they are those that the processors gave to this process, of all threads together: all these seconds are for
    is comparing, and others at work on the same cores would be compared too.
    """
    call, clock = work, time.perf_counter if device.type == "cuda" else time.process_time
    if device.type == "cuda" and captured:
        stream, graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            work()
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                work()
        call = graph.replay
    call()
    wait(device)
    begin = clock()
    call()
    wait(device)
    return max(clock() - begin, 1e-9)


def _take_turns(works: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """Medians of what each gives, in rounds, so that a busy machine troubles all alike."""
    rounds = [{name: work() for name, work in works.items()} for _ in range(_ROUNDS)]
    return {name: statistics.median(each[name] for each in rounds) for name in works}


def _size(value: Tensor) -> int:
    return value.numel() * value.element_size()
