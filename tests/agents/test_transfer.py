"""Beginning with a policy's parameters in a world that shows more."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from farlands.agents import make_agent
from farlands.agents.config import AgentConfig
from farlands.agents.pretrained import pretrained
from farlands.agents.transfer import begin_from
from farlands.cli import main
from farlands.worlds.reference import CueCorridor
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.world import VoxelWorld

SIZE = AgentConfig(hidden=128)
SMALL = {"window": 32, "creatures": "none", "horizon": 200}


@pytest.mark.parametrize("more", [{}, {"task": "tasks", "tasks": ("gain(log, 2)", "away(90)"), "trials": 3}])
def test_it_acts_as_the_policy_whatever_else_it_sees(more):
    plain = pretrained(VoxelWorld(4, VoxelOptions(**SMALL)).spec)
    world = VoxelWorld(4, VoxelOptions(**SMALL, **more))
    agent = make_agent(world.spec, SIZE, 2)
    begin_from(agent, world.spec, "voxel")
    seen = world.reset(3).observation
    memories = [plain.initial_memory(4), agent.initial_memory(4)]
    first = torch.ones(4, dtype=torch.bool)
    for _ in range(5):
        with torch.no_grad():
            acts = [each.act(seen, memory, first) for each, memory in zip((plain, agent), memories, strict=True)]
        assert torch.equal(acts[0].action, acts[1].action)
        torch.testing.assert_close(acts[0].log_prob, acts[1].log_prob)
        memories, first = [act.memory for act in acts], torch.zeros(4, dtype=torch.bool)
        seen = world.step(acts[0].action).observation


def test_what_does_not_fit_is_one_clear_line():
    world = VoxelWorld(1, VoxelOptions(**SMALL))
    agent = make_agent(world.spec, SIZE)
    with pytest.raises(ValueError, match="no policy named 'vexel'"):
        begin_from(agent, world.spec, "vexel")
    with pytest.raises(ValueError, match=r"another size: .* made with --agent\.hidden 128"):
        begin_from(make_agent(world.spec, AgentConfig(hidden=64)), world.spec, "voxel")
    factored = VoxelWorld(1, VoxelOptions(actions="factored", **SMALL)).spec
    with pytest.raises(ValueError, match="takes other actions"):
        begin_from(
            make_agent(dataclasses.replace(factored, observation=world.spec.observation), SIZE), factored, "voxel"
        )
    with pytest.raises(ValueError, match="takes other actions than those of cue-corridor"):
        begin_from(make_agent(CueCorridor(1).spec, SIZE), CueCorridor(1).spec, "voxel")
    less = VoxelWorld(1, VoxelOptions(**SMALL, cube=(3, 5, 5))).spec
    with pytest.raises(ValueError, match=r"sees 'voxels', which .* does not show like that"):
        begin_from(make_agent(less, SIZE), less, "voxel")


def test_a_run_can_begin_with_it(tmp_path, capsys):
    flags = ["--world.horizon", "50", "--world.window", "32", "--num-worlds", "4", "--ppo.rollout", "8"]
    own = ["--start-from", "voxel", "--agent.hidden", "128", "--run-dir", str(tmp_path / "run"), "--threads", "1"]
    assert main(["train", "voxel", *flags, *own, "--steps", "32", "--ppo.minibatches", "1"]) == 0
    assert main(["train", "voxel", *flags, *own[:2], "--run-dir", str(tmp_path / "other"), "--agent.hidden", "32"]) == 2
    assert "of another size" in capsys.readouterr().err.splitlines()[-1]
