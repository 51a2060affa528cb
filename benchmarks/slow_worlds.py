"""Reference worlds that take their time, as simulators of other makes do: for benchmarks/actors.py."""

from __future__ import annotations

import time
from dataclasses import dataclass

from torch import Tensor

from farlands.worlds.reference import CueCorridor, PointReach
from farlands.worlds.reference_options import CueCorridorOptions, PointReachOptions
from farlands.worlds.world import Step


@dataclass(frozen=True)
class SlowCorridorOptions(CueCorridorOptions):
    """Choices about the slow corridor."""

    delay: float = 0.5
    """Milliseconds that a step of one world takes; worlds of one process take them one after another."""


@dataclass(frozen=True)
class SlowReachOptions(PointReachOptions):
    """Choices about the slow point."""

    delay: float = 0.5
    """Milliseconds that a step of one world takes; worlds of one process take them one after another."""


class SlowCorridor(CueCorridor):
    """The cue corridor on a slow machine."""

    Options = SlowCorridorOptions

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        time.sleep(self.num_worlds * self.options.delay / 1000)
        return super().step(actions, out)


class SlowReach(PointReach):
    """The point and its target on a slow machine."""

    Options = SlowReachOptions

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        time.sleep(self.num_worlds * self.options.delay / 1000)
        return super().step(actions, out)
