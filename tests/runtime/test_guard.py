"""The NaN guard: nothing that is not finite reaches the parameters, and what it was can be found out."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from farlands.agents import make_agent
from farlands.agents.config import AgentConfig
from farlands.cli import main
from farlands.learning.collect import Collector
from farlands.learning.config import PPOConfig
from farlands.learning.normalise import RunningMoments, ValueNormaliser
from farlands.learning.optimisation import gradient_norm, step_if_finite
from farlands.learning.ppo import PPO
from farlands.rewards.source import TaskReward, combine_rewards, source_rewards
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.dumps import MOST_DUMPS, list_dumps, read_dump
from farlands.runtime.events import read_events
from farlands.runtime.findings import extremes, find_all
from farlands.runtime.guard import FLAG, Guard
from farlands.runtime.metrics import read_metrics
from farlands.worlds.reference import CueCorridor

TINY = ["--num-worlds", "8", "--ppo.rollout", "16", "--threads", "1"]
BAD = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("value", BAD)
def test_a_step_left_out_changes_nothing(value):
    layer = nn.Linear(4, 3)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.1, fused=True)
    for _ in range(2):
        layer(torch.randn(5, 4)).square().mean().backward()
        assert step_if_finite(optimiser, gradient_norm(layer.parameters())) == 0
    parameters = [parameter.detach().clone() for parameter in layer.parameters()]
    moments = [{name: held.clone() for name, held in optimiser.state[p].items()} for p in layer.parameters()]
    layer.weight.grad[1, 2] = value
    assert step_if_finite(optimiser, gradient_norm(layer.parameters())) == 1
    for parameter, before, held in zip(layer.parameters(), parameters, moments, strict=True):
        assert torch.equal(parameter, before)
        assert all(torch.equal(optimiser.state[parameter][name], moment) for name, moment in held.items())
    layer.weight.grad[1, 2] = 1.0
    assert step_if_finite(optimiser, gradient_norm(layer.parameters())) == 0
    assert optimiser.state[layer.weight]["step"] == 3, "the next good step is taken, and counted"
    assert not torch.equal(layer.weight, parameters[0])


def test_only_fused_optimisers_can_leave_steps_out():
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="not fused"):
        step_if_finite(torch.optim.SGD(layer.parameters(), lr=0.1), torch.tensor(1.0))


@pytest.mark.parametrize("value", BAD)
def test_normalisers_take_all_or_nothing(value):
    normaliser, moments = ValueNormaliser(2), RunningMoments((2,))
    samples = torch.randn(4, 3, 2)
    for first in (True, False):
        before = normaliser.state_dict(), moments.state_dict()
        bad = samples.clone()
        bad[1, 1, 0] = value
        scale, shift = normaliser.update(bad)
        moments.update(bad.flatten(0, 1))
        assert scale.tolist() == [1, 1], first
        assert shift.tolist() == [0, 0]
        for now, then in zip((normaliser.state_dict(), moments.state_dict()), before, strict=True):
            assert all(torch.equal(now[name], then[name]) for name in then)
        normaliser.update(samples)
        moments.update(samples.flatten(0, 1))
        assert not torch.equal(normaliser.moments, before[0]["moments"])


@pytest.mark.parametrize("value", BAD)
def test_extremes_tell_anything_that_is_not_finite(value):
    tensors = [torch.randn(3, 4), torch.randn(5)]
    assert extremes(tensors).isfinite().all()
    tensors[1][3] = value
    assert not extremes(tensors).isfinite().all()


class Small:
    """A run's learning parts, small, without the run."""

    def __init__(self, policy="skip", patience=3):
        torch.manual_seed(0)
        self.world = CueCorridor(4)
        self.agent = make_agent(self.world.spec, AgentConfig(hidden=16))
        self.learner = PPO(self.agent, PPOConfig(rollout=8, epochs=1, minibatches=2))
        self.collector = Collector(self.world, self.agent, 8, seed=1)
        self.collector.start(1)
        self.sources = [TaskReward(self.world.spec)]
        self.guard = Guard(self.agent, self.learner, self.collector, ["task"], policy, patience)
        self.guard.begin()
        self.updates = 0

    def update(self, spoil=None):
        """One update; ``spoil`` may change the rollout after it was collected."""
        rollout = self.collector.collect()
        if spoil:
            spoil(rollout)
        given = source_rewards(self.sources, rollout)
        figures = self.learner.update(rollout, combine_rewards(self.sources, given), 0.0)
        self.updates += 1
        row = {f"learn/{name}": float(value) for name, value in figures.items()}
        row |= {name: float(value) for name, value in self.guard.look(rollout, given).items()}
        row |= {"step": 32 * self.updates, "update": self.updates}
        return row, self.guard.judge(row, rollout)

    def parameters(self):
        return [parameter.detach().clone() for parameter in self.agent.parameters()]


def spoil(name, t, row, value=math.nan):
    def change(rollout):
        tensor = rollout.steps.reward[1:] if name == "rewards" else getattr(rollout, name)
        tensor[t, row] = value

    return change


