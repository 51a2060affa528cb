"""What pages are told about runs, whole and broken."""

from __future__ import annotations

import json
import shutil

import pytest

from farlands.errors import UserError
from farlands.runtime.rundir import RunDirectory
from farlands.studio.runs import Curves, Runs, is_running


def test_one_run_is_described(voxel_run):
    runs = Runs(voxel_run)
    assert runs.names() == ["small"]
    (sketch,) = runs.overview()
    assert (sketch["world"], sketch["step"], sketch["target"], sketch["running"]) == ("voxel", 96, 96, False)
    told = json.loads(json.dumps(runs.describe("small")))
    assert told["checkpoints"] == ["step-000000000096"]
    assert told["settings"]["ppo"]["rollout"] == 8
    assert told["num_worlds"] == 4


def test_a_directory_of_runs_is_listed_the_newest_first(voxel_run, tmp_path):
    shutil.copytree(voxel_run, tmp_path / "older")
    shutil.copytree(voxel_run, tmp_path / "newer")
    (tmp_path / "no-run").mkdir()
    with (tmp_path / "newer" / "metrics.jsonl").open("a") as file:
        file.write("\n")
    import os

    os.utime(tmp_path / "older" / "metrics.jsonl", (1, 1))
    os.utime(tmp_path / "older" / "config.json", (1, 1))
    runs = Runs(tmp_path)
    assert runs.names() == ["newer", "older"]
    with pytest.raises(UserError, match="did you mean newer"):
        runs.directory("never")
    for name in ("..", "", "no-run", "older/../newer", "/"):
        with pytest.raises(UserError, match="no such run"):
            runs.directory(name)


def test_no_directory_is_refused(tmp_path):
    with pytest.raises(UserError, match="no such directory"):
        Runs(tmp_path / "never")
    assert Runs(tmp_path).overview() == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", b""), ("config.json", b"[]"), ("config.json", b'{"world": 3, "steps": "many"}'),
        ("config.json", b"\xff\xfe\x00"), ("metrics.jsonl", b"\x00\x01"), ("metrics.jsonl", b"[1, 2]\n{}\nnull\n"),
        ("metrics.jsonl", b'{"step": NaN, "episode/return": 1e999}\n'), ("metrics.jsonl", b'{"step": 5}\n{"st'),
    ],
)  # fmt: skip
def test_broken_runs_are_told_as_broken(voxel_run, tmp_path, name, content):
    path = tmp_path / "broken"
    shutil.copytree(voxel_run, path)
    (path / name).write_bytes(content)
    runs = Runs(tmp_path)
    (sketch,) = json.loads(json.dumps(runs.overview(), allow_nan=False))
    assert sketch["name"] == "broken"
    if name == "config.json":
        assert "config.json" in sketch["broken"]
        with pytest.raises(UserError):
            runs.describe("broken")
    else:
        json.dumps(runs.describe("broken"), allow_nan=False)
        curves = Curves(path / "metrics.jsonl")
        curves.read_on()
        json.dumps(curves.tell(), allow_nan=False)


def test_a_run_that_goes_on_is_known_by_its_lock(voxel_run, tmp_path):
    path = tmp_path / "run"
    shutil.copytree(voxel_run, path)
    assert not is_running(path)
    directory = RunDirectory(path)
    directory.lock()
    assert is_running(path)
    directory.release()
    assert not is_running(path)
    assert not is_running(tmp_path / "never")


def test_curves_grow_and_follow_a_resume(tmp_path):
    path = tmp_path / "metrics.jsonl"
    curves = Curves(path)
    assert not curves.read_on()

    def write(mode, *steps):
        with path.open(mode) as file:
            for step in steps:
                row = {"step": step, "episode/return": step / 10, "achievement/collect_log": 0.5, "time/learn": 1.0}
                file.write(json.dumps(row | {"alarm/reward_jump": float(step == 3), "measure/x": None}) + "\n")

    write("a", 1, 2, 3)
    assert curves.read_on()
    told = curves.tell()
    assert told["curves"] == {"episode/return": [[1, 0.1], [2, 0.2], [3, 0.3]]}
    assert told["alarms"] == {"reward_jump": ""}
    assert told["phases"] == {"learn": 1.0}
    assert told["feats"] == {"collect_log": [0.5, 0.5]}
    assert not curves.read_on()
    with path.open("a") as file:
        file.write('{"step": 4, "episode/ret')
    assert not curves.read_on(), "half a row waits for its other half"
    write("w", 1)
    curves.read_on()
    assert curves.tell()["curves"]["episode/return"] == [[1, 0.1]], "rows that a resume took back are gone"


def test_long_runs_have_curves_of_bounded_length(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text("".join(json.dumps({"step": n, "episode/return": float(n)}) + "\n" for n in range(30_000)))
    curves = Curves(path)
    while curves.read_on():
        pass
    points = curves.tell()["curves"]["episode/return"]
    assert 300 < len(points) <= 800
    assert points[-1] == [29_999, 29_999.0]
    assert points[0][0] == 0
