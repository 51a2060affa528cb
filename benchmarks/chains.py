"""How often and how fast the scripted expert makes a diamond pickaxe from nothing; records what tests replay.

    python benchmarks/chains.py --seeds 20            # the share of seeds and the steps taken
    python benchmarks/chains.py --record              # also write tests/worlds/voxel/chains/*.json anew

Default options but for the task, and only ``World.step``. Prints one JSON line per seed and per figure.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch

from farlands.worlds.voxel.expert.expert import Expert
from farlands.worlds.voxel.expert.planner import PlanError
from farlands.worlds.voxel.expert.recording import Recording, replay
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

CHAINS = Path(__file__).parent.parent / "tests" / "worlds" / "voxel" / "chains"
KEPT = 3


def play(world: VoxelWorld, seed: int) -> tuple[str, Recording]:
    """One episode of the expert: how it ended, and its recording."""
    world.reset([seed])
    world.drain_episodes()
    out = world.allocate()
    actions = bytearray()
    state_hash = 0
    cause = "gave_up"
    try:
        for action in Expert(world).actions():
            state_hash = int(world.state_hash()[0])
            world.step(torch.tensor([action], dtype=torch.int32), out)
            actions.append(action)
            if bool(out.terminated[0] | out.truncated[0]):
                cause = str(world.drain_episodes().cause[0])
                break
    except PlanError as error:
        cause = f"no plan: {error}"
    return cause, Recording(seed, world.options, world.spec.rules, bytes(actions), state_hash)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--record", action="store_true", help=f"keep the first {KEPT} that reach the goal")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    world = VoxelWorld(1, VoxelOptions(task="diamond"))
    steps: list[int] = []
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        began = time.perf_counter()
        cause, recording = play(world, seed)
        seconds = round(time.perf_counter() - began, 1)
        print(
            json.dumps({"seed": seed, "cause": cause, "steps": len(recording.actions), "seconds": seconds}), flush=True
        )
        if cause == "goal":
            steps.append(len(recording.actions))
            if chosen.record and len(steps) <= KEPT:
                keep(recording, len(steps))
    print(
        json.dumps({"name": "expert_diamond_pickaxe_share", "value": len(steps) / chosen.seeds, "seeds": chosen.seeds})
    )
    if steps:
        print(json.dumps({"name": "expert_diamond_pickaxe_median_steps", "value": statistics.median(steps)}))


def keep(recording: Recording, number: int) -> None:
    """Write a recording where the tests look for it, after checking that it replays."""
    state_hash, episodes = replay(recording)
    assert state_hash == recording.state_hash, f"seed {recording.seed}: replay ends at {state_hash}"
    assert episodes.cause.tolist() == ["goal"], f"seed {recording.seed}: replay ends by {episodes.cause}"
    CHAINS.mkdir(parents=True, exist_ok=True)
    recording.save(CHAINS / f"diamond_pickaxe_{number}.json")


if __name__ == "__main__":
    main()
