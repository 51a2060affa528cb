"""Raw results: one row per episode in one Parquet file, from which every figure can be made again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from farlands.worlds.world import Episodes

UNSEEN_LEVELS, TRAINING_LEVELS = "unseen levels", "training levels"
"""Conditions that are no changed options; those are written ``axis=value``."""

Key = tuple[str, str]
"""Who acted, and under what condition."""


class Records(NamedTuple):
    """What such a file holds: episodes by agent and condition, and the names of their columns."""

    episodes: dict[Key, Episodes]
    achievements: tuple[str, ...]
    measures: tuple[str, ...]


def write_records(
    path: Path, records: Mapping[Key, Episodes], achievements: Sequence[str], measures: Sequence[str] = ()
) -> None:
    """Write episodes, replacing the file whole.

    Columns: ``agent``, ``condition``, ``level`` (index into the list of levels), ``seed`` (uint64), ``reward``,
    ``length``, ``cause``, ``achievement.<name>``: step of the first unlock, from 1, null where never, and
    ``measure.<name>``.

    Args:
        path: The file.
        records: Episodes by agent and condition.
        achievements: Names, in the order of ``Episodes.achievements``.
        measures: Names, in the order of ``Episodes.measures``.

    Raises:
        OSError: It cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    fresh = path.with_name(f".{path.name}.new")
    tables = [_table(key, episodes, achievements, measures) for key, episodes in records.items()]
    pq.write_table(pa.concat_tables(tables), fresh, compression="zstd")
    os.replace(fresh, path)


def read_records(path: Path) -> Records:
    """What ``write_records`` wrote.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not such a file.
    """
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    missing = {"agent", "condition", "level", "seed", "reward", "length", "cause"} - set(table.column_names)
    if missing:
        raise ValueError(f"{path} holds no results: it lacks {', '.join(sorted(missing))}")
    names, more = (
        [name for name in table.column_names if name.startswith(kind)] for kind in ("achievement.", "measure.")
    )
    columns = {name: table[name].to_numpy() for name in ("level", "seed", "reward", "length")}
    cause = np.array(table["cause"].to_pylist(), dtype=object)
    steps = [table[name].fill_null(-1).to_numpy().astype(np.int64) for name in names]
    unlocked = np.stack(steps, axis=1) if steps else np.empty((len(table), 0), dtype=np.int64)
    measured = np.array([table[name].to_numpy() for name in more]).reshape(len(more), len(table)).T
    keys = list(zip(table["agent"].to_pylist(), table["condition"].to_pylist(), strict=True))
    records = {}
    for key in dict.fromkeys(keys):
        rows = np.array([each == key for each in keys])
        records[key] = Episodes(
            row=columns["level"][rows],
            seed=columns["seed"][rows].astype(np.uint64),
            length=columns["length"][rows],
            reward=columns["reward"][rows],
            cause=cause[rows],
            achievements=unlocked[rows],
            measures=measured[rows],
        )
    return Records(
        records,
        tuple(name.removeprefix("achievement.") for name in names),
        tuple(name.removeprefix("measure.") for name in more),
    )


def _table(key: Key, episodes: Episodes, achievements: Sequence[str], measures: Sequence[str]) -> Any:
    import pyarrow as pa

    count = len(episodes)
    columns = {
        "agent": pa.array([key[0]] * count, type=pa.string()),
        "condition": pa.array([key[1]] * count, type=pa.string()),
        "level": pa.array(episodes.row.astype(np.int64)),
        "seed": pa.array(episodes.seed.astype(np.uint64)),
        "reward": pa.array(episodes.reward.astype(np.float64)),
        "length": pa.array(episodes.length.astype(np.int64)),
        "cause": pa.array([str(cause) for cause in episodes.cause], type=pa.string()),
    }
    for index, name in enumerate(achievements):
        first = episodes.achievements[:, index].astype(np.int32)
        columns[f"achievement.{name}"] = pa.array(first, mask=first < 0)
    for index, name in enumerate(measures):
        columns[f"measure.{name}"] = pa.array(episodes.measures[:, index])
    return pa.table(columns)
