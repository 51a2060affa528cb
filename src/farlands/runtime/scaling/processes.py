"""Speed of several processes that each train by themselves: what data-parallel training could at most reach."""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing as mp
import os
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import torch

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.runtime.machine import usable_cores

_PATIENCE = 600.0
"""Seconds that a process may take to start or to do its turn."""


def most_processes(device: torch.device) -> int:
    """How many processes have something of their own to compute with: one GPU or one core each."""
    return torch.cuda.device_count() if device.type == "cuda" else usable_cores()


def measure_processes(
    counts: Sequence[int], config: TrainConfig, rounds: int, seconds: float, device: torch.device, clock: str = "wall"
) -> dict[str, Any]:
    """Steps per second of 1, 2, ... processes at the same time, in rounds.

    Each has an equal share of the cores, or a GPU, whether the others work or not, and worlds of its own: what is
    lost beside twice the speed of one is lost without any communication. By the clock ``processor`` a process is as
    quick as it would be if its cores were its own: what others take of them is left out, what processes take from
    each other of caches and memory is not.

    Returns:
        ``sizes``, and ``steps_per_second`` float ``[R, N]`` of all processes together.

    Raises:
        UserError: There are not so many cores or GPUs, or a process failed.
    """
    sizes = sorted({1, *counts})
    if sizes[-1] > most_processes(device):
        what = "GPUs" if device.type == "cuda" else "cores"
        raise UserError("--axes: processes is", sizes[-1], f"there are {most_processes(device)} {what}")
    crew = _Crew(sizes[-1], config, device)
    try:
        rates = [[sum(crew.work(count, seconds, clock)) for count in sizes] for _ in range(rounds)]
    finally:
        crew.dismiss()
    return {"sizes": sizes, "steps_per_second": np.array(rates)}


def communication_share(rows: Sequence[Mapping[str, float]]) -> float | None:
    """Share of a run's time that its processes spent talking, from its metrics; None where they don't tell.

    A run over several processes notes the seconds of each update that went into talking as ``time/communicate``,
    which is part of another phase.
    """
    told = [row for row in rows if "time/communicate" in row]
    if not told:
        return None
    whole = sum(
        row.get(f"time/{phase}", 0.0) for row in told for phase in ("collect", "reward", "learn", "log", "save")
    )
    return sum(row["time/communicate"] for row in told) / whole if whole else None


class _Crew:
    """Processes that train when they are told to."""

    def __init__(self, count: int, config: TrainConfig, device: torch.device) -> None:
        # A process that was forked after torch ran in parallel can hang.
        context = mp.get_context("spawn")
        self._members: list[tuple[Any, Connection]] = []
        for rank in range(count):
            ours, theirs = context.Pipe()
            arguments = (theirs, dataclasses.replace(config, device=_own_device(device, rank)), rank, count)
            process = context.Process(target=_serve, args=arguments, daemon=True)
            process.start()
            theirs.close()
            self._members.append((process, ours))
        for _, ours in self._members:
            _receive(ours)

    def work(self, count: int, seconds: float, clock: str) -> list[float]:
        """Steps per second of each of the first ``count`` processes, at work at the same time."""
        for _, ours in self._members[:count]:
            ours.send((seconds, clock))
        return [_receive(ours) for _, ours in self._members[:count]]

    def dismiss(self) -> None:
        """Leave no process behind."""
        for process, ours in self._members:
            with contextlib.suppress(OSError):
                ours.send(None)
            process.join(10)
            if process.is_alive():
                process.terminate()
                process.join()


def _own_device(device: torch.device, rank: int) -> str:
    return f"cuda:{rank}" if device.type == "cuda" else str(device)


def _receive(connection: Connection) -> float:
    try:
        if not connection.poll(_PATIENCE):
            raise UserError(f"a process has not answered for {_PATIENCE:.0f} s")
        answer = connection.recv()
    except (EOFError, OSError) as error:
        raise UserError("a process that should have trained has ended") from error
    if isinstance(answer, str):
        raise UserError("a process that should have trained says:", answer)
    return answer


def _serve(connection: Connection, config: TrainConfig, rank: int, count: int) -> None:
    """A member: make ready, say so, then train for as long as each message says; None ends it."""
    try:
        _take_share(rank, count)
        from farlands.runtime.scaling.measure import TrainingSubject

        device = torch.device(config.device)
        subject = TrainingSubject(config, device)
        for _ in range(2):
            subject.work()
        connection.send(0.0)
        while (task := connection.recv()) is not None:
            connection.send(_train_for(subject, *task, device))
        subject.close()
    except (EOFError, KeyboardInterrupt):
        pass
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")


def _take_share(rank: int, count: int) -> None:
    """Keep to an equal share of the cores, with as many threads."""
    cores = max(1, usable_cores() // count)
    if hasattr(os, "sched_setaffinity"):
        mine = sorted(os.sched_getaffinity(0))[rank * cores : (rank + 1) * cores]
        if mine:
            os.sched_setaffinity(0, mine)
    torch.set_num_threads(cores)


def _train_for(subject: Any, seconds: float, clock: str, device: torch.device) -> float:
    """Steps per second over whole updates, in about so many seconds; by the processors' clock, of each thread."""
    from farlands.runtime.profiling.probe import wait

    begin, begun, updates = time.perf_counter(), time.process_time(), 0
    while not updates or time.perf_counter() - begin < seconds:
        subject.work()
        wait(device)
        updates += 1
    spent = time.perf_counter() - begin
    if clock == "processor":
        spent = (time.process_time() - begun) / torch.get_num_threads()
    return updates * subject.units * subject.world.num_rows / spent
