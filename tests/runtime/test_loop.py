"""The run loop: what it leaves behind, what users can hang into it, how it is interrupted."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from farlands.cli import main
from farlands.runtime.episodes import read_episodes
from farlands.runtime.metrics import read_metrics
from farlands.runtime.signals import StopRequest

TINY = ["--num-worlds", "8", "--ppo.rollout", "16", "--threads", "1"]


def test_a_run_directory_explains_itself(finished_run):
    names = {path.name.split(".")[0] for path in finished_run.iterdir()}
    assert names >= {
        "README",
        "config",
        "given",
        "versions",
        "metrics",
        "events",
        "episodes",
        "checkpoints",
        "learning_curve",
    }
    readme = (finished_run / "README.txt").read_text()
    assert f"farlands resume {finished_run}" in readme
    assert f"farlands train cue-corridor --run-dir {finished_run}" in readme
    config = json.loads((finished_run / "config.json").read_text())
    assert config["device"] == "cpu"
    assert config["threads"] == 1
    assert config["agent"]["hidden"] == 32, "the recipe named like the world applies"
    given = json.loads((finished_run / "given.json").read_text())
    assert given["config"]["device"] == "auto"
    start = json.loads((finished_run / "versions.json").read_text())[0]
    assert start["versions"]["torch"] != "not installed"
    assert start["machine"]["cores"] >= 1


@pytest.mark.parametrize("recipe", ["demo", "voxel-symbols", "voxel-tasks", "voxel-pixels"])
def test_recipes_train(recipe, tmp_path):
    """One small update with everything else as the recipe has it."""
    run = tmp_path / "run"
    small = ["--num-worlds", "8", "--ppo.rollout", "4", "--threads", "1", "--steps", "32"]
    horizon = "100" if recipe == "voxel-tasks" else "3"  # few tasks fit into three steps
    world = ["--world.horizon", horizon, "--world.task-count", "20"]
    assert main(["train", "voxel", "--recipe", recipe, "--run-dir", str(run), *small, *world]) == 0
    assert read_metrics(run / "metrics.jsonl")[-1]["step"] == 32


def test_a_run_ends_when_its_time_is_used_up(tmp_path, capsys):
    run = tmp_path / "run"
    argv = ["train", "cue-corridor", "--run-dir", str(run), *TINY, "--steps", "1e12", "--seconds", "0.5"]
    assert main(argv) == 0
    rows = read_metrics(run / "metrics.jsonl")
    assert rows[-1]["progress"] == 1.0
    assert rows[-1]["seconds"] >= 0.5 > rows[-2]["seconds"]
    assert rows[-2]["progress"] == pytest.approx(rows[-2]["seconds"] / 0.5)
    rates = [row["learn/learning_rate"] for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < rates[0], "schedules follow the time"
    capsys.readouterr()
    assert main(["resume", str(run)]) == 2
    assert "the run has used its 0.5 s; train on with --seconds" in capsys.readouterr().err
    assert main(["resume", str(run), "--seconds", str(rows[-1]["seconds"] + 0.2)]) == 0


def test_every_update_has_a_row_and_every_episode_too(finished_run):
    rows = read_metrics(finished_run / "metrics.jsonl")
    assert [row["step"] for row in rows] == [128, 256, 384, 512]
    for name in ("learn/policy_loss", "time/collect", "time/learn", "time/save", "steps_per_second", "episode/dropped"):
        assert name in rows[-1]
    table = read_episodes(finished_run / "episodes")
    assert table.num_rows == sum(row["episode/count"] for row in rows) > 20
    lengths, steps = table["length"].to_pylist(), 512
    assert steps - 8 * 12 < sum(lengths) <= steps, "all steps but those of unfinished episodes are accounted for"
    assert len(set(table["seed"].to_pylist())) == table.num_rows


def test_callbacks_see_the_run_and_can_end_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(
        "import json\n"
        "def stop_soon(context):\n"
        "    assert context.rollout.rewards.shape == (16, 8)\n"
        "    if context.updates == 2:\n"
        "        context.stop()\n"
        "class Counter:\n"
        "    def __init__(self):\n"
        "        self.calls = []\n"
        "    def on_start(self, context):\n"
        "        self.calls.append('start')\n"
        "    def on_update(self, context):\n"
        "        self.calls.append(context.metrics['step'])\n"
        "    def on_save(self, context):\n"
        "        self.calls.append('save')\n"
        "    def on_end(self, context):\n"
        "        (context.run_dir / 'calls.json').write_text(json.dumps(self.calls))\n"
        "    def state_dict(self):\n"
        "        return {'calls': self.calls}\n"
        "    def load_state_dict(self, state):\n"
        "        self.calls = state['calls']\n"
    )
    flags = ["--steps", "1280", "--run-dir", "run", "--callbacks", "mine.py:stop_soon", "mine.py:Counter"]
    assert main(["train", "cue-corridor", *TINY, *flags]) == 0
    assert json.loads(Path("run/calls.json").read_text()) == ["start", 128, 256, "save"]
    monkeypatch.chdir("/")
    assert main(["resume", str(tmp_path / "run"), "--steps", "384"]) == 0
    calls = json.loads((tmp_path / "run/calls.json").read_text())
    assert calls == ["start", 128, 256, "start", 384, "save"], "files are found from anywhere and states are kept"


def test_reward_sources_take_part(tmp_path):
    run = tmp_path / "run"
    assert (
        main(["train", "cue-corridor", *TINY, "--steps", "256", "--run-dir", str(run), "--rewards.sources", "rnd"]) == 0
    )
    row = read_metrics(run / "metrics.jsonl")[-1]
    assert any(name.startswith("reward/RND/") for name in row)


def test_an_earlier_checkpoint_can_be_gone_back_to(finished_run, tmp_path):
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert main(["resume", str(run), "--checkpoint", "step-000000000256", "--steps", "384"]) == 0
    assert [row["step"] for row in read_metrics(run / "metrics.jsonl")] == [128, 256, 384]
    assert (run / "checkpoints" / "latest").read_text() == "step-000000000384\n"
    assert not (run / "checkpoints" / "step-000000000512").exists()
    assert len(json.loads((run / "versions.json").read_text())) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_save_and_say_how_to_go_on(tmp_path, number):
    run = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "farlands",
        "train",
        "cue-corridor",
        *TINY,
        "--steps",
        "1e9",
        "--run-dir",
        str(run),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not (run / "metrics.jsonl").exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == {signal.SIGTERM: 75, signal.SIGINT: 130}[number], err
    rows = read_metrics(run / "metrics.jsonl")
    assert f"interrupted and saved at step {rows[-1]['step']:,}; go on with: farlands resume {run}" in out
    assert (run / "checkpoints" / "latest").read_text() == f"step-{rows[-1]['step']:012d}\n"
    assert err == ""


def test_handlers_are_put_back(monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        assert signal.getsignal(signal.SIGINT) != before
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        assert stop.signal == signal.SIGINT, "what a launcher passes on is the same request once more"
        monkeypatch.setattr(stop, "_TOGETHER", 0.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == before
