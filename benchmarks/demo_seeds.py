"""L0 over training seeds: what the demo's recipe leads to, again and again.

    python benchmarks/demo_seeds.py --seeds 5 --directory runs/demo-seeds
    python benchmarks/demo_seeds.py --seeds 5 --directory runs/demo-seeds --threads 1 --parallel 2   # sooner

Trains the recipe with the seeds 1 to N, measures every agent on the demo's 512 unseen levels, and appends one line to
the results. Interrupted or repeated with the same directory, it goes on with what is missing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from figures import record

from farlands.recipes import RECIPES, read_train_flags
from farlands.runtime.display import make_display
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.signals import StopRequest
from farlands.runtime.studies.members import Member, carry_members

EPISODES = 512
SHOWN = ("collect_log", "make_crafting_table", "make_wooden_pickaxe", "collect_cobblestone", "make_stone_pickaxe")
_PLACE = ("seed", "run_dir", "threads", "device", "save_every", "keep")


def members_of(directory: Path, recipe: str, seeds: int, threads: int) -> list[Member]:
    """The recipe's run for every seed."""
    measure = ("--episodes", str(EPISODES), "--baseline", "False", "--threads", str(threads))
    return [
        Member(
            f"seed {seed}",
            directory / f"seed-{seed}",
            RECIPES[recipe].world,
            ("--recipe", recipe, "--seed", str(seed), "--threads", str(threads)),
            measure,
        )
        for seed in range(1, seeds + 1)
    ]


def check_recipe(member: Member, recipe: str) -> None:
    """Refuse a run that was made with other settings than the recipe's."""
    made = RunDirectory.open(str(member.directory)).read_config()
    meant = read_train_flags(member.world, ["--recipe", recipe])
    for item in dataclasses.fields(made):
        ours, theirs = getattr(made, item.name), getattr(meant, item.name)
        if item.name not in _PLACE and ours != theirs:
            raise SystemExit(f"{member.directory}: {item.name} is {ours}, the recipe has {theirs}")


def shares(member: Member) -> dict[str, float]:
    """Share of unseen levels with each achievement."""
    report = json.loads((member.directory / "report.json").read_text())
    return {name: one["value"] for name, one in report["actors"]["agent"]["achievements"].items()}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--dry", action="store_true", help="print without recording")
    asked = parser.parse_args()
    members = members_of(asked.directory, asked.recipe, asked.seeds, asked.threads)
    with make_display() as display, StopRequest() as stop:
        carry_members(members, asked.parallel, stop, display.status)
    if stop.signal:
        return stop.exit_code
    for member in members:
        check_recipe(member, asked.recipe)
    found = [shares(member) for member in members]
    pickaxes = [one["make_wooden_pickaxe"] for one in found]
    record(
        "L0",
        sum(pickaxes) / len(pickaxes),
        keep=not asked.dry,
        unit="share of episodes with a wooden pickaxe",
        seeds=asked.seeds,
        episodes=EPISODES,
        shares={name: [round(one[name], 4) for one in found] for name in SHOWN},
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
