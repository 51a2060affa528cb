"""Worlds to look at: a run's own, lived again, and those in which its newest agent lives."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import torch
from tests.studio.conftest import TINY

from farlands.cli import main
from farlands.config import anchored
from farlands.errors import UserError
from farlands.recipes import read_train_flags
from farlands.runtime.display import NoDisplay
from farlands.runtime.live import Request
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.session import carry, start
from farlands.runtime.signals import StopRequest
from farlands.studio.portrait import Portrait, action_name, goal_of, option_names
from farlands.studio.scenes import Mirror, Stage, draw, open_scene
from farlands.worlds.reference import CueCorridor


class WatchedRun:
    """A small run that a mirror follows from inside it, update by update."""

    def __init__(self, path, *flags, world="voxel", worlds=2):
        self.path, self.worlds, self.mirror = path, worlds, None
        self.hashes, self.seen = [], []
        config = anchored(read_train_flags(world, [*flags, "--run-dir", str(path)]))
        with StopRequest() as stop:
            run = start(config, ["farlands"], NoDisplay(), stop)
            run.announce = self._announce
            carry(run)

    def _announce(self, event, context):
        if event != "on_update":
            return
        if self.mirror is None:
            self.mirror = Mirror(RunDirectory.open(str(self.path)), self.worlds)
            return
        self.mirror.tend()
        self.hashes.append(context.world.state_hash()[: self.worlds].clone())


def test_a_mirror_lives_what_the_run_lives(tmp_path):
    steps, lived = [], []
    path = tmp_path / "run"

    class Followed(WatchedRun):
        def _announce(self, event, context):
            super()._announce(event, context)
            if self.mirror and event == "on_update":
                self.mirror.minds = frozenset({1})
                while self.mirror.advance():
                    steps.append(self.mirror.thought)
                if self.mirror.ready and self.mirror.steps:
                    lived.append((self.mirror.world.state_hash().tolist(), self.hashes[-1].tolist()))

    run = Followed(path, *TINY, "--steps", "320")
    assert len(lived) >= 5
    assert all(mine == theirs for mine, theirs in lived)
    assert run.mirror.lost == 0
    thought = steps[-1]
    assert thought.chances.shape == (2, len(option_names(run.mirror.world.spec)))
    assert thought.chances.isnan().all(1).tolist() == thought.value.isnan().tolist() == [True, False]
    told = Portrait(run.mirror, 1)
    told.follow()
    assert len(told.describe()["options"]) == 8
    assert len(told.values) == 1
    unknown = Portrait(run.mirror, 0)
    unknown.follow()
    assert "options" not in unknown.describe()
    assert not unknown.values
    run.mirror.close()


def test_agents_that_learn_from_pictures_are_seen_through_their_own_eyes(tmp_path, monkeypatch):
    monkeypatch.setattr("farlands.runtime.live._MOST_PICTURES", 1e9)  # Every step of this very fast run.
    compared, lived = [], []

    class Followed(WatchedRun):
        def _announce(self, event, context):
            super()._announce(event, context)
            if self.mirror is None or event != "on_update":
                return
            self.mirror.rate = 1e9
            while self.mirror.advance():
                lived.append(self.mirror.through_own_eyes)
                seen = self.mirror.wall(2, 64)
                if self.mirror.through_own_eyes and self.mirror._time < len(self.mirror._happened.actions):
                    drawn = self.mirror.pictures([0, 1], 32, 32)
                    compared.append(np.array_equal(seen, drawn))

    flags = ("--world.senses", "pixels", "--world.width", "32", "--world.height", "32", "--world.patch", "8")
    run = Followed(tmp_path / "run", *TINY, *flags, "--agent.patch", "8", "--steps", "640")
    assert len(compared) > 20
    assert all(compared), "what an agent saw is what is drawn of its world"
    assert run.mirror.wall(1, 16).shape == (1, 16, 16, 3)
    run.mirror.rate = 0.2
    run.mirror.tend()
    run.mirror.close()


def test_a_mirror_that_went_another_way_asks_for_a_new_beginning(tmp_path):
    path, lost = tmp_path / "run", []

    class Disturbed(WatchedRun):
        def _announce(self, event, context):
            super()._announce(event, context)
            if self.mirror and event == "on_update":
                while self.mirror.advance():
                    pass
                if context.updates == 5:
                    self.mirror.world.step(torch.zeros(2, dtype=torch.int32))
                lost.append(self.mirror.lost)

    run = Disturbed(path, *TINY, "--steps", "1280")
    assert lost[-1] >= 1, "the hashes of every sixteenth update tell"
    assert run.mirror.ready
    assert torch.equal(run.mirror.world.state_hash(), run.hashes[-1])
    run.mirror.close()


def test_a_mirror_that_is_always_late_sees_new_beginnings(tmp_path, monkeypatch):
    monkeypatch.setattr("farlands.runtime.live.MOST_KEPT", 2)
    moments = []

    class Late(WatchedRun):
        def _announce(self, event, context):
            super()._announce(event, context)
            if self.mirror and event == "on_update" and context.updates % 5 == 0:
                self.mirror.advance()
                moments.append(self.mirror.moment)

    run = Late(tmp_path / "run", *TINY, "--steps", "2560")
    assert run.mirror.lost >= 3
    assert len(set(moments)) >= 3
    run.mirror.close()


def test_a_mirror_waits_for_a_run_that_says_nothing(voxel_run):
    mirror = Mirror(RunDirectory.open(str(voxel_run)), 2)
    assert not mirror.advance()
    assert not mirror.ready
    mirror.close()
    shutil.rmtree(voxel_run / "live")


def test_the_newest_agent_lives_on_unseen_levels(voxel_run):
    scene = open_scene(RunDirectory.open(str(voxel_run)), 3, live=False)
    assert isinstance(scene, Stage)
    portrait = Portrait(scene, 1)
    assert int(portrait.describe()["seed"]) >= 2**63, "a level that training does not use"
    places = set()
    for _ in range(45):
        assert scene.advance()
        portrait.follow()
        places.add(tuple(portrait.way))
    told = portrait.describe()
    assert told["world"] == 1
    assert told["step"] == 5, "the horizon of 40 has passed"
    assert len(told["options"]) == 8
    assert sum(chance for _, chance in told["options"]) <= 1.001
    assert told["action"] in option_names(scene.world.spec)
    assert len(told["values"]) == 45
    assert set(told["vitals"]) == {"health", "food", "saturation", "air", "armour"}
    assert len(places) > 1
    pictures = scene.pictures([0, 2], 48, 64)
    assert pictures.shape == (2, 48, 64, 3)
    assert (pictures[0] != pictures[1]).any()
    land = portrait.map()
    assert land.shape == (32, 32, 3)
    assert len(np.unique(land.reshape(-1, 3), axis=0)) > 3
    scene.close()


def test_worlds_without_pictures_are_told_in_words(finished_run):
    scene = Stage(RunDirectory.open(str(finished_run)), 4)
    portrait = Portrait(scene, 0)
    for _ in range(5):
        scene.advance()
        portrait.follow()
    assert scene.pictures([0], 32, 32) is None
    assert portrait.map() is None
    told = portrait.describe()
    assert len(told["rewards"]) == 5
    assert "vitals" not in told
    scene.close()


def test_goals_are_told_in_words():
    from farlands.worlds.voxel.options import VoxelOptions
    from farlands.worlds.voxel.world import VoxelWorld

    options = VoxelOptions(task="tasks", tasks=("gain(log, 3)", "gain(dirt, 1)"), window=32)
    world = VoxelWorld(4, options)
    world.reset(3)
    goals = [goal_of(world, k) for k in range(4)]
    chosen = world.store.tensors["task_index"].tolist()
    assert len(set(chosen)) == 2
    assert all(("3" in goal["text"]) == (k == 0) for goal, k in zip(goals, chosen, strict=True))
    assert all(goal["progress"] == 0.0 for goal in goals)
    assert goal_of(VoxelWorld(1, VoxelOptions(task="diamond", window=32)), 0) == {"text": "make diamond pickaxe"}
    assert goal_of(VoxelWorld(1, VoxelOptions(window=32)), 0) is None


def test_pictures_of_worlds_that_show_them_are_scaled():
    pixels = torch.arange(2 * 4 * 4 * 3, dtype=torch.uint8).view(2, 4, 4, 3)
    world = CueCorridor(2, CueCorridor.Options())
    seen = dataclasses.replace(world.allocate(), observation={"pixels": pixels})
    picture = draw(world, seen, [1], 8, 12)
    assert picture.shape == (1, 8, 12, 3)
    assert (picture[0, 0, 0] == pixels[1, 0, 0].numpy()).all()
    assert (picture[0, -1, -1] == pixels[1, -1, -1].numpy()).all()


def test_a_run_without_a_checkpoint_has_nothing_to_show(voxel_run, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(voxel_run, copy)
    shutil.rmtree(copy / "checkpoints")
    with pytest.raises(UserError, match="nothing to show of copy yet"):
        open_scene(RunDirectory.open(str(copy)), 2, live=False)


def test_actions_in_words():
    from farlands.worlds.voxel.options import VoxelOptions
    from farlands.worlds.voxel.spec import world_spec

    spec = world_spec(VoxelOptions(actions="factored"))
    assert action_name(spec, torch.tensor([1, 1, 0, 0, 0])) == "forward yes"
    assert action_name(spec, torch.tensor([0, 0, 0, 0, 0])) == "nothing"
    assert len(option_names(spec)) == sum(spec.action.nvec)
    assert action_name(CueCorridor(1, CueCorridor.Options()).spec, torch.tensor(1)) != ""


def test_watching_leaves_no_trace_in_a_finished_run(voxel_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(voxel_run, run)
    before = sorted(path.name for path in run.iterdir())
    scene = open_scene(RunDirectory.open(str(run)), 2, live=False)
    scene.advance()
    scene.close()
    assert sorted(path.name for path in run.iterdir()) == before
    assert Request(run, 1).newest_update() == -1
    assert main(["resume", str(run), "--steps", "128"]) == 0
