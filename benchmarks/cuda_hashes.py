"""The same seed and actions on the CPU and on a GPU: equal state hashes and equal symbols, all the way.

    python benchmarks/cuda_hashes.py --steps 10000 --worlds 256
    python benchmarks/cuda_hashes.py --steps 2000 --worlds 64 --agents 4
    python benchmarks/cuda_hashes.py --device cpu --write trace.json   # here; then, on a machine that has only a GPU:
    python benchmarks/cuda_hashes.py --against trace.json

Exits 1 at the first difference, naming worlds and arrays; 2 where there is no GPU.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
import warp as wp
from figures import record

from farlands.worlds.voxel.actions import FLAT_ACTIONS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.spec import world_spec
from farlands.worlds.voxel.world import VoxelWorld


def _differences(cpu: VoxelWorld, gpu: VoxelWorld) -> list[str]:
    """Names of the persistent arrays that differ, with the first worlds that do."""
    here, there = cpu.snapshot(), gpu.snapshot()
    found = []
    for name, value in here.items():
        other = there[name].cpu()
        if not torch.equal(value, other):
            worlds = (value != other).reshape(len(value), -1).any(dim=1).nonzero()[:5, 0].tolist()
            found.append(f"{name} of worlds {worlds}")
    return found


def _actions(rows: int, steps: int) -> Iterator[torch.Tensor]:
    """Of every step; long attacks and walks reach further into the rules than single random choices."""
    generator = torch.Generator().manual_seed(1)
    actions = torch.zeros(rows, dtype=torch.int32)
    for step in range(steps):
        if step % 12 == 0:
            actions = torch.randint(0, len(FLAT_ACTIONS), (rows,), generator=generator, dtype=torch.int32)
        change = torch.rand(rows, generator=generator) < 0.3
        draws = torch.randint(0, len(FLAT_ACTIONS), (rows,), generator=generator, dtype=torch.int32)
        actions = torch.where(change, draws, actions)
        yield actions


def _options(agents: int) -> VoxelOptions:
    return VoxelOptions(horizon=700, stagger=True, agents=agents)


def trace(worlds: int, steps: int, every: int, device: str, agents: int = 1) -> Iterator[tuple[int, str]]:
    """Steps, and a digest of all states and observations after each."""
    world = VoxelWorld(worlds, _options(agents), device=device)
    seen = world.allocate()
    world.reset(7, seen)
    for step, actions in enumerate(_actions(worlds * agents, steps)):
        world.step(actions.to(device), seen)
        if step % every == 0 or step == steps - 1:
            digest = hashlib.sha256(world.state_hash().cpu().numpy().tobytes())
            for name in sorted(seen.observation):
                digest.update(seen.observation[name].cpu().numpy().tobytes())
            yield step, digest.hexdigest()[:16]
    world.close()


def write_trace(path: Path, asked: dict[str, int], device: str) -> int:
    """Write down what this machine comes to; exit status."""
    found = [[step, digest] for step, digest in trace(**asked, device=device)]
    path.write_text(json.dumps({"asked": asked, "rules": world_spec(_options(asked["agents"])).rules, "trace": found}))
    print(f"{path}: {len(found)} digests of {asked['worlds']} worlds over {asked['steps']} steps")
    return 0


def compare_with_trace(path: Path, device: str) -> int:
    """Exit status: 0 where this machine comes to what another wrote down."""
    told = json.loads(path.read_text())
    asked, rules = told["asked"], world_spec(_options(told["asked"]["agents"])).rules
    if rules != told["rules"]:
        print(f"cuda_hashes: {path} is of rules {told['rules']}; this version has {rules}", file=sys.stderr)
        return 2
    same = asked["steps"]
    for (step, mine), (_, theirs) in zip(trace(**asked, device=device), told["trace"], strict=True):
        if mine != theirs:
            print(f"step {step}: another digest than in {path}", file=sys.stderr)
            same = step
            break
    name = "R1-steps-equal" + (f"-agents{asked['agents']}" if asked["agents"] > 1 else "")
    record(name, same, worlds=asked["worlds"], device=device, against=path.name, keep=device != "cpu")
    return int(same < asked["steps"])


def compare(worlds: int, steps: int, every: int, device: str, agents: int = 1) -> int:
    """Steps until the first difference, or ``steps`` if there is none."""
    options = _options(agents)
    cpu, gpu = VoxelWorld(worlds, options), VoxelWorld(worlds, options, device=device)
    seen, drawn = cpu.allocate(), gpu.allocate()
    cpu.reset(7, seen)
    gpu.reset(7, drawn)
    for step, actions in enumerate(_actions(worlds * agents, steps)):
        cpu.step(actions, seen)
        gpu.step(actions.to(device), drawn)
        if step % every == 0 or step == steps - 1:
            pairs = [(key, value, drawn.observation[key].cpu()) for key, value in seen.observation.items()]
            symbols = [key for key, here, there in pairs if not torch.equal(here, there)]
            if not torch.equal(cpu.state_hash(), gpu.state_hash().cpu()) or symbols:
                found = f"state differs in {_differences(cpu, gpu)}, observations in {symbols}"
                print(f"step {step}: {found}", file=sys.stderr)
                return step
    return steps


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--worlds", type=int, default=256)
    parser.add_argument("--agents", type=int, default=1)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--write", type=Path, metavar="FILE")
    parser.add_argument("--against", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    wp.config.log_level = wp.LOG_WARNING
    if arguments.device.startswith("cuda") and not torch.cuda.is_available():
        print("cuda_hashes: no GPU here; nothing was compared", file=sys.stderr)
        return 2
    if arguments.write:
        asked = {name: getattr(arguments, name) for name in ("worlds", "steps", "every", "agents")}
        return write_trace(arguments.write, asked, arguments.device)
    if arguments.against:
        return compare_with_trace(arguments.against, arguments.device)
    same = compare(arguments.worlds, arguments.steps, arguments.every, arguments.device, arguments.agents)
    name = "R1-steps-equal" + (f"-agents{arguments.agents}" if arguments.agents > 1 else "")
    record(name, same, worlds=arguments.worlds, device=arguments.device, keep=arguments.device != "cpu")
    return int(same < arguments.steps)


if __name__ == "__main__":
    sys.exit(main())
