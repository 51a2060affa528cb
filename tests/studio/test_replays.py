"""Replays and demonstrations at any step: the very states and pictures, forwards and back; what is refused."""

from __future__ import annotations

import dataclasses
import io
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from farlands.errors import UserError
from farlands.runtime.rundir import RunDirectory
from farlands.studio import replays as replays_module
from farlands.studio.games import Games
from farlands.studio.messages import (
    Act,
    CloseReplay,
    Enter,
    ListDemonstrations,
    ListReplays,
    Seek,
    ShowDemonstration,
    ShowReplay,
    StartRecording,
)
from farlands.studio.panel import position_of
from farlands.studio.play import Game
from farlands.studio.replays import Past, Scrubber, describe, list_replays
from farlands.studio.rooms import PlayRoom, ReplayRoom
from farlands.studio.tracks import track_of_demonstration, track_of_replay
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.replays import Recorder
from farlands.worlds.voxel.world import VoxelWorld

SMALL = VoxelOptions(window=32, horizon=150, task="survive")
STEPS = 260


def make_replay(path, options=SMALL, steps=STEPS):
    """A replay of a restless agent, and the hash of the state before every step."""
    world = VoxelWorld(1, options)
    world.reset([5])
    recorder, hashes = Recorder(world, seed=5), []
    generator = torch.Generator().manual_seed(1)
    factored = options.actions == "factored"
    for _ in range(steps):
        shape = (world.num_rows, *([5] if factored else []))
        actions = torch.randint(0, 2 if factored else 17, shape, generator=generator, dtype=torch.int32)
        hashes.append(int(world.state_hash()[0]))
        recorder.note(actions)
        world.step(actions)
    hashes.append(int(world.state_hash()[0]))
    path.parent.mkdir(parents=True, exist_ok=True)
    recorder.finish().write(path)
    world.close()
    return hashes


@pytest.fixture(scope="module")
def replay(tmp_path_factory):
    path = tmp_path_factory.mktemp("replays") / "restless.replay"
    return path, make_replay(path)


def go(past, step):
    for _ in past.go(step):
        pass


def test_any_step_is_the_state_that_it_was(replay, monkeypatch):
    monkeypatch.setattr(replays_module, "SPACING", 20)
    monkeypatch.setattr(replays_module, "MOST_SNAPSHOTS", 5)
    path, hashes = replay
    past = Past(track_of_replay(path))
    for step in (0, 3, 200, 199, 41, 260, 0, 9_999, 130, 150, 151, 77, -5):
        go(past, step)
        reached = min(max(step, 0), STEPS)
        assert past.step == reached
        assert int(past.world.state_hash()[0]) == hashes[reached]
        assert len(past._snapshots) <= 6
        told = describe(past)
        assert told["step"] == reached
        assert told["life_step"] == reached % 150
    assert told["around"][0][0] == 0
    assert told["action"] == told["around"][0][1]
    past.close()


def test_a_page_sees_the_step_it_asked_for(replay, page):
    path, _ = replay
    scrubber = Scrubber(page, lambda: track_of_replay(path), 40, 64)
    assert page.wait(lambda: page.of("replay-state"))
    (opened,) = page.of("replay-opened")
    assert (opened["what"], opened["name"], opened["length"], opened["seed"]) == (
        "replay", "restless.replay", STEPS, "5",
    )  # fmt: skip
    assert (opened["ticks_per_step"], opened["agents"], opened["task"]) == (4, 1, "survive")
    state = page.of("replay-state")[0]
    assert (state["step"], state["length"], state["seed"]) == (40, STEPS, "5")
    assert [at for at, _ in state["around"]] == list(range(36, 45))
    scrubber.seek(10)
    assert page.wait(lambda: len(page.of("replay-state")) == 2)
    scrubber.close()
    past = Past(track_of_replay(path))
    for about, picture in page.pictures("replay"):
        go(past, about["step"])
        drawn = past.world.render([0], 48, 64)[0].numpy().astype(int)
        shown = np.asarray(Image.open(io.BytesIO(picture))).astype(int)
        assert np.abs(drawn - shown).mean() < 12, "but for JPEG's losses"
    assert [about["step"] for about, _ in page.pictures("replay")] == [40, 10]
    past.close()


