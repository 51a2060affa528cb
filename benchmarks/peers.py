"""Peers beside Farlands, in the same run on the same machine: environment steps per second with random actions.

    pip install crafter craftax && python benchmarks/peers.py

Crafter (Hafner 2021) is a 2-D survival world drawn at 64x64. Craftax (Matthews et al. 2024) is one in JAX, here in
symbols: a batch of 64 levels and sixteen steps in one compiled function, each level beginning anew where it ends, as it
does by itself. Resets are included, as in ours. Peers that are not installed are left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable
from typing import Any

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


def craftax_rate(name: str, seconds: float, worlds: int = 64, steps: int = 16) -> float:
    """Steps per second of a batch of Craftax levels."""
    import jax
    from craftax.craftax_env import make_craftax_env_from_name

    env = make_craftax_env_from_name(name, auto_reset=True)
    params = env.default_params
    advance = jax.vmap(env.step, in_axes=(0, 0, 0, None))

    def step(carry: tuple, _: None) -> tuple:
        key, state, seen = carry
        key, choose, move = jax.random.split(key, 3)
        actions = jax.random.randint(choose, (worlds,), 0, env.action_space(params).n)
        observation, state, reward, _, _ = advance(jax.random.split(move, worlds), state, actions, params)
        # What is seen is used, so that it is computed.
        return (key, state, seen + observation.mean() + reward.mean()), None

    many = jax.jit(lambda carry: jax.lax.scan(step, carry, None, length=steps)[0])
    key = jax.random.PRNGKey(0)
    _, state = jax.jit(jax.vmap(env.reset, in_axes=(0, None)))(jax.random.split(key, worlds), params)
    carry = jax.block_until_ready(many((key, state, 0.0)))
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        carry = jax.block_until_ready(many(carry))
        count += worlds * steps
    return count / (time.perf_counter() - begin)


def beside(
    name: str, ours: Callable[[], float], theirs: Callable[[], float], rounds: int, keep: bool, **about: Any
) -> None:
    """Measure both in turn, and keep the medians and the median of the ratios."""
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    mine, others = (float(np.median(column)) for column in zip(*pairs, strict=True))
    ratio = float(np.median([a / b for a, b in pairs]))
    record(f"peer-{name}", others, keep=keep, ratio=round(ratio, 2), ours=round(mine), rounds=rounds, **about)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    wp.config.log_level = wp.LOG_WARNING
    torch.set_num_threads(2)
    pixels = VoxelOptions(horizon=HORIZON, stagger=True, senses=PIXELS)
    symbols = VoxelOptions(horizon=HORIZON, stagger=True)
    keep, rounds = arguments.keep, arguments.rounds
    if importlib.util.find_spec("crafter"):
        beside(
            "crafter-pixels", lambda: world_rate(128, pixels, "cpu", 10, 1)["random"], lambda: 2 * crafter_rate(10),
            rounds, keep, note="two processes: twice one", unit="frames/s",
        )  # fmt: skip
    if importlib.util.find_spec("craftax"):
        for name in ("Craftax-Classic-Symbolic-v1", "Craftax-Symbolic-v1"):
            beside(
                name.lower(), lambda: world_rate(512, symbols, "cpu", 50, 1)["random"],
                lambda name=name: craftax_rate(name, 10), rounds, keep, unit="steps/s",
            )  # fmt: skip


if __name__ == "__main__":
    main()
