"""Processes that train one agent together, each with a share of the rows.

Learners and rewards ask ``Peers`` for sums over all processes. The base class is the one process that trains alone, so
that nobody needs to ask how many there are. Everything a process computes from such sums is equal in all of them, which
is what keeps their parameters and normalisers equal without ever being compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor

from farlands.errors import UserError

Value = TypeVar("Value")


class Peers:
    """The processes of a run, seen from one of them. As it stands: one process, alone.

    Attributes:
        rank: This process, from 0.
        size: How many there are.
        goes_first: Whether this is the first process of its machine.
    """

    rank: int = 0
    size: int = 1
    goes_first: bool = True

    def sum_(self, tensor: Tensor) -> Tensor:
        """Add up a tensor over all processes, in place; shapes must agree. Returns it."""
        return tensor

    def gather(self, value: Value) -> list[Value]:
        """What every process gives here, by rank; waits for all of them. For the host, not for hot paths."""
        return [value]

    def first(self, make: Callable[[], Value]) -> Value:
        """What process 0 makes, in every process. An error that it raises is raised in all."""
        mine = _attempt(make) if self.rank == 0 else None
        return self._settle(mine, [self.gather(mine and mine.report())[0]])

    def together(self, make: Callable[[], Value]) -> Value:
        """What this process makes, once all have made theirs. An error that one raises is raised in all."""
        mine = _attempt(make)
        self._settle(mine, self.gather(mine.verdict()))
        return mine.value  # type: ignore[return-value]

    def by_turns(self, make: Callable[[], Value]) -> Value:
        """``together``, but one process of each machine before its others, which then find what it left in caches."""
        made = self.together(make if self.goes_first else lambda: None)
        return self.together((lambda: made) if self.goes_first else make)  # type: ignore[return-value]

    def place(self, count: int) -> tuple[int, int]:
        """Where ``count`` things of this process stand among those of all: index of the first, number of all."""
        counts = self.gather(count)
        return sum(counts[: self.rank]), sum(counts)

    def _settle(self, mine: _Attempt | None, reports: Sequence[_Attempt]) -> Any:
        """The value of the last report, or the error that the first of those that failed speaks of.

        What failed here is raised as it is. What failed elsewhere is told there: here it is a silent mistake.
        """
        failed = [rank for rank, report in enumerate(reports) if report.failure]
        if not failed:
            return reports[-1].value
        if mine and mine.error and (failed[0] == self.rank or not isinstance(mine.error, UserError)):
            raise mine.error
        where = f"process {failed[0]} of {self.size}: " if failed[0] else ""
        raise UserError(where + reports[failed[0]].failure).told()

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


@dataclass(frozen=True)
class _Attempt:
    """What came of making something: a value, or an error and what it says."""

    value: Any = None
    error: Exception | None = None
    failure: str = ""

    def report(self) -> _Attempt:
        """The same for others, who need to know what it says, not what it is."""
        return _Attempt(self.value, None, self.failure)

    def verdict(self) -> _Attempt:
        """The same for those who have made a value of their own."""
        return _Attempt(None, None, self.failure)


def _attempt(make: Callable[[], Any]) -> _Attempt:
    try:
        return _Attempt(make())
    except Exception as error:
        return _Attempt(None, error, str(error) or type(error).__name__)


ALONE = Peers()
"""One process that trains alone."""
