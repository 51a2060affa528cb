"""`farlands demo --watch`: a trained agent at work at once, drawn in the terminal, or filmed where there is none."""

from __future__ import annotations

import contextlib
import itertools
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from farlands.config import DemoConfig
from farlands.errors import UserError

if TYPE_CHECKING:
    import torch

    from farlands.evaluation.protocol import Actor
    from farlands.worlds.world import World, WorldSpec

AGENT = "pretrained"
STEPS_PER_SECOND = 10
_MOST_COLUMNS = 96
_TEXT_LINES = 4
_UPPER_HALF = "▀"


@dataclass(frozen=True)
class Moment:
    """One step of the agent.

    Attributes:
        picture: uint8 ``[H, X, 3]``, what it sees.
        action: Name of what it chose; empty before the first.
        carried: How many of each item it has, where the world shows an inventory.
        achieved: Achievements so far, the earliest first.
        total: Rewards so far.
        step: Steps so far.
    """

    picture: np.ndarray
    action: str
    carried: Mapping[str, int]
    achieved: tuple[str, ...]
    total: float
    step: int


def watch(config: DemoConfig) -> int:
    """Show the agent that comes with Farlands until the episode or the time is over.

    Raises:
        UserError: The film cannot be written, or the recipe's world is not the agent's.
    """
    if sys.stdout.isatty():
        return _watch_live(config)
    return _film(config)


def moments(world: World, actor: Actor, seed: int, height: int, width: int) -> Iterator[Moment]:
    """An episode, step by step.

    Args:
        world: One world that can draw; it is reset.
        actor: Who lives in it.
        seed: Of the level.
        height, width: Of the pictures, in pixels.
    """
    import torch

    from farlands.agents.noise import uniforms

    device, total, step, chosen = world.device, 0.0, 0, ""
    here, there = world.reset([seed]), world.allocate()
    memory, first = actor.initial_memory(1).to(device), torch.ones(1, dtype=torch.bool, device=device)
    while True:
        picture = torch.as_tensor(world.render([0], height, width)[0]).cpu().numpy()  # type: ignore[attr-defined]
        yield Moment(picture, chosen, _carried(world.spec, here.observation), _achieved(world), total, step)
        noise = uniforms(0, torch.zeros(1, dtype=torch.int64, device=device), torch.tensor(step), actor.noise_size)
        with torch.no_grad():
            act = actor.act(here.observation, memory, first, noise)
        here, there = world.step(act.action, out=there), here
        memory, first = act.memory, here.terminated | here.truncated
        if bool(first[0]):
            return
        chosen, total, step = _name(world.spec, act.action[0]), total + float(here.reward[0]), step + 1


