"""Which of several processes this one is, as torchrun and its like say in the environment. Free of torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from farlands.errors import UserError


@dataclass(frozen=True)
class Seat:
    """A process's place among those that were started together.

    Attributes:
        rank, size: Of all processes, on all machines.
        local_rank, local_size: Of those on this machine.
        restart: How often they were all started before.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    restart: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.rank < self.size and 0 <= self.local_rank < self.local_size <= self.size):
            raise UserError(
                "the environment's RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE make no sense:",
                f"{self.rank}, {self.size}, {self.local_rank}, {self.local_size}",
                "torchrun sets them",
            )


_NAMES = {
    "rank": "RANK", "size": "WORLD_SIZE", "local_rank": "LOCAL_RANK", "local_size": "LOCAL_WORLD_SIZE",
    "restart": "TORCHELASTIC_RESTART_COUNT",
}  # fmt: skip


def find_seat(environment: Mapping[str, str] = os.environ) -> Seat | None:
    """This process's seat, or None where nobody has given it one.

    Raises:
        UserError: A variable is no number, or they contradict each other.
    """
    if not {"RANK", "WORLD_SIZE", "MASTER_ADDR"} <= environment.keys():
        return None
    values = {}
    for field, name in _NAMES.items():
        # Some schedulers set only RANK and WORLD_SIZE: one process a machine.
        text = environment.get(name, "1" if field == "local_size" else "0")
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise UserError(f"the environment variable {name} is", text, "expected a whole number")
        values[field] = int(text)
    return Seat(**values)
