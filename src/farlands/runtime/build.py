"""From a config to the objects of a run: the one place where names become things."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from farlands.agents import make_agent
from farlands.agents.agent import Agent
from farlands.config import TrainConfig
from farlands.errors import UserError, first_line
from farlands.extensions import resolve
from farlands.learning.collect import Collector
from farlands.learning.impala import Impala
from farlands.learning.peers import ALONE, Peers
from farlands.learning.ppo import PPO
from farlands.rewards.source import RewardSource, make_reward_sources, value_streams
from farlands.runtime.callbacks import Callback, make_callback
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.display import Display, NoDisplay
from farlands.runtime.episodes import EpisodeWriter, NoEpisodes
from farlands.runtime.faults import Faults
from farlands.runtime.guard import Guard
from farlands.runtime.live import Feed, NoFeed
from farlands.runtime.loop import Counters, Run, describe_spec
from farlands.runtime.metrics import MetricsWriter, NoMetrics
from farlands.runtime.monitor import make_monitor
from farlands.runtime.phases import Phases
from farlands.runtime.quiet import hush_warp
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.seeds import derive_seed, seed_everything
from farlands.runtime.shards import Share
from farlands.runtime.signals import StopRequest
from farlands.runtime.trackers import check_tracker
from farlands.runtime.watchdog import Watchdog
from farlands.worlds.world import World, WorldSpec

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)


def build_run(
    config: TrainConfig, directory: RunDirectory, display: Display, stop: StopRequest, peers: Peers = ALONE
) -> Run:
    """Everything a run consists of, its worlds at their start.

    Args:
        config: Resolved: device and threads are numbers and names of this machine.
        directory: Where it writes.
        display: Where it tells people how it goes.
        stop: What may ask it to end.
        peers: The processes that carry it together; this one makes its share of the worlds.

    Raises:
        UserError: The config asks for something impossible.
    """
    check_tracker(config.tracker)
    torch.set_num_threads(config.threads)
    if config.actors.count:
        from farlands.runtime.actors.build import build_actors_run

        return build_actors_run(config, directory, display, stop)
    device, mine = torch.device(config.device), peers.span(config.num_worlds)
    world = peers.by_turns(lambda: build_world(config.world, len(mine), config.options, device))
    world.first_world = mine.start
    share = Share(peers.rank, peers.size, config.num_worlds, world.num_agents)
    agent, sources, learner = build_learning(config, world.spec, share, device, peers)
    first_row, noise = mine.start * world.num_agents, derive_seed(config.seed, "actions")
    length, chunks = config.learning.rollout, config.learning.chunks
    with memory_guard():
        collector = Collector(world, agent, length, noise, chunks=chunks, first_row=first_row)
    collector.start(derive_seed(config.seed, "worlds"))
    parts = {"world": world, "agent": agent, "sources": sources, "learner": learner, "collector": collector}
    return assemble_run(Run, {**parts, "share": share, "peers": peers}, config, directory, display, stop)


def assemble_run(
    kind: type[Run],
    parts: Mapping[str, Any],
    config: TrainConfig,
    directory: RunDirectory,
    display: Display,
    stop: StopRequest,
) -> Run:
    """A run of a kind from what lives and learns in it, by field name, and everything else it needs."""
    world, peers = parts["world"], parts["peers"]
    spec, leads = world.spec, peers.rank == 0
    measures = [measure.name for measure in spec.measures]
    faults = peers.together(lambda: Faults(config.faults, directory.path, peers.rank))
    metrics = MetricsWriter(directory.metrics) if leads else NoMetrics(directory.metrics)
    phases, display = Phases(torch.device(config.device)), display if leads else NoDisplay()
    names = ("task", *config.rewards.sources)
    guard = Guard(
        parts["agent"], parts["learner"], parts["collector"], names, config.on_nan, config.nan_patience, peers
    )
    # Actors' worlds are elsewhere.
    shown = leads and not config.actors.count
    run = kind(
        **parts,
        config=config,
        directory=directory,
        callbacks=[make_callback(reference) if leads else Callback() for reference in config.callbacks],
        counters=Counters(),
        store=CheckpointStore(directory.checkpoints, config.keep, peers),
        metrics=metrics,
        episodes=(EpisodeWriter if leads else NoEpisodes)(directory.episodes, spec.achievements, measures),
        phases=phases,
        display=display,
        stop=stop,
        faults=faults,
        # Several processes notice by waiting for each other.
        watchdog=Watchdog(config.peer_timeout if config.restarts and peers.size == 1 else 0.0),
        monitor=make_monitor(config, world, guard, metrics, display, phases, peers),
        feed=Feed(directory.path, world, parts["agent"], parts["learner"], display.note) if shown else NoFeed(),
    )
    run.store.at = lambda moment: faults.strike(run.counters.updates, f"save.{moment}")
    return run


def _prepare_agent(
    config: TrainConfig, spec: WorldSpec, share: Share, device: torch.device
) -> tuple[Agent, list[RewardSource]]:
    """``build_agent``, begun from what the config names, its settings fitting the worlds."""
    agent, sources = build_agent(config, spec, device)
    if config.start_from:
        _start_from(config, agent, spec)
    _check_split(config, share.total * share.agents)
    return agent, sources


def _begin_alike(peers: Peers, agent: Agent, sources: list[RewardSource]) -> None:
    """Give every process the network that process 0 made, whatever else decided how it was made."""
    with torch.no_grad():
        for value in [*agent.parameters(), *agent.buffers()]:
            if value.is_floating_point():
                peers.sum_(value if peers.rank == 0 else value.zero_())
    for source in sources:
        source.join(peers)


def build_learning(
    config: TrainConfig, spec: WorldSpec, share: Share, device: torch.device, peers: Peers = ALONE
) -> tuple[Agent, list[RewardSource], PPO]:
    """The agent of a run, what it is rewarded by, and its learner, alike in all processes.

    Args:
        config: Of the run.
        spec: Of its worlds.
        share: What this process has of them.
        device: Where it learns.
        peers: The processes that learn together.
    """
    seed_everything(config.seed)
    agent, sources = peers.together(lambda: _prepare_agent(config, spec, share, device))
    _begin_alike(peers, agent, sources)
    if peers.rank:
        # Made alike, the processes part: what users draw from the process-wide generators is each one's own.
        seed_everything(derive_seed(config.seed, "process", peers.rank))
    kind: Any = Impala if config.learner == "impala" else PPO
    streams, order = value_streams(sources, config.learning.discount), derive_seed(config.seed, "order")
    return agent, sources, kind(agent, config.learning, streams, seed=order, peers=peers)


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
        heads = len(value_streams(sources, config.learning.discount))
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


def _check_split(config: TrainConfig, rows: int) -> None:
    parts, sequences = config.learning.minibatches, rows * config.learning.chunks
    if parts > sequences:
        raise UserError(f"--{config.learner}.minibatches is", parts, f"there are only {sequences} sequences")


@contextlib.contextmanager
def disk_guard(run: Run) -> Iterator[None]:
    """Turns a disk that takes no more into one line that says where the run stands."""
    try:
        yield
    except OSError as error:
        if error.errno not in _DISK_ERRORS:
            raise
        stands = f"it stands at step {max(run.saved_steps, 0):,}; make room, then: farlands resume {run.directory.path}"
        raise UserError("cannot write the run's files in", run.directory.path, f"{error.strerror}; {stands}") from error


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
