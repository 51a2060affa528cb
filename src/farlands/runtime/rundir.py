"""The directory of a run, which explains itself to whoever finds it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.runtime.files import write_atomically, write_json
from farlands.saved_config import to_json, train_config_from_json

_README = """\
A training run of Farlands in the world {world}.

Go on with it:         farlands resume {directory}
Measure the agent:     farlands evaluate {directory}
Film the agent:        farlands evaluate {directory} --video {directory}/agent.mp4
Watch the curves:      tensorboard --logdir {directory}
Do the same again:     {command}

config.json            every setting, resolved
given.json             the command line and the settings as given
versions.json          versions, machine and git state at every start
metrics.jsonl          one line of figures per update
events.out.tfevents.*  the same for TensorBoard
alarms.jsonl           what went wrong while it ran, and when it was over
events/                starts, saves, alarms, signals, by step and time (Parquet)
nan-*/                 evidence of numbers that were not finite; see `farlands inspect`
episodes/              one row per finished episode, from all worlds (Parquet)
checkpoints/           the newest states; `latest` names the newest of all
live/                  what `farlands studio` reads while the run goes on
learning_curve.png     drawn when the run ends
failures.log           tracebacks of actors that raised, if there were any
report.*               made by `farlands evaluate`: a page, tables, figures, every episode (Parquet)
"""


_LEFT_OVER = (".lock", "faults.jsonl")
"""What an attempt that came to nothing may leave in a directory that is as good as new."""


class RunDirectory:
    """Names and makes what lies in a run's directory.

    Attributes:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def episodes(self) -> Path:
        return self.path / "episodes"

    @property
    def metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    @classmethod
    def reserve(cls, given: str, world: str) -> Path:
        """Make a new one.

        Args:
            given: Its path; empty for ``runs/<world>-<date>-<time>``.
            world: Name used in that default.

        Returns:
            Its path, for a ``RunDirectory`` to lock.

        Raises:
            UserError: It holds something already, or cannot be written.
        """
        path = Path(given).expanduser() if given else free_name(world)
        if (path / "config.json").exists():
            raise UserError(
                "there is a run already in", path, f"go on with it by: farlands resume {path}; or name another"
            )
        try:
            path.mkdir(parents=True, exist_ok=True)
            if any(entry.name not in _LEFT_OVER for entry in path.iterdir()):
                raise UserError("directory is not empty:", path, "a run needs a new or empty one")
            (path / ".lock").touch()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UserError("cannot write to", path, reason) from error
        return path

    @classmethod
    def open(cls, given: str) -> RunDirectory:
        """An existing one.

        Raises:
            UserError: There is no run there.
        """
        path = Path(given).expanduser()
        if not path.is_dir():
            beside = [str(run.parent) for run in path.parent.glob("*/config.json")] if path.parent.is_dir() else []
            raise UserError("no such run", path, beside or "expected the directory of a run")
        if not (path / "config.json").is_file():
            raise UserError("not a run:", path, "it has no config.json")
        return cls(path)

    def lock(self) -> None:
        """Keep other processes from writing here until this one ends, however it ends.

        Raises:
            UserError: Another process has it.
        """
        import fcntl

        self._lock = os.open(self.path / ".lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            self._lock = None
            raise UserError("another process is using the run", self.path) from error

    def release(self) -> None:
        """Let others write here."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def wipe(self) -> None:
        """Remove the records of a run that ended before its first checkpoint; faults that struck it stay."""
        for path in self.path.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in _LEFT_OVER:
                path.unlink()

    def discard(self) -> None:
        """Take back ``create``: nothing has been trained yet."""
        for name in (".lock", "config.json", "given.json", "versions.json", "README.txt"):
            (self.path / name).unlink(missing_ok=True)
        self.release()
        if not any(self.path.iterdir()):
            self.path.rmdir()

    def describe(self, given: TrainConfig, resolved: TrainConfig, argv: list[str]) -> None:
        """Write what the run is, for programs and for people."""
        write_json(self.path / "given.json", {"argv": argv, "config": to_json(given)})
        write_json(self.path / "config.json", to_json(resolved))
        words = {"world": resolved.world, "directory": shlex.quote(str(self.path)), "command": shlex.join(argv)}
        write_atomically(self.path / "README.txt", _README.format(**words))

    def note_start(self, steps: int) -> None:
        """Add versions, machine and git state of this start to ``versions.json``."""
        from farlands.runtime.machine import describe_git, describe_machine, describe_versions

        path = self.path / "versions.json"
        starts: list[Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
        starts.append(
            {
                "time": datetime.now().astimezone().isoformat(timespec="seconds"),
                "from_step": steps,
                "versions": describe_versions(),
                "machine": describe_machine(),
                "git": describe_git(Path(__file__).parent),
            }
        )
        write_json(path, starts)

    def read_config(self) -> TrainConfig:
        """The resolved config. Raises UserError where the file is broken or does not fit this version."""
        return train_config_from_json(_read_json(self.path / "config.json"), str(self.path / "config.json"))

    def read_given(self) -> TrainConfig:
        """The config as it was given. Raises UserError as ``read_config``."""
        data = _read_json(self.path / "given.json")
        if not isinstance(data, dict):
            raise UserError("cannot read", self.path / "given.json", "expected an object")
        return train_config_from_json(data.get("config"), str(self.path / "given.json"))


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError("cannot read", path, str(error)) from error


def free_name(world: str) -> Path:
    """The default directory of a run that begins now: ``runs/<world>-<date>-<time>``, made unlike any there is."""
    stem = "".join(c if c.isalnum() or c in "-_" else "-" for c in Path(world.rpartition(":")[2] or world).name)
    base = Path("runs") / f"{stem}-{datetime.now():%Y%m%d-%H%M%S}"
    path, number = base, 1
    while path.exists():
        number += 1
        path = base.with_name(f"{base.name}-{number}")
    return path
