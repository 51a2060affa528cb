"""Perturbations of any world, for measuring how well an agent holds out: actions that fail or come late, observations
that are lost or noisy.

Chance is a pure function of (seed of the row's level, steps since it was reset, purpose), so that a row meets the same
mishaps at any batch size and whatever the agent does. Axis letters: W worlds, A agents, R = W * A rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from farlands.worlds.torch_world import mix
from farlands.worlds.world import ArraySpec, Box, Episodes, Step, World

_BITS = 23
_LOST_ACTION, _LOST_OBSERVATION, _NOISE, _FINAL_NOISE = 1, 2, 3, 4
MOST_DELAY = 1_000
_COUNTS = ("int16", "uint16", "int32", "int64")
_PIECES, _PIECE_BITS = 4, 16
_PIECE_MASK = (1 << _PIECE_BITS) - 1
_NOISE_MEAN = _PIECES * _PIECE_MASK / 2
_NOISE_DEVIATION = math.sqrt(_PIECES * ((1 << 2 * _PIECE_BITS) - 1) / 12)


@dataclass(frozen=True)
class Perturbation:
    """What goes wrong, and how often.

    Attributes:
        action_failure: Chance at each step that a row's action is replaced by choice 0, or zeros.
        observation_loss: Chance at each step that a row sees nothing: zeros in every array but ``action_mask``.
        observation_noise: Standard deviation of the noise on what is sensed, as a share of each array's range; of
            counts (integers wider than a byte, from 0 up) as a share of one more than the count, as a range of
            thousands would drown them. Rounded and clipped to the spec's bounds. Masks, ids, goals and arrays without
            bounds carry none.
        action_delay: Steps from when an action is sent to when it is carried out; until the first arrives, and at the
            start of every episode, choice 0, or zeros.

    Raises:
        ValueError: A chance or the noise is not in [0, 1], or the delay is no whole number in [0, 1000].
    """

    action_failure: float = 0.0
    observation_loss: float = 0.0
    observation_noise: float = 0.0
    action_delay: int = 0

    def __post_init__(self) -> None:
        for name in ("action_failure", "observation_loss", "observation_noise"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be in [0, 1]")
        if self.action_delay != int(self.action_delay) or not 0 <= self.action_delay <= MOST_DELAY:
            raise ValueError(
                f"action_delay is {self.action_delay}; it must be a whole number of steps, 0 to {MOST_DELAY}"
            )


class PerturbedWorld(World):
    """A world in which actions fail or come late and observations get lost or noisy; its episodes, rules and levels are
    the inner world's.

    Perturbed worlds can be perturbed again: each has its own chances.

    Args:
        inner: The world; it belongs to this one from now on.
        perturbation: What goes wrong.
    """

    def __init__(self, inner: World, perturbation: Perturbation) -> None:
        self.inner, self.perturbation = inner, perturbation
        self.spec, self.device = inner.spec, inner.device
        self.num_worlds, self.num_agents = inner.num_worlds, inner.num_agents
        self.supports_graph = getattr(inner, "supports_graph", False)
        self.depth: int = getattr(inner, "depth", 0) + 1
        self.final_observation = inner.final_observation
        self._key = torch.zeros(self.num_worlds, dtype=torch.int64, device=self.device)
        self._count = torch.zeros_like(self._key)
        self._agents = torch.arange(self.num_agents, device=self.device)
        self._hidden = [key for key in self.spec.observation if key != "action_mask"]
        self._noisy = {key: array for key, array in self.spec.observation.items() if _is_number(key, array)}
        shape = (self.num_worlds, perturbation.action_delay, self.num_agents, *self.spec.action.shape)
        kind = torch.float32 if isinstance(self.spec.action, Box) else torch.int32
        self._queue = torch.zeros(shape, dtype=kind, device=self.device)

    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        out = self.inner.reset(seed, out)
        self._key.copy_(self._keys(seed))
        self._count.zero_()
        self._queue.zero_()
        self._disturb(out.observation)
        return out

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        self.check_actions(actions)
        failed = self._happens(self.perturbation.action_failure, _LOST_ACTION)
        chosen = self._delayed(actions).masked_fill(failed.view(-1, *(1,) * (actions.ndim - 1)), 0)
        out = self.inner.step(chosen, out)
        self._count += 1
        ended = out.terminated | out.truncated
        self._disturb(out.observation)
        self._disturb(self.final_observation, ended)
        if self.perturbation.action_delay:
            # What was on its way is for the life that is over.
            rows = ended.view(self.num_worlds, 1, self.num_agents, *(1,) * len(self.spec.action.shape))
            self._queue.masked_fill_(rows, 0)
        return out

    def observe(self, out: Step) -> Step:
        out = self.inner.observe(out)
        self._disturb(out.observation)
        return out

    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, Tensor]:
        index = self._index(worlds)
        return self.inner.snapshot(worlds) | {name: value[index].clone() for name, value in self._own().items()}

    def restore(self, snapshot: Mapping[str, Tensor], worlds: Sequence[int] | None = None) -> None:
        own, rest = self._split(snapshot)
        index = self._index(worlds)
        for name, value in own.items():
            mine = self._own()[name]
            shape = (len(index), *mine.shape[1:])
            if value.dtype != mine.dtype or tuple(value.shape) != shape:
                raise ValueError(f"{name} is {value.dtype} {tuple(value.shape)}; expected {mine.dtype} {shape}")
        self.inner.restore(rest, worlds)
        for name, value in self._own().items():
            value[index] = own[name].to(self.device)

    def state_hash(self, worlds: Sequence[int] | None = None) -> Tensor:
        index = self._index(worlds)
        words = mix(mix(self.inner.state_hash(worlds) ^ mix(self._key[index])) ^ mix(self._count[index]))
        queue = self._queue.view(torch.int32).reshape(self.num_worlds, -1)[index].to(torch.int64)
        places = torch.arange(1, queue.shape[1] + 1, device=self.device)
        return mix(words ^ mix(queue ^ mix(places)).sum(dim=1)) if queue.shape[1] else words

    def present_levels(self) -> tuple[np.ndarray, np.ndarray] | None:
        return self.inner.present_levels()

    def drain_episodes(self) -> Episodes:
        return self.inner.drain_episodes()

    def state_dict(self) -> dict[str, Tensor]:
        return self.inner.state_dict() | {name: value.clone() for name, value in self._own().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        own, rest = self._split(state)
        for name, value in self._own().items():
            if own[name].shape != value.shape:
                raise ValueError(f"{name} is {tuple(own[name].shape)}; expected {tuple(value.shape)}")
        self.inner.load_state_dict(rest)
        for name, value in self._own().items():
            value.copy_(own[name])

    def render(self, worlds: Sequence[int], height: int, width: int) -> Any:
        """Pictures of the inner world, which nothing gets lost of."""
        return self.inner.render(worlds, height, width)  # type: ignore[attr-defined]

    def close(self) -> None:
        self.inner.close()

    def _own(self) -> dict[str, Tensor]:
        own = {"key": self._key, "count": self._count}
        if self.perturbation.action_delay:
            own["queue"] = self._queue
        return {f"perturbation{self.depth}_{name}": value for name, value in own.items()}

    def _split(self, state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        names = set(self._own())
        if not names <= set(state):
            raise ValueError(f"the state lacks {', '.join(sorted(names - set(state)))}; was the world perturbed?")
        own = {name: value for name, value in state.items() if name in names}
        return own, {name: value for name, value in state.items() if name not in names}

    def _index(self, worlds: Sequence[int] | None) -> Tensor:
        everyone = torch.arange(self.num_worlds, device=self.device)
        return everyone if worlds is None else everyone[torch.as_tensor(worlds, device=self.device)]

    def _keys(self, seed: int | Sequence[int]) -> Tensor:
        """int64 ``[W]``: of each world, from its own seed, or from the one seed and its index."""
        several = isinstance(seed, Sequence)
        seeds = [int(one) for one in seed] if several else [int(seed)]
        signed = [one - (1 << 64) if one >> 63 else one for one in seeds]
        words = mix(torch.tensor(signed, dtype=torch.int64, device=self.device) + self.depth)
        if not several:
            words = mix(words + torch.arange(self.num_worlds, device=self.device))
        return words

    def _delayed(self, actions: Tensor) -> Tensor:
        """Put actions at the end of the queue; returns those whose time has come."""
        if not self.perturbation.action_delay:
            return actions
        due = self._queue[:, 0].clone().view(actions.shape).to(actions.dtype)
        self._queue.copy_(torch.cat((self._queue[:, 1:], actions.reshape(self._queue[:, :1].shape)), dim=1))
        return due

    def _disturb(self, observation: dict[str, Tensor], rows: Tensor | None = None) -> None:
        """Noise on what is sensed, then the loss of it; in all rows or in some, bool ``[R]``."""
        lost = self._lost()
        if self.perturbation.observation_noise:
            for number, (key, array) in enumerate(self._noisy.items()):
                purpose = _NOISE if rows is None else _FINAL_NOISE
                noisy = self._with_noise(observation[key], array, number, purpose)
                if rows is not None:
                    noisy = torch.where(rows.view(-1, *(1,) * (noisy.ndim - 1)), noisy, observation[key])
                observation[key].copy_(noisy)
        self._blind(observation, lost if rows is None else lost & rows)

    def _with_noise(self, value: Tensor, array: ArraySpec, number: int, purpose: int) -> Tensor:
        """An array with noise, clipped and rounded: exact arithmetic, so that no batch or device sees other noise."""
        flat = value.reshape(len(value), -1).to(torch.float64)
        words = mix(mix(self._key + purpose)[:, None] + self._agents)
        words = mix(words + self._count[:, None]).reshape(-1, 1) + number
        elements = torch.arange(flat.shape[1], device=self.device)
        words = mix(mix(words) + elements)
        total = sum((words >> (_PIECE_BITS * k)) & _PIECE_MASK for k in range(_PIECES))
        # The sum of four uniform numbers: all but normal, and the same on every machine.
        noise = (total.to(torch.float64) - _NOISE_MEAN) * (self.perturbation.observation_noise / _NOISE_DEVIATION)
        noisy = flat + noise * (flat + 1.0 if _is_count(array) else float(array.high - array.low))
        whole = not value.dtype.is_floating_point
        return (noisy.round() if whole else noisy).clamp(array.low, array.high).to(value.dtype).view(value.shape)

    def _lost(self) -> Tensor:
        return self._happens(self.perturbation.observation_loss, _LOST_OBSERVATION)

    def _happens(self, chance: float, purpose: int) -> Tensor:
        """Whether it happens to each row at the present step, bool ``[R]``."""
        words = mix(mix(self._key + purpose)[:, None] + self._agents)
        words = (mix(words + self._count[:, None]) >> (64 - _BITS)) & ((1 << _BITS) - 1)
        return (words < round(chance * (1 << _BITS))).reshape(-1)

    def _blind(self, observation: dict[str, Tensor], rows: Tensor) -> None:
        if self.perturbation.observation_loss:
            for key in self._hidden:
                value = observation[key]
                value.masked_fill_(rows.view(-1, *(1,) * (value.ndim - 1)), 0)


def _is_number(key: str, array: ArraySpec) -> bool:
    """Whether an array holds sensed numbers: no mask, no ids, no goal, and bounds to clip to."""
    bounded = math.isfinite(array.low) and math.isfinite(array.high)
    return bounded and not array.categories and key != "action_mask" and not key.startswith("goal_")


def _is_count(array: ArraySpec) -> bool:
    return array.low >= 0 and array.dtype in _COUNTS
