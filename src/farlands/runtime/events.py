"""Notable events of a run, in Parquet: when it began, went on, saved, rang, met what was not finite, and ended."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from farlands.runtime.files import fsync_path

KINDS = ("start", "resume", "save", "alarm", "nan", "skipped_step", "signal", "end")
"""What is noted down."""
_PART = 4096
"""Events of a file; the newest file is rewritten whole until it holds as many."""


class EventWriter:
    """Writes ``part-<number>.parquet`` with the columns ``step``, ``time`` (UTC), ``life``, ``kind``, ``text``.

    Unlike episodes and metrics, events are never taken back: a resume that lives some steps again is itself one, and
    ``life`` counts the processes that carried the run. A file is whole at any moment. Any thread may add.

    Args:
        directory: Where the files go.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = threading.Lock()
        self._number = 0
        self._rows: list[dict[str, Any]] = []
        self._life: int | None = None
        self._unwritten = False

    def add(self, kind: str, step: int, text: str = "") -> None:
        """Note an event down; it reaches the disk with the next ``flush``."""
        if kind not in KINDS:
            raise ValueError(f"kind is {kind!r}; expected one of {', '.join(KINDS)}")
        with self._lock:
            self._go_on()
            row = {"step": step, "time": datetime.now(UTC), "life": self._life, "kind": kind, "text": text}
            self._rows.append(row)
            self._unwritten = True

    def flush(self) -> None:
        """Wait until every event is on the disk."""
        with self._lock:
            if not self._unwritten:
                return
            while self._rows:
                self._write(self._rows[:_PART])
                if len(self._rows) < _PART:
                    break
                self._rows, self._number = self._rows[_PART:], self._number + 1
            self._unwritten = False

    def _go_on(self) -> None:
        """Take up where an earlier process left off."""
        if self._life is not None:
            return
        parts = sorted(self.directory.glob("part-*.parquet"))
        held = _read(parts[-1]).to_pylist() if parts else []
        self._life = max((row["life"] for row in held), default=0) + 1
        self._number = max(len(parts) - 1, 0) if len(held) < _PART else len(parts)
        self._rows = held if len(held) < _PART else []

    def _write(self, rows: list[dict[str, Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.directory.mkdir(parents=True, exist_ok=True)
        final = self.directory / f"part-{self._number:06d}.parquet"
        fresh = final.with_suffix(".new")
        pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), fresh, compression="zstd")
        fsync_path(fresh)
        os.replace(fresh, final)
        fsync_path(self.directory)


class NoEvents(EventWriter):
    """Writes nothing: for processes that leave the files to the first."""

    def add(self, kind: str, step: int, text: str = "") -> None:
        pass


def read_events(directory: Path) -> Any:
    """Every event written so far, as a ``pyarrow.Table``, oldest first."""
    import pyarrow as pa

    tables = [_read(part) for part in sorted(directory.glob("part-*.parquet"))]
    return pa.concat_tables(tables) if tables else _schema().empty_table()


def _read(part: Path) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(part, schema=_schema())


def _schema() -> Any:
    import pyarrow as pa

    columns = {
        "step": pa.int64(), "time": pa.timestamp("us", tz="UTC"), "life": pa.int32(), "kind": pa.string(),
        "text": pa.string(),
    }  # fmt: skip
    return pa.schema(columns)
