"""`make bench-check`: the two-core speed floors, allowing for how fast this machine is right now.

Each floor is scaled by the ratio of a fixed calibration workload here and on the reference machine, never upwards.
Exits 1 when a figure misses its floor twice in a row.
"""

from __future__ import annotations

import sys

import torch
import warp as wp
from figures import TARGETS, calibrate
from speed import HORIZON, PIXELS, VoxelOptions, generation_rate, memory_per_world, training_rate, world_rate

REFERENCE_CALIBRATION = 0.088
"""Seconds of ``figures.calibrate`` on the two-core machine the floors are meant for."""


def _measure(name: str) -> float:
    options = VoxelOptions(horizon=HORIZON, stagger=True)
    if name == "S6-symbols":
        return world_rate(512, options, "cpu", 50, 3)["random"]
    if name == "S6-pixels":
        pixels = VoxelOptions(horizon=HORIZON, stagger=True, senses=PIXELS)
        return world_rate(128, pixels, "cpu", 10, 3)["random"]
    if name == "S7":
        return training_rate(512, options, "cpu", 1, 3)[0]
    if name == "S8":
        return generation_rate(512, "cpu", 3)[0]
    return memory_per_world()


def _passes(name: str) -> bool:
    target = TARGETS[name]
    for _ in range(2):
        value = _measure(name)
        slowness = 1.0 if target.lower else max(calibrate() / REFERENCE_CALIBRATION, 1.0)
        floor = target.floor / slowness
        good = value <= floor if target.lower else value >= floor
        print(f"{'ok  ' if good else 'MISS'} {name:11} {value:12,.0f} {target.unit:9} floor {floor:12,.0f}", flush=True)
        if good:
            return True
    return False


def main() -> int:
    """Check every floor of two cores."""
    wp.config.log_level = wp.LOG_WARNING
    torch.set_num_threads(2)
    return int(bool([name for name in ("S6-symbols", "S6-pixels", "S7", "S8", "S9") if not _passes(name)]))


if __name__ == "__main__":
    sys.exit(main())
