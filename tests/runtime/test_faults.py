"""Failures as data: what they say, when they strike, and that they strike once."""

import json
import signal

import pytest
import torch

from farlands.errors import UserError
from farlands.runtime.faults import KINDS, Fault, Faults, parse_fault, read_struck


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("kill@3", Fault("kill", 3, "collect")),
        ("kill@3/2", Fault("kill", 3, "collect", 2)),
        ("exit@12:save.written/1", Fault("exit", 12, "save.written", 1)),
        ("nan@1", Fault("nan", 1, "reward")),
        ("full-disk@2", Fault("full-disk", 2, "save")),
        ("torn@2", Fault("torn", 2, "save.published")),
    ],
)
def test_faults_are_read(text, fault):
    assert parse_fault(text) == fault
    assert parse_fault(str(fault)) == fault


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("kill", "not a fault"),
        ("kil@3", "did you mean kill"),
        ("kill@x", "not a fault"),
        ("kill@3:lern", "did you mean learn"),
        ("nan@3:save", "strikes in reward"),
        ("", "not a fault"),
        ("kill@3/-1", "not a fault"),
    ],
)
def test_mistakes_are_told(text, word):
    with pytest.raises(UserError, match=word):
        parse_fault(text)


def test_a_fault_strikes_once_in_its_update_its_phase_its_process(tmp_path):
    faults = Faults(["raise@2:reward", "raise@2:reward/1"], tmp_path, rank=0)
    for update, phase in ((1, "reward"), (2, "collect"), (3, "reward")):
        faults.strike(update, phase)
    assert read_struck(tmp_path) == []
    with pytest.raises(RuntimeError, match="asked for"):
        faults.strike(2, "reward")
    assert [fault for fault, _ in read_struck(tmp_path)] == ["raise@2:reward/0"]
    faults.strike(2, "reward")
    again = Faults(["raise@2:reward", "raise@2:reward/1"], tmp_path, rank=0)
    again.strike(2, "reward")
    with pytest.raises(RuntimeError, match="asked for"):
        Faults(["raise@2:reward", "raise@2:reward/1"], tmp_path, rank=1).strike(2, "reward")


def test_nan_poisons_one_update(tmp_path):
    faults, rewards = Faults(["nan@2"], tmp_path, rank=0), [torch.ones(2, 2), torch.ones(2, 2)]
    faults.strike(1, "reward")
    assert faults.poison(rewards) == rewards
    faults.strike(2, "reward")
    poisoned = faults.poison(rewards)
    assert poisoned[0].isnan().all()
    assert poisoned[1] is rewards[1]
    assert faults.poison(rewards) == rewards


def test_preemption_is_a_signal(tmp_path, monkeypatch):
    got = []
    monkeypatch.setattr("os.kill", lambda _, number: got.append(number))
    Faults(["preempt@1"], tmp_path, rank=0).strike(1, "collect")
    assert got == [signal.SIGTERM]


def test_half_a_line_in_the_record_is_passed_over(tmp_path):
    whole = json.dumps({"fault": "kill@1:collect/0", "process": 1, "time": 2.0})
    (tmp_path / "faults.jsonl").write_text(whole + "\n" + whole[:20])
    assert read_struck(tmp_path) == [("kill@1:collect/0", 2.0)]


def test_every_kind_is_explained():
    assert all(KINDS.values())
