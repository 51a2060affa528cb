"""Episodes taken down by an evaluation, played and drawn by a verb of their own."""

from __future__ import annotations

import pytest

from farlands.cli import main
from farlands.worlds.voxel.persistence.replays import Replay
from farlands.worlds.voxel.persistence.saves import Save
from farlands.worlds.voxel.world import VoxelWorld

MEASURE = ["evaluate", "voxel", "--agent", "random", "--window", "32", "--episodes", "3", "--clips", "off"]


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    out = tmp_path_factory.mktemp("taken")
    assert main([*MEASURE, "--max-steps", "40", "--num-worlds", "2", "--replays", "3", "--out", str(out)]) == 0
    return out / "replays"


def test_the_first_episodes_are_taken_down(taken):
    """As many as stand in the first batch; each to its end."""
    from farlands.evaluation.protocol import evaluation_seeds
    from farlands.evaluation.records import UNSEEN_LEVELS, read_records

    files = sorted(taken.iterdir())
    assert [path.name for path in files] == ["level-0000.replay", "level-0001.replay"]
    episodes = read_records(taken.parent / "report.parquet").episodes["agent", UNSEEN_LEVELS]
    for path, seed, length in zip(files, evaluation_seeds(0, 2), episodes.length, strict=False):
        replay = Replay.read(path)
        assert (replay.seed, len(replay)) == (seed, length)
        for world in replay.play():
            ended = world.drain_episodes()
        assert ended.length.tolist() == [length], "the last action ends the episode, as it did"


def test_a_replay_is_played_and_drawn(taken, tmp_path, capsys):
    path, film = str(taken / "level-0000.replay"), tmp_path / "film.gif"
    assert main(["replay", path]) == 0
    assert "all as recorded" in capsys.readouterr().out
    assert main(["replay", path, "--render", str(film), "--width", "48", "--height", "32", "--every", "4"]) == 0
    from PIL import Image

    with Image.open(film) as image:
        assert image.size == (48, 32)
        assert image.n_frames > 1
    kept = film.read_bytes()
    assert main(["replay", path, "--render", str(film)]) == 2
    assert "nothing was overwritten" in capsys.readouterr().err
    assert film.read_bytes() == kept


def test_a_film_that_fails_leaves_nothing(taken, tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise ValueError("the replay goes another way")

    monkeypatch.setattr(VoxelWorld, "render", fail)
    film = tmp_path / "film.gif"
    assert main(["replay", str(taken / "level-0000.replay"), "--render", str(film)]) == 2
    assert "another way" in capsys.readouterr().err
    assert not film.exists()


def test_a_save_says_what_it_holds(tmp_path, capsys):
    from farlands.worlds.voxel.options import VoxelOptions

    world = VoxelWorld(1, VoxelOptions(window=32))
    world.reset([77])
    path = tmp_path / "world.save"
    Save.of(world).write(path)
    assert main(["save-info", str(path)]) == 0
    said = capsys.readouterr().out
    assert "77" in said
    assert "changed blocks in the window" in said
    path.write_bytes(path.read_bytes()[:100])
    assert main(["save-info", str(path)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
