"""Who is measured, and in which world."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from farlands.config import EvalConfig, TrainConfig
from farlands.errors import UserError
from farlands.evaluation.config import PROTOCOLS, Size
from farlands.runtime.rundir import RunDirectory

if TYPE_CHECKING:
    import torch

    from farlands.evaluation.protocol import Actor
    from farlands.worlds.world import WorldSpec

MakeActor: TypeAlias = "Callable[[WorldSpec, torch.device], Actor]"


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
        facts: What the checkpoint says about itself; empty without one.
    """

    name: str
    settings: TrainConfig
    options: Any
    directory: RunDirectory | None
    checkpoint: str
    make_actor: MakeActor
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def resolve_size(config: EvalConfig) -> Size:
    """The protocol's size, with what the flags say instead."""
    size = PROTOCOLS[config.protocol]
    varied = size.varied or (64 if config.vary or config.axes not in ("auto", "none") else 0)
    return Size(
        episodes=config.episodes or size.episodes,
        max_steps=config.max_steps or size.max_steps,
        training_levels=size.training_levels if config.training_levels < 0 else config.training_levels,
        varied=varied if config.varied < 0 else config.varied,
        clips=size.clips if config.clips == "auto" else config.clips == "on",
    )


def find_subject(config: EvalConfig) -> Subject:
    """What ``config.target`` and ``config.agent`` mean. Raises UserError."""
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
    options = _measured_options(settings.options, config)
    if name:
        options = with_senses(name, options)
        return Subject(f"{name} agent", settings, options, directory, "", named_actor(name, options))
    assert directory is not None, config
    checkpoint, facts, make_actor = _trained_actor(directory, settings, config.checkpoint)
    return Subject(f"agent of {directory.path}", settings, options, directory, checkpoint, make_actor, facts)


def with_senses(name: str, options: Any) -> Any:
    """A world's options, showing also what an agent by name says it has to see. Raises UserError."""
    from farlands.extensions import resolve

    needed = getattr(resolve("agent", name), "senses", ())
    shown = getattr(options, "senses", None)
    if shown is None or set(needed) <= set(shown):
        return options
    return dataclasses.replace(options, senses=(*shown, *(sense for sense in needed if sense not in shown)))


def named_actor(name: str, options: Any = None) -> MakeActor:
    """An agent by name, told a world's options where it asks for them. Raises UserError where there is none."""
    from farlands.extensions import resolve

    kind = resolve("agent", name)

    def make(spec: WorldSpec, device: torch.device) -> Actor:
        try:
            told = options is not None and hasattr(kind, "for_options")
            actor = kind.for_options(spec, options) if told else kind(spec)
        except (TypeError, ValueError) as error:
            raise UserError("cannot use the agent", name, str(error)) from error
        if not hasattr(actor, "act"):
            raise UserError("not an agent:", name, "it has no act(observation, memory, first, noise)")
        return actor.to(device) if hasattr(actor, "to") else actor

    return make


def _measured_options(options: Any, config: EvalConfig) -> Any:
    """Options for measuring: the flag may set the horizon to anything, a protocol only shortens it."""
    from farlands.runtime.build import evaluation_options

    most = PROTOCOLS[config.protocol].max_steps
    shorten = most and not config.max_steps and (getattr(options, "horizon", 0) or 0) > most
    return evaluation_options(options, most if shorten else config.max_steps)


def _trained_actor(directory: RunDirectory, settings: TrainConfig, name: str) -> tuple[str, dict[str, Any], MakeActor]:
    from farlands.runtime.build import build_agent, check_spec
    from farlands.runtime.checkpoint import CheckpointStore

    checkpoint, _ = CheckpointStore(directory.checkpoints).load(name, parts=("agent",))

    def make(spec: WorldSpec, device: torch.device) -> Actor:
        # Other rules are what an evaluation may be about; other senses or actions the network could not take.
        check_spec(spec, {**(checkpoint.facts.get("spec") or {}), "rules": spec.rules}, checkpoint.path)
        agent, _ = build_agent(settings, spec, device)
        checkpoint.load_into({"agent": agent})
        return agent.eval()

    return checkpoint.path.name, checkpoint.facts, make