def test_the_newest_wish_counts(replay, page):
    path, _ = replay
    scrubber = Scrubber(page, lambda: track_of_replay(path), 0, 64)
    for step in range(1, 200):
        scrubber.seek(step)
    scrubber.seek(250)
    assert page.wait(lambda: any(each["step"] == 250 for each in page.of("replay-state")))
    assert len(page.of("replay-state")) < 50
    scrubber.close()
    assert not scrubber._thread.is_alive()


def test_several_agents_and_factored_actions_are_lived_again(tmp_path):
    options = dataclasses.replace(SMALL, actions="factored", ticks_per_step=1, agents=2)
    hashes = make_replay(tmp_path / "two.replay", options, steps=60)
    past = Past(track_of_replay(tmp_path / "two.replay"))
    for step in (60, 30):
        go(past, step)
        assert int(past.world.state_hash()[0]) == hashes[step]
    past.close()


def test_a_replay_that_goes_another_way_is_told(replay):
    path, _ = replay
    track = track_of_replay(path)
    other = track.actions.copy()
    other[50:60] = 5
    past = Past(dataclasses.replace(track, actions=other))
    with pytest.raises(UserError, match="another way than was recorded, before step 100"):
        go(past, 200)
    past.close()
    with pytest.raises(UserError, match="of rules 0123"):
        Past(dataclasses.replace(track, rules="0123"))


@pytest.fixture
def rooms(page, tmp_path, voxel_run):
    """A page's rooms in a studio on a copy of a run."""
    shutil.copytree(voxel_run, tmp_path / "small")

    def find(name):
        if name != "small":
            raise UserError("no such run", name)
        return RunDirectory.open(str(tmp_path / "small"))

    games = Games(tmp_path)
    play, look = PlayRoom(games, page), ReplayRoom(tmp_path, page, find)
    yield lambda message: (play.doing | look.doing)[type(message)](message)
    play.close()
    look.close()


