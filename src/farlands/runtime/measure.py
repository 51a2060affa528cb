"""The verb `eval`: an agent, from a run or by name, on levels it never trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.config import EvalConfig, TrainConfig
from farlands.errors import UserError
from farlands.runtime.display import Display, make_display
from farlands.runtime.rundir import RunDirectory

if TYPE_CHECKING:
    import torch

    from farlands.evaluation.protocol import Actor
    from farlands.evaluation.report import Report
    from farlands.worlds.world import World, WorldSpec


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes:
        name: For headings.
        settings: The run's config, or one with only the world where there is no run.
        options: Of the world, as it is measured in.
        directory: The run's, None where there is no run.
        checkpoint: Name of the checkpoint, empty where there is none.
        make_actor: The agent for a world.
    """

    name: str
    settings: TrainConfig
    options: Any
    directory: RunDirectory | None
    checkpoint: str
    make_actor: Callable[[WorldSpec, torch.device], Actor]


def evaluate_target(config: EvalConfig) -> int:
    """Measure, print a table, and leave a report where there is a place for it.

    Raises:
        UserError: There is no such run, world, agent or checkpoint, or a file cannot be written.
    """
    with make_display() as display:
        display.status("loading torch")
        report, subject = measure(config, display)
        out = Path(config.out) if config.out else subject.directory.path if subject.directory else None
        if out:
            write_report(report, out)
            display.note(f"report: {out / 'report.md'}")
        if config.video:
            _film(config, subject, display)
    from rich.console import Console

    Console().print(report.to_table())
    return 0


def measure(config: EvalConfig, display: Display) -> tuple[Report, Subject]:
    """Live the episodes.

    Raises:
        UserError: As ``evaluate_target``.
    """
    import torch

    from farlands.evaluation.protocol import evaluation_seeds
    from farlands.evaluation.report import Report
    from farlands.runtime.devices import resolve_device, resolve_threads

    _check_writable(config)
    device = resolve_device(config.device)
    torch.set_num_threads(resolve_threads(config.threads))
    subject = find_subject(config)
    if config.video:
        _check_drawable(subject)
    seeds = evaluation_seeds(config.seed, config.episodes)
    display.status("making worlds; the first time ever, kernels are compiled, which takes a minute")
    episodes, spec = _live(config, subject, subject.make_actor, seeds, device, display, subject.name)
    baseline = None
    if config.baseline and config.agent != "random":
        baseline, _ = _live(config, subject, _named_actor("random"), seeds, device, display, "random agent")
    facts = {
        "world": subject.settings.world,
        "world_options": dataclasses.asdict(subject.options),
        "checkpoint": subject.checkpoint,
        "levels": f"set {config.seed}, {config.episodes} seeds",
        "greedy": config.greedy,
        "levels_seen_in_training": _seen(subject, seeds),
    }
    title = f"{subject.name} in {subject.settings.world}"
    return Report(title, spec.achievements, episodes, baseline, facts), subject


def find_subject(config: EvalConfig) -> Subject:
    """What ``config.target`` and ``config.agent`` mean. Raises UserError."""
    from farlands.runtime.build import evaluation_options

    if config.options is not None:
        settings = TrainConfig(world=config.target, options=config.options)
        directory, name = None, config.agent
        if not name:
            raise UserError(
                "--agent is missing", allowed=f"which agent to try in {config.target}: random, zero, or yours"
            )
    else:
        directory = RunDirectory.open(config.target)
        settings, name = directory.read_config(), config.agent
    options = evaluation_options(settings.options, config.max_steps)
    if name:
        return Subject(f"{name} agent", settings, options, directory, "", _named_actor(name))
    assert directory is not None, config
    checkpoint, make_actor = _trained_actor(directory, settings, config.checkpoint)
    return Subject(f"agent of {directory.path}", settings, options, directory, checkpoint, make_actor)


def write_report(report: Report, directory: Path) -> None:
    """Leave ``report.md`` and ``report.json``. Raises UserError where they cannot be written."""
    from farlands.runtime.files import write_atomically, write_json

    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / "report.md", report.to_markdown())
        write_json(directory / "report.json", report.to_json())
    except OSError as error:
        raise UserError("cannot write to", directory, error.strerror or str(error)) from error


