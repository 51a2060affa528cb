"""Plans in numbers: from rows and reports whose truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farlands.evaluation.statistics import Estimate
from farlands.runtime.scaling.forecast import (
    Speed,
    list_doublings,
    list_options,
    speed_of_report,
    speed_of_rows,
)
from farlands.runtime.scaling.processes import communication_share

SPEED = Speed(Estimate(1000.0, 900.0, 1100.0), 0.5, None, Estimate(0.9, 0.8, 1.0), 2)


def rows(rate: float, count: int = 100, joules: float | None = None, spread: float = 0.0) -> list[dict[str, float]]:
    """A run's rows at some rate: the first tenth ten times as slow, as where kernels are compiled."""
    generator, seconds, found = np.random.default_rng(0), 0.0, []
    for update in range(1, count + 1):
        seconds += 1000 / rate * (10 if update <= count // 10 else 1) * math.exp(generator.normal(0, spread))
        row = {"step": 1000 * update, "seconds": seconds}
        found.append(row if joules is None else {**row, "joules": joules * 1000 * update})
    return found


@given(rate=st.floats(1, 1e7), joules=st.floats(1e-3, 1e3))
def test_speed_and_energy_of_a_run(rate, joules):
    speed = speed_of_rows(rows(rate, joules=joules))
    assert speed is not None
    assert speed.rate.value == pytest.approx(rate)
    assert speed.joules_per_step == pytest.approx(joules)
    assert speed.exponent is None


def test_an_uneven_run_is_less_sure():
    even, uneven = speed_of_rows(rows(1000, spread=0.01)), speed_of_rows(rows(1000, spread=0.5))
    assert even is not None
    assert uneven is not None
    assert even.rate.high - even.rate.low < 0.2 * (uneven.rate.high - uneven.rate.low)


def test_what_was_not_measured_is_none():
    assert speed_of_rows([]) is None
    assert speed_of_rows(rows(1000, count=2)) is None
    half = [{**row, **({"joules": 1.0} if row["step"] > 50_000 else {})} for row in rows(1000)]
    speed = speed_of_rows(half)
    assert speed is not None
    assert speed.joules_per_step is None, "energy that was counted for a part of the time says nothing of the whole"
    hosted = speed_of_rows([{**row, "power/host": 80.0} for row in rows(1000, joules=0.1)])
    assert hosted is not None
    assert hosted.host_watts == 80.0


def test_options():
    one, two, four = list_options(SPEED, 3_600_000, [1, 2, 4], 2.5)
    assert one.hours == pytest.approx((1.0, 1 / 1.1, 1 / 0.9))
    assert one.money == pytest.approx((2.5, 2.5 / 1.1, 2.5 / 0.9))
    assert (one.kilowatts, one.kilowatt_hours) == pytest.approx((0.5, 0.5))
    assert two.rate.value == pytest.approx(1000 * 2**0.9)
    assert two.added == pytest.approx(2**0.9 - 1)
    assert two.kilowatts == pytest.approx(1.0), "each device draws what one did"
    assert two.kilowatt_hours == pytest.approx(0.5 * 2 / 2**0.9), "what is lost in speed is paid in energy"
    assert (two.measured, four.measured) == (True, False)
    assert four.rate.high - four.rate.low > two.rate.high - two.rate.low


@given(count=st.integers(2, 64))
def test_without_a_measurement_several_are_at_best_so_many_times_one(count):
    speed = Speed(SPEED.rate, None, None, None, 1)
    [option] = list_options(speed, 1_000_000, [count], 0.0)
    assert option.rate.value == pytest.approx(count * 1000)
    assert (option.kilowatts, option.money, option.measured) == (None, None, False)


def test_a_report_tells_how_processes_add_up():
    base = {"steps_per_second": [900.0, 1000.0, 1100.0], "joules_per_step": 0.2, "num_worlds": 8}
    alone = speed_of_report({"base": base, "processes": None})
    assert alone is not None
    assert (alone.rate.value, alone.joules_per_step, alone.most) == (1000.0, 0.2, 1)
    fit = {"exponent": {"value": 0.9, "low": 0.8, "high": 0.95}}
    several = {"sizes": [1, 2], "steps_per_second": [[500.0, 900.0], [520.0, 950.0], [480.0, 920.0]], "fit": fit}
    speed = speed_of_report({"base": base, "processes": several})
    assert speed is not None
    assert (speed.rate.value, speed.most) == (500.0, 2)
    assert speed.exponent == Estimate(0.9, 0.8, 0.95)
    assert speed_of_report({"base": None}) is None


def test_doublings_of_a_logarithm_all_bring_the_same():
    curve = [
        {"step": 1000.0 * k, "episode/count": 10.0, "episode/return": math.log2(k)} for k in range(1, 1025)
    ]  # fmt: skip
    doublings = list_doublings(curve, "episode/return")
    assert [(each.start, each.end) for each in doublings[:2]] == [(512_000, 1_024_000), (256_000, 512_000)]
    assert doublings[0].gain.value == pytest.approx(1.0, abs=0.02)
    assert doublings[0].gain.low <= doublings[0].gain.value <= doublings[0].gain.high
    assert list_doublings(curve, "achievement/log") == []
    assert list_doublings(curve[:2], "episode/return") == []


def test_the_share_of_talking():
    told = {"time/collect": 0.6, "time/learn": 0.4, "time/communicate": 0.1}
    assert communication_share([told, told]) == pytest.approx(0.1)
    assert communication_share([{"time/collect": 1.0}]) is None
    assert communication_share([]) is None