def test_calm_updates_leave_no_trouble():
    small = Small()
    for _ in range(3):
        row, trouble = small.update()
        assert trouble is None
        assert row[FLAG] == row["learn/skipped_steps"] == 0


@pytest.mark.parametrize("value", BAD)
@pytest.mark.parametrize(
    ("name", "kind"), [("rewards", "reward"), ("values", "value"), ("log_probs", "log_prob"), ("memories", "memory")]
)
def test_what_went_bad_is_found_and_nothing_is_harmed(name, kind, value):
    small = Small()
    small.update()
    before = small.parameters()
    t = 0 if name == "memories" else 5
    row, trouble = small.update(spoil(name, t, 2, value))
    assert row[FLAG] == 1
    first = trouble.findings[0]
    assert (first.kind, first.step, first.rows) == (kind, t, (2,))
    assert all(parameter.isfinite().all() for parameter in small.parameters())
    assert not small.guard.unfit()
    if name != "log_probs" and name != "memories":
        assert row["learn/skipped_steps"] == 2, "advantages of the whole rollout are normalised together"
        assert all(torch.equal(now, then) for now, then in zip(small.parameters(), before, strict=True))
    assert small.update()[1] is None, "the next update is good again"


def test_the_first_cause_is_named_before_what_it_led_to():
    small = Small()
    rollout = small.collector.collect()
    rollout.values[3, 1] = math.nan
    rollout.steps.reward[1 + 2, 0] = math.inf
    findings = find_all(rollout, {"task": rollout.rewards}, small.agent, {"learn/policy_loss": math.nan})
    assert [(each.kind, each.step) for each in findings] == [("reward", 2), ("value", 3), ("figure", None)]


def test_patience_and_policies():
    small = Small(patience=2)
    bad = spoil("rewards", 1, 0)
    stops = [small.update(change)[1] for change in (bad, None, bad, bad)]
    assert [trouble.stop if trouble else None for trouble in stops] == [False, None, False, True]
    assert Small("stop").update(bad)[1].stop
    ignoring = Small("ignore")
    assert all(ignoring.update(bad)[1] is None for _ in range(5))


def test_memory_and_parameters_recover():
    small = Small()
    small.update()
    good = small.parameters()
    small.collector.memory[1] = math.nan
    with torch.no_grad():
        next(small.agent.parameters()).fill_(math.nan)
    assert small.guard.unfit() == next(name for name, _ in small.agent.named_parameters())
    _, trouble = small.update()
    assert trouble.findings[0].kind == "parameter"
    assert trouble.findings[0].step == -1
    assert all(torch.equal(now, then) for now, then in zip(small.parameters(), good, strict=True))
    assert small.collector.memory.isfinite().all()
    assert small.update()[1] is None


MINE = """
import torch

calls = 0

def root(rollout):
    \"\"\"Finite but in some updates: the root of a number below zero.\"\"\"
    global calls
    calls += 1
    depth = torch.ones_like(rollout.rewards)
    if calls in BAD:
        depth[4, 3] = -1.0
    return depth.sqrt()

class Net:
    pass
"""


def reward_file(directory: Path, bad: str) -> str:
    path = directory / "mine.py"
    path.write_text(MINE.replace("BAD", bad))
    return f"{path}:root"


def test_a_bad_reward_of_a_users_own(tmp_path, capsys):
    """The commonest case, from end to end."""
    run = tmp_path / "run"
    flags = ["--run-dir", str(run), "--steps", "4096", "--rewards.sources", reward_file(tmp_path, "(2, 5, 6, 7)")]
    assert main(["train", "cue-corridor", *TINY, *flags, "--save-every", "0"]) == 3
    said = capsys.readouterr()
    assert "not finite: the reward from mine.py:root; left out; see: farlands inspect" in said.out
    line = said.err.splitlines()[-1]
    assert line == (
        "stopped at step 896: not finite in 3 updates in a row: the reward from mine.py:root; the last good state is "
        f"step-000000000896; see: farlands inspect {run}"
    )
    rows = read_metrics(run / "metrics.jsonl")
    assert [row["update"] for row in rows if row[FLAG]] == [2, 5, 6, 7]
    assert all(row["learn/skipped_steps"] > 0 for row in rows if row[FLAG])
    checkpoint, _ = CheckpointStore(run / "checkpoints").load(parts=("agent", "learner"))
    assert all(value.isfinite().all() for value in checkpoint.states["agent"].values())
    kinds = read_events(run / "events")["kind"].to_pylist()
    assert kinds.count("nan") == 4
    assert kinds.count("skipped_step") == 4
    assert (kinds[0], kinds[-1]) == ("start", "end")

    assert main(["inspect", str(run), "--again"]) == 0
    said = capsys.readouterr().out
    assert "Not finite at step 640, update 5: the reward from mine.py:root." in said
    assert "First at step 4 of the rollout's 16, in 1 of 8 rows (3); 1 number in all." in said
    assert "the gradients of" in said
    assert "the reward from mine.py:root: finite" in said, "it is bad only sometimes"
    dump = read_dump(list_dumps(run)[0])
    assert dump.facts["rows"][0]["row"] == 3
    assert math.isnan(float(dump.rewards[f"{tmp_path}/mine.py:root"][4, 0]))
    assert dump.rollout.actions.shape == (16, 1)
    assert dump.parameters.keys() == checkpoint.states["agent"].keys()
    assert [row["update"] for row in dump.facts["figures"]] == [1, 2]

    reward_file(tmp_path, "()")
    assert main(["resume", str(run), "--steps", "1152"]) == 0
    assert read_metrics(run / "metrics.jsonl")[-1][FLAG] == 0


