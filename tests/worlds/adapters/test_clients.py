"""Well-known clients train on the ids as they stand."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from torch import nn

import farlands  # noqa: F401 - registers the ids

OPTIONS: dict[str, Any] = {"window": 32, "horizon": 40, "stagger": True}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["farlands/Voxel-v0", "farlands/VoxelPixels-v0"])
def test_stable_baselines3_trains(name):
    """PPO of Stable-Baselines3 with its policy for dictionaries, on its own vector of single environments."""
    sb3 = pytest.importorskip("stable_baselines3")
    from stable_baselines3.common.env_util import make_vec_env

    env = make_vec_env(name, n_envs=2, seed=0, env_kwargs=OPTIONS)
    model = sb3.PPO("MultiInputPolicy", env, n_steps=48, batch_size=48, n_epochs=2, seed=0, device="cpu")
    before = [p.clone() for p in model.policy.parameters()]
    model.learn(192)
    assert model.num_timesteps == 192
    assert len(model.ep_info_buffer) >= 2
    assert any(not torch.equal(p, q) for p, q in zip(before, model.policy.parameters(), strict=True))
    env.close()


class Agent(nn.Module):
    """Two heads on one layer, as single-file implementations have."""

    def __init__(self, inputs: int, actions: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(inputs, 32), nn.Tanh())
        self.actor, self.critic = nn.Linear(32, actions), nn.Linear(32, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = self.body(x)
        return self.actor(x), self.critic(x)[:, 0]


def test_a_loop_as_in_cleanrl_trains():
    """make_vec, two stock wrappers, an actor-critic update over a rollout; statistics from the infos."""
    envs = gymnasium.make_vec("farlands/Voxel-v0", num_envs=4, **OPTIONS)
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    envs = gymnasium.wrappers.vector.FlattenObservation(gymnasium.wrappers.vector.RecordEpisodeStatistics(envs))
    torch.manual_seed(0)
    agent = Agent(envs.single_observation_space.shape[0], envs.single_action_space.n)
    optimiser = torch.optim.Adam(agent.parameters(), lr=1e-3)
    observation, _ = envs.reset(seed=1)
    lengths, done, losses = [], np.zeros(4, dtype=bool), []
    for _ in range(3):
        rows = []
        for _ in range(32):
            logits, value = agent(torch.as_tensor(observation, dtype=torch.float32) / 255)
            policy = torch.distributions.Categorical(logits=logits)
            action = policy.sample()
            observation, reward, terminated, truncated, infos = envs.step(action.numpy())
            # The step that follows an end belongs to no episode under next-step autoreset.
            weight = torch.as_tensor(~done, dtype=torch.float32)
            rows.append((policy.log_prob(action), value, torch.as_tensor(reward, dtype=torch.float32), weight))
            done = terminated | truncated
            lengths += infos["episode"]["l"][infos["_episode"]].tolist() if "episode" in infos else []
        log_prob, value, reward, weight = (torch.stack(parts) for parts in zip(*rows, strict=True))
        advantage = reward - value
        loss = (weight * (advantage.square() - log_prob * advantage.detach())).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.isfinite(losses).all()
    assert len(lengths) >= 4
    assert max(lengths) == 40


def test_a_loop_on_tensors_needs_no_host():
    """The same ids with output="torch": nothing is copied or converted between world and network."""
    envs = gymnasium.make_vec(
        "farlands/Voxel-v0", num_envs=4, output="torch", autoreset_mode=AutoresetMode.SAME_STEP, **OPTIONS
    )
    observation, info = envs.reset(seed=1)
    total = torch.zeros(4)
    for _ in range(60):
        action = torch.multinomial(info["action_mask"].float(), 1)[:, 0]
        observation, reward, _, _, info = envs.step(action)
        total += reward
    assert observation["vitals"].shape == (4, 5)
    assert bool(total.isfinite().all())
