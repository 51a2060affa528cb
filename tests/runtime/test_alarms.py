"""Alarms: silent on runs that went well, one word when trouble begins and one when it is over."""

from __future__ import annotations

import io
import json
import math
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.cli import main
from farlands.runtime.alarms import ALARMS, QUIET, STALLED, Alarms, read_thresholds
from farlands.runtime.display import LineDisplay, LiveDisplay
from farlands.runtime.events import read_events
from farlands.runtime.metrics import read_metrics
from farlands.runtime.stalls import StallWatch

CALM = json.loads((Path(__file__).parent / "calm_metrics.json").read_text())
"""Figures of four runs that went well, by column: 32 or 64 worlds, rollouts of 32 steps, two of them solved."""


def recorded(name: str) -> list[dict[str, float]]:
    columns = CALM[name]
    return [
        {key: values[index] for key, values in columns.items() if values[index] is not None}
        for index in range(len(columns["step"]))
    ]


def calm_row(update: int, noise: random.Random) -> dict[str, float]:
    """Figures of an update of a run that does well, made up."""
    return {
        "step": 1000.0 * update,
        "seconds": 1.0 * update + noise.random() * 0.1,
        "update": float(update),
        "steps_per_second": 1000.0,
        "episode/count": 5.0,
        "episode/dropped": 0.0,
        "episode/return": 1.0 + noise.gauss(0.0, 0.1),
        "learn/entropy": 1.0 + noise.gauss(0.0, 0.02),
        "learn/value_loss": 0.3 + noise.gauss(0.0, 0.05),
        "learn/grad_norm": abs(0.5 + noise.gauss(0.0, 0.1)),
        "learn/return_mean": 1.0 + noise.gauss(0.0, 0.05),
        "learn/approx_kl": 0.01 + noise.gauss(0.0, 0.002),
        "learn/explained_variance": 0.8 + noise.gauss(0.0, 0.05),
        "learn/value_std": 1.0,
    }


FAULTS = {
    "entropy_collapse": {"learn/entropy": 0.001, "episode/return": 0.2},
    "value_explosion": {"learn/value_loss": 300.0},
    "gradient_explosion": {"learn/grad_norm": 50.0},
    "reward_jump": {"learn/return_mean": 1e3},
    "kl_too_large": {"learn/approx_kl": 1.5},
    "values_stuck": {"learn/explained_variance": -0.2},
    "episodes_stopped": {"episode/count": 0.0},
    "episodes_dropped": {"episode/dropped": 12.0},
}
"""What the figures of an update become by the fault that an alarm is for."""


def play(alarms: Alarms, updates: range, fault: dict[str, float], noise: random.Random) -> list[tuple[str, str]]:
    said = []
    for update in updates:
        row = {**calm_row(update, noise), **fault}
        said += [(ring.name, ring.state) for ring in alarms.hear(row)]
    return said


def long_enough(name: str) -> int:
    """Updates of trouble after which its alarm rings, and before which it passes for usual."""
    return 40 + next(alarm.patience for alarm in ALARMS if alarm.name == name)


@pytest.mark.parametrize("name", CALM)
def test_no_alarm_on_runs_that_went_well(name):
    alarms = Alarms(["throughput_drop=off"])  # the machine was shared while these were recorded
    for row in recorded(name):
        assert alarms.hear(row) == [], row["update"]
    assert not any(alarms.flags().values())


@settings(max_examples=6)
@given(st.integers(0, 10**6))
def test_no_alarm_on_noise(seed):
    assert play(Alarms(), range(1, 200), {}, random.Random(seed)) == []


def test_every_alarm_has_its_fault():
    assert {*FAULTS, "throughput_drop"} == {alarm.name for alarm in ALARMS}


