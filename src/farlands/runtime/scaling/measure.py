"""Timing the sizes of an axis, which take turns."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from farlands.agents.baselines import RandomAgent
from farlands.agents.noise import uniforms
from farlands.config import TrainConfig
from farlands.learning.collect import Collector
from farlands.learning.ppo import PPO
from farlands.rewards.source import reward_streams, value_streams
from farlands.runtime.build import build_agent, build_world, memory_guard
from farlands.runtime.energy import Meter
from farlands.runtime.profiling.probe import wait
from farlands.runtime.scaling.axes import Axis
from farlands.worlds.world import World

_WARM = 3
"""Calls before anything is timed: they compile, allocate and capture."""
_BATCHES = 64
"""Batches of random actions drawn beforehand."""


class WorldSubject:
    """A world alone, under uniform random actions; a unit of work is one step of the whole batch."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.world = build_world(config.world, config.num_worlds, config.options, device)
        step = self.world.reset(0)
        self._out, self._actions, self._next = self.world.allocate(), _draw_actions(self.world, step.observation), 0

    def work(self) -> None:
        """One step."""
        self.world.step(self._actions[self._next % _BATCHES], out=self._out)
        self._next += 1

    units = 1
    """Steps of the batch in one call of ``work``."""

    def close(self) -> None:
        self.world.drain_episodes()
        self.world.close()


class TrainingSubject:
    """Training from end to end; a call of ``work`` is one update."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        # A cap on minibatches lets few worlds be measured with settings meant for many.
        ppo = dataclasses.replace(config.ppo, minibatches=min(config.ppo.minibatches, config.num_worlds))
        config = dataclasses.replace(config, ppo=ppo)
        self.world = build_world(config.world, config.num_worlds, config.options, device)
        agent, self._sources = build_agent(config, self.world.spec, device)
        self._learner = PPO(agent, ppo, value_streams(self._sources, ppo.discount))
        chunks = ppo.rollout // ppo.chunk if ppo.chunk else 1
        with memory_guard():
            self._collector = Collector(self.world, agent, ppo.rollout, 0, chunks=chunks)
        self._collector.start(0)
        self.units = ppo.rollout

    def work(self) -> None:
        """One update."""
        rollout = self._collector.collect()
        self._learner.update(rollout, reward_streams(self._sources, rollout), 0.0)
        self.world.drain_episodes()

    def close(self) -> None:
        self.world.close()


Subject = WorldSubject | TrainingSubject
Clock = Callable[[], float]


def measure_axis(
    axis: Axis,
    values: Sequence[Any],
    config: TrainConfig,
    rounds: int,
    seconds: float,
    device: torch.device,
    clock: Clock = time.perf_counter,
) -> dict[str, Any]:
    """Seconds of one step of the whole batch at every value, in rounds, by some clock.

    Returns:
        ``sizes`` float ``[N]`` (NaN where they can't be counted), ``seconds`` float ``[R, N]``.

    Raises:
        UserError: A value is impossible, or does not fit in memory.
    """
    kind = WorldSubject if axis.measured == "world" else TrainingSubject
    changed = [_changed(axis, config, value) for value in values]
    with memory_guard():
        subjects: list[Subject] = [kind(each, device) for each in changed]
        try:
            times = take_turns(subjects, rounds, seconds, device, clock)
            counted = [_count_creatures(subject.world) for subject in subjects]
        finally:
            for subject in subjects:
                subject.close()
    sizes = [axis.size(each, value) for each, value in zip(changed, values, strict=True)]
    return {
        "sizes": [count if size is None else size for size, count in zip(sizes, counted, strict=True)],
        "seconds": times,
    }


def take_turns(
    subjects: Sequence[Subject], rounds: int, seconds: float, device: torch.device, clock: Clock = time.perf_counter
) -> np.ndarray:
    """Seconds of one unit of each subject, float ``[R, N]``; in every round each has its turn."""
    counts = []
    for subject in subjects:
        _timed(subject, _WARM, device, clock)
        counts.append(max(1, round(seconds / max(_timed(subject, 1, device, clock) * subject.units, 1e-6))))
    return np.array(
        [
            [_timed(subject, count, device, clock) for subject, count in zip(subjects, counts, strict=True)]
            for _ in range(rounds)
        ]
    )


def measure_base(config: TrainConfig, rounds: int, seconds: float, device: torch.device) -> dict[str, Any]:
    """Speed and energy of training with the settings as they are.

    Returns:
        ``steps_per_second`` by round, ``joules_per_step`` over all rounds or None, ``num_worlds``.
    """
    with memory_guard():
        subject = TrainingSubject(config, device)
        try:
            take_turns([subject], 1, seconds, device)
            meter = Meter(device)
            times = take_turns([subject], rounds, seconds, device)[:, 0]
            joules, spent = meter.joules, meter.seconds
        finally:
            subject.close()
    rates = [subject.world.num_rows / each for each in times]
    power = None if joules is None else joules / spent
    # Warm-up and calibration draw the same power; what they took is not counted as steps.
    return {
        "steps_per_second": rates,
        "joules_per_step": None if power is None else power / float(np.median(rates)),
        "num_worlds": config.num_worlds,
    }


def _timed(subject: Subject, count: int, device: torch.device, clock: Clock) -> float:
    """Seconds of one unit, over ``count`` calls."""
    begin = clock()
    for _ in range(count):
        subject.work()
    wait(device)
    taken = clock() - begin
    # What a world noted down of its episodes is read between turns, as a run would.
    subject.world.drain_episodes()
    return taken / (count * subject.units)


def _changed(axis: Axis, config: TrainConfig, value: Any) -> TrainConfig:
    from farlands.errors import UserError

    try:
        return axis.change(config, value)
    except ValueError as error:
        raise UserError(f"--axes: {axis.name} is", value, str(error)) from error


def _draw_actions(world: World, observation: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    actor, rows = RandomAgent(world.spec), torch.arange(world.num_rows, device=world.device)
    first, memory = torch.ones_like(rows, dtype=torch.bool), torch.zeros(world.num_rows, 0, device=world.device)
    # Masks are left aside: an impossible choice does nothing, and drawing is not what is measured.
    free = {key: value for key, value in observation.items() if key != "action_mask"}
    noise: Callable[[int], torch.Tensor] = lambda t: uniforms(  # noqa: E731
        0, rows, torch.tensor(t, device=world.device), actor.noise_size
    )
    return [actor.act(free, memory, first, noise(t)).action for t in range(_BATCHES)]


def _count_creatures(world: World) -> float:
    """Mean number of creatures in a world now; NaN in worlds that don't list them."""
    try:
        listed = world.snapshot(range(min(world.num_worlds, 64))).get("creatures")
    except (NotImplementedError, RuntimeError):
        return math.nan
    # Rows in use are the first ones; beyond them all is zero.
    return math.nan if listed is None else float((listed.flatten(2) != 0).any(dim=2).sum(dim=1).float().mean())
