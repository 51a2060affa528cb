"""What the generated land is made of, over many seeds: biomes, caves, ores by depth, diamonds near the start.

    python benchmarks/land.py --seeds 1000 --write docs/land.md

Prints one JSON line per figure, and exits 1 if an ore strays more than 20 % from its documented density.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import warp as wp

from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.generation.terrain import Biome
from farlands.worlds.voxel.options import HEIGHT, VoxelOptions
from farlands.worlds.voxel.state import Clock
from farlands.worlds.voxel.world import VoxelWorld

ORES = ("coal_ore", "iron_ore", "gold_ore", "diamond_ore")
BANDS = ((0, 8), (8, 16), (16, 24), (24, 32), (32, 48))
REACH = 60
DENSITY = {
    "coal_ore": (8, 48, 7.9), "iron_ore": (8, 32, 6.4), "gold_ore": (0, 16, 2.5), "diamond_ore": (0, 16, 1.5),
}  # fmt: skip
"""The documented spec: between two heights, cells of ore per 1,000 cells of rock (stone and ores)."""
TOLERANCE = 0.2


def column_biomes(world: VoxelWorld) -> np.ndarray:
    """int64 ``[W, 64, 64]`` biome of every column, from the relief lattice."""
    relief = world._launcher.lattice.relief.numpy()
    across = int(np.sqrt(relief.shape[1]))
    grid = relief.reshape(len(relief), across, across, -1)
    steps = np.arange(0, (across - 1) * 4) / 4
    low = np.floor(steps).astype(int)
    part = steps - low
    rows = grid[:, low] * (1 - part)[None, :, None, None] + grid[:, low + 1] * part[None, :, None, None]
    full = rows[:, :, low] * (1 - part)[None, None, :, None] + rows[:, :, low + 1] * part[None, None, :, None]
    height, temperature, humidity, rugged = (full[..., k] for k in range(4))
    conditions = [
        height < 31.0, rugged > 0.4, temperature < -0.4, (temperature > 0.25) & (humidity < 0.05), humidity > -0.1,
    ]  # fmt: skip
    choices = [Biome.OCEAN, Biome.MOUNTAINS, Biome.SNOW, Biome.DESERT, Biome.FOREST]
    return np.select(conditions, [int(c) for c in choices], int(Biome.PLAINS))


def diamonds_in_reach(blocks: np.ndarray, start: np.ndarray) -> int:
    """Least number of cells to walk or dig from the start to a diamond, in the city-block metric; large if none."""
    cells = np.argwhere(blocks == BLOCK_ID["diamond_ore"])
    return int(np.abs(cells - start).sum(axis=1).min()) if len(cells) else 10**6


def measure(seeds: int, batch: int = 50) -> dict[str, float]:
    """All figures over ``seeds`` levels."""
    world = VoxelWorld(batch, VoxelOptions())
    biomes: Counter[int] = Counter()
    under = caves = 0
    ore_cells = np.zeros((len(ORES), len(BANDS)))
    rock_cells = np.zeros(len(BANDS))
    nearest: list[int] = []
    dry_starts = trees_near = 0
    for first in range(0, seeds, batch):
        world.reset([first + k + 10**6 for k in range(batch)])
        blocks = wp.to_torch(world.state.blocks).numpy().reshape(batch, 64, 64, HEIGHT)
        tops = wp.to_torch(world.state.tops).numpy().reshape(batch, 64, 64).astype(int)
        clock = wp.to_torch(world.state.clock).numpy()
        biomes.update(column_biomes(world).ravel().tolist())
        z = np.arange(HEIGHT)
        below = z[None, None, None] < (tops[..., None] - 6)
        under += int(below.sum())
        caves += int((below & ((blocks == 0) | (blocks == BLOCK_ID["lava"]))).sum())
        for band, (low, high) in enumerate(BANDS):
            part = blocks[..., low:high]
            rock_cells[band] += np.isin(part, [BLOCK_ID[b] for b in ("stone", *ORES)]).sum()
            for k, ore in enumerate(ORES):
                ore_cells[k, band] += (part == BLOCK_ID[ore]).sum()
        for w in range(batch):
            start = np.array([clock[Clock.START_X, w], clock[Clock.START_Y, w], clock[Clock.START_Z, w]])
            index = np.array([start[0] & 63, start[1] & 63, start[2]])
            origin = np.array([clock[Clock.ORIGIN_X, w] & 63, clock[Clock.ORIGIN_Y, w] & 63])
            turned = np.roll(blocks[w], (-origin[0], -origin[1]), axis=(0, 1))
            at = np.array([(index[0] - origin[0]) & 63, (index[1] - origin[1]) & 63, index[2]])
            nearest.append(diamonds_in_reach(turned, at))
            dry_starts += int(turned[at[0], at[1], at[2]] != BLOCK_ID["water"])
            patch = turned[max(at[0] - 6, 0) : at[0] + 7, max(at[1] - 6, 0) : at[1] + 7, at[2] : at[2] + 4]
            trees_near += int(np.isin(patch, [BLOCK_ID["oak_log"], BLOCK_ID["spruce_log"]]).any())
    columns = sum(biomes.values())
    figures = {f"biome_{Biome(b).name.lower()}": n / columns for b, n in sorted(biomes.items())}
    figures["cave_fraction"] = caves / under
    for k, ore in enumerate(ORES):
        for band, (low, high) in enumerate(BANDS):
            figures[f"{ore}_per_1000_rock_z{low}_{high}"] = 1000 * ore_cells[k, band] / rock_cells[band]
        figures[f"{ore}_per_world"] = float(ore_cells[k].sum()) / seeds
    figures["diamond_within_60"] = float(np.mean(np.array(nearest) <= REACH))
    figures["diamond_nearest_median"] = float(np.median(nearest))
    figures["start_dry"] = dry_starts / seeds
    figures["tree_within_6_of_start"] = trees_near / seeds
    return figures


def ore_error(figures: dict[str, float], ore: str) -> float:
    """Largest relative distance of an ore's bands from its spec."""
    low, high, spec = DENSITY[ore]
    bands = [(a, b) for a, b in BANDS if low <= a and b <= high]
    return max(abs(figures[f"{ore}_per_1000_rock_z{a}_{b}"] / spec - 1) for a, b in bands)


