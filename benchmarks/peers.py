"""Peers beside Farlands, in the same run on the same machine: environment steps per second with random actions.

    pip install crafter && python benchmarks/peers.py

Crafter (Hafner 2021) is a 2-D survival world drawn at 64x64; resets are included, as in ours.
"""

from __future__ import annotations

import argparse
import importlib.util
import time

import numpy as np
import torch
import warp as wp
from figures import record
from speed import HORIZON, PIXELS, VoxelOptions, world_rate


def crafter_rate(seconds: float) -> float:
    """Steps per second of one Crafter process, pictures and resets included."""
    import crafter

    env = crafter.Env(seed=0)
    draws = np.random.default_rng(0).integers(0, env.action_space.n, 100_000)
    env.reset()
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        if env.step(int(draws[steps % len(draws)]))[2]:
            env.reset()
        steps += 1
    return steps / (time.perf_counter() - begin)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    wp.config.log_level = wp.LOG_WARNING
    torch.set_num_threads(2)
    if importlib.util.find_spec("crafter") is None:
        raise SystemExit("peers: crafter is not installed; pip install crafter")
    options = VoxelOptions(horizon=HORIZON, stagger=True, senses=PIXELS)
    pairs = [(world_rate(128, options, "cpu", 10, 1)["random"], 2 * crafter_rate(10)) for _ in range(arguments.rounds)]
    ours, theirs = (float(np.median(column)) for column in zip(*pairs, strict=True))
    ratio = float(np.median([a / b for a, b in pairs]))
    record("peer-crafter-pixels", theirs, keep=arguments.keep, note="two processes: twice one", unit="frames/s")
    record("peer-farlands-pixels", ours, keep=arguments.keep, ratio=round(ratio, 2), unit="frames/s")


if __name__ == "__main__":
    main()
