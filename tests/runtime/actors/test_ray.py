"""Actors on a Ray cluster of several nodes, on this one machine: nodes go and come, processes die, worlds raise."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from farlands.cli import main
from farlands.config import anchored
from farlands.errors import UserError
from farlands.recipes import read_train_flags
from farlands.runtime.display import LineDisplay
from farlands.runtime.episodes import read_episodes
from farlands.runtime.metrics import read_metrics
from farlands.runtime.session import carry, start
from farlands.runtime.signals import StopRequest

pytest.importorskip("ray", reason="needs farlands[distributed]")
pytestmark = pytest.mark.filterwarnings("ignore")

MINE = """
import os
import time
from pathlib import Path
from farlands.worlds.reference import CueCorridor

HERE = Path(__file__).parent

class Slow(CueCorridor):
    \"\"\"Leaves its process's id once it has delivered rollouts, waits a little, and raises where a file says so.\"\"\"

    steps = 0

    def step(self, actions, out=None):
        time.sleep(0.005)
        self.steps += 1
        if self.steps == 100:
            (HERE / f"process-{os.getpid()}").touch()
        if (HERE / "raise").exists():
            raise ValueError("the corridor caved in")
        return super().step(actions, out)
"""
SETTLED = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 300,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}
"""How soon a cluster takes a silent node for dead."""


@pytest.fixture(scope="module")
def cluster():
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, "_system_config": SETTLED}
    )
    made.nodes = [made.add_node(num_cpus=1) for _ in range(2)]
    yield made
    made.shutdown()


@pytest.fixture
def world(tmp_path) -> Path:
    (tmp_path / "mine.py").write_text(MINE)
    return tmp_path


def train(world: Path, cluster, act, capsys, *flags: str) -> tuple[int, list[dict[str, float]], str]:
    """Exit code, figures of all updates, and what was said."""
    given = [
        "--learner", "impala", "--num-worlds", "16", "--impala.rollout", "16", "--threads", "1", "--agent.hidden", "32",
        "--impala.learning-rate", "5e-3", "--actors.count", "2", "--actors.address", cluster.address,
        "--run-dir", str(world / "run"), *flags,
    ]  # fmt: skip
    config = anchored(read_train_flags(f"{world}/mine.py:Slow", given))
    rows: list[dict[str, float]] = []

    def announce(event, context):
        if event == "on_update":
            assert context.rollout.rewards.shape == (16, 16)
            rows.append(dict(context.metrics))
            act(context)

    capsys.readouterr()
    with StopRequest() as stop:
        run = start(config, ["farlands", "train"], LineDisplay(sys.stdout), stop)
        run.announce = announce  # a callback's state would be looked for on resume
        code = carry(run)
    return code, rows, capsys.readouterr().out


def test_a_node_goes_another_comes_and_the_return_is_reached(world, cluster, capsys):
    def act(context):
        alive, lost = (context.metrics[f"actors/{name}"] for name in ("alive", "lost"))
        if context.updates == 6:
            cluster.remove_node(cluster.nodes.pop(), allow_graceful=False)
        elif lost and len(cluster.nodes) < 2:
            cluster.nodes.append(cluster.add_node(num_cpus=1))
        elif lost and alive == 2 and context.metrics.get("episode/return", 0.0) > 0.9:
            context.stop()

    code, rows, said = train(world, cluster, act, capsys, "--steps", "76800", "--seconds", "90")
    assert code == 0
    alive = [row["actors/alive"] for row in rows]
    assert 1.0 in alive, "training went on with one"
    assert alive[-1] == 2.0, "the count recovered"
    assert rows[-1]["actors/lost"] == 1.0
    assert rows[-1]["actors/failed"] == 0.0
    assert max(row["actors/staleness_max"] for row in rows) <= 8
    assert rows[-1]["episode/return"] > 0.9
    assert [row["step"] for row in rows] == [256 * (n + 1) for n in range(len(rows))]
    assert "was lost: its machine left the cluster; another takes its place" in said
    assert "raylet" not in said
    table = read_episodes(world / "run" / "episodes")
    seeds = table["seed"].to_pylist()
    assert len(set(seeds)) == len(seeds), "no level comes twice"
    assert set(table["row"].to_pylist()) == set(range(16))


def test_a_killed_process_is_replaced_a_raising_world_ends_the_run_and_resume_goes_on(world, cluster, capsys):
    rows, killed = [], []

    def act(context):
        rows.append(context.metrics)
        proven = [int(path.name.partition("-")[2]) for path in world.glob("process-*")]
        if proven and not killed:
            assert signal.getsignal(signal.SIGTERM).__name__ == "_receive", "Ray has not taken the run's signals over"
            killed.append(proven[0])
            os.kill(proven[0], signal.SIGKILL)
        elif context.metrics["actors/lost"] and context.metrics["actors/alive"] == 2:
            (world / "raise").touch()

    with pytest.raises(
        UserError, match=r"actor . failed once .*, the last time with: ValueError: the corridor caved in"
    ):
        train(world, cluster, act, capsys, "--steps", "1e6", "--seconds", "90", "--actors.restarts", "0")
    said = capsys.readouterr().out
    assert "was lost: its process died; another takes its place" in said
    assert said.count("ValueError: the corridor caved in") == 1
    assert "mine.py" in (world / "run" / "failures.log").read_text(), "the traceback is kept"
    assert (rows[-1]["actors/lost"], rows[-1]["actors/failed"], rows[-1]["actors/alive"]) == (1.0, 0.0, 2.0)
    names = [path.name for path in (world / "run" / "checkpoints").glob("step-*")]
    assert names == [f"step-{int(rows[-1]['step']):012d}"], "what was learned is saved"

    before = read_episodes(world / "run" / "episodes")["seed"].to_pylist()
    (world / "raise").unlink()
    goal = str(int(rows[-1]["step"]) + 1024)
    assert main(["resume", str(world / "run"), "--steps", goal, "--ray-address", cluster.address]) == 0
    resumed = read_metrics(world / "run" / "metrics.jsonl")
    assert [row["update"] for row in resumed] == list(range(1, len(rows) + 5))
    assert resumed[-1]["actors/lost"] == 2.0, "counts go on"
    seeds = read_episodes(world / "run" / "episodes")["seed"].to_pylist()
    assert len(set(seeds)) == len(seeds) > len(before), "no level comes twice"
