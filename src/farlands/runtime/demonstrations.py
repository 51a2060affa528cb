"""The verb `record`: episodes of an agent as a Minari dataset that holds what a learner sees, and nothing else.

Minari (Younis et al., "Minari: A standard format for offline reinforcement learning datasets", 2024) reads and
writes the files, in its Arrow format; pictures are kept as they are, without JPEG.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import re
import shutil
import warnings
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from farlands import __version__
from farlands.config import RecordConfig
from farlands.errors import UserError
from farlands.evaluation.protocol import UNSEEN, Actor
from farlands.runtime.build import build_world, evaluation_options
from farlands.runtime.display import Display, make_display
from farlands.runtime.subject import named_actor, with_senses
from farlands.worlds.world import Episodes, World, WorldSpec

_LONGEST = 1_000_000
"""Steps after which an episode is cut in worlds that never end one."""


def demonstration_seeds(seed: int, count: int) -> list[int]:
    """Seeds of ``count`` levels, the same for everyone; none has the bit set that evaluation levels have.

    Args:
        seed: Which list, in [0, 2**64).
        count: How many; a longer list begins with the shorter one.
    """
    digests = (hashlib.sha256(f"farlands demonstration {seed} {index}".encode()).digest() for index in range(count))
    return [int.from_bytes(digest[:8], "little") & (UNSEEN - 1) for digest in digests]


@dataclass(frozen=True)
class Demonstration:
    """One episode.

    Attributes:
        seed: Of its level.
        observations: By sense, ``[T + 1, ...]``: before each action and after the last.
        actions: int64 or float32 ``[T, ...]``.
        rewards: float32 ``[T]``.
        terminations, truncations: bool ``[T]``; one of them is true in the end.
        cause: How it ended.
    """

    seed: int
    observations: dict[str, np.ndarray]
    actions: np.ndarray
    rewards: np.ndarray
    terminations: np.ndarray
    truncations: np.ndarray
    cause: str

    def __len__(self) -> int:
        return len(self.rewards)


def record(config: RecordConfig) -> int:
    """Live the episodes and write them. Raises UserError where Minari is missing or something cannot be."""
    _require_minari()
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
    unfinished = out.with_name(f"{out.name}.unfinished")
    steps, ends = 0, []
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
        storage = _open(unfinished, world.spec, shown, config, options)
        for index, seed in enumerate(demonstration_seeds(config.seed, config.episodes)):
            display.status(f"episode {index + 1} of {config.episodes}, {steps:,} steps so far")
            episode = live(world, actor, seed, shown, config.seed)
            _add(storage, episode)
            steps, ends = steps + len(episode), [*ends, episode.cause]
        unfinished.rename(out)
    except OSError as error:
        raise UserError("cannot write to", out, error.strerror or str(error)) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    causes = ", ".join(f"{ends.count(cause)} by {cause}" for cause in sorted(set(ends)))
    display.note(f"{len(ends)} episodes ({causes}), {steps:,} steps: {out}")


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
        if len(steps) == _LONGEST:
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


def _open(path: Path, spec: WorldSpec, shown: list[str], config: RecordConfig, options: Any) -> Any:
    """A new dataset without episodes."""
    import minari
    from gymnasium import spaces
    from minari.dataset.minari_storage import MinariStorage

    from farlands.worlds.adapters.conversions import action_space, box_of

    space = spaces.Dict({name: box_of(spec.observation[name]) for name in shown})
    path.mkdir()
    with _quiet():
        storage = MinariStorage.new(
            path / "data", space, action_space(spec), _env_spec(config, options), "arrow", jpeg_encoding=False
        )
        storage.update_metadata({
            "dataset_id": _dataset_id(path.name.removesuffix(".unfinished")),
            "minari_version": minari.__version__,
            "algorithm_name": config.agent,
            "description": f"Episodes of {config.agent} in {spec.name}; what it was shown, did and got.",
            "requirements": [f"farlands=={__version__}"],
            "rules": spec.rules,
            "world": spec.name,
            "world_options": json.dumps({item.name: getattr(options, item.name) for item in fields(options)}),
            "level_set": str(config.seed),
        })  # fmt: skip
    return storage


def _add(storage: Any, episode: Demonstration) -> None:
    from minari.data_collector.episode_buffer import EpisodeBuffer

    with _quiet():
        storage.update_episodes([
            EpisodeBuffer(
                seed=episode.seed,
                observations=dict(episode.observations),
                actions=list(episode.actions),
                rewards=list(episode.rewards),
                terminations=list(episode.terminations),
                truncations=list(episode.truncations),
            )
        ])  # fmt: skip
        index = storage.total_episodes - 1
        storage.update_episode_metadata(
            [{"cause": episode.cause, "return": float(episode.rewards.sum(dtype=np.float64))}], [index]
        )


def _env_spec(config: RecordConfig, options: Any) -> Any:
    """How Gymnasium makes this world, where it has an id."""
    if config.world != "voxel":
        return None
    import gymnasium

    chosen = {
        item.name: list(value) if isinstance(value, tuple) else value
        for item in fields(options)
        if (value := getattr(options, item.name)) != item.default or item.name == "senses"
    }
    # The registry's own must stay as it is.
    spec = copy.deepcopy(gymnasium.spec("farlands/Voxel-v0"))
    spec.kwargs = spec.kwargs | chosen
    return spec


def _dataset_id(name: str) -> str:
    """A name as Minari wants it: letters, digits and dashes, and a version at the end."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "demonstrations"
    return plain if re.search(r"-v\d+$", plain) else f"{plain}-v0"


def _default_name(config: RecordConfig) -> str:
    return _dataset_id(f"{config.world}-{config.agent}".replace("_", "-"))


def _check_free(out: Path) -> None:
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError("--out: there is something already:", out, "nothing was overwritten")


def _require_minari() -> None:
    with _quiet():
        try:
            import minari  # noqa: F401
        except ImportError:
            raise UserError(
                "demonstrations are written by Minari, which is not installed", allowed="pip install minari"
            ) from None


@contextlib.contextmanager
def _quiet() -> Any:
    """Without the advice that Minari gives to those who publish datasets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
