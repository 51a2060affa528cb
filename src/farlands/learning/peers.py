"""Processes that train one agent together, each with a share of the rows.

Learners and rewards ask ``Peers`` for sums over all processes. The base class is the one process that trains alone, so
that nobody needs to ask how many there are. Everything a process computes from such sums is equal in all of them, which
is what keeps their parameters and normalisers equal without ever being compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

Value = TypeVar("Value")


class Peers:
    """The processes of a run, seen from one of them. As it stands: one process, alone.

    Attributes:
        rank: This process, from 0.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    def sum_(self, tensor: Tensor) -> Tensor:
        """Add up a tensor over all processes, in place; shapes must agree. Returns it."""
        return tensor

    def gather(self, value: Value) -> list[Value]:
        """What every process gives here, by rank; waits for all of them. For the host, not for hot paths."""
        return [value]

    def first(self, make: Callable[[], Value]) -> Value:
        """What process 0 makes, in every process. An error that it raises is raised in all."""
        return make()

    def together(self, make: Callable[[], Value]) -> Value:
        """What this process makes, once all have made theirs. An error that one raises is raised in all."""
        return make()

    def by_turns(self, make: Callable[[], Value]) -> Value:
        """``together``, but one process of each machine before its others, which then find what it left in caches."""
        return make()

    def place(self, count: int) -> tuple[int, int]:
        """Where ``count`` things of this process stand among those of all: index of the first, number of all."""
        return 0, count

    def span(self, total: int) -> range:
        """This process's share of ``total`` things: contiguous, no two shares differ by more than one."""
        return range(total * self.rank // self.size, total * (self.rank + 1) // self.size)

    def mean(self, samples: Tensor) -> Tensor:
        """Mean over samples ``[N, *]`` of all processes, which may hold different numbers; float64 ``[*]``."""
        samples = samples.double()
        count = torch.full_like(samples[:1].sum(dim=0), len(samples))
        total = self.sum_(torch.stack((samples.sum(dim=0), count)))
        return total[0] / total[1]

    def moments(self, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance over samples ``[N, *]`` of all processes, float64 ``[*]`` each."""
        mean = self.mean(samples)
        return mean, self.mean((samples.double() - mean).square())

    def note(self, doing: str) -> None:
        """Say what this process is about to do, for those that may have to wait for it."""

    def take_seconds(self) -> float:
        """Seconds spent in communication since the last call."""
        return 0.0

    def close(self) -> None:
        """Part."""


ALONE = Peers()
"""One process that trains alone."""