def _check_writable(config: EvalConfig) -> None:
    """Refuse before the work what could not be written after it."""
    for text in filter(None, (config.out, config.video and str(Path(config.video).parent))):
        try:
            Path(text).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError("cannot write to", text, error.strerror or str(error)) from error
    if config.video and Path(config.video).suffix.lower() not in (".mp4", ".gif"):
        raise UserError("--video is", config.video, "expected a name ending in .mp4 or .gif")


def _check_drawable(subject: Subject) -> None:
    from farlands.extensions import resolve

    if not hasattr(resolve("world", subject.settings.world), "render"):
        raise UserError("no pictures in the world", subject.settings.world, "it has no render()")


def _trained_actor(
    directory: RunDirectory, settings: TrainConfig, name: str
) -> tuple[str, Callable[[WorldSpec, torch.device], Actor]]:
    from farlands.runtime.build import build_agent, check_spec
    from farlands.runtime.checkpoint import CheckpointStore

    checkpoint, _ = CheckpointStore(directory.checkpoints).load(name, parts=("agent",))

    def make(spec: WorldSpec, device: torch.device) -> Actor:
        # Other rules are what an evaluation may be about; other senses or actions the network could not take.
        check_spec(spec, {**(checkpoint.facts.get("spec") or {}), "rules": spec.rules}, checkpoint.path)
        agent, _ = build_agent(settings, spec, device)
        checkpoint.load_into({"agent": agent})
        return agent.eval()

    return checkpoint.path.name, make


def _named_actor(name: str) -> Callable[[WorldSpec, torch.device], Actor]:
    from farlands.extensions import resolve

    kind = resolve("agent", name)

    def make(spec: WorldSpec, device: torch.device) -> Actor:
        try:
            actor = kind(spec)
        except (TypeError, ValueError) as error:
            raise UserError("cannot use the agent", name, str(error)) from error
        if not hasattr(actor, "act"):
            raise UserError("not an agent:", name, "it has no act(observation, memory, first, noise)")
        return actor.to(device) if hasattr(actor, "to") else actor

    return make


def _live(
    config: EvalConfig,
    subject: Subject,
    make_actor: Callable[[WorldSpec, torch.device], Actor],
    seeds: list[int],
    device: torch.device,
    display: Display,
    name: str,
) -> tuple[Any, WorldSpec]:
    from farlands.evaluation.protocol import evaluate
    from farlands.runtime.build import build_world

    specs: list[WorldSpec] = []
    actors: list[Actor] = []

    def make_world(count: int) -> World:
        world = build_world(subject.settings.world, count, subject.options, device)
        if not actors:
            specs.append(world.spec)
            actors.append(make_actor(world.spec, device))
        return world

    first = make_world(1)
    first.close()
    try:
        episodes = evaluate(
            actors[0],
            make_world,
            seeds,
            noise_seed=config.seed,
            greedy=config.greedy,
            max_steps=config.max_steps or None,
            progress=lambda ended, count: display.status(f"{name}: {ended} of {count} episodes"),
        )
    except ValueError as error:
        raise UserError(str(error)) from error
    return episodes, specs[0]


def _seen(subject: Subject, seeds: list[int]) -> int | None:
    """How many of the levels the run's own record of training episodes holds; None where there is no record."""
    if subject.directory is None:
        return None
    import numpy as np

    from farlands.runtime.episodes import read_episodes

    trained = read_episodes(subject.directory.episodes, ["seed"])["seed"].to_numpy().astype(np.uint64)
    return int(np.isin(np.array(seeds, dtype=np.uint64), trained).sum())


def _film(config: EvalConfig, subject: Subject, display: Display) -> None:
    from farlands.runtime.devices import resolve_device
    from farlands.runtime.video import film_agent

    display.status("filming")
    path = film_agent(subject, Path(config.video), resolve_device(config.device), level_set=config.seed)
    display.note(f"video: {path}")
