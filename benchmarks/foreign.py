"""Foreign environments: steps per second of the adapter beside a plain loop and Gymnasium's own AsyncVectorEnv.

    python benchmarks/foreign.py [--seconds 20] [--rounds 3] [--envs 16]

Random actions, resets included, everything in the same run, rounds alternating; medians. Each is first run for a
quarter of the time, which is not counted.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from figures import record

from farlands.worlds.adapters.foreign.crafter import CrafterEnv
from farlands.worlds.adapters.foreign.named import CrafterWorld, GymnasiumWorld
from farlands.worlds.adapters.foreign.options import CrafterOptions, GymnasiumOptions
from farlands.worlds.world import Discrete, World


class Crafter(gymnasium.Wrapper):
    """Crafter without what its infos hold, which vector environments would collect."""

    def __init__(self) -> None:
        super().__init__(CrafterEnv(CrafterOptions()))

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        return super().reset(**kwargs)[0], {}

    def step(self, action: Any) -> Any:
        return *super().step(action)[:4], {}


def cartpole() -> gymnasium.Env:
    return gymnasium.make("CartPole-v1")


def rate(step: Callable[[int], object], seconds: float) -> float:
    """Calls of ``step`` per second, after a quarter of the time unmeasured; it is given a growing index."""
    count = 0
    for span in (seconds / 4, seconds):
        begin, before = time.perf_counter(), count
        while time.perf_counter() - begin < span:
            step(count % 10_000)
            count += 1
        elapsed = time.perf_counter() - begin
    return (count - before) / elapsed


def plain_rate(make: Callable[[], gymnasium.Env], seconds: float) -> float:
    """One environment in a loop in this process."""
    env = make()
    choices = np.random.default_rng(0).integers(0, env.action_space.n, 10_000)  # type: ignore[attr-defined]
    env.reset(seed=0)

    def step(index: int) -> None:
        _, _, terminated, truncated, _ = env.step(choices[index])
        if terminated or truncated:
            env.reset()

    found = rate(step, seconds)
    env.close()
    return found


def two_loops_rate(make: Callable[[], gymnasium.Env], seconds: float) -> float:
    """Two processes with a loop each and nothing between them: what the machine has to give to two workers."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return sum(pool.starmap(plain_rate, [(make, seconds)] * 2))


def async_rate(make: Callable[[], gymnasium.Env], envs: int, seconds: float) -> float:
    """AsyncVectorEnv: one process per environment, shared memory."""
    vector = gymnasium.vector.AsyncVectorEnv([make] * envs, context="spawn")
    choices = np.random.default_rng(0).integers(0, vector.single_action_space.n, (10_000, envs))  # type: ignore[attr-defined]
    vector.reset(seed=0)
    found = envs * rate(lambda index: vector.step(choices[index]), seconds)
    vector.close()
    return found


def world_rate(make: Callable[[], World], seconds: float) -> float:
    """A world, its tensors written each step."""
    world = make()
    assert isinstance(world.spec.action, Discrete), world.spec.action
    generator = torch.Generator().manual_seed(0)
    choices = torch.randint(world.spec.action.n, (10_000, world.num_worlds), generator=generator, dtype=torch.int32)
    out = world.reset(0)
    found = world.num_worlds * rate(lambda index: world.step(choices[index], out=out), seconds)
    world.close()
    return found


def contestants(envs: int, seconds: float) -> dict[str, Callable[[], float]]:
    def crafter(**options: Any) -> Callable[[], float]:
        return lambda: world_rate(lambda: CrafterWorld(envs, CrafterOptions(**options)), seconds)

    def pole(workers: int) -> Callable[[], float]:
        return lambda: world_rate(lambda: GymnasiumWorld(envs, GymnasiumOptions(workers=workers)), seconds)

    return {
        "crafter-loop": lambda: plain_rate(Crafter, seconds),
        "crafter-two-loops": lambda: two_loops_rate(Crafter, seconds),
        "crafter-async": lambda: async_rate(Crafter, envs, seconds),
        "crafter-world-0": crafter(workers=0),
        "crafter-world-1": crafter(workers=1),
        "crafter-world-2": crafter(workers=2),
        "crafter-world-2-not-ahead": crafter(workers=2, ahead=False),
        "cartpole-loop": lambda: plain_rate(cartpole, seconds),
        "cartpole-async": lambda: async_rate(cartpole, envs, seconds),
        "cartpole-world-0": pole(0),
        "cartpole-world-2": pole(2),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--envs", type=int, default=16)
    parser.add_argument("--only", default="", help="beginning of the names to measure")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    racers = {
        name: race
        for name, race in contestants(arguments.envs, arguments.seconds).items()
        if name.startswith(arguments.only)
    }
    rates: dict[str, list[float]] = {name: [] for name in racers}
    for _ in range(arguments.rounds):
        for name, race in racers.items():
            rates[name].append(race())
    for name, found in rates.items():
        loop = statistics.median(rates[f"{name.split('-')[0]}-loop"]) if not arguments.only.count("-") else 0.0
        envs = {"loop": 1, "loops": 2}.get(name.rpartition("-")[2], arguments.envs)
        details: dict[str, Any] = {"unit": "steps/s", "envs": envs}
        details["spread"] = round(max(found) / min(found), 2)
        if loop:
            details["of_loop"] = round(statistics.median(found) / loop, 2)
        record(f"foreign-{name}", statistics.median(found), keep=arguments.keep, **details)


if __name__ == "__main__":
    main()
