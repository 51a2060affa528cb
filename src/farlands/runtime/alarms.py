"""Alarms: what goes wrong in a run while it runs, said once when it begins and once when it is over.

An alarm is data: what it reads from a row of figures, how bad that is given what was usual, from where on, for how
long, and what to say. What is usual is the median over a window (Huber & Ronchetti 2009), which a few wild values do
not move; values that are themselves part of the trouble do not enter it. Nothing here imports torch or NumPy.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from farlands.errors import nearest

Row = Mapping[str, float]
QUIET = 8
"""Calm updates in a row, at least, before an alarm is over."""
_LEAST_WINDOW = 16
"""Values before anything can be called usual."""
_LEAST_USUAL = 0.05


@dataclass(frozen=True)
class Alarm:
    """One thing to watch.

    Attributes:
        name: An identifier.
        reads: What is watched, from a row of figures; None where the row says nothing about it.
        measures: How bad a value is, given the window; None where that cannot be told yet.
        threshold: The alarm rings above this.
        patience: Updates in a row above it before the alarm rings.
        says: What it means and what to try; may name ``{value}`` and ``{usual}``.
        excused: Whether a row shows that the same is no trouble here.
        calm: Share of the threshold below which it is over.
        window: Values that the usual is taken over.
        first: The window holds the first values of the run instead of the last.
        timed: It depends on the machine, so it stays out of checkpoints, which are to be the same on every one.
    """

    name: str
    reads: Callable[[Row], float | None]
    measures: Callable[[Sequence[float], float], float | None]
    threshold: float
    patience: int
    says: str
    excused: Callable[[Row], bool] = lambda row: False
    calm: float = 0.7
    window: int = 64
    first: bool = False
    timed: bool = False


@dataclass(frozen=True)
class Ring:
    """An alarm that rings or is over.

    Attributes:
        name: Of the alarm.
        state: Which of the two.
        text: For people.
        value: What was watched.
        threshold: In use.
    """

    name: str
    state: Literal["rings", "over"]
    text: str
    value: float
    threshold: float


def figure(name: str) -> Callable[[Row], float | None]:
    """Reads a figure by name."""
    return lambda row: row.get(name)


def explained_variance(row: Row) -> float | None:
    """Share of the returns' variance that values do not explain; None where returns hardly vary at all."""
    value, spread = row.get("learn/explained_variance"), row.get("learn/value_std", 0.0)
    return None if value is None or not spread > 1e-3 else 1.0 - value


def level(window: Sequence[float], value: float) -> float:
    """The value itself."""
    return value


def times_usual(window: Sequence[float], value: float) -> float | None:
    """How many times the usual a value is; what is below ``_LEAST_USUAL`` is not worth comparing with."""
    if len(window) < _LEAST_WINDOW:
        return None
    return value / max(median(window), _LEAST_USUAL)


def share_lost(window: Sequence[float], value: float) -> float | None:
    """Which share of the usual is gone; None where the usual is not above 0."""
    if len(window) < _LEAST_WINDOW or not (usual := median(window)) > 0:
        return None
    return 1.0 - value / usual


def jump(window: Sequence[float], value: float) -> float | None:
    """How far a value leaves the last one, in robust deviations of such steps.

    A step counts only if it leads beyond twice what the window has seen: learning moves returns too, but not so far at
    once. None while most steps were none at all, as before the first reward.
    """
    if len(window) < _LEAST_WINDOW:
        return None
    steps = [after - before for before, after in pairwise(window)]
    middle = median(steps)
    spread = 1.4826 * median(abs(step - middle) for step in steps)
    if not spread > 0:
        return None
    leap = abs(value - window[-1] - middle) / spread
    return leap if abs(value) > 2 * max(abs(each) for each in window) else 0.0


def waited(window: Sequence[float], value: float) -> float | None:
    """How many of the usual gaps between updates in which episodes end have passed since the last of them.

    Gaps of one or two updates count as one and a half, so that few rows do not ring by chance.
    """
    ends = [index for index, count in enumerate(window) if count]
    if len(ends) < 8:
        return None
    usual = median(after - before for before, after in pairwise(ends))
    return 0.0 if value else (len(window) - ends[-1]) / max(usual, 1.5)


