"""The verb `bench`: how fast a world steps and an agent learns in it, here."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.config import BenchConfig, TrainConfig
from farlands.recipes import apply_recipe
from farlands.runtime.display import make_display
from farlands.runtime.machine import describe_git, describe_machine, describe_versions

if TYPE_CHECKING:
    import torch

    from farlands.worlds.world import World


def bench(config: BenchConfig) -> int:
    """Measure, and print one JSON line per figure. Raises UserError as ``train`` does."""
    for figure in measure_speed(config):
        print(json.dumps(figure), flush=True)
    return 0


def measure_speed(config: BenchConfig) -> list[dict[str, Any]]:
    """Steps per second of the world alone and, if asked for, of training from end to end.

    Returns:
        Figures, each with the world, its options, the machine, versions, commit and date.
    """
    with make_display(errors=True) as display:
        display.status("loading torch")
        import torch

        from farlands.runtime.build import build_world
        from farlands.runtime.devices import resolve_device, resolve_threads

        threads, device = resolve_threads(config.threads), resolve_device(config.device)
        torch.set_num_threads(threads)
        about = {
            "world": config.world,
            "options": dataclasses.asdict(config.options),
            "num_worlds": config.num_worlds,
            "device": str(device),
            "threads": threads,
            "machine": describe_machine(),
            "versions": describe_versions(),
            "git": describe_git(Path(__file__).parent),
            "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        }
        display.status("making worlds; the first time ever, kernels are compiled, which takes a minute")
        world = build_world(config.world, config.num_worlds, config.options, device)
        display.status("stepping with random actions")
        figures = [{"figure": "world_steps_per_second", **_time_world(world, config.seconds), **about}]
        world.close()
        if config.learn:
            display.status("training")
            figures.append({"figure": "training_steps_per_second", **_time_training(config, device, threads), **about})
    return figures


def _time_world(world: World, seconds: float) -> dict[str, float]:
    """The world alone, under uniform random actions drawn beforehand."""
    import torch

    from farlands.agents.baselines import RandomAgent
    from farlands.agents.noise import uniforms

    actor, rows = RandomAgent(world.spec), torch.arange(world.num_rows, device=world.device)
    first, memory = torch.ones_like(rows, dtype=torch.bool), torch.zeros(world.num_rows, 0, device=world.device)
    step, out = world.reset(0), world.allocate()
    noise = [uniforms(0, rows, torch.tensor(t, device=world.device), actor.noise_size) for t in range(64)]
    # Masks are left aside: an impossible choice does nothing, and drawing is not what is measured.
    free = {key: value for key, value in step.observation.items() if key != "action_mask"}
    actions = [actor.act(free, memory, first, one).action for one in noise]

    def run(count: int) -> None:
        for index in range(count):
            world.step(actions[index % len(actions)], out=out)

    rate, calls = _time(run, seconds, world.device)
    episodes = world.drain_episodes()
    length = float(episodes.length.mean()) if len(episodes) else float("nan")
    return {"value": rate * world.num_rows, "steps": calls * world.num_rows, "mean_episode_length": length}


def _time_training(config: BenchConfig, device: torch.device, threads: int) -> dict[str, float]:
    from farlands.learning.collect import Collector
    from farlands.learning.ppo import PPO
    from farlands.rewards.source import reward_streams, value_streams
    from farlands.runtime.build import build_agent, build_world

    settings = apply_recipe(TrainConfig(world=config.world, options=config.options), "")
    settings = dataclasses.replace(settings, options=config.options, num_worlds=config.num_worlds, threads=threads)
    world = build_world(config.world, config.num_worlds, config.options, device)
    agent, sources = build_agent(settings, world.spec, device)
    learner = PPO(agent, settings.ppo, value_streams(sources, settings.ppo.discount))
    chunks = settings.ppo.rollout // settings.ppo.chunk if settings.ppo.chunk else 1
    collector = Collector(world, agent, settings.ppo.rollout, 0, chunks=chunks)
    collector.start(0)

    def run(count: int) -> None:
        for _ in range(count):
            rollout = collector.collect()
            learner.update(rollout, reward_streams(sources, rollout), 0.0)
            world.drain_episodes()

    rate, calls = _time(run, config.seconds, device)
    world.close()
    per_update = settings.ppo.rollout * world.num_rows
    return {"value": rate * per_update, "steps": calls * per_update}


def _time(run: Callable[[int], None], seconds: float, device: torch.device) -> tuple[float, int]:
    """Calls per second, and how many were timed, after a warm-up that compiles, allocates and captures."""

    def elapsed(count: int) -> float:
        begin = time.perf_counter()
        run(count)
        if device.type == "cuda":
            import torch

            torch.cuda.synchronize(device)
        return time.perf_counter() - begin

    elapsed(3)
    count = max(1, round(seconds / max(elapsed(1), 1e-6)))
    taken = elapsed(count)
    return count / taken, count
