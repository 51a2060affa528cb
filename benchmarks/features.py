"""What each part of the living world costs: steps per second of the worlds alone, with parts switched off.

    python benchmarks/features.py                        # a table, and docs/features.md anew with --write
    python benchmarks/features.py --against ../first     # beside another checkout of Farlands, in the same run

All variants take turns, a round each, so that a busy machine troubles them alike; figures are medians over the
rounds. Actions are uniform over all choices; options are the defaults but for what a row names; 512 worlds, episodes in
mid-life (horizon 1,500, staggered).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORLDS, STEPS = 512, 60
VARIANTS: dict[str, dict[str, object]] = {
    "everything, by day": {},
    "everything, at night": {"start_time": 14_000},
    "animals only": {"creatures": "animals"},
    "no creatures": {"creatures": "none"},
    "no creatures, land that ends": {"creatures": "none", "endless": False},
    "everything, with pictures": {"senses": ("pixels", "vitals", "status", "inventory", "equipment", "action_mask")},
    "no creatures, with pictures": {
        "creatures": "none",
        "senses": ("pixels", "vitals", "status", "inventory", "equipment", "action_mask"),
    },
}
_WORKER = """
import json, sys, time, torch
from farlands.worlds.voxel.actions import FLAT_ACTIONS
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld
worlds, steps, changes = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
fields = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
world = VoxelWorld(worlds, VoxelOptions(horizon=1_500, stagger=True, **fields))
world.reset(0)
out, generator = world.allocate(), torch.Generator().manual_seed(0)
draw = lambda: torch.randint(0, len(FLAT_ACTIONS), (worlds,), generator=generator).to(torch.int32)
actions = [draw() for _ in range(64)]
for k in range(200):
    world.step(actions[k % 64], out)
print("ready", flush=True)
for line in sys.stdin:
    began = time.perf_counter()
    for k in range(steps):
        world.step(actions[k % 64], out)
    print(steps * worlds / (time.perf_counter() - began), flush=True)
"""


class Worker:
    """One variant in a process of its own, which steps when told to."""

    def __init__(self, source: Path, changes: dict[str, object], steps: int) -> None:
        command = [sys.executable, "-c", _WORKER, str(WORLDS), str(steps), json.dumps(changes)]
        environment = os.environ | {"PYTHONPATH": str(source / "src"), "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.rates: list[float] = []
        while self._read() != "ready":
            pass

    def _read(self) -> str:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise RuntimeError("the worker has stopped")
        return line.strip()

    def round(self) -> None:
        """Step once through the actions, and note the rate."""
        print("go", file=self._process.stdin, flush=True)
        self.rates.append(float(self._read()))

    def close(self) -> None:
        """End the process."""
        self._process.stdin.close()  # type: ignore[union-attr]
        self._process.wait()


def measure(against: Path | None, rounds: int) -> list[dict[str, object]]:
    """A row per variant: name, median steps per second, and its share of the reference."""
    workers = {name: Worker(ROOT, changes, 10 if "pictures" in name else STEPS) for name, changes in VARIANTS.items()}
    if against is not None:
        workers["the first version"] = Worker(against, {}, STEPS)
    for _ in range(rounds):
        for worker in workers.values():
            worker.round()
    for worker in workers.values():
        worker.close()
    medians = {name: statistics.median(worker.rates) for name, worker in workers.items()}
    plain = medians.get("the first version", medians["no creatures, land that ends"])
    drawn = medians["no creatures, with pictures"]
    return [
        {
            "name": name, "steps_per_second": round(rate),
            "share": round(rate / (drawn if "pictures" in name else plain), 3),
            "spread": round((max(workers[name].rates) - min(workers[name].rates)) / rate, 3),
        }
        for name, rate in medians.items()
    ]  # fmt: skip


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout to measure beside this one")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="write docs/features.md")
    chosen = parser.parse_args()
    rows = measure(chosen.against, chosen.rounds)
    for row in rows:
        print(json.dumps(row), flush=True)
    if chosen.write:
        write(rows)


def write(rows: list[dict[str, object]]) -> None:
    """The table as a page."""
    lines = [
        "# What the parts of the living world cost",
        "",
        "Made by `python benchmarks/features.py --write`: steps per second of the worlds alone on two cores, 512",
        "worlds, random actions; medians of rounds in which all variants take turns. The share is of the first version",
        "of the world (bounded land, nothing alive or flowing); with pictures, of drawing a world without creatures.",
        "",
        "| | steps/s | share | spread of the rounds |",
        "|---|---|---|---|",
        *(f"| {r['name']} | {r['steps_per_second']:,} | {r['share']:.0%} | {r['spread']:.0%} |" for r in rows),
    ]
    (ROOT / "docs" / "features.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
