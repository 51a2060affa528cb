"""The task grammar, measured: how fast tasks are drawn, how many there are, what the land grows.

    python benchmarks/tasks.py rate                       # tasks a second on one core
    python benchmarks/tasks.py structures --write docs/tasks.md
    python benchmarks/tasks.py land                       # shares of levels, for tasks/land.py
    python benchmarks/tasks.py grammar --write docs/tasks.md
    python benchmarks/tasks.py solve --write docs/tasks.md

``structures`` counts distinct solvable structures (tasks without quantities and ids) of depth 1 to 8 in two ways. By
sampling: the bias-corrected lower bound of Chao (1984, "Nonparametric estimation of the number of classes in a
population") and the coverage of Good and Turing (Good 1953). By enumeration: trees over one concrete predicate of each
kind are built systematically and judged one by one until a million of different structure were found solvable.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import task_solving
from figures import median_rate, record

from farlands.worlds.voxel.tasks.judge import Judge
from farlands.worlds.voxel.tasks.land import LAND
from farlands.worlds.voxel.tasks.manual import combinator_table, group_line, predicate_table
from farlands.worlds.voxel.tasks.notation import parse
from farlands.worlds.voxel.tasks.program import canonical, encode, structure, structure_hash
from farlands.worlds.voxel.tasks.sampler import DEPTHS, MIN_SHARE, Sampler
from farlands.worlds.voxel.tasks.techtree import default_tree
from farlands.worlds.voxel.tasks.tree import Node, Task

WANTED = 1_000_000
PARTS = (
    "gain(log, 2)", "carry(planks, 2)", "craft(stick, 4)", "place(crafting_table)", "break(ladder, 2)",
    "hold(wooden_axe)", "near(furnace)", "unlock(make_wooden_pickaxe)", "away(100)", "visit(50)", "above(46)",
    "eat(apple)", "at_least(health, 8)", "time(0, 12000)",
)  # fmt: skip
"""One predicate of each kind that depth 8 holds and that can all be had at once."""


def measure_rate(keep: bool) -> None:
    sampler = Sampler()
    seeds = itertools.count()

    def draw() -> int:
        for _ in range(2_000):
            sampler.sample(next(seeds))
        return 2_000

    rate, spread = median_rate(draw, 5)
    record("tasks-drawn", rate, keep=keep, unit="tasks/s", spread=round(spread, 3))

    def draw_programs() -> int:
        for _ in range(2_000):
            encode(sampler.sample(next(seeds)))
        return 2_000

    rate, spread = median_rate(draw_programs, 5)
    record("tasks-drawn-and-encoded", rate, keep=keep, unit="tasks/s", spread=round(spread, 3))


def sample_structures(number: int, keep: bool) -> dict[str, float]:
    """Distinct structures among drawn tasks, and estimates of how many could be drawn."""
    sampler = Sampler()
    seen: Counter[int] = Counter(structure_hash(structure(sampler.sample(seed))) for seed in range(number))
    times = Counter(seen.values())
    once, twice = times[1], times[2]
    chao = len(seen) + once * (once - 1) / (2 * (twice + 1))
    record("task-structures-drawn", len(seen), keep=keep, draws=number, once=once, twice=twice)
    record("task-structures-chao1", chao, keep=keep, draws=number)
    record("task-structures-coverage", 1 - once / number, keep=keep, draws=number)
    return {"drawn": len(seen), "chao": chao, "coverage": 1 - once / number}


def forms(size: int) -> Iterator[Task]:
    """Trees over so many of ``PARTS``, repeats allowed; some more than once, in other order."""
    if size == 1:
        yield from map(parse, PARTS)
        return
    for name in ("sequence", "all", "any"):
        for sizes in _compositions(size):
            for children in itertools.product(*(_listed(n) for n in sizes)):
                yield Node(name, children)


_known: dict[int, list[Task]] = {}


def _listed(size: int) -> list[Task]:
    if size not in _known:
        _known[size] = list(forms(size))
    return _known[size]


def _compositions(total: int) -> Iterator[tuple[int, ...]]:
    """Ways to write a number as an ordered sum of at least two."""
    for cuts in range(1, total):
        for places in itertools.combinations(range(1, total), cuts):
            edges = (0, *places, total)
            yield tuple(b - a for a, b in itertools.pairwise(edges))


def enumerate_structures(wanted: int, keep: bool) -> dict[str, float]:
    """Judge trees until ``wanted`` of different structure were solvable, not idle and of depth 1 to 8."""
    judge = Judge(default_tree(min_share=MIN_SHARE))
    looked: set[int] = set()
    good = refused = 0
    depths: Counter[int] = Counter()
    begin = time.perf_counter()
    for size in itertools.count(1):
        for form in forms(size):
            task = canonical(form)
            key = structure_hash(structure(task))
            if key in looked:
                continue
            looked.add(key)
            verdict = judge.judge(task)
            if verdict.solvable and not verdict.idle and verdict.depth in DEPTHS:
                good += 1
                depths[verdict.depth] += 1
            else:
                refused += 1
            if good == wanted:
                seconds = round(time.perf_counter() - begin)
                by_depth = dict(sorted(depths.items()))
                record("task-structures-found", good, keep=keep, refused=refused, depths=by_depth, seconds=seconds)
                return {"found": good, "refused": refused, "depths": len(by_depth)}
    raise AssertionError


def measure_land(levels: int, keep: bool) -> None:
    import numpy as np
    import warp as wp

    from farlands.worlds.voxel.blocks import BLOCKS
    from farlands.worlds.voxel.options import VoxelOptions
    from farlands.worlds.voxel.world import VoxelWorld

    batch = 50
    world = VoxelWorld(batch, VoxelOptions())
    enough = np.zeros(len(BLOCKS))
    for first in range(0, levels, batch):
        world.reset([first + k + 10**6 for k in range(batch)])
        for row in wp.to_torch(world.state.blocks).numpy():
            enough += np.bincount(row, minlength=len(BLOCKS))[: len(BLOCKS)] >= 8
    for block, count in zip(BLOCKS, enough, strict=True):
        if block.name in LAND:
            share = count / levels
            record(f"land-{block.name}", share, keep=keep, stored=LAND[block.name].share, levels=levels)


def write_between(path: Path, begin: str, end: str, text: str) -> None:
    """Replace what stands between two lines of a page."""
    page = path.read_text(encoding="utf-8")
    head, _, rest = page.partition(begin + "\n")
    _, _, tail = rest.partition(end)
    path.write_text(f"{head}{begin}\n{text}\n{end}{tail}", encoding="utf-8")


def figures_text(sampled: dict[str, float], found: dict[str, float], draws: int) -> str:
    """The paragraph of docs/tasks.md."""
    return (
        f"Of {draws:,} drawn tasks {sampled['drawn']:,} differ in structure; the sampler's reach is at least "
        f"{sampled['chao']:,.0f} structures (Chao's lower bound), and its next task has one that was drawn before "
        f"with chance {sampled['coverage']:.0%}. Enumerating trees over {len(PARTS)} predicates and judging each, "
        f"{found['found']:,} different structures were found solvable, not fulfilled by doing nothing, of depth 1 to 8 "
        f"({found['refused']:,} others were refused). By `python benchmarks/tasks.py structures`."
    )


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["rate", "structures", "land", "grammar", "solve"])
    parser.add_argument("--draws", type=int, default=400_000)
    parser.add_argument("--wanted", type=int, default=WANTED)
    parser.add_argument("--levels", type=int, default=400)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--keep", action="store_true", help="append to the results file")
    task_solving.add_arguments(parser)
    arguments = parser.parse_args()
    if arguments.what == "rate":
        measure_rate(arguments.keep)
    elif arguments.what == "land":
        measure_land(arguments.levels, arguments.keep)
    elif arguments.what == "solve":
        reports = task_solving.solve(arguments)
        for each in reports:
            shares = each["depths"]
            record(f"tasks-solved-{each['agent']}", shares["all"]["share"], keep=arguments.keep, depths=shares)
        if arguments.write:
            task_solving.write_table(arguments.write, reports, write_between)
    elif arguments.what == "structures":
        sampled = sample_structures(arguments.draws, arguments.keep)
        found = enumerate_structures(arguments.wanted, arguments.keep)
        if arguments.write:
            text = figures_text(sampled, found, arguments.draws)
            write_between(
                arguments.write, "<!-- figures: benchmarks/tasks.py -->", "<!-- end of figures -->", text
            )  # fmt: skip
    elif arguments.write:
        text = f"{predicate_table()}\n\n{combinator_table()}\n\n{group_line()}"
        write_between(arguments.write, "<!-- grammar: farlands tasks grammar -->", "<!-- end of grammar -->", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
