"""The run loop: collect, reward, learn, log, save."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from torch import Tensor

from farlands.agents.agent import Agent
from farlands.config import TrainConfig
from farlands.learning.collect import Collector
from farlands.learning.learner import Learner
from farlands.learning.peers import Peers
from farlands.learning.rollout import Rollout
from farlands.rewards.source import RewardSource, combine_rewards, source_rewards
from farlands.runtime.callbacks import Callback, Context
from farlands.runtime.checkpoint import CheckpointStore, Stateful
from farlands.runtime.display import Display
from farlands.runtime.energy import Cost, Meter, total_cost
from farlands.runtime.episodes import EpisodeWriter, join_episodes, summarise_episodes
from farlands.runtime.faults import Faults
from farlands.runtime.live import Feed
from farlands.runtime.metrics import MetricsWriter, fetch_metrics
from farlands.runtime.monitor import Monitor
from farlands.runtime.phases import Phases
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.seeds import RandomStates
from farlands.runtime.shards import Share
from farlands.runtime.signals import StopRequest
from farlands.runtime.watchdog import Watchdog
from farlands.worlds.world import Episodes, World, WorldSpec


def run_loop(run: Run) -> None:
    """Train until the run's steps or its time are used up or something asks it to stop; the end is always saved."""
    run.monitor.begin(run.counters.steps, run.store.newest())
    run.announce("on_start", run.context())
    while run.progress < 1 and not run.stopping:
        with run.phase("collect"):
            rollout = run.collector.collect()
        with run.phase("reward"):
            given = run.faults.poison(source_rewards(run.sources, rollout))
            rewards = combine_rewards(run.sources, given)
            metrics = update_sources(run.sources, rollout)
        with run.phase("learn"):
            learned = run.learner.update(rollout, rewards, run.progress)
            metrics |= {f"learn/{name}": value for name, value in learned.items()}
            metrics |= run.monitor.look(rollout, given)
        with run.phase("log"):
            run.log(rollout, metrics)
        if run.save_due:
            with run.phase("save"):
                run.save()
    if run.counters.steps != run.saved_steps:
        with run.phase("save"):
            run.save()
    run.monitor.end(run.stop.signal)
    run.announce("on_end", run.context())


def update_sources(sources: list[RewardSource], rollout: Rollout) -> dict[str, Tensor | float]:
    """Let every reward source learn; metrics by name."""
    return {
        f"reward/{type(source).__name__}/{name}": value
        for source in sources
        for name, value in source.update(rollout).items()
    }


class Report(NamedTuple):
    """What a process tells the others after an update.

    Attributes:
        signal: That asked it to end, 0 if none did.
        asked_to_stop: Whether that, or a callback, asked the run to end.
        save_due: Whether its last checkpoint is old enough for the next.
        cost: Of the update.
        episodes: That ended in it, rows counted over all processes.
    """

    signal: int
    asked_to_stop: bool
    save_due: bool
    cost: Cost
    episodes: Episodes


@dataclass
class Counters:
    """How far a run is; a component of the checkpoint.

    Attributes:
        steps: Of all rows together.
        updates: Of the learner.
        seconds: Of training, over all the processes that carried the run.
        joules: Of the device over the same time; None once it could not be told.
    """

    steps: int = 0
    updates: int = 0
    seconds: float = 0.0
    joules: float | None = 0.0

    def spend(self, cost: Cost) -> None:
        """Add what an update cost."""
        self.seconds += cost.seconds
        self.joules = None if self.joules is None or cost.joules is None else self.joules + cost.joules

    def progress(self, config: TrainConfig) -> float:
        """Share of a run done, in [0, 1]."""
        of_time = self.seconds / config.seconds if config.seconds else 0.0
        return min(1.0, max(self.steps / config.steps, of_time))

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.steps, self.updates, self.seconds = int(state["steps"]), int(state["updates"]), float(state["seconds"])
        self.joules = state.get("joules")


