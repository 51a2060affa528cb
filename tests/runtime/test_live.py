"""What a run writes for those who watch, and that the worlds it trains in can be lived again from it."""

from __future__ import annotations

import dataclasses
import json
import os
import time

import pytest
import torch
from safetensors.torch import save

from farlands.agents import make_agent
from farlands.agents.config import AgentConfig
from farlands.learning.collect import Collector
from farlands.learning.config import PPOConfig
from farlands.learning.ppo import PPO
from farlands.runtime.live import KEPT, LATE, MOST_WORLDS, PATIENCE, Feed, NoFeed, Request, read_wanted
from farlands.worlds.reference import CueCorridor, PointReach
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.rendering.renderer import pixel_order
from farlands.worlds.voxel.world import VoxelWorld


class Trainer:
    """A small run: collect, learn, publish."""

    def __init__(self, directory, kind=CueCorridor, rows=6, check_every=2):
        self.updates, self.notes = 0, []
        self.world = kind(rows, kind.Options())
        self.agent = make_agent(self.world.spec, AgentConfig(hidden=16))
        self.learner = PPO(self.agent, PPOConfig(rollout=8, minibatches=2))
        self.collector = Collector(self.world, self.agent, 8, seed=1)
        self.collector.start(1)
        self.feed = Feed(directory, self.world, self.agent, self.learner, self.notes.append, check_every)

    def update(self, times=1, seconds=0.5):
        for _ in range(times):
            rollout = self.collector.collect()
            self.learner.update(rollout, rollout.rewards[..., None], 0.0)
            self.updates += 1
            self.feed.publish(rollout, self.updates, self.updates * 48, seconds)
        return rollout


def names(directory):
    return sorted(path.name for path in (directory / "live").glob("*.safetensors"))


def test_nothing_is_written_where_nobody_asks(tmp_path):
    Trainer(tmp_path).update(2)
    assert not (tmp_path / "live").exists()


@pytest.mark.parametrize("kind", [CueCorridor, PointReach])
def test_the_worlds_live_the_same_again(tmp_path, kind):
    trainer, request = Trainer(tmp_path, kind), Request(tmp_path, 3)
    request.ask()
    trainer.update(4)
    began, worlds, snapshot = request.newest_beginning()
    assert (began, worlds) == (1, 3)
    mirror = kind(3, kind.Options())
    mirror.restore(snapshot)
    checked = 0
    for update in range(2, request.newest_update() + 1):
        happened = request.read(update)
        assert (happened.step, happened.seconds) == (update * 48, 0.5)
        for t, action in enumerate(happened.actions):
            step = mirror.step(action)
            assert torch.equal(step.reward, happened.reward[t])
            assert torch.equal(step.terminated | step.truncated, happened.ended[t])
        if happened.hashes is not None:
            assert torch.equal(mirror.state_hash(), happened.hashes)
            checked += 1
    assert checked == 2, "updates 2 and 4"
    assert torch.equal(mirror.state_hash(), trainer.world.state_hash()[:3])


def test_minds_that_are_looked_into_are_told_as_the_agent_is_now(tmp_path):
    trainer, request = Trainer(tmp_path), Request(tmp_path, 3)
    request.ask()
    trainer.update(2)
    nobody = request.read(2)
    assert nobody.values.shape == (8, 0, 1)
    assert nobody.chances is None
    request.minds = frozenset({2, 0, 63})
    request.ask()
    rollout = trainer.update()
    happened = request.read(3)
    assert happened.minds.tolist() == [0, 2], "of the worlds that are shown"
    rows = [0, 2]
    observations = {key: value[:, rows] for key, value in rollout.observations.items()}
    with torch.no_grad():
        output = trainer.agent.unroll(observations, rollout.memory[rows], rollout.first[:-1, rows])
    expected = trainer.learner.normaliser.denormalise(output.value)
    torch.testing.assert_close(happened.values, expected)
    torch.testing.assert_close(happened.chances.float().sum(-1), torch.ones(8, 2), atol=5e-3, rtol=0)
    done = happened.actions[:, rows]
    picked = happened.chances.float().gather(-1, done[..., None].long())[..., 0]
    torch.testing.assert_close(picked, output.distribution.log_prob(done).exp(), atol=1e-3, rtol=0)


