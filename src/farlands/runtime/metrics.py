"""Figures of a run: fetched from the device once per update, written as JSON lines and for TensorBoard."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from farlands.runtime.files import fsync_path, write_atomically

_LAST_ROWS = 1 << 14
"""Bytes read at first in search of a file's last row."""


def fetch_metrics(metrics: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Numbers for 0-dimensional tensors, with one transfer for all of them."""
    tensors = {name: value for name, value in metrics.items() if isinstance(value, Tensor)}
    fetched: list[float] = []
    if tensors:
        fetched = torch.stack([value.detach().reshape(()).float() for value in tensors.values()]).tolist()
    values = dict(zip(tensors, fetched, strict=True))
    return {name: values[name] if name in values else float(value) for name, value in metrics.items()}  # type: ignore[arg-type]


class MetricsWriter:
    """Appends one row of figures per update; a component of the checkpoint, so that a resume repeats no row.

    Args:
        path: The ``.jsonl`` file; TensorBoard's event files go beside it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Any = None
        self._board: Any = None
        self._last_step = 0

    def write(self, row: Mapping[str, float]) -> None:
        """Append a row; it needs ``step``."""
        self._open()
        self._last_step = int(row["step"])
        finite = {name: value if math.isfinite(value) else None for name, value in row.items()}
        self._file.write(json.dumps(finite) + "\n")
        self._file.flush()
        self._board.file_writer.add_summary(_summary(row), self._last_step)

    def note(self, name: str, text: str, step: int) -> None:
        """Put a text beside the curves on TensorBoard."""
        self._open()
        self._board.add_text(name, text, step)

    def flush(self) -> None:
        """Wait until every row is on the disk."""
        if self._file:
            self._board.flush()
            fsync_path(self.path)

    def close(self) -> None:
        """Finish both files."""
        if self._file:
            self._file.close()
            self._board.close()
            self._file = None

    def state_dict(self) -> dict[str, int]:
        """The step of the last row."""
        return {"last_step": self._last_step}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Drop rows after the state's last, and half a row that a crash left."""
        self._last_step = int(state["last_step"])
        if not self.path.exists():
            return
        kept = [line for line in self.path.read_text(encoding="utf-8").splitlines() if self._belongs(line)]
        write_atomically(self.path, "".join(line + "\n" for line in kept))

    def _belongs(self, line: str) -> bool:
        try:
            return json.loads(line)["step"] <= self._last_step
        except (ValueError, KeyError, TypeError):
            return False

    def _open(self) -> None:
        if self._file:
            return
        from torch.utils.tensorboard import SummaryWriter

        self._file = self.path.open("a", encoding="utf-8")
        # Rows of a life that a resume undid are hidden by TensorBoard from purge_step on.
        self._board = SummaryWriter(str(self.path.parent), purge_step=self._last_step + 1)


class NoMetrics(MetricsWriter):
    """Writes nothing: for processes that leave the files to the first."""

    def write(self, row: Mapping[str, float]) -> None:
        self._last_step = int(row["step"])

    def note(self, name: str, text: str, step: int) -> None:
        pass

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._last_step = int(state["last_step"])


def _summary(row: Mapping[str, float]) -> Any:
    """A row for TensorBoard as one event; an event for each figure takes ten times as long."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    figures = [Summary.Value(tag=name, simple_value=value) for name, value in row.items() if name != "step"]
    return Summary(value=figures)


def read_metrics(path: Path) -> list[dict[str, float]]:
    """Every whole row of a ``metrics.jsonl``; figures that were not finite are NaN."""
    return _read_rows(path.read_text(encoding="utf-8").splitlines())


def read_last_row(path: Path) -> dict[str, float]:
    """The last whole row of a ``metrics.jsonl``, read from its end; empty where there is none."""
    if not path.exists():
        return {}
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        span = _LAST_ROWS
        while True:
            file.seek(max(0, size - span))
            lines = file.read().decode("utf-8", errors="ignore").splitlines()
            # The first line may have been cut in two, which no parser need notice in a row of numbers.
            rows = _read_rows(lines if span >= size else lines[1:])
            if rows or span >= size:
                return rows[-1] if rows else {}
            span *= 4


def _read_rows(lines: Iterable[str]) -> list[dict[str, float]]:
    rows = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        rows.append({name: math.nan if value is None else value for name, value in row.items()})
    return rows
