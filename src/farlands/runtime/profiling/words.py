"""What a profile says in words: what bounds each part, and what to change first. Only what was measured is advised."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from farlands.runtime.profiling.measure import Profile

TREE = {
    "collect": ("simulate", "draw", "act"),
    "reward": (),
    "learn": ("forward", "backward", "optimiser"),
    "log": (),
}
"""Phases of an update, and what is told apart in them; what is left of a phase is called ``rest``."""

_FLAT, _STEEP = 1.25, 1.6
"""A whole batch that takes at most 1.25 times as long as half of it costs much the same whatever its size; from 1.6
times on, it costs by its size."""
_SLACK = 0.3
"""A part that uses less than this share of what the device can do, by either measure, is bound by neither."""
_BUSY = 1.5
"""Tasks for each core, this one's among them, from which on others are in the way."""
_MATTERS = 0.15
"""Share of the time from which on a part is worth a word."""


class Part(NamedTuple):
    """One line of a profile.

    Attributes:
        name: Of the part, after its phase's and a slash where it is part of one.
        seconds: Per update.
        share: Of an update's time.
        arithmetic, memory: Share of the device's limit that is used; NaN where it wasn't counted.
        operations, bandwidth: Per second; NaN likewise.
        joules: Per update, None where they can't be told.
    """

    name: str
    seconds: float
    share: float
    arithmetic: float
    memory: float
    operations: float
    bandwidth: float
    joules: float | None


def list_parts(profile: Profile) -> list[Part]:
    """Phases in their order, each followed by its parts, which add up to it."""
    whole = sum(profile.seconds.get(name, 0.0) for name in TREE)
    parts = []
    for phase, inner in TREE.items():
        if phase not in profile.seconds:
            continue
        parts.append(_part(profile, phase, phase, profile.seconds[phase], whole))
        known = [name for name in inner if name in profile.seconds]
        parts += [_part(profile, name, f"{phase}/{name}", profile.seconds[name], whole) for name in known]
        left = profile.seconds[phase] - sum(profile.seconds[name] for name in known)
        if known:
            parts.append(_part(profile, "", f"{phase}/rest", max(0.0, left), whole))
    return parts


def _part(profile: Profile, key: str, name: str, seconds: float, whole: float) -> Part:
    work, limits = profile.work.get(key), profile.limits
    rates = (work.operations / seconds, work.bytes / seconds) if work and seconds > 0 else (math.nan, math.nan)
    return Part(
        name, seconds, seconds / whole, rates[0] / limits.operations, rates[1] / limits.bandwidth, *rates,
        profile.joules.get(key),
    )  # fmt: skip


def describe_bound(part: Part) -> str:
    """What keeps a part from being quicker, as far as counting can tell."""
    if math.isnan(part.arithmetic):
        return ""
    if part.name in ("collect/simulate", "collect/draw"):
        # Of a simulator only what it hands out is known, not what its rules read.
        return f"not counted; its output takes {_percent(part.memory)} of memory's speed"
    if max(part.arithmetic, part.memory) < _SLACK:
        multiplies = f"arithmetic at {_percent(part.arithmetic)}, " if part.arithmetic else ""
        return f"neither: {multiplies}memory at {_percent(part.memory)}"
    if part.arithmetic >= part.memory:
        return f"arithmetic at {_percent(part.arithmetic)}"
    cached = ", caches hold some of it" if part.memory > 1 else ""
    return f"memory at {_percent(part.memory)}{cached}"


def sentences(profile: Profile) -> Iterator[str]:
    """The parts that matter, the longest first, and what was found of batches."""
    parts = [part for part in list_parts(profile) if part.share >= _MATTERS and part.name not in ("collect",)]
    for part in sorted(parts, key=lambda each: -each.share):
        limit = profile.limits.operations
        arithmetic = part.arithmetic > 0
        rate = f", {_scale(part.operations)}FLOP/s of {_scale(limit)}FLOP/s measured" if arithmetic else ""
        bound = describe_bound(part)
        yield f"{part.name}: {_percent(part.share)} of the time{rate}" + (f"; bound by {bound}" if arithmetic else "")
    yield from advice(profile)


def advice(profile: Profile) -> Iterator[str]:
    """What to change first, as far as the measurements carry it."""
    parts = {part.name: part for part in list_parts(profile)}
    for key, name, what in (("simulate", "collect/simulate", "the world's step"), ("act", "collect/act", "acting")):
        ratio, part = profile.halved.get(key, math.nan), parts.get(name)
        if math.isnan(ratio) or part is None or part.share < _MATTERS:
            continue
        if ratio <= _FLAT:
            yield f"more worlds would help: {what} takes {ratio:.2f} times as long as for half of them"
        else:
            how = "not help" if ratio >= _STEEP else "help little"
            yield f"more worlds would {how}: {what} takes {ratio:.2f} times as long as for half of them"
    draw, simulate = parts.get("collect/draw"), parts.get("collect/simulate")
    if draw and simulate and draw.share > max(_MATTERS, simulate.share):
        yield "smaller pictures would help: drawing takes longer than the rules (--world.width, --world.height)"
    learn = parts["learn"]
    if learn.share >= 0.5 and learn.arithmetic >= 0.5:
        yield "learning is bound by arithmetic: a narrower network (--agent.hidden) or fewer --ppo.epochs would help"
    elif learn.share >= 0.5 and learn.arithmetic < _SLACK and learn.memory < _SLACK and not profile.load > _BUSY:
        yield "learning uses little of the device: larger minibatches (fewer --ppo.minibatches) are worth a try"
    log = parts.get("log")
    if log and log.share >= 0.05:
        yield f"logging takes {_percent(log.share)}: longer rollouts (--ppo.rollout) or more worlds would make it rarer"
    if profile.load > _BUSY:
        yield f"the machine is busy ({profile.load:.1f} tasks a core): shares of what it can do come out too low"
    if not any(profile.joules.values()):
        yield "energy: not measured (farlands doctor says why)"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.095 or share == 0 else f"{100 * share:.1f} %"


def _scale(rate: float) -> str:
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if rate >= size:
            return f"{rate / size:.3g} {unit}"
    return f"{rate:.3g} "
