"""Steps needed for each skill, from the records of runs, against how deep it stands in the tech tree and against sizes.

A skill is learnt at the first training step at which the share of the last episodes that have it passes a threshold.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from farlands.errors import UserError, first_line
from farlands.evaluation.statistics import Estimate, bootstrap_interval, wilson_interval
from farlands.runtime.episodes import read_episodes
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.scaling.powerlaw import Fit, fit_points

_FAMILY = "achievement."


@dataclass(frozen=True)
class RunSkills:
    """What one run learnt, and when.

    Attributes:
        run: Its directory.
        world: Its world's name.
        steps: At its last episode.
        learnt: By achievement, the step at which its share passed the threshold; None where it never did.
        shares: By achievement, over the last episodes, with the Wilson interval.
        depths: By achievement, where the world tells.
        sizes: The world's options that are numbers.
    """

    run: str
    world: str
    steps: int
    learnt: Mapping[str, int | None]
    shares: Mapping[str, Estimate]
    depths: Mapping[str, int]
    sizes: Mapping[str, float]


def read_skills(path: str, threshold: float, window: int) -> RunSkills:
    """Read the records of a run.

    Args:
        path: Its directory.
        threshold: Share of episodes from which on a skill counts as learnt.
        window: Episodes that the share is taken over.

    Raises:
        UserError: There is no run, it recorded no episodes, or its files cannot be read.
    """
    directory = RunDirectory.open(path)
    config = directory.read_config()
    try:
        table = read_episodes(directory.episodes)
    except (OSError, ValueError) as error:
        raise UserError("cannot read the episodes of", path, first_line(error)) from error
    if not table.num_rows or "step" not in table.column_names:
        raise UserError("no episode has ended yet in", path)
    steps = table["step"].to_numpy()
    hits = {
        name.removeprefix(_FAMILY): table[name].is_valid().to_numpy()
        for name in table.column_names
        if name.startswith(_FAMILY)
    }
    last = min(window, len(steps))
    return RunSkills(
        run=path,
        world=config.world,
        steps=int(steps[-1]),
        learnt={name: passes(steps, hit, threshold, window) for name, hit in hits.items()},
        shares={name: wilson_interval(int(hit[-last:].sum()), last) for name, hit in hits.items()},
        depths=_depths(config),
        sizes=_sizes(config.options),
    )


def passes(steps: np.ndarray, hits: np.ndarray, threshold: float, window: int) -> int | None:
    """The first step at which the share of hits among the last ``window`` episodes is at least ``threshold``.

    Args:
        steps: int ``[N]``, training step when each episode was seen to have ended, ascending.
        hits: bool ``[N]``.
        threshold: In (0, 1].
        window: Fewer episodes than this say nothing.
    """
    if len(hits) < window:
        return None
    sums = np.cumsum(np.concatenate([[0], hits.astype(np.int64)]))
    enough = np.flatnonzero(sums[window:] - sums[:-window] >= threshold * window)
    return int(steps[enough[0] + window - 1]) if len(enough) else None


@dataclass(frozen=True)
class DepthFit:
    """How steps grow with depth, by two laws.

    Attributes:
        power: Steps against depth.
        exponential: Steps against e to the depth: the exponent is the logarithm of the factor for each level.
        learnt, missing: How many (run, skill) pairs were learnt, and how many of known depth were not, which the fits
            leave out: at those depths the truth is at least as steep.
    """

    power: Fit
    exponential: Fit
    learnt: int
    missing: int

    @property
    def factor(self) -> Estimate:
        """By how much one more level of depth multiplies the steps."""
        return Estimate(*(math.exp(each) for each in self.exponential.exponent))

    @property
    def better(self) -> str:
        """Which law is nearer to the points, ``power`` or ``exponential``."""
        return "power" if self.power.scatter <= self.exponential.scatter else "exponential"


def fit_depth(runs: Sequence[RunSkills]) -> DepthFit | None:
    """Fit steps against depth over all runs; None with fewer than three skills learnt or two depths among them."""
    names = sorted({name for run in runs for name in run.depths})
    points = [(names.index(name), depth, run.learnt.get(name)) for run in runs for name, depth in run.depths.items()]
    known = [(group, depth, steps) for group, depth, steps in points if steps]
    if len({group for group, _, _ in known}) < 3 or len({depth for _, depth, _ in known}) < 2:
        return None
    # Several runs say little more of one skill than one does: skills are what is resampled.
    groups = np.unique([group for group, _, _ in known], return_inverse=True)[1]
    depths, steps = [depth for _, depth, _ in known], [float(steps) for _, _, steps in known]
    power = fit_points([float(depth) for depth in depths], steps, groups)
    exponential = fit_points([math.exp(depth) for depth in depths], steps, groups)
    return DepthFit(power, exponential, len(known), len(points) - len(known))


def compare_sizes(runs: Sequence[RunSkills]) -> list[dict[str, Any]]:
    """How the steps that skills need grow with those sizes of the world that differ between runs.

    Returns:
        For each such option its name, values, exponent (mean over the skills that were learnt at two values or more,
        with the bootstrap interval over skills), the steps by skill and value, and the fewest runs at a value.
    """
    found = []
    options = sorted({name for run in runs for name in run.sizes})
    for option in options:
        values = sorted({run.sizes[option] for run in runs if option in run.sizes})
        if len(values) < 2 or values[0] <= 0:
            continue
        steps = {name: _by_value(runs, option, name) for name in sorted({n for run in runs for n in run.learnt})}
        slopes = [fit_points(list(at), list(at.values())).exponent.value for at in steps.values() if len(at) > 1]
        if slopes:
            exponent = bootstrap_interval(np.array(slopes))
            kept = {name: at for name, at in steps.items() if at}
            fewest = min(sum(run.sizes.get(option) == value for run in runs) for value in values)
            found.append({"option": option, "values": values, "exponent": exponent, "steps": kept, "runs": fewest})
    return found


def _by_value(runs: Sequence[RunSkills], option: str, name: str) -> dict[float, float]:
    """Steps until a skill by the option's value, the geometric mean over runs that learnt it."""
    steps: dict[float, list[float]] = {}
    for run in runs:
        needed = run.learnt.get(name)
        if needed and option in run.sizes:
            steps.setdefault(run.sizes[option], []).append(float(needed))
    return {value: float(np.exp(np.mean(np.log(each)))) for value, each in sorted(steps.items())}


def _depths(config: Any) -> dict[str, int]:
    """Depths of achievements, as a world made for the purpose tells them."""
    import torch

    from farlands.runtime.build import build_world

    world = build_world(config.world, 1, config.options, torch.device("cpu"))
    try:
        return dict(zip(world.spec.achievements, world.spec.depths, strict=False))
    finally:
        world.close()


def _sizes(options: Any) -> dict[str, float]:
    values = dataclasses.asdict(options)
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
