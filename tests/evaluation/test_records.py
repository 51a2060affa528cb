from __future__ import annotations

import numpy as np
import pytest

from farlands.evaluation.records import TRAINING_LEVELS, UNSEEN_LEVELS, read_records, write_records

from .conftest import SCALE, random_episodes


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "report.parquet"
    records = {
        ("agent", UNSEEN_LEVELS): random_episodes(30),
        ("random", UNSEEN_LEVELS): random_episodes(20, seed=1),
        ("agent", TRAINING_LEVELS): random_episodes(5, seed=2),
    }
    names = tuple(measure.name for measure in SCALE.measures)
    write_records(path, records, SCALE.achievements, names)
    again, achievements, measures = read_records(path)
    assert achievements == SCALE.achievements
    assert measures == names
    assert list(again) == list(records)
    for key, episodes in records.items():
        for name in ("row", "seed", "length", "reward", "cause", "achievements", "measures"):
            assert np.array_equal(getattr(again[key], name), getattr(episodes, name)), (key, name)
    assert [file.name for file in tmp_path.iterdir()] == ["report.parquet"]


def test_a_world_without_feats(tmp_path):
    path, few = tmp_path / "report.parquet", random_episodes(3)
    bare = type(few)(**{**vars(few), "achievements": np.zeros((3, 0), dtype=np.int64), "measures": None})
    write_records(path, {("agent", UNSEEN_LEVELS): bare}, ())
    again, achievements, measures = read_records(path)
    assert (achievements, measures) == ((), ())
    assert again["agent", UNSEEN_LEVELS].achievements.shape == (3, 0)
    assert again["agent", UNSEEN_LEVELS].measures.shape == (3, 0)


def test_other_files_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"seed": [1]}), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="lacks agent, cause"):
        read_records(tmp_path / "other.parquet")
