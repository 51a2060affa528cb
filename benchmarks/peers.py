"""Peers beside Farlands, in the same run on the same machine, in alternation; ratios are medians over the rounds.

    pip install crafter craftax                              # what is installed is measured
    python benchmarks/peers.py
    python benchmarks/peers.py --only craftax-symbols --rounds 1 --no-keep
    python benchmarks/peers.py --craftax-c FOLDER            # a built clone of craftax.cu
    python benchmarks/peers.py --baselines FOLDER            # a clone of Craftax_Baselines

Crafter (Hafner 2021) and Craftax (Matthews et al. 2024) are 2-D survival worlds. Worlds alone take random actions,
resets included. Learning is recurrent PPO from symbols, each with its own authors' recipe. Two cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "10000")

import numpy as np
import torch
import warp as wp
from figures import calibrate, record
from speed import HORIZON, PIXELS, VoxelOptions, training_rate, world_rate

HERE = Path(__file__).parent
NOTES = {
    "crafter-pixels": "Crafter, two processes (twice one), 64x64 pictures",
    "craftax-symbols": "Craftax-Classic in JAX, 256 levels, symbols",
    "craftax-pixels": "Craftax-Classic in JAX, 256 levels, 63x63 pictures",
    "craftax-c-classic": "Craftax-Classic in C (craftax.cu), 4,096 levels, symbols",
    "craftax-c-full": "Craftax in C (craftax.cu, after PufferLib's), 1,024 levels, symbols",
    "craftax-learning": "Craftax-Classic, recurrent PPO of its authors from symbols, 256 levels; ours as S7",
}
"""What exactly is compared."""


@dataclass(frozen=True)
class Peer:
    """Somebody else's figure, and ours that stands beside it.

    Attributes:
        theirs, ours: Steps per second.
        missing: What has to be there first; empty where it is.
    """

    theirs: Callable[[], float]
    ours: Callable[[], float]
    missing: str = ""


def crafter_rate(seconds: float) -> float:
    """Steps per second of one Crafter process, pictures and resets included."""
    import crafter

    env = crafter.Env(seed=0)
    draws = np.random.default_rng(0).integers(0, env.action_space.n, 100_000)
    env.reset()
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        if env.step(int(draws[steps % len(draws)]))[2]:
            env.reset()
        steps += 1
    return steps / (time.perf_counter() - begin)


def craftax_rate(kind: str, levels: int) -> float:
    """Steps per second of Craftax-Classic in JAX, in a process of its own."""
    command = [sys.executable, str(HERE / "peer_craftax.py"), kind, "--levels", str(levels)]
    return float(json.loads(_said(command, HERE).splitlines()[-1])["rate"])


def craftax_c_rate(folder: Path, program: str, levels: int, iterations: int) -> float:
    """Steps per second that a C port tells of itself, of its ways the fastest."""
    threads = ["--threads", "2"] if program == "craftax_full" else ["--backend", "cpu"]
    words = [f"./{program}", "bench", "--envs", str(levels), "--iters", str(iterations), *threads]
    said = _said(words, folder)
    rates = [float(rate) for rate in re.findall(r"SPS=\s*([\d.]+)", said)]
    if not rates:
        raise SystemExit(f"peers: no rate in what {program} said: {said[:200]}")
    return max(rates)


def baselines_rate(folder: Path, levels: int = 256, rollout: int = 64, few: int = 1, many: int = 4) -> float:
    """Steps per second of the authors' recurrent PPO: what further updates take, so that compiling is left out."""

    def seconds(updates: int) -> float:
        words = ["--env_name", "Craftax-Classic-Symbolic-v1", "--num_envs", str(levels), "--num_steps", str(rollout)]
        words += ["--total_timesteps", str(updates * levels * rollout), "--no-use_wandb", "--no-debug", "--seed", "0"]
        found = re.search(r"Time to run experiment ([\d.]+)", _said([sys.executable, "ppo_rnn.py", *words], folder))
        if not found:
            raise SystemExit("peers: ppo_rnn.py did not say how long it took")
        return float(found[1])

    return (many - few) * levels * rollout / (seconds(many) - seconds(few))


def _said(command: list[str], where: Path) -> str:
    environment = {**os.environ, "JAX_PLATFORMS": "cpu", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"peers: {' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout


def our_symbols() -> float:
    """As S6."""
    return world_rate(512, VoxelOptions(horizon=HORIZON, stagger=True), "cpu", 100, 1)["random"]


def our_pixels() -> float:
    """As S6."""
    return world_rate(128, VoxelOptions(horizon=HORIZON, stagger=True, senses=PIXELS), "cpu", 10, 1)["random"]


def our_learning() -> float:
    """As S7."""
    return training_rate(512, VoxelOptions(horizon=HORIZON, stagger=True), "cpu", 2, 1)[0]


def _absent(package: str) -> str:
    return "" if importlib.util.find_spec(package) else f"pip install {package}"


def find_peers(craftax_c: Path | None, baselines: Path | None) -> dict[str, Peer]:
    """Every peer, whether it is there or not."""
    crafter, craftax = _absent("crafter"), _absent("craftax")
    folder, learners = craftax_c or HERE, baselines or HERE
    built = "--craftax-c FOLDER, a clone of craftax.cu after `make NVCC=`"
    classic, full = ("" if (folder / name).exists() else built for name in ("craftax_classic", "craftax_full"))
    cloned = "" if baselines else "--baselines FOLDER, a clone of Craftax_Baselines"
    return {
        "crafter-pixels": Peer(lambda: 2 * crafter_rate(10), our_pixels, crafter),
        "craftax-symbols": Peer(lambda: craftax_rate("symbols", 256), our_symbols, craftax),
        "craftax-pixels": Peer(lambda: craftax_rate("pixels", 256), our_pixels, craftax),
        "craftax-c-classic": Peer(lambda: craftax_c_rate(folder, "craftax_classic", 4096, 1000), our_symbols, classic),
        "craftax-c-full": Peer(lambda: craftax_c_rate(folder, "craftax_full", 1024, 1000), our_symbols, full),
        "craftax-learning": Peer(lambda: baselines_rate(learners), our_learning, craftax or cloned),
    }


def compare(name: str, peer: Peer, rounds: int, keep: bool) -> None:
    """Measure both in alternation and record theirs, ours and the median ratio."""
    pairs = [(peer.ours(), peer.theirs()) for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = sorted(mine / other for mine, other in pairs)
    facts = {"ratio": float(f"{statistics.median(ratios):.3g}"), "ratios": [float(f"{each:.3g}") for each in ratios]}
    record(f"peer-{name}", theirs, keep=keep, farlands=float(f"{ours:.4g}"), unit="steps/s", note=NOTES[name], **facts)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--craftax-c", type=Path)
    parser.add_argument("--baselines", type=Path)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    wp.config.log_level = wp.LOG_WARNING
    torch.set_num_threads(2)
    peers = find_peers(arguments.craftax_c, arguments.baselines)
    if unknown := sorted(set(arguments.only) - set(peers)):
        parser.error(f"--only: no peer {unknown[0]!r}; there are {', '.join(peers)}")
    record("calibration", calibrate(), keep=arguments.keep)
    for name, peer in peers.items():
        if arguments.only and name not in arguments.only:
            continue
        if peer.missing:
            print(f"peers: {name} left out; it takes {peer.missing}", file=sys.stderr)
            continue
        compare(name, peer, arguments.rounds, arguments.keep)


if __name__ == "__main__":
    main()
