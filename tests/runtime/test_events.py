"""Events: every one is kept, whatever is lived again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from farlands.cli import main
from farlands.runtime import events
from farlands.runtime.events import EventWriter, read_events


def test_events_are_kept_over_processes(tmp_path):
    for life in (1, 2):
        writer = EventWriter(tmp_path / "events")
        writer.add("start" if life == 1 else "resume", 10 * life)
        writer.add("save", 10 * life + 5, "a checkpoint")
        writer.flush()
        writer.flush()
    table = read_events(tmp_path / "events").to_pylist()
    assert [(row["step"], row["kind"], row["life"]) for row in table] == [
        (10, "start", 1), (15, "save", 1), (20, "resume", 2), (25, "save", 2),
    ]  # fmt: skip
    assert all(row["time"].tzinfo for row in table)
    assert len(list((tmp_path / "events").iterdir())) == 1


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 13])
def test_files_are_filled_one_after_another(count, tmp_path, monkeypatch):
    monkeypatch.setattr(events, "_PART", 4)
    for begun in range(2):
        writer = EventWriter(tmp_path)
        for step in range(count):
            writer.add("save", begun * count + step)
            if step % 3 == 0:
                writer.flush()
        writer.flush()
    assert read_events(tmp_path)["step"].to_pylist() == list(range(2 * count))
    assert len(list(tmp_path.iterdir())) == -(-2 * count // 4)


def test_unknown_events_are_refused_and_nothing_reads_as_nothing(tmp_path):
    with pytest.raises(ValueError, match="expected one of start"):
        EventWriter(tmp_path).add("party", 1)
    EventWriter(tmp_path / "none").flush()
    assert read_events(tmp_path / "none").num_rows == 0
    assert not (tmp_path / "none").exists()


def test_a_run_tells_its_life(finished_run, tmp_path):
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert main(["resume", str(run), "--checkpoint", "step-000000000256", "--steps", "384"]) == 0
    rows = [(row["life"], row["step"], row["kind"]) for row in read_events(run / "events").to_pylist()]
    saves = [(1, step, "save") for step in (128, 256, 384, 512)]
    assert rows == [(1, 0, "start"), *saves, (1, 512, "end"), (2, 256, "resume"), (2, 384, "save"), (2, 384, "end")]