def test_continuous_actions_have_no_chances(tmp_path):
    trainer, request = Trainer(tmp_path, PointReach), Request(tmp_path, 2)
    request.minds = frozenset({1})
    request.ask()
    trainer.update(2)
    assert request.read(2).values.shape == (8, 1, 1)
    assert request.read(2).chances is None


def test_a_new_ticket_asks_for_a_new_beginning_and_leaves_the_chain_whole(tmp_path):
    trainer, first, second = Trainer(tmp_path), Request(tmp_path, 2), Request(tmp_path, 2)
    first.ask()
    trainer.update(3)
    second.ask()
    trainer.update()
    assert second.newest_beginning()[0] == 1, "who asks for no more than is shown joins in"
    second.renew()
    trainer.update(2)
    assert second.newest_beginning()[0] == 5
    assert second.newest_update() == 6


class SmallPictures(VoxelWorld):
    """A voxel world whose agents see nothing but small pictures, in patches."""

    @staticmethod
    def Options(**changes):  # noqa: N802
        return VoxelOptions(window=32, senses=("pixels",), width=32, height=32, patch=8, **changes)

    def __init__(self, rows, options):
        super().__init__(rows, options)


def test_what_agents_see_is_written_where_it_is_wanted(tmp_path):
    trainer, request = Trainer(tmp_path, SmallPictures, rows=3), Request(tmp_path, 2)
    request.ask()
    trainer.update(2)
    assert request.read_frames(2) is None, "nobody wanted them"
    request.pictures = 8.0
    request.ask()
    rollout = trainer.update()
    frames = request.read_frames(3)
    assert frames.stride == 2, "8 steps in half a second, of which 4 are wanted"
    assert frames.pictures.shape == (4, 2, 32, 32, 3)
    order = torch.from_numpy(pixel_order(32, 32, 8)).long()
    for step in range(8):
        stored = frames.before(step).reshape(2, -1, 3)[:, order]
        assert torch.equal(stored, rollout.observations["pixels"][step // 2 * 2, :2].reshape(2, -1, 3))
    assert len([name for name in names(tmp_path) if name.startswith("begin")]) == 1, "the worlds went on"
    request.pictures = 0.0
    request.ask()
    trainer.update()
    assert request.read_frames(4) is None
    trainer.world.close()


def test_of_two_who_watch_each_gets_what_is_wanted(tmp_path):
    few, many = Request(tmp_path, 2), Request(tmp_path, 2)
    few.pictures, many.pictures = 2.0, 9.0
    few.minds, many.minds = frozenset({1}), frozenset({0, 1})
    for request in (few, many, few):
        request.ask()
    wanted = read_wanted(tmp_path / "live")
    assert (wanted.pictures, wanted.minds) == (9.0, (0, 1))
    many.pictures, many.minds = 3.0, frozenset()
    for request in (many, few):
        request.ask()
    assert read_wanted(tmp_path / "live") == dataclasses.replace(wanted, pictures=3.0, minds=(1,))


@pytest.mark.parametrize("stride", ["0", "-1", "", "x", "2.5"])
def test_frames_that_are_none(tmp_path, stride):
    path = tmp_path / "live" / "pixels-000000002.safetensors"
    path.parent.mkdir()
    path.write_bytes(save({"pictures": torch.zeros(2, 1, 4, 4, 3, dtype=torch.uint8)}, {"stride": stride}))
    frames = Request(tmp_path, 1).read_frames(2)
    if stride == "0":
        assert frames.stride == 1
    else:
        assert frames is None


def test_more_worlds_begin_anew(tmp_path):
    trainer = Trainer(tmp_path)
    Request(tmp_path, 2).ask()
    trainer.update(2)
    Request(tmp_path, 5).ask()
    trainer.update(2)
    began, worlds, _ = Request(tmp_path, 5).newest_beginning()
    assert (began, worlds) == (3, 5)
    Request(tmp_path, 500).ask()
    trainer.update()
    assert Request(tmp_path, 500).newest_beginning()[1] == 6 < MOST_WORLDS, "all there are"


@pytest.mark.parametrize(("seconds", "kept"), [(60.0, KEPT), (LATE / 10, 10), (1e-6, 12)])
def test_files_are_kept_for_some_seconds_and_none_after_the_end(tmp_path, monkeypatch, seconds, kept):
    monkeypatch.setattr("farlands.runtime.live.MOST_KEPT", 12)
    trainer = Trainer(tmp_path)
    Request(tmp_path, 1).ask()
    trainer.update(16, seconds)
    found = [name for name in names(tmp_path) if name.startswith("update")]
    assert found == [f"update-{n:09d}.safetensors" for n in range(17 - kept, 17)]
    trainer.feed.close()
    assert not (tmp_path / "live").exists()


def test_a_watcher_who_stopped_asking_is_forgotten(tmp_path):
    trainer, request = Trainer(tmp_path), Request(tmp_path, 1)
    request.ask()
    trainer.update(2)
    long_ago = time.time() - PATIENCE - 1
    os.utime(tmp_path / "live" / "wanted.json", (long_ago, long_ago))
    trainer.update(2)
    assert request.newest_update() == 2
    request.ask()
    trainer.update(2)
    assert request.newest_beginning()[0] == 5, "a gap asks for a new beginning by itself"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"worlds": "x", "ticket": 1}',
        '{"worlds": null}',
        "\x00",
        '{"worlds": Infinity, "ticket": 1}',
    ],
)
def test_what_is_not_a_request_is_none(tmp_path, text):
    live = tmp_path / "live"
    live.mkdir()
    (live / "wanted.json").write_text(text)
    assert read_wanted(live) is None
    Trainer(tmp_path).update()
    assert names(tmp_path) == []
    Request(tmp_path, 2).ask()
    assert read_wanted(live).worlds == 2, "a watcher puts it right"


