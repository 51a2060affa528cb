"""Everything that only a GPU can show, in one command; a table of what came of each part is printed last.

    python benchmarks/cuda_hashes.py --device cpu --write trace.json            # on any machine with a CPU compiler
    python benchmarks/gpu.py --trace trace.json --minutes 25 --out runs/gpu     # on the GPU's
    python benchmarks/gpu.py --only hashes speed --minutes 8

Parts: equal hashes on both kinds of device (R1), speeds (S1-S5, S8, S11), tests that need a GPU, where time and energy
go, and the `diamond` task from pictures (L4) for all the time that is left, with an evaluation on unseen levels. The
run can be gone on with: the same command with the same --out resumes it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from farlands.runtime.metrics import read_last_row

HERE = Path(__file__).parent
TESTS = ("tests/learning/test_ppo.py", "tests/learning/test_collect.py")
EVALUATION = 240.0
"""Seconds kept back for the evaluation of what was learned."""


@dataclass(frozen=True)
class Part:
    """One command.

    Attributes:
        name: For people, and for --only.
        words: The command.
        seconds: It gets at most; 0 for all that is left.
    """

    name: str
    words: tuple[str, ...]
    seconds: float


def parts(trace: Path | None, out: Path, device: str, levels: int, flags: list[str]) -> list[Part]:
    """What is done, in this order."""
    python, run = sys.executable, str(out / "diamond")
    farlands = (python, "-m", "farlands")
    hashes = ("--against", str(trace)) if trace else ("--worlds", "256", "--steps", "2000")
    learn = (*farlands, "resume", run) if (out / "diamond" / "checkpoints").exists() else (
        *farlands, "train", "voxel", "--recipe", "voxel-pixels", "--world.task", "diamond", "--device", device,
        "--run-dir", run, *flags,
    )  # fmt: skip
    return [
        Part("hashes", (python, str(HERE / "cuda_hashes.py"), "--device", device, *hashes), 240),
        Part("speed", (python, str(HERE / "speed.py"), "--device", device, "--repeats", "3"), 400),
        Part("tests", (python, "-m", "pytest", "-q", "-k", "cuda or captured or graph or gpu", *TESTS), 240),
        Part("profile", (*farlands, "profile", "voxel", "--recipe", "voxel-pixels", "--device", device, *flags), 120),
        Part("learn", (*learn, "--steps", "1e12"), 0),
        Part("evaluate", (*farlands, "evaluate", run, "--episodes", str(levels), "--device", device), EVALUATION),
    ]


def carry_out(part: Part, left: float, spent: float, log: Path) -> tuple[str, float, str]:
    """What came of a part, how long it took, and its last line; ``spent`` are seconds of training before."""
    seconds = min(part.seconds, left) if part.seconds else max(0.0, left - EVALUATION)
    words = (*part.words, *(("--seconds", f"{spent + seconds:.0f}") if part.name == "learn" else ()))
    begin = time.monotonic()
    with log.open("w") as file:
        try:
            patience = seconds + (60 if part.name == "learn" else 0)
            done = subprocess.run(words, stdout=file, stderr=subprocess.STDOUT, timeout=patience)
            came = "done" if done.returncode == 0 else f"exit {done.returncode}"
        except subprocess.TimeoutExpired:
            came = "out of time"
    said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return came, time.monotonic() - begin, said[-1][:160] if said else ""


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trace", type=Path, help="what a CPU wrote down; without it both are run here")
    parser.add_argument("--minutes", type=float, default=25.0)
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--levels", type=int, default=1_000)
    parser.add_argument("--flags", default="", help="of the training, such as '--num-worlds 16', to try it on less")
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    flags = arguments.flags.split()
    planned = parts(arguments.trace, arguments.out, arguments.device, arguments.levels, flags)
    if unknown := sorted(set(arguments.only) - {part.name for part in planned}):
        parser.error(f"--only: no part {unknown[0]!r}; there are {', '.join(part.name for part in planned)}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    spent = read_last_row(arguments.out / "diamond" / "metrics.jsonl").get("seconds", 0.0)
    end, told = time.monotonic() + 60 * arguments.minutes, []
    for part in planned:
        if arguments.only and part.name not in arguments.only:
            continue
        left = end - time.monotonic()
        if left < 20:
            told.append((part.name, "left out", 0.0, "no time"))
            continue
        came, seconds, last = carry_out(part, left, spent, arguments.out / f"{part.name}.log")
        told.append((part.name, came, seconds, last))
        print(f"{part.name}: {came} after {seconds:.0f} s", flush=True)
    print()
    for name, came, seconds, last in told:
        print(f"{name:9} {came:12} {seconds:6.0f} s  {last}")
    return int(any(came not in ("done", "left out") for _, came, _, _ in told))


if __name__ == "__main__":
    sys.exit(main())
