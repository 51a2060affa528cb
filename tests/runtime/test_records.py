"""Metrics and episodes: one row each, whatever crashes and resumes come between."""

from __future__ import annotations

import io
import json
import math
import threading

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from farlands.runtime import episodes as records
from farlands.runtime.display import LineDisplay, LiveDisplay, Recent, sparkline
from farlands.runtime.episodes import EpisodeWriter, read_episodes, summarise_episodes
from farlands.runtime.metrics import MetricsWriter, fetch_metrics, read_last_row, read_metrics
from farlands.worlds.world import Episodes


def episodes(count: int, start: int = 0) -> Episodes:
    index = np.arange(start, start + count)
    return Episodes(
        row=index % 7,
        seed=index.astype(np.uint64) + np.uint64(2**63),
        length=index + 1,
        reward=index / 2,
        cause=np.array(["rules", "horizon"])[index % 2],
        achievements=np.stack((np.where(index % 2, index + 1, -1), np.full(count, -1)), axis=1),
    )


def test_fetch_gives_numbers_in_order():
    fetched = fetch_metrics({"a": torch.tensor(1.5), "b": 2, "c": torch.tensor([3])})
    assert fetched == {"a": 1.5, "b": 2.0, "c": 3.0}
    assert list(fetched) == ["a", "b", "c"]
    assert fetch_metrics({}) == {}


def test_metrics_are_written_for_people_and_for_tensorboard(tmp_path):
    writer = MetricsWriter(tmp_path / "metrics.jsonl")
    writer.write({"step": 10, "loss": 0.5})
    writer.write({"step": 20, "loss": math.nan})
    writer.close()
    rows = read_metrics(tmp_path / "metrics.jsonl")
    assert rows[0] == {"step": 10, "loss": 0.5}
    assert math.isnan(rows[1]["loss"])
    json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[1], parse_constant=pytest.fail)
    board = EventAccumulator(str(tmp_path))
    board.Reload()
    assert next((event.step, event.value) for event in board.Scalars("loss")) == (10, 0.5)


def test_a_resume_drops_metrics_after_the_checkpoint_and_half_lines(tmp_path):
    path = tmp_path / "metrics.jsonl"
    writer = MetricsWriter(path)
    for step in (1, 2):
        writer.write({"step": step})
    state = writer.state_dict()
    writer.write({"step": 3})
    writer.close()
    path.write_text(path.read_text() + '{"step": 4, "lo')
    again = MetricsWriter(path)
    again.load_state_dict(state)
    again.write({"step": 3})
    again.close()
    assert [row["step"] for row in read_metrics(path)] == [1, 2, 3]


def test_the_last_row_is_found_from_the_end(tmp_path):
    path = tmp_path / "metrics.jsonl"
    assert read_last_row(path) == {}
    path.write_text("")
    assert read_last_row(path) == {}
    rows = [{"step": step, "name": "x" * size} for step, size in enumerate((10, 50_000, 0, 200_000, 5))]
    for last in range(1, len(rows) + 1):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows[:last]))
        assert read_last_row(path)["step"] == last - 1
        path.write_text(path.read_text() + '{"step": 99, "na')
        assert read_last_row(path)["step"] == last - 1, "half a row that is being written does not count"


def test_episode_columns(tmp_path):
    writer = EpisodeWriter(tmp_path, ("log", "diamond"))
    writer.add(episodes(3), step=100)
    writer.flush()
    table = read_episodes(tmp_path)
    assert table.column_names == [
        "step", "row", "seed", "length", "reward", "cause", "achievement.log", "achievement.diamond",
    ]  # fmt: skip
    assert table["seed"].to_pylist() == [2**63, 2**63 + 1, 2**63 + 2]
    assert table["achievement.log"].to_pylist() == [None, 2, None]
    assert table["cause"].to_pylist() == ["rules", "horizon", "rules"]
    assert table["step"].to_pylist() == [100] * 3


def test_a_resume_neither_repeats_nor_loses_episodes(tmp_path):
    writer = EpisodeWriter(tmp_path, ("log", "diamond"))
    writer.add(episodes(5), 1)
    with pytest.raises(RuntimeError, match="flush"):
        writer.state_dict()
    writer.flush()
    state = writer.state_dict()
    writer.add(episodes(4, 5), 2)
    writer.flush()
    (tmp_path / "part-000009.new").write_bytes(b"half")
    again = EpisodeWriter(tmp_path, ("log", "diamond"))
    again.load_state_dict(state)
    again.add(episodes(4, 5), 2)
    again.flush()
    assert read_episodes(tmp_path)["length"].to_pylist() == list(range(1, 10))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["part-000000.parquet", "part-000001.parquet"]


