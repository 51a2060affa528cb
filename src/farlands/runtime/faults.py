"""Failures acted out at a named moment, to see what a run does with them.

A fault is data, not timing: what, in which update, in which phase, in which process. It strikes once in a run's life,
and is noted in ``faults.jsonl`` before it does, so that a test can tell that it struck and a resumed run is spared.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from farlands.errors import UserError
from farlands.runtime.files import fsync_path

PHASES = ("collect", "reward", "learn", "log", "save")
MOMENTS = ("begun", "writing", "written", "renamed", "published")
"""Of a save, in their order; ``CheckpointStore`` names them."""

KINDS = {
    "raise": "an exception in our own code or a user's",
    "exit": "the process ends at once with code 7",
    "kill": "SIGKILL, as by the system when memory is short",
    "hang": "the process stops and does nothing any more",
    "slow": "the process takes three seconds longer",
    "nan": "rewards that are not numbers",
    "preempt": "SIGTERM, as by a scheduler that wants the machine back",
    "full-disk": "writing fails half-way through a file",
    "torn": "the machine crashes: the newest checkpoint is cut off and the process gone",
}
_WHEN = {"nan": "reward", "full-disk": "save", "torn": "save.published"}
"""Phases of kinds that fit one only; the others strike in ``collect`` unless told otherwise."""

_PATTERN = re.compile(r"(?P<kind>[\w-]+)@(?P<update>\d{1,9})(:(?P<phase>[\w.]+))?(/(?P<rank>\d{1,6}))?")
_SLOWNESS = 3.0
_FILE_LIMIT = 1024
"""Bytes that a file may have while the disk is full."""


@dataclass(frozen=True)
class Fault:
    """One failure.

    Attributes:
        kind: One of ``KINDS``.
        update: In which it strikes, from 1.
        phase: ``collect``, ``reward``, ``learn``, ``log``, ``save``, or a moment of a save such as ``save.written``.
        rank: The process that it strikes.
    """

    kind: str
    update: int
    phase: str
    rank: int = 0

    def __str__(self) -> str:
        return f"{self.kind}@{self.update}:{self.phase}/{self.rank}"


def parse_fault(text: str) -> Fault:
    """Read ``KIND@UPDATE[:PHASE][/RANK]``.

    Raises:
        UserError: It is none.
    """
    match = _PATTERN.fullmatch(text)
    if not match:
        raise UserError("not a fault:", text, "expected KIND@UPDATE, KIND@UPDATE:PHASE, or either with /RANK behind it")
    kind, phases = match["kind"], (*PHASES, *(f"save.{moment}" for moment in MOMENTS))
    if kind not in KINDS:
        raise UserError("unknown kind of fault", kind, KINDS)
    phase = match["phase"] or _WHEN.get(kind, "collect")
    if phase not in phases:
        raise UserError("unknown phase of a fault", phase, phases)
    if kind in _WHEN and phase != _WHEN[kind]:
        raise UserError(f"the fault {kind} strikes in {_WHEN[kind]}, not in", phase)
    return Fault(kind, int(match["update"]), phase, int(match["rank"] or 0))


class Faults:
    """Those that a process is to suffer.

    Args:
        texts: As ``parse_fault`` reads them.
        directory: Of the run.
        rank: This process.

    Raises:
        UserError: A text is no fault.
    """

    def __init__(self, texts: Sequence[str], directory: Path, rank: int) -> None:
        self._record = directory / "faults.jsonl"
        struck = [fault for fault, _ in read_struck(directory)]
        self._left = [fault for fault in map(parse_fault, texts) if fault.rank == rank and str(fault) not in struck]
        self._nan = False

    def strike(self, update: int, phase: str) -> None:
        """Suffer what is due at this moment of an update."""
        for fault in [fault for fault in self._left if (fault.update, fault.phase) == (update, phase)]:
            self._left.remove(fault)
            self._note(fault)
            self._act(fault)

    def poison(self, rewards: list[Tensor]) -> list[Tensor]:
        """The rewards of each source, those of the first none that are numbers if that is what is due."""
        poisoned, self._nan = self._nan, False
        return [rewards[0] * float("nan"), *rewards[1:]] if poisoned else rewards

    def _note(self, fault: Fault) -> None:
        line = json.dumps({"fault": str(fault), "process": os.getpid(), "time": time.time()})
        with self._record.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        fsync_path(self._record)

    def _act(self, fault: Fault) -> None:
        acts: dict[str, Callable[[], None]] = {
            "raise": _raise,
            "exit": lambda: os._exit(7),
            "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
            "hang": _hang,
            "slow": lambda: time.sleep(_SLOWNESS),
            "nan": self._poison_next,
            "preempt": lambda: os.kill(os.getpid(), signal.SIGTERM),
            "full-disk": _fill_disk,
            "torn": lambda: _tear(self._record.parent / "checkpoints"),
        }
        acts[fault.kind]()

    def _poison_next(self) -> None:
        self._nan = True


def read_struck(directory: Path) -> list[tuple[str, float]]:
    """The faults that have struck a run, and when, in seconds since 1970."""
    record = directory / "faults.jsonl"
    if not record.exists():
        return []
    rows = [json.loads(line) for line in record.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return [(row["fault"], row["time"]) for row in rows]


def _raise() -> None:
    raise RuntimeError("a fault that was asked for")


def _hang() -> None:
    while True:
        time.sleep(3600)


def _fill_disk() -> None:
    """From now on files end after some bytes: the system refuses more, as it does when a disk is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_LIMIT, hard))


def _tear(checkpoints: Path) -> None:
    """Cut the newest checkpoint's largest file in half, as where its pages never reached the disk, and die."""
    newest = max(checkpoints.glob("step-*"))
    largest = max(newest.iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)
    os.kill(os.getpid(), signal.SIGKILL)
