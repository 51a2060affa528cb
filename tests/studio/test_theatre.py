"""Theatres: the worlds of a run for as long as anybody watches, and not a moment in between."""

from __future__ import annotations

import threading

from tests.studio.conftest import Page

from farlands.runtime.rundir import RunDirectory
from farlands.studio.messages import ShowWall
from farlands.studio.stages import Stages
from farlands.studio.theatre import Theatre

WALL = ShowWall("small", worlds=2, rate=20.0, side=32)


def test_a_theatre_nobody_watches_is_over_and_takes_nobody_in(voxel_run, page):
    over = threading.Event()
    theatre = Theatre(RunDirectory.open(str(voxel_run)), 2, lambda _: over.set())
    assert over.wait(30)
    assert not theatre.watch(page, WALL)


def test_who_comes_after_the_end_gets_a_theatre_of_their_own(voxel_run, page):
    stages, directory = Stages(), RunDirectory.open(str(voxel_run))
    first = stages.watch(directory, page, WALL)
    # The end has come, but nobody has been told of it yet.
    with first._lock:
        first._over = True
    late = Page()
    second = stages.watch(directory, late, WALL)
    assert second is not first
    assert late.wait(lambda: any(name == "wall" for name, *_ in late.shown))
    stages.close()
    first.close()


def test_asking_anew_keeps_the_worlds(voxel_run, page):
    stages, directory = Stages(), RunDirectory.open(str(voxel_run))
    first = stages.watch(directory, page, WALL)
    assert page.wait(lambda: any(name == "wall" for name, *_ in page.shown))
    assert stages.watch(directory, page, ShowWall("small", worlds=2, rate=20.0, side=48)) is first
    assert page.wait(lambda: any(about["side"] == 48 for name, about, _ in page.shown if name == "wall"))
    assert len([told for told in page.told if told.get("state") == "loading"]) == 1
    stages.close()
