"""Actors apart from the learner against all in one process, on slow simulators, at equal steps.

    python benchmarks/actors.py                                    # both worlds, five seeds, kept in results.jsonl
    python benchmarks/actors.py --worlds SlowCorridor --seeds 3 --no-keep

Worlds are those of benchmarks/slow_worlds.py: a step of one world takes a quarter or half of a millisecond, and worlds
of one process step one after another. They sleep meanwhile, so that actors gain here even where there are fewer cores
than actors; a simulator that computes needs a core for each. Variants:

    ppo       64 worlds in the learner's process
    impala    the same with the learner that actors need
    actors    four actors of 16 worlds on a Ray cluster of four nodes on this machine
    elastic   the same, and a node is removed after a quarter, half and three quarters of the steps; each time another
              is added once the run has gone on without it

The final return is the mean over the training episodes of the last tenth of the steps. Intervals are 95 % bootstrap
intervals over seeds. Speed is steps over seconds from the first update to the last.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from figures import record

from farlands.config import anchored
from farlands.evaluation.statistics import bootstrap_interval, difference_interval
from farlands.recipes import read_train_flags
from farlands.runtime.display import LineDisplay
from farlands.runtime.episodes import read_episodes
from farlands.runtime.metrics import read_metrics
from farlands.runtime.session import carry, start
from farlands.runtime.signals import StopRequest


@dataclass(frozen=True)
class Task:
    """How a world is trained in.

    Attributes:
        steps: Of a run.
        minibatches: Of each of two passes over a rollout.
        delay: Milliseconds that a step of one world takes.
    """

    steps: int
    minibatches: int
    delay: float


WORLDS = {"SlowCorridor": Task(61_440, 2, 0.5), "SlowReach": Task(163_840, 4, 0.25)}
VARIANTS = ("ppo", "impala", "actors", "elastic")
ACTORS = 4
_BASE = ("--num-worlds", "64", "--threads", "1", "--agent.hidden", "32", "--agent.perception-layers", "0")
_SOON = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


class Chaos:
    """Takes nodes away from a cluster as a run goes on, and brings others.

    Args:
        cluster: Its nodes.
    """

    def __init__(self, cluster: Any) -> None:
        self.cluster, self.shares, self.without = cluster, [0.25, 0.5, 0.75], 0

    def __call__(self, row: dict[str, float]) -> None:
        """After an update with these figures."""
        nodes = self.cluster.nodes_of_actors
        if self.shares and row["progress"] >= self.shares[0]:
            self.shares.pop(0)
            self.cluster.remove_node(nodes.pop(0), allow_graceful=False)
        self.without = self.without + 1 if len(nodes) < ACTORS and row["actors/alive"] < ACTORS else 0
        if self.without >= 3:
            nodes.append(self.cluster.add_node(num_cpus=1))


@contextlib.contextmanager
def ray_cluster() -> Iterator[Any]:
    """A Ray cluster on this machine: a head without cores, and a node of one core for each actor."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "_system_config": _SOON}
    cluster: Any = Cluster(initialize_head=True, head_node_args=head)
    cluster.nodes_of_actors = [cluster.add_node(num_cpus=1) for _ in range(ACTORS)]
    try:
        yield cluster
    finally:
        cluster.shutdown()


def flags(variant: str, task: Task, seed: int, directory: Path, cluster: Any) -> list[str]:
    learner = "ppo" if variant == "ppo" else "impala"
    settings = {"rollout": 16, "epochs": 2, "minibatches": task.minibatches, "learning-rate": 3e-3}
    given = [*_BASE, "--steps", str(task.steps), "--world.delay", str(task.delay), "--seed", str(seed)]
    given += ["--run-dir", str(directory), "--learner", learner]
    for name, value in settings.items():
        given += [f"--{learner}.{name}", str(value)]
    if variant in ("actors", "elastic"):
        given += ["--actors.count", str(ACTORS), "--actors.address", cluster.address]
    return given


def train(world: str, given: list[str], act: Callable[[dict[str, float]], None] | None) -> None:
    """One run; ``act`` is called after every update."""
    reference = f"{Path(__file__).parent / 'slow_worlds.py'}:{world}"
    config = anchored(read_train_flags(reference, given))
    with contextlib.redirect_stdout(io.StringIO()), StopRequest() as stop:
        run = start(config, ["farlands", "train", reference, *given], LineDisplay(io.StringIO()), stop)
        if act:
            tell = run.announce

            def announce(event: str, context: Any) -> None:
                tell(event, context)
                if event == "on_update":
                    act(context.metrics)

            run.announce = announce  # type: ignore[method-assign]
        carry(run)


def measure(directory: Path) -> dict[str, float]:
    """Final return, speed, and where there are actors their figures."""
    rows = read_metrics(directory / "metrics.jsonl")
    table = read_episodes(directory / "episodes", ["step", "reward"])
    late = table["step"].to_numpy() > 0.9 * rows[-1]["step"]
    first, last = rows[0], rows[-1]
    found = {
        "return": float(table["reward"].to_numpy()[late].mean()),
        "steps_per_second": (last["step"] - first["step"]) / (last["seconds"] - first["seconds"]),
        "first_update_seconds": first["seconds"],
    }
    if "actors/alive" in last:
        found["staleness"] = float(np.mean([row["actors/staleness"] for row in rows]))
        found["staleness_max"] = max(row["actors/staleness_max"] for row in rows)
        found["alive_least"] = min(row["actors/alive"] for row in rows)
        found |= {name: last[f"actors/{name}"] for name in ("alive", "lost", "failed", "dropped")}
    return found


def compare(world: str, runs: dict[str, list[dict[str, float]]], keep: bool) -> None:
    """One figure for each variant, held against the synchronous ones."""
    returns = {variant: np.array([run["return"] for run in found]) for variant, found in runs.items()}
    for variant, found in runs.items():
        estimate = bootstrap_interval(returns[variant])
        details: dict[str, Any] = {
            "world": world,
            **dataclasses.asdict(WORLDS[world]),
            "seeds": len(found),
            "returns": [round(float(value), 4) for value in returns[variant]],
            "low": round(estimate.low, 4),
            "high": round(estimate.high, 4),
        }
        names = [name for name in found[0] if name != "return"]
        details |= {name: round(float(np.mean([run[name] for run in found])), 2) for name in names}
        for other in ("ppo", "impala"):
            if variant in ("actors", "elastic") and other in runs:
                within = bootstrap_interval(returns[other])
                gap = difference_interval(returns[variant], returns[other])
                details[f"within_{other}"] = bool(within.low <= estimate.value <= within.high)
                details[f"difference_to_{other}"] = [round(each, 4) for each in (gap.value, gap.low, gap.high)]
        record(f"actors-return-{variant}-{world}", estimate.value, keep=keep, **details)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="*", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--keep", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    needed = {"actors", "elastic"} & set(arguments.variants)
    with tempfile.TemporaryDirectory() as folder, ray_cluster() if needed else contextlib.nullcontext() as cluster:
        for world in arguments.worlds:
            runs: dict[str, list[dict[str, float]]] = {variant: [] for variant in arguments.variants}
            for seed in range(1, arguments.seeds + 1):
                for variant in arguments.variants:
                    directory = Path(folder) / f"{world}-{variant}-{seed}"
                    given = flags(variant, WORLDS[world], seed, directory, cluster)
                    train(world, given, Chaos(cluster) if variant == "elastic" else None)
                    runs[variant].append(measure(directory))
            compare(world, runs, arguments.keep)


if __name__ == "__main__":
    main()
