"""What a device can do, measured on the spot: memory bandwidth by a large copy, arithmetic by a matrix product."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from farlands.agents.precision import autocast

_COPY = {"cpu": 1 << 26, "cuda": 1 << 30}
"""Bytes copied: more than caches hold, and on a CPU little enough for others at work to leave some copies alone."""
_SIDE = {"cpu": 1024, "cuda": 8192}
"""Rows and columns of the matrices; likewise."""


class Limits(NamedTuple):
    """The most that a device was seen to do.

    Attributes:
        bandwidth: Bytes read and written per second.
        operations: Multiplications and additions per second, of matrix products.
        dtype: Which the matrices had: what agents compute in.
    """

    bandwidth: float
    operations: float
    dtype: str


def probe(device: torch.device, seconds: float = 1.0) -> Limits:
    """Measure a device with the threads that torch has now; the best of what ``seconds`` for each allow.

    Others who use the machine only ever make it slower, so the best is nearest to what it can do.
    """
    return Limits(_copied(device, seconds), *_multiplied(device, seconds))


def _copied(device: torch.device, seconds: float) -> float:
    size = _COPY.get(device.type, 1 << 26)
    source, target = (torch.zeros(size // 4, device=device) for _ in range(2))
    return 2 * size / _best(lambda: target.copy_(source), device, seconds)


def _multiplied(device: torch.device, seconds: float) -> tuple[float, str]:
    dtype, side = matrix_dtype(device), _SIDE.get(device.type, 1024)
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(left)
    best = _best(lambda: torch.mm(left, right, out=out), device, seconds)
    return 2 * side**3 / best, str(dtype).removeprefix("torch.")


def matrix_dtype(device: torch.device) -> torch.dtype:
    """What agents multiply matrices in on a device."""
    with autocast(device):
        enabled = torch.is_autocast_enabled(device.type)
        return torch.get_autocast_dtype(device.type) if enabled else torch.get_default_dtype()


def _best(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Seconds of the quickest of several calls, after one that isn't timed."""
    work()
    wait(device)
    times: list[float] = []
    while not times or (sum(times) < seconds and len(times) < 1000):
        begin = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - begin)
    return min(times)


def wait(device: torch.device) -> None:
    """Until a device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
