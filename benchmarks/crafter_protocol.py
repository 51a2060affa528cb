"""The Crafter protocol (Hafner 2021): the scorer against published tables, the random agent, and PPO.

    python benchmarks/crafter_protocol.py table
    python benchmarks/crafter_protocol.py random [--episodes 1500]
    python benchmarks/crafter_protocol.py train [--seeds 1] [--steps 1000000] [--dir runs/crafter] [-- --flag value ...]
    python benchmarks/crafter_protocol.py score RUN_DIR ...

`train` resumes a seed's run where it stands, so that it can be interrupted, and scores all seeds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np
import torch
from figures import record

from farlands.cli import main as farlands
from farlands.evaluation.crafter import (
    BUDGET,
    METHODS,
    PUBLISHED,
    PUBLISHED_SCORES,
    CrafterScore,
    mean_score,
    score_rates,
    score_run,
)
from farlands.worlds.adapters.foreign.named import CrafterWorld
from farlands.worlds.adapters.foreign.options import CrafterOptions
from farlands.worlds.world import Episodes


def check_table() -> bool:
    """Whether the scorer gives what is published, to its last digit."""
    scores = score_rates(np.array(list(PUBLISHED.values())).T)
    good = True
    for method, published, score in zip(METHODS, PUBLISHED_SCORES, scores, strict=True):
        agrees = abs(score - published) <= (0.005 if published == 1.55 else 0.06)
        good = good and bool(agrees)
        print(
            json.dumps(
                {"method": method, "published": published, "score": round(float(score), 3), "agrees": bool(agrees)}
            )
        )
    return good


def random_episodes(world: CrafterWorld, count: int, seed: int = 0) -> list[Episodes]:
    """Episodes of the uniformly random agent, at least ``count``; those still running at the end are left out."""
    generator = torch.Generator().manual_seed(seed)
    out, found = world.reset(seed), []
    while sum(map(len, found)) < count:
        for _ in range(100):
            actions = torch.randint(17, (world.num_worlds,), generator=generator, dtype=torch.int32)
            out = world.step(actions, out=out)
        found.append(world.drain_episodes())
    return found


def score_random(count: int, keep: bool) -> None:
    """The random agent: published are a score of 1.6 +- 0.1 and a mean episode of 168 steps, median 165."""
    world = CrafterWorld(16, CrafterOptions())
    episodes = random_episodes(world, count)
    world.close()
    unlocked = np.concatenate([part.achievements > 0 for part in episodes])
    length = np.concatenate([part.length for part in episodes])
    rates = 100.0 * unlocked.mean(axis=0)
    generator = np.random.default_rng(0)
    draws = [unlocked[generator.integers(len(unlocked), size=len(unlocked))].mean(axis=0) for _ in range(1000)]
    low, high = np.quantile(score_rates(100.0 * np.array(draws)), (0.025, 0.975))
    interval = [round(float(low), 2), round(float(high), 2)]
    shown = {name: round(float(rate), 2) for name, rate in zip(world.spec.achievements, rates, strict=True)}
    record("crafter-random-score", float(score_rates(rates)), keep=keep, interval=interval, episodes=len(length),
           unit="%", rates=shown)  # fmt: skip
    error = round(float(length.std() / np.sqrt(len(length))), 2)
    reward = float(np.concatenate([part.reward for part in episodes]).mean())
    record("crafter-random-length", float(length.mean()), keep=keep, standard_error=error,
           median=float(np.median(length)), reward=round(reward, 3), unit="steps")  # fmt: skip


def train(seeds: int, steps: int, directory: Path, flags: list[str]) -> list[Path]:
    """A run of each seed, begun or gone on with."""
    runs = [directory / f"seed-{seed}" for seed in range(1, seeds + 1)]
    for seed, run in enumerate(runs, 1):
        if (run / "config.json").exists():
            code = farlands(["resume", str(run), "--steps", str(steps)])
        else:
            code = farlands(
                ["train", "crafter", "--seed", str(seed), "--steps", str(steps), "--run-dir", str(run), *flags]
            )
        if code not in (0, 2):
            raise SystemExit(code)
    return runs


def report(runs: list[Path], budget: int, keep: bool) -> None:
    """Each seed's score, and mean and deviation over seeds."""
    scores: list[CrafterScore] = [score_run(run, budget) for run in runs]
    for run, score in zip(runs, scores, strict=True):
        print(json.dumps({"run": str(run), **dataclasses.asdict(score)}))
    mean, deviation = mean_score(scores)
    each = [round(score.score, 2) for score in scores]
    record("crafter-score", mean, keep=keep, deviation=round(deviation, 2), seeds=each, steps=budget, unit="%",
           reward=round(float(np.mean([score.reward for score in scores])), 2))  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("table", "random", "train", "score"))
    parser.add_argument("rest", nargs="*", help="directories of runs to score; or, behind --, flags of farlands train")
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--episodes", type=int, default=1500)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--steps", type=int, default=BUDGET)
    parser.add_argument("--dir", type=Path, default=Path("runs/crafter"))
    arguments = parser.parse_args()
    if arguments.what == "table":
        raise SystemExit(0 if check_table() else 1)
    if arguments.what == "random":
        score_random(arguments.episodes, arguments.keep)
        return
    runs = [Path(path) for path in arguments.rest]
    if arguments.what == "train":
        runs = train(arguments.seeds, arguments.steps, arguments.dir, arguments.rest)
    report(runs, arguments.steps, arguments.keep)


if __name__ == "__main__":
    main()
