from __future__ import annotations

import numpy as np
import pytest

from farlands.evaluation.metrics import Scale
from farlands.worlds.world import Episodes, Measure

SCALE = Scale(achievements=("log", "table", "pickaxe", "diamond"), depths=(1, 3, 5, 11), goal="diamond", horizon=100,
    measures=(Measure("distance", "blocks"),),
)  # fmt: skip


def make_episodes(rows: list[tuple[int, float, str, tuple[int, int, int, int]]]) -> Episodes:
    """Episodes from (length, reward, cause, unlock steps), one row each."""
    length, reward, cause, unlocked = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Episodes(
        row=np.arange(len(rows)),
        seed=np.arange(len(rows), dtype=np.uint64) + np.uint64(2**63),
        length=np.array(length, dtype=np.int64),
        reward=np.array(reward, dtype=np.float64),
        cause=np.array(cause, dtype=object),
        achievements=np.array(unlocked, dtype=np.int64).reshape(len(rows), 4),
        measures=2.5 * np.array(length, dtype=np.float64)[:, None],
    )


def random_episodes(count: int, seed: int = 0, lift: float = 0.0) -> Episodes:
    """Episodes of an agent whose achievements rest on each other."""
    generator = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        length = int(generator.integers(20, 101))
        depth = min(4, int(generator.geometric(0.5)) - 1)
        steps = np.sort(generator.choice(np.arange(1, length + 1), size=4, replace=False))
        unlocked = tuple(int(step) if k < depth else -1 for k, step in enumerate(steps))
        cause = "goal" if depth == 4 else "horizon" if length == 100 else str(generator.choice(["fall", "lava"]))
        rows.append((length, depth + lift + generator.normal(0, 0.1), cause, unlocked))
    return make_episodes(rows)


@pytest.fixture
def few() -> Episodes:
    return make_episodes(
        [
            (100, 2.0, "horizon", (10, 40, -1, -1)),
            (50, 1.0, "fall", (20, -1, -1, -1)),
            (80, 9.0, "goal", (5, 10, 30, 80)),
            (25, -1.0, "lava", (-1, -1, -1, -1)),
        ]
    )
