"""Demonstrations on disk: Minari datasets that appear whole or not at all.

Minari (Younis et al., "Minari: A standard format for offline reinforcement learning datasets", 2024) reads and
writes the files, in its Arrow format; pictures are kept as they are, without JPEG.
"""

from __future__ import annotations

import contextlib
import copy
import json
import re
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from farlands import __version__
from farlands.errors import UserError
from farlands.worlds.world import WorldSpec

LONGEST = 100_000
"""Steps after which an episode is cut: Minari gives back longer ones in pieces, past 131,072."""


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
        facts: What else is to be known of it, as JSON data.
        infos: What else is to be known, ``[T + 1, ...]`` by name: at the beginning and after each action.
    """

    seed: int
    observations: dict[str, np.ndarray]
    actions: np.ndarray
    rewards: np.ndarray
    terminations: np.ndarray
    truncations: np.ndarray
    cause: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    infos: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rewards)


class DemonstrationFile:
    """A dataset that is being written. It stands beside its place until it is published.

    Args:
        out: The directory that it will be.
        spec: Of the world.
        shown: Which observation arrays it holds.
        about: What is to be known of it, added to what is always written down.
        env_spec: How Gymnasium makes the world, where it does.

    Attributes:
        out: As given.
        unfinished: The directory it is written in.
        episodes, steps: So far.

    Raises:
        OSError: The directory cannot be made, or an unfinished one of that name is there.
    """

    def __init__(
        self, out: Path, spec: WorldSpec, shown: Sequence[str], about: Mapping[str, Any], env_spec: Any = None
    ) -> None:  # fmt: skip
        self.out, self.unfinished = out, unfinished_of(out)
        self.episodes = self.steps = 0
        out.parent.mkdir(parents=True, exist_ok=True)
        self.unfinished.mkdir()
        self._storage = _new_storage(self.unfinished / "data", dataset_id(out.name), spec, shown, about, env_spec)

    def add(self, episode: Demonstration) -> None:
        """Write an episode. Raises OSError where it cannot be written."""
        from minari.data_collector.episode_buffer import EpisodeBuffer

        with _quiet():
            self._storage.update_episodes([
                EpisodeBuffer(
                    seed=episode.seed,
                    observations=dict(episode.observations),
                    actions=list(episode.actions),
                    rewards=list(episode.rewards),
                    terminations=list(episode.terminations),
                    truncations=list(episode.truncations),
                    infos=dict(episode.infos) or None,
                )
            ])  # fmt: skip
            total = float(episode.rewards.sum(dtype=np.float64))
            facts = {"cause": episode.cause, "return": total, **episode.facts}
            self._storage.update_episode_metadata([facts], [self._storage.total_episodes - 1])
        self.episodes, self.steps = self.episodes + 1, self.steps + len(episode)

    def publish(self) -> None:
        """Give it its name. Raises OSError where that is taken."""
        self.unfinished.rename(self.out)

    def discard(self) -> None:
        """Remove what was not published."""
        shutil.rmtree(self.unfinished, ignore_errors=True)


def unfinished_of(out: Path) -> Path:
    """Where a dataset is written before it has its name."""
    return out.with_name(f"{out.name}.unfinished")


def describe_world(spec: WorldSpec, options: Any) -> dict[str, Any]:
    """What of a world makes its episodes what they are, for a dataset's metadata."""
    return {
        "requirements": [f"farlands=={__version__}"],
        "rules": spec.rules,
        "world": spec.name,
        "world_options": json.dumps({item.name: getattr(options, item.name) for item in fields(options)}),
    }


def voxel_env_spec(options: Any) -> Any:
    """How Gymnasium makes a voxel world with these options."""
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


def dataset_id(name: str) -> str:
    """A name as Minari wants it: letters, digits and dashes, and a version at the end."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "demonstrations"
    return plain if re.search(r"-v\d+$", plain) else f"{plain}-v0"


def open_dataset(path: Path) -> Any:
    """The ``MinariDataset`` in a directory. Raises UserError where there is none, or Minari is missing."""
    require_minari()
    import minari

    with _quiet():
        try:
            return minari.MinariDataset(path / "data")
        except Exception as error:
            said = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError("not a dataset of demonstrations:", path.name, said) from error


def require_minari() -> None:
    """Raise UserError where Minari is not installed."""
    with _quiet():
        try:
            import minari  # noqa: F401
        except ImportError:
            raise UserError(
                "demonstrations are written by Minari, which is not installed", allowed="pip install minari"
            ) from None


def _new_storage(
    path: Path, name: str, spec: WorldSpec, shown: Sequence[str], about: Mapping[str, Any], env_spec: Any
) -> Any:  # fmt: skip
    import minari
    from gymnasium import spaces
    from minari.dataset.minari_storage import MinariStorage

    from farlands.worlds.adapters.conversions import action_space, box_of

    space = spaces.Dict({key: box_of(spec.observation[key]) for key in shown})
    with _quiet():
        storage = MinariStorage.new(path, space, action_space(spec), env_spec, "arrow", jpeg_encoding=False)
        storage.update_metadata({"dataset_id": name, "minari_version": minari.__version__, **about})
    return storage


@contextlib.contextmanager
def _quiet() -> Any:
    """Without the advice that Minari gives to those who publish datasets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
