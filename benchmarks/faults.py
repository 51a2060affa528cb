"""What a run survives: every kind of failure in every process, and SIGKILLs at random moments (targets R2 and R3).

    python benchmarks/faults.py table                       # fault x process, written to docs/faults.md
    python benchmarks/faults.py kills --world voxel --kills 100

Each trial is a small run that saves after every update. What it ends with is held against the same run left alone: the
hash of every file of the last checkpoint (worlds, network, optimiser, normalisers, generators, collection), but for
times of day. Lost are the updates that had to be lived again.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from figures import record

from farlands.runtime.checkpoint import file_hashes
from farlands.runtime.faults import KINDS, MOMENTS, read_struck

UPDATES = 8
FAULTS = (
    "raise@4", "raise@4:learn", "exit@4", "exit@4:log", "kill@4", "kill@4:learn",
    *(f"kill@4:save.{moment}" for moment in MOMENTS), "hang@4", "slow@4", "nan@4", "preempt@4", "full-disk@4", "torn@4",
)  # fmt: skip
ROLES = {"alone": (1, 0), "first of two": (2, 0), "second of two": (2, 1)}
WORLDS = {
    "cue-corridor": ["--num-worlds", "8", "--ppo.rollout", "8"],
    "voxel": ["--num-worlds", "8", "--ppo.rollout", "8", "--world.horizon", "24", "--agent.hidden", "16"],
}
ROWS = 64
"""Steps of an update."""
DOCS = Path(__file__).parent.parent / "docs" / "faults.md"
BEGIN, END = "<!-- fault table: benchmarks/faults.py -->", "<!-- end of table -->"


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        code: Its exit code.
        said: What it wrote, both streams.
        equal: Whether its last checkpoint is that of the run left alone; None where it did not come to its end.
        lived_twice: Updates that were lived again.
        seconds: It took.
    """

    code: int
    said: str
    equal: bool | None
    lived_twice: int
    seconds: float


def command(world: str, directory: Path, updates: int, *flags: str) -> list[str]:
    """A small run that saves after every update and keeps every checkpoint."""
    steps = ["--steps", str(ROWS * updates), "--save-every", "0", "--keep", "1000", "--threads", "1"]
    return ["train", world, *WORLDS[world], *steps, "--run-dir", str(directory), *flags]


def farlands(arguments: list[str]) -> tuple[int, str]:
    """Exit code and what was said."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "GOMP_SPINCOUNT": "10000"}
    done = subprocess.run(
        [sys.executable, "-m", "farlands", *arguments], capture_output=True, text=True, env=environment, timeout=600
    )
    return done.returncode, done.stdout + done.stderr


def hashes(directory: Path, updates: int = UPDATES) -> dict[str, str]:
    """Of the last checkpoint, by file; empty where there is none."""
    path = directory / "checkpoints" / f"step-{ROWS * updates:012d}"
    found = file_hashes(path) if path.exists() else {}
    return {name: digest for name, digest in found.items() if not name.startswith("counters")}


def trial(world: str, fault: str, role: str, base: Path, expected: dict[str, str]) -> Outcome:
    """One fault in one process, with one restart allowed; a run that ended saved goes on by the same command."""
    processes, rank = ROLES[role]
    directory = base / re.sub(r"\W", "-", f"{fault}-{role}")
    flags = ["--processes", str(processes), "--faults", f"{fault}/{rank}", "--restarts", "1", "--peer-timeout", "10"]
    began = time.monotonic()
    code, said = farlands(command(world, directory, UPDATES, *flags))
    if code in (75, 2):
        _, more = farlands(command(world, directory, UPDATES, *flags))
        said += more
    if not read_struck(directory):
        raise SystemExit(f"{fault} never struck {role}:\n{said}")
    found = hashes(directory)
    from_steps = [int(text.replace(",", "")) // ROWS for text in re.findall(r"going on from step ([\d,]+)", said)]
    update = int(re.search(r"@(\d+)", fault)[1])  # type: ignore[index]
    # The fault struck within update 4, or after it was saved.
    reached = update - 1 if not fault.startswith(("torn", "kill@4:save", "preempt")) else update
    twice = sum(max(0, reached - start) for start in from_steps)
    return Outcome(code, said, found == expected if found else None, twice, time.monotonic() - began)


def describe(fault: str, outcome: Outcome) -> str:
    """A cell of the table."""
    ended = {0: "goes on by itself", 75: "saved, exit 75; the same command goes on", 2: "refused in one line; goes on"}
    words = ended.get(outcome.code, f"exit {outcome.code}")
    if outcome.equal is None:
        return f"**{words}, not finished**"
    if fault.startswith("nan") and not outcome.equal:
        return f"{words}; the steps are left out, their evidence is kept"
    same = "equal" if outcome.equal else "**other states**"
    lost = f"{outcome.lived_twice} lived again" if outcome.lived_twice else "nothing lost"
    return f"{words}; {same}; {lost}"


def happens(fault: str, role: str) -> bool:
    """Whether a process ever comes to the moment of a fault: all but the writing of a save is the first one's."""
    return ROLES[role][1] == 0 or not (("save." in fault and "writing" not in fault) or fault.startswith("torn"))


