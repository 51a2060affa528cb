"""The verb `demo`: the first minutes."""

from __future__ import annotations

import dataclasses
import shlex
import time
from pathlib import Path

from farlands.config import DemoConfig, EvalConfig, TrainConfig
from farlands.errors import UserError
from farlands.extensions import resolve, resolve_options
from farlands.recipes import RECIPES, apply_recipe
from farlands.runtime.display import make_display
from farlands.runtime.session import carry, start
from farlands.runtime.signals import StopRequest


def demo(config: DemoConfig) -> int:
    """Train by a recipe, measure on unseen levels beside the random agent, film, and say what to type next.

    Returns:
        As ``session.train``.

    Raises:
        UserError: As ``session.train``.
    """
    began = time.monotonic()
    settings = demo_settings(config)
    with make_display() as display, StopRequest() as stop:
        display.note(f"Farlands demo: {RECIPES[config.recipe].summary}")
        run = start(settings, ["farlands", "demo", *_changed_flags(config)], display, stop)
        directory = run.directory.path
        code = carry(run)
    if code:
        return code
    trained = time.monotonic()
    video = _measure_and_film(config, directory)
    print(f"trained in {_minutes(trained - began)}, measured and filmed in {_minutes(time.monotonic() - trained)}")
    _print_next(directory, settings.world, video)
    return 0


def demo_settings(config: DemoConfig) -> TrainConfig:
    """The demo's training run. Raises UserError where the recipe is unknown."""
    if config.recipe not in RECIPES:
        raise UserError("unknown recipe", config.recipe, RECIPES)
    world = RECIPES[config.recipe].world
    settings = apply_recipe(TrainConfig(world=world, options=resolve_options(world)()), config.recipe)
    changes = {name: getattr(config, name) for name in ("steps", "num_worlds") if getattr(config, name)}
    return dataclasses.replace(settings, device=config.device, run_dir=config.run_dir, **changes)


def _measure_and_film(config: DemoConfig, directory: Path) -> Path | None:
    """The report of the run, and its film where the world can draw."""
    from rich.console import Console

    from farlands.runtime.devices import resolve_device
    from farlands.runtime.measure import measure, publish
    from farlands.runtime.video import film_agent

    with make_display() as display:
        clips = "on" if config.video_seconds else "off"
        asked = EvalConfig(target=str(directory), episodes=config.episodes, clips=clips, device=config.device)
        report, subject = measure(asked, display)
        publish(report, subject, asked, directory, display)
        video = None
        if config.video_seconds and hasattr(resolve("world", subject.settings.world), "render"):
            display.status("filming")
            target = directory / "agent.mp4"
            video = film_agent(subject, target, resolve_device(config.device), seconds=config.video_seconds)
    Console().print(report.to_table())
    return video


def _print_next(directory: Path, world: str, video: Path | None) -> None:
    where = shlex.quote(str(directory))
    curve, page = directory / "learning_curve.png", directory / "report.html"
    found = ((video, "the agent at work"), (curve, "how it learned"), (page, "all of it, a page"))
    for path, meaning in found:
        if path and path.exists():
            print(f"{meaning + ':':<20}{path}")
    print(
        f"\nNext:\n"
        f"  tensorboard --logdir {where}\n"
        f"  farlands resume {where} --steps 100e6        # go on training\n"
        f"  farlands evaluate {where} --protocol quick   # and robustness, unseen against trained levels\n"
        f"  farlands train {world} --help                 # a run of your own\n"
        f"  farlands list {world}                         # what the agent sees and does"
    )


def _changed_flags(config: DemoConfig) -> list[str]:
    tokens = []
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if value != item.default:
            tokens += [f"--{item.name.replace('_', '-')}", str(value)]
    return tokens


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"
