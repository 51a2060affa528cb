"""The verb `record`: episodes of an agent as a Minari dataset that holds what a learner sees, and nothing else."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch

from farlands.config import RecordConfig
from farlands.errors import UserError
from farlands.evaluation.protocol import UNSEEN, Actor
from farlands.runtime.build import build_world, evaluation_options
from farlands.runtime.demonstration_files import (
    LONGEST,
    Demonstration,
    DemonstrationFile,
    dataset_id,
    describe_world,
    require_minari,
    unfinished_of,
    voxel_env_spec,
)
from farlands.runtime.display import Display, make_display
from farlands.runtime.subject import named_actor, with_senses
from farlands.worlds.world import Episodes, World, WorldSpec


def demonstration_seeds(seed: int, count: int) -> list[int]:
    """Seeds of ``count`` levels, the same for everyone; none has the bit set that evaluation levels have.

    Args:
        seed: Which list, in [0, 2**64).
        count: How many; a longer list begins with the shorter one.
    """
    digests = (hashlib.sha256(f"farlands demonstration {seed} {index}".encode()).digest() for index in range(count))
    return [int.from_bytes(digest[:8], "little") & (UNSEEN - 1) for digest in digests]


def record(config: RecordConfig) -> int:
    """Live the episodes and write them. Raises UserError where Minari is missing or something cannot be."""
    require_minari()
    out = Path(config.out or _default_name(config)).expanduser().absolute()
    _check_free(out)
    with make_display() as display:
        display.status("loading torch")
        options = evaluation_options(config.options, config.max_steps)
        senses = getattr(options, "senses", None)
        world = build_world(config.world, 1, with_senses(config.agent, options), torch.device("cpu"))
        try:
            if world.num_agents != 1:
                raise UserError("demonstrations are of one agent to a world, not", world.num_agents)
            actor = named_actor(config.agent, options)(world.spec, world.device)
            write(out, world, actor, config, options, senses, display)
        except ValueError as error:
            raise UserError(str(error)) from error
        finally:
            world.close()
    return 0


def write(
    out: Path, world: World, actor: Actor, config: RecordConfig, options: Any, senses: tuple[str, ...] | None,
    display: Display,
) -> None:  # fmt: skip
    """Live ``config.episodes`` episodes and write them into a directory that appears when all are there.

    Args:
        out: The directory.
        world: One world that shows at least ``senses``.
        actor: Who acts.
        config: Who that is by name, how many episodes, which levels.
        options: Of the world, as they are to be written down.
        senses: Which arrays go into the dataset; None for all.
        display: Told how it goes.

    Raises:
        UserError: The files cannot be written.
    """
    shown = [name for name in world.spec.observation if senses is None or name in senses or name.startswith("goal")]
    env_spec = voxel_env_spec(options) if config.world == "voxel" else None
    shutil.rmtree(unfinished_of(out), ignore_errors=True)
    ends = []
    try:
        file = DemonstrationFile(out, world.spec, shown, _about(config, world.spec, options), env_spec)
        for index, seed in enumerate(demonstration_seeds(config.seed, config.episodes)):
            display.status(f"episode {index + 1} of {config.episodes}, {file.steps:,} steps so far")
            episode = live(world, actor, seed, shown, config.seed)
            file.add(episode)
            ends.append(episode.cause)
        file.publish()
    except OSError as error:
        raise UserError("cannot write to", out, error.strerror or str(error)) from error
    finally:
        shutil.rmtree(unfinished_of(out), ignore_errors=True)
    causes = ", ".join(f"{ends.count(cause)} by {cause}" for cause in sorted(set(ends)))
    display.note(f"{len(ends)} episodes ({causes}), {file.steps:,} steps: {out}")


def live(world: World, actor: Actor, seed: int, shown: list[str], noise_seed: int = 0) -> Demonstration:
    """One episode of a batch of one world, from the beginning of a level to its end.

    Args:
        world: One row.
        actor: Who acts.
        seed: Of the level; the action noise is keyed by it too.
        shown: Which observation arrays to keep.
        noise_seed: Of the action noise.
    """
    from farlands.agents.noise import uniforms

    here, there = world.reset([seed]), world.allocate()
    world.drain_episodes()
    if hasattr(actor, "attend"):
        actor.attend(world)  # type: ignore[attr-defined]
    memory, first = actor.initial_memory(1), torch.ones(1, dtype=torch.bool)
    row, steps = torch.tensor([seed & 0x7FFFFFFF]), []
    observations = [_row(here.observation, shown)]
    while not bool(first[0]) or not steps:
        noise = uniforms(noise_seed, row, torch.tensor(len(steps)), actor.noise_size)
        with torch.no_grad():
            act = actor.act(here.observation, memory, first, noise)
        here, there = world.step(act.action, out=there), here
        memory, first = act.memory, here.terminated | here.truncated
        steps.append((act.action[0].cpu().numpy().copy(), float(here.reward[0]), bool(here.terminated[0])))
        observations.append(_row(world.final_observation if bool(first[0]) else here.observation, shown))
        if len(steps) == LONGEST:
            break
    return _demonstration(seed, observations, steps, world.drain_episodes())


def _demonstration(seed: int, observations: list[dict], steps: list[tuple], ended: Episodes) -> Demonstration:
    terminations = np.array([terminated for _, _, terminated in steps])
    truncations = np.zeros_like(terminations)
    truncations[-1] = not terminations[-1]
    actions = np.stack([action for action, _, _ in steps])
    return Demonstration(
        seed=seed,
        observations={name: np.stack([each[name] for each in observations]) for name in observations[0]},
        actions=actions.astype(np.int64) if actions.dtype.kind in "iu" else actions,
        rewards=np.array([reward for _, reward, _ in steps], dtype=np.float32),
        terminations=terminations,
        truncations=truncations,
        cause=str(ended.cause[0]) if len(ended) else "cut",
    )


def _row(observation: Any, shown: list[str]) -> dict[str, np.ndarray]:
    return {name: observation[name][0].cpu().numpy().copy() for name in shown}


def _about(config: RecordConfig, spec: WorldSpec, options: Any) -> dict[str, Any]:
    return {
        "algorithm_name": config.agent,
        "description": f"Episodes of {config.agent} in {spec.name}; what it was shown, did and got.",
        **describe_world(spec, options),
        "level_set": str(config.seed),
    }


def _default_name(config: RecordConfig) -> str:
    return dataset_id(f"{config.world}-{config.agent}".replace("_", "-"))


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError("--out: there is something already:", out, "nothing was overwritten")
