"""One row per finished episode, from all worlds, in Parquet files that survive a crash and a resume."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from farlands.runtime.files import fsync_path
from farlands.worlds.world import Episodes

_BUFFER = 200_000
"""Rows held in memory before a part is written without waiting for the next checkpoint."""


class EpisodeWriter:
    """Collects episodes and writes them as ``part-<number>.parquet``.

    Columns: ``step`` (training steps when it was seen to have ended), ``row``, ``seed`` (uint64), ``length``,
    ``reward``, ``cause``, ``achievement.<name>``: step of the first unlock, from 1, null where never, and
    ``measure.<name>``.

    A part is whole or absent. The number of parts belongs to the checkpoint; a resume removes later ones, for it
    lives those episodes again.

    Args:
        directory: Where the parts go.
        achievements: Names, in the order of ``Episodes.achievements``.
        measures: Names, in the order of ``Episodes.measures``.
    """

    def __init__(self, directory: Path, achievements: Sequence[str], measures: Sequence[str] = ()) -> None:
        self.directory, self.achievements, self.measures = directory, tuple(achievements), tuple(measures)
        self._parts = 0
        self._buffer: list[Any] = []
        self._buffered = 0
        self.rows = 0

    def add(self, episodes: Episodes, step: int) -> None:
        """Take finished episodes in."""
        if not len(episodes):
            return
        self._buffer.append(self._table(episodes, step))
        self._buffered += len(episodes)
        self.rows += len(episodes)
        if self._buffered >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        """Write what is in memory as one part and wait until it is on the disk."""
        if not self._buffer:
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.directory.mkdir(parents=True, exist_ok=True)
        final = self.directory / f"part-{self._parts:06d}.parquet"
        fresh = final.with_suffix(".new")
        pq.write_table(pa.concat_tables(self._buffer), fresh, compression="zstd")
        fsync_path(fresh)
        os.replace(fresh, final)
        fsync_path(self.directory)
        self._parts += 1
        self._buffer, self._buffered = [], 0

    def state_dict(self) -> dict[str, int]:
        """How many parts there are; ``flush`` first.

        Raises:
            RuntimeError: Episodes are still in memory only.
        """
        if self._buffer:
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

    def _table(self, episodes: Episodes, step: int) -> Any:
        import pyarrow as pa

        columns = {
            "step": pa.array(np.full(len(episodes), step, dtype=np.int64)),
            "row": pa.array(episodes.row.astype(np.int64)),
            "seed": pa.array(episodes.seed.astype(np.uint64)),
            "length": pa.array(episodes.length.astype(np.int64)),
            "reward": pa.array(episodes.reward.astype(np.float64)),
            "cause": pa.array([str(cause) for cause in episodes.cause], type=pa.string()),
        }
        for index, name in enumerate(self.achievements):
            first = episodes.achievements[:, index].astype(np.int32)
            columns[f"achievement.{name}"] = pa.array(first, mask=first < 0)
        for index, name in enumerate(self.measures):
            columns[f"measure.{name}"] = pa.array(episodes.measures[:, index])
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