class Screen:
    """A picture of half blocks, two pixels to a character, and a few lines of text below it, for ``rich``."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        from rich.segment import Segment

        for upper, lower in zip(self.moment.picture[0::2], self.moment.picture[1::2], strict=False):
            for above, below in zip(upper.tolist(), lower.tolist(), strict=True):
                yield Segment(_UPPER_HALF, _style(tuple(above), tuple(below)))
            yield Segment.line()
        for line in self.lines():
            yield Segment(line[: options.max_width])
            yield Segment.line()

    def lines(self) -> list[str]:
        """The text below the picture."""
        moment = self.moment
        carried = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in moment.carried.items())
        newest = ", ".join(name.replace("_", " ") for name in moment.achieved[-6:])
        return [
            f"step {moment.step}   reward {moment.total:.1f}   {moment.action.replace('_', ' ')}",
            f"carries: {carried or 'nothing'}",
            f"achieved {len(moment.achieved)}: {newest}",
            "Ctrl-C ends",
        ]


def picture_size(columns: int, lines: int) -> tuple[int, int]:
    """Height and width in pixels of the largest picture of 4 to 3 that a terminal holds, even numbers."""
    width = min(columns, _MOST_COLUMNS, 2 * max(lines - _TEXT_LINES - 1, 4) * 4 // 3)
    width = max(width - width % 4, 16)
    height = width * 3 // 4
    return height + height % 2, width


def _watch_live(config: DemoConfig) -> int:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    console.print("loading; the first time ever, kernels are compiled, which takes a minute ...")
    last: Moment | None = None
    with _stage(config) as (world, actor, seeds), contextlib.suppress(KeyboardInterrupt):
        until = time.monotonic() + (config.video_seconds or float("inf"))
        size = picture_size(console.width, console.height)
        with Live(console=console, screen=True, auto_refresh=False) as live:
            for last in _in_time((moment for seed in seeds for moment in moments(world, actor, seed, *size)), until):
                live.update(Screen(last), refresh=True)
    names = ", ".join(name.replace("_", " ") for name in last.achieved) if last else ""
    console.print(f"In this episode it achieved: {names or 'nothing yet'}.\nTrain one of your own: farlands demo")
    return 0


def _in_time(shown: Iterator[Moment], until: float) -> Iterator[Moment]:
    """The same at a pace that people can follow, up to a moment of the clock."""
    for moment in shown:
        began = time.monotonic()
        if began >= until:
            return
        yield moment
        time.sleep(max(0.0, 1 / STEPS_PER_SECOND - (time.monotonic() - began)))


def _film(config: DemoConfig) -> int:
    from farlands.runtime.video import FRAMES_PER_SECOND, write_mp4

    path = Path(config.run_dir or "runs") / "watch.mp4"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError("cannot write to", path.parent, error.strerror or str(error)) from error
    height, width = 240, 320
    frames = round((config.video_seconds or 20.0) * FRAMES_PER_SECOND)
    with _stage(config) as (world, actor, seeds):
        shown = (moment.picture for seed in seeds for moment in moments(world, actor, seed, height, width))
        try:
            write_mp4(path, itertools.islice(shown, frames), (width, height))
        except OSError as error:
            raise UserError("cannot write the video", path, error.strerror or str(error)) from error
    print(f"no terminal to draw in, so the agent was filmed: {path}\nTrain one of your own: farlands demo")
    return 0


@contextlib.contextmanager
def _stage(config: DemoConfig) -> Iterator[tuple[World, Actor, list[int]]]:
    """The recipe's world, the agent, and levels it never trained on."""
    from farlands.evaluation.protocol import evaluation_seeds
    from farlands.runtime.build import build_world, evaluation_options
    from farlands.runtime.demo import demo_settings
    from farlands.runtime.devices import resolve_device
    from farlands.runtime.subject import named_actor

    settings = demo_settings(config)
    device = resolve_device(config.device)
    world = build_world(settings.world, 1, evaluation_options(settings.options), device)
    try:
        yield world, named_actor(AGENT)(world.spec, device), evaluation_seeds(0, 64)
    finally:
        world.close()


def _achieved(world: World) -> tuple[str, ...]:
    unlocked = world.snapshot([0]).get("unlocked")
    if unlocked is None:
        return ()
    steps = dict(zip(world.spec.achievements, unlocked.flatten().tolist(), strict=True))
    return tuple(sorted((name for name, step in steps.items() if step >= 0), key=steps.__getitem__))


def _carried(spec: WorldSpec, observation: Mapping[str, torch.Tensor]) -> dict[str, int]:
    array = spec.observation.get("inventory")
    if array is None or not array.labels:
        return {}
    counts = observation["inventory"][0].tolist()
    return {name: int(count) for name, count in zip(array.labels, counts, strict=True) if count}


def _name(spec: WorldSpec, action: torch.Tensor) -> str:
    from farlands.worlds.world import Discrete

    if isinstance(spec.action, Discrete) and spec.action.names:
        return spec.action.names[int(action)]
    return str(action.tolist())


@lru_cache(maxsize=1 << 16)
def _style(above: tuple[int, int, int], below: tuple[int, int, int]) -> Any:
    from rich.color import Color
    from rich.style import Style

    return Style(color=Color.from_rgb(*above), bgcolor=Color.from_rgb(*below))
