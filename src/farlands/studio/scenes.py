"""Worlds to look at: those a run trains in at this moment, or worlds in which its newest agent lives.

Both kinds step a batch of worlds in this process and remember what was chosen and thought at the newest step. Axis
letters: W worlds, R rows, V value heads, N options of an action.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from farlands.agents.noise import uniforms
from farlands.config import EvalConfig
from farlands.errors import UserError
from farlands.evaluation.protocol import evaluation_seeds
from farlands.runtime.build import build_world
from farlands.runtime.checkpoint import CheckpointStore
from farlands.runtime.live import Frames, Happened, Request
from farlands.runtime.rundir import RunDirectory
from farlands.runtime.subject import find_subject
from farlands.worlds.world import Step, World

_SEEN = ("vitals", "status", "inventory", "equipment", "position")
"""Senses of voxel worlds that pages show, whatever the agent itself sees."""


@dataclass(frozen=True)
class Thought:
    """What was thought and done at the newest step.

    Attributes:
        action: As the action spec says, ``[R, ...]``.
        value: float32 ``[R]``, what the agent expected of its main task, in units of reward, not a number for rows
            whose thoughts are not known; None if it expects nothing.
        chances: float32 ``[R, N]``, how likely each option was, not numbers likewise; None where options are not
            counted.
        reward: float32 ``[R]``, what the action was paid by the world.
        ended: bool ``[R]``: with this action an episode ended.
    """

    action: Tensor
    value: Tensor | None
    chances: Tensor | None
    reward: Tensor
    ended: Tensor


class Scene(ABC):
    """A batch of worlds that goes on step by step.

    Attributes:
        world: The batch.
        seen: The newest observation of every row.
        thought: At the newest step; None before the first.
        steps: Steps so far.
        pace: Steps per second at which it should go on.
        live: Whether these are the worlds a run trains in right now.
        rate: Pictures a second that are wanted of all the worlds.
        minds: Worlds whose agents' thoughts are wanted.
    """

    world: World
    seen: Step
    thought: Thought | None = None
    steps: int = 0
    pace: float = 5.0
    live: bool = False
    rate: float = 0.0
    minds: frozenset[int] = frozenset()

    @abstractmethod
    def advance(self) -> bool:
        """Go on by one step. False where there is nothing to go on with yet."""

    @property
    def moment(self) -> object:
        """Equal for two looks between which nothing has changed."""
        return self.steps

    @property
    def through_own_eyes(self) -> bool:
        """Whether pictures of the wall are what the agents themselves saw, and cost nothing to draw."""
        return False

    def tend(self) -> None:
        """Called several times a second, for what has to be done in time."""

    def pictures(self, worlds: Sequence[int], height: int, width: int) -> np.ndarray | None:
        """What the first agents of some worlds see, uint8 ``[n, height, width, 3]``; None where it can't be drawn."""
        return draw(self.world, self.seen, worlds, height, width)

    def wall(self, worlds: int, side: int) -> np.ndarray | None:
        """What the first agents of the first worlds see, small: uint8 ``[n, H, X, 3]``, at most ``side`` high and wide.
        None where it can't be drawn.
        """
        return self.pictures(range(worlds), side, side)

    def close(self) -> None:
        """Release the worlds."""
        self.world.close()


