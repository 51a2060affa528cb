"""An actor: worlds of its own, a copy of the agent, rollouts one after another.

A plain class, which the cluster makes a process of. Its methods report what went wrong instead of raising, so that the
cause arrives whole.
"""

from __future__ import annotations

import dataclasses
import functools
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch

from farlands.errors import UserError, first_line
from farlands.learning.collect import Collector
from farlands.runtime.actors.files import settle
from farlands.runtime.actors.messages import Failure, Plan, Report, Weights, pack
from farlands.runtime.build import build_agent, build_world
from farlands.runtime.loop import describe_spec
from farlands.runtime.seeds import derive_seed, seed_everything
from farlands.saved_config import train_config_from_json

P = ParamSpec("P")
Result = TypeVar("Result")


def _reporting(method: Callable[P, Result]) -> Callable[P, Result | Failure]:
    """The same method, but with a ``Failure`` for a result where it raises."""

    @functools.wraps(method)
    def report(*args: P.args, **kwargs: P.kwargs) -> Result | Failure:
        try:
            return method(*args, **kwargs)
        except Exception as error:
            cause = str(error) if isinstance(error, UserError) else first_line(error)
            return Failure(cause[:500], traceback.format_exc())

    return report


class Actor:
    """Lives in its worlds by whatever weights came last.

    Args:
        plan: What it is to be.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._newest: Weights | None = None
        self._loaded = -1

    @_reporting
    def begin(self, weights: Weights) -> bool:
        """Make worlds and agent, and reset both to the start of this incarnation."""
        plan, device = self._plan, torch.device("cpu")
        data = settle(plan.config, plan.files, Path(tempfile.gettempdir()) / "farlands-files")
        config = train_config_from_json(data, "the run's config")
        each = config.actors.worlds_each(config.num_worlds)
        torch.set_num_threads(max(1, round(config.actors.cpus)))
        self._world = build_world(config.world, each, keep_to_cores(config.options, config.actors.cpus), device)
        if describe_spec(self._world.spec) != plan.spec:
            raise UserError(f"the world {config.world} is another on this machine", allowed="install the same versions")
        seed_everything(derive_seed(config.seed, "actor", plan.slot, plan.incarnation))
        self._agent, _ = build_agent(config, self._world.spec, device)
        self._first_row = plan.slot * self._world.num_rows
        # Rows keep their numbers when another actor takes the slot; noise and levels have seeds of their own then.
        noise = derive_seed(config.seed, "actions", plan.incarnation)
        settings, first_row = config.learning, self._first_row
        self._collector = Collector(
            self._world, self._agent, settings.rollout, noise, chunks=settings.chunks, first_row=first_row
        )
        self._collector.start(derive_seed(config.seed, "worlds", plan.slot, plan.incarnation))
        self.take(weights)
        return True

    def take(self, weights: Weights) -> None:
        """Use these weights from the next rollout on; called while a rollout is under way, from another thread."""
        if self._newest is None or weights.version > self._newest.version:
            self._newest = weights

    @_reporting
    def collect(self) -> Report:
        """One rollout."""
        weights, begin = self._newest, time.perf_counter()
        assert weights is not None, "begin comes first"
        if weights.version != self._loaded:
            self._agent.load_state_dict({name: torch.tensor(value) for name, value in weights.agent.items()})
            self._loaded = weights.version
        rollout = self._collector.collect()
        mean, std = torch.tensor(weights.mean), torch.tensor(weights.std)
        return Report(
            slot=self._plan.slot,
            incarnation=self._plan.incarnation,
            version=weights.version,
            seconds=time.perf_counter() - begin,
            arrays=pack(rollout, mean, std),
            episodes=self._world.drain_episodes().shifted(self._first_row),
        )


def keep_to_cores(options: Any, cores: float) -> Any:
    """A world's options, in which one that would step its environments in a process for each core of the machine does
    it in as many as an actor has cores, and in the actor's own process where that is one.

    By convention an option named ``workers`` says how many such processes there are, -1 for one for each core.
    """
    if getattr(options, "workers", None) != -1:
        return options
    several = max(1, round(cores))
    try:
        return dataclasses.replace(options, workers=several if several > 1 else 0)
    except ValueError:
        # Some must have a process of their own.
        return dataclasses.replace(options, workers=several)


def snapshot(version: int, agent: torch.nn.Module, mean: torch.Tensor, std: torch.Tensor) -> Weights:
    """An agent as it is now, on the host."""
    state = {name: value.detach().cpu().clone().numpy() for name, value in agent.state_dict().items()}
    return Weights(version, state, mean.cpu().clone().numpy(), std.cpu().clone().numpy())
