"""Demonstrations by people: what they saw, did and got, as a Minari dataset.

What is kept of each step are the symbolic senses that agents have by default. Pictures are not: a world lives the same
again from a level's seed and the actions, so that they can be drawn afterwards, at any size, which is cheaper than a
gigabyte an hour.
"""

from __future__ import annotations

import dataclasses
import datetime
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import warp as wp

from farlands import __version__
from farlands.errors import UserError
from farlands.runtime.demonstration_files import (
    LONGEST,
    Demonstration,
    DemonstrationFile,
    describe_world,
    open_dataset,
    require_minari,
    unfinished_of,
    voxel_env_spec,
)
from farlands.studio.messages import StartRecording
from farlands.studio.saves import check_name, free_name, names_in
from farlands.worlds.voxel.options import SYMBOLS, VoxelOptions
from farlands.worlds.world import Step, WorldSpec

CONSENT = (
    "Recording writes down what you do in the world from the next level on, for teaching and measuring agents.\n\n"
    "Recorded are the seed of each level; at every twentieth of a second what the world shows to an agent, your action "
    "and its reward, and what the agent does that is in the world with you, if there is one; when each level began and "
    "ended, how, and what was achieved; the name that you give, if any; the day and time, and the versions of "
    "Farlands, its rules, Python and Warp.\n\n"
    "Not recorded are your keys and mouse beyond the actions they led to, your network address, or anything else about "
    "you or this computer.\n\n"
    "The recording stays on the machine that runs this studio, in the folder that is named when it ends, until "
    "somebody who has that machine passes it on; you may delete the folder at any time. Nothing is sent anywhere by "
    "Farlands."
)
"""What people agree to, in paragraphs."""
OTHERS = "others_actions"
"""Name among an episode's infos of what the other agents of the world did just before: int64 ``[T + 1, A - 1,
factors]``, zeros at the beginning."""
_LONGEST_NAME = 80


class Recording:
    """A dataset that a person's lives are written into.

    Args:
        home: Of the studio; datasets are in ``demonstrations`` there.
        message: Its name, the person's, and whether they agree.
        spec: Of the world, which shows at least ``SYMBOLS``.
        options: Of the world.

    Attributes:
        name: Of the dataset.
        who: The person's name; may be empty.

    Raises:
        UserError: The person does not agree, a name can't be one or is taken, Minari is missing, or nothing can be
            written there.
    """

    def __init__(self, home: Path, message: StartRecording, spec: WorldSpec, options: VoxelOptions) -> None:
        check_recording(home, message)
        self.name, self.who = message.name, message.who.strip()
        shown = dataclasses.replace(options, senses=SYMBOLS)
        self._names = [name for name in spec.observation if name in SYMBOLS]
        self._out = find_demonstration(home, self.name)
        about = {**describe_world(spec, shown), **_about_person(self.who)}
        try:
            # Gymnasium makes worlds of one.
            env_spec = voxel_env_spec(shown) if options.agents == 1 else None
            self._file = DemonstrationFile(self._out, spec, self._names, about, env_spec)
        except OSError as error:
            raise UserError("cannot write to", self._out, error.strerror or str(error)) from error
        self._episode: _Episode | None = None

    @property
    def is_full(self) -> bool:
        """Whether the present episode can have no more steps."""
        return self._episode is not None and self._episode.steps >= LONGEST

    def begin_episode(self, seed: int, observation: Mapping[str, torch.Tensor]) -> None:
        """The person stands at the beginning of a level."""
        self._episode = _Episode(seed, {name: observation[name][0].numpy() for name in self._names})

    def note(self, actions: torch.Tensor, step: Step, last: Mapping[str, torch.Tensor]) -> None:
        """Take down a step.

        Args:
            actions: int32 ``[A, factors]``, the person's first.
            step: What came of it.
            last: What was seen after it, by row; of an episode that ended its last observation.
        """
        if self._episode is not None:
            seen = {name: last[name][0].numpy() for name in self._names}
            flags = bool(step.terminated[0]), bool(step.truncated[0])
            self._episode.note(actions.numpy(), float(step.reward[0]), flags, seen)

    def end_episode(self, cause: str, achieved: Mapping[str, int]) -> None:
        """Write down the episode that has ended. Raises UserError where that cannot be."""
        episode, self._episode = self._episode, None
        if episode is None or not episode.steps:
            return
        try:
            self._file.add(episode.finish(cause, achieved))
        except OSError as error:
            raise UserError("cannot write to", self._file.unfinished, error.strerror or str(error)) from error

    def stop(self, achieved: Mapping[str, int]) -> None:
        """Cut the present episode, and give the dataset its name; one without steps is removed.

        Raises:
            UserError: It cannot be written; what was written so far stays in the unfinished folder.
        """
        self.end_episode("cut", achieved)
        if not self._file.episodes:
            self._file.discard()
            return
        try:
            self._file.publish()
        except OSError as error:
            raise UserError("cannot publish", self._out, error.strerror or str(error)) from error

    def describe(self) -> dict[str, Any]:
        """What is going on, as JSON data."""
        steps = self._episode.steps if self._episode else 0
        return {"name": self.name, "who": self.who, "episode": self._file.episodes, "steps": steps}

    def describe_end(self) -> dict[str, Any]:
        """What has been written, as JSON data."""
        about = {"name": self.name, "episodes": self._file.episodes, "steps": self._file.steps}
        return about | {"path": str(self._out) if self._file.episodes else ""}


