"""Axes: which a world has, what their values may be, and that each changes one thing."""

from __future__ import annotations

import pytest

from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.runtime.scaling.axes import AXES, choose_axes
from farlands.worlds.reference_options import CueCorridorOptions
from farlands.worlds.voxel.options import VoxelOptions

VOXEL = TrainConfig(world="voxel", options=VoxelOptions(), num_worlds=64)


def test_a_world_has_the_axes_that_its_options_know():
    assert [axis.name for axis, _ in choose_axes((), VOXEL.options)] == list(AXES)
    plain = [axis.name for axis, _ in choose_axes((), CueCorridorOptions())]
    assert plain == ["worlds", "rollout", "memory", "hidden", "processes"]


def test_values_of_ones_own():
    chosen = choose_axes(("hidden=8,16", "creatures=none,night", "window"), VOXEL.options)
    assert [(axis.name, values) for axis, values in chosen] == [
        ("hidden", (8, 16)), ("creatures", ("none", "night")), ("window", (32, 64, 128)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (("worldz",), "did you mean worlds"),
        (("worlds=",), "whole numbers from 1"),
        (("worlds=64",), "two or more"),
        (("worlds=64,64",), "two or more"),
        (("worlds=0,64",), "whole numbers from 1"),
        (("worlds=1e3,64",), "whole numbers from 1"),
        (("worlds=64,99999999",), "whole numbers from 1 to 16777216"),
        (("creatures=none,dragons",), "animals"),
        (("hidden", "hidden=8,16"), "twice the axis"),
    ],
)
def test_values_that_cannot_be(texts, said):
    with pytest.raises(UserError, match=said):
        choose_axes(texts, VOXEL.options)


def test_an_axis_that_the_world_lacks():
    with pytest.raises(UserError, match="no axis 'window'"):
        choose_axes(("window",), CueCorridorOptions())


def test_each_axis_changes_what_it_says():
    def changed(name: str, value: object) -> TrainConfig:
        return AXES[name].change(VOXEL, value)

    assert changed("worlds", 8).num_worlds == 8
    assert changed("window", 32).options.window == 32
    assert (changed("pixels", 32).options.width, changed("pixels", 32).num_worlds) == (32, 8)
    assert changed("creatures", "none").options.creatures == "none"
    assert changed("creatures", "night").options.start_time == 14_000
    assert changed("rollout", 8).ppo.rollout == 8
    assert changed("memory", 2).agent.memory_layers == 2
    assert changed("hidden", 8).agent.hidden == 8
    assert AXES["memory"].size(VOXEL, 2) == 2 * VOXEL.agent.hidden
    assert AXES["pixels"].size(VOXEL, 32) == 1024
