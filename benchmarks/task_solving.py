"""How many tasks an agent solves: ``python benchmarks/tasks.py solve``.

As many tasks of each depth from 1 to 8 are drawn, and each is set in a level of its own, none of which training meets.
The expert plays them one by one in as many processes as asked for; agents that look at nothing but their observations
play them side by side.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import warp as wp

from farlands.evaluation.protocol import evaluate, evaluation_seeds
from farlands.evaluation.statistics import wilson_interval
from farlands.runtime.quiet import hush_warp
from farlands.runtime.subject import named_actor
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.sampler import DEPTHS, Sampler
from farlands.worlds.voxel.tasks.tree import leaves
from farlands.worlds.voxel.world import VoxelWorld

NAMES = {"expert": "expert", "idle": "zero", "random": "random"}
"""Agents by the names they have in the table."""
BATCH = 256


@dataclass(frozen=True)
class Drawn:
    """A task, its depth and the seed of its level."""

    number: int
    text: str
    depth: int
    level: int


@dataclass(frozen=True)
class Tried:
    """How an episode with a task went. ``cause``: of its end, ``goal`` if the task was solved."""

    number: int
    text: str
    depth: int
    cause: str
    steps: int
    seconds: float


def draw_tasks(number: int, seed: int) -> list[Drawn]:
    """``number`` tasks, as many of each depth, the depths in turn."""
    samplers = [Sampler(depths=(depth,)) for depth in DEPTHS]
    levels = evaluation_seeds(seed, number)
    found = []
    for k, level in enumerate(levels):
        depth = DEPTHS[k % len(DEPTHS)]
        task = samplers[k % len(DEPTHS)].sample((seed << 32) + k)
        found.append(Drawn(k, str(task), depth, int(level)))
    return found


def world_of(drawn: list[Drawn]) -> VoxelWorld:
    """A batch in which each world has the task of its place in the list."""
    world = VoxelWorld(len(drawn), VoxelOptions(task="tasks", tasks=tuple(each.text for each in drawn)))
    wp.to_torch(world.tasks.choice)[:] = torch.arange(len(drawn), dtype=torch.int32)
    return world


def try_batch(agent: str, drawn: list[Drawn]) -> list[Tried]:
    """One episode of each task, side by side."""
    began = time.perf_counter()
    probe = VoxelWorld(1, VoxelOptions(task="tasks", tasks=("alive(1)",)))
    actor = named_actor(NAMES[agent], probe.options)(probe.spec, probe.device)
    episodes = evaluate(actor, lambda count: world_of(drawn), [each.level for each in drawn], batch=len(drawn))
    seconds = (time.perf_counter() - began) / len(drawn)
    return [
        Tried(each.number, each.text, each.depth, str(episodes.cause[k]), int(episodes.length[k]), round(seconds, 1))
        for k, each in enumerate(drawn)
    ]


def _alone(job: tuple[str, Drawn]) -> Tried:
    hush_warp()
    torch.set_num_threads(1)
    return try_batch(job[0], [job[1]])[0]


def try_all(agent: str, drawn: list[Drawn], processes: int) -> Iterator[Tried]:
    """One episode of each task, as they end."""
    if agent != "expert":
        for first in range(0, len(drawn), BATCH):
            yield from try_batch(agent, drawn[first : first + BATCH])
    elif processes == 1:
        yield from map(_alone, [(agent, each) for each in drawn])
    else:
        _alone((agent, drawn[0]))  # compiles the kernels before the others want them
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            for done in as_completed([pool.submit(_alone, (agent, each)) for each in drawn]):
                yield done.result()


def report(agent: str, tried: list[Tried]) -> dict[str, object]:
    """Shares solved by depth with intervals, median steps, and the predicates of the tasks that were not solved."""
    rows = {}
    for depth in (*DEPTHS, 0):
        mine = [each for each in tried if depth in (each.depth, 0)]
        solved = [each.steps for each in mine if each.cause == "goal"]
        if mine:
            share = wilson_interval(len(solved), len(mine))
            rows[str(depth or "all")] = {
                "tasks": len(mine), "solved": len(solved), "share": round(share.value, 4), "low": round(share.low, 4),
                "high": round(share.high, 4), "steps": statistics.median(solved) if solved else None,
            }  # fmt: skip
    named, failed = Counter(), Counter()
    for each in tried:
        names = {leaf.name for leaf in leaves(parse(each.text))}
        named.update(names)
        failed.update(names if each.cause != "goal" else ())
    ends = dict(Counter(each.cause for each in tried).most_common())
    by_predicate = {name: [failed[name], named[name]] for name, _ in named.most_common()}
    return {"agent": agent, "depths": rows, "ends": ends, "failed_of": by_predicate}


def table(reports: list[dict]) -> str:
    """The table of docs/tasks.md."""
    lines = ["| depth |" + "".join(f" {each['agent']} |" for each in reports) + " expert's median steps |"]
    lines.append("|---|" + "---|" * (len(reports) + 1))
    expert = next((each for each in reports if each["agent"] == "expert"), reports[0])
    for depth, row in reports[0]["depths"].items():
        shares = [each["depths"][depth] for each in reports]
        cells = [f"{r['share']:.1%} ({r['low']:.1%} to {r['high']:.1%})" for r in shares]
        lines.append(f"| {depth} | " + " | ".join(cells) + f" | {expert['depths'][depth]['steps'] or '-'} |")
        assert row["tasks"] == shares[-1]["tasks"], "the agents were given different tasks"
    lines += ["", f"Shares of {expert['depths']['all']['tasks']:,} tasks solved, with Wilson intervals of 95 %."]
    return "\n".join(lines)


def solve(arguments: argparse.Namespace) -> list[dict]:
    """Try the tasks with each of the chosen agents; a line for each task and a report for each agent."""
    hush_warp()
    torch.set_num_threads(1)
    drawn = draw_tasks(arguments.tasks, arguments.seed)[arguments.first :]
    reports = []
    for agent in arguments.agents:
        tried, began = [], time.perf_counter()
        for each in try_all(agent, drawn, arguments.processes):
            tried.append(each)
            if agent == "expert" or each.cause == "goal":
                print(json.dumps(asdict(each)), flush=True)
        reports.append(report(agent, tried))
        print(json.dumps(reports[-1] | {"minutes": round((time.perf_counter() - began) / 60, 1)}), flush=True)
    return reports


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of ``solve``."""
    parser.add_argument("--tasks", type=int, default=1_000, help="solve: how many")
    parser.add_argument("--first", type=int, default=0, help="solve: leave out the tasks before this one")
    parser.add_argument("--seed", type=int, default=0, help="solve: of the tasks and levels")
    parser.add_argument("--agents", nargs="+", choices=sorted(NAMES), default=["expert", "idle", "random"])
    parser.add_argument("--processes", type=int, default=2)


def write_table(path: Path, reports: list[dict], write: object) -> None:
    """Put the table into a page by ``write(path, begin, end, text)``."""
    write(path, "<!-- solved: benchmarks/tasks.py -->", "<!-- end of solved -->", table(reports))  # type: ignore[operator]
