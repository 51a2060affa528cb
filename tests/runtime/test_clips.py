"""Films of chosen episodes: the right ones, lived again as they were, in a file that browsers play."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.agents.baselines import RandomAgent
from farlands.cli import main
from farlands.evaluation.protocol import evaluate, evaluation_seeds, relive
from farlands.runtime.clips import MOST_FRAMES, choose_episodes, choose_steps
from farlands.worlds.reference import CueCorridor
from farlands.worlds.world import Episodes

SPEC = CueCorridor(1).spec


def episodes(rewards, lengths=None, unlocked=((),)) -> Episodes:
    count, most = len(rewards), max(map(len, unlocked))
    feats = [[*steps, *([-1] * (most - len(steps)))] for steps in unlocked]
    return Episodes(
        row=np.arange(count) + 10,
        seed=np.arange(count, dtype=np.uint64),
        length=np.array(lengths if lengths is not None else [5] * count),
        reward=np.array(rewards, dtype=float),
        cause=np.array(["horizon"] * count),
        achievements=np.array(feats if len(feats) == count else [[-1]] * count),
    )


def test_best_typical_and_worst():
    assert choose_episodes(episodes([3, 1, 2, 9, 0])) == {"The best": 3, "A typical": 2, "The worst": 4}
    assert choose_episodes(episodes([1])) == {"The best": 0}
    assert choose_episodes(episodes([1, 1, 1], [5, 9, 2])) == {"The best": 1, "A typical": 0, "The worst": 2}


@given(st.integers(1, 3000), st.lists(st.integers(1, 3000), max_size=30))
def test_steps_that_are_shown(length, unlocks):
    steps = tuple(step for step in unlocks if step <= length)
    shown = choose_steps(episodes([0.0], [length], (steps,)), 0)
    assert shown == sorted(set(shown))
    assert len(shown) == min(length, MOST_FRAMES)
    assert shown[0] == 0
    assert shown[-1] == length - 1
    if steps:
        first = min(steps)
        assert first in shown or first == length


def test_relived_episodes_go_the_same_way():
    seeds, actor = evaluation_seeds(1, 20), RandomAgent(SPEC)
    measured = evaluate(actor, CueCorridor, seeds, noise_seed=1, batch=8)
    chosen = Episodes(**{k: v[[3, 9, 19]] for k, v in vars(measured).items() if k != "dropped"})
    watched = {int(index): 0 for index in chosen.row}

    def watch(world, tick, rows):
        for index, row in rows.items():
            assert row == index % 8
            assert int(world.state["stream"][row]) == int(np.uint64(seeds[index]).view(np.int64))
            assert int(world.state["time"][row]) == tick
            watched[index] += 1

    again = relive(actor, CueCorridor, seeds, chosen, watch, noise_seed=1, batch=8)
    assert again.row.tolist() == [3, 9, 19]
    assert again.reward.tolist() == chosen.reward.tolist()
    assert list(watched.values()) == chosen.length.tolist()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("imageio_ffmpeg")
    out = tmp_path_factory.mktemp("films")
    flags = ["--agent", "random", "--episodes", "5", "--max-steps", "40", "--clips", "on", "--baseline", "False"]
    assert main(["evaluate", "voxel", *flags, "--threads", "1", "--out", str(out)]) == 0
    return out


def videos(report: Path) -> list[bytes]:
    return [
        base64.b64decode(each)
        for each in re.findall(r"data:video/mp4;base64,([^\"]+)", (report / "report.html").read_text())
    ]


@pytest.mark.filterwarnings("ignore:Exception ignored in.*:pytest.PytestUnraisableExceptionWarning")
def test_films_are_h264_and_as_long_as_the_episodes(report, tmp_path):
    from imageio_ffmpeg import read_frames

    films = videos(report)
    assert len(films) == 3
    for film in films:
        path = tmp_path / "film.mp4"
        path.write_bytes(film)
        frames = read_frames(str(path))
        facts = next(frames)
        assert facts["codec"] == "h264"
        assert facts["pix_fmt"].startswith("yuv420p")
        assert facts["size"] == (320, 240)
        pictures = [np.frombuffer(frame, np.uint8) for frame in frames]
        assert len(pictures) >= 40
        assert np.abs(pictures[0].astype(int) - pictures[-1].astype(int)).mean() > 0.5


def test_captions_say_what_was_measured(report):
    from farlands.evaluation.records import UNSEEN_LEVELS, read_records

    records = read_records(report / "report.parquet").episodes
    measured = records["agent", UNSEEN_LEVELS]
    page = (report / "report.html").read_text()
    best = choose_episodes(measured)["The best"]
    assert f"Level {measured.row[best]}: return {measured.reward[best]:.2f}" in page
    assert "went another way" not in page


def test_without_the_encoder_there_is_a_note(tmp_path, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "imageio_ffmpeg" else find(name))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    flags = ["--agent", "random", "--episodes", "2", "--max-steps", "5", "--clips", "on", "--baseline", "False"]
    assert main(["evaluate", "voxel", *flags, "--out", str(tmp_path)]) == 0
    assert "Films need imageio-ffmpeg" in (tmp_path / "report.html").read_text()


def test_pictures_say_what_was_just_unlocked():
    from farlands.runtime.clips import _line

    unlocked = {10: ["collect log"], 12: ["make planks"]}
    assert _line(9, unlocked) == "step 9"
    assert _line(10, unlocked) == "step 10   + collect log"
    assert _line(13, unlocked) == "step 13   + collect log, make planks"
    assert _line(30, unlocked) == "step 30"
