"""A short training run, looked at part by part: time in place, work counted, and what a half batch would cost."""

from __future__ import annotations

import dataclasses
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from farlands.config import TrainConfig
from farlands.runtime.build import build_run, memory_guard
from farlands.runtime.callbacks import Callback, Context
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.devices import resolve_device, resolve_threads
from farlands.runtime.display import Display
from farlands.runtime.loop import Run, run_loop
from farlands.runtime.machine import usable_cores
from farlands.runtime.profiling.batches import Batches, bytes_written
from farlands.runtime.profiling.config import ProfileConfig
from farlands.runtime.profiling.counting import Work
from farlands.runtime.profiling.hooks import Hooks
from farlands.runtime.profiling.probe import Limits, probe
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.signals import StopRequest

_WARM = 3
"""Updates before any is measured: they compile, allocate, capture, and the first of them is counted."""
_LEAST = 3
"""Updates that are measured in any case."""
_STATES = ("agent", "learner", "world", "collector")
"""What a profile takes from a checkpoint."""


@dataclass(frozen=True)
class Profile:
    """What was measured.

    Attributes:
        steps: Of all rows, in one update.
        updates: How many were measured.
        seconds: By part, per update, medians; parts of ``collect`` and ``learn`` among them.
        joules: By part, per update, where they can be told.
        work: By part, per update; of ``simulate`` and ``draw`` only the bytes that it has to read and write.
        limits: Of the device.
        halved: By part, its time over that of half as many rows: 2 where time is proportional, 1 where a batch costs
            the same whatever its size.
        captured: Whether collection is one CUDA graph, whose parts were timed by themselves.
        device, threads, num_worlds: What it ran with.
        load: Tasks that wanted a core, for each core there is, over the last minute; NaN where that isn't told.
    """

    steps: int
    updates: int
    seconds: Mapping[str, float]
    joules: Mapping[str, float]
    work: Mapping[str, Work]
    limits: Limits
    halved: Mapping[str, float]
    captured: bool
    device: str
    threads: int
    num_worlds: int
    load: float


def measure(config: ProfileConfig, display: Display) -> Profile:
    """Train for a while in a temporary directory. Raises UserError as ``train`` does."""
    device, threads = resolve_device(config.device), resolve_threads(config.threads)
    train = dataclasses.replace(config.train_config(), device=str(device), threads=threads)
    display.status("making worlds; the first time ever, kernels are compiled, which takes a minute")
    with _scratch() as directory:
        train = dataclasses.replace(train, run_dir=str(directory.path))
        # Nothing is worth saving: signals end the process as ever.
        run = build_run(train, directory, display, StopRequest())
        try:
            if config.run:
                _take_up(run, config.run, display)
            display.status("measuring what the device can do")
            limits = probe(device)
            return _look(run, config.seconds, limits, display)
        finally:
            run.close()


def _look(run: Run, seconds: float, limits: Limits, display: Display) -> Profile:
    hooks = Hooks(run)
    watch = _Watch(run, seconds, hooks.stop_counting)
    run.callbacks.append(watch)
    display.status("training")
    with memory_guard():
        run_loop(run)
        display.status("comparing batches")
        return _summarise(run, hooks, watch.rows, limits)


class _Watch(Callback):
    """Keeps the figures of every update after the warm ones, and ends the run in time."""

    def __init__(self, run: Run, seconds: float, begun: Callable[[], None]) -> None:
        self._run, self._seconds, self._begun, self._end = run, seconds, begun, 0.0
        self.rows: list[Mapping[str, float]] = []

    def on_update(self, context: Context) -> None:
        self._begun()
        if context.updates <= _WARM:
            self._end = time.monotonic() + self._seconds
            return
        self.rows.append(context.metrics)
        if len(self.rows) >= _LEAST and time.monotonic() > self._end:
            # What is thrown away in a moment need not be saved.
            self._run.saved_steps = context.steps
            context.stop()


def _summarise(run: Run, hooks: Hooks, rows: Sequence[Mapping[str, float]], limits: Limits) -> Profile:
    seconds, joules = (_medians(rows, family) for family in ("time/", "energy/"))
    joules.pop("per_million_steps", None)
    length = run.config.ppo.rollout
    batches = Batches(run)
    if hooks.captured:
        seconds |= {"simulate": batches.time_world(run.world), "act": batches.time_acting()}
    times, halved = batches.compare_worlds()
    if "without pictures" in times:
        seconds["draw"] = seconds["simulate"] * max(0.0, 1.0 - times["without pictures"] / times["whole"])
        seconds["simulate"] -= seconds["draw"]
    pictures, others = bytes_written(run.world)
    work = {**hooks.work, "simulate": Work(0.0, length * others)}
    work |= {"draw": Work(0.0, length * pictures)} if "draw" in seconds else {}
    return Profile(
        steps=length * run.world.num_rows,
        updates=len(rows),
        seconds=seconds,
        joules=joules,
        work=work,
        limits=limits,
        halved={"simulate": halved, "act": batches.compare_acting()},
        captured=hooks.captured,
        device=run.config.device,
        threads=run.config.threads,
        num_worlds=run.world.num_worlds,
        load=os.getloadavg()[0] / usable_cores() if hasattr(os, "getloadavg") else math.nan,
    )


def _medians(rows: Sequence[Mapping[str, float]], family: str) -> dict[str, float]:
    names = {name for row in rows for name in row if name.startswith(family)}
    return {
        name.removeprefix(family): statistics.median([row[name] for row in rows if name in row])
        for name in sorted(names)
    }


@contextmanager
def _scratch() -> Iterator[RunDirectory]:
    """A run's directory that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="farlands-profile-") as path:
        directory = RunDirectory(Path(path))
        try:
            yield directory
        finally:
            directory.release()


def _take_up(run: Run, path: str, display: Display) -> None:
    """Go on from a run's newest checkpoint, if it has one: worlds in mid-life, and an agent that has learnt."""
    directory = RunDirectory.open(path)
    if not directory.checkpoints.is_dir():
        return
    if not _same_shapes(directory.read_config(), run.config):
        display.note("other settings than the run's: its checkpoint is left aside")
        return
    checkpoint, _ = CheckpointStore(directory.checkpoints).load(parts=_STATES)
    parts = run.components()
    checkpoint.load_into({name: parts[name] for name in _STATES})


def _same_shapes(one: TrainConfig, other: TrainConfig) -> bool:
    shaped = ("world", "options", "num_worlds", "agent", "ppo", "rewards")
    return all(getattr(one, name) == getattr(other, name) for name in shaped)
