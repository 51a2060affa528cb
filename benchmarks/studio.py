"""What watching costs, and how soon a world answers the hand.

    python benchmarks/studio.py wall                # rounds of training alone and watched, kept in results.jsonl
    python benchmarks/studio.py wall --rounds 1 --seconds 20 --no-keep
    python benchmarks/studio.py wall --sees pictures --worlds 64 --rate 10
    python benchmarks/studio.py play --beside next-world

Wall: a run trains on all cores, from symbols by the demo's recipe or from pictures. In turns it is left alone, and
watched: a studio in a process of its own streams 16 worlds at 5 pictures a second to a page that reads them. Told are
how much slower it is than before and after, and how many pictures a second came.

Play: a page walks about, pressing and letting go of keys at random moments. The delay is the time from sending what a
key does until the first picture that shows it has been received, on this machine, decoding in the browser left out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from figures import record

from farlands.runtime.live import PATIENCE
from farlands.runtime.metrics import read_last_row

RECIPES = {
    "symbols": ["--recipe", "demo"],
    "pictures": ["--recipe", "voxel-pixels", "--num-worlds", "64"],
}
"""By what the agents see."""
TRAIN = ["train", "voxel", "--steps", "1e12", "--save-every", "1e9"]
LIVE = "live"
SETTLE = 45.0
"""Seconds after which a run has found its pace."""


def _start(*arguments: str, output: Any = subprocess.DEVNULL, where: Path | None = None) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "GOMP_SPINCOUNT": "10000"}
    command = [sys.executable, "-m", "farlands", *arguments]
    return subprocess.Popen(command, stdout=output, env=environment, cwd=where)


def _rate(metrics: Path, seconds: float) -> float:
    """Steps per second from now on, over whole updates that take about so long together."""
    begin = read_last_row(metrics)
    time.sleep(seconds)
    end = read_last_row(metrics)
    return (end["step"] - begin["step"]) / max(end["seconds"] - begin["seconds"], 1e-9)


class Page:
    """A page that is connected and reads whatever comes.

    Attributes:
        live: Whether the wall is live.
        pictures: Of the wall, so far.
    """

    def __init__(self, address: str) -> None:
        from websockets.sync.client import connect

        self._socket = connect(f"{address}/socket", max_size=1 << 24)
        self.live, self.pictures = threading.Event(), 0
        threading.Thread(target=self._read, daemon=True).start()

    def say(self, kind: str, **about: Any) -> None:
        """Send a message."""
        self._socket.send(json.dumps({"type": kind, **about}))

    def _read(self) -> None:
        from websockets.exceptions import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):
            for message in self._socket:
                about = _about(message)
                if about["type"] == "wall":
                    self.pictures += 1
                elif about["type"] == "wall-state" and about["state"] == LIVE:
                    self.live.set()


def _open(*arguments: str, where: Path | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """A studio and the address of its socket."""
    studio = _start(*arguments, "--port", "0", output=subprocess.PIPE, where=where)
    assert studio.stdout is not None
    found = re.search(r"http://[\d.]+:\d+", studio.stdout.readline().decode())
    if not found:
        studio.kill()
        raise SystemExit("the studio did not start")
    return studio, found[0].replace("http", "ws")


def measure(sees: str, rounds: int, seconds: float, worlds: int, rate: float) -> dict[str, Any]:
    """One run that is left alone and watched in turns; each time watched against the times before and after."""
    with tempfile.TemporaryDirectory(prefix="farlands-studio-") as text:
        directory = Path(text) / "run"
        run = _start(*TRAIN, *RECIPES[sees], "--run-dir", str(directory))
        studio, address = _open("studio", text)
        try:
            while not read_last_row(directory / "metrics.jsonl"):
                time.sleep(0.2)
            time.sleep(SETTLE)
            return _take_turns(directory, Page(address), rounds, seconds, {"worlds": worlds, "rate": rate}) | {
                "sees": sees, "worlds": worlds, "asked": rate, "seconds": seconds,
            }  # fmt: skip
        finally:
            for process in (studio, run):
                process.terminate()
                process.wait()


def _take_turns(directory: Path, page: Page, rounds: int, seconds: float, wall: dict[str, Any]) -> dict[str, Any]:
    metrics = directory / "metrics.jsonl"
    alone, watched, pictures = [_rate(metrics, seconds)], [], []
    for _ in range(rounds):
        page.live.clear()
        page.say("show-wall", run=directory.name, **wall)
        if not page.live.wait(120.0):
            raise SystemExit("the wall did not come to life")
        time.sleep(3.0)
        before, began = page.pictures, time.monotonic()
        watched.append(_rate(metrics, seconds))
        pictures.append((page.pictures - before) / (time.monotonic() - began))
        page.say("close-wall")
        # The run goes on writing until it has not been asked for a while.
        time.sleep(PATIENCE + 2.0)
        alone.append(_rate(metrics, seconds))
        beside = (alone[-2] + alone[-1]) / 2
        told = {"alone": beside, "watched": watched[-1], "slower": 1 - watched[-1] / beside}
        print(json.dumps({**told, "pictures_per_second": pictures[-1]}), flush=True)
    slower = [1 - seen / ((one + other) / 2) for seen, one, other in zip(watched, alone, alone[1:], strict=False)]
    return {
        "slower": statistics.median(slower), "by_round": [round(each, 4) for each in slower],
        "alone": statistics.median(alone), "watched": statistics.median(watched),
        "pictures_per_second": statistics.median(pictures),
    }  # fmt: skip


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
    parser.add_argument("--seconds", type=float, default=30.0)
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