def test_replays_of_runs_and_of_games(rooms, page, tmp_path, replay):
    (tmp_path / "small" / "replays").mkdir()
    (tmp_path / "small" / "replays" / "level-0000.replay").write_bytes(replay[0].read_bytes())
    rooms(ListReplays("small"))
    rooms(ListReplays())
    assert [[each["file"] for each in told["replays"]] for told in page.of("replays")] == [
        ["replays/level-0000.replay"], [],
    ]  # fmt: skip
    rooms(ShowReplay("small", "replays/level-0000.replay", 7, 64))
    assert page.wait(lambda: page.of("replay-state"))
    rooms(Seek(9))
    assert page.wait(lambda: page.of("replay-state")[-1]["step"] == 9)
    for run, file, said in (
        ("small", "config.json", "no such replay"), ("small", "../x.replay", "not a file of this run"),
        ("small", "/etc/passwd", "not a file"), ("never", "x.replay", "no such run"),
        ("", "x.replay", "no such replay"), ("", "../saves/x.replay", "not a file"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            rooms(ShowReplay(run, file))
    (tmp_path / "replays").mkdir()
    (tmp_path / "replays" / "torn.replay").write_bytes(b"torn")
    rooms(ShowReplay("", "torn.replay"))
    assert page.wait(lambda: page.of("replay-failed"))
    assert "torn or no replay" in page.of("replay-failed")[0]["why"]
    rooms(CloseReplay())
    with pytest.raises(UserError, match="no replay is open"):
        rooms(Seek(1))


def test_a_game_can_be_watched_again(page, tmp_path):
    game = Game(page, Enter(seed="8", beside="same-world", side=160), tmp_path)
    game.begin()
    hashes = []
    for k in range(30):
        hashes.append(int(game.world.state_hash()[0]))
        game.keys.take(Act(move="forward", turn=k % 2, jump=k % 5 == 0))
        game.tick()
    game.end()
    name = page.of("play-left")[0]["replay"]
    past = Past(track_of_replay(tmp_path / "replays" / name))
    for step in (29, 3):
        go(past, step)
        assert int(past.world.state_hash()[0]) == hashes[step]
    past.close()


def test_short_games_are_not_kept(page, tmp_path):
    game = Game(page, Enter(seed="8", beside="nobody", side=160), tmp_path)
    game.begin()
    for _ in range(19):
        game.tick()
    game.end()
    assert page.of("play-left")[0]["replay"] == ""
    assert not (tmp_path / "replays").exists()


def test_a_crash_costs_a_game_little(page, tmp_path, monkeypatch):
    monkeypatch.setattr("farlands.studio.tapes.WRITE_EVERY", 25)
    game = Game(page, Enter(seed="8", beside="nobody", side=160), tmp_path)
    game.begin()
    for _ in range(60):
        game.tick()
    (told,) = list_replays(tmp_path / "replays")
    assert told["seconds"] == pytest.approx(50 * 0.05)
    assert (told["task"], told["facts"]["lives"]) == ("tools", 1)
    past = Past(track_of_replay(tmp_path / "replays" / told["file"]))
    go(past, 50)
    past.close()
    game.end()
    (told,) = list_replays(tmp_path / "replays")
    assert told["seconds"] == pytest.approx(60 * 0.05), "the same file goes on"


def test_a_full_disk_does_not_end_a_game(page, tmp_path, monkeypatch):
    monkeypatch.setattr("farlands.studio.tapes.WRITE_EVERY", 25)
    game = Game(page, Enter(seed="8", beside="nobody", side=160), tmp_path)
    game.begin()
    (tmp_path / "replays").write_text("no folder")
    for _ in range(30):
        game.tick()
    assert "could not be kept" in page.of("mistake")[-1]["why"]
    (tmp_path / "replays").unlink()
    game.end()
    past = Past(track_of_replay(tmp_path / "replays" / page.of("play-left")[0]["replay"]))
    assert go(past, 30) is None
    past.close()


def test_lists_tell_what_is_broken(tmp_path):
    (tmp_path / "torn.replay").write_bytes(b"torn")
    (told,) = list_replays(tmp_path)
    assert "is torn or no replay" in told["broken"]


def test_demonstrations_are_shown(rooms, page, tmp_path):
    pytest.importorskip("minari")
    game = Game(page, Enter(seed="8", beside="nobody", side=160), tmp_path)
    game.begin()
    game.start_recording(StartRecording("mine", "Ada", True))
    for _ in range(25):
        game.keys.take(Act(move="forward", turn=1))
        game.tick()
    seed, place = page.of("recording")[-1]["seed"], position_of(game.world)
    game.end()
    rooms(ListDemonstrations())
    assert page.of("demonstrations")[0]["demonstrations"][0]["name"] == "mine"
    rooms(ShowDemonstration("mine", 0, 3, 64))
    assert page.wait(lambda: page.of("replay-state"))
    (opened,) = page.of("replay-opened")
    assert (opened["what"], opened["length"], opened["seed"], opened["cause"]) == ("demonstration", 25, seed, "cut")
    assert opened["about"]["recorded_name"] == "Ada"
    assert "consent" in opened["about"]
    assert page.of("replay-state")[0]["action"] == "forward turn_right"
    past = Past(track_of_demonstration(tmp_path, "mine", 0))
    go(past, 25)
    assert describe(past)["seed"] == seed
    assert describe(past)["position"] == place
    past.close()
    for message, said in (
        (ShowDemonstration("never"), "no recorded dataset"),
        (ShowDemonstration("mine", 1), "has no episode '1'; 0 to 0"),
    ):  # fmt: skip
        page.told.clear()
        rooms(message)
        assert page.wait(lambda: page.of("replay-failed"))
        assert said in page.of("replay-failed")[0]["why"]
    with pytest.raises(UserError, match="letters"):
        rooms(ShowDemonstration("../mine"))
