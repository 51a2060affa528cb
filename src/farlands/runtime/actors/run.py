"""A training run whose worlds live in actors: the same loop, records and checkpoints as any other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from farlands.agents.agent import Agent
from farlands.learning.ppo import PPO
from farlands.learning.rollout import Rollout, allocate_rollout
from farlands.runtime.actors.fleet import ActorsError, Fleet, StoppedError
from farlands.runtime.actors.messages import unpack
from farlands.runtime.actors.worker import snapshot
from farlands.runtime.episodes import join_episodes
from farlands.runtime.loop import Run, run_loop
from farlands.worlds.world import Episodes, Step, World, WorldSpec


class DistantWorlds(World):
    """The worlds of one update, as the run sees them: what they look like, and which episodes ended.

    They are stepped, and reset, where they live.

    Args:
        spec: Theirs.
        num_worlds: In an update.
        num_agents: In each.
        device: Of the learner.
    """

    def __init__(self, spec: WorldSpec, num_worlds: int, num_agents: int, device: torch.device) -> None:
        self.spec, self.num_worlds, self.num_agents, self.device = spec, num_worlds, num_agents, device
        self.final_observation = {}
        self._ended: list[Episodes] = []

    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        raise RuntimeError("these worlds live in actors")

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        raise RuntimeError("these worlds live in actors")

    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, Tensor]:
        return {}

    def restore(self, snapshot: Mapping[str, Tensor], worlds: Sequence[int] | None = None) -> None:
        """Nothing is kept: actors begin on levels of their own."""

    def state_hash(self, worlds: Sequence[int] | None = None) -> Tensor:
        raise RuntimeError("these worlds live in actors")

    def note_episodes(self, episodes: Episodes) -> None:
        """Take in episodes that ended somewhere."""
        self._ended.append(episodes)

    def drain_episodes(self) -> Episodes:
        """Episodes that ended since the last call, in the order in which rollouts were taken."""
        parts, self._ended = self._ended, []
        return join_episodes([_no_episodes(self.spec), *parts])


class Gatherer:
    """Fills one rollout again and again with those of actors, side by side.

    Args:
        fleet: The actors.
        world: What stands for their worlds.
        agent: Whose weights they use.
        learner: Which counts its updates and knows the units of values.
        length: T.
        chunks: C.
    """

    def __init__(
        self, fleet: Fleet, world: DistantWorlds, agent: Agent, learner: PPO, length: int, chunks: int
    ) -> None:
        self.fleet, self.world, self.agent, self.learner = fleet, world, agent, learner
        self.rollout = allocate_rollout(world, length, agent.value_heads, agent.memory_size, chunks)
        # Memory is where the actors are; there is none between two updates here.
        self.memory = torch.zeros(world.num_rows, 0, device=world.device)
        self._ages: list[int] = []
        self._seconds: list[float] = []

    def collect(self) -> Rollout:
        """As many rollouts as an update takes, none older than allowed; the same storage each time.

        Raises:
            ActorsError: Actors fail again and again, or are missing for too long.
            StoppedError: The run was asked to end.
        """
        fleet, units = self.fleet, self.learner.normaliser
        if fleet.version != self.learner.updates:
            fleet.publish(snapshot(self.learner.updates, self.agent, units.mean, units.std))
        self._ages, self._seconds = [], []
        rows = self.rollout.num_rows // fleet.config.rollouts
        while len(self._ages) < fleet.config.rollouts:
            report = fleet.take()
            self.world.note_episodes(report.episodes)
            age = fleet.version - report.version
            if age > fleet.config.max_staleness:
                fleet.roster.dropped += 1
                continue
            unpack(report.arrays, self.rollout, len(self._ages) * rows, units.mean, units.std)
            self._ages.append(age)
            self._seconds.append(report.seconds)
        return self.rollout

    def figures(self) -> dict[str, float]:
        """Of the actors, and of the rollouts of this update: their age in updates, and how long they took."""
        roster = self.fleet.roster
        return {
            "actors/alive": float(roster.alive),
            "actors/lost": float(roster.lost),
            "actors/failed": float(roster.failed),
            "actors/dropped": float(roster.dropped),
            "actors/staleness": sum(self._ages) / len(self._ages),
            "actors/staleness_max": float(max(self._ages)),
            "actors/rollout_seconds": sum(self._seconds) / len(self._seconds),
        }

    def state_dict(self) -> dict[str, Any]:
        """Which incarnations there have been, so that a resumed run meets levels of its own."""
        return self.fleet.roster.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put a ``state_dict`` back."""
        self.fleet.roster.load_state_dict(state)


class ActorsRun(Run):
    """A run with a ``Gatherer`` for a collector."""

    collector: Gatherer  # type: ignore[assignment]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.collector.fleet.beat = lambda: self.watchdog.note("waiting for actors")

    def log(self, rollout: Rollout, metrics: Mapping[str, Tensor | float]) -> None:
        super().log(rollout, {**metrics, **self.collector.figures()})

    def close(self) -> None:
        super().close()
        self.collector.fleet.close()


def run_with_actors(run: Run) -> None:
    """The run loop; what ends the wait for actors ends the run, saved. Raises ActorsError where that is a mistake."""
    try:
        run_loop(run)
    except StoppedError:
        _save(run)
    except ActorsError:
        _save(run)
        raise


def _no_episodes(spec: WorldSpec) -> Episodes:
    return Episodes(
        row=np.empty(0, np.int64),
        seed=np.empty(0, np.uint64),
        length=np.empty(0, np.int64),
        reward=np.empty(0, np.float64),
        cause=np.empty(0, "<U1"),
        achievements=np.empty((0, len(spec.achievements)), np.int64),
        measures=np.empty((0, len(spec.measures))),
    )


def _save(run: Run) -> None:
    if run.counters.steps != run.saved_steps:
        run.save()
    run.announce("on_end", run.context())
