"""How the scripted experts fare on unseen levels: milestones, steps and deaths, with intervals.

    python benchmarks/experts.py --agent honest-expert --levels 200      # the first levels of `farlands evaluate`
    python benchmarks/experts.py --agent expert --levels 200

Default options with the task diamond. Prints one JSON line per level and a summary.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch

from farlands.evaluation.metrics import Scale
from farlands.evaluation.protocol import evaluate, evaluation_seeds
from farlands.evaluation.statistics import wilson_interval
from farlands.runtime.quiet import hush_warp
from farlands.runtime.subject import named_actor, with_senses
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld
from farlands.worlds.world import Episodes


def live_all(agent: str, seeds: Sequence[int], *, tell: bool = False) -> tuple[Episodes, Scale]:
    """First episodes of levels, one level at a time: a scripted player takes a core for itself.

    Args:
        agent: Name of the expert.
        seeds: Of the levels.
        tell: Print a line for each.
    """
    torch.set_num_threads(1)
    options = with_senses(agent, VoxelOptions(task="diamond"))
    probe = VoxelWorld(1, options)
    actor = named_actor(agent, options)(probe.spec, probe.device)
    found = []
    for index, seed in enumerate(seeds):
        began = time.perf_counter()
        found.append(evaluate(actor, lambda count: VoxelWorld(count, options), [seed], batch=1))
        if tell:
            cause, steps = str(found[-1].cause[0]), int(found[-1].length[0])
            seconds = round(time.perf_counter() - began, 1)
            print(json.dumps({"level": index, "cause": cause, "steps": steps, "seconds": seconds}), flush=True)
    names = [name for name in vars(found[0]) if name != "dropped"]
    arrays = {name: np.concatenate([getattr(each, name) for each in found]) for name in names}
    return Episodes(**arrays, dropped=0), Scale.of(probe.spec)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agent", default="honest-expert")
    parser.add_argument("--levels", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    chosen = parser.parse_args()
    hush_warp()
    seeds = evaluation_seeds(0, chosen.first + chosen.levels)[chosen.first :]
    episodes, scale = live_all(chosen.agent, seeds, tell=True)
    reached = np.asarray(episodes.achievements) >= 0
    for index in np.argsort(-reached.sum(axis=0), kind="stable"):
        if reached[:, index].any():
            report(f"{chosen.agent}_{scale.achievements[index]}", int(reached[:, index].sum()), len(seeds))
    goal = episodes.cause == "goal"
    report(f"{chosen.agent}_goal", int(goal.sum()), len(seeds))
    if goal.any():
        median = float(statistics.median(episodes.length[goal]))
        print(json.dumps({"name": f"{chosen.agent}_median_steps", "value": median}))
    print(json.dumps({"name": f"{chosen.agent}_ends", "value": dict(Counter(map(str, episodes.cause)))}))


def report(name: str, count: int, levels: int) -> None:
    """One line: a share and its Wilson interval."""
    share = wilson_interval(count, levels)
    print(json.dumps({"name": name, "value": share.value, "low": share.low, "high": share.high, "levels": levels}))


if __name__ == "__main__":
    main()
