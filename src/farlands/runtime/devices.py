"""Which device and how many threads, as asked for on the command line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from farlands.errors import UserError
from farlands.runtime.machine import usable_cores
from farlands.runtime.seat import Seat

if TYPE_CHECKING:
    import torch


def resolve_device(text: str, seat: Seat = Seat()) -> torch.device:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``cuda:N`` means on this machine, to one of several processes.

    Raises:
        UserError: It is none of these, or there is no such GPU; or several processes do not have one each.
    """
    import torch

    match = re.fullmatch(r"(auto|cpu)|cuda(?::(\d{1,4}))?", text)
    if not match:
        raise UserError("unknown device", text, ["auto", "cpu", "cuda", "cuda:0"])
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if match[1] == "cpu" or (match[1] == "auto" and count == 0):
        return torch.device("cpu")
    if seat.local_size > 1:
        if seat.local_size > count:
            raise UserError(f"{seat.local_size} processes need a GPU each; there are", count, "use --device cpu")
        return torch.device("cuda", seat.local_rank)
    index = int(match[2] or 0)
    if index >= count:
        seen = f"torch {torch.__version__} sees {count or 'no'} GPU{'' if count == 1 else 's'}"
        raise UserError("no such device", text, f"{seen}; use --device cpu")
    return torch.device("cuda", index)


def resolve_threads(threads: int, processes: int = 1) -> int:
    """Number of CPU threads; for 0 one per usable core, shared out among the processes of this machine."""
    return threads or max(1, usable_cores() // processes)
