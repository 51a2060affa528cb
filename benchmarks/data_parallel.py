"""Two processes that train together against the same two without a word between them (target S12).

    python benchmarks/data_parallel.py              # rounds of both, alternating, kept in results.jsonl
    python benchmarks/data_parallel.py --rounds 1 --seconds 20 --no-keep

Both halves train the demo's recipe, 256 worlds and one thread each. That two processes share memory and caches costs
both alike, so the ratio is what communication and waiting for each other cost. The share of time that processes spend
in communication, waits included, is told beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from figures import record

from farlands.runtime.metrics import read_metrics

RECIPE = ["train", "voxel", "--recipe", "demo", "--steps", "1e12", "--save-every", "1e9", "--threads", "1"]
SKIP = 3
"""Updates at the start that are not counted."""


def _start(directory: Path, worlds: int, seconds: float, *flags: str) -> subprocess.Popen[bytes]:
    arguments = [*RECIPE, "--num-worlds", str(worlds), "--seconds", str(seconds), "--run-dir", str(directory), *flags]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "GOMP_SPINCOUNT": "10000"}
    return subprocess.Popen([sys.executable, "-m", "farlands", *arguments], stdout=subprocess.DEVNULL, env=environment)


def _rate(directory: Path) -> tuple[float, float]:
    """Median steps per second of a run's updates, and the share of their time spent in communication."""
    rows = read_metrics(directory / "metrics.jsonl")[SKIP:]
    busy = rows[-1]["seconds"] - rows[0]["seconds"]
    talking = sum(row.get("time/communicate", 0.0) for row in rows[1:])
    return statistics.median(row["steps_per_second"] for row in rows), talking / max(busy, 1e-9)


def together(base: Path, worlds: int, seconds: float) -> tuple[float, float]:
    """Steps per second of two processes of one run, and their share of communication."""
    run = _start(base / "together", worlds, seconds, "--processes", "2")
    if run.wait():
        raise SystemExit("the run of two processes failed")
    return _rate(base / "together")


def apart(base: Path, worlds: int, seconds: float) -> float:
    """Steps per second of two runs of one process side by side."""
    runs = [_start(base / f"apart-{k}", worlds // 2, seconds, "--seed", str(k + 1)) for k in range(2)]
    codes = [run.wait() for run in runs]
    if any(codes):
        raise SystemExit("a run of one process failed")
    return sum(_rate(base / f"apart-{k}")[0] for k in range(2))


def measure(rounds: int, worlds: int, seconds: float) -> dict[str, Any]:
    """Both, alternating, and the median of the rounds' ratios."""
    figures = []
    for index in range(rounds):
        with tempfile.TemporaryDirectory(prefix="farlands-s12-") as text:
            base = Path(text)
            if index % 2:
                alone = apart(base, worlds, seconds)
                rate, share = together(base, worlds, seconds)
            else:
                rate, share = together(base, worlds, seconds)
                alone = apart(base, worlds, seconds)
        figures.append({"together": rate, "apart": alone, "ratio": rate / alone, "communication_share": share})
        print(json.dumps(figures[-1]), flush=True)
    return {
        "worlds": worlds, "seconds": seconds, "rounds": figures,
        **{name: statistics.median(each[name] for each in figures) for name in figures[0]},
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--worlds", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--no-keep", action="store_true", help="print only")
    options = parser.parse_args()
    found = measure(options.rounds, options.worlds, options.seconds)
    record("S12", found["ratio"], keep=not options.no_keep, **found)


if __name__ == "__main__":
    main()