def table(world: str, faults: list[str], done: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every fault in every role, those that are done already left out; prints a line each."""
    rows, known = list(done), {(row["fault"], row["role"]) for row in done}
    with tempfile.TemporaryDirectory(prefix="farlands-faults-") as text:
        base = Path(text)
        expected = {}
        for processes in (1, 2):
            directory = base / f"alone-{processes}"
            code, said = farlands(command(world, directory, UPDATES, "--processes", str(processes)))
            if code:
                raise SystemExit(said)
            expected[processes] = hashes(directory)
        for fault in faults:
            for role, (processes, _) in ROLES.items():
                if (fault, role) in known or not happens(fault, role):
                    continue
                outcome = trial(world, fault, role, base, expected[processes])
                row = {"fault": fault, "role": role, "code": outcome.code, "equal": outcome.equal,
                       "lived_twice": outcome.lived_twice, "seconds": round(outcome.seconds, 1)}  # fmt: skip
                rows.append(row | {"text": describe(fault, outcome)})
                print(json.dumps(rows[-1]), flush=True)
    return rows


def markdown(rows: list[dict[str, Any]]) -> str:
    """Fault by role."""
    cells = {(row["fault"], row["role"]): row["text"] for row in rows}
    lines = ["| fault | what happens | " + " | ".join(ROLES) + " |", "|---|---|" + "---|" * len(ROLES)]
    for fault in dict.fromkeys(row["fault"] for row in rows):
        kind, _, when = fault.partition("@4")
        words = KINDS[kind] + (f", in `{when[1:]}`" if when else "")
        lines.append(
            f"| {kind} | {words} | "
            + " | ".join(cells.get((fault, role), "the first one's moment") for role in ROLES)
            + " |"
        )
    return "\n".join(lines)


def kills(world: str, count: int, seed: int) -> dict[str, Any]:
    """One run killed again and again at random moments, each time resumed; held against the same run left alone."""
    draw, updates = random.Random(seed), UPDATES + 4 * count
    with tempfile.TemporaryDirectory(prefix="farlands-kills-") as text:
        unbroken, broken = Path(text) / "unbroken", Path(text) / "broken"
        code, said = farlands(command(world, unbroken, updates))
        if code:
            raise SystemExit(said)
        arguments, killed, mid_save = command(world, broken, updates), 0, 0
        while killed < count:
            done = _kill(arguments, broken, draw.uniform(0.0, 0.4))
            if not done:
                break
            killed += 1
            mid_save += any((broken / "checkpoints").glob(".new-*"))
            arguments = ["resume", str(broken)]
            if killed % 10 == 0:
                print(f"{killed} kills, {mid_save} of them within a save", file=sys.stderr, flush=True)
        code, said = farlands(["resume", str(broken)])
        names = [path.name for path in sorted((unbroken / "checkpoints").glob("step-*"))]
        alike = sum(_same(unbroken / "checkpoints" / name, broken / "checkpoints" / name) for name in names)
    return {"world": world, "kills": killed, "within_a_save": mid_save, "checkpoints": len(names), "equal": alike,
            "exit_code": code}  # fmt: skip


def _kill(arguments: list[str], directory: Path, delay: float) -> bool:
    """SIGKILL a command some time after its first new checkpoint; False where it ended before."""
    checkpoints = directory / "checkpoints"
    before = set(checkpoints.glob("step-*"))
    with subprocess.Popen(
        [sys.executable, "-m", "farlands", *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    ) as process:  # fmt: skip
        while process.poll() is None and set(checkpoints.glob("step-*")) <= before:
            time.sleep(0.005)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def _same(one: Path, other: Path) -> bool:
    if not other.exists():
        return False
    ours, theirs = file_hashes(one), file_hashes(other)
    return all(ours[name] == theirs.get(name) for name in ours if not name.startswith("counters"))


def _write(rows: list[dict[str, Any]]) -> None:
    page = DOCS.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    DOCS.write_text(f"{head}{BEGIN}\n{markdown(rows)}\n{END}{rest.split(END, 1)[1]}", encoding="utf-8")


def _chosen(only: str) -> Iterator[str]:
    yield from (fault for fault in FAULTS if not only or fault.startswith(tuple(only.split(","))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "kills"])
    parser.add_argument("--world", choices=WORLDS, default="cue-corridor")
    parser.add_argument("--only", default="", help="faults that begin like one of these, separated by commas")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--go-on", default="", help="what a table that was cut short printed, to go on from")
    parser.add_argument("--no-keep", action="store_true", help="print only")
    options = parser.parse_args()
    if options.what == "kills":
        found = kills(options.world, options.kills, options.seed)
        print(json.dumps(found))
        if not options.no_keep:
            record("R2", found["equal"] / found["checkpoints"], **found)
        return
    said = Path(options.go_on).read_text(encoding="utf-8").splitlines() if options.go_on else []
    done = [json.loads(line) for line in said if line.startswith("{")]
    rows = table(options.world, list(_chosen(options.only)), done)
    fine = sum(bool(row["equal"]) for row in rows)
    print(f"{fine} of {len(rows)} end with equal states; where rewards are no numbers there is nothing to be equal to")
    if not options.no_keep and not options.only:
        record("R3", fine / len(rows), world=options.world, rows=rows)
        _write(rows)


if __name__ == "__main__":
    main()
