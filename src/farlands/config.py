"""What can be chosen about a run: frozen data, resolved once at the edge, free of torch."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import tyro

from farlands.agents.config import AgentConfig
from farlands.extensions import absolute
from farlands.learning.config import ImpalaConfig, PPOConfig
from farlands.rewards.config import RewardConfig
from farlands.runtime.actors.config import ActorsConfig

SEED_LIMIT = 2**64


_MOST: dict[str, float] = {
    "num_worlds": 2**24, "episodes": 2**24, "training_levels": 2**24, "varied": 2**24, "threads": 1024,
    "processes": 65_536, "restarts": 10**6,
    "steps": 10**15, "max_steps": 2**31,
}  # fmt: skip
"""Bounds beyond which a number is a slip of the hand."""


def _require(config: object, least: dict[str, float]) -> None:
    for name, low in least.items():
        value, high = getattr(config, name), _MOST.get(name, float("inf"))
        if not value >= low:
            raise ValueError(f"{name.replace('_', '-')} is {value}; it must be at least {low}")
        if value > high:
            raise ValueError(f"{name.replace('_', '-')} is {value}; it must be at most {high}")


def _require_seed(seed: int) -> None:
    if not 0 <= seed < SEED_LIMIT:
        raise ValueError(f"seed is {seed}; it must be in [0, 2**64)")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides how a training run goes."""

    world: tyro.conf.Suppress[str] = ""
    """Which world, by short name, file.py:Name or module:Name."""
    options: Annotated[Any, tyro.conf.arg(name="world")] = None
    """The world's own options."""
    recipe: str = ""
    """Named settings to start from; by default the one named like the world, if any."""
    steps: int = 10_000_000
    """Steps to train for, all worlds together; 2e6 and 2_000_000 are understood."""
    seconds: float = 0.0
    """End after this much training time if the steps are not done by then; 0 for no such end. Schedules follow it."""
    num_worlds: int = 512
    """Worlds simulated side by side."""
    seed: int = 1
    """Seed of the worlds, the network and the actions."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N; auto is the first GPU if there is one."""
    threads: int = 0
    """CPU threads for torch; 0 for one per core. Part of the checkpoint: sums depend on it."""
    processes: int = 1
    """Processes of this machine that train together, each with its share of the worlds; on GPUs one each. torchrun
    starts them on several machines."""
    restarts: int = 0
    """How often all processes are started again, from the newest checkpoint, after one of them failed."""
    peer_timeout: float = 300.0
    """Seconds that processes wait for each other before they say who is late and end."""
    run_dir: str = ""
    """Directory of the run; by default runs/WORLD-DATE-TIME. A run that is there with the same settings goes on."""
    save_every: float = 300.0
    """Seconds between checkpoints; 0 saves after every update."""
    keep: int = 3
    """Newest checkpoints to keep."""
    on_nan: Literal["skip", "stop", "ignore"] = "skip"
    """What to do about numbers that are not finite; they never reach the parameters. skip: leave those learning steps
    out, keep evidence for `farlands inspect`, stop after --nan-patience such updates in a row. stop: stop at the first.
    ignore: leave them out and go on, without evidence."""
    nan_patience: int = 3
    """Updates in a row with something not finite before the run stops, saved."""
    alarms: tuple[str, ...] = ()
    """"off" for none, or thresholds to change, each name=number or name=off, e.g. kl_too_large=0.3."""
    tracker: Literal["none", "wandb", "trackio"] = "none"
    """Also send figures to Weights & Biases or Trackio (extras: wandb, trackio), whose environment variables count."""
    callbacks: tuple[str, ...] = ()
    """Your own functions or classes called after every update: file.py:name or module:name."""
    start_from: str = ""
    """Policy that comes with Farlands, e.g. voxel, whose parameters the agent begins with; it may see more than the
    policy did."""
    agent: AgentConfig = field(default_factory=AgentConfig)
    """The network."""
    learner: Literal["ppo", "impala"] = "ppo"
    """Who learns: ppo from its own newest rollouts, impala also from those of older weights, which actors need."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """The learner."""
    impala: ImpalaConfig = field(default_factory=ImpalaConfig)
    """The learner, where that is impala."""
    rewards: RewardConfig = field(default_factory=RewardConfig)
    """What is rewarded."""
    actors: ActorsConfig = field(default_factory=ActorsConfig)
    """Worker processes that the worlds live in, on Ray, for slow simulators."""
    faults: tuple[str, ...] = ()
    """Failures to act out, to see that a run survives them, as KIND@UPDATE, KIND@UPDATE:PHASE or with /RANK after
    either; kinds: raise, exit, kill, hang, slow, nan, preempt, full-disk, torn."""

    def __post_init__(self) -> None:
        least = {"steps": 1, "seconds": 0, "num_worlds": 1, "threads": 0, "save_every": 0, "keep": 1}
        _require(self, {**least, "processes": 1, "restarts": 0, "nan_patience": 1})
        if not 1.0 <= self.peer_timeout <= 86_400:
            raise ValueError(f"peer-timeout is {self.peer_timeout}; it must be from 1 to 86400 seconds")
        _require_seed(self.seed)
        if self.actors.count and self.learner != "impala":
            raise ValueError(f"learner is {self.learner}; with actors it must be impala: add --learner impala")
        if self.actors.count and not self.actors.worlds and self.num_worlds % self.actors.count:
            raise ValueError(
                f"num-worlds is {self.num_worlds}; it must be a multiple of actors.count, which is"
                f" {self.actors.count}, or name --actors.worlds"
            )
        if self.processes > self.num_worlds:
            raise ValueError(f"processes is {self.processes}; there are only {self.num_worlds} worlds to share")
        if self.actors.count and self.processes > 1:
            raise ValueError(f"processes is {self.processes}; with actors one process learns")
        if self.alarms:
            from farlands.runtime.alarms import read_thresholds

            read_thresholds(self.alarms)

    @property
    def learning(self) -> PPOConfig:
        """Settings of the chosen learner."""
        return self.impala if self.learner == "impala" else self.ppo

    MAIN_FLAGS: typing.ClassVar = (
        "recipe", "steps", "num-worlds", "seed", "device", "threads", "processes", "restarts", "run-dir", "save-every",
        "rewards.sources", "callbacks", "learner", "actors.count",
    )  # fmt: skip
    """Flags shown by --help; the world's own are shown beside them, the rest by --help-all."""