def test_parts_are_written_beside_the_run(tmp_path, monkeypatch):
    """A slow disk holds up nobody before the run saves, and then parts are there in order."""
    monkeypatch.setattr(records, "_BUFFER", 4)
    writer, go = EpisodeWriter(tmp_path, ("log", "diamond")), threading.Event()
    write = writer._write

    def slowly(number, buffer):
        assert go.wait(30)
        write(number, buffer)

    monkeypatch.setattr(writer, "_write", slowly)
    writer.add(episodes(5), 1)
    writer.add(episodes(4, 5), 2)
    writer.add(episodes(2, 9), 3)
    assert not list(tmp_path.glob("*.parquet"))
    with pytest.raises(RuntimeError, match="flush"):
        writer.state_dict()
    go.set()
    writer.flush()
    assert writer.state_dict() == {"parts": 3, "rows": 11}
    assert read_episodes(tmp_path)["length"].to_pylist() == list(range(1, 12))


def test_a_disk_that_fails_is_told_of(tmp_path):
    (tmp_path / "episodes").write_text("a file where a directory should be")
    writer = EpisodeWriter(tmp_path / "episodes", ("log", "diamond"))
    writer.add(episodes(5), 1)
    with pytest.raises(OSError, match="episodes"):
        writer.flush()


def test_tensorboard_has_every_figure(tmp_path):
    writer = MetricsWriter(tmp_path / "metrics.jsonl")
    for step in (10, 20):
        writer.write({"step": step, "a/b": step / 4, "c": 2.0})
    writer.note("alarm/c", "c is too large", 20)
    writer.flush()
    writer.close()
    board = EventAccumulator(str(tmp_path)).Reload()
    assert [(each.step, each.value) for each in board.Scalars("a/b")] == [(10, 2.5), (20, 5.0)]
    assert board.Tensors("alarm/c/text_summary")[0].step == 20


def test_nothing_written_reads_as_no_rows(tmp_path):
    assert read_episodes(tmp_path, ["seed"]).num_rows == 0


def test_summary_of_an_update():
    summary = summarise_episodes(episodes(4), ("log", "diamond"))
    assert summary["episode/count"] == 4
    assert summary["episode/return"] == pytest.approx(0.75)
    assert summary["achievement/log"] == 0.5
    assert summary["achievement/diamond"] == 0.0
    assert set(summarise_episodes(episodes(0), ("log", "diamond"))) == {"episode/count", "episode/dropped"}


def row(step: int, count: float, mean: float, total: int = 30) -> dict[str, float]:
    return {
        "step": step, "seconds": step / 1000, "progress": step / total, "steps_per_second": 1000.0,
        "episode/count": count, "episode/return": mean,
        "episode/length": 5.0, "achievement/log": mean, "achievement/diamond": 0.0, "time/collect": 0.5,
        "learn/entropy": 1.0,
    }  # fmt: skip


def test_recent_means_are_weighted_by_episodes_and_forget():
    recent = Recent()
    recent.add(row(1, 100, 0.0))
    recent.add(row(2, 300, 1.0))
    assert recent.mean("episode/return") == pytest.approx(0.75)
    for step in range(3, 6):
        recent.add(row(step, 300, 1.0))
    assert recent.mean("episode/return") == 1.0
    assert recent.total == 1300
    assert recent.achievements() == {"log": 1.0}


def test_lines_tell_status_at_once_and_progress_now_and_then():
    out = io.StringIO()
    display = LineDisplay(out, seconds=1000)
    display.status("compiling")
    display.begin("title", 30)
    for step in (10, 20, 30):
        display.update(row(step, 4, 0.5))
    lines = out.getvalue().splitlines()
    assert lines[:2] == ["compiling ...", "title"]
    assert lines[2].startswith("step 10 (33%)")
    assert lines[3].startswith("step 30 (100%)")
    assert "return 0.50" in lines[3]
    assert "log 50%" in lines[3]
    assert len(lines) == 4


def test_live_display_draws_every_state():
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    display = LiveDisplay(out)
    display._console._force_terminal = True
    display._console._color_system = None
    display.status("compiling kernels")
    display._live.refresh()
    display.begin("voxel on cpu", 1000)
    display.update(row(500, 4, 0.5, total=1000))
    display.note("saved")
    display._live.refresh()
    display.close()
    text = out.getvalue()
    for expected in (
        "compiling kernels",
        "voxel on cpu",
        " 50%",
        "500 of 1k steps",
        "log",
        "collect",
        "entropy",
        "saved",
    ):
        assert expected in text


def test_sparkline():
    assert sparkline([0, 7, math.nan, 3.5]) == "▁█▄"
    assert sparkline([]) == ""
    assert sparkline([2, 2]) == "▁▁"
