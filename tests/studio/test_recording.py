"""Demonstrations by people: consent, what is written, that it can be lived again, and what is refused."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from farlands.errors import UserError
from farlands.studio.messages import Act, Enter, StartRecording
from farlands.studio.play import Game
from farlands.studio.recording import CONSENT, OTHERS, check_recording, list_demonstrations
from farlands.studio.replays import Past, list_replays
from farlands.studio.tracks import track_of_demonstration
from farlands.worlds.voxel.options import SYMBOLS
from farlands.worlds.voxel.state import Body, Clock

minari = pytest.importorskip("minari")


@pytest.fixture
def game(page, tmp_path):
    made = Game(page, Enter(seed=str(2**63 + 5), beside="nobody", side=160), tmp_path)
    made.begin()
    yield made
    if not made.ended:
        made.end()


def start(game, name="mine", who="Ada", consent=True):
    game.ask(lambda: game.start_recording(StartRecording(name, who, consent)))
    game.tick()


def walk(game, ticks):
    for k in range(ticks):
        game.keys.take(Act(move="sprint", jump=k % 7 == 0, turn=k % 3 - 1, hand="attack", tilt=-(k % 11 == 0)))
        game.tick()


def relived(path):
    """Live every episode again from its seed; how many steps were compared."""
    data = minari.MinariDataset(path / "data")
    env = data.recover_environment()
    steps = 0
    for episode, facts in zip(data, data.storage.get_episode_metadata(range(len(data))), strict=True):
        seen, _ = env.reset(seed=facts["seed"])
        for step, action in enumerate(episode.actions):
            assert set(seen) == set(episode.observations) == set(SYMBOLS)
            assert all(np.array_equal(episode.observations[name][step], value) for name, value in seen.items()), step
            seen, reward, terminated, _, _ = env.step(action)
            assert (reward, terminated) == (episode.rewards[step], episode.terminations[step])
            steps += 1
        assert all(np.array_equal(seen[name], episode.observations[name][-1]) for name in seen)
    env.close()
    return steps


def test_what_is_recorded_can_be_lived_again(game, page, tmp_path):
    walk(game, 10)
    start(game)
    walk(game, 29)
    game.world.store.tensors["clock"][Clock.LIMIT] = 40
    walk(game, 10)
    assert page.of("life-ended")[-1]["steps"] == 40
    walk(game, 20)
    game.ask(game.stop_recording)
    game.tick()
    path = tmp_path / "demonstrations" / "mine"
    told = page.of("recording")
    assert [each["on"] for each in told] == [True, True, False]
    assert (told[0]["name"], told[0]["who"], told[0]["episode"]) == ("mine", "Ada", 0)
    assert told[-1] == {
        "type": "recording", "on": False, "name": "mine", "episodes": 2, "steps": 60, "path": str(path),
    }  # fmt: skip
    assert not path.with_name("mine.unfinished").exists()
    data = minari.MinariDataset(path / "data")
    facts = list(data.storage.get_episode_metadata([0, 1]))
    assert [each["cause"] for each in facts] == ["horizon", "cut"]
    assert [str(each["seed"]) for each in facts] == [each["seed"] for each in told[:2]]
    assert all(each["seed"] < 2**63 for each in facts), "no level that is measured on, whatever was entered"
    assert all({"began", "ended", "achieved"} <= each.keys() for each in facts)
    assert data[0].truncations[-1]
    assert data[1].truncations[-1]
    assert not data[1].truncations[:-1].any()
    # The limit that the test set is no rule of the recorded world, but what came before it is.
    assert relived(path) == 60
    assert list_demonstrations(tmp_path)[0] | {"made": ""} == {
        "name": "mine", "episodes": 2, "steps": 60, "who": "Ada", "made": "",
    }  # fmt: skip


def test_consent_and_versions_stand_in_the_dataset(game, tmp_path):
    start(game, who="")
    walk(game, 3)
    game.end()
    about = json.loads((tmp_path / "demonstrations" / "mine" / "data" / "metadata.json").read_text())
    assert about["consent"] == CONSENT
    assert about["consent_given"] == "yes"
    assert about["consent_time"].startswith("20")
    assert about["recorded_by"] == "a person at 20 Hz"
    assert (about["recorded_name"], about["algorithm_name"]) == ("", "person")
    assert len(about["rules"]) == 16
    assert all(about[name] for name in ("farlands_version", "python_version", "warp_version", "minari_version"))
    options = json.loads(about["world_options"])
    assert (options["actions"], options["ticks_per_step"], options["senses"]) == ("factored", 1, list(SYMBOLS))


def test_nothing_is_recorded_without_consent(game, page, tmp_path):
    start(game, consent=False)
    assert "without consent" in page.of("mistake")[-1]["why"]
    assert game.recording is None
    assert not (tmp_path / "demonstrations").exists()


def test_a_recording_begins_with_a_level_of_its_own(game, page, tmp_path):
    walk(game, 25)
    start(game)
    level = page.of("level-begins")[-1]
    assert level["why"] == "recording"
    assert page.of("recording")[-1]["seed"] == level["seed"] != str(2**63 + 5)
    assert page.of("play-state")[-1]["recording"] == {"name": "mine", "who": "Ada", "episode": 0, "steps": 1}
    assert len(list((tmp_path / "replays").glob("*"))) == 1, "what was walked before is a replay of its own"


def test_leaving_publishes_what_was_recorded(game, page, tmp_path):
    start(game)
    walk(game, 4)
    game.end()
    assert minari.MinariDataset(tmp_path / "demonstrations" / "mine" / "data").total_steps == 5
    assert page.of("play-left")


def test_a_recording_without_steps_leaves_nothing(game, page, tmp_path):
    game.start_recording(StartRecording("empty", "", True))
    game.stop_recording()
    assert page.of("recording")[-1]["episodes"] == 0
    assert list((tmp_path / "demonstrations").iterdir()) == []


def test_a_crash_leaves_no_half_dataset_under_its_name(game, tmp_path):
    """What was complete when it came stays in a folder that says that it is unfinished, and is not written over."""
    start(game)
    walk(game, 3)
    game.world.store.tensors["clock"][Clock.LIMIT] = 5
    walk(game, 2)
    game.recording = None
    folder = tmp_path / "demonstrations"
    assert [path.name for path in folder.iterdir()] == ["mine.unfinished"]
    assert minari.MinariDataset(folder / "mine.unfinished" / "data").total_episodes == 1
    with pytest.raises(UserError, match="already: 'mine'; nothing was overwritten; mine-2 is free"):
        check_recording(tmp_path, StartRecording("mine", "", True))
    (left,) = list_demonstrations(tmp_path)
    assert (left["name"], left["episodes"], left["unfinished"]) == ("mine", 1, str(folder / "mine.unfinished"))


def test_a_very_long_life_is_recorded_in_pieces(game, page, monkeypatch, tmp_path):
    monkeypatch.setattr("farlands.studio.recording.LONGEST", 8)
    start(game)
    walk(game, 10)
    game.end()
    data = minari.MinariDataset(tmp_path / "demonstrations" / "mine" / "data")
    assert [len(each.rewards) for each in data] == [8, 3]
    assert relived(tmp_path / "demonstrations" / "mine") == 11


def test_what_cannot_be_recorded_is_refused(game, page, tmp_path):
    start(game)
    game.ask(lambda: game.start_recording(StartRecording("other", "", True)))
    game.tick()
    assert "goes on already" in page.of("mistake")[-1]["why"]
    walk(game, 1)
    game.ask(game.stop_recording)
    game.tick()
    for name, who, said in (
        ("mine", "", "already"), ("../up", "", "letters"), ("x", "y" * 81, "at most 80"), ("x", "a\nb", "printable"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            check_recording(tmp_path, StartRecording(name, who, True))


def test_each_replay_tells_of_its_own_lives(game, page, tmp_path):
    walk(game, 25)
    game.world.store.tensors["unlocked"][0, 0] = 7
    start(game)
    walk(game, 25)
    game.world.store.tensors["clock"][Clock.LIMIT] = 27
    walk(game, 2)
    assert page.of("life-ended")
    game.end()
    told = [each["facts"] for each in reversed(list_replays(tmp_path / "replays"))]
    assert [each["lives"] for each in told] == [1, 2], "of the second replay the second life has just begun"
    feat = game.world.spec.achievements[0]
    assert [feat in each["achieved"] for each in told] == [True, False]


def test_beside_an_agent_in_the_same_world_both_are_taken_down(page, tmp_path):
    game = Game(page, Enter(seed="1", beside="same-world", side=160), tmp_path)
    game.begin()
    walk(game, 7)
    start(game)
    walk(game, 30)
    body = game.world.store.tensors["body"]
    body[Body.HEALTH, 0], body[Body.CAUSE, 0] = 0, 3
    walk(game, 20)
    assert page.of("life-ended")
    game.end()
    assert not page.of("mistake")
    data = minari.MinariDataset(tmp_path / "demonstrations" / "mine" / "data")
    assert len(data) == 2, "a new life is recorded from the beginning of a new level"
    seeds = [facts["seed"] for facts in data.storage.get_episode_metadata(range(2))]
    assert seeds[0] != seeds[1]
    others = data[0].infos[OTHERS]
    assert others.shape == (len(data[0].rewards) + 1, 1, 5)
    assert not others[0].any()
    assert others[1:].any()
    past = Past(track_of_demonstration(tmp_path, "mine", 1))
    list(past.go(10**6))
    assert past.step == len(data[1].rewards) == 19
    assert np.array_equal(past.seen.observation["inventory"][0].numpy(), data[1].observations["inventory"][-1])
    past.close()


def test_minari_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "minari", None)
    with pytest.raises(UserError, match="pip install minari"):
        check_recording(tmp_path, StartRecording("x", "", True))


def test_broken_datasets_are_told_as_broken(tmp_path):
    (tmp_path / "demonstrations" / "odd").mkdir(parents=True)
    (broken,) = list_demonstrations(tmp_path)
    assert broken["name"] == "odd"
    assert "not a dataset" in broken["broken"]