def test_the_level_and_step_of_a_bad_row_are_right(tmp_path):
    """They are those of the episode that the log of episodes tells of."""
    from farlands.runtime.episodes import read_episodes

    run = tmp_path / "run"
    flags = ["--run-dir", str(run), "--steps", "512", "--rewards.sources", reward_file(tmp_path, "(2,)")]
    assert main(["train", "cue-corridor", *TINY, *flags]) == 0
    where = read_dump(list_dumps(run)[0]).facts["rows"][0]
    table = read_episodes(run / "episodes").to_pylist()
    begun = 0
    for episode in (each for each in table if each["row"] == 3):
        if begun + episode["length"] > 16 + 4:
            assert where["level_seed"] == episode["seed"]
            assert where["step_of_episode"] == 16 + 4 - begun
            return
        begun += episode["length"]
    pytest.fail("the episode did not end")


def test_bounded_evidence_and_stop_policy(tmp_path):
    run = tmp_path / "run"
    source = reward_file(tmp_path, "range(1, 100, 2)")
    flags = ["--rewards.sources", source, "--run-dir"]
    assert main(["train", "cue-corridor", *TINY, *flags, str(run), "--steps", "2048"]) == 0
    assert len(list_dumps(run)) == MOST_DUMPS
    other = tmp_path / "other"
    assert main(["train", "cue-corridor", *TINY, *flags, str(other), "--steps", "2048", "--on-nan", "stop"]) == 3
    assert read_metrics(other / "metrics.jsonl")[-1]["update"] <= 2
    ignoring = tmp_path / "ignoring"
    assert main(["train", "cue-corridor", *TINY, *flags, str(ignoring), "--steps", "512", "--on-nan", "ignore"]) == 0
    assert not list_dumps(ignoring)


NETWORK = """
from torch import nn
from farlands.agents.agent import Agent

class Broken(nn.Module):
    def forward(self, features):
        return features * (features > -1e9) / (features.abs().sum() * 0)

class Mine(Agent):
    def __init__(self, spec, config=None, value_heads=1):
        super().__init__(spec, config, value_heads)
        self.broken = Broken()
    def unroll(self, observations, memory, first):
        output = super().unroll(observations, memory, first)
        return output._replace(value=self.broken(output.value))
"""


def test_a_module_that_makes_what_is_not_finite_is_named(tmp_path, capsys):
    (tmp_path / "net.py").write_text(NETWORK)
    run = tmp_path / "run"
    flags = ["--agent.network", f"{tmp_path}/net.py:Mine", "--run-dir", str(run), "--on-nan", "stop", "--steps", "512"]
    assert main(["train", "cue-corridor", *TINY, *flags]) == 3
    capsys.readouterr()
    assert main(["inspect", str(run)]) == 0
    said = capsys.readouterr().out
    assert "Not finite at step 128, update 1: the agent's values." in said
    assert "what came out of the module broken was not" in said


def test_parameters_that_are_not_finite_are_never_saved(tmp_path, capsys):
    (tmp_path / "mine.py").write_text(
        "import torch\n"
        "def spoil(context):\n"
        "    if context.updates == 3:\n"
        "        with torch.no_grad():\n"
        "            next(context.agent.parameters()).fill_(float('nan'))\n"
    )
    run = tmp_path / "run"
    flags = ["--callbacks", f"{tmp_path}/mine.py:spoil", "--run-dir", str(run), "--save-every", "0", "--steps", "384"]
    assert main(["train", "cue-corridor", *TINY, *flags]) == 0
    assert "not saved: " in capsys.readouterr().out
    assert CheckpointStore(run / "checkpoints").newest() == "step-000000000256"


def test_inspect_refuses_what_is_no_dump(finished_run, tmp_path, capsys):
    for target, said in (
        ("nowhere", "no such run or dump"),
        (str(tmp_path), "neither a run nor a dump"),
        (str(finished_run), "nothing to inspect"),
    ):
        assert main(["inspect", target]) == 2
        assert said in capsys.readouterr().err
    broken = tmp_path / "nan-1"
    broken.mkdir()
    for text in ("{", "[]", json.dumps({"format": "farlands-nan-dump", "format_version": 1, "sources": []})):
        (broken / "dump.json").write_text(text)
        assert main(["inspect", str(broken)]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