@dataclass(frozen=True)
class ResumeConfig:
    """How to go on with a run."""

    run: tyro.conf.Suppress[str] = ""
    """Directory of the run."""
    checkpoint: str = ""
    """Name of the checkpoint to go on from; the newest by default. Later ones are removed."""
    steps: int = 0
    """Train for this many steps altogether; 0 for as many as the run was started with."""
    seconds: float = 0.0
    """Train for this much time altogether; 0 for as much as the run was started with."""
    device: str = ""
    """Go on on another device; exact resume is promised on the same one."""
    ray_address: str = ""
    """Address of the Ray cluster to go on on, for a run with actors; by default the one it was started on."""
    processes: int = 0
    """Go on with so many processes; 0 for as many as before. Exact resume is promised for the same number."""
    restarts: int = 0
    """How often all processes are started again after one of them failed."""

    def __post_init__(self) -> None:
        _require(self, {"steps": 0, "seconds": 0, "processes": 0, "restarts": 0})

    MAIN_FLAGS: typing.ClassVar = (
        "checkpoint", "steps", "seconds", "device", "processes", "restarts", "ray-address",
    )  # fmt: skip


@dataclass(frozen=True)
class EvalConfig:
    """How to measure an agent: the first episode of each of a fixed set of levels it never trained on."""

    target: tyro.conf.Suppress[str] = ""
    """A run directory, or a world to try an agent in."""
    options: Annotated[Any, tyro.conf.arg(name="world")] = None
    """The world's own options."""
    agent: str = ""
    """random, zero, expert, honest-expert, or your own as file.py:Name; by default the run's newest checkpoint."""
    checkpoint: str = ""
    """Name of the run's checkpoint to measure; the newest by default."""
    protocol: Literal["basic", "quick", "standard", "full", "robust"] = "basic"
    """How much to measure. basic: 512 unseen levels. quick, standard, full: 256 (of at most 2,000 steps), 1,000 or
    10,000 of them, and also training levels, robustness and clips. robust: 256 of at most 2,000 steps, and as many for
    each change on each axis."""
    episodes: int = 0
    """Unseen levels, one episode each; 0 for as many as the protocol says."""
    seed: int = 0
    """Which set of levels."""
    max_steps: int = 0
    """Cut episodes after this many steps; 0 for as the protocol says, or else the world's own horizon."""
    training_levels: int = -1
    """Levels the run trained on to measure beside the unseen ones; -1 for as many as the protocol says."""
    vary: tuple[str, ...] = ()
    """World options to change, one at a time, as NAME=VALUE,VALUE; action-failure, observation-loss, observation-noise
    and action-delay exist in every world. By default the protocol's own."""
    axes: Literal["auto", "none", "train", "held-out", "both"] = "auto"
    """Which ranges of the protocol's own axes to measure: what training may draw, what is held out from it, or both.
    auto: both where nothing is asked for by --vary and the agent was trained or the protocol is robust."""
    varied: int = -1
    """Episodes for each value of --vary and --axes; -1 for as many as the protocol says."""
    greedy: bool = False
    """Take the likeliest action instead of drawing one."""
    baseline: bool = True
    """Measure the random agent beside it."""
    clips: Literal["auto", "on", "off"] = "auto"
    """Whether the page shows films of the best, a typical and the worst episode; auto: as the protocol says."""
    video: str = ""
    """Also record an .mp4 of the agent here, in worlds that can draw."""
    replays: int = 0
    """Take down the first so many episodes, as files in the report's directory that `farlands replay` plays and
    draws; in the voxel world."""
    out: str = ""
    """Directory for the report; by default the run's own, or none for a bare world."""
    num_worlds: int = 512
    """Levels side by side. Worlds do not depend on it; sums in the network do, in their last bits."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    threads: int = 0
    """CPU threads for torch; 0 for one per core."""

    def __post_init__(self) -> None:
        least = {"episodes": 0, "max_steps": 0, "threads": 0, "replays": 0, "training_levels": -1, "varied": -1}
        _require(self, {**least, "num_worlds": 1})
        _require_seed(self.seed)

    MAIN_FLAGS: typing.ClassVar = (
        "protocol", "agent", "checkpoint", "episodes", "max-steps", "seed", "vary", "video", "out", "device",
    )  # fmt: skip


@dataclass(frozen=True)
class DemoConfig:
    """The first minutes: train in the voxel world, measure, film."""

    watch: bool = False
    """Train nothing: watch the agent that comes with Farlands at work, in the terminal, for --video-seconds."""
    run_dir: str = ""
    """Directory of the run, new or empty; by default runs/demo-DATE-TIME."""
    recipe: str = "demo"
    """Which recipe to show."""
    steps: int = 0
    """Train for this many steps; 0 for as many as the recipe says."""
    num_worlds: int = 0
    """Worlds side by side; 0 for as many as the recipe says."""
    episodes: int = 512
    """Levels to measure on."""
    video_seconds: float = 20.0
    """Length of the video; 0 for none."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""

    def __post_init__(self) -> None:
        _require(self, {"steps": 0, "num_worlds": 0, "episodes": 1, "video_seconds": 0})

    MAIN_FLAGS: typing.ClassVar = (
        "watch", "run-dir", "recipe", "steps", "num-worlds", "episodes", "video-seconds", "device",
    )  # fmt: skip