ALARMS: tuple[Alarm, ...] = (
    Alarm(
        "entropy_collapse", figure("learn/entropy"), share_lost, 0.97, 8,
        "entropy is {value:.3g}, it began at {usual:.3g}: the policy hardly tries anything else any more; try a larger "
        "--ppo.entropy or --ppo.entropy-end",
        excused=lambda row: bool(row.get("returns/earned")), calm=0.98, window=32, first=True,
    ),
    Alarm(
        "value_explosion", figure("learn/value_loss"), level, 20.0, 4,
        "the value loss is {value:.3g}: values are far from their targets; try a smaller --ppo.learning-rate or "
        "--ppo.value-clip 0.2, and look at the scale of rewards",
    ),
    Alarm(
        "gradient_explosion", figure("learn/grad_norm"), times_usual, 20.0, 4,
        "the gradient's norm is {value:.3g}, usual is {usual:.3g}: updates follow a few samples; try a smaller "
        "--ppo.learning-rate or larger minibatches, and look for rewards out of scale",
    ),
    Alarm(
        "reward_jump", figure("learn/return_mean"), jump, 50.0, 1,
        "the mean return went to {value:.3g} at once, usual is {usual:.3g}: a reward changed its scale, or agents "
        "found a loophole; look at what the reward sources give",
    ),
    Alarm(
        "kl_too_large", figure("learn/approx_kl"), level, 0.2, 4,
        "the policy moves by a KL divergence of {value:.3g} per update: more than its data can tell; try a smaller "
        "--ppo.learning-rate, fewer --ppo.epochs or more --num-worlds",
    ),
    Alarm(
        "values_stuck", explained_variance, level, 0.95, 128,
        "values have explained less than 5 % of the returns' variance for 128 updates: they are no help; try a larger "
        "--agent.hidden, memory, or a smaller --ppo.discount",
        calm=0.95,
    ),
    Alarm(
        "episodes_stopped", figure("episode/count"), waited, 24.0, 1,
        "no episode has ended for {value:.0f} times as many updates as usual: worlds hang, or agents have learned "
        "to stall",
        window=256,
    ),
    Alarm(
        "episodes_dropped", figure("episode/dropped"), level, 0.0, 1,
        "{value:.0f} episodes did not fit the world's log and are missing from the records; try a shorter "
        "--ppo.rollout",
    ),
    Alarm(
        "throughput_drop", figure("steps_per_second"), share_lost, 0.5, 8,
        "{value:,.0f} steps a second, usual are {usual:,.0f}: something else uses the machine, or episodes have become "
        "so short that worlds are mostly made anew",
        timed=True,
    ),
)  # fmt: skip
"""Every alarm that looks at rows; ``stalled`` (see stalls.py) looks at the clock."""

STALLED, STALLED_TIMES = "stalled", 10.0
"""Name of the alarm of updates that do not end, and how many times the usual they may take."""


