"""How often and how fast the scripted expert makes a diamond pickaxe from nothing; records what tests replay.

    python benchmarks/chains.py --seeds 20            # the share of seeds and the steps taken
    python benchmarks/chains.py --record              # also write tests/worlds/voxel/chains/*.replay anew
    python benchmarks/chains.py --seeds 3 --alterations 20 --creatures none     # under altered rules

Default options but for the task and what is asked for, and only ``World.step``. Prints one JSON line per seed and per
figure.
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
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.replays import Recorder, Replay
from farlands.worlds.voxel.world import VoxelWorld

CHAINS = Path(__file__).parent.parent / "tests" / "worlds" / "voxel" / "chains"
KEPT = 3


def play(world: VoxelWorld, seed: int) -> tuple[str, Replay]:
    """One episode of the expert: how it ended, and its replay."""
    world.reset([seed])
    world.drain_episodes()
    out, recorder = world.allocate(), Recorder(world, seed=seed)
    cause = "gave_up"
    try:
        for action in Expert(world).actions():
            chosen = torch.tensor([action], dtype=torch.int32)
            recorder.note(chosen)
            world.step(chosen, out)
            if bool(out.terminated[0] | out.truncated[0]):
                cause = str(world.drain_episodes().cause[0])
                break
    except PlanError as error:
        cause = f"no plan: {error}"
    return cause, recorder.finish()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--alterations", type=int, default=0, help="play them under each of so many altered rules")
    parser.add_argument("--creatures", default="all", help="which creatures there are")
    parser.add_argument("--record", action="store_true", help=f"keep the first {KEPT} that reach the goal")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    steps: list[int] = []
    played = 0
    for rules in range(1, chosen.alterations + 1) if chosen.alterations else (0,):
        options = VoxelOptions(task="diamond", altered_rules=rules, creatures=chosen.creatures)
        world = VoxelWorld(1, options)
        for seed in range(chosen.first, chosen.first + chosen.seeds):
            began = time.perf_counter()
            cause, recording = play(world, seed)
            facts = {"altered_rules": rules, "seed": seed, "cause": cause, "steps": len(recording)}
            print(json.dumps({**facts, "seconds": round(time.perf_counter() - began, 1)}), flush=True)
            played += 1
            if cause == "goal":
                steps.append(len(recording))
                if chosen.record and len(steps) <= KEPT:
                    keep(recording, len(steps))
        world.close()
    share = {"name": "expert_diamond_pickaxe_share", "value": len(steps) / played, "episodes": played}
    print(json.dumps({**share, "alterations": chosen.alterations, "creatures": chosen.creatures}))
    if steps:
        print(json.dumps({"name": "expert_diamond_pickaxe_median_steps", "value": statistics.median(steps)}))


def keep(recording: Replay, number: int) -> None:
    """Write a replay where the tests look for it, after checking that it plays."""
    for world in recording.play():
        episodes = world.drain_episodes()
    assert episodes.cause.tolist() == ["goal"], f"seed {recording.seed}: the replay ends by {episodes.cause}"
    CHAINS.mkdir(parents=True, exist_ok=True)
    recording.write(CHAINS / f"diamond_pickaxe_{number}.replay", overwrite=True)


if __name__ == "__main__":
    main()