@pytest.mark.parametrize("name", FAULTS)
@settings(max_examples=6)
@given(seed=st.integers(0, 10**6), lasts=st.integers(200, 400), calm=st.integers(40, 120))
def test_every_alarm_rings_once_for_its_fault_and_says_when_it_is_over(name, seed, lasts, calm):
    alarms, noise = Alarms(), random.Random(seed)
    assert play(alarms, range(1, calm), {}, noise) == []
    rung = play(alarms, range(calm, calm + lasts), FAULTS[name], noise)
    assert rung[0] == (name, "rings")
    assert [word for word in rung if word[0] == name].count((name, "rings")) == 1, "it speaks once"
    over = play(alarms, range(calm + lasts, calm + lasts + 3 * 128), {}, noise)
    words = [state for each, state in rung + over if each == name]
    assert words == ["rings", "over"]
    assert alarms.flags()[f"alarm/{name}"] == 0
    again = play(alarms, range(2000, 2200), FAULTS[name], noise)
    assert (name, "rings") in again, "the next time of trouble is told again"


# One update in which episodes end is the end of their having stopped.
@pytest.mark.parametrize("name", [name for name in FAULTS if name != "episodes_stopped"])
@settings(max_examples=6)
@given(seed=st.integers(0, 10**6), on=st.integers(1, 3), off=st.integers(1, QUIET - 1))
def test_trouble_that_comes_and_goes_is_one_trouble(name, seed, on, off):
    alarms, noise = Alarms(), random.Random(seed)
    play(alarms, range(1, 60), {}, noise)
    begun = 60 + long_enough(name)
    said = play(alarms, range(60, begun), FAULTS[name], noise)
    for turn in range(20):
        start = begun + 10 * turn
        said += play(alarms, range(start, start + off), {}, noise)
        said += play(alarms, range(start + off, start + off + on), FAULTS[name], noise)
    words = [state for each, state in said if each == name]
    assert words == ["rings"]


def test_throughput_is_judged_over_seconds_not_updates():
    alarms, seconds, said = Alarms(), 0.0, []
    for update in range(1, 4000):
        # Two milliseconds an update; now and then a save takes 300.
        seconds += 0.3 if update % 400 == 0 else 0.002
        said += alarms.hear({"step": 100.0 * update, "seconds": seconds, "steps_per_second": 1.0})
    assert said == []
    alarms, seconds = Alarms(), 0.0
    for update in range(1, 200):
        seconds += 1.0 if update < 60 or update > 100 else 4.0
        row = {"step": 1000.0 * update, "seconds": seconds, "steps_per_second": 1.0}
        said += [(update, ring.state) for ring in alarms.hear(row)]
    assert [state for _, state in said] == ["rings", "over"]
    assert 60 <= said[0][0] <= 75


@pytest.mark.parametrize("name", FAULTS)
def test_a_resume_does_not_ring_again(name):
    noise = random.Random(1)
    before = Alarms()
    play(before, range(1, 60), {}, noise)
    assert (name, "rings") in play(before, range(60, 60 + long_enough(name)), FAULTS[name], noise)
    after = Alarms()
    after.load_state_dict(json.loads(json.dumps(before.state_dict())))
    said = play(after, range(260, 290), FAULTS[name], noise)
    assert (name, "rings") not in said
    assert after.flags()[f"alarm/{name}"] == 1
    assert (name, "over") in play(after, range(300, 700), {}, noise)


def test_state_is_what_it_is_whatever_the_machine():
    """Checkpoints of the same run are the same, however fast it went."""
    one, two = Alarms(), Alarms()
    for update in range(1, 40):
        row = calm_row(update, random.Random(update))
        one.hear(row)
        two.hear({**row, "seconds": row["seconds"] * 7, "steps_per_second": 3.0})
    assert one.state_dict() == two.state_dict()


def test_thresholds_can_be_changed_and_alarms_left_out():
    assert not any(threshold is not None for threshold in read_thresholds(["off"]).values())
    changed = read_thresholds(["kl_too_large=0.5", "reward_jump=off"])
    assert changed["kl_too_large"] == 0.5
    assert changed["reward_jump"] is None
    assert changed[STALLED] == 10.0
    assert Alarms(["off"]).flags() == {}
    assert play(Alarms(["kl_too_large=2"]), range(1, 100), FAULTS["kl_too_large"], random.Random(1)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kl_to_large=1", "did you mean kl_too_large?"),
        ("kl_too_large", "expected kl_too_large=number"),
        ("kl_too_large=", "expected kl_too_large=number"),
        ("kl_too_large=-1", "at least 0"),
        ("kl_too_large=nan", "at least 0"),
        ("on", "there are entropy_collapse"),
    ],
)
def test_bad_thresholds_are_refused(text, said):
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        read_thresholds([text])


