"""How a trained agent does on tasks it has not met: the share it fulfils by part of the tasks and by trial.

    farlands train voxel --recipe voxel-tasks --run-dir runs/tasks
    python benchmarks/task_splits.py runs/tasks --trials 13 --write docs/tasks.md

Every part is measured on levels of its own list, each with one task and as many trials as asked for. Beside it stand,
in a first trial, the policy that training began with, which does not see the task, and random play among the possible
actions. The gap is what the part lacks, in the first trial, of the share of the tasks that were trained on.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import torch
from figures import record
from tasks import write_between

from farlands.agents import make_agent
from farlands.agents.baselines import RandomAgent
from farlands.agents.transfer import begin_from
from farlands.config import TrainConfig
from farlands.evaluation.metrics import Scale, summarise
from farlands.evaluation.protocol import Actor, evaluate, evaluation_seeds, split_trials
from farlands.evaluation.report import show_share
from farlands.runtime.build import build_agent, build_world, evaluation_options
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.rundir import RunDirectory
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

TRAINED = "what it trained on"
SHOWN = (1, 2, 3, 5, 8, 13)
"""Trials that the table has columns for."""
PARTS: dict[str, dict[str, object]] = {
    TRAINED: {},
    "new structures": {"task_split": "structure:test"},
    "new pairs of predicates": {"task_split": "pairs:test"},
    "new draws": {"task_split": "seed:test"},
    "altered rules": {"task_split": "rules:test"},
    "other land": {"task_split": "biome:test"},
    "one act deeper": {"deeper": 1},
    "two acts deeper": {"deeper": 2},
}
"""Parts of the tasks, by what sets them apart from those of training: changed options."""


def part_options(options: VoxelOptions, change: dict[str, object]) -> VoxelOptions:
    """The options of a part, one task for each level."""
    deeper = change.get("deeper", 0)
    assert isinstance(deeper, int)
    depths = (max(options.task_depths) + deeper,) if deeper else options.task_depths
    split = str(change.get("task_split", options.task_split))
    return dataclasses.replace(evaluation_options(options), task_depths=depths, task_split=split)


def measure(actor: Actor, options: VoxelOptions, levels: int) -> list[dict]:
    """Figures of each trial."""
    world = lambda count: VoxelWorld(count, options)  # noqa: E731
    lived = evaluate(actor, world, evaluation_seeds(0, levels), batch=min(levels, 512))
    scale = Scale.of(VoxelWorld(1, options).spec)
    return [summarise(trial, scale) for trial in split_trials(lived, options.trials)]


def others(config: TrainConfig, options: VoxelOptions) -> dict[str, Actor]:
    """Who stands beside the agent: the policy that training began with, and random play."""
    spec = VoxelWorld(1, options).spec
    actors: dict[str, Actor] = {"random play": RandomAgent(spec)}
    if config.start_from:
        before = make_agent(spec, config.agent)
        begin_from(before, spec, config.start_from)
        actors = {"the policy it began as": before.eval()} | actors
    return actors


def table(found: dict[str, dict[str, list[dict]]], trials: int) -> str:
    """The page's table."""
    others = [name for name in next(iter(found.values())) if name != "agent"]
    shown = [k for k in SHOWN if k <= trials]
    heads = ["tasks", *(f"trial {k}" for k in shown), "gap", *others]
    best = found[TRAINED]["agent"][0]["success"]["value"]
    rows = []
    for part, all_of in found.items():
        agent = [each["success"] for each in all_of["agent"]]
        gap = "-" if part == TRAINED else f"{100 * (best - agent[0]['value']) / max(best, 1e-9):.0f}%"
        beside = [show_share(all_of[name][0]["success"]) for name in others]
        rows.append([part, *(show_share(agent[k - 1]) for k in shown), gap, *beside])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--levels", type=int, default=512)
    parser.add_argument("--trials", type=int, default=0, help="of a task; by default as many as in training")
    parser.add_argument("--write", type=Path, help="page with the markers of the table")
    parser.add_argument("--keep", action="store_true", help="append to the results file")
    asked = parser.parse_args()
    run = RunDirectory.open(asked.run)
    config, device = run.read_config(), torch.device("cpu")
    spec = build_world(config.world, 1, config.options, device).spec
    checkpoint, _ = CheckpointStore(run.checkpoints).load(parts=("agent",))
    agent, _ = build_agent(config, spec, device)
    checkpoint.load_into({"agent": agent})
    found: dict[str, dict[str, list[dict]]] = {}
    for part, change in PARTS.items():
        options = part_options(config.options, change)
        options = dataclasses.replace(options, trials=asked.trials or options.trials)
        once = dataclasses.replace(options, trials=1)
        found[part] = {"agent": measure(agent.eval(), options, asked.levels)}
        for name, actor in others(config, once).items():
            found[part][name] = measure(actor, once, asked.levels)
        shares = {name: [each["success"] for each in trials] for name, trials in found[part].items()}
        share = shares["agent"][0]["value"]
        record(f"tasks-{part.replace(' ', '-')}", share, keep=asked.keep, steps=checkpoint.facts["steps"], **shares)
    million, depths = checkpoint.facts["steps"] / 1e6, config.options.task_depths
    text = (
        f"{table(found, options.trials)}\n\nShares of {asked.levels} levels, with Wilson intervals of 95 %, "
        f"after {million:.0f} million steps on tasks of depth {min(depths)} to {max(depths)}, seed {config.seed}."
    )
    print(json.dumps({part: both["agent"][0]["success"] for part, both in found.items()}))
    if asked.write:
        write_between(asked.write, "<!-- splits: benchmarks/task_splits.py -->", "<!-- end of splits -->", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
