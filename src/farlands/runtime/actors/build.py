"""From a config to a run whose worlds live in actors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import torch

from farlands.config import TrainConfig
from farlands.learning.peers import ALONE
from farlands.learning.rollout import allocate_actions
from farlands.runtime.actors.cluster import RayCluster
from farlands.runtime.actors.fleet import Fleet
from farlands.runtime.actors.run import ActorsRun, DistantWorlds, Gatherer
from farlands.runtime.build import assemble_run, build_learning, build_world, memory_guard
from farlands.runtime.display import Display
from farlands.runtime.loop import Run
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.shards import Share
from farlands.runtime.signals import StopRequest


def build_actors_run(config: TrainConfig, directory: RunDirectory, display: Display, stop: StopRequest) -> Run:
    """Everything a run consists of but its actors, who start with the first update.

    Args:
        config: Resolved: device and threads are numbers and names of this machine.
        directory: Where it writes.
        display: Where it tells people how it goes.
        stop: What may ask it to end.

    Raises:
        UserError: The config asks for something impossible, or there is no Ray cluster.
    """
    device = torch.device(config.device)
    world = _look_at(config, device)
    share = Share(total=world.num_worlds, agents=world.num_agents)
    agent, sources, learner = build_learning(config, world.spec, share, device)
    display.status("connecting to Ray")
    cluster = RayCluster(config, world.spec)
    try:
        fleet = Fleet(config.actors, cluster, _teller(directory, display), lambda: bool(stop.signal))
        with memory_guard():
            gatherer = Gatherer(fleet, world, agent, learner, config.learning.rollout, config.learning.chunks)
        parts = {"world": world, "agent": agent, "sources": sources, "learner": learner, "collector": gatherer}
        return assemble_run(ActorsRun, {**parts, "share": share, "peers": ALONE}, config, directory, display, stop)
    except BaseException:
        cluster.close()
        raise


def _teller(directory: RunDirectory, display: Display) -> Callable[[str, str], None]:
    """Shows a line, and keeps the traceback that goes with it in the run's directory."""

    def tell(line: str, details: str) -> None:
        display.note(line)
        if details:
            with (directory.path / "failures.log").open("a", encoding="utf-8") as file:
                file.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S} {line}\n{details}\n")

    return tell


def _look_at(config: TrainConfig, device: torch.device) -> DistantWorlds:
    """What stands for all worlds of an update, after one look at a single one.

    The look also compiles what the world is made of, once, before many processes would do so at the same time.
    """
    sample = build_world(config.world, 1, config.options, torch.device("cpu"))
    sample.reset(0)
    sample.step(allocate_actions(sample.spec, (sample.num_rows,), sample.device))
    worlds = config.actors.worlds_each(config.num_worlds) * config.actors.rollouts
    distant = DistantWorlds(sample.spec, worlds, sample.num_agents, device)
    sample.close()
    return distant