def document(figures: dict[str, float], seeds: int) -> str:
    """The page docs/land.md."""
    lines = [
        "# The land, measured", "",
        f"Over {seeds} levels, by `python benchmarks/land.py --seeds {seeds} --write docs/land.md`.", "",
        "| biome | share of columns |", "|---|---|",
        *(f"| {n[6:]} | {v:.1%} |" for n, v in figures.items() if n.startswith("biome_")), "",
        f"Caves take {figures['cave_fraction']:.1%} of what lies more than six blocks under the surface. "
        f"{figures['start_dry']:.1%} of starts are dry, {figures['tree_within_6_of_start']:.1%} have a tree within "
        f"six blocks. A diamond lies within {REACH} blocks (city-block) of the start in "
        f"{figures['diamond_within_60']:.1%} of levels, the nearest at {figures['diamond_nearest_median']:.0f} in "
        "the median.",
        "",
        "Cells of ore per 1,000 cells of rock, by height:", "",
        "| ore | spec | " + " | ".join(f"z {a} to {b - 1}" for a, b in BANDS) + " | cells a level |",
        "|---|---|" + "---|" * (len(BANDS) + 1),
    ]  # fmt: skip
    for ore, (low, high, spec) in DENSITY.items():
        cells = " | ".join(f"{figures[f'{ore}_per_1000_rock_z{a}_{b}']:.2f}" for a, b in BANDS)
        lines.append(f"| {ore} | {spec} for z {low} to {high - 1} | {cells} | {figures[f'{ore}_per_world']:.0f} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    figures = measure(arguments.seeds)
    for name, value in figures.items():
        print(json.dumps({"name": name, "value": round(value, 4)}))
    if arguments.write:
        arguments.write.write_text(document(figures, arguments.seeds))
    return int(any(ore_error(figures, ore) > TOLERANCE for ore in DENSITY))


if __name__ == "__main__":
    sys.exit(main())
