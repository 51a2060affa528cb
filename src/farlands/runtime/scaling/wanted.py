"""How many steps a skill takes: as runs needed, or as the law of depth has it where none learnt it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from farlands.errors import UserError
from farlands.evaluation.statistics import Estimate
from farlands.runtime.scaling.skills import RunSkills, fit_depth


@dataclass(frozen=True)
class Wanted:
    """A skill, and what is known of the steps to it.

    Attributes:
        name: Of the achievement.
        learnt: Steps it took, one for each run that learnt it.
        tried: By run that did not, its steps and the share of episodes with the skill at its end.
        depth: In the tech tree; None where the world does not tell.
        law: Steps by the law of depth over all skills learnt, with the interval that scatter and exponent give; None
            where there are too few.
        deepest: The deepest skill that was learnt.
    """

    name: str
    learnt: tuple[int, ...]
    tried: dict[str, tuple[int, Estimate]]
    depth: int | None
    law: Estimate | None
    deepest: int

    def describe(self, steps: int) -> Iterator[str]:
        """In words, beside the steps that are planned."""
        name = self.name.replace("_", " ")
        if self.learnt:
            low, high = min(self.learnt), max(self.learnt)
            took = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            runs = f"{len(self.learnt)} of {len(self.learnt) + len(self.tried)} runs"
            yield f"{name}: learnt in {took} steps by {runs}; {'enough' if steps >= high else 'more than planned'}"
            if len(self.learnt) == 1:
                yield f"{name}: one run says nothing of how seeds differ"
            return
        for run, (length, share) in self.tried.items():
            yield (
                f"{name}: not learnt by {run} within {length:,} steps; in {share.value:.1%} of its last episodes "
                f"({share.low:.1%} to {share.high:.1%})"
            )
        yield f"{name}: {self._describe_law()}"

    def _describe_law(self) -> str:
        """What the law of depth says, unless a run has shown it wrong."""
        least = max((length for length, _ in self.tried.values()), default=0)
        if self.law is None:
            return "how many steps it takes is not known"
        if self.law.value <= least:
            return (
                f"the law of depth says some {self.law.value:,.0f} steps, which a run has shown wrong; how many it is, "
                f"is not known, but more than {least:,}"
            )
        levels = (self.depth or 0) - self.deepest
        far = f", {levels} below the deepest skill learnt" if levels > 0 else ""
        return (
            f"by the law of depth some {self.law.value:,.0f} steps ({max(self.law.low, least):,.0f} to "
            f"{self.law.high:,.0f}), carried on from easier skills{far}; no run has shown it"
        )


def find_wanted(text: str, runs: Sequence[RunSkills]) -> Wanted:
    """What runs say of a skill.

    Args:
        text: An achievement's name, or words of it.
        runs: Skills of each.

    Raises:
        UserError: No run knows of such an achievement, or the words fit several.
    """
    names = sorted({name for run in runs for name in run.learnt})
    if not names:
        raise UserError("--skill needs runs that record achievements", allowed="farlands bench scaling RUN_DIR...")
    name = match_skill(text, names)
    depth = next((run.depths[name] for run in runs if name in run.depths), None)
    return Wanted(
        name=name,
        learnt=tuple(sorted(steps for run in runs if (steps := run.learnt.get(name)))),
        tried={
            Path(run.run).name: (run.steps, run.shares[name])
            for run in runs
            if name in run.learnt and not run.learnt[name]
        },
        depth=depth,
        law=_law(runs, depth),
        deepest=max((run.depths[each] for run in runs for each in run.depths if run.learnt.get(each)), default=0),
    )


def match_skill(text: str, names: Sequence[str]) -> str:
    """The one name that a text is, or whose words hold all of its words. Raises UserError."""
    words = text.lower().replace("_", " ").replace("-", " ").split()
    if "_".join(words) in names:
        return "_".join(words)
    fitting = [name for name in names if words and set(words) <= set(name.split("_"))]
    # Making a thing is what people mean who only name it.
    made = [name for name in fitting if name == "_".join(["make", *words])]
    chosen = made or fitting
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise UserError("--skill: several achievements fit", text, f"one of: {', '.join(chosen)}")
    raise UserError("--skill: unknown achievement", "_".join(words) or text, names)


def _law(runs: Sequence[RunSkills], depth: int | None) -> Estimate | None:
    """Steps at a depth, by the law that is nearer; scatter of the points and the exponent's interval both widen it."""
    fit = fit_depth(runs)
    if fit is None or depth is None:
        return None
    law = fit.power if fit.better == "power" else fit.exponential
    x = float(depth) if fit.better == "power" else float(np.exp(depth))
    known = [float(run.depths[name]) for run in runs for name in run.depths if run.learnt.get(name)]
    centre = float(np.exp(np.mean(np.log(known)))) if fit.better == "power" else float(np.exp(np.mean(known)))
    value, ratio = law.factor * x**law.exponent.value, x / centre
    bounds = sorted(ratio ** (bound - law.exponent.value) for bound in (law.exponent.low, law.exponent.high))
    # Two of three points lie within the scatter, nineteen of twenty within its square.
    scatter = law.scatter**2
    return Estimate(value, value * bounds[0] / scatter, value * bounds[1] * scatter)
