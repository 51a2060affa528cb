"""What a training run would take, from what was measured: numbers with intervals, and None for what was not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from farlands.evaluation.statistics import Estimate, bootstrap, difference_interval, ratio_interval

_BLOCKS = 20
"""Parts of a run between which its speed is compared."""
_WARM = 0.1
"""Share of a run that is left out at its start: compiling, capturing, worlds all of one age."""
_RECENT = 0.1
"""Share of the way to a point over which a curve is averaged there."""


@dataclass(frozen=True)
class Speed:
    """How quickly some processes train, and what they draw.

    Attributes:
        rate: Steps per second, with the 95 % bootstrap interval over parts of the run or rounds.
        joules_per_step: Of the devices; None where it was not measured.
        host_watts: Of the processors beside a GPU; None where they were not measured.
        exponent: Of the rate against the number of processes; None where that was not measured.
        most: Processes it was measured with at most.
        processes: Of which ``rate`` is.
    """

    rate: Estimate
    joules_per_step: float | None
    host_watts: float | None
    exponent: Estimate | None
    most: int
    processes: int = 1

    def together(self, count: int) -> Estimate:
        """Steps per second of so many processes: as measured, or in proportion where it was not."""
        power, share = self.exponent or Estimate(1.0, 1.0, 1.0), count / self.processes
        bounds = power if share >= 1 else Estimate(power.value, power.high, power.low)
        return Estimate(*(rate * share**each for rate, each in zip(self.rate, bounds, strict=True)))

    def measured_with(self, count: int) -> bool:
        """Whether so many processes were measured."""
        return count == self.processes or (self.exponent is not None and count <= self.most)


@dataclass(frozen=True)
class Option:
    """The run with so many devices.

    Attributes:
        devices: How many.
        rate: Steps per second.
        hours: Of the whole run.
        kilowatts, kilowatt_hours: Of all devices, and of the machine's processors where those were measured; or None.
        money: At the price asked about; None without one.
        added: Speed that the last device adds, in times one device's.
        measured: Whether so many processes were measured.
    """

    devices: int
    rate: Estimate
    hours: Estimate
    kilowatts: float | None
    kilowatt_hours: float | None
    money: Estimate | None
    added: float
    measured: bool


@dataclass(frozen=True)
class Doubling:
    """What one doubling of steps brought.

    Attributes:
        start, end: Steps.
        gain: Of the curve's mean, with the bootstrap interval.
    """

    start: int
    end: int
    gain: Estimate


def speed_of_rows(rows: Sequence[Mapping[str, float]], processes: int = 1) -> Speed | None:
    """Speed and energy of a run of so many processes from its metrics; None with too few updates to tell."""
    blocks = _blocks(rows)
    if len(blocks) < 2:
        return None
    steps, seconds, joules = (np.array(each) for each in zip(*blocks, strict=True))
    spent = None if np.isnan(joules).any() else float(joules.sum() / steps.sum())
    host = [row["power/host"] for row in rows if row.get("power/host", math.nan) == row.get("power/host")]
    return Speed(
        rate=ratio_interval(steps, seconds),
        joules_per_step=spent,
        host_watts=float(np.mean(host)) if host else None,
        exponent=None,
        most=processes,
        processes=processes,
    )


def speed_of_report(data: Mapping[str, Any]) -> Speed | None:
    """Speed and energy from a scaling report; None where it did not measure training."""
    base, processes = data.get("base"), data.get("processes")
    if not base:
        return None
    rates, exponent, most = base["steps_per_second"], None, 1
    if processes:
        # One process there had its share of the machine alone, as each of several has.
        rates, most = [row[0] for row in processes["steps_per_second"]], max(processes["sizes"])
        exponent = Estimate(**processes["fit"]["exponent"]) if processes["fit"] else None
    return Speed(_median(np.array(rates, dtype=float)), base["joules_per_step"], None, exponent, most)


def list_options(speed: Speed, steps: int, counts: Sequence[int], price: float) -> list[Option]:
    """The run with each number of devices.

    Args:
        speed: As measured.
        steps: Of the run.
        counts: Of devices, ascending.
        price: Of a device for an hour; 0 for none.
    """
    options = []
    for count in counts:
        rate = speed.together(count)
        hours = Estimate(*(steps / each / 3600 for each in (rate.value, rate.high, rate.low)))
        kilowatts = _kilowatts(speed, count)
        added = rate.value - (speed.together(count - 1).value if count > 1 else 0.0)
        options.append(
            Option(
                devices=count,
                rate=rate,
                hours=hours,
                kilowatts=kilowatts,
                kilowatt_hours=None if kilowatts is None else kilowatts * hours.value,
                money=Estimate(*(price * count * each for each in hours)) if price else None,
                added=added / speed.together(1).value,
                measured=speed.measured_with(count),
            )
        )
    return options


def _kilowatts(speed: Speed, count: int) -> float | None:
    """Electrical power of so many devices, each of which draws what the one did that was measured."""
    if speed.joules_per_step is None:
        return None
    watts = count / speed.processes * speed.joules_per_step * speed.rate.value + (speed.host_watts or 0.0)
    return watts / 1000


def list_doublings(rows: Sequence[Mapping[str, float]], key: str) -> list[Doubling]:
    """What each doubling of steps up to a run's end brought, the last one first.

    Args:
        rows: A run's metrics.
        key: Of the curve, e.g. ``episode/return``.
    """
    known = [row for row in rows if row.get("episode/count") and math.isfinite(row.get(key, math.nan))]
    if not known:
        return []
    steps, values = np.array([row["step"] for row in known]), np.array([row[key] for row in known])
    found, end = [], float(steps[-1])
    while end / 2 >= steps[0]:
        late, early = (values[(steps > (1 - _RECENT) * at) & (steps <= at)] for at in (end, end / 2))
        if len(late) < 2 or len(early) < 2:
            break
        found.append(Doubling(int(end / 2), int(end), difference_interval(late, early)))
        end /= 2
    return found


def _blocks(rows: Sequence[Mapping[str, float]]) -> list[tuple[float, float, float]]:
    """Steps, seconds and joules (NaN where unknown) of parts of a run, each some whole updates."""
    first = int(len(rows) * _WARM)
    edges = np.unique(np.linspace(first, len(rows) - 1, _BLOCKS + 1).astype(int)) if len(rows) > 2 else []
    blocks = []
    for start, end in itertools.pairwise(edges):
        before, after = rows[start], rows[end]
        steps, seconds = after["step"] - before["step"], after["seconds"] - before["seconds"]
        if steps > 0 and seconds > 0:
            blocks.append((steps, seconds, after.get("joules", math.nan) - before.get("joules", math.nan)))
    return blocks


def _median(values: np.ndarray) -> Estimate:
    """Median over rounds, with its bootstrap interval."""

    def median(weights: np.ndarray) -> np.ndarray:
        order = np.argsort(values)
        reached = np.cumsum(weights[:, order], axis=1)
        return values[order][(reached >= reached[:, -1:] / 2).argmax(axis=1)]

    return bootstrap(median, len(values))
