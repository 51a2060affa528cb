"""The verb `evaluate`: an agent, from a run or by name, on levels it never trained on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from farlands.config import EvalConfig
from farlands.errors import UserError, first_line
from farlands.evaluation.config import Size
from farlands.runtime.conditions import Change, read_changes
from farlands.runtime.display import Display, make_display
from farlands.runtime.subject import MakeActor, Subject, find_subject, named_actor, resolve_size

if TYPE_CHECKING:
    import torch

    from farlands.evaluation.page import Clip
    from farlands.evaluation.protocol import Actor
    from farlands.evaluation.report import Report
    from farlands.worlds.world import Episodes, World, WorldSpec


def evaluate_target(config: EvalConfig, argv: Sequence[str] = ()) -> int:
    """Measure, print a table, and leave a report where there is a place for it.

    Args:
        config: As given.
        argv: The command line, for the record.

    Raises:
        UserError: There is no such run, world, agent or checkpoint, or a file cannot be written.
    """
    with make_display() as display:
        display.status("loading torch")
        report, subject = measure(config, display)
        out = Path(config.out) if config.out else subject.directory.path if subject.directory else None
        if out:
            publish(report, subject, config, out, display, argv)
        if config.video:
            _film(config, subject, display)
    from rich.console import Console

    Console().print(report.to_table())
    return 0


def measure(config: EvalConfig, display: Display) -> tuple[Report, Subject]:
    """Live the episodes.

    Raises:
        UserError: As ``evaluate_target``, or no episode ended.
    """
    import torch

    from farlands.evaluation.metrics import Scale
    from farlands.evaluation.protocol import evaluation_seeds
    from farlands.evaluation.report import Report
    from farlands.runtime.devices import resolve_device, resolve_threads
    from farlands.runtime.energy import Meter

    _check_writable(config)
    device = resolve_device(config.device)
    torch.set_num_threads(resolve_threads(config.threads))
    subject, size = find_subject(config), resolve_size(config)
    if config.video:
        _check_drawable(subject)
    seeds = evaluation_seeds(config.seed, size.episodes)
    trained_on = _training_seeds(subject, size, config.seed)
    changes = _changes(config, subject, size)
    meter = Meter(device)
    display.status("making worlds; the first time ever, kernels are compiled, which takes a minute")
    stage = Stage.open(config, size, subject, device, display, changes)
    trials = stage.live_trials(subject.name, seeds, replays=replays_in(config, subject))
    agent = trials[0]
    if not len(agent):
        raise UserError(f"none of {size.episodes} episodes ended in time", allowed="try more --max-steps")
    others = bool(config.baseline and config.agent != "random")
    baseline = stage.live("random agent", seeds, make_actor=named_actor("random")) if others else None
    trained = stage.live("training levels", trained_on) if trained_on else None
    conditions = [stage.live_changed(change, seeds[: size.varied]) for change in stage.changes]
    title = f"{subject.name} in {subject.settings.world}"
    facts = {**_facts(config, subject, size, seeds), "training_levels": len(trained_on)}
    cost = {"seconds": meter.seconds, "joules": meter.joules}
    later = tuple(trials[1:])
    report = Report(
        title, Scale.of(stage.spec), agent, baseline, facts, trained, tuple(conditions), cost=cost, later_trials=later
    )  # fmt: skip
    return report, subject


@dataclass(frozen=True)
class Stage:
    """Where episodes are lived.

    Attributes:
        config, size, subject, device, display: What is measured, how much, where.
        spec: Of the world.
        actor: Who is measured.
        changes: What can be changed of what was to be.
    """

    config: EvalConfig
    size: Size
    subject: Subject
    device: torch.device
    display: Display
    spec: WorldSpec
    actor: Actor
    changes: tuple[Change, ...] = ()

    @classmethod
    def open(
        cls,
        config: EvalConfig,
        size: Size,
        subject: Subject,
        device: torch.device,
        display: Display,
        changes: Sequence[Change] = (),
    ) -> Stage:
        """Make the agent, and every world once, so that mistakes show before the work.

        Values of the protocols' own axes that the world refuses beside its other options are left out, with a note.

        Raises:
            UserError: A value that was asked for can't be.
        """
        spec = _probe(subject, subject.options, device)
        possible = []
        for change in changes:
            try:
                _check_change(change, subject, spec, device)
            except UserError as error:
                if not change.part:
                    raise
                display.note(f"left out {change.axis}={change.value}: {error}")
            else:
                possible.append(change)
        return cls(config, size, subject, device, display, spec, subject.make_actor(spec, device), tuple(possible))

    def live(self, name: str, seeds: Sequence[int], **how: Any) -> Episodes:
        """The first episode of each level, or its first trial where it holds several; see ``live_trials``."""
        return self.live_trials(name, seeds, **how)[0]

    def live_trials(
        self,
        name: str,
        seeds: Sequence[int],
        *,
        make_actor: MakeActor | None = None,
        options: Any = None,
        perturbation: Mapping[str, float] | None = None,
        replays: Path | None = None,
    ) -> list[Episodes]:
        """Each trial of the first episode of each level. Raises UserError where nothing bounds an episode."""
        from farlands.evaluation.protocol import evaluate, split_trials

        actor = make_actor(self.spec, self.device) if make_actor else self.actor
        make_world: Callable[[int], World] = lambda count: self.make_world(count, options, perturbation)  # noqa: E731
        if replays:
            from farlands.runtime.replays import recording

            make_world = recording(make_world, replays, self.config.replays)
        try:
            lived = evaluate(
                actor,
                make_world,
                seeds,
                noise_seed=self.config.seed,
                greedy=self.config.greedy,
                max_steps=self.size.max_steps or None,
                batch=self.config.num_worlds,
                progress=lambda ended, count: self.display.status(f"{name}: {ended} of {count} episodes"),
            )
        except ValueError as error:
            raise UserError(str(error)) from error
        return split_trials(lived, self.spec.trials)

    def live_changed(self, change: Change, seeds: Sequence[int]) -> Any:
        """Live levels with one thing changed."""
        from farlands.evaluation.robustness import Condition

        name = f"{change.axis.replace('_', ' ')} {change.value}"
        episodes = self.live(name, seeds, options=change.options, perturbation=change.perturbation)
        return Condition(change.axis, change.value, episodes, change.part)

    def make_world(self, count: int, options: Any = None, perturbation: Mapping[str, float] | None = None) -> World:
        """A batch of worlds, as they are measured in or changed."""
        from farlands.runtime.build import build_world

        world = build_world(self.subject.settings.world, count, options or self.subject.options, self.device)
        if not perturbation:
            return world
        from farlands.worlds.perturbations import Perturbation, PerturbedWorld

        return PerturbedWorld(world, Perturbation(**perturbation))


def publish(
    report: Report,
    subject: Subject,
    config: EvalConfig,
    directory: Path,
    display: Display,
    argv: Sequence[str] = (),
) -> None:
    """Leave ``report.html``, ``.md``, ``.json`` and ``.parquet``. Raises UserError where they cannot be written."""
    from farlands.runtime.reporting import describe_run, make_clips, make_page, write_report

    clips: tuple[Clip, ...] = ()
    notes: tuple[str, ...] = ()
    if resolve_size(config).clips:
        clips, notes = make_clips(report, subject, config, display)
    write_report(make_page(report, subject, describe_run(report, subject, config, argv), clips, notes), directory)
    display.note(f"report: {directory / 'report.html'}, and beside it .md, .json and .parquet")


def replays_in(config: EvalConfig, subject: Subject) -> Path | None:
    """Directory for replays; None where none are asked for. Raises UserError where there is no place for them."""
    if not config.replays:
        return None
    if not (config.out or subject.directory):
        raise UserError("--replays needs a directory: add --out DIR")
    return (Path(config.out) if config.out else subject.directory.path) / "replays"  # type: ignore[union-attr]


def _probe(subject: Subject, options: Any, device: torch.device) -> WorldSpec:
    """The spec of a world with these options. Raises UserError where it cannot be made."""
    from farlands.runtime.build import build_world

    world = build_world(subject.settings.world, 1, options, device)
    world.close()
    return world.spec


def _check_change(change: Change, subject: Subject, spec: WorldSpec, device: torch.device) -> None:
    """Raise UserError where the changed world can't be made, or is another one to the agent."""
    if change.options == subject.options:
        return
    changed = _probe(subject, change.options, device)
    if (changed.observation, changed.action) != (spec.observation, spec.action):
        name = f"{change.axis}={change.value}"
        raise UserError("--vary has", name, "it changes what the agent sees or does, not what happens to it")


