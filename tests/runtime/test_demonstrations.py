"""Demonstrations: what is written, what can be lived again, and what is refused."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from farlands.cli import main
from farlands.evaluation.protocol import UNSEEN, evaluation_seeds
from farlands.runtime.demonstrations import demonstration_seeds
from farlands.worlds.voxel.options import SYMBOLS

minari = pytest.importorskip("minari")

RECORD = ["record", "voxel", "--world.task", "diamond", "--max-steps", "45"]


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    out = tmp_path_factory.mktemp("demonstrations") / "honest-v0"
    assert main([*RECORD, "--episodes", "2", "--out", str(out)]) == 0
    return out


def replayed(data) -> int:
    """Live every episode again from its seed; how many steps were compared."""
    env = data.recover_environment()
    steps = 0
    for episode, facts in zip(data, data.storage.get_episode_metadata(range(len(data))), strict=True):
        seen, _ = env.reset(seed=facts["seed"])
        for step, action in enumerate(episode.actions):
            assert set(seen) == set(episode.observations)
            for name, value in seen.items():
                stored = episode.observations[name]
                assert stored.dtype == value.dtype
                assert np.array_equal(stored[step], value), (name, step)
            seen, reward, terminated, truncated, _ = env.step(action)
            ended = (episode.terminations[step], episode.truncations[step])
            assert (reward, terminated, truncated) == (episode.rewards[step], *ended)
            steps += 1
        assert terminated or truncated
        assert all(np.array_equal(seen[name], episode.observations[name][-1]) for name in seen)
    env.close()
    return steps


def test_episodes_can_be_lived_again(honest):
    data = minari.MinariDataset(honest / "data")
    assert (data.id, data.total_episodes, data.total_steps) == ("honest-v0", 2, 90)
    assert replayed(data) == 90


def test_a_dataset_holds_what_a_learner_sees_and_no_more(honest):
    """Not what the expert saw beyond that, and not a word of the state."""
    data = minari.MinariDataset(honest / "data")
    assert set(data[0].observations) == set(SYMBOLS)
    assert not data[0].infos
    about = json.loads((honest / "data" / "metadata.json").read_text())
    assert len(about["rules"]) == 16
    assert about["algorithm_name"] == "honest-expert"
    assert json.loads(about["world_options"])["task"] == "diamond"
    facts = list(data.storage.get_episode_metadata([0, 1]))
    assert [each["seed"] for each in facts] == demonstration_seeds(0, 2)
    assert {key for each in facts for key in each} == {"id", "total_steps", "seed", "cause", "return"}
    assert all(each["cause"] == "horizon" and each["total_steps"] == 45 for each in facts)


def test_pictures_are_kept_as_they_are(tmp_path):
    """Other senses, another agent; no JPEG between."""
    flags = ["--agent", "random", "--episodes", "1", "--world.senses", "pixels", "position", "--seed", "3"]
    assert main(["record", "voxel", "--max-steps", "6", *flags, "--out", str(tmp_path / "pictures")]) == 0
    data = minari.MinariDataset(tmp_path / "pictures" / "data")
    assert data.id == "pictures-v0"
    assert set(data[0].observations) == {"pixels", "position"}
    assert replayed(data) == 6


def test_the_expert_that_sees_everything_demonstrates_too(tmp_path):
    assert main([*RECORD, "--agent", "expert", "--episodes", "1", "--out", str(tmp_path / "seer-v2")]) == 0
    data = minari.MinariDataset(tmp_path / "seer-v2" / "data")
    assert data.id == "seer-v2"
    assert replayed(data) == 45
    assert data[0].rewards.sum() >= 1, "a log within forty-five steps"


def test_levels_are_none_that_are_measured_on():
    seeds = demonstration_seeds(0, 100)
    assert seeds[:10] == demonstration_seeds(0, 10)
    assert len({*seeds, *demonstration_seeds(1, 100)}) == 200
    assert all(0 <= seed < UNSEEN for seed in seeds)
    assert not set(seeds) & set(evaluation_seeds(0, 1_000))


def test_worlds_without_a_gymnasium_id_are_recorded(tmp_path):
    out = tmp_path / "cues"
    assert main(["record", "cue-corridor", "--agent", "random", "--episodes", "3", "--out", str(out)]) == 0
    data = minari.MinariDataset(out / "data")
    assert data.total_episodes == 3
    assert all(len(each.observations[name]) == len(each.rewards) + 1 for each in data for name in each.observations)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["--agent", "nobody"], "nobody"),
        (["--episodes", "0"], "at least 1"),
        (["--world.actions", "factored"], "flat"),
    ],
)
def test_mistakes_are_told_in_a_line(tmp_path, capsys, flags, says):
    assert main([*RECORD, *flags, "--out", str(tmp_path / "none")]) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert says in error[-1]
    assert not (tmp_path / "none").exists()


def test_nothing_is_overwritten(tmp_path, capsys):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "notes.txt").write_text("mine")
    assert main([*RECORD, "--out", str(kept)]) == 2
    assert "nothing was overwritten" in capsys.readouterr().err
    assert [path.name for path in kept.iterdir()] == ["notes.txt"]


def test_what_breaks_off_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("farlands.runtime.demonstration_files.DemonstrationFile.add", fail)
    with pytest.raises(KeyboardInterrupt):
        main([*RECORD, "--episodes", "1", "--agent", "random", "--out", str(tmp_path / "half")])
    assert list(tmp_path.iterdir()) == []


def test_minari_is_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    assert main([*RECORD, "--out", str(tmp_path / "none")]) == 2
    assert "pip install minari" in capsys.readouterr().err
