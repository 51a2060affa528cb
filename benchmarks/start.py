"""How soon things begin (S10): `--help`, the first frame with cached kernels, the first launch ever.

python benchmarks/start.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from figures import record

FRAME = """
from farlands.worlds.voxel.options import PIXELS, VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld
world = VoxelWorld(4, VoxelOptions(senses=PIXELS))
world.reset(0)
"""
FIRST = """
from farlands.worlds.voxel.options import SENSES, VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld
import torch
world = VoxelWorld(4, VoxelOptions(senses=SENSES))
world.reset(0)
world.step(torch.zeros(4, dtype=torch.int32))
"""


def seconds(command: list[str], **environment: str) -> float:
    """Wall time of a process that must succeed."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environment})
    return time.perf_counter() - begin


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    keep = parser.parse_args().keep
    python = sys.executable
    record("S10-help", statistics.median(seconds([python, "-m", "farlands", "--help"]) for _ in range(5)), keep=keep)
    with tempfile.TemporaryDirectory() as cache:
        record("S10-first", seconds([python, "-c", FIRST], WARP_CACHE_PATH=cache), keep=keep)
        record("S10-warm", seconds([python, "-c", FRAME], WARP_CACHE_PATH=cache), keep=keep)


if __name__ == "__main__":
    main()
