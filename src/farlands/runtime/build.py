"""From a config to the objects of a run: the one place where names become things."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Iterator
from typing import Any

import torch

from farlands.agents import make_agent
from farlands.agents.agent import Agent
from farlands.config import TrainConfig
from farlands.errors import UserError, first_line
from farlands.extensions import resolve
from farlands.learning.collect import Collector
from farlands.learning.ppo import PPO
from farlands.rewards.source import RewardSource, make_reward_sources, value_streams
from farlands.runtime.callbacks import make_callback
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.display import Display
from farlands.runtime.episodes import EpisodeWriter
from farlands.runtime.guard import Guard
from farlands.runtime.loop import Counters, Run, describe_spec
from farlands.runtime.metrics import MetricsWriter
from farlands.runtime.monitor import make_monitor
from farlands.runtime.phases import Phases
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.seeds import derive_seed, seed_everything
from farlands.runtime.signals import StopRequest
from farlands.runtime.trackers import check_tracker
from farlands.worlds.world import World, WorldSpec


def build_run(config: TrainConfig, directory: RunDirectory, display: Display, stop: StopRequest) -> Run:
    """Everything a run consists of, its worlds at their start.

    Args:
        config: Resolved: device and threads are numbers and names of this machine.
        directory: Where it writes.
        display: Where it tells people how it goes.
        stop: What may ask it to end.

    Raises:
        UserError: The config asks for something impossible.
    """
    check_tracker(config.tracker)
    torch.set_num_threads(config.threads)
    device = torch.device(config.device)
    world = build_world(config.world, config.num_worlds, config.options, device)
    seed_everything(config.seed)
    agent, sources = build_agent(config, world.spec, device)
    if config.start_from:
        _start_from(config, agent, world.spec)
    _check_split(config, world.num_rows)
    learner = PPO(
        agent, config.ppo, value_streams(sources, config.ppo.discount), seed=derive_seed(config.seed, "order")
    )
    chunks = config.ppo.rollout // config.ppo.chunk if config.ppo.chunk else 1
    with memory_guard():
        collector = Collector(world, agent, config.ppo.rollout, derive_seed(config.seed, "actions"), chunks=chunks)
    collector.start(derive_seed(config.seed, "worlds"))
    measures = [measure.name for measure in world.spec.measures]
    metrics, phases = MetricsWriter(directory.metrics), Phases(device)
    guard = Guard(agent, learner, collector, ("task", *config.rewards.sources), config.on_nan, config.nan_patience)
    return Run(
        config=config,
        directory=directory,
        world=world,
        agent=agent,
        sources=sources,
        learner=learner,
        collector=collector,
        callbacks=[make_callback(reference) for reference in config.callbacks],
        counters=Counters(),
        store=CheckpointStore(directory.checkpoints, config.keep),
        metrics=metrics,
        episodes=EpisodeWriter(directory.episodes, world.spec.achievements, measures),
        phases=phases,
        display=display,
        stop=stop,
        monitor=make_monitor(config, world, guard, metrics, display, phases),
    )


def build_world(reference: str, num_worlds: int, options: Any, device: torch.device) -> World:
    """A batch of worlds by name.

    Raises:
        UserError: The reference is not a world, or the world refuses its options.
    """
    kind = resolve("world", reference)
    if not (isinstance(kind, type) and issubclass(kind, World)):
        raise UserError("not a world:", reference, "expected a subclass of farlands.worlds.world.World")
    hush_warp()
    try:
        with memory_guard():
            return kind(num_worlds, options, device=device)  # type: ignore[call-arg]
    except (ValueError, OverflowError) as error:
        raise UserError(f"the world {reference} refuses its options: {error}") from error


def build_agent(config: TrainConfig, spec: WorldSpec, device: torch.device) -> tuple[Agent, list[RewardSource]]:
    """The agent of a run, not yet trained, and what it is rewarded by."""
    try:
        sources = make_reward_sources(config.rewards, spec, device, functools.partial(resolve, "reward"))
        heads = len(value_streams(sources, config.ppo.discount))
        with memory_guard():
            agent = make_agent(spec, config.agent, heads, resolve=functools.partial(resolve, "agent"))
    except (TypeError, ValueError) as error:
        raise UserError(str(error)) from error
    return agent.to(device), sources


def _start_from(config: TrainConfig, agent: Agent, spec: WorldSpec) -> None:
    from farlands.agents.transfer import begin_from

    try:
        begin_from(agent, spec, config.start_from)
    except ValueError as error:
        raise UserError(str(error)) from error


def evaluation_options(options: Any, max_steps: int = 0) -> Any:
    """A world's options for measuring: first episodes are never cut short, and end after ``max_steps`` if that is set.

    By convention an option named ``stagger`` cuts first episodes, and one named ``horizon`` is the episode limit.
    """
    fields = {item.name for item in dataclasses.fields(options)}
    changes: dict[str, Any] = {"stagger": False} if "stagger" in fields else {}
    if max_steps and "horizon" in fields:
        changes["horizon"] = max_steps
    try:
        return dataclasses.replace(options, **changes)
    except ValueError as error:
        raise UserError("--max-steps is", max_steps, str(error)) from error


def check_spec(spec: WorldSpec, written: dict[str, Any], where: object) -> None:
    """Raise UserError, naming the first difference, if a checkpoint was made in another world than this."""
    here = describe_spec(spec)
    if not isinstance(written, dict):
        raise UserError("checkpoint", where, "it does not say in which world it was made")
    for name, value in here.items():
        if written.get(name) != value:
            found, expected = str(written.get(name)), str(value)
            raise UserError(
                f"checkpoint {where} was made with other {name}",
                allowed=f"it has {found[:120]}, here is {expected[:120]}",
            )


def hush_warp() -> None:
    """Keep Warp, where the world has brought it in, from announcing itself and its modules into our displays."""
    warp = sys.modules.get("warp")
    if warp is not None:
        warp.config.log_level = warp.LOG_ERROR


def _check_split(config: TrainConfig, rows: int) -> None:
    chunks = config.ppo.rollout // config.ppo.chunk if config.ppo.chunk else 1
    if config.ppo.minibatches > rows * chunks:
        raise UserError("--ppo.minibatches is", config.ppo.minibatches, f"there are only {rows * chunks} sequences")


@contextlib.contextmanager
def memory_guard() -> Iterator[None]:
    """Turns running out of memory into a mistake that names what to change."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "memory" in str(error):
            hint = "try fewer --num-worlds, a shorter --ppo.rollout or a smaller --agent.hidden"
            raise UserError("this does not fit in memory", allowed=f"{hint} ({first_line(error)[:160]})") from error
        raise
