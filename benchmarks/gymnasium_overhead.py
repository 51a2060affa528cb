"""What Gymnasium's interface costs on top of the World's own step, in per cent of its time.

    python benchmarks/gymnasium_overhead.py --no-keep

``output="torch"`` is promised to stay under 5 % from 128 worlds on; ``output="numpy"`` copies, and is measured beside
it. The ways are timed in turns, block by block, so that what else the machine does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable

# As the console script does, before torch starts its threads.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import gymnasium
import torch
import warp as wp
from figures import record

from farlands.worlds.adapters.gymnasium import VoxelVectorEnv
from farlands.worlds.voxel.actions import FLAT_ACTIONS
from farlands.worlds.voxel.options import PIXELS, SYMBOLS, VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

PROMISE = 5.0


def _ways(worlds: int, device: str, senses: tuple[str, ...]) -> dict[str, Callable[[int], None]]:
    """Each way to take a number of steps with the same actions in equal worlds."""
    changes = {"horizon": 1_500, "stagger": True, "senses": senses}
    generator = torch.Generator().manual_seed(0)
    actions = [
        torch.randint(0, len(FLAT_ACTIONS), (worlds,), generator=generator, dtype=torch.int32) for _ in range(64)
    ]
    on_host = [a.numpy().astype("int64") for a in actions]
    on_device = [a.to(device) for a in actions]
    world = VoxelWorld(worlds, VoxelOptions(**changes), device=device)  # type: ignore[arg-type]
    world.reset(list(range(worlds)))
    storage = [world.allocate(), world.allocate()]
    same = gymnasium.vector.AutoresetMode.SAME_STEP
    tensors = VoxelVectorEnv(worlds, device=device, output="torch", autoreset_mode=same, **changes)
    arrays = VoxelVectorEnv(worlds, device=device, **changes)
    tensors.reset(seed=0)
    arrays.reset(seed=0)

    def step_world(steps: int) -> None:
        for k in range(steps):
            world.step(on_device[k % 64], storage[k % 2])

    def step_tensors(steps: int) -> None:
        for k in range(steps):
            tensors.step(on_device[k % 64])

    def step_arrays(steps: int) -> None:
        for k in range(steps):
            arrays.step(on_host[k % 64])

    return {"world": step_world, "torch": step_tensors, "numpy": step_arrays}


def overheads(worlds: int, device: str, senses: tuple[str, ...], steps: int, blocks: int) -> dict[str, float]:
    """Per cent of the world's own time that each output adds: the median over blocks of paired ratios."""
    ways = _ways(worlds, device, senses)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(2 * steps)
    for _ in range(blocks):
        for name, way in ways.items():
            begin = time.perf_counter()
            way(steps)
            if device != "cpu":
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - begin)
    return {
        name: 100 * (statistics.median(t / own for t, own in zip(times[name], times["world"], strict=True)) - 1)
        for name in ("torch", "numpy")
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--blocks", type=int, default=31)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    wp.config.log_level = wp.LOG_WARNING
    on_cpu = arguments.device == "cpu"
    sizes = {"symbols": (SYMBOLS, [16, 128, 512] if on_cpu else [1024, 16384])}
    sizes["pixels"] = (PIXELS, [128] if on_cpu else [8192])
    for senses, (names, batches) in sizes.items():
        for worlds in batches:
            steps = max(4, (20_000 if senses == "symbols" else 500) // worlds)
            found = overheads(worlds, arguments.device, names, steps, arguments.blocks)
            for output, percent in found.items():
                promise = {"promise": PROMISE} if output == "torch" and worlds >= 128 else {}
                record(f"gymnasium-{output}-{senses}-{worlds}", percent, keep=arguments.keep, unit="%", **promise)


if __name__ == "__main__":
    main()
