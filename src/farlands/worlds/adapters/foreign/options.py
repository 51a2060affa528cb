"""Choices about foreign worlds. Free of torch, so that command lines can show them quickly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class ForeignOptions:
    """Choices about any world whose environments run in worker processes."""

    workers: int = -1
    """Processes that step the environments; 0 steps them in this one, -1 takes one for each core."""
    timeout: float = 60.0
    """Seconds that one call to an environment may take before its worker counts as hung."""
    replay: int = 20_000
    """Longest episode, in steps, that a resume lives again from its level seed and actions; longer ones are cut there.
    0 cuts every episode at a resume."""
    failures: int = 0
    """Exceptions that the environments of one worker may raise: each costs its episode, which is cut and noted with the
    cause "failed", and the environment is made anew. One more ends the run."""

    def __post_init__(self) -> None:
        if not -1 <= self.workers <= 1024:
            raise ValueError(f"workers is {self.workers}; it must be in [-1, 1024]")
        if not 0 < self.timeout < float("inf"):
            raise ValueError(f"timeout is {self.timeout}; it must be above 0")
        if self.replay < 0:
            raise ValueError(f"replay is {self.replay}; it must be at least 0")
        if self.failures < 0:
            raise ValueError(f"failures is {self.failures}; it must be at least 0")


@dataclass(frozen=True)
class GymnasiumOptions(ForeignOptions):
    """Choices about an environment registered with Gymnasium."""

    env_id: str = "CartPole-v1"
    """Its id; module:Id imports the module that registers it first."""
    kwargs: str = "{}"
    """Further arguments of its constructor, as a JSON object."""
    horizon: int = 0
    """Steps after which an episode is truncated; 0 for the environment's own limit."""
    seed_bits: int = 64
    """Bits of a level seed that it takes; 31 for those that feed old generators."""
    ahead: bool = False
    """Begin next episodes in a second copy of each environment while a worker waits. For those with slow resets that
    carry nothing from one episode to the next."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_horizon(self.horizon)
        if not 8 <= self.seed_bits <= 64:
            raise ValueError(f"seed_bits is {self.seed_bits}; it must be in [8, 64]")
        self.keywords()

    def keywords(self) -> dict[str, Any]:
        """``kwargs`` read. Raises ValueError where they are no JSON object."""
        try:
            found = json.loads(self.kwargs)
        except ValueError as error:
            raise ValueError(f"kwargs is {self.kwargs!r}; expected a JSON object: {error}") from None
        if not isinstance(found, dict):
            raise ValueError(f"kwargs is {self.kwargs!r}; expected a JSON object")
        return found


@dataclass(frozen=True)
class CrafterOptions(ForeignOptions):
    """Choices about Crafter (Hafner 2021); the defaults are its protocol."""

    horizon: int = 10_000
    """Steps after which an episode is truncated."""
    size: int = 64
    """Height and width of the picture, in pixels."""
    reward: bool = True
    """Reward achievements and health; without, every reward is zero."""
    ahead: bool = True
    """Make next levels in a second copy of each environment while a worker waits; making one takes as long as hundreds
    of steps."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_horizon(self.horizon, least=1)
        if not 9 <= self.size <= 1024:
            raise ValueError(f"size is {self.size}; it must be in [9, 1024]")


@dataclass(frozen=True)
class MinigridOptions(ForeignOptions):
    """Choices about MiniGrid and BabyAI (Chevalier-Boisvert et al. 2023)."""

    env_id: str = "MiniGrid-Empty-5x5-v0"
    """Its id, e.g. MiniGrid-DoorKey-8x8-v0 or BabyAI-GoToObj-v0."""
    horizon: int = 0
    """Steps after which an episode is truncated; 0 for the environment's own limit."""
    full_view: bool = False
    """See the whole grid instead of the cells before the agent."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_horizon(self.horizon)


@dataclass(frozen=True)
class AtariOptions(ForeignOptions):
    """Choices about Atari 2600 games in the Arcade Learning Environment, preprocessed as by Machado et al. (2018)."""

    game: str = "breakout"
    """Name of the game in snake case, e.g. ms_pacman."""
    size: int = 84
    """Height and width of the picture, in pixels."""
    stack: int = 4
    """Latest pictures seen side by side, oldest first."""
    frame_skip: int = 4
    """Frames that an action lasts; the picture is the brighter of the last two at every point."""
    sticky: float = 0.25
    """Chance at every frame that the action before is repeated instead."""
    noop_max: int = 0
    """Most frames without an action at the start of an episode; their number is drawn."""
    full_actions: bool = False
    """Offer all 18 actions of the joystick instead of those the game knows."""
    episodic_life: bool = False
    """End an episode at the loss of a life."""
    clip_reward: bool = False
    """Give the sign of the reward only."""
    horizon: int = 27_000
    """Steps after which an episode is truncated; half an hour of play at four frames each."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _require_horizon(self.horizon, least=1)
        if self.workers == 0:
            raise ValueError("workers is 0; it must be at least 1, or -1: the emulator runs in processes of its own")
        if not 0.0 <= self.sticky < 1.0:
            raise ValueError(f"sticky is {self.sticky}; it must be in [0, 1)")
        for name, low, high in (("size", 16, 210), ("stack", 1, 4), ("frame_skip", 1, 64), ("noop_max", 0, 1000)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [{low}, {high}]")


@dataclass(frozen=True)
class CraftaxOptions:
    """Choices about Craftax (Matthews et al. 2024)."""

    variant: Literal["classic", "full"] = "classic"
    """classic has Crafter's rules, full many more floors, creatures and tools."""
    senses: Literal["symbols", "pixels"] = "symbols"
    """What is seen."""
    horizon: int = 0
    """Steps after which an episode is truncated; 0 for the environment's own limit."""
    resets: int = 0
    """Levels made at once where episodes end; 0 for a sixteenth of the worlds."""

    def __post_init__(self) -> None:
        _require_horizon(self.horizon)
        if self.resets < 0:
            raise ValueError(f"resets is {self.resets}; it must be at least 0")


def _require_horizon(horizon: int, least: int = 0) -> None:
    if not least <= horizon < 2**31:
        raise ValueError(f"horizon is {horizon}; it must be in [{least}, 2**31)")
