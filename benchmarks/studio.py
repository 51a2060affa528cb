"""What watching costs, and how soon a world answers the hand.

    python benchmarks/studio.py wall                # rounds of training alone and watched, kept in results.jsonl
    python benchmarks/studio.py wall --rounds 1 --seconds 20 --no-keep
    python benchmarks/studio.py wall --sees pictures --worlds 64 --rate 10
    python benchmarks/studio.py play --beside next-world

Wall: both halves train on all cores, from symbols by the demo's recipe or from pictures. In one, a studio in a
process of its own streams 16 worlds at 5 pictures a second to a page that reads them. Told are the ratio of the
training speeds, and how many pictures a second came.

Play: a page walks about, pressing and letting go of keys at random moments. The delay is the time from sending what a
key does until the first picture that shows it has been received, on this machine, decoding in the browser left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
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

RECIPES = {
    "symbols": ["--recipe", "demo"],
    "pictures": ["--recipe", "voxel-pixels", "--num-worlds", "64"],
}
"""By what the agents see."""
TRAIN = ["train", "voxel", "--steps", "1e12", "--save-every", "1e9"]
SKIP = 4
"""Updates at the start that are not counted."""
LIVE = "live"


def _start(*arguments: str, output: Any = subprocess.DEVNULL, where: Path | None = None) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "GOMP_SPINCOUNT": "10000"}
    command = [sys.executable, "-m", "farlands", *arguments]
    return subprocess.Popen(command, stdout=output, env=environment, cwd=where)


def _rate(directory: Path, since: float) -> float:
    """Median steps per second of the updates after some seconds of training."""
    rows = [row for row in read_metrics(directory / "metrics.jsonl")[SKIP:] if row["seconds"] > since]
    return statistics.median(row["steps_per_second"] for row in rows)


def alone(directory: Path, sees: str, seconds: float) -> float:
    """Steps per second of training that nobody watches."""
    if _start(*TRAIN, *RECIPES[sees], "--seconds", str(seconds), "--run-dir", str(directory)).wait():
        raise SystemExit("the run failed")
    return _rate(directory, seconds / 4)


def watched(directory: Path, sees: str, seconds: float, worlds: int, rate: float) -> tuple[float, float]:
    """Steps per second of training that is watched, and pictures of the living wall per second."""
    run = _start(*TRAIN, *RECIPES[sees], "--seconds", str(seconds), "--run-dir", str(directory))
    while not (directory / "metrics.jsonl").exists():
        time.sleep(0.2)
    studio, address = _open("studio", str(directory))
    try:
        shown = _read_wall(address, directory.name, worlds, rate, seconds / 4, run)
    finally:
        studio.terminate()
        studio.wait()
        run.wait()
    return _rate(directory, seconds / 4), shown


def _open(*arguments: str, where: Path | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """A studio and the address of its socket."""
    studio = _start(*arguments, "--port", "0", output=subprocess.PIPE, where=where)
    assert studio.stdout is not None
    found = re.search(r"http://[\d.]+:\d+", studio.stdout.readline().decode())
    if not found:
        studio.kill()
        raise SystemExit("the studio did not start")
    return studio, found[0].replace("http", "ws")


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


def measure(sees: str, rounds: int, seconds: float, worlds: int, rate: float) -> dict[str, Any]:
    """Both, alternating, and the medians of the rounds."""
    figures = []
    for index in range(rounds):
        with tempfile.TemporaryDirectory(prefix="farlands-studio-") as text:
            base = Path(text)
            if index % 2:
                theirs, shown = watched(base / "watched", sees, seconds, worlds, rate)
                mine = alone(base / "alone", sees, seconds)
            else:
                mine = alone(base / "alone", sees, seconds)
                theirs, shown = watched(base / "watched", sees, seconds, worlds, rate)
        figures.append({"alone": mine, "watched": theirs, "slower": 1 - theirs / mine, "pictures_per_second": shown})
        print(json.dumps(figures[-1]), flush=True)
    medians = {name: statistics.median(each[name] for each in figures) for name in figures[0]}
    return {"sees": sees, "worlds": worlds, "asked": rate, "seconds": seconds, "rounds": figures, **medians}


def walk(seconds: float, beside: str) -> dict[str, Any]:
    """Delays in milliseconds of a page that walks about, and pictures per second."""
    from websockets.sync.client import connect

    draws, delays, pictures = random.Random(0), [], 0
    with tempfile.TemporaryDirectory(prefix="farlands-play-") as home:
        studio, address = _open("play", "7", "--open", "False", where=Path(home))
        try:
            with connect(f"{address}/socket", max_size=1 << 24) as page:
                page.send(json.dumps({"type": "enter", "seed": "7", "beside": beside}))
                while _about(page.recv(timeout=300.0))["type"] != "play":
                    pass
                began, due, held = time.monotonic(), 0.0, False
                while (now := time.monotonic()) < began + seconds:
                    if now >= due:
                        held, due = not held, now + draws.uniform(0.05, 0.4)
                        act = {"move": "forward" if held else "none", "turn": draws.choice((0, 0, 1, -1))}
                        page.send(json.dumps({"type": "act", "sent": time.monotonic() * 1000, **act}))
                    try:
                        about = _about(page.recv(timeout=max(0.0, due - time.monotonic())))
                    except TimeoutError:
                        continue
                    if about["type"] == "play":
                        pictures += 1
                        delays += [time.monotonic() * 1000 - sent for sent in about.get("acts", [])]
        finally:
            studio.terminate()
            studio.wait()
    delays.sort()
    return {
        "beside": beside, "acts": len(delays), "median": round(statistics.median(delays), 1),
        "p95": round(delays[int(0.95 * len(delays))], 1), "pictures_per_second": round(pictures / seconds, 1),
    }  # fmt: skip


def _about(message: str | bytes) -> dict[str, Any]:
    if isinstance(message, str):
        told = json.loads(message)
        if told["type"] in ("mistake", "play-failed"):
            raise SystemExit(told["why"])
        return told
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["wall", "play"])
    parser.add_argument("--beside", default="next-world", choices=["nobody", "next-world", "same-world"])
    parser.add_argument("--sees", default="symbols", choices=list(RECIPES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--worlds", type=int, default=16)
    parser.add_argument("--rate", type=float, default=5.0)
    parser.add_argument("--no-keep", action="store_true", help="print only")
    options = parser.parse_args()
    if options.what == "play":
        found = walk(options.seconds, options.beside)
        record("studio-play-delay", found["median"], keep=not options.no_keep, **found)
        return
    found = measure(options.sees, options.rounds, options.seconds, options.worlds, options.rate)
    record("studio-wall", found["slower"], keep=not options.no_keep, **found)


if __name__ == "__main__":
    main()
