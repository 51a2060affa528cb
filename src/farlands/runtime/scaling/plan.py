"""The verb `plan`: time, devices, energy and money of a training run, and where more of them stops paying."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.errors import UserError, first_line
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.scaling.config import PlanConfig

if TYPE_CHECKING:
    from farlands.runtime.scaling.forecast import Doubling, Option, Speed
    from farlands.runtime.scaling.wanted import Wanted

_MOST = 4096
"""Devices a plan is made for at most."""
_PAYS = 0.5
"""A device that adds less than half of what the first one does is where more of them stops paying."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """Everything that is told.

    Attributes:
        title: What it is a plan of.
        steps: Of the run.
        speed: Of one process.
        options: One for each number of devices.
        doublings: What doublings of steps brought so far, the last first; empty where no run's curve is known.
        curve: What those are of.
        trained: Steps the run has done; 0 where there is no one run.
        wanted: The skill asked about, or None.
        deadline: In hours, 0 for none.
    """

    title: str
    steps: int
    speed: Speed
    options: list[Option]
    doublings: list[Doubling]
    curve: str
    trained: int
    wanted: Wanted | None
    deadline: float


def plan(config: PlanConfig) -> int:
    """Print a plan. Raises UserError where there is nothing to plan from or a skill is unknown."""
    counts = read_counts(config.gpus)
    found = make_plan(config, counts)
    if config.json:
        from farlands.runtime.scaling.report import plain

        print(json.dumps(plain({**dataclasses.asdict(found), "notes": list(describe_plan(found))})))
        return 0
    print_plan(found)
    return 0


def make_plan(config: PlanConfig, counts: Sequence[int]) -> Plan:
    """A plan from a run's directory or a scaling report's."""
    from farlands.runtime.scaling.forecast import list_options

    path = Path(config.source).expanduser()
    if not path.is_dir():
        raise UserError("no such directory", config.source, "expected that of a run or of a scaling report")
    from_run = (path / "config.json").is_file()
    parts = _from_run(config, path) if from_run else _from_report(config, path)
    if not parts["steps"]:
        raise UserError("--steps is missing", allowed="a scaling report does not say how long to train")
    options = list_options(parts["speed"], parts["steps"], counts, config.price_per_hour)
    return Plan(options=options, deadline=config.deadline_hours, **parts)


def _from_run(config: PlanConfig, path: Path) -> dict[str, Any]:
    from farlands.runtime.metrics import read_metrics
    from farlands.runtime.scaling.forecast import list_doublings, speed_of_rows
    from farlands.runtime.scaling.wanted import find_wanted

    directory = RunDirectory.open(str(path))
    settings = directory.read_config()
    wanted = find_wanted(config.skill, [_read_skills(path)]) if config.skill else None
    key = f"achievement/{wanted.name}" if wanted else "episode/return"
    try:
        rows = read_metrics(directory.metrics) if directory.metrics.exists() else []
        speed, doublings = speed_of_rows(rows, settings.processes), list_doublings(rows, key)
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError("cannot read", directory.metrics, first_line(error)) from error
    if speed is None:
        raise UserError("too few updates to plan from in", path, "train for longer first")
    return {
        "title": f"{settings.world} on {settings.device}, from {path}",
        "steps": config.steps or settings.steps,
        "speed": speed,
        "doublings": doublings,
        "curve": f"share of episodes with {wanted.name.replace('_', ' ')}" if wanted else "return of an episode",
        "trained": int(rows[-1]["step"]),
        "wanted": wanted,
    }


def _from_report(config: PlanConfig, path: Path) -> dict[str, Any]:
    from farlands.runtime.scaling.forecast import speed_of_report
    from farlands.runtime.scaling.report import NAME, read, read_runs
    from farlands.runtime.scaling.wanted import find_wanted

    if not (path / NAME).is_file():
        raise UserError("neither a run nor a scaling report:", path, f"it has no config.json and no {NAME}")
    data = read(path)
    try:
        speed, runs, about = speed_of_report(data), read_runs(data), data["about"]
        title = f"{about['world']} on {about['device']}, from {path}"
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UserError("cannot read", path / NAME, f"it lacks what a report holds ({first_line(error)})") from error
    if speed is None:
        raise UserError("no speed of training in", path, "measure it with: farlands bench scaling WORLD")
    wanted = find_wanted(config.skill, runs) if config.skill else None
    return {
        "title": title, "steps": config.steps, "speed": speed, "doublings": [], "curve": "", "trained": 0,
        "wanted": wanted,
    }  # fmt: skip


def _read_skills(path: Path) -> Any:
    from farlands.runtime.scaling.config import ScalingConfig
    from farlands.runtime.scaling.skills import read_skills

    usual = ScalingConfig()
    return read_skills(str(path), usual.threshold, usual.episodes)


def read_counts(text: str) -> list[int]:
    """Numbers of devices, ascending, from ``4``, ``1..8`` or ``1,2,4``. Raises UserError."""
    match = re.fullmatch(r"([0-9]{1,5})(?:\.\.([0-9]{1,5})|((?:,[0-9]{1,5})*))", text)
    if match:
        first, last = int(match[1]), int(match[2] or match[1])
        counts = list(range(first, last + 1)) if match[2] else sorted({int(each) for each in text.split(",")})
        if counts and counts[0] >= 1 and counts[-1] <= _MOST:
            return counts
    raise UserError("--gpus is", text, f"expected a number from 1 to {_MOST}, a range as 1..8 or a list as 1,2,4")


def print_plan(found: Plan) -> None:
    """A table of options, then what else there is to say."""
    from rich.console import Console
    from rich.table import Table

    print(f"{found.steps:,} steps of {found.title}")
    table = Table(box=None, padding=(0, 2), pad_edge=False)
    priced = any(option.money for option in found.options)
    for name in ("devices", "steps/s", "hours", *(("money",) if priced else ()), "kWh", "kW to cool", "last one adds"):
        table.add_column(name, justify="right")
    for option in _thinned(found.options):
        money = (_range(option.money, ".2f"),) if option.money else ()
        table.add_row(
            f"{option.devices}{'' if option.measured else ' *'}",
            _range(option.rate, ",.0f"),
            _range(option.hours, ".3g"),
            *money,
            *("not measured" if each is None else f"{each:.3g}" for each in (option.kilowatt_hours, option.kilowatts)),
            f"{option.added:.0%}",
        )
    Console(highlight=False, width=160).print(table)
    for line in describe_plan(found):
        print(f"- {line}")


def describe_plan(found: Plan) -> Iterator[str]:
    """What a table can't hold: skill, deadline, where returns diminish, what is assumed and what is not known."""
    if found.wanted:
        yield from found.wanted.describe(found.steps)
    yield from _describe_deadline(found)
    yield from _describe_devices(found)
    yield from _describe_doublings(found)
    speed = found.speed
    if speed.joules_per_step is None:
        yield "energy: not measured, and not guessed from a nameplate (farlands doctor says what can be read)"
    else:
        what = "the devices" if speed.host_watts is None else "the devices and the machine's processors"
        yield (
            f"energy is that of {what}, each device drawing what one drew; all of it becomes heat, so that what has to "
            "be cooled away is the electrical power; power supplies, fans and the cooling itself are not measured"
        )