def _changes(config: EvalConfig, subject: Subject, size: Size) -> list[Change]:
    """What is changed to measure robustness; the protocols' own axes by default only for agents that trained."""
    asked = config.vary or config.axes != "auto" or config.protocol == "robust"
    if not size.varied or not (asked or subject.checkpoint):
        return []
    return read_changes(config.vary, subject.settings.world, subject.options, config.axes)


def _facts(config: EvalConfig, subject: Subject, size: Size, seeds: list[int]) -> dict[str, Any]:
    return {
        "world": subject.settings.world,
        "world_options": dataclasses.asdict(subject.options),
        "checkpoint": subject.checkpoint,
        "protocol": config.protocol,
        "levels": f"set {config.seed}, {size.episodes} seeds",
        "greedy": config.greedy,
        "levels_side_by_side": config.num_worlds,
        "levels_seen_in_training": _seen(subject, seeds),
    }


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


def _seen(subject: Subject, seeds: list[int]) -> int | None:
    """How many of the levels the run's own record of training episodes holds; None where there is no record."""
    if subject.directory is None:
        return None
    import numpy as np

    return int(np.isin(np.array(seeds, dtype=np.uint64), _trained_seeds(subject)).sum())


def _training_seeds(subject: Subject, size: Size, seed: int) -> list[int]:
    """Levels drawn from the run's own record, as many as there are if there are fewer; none for other agents."""
    if not (size.training_levels and subject.checkpoint):
        return []
    import numpy as np

    known = np.unique(_trained_seeds(subject))
    chosen = np.random.default_rng(seed).permutation(known)[: size.training_levels]
    return [int(one) for one in chosen]


def _trained_seeds(subject: Subject) -> Any:
    """Seeds in the run's record of training episodes, uint64 ``[N]``."""
    import numpy as np

    from farlands.runtime.episodes import read_episodes

    assert subject.directory is not None, subject
    try:
        return read_episodes(subject.directory.episodes, ["seed"])["seed"].to_numpy().astype(np.uint64)
    except (OSError, ValueError, KeyError) as error:
        raise UserError("cannot read", subject.directory.episodes, first_line(error)) from error


def _film(config: EvalConfig, subject: Subject, display: Display) -> None:
    from farlands.runtime.devices import resolve_device
    from farlands.runtime.video import film_agent

    display.status("filming")
    path = film_agent(subject, Path(config.video), resolve_device(config.device), level_set=config.seed)
    display.note(f"video: {path}")
