"""Speed of the voxel world and of learning in it: targets S1 to S9 and S11, whichever this machine can show.

    python benchmarks/speed.py                     # all of this device's figures, kept in results.jsonl
    python benchmarks/speed.py --only S6-symbols --no-keep

Actions are uniform over all choices; a walking policy (mostly sprint and jump ahead) is measured beside it. Options
are the defaults (64^3 window, 24 m sight, 4 ticks a step), and episodes in mid-life: horizon 1,500 with staggered
first ends.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

# As the console script does, before torch starts its threads.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import torch
import warp as wp
from figures import calibrate, median_rate, record

from farlands.worlds.voxel.actions import FLAT_ACTION_ID, FLAT_ACTIONS
from farlands.worlds.voxel.options import PIXELS, VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

HORIZON = 1_500
WALK = ("sprint", "jump_sprint", "forward", "turn_left", "turn_right", "sprint", "jump_sprint", "sprint")


def _options(**changes: object) -> VoxelOptions:
    return VoxelOptions(horizon=HORIZON, stagger=True, **changes)  # type: ignore[arg-type]


def _policies(worlds: int, device: str) -> dict[str, list[torch.Tensor]]:
    """Action batches of a random and a walking policy, drawn beforehand."""
    generator = torch.Generator().manual_seed(0)
    walk = torch.tensor([FLAT_ACTION_ID[name] for name in WALK])
    draws = {
        "random": [torch.randint(0, len(FLAT_ACTIONS), (worlds,), generator=generator) for _ in range(64)],
        "walking": [walk[torch.randint(0, len(walk), (worlds,), generator=generator)] for _ in range(64)],
    }
    return {name: [a.to(torch.int32).to(device) for a in actions] for name, actions in draws.items()}


def _wait(device: str) -> Callable[[], None]:
    return torch.cuda.synchronize if device != "cpu" else (lambda: None)


def world_rate(worlds: int, options: VoxelOptions, device: str, steps: int, repeats: int) -> dict[str, float]:
    """Steps per second of the worlds alone, by policy, with the mean episode length that goes with it."""
    figures = {}
    for policy, actions in _policies(worlds, device).items():
        world = VoxelWorld(worlds, options, device=device)
        world.reset(0)
        out = world.allocate()

        def work(world: VoxelWorld = world, out: object = out, actions: list[torch.Tensor] = actions) -> int:
            for k in range(steps):
                world.step(actions[k % len(actions)], out)  # type: ignore[arg-type]
            return steps * worlds

        figures[policy], figures[f"{policy}_spread"] = median_rate(work, repeats, _wait(device))
        lengths = world.drain_episodes().length
        figures[f"{policy}_mean_episode"] = float(lengths.mean()) if len(lengths) else float("nan")
        world.close()
    return figures


def generation_rate(worlds: int, device: str, repeats: int) -> tuple[float, float]:
    """Whole levels made per second, drawing included where nothing needs drawing."""
    world = VoxelWorld(worlds, VoxelOptions(), device=device)
    seeds = iter(range(10**9))

    def work() -> int:
        world.reset(next(seeds))
        return worlds

    return median_rate(work, repeats, _wait(device))


def memory_per_world() -> float:
    """Kilobytes of device memory a world with pictures takes, rollout storage apart."""
    small, large = (_memory(n) for n in (16, 48))
    return (large - small) / 32 / 1000


def _memory(worlds: int) -> int:
    world = VoxelWorld(worlds, VoxelOptions(senses=PIXELS))
    tensors = [*world._tensors.values(), *world.final_observation.values()]
    state, launcher = world.state, world._launcher
    scratch = [launcher.lattice.relief, launcher.lattice.caves, launcher.lighting.queues.ring, launcher.lighting.swept]
    scratch += [state.light, state.light_changes]
    return sum(t.numel() * t.element_size() for t in tensors) + sum(a.capacity for a in scratch) + world._book.num_bytes


def training_rate(worlds: int, options: VoxelOptions, device: str, updates: int, repeats: int) -> tuple[float, float]:
    """Environment steps per second of the demo's recipe, collection and learning together."""
    import dataclasses

    from farlands.agents import make_agent
    from farlands.config import TrainConfig
    from farlands.learning.collect import Collector
    from farlands.learning.ppo import PPO
    from farlands.recipes import apply_recipe

    recipe = apply_recipe(TrainConfig(world="voxel", options=VoxelOptions()), "demo")
    world = VoxelWorld(worlds, dataclasses.replace(recipe.options, senses=options.senses), device=device)
    agent = make_agent(world.spec, recipe.agent).to(device)
    learner = PPO(agent, recipe.ppo)
    chunks = recipe.ppo.rollout // recipe.ppo.chunk if recipe.ppo.chunk else 1
    collector = Collector(world, agent, recipe.ppo.rollout, 0, chunks=chunks)
    collector.start(0)

    def work() -> int:
        for _ in range(updates):
            rollout = collector.collect()
            learner.update(rollout, rollout.rewards[..., None], 0.5)
        world.drain_episodes()
        return updates * recipe.ppo.rollout * worlds

    return median_rate(work, repeats, _wait(device))