@dataclass(frozen=True)
class CompareConfig:
    """What to compare: variants of a training run, several seeds of each."""

    world: tyro.conf.Suppress[str] = ""
    """The world, or the directory of a comparison to go on with."""
    variants: tuple[str, ...] = ()
    """Two or more, each "name" or "name: --flag value ...", with flags of `farlands train`; the first is what the
    others are held against."""
    common: str = ""
    """Flags of `farlands train` for all of them, in one text."""
    seeds: int = 3
    """Runs of each variant, with the training seeds 1 to this."""
    steps: int = 1_000_000
    """Steps of every run."""
    seconds: float = 0.0
    """Training time of every run, instead of steps; 0 for steps."""
    metric: str = "return"
    """What decides: return, length, score, or the name of an achievement."""
    episodes: int = 256
    """Unseen levels that each agent is measured on."""
    max_steps: int = 0
    """Cut those episodes after this many steps; 0 for the world's own horizon."""
    parallel: int = 1
    """Runs side by side; they share the cores."""
    run_dir: str = ""
    """Directory of the comparison, new or empty; by default runs/compare-DATE-TIME."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""

    def __post_init__(self) -> None:
        _require(self, {"seeds": 1, "steps": 1, "seconds": 0, "episodes": 1, "max_steps": 0, "parallel": 1})

    MAIN_FLAGS: typing.ClassVar = (
        "variants", "common", "seeds", "steps", "seconds", "metric", "episodes", "max-steps", "parallel", "run-dir",
        "device",
    )  # fmt: skip


@dataclass(frozen=True)
class SweepConfig:
    """What to search: settings of a training run, by many short ones."""

    world: tyro.conf.Suppress[str] = ""
    """The world, or the directory of a sweep to go on with."""
    ranges: tuple[str, ...] = ()
    """What to vary, each flag=low..high or flag=one,two,three, with flags of `farlands train`; positive numbers whose
    ends are ten times apart or more are searched on a scale of doublings."""
    common: str = ""
    """Flags of `farlands train` for all trials, in one text."""
    trials: int = 20
    """Runs altogether."""
    steps: int = 1_000_000
    """Steps of every run."""
    seconds: float = 0.0
    """Training time of every run, instead of steps; 0 for steps."""
    metric: str = "return"
    """What to raise: return, length, or the name of an achievement, over the last tenth of a run's episodes."""
    minimise: bool = False
    """Lower it instead."""
    prune: bool = True
    """End runs early that do worse than the median of the others had done by then."""
    train_seed: int = 1
    """Training seed of every run."""
    seed: int = 0
    """Seed of the search."""
    parallel: int = 1
    """Runs side by side; they share the cores."""
    run_dir: str = ""
    """Directory of the sweep, new or empty; by default runs/sweep-DATE-TIME."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""

    def __post_init__(self) -> None:
        _require(self, {"trials": 1, "steps": 1, "seconds": 0, "parallel": 1})
        _require_seed(self.train_seed)
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed is {self.seed}; it must be in [0, 2**32)")

    MAIN_FLAGS: typing.ClassVar = (
        "ranges", "common", "trials", "steps", "seconds", "metric", "minimise", "prune", "parallel", "run-dir",
        "device",
    )  # fmt: skip


@dataclass(frozen=True)
class BenchConfig:
    """How to measure speed."""

    world: tyro.conf.Suppress[str] = ""
    """Which world."""
    options: Annotated[Any, tyro.conf.arg(name="world")] = None
    """The world's own options."""
    num_worlds: int = 512
    """Worlds side by side."""
    seconds: float = 10.0
    """Time to measure each figure for."""
    learn: bool = True
    """Also measure training from end to end."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    threads: int = 0
    """CPU threads for torch; 0 for one per core."""

    def __post_init__(self) -> None:
        _require(self, {"num_worlds": 1, "seconds": 0.01, "threads": 0})

    MAIN_FLAGS: typing.ClassVar = ("num-worlds", "seconds", "learn", "device", "threads")


@dataclass(frozen=True)
class ReplayConfig:
    """What to do with a replay."""

    path: tyro.conf.Suppress[str] = ""
    """The file."""
    render: str = ""
    """Draw it into this .mp4 or .gif; by default it is only played and checked."""
    width: int = 640
    """Width of the pictures, in pixels, even."""
    height: int = 360
    """Height of the pictures, in pixels, even."""
    every: int = 1
    """Draw every so many steps; films show twenty pictures a second."""

    def __post_init__(self) -> None:
        _require(self, {"width": 16, "height": 16, "every": 1})
        for name in ("width", "height"):
            if getattr(self, name) % 2 or getattr(self, name) > 4096:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be an even number up to 4096")

    MAIN_FLAGS: typing.ClassVar = ("render", "width", "height", "every")


@dataclass(frozen=True)
class RecordConfig:
    """Write demonstrations: what an agent saw, did and got, episode by episode, as a Minari dataset."""

    world: tyro.conf.Suppress[str] = ""
    """Which world, by short name, file.py:Name or module:Name."""
    options: Annotated[Any, tyro.conf.arg(name="world")] = None
    """The world's own options; what the demonstrations show is --world.senses."""
    agent: str = "honest-expert"
    """Who demonstrates: honest-expert, expert, pretrained, random, or your own as file.py:Name."""
    episodes: int = 10
    """How many episodes, each on a level of its own."""
    seed: int = 0
    """Which levels; none of them is one that `farlands evaluate` measures on."""
    max_steps: int = 0
    """Cut episodes after this many steps; 0 for the world's own horizon."""
    out: str = ""
    """Directory of the dataset, new; by default WORLD-AGENT-v0."""

    def __post_init__(self) -> None:
        _require(self, {"episodes": 1, "max_steps": 0})
        _require_seed(self.seed)

    MAIN_FLAGS: typing.ClassVar = ("agent", "episodes", "seed", "max-steps", "out")


@dataclass(frozen=True)
class InspectConfig:
    """What went bad where a run met numbers that are not finite: what first, where, after what."""

    target: tyro.conf.Suppress[str] = ""
    """Directory of a run, whose newest dump is meant, or of a dump."""
    again: bool = False
    """Also ask the reward sources and the agent anew, as they are now, about the offending rows."""

    MAIN_FLAGS: typing.ClassVar = ("again",)


def anchored(config: TrainConfig) -> TrainConfig:
    """The same config with every path to a user's file made absolute, so that a resume finds it from anywhere."""
    return dataclasses.replace(
        config,
        world=absolute(config.world),
        callbacks=tuple(absolute(name) for name in config.callbacks),
        agent=dataclasses.replace(config.agent, network=absolute(config.agent.network)),
        rewards=dataclasses.replace(config.rewards, sources=tuple(absolute(name) for name in config.rewards.sources)),
    )
