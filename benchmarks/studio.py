"""What watching costs: training with and without a wall of worlds beside it.

    python benchmarks/studio.py                     # rounds of both, alternating, kept in results.jsonl
    python benchmarks/studio.py --rounds 1 --seconds 20 --no-keep

Both halves train the demo's recipe on all cores. In one, a studio in a process of its own streams 16 worlds at 5
pictures a second to a page that reads them. Told are the ratio of the training speeds, and how many pictures a second
came.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import record

from farlands.runtime.metrics import read_metrics

RECIPE = ["train", "voxel", "--recipe", "demo", "--steps", "1e12", "--save-every", "1e9"]
SKIP = 4
"""Updates at the start that are not counted."""
LIVE = "live"


def _start(*arguments: str, output: Any = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "GOMP_SPINCOUNT": "10000"}
    return subprocess.Popen([sys.executable, "-m", "farlands", *arguments], stdout=output, env=environment)


def _rate(directory: Path, since: float) -> float:
    """Median steps per second of the updates after some seconds of training."""
    rows = [row for row in read_metrics(directory / "metrics.jsonl")[SKIP:] if row["seconds"] > since]
    return statistics.median(row["steps_per_second"] for row in rows)


def alone(directory: Path, seconds: float) -> float:
    """Steps per second of training that nobody watches."""
    if _start(*RECIPE, "--seconds", str(seconds), "--run-dir", str(directory)).wait():
        raise SystemExit("the run failed")
    return _rate(directory, seconds / 4)


def watched(directory: Path, seconds: float, worlds: int, rate: float) -> tuple[float, float]:
    """Steps per second of training that is watched, and pictures of the living wall per second."""
    run = _start(*RECIPE, "--seconds", str(seconds), "--run-dir", str(directory))
    while not (directory / "metrics.jsonl").exists():
        time.sleep(0.2)
    studio = _start("studio", str(directory), "--port", "0", output=subprocess.PIPE)
    try:
        assert studio.stdout is not None
        found = re.search(r"http://[\d.]+:\d+", studio.stdout.readline().decode())
        if not found:
            raise SystemExit("the studio did not start")
        shown = _read_wall(found[0].replace("http", "ws"), directory.name, worlds, rate, seconds / 4, run)
    finally:
        studio.terminate()
        studio.wait()
        run.wait()
    return _rate(directory, seconds / 4), shown


def _read_wall(
    address: str, run: str, worlds: int, rate: float, settle: float, training: subprocess.Popen[bytes]
) -> float:
    """Read the wall until training ends; pictures per second once it is live and has settled."""
    from websockets.sync.client import connect

    live, began, count = False, 0.0, 0
    with connect(f"{address}/socket", max_size=1 << 24) as page:
        page.send(json.dumps({"type": "show-wall", "run": run, "worlds": worlds, "rate": rate}))
        while training.poll() is None:
            try:
                message = page.recv(timeout=1.0)
            except TimeoutError:
                continue
            if isinstance(message, str):
                told = json.loads(message)
                if told["type"] == "wall-state" and told["state"] == LIVE and not live:
                    live, began = True, time.monotonic() + settle / 2
                continue
            (length,) = struct.unpack_from("<I", message)
            if live and time.monotonic() > began and json.loads(message[4 : 4 + length])["type"] == "wall":
                count += 1
        return count / max(time.monotonic() - began, 1e-9)


def measure(rounds: int, seconds: float, worlds: int, rate: float) -> dict[str, Any]:
    """Both, alternating, and the medians of the rounds."""
    figures = []
    for index in range(rounds):
        with tempfile.TemporaryDirectory(prefix="farlands-studio-") as text:
            base = Path(text)
            if index % 2:
                theirs, shown = watched(base / "watched", seconds, worlds, rate)
                mine = alone(base / "alone", seconds)
            else:
                mine = alone(base / "alone", seconds)
                theirs, shown = watched(base / "watched", seconds, worlds, rate)
        figures.append({"alone": mine, "watched": theirs, "slower": 1 - theirs / mine, "pictures_per_second": shown})
        print(json.dumps(figures[-1]), flush=True)
    medians = {name: statistics.median(each[name] for each in figures) for name in figures[0]}
    return {"worlds": worlds, "asked": rate, "seconds": seconds, "rounds": figures, **medians}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--worlds", type=int, default=16)
    parser.add_argument("--rate", type=float, default=5.0)
    parser.add_argument("--no-keep", action="store_true", help="print only")
    options = parser.parse_args()
    found = measure(options.rounds, options.seconds, options.worlds, options.rate)
    record("studio-wall", found["slower"], keep=not options.no_keep, **found)


if __name__ == "__main__":
    main()
