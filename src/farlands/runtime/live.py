"""What a run shows of its worlds to those who watch.

Nothing is drawn, and no world stepped, for a watcher in the run itself. While somebody asks for it, by touching a file,
the run writes the state of its first worlds once and after every update what was done in them; worlds live the same
again from that, so whoever reads it has the very worlds that are trained in. What the agent thinks is computed anew,
for the few worlds that somebody looks into. Where nobody asks, a run spends one look at a file on it per update.

    live/wanted.json                    touched by watchers; ``ticket`` asks for a new beginning
    live/begin-<update>.safetensors     snapshot of the worlds after that update
    live/update-<update>.safetensors    what happened in them during that update
    live/pixels-<update>.safetensors    some of what agents that learn from pictures saw; nobody need draw it again

Axis letters: T steps, F of them that are shown, W worlds shown, R = W * A rows, M of them whose thoughts are told, V
value heads, N options of an action.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from farlands.agents.agent import Agent
from farlands.errors import UserError, first_line
from farlands.learning.rollout import Rollout
from farlands.worlds.world import ArraySpec, World

MOST_WORLDS = 64
"""Worlds that are shown at most."""
MOST_MINDS = 16
"""Worlds whose agents' thoughts are told at most."""
PATIENCE = 15.0
"""Seconds after which a watcher that has not asked again is gone."""
KEPT = 8
"""Updates that are kept for watchers that are late, at least."""
LATE = 10.0
"""Seconds a watcher may be late; all updates of so many seconds are kept, up to ``MOST_KEPT``."""
MOST_KEPT = 256
_MOST_BYTES = 1 << 25
"""Of the pictures of one update."""
_MOST_BYTES_KEPT = 1 << 27
_MOST_PICTURES = 30.0
"""A second."""


@dataclass(frozen=True)
class Happened:
    """What happened in the worlds shown during one update.

    Attributes:
        update: Which.
        step: Of the run, all rows together, after it.
        seconds: That it took.
        actions: As the action spec says, ``[T, R, ...]``.
        reward: float32 ``[T, R]``, the world's own.
        ended: bool ``[T, R]``: an episode ended at this step.
        minds: int64 ``[M]``, worlds whose first agents' thoughts are told.
        values: float32 ``[T, M, V]``, what the agent, as it is after the update, expects at each observation, in units
            of reward.
        chances: float16 ``[T, M, N]``, how likely it would choose each option; None for continuous actions.
        hashes: int64 ``[W]``, of the worlds after the update; None for most updates.
    """

    update: int
    step: int
    seconds: float
    actions: Tensor
    reward: Tensor
    ended: Tensor
    minds: Tensor
    values: Tensor
    chances: Tensor | None
    hashes: Tensor | None


