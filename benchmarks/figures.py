"""Targets and measured figures: what is promised, and the file results are kept in."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results.jsonl"


@dataclass(frozen=True)
class Target:
    """What a figure is held to on the hardware it names; for ``lower`` figures less is better."""

    what: str
    unit: str
    floor: float
    goal: float
    lower: bool = False


TARGETS: dict[str, Target] = {
    "S1": Target("64x64 pictures, step and draw, H100", "steps/s", 4e6, 10e6),
    "S2": Target("128x128 pictures, step and draw, H100", "steps/s", 1.2e6, 2.5e6),
    "S3": Target("symbols, worlds alone, H100", "steps/s", 5e6, 25e6),
    "S4": Target("recurrent PPO from 64x64 pixels, H100", "steps/s", 1.2e6, 3e6),
    "S5": Target("recurrent PPO from symbols, H100", "steps/s", 3e6, 8e6),
    "S6-symbols": Target("symbols, worlds alone, two cores", "steps/s", 200e3, 400e3),
    "S6-pixels": Target("64x64 pictures, step and draw, two cores", "frames/s", 2e3, 4e3),
    "S7": Target("recurrent PPO from symbols, the demo's recipe, two cores", "steps/s", 20e3, 60e3),
    "S8": Target("world generation, two cores", "worlds/s", 800, 2000),
    "S8-cuda": Target("world generation, H100", "worlds/s", 100e3, 300e3),
    "S9": Target("device memory per world, pixels, rollout storage apart", "KB", 640, 450, lower=True),
    "S12": Target("two processes over the same two apart, Gloo, two cores", "ratio", 0.9, 0.97),
    "S10-help": Target("`farlands --help`", "s", 0.7, 0.4, lower=True),
    "S10-warm": Target("first frame, kernels cached", "s", 10, 5, lower=True),
    "S10-first": Target("first launch ever, kernels compiled", "s", 120, 45, lower=True),
}


def describe() -> dict[str, Any]:
    """Hardware, versions, commit and date of a measurement."""
    from farlands.runtime.machine import describe_git, describe_machine, describe_versions

    return {
        "machine": describe_machine(),
        "versions": describe_versions(),
        "git": describe_git(Path(__file__).parent),
        "host": platform.node(),
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def record(name: str, value: float, *, keep: bool = True, **details: Any) -> dict[str, Any]:
    """Print a figure as one JSON line and, if ``keep``, append it to the results."""
    target = TARGETS.get(name)
    figure = {"name": name, "value": float(f"{value:.4g}"), **details}
    if target:
        figure |= {"unit": target.unit, "floor": target.floor, "goal": target.goal}
    print(json.dumps(figure), flush=True)
    if keep:
        with RESULTS.open("a") as file:
            file.write(json.dumps({**figure, **describe()}) + "\n")
    return figure


def median_rate(work: Callable[[], int], repeats: int, wait: Callable[[], None] = lambda: None) -> tuple[float, float]:
    """Median and spread (largest over smallest) of ``work() / seconds`` over repeats, after one unmeasured run."""
    work()
    wait()
    rates = []
    for _ in range(repeats):
        begin = time.perf_counter()
        done = work()
        wait()
        rates.append(done / (time.perf_counter() - begin))
    return statistics.median(rates), max(rates) / min(rates)


def calibrate(repeats: int = 5) -> float:
    """Seconds of a fixed piece of serial work that has nothing to do with Farlands: the machine's own speed now."""
    values = np.random.default_rng(0).integers(0, 2**31, 1_000_000)
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        np.sort(values, kind="stable")
        np.sort(values[::-1].astype(np.float64), kind="quicksort")
        times.append(time.perf_counter() - begin)
    return statistics.median(times)
