"""A base for worlds whose state is a few tensors: levels and seeds, same-step autoreset, endings, episodes, snapshots.

Everything is a few torch operations on whole batches without a word to the host, so such worlds run on any device and
inside a CUDA graph. Axis letters: W worlds, which are rows here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from farlands.worlds.world import Episodes, Step, World, WorldSpec, join_worlds

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_DERIVED = (1 << 63) - 1
"""Derived seeds leave the top bit clear: levels whose seed has it set are met only by asking for them."""
_CAUSES = ("rules", "horizon")


def mix(words: Tensor) -> Tensor:
    """SplitMix64's step (Steele et al. 2014) on int64 words, which wrap as unsigned ones do."""
    words = words + _GOLDEN
    words = (words ^ ((words >> 30) & 0x3FFFFFFFF)) * (0xBF58476D1CE4E5B9 - (1 << 64))
    words = (words ^ ((words >> 27) & 0x1FFFFFFFFF)) * (0x94D049BB133111EB - (1 << 64))
    return words ^ ((words >> 31) & 0x1FFFFFFFF)


class TorchWorld(World):
    """What worlds of a few tensors share: streams of seeds, autoreset, endings, the log of episodes, snapshots.

    A subclass has ``_begin`` (the state of a new episode from its seed), ``_advance`` (one step of every row) and
    ``_observe``. Its own state is ``self.state`` by name, each array with a leading world axis.
    """

    supports_graph: ClassVar[bool] = True

    def __init__(self, num_worlds: int, options: Any, spec: WorldSpec, device: torch.device | str) -> None:
        if num_worlds < 1:
            raise ValueError(f"num_worlds is {num_worlds}; it must be at least 1")
        self.num_worlds, self.options, self.spec, self.device = num_worlds, options, spec, torch.device(device)
        self.capacity = 1024 + 64 * num_worlds
        self.final_observation = self.allocate().observation
        features = len(spec.achievements)
        self.state = {
            "stream": self._zeros(torch.int64),
            "episode": self._zeros(torch.int64),
            "time": self._zeros(torch.int64),
            "total": self._zeros(torch.float64),
            "unlocked": self._zeros(torch.int64, features),
        }
        self.state |= self._begin(self.state["stream"])
        self._log = torch.zeros(self.capacity + 1, 4 + features, dtype=torch.int64, device=self.device)
        self._log_reward = torch.zeros(self.capacity + 1, dtype=torch.float64, device=self.device)
        self._logged = torch.zeros((), dtype=torch.int64, device=self.device)
        self._rows = torch.arange(num_worlds, device=self.device)
        self.reset(0)

    @abstractmethod
    def _begin(self, seed: Tensor) -> dict[str, Tensor]:
        """State of a new episode of every world, from its seed int64 ``[W]``."""

    @abstractmethod
    def _advance(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Step ``self.state``; gives reward float ``[W]``, terminated bool ``[W]``, unlocked bool ``[W, feats]``."""

    @abstractmethod
    def _observe(self) -> dict[str, Tensor]:
        """The present observation of every world, by key ``[W, *shape]``."""

    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        self.state["stream"].copy_(self._streams(seed))
        for name in ("episode", "time", "total"):
            self.state[name].zero_()
        self.state["unlocked"].fill_(-1)
        for name, value in self._begin(self._seed()).items():
            self.state[name].copy_(value)
        self._logged.zero_()
        return self.observe(out or self.allocate())

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        self.check_actions(actions)
        out = out or self.allocate()
        state = self.state
        reward, terminated, unlocked = self._advance(actions)
        state["time"] += 1
        state["total"] += reward.double()
        new = unlocked & (state["unlocked"] < 0)
        state["unlocked"].copy_(torch.where(new, state["time"][:, None], state["unlocked"]))
        out.reward.copy_(reward)
        out.terminated.copy_(terminated)
        out.truncated.copy_(~terminated & (state["time"] >= self.options.horizon))
        self._finish(out.terminated, out.terminated | out.truncated)
        self._write(out)
        return out

    def observe(self, out: Step) -> Step:
        self._write(out)
        return out.clear_outcome()

    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, Tensor]:
        index = self._rows if worlds is None else torch.as_tensor(worlds, device=self.device)
        return {name: value[index].clone() for name, value in self.state.items()}

    def restore(self, snapshot: Mapping[str, Tensor], worlds: Sequence[int] | None = None) -> None:
        index = self._rows if worlds is None else torch.as_tensor(worlds, device=self.device)
        if set(snapshot) != set(self.state):
            raise ValueError(f"snapshot has {sorted(snapshot)}; {self.spec.name} has {sorted(self.state)}")
        for name, value in self.state.items():
            given, shape = snapshot[name], (len(index), *value.shape[1:])
            if given.dtype != value.dtype or tuple(given.shape) != shape:
                found = f"{given.dtype} {tuple(given.shape)}"
                raise ValueError(f"{name} of the snapshot is {found}; expected {value.dtype} {shape}")
        for name, value in self.state.items():
            value[index] = snapshot[name].to(self.device)

    def state_hash(self, worlds: Sequence[int] | None = None) -> Tensor:
        digest = self._zeros(torch.int64)
        for name in sorted(self.state):
            value = self.state[name].reshape(self.num_worlds, -1)
            if value.is_floating_point():
                value = value.view(torch.int64 if value.dtype == torch.float64 else torch.int32)
            for column in value.to(torch.int64).unbind(1):
                digest = mix(digest ^ mix(column))
        return digest if worlds is None else digest[torch.as_tensor(worlds, device=self.device)]

    def present_levels(self) -> tuple[np.ndarray, np.ndarray]:
        return self._seed().cpu().numpy().astype(np.uint64), self.state["time"].cpu().numpy()

    def drain_episodes(self) -> Episodes:
        logged = int(self._logged)
        log = self._log[: min(logged, self.capacity)].cpu().numpy()
        reward = self._log_reward[: len(log)].cpu().numpy().copy()
        self._logged.zero_()
        return Episodes(
            row=log[:, 0].copy(),
            seed=log[:, 1].astype(np.uint64),
            length=log[:, 2].copy(),
            reward=reward,
            cause=np.array(_CAUSES)[log[:, 3]],
            achievements=log[:, 4:].copy(),
            dropped=logged - len(log),
        )

    def state_dict(self) -> dict[str, Tensor]:
        kept = min(int(self._logged), self.capacity)
        log = {"log": self._log[:kept], "log_reward": self._log_reward[:kept], "logged": self._logged}
        return self.snapshot() | {name: value.clone() for name, value in log.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        state = dict(state)
        try:
            log, reward, logged = (state.pop(name) for name in ("log", "log_reward", "logged"))
        except KeyError as missing:
            raise ValueError(f"the state of {self.spec.name} lacks {missing}") from None
        if len(log) > self.capacity or log.shape[1:] != self._log.shape[1:] or len(reward) != len(log):
            raise ValueError(f"a log of shape {tuple(log.shape)} does not fit; the capacity is {self.capacity}")
        self.restore(state)
        self._log[: len(log)] = log.to(self.device)
        self._log_reward[: len(log)] = reward.to(self.device)
        self._logged.copy_(logged)

    def regroup(self, pieces: Sequence[tuple[Mapping[str, Tensor], slice]]) -> dict[str, Tensor]:
        joined = {name: join_worlds(name, pieces) for name in self.state}
        empty = {"log": self._log[:0], "log_reward": self._log_reward[:0], "logged": torch.zeros_like(self._logged)}
        return joined | empty

    def _zeros(self, dtype: torch.dtype, *shape: int) -> Tensor:
        return torch.zeros(self.num_worlds, *shape, dtype=dtype, device=self.device)

    def _streams(self, seed: int | Sequence[int]) -> Tensor:
        """Every world's stream of seeds, int64 ``[W]`` with the bits of the unsigned seeds."""
        several = isinstance(seed, Sequence | np.ndarray) and not isinstance(seed, str)
        seeds = list(seed) if several else [seed]
        if several and len(seeds) != self.num_worlds:
            raise ValueError(f"{len(seeds)} seeds for {self.num_worlds} worlds")
        for one in seeds:
            if isinstance(one, bool) or not isinstance(one, (int, np.integer)) or not 0 <= one < 1 << 64:
                raise ValueError(f"seed {one!r} is not an integer in [0, 2**64)")
        words = torch.from_numpy(np.array(seeds, dtype=np.uint64).view(np.int64)).to(self.device)
        if not several:
            words = mix(mix(words) + self.first_world + torch.arange(self.num_worlds, device=self.device)) & _DERIVED
        return words

    def _seed(self) -> Tensor:
        """Seed of every world's present episode: of the first its stream itself, later ones derive from it."""
        stream, episode = self.state["stream"], self.state["episode"]
        return torch.where(episode == 0, stream, mix(mix(stream) + episode) & _DERIVED)

    def _chance(self, seed: Tensor, time: Tensor | int, purpose: int) -> Tensor:
        """23 random bits of every world at a time, int64 ``[W]``."""
        return (mix(mix(seed + purpose) + time) >> 41) & 0x7FFFFF

    def _choose(self, seed: Tensor, time: Tensor | int, purpose: int, n: int) -> Tensor:
        """One of n, int64 ``[W]``; the bias is below n / 2**23."""
        return self._chance(seed, time, purpose) * n >> 23

    def _finish(self, terminated: Tensor, ended: Tensor) -> None:
        """Log the episodes that ended, keep their last observation, and begin the next ones."""
        state, seed = self.state, self._seed()
        # Rows that did not end, or no longer fit, are written to the spare slot behind the log.
        slot = self._logged + ended.cumsum(0) - 1
        slot = torch.where(ended, slot, self.capacity).clamp(max=self.capacity)
        entry = torch.stack((self._rows, seed, state["time"], (~terminated).long()), dim=1)
        self._log[slot] = torch.cat((entry, state["unlocked"]), dim=1)
        self._log_reward[slot] = state["total"]
        self._logged += ended.sum()
        for key, value in self._observe().items():
            final = self.final_observation[key]
            final.copy_(_where(ended, value, final))
        state["episode"] += ended
        state["time"].masked_fill_(ended, 0)
        state["total"].masked_fill_(ended, 0.0)
        state["unlocked"].masked_fill_(ended[:, None], -1)
        for name, value in self._begin(self._seed()).items():
            state[name].copy_(_where(ended, value, state[name]))

    def _write(self, out: Step) -> None:
        for key, value in self._observe().items():
            out.observation[key].copy_(value)


def _where(rows: Tensor, new: Tensor, old: Tensor) -> Tensor:
    return torch.where(rows.view(-1, *(1,) * (old.ndim - 1)), new.to(old.dtype), old)