@dataclass(frozen=True)
class Frames:
    """What agents saw during one update.

    Attributes:
        pictures: uint8 ``[F, W, H, X, 3]``, of the first agent of every world, before some of the steps.
        stride: Steps from one of them to the next; the first is before the first step.
    """

    pictures: Tensor
    stride: int

    def before(self, step: int) -> Tensor:
        """uint8 ``[W, H, X, 3]``, the newest there is of what was seen before a step of the update."""
        return self.pictures[min(step // self.stride, len(self.pictures) - 1)]


class Feed:
    """Writes what watchers ask for.

    Args:
        directory: Of the run.
        world: Whose first worlds are shown.
        agent: Who lives in them.
        learner: With a ``normaliser`` of values, if it has one.
        note: Tells people why nothing can be shown.
        check_every: Updates between two that carry hashes.
    """

    def __init__(
        self, directory: Path, world: World, agent: Agent, learner: Any, note: Callable[[str], None],
        check_every: int = 16,
    ) -> None:  # fmt: skip
        self._path, self._world, self._agent, self._note = directory / "live", world, agent, note
        self._normaliser = getattr(learner, "normaliser", None)
        self._check_every = check_every
        self._ticket, self._shown, self._able = "", 0, True

    def publish(self, rollout: Rollout, update: int, step: int, seconds: float) -> None:
        """Write what happened in an update, if anybody asks.

        Whatever goes wrong costs the watchers something, and the run nothing.
        """
        wanted = read_wanted(self._path) if self._able else None
        if wanted is None:
            self._ticket = ""
            return
        try:
            self._write(wanted, rollout, update, step, seconds)
        except OSError:
            # A full disk may have room again later.
            self._ticket = ""
        except Exception as error:
            # Somebody's own world or network that lacks what showing takes.
            self._able = False
            self._note(f"these worlds cannot be shown to watchers: {first_line(error)}")

    def close(self) -> None:
        """The run is over; nothing will come any more."""
        shutil.rmtree(self._path, ignore_errors=True)

    def _write(self, wanted: Wanted, rollout: Rollout, update: int, step: int, seconds: float) -> None:
        shown = min(wanted.worlds, self._world.num_worlds, MOST_WORLDS)
        if wanted.ticket == self._ticket and shown == self._shown:
            if wanted.pictures:
                self._write_pictures(rollout, shown, update, wanted.pictures * seconds)
            arrays = self._happened(rollout, shown, update)
            arrays |= self._thoughts(rollout, [world for world in wanted.minds if world < shown])
            facts = {"update": update, "step": step, "seconds": seconds}
            _publish(self._path / f"update-{update:09d}.safetensors", arrays, facts)
            self._prune("update", min(max(KEPT, math.ceil(LATE / max(seconds, 1e-3))), MOST_KEPT))
            return
        snapshot = self._world.snapshot(range(shown))
        _publish(self._path / f"begin-{update:09d}.safetensors", snapshot, {"worlds": shown, "ticket": wanted.ticket})
        self._prune("begin", 2)
        self._ticket, self._shown = wanted.ticket, shown

    def _happened(self, rollout: Rollout, shown: int, update: int) -> dict[str, Tensor]:
        rows = slice(shown * self._world.num_agents)
        arrays = {
            "actions": rollout.actions[:, rows],
            "reward": rollout.rewards[:, rows],
            "ended": rollout.first[1:, rows],
        }
        if update % self._check_every == 0:
            arrays["hashes"] = self._world.state_hash(range(shown))
        return arrays

    @torch.no_grad()
    def _thoughts(self, rollout: Rollout, minds: list[int]) -> dict[str, Tensor]:
        """Of the first agents of some worlds."""
        if not minds:
            return {"minds": torch.zeros(0, dtype=torch.int64), "values": torch.zeros(rollout.length, 0, 1)}
        rows = torch.tensor(minds, device=rollout.first.device) * self._world.num_agents
        observations = {key: value[:, rows] for key, value in rollout.observations.items()}
        output = self._agent.unroll(observations, rollout.memory[rows], rollout.first[:-1, rows])
        values = self._normaliser.denormalise(output.value) if self._normaliser else output.value
        thoughts = {"minds": torch.tensor(minds), "values": values.float()}
        chances = output.distribution.chances()
        return thoughts if chances is None else thoughts | {"chances": chances.half()}

    def _write_pictures(self, rollout: Rollout, shown: int, update: int, wanted: float) -> None:
        """Write about as many moments of an update as are wanted, if what agents saw was pictures."""
        spec, seen = self._world.spec.observation.get("pixels"), rollout.observations.get("pixels")
        if spec is None or seen is None or seen.dtype != torch.uint8 or seen.shape[-1] != 3:
            return
        rows = seen[:, : shown * self._world.num_agents : self._world.num_agents]
        stride = max(1, int(len(rows) / max(wanted, 1.0)), math.ceil(rows.nbytes / _MOST_BYTES))
        pictures = whole_pictures(rows[::stride], spec)
        _publish(self._path / f"pixels-{update:09d}.safetensors", {"pictures": pictures}, {"stride": stride})
        self._prune("pixels", max(2, min(KEPT, _MOST_BYTES_KEPT // pictures.nbytes)))

    def _prune(self, kind: str, keep: int) -> None:
        for path in sorted(self._path.glob(f"{kind}-*.safetensors"))[:-keep]:
            path.unlink(missing_ok=True)


class NoFeed(Feed):
    """For processes whose worlds nobody can watch."""

    def __init__(self) -> None:
        pass

    def publish(self, rollout: Rollout, update: int, step: int, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class Wanted:
    """What watchers ask for.

    Attributes:
        worlds: How many.
        ticket: A new one asks for a new beginning.
        pictures: How many moments of each second, of what agents saw that learn from pictures; 0 for none.
        minds: Worlds whose first agents' thoughts are to be told.
    """

    worlds: int
    ticket: str
    pictures: float = 0.0
    minds: tuple[int, ...] = ()


def read_wanted(live: Path) -> Wanted | None:
    """What is asked for in a run's directory ``live``; None where nobody has asked lately, or not in our words."""
    path = live / "wanted.json"
    try:
        if time.time() - path.stat().st_mtime > PATIENCE:
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
        worlds, ticket = max(1, int(data["worlds"])), str(data["ticket"])
        pictures = min(max(0.0, float(data.get("pictures", 0.0))), _MOST_PICTURES)
        minds = sorted({int(world) for world in data.get("minds", ()) if 0 <= int(world) < MOST_WORLDS})
        return Wanted(worlds, ticket, pictures, tuple(minds[:MOST_MINDS]))
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


class Request:
    """A watcher's side: asks a run for its worlds, and reads what it writes.

    Args:
        directory: Of the run.
        worlds: How many to ask for.

    Attributes:
        pictures: How many moments a second are wanted of what agents see that learn from pictures; 0 for none.
        minds: Worlds whose first agents' thoughts are wanted.
    """

    def __init__(self, directory: Path, worlds: int) -> None:
        self._path, self.worlds, self.pictures, self.minds = directory / "live", worlds, 0.0, frozenset[int]()
        self._asked: Wanted | None = None

    def ask(self) -> None:
        """Ask, or ask again in time. Raises UserError where the run's directory takes no files."""
        known = read_wanted(self._path)
        if known is None or known.worlds < self.worlds:
            self.renew()
        elif (wanted := self._with_others(known)) != known:
            # The worlds go on as they are, from no new beginning.
            self._write(wanted)
        else:
            with contextlib.suppress(OSError):
                os.utime(self._path / "wanted.json")

    def renew(self) -> None:
        """Ask for a new beginning. Raises UserError as ``ask``."""
        self._write(Wanted(self.worlds, secrets.token_hex(8), self.pictures, tuple(sorted(self.minds))))

    def _with_others(self, known: Wanted) -> Wanted:
        """What others want, as far as it is known, and what is wanted here now instead of before."""
        before = self._asked or Wanted(0, "")
        pictures = self.pictures if known.pictures == before.pictures else max(known.pictures, self.pictures)
        minds = (set(known.minds) - set(before.minds)) | self.minds
        return Wanted(known.worlds, known.ticket, pictures, tuple(sorted(minds)))

    def _write(self, wanted: Wanted) -> None:
        path = self._path / "wanted.json"
        beside = path.with_name(f".wanted-{os.getpid()}")
        try:
            path.parent.mkdir(exist_ok=True)
            beside.write_text(json.dumps(dataclasses.asdict(wanted)), encoding="utf-8")
            beside.replace(path)
            self._asked = dataclasses.replace(wanted, pictures=self.pictures, minds=tuple(self.minds))
        except OSError as error:
            raise UserError("cannot ask the run to show its worlds:", path, error.strerror or str(error)) from error

    def newest_beginning(self) -> tuple[int, int, dict[str, Tensor]] | None:
        """Update, number of worlds and snapshot of the newest beginning; None where there is none."""
        for path in sorted(self._path.glob("begin-*.safetensors"), reverse=True):
            read = _read(path)
            if read is not None:
                arrays, facts = read
                return _number(path), int(facts["worlds"]), arrays
        return None

    def newest_update(self) -> int:
        """Number of the newest update there is, -1 where there is none."""
        return max((_number(path) for path in self._path.glob("update-*.safetensors")), default=-1)

    def read(self, update: int) -> Happened | None:
        """What happened in an update; None where it is not there, or not whole."""
        read = _read(self._path / f"update-{update:09d}.safetensors")
        if read is None:
            return None
        arrays, facts = read
        return Happened(
            update=update, step=int(facts["step"]), seconds=float(facts["seconds"]),
            actions=arrays["actions"], reward=arrays["reward"], ended=arrays["ended"], minds=arrays["minds"],
            values=arrays["values"], chances=arrays.get("chances"), hashes=arrays.get("hashes"),
        )  # fmt: skip

    def read_frames(self, update: int) -> Frames | None:
        """What agents saw during an update; None where it was not written."""
        read = _read(self._path / f"pixels-{update:09d}.safetensors")
        if read is None:
            return None
        pictures, stride = read[0].get("pictures"), read[1].get("stride", "")
        if pictures is None or pictures.ndim != 5 or not len(pictures) or not stride.isdigit():
            return None
        return Frames(pictures, max(1, int(stride)))


def whole_pictures(pictures: Tensor, spec: ArraySpec) -> Tensor:
    """Pictures ``[..., H, X, 3]``, of such as the spec has in patches ``[..., P, side, side, 3]`` or whole already."""
    if not spec.grid:
        return pictures
    (rows, columns), side = spec.grid, pictures.shape[-2]
    kept = pictures.shape[:-4]
    grid = pictures.reshape(-1, rows, columns, side, side, 3).transpose(2, 3)
    return grid.reshape(*kept, rows * side, columns * side, 3)


def _publish(path: Path, arrays: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write a file that is there whole or not at all."""
    from safetensors.torch import save

    path.parent.mkdir(exist_ok=True)
    beside = path.with_name(f".{path.name}")
    plain = {name: value.detach().contiguous().cpu() for name, value in arrays.items()}
    beside.write_bytes(save(plain, {name: str(value) for name, value in facts.items()}))
    beside.replace(path)


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]] | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (OSError, SafetensorError, KeyError):
        return None


def _number(path: Path) -> int:
    digits = path.stem.rpartition("-")[2]
    return int(digits) if digits.isdigit() else -1
