"""What can be chosen about scaling measurements and plans. Free of torch, so that command lines show it quickly."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from farlands.agents.config import AgentConfig
from farlands.config import TrainConfig
from farlands.errors import UserError
from farlands.flags import take_flag
from farlands.learning.config import PPOConfig
from farlands.recipes import start_from
from farlands.rewards.config import RewardConfig
from farlands.runtime.rundir import RunDirectory

_SHARED = ("world", "options", "recipe", "num_worlds", "device", "threads", "start_from", "agent", "ppo", "rewards")
"""Settings of a training run that decide what it costs."""


@dataclass(frozen=True)
class ScalingConfig:
    """How cost grows with sizes, one axis at a time, and, from the records of runs, how the steps that a skill needs
    grow with its depth.
    """

    world: tyro.conf.Suppress[str] = ""
    """Which world; empty where only runs are looked at."""
    runs: tyro.conf.Suppress[tuple[str, ...]] = ()
    """Directories of runs whose records are looked at."""
    options: Annotated[Any, tyro.conf.arg(name="world")] = None
    """The world's own options."""
    recipe: str = ""
    """Named settings to start from; by default the one named like the world, if any."""
    axes: tuple[str, ...] = ()
    """What to vary: worlds, window, pixels, creatures, rollout, memory, hidden, processes, each by itself or as
    NAME=VALUE,VALUE,...; all that the world has by default."""
    num_worlds: int = 256
    """Worlds side by side where they are not what varies."""
    rounds: int = 7
    """Times that the sizes of an axis take turns."""
    seconds: float = 0.5
    """Time of one turn, about."""
    clock: Literal["wall", "processor"] = "wall"
    """What axes are timed by: the clock on the wall, or the time that the processors give to the process, which is
    steadier where others use them too, and says nothing of GPUs."""
    threshold: float = 0.5
    """A skill counts as learnt when this share of the last --episodes episodes has it."""
    episodes: int = 256
    """Episodes that a skill's share is taken over."""
    out: str = ""
    """Directory for the report, new or empty; by default scaling-DATE-TIME."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    threads: int = 0
    """CPU threads for torch; 0 for one per core."""
    start_from: tyro.conf.Suppress[str] = ""
    """As in training."""
    agent: AgentConfig = field(default_factory=AgentConfig)
    """The network."""
    ppo: PPOConfig = field(default_factory=PPOConfig)
    """The learner."""
    rewards: RewardConfig = field(default_factory=RewardConfig)
    """What is rewarded."""

    def __post_init__(self) -> None:
        _within(self, rounds=(2, 1000), seconds=(0.001, 3600), threshold=(0.01, 1.0), episodes=(1, 2**24))
        self.train_config()

    MAIN_FLAGS: typing.ClassVar = (
        "axes", "recipe", "num-worlds", "rounds", "seconds", "clock", "threshold", "out", "device", "threads",
    )  # fmt: skip

    def train_config(self) -> TrainConfig:
        """The training run whose sizes are varied."""
        return TrainConfig(**{name: getattr(self, name) for name in _SHARED})


@dataclass(frozen=True)
class PlanConfig:
    """What a training run would take: time, devices, energy, money, and where more of them stops paying. From what a
    run or `farlands bench scaling` measured, and from nothing else.
    """

    source: tyro.conf.Suppress[str] = ""
    """Directory of a run or of a scaling report."""
    steps: int = 0
    """Steps to plan for; 0 for as many as the run was meant to have."""
    skill: str = ""
    """Also tell how many steps this achievement takes, e.g. "stone pickaxe"."""
    gpus: str = "1"
    """Devices to plan with, one process each: a number, 1..8, or 1,2,4."""
    price_per_hour: float = 0.0
    """Price of one device for an hour; 0 for none."""
    deadline_hours: float = 0.0
    """Hours by which it should be done; 0 for no deadline."""
    json: bool = False
    """Print JSON instead of text."""

    def __post_init__(self) -> None:
        _within(self, steps=(0, 10**18), price_per_hour=(0, 1e9), deadline_hours=(0, 1e9))

    MAIN_FLAGS: typing.ClassVar = ("steps", "skill", "gpus", "price-per-hour", "deadline-hours", "json")


def begin(subjects: Sequence[str], tokens: list[str]) -> tuple[ScalingConfig, list[str]]:
    """What a scaling measurement is before its flags but ``--recipe`` are read, and those flags.

    Args:
        subjects: A world, directories of runs, or both; empty where only help is wanted.
        tokens: Flags of `farlands bench scaling`.

    Raises:
        UserError: There is no such world, run or recipe, or there are two worlds.
    """
    runs = tuple(subject for subject in subjects if Path(subject).is_dir())
    worlds = [subject for subject in subjects if subject not in runs]
    for run in runs:
        RunDirectory.open(run)
    if len(worlds) > 1:
        raise UserError("unexpected argument", worlds[1], "one world, and directories of runs")
    if not worlds:
        recipe, tokens = take_flag(tokens, "recipe")
        if recipe:
            raise UserError("--recipe needs a world", allowed="farlands bench scaling WORLD --recipe ...")
        return ScalingConfig(runs=runs), tokens
    train, tokens = start_from(worlds[0], tokens)
    shared = {name: getattr(train, name) for name in _SHARED if name != "num_worlds"}
    return ScalingConfig(runs=runs, **shared), tokens


def _within(config: Any, **bounds: tuple[float, float]) -> None:
    flags = {item.name for item in dataclasses.fields(config)}
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        assert name in flags, name
        if not low <= value <= high:
            raise ValueError(f"{name.replace('_', '-')} is {value}; it must be in [{low:g}, {high:g}]")
