"""Trackers of others: rows reach them, and nothing that they do reaches the run."""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from types import SimpleNamespace

import pytest

from farlands.cli import main
from farlands.errors import UserError
from farlands.runtime.trackers import ThreadedTracker, Tracker, check_tracker, make_tracker

WANDB = '''
"""Stands for a tracker: writes down what it is told."""
import json, os

def _note(what, **told):
    with open(os.environ["NOTES"], "a") as file:
        file.write(json.dumps([what, told]) + "\\n")

def init(**settings):
    if os.environ.get("FAILS"):
        raise SystemExit("no network, no account")
    _note("init", **settings)

def log(row, step):
    _note("log", row=row, step=step)

def finish():
    _note("finish")
'''


def recorder(**changes):
    told = []
    module = SimpleNamespace(
        init=lambda **settings: told.append(("init", settings)),
        log=lambda row, step: told.append((step, row)),
        finish=lambda: told.append(("finish", None)),
    )
    for name, function in changes.items():
        setattr(module, name, function)
    return module, told


def test_rows_reach_a_tracker_in_order():
    module, told = recorder()
    tracker = ThreadedTracker(module, lambda: {"project": "p"})
    for step in (1, 2, 3):
        tracker.log({"step": step, "loss": 0.5, "bad": math.nan})
    tracker.close()
    rows = [(step, {"step": step, "loss": 0.5}) for step in (1, 2, 3)]
    assert told == [("init", {"project": "p"}), *rows, ("finish", None)]
    assert (tracker.dropped, tracker.failure) == (0, "")


@pytest.mark.parametrize("where", ["init", "log", "finish"])
def test_a_tracker_that_fails_is_told_of_and_no_more(where):
    def fail(*given, **named):
        raise ConnectionError("no network")

    module, _ = recorder(**{where: fail})
    tracker = ThreadedTracker(module, dict, patience=5.0)
    for step in range(10):
        tracker.log({"step": step})
        time.sleep(0.001)
    tracker.close()
    assert tracker.failure == "ConnectionError: no network"
    assert tracker.dropped == {"init": 10, "log": 10, "finish": 0}[where]


def test_a_tracker_that_blocks_loses_rows_and_holds_nobody_up():
    forever = threading.Event()
    module, _ = recorder(init=lambda **settings: forever.wait(60))
    tracker = ThreadedTracker(module, dict, room=4, patience=0.2)
    began = time.monotonic()
    for step in range(1000):
        tracker.log({"step": step})
    assert time.monotonic() - began < 1.0
    tracker.close()
    assert time.monotonic() - began < 3.0
    assert tracker.dropped == 1000
    assert tracker.failure
    forever.set()


def test_nothing_begins_before_there_is_something_to_send():
    module, told = recorder()
    ThreadedTracker(module, dict).close()
    assert told == []


def test_no_tracker_is_a_tracker_too(tmp_path):
    tracker = make_tracker("none", tmp_path, {})
    assert type(tracker) is Tracker
    tracker.log({"step": 1})
    tracker.close()


def test_a_tracker_that_is_not_installed_is_refused(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install 'farlands\\[wandb\\]'"):
        check_tracker("wandb")
    run = tmp_path / "run"
    assert main(["train", "cue-corridor", "--tracker", "wandb", "--run-dir", str(run)]) == 2
    assert "it is not installed" in capsys.readouterr().err
    assert not run.exists()


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Trains a little with a stand-in for wandb on the path; gives the exit code and what the tracker was told."""
    (tmp_path / "wandb.py").write_text(WANDB)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))

    def run(**environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        flags = ["--num-worlds", "8", "--ppo.rollout", "16", "--threads", "1", "--steps", "512", "--tracker", "wandb"]
        code = main(["train", "cue-corridor", *flags, "--run-dir", str(tmp_path / "run")])
        notes = tmp_path / "notes"
        return code, [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    yield run
    sys.modules.pop("wandb", None)


def test_a_run_with_a_tracker(train, tmp_path):
    code, told = train(WANDB_PROJECT="mine")
    assert code == 0
    assert [what for what, _ in told] == ["init", "log", "log", "log", "log", "finish"]
    assert told[0][1]["project"] == "mine"
    assert told[0][1]["name"] == "run"
    assert told[0][1]["config"]["world"] == "cue-corridor"
    assert [each["step"] for what, each in told if what == "log"] == [128, 256, 384, 512]
    assert told[0][1]["id"] == json.loads((tmp_path / "run" / "tracker.json").read_text())["id"]


def test_a_run_whose_tracker_fails(train, capsys):
    code, told = train(FAILS="1")
    assert (code, told) == (0, [])
    said = "the tracker lost 4 rows: SystemExit: no network, no account; metrics.jsonl has them all"
    assert said in capsys.readouterr().out