class Mirror(Scene):
    """The first worlds of a run that is going on, lived again from what the run writes down.

    Args:
        directory: Of the run.
        worlds: How many to show.

    Attributes:
        begun: How often a beginning was found.
        lost: How often a new beginning had to be asked for.

    Raises:
        UserError: The run's config cannot be read, or its directory takes no request.
    """

    live = True

    def __init__(self, directory: RunDirectory, worlds: int) -> None:
        self._config = directory.read_config()
        shown = min(worlds, self._config.num_worlds)
        # Pictures are drawn when they are wanted, not at every step.
        options = with_senses(self._config.options, without=("pixels", "depth", "segmentation"))
        self._request = Request(directory.path, shown)
        self._request.renew()
        self.world = build_world(self._config.world, shown, options, torch.device("cpu"))
        self.seen, self._out = self.world.allocate(), self.world.allocate()
        self._happened: Happened | None = None
        self._frames: Frames | None = None
        self._update, self._time, self._lost_at = -1, 0, -1
        self.begun = self.lost = 0

    @property
    def ready(self) -> bool:
        """Whether a beginning has been found, and the way from there not been lost."""
        return self._update >= 0

    @property
    def through_own_eyes(self) -> bool:
        # Where agents learn from pictures, those have been drawn already.
        return self._frames is not None

    @property
    def moment(self) -> object:
        # Who is too late for everything, on a machine with no time left, still sees each new beginning.
        return self.begun, self.steps

    def tend(self) -> None:
        self._request.pictures, self._request.minds = (self.rate if self.rate >= 1 else 0.0), self.minds
        self._request.ask()

    def wall(self, worlds: int, side: int) -> np.ndarray | None:
        if self._frames is None or self._frames.pictures.shape[1] < worlds:
            return super().wall(worlds, side)
        seen = self._frames.before(self._time)[:worlds].numpy()
        size = min(side, seen.shape[1])
        kept = np.arange(size) * seen.shape[1] // size
        return seen[:, kept][:, :, kept]

    def advance(self) -> bool:
        used_up = self._happened is None or self._time >= len(self._happened.actions)
        if used_up and not self._next():
            return False
        happened, t = self._happened, self._time
        assert happened is not None
        self.seen, self._out = self.world.step(happened.actions[t], out=self._out), self.seen
        self.thought = Thought(
            action=happened.actions[t],
            value=self._spread(happened.values[t, :, 0], happened),
            chances=None if happened.chances is None else self._spread(happened.chances[t].float(), happened),
            reward=happened.reward[t],
            ended=happened.ended[t],
        )
        self._time, self.steps = t + 1, self.steps + 1
        return True

    def _next(self) -> bool:
        """Turn to the next update, or to a new beginning."""
        if self._happened is not None and self._happened.hashes is not None:
            if torch.equal(self.world.state_hash().cpu(), self._happened.hashes):
                self._happened = dataclasses.replace(self._happened, hashes=None)  # Looked at once.
            else:
                self._lose()
        newest = self._request.newest_update()
        if self.ready and newest > self._update:
            happened = self._request.read(self._update + 1)
            if happened is not None and self._fits(happened):
                self._happened, self._update, self._time = self._rows(happened), self._update + 1, 0
                self._frames = self._request.read_frames(self._update) if self._request.pictures else None
                if self._frames and self._frames.pictures.shape[2] != self._frames.pictures.shape[3]:
                    self._frames = None  # Walls are of squares.
                # Whoever falls behind catches up, gently.
                hurry = 1 + 0.25 * min(newest - self._update, 8)
                self.pace = len(happened.actions) / max(happened.seconds, 1e-3) * hurry
                return True
            self._lose()
        if not self.ready:
            self._begin()
        return False

    def _begin(self) -> None:
        found = self._request.newest_beginning()
        if found is None:
            return
        update, worlds, snapshot = found
        if worlds < self.world.num_worlds or update < self._lost_at:
            return
        chosen = {name: value[: self.world.num_worlds] for name, value in snapshot.items()}
        try:
            self.world.restore(chosen)
        except ValueError:
            return
        self.seen = self.world.observe(self.seen)
        self._update, self._happened, self._frames, self._time = update, None, None, 0
        self.begun += 1

    def _lose(self) -> None:
        """What was read leads nowhere: ask for a new beginning."""
        self.lost += 1
        self._lost_at, self._update, self._happened = self._request.newest_update(), -1, None
        self._request.renew()

    def _spread(self, thoughts: Tensor, happened: Happened) -> Tensor:
        """Thoughts ``[M, ...]`` of some worlds as those of all rows ``[R, ...]``."""
        rows = torch.full((self.world.num_rows, *thoughts.shape[1:]), torch.nan)
        rows[happened.minds * self.world.num_agents] = thoughts
        return rows

    def _fits(self, happened: Happened) -> bool:
        enough = happened.actions.ndim >= 2 and happened.actions.shape[1] >= self.world.num_rows
        return enough and len(happened.minds) == happened.values.shape[1]

    def _rows(self, happened: Happened) -> Happened:
        """Only the rows that are shown here."""
        rows, minds = slice(self.world.num_rows), happened.minds < self.world.num_worlds
        return dataclasses.replace(
            happened,
            actions=happened.actions[:, rows], reward=happened.reward[:, rows], ended=happened.ended[:, rows],
            minds=happened.minds[minds], values=happened.values[:, minds],
            chances=None if happened.chances is None else happened.chances[:, minds],
            hashes=None if happened.hashes is None else happened.hashes[: self.world.num_worlds],
        )  # fmt: skip


