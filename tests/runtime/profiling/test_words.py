"""What a profile says: parts that add up, what bounds them, and advice that only measurements carry."""

from __future__ import annotations

import dataclasses
import math

import pytest

from farlands.runtime.profiling.counting import Work
from farlands.runtime.profiling.measure import Profile
from farlands.runtime.profiling.probe import Limits
from farlands.runtime.profiling.words import Part, advice, describe_bound, list_parts, sentences

PROFILE = Profile(
    steps=1000,
    updates=5,
    seconds={
        "collect": 0.36, "simulate": 0.1, "act": 0.2, "reward": 0.0,
        "learn": 0.62, "forward": 0.2, "backward": 0.3, "optimiser": 0.02, "log": 0.02,
    },
    joules={},
    work={"act": Work(1e6, 1e6), "learn": Work(0.62 * 38e9, 0.62 * 2e9), "simulate": Work(0.0, 1e6)},
    limits=Limits(bandwidth=10e9, operations=95e9, dtype="float32"),
    halved={"simulate": 1.1, "act": 1.9},
    captured=False,
    device="cpu",
    threads=2,
    num_worlds=64,
    load=1.0,
)  # fmt: skip


def change(**changes: object) -> Profile:
    return dataclasses.replace(PROFILE, **changes)


def test_parts_add_up_to_their_phase():
    parts = {part.name: part for part in list_parts(PROFILE)}
    assert list(parts) == [
        "collect", "collect/simulate", "collect/act", "collect/rest", "reward", "learn", "learn/forward",
        "learn/backward", "learn/optimiser", "learn/rest", "log",
    ]  # fmt: skip
    assert sum(part.share for name, part in parts.items() if "/" not in name) == pytest.approx(1.0)
    assert parts["learn/rest"].seconds == pytest.approx(0.1)
    assert math.isnan(parts["learn/forward"].arithmetic)


def test_the_bound_is_what_is_used_most():
    def bound(name: str, arithmetic: float, memory: float) -> str:
        return describe_bound(Part(name, 1.0, 0.5, arithmetic, memory, 0.0, 0.0, None))

    assert bound("learn", 0.4, 0.2) == "arithmetic at 40 %"
    assert bound("learn", 0.2, 0.5) == "memory at 50 %"
    assert bound("learn", 0.2, 1.5) == "memory at 150 %, caches hold some of it"
    assert bound("learn", 0.02, 0.1).startswith("neither")
    assert bound("collect/simulate", 0.0, 0.9).startswith("not counted")
    assert bound("log", math.nan, math.nan) == ""


def test_the_longest_part_comes_first():
    said = list(sentences(PROFILE))
    assert said[0] == "learn: 62 % of the time, 38 GFLOP/s of 95 GFLOP/s measured; bound by arithmetic at 40 %"


@pytest.mark.parametrize(
    ("profile", "words", "said"),
    [
        (PROFILE, "more worlds would help: the world's step", False),
        (change(seconds={**PROFILE.seconds, "simulate": 0.16}), "more worlds would help: the world's step", True),
        (PROFILE, "more worlds would not help: acting takes 1.90", True),
        (change(halved={"act": 1.4}), "more worlds would help little: acting", True),
        (change(halved={"act": math.nan}), "worlds", False),
        (change(seconds={**PROFILE.seconds, "draw": 0.2}), "smaller pictures", True),
        (change(seconds={**PROFILE.seconds, "log": 0.2}), "logging takes", True),
        (PROFILE, "narrower network", False),
        (change(work={"learn": Work(0.62 * 60e9, 1e6)}), "narrower network", True),
        (change(work={"learn": Work(1e6, 1e6)}), "larger minibatches", True),
        (change(load=4.0), "the machine is busy", True),
        (change(load=math.nan), "the machine is busy", False),
        (PROFILE, "energy: not measured", True),
        (change(joules={"learn": 3.0}), "energy: not measured", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_advice_needs_a_measurement(profile, words, said):
    assert any(words in line for line in advice(profile)) == said