class _Episode:
    """An episode that goes on, its arrays growing by doubling."""

    def __init__(self, seed: int, seen: Mapping[str, np.ndarray]) -> None:
        self._seed, self._began = seed, _now()
        self._seen = {name: _Column(value) for name, value in seen.items()}
        self._actions: list[np.ndarray] = []
        self._rewards: list[float] = []
        self._flags: list[tuple[bool, bool]] = []

    @property
    def steps(self) -> int:
        return len(self._rewards)

    def note(
        self, actions: np.ndarray, reward: float, flags: tuple[bool, bool], seen: Mapping[str, np.ndarray]
    ) -> None:
        self._actions.append(actions.astype(np.int64))
        self._rewards.append(reward)
        self._flags.append(flags)
        for name, value in seen.items():
            self._seen[name].append(value)

    def finish(self, cause: str, achieved: Mapping[str, int]) -> Demonstration:
        terminations, truncations = (np.array(column) for column in zip(*self._flags, strict=True))
        truncations[-1] = not terminations[-1]
        actions = np.stack(self._actions)
        return Demonstration(
            seed=self._seed,
            observations={name: column.all() for name, column in self._seen.items()},
            actions=actions[:, 0],
            rewards=np.array(self._rewards, dtype=np.float32),
            terminations=terminations,
            truncations=truncations,
            cause=cause,
            facts={"began": self._began, "ended": _now(), "achieved": dict(achieved)},
            infos={OTHERS: np.pad(actions[:, 1:], ((1, 0), (0, 0), (0, 0)))} if actions.shape[1] > 1 else {},
        )


class _Column:
    """Arrays of one shape, one after the other."""

    def __init__(self, first: np.ndarray) -> None:
        self._rows, self._count = np.empty((1_024, *first.shape), dtype=first.dtype), 0
        self.append(first)

    def append(self, value: np.ndarray) -> None:
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[self._count] = value
        self._count += 1

    def all(self) -> np.ndarray:
        return self._rows[: self._count]


def check_recording(home: Path, message: StartRecording) -> None:
    """Raise UserError where a recording cannot begin: no consent, a name that can't be one or is taken, no Minari."""
    if not message.consent:
        raise UserError("nothing is recorded without consent to what is recorded")
    if len(message.who) > _LONGEST_NAME or not message.who.isprintable():
        raise UserError(f"the person's name has at most {_LONGEST_NAME} printable characters, not", message.who)
    require_minari()
    out = find_demonstration(home, message.name)
    if out.exists() or unfinished_of(out).exists():
        other = free_name(message.name, lambda name: find_demonstration(home, name).exists())
        raise UserError("there is a recording already:", message.name, f"nothing was overwritten; {other} is free")


def find_demonstration(home: Path, name: str) -> Path:
    """The directory of a dataset. Raises UserError where the name can't be one."""
    return home / "demonstrations" / check_name(name)


def list_demonstrations(home: Path) -> list[dict[str, Any]]:
    """Every dataset in a few words, the newest first; those that cannot be read are told as broken.

    One that is still being recorded, or was cut off by a crash, has ``unfinished``: the folder it is in.
    """
    folder = home / "demonstrations"
    cut_off = [path for path in folder.glob("*.unfinished") if path.is_dir()]
    return [_sketch(path, path.stem) | {"unfinished": str(path)} for path in sorted(cut_off)] + [
        _sketch(find_demonstration(home, name), name) for name in names_in(folder, "")
    ]


def _sketch(path: Path, name: str) -> dict[str, Any]:
    try:
        data = open_dataset(path)
        about = data.storage.metadata
        who, made = str(about.get("recorded_name", "")), str(about.get("consent_time", ""))
        episodes, steps = int(data.total_episodes), int(data.total_steps)
    except UserError as error:
        return {"name": name, "broken": str(error)}
    except (KeyError, TypeError, ValueError) as error:
        return {"name": name, "broken": f"its metadata are none: {error}"}
    return {"name": name, "episodes": episodes, "steps": steps, "who": who, "made": made}


def _about_person(who: str) -> dict[str, Any]:
    return {
        **({"author": {who}} if who else {}),
        "algorithm_name": "person",
        "description": "Recorded by a person at 20 Hz, one tick of the world to a step.",
        "recorded_by": "a person at 20 Hz",
        "recorded_name": who,
        "consent": CONSENT,
        "consent_given": "yes",
        "consent_time": _now(),
        "farlands_version": __version__,
        "python_version": platform.python_version(),
        "warp_version": str(wp.__version__),
    }


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
