"""What can be chosen about a profile. Free of torch, so that command lines can show it quickly."""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

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
"""Settings of a training run that decide where its time goes."""


@dataclass(frozen=True)
class ProfileConfig:
    """Where the time of a training run goes, part by part, and what bounds each part on this device."""

    world: tyro.conf.Suppress[str] = ""
    """Which world."""
    run: tyro.conf.Suppress[str] = ""
    """Directory of the run whose settings, and newest checkpoint if any, are taken; empty for none."""
    options: Annotated[Any, tyro.conf.arg(name="world")] = None
    """The world's own options."""
    recipe: str = ""
    """Named settings to start from; by default the one named like the world, if any."""
    num_worlds: int = 512
    """Worlds simulated side by side."""
    seconds: float = 10.0
    """Time to measure training for; at least three updates are measured in any case."""
    json: bool = False
    """Print JSON lines instead of a table."""
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
        if not 0.01 <= self.seconds <= 86_400:
            raise ValueError(f"seconds is {self.seconds}; it must be in [0.01, 86400]")
        self.train_config()

    MAIN_FLAGS: typing.ClassVar = ("recipe", "num-worlds", "seconds", "json", "device", "threads")

    def train_config(self) -> TrainConfig:
        """The training run that is looked at. It ends when it is told to, and saves nothing on the way."""
        shared = {name: getattr(self, name) for name in _SHARED}
        return TrainConfig(**shared, steps=10**15, save_every=1e18)


def begin(subject: str, tokens: list[str]) -> tuple[ProfileConfig, list[str]]:
    """What a profile is before its flags but ``--recipe`` are read, and those flags.

    Args:
        subject: A world or the directory of a run; empty where only help is wanted.
        tokens: Flags of `farlands profile`.

    Raises:
        UserError: There is no such world, run or recipe.
    """
    if subject and Path(subject).is_dir():
        train = RunDirectory.open(subject).read_config()
        recipe, tokens = take_flag(tokens, "recipe")
        if recipe:
            raise UserError("--recipe is", recipe, "but a run has settings of its own; name a world instead")
        return dataclasses.replace(_of(train), run=subject), tokens
    train, tokens = start_from(subject, tokens)
    return _of(train), tokens


def _of(train: TrainConfig) -> ProfileConfig:
    return ProfileConfig(**{name: getattr(train, name) for name in _SHARED})
