"""When a skill counts as learnt, and how that grows with depth and sizes."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.errors import UserError
from farlands.evaluation.statistics import wilson_interval
from farlands.runtime.scaling.skills import RunSkills, compare_sizes, fit_depth, passes, read_skills
from farlands.runtime.scaling.wanted import find_wanted, match_skill


def skills(learnt: dict, depths: dict | None = None, run: str = "runs/one", **sizes: float) -> RunSkills:
    shares = {name: wilson_interval(0, 100) for name in learnt}
    return RunSkills(run, "voxel", 10_000_000, learnt, shares, depths or {}, sizes)


def test_a_skill_is_learnt_when_enough_of_the_last_episodes_have_it():
    steps = np.arange(1, 11) * 100
    hits = np.array([0, 0, 1, 0, 1, 1, 1, 1, 1, 1], dtype=bool)
    assert passes(steps, hits, 0.5, 4) == 500
    assert passes(steps, hits, 0.75, 4) == 600
    assert passes(steps, hits, 1.0, 4) == 800
    assert passes(steps, hits, 0.5, 11) is None, "too few episodes to tell"
    assert passes(steps, np.zeros(10, dtype=bool), 0.5, 4) is None


@given(hits=st.lists(st.booleans(), min_size=1, max_size=40), window=st.integers(1, 10))
def test_it_is_the_first_such_step(hits, window):
    found = passes(np.arange(len(hits)), np.array(hits), 0.5, window)
    shares = [sum(hits[max(0, at + 1 - window) : at + 1]) / window for at in range(len(hits))]
    expected = next((at for at, share in enumerate(shares) if at + 1 >= window and share >= 0.5), None)
    assert found == expected


def test_a_run_tells_its_skills(finished_run):
    run = read_skills(str(finished_run), 0.5, 8)
    assert (run.world, set(run.learnt)) == ("cue-corridor", {"arrive", "find"})
    assert run.steps == 512
    assert run.sizes["length"] > 0
    assert run.learnt["arrive"] is None or run.learnt["arrive"] <= 512
    assert 0 <= run.shares["find"].low <= run.shares["find"].value


def test_runs_without_episodes(tmp_path, finished_run):
    import shutil

    copy = shutil.copytree(finished_run, tmp_path / "run")
    shutil.rmtree(copy / "episodes")
    with pytest.raises(UserError, match="no episode has ended yet"):
        read_skills(str(copy), 0.5, 8)
    (copy / "episodes").mkdir()
    (copy / "episodes" / "part-000000.parquet").write_bytes(b"nonsense")
    with pytest.raises(UserError, match="cannot read the episodes"):
        read_skills(str(copy), 0.5, 8)


@given(exponent=st.floats(0.5, 3))
def test_steps_against_depth(exponent):
    depths = {f"skill_{depth}": depth for depth in range(1, 9)}
    learnt = {name: round(1e6 * depth**exponent) if depth < 8 else None for name, depth in depths.items()}
    fit = fit_depth([skills(learnt, depths), skills({}, depths)])
    assert fit is not None
    assert fit.power.exponent.value == pytest.approx(exponent, abs=0.01)
    assert (fit.better, fit.learnt, fit.missing) == ("power", 7, 9)


def test_a_factor_a_level():
    depths = {f"skill_{depth}": depth for depth in range(1, 8)}
    fit = fit_depth([skills({name: round(1e5 * 2.0**depth) for name, depth in depths.items()}, depths)])
    assert fit is not None
    assert fit.better == "exponential"
    assert fit.factor.value == pytest.approx(2.0, rel=1e-3)


def test_too_little_to_fit():
    depths = {"a": 1, "b": 2, "c": 2}
    assert fit_depth([]) is None
    assert fit_depth([skills({"a": 5, "b": 6, "c": None}, depths)]) is None
    assert fit_depth([skills({"a": 5, "b": 6, "c": 7}, dict.fromkeys(depths, 1))]) is None


def test_steps_against_a_size_that_runs_differ_in():
    runs = [
        skills({"log": 1000 * window, "table": 5000 * window, "iron": None}, run=f"w{window}", window=window, horizon=9)
        for window in (32, 64, 128)
    ]
    [found] = compare_sizes(runs)
    assert (found["option"], found["values"]) == ("window", [32.0, 64.0, 128.0])
    assert found["exponent"].value == pytest.approx(1.0)
    assert "iron" not in found["steps"]
    assert compare_sizes(runs[:1]) == []


NAMES = ("collect_diamond", "make_stone_pickaxe", "make_stick", "make_diamond_pickaxe", "place_table", "make_table")


@pytest.mark.parametrize(
    ("text", "name"),
    [("stone pickaxe", "make_stone_pickaxe"), ("Make Stick", "make_stick"), ("collect-diamond", "collect_diamond"),
     ("table", "make_table"), ("place_table", "place_table")],
)  # fmt: skip
def test_skills_by_their_words(text, name):
    assert match_skill(text, NAMES) == name


@pytest.mark.parametrize(
    ("text", "said"), [("diamond", "several"), ("pickaxe", "several"), ("make stik", "did you mean"), ("  ", "unknown")]
)
def test_words_that_fit_none_or_several(text, said):
    with pytest.raises(UserError, match=said):
        match_skill(text, NAMES)


def test_what_is_known_of_a_skill():
    depths = {f"skill_{depth}": depth for depth in range(1, 9)}
    law = {name: round(1e5 * depth**2) for name, depth in depths.items()}
    one, other = skills(law, depths), skills({**law, "skill_3": 2_000_000}, depths, run="runs/two")
    said = list(find_wanted("skill_3", [one, other]).describe(1_000_000))
    assert said == ["skill 3: learnt in 900,000 to 2,000,000 steps by 2 of 2 runs; more than planned"]
    short = skills({**law, "skill_8": None}, depths)
    said = " ".join(find_wanted("skill_8", [short]).describe(10**9))
    assert "not learnt by one within 10,000,000 steps" in said
    assert "the law of depth says some 6,4" in said
    assert "which a run has shown wrong" in said
    early = RunSkills("runs/one", "voxel", 5_000_000, short.learnt, short.shares, depths, {})
    said = " ".join(find_wanted("skill_8", [early]).describe(10**9))
    assert "carried on from easier skills, 1 below the deepest" in said
    wanted = find_wanted("skill_8", [skills({"skill_8": None}, {"skill_8": 8})])
    assert wanted.law is None
    assert "is not known" in list(wanted.describe(1))[-1]
    with pytest.raises(UserError, match="record achievements"):
        find_wanted("x", [skills({})])


def test_laws_say_less_the_further_they_go():
    depths = {f"skill_{depth}": depth for depth in range(1, 12)}
    noise = np.random.default_rng(0).normal(0, 0.3, 12)
    learnt = {name: round(1e5 * depth**2 * math.exp(noise[depth])) for name, depth in depths.items() if depth < 7}
    run = skills({**dict.fromkeys(depths), **learnt}, depths)
    laws = [find_wanted(f"skill_{depth}", [run]).law for depth in (7, 9, 11)]
    assert all(law is not None for law in laws)
    widths = [law.high / law.low for law in laws if law]
    assert all(wide > narrow for narrow, wide in pairwise(widths))
