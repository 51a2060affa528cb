"""Runs that belong together: each trained and measured by processes of its own, and taken up again where it stopped."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from farlands.errors import UserError
from farlands.runtime.metrics import read_last_row
from farlands.runtime.signals import StopRequest

_POLL = 0.5
"""Seconds between two looks at the processes."""


@dataclass(frozen=True)
class Member:
    """One run of a family.

    Attributes:
        name: What people know it by.
        directory: The run's; its log stands beside it.
        train: Flags of `farlands train` after the world's name, but for the directory.
        world: The world's name.
        measure: Flags of `farlands eval`, or None where the agent needn't be measured.
    """

    name: str
    directory: Path
    world: str
    train: tuple[str, ...]
    measure: tuple[str, ...] | None = None

    @property
    def log(self) -> Path:
        """What its processes print."""
        return self.directory.with_name(f"{self.directory.name}.log")

    def next_command(self) -> list[str] | None:
        """What has to be run next, without the program's name; None when all is done.

        Raises:
            UserError: The directory holds something else, or no checkpoint of it is usable.
        """
        if not (self.directory / "config.json").exists():
            return ["train", self.world, "--run-dir", str(self.directory), *self.train]
        if (self.directory / "checkpoints").exists():
            if trained_share(self.directory) < 1:
                return ["resume", str(self.directory)]
        else:
            # Killed before its first checkpoint: what there is, is the beginning of the same run.
            _forget(self.directory)
            return ["train", self.world, "--run-dir", str(self.directory), *self.train]
        if self.measure is not None and not (self.directory / "report.json").exists():
            return ["eval", str(self.directory), *self.measure]
        return None

    def progress(self) -> float:
        """Share of the training done, in [0, 1], as its metrics have it."""
        return read_last_row(self.directory / "metrics.jsonl").get("progress", 0.0)


def trained_share(directory: Path) -> float:
    """How much of its budget a run's newest checkpoint has used, in [0, 1].

    Raises:
        UserError: There is no run or no usable checkpoint.
    """
    from farlands.runtime.checkpoint import CheckpointStore
    from farlands.runtime.loop import Counters
    from farlands.runtime.rundir import RunDirectory

    run = RunDirectory.open(str(directory))
    checkpoint, _ = CheckpointStore(run.checkpoints).load(parts=("counters",))
    counters = Counters(checkpoint.facts["steps"], checkpoint.facts["updates"], checkpoint.facts["seconds"])
    return counters.progress(run.read_config())


def carry_members(
    members: Sequence[Member],
    parallel: int,
    stop: StopRequest,
    status: Callable[[str], None],
    watch: Callable[[Member], bool] | None = None,
) -> list[Member]:
    """Bring every member to its end.

    Args:
        members: In the order in which they are begun.
        parallel: How many at a time.
        stop: Once it has a signal, processes are asked to save and end, and none is begun.
        status: Told what is going on.
        watch: Asked now and then about each member in training whether it should go on; one that should not is asked
            to save and end, and counts as done.

    Returns:
        Those that were brought to their end or ended by ``watch``; all, unless a signal came.

    Raises:
        UserError: A process failed; the others were asked to save and end first.
    """
    crew = _Crew(parallel, watch)
    waiting = list(members)
    try:
        while (waiting and not stop.signal) or crew.at_work:
            while waiting and crew.has_room and not stop.signal:
                crew.begin(waiting.pop(0))
            if stop.signal:
                crew.interrupt(stop.signal)
            crew.look(stop)
            status(crew.describe(len(members)))
            time.sleep(_POLL if crew.at_work else 0.0)
    finally:
        crew.dismiss()
    return crew.done


class _Crew:
    """The processes at work."""

    def __init__(self, parallel: int, watch: Callable[[Member], bool] | None) -> None:
        self.parallel, self.watch = parallel, watch
        self.at_work: dict[Member, tuple[subprocess.Popen[bytes], str]] = {}
        self.done: list[Member] = []
        self._ended_early: set[Member] = set()
        self._signalled = 0

    @property
    def has_room(self) -> bool:
        return len(self.at_work) < self.parallel

    def begin(self, member: Member) -> None:
        """Start what comes next for a member, if anything does."""
        command = None if member in self._ended_early else member.next_command()
        if command is None:
            self.done.append(member)
            return
        member.directory.parent.mkdir(parents=True, exist_ok=True)
        with member.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "farlands", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | {"GOMP_SPINCOUNT": os.environ.get("GOMP_SPINCOUNT", "10000")},
                # A signal from the terminal reaches the family's head alone, which passes it on once.
                start_new_session=True,
            )
        self.at_work[member] = (process, command[0])

    def look(self, stop: StopRequest) -> None:
        """See who has ended, and give each what comes next."""
        for member, (process, verb) in list(self.at_work.items()):
            code = process.poll()
            if code is None:
                if verb != "eval" and self.watch and member not in self._ended_early and not self.watch(member):
                    self._ended_early.add(member)
                    process.terminate()
                continue
            del self.at_work[member]
            if code and not stop.signal and member not in self._ended_early:
                raise UserError(f"{member.name}: farlands {verb} failed", allowed=_last_line(member.log))
            if not stop.signal:
                self.begin(member)

    def interrupt(self, number: int) -> None:
        """Pass a signal on, once."""
        if not self._signalled:
            self._signalled = number
            for process, _ in self.at_work.values():
                process.send_signal(number)

    def dismiss(self) -> None:
        """Leave no process behind."""
        for process, _ in self.at_work.values():
            process.terminate()
        for process, _ in self.at_work.values():
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def describe(self, total: int) -> str:
        """What is going on, on one line."""
        doing = [
            f"measuring {member.name}" if verb == "eval" else f"{member.name} {member.progress():.0%}"
            for member, (_, verb) in self.at_work.items()
        ]
        return f"{len(self.done)} of {total} runs: {', '.join(doing) or 'done'}"


def _forget(directory: Path) -> None:
    """Remove a run that has no checkpoint. Raises UserError where a process is at work in it."""
    import shutil

    from farlands.runtime.rundir import RunDirectory

    run = RunDirectory.open(str(directory))
    run.lock()
    shutil.rmtree(directory)
    run.release()


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if line.startswith("farlands: ")), lines[-1] if lines else "no word")
    return f"it said: {said.removeprefix('farlands: ')} (see {log})"