@dataclass
class Returns:
    """What episodes return lately, beside what they did at first and at best; medians over updates."""

    early: list[float] = field(default_factory=list)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=32))
    best: float = -math.inf

    def add(self, row: Row) -> None:
        """Take a row in."""
        value = row.get("episode/return")
        if value is None or not math.isfinite(value):
            return
        if len(self.early) < 4:
            self.early.append(value)
        self.recent.append(value)
        if len(self.recent) >= _LEAST_WINDOW:
            self.best = max(self.best, median(self.recent))

    def earned(self) -> bool:
        """Whether the policy has become better than it was, by more than chance, and is about as good as ever.

        A policy that has solved its task may do without trying anything else.
        """
        if len(self.recent) < _LEAST_WINDOW:
            return False
        began, now = median(self.early), median(self.recent)
        spread = 1.4826 * median(abs(value - now) for value in self.recent)
        return now > began + 3 * spread and now >= self.best - 0.25 * (self.best - began)

    def state_dict(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "early": self.early,
            "recent": list(self.recent),
            "best": self.best if math.isfinite(self.best) else None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back."""
        self.early, self.recent = list(state["early"]), deque(state["recent"], maxlen=32)
        self.best = -math.inf if state["best"] is None else float(state["best"])


@dataclass
class Bell:
    """An alarm and how things stand with it."""

    alarm: Alarm
    threshold: float
    ringing: bool = False
    above: int = 0
    below: int = 0
    window: deque[float] = field(default_factory=deque)

    def hear(self, row: Row) -> Ring | None:
        """Take a row in; says something only when the alarm begins to ring or is over."""
        value = self.alarm.reads(row)
        if value is None or not math.isfinite(value):
            return None
        score = self.alarm.measures(self.window, value)
        usual = median(self.window) if self.window else value
        score = 0.0 if score is not None and self.alarm.excused(row) else score
        bad = score is not None and score > self.threshold
        calm = score is not None and score <= self.threshold * self.alarm.calm
        self.above, self.below = (self.above + 1 if bad else 0), (self.below + 1 if calm else 0)
        # Trouble must not pass for usual; only what has lasted for a whole window is.
        if not bad or self.above > self.alarm.patience + self.alarm.window:
            self._remember(value)
        shown = score if self.alarm.measures is waited else value
        if not self.ringing and self.above >= self.alarm.patience and bad:
            self.ringing = True
            return self._ring("rings", self.alarm.says.format(value=shown, usual=usual), value)
        if self.ringing and self.below >= max(QUIET, self.alarm.patience):
            self.ringing = False
            return self._ring("over", "over, or usual by now" if self._adapts else "over", value)
        return None

    @property
    def _adapts(self) -> bool:
        """Whether the alarm compares with what was usual, to which trouble that lasts is added in the end."""
        return self.alarm.measures is not level and not self.alarm.first

    def state_dict(self) -> dict[str, Any]:
        """How things stand, as plain data."""
        return {"ringing": self.ringing, "above": self.above, "below": self.below, "window": list(self.window)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back."""
        self.ringing, self.above, self.below = bool(state["ringing"]), int(state["above"]), int(state["below"])
        self.window = deque(state["window"])

    def _remember(self, value: float) -> None:
        if self.alarm.first and len(self.window) >= self.alarm.window:
            return
        self.window.append(value)
        if len(self.window) > self.alarm.window:
            self.window.popleft()

    def _ring(self, state: Literal["rings", "over"], text: str, value: float) -> Ring:
        return Ring(self.alarm.name, state, text, value, self.threshold)


class Alarms:
    """All alarms of a run.

    Args:
        chosen: As ``TrainConfig.alarms`` has them.
    """

    def __init__(self, chosen: Sequence[str] = ()) -> None:
        thresholds = read_thresholds(chosen)
        self.bells = [Bell(alarm, threshold) for alarm in ALARMS if (threshold := thresholds[alarm.name]) is not None]
        self.stalled_times = thresholds[STALLED]
        self.returns = Returns()
        self._since: tuple[float, float] | None = None

    def hear(self, row: Row) -> list[Ring]:
        """Take a row in; what begins to ring or is over with it."""
        self.returns.add(row)
        row = {**self._at_pace(row), "returns/earned": float(self.returns.earned())}
        return [ring for bell in self.bells if (ring := bell.hear(row))]

    def flags(self) -> dict[str, float]:
        """1 for every alarm that rings, 0 for every other, by the name of the figure."""
        return {f"alarm/{bell.alarm.name}": float(bell.ringing) for bell in self.bells}

    def state_dict(self) -> dict[str, Any]:
        """How things stand with every alarm that does not depend on the machine."""
        bells = {bell.alarm.name: bell.state_dict() for bell in self.bells if not bell.alarm.timed}
        return {"returns": self.returns.state_dict(), "bells": bells}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back; alarms that it does not know begin anew."""
        self.returns.load_state_dict(state["returns"])
        for bell in self.bells:
            if bell.alarm.name in state["bells"]:
                bell.load_state_dict(state["bells"][bell.alarm.name])

    def _at_pace(self, row: Row) -> Row:
        """The row with its pace taken over a second or more: of a few milliseconds it would tell little."""
        rest = {name: value for name, value in row.items() if name != "steps_per_second"}
        now = row.get("step", 0.0), row.get("seconds", 0.0)
        self._since = self._since or now
        steps, seconds = now[0] - self._since[0], now[1] - self._since[1]
        if seconds < 1.0:
            return rest
        self._since = now
        return {**rest, "steps_per_second": steps / seconds}


def read_thresholds(chosen: Sequence[str]) -> dict[str, float | None]:
    """The threshold of every alarm, None for those that are off.

    Args:
        chosen: ``("off",)``, or what is to be changed: each ``name=number`` or ``name=off``.

    Raises:
        ValueError: A name or a number is none.
    """
    thresholds: dict[str, float | None] = {alarm.name: alarm.threshold for alarm in ALARMS}
    thresholds[STALLED] = STALLED_TIMES
    if tuple(chosen) == ("off",):
        return dict.fromkeys(thresholds)
    for text in chosen:
        name, equals, number = text.partition("=")
        if name not in thresholds:
            hint = nearest(name, thresholds)
            known = f"did you mean {hint}?" if hint else f"there are {', '.join(thresholds)}"
            raise ValueError(f"alarms has {text!r}; no alarm is named {name!r}: {known}")
        try:
            thresholds[name] = None if number == "off" else float(number)
        except ValueError:
            number = ""
        threshold = thresholds[name]
        if not equals or not number or (threshold is not None and not 0 <= threshold < math.inf):
            raise ValueError(f"alarms has {text!r}; expected {name}=number, at least 0, or {name}=off")
    return thresholds
