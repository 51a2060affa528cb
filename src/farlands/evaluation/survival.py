"""How long until something happens, where not everything happens: Kaplan-Meier curves with censoring.

Axis letters: N subjects (episodes), K distinct times at which something happened.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from farlands.evaluation.statistics import UNKNOWN, Estimate, Z


@dataclass(frozen=True)
class SurvivalCurve:
    """Share to which it has not happened yet, a step function that starts at (0, 1).

    Attributes:
        time: float ``[K + 1]``, 0 and then the times of events, rising.
        share: float ``[K + 1]``, share left from that time on.
        low, high: float ``[K + 1]``, pointwise 95 % band.
        at_risk: int ``[K + 1]``, subjects still watched just before that time.
        events: int ``[K + 1]``, events at that time.
        limit: The longest time anything was watched for.
    """

    time: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    at_risk: np.ndarray
    events: np.ndarray
    limit: float

    def at(self, time: float) -> Estimate:
        """Share left after ``time``; NaN beyond what was watched."""
        if time > self.limit:
            return UNKNOWN
        index = int(np.searchsorted(self.time, time, side="right")) - 1
        return Estimate(float(self.share[index]), float(self.low[index]), float(self.high[index]))

    def median(self) -> Estimate:
        """First time at which half or less is left, bounds from the band; infinite where that was not seen.

        Bounds as in Brookmeyer & Crowley (1982).
        """

        def first(curve: np.ndarray) -> float:
            below = np.flatnonzero(curve <= 0.5)
            return float(self.time[below[0]]) if len(below) else math.inf

        return Estimate(first(self.share), first(self.low), first(self.high))

    def restricted_mean(self, limit: float | None = None) -> Estimate:
        """Mean time until it happens, counted up to ``limit``: the area under the curve (Irwin 1949).

        Args:
            limit: Up to when; by default as long as anything was watched.

        Raises:
            ValueError: The limit lies beyond what was watched.
        """
        limit = self.limit if limit is None else float(limit)
        if limit > self.limit:
            raise ValueError(f"limit is {limit}; nothing was watched beyond {self.limit}")
        inside = self.time < limit
        edges = np.append(self.time[inside], limit)
        areas = self.share[inside] * np.diff(edges)
        # Area to the right of each event: what that event's uncertainty scales.
        right = np.append(np.cumsum(areas[::-1])[::-1], 0.0)[: inside.sum()]
        events, at_risk = self.events[inside], self.at_risk[inside]
        left = np.maximum(at_risk - events, 1)
        spread = Z * math.sqrt(float((right**2 * events / (at_risk * left)).sum()))
        area = float(areas.sum())
        return Estimate(area, max(0.0, area - spread), min(limit, area + spread))


def kaplan_meier(time: np.ndarray, happened: np.ndarray, z: float = Z) -> SurvivalCurve:
    """The product-limit estimate (Kaplan & Meier 1958) with log-log bands from Greenwood's variance.

    Where the curve reaches zero that variance is undefined: the band's upper end then stays where it was.

    Args:
        time: float ``[N]``, when it happened or until when it was watched in vain; above 0.
        happened: bool ``[N]``; False is censored.
        z: Quantile of the normal distribution; the default gives 95 %.

    Raises:
        ValueError: There are no subjects, or a time is not above 0.
    """
    time, happened = np.asarray(time, dtype=np.float64), np.asarray(happened, dtype=bool)
    if not len(time) or len(time) != len(happened):
        raise ValueError(f"{len(time)} times and {len(happened)} events; expected as many of both, at least one")
    if not (time > 0).all():
        raise ValueError(f"a time is {time.min()}; it must be above 0")
    when, events = np.unique(time[happened], return_counts=True)
    at_risk = len(time) - np.searchsorted(np.sort(time), when, side="left")
    share = np.cumprod(1.0 - events / at_risk)
    low, high = _log_log_band(share, at_risk, events, z)
    return SurvivalCurve(
        time=np.append(0.0, when),
        share=np.append(1.0, share),
        low=np.append(1.0, low),
        high=np.append(1.0, high),
        at_risk=np.append(len(time), at_risk),
        events=np.append(0, events),
        limit=float(time.max()),
    )


def _log_log_band(
    share: np.ndarray, at_risk: np.ndarray, events: np.ndarray, z: float
) -> tuple[np.ndarray, np.ndarray]:
    """``share ** exp(+-z * s)``, s the standard error of ``log(-log(share))`` (Kalbfleisch & Prentice 1980)."""
    alive = share > 0
    left = np.where(alive, at_risk - events, 1)
    greenwood = np.sqrt(np.cumsum(np.where(alive, events / (at_risk * left), 0.0)))
    logs = np.log(np.where(alive, share, 0.5))
    spread = np.exp(z * greenwood / np.abs(logs))
    low = np.where(alive, share**spread, 0.0)
    high = np.where(alive, share ** (1 / spread), np.nan)
    if len(high) and not alive[-1]:
        high[-1] = high[-2] if len(high) > 1 else 1.0
    return low, high