@dataclass
class Run:
    """A run's parts and what is done with all of them together.

    Where several processes carry a run each has one of these. What they decide together, they decide on the same
    reports; files, display and callbacks are the first one's.

    Attributes:
        saved_steps: Steps at the newest checkpoint, -1 if there is none.
        save_due: The last checkpoint is old enough for the next.
    """

    config: TrainConfig
    directory: RunDirectory
    world: World
    agent: Agent
    sources: list[RewardSource]
    learner: Learner
    collector: Collector
    callbacks: list[Callback]
    counters: Counters
    store: CheckpointStore
    metrics: MetricsWriter
    episodes: EpisodeWriter
    phases: Phases
    display: Display
    stop: StopRequest
    peers: Peers
    share: Share
    faults: Faults
    watchdog: Watchdog
    monitor: Monitor
    feed: Feed
    saved_steps: int = -1
    save_due: bool = False
    _ended_by_callback: bool = False
    _agreed_to_stop: bool = False
    _saved_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._meter = Meter(self.world.device)

    @property
    def progress(self) -> float:
        """Share of the run that is done, in [0, 1]: of its steps or of its time, whichever is further."""
        return self.counters.progress(self.config)

    @property
    def stopping(self) -> bool:
        """Something asked the run to end; several processes end together, once all have heard of it."""
        return self._agreed_to_stop or (self.peers.size == 1 and self._asked_to_stop)

    @property
    def _asked_to_stop(self) -> bool:
        return bool(self.stop.signal or self.monitor.verdict) or self._ended_by_callback

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time what happens inside, and say to the other processes that it is what happens."""
        update = self.counters.updates + (name != "save")
        self.peers.note(f"{name} of update {update}")
        self.watchdog.note(f"{name} of update {update}")
        self.faults.strike(update, name)
        with self.phases(name):
            yield

    def components(self) -> dict[str, Stateful]:
        """Everything that owns state, by name. What has effects on files when loaded stands last."""
        parts: dict[str, Stateful] = {
            "agent": self.agent,
            "learner": self.learner,
            "world": self.world,
            "collector": self.collector,
            "counters": self.counters,
            "random": RandomStates(),
        }
        parts |= {f"reward-{i}-{type(source).__name__}": source for i, source in enumerate(self.sources)}
        parts |= {f"callback-{i}": callback for i, callback in enumerate(self.callbacks)}
        return parts | {"metrics": self.metrics, "monitor": self.monitor, "episodes": self.episodes}

    def own_components(self) -> set[str]:
        """Names of the components that every process has for itself."""
        return {name for name in self.components() if name in ("world", "collector", "random")} | {
            name for name in self.components() if name.startswith("reward-")
        }

    @property
    def steps_per_update(self) -> int:
        """Of all rows of all processes."""
        return self.config.learning.rollout * self.share.total * self.share.agents

    def log(self, rollout: Rollout, metrics: Mapping[str, Tensor | float]) -> None:
        """Count the update, agree with the other processes, record and show its figures, tell the callbacks."""
        figures = fetch_metrics(metrics)
        cost, episodes = self._agree(self.world.drain_episodes())
        self.counters.steps += self.steps_per_update
        self.counters.updates += 1
        self.counters.spend(cost)
        self.episodes.add(episodes, self.counters.steps)
        energy = self._meter.figures(cost, self.steps_per_update)
        for note in self._meter.new_notes(energy):
            self.display.note(f"note: {note}")
        row = {
            "step": self.counters.steps,
            "update": self.counters.updates,
            "seconds": self.counters.seconds,
            "progress": self.progress,
            "steps_per_second": self.steps_per_update / max(cost.seconds, 1e-9),
            **({} if self.counters.joules is None else {"joules": self.counters.joules}),
            **summarise_episodes(episodes, self.episodes.achievements, self.episodes.measures),
            **figures,
            **{f"time/{name}": seconds for name, seconds in self.phases.read().items()},
            **({"time/communicate": self.peers.take_seconds()} if self.peers.size > 1 else {}),
            **energy,
            **{f"energy/{name}": joules for name, joules in self.phases.read_joules().items()},
        }
        self.monitor.judge(row, rollout, episodes)
        self.metrics.write(row)
        self.display.update(row)
        self.feed.publish(rollout, self.counters.updates, self.counters.steps, cost.seconds)
        self.announce("on_update", self.context(row, episodes, rollout))

    def save(self) -> None:
        """Publish a checkpoint of everything; not if parameters are no longer finite."""
        self._saved_at = time.monotonic()
        if self.monitor.unfit():
            return
        self.episodes.flush()
        self.metrics.flush()
        facts = {**vars(self.counters), "spec": describe_spec(self.world.spec), "threads": self.config.threads}
        path = self.store.save(self.components(), facts, self.own_components())
        self.saved_steps, self._saved_at, self.save_due = self.counters.steps, time.monotonic(), False
        self.monitor.saved(path.name)
        self.announce("on_save", self.context())

    def close(self) -> None:
        """Finish files and release the worlds."""
        self.watchdog.close()
        self.monitor.close()
        self.feed.close()
        self.metrics.close()
        self.world.close()

    def _agree(self, episodes: Episodes) -> tuple[Cost, Episodes]:
        """Tell the others about an update and hear from them; its cost and the episodes of all processes."""
        rows = self.share.worlds.start * self.share.agents
        due = time.monotonic() - self._saved_at >= self.config.save_every
        mine = Report(self.stop.signal, self._asked_to_stop, due, self._meter.lap(), episodes.shifted(rows))
        reports = self.peers.gather(mine)
        if any(report.asked_to_stop for report in reports):
            self.stop.signal, self._agreed_to_stop = max(report.signal for report in reports), True
        self.save_due = reports[0].save_due
        return total_cost([report.cost for report in reports]), join_episodes([report.episodes for report in reports])

    def announce(self, event: str, context: Context) -> None:
        """Tell every callback."""
        for callback in self.callbacks:
            getattr(callback, event)(context)

    def context(
        self,
        row: Mapping[str, float] | None = None,
        episodes: Episodes | None = None,
        rollout: Rollout | None = None,
    ) -> Context:
        """What callbacks get to see."""
        return Context(
            steps=self.counters.steps,
            updates=self.counters.updates,
            metrics=row or {},
            episodes=episodes,
            rollout=rollout,
            world=self.world,
            agent=self.agent,
            learner=self.learner,
            run_dir=self.directory.path,
            stop=self._end,
        )

    def _end(self) -> None:
        self._ended_by_callback = True


def describe_spec(spec: WorldSpec) -> dict[str, Any]:
    """What must be the same for a checkpoint to fit a world, as JSON data."""
    return {
        "rules": spec.rules,
        "observation": {key: [array.dtype, list(array.shape)] for key, array in spec.observation.items()},
        "action": repr(spec.action),
    }
