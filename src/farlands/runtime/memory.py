"""Memory of the process over time, and whether it grows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np


def resident_bytes() -> int:
    """What the process holds in memory, where the system tells (Linux); 0 elsewhere."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def robust_slope(x: Sequence[float], y: Sequence[float], most: int = 400) -> float:
    """Median of the slopes between all pairs of points (Theil 1950, Sen 1968), which three points in ten cannot bend.

    Args:
        x, y: Coordinates, at least two different x.
        most: Points used, evenly spread; pairs are their number squared.

    Raises:
        ValueError: There are fewer.
    """
    index = np.unique(np.linspace(0, len(x) - 1, min(len(x), most)).astype(int)) if len(x) else []
    points = np.asarray(x, dtype=np.float64)[index], np.asarray(y, dtype=np.float64)[index]
    across, up = (values[None, :] - values[:, None] for values in points)
    pairs = across > 0
    if not pairs.any():
        raise ValueError(f"{len(x)} points; a slope needs two with different x")
    return float(np.median(up[pairs] / across[pairs]))
