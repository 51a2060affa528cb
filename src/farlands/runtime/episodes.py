"""One row per finished episode, from all worlds, in Parquet files that survive a crash and a resume."""

from __future__ import annotations

import dataclasses
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from farlands.runtime.files import fsync_path
from farlands.worlds.world import Episodes

_BUFFER = 200_000
"""Rows held in memory before a part is written without waiting for the next checkpoint."""
_WAITING = 2
"""Parts that may wait for the disk before the run waits for it too."""


class EpisodeWriter:
    """Collects episodes and writes them as ``part-<number>.parquet``.

    Columns: ``step`` (training steps when it was seen to have ended), ``row``, ``seed`` (uint64), ``length``,
    ``reward``, ``cause``, ``achievement.<name>``: step of the first unlock, from 1, null where never, and
    ``measure.<name>``.

    A part is whole or absent, and the ones before it are whole. The number of parts belongs to the checkpoint; a resume
    removes later ones, for it lives those episodes again. A thread writes them, one after another: making a part takes
    seconds where many episodes end, which the run need not wait for before it saves.

    Args:
        directory: Where the parts go.
        achievements: Names, in the order of ``Episodes.achievements``.
        measures: Names, in the order of ``Episodes.measures``.
    """

    def __init__(self, directory: Path, achievements: Sequence[str], measures: Sequence[str] = ()) -> None:
        self.directory, self.achievements, self.measures = directory, tuple(achievements), tuple(measures)
        self._parts = 0
        self._buffer: list[tuple[int, Episodes]] = []
        self._buffered = 0
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="farlands-episodes")
        self._waiting: deque[Future[None]] = deque()
        self.rows = 0

    def add(self, episodes: Episodes, step: int) -> None:
        """Take finished episodes in. Raises what an earlier part met when it was written, OSError for one."""
        if not len(episodes):
            return
        # Steps need no 64 bits, and there are as many columns of them as there are achievements.
        self._buffer.append((step, replace(episodes, achievements=episodes.achievements.astype(np.int32))))
        self._buffered += len(episodes)
        self.rows += len(episodes)
        if self._buffered >= _BUFFER:
            self._hand_over(most=_WAITING)

    def flush(self) -> None:
        """Write what is in memory as one part and wait until every part is on the disk."""
        self._hand_over(most=0)

    def state_dict(self) -> dict[str, int]:
        """How many parts there are; ``flush`` first.

        Raises:
            RuntimeError: Episodes are still in memory only.
        """
        if self._buffer or self._waiting:
            raise RuntimeError(f"{self._buffered} episodes are not written yet; call flush() before state_dict()")
        return {"parts": self._parts, "rows": self.rows}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go back to the parts there were; later ones are removed."""
        self._parts, self.rows = int(state["parts"]), int(state["rows"])
        self._buffer, self._buffered = [], 0
        if not self.directory.is_dir():
            return
        kept = {f"part-{index:06d}.parquet" for index in range(self._parts)}
        for path in self.directory.iterdir():
            if path.name.startswith("part-") and path.name not in kept:
                path.unlink()

    def _hand_over(self, most: int) -> None:
        """Give what is in memory to the thread, and wait until at most so many parts are left to be written."""
        if self._buffer:
            self._waiting.append(self._writer.submit(self._write, self._parts, self._buffer))
            self._parts += 1
            self._buffer, self._buffered = [], 0
        while len(self._waiting) > most or (self._waiting and self._waiting[0].done()):
            self._waiting.popleft().result()

    def _write(self, number: int, buffer: list[tuple[int, Episodes]]) -> None:
        """Publish one part. Called by the thread."""
        import pyarrow.parquet as pq

        self.directory.mkdir(parents=True, exist_ok=True)
        final = self.directory / f"part-{number:06d}.parquet"
        fresh = final.with_suffix(".new")
        # Dictionaries of numbers that hardly repeat cost half of the time and save nothing.
        pq.write_table(self._table(buffer), fresh, compression="zstd", use_dictionary=["cause"])
        fsync_path(fresh)
        os.replace(fresh, final)
        fsync_path(self.directory)

    def _table(self, buffer: list[tuple[int, Episodes]]) -> Any:
        import pyarrow as pa

        def joined(name: str, kind: type) -> np.ndarray:
            return np.concatenate([getattr(episodes, name) for _, episodes in buffer]).astype(kind, copy=False)

        steps = np.repeat([step for step, _ in buffer], [len(episodes) for _, episodes in buffer])
        causes = joined("cause", object).astype(str)
        columns = {
            "step": pa.array(steps.astype(np.int64)),
            "row": pa.array(joined("row", np.int64)),
            "seed": pa.array(joined("seed", np.uint64)),
            "length": pa.array(joined("length", np.int64)),
            "reward": pa.array(joined("reward", np.float64)),
            "cause": pa.array(causes, type=pa.string()),
        }
        achievements, measures = joined("achievements", np.int32), joined("measures", np.float64)
        for index, name in enumerate(self.achievements):
            first = np.ascontiguousarray(achievements[:, index])
            columns[f"achievement.{name}"] = pa.array(first, mask=first < 0)
        for index, name in enumerate(self.measures):
            columns[f"measure.{name}"] = pa.array(np.ascontiguousarray(measures[:, index]))
        return pa.table(columns)


class NoEpisodes(EpisodeWriter):
    """Writes nothing: for processes that leave the files to the first."""

    def add(self, episodes: Episodes, step: int) -> None:
        self.rows += len(episodes)

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.rows = int(state["rows"])


def join_episodes(parts: Sequence[Episodes]) -> Episodes:
    """Episodes of several processes, those of the first one first."""
    if len(parts) == 1:
        return parts[0]
    arrays = [field.name for field in dataclasses.fields(Episodes) if field.name != "dropped"]
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays}
    return Episodes(**joined, dropped=sum(part.dropped for part in parts))


def read_episodes(directory: Path, columns: Sequence[str] | None = None) -> Any:
    """Every row written so far, as a ``pyarrow.Table``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts = sorted(directory.glob("part-*.parquet"))
    tables = [pq.read_table(part, columns=list(columns) if columns else None) for part in parts]
    return pa.concat_tables(tables) if tables else pa.table({name: [] for name in columns or ()})


def summarise_episodes(
    episodes: Episodes, achievements: Sequence[str], measures: Sequence[str] = ()
) -> dict[str, float]:
    """Means over episodes that ended within one update, by metric name; only their count where none did."""
    count = len(episodes)
    summary = {"episode/count": float(count), "episode/dropped": float(episodes.dropped)}
    if not count:
        return summary
    summary["episode/return"] = float(episodes.reward.mean())
    summary["episode/length"] = float(episodes.length.mean())
    rates = (episodes.achievements > 0).mean(axis=0) if achievements else ()
    means = episodes.measures.mean(axis=0) if measures else ()
    summary |= {f"achievement/{name}": float(rate) for name, rate in zip(achievements, rates, strict=True)}
    return summary | {f"measure/{name}": float(mean) for name, mean in zip(measures, means, strict=True)}
