"""Hosted environments as a world. Axis letters: W worlds, which are rows here; T steps; N achievements."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from farlands.worlds.adapters.foreign.memory import FINAL, OBSERVATION
from farlands.worlds.adapters.foreign.options import ForeignOptions
from farlands.worlds.adapters.foreign.pool import ForeignError, LocalPool, Pool, ProcessPool
from farlands.worlds.adapters.foreign.seeds import digest, episode_seed, streams
from farlands.worlds.adapters.foreign.spaces import clean_actions
from farlands.worlds.world import Episodes, Step, World, WorldSpec, join_worlds

CAUSES = ("rules", "horizon", "interrupted", "failed")
"""How episodes end. Two are cut without reward: ``interrupted`` ones because a state could not be reached again,
``failed`` ones because the environment raised an exception."""
_STATE = ("stream", "episode", "time", "total", "unlocked")


class ForeignWorld(World):
    """Environments written by others, stepped in worker processes or in this one.

    The environments' own state can't be read, so a state is kept as what leads to it: the level seed and the actions
    of the present episode. ``restore`` lives the episode again and compares what it then sees with what was seen.
    Where that differs, because chance came from elsewhere, or the episode is longer than ``options.replay``, the row
    is cut: its next step ignores the action and is truncated with no reward, its last observation being the one that
    was saved, and the episode is logged as ``interrupted``. A warning says so.

    ``state_hash`` covers the seeds, the actions of the present episode, what has been counted, and what is seen.

    Args:
        pool: Steps the environments; closed with the world.
        name, rules: For the spec.
        options: Of the world.
        device: Where tensors live; environments are stepped on the CPU in any case.
    """

    supports_graph: ClassVar[bool] = False

    def __init__(
        self, pool: Pool, name: str, rules: str, options: ForeignOptions, device: torch.device | str = "cpu"
    ) -> None:
        spec = pool.spec
        self.spec = WorldSpec(
            name=name,
            observation=spec.observation,
            action=spec.action,
            reward_range=spec.reward_range,
            horizon=spec.horizon,
            achievements=spec.achievements,
            rules=rules,
        )
        self.pool, self.options, self.device = pool, options, torch.device(device)
        self.num_worlds = len(pool.arrays["reward"])
        self.final_observation = self.allocate().observation
        shape = (self.num_worlds,)
        self.time = np.zeros(shape, np.int64)
        self.total = np.zeros(shape, np.float64)
        self.unlocked = np.full((*shape, len(spec.achievements)), -1, np.int64)
        self._actions = np.zeros((*shape, 64, *spec.action.shape), pool.arrays["actions"].dtype)
        self._log: list[tuple[int, int, int, int, float, np.ndarray]] = []
        self._begun = False
        # Rows to be cut at the next step.
        self._interrupted: set[int] = set()

    @property
    def _streams(self) -> np.ndarray:
        return self.pool.arrays["stream"]

    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        self._streams[:] = np.array(streams(seed, self.num_worlds, self.first_world), dtype=np.uint64)
        self.pool.arrays["episode"][:] = 0
        self.time[:], self.total[:], self.unlocked[:] = 0, 0, -1
        self._log.clear()
        self._interrupted.clear()
        self.pool.arrays["held"][:] = False
        self.pool.reset(range(self.num_worlds))
        self._begun = True
        return self.observe(out or self.allocate())

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        self.check_actions(actions)
        arrays = self.pool.arrays
        if not arrays:
            raise ForeignError(f"{self.spec.name} is closed", "make a new world")
        if not self._begun:
            raise ForeignError(f"{self.spec.name} has not begun", "reset() it first")
        out = out or self.allocate()
        arrays["actions"][:] = clean_actions(actions.detach().cpu().numpy(), self.spec.action)
        # A pool may end rows' episodes and count their next ones on; what is logged is the one that ends.
        episode = arrays["episode"].copy()
        self.pool.step()
        self._remember()
        self.time += 1
        self.total += arrays["reward"]
        new = (arrays["achieved"] > 0) & (self.unlocked < 0)
        self.unlocked[new] = np.broadcast_to(self.time[:, None], new.shape)[new]
        ended = arrays["terminated"] | arrays["truncated"]
        self._check_horizon(arrays["truncated"] & ~arrays["failed"])
        if ended.any():
            self._finish(np.flatnonzero(ended), episode)
        self._write(out)
        if self._interrupted:
            self._cut(out)
        return out

    def observe(self, out: Step) -> Step:
        self._write(out)
        return out.clear_outcome()

    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, Tensor]:
        rows = np.arange(self.num_worlds) if worlds is None else np.asarray(worlds, dtype=np.int64)
        longest = int(self.time[rows].max(initial=0))
        kept = min(longest, self.options.replay)
        state = {
            "stream": self._streams[rows].view(np.int64),
            "episode": self.pool.arrays["episode"][rows],
            "time": self.time[rows],
            "total": self.total[rows],
            "unlocked": self.unlocked[rows],
            "actions": self._actions[rows, :kept] if kept else self._actions[rows, :0],
        }
        for key in self.spec.observation:
            state[OBSERVATION + key] = self.pool.arrays[OBSERVATION + key][rows]
        return {name: torch.from_numpy(np.array(value)) for name, value in state.items()}

    def restore(self, snapshot: Mapping[str, Tensor], worlds: Sequence[int] | None = None) -> None:
        rows = np.arange(self.num_worlds) if worlds is None else np.asarray(worlds, dtype=np.int64)
        state = self._checked(snapshot, len(rows))
        self._streams[rows] = state["stream"].view(np.uint64)
        self.pool.arrays["episode"][rows] = state["episode"]
        for name in ("time", "total", "unlocked"):
            getattr(self, name)[rows] = state[name]
        self._reserve(state["actions"].shape[1])
        self._actions[rows, : state["actions"].shape[1]] = state["actions"]
        self.pool.arrays["held"][rows] = False
        self._interrupted.difference_update(rows.tolist())
        self._relive(rows, state)
        self._begun = True

    def state_hash(self, worlds: Sequence[int] | None = None) -> Tensor:
        digests = []
        for row in range(self.num_worlds) if worlds is None else worlds:
            pieces = [array[row] for array in (self._streams, self.pool.arrays["episode"], self.time, self.total)]
            pieces += [self.unlocked[row], self._actions[row, : self.time[row]]]
            pieces += [self.pool.arrays[OBSERVATION + key][row] for key in self.spec.observation]
            digests.append(digest(pieces))
        return torch.from_numpy(np.array(digests, dtype=np.uint64).view(np.int64).copy()).to(self.device)

    def drain_episodes(self) -> Episodes:
        log, self._log = self._log, []
        row, seed, length, cause, reward, unlocked = zip(*log, strict=True) if log else ((),) * 6
        return Episodes(
            row=np.array(row, dtype=np.int64),
            seed=np.array(seed, dtype=np.uint64),
            length=np.array(length, dtype=np.int64),
            reward=np.array(reward, dtype=np.float64),
            cause=np.array(CAUSES)[list(cause)],
            achievements=np.array(unlocked, dtype=np.int64).reshape(len(log), len(self.spec.achievements)),
        )

    def state_dict(self) -> dict[str, Tensor]:
        log = [np.array([row, *_words(seed), length, cause, *unlocked]) for row, seed, length, cause, _, unlocked
               in self._log]  # fmt: skip
        width = 5 + len(self.spec.achievements)
        return self.snapshot() | {
            "log": torch.from_numpy(np.array(log, dtype=np.int64).reshape(-1, width)),
            "log_reward": torch.tensor([entry[4] for entry in self._log], dtype=torch.float64),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        state = dict(state)
        try:
            log, reward = state.pop("log").cpu().numpy(), state.pop("log_reward").cpu().numpy()
        except KeyError as missing:
            raise ValueError(f"the state of {self.spec.name} lacks {missing}") from None
        if log.ndim != 2 or log.shape[1] != 5 + len(self.spec.achievements) or len(reward) != len(log):
            raise ValueError(f"a log of shape {log.shape} does not fit {self.spec.name}")
        self.restore(state)
        self._log = [
            (int(line[0]), int(line[1]) << 32 | int(line[2]), int(line[3]), int(line[4]), float(total), line[5:])
            for line, total in zip(log, reward, strict=True)
        ]

    def regroup(self, pieces: Sequence[tuple[Mapping[str, Tensor], slice]]) -> dict[str, Tensor]:
        # Of each part as many actions are kept as its longest episode has.
        longest = max(state["actions"].shape[1] for state, _ in pieces)
        padded = [({**state, "actions": _pad(state["actions"], longest)}, worlds) for state, worlds in pieces]
        joined = {name: join_worlds(name, padded) for name in pieces[0][0] if name not in ("log", "log_reward")}
        return joined | {name: pieces[0][0][name][:0] for name in ("log", "log_reward")}

    def render(self, worlds: Sequence[int], height: int, width: int) -> Tensor:
        """Pictures of these worlds, uint8 ``[n, height, width, 3]``, on the CPU.

        Raises:
            ForeignError: The environment has none.
        """
        from PIL import Image

        if not self.pool.spec.renders:
            raise ForeignError(f"{self.spec.name} has no pictures", "it needs render_mode rgb_array")
        pictures = [Image.fromarray(picture) for picture in self.pool.render([int(world) for world in worlds])]
        # Enlarged pixels keep their edges; photographs are not what these worlds show.
        scaled = [np.asarray(picture.resize((width, height), Image.Resampling.NEAREST)) for picture in pictures]
        return torch.from_numpy(np.stack(scaled))

    def close(self) -> None:
        self.pool.close()

    def _write(self, out: Step) -> None:
        arrays = self.pool.arrays
        for key, value in out.observation.items():
            value.copy_(torch.from_numpy(arrays[OBSERVATION + key]))
        for name in ("reward", "terminated", "truncated"):
            getattr(out, name).copy_(torch.from_numpy(arrays[name]))

    def _remember(self) -> None:
        """Keep the actions just taken, as far as a resume would live them again."""
        most = int(self.time.max()) + 1
        self._reserve(min(most, self.options.replay))
        kept = np.flatnonzero(self.time < self._actions.shape[1])
        self._actions[kept, self.time[kept]] = self.pool.arrays["actions"][kept]

    def _reserve(self, length: int) -> None:
        have = self._actions.shape[1]
        if length > have:
            more = np.zeros(
                (self.num_worlds, max(length, 2 * have) - have, *self._actions.shape[2:]), self._actions.dtype
            )
            self._actions = np.concatenate((self._actions, more), axis=1)

    def _check_horizon(self, truncated: np.ndarray) -> None:
        """Learners bootstrap only as often as the horizon allows: cuts it does not announce would be learnt wrongly."""
        horizon = self.spec.horizon
        early = truncated & (self.time < (np.inf if horizon is None else horizon))
        if early.any():
            row = int(np.flatnonzero(early)[0])
            told = "no horizon" if horizon is None else f"a horizon of {horizon}"
            raise ForeignError(
                f"{self.spec.name} cut an episode after {self.time[row]} steps but has {told}",
                "say --world.horizon, at most as many steps as it makes before it cuts",
            )

    def _finish(self, ended: np.ndarray, episode: np.ndarray) -> None:
        """Log the episodes of these rows, keep their last observation, and count anew."""
        arrays = self.pool.arrays
        index = torch.from_numpy(ended)
        for key, value in self.final_observation.items():
            value[index.to(self.device)] = torch.from_numpy(arrays[FINAL + key])[index].to(self.device)
        for row in ended.tolist():
            cause = "rules" if arrays["terminated"][row] else "failed" if arrays["failed"][row] else "horizon"
            self._log_row(row, int(episode[row]), CAUSES.index(cause))
        self.time[ended], self.total[ended], self.unlocked[ended] = 0, 0, -1

    def _log_row(self, row: int, episode: int, cause: int) -> None:
        seed = episode_seed(int(self._streams[row]), episode)
        self._log.append((row, seed, int(self.time[row]), cause, float(self.total[row]), self.unlocked[row].copy()))

    def _checked(self, snapshot: Mapping[str, Tensor], count: int) -> dict[str, np.ndarray]:
        here = self.snapshot([])
        if set(snapshot) != set(here):
            raise ValueError(f"snapshot has {sorted(snapshot)}; {self.spec.name} has {sorted(here)}")
        for name, value in here.items():
            given = snapshot[name]
            # How many actions there are differs from snapshot to snapshot.
            skipped = 2 if name == "actions" else 1
            fits = given.ndim == value.ndim and len(given) == count and given.shape[skipped:] == value.shape[skipped:]
            if given.dtype != value.dtype or not fits:
                expected = f"{value.dtype} {(count, *value.shape[1:])}"
                raise ValueError(f"{name} of the snapshot is {given.dtype} {tuple(given.shape)}; expected {expected}")
        return {name: value.cpu().numpy() for name, value in snapshot.items()}

    def _relive(self, rows: np.ndarray, state: Mapping[str, np.ndarray]) -> None:
        """Reach the states again; rows that can't be are cut at their next step."""
        lengths = state["time"]
        can = np.full(len(rows), self.pool.spec.replays) & (lengths <= state["actions"].shape[1])
        self.pool.replay({int(rows[at]): state["actions"][at, : lengths[at]] for at in np.flatnonzero(can)})
        apart = [row for at, row in enumerate(rows.tolist()) if not (can[at] and self._sees(row, state, at))]
        if not apart:
            return
        index = np.isin(rows, apart)
        for key in self.spec.observation:
            self.pool.arrays[OBSERVATION + key][rows[index]] = state[OBSERVATION + key][index]
        self.pool.arrays["held"][apart] = True
        self._interrupted.update(apart)
        why = "it does not repeat itself" if can[index].any() else "their states can't be reached again"
        warnings.warn(f"{self.spec.name}: {len(apart)} of {len(rows)} episodes are cut here; {why}", stacklevel=3)

    def _sees(self, row: int, state: Mapping[str, np.ndarray], at: int) -> bool:
        """Whether a row sees what it saw."""
        keys = [OBSERVATION + key for key in self.spec.observation]
        return all(np.array_equal(self.pool.arrays[key][row], state[key][at], equal_nan=True) for key in keys)

    def _cut(self, out: Step) -> None:
        """End the episodes that could not be gone on with: a step without reward, truncated, onto the next level."""
        rows = sorted(self._interrupted)
        for key, value in self.final_observation.items():
            value[rows] = torch.from_numpy(self.pool.arrays[OBSERVATION + key][rows]).to(self.device)
        for row in rows:
            self.time[row] -= 1
            self._log_row(row, int(self.pool.arrays["episode"][row]), CAUSES.index("interrupted"))
        self.pool.arrays["episode"][rows] += 1
        self.time[rows], self.total[rows], self.unlocked[rows] = 0, 0, -1
        self.pool.arrays["held"][rows] = False
        self._interrupted.clear()
        self.pool.reset(rows)
        self._write(out)
        out.truncated[torch.tensor(rows, device=self.device)] = True


def count_workers(asked: int, num_worlds: int) -> int:
    """How many processes ``ForeignOptions.workers`` means here, no more than worlds."""
    return min(num_worlds, (os.cpu_count() or 1) if asked < 0 else asked)


def make_pool(source: Any, num_worlds: int, options: ForeignOptions) -> Pool:
    """Where the environments of a world run, as its options say.

    Raises:
        ValueError: There would be no world.
        ForeignError: The environments can't be made.
    """
    if num_worlds < 1:
        raise ValueError(f"num_worlds is {num_worlds}; it must be at least 1")
    workers, source.failures = count_workers(options.workers, num_worlds), options.failures
    if workers == 0:
        return LocalPool.of(source, num_worlds)
    return ProcessPool(source, num_worlds, workers, options.timeout)


def _words(seed: int) -> tuple[int, int]:
    """An unsigned 64-bit number as two halves, high first, that fit signed columns."""
    return seed >> 32, seed & 0xFFFFFFFF


def _pad(actions: Tensor, length: int) -> Tensor:
    """Actions ``[W, T, *]`` with zeros after them up to a length."""
    return torch.cat((actions, actions.new_zeros(len(actions), length - actions.shape[1], *actions.shape[2:])), dim=1)