def _world_figure(name: str, worlds: int, options: VoxelOptions, steps: int) -> Callable[[str, int, bool], None]:
    def measure(device: str, repeats: int, keep: bool) -> None:
        figures = world_rate(worlds, options, device, steps, repeats)
        record(name, figures["random"], keep=keep, worlds=worlds, **{k: round(v, 3) for k, v in figures.items()})

    return measure


def _generation(name: str, worlds: int) -> Callable[[str, int, bool], None]:
    def measure(device: str, repeats: int, keep: bool) -> None:
        rate, spread = generation_rate(worlds, device, repeats)
        record(name, rate, keep=keep, worlds=worlds, spread=round(spread, 3))

    return measure


def _training(name: str, worlds: int, options: VoxelOptions) -> Callable[[str, int, bool], None]:
    def measure(device: str, repeats: int, keep: bool) -> None:
        rate, spread = training_rate(worlds, options, device, 2, repeats)
        record(name, rate, keep=keep, worlds=worlds, spread=round(spread, 3))

    return measure


def _memory_figure(device: str, repeats: int, keep: bool) -> None:
    record("S9", memory_per_world(), keep=keep)


def _growth(device: str, repeats: int, keep: bool) -> None:
    """S11: exponent of cost against worlds, window volume and drawn pixels, by a line through the logarithms."""
    import numpy as np

    def exponent(sizes: list[float], seconds: list[float]) -> float:
        return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])

    worlds = [128, 256, 512, 1024] if device == "cpu" else [1024, 4096, 8192]
    cost = [n / world_rate(n, _options(), device, 40, repeats)["random"] for n in worlds]
    record("S11-worlds", exponent(worlds, cost), keep=keep, sizes=worlds)
    base = worlds[1]
    sides = [32, 64, 128]
    cost = [base / world_rate(base, _options(window=side), device, 40, repeats)["random"] for side in sides]
    record("S11-window", exponent([side * side for side in sides], cost), keep=keep, sizes=sides)
    sizes = [32, 64, 128]
    few = 64 if device == "cpu" else 1024
    options = [_options(senses=("pixels",), height=n, width=n) for n in sizes]
    cost = [few / world_rate(few, option, device, 8, repeats)["random"] for option in options]
    record("S11-pixels", exponent([n * n for n in sizes], cost), keep=keep, sizes=sizes)


CPU_FIGURES: dict[str, Callable[[str, int, bool], None]] = {
    "S6-symbols": _world_figure("S6-symbols", 512, _options(), 100),
    "S6-pixels": _world_figure("S6-pixels", 128, _options(senses=PIXELS), 20),
    "S7": _training("S7", 512, _options()),
    "S8": _generation("S8", 512),
    "S9": _memory_figure,
    "S11": _growth,
}
CUDA_FIGURES: dict[str, Callable[[str, int, bool], None]] = {
    "S1": _world_figure("S1", 8192, _options(senses=PIXELS), 100),
    "S2": _world_figure("S2", 4096, _options(senses=PIXELS, height=128, width=128), 50),
    "S3": _world_figure("S3", 16384, _options(), 200),
    "S4": _training("S4", 4096, _options(senses=PIXELS)),
    "S5": _training("S5", 8192, _options()),
    "S8-cuda": _generation("S8-cuda", 8192),
    "S11": _growth,
}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    wp.config.log_level = wp.LOG_WARNING
    torch.set_num_threads(2)
    figures = CPU_FIGURES if arguments.device == "cpu" else CUDA_FIGURES
    record("calibration", calibrate(), keep=arguments.keep)
    for name, measure in figures.items():
        if not arguments.only or name in arguments.only:
            measure(arguments.device, arguments.repeats, arguments.keep)


if __name__ == "__main__":
    main()
