"""The contract of a user's own callback.

A callback is a function of one ``Context``, called after every update, or a class made without arguments that has
``on_update(context)`` and, if it likes, ``on_start(context)``, ``on_save(context)``, ``on_end(context)`` and a pair
``state_dict`` / ``load_state_dict``, whose state then belongs to the checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.errors import UserError

if TYPE_CHECKING:
    from farlands.agents.agent import Agent
    from farlands.learning.learner import Learner
    from farlands.learning.rollout import Rollout
    from farlands.worlds.world import Episodes, World


@dataclass(frozen=True)
class Context:
    """What a callback may look at.

    Attributes:
        steps, updates: How far the run is.
        metrics: Figures of this update by name, e.g. ``"episode/return"``; empty in ``on_start``.
        episodes: Episodes that ended in this update, None in ``on_start``.
        rollout: What this update learned from, ``[T, R]``; overwritten by the next. None in ``on_start``.
        world, agent, learner: The run's own, not copies.
        run_dir: Where files may be put.
        stop: Call it to end the run after this update, saved.
    """

    steps: int
    updates: int
    metrics: Mapping[str, float]
    episodes: Episodes | None
    rollout: Rollout | None
    world: World
    agent: Agent
    learner: Learner
    run_dir: Path
    stop: Callable[[], None]


class Callback:
    """Base of callbacks with more than one function; subclassing it is allowed, not asked for."""

    def on_start(self, context: Context) -> None:
        """Before the first update of this process."""

    def on_update(self, context: Context) -> None:
        """After every update."""

    def on_save(self, context: Context) -> None:
        """After every checkpoint."""

    def on_end(self, context: Context) -> None:
        """When the run ends or is interrupted, after the last checkpoint."""

    def state_dict(self) -> Any:
        """What the checkpoint keeps."""
        return {}

    def load_state_dict(self, state: Any) -> None:
        """Put a ``state_dict`` back."""


class _Adapted(Callback):
    """Any object or function seen as a whole callback."""

    def __init__(self, target: Any) -> None:
        for name in ("on_start", "on_update", "on_save", "on_end", "state_dict", "load_state_dict"):
            if hasattr(target, name):
                setattr(self, name, getattr(target, name))
        if not hasattr(target, "on_update"):
            self.on_update = target


def make_callback(reference: str) -> Callback:
    """The callback that a reference names.

    Raises:
        UserError: It names something else.
    """
    from farlands.extensions import resolve

    target = resolve("callback", reference)
    if isinstance(target, type):
        target = target()
    if isinstance(target, Callback):
        return target
    if callable(target) or hasattr(target, "on_update"):
        return _Adapted(target)
    raise UserError("not a callback:", reference, "expected a function of one Context, or a class with on_update")