def _describe_deadline(found: Plan) -> Iterator[str]:
    if not found.deadline:
        return
    likely = [each.devices for each in found.options if each.hours.value <= found.deadline]
    surely = [each.devices for each in found.options if each.hours.high <= found.deadline]
    if not likely:
        yield f"in {found.deadline:g} hours: not with up to {_devices(found.options[-1].devices)} (see --gpus)"
        return
    slow = f"{_devices(surely[0])}" if surely else f"more than {_devices(found.options[-1].devices)}"
    yield f"in {found.deadline:g} hours: with {_devices(likely[0])}; {slow} where the intervals' slow ends hold"


def _describe_devices(found: Plan) -> Iterator[str]:
    speed = found.speed
    if all(option.measured for option in found.options) and len(found.options) == 1:
        return
    if speed.exponent is None:
        yield f"* only {_devices(speed.processes)} measured: others are in proportion, more of them at best"
        return
    if any(not option.measured for option in found.options):
        yield (
            f"* beyond the {speed.most} that were measured: speed as devices^{speed.exponent.value:.2f}, carried on; "
            "those processes did not talk to each other: training together is slower by the time that takes"
        )
    late = [option.devices for option in found.options if option.devices > 1 and option.added < _PAYS]
    if late:
        yield f"from {late[0]} devices on, one more adds less than half of what the first one does"
    else:
        yield f"up to {found.options[-1].devices} devices, one more adds at least half of what the first one does"


def _describe_doublings(found: Plan) -> Iterator[str]:
    if not found.doublings:
        yield "learning curve: no run to tell it from"
        return
    last = found.doublings[0]
    gains = ", ".join(
        f"{_short(each.start)} to {_short(each.end)} {_gain(each.gain)}" for each in reversed(found.doublings[:4])
    )
    yield f"what doublings brought in {found.curve}: {gains}"
    if len(found.doublings) > 1 and last.gain.high < found.doublings[1].gain.low:
        yield "returns diminish: the last doubling brought less than the one before it"
    beyond = math.log2(found.steps / found.trained) if found.trained else 0.0
    if beyond > 0.05:
        yield f"the plan goes {beyond:.1f} doublings beyond what was trained: what those bring is not known"


def _thinned(options: Sequence[Option], most: int = 16) -> list[Option]:
    """All of a few options; of many the first, the last and some between."""
    if len(options) <= most:
        return list(options)
    places = sorted({round(index * (len(options) - 1) / (most - 1)) for index in range(most)})
    return [options[place] for place in places]


def _devices(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"


def _range(estimate: Any, form: str) -> str:
    value, low, high = (format(each, form) for each in estimate)
    return value if low == high else f"{value} ({low} to {high})"


def _gain(gain: Any) -> str:
    return f"{gain.value:+.3g} ({gain.low:+.3g} to {gain.high:+.3g})"


def _short(steps: float) -> str:
    for unit, size in (("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if steps >= size:
            return f"{steps / size:.3g}{unit}"
    return f"{steps:.0f}"
