"""What can be asked for wrongly about actors: one line, exit code 2, nothing left behind."""

from __future__ import annotations

import signal
import socket
import sys

import pytest

from farlands.cli import main
from farlands.config import TrainConfig
from farlands.runtime.actors.cluster import _same_signals

WELL = ["--learner", "impala", "--actors.count", "2", "--num-worlds", "4", "--threads", "1"]


def complaint(capsys, tmp_path, *flags: str) -> str:
    """What a mistaken command says, once it has been seen to be one line and to have written nothing."""
    capsys.readouterr()
    assert main(["train", "cue-corridor", "--run-dir", str(tmp_path / "run"), *flags]) == 2
    said = capsys.readouterr().err
    assert said.startswith("farlands: ")
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "run").exists()
    return said


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (["--actors.count", "-1"], "actors.count is -1; it must be at least 0"),
        (["--actors.count", "many"], "expected a whole number"),
        (["--actors.cuont", "2"], "did you mean --actors.count?"),
        (["--actors.count", "2"], "add --learner impala"),
        ([*WELL, "--num-worlds", "5"], "it must be a multiple of actors.count, which is 2, or name --actors.worlds"),
        ([*WELL, "--processes", "2"], "processes is 2; with actors one process learns"),
        ([*WELL, "--actors.minimum", "3"], "at most actors.count, which is 2"),
        ([*WELL, "--actors.timeout", "0"], "must be above 0"),
        ([*WELL, "--impala.minibatches", "100"], "--impala.minibatches is '100'; there are only 4 sequences"),
        ([*WELL, "--impala.trace-clip", "2"], "at most rho_clip"),
        ([*WELL, "--world.length", "0"], "must be in [1, 200]"),
        (["--learner", "impalla"], "did you mean impala?"),
    ],
)
def test_mistakes_are_told(capsys, tmp_path, flags, expected):
    assert expected in complaint(capsys, tmp_path, *flags)


def test_without_ray(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "actors need Ray; pip install 'farlands[distributed]'" in complaint(capsys, tmp_path, *WELL)


@pytest.mark.parametrize("address", ["http://somewhere", "nowhere", "127.0.0.1:0", "127.0.0.1:70000", "ray://here:1"])
def test_what_is_no_address(capsys, tmp_path, address):
    pytest.importorskip("ray")
    said = complaint(capsys, tmp_path, *WELL, "--actors.address", address)
    assert f"--actors.address is '{address}'; expected HOST:PORT or auto" in said


@pytest.mark.filterwarnings("ignore")
def test_where_nobody_answers(capsys, tmp_path):
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    said = complaint(capsys, tmp_path, *WELL, "--actors.address", address)
    assert f"no Ray cluster at '{address}'; Connection refused; start one with: ray start --head" in said


def test_signals_stay_the_runs():
    before = signal.getsignal(signal.SIGTERM)
    with _same_signals():
        signal.signal(signal.SIGTERM, lambda *_: None)
    assert signal.getsignal(signal.SIGTERM) is before


def test_without_actors_nothing_changes():
    config = TrainConfig()
    assert config.actors.count == 0
    assert config.learning is config.ppo
