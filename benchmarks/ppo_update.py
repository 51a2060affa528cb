"""Speed of the learner alone: collection from a world that costs nothing, and PPO's update, one JSON line per figure.

Its observations have the shape of the voxel world's symbols: a 5 x 7 x 7 cube of 45 block ids in 5 bits, 75 counts, 30
bytes, and a mask over 64 actions.

    python benchmarks/ppo_update.py --epochs 2 --threads 2
"""

from __future__ import annotations

import argparse
import json
import platform
import time

import torch

from farlands.agents import AgentConfig, make_agent
from farlands.learning.collect import Collector
from farlands.learning.config import PPOConfig
from farlands.learning.ppo import PPO
from farlands.worlds.world import ArraySpec, Discrete, Step, World, WorldSpec

BLOCKS, BITS, ACTIONS = 45, 5, 64


def make_spec(horizon: int) -> WorldSpec:
    """What the synthetic world looks like."""
    class_bits = tuple(tuple((7 * block >> bit) & 1 for bit in range(BITS)) for block in range(BLOCKS))
    observation = {
        "voxels": ArraySpec((5, 7, 7), "uint8", 0, BLOCKS - 1, class_bits=class_bits),
        "inventory": ArraySpec((75,), "int16", 0, 2304),
        "vitals": ArraySpec((30,), "uint8", 0, 20),
        "action_mask": ArraySpec((ACTIONS,), "uint8", 0, 1),
    }
    return WorldSpec("synthetic", observation, Discrete(ACTIONS), horizon=horizon)


class SyntheticWorld(World):
    """Shows one of two random screens in turn; its own cost is that of copying it."""

    supports_graph = True

    def __init__(self, num_worlds: int, horizon: int, device: str) -> None:
        self.num_worlds, self.device, self.spec = num_worlds, torch.device(device), make_spec(horizon)
        self.final_observation = self.allocate().observation
        self._screens = []
        for _ in range(2):
            shown = self.allocate().observation
            for key, value in shown.items():
                value.copy_(torch.randint(0, min(8, int(self.spec.observation[key].high) + 1), value.shape))
            shown["action_mask"][:, 0] = 1
            self._screens.append(shown)
        self._turn = 0

    def reset(self, seed, out=None) -> Step:
        return self.step(torch.zeros(self.num_worlds, dtype=torch.int32), out)

    def step(self, actions: torch.Tensor, out: Step | None = None) -> Step:
        out = out or self.allocate()
        self._turn ^= 1
        for key, value in self._screens[self._turn].items():
            out.observation[key].copy_(value)
        torch.eq(actions, 1, out=out.truncated)
        out.reward.copy_(actions)
        return out

    def snapshot(self, worlds=None):
        raise NotImplementedError

    restore = state_hash = drain_episodes = snapshot


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """Microseconds per step of collection and of the update, medians over the rounds."""
    agent_config = AgentConfig(hidden=arguments.hidden, memory=arguments.memory)
    config = PPOConfig(rollout=arguments.length, epochs=arguments.epochs, minibatches=arguments.minibatches)
    world = SyntheticWorld(arguments.rows, 1500, arguments.device)
    agent = make_agent(world.spec, agent_config).to(arguments.device)
    collector, learner = Collector(world, agent, arguments.length, seed=1), PPO(agent, config)
    collector.start(1)
    times = []
    for _ in range(arguments.rounds + 3):
        began = _now(arguments.device)
        rollout = collector.collect()
        collected = _now(arguments.device)
        learner.update(rollout, rollout.rewards[..., None], 0.0)
        times.append((collected - began, _now(arguments.device) - collected))
    steps = arguments.length * arguments.rows
    collect, update = torch.tensor(times[3:]).median(dim=0).values.tolist()
    return {
        "collect_us": 1e6 * collect / steps,
        "update_us": 1e6 * update / steps,
        "steps_per_second": steps / (collect + update),
    }


def _now(device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("rows", 512), ("length", 64), ("hidden", 128), ("epochs", 2), ("minibatches", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    for name, default in (("threads", 2), ("rounds", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--memory", default="mingru")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    record = {"benchmark": "ppo_update", **vars(arguments), "machine": platform.processor(), "torch": torch.__version__}
    for name, value in measure(arguments).items():
        print(json.dumps({**record, "figure": name, "value": round(value, 3)}), flush=True)


if __name__ == "__main__":
    main()
