"""Watching the agent that comes with Farlands: in a terminal, and where there is none."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import numpy as np
import pytest

from farlands.agents.baselines import RandomAgent
from farlands.cli import main
from farlands.runtime.watch import Moment, Screen, moments, picture_size
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld


def test_without_a_terminal_it_is_filmed(tmp_path, capsys):
    assert main(["demo", "--watch", "--video-seconds", "0.5", "--run-dir", str(tmp_path / "here")]) == 0
    assert "the agent was filmed" in capsys.readouterr().out
    assert (tmp_path / "here" / "watch.mp4").stat().st_size > 5_000


def test_in_a_terminal_it_is_drawn(tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "farlands", "demo", "--watch", "--video-seconds", "1"]
    environment = os.environ | {"COLUMNS": "60", "LINES": "30", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, cwd=tmp_path, env=environment)
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:
            break
        if not part:
            break
        said += part
    os.close(ours)
    assert process.wait(60) == 0
    text = said.decode("utf-8", "replace")
    assert text.count("▀") > 1000
    assert "carries: nothing" in text
    assert "In this episode it achieved" in text
    assert "farlands demo" in text


def test_moments_tell_what_happens():
    world = VoxelWorld(1, VoxelOptions(start_kit=("oak_log:3",), horizon=40))
    shown = list(moments(world, RandomAgent(world.spec), 3, 12, 16))
    assert [moment.step for moment in shown] == list(range(40))
    assert shown[0].carried == {"oak_log": 3}
    assert shown[0].action == ""
    assert all(moment.picture.shape == (12, 16, 3) for moment in shown)
    assert shown[-1].action
    sizes = [len(moment.achieved) for moment in shown]
    assert sizes == sorted(sizes)


def test_two_pixels_share_a_character():
    from rich.console import Console

    picture = np.zeros((4, 6, 3), dtype=np.uint8)
    picture[0, 0], picture[1, 0] = (255, 0, 0), (0, 255, 0)
    moment = Moment(picture, "craft_planks", {"planks": 4}, ("collect_log", "make_planks"), 1.5, 7)
    console = Console(width=60, force_terminal=True, color_system="truecolor")
    lines = console.render_lines(Screen(moment), console.options)
    first = lines[0][0]
    assert first.text == "▀"
    assert (tuple(first.style.color.triplet), tuple(first.style.bgcolor.triplet)) == ((255, 0, 0), (0, 255, 0))
    text = ["".join(segment.text for segment in line).rstrip() for line in lines]
    assert text[:2] == ["▀" * 6] * 2
    assert text[2:5] == [
        "step 7   reward 1.5   craft planks",
        "carries: 4 planks",
        "achieved 2: collect log, make planks",
    ]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (200, 60), (20, 10), (100, 8)])
def test_the_picture_fits_the_terminal(columns, lines):
    height, width = picture_size(columns, lines)
    assert height % 2 == 0
    assert width <= max(columns, 16)
    assert height // 2 + 4 <= max(lines, 12)
    assert height / width == pytest.approx(0.75, rel=0.15)
