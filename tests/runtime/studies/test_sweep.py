"""Sweeps: ranges as people write them, trials that go on where they stopped, what is left at the end."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from farlands.cli import main
from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.runtime.studies.ranges import Range, read_range
from farlands.worlds.reference_options import CueCorridorOptions

pytest.importorskip("optuna")

TINY = ["--common", "--num-worlds 8 --ppo.rollout 16 --threads 1 --save-every 0", "--steps", "1024"]
RANGES = ["--ranges", "ppo.learning-rate=1e-4..1e-2", "agent.hidden=16,32"]
CONFIG = TrainConfig(world="cue-corridor", options=CueCorridorOptions())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ppo.learning-rate=1e-4..1e-2", Range("ppo.learning-rate", low=1e-4, high=1e-2, log=True)),
        ("--ppo.learning_rate=1e-3..2e-3", Range("ppo.learning-rate", low=1e-3, high=2e-3)),
        ("ppo.epochs=1..4", Range("ppo.epochs", low=1, high=4, whole=True)),
        ("num-worlds=16..256", Range("num-worlds", low=16, high=256, whole=True, log=True)),
        ("agent.hidden=64, 128", Range("agent.hidden", choices=("64", "128"))),
        ("agent.memory=none,mingru", Range("agent.memory", choices=("none", "mingru"))),
        ("length=3..9", Range("world.length", low=3, high=9, whole=True)),
    ],
)
def test_ranges_are_read_as_written(text, found):
    assert read_range(text, CONFIG) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ppo.learning-rat=1..2", "did you mean ppo.learning-rate?"),
        ("ppo.learning-rate", "expected flag=low..high"),
        ("ppo.learning-rate=", "expected flag=low..high"),
        ("ppo.learning-rate=a..b", "not numbers"),
        ("ppo.learning-rate=2..1", "the low end must be below"),
        ("ppo.learning-rate=1..inf", "the low end must be below"),
        ("ppo.epochs=1..2.5", "takes whole numbers"),
        ("agent.memory=none..mingru", "is no number"),
        ("agent.memory=none", "one value is no range"),
    ],
)
def test_what_is_no_range_is_refused_in_one_line(text, said):
    with pytest.raises(UserError, match=said.replace("?", "[?]")):
        read_range(text, CONFIG)


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "swept"
    assert main(["sweep", "cue-corridor", *RANGES, *TINY, "--trials", "3", "--run-dir", str(path)]) == 0
    return path


def test_every_trial_is_a_run_with_its_own_settings(swept):
    found = json.loads((swept / "trials.json").read_text())
    assert sorted(trial["trial"] for trial in found["trials"]) == [0, 1, 2]
    for trial in found["trials"]:
        config = json.loads((swept / f"trial-{trial['trial']}" / "config.json").read_text())
        assert config["ppo"]["learning_rate"] == pytest.approx(trial["settings"]["ppo.learning-rate"])
        assert str(config["agent"]["hidden"]) == trial["settings"]["agent.hidden"]
        assert 1e-4 <= trial["settings"]["ppo.learning-rate"] <= 1e-2
    assert len({trial["settings"]["ppo.learning-rate"] for trial in found["trials"]}) == 3
    values = [trial["value"] for trial in found["trials"] if trial["value"] is not None]
    assert values == sorted(values, reverse=True)
    assert (swept / "sweep.png").stat().st_size > 5_000
    assert "| trial | return |" in (swept / "sweep.md").read_text()


def test_the_value_is_the_mean_over_the_last_episodes(swept):
    trial = next(t for t in json.loads((swept / "trials.json").read_text())["trials"] if t["value"] is not None)
    rows = [json.loads(line) for line in (swept / f"trial-{trial['trial']}" / "metrics.jsonl").read_text().splitlines()]
    last = [row for row in rows if row["progress"] > 0.9]
    total = sum(row["episode/count"] * row["episode/return"] for row in last if row["episode/count"])
    assert trial["value"] == pytest.approx(total / sum(row["episode/count"] for row in last))


def test_the_command_it_prints_is_one_that_trains(swept, tmp_path):
    command = shlex.split(json.loads((swept / "trials.json").read_text())["command"])
    assert command[:3] == ["farlands", "train", "cue-corridor"]
    assert main([*command[1:], "--steps", "128", "--run-dir", str(tmp_path / "run")]) == 0


def test_an_interrupted_trial_is_taken_up_and_more_can_be_asked_for(swept, tmp_path, capsys):
    path = Path(shutil.copytree(swept, tmp_path / "again"))
    assert main(["sweep", str(path), "--trials", "4"]) == 0
    trials = json.loads((path / "trials.json").read_text())["trials"]
    assert sorted(trial["trial"] for trial in trials) == [0, 1, 2, 3]
    capsys.readouterr()
    assert main(["sweep", str(path), "--steps", "9"]) == 2
    assert "--steps was set when the sweep was begun" in capsys.readouterr().err


def test_a_trial_left_running_is_the_first_to_go_on(tmp_path):
    import optuna

    path = tmp_path / "search"
    assert main(["sweep", "cue-corridor", *RANGES, *TINY, "--trials", "1", "--run-dir", str(path)]) == 0
    backend = optuna.storages.journal.JournalFileBackend(str(path / "journal.log"))
    study = optuna.load_study(study_name="sweep", storage=optuna.storages.JournalStorage(backend))
    distributions = study.trials[0].distributions
    left = study.ask(distributions)
    assert main(["sweep", str(path), "--trials", "2"]) == 0
    trials = json.loads((path / "trials.json").read_text())["trials"]
    assert {trial["trial"]: trial["settings"] for trial in trials}[left.number] == left.params
    assert len(trials) == 2