def test_figures_that_are_not_finite_ring_nothing():
    alarms = Alarms()
    for update in range(1, 100):
        row = dict.fromkeys(calm_row(update, random.Random(1)), math.nan)
        assert alarms.hear({**row, "step": float(update), "seconds": float(update)}) == []


def test_a_stall_is_told_while_it_lasts_and_only_once():
    told: list[float] = []
    watch = StallWatch(told.append, times=4.0, least=0.05)
    try:
        for _ in range(10):
            time.sleep(0.01)
            assert watch.beat() == 0
        assert told == []
        deadline = time.monotonic() + 10
        while not told and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(told) == 1, "while the update has not ended"
        time.sleep(0.2)
        assert len(told) == 1
        assert watch.beat() >= told[0]
        assert watch.beat() == 0
    finally:
        watch.close()


def test_the_watching_thread_sleeps():
    """A spinning thread would starve the launches of worlds; this one may use next to nothing."""
    watch = StallWatch(lambda seconds: None, times=10.0)
    try:
        before = time.process_time()
        for _ in range(20):
            watch.beat()
            time.sleep(0.01)
        assert time.process_time() - before < 0.1
    finally:
        watch.close()


MINE = """
def scale(rollout):
    \"\"\"Nothing, but for the 40th to the 59th update.\"\"\"
    scale.calls += 1
    return rollout.rewards * (1e4 if 40 <= scale.calls < 60 else 0.0)

scale.calls = 0
"""


def test_alarms_of_a_run(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(MINE)
    run = tmp_path / "run"
    flags = ["--num-worlds", "8", "--ppo.rollout", "16", "--threads", "1", "--steps", str(128 * 100)]
    mine = ["--rewards.sources", f"{tmp_path}/mine.py:scale", "--run-dir", str(run), "--ppo.learning-rate", "1e-5"]
    assert main(["train", "cue-corridor", *flags, *mine]) == 0
    said = capsys.readouterr().out
    lines = [json.loads(line) for line in (run / "alarms.jsonl").read_text().splitlines()]
    jumps = [(line["state"], line["step"]) for line in lines if line["alarm"] == "reward_jump"]
    assert jumps[0] == ("rings", 128 * 40)
    assert [state for state, _ in jumps] == ["rings", "over"]
    assert "ALARM reward_jump: the mean return went to" in said
    assert "alarm reward_jump: over" in said
    rows = read_metrics(run / "metrics.jsonl")
    flagged = [row["update"] for row in rows if row["alarm/reward_jump"]]
    assert flagged[0] == 40
    assert flagged == list(range(40, int(jumps[1][1]) // 128))
    events = read_events(run / "events").to_pylist()
    assert ("alarm", 128 * 40) in {(event["kind"], event["step"]) for event in events}

    flags[-1] = "256"
    assert main(["train", "cue-corridor", *flags, "--run-dir", f"{run}-off", "--alarms", "off"]) == 0
    assert not Path(f"{run}-off/alarms.jsonl").exists()
    assert not any(name.startswith("alarm/") for name in read_metrics(Path(f"{run}-off/metrics.jsonl"))[-1])


def test_both_displays_show_alarms(monkeypatch):
    lines = io.StringIO()
    display = LineDisplay(lines)
    display.alarm("kl_too_large", "the policy moves")
    display.calm("kl_too_large", "over")
    assert lines.getvalue() == "ALARM kl_too_large: the policy moves\nalarm kl_too_large: over\n"
    from rich.console import Console

    live = LiveDisplay(io.StringIO())
    try:
        live.begin("here", 100)
        live.update({"step": 10.0, "progress": 0.1, "seconds": 1.0, "steps_per_second": 10.0})
        for ringing in (True, False):
            (live.alarm if ringing else live.calm)("kl_too_large", "the policy moves")
            console = Console(record=True, file=io.StringIO(), width=100)
            console.print(live._render())
            assert ("kl_too_large: the policy moves" in console.export_text()) == ringing
    finally:
        live.close()