class Stage(Scene):
    """Worlds in which the newest agent of a run lives, on levels it never trained on.

    Args:
        directory: Of the run.
        worlds: How many.
        pace: Steps per second.

    Raises:
        UserError: There is no checkpoint, or it does not fit.
    """

    def __init__(self, directory: RunDirectory, worlds: int, pace: float = 10.0) -> None:
        subject = find_subject(EvalConfig(target=str(directory.path)))
        options = with_senses(subject.options)
        device = torch.device("cpu")
        self.world = build_world(subject.settings.world, worlds, options, device)
        added = set(getattr(options, "senses", ())) - set(getattr(subject.options, "senses", ()))
        self._shown = {key: array for key, array in self.world.spec.observation.items() if key not in added}
        self.agent: Any = subject.make_actor(dataclasses.replace(self.world.spec, observation=self._shown), device)
        self.checkpoint, self.pace = subject.checkpoint, pace
        self.seen, self._out = self.world.reset(evaluation_seeds(0, worlds)), self.world.allocate()
        self._units = _value_units(directory, subject.checkpoint)
        rows = self.world.num_rows
        self._memory, self._first = self.agent.initial_memory(rows), torch.ones(rows, dtype=torch.bool)

    @torch.no_grad()
    def advance(self) -> bool:
        observation = {key: value for key, value in self.seen.observation.items() if key in self._shown}
        rows = torch.arange(self.world.num_rows)
        noise = uniforms(0, rows, torch.tensor(self.steps), self.agent.noise_size)
        sequence = {key: value[None] for key, value in observation.items()}
        output = self.agent.unroll(sequence, self._memory, self._first[None])
        distribution = output.distribution[0]
        action = distribution.sample(noise)
        seen, self._out = self.world.step(action, out=self._out), self.seen
        self.seen, self._memory = seen, output.memory
        self._first = seen.terminated | seen.truncated
        value = None
        if self._units:
            mean, std = self._units
            value = output.value[0, :, 0].float() * std + mean
        self.thought = Thought(action, value, distribution.chances(), seen.reward.clone(), self._first.clone())
        self.steps += 1
        return True


def _value_units(directory: RunDirectory, checkpoint: str) -> tuple[float, float] | None:
    """Mean and standard deviation, in units of reward, that values of the main task are told in; None without."""
    store = CheckpointStore(directory.checkpoints)
    try:
        kept = store.load(checkpoint, parts=("learner",))[0].states["learner"]["normaliser"]
        return float(kept["mean"][0]), float(kept["std"][0])
    except (KeyError, TypeError, UserError):
        return None


def with_senses(options: Any, without: Sequence[str] = ()) -> Any:
    """A world's options, showing also what pages show of voxel worlds. Changes no rule."""
    shown = getattr(options, "senses", None)
    if shown is None or not hasattr(options, "cube"):
        return options
    kept = tuple(sense for sense in shown if sense not in without)
    return dataclasses.replace(options, senses=(*kept, *(sense for sense in _SEEN if sense not in kept)))


def draw(world: World, seen: Step, worlds: Sequence[int], height: int, width: int) -> np.ndarray | None:
    """What the first agents of some worlds see, uint8 ``[n, height, width, 3]``; None in worlds without pictures.

    Args:
        world: The batch; one that can draw has ``render``, others may show ``pixels`` among their senses.
        seen: Their newest observation.
        worlds: Which.
        height, width: In pixels.
    """
    if hasattr(world, "render"):
        pictures = torch.as_tensor(world.render(list(worlds), height, width))[:: world.num_agents]  # type: ignore[attr-defined]
        return pictures.cpu().numpy()
    pixels = seen.observation.get("pixels")
    if pixels is None or pixels.ndim != 4 or pixels.shape[-1] != 3 or pixels.dtype != torch.uint8:
        return None
    chosen = pixels[[k * world.num_agents for k in worlds]].cpu().numpy()
    rows, columns = (np.arange(size) * chosen.shape[axis] // size for axis, size in ((1, height), (2, width)))
    return chosen[:, rows][:, :, columns]


def open_scene(directory: RunDirectory, worlds: int, *, live: bool) -> Scene:
    """Worlds of a run to look at.

    Args:
        directory: Of the run.
        worlds: How many.
        live: Whether the run is going on.

    Raises:
        UserError: There is nothing to show yet.
    """
    config = directory.read_config()
    if live and not config.actors.count:
        return Mirror(directory, worlds)
    try:
        return Stage(directory, worlds)
    except UserError as error:
        raise UserError(f"nothing to show of {directory.path.name} yet: {error}") from error
