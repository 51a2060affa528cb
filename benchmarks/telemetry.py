"""What records cost the run: the log phase at many episodes per update, one JSON line per figure.

Episodes are made up, in the shape of the voxel world's (90 feats, 15 measures). Rows are those of a real run's width.

    python benchmarks/telemetry.py --episodes 4096
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from figures import describe

from farlands.agents import AgentConfig, make_agent
from farlands.learning.collect import Collector
from farlands.learning.config import PPOConfig
from farlands.learning.ppo import PPO
from farlands.runtime.alarms import Alarms
from farlands.runtime.episodes import EpisodeWriter, summarise_episodes
from farlands.runtime.events import EventWriter
from farlands.runtime.guard import Guard
from farlands.runtime.metrics import MetricsWriter
from farlands.worlds.reference import CueCorridor
from farlands.worlds.world import Episodes

FEATS = tuple(f"feat_{number}" for number in range(90))
MEASURES = tuple(f"measure_{number}" for number in range(15))


def make_episodes(count: int, seed: int) -> Episodes:
    """Episodes of one update."""
    draw = np.random.default_rng(seed)
    achievements = draw.integers(1, 1000, (count, len(FEATS)))
    achievements[draw.random(achievements.shape) < 0.8] = -1
    return Episodes(
        row=draw.integers(0, 8192, count),
        seed=draw.integers(0, 2**63, count, dtype=np.uint64),
        length=draw.integers(1, 1000, count),
        reward=draw.random(count),
        cause=np.array(["death", "horizon"])[draw.integers(0, 2, count)],
        achievements=achievements,
        measures=draw.random((count, len(MEASURES))),
    )


def milliseconds(action: Callable[[], object]) -> float:
    """Of one call."""
    began = time.perf_counter()
    action()
    return 1e3 * (time.perf_counter() - began)


def measure(count: int, updates: int, directory: Path) -> dict[str, float]:
    """Milliseconds per update of each part of the log phase, medians, and the longest that any took."""
    writer = EpisodeWriter(directory / "episodes", FEATS, MEASURES)
    metrics, alarms, events = MetricsWriter(directory / "metrics.jsonl"), Alarms(), EventWriter(directory / "events")
    spent: dict[str, list[float]] = {name: [] for name in ("add", "summarise", "metrics", "alarms", "events", "all")}
    for update in range(updates):
        episodes = make_episodes(count, update)
        row: dict[str, float] = {f"learn/{number}": 0.5 for number in range(30)}
        row |= {"step": 65536.0 * update, "seconds": float(update), "learn/entropy": 1.0, "learn/grad_norm": 0.3}
        parts = {
            "add": milliseconds(lambda e=episodes, u=update: writer.add(e, u)),
            "summarise": milliseconds(lambda e=episodes, r=row: r.update(summarise_episodes(e, FEATS, MEASURES))),
            "alarms": milliseconds(lambda r=row: alarms.hear(r)),
            "metrics": milliseconds(lambda r=row: metrics.write(r)),
            "events": milliseconds(lambda u=update: events.add("skipped_step", u)),
        }
        for name, value in {**parts, "all": sum(parts.values())}.items():
            spent[name].append(value)
    flush = milliseconds(writer.flush)
    save = milliseconds(lambda: (metrics.flush(), events.flush()))
    metrics.close()
    spent["guard"] = time_guard(updates)
    figures = {f"{name}_median_ms": statistics.median(values) for name, values in spent.items()}
    figures |= {f"{name}_longest_ms": max(values[2:]) for name, values in spent.items()}
    return {**figures, "flush_ms": flush, "save_metrics_and_events_ms": save}


def time_guard(updates: int) -> list[float]:
    """Milliseconds that the NaN guard's look takes, for rollouts of 64 steps of 512 rows, and its judgement."""
    world = CueCorridor(512)
    agent = make_agent(world.spec, AgentConfig())
    learner, collector = PPO(agent, PPOConfig(rollout=64)), Collector(world, agent, 64, seed=1)
    guard = Guard(agent, learner, collector, ["task"])
    collector.start(1)
    rollout, row = collector.collect(), {"step": 1.0}
    given = [rollout.rewards]
    return [milliseconds(lambda: (guard.look(rollout, given), guard.judge(row, rollout))) for _ in range(updates)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=4096, help="that end in an update")
    parser.add_argument("--updates", type=int, default=120)
    arguments = parser.parse_args()
    about = describe()
    with tempfile.TemporaryDirectory() as directory:
        for name, value in measure(arguments.episodes, arguments.updates, Path(directory)).items():
            line = {"name": f"telemetry-{name}", "value": round(value, 3), "episodes": arguments.episodes, **about}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
