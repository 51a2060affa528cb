"""What work costs: seconds, and joules where NVIDIA's management library can tell."""

from __future__ import annotations

import importlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import torch


class Cost(NamedTuple):
    """Seconds, and joules of a GPU; None where they can't be told."""

    seconds: float
    joules: float | None


def total_cost(costs: Sequence[Cost]) -> Cost:
    """Of processes that worked side by side: the longest time, and all energy where every one could tell its own."""
    joules = [cost.joules for cost in costs]
    known = all(each is not None for each in joules)
    return Cost(max(cost.seconds for cost in costs), sum(each or 0.0 for each in joules) if known else None)


class Meter:
    """Time and GPU energy since it was made.

    Args:
        device: What is measured; only GPUs tell their energy, and only with nvidia-ml-py installed.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._began, self._joules = time.monotonic(), _read_joules(device)
        self._lap = Cost(0.0, 0.0)

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._began

    @property
    def joules(self) -> float | None:
        """Of the whole GPU since this was made, whoever else uses it; None where it can't be told."""
        now = _read_joules(self._device)
        return None if now is None or self._joules is None else now - self._joules

    def lap(self) -> Cost:
        """What was spent since the lap before, or since this was made."""
        now, before = Cost(self.seconds, self.joules), self._lap
        self._lap = now
        known = now.joules is not None and before.joules is not None
        return Cost(now.seconds - before.seconds, now.joules - before.joules if known else None)


def _read_joules(device: torch.device) -> float | None:
    """A GPU's energy counter; None for a CPU, without the library, or where the GPU has no counter."""
    if device.type != "cuda":
        return None
    try:
        pynvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    import torch

    try:
        pynvml.nvmlInit()
        # NVML counts all GPUs of the machine, torch those it may use: only the UUID means the same to both.
        uuid = torch.cuda.get_device_properties(device).uuid
        return pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")) / 1000.0
    except (pynvml.NVMLError, AttributeError):
        return None