def test_requests_for_absurd_numbers_are_bounded(tmp_path):
    live = tmp_path / "live"
    live.mkdir()
    (live / "wanted.json").write_text(json.dumps({"worlds": -5, "ticket": "a"}))
    assert read_wanted(live).worlds == 1


def test_files_that_are_broken_are_as_if_they_were_not_there(tmp_path):
    trainer, request = Trainer(tmp_path), Request(tmp_path, 1)
    request.ask()
    trainer.update(3)
    (tmp_path / "live" / "update-000000003.safetensors").write_bytes(b"half")
    (tmp_path / "live" / "begin-000000009.safetensors").write_bytes(b"")
    assert request.read(3) is None
    assert request.read(99) is None
    assert request.newest_beginning()[0] == 1


def test_a_full_disk_costs_the_run_nothing(tmp_path, monkeypatch):
    trainer = Trainer(tmp_path)
    Request(tmp_path, 1).ask()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    trainer.update(2)
    monkeypatch.undo()
    trainer.update(2)
    assert Request(tmp_path, 1).newest_update() == 4


def test_a_world_that_cannot_be_shown_is_told_once_and_trained_on(tmp_path, monkeypatch):
    trainer = Trainer(tmp_path)
    Request(tmp_path, 1).ask()

    def refuse(worlds=None):
        raise NotImplementedError("no snapshots here")

    monkeypatch.setattr(trainer.world, "snapshot", refuse)
    trainer.update(3)
    assert trainer.notes == ["these worlds cannot be shown to watchers: NotImplementedError: no snapshots here"]
    assert names(tmp_path) == []


def test_publishing_changes_nothing_of_the_training(tmp_path):
    watched, alone = Trainer(tmp_path / "one"), Trainer(tmp_path / "two")
    (tmp_path / "one").mkdir()
    torch.manual_seed(0)
    for run in (watched, alone):
        for parameter in run.agent.parameters():
            torch.nn.init.constant_(parameter, 0.01)
    Request(tmp_path / "one", 4).ask()
    watched.update(3)
    alone.update(3)
    for mine, theirs in zip(watched.agent.parameters(), alone.agent.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    assert torch.equal(watched.world.state_hash(), alone.world.state_hash())


def test_processes_without_worlds_of_their_own_show_none(tmp_path):
    Request(tmp_path, 1).ask()
    feed = NoFeed()
    feed.publish(None, 1, 1, 0.1)
    feed.close()
    assert names(tmp_path) == []
