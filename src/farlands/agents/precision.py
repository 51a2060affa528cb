"""The precision agents compute in."""

from __future__ import annotations

import torch


def autocast(device: torch.device) -> torch.autocast:
    """bfloat16 matrix products on a GPU; float32 on a CPU, where runs must repeat bit for bit."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")
