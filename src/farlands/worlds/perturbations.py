"""Perturbations of any world, for measuring how well an agent holds out: actions that fail, observations that are lost.

Chance is a pure function of (seed of the row's level, steps since it was reset, purpose), so that a row meets the same
mishaps at any batch size and whatever the agent does. Axis letters: W worlds, A agents, R = W * A rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from farlands.worlds.torch_world import mix
from farlands.worlds.world import Episodes, Step, World

_BITS = 23
_LOST_ACTION, _LOST_OBSERVATION = 1, 2


@dataclass(frozen=True)
class Perturbation:
    """What goes wrong, and how often.

    Attributes:
        action_failure: Chance at each step that a row's action is replaced by choice 0, or zeros.
        observation_loss: Chance at each step that a row sees nothing: zeros in every array but ``action_mask``.

    Raises:
        ValueError: A chance is not in [0, 1].
    """

    action_failure: float = 0.0
    observation_loss: float = 0.0

    def __post_init__(self) -> None:
        for name, chance in vars(self).items():
            if not 0.0 <= chance <= 1.0:
                raise ValueError(f"{name} is {chance}; it must be in [0, 1]")


class PerturbedWorld(World):
    """A world in which actions fail and observations get lost; its episodes, rules and levels are the inner world's.

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

    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        out = self.inner.reset(seed, out)
        self._key.copy_(self._keys(seed))
        self._count.zero_()
        self._blind(out.observation, self._lost())
        return out

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        self.check_actions(actions)
        failed = self._happens(self.perturbation.action_failure, _LOST_ACTION)
        chosen = actions.masked_fill(failed.view(-1, *(1,) * (actions.ndim - 1)), 0)
        out = self.inner.step(chosen, out)
        self._count += 1
        lost = self._lost()
        self._blind(out.observation, lost)
        self._blind(self.final_observation, lost & (out.terminated | out.truncated))
        return out

    def observe(self, out: Step) -> Step:
        out = self.inner.observe(out)
        self._blind(out.observation, self._lost())
        return out

    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, Tensor]:
        index = self._index(worlds)
        return self.inner.snapshot(worlds) | {name: value[index].clone() for name, value in self._own().items()}

    def restore(self, snapshot: Mapping[str, Tensor], worlds: Sequence[int] | None = None) -> None:
        own, rest = self._split(snapshot)
        index = self._index(worlds)
        for name, value in own.items():
            if value.dtype != torch.int64 or tuple(value.shape) != (len(index),):
                raise ValueError(f"{name} is {value.dtype} {tuple(value.shape)}; expected int64 ({len(index)},)")
        self.inner.restore(rest, worlds)
        for name, value in self._own().items():
            value[index] = own[name].to(self.device)

    def state_hash(self) -> Tensor:
        return mix(mix(self.inner.state_hash() ^ mix(self._key)) ^ mix(self._count))

    def drain_episodes(self) -> Episodes:
        return self.inner.drain_episodes()

    def state_dict(self) -> dict[str, Tensor]:
        return self.inner.state_dict() | {name: value.clone() for name, value in self._own().items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        own, rest = self._split(state)
        self.inner.load_state_dict(rest)
        for name, value in self._own().items():
            value.copy_(own[name])

    def render(self, worlds: Sequence[int], height: int, width: int) -> Any:
        """Pictures of the inner world, which nothing gets lost of."""
        return self.inner.render(worlds, height, width)  # type: ignore[attr-defined]

    def close(self) -> None:
        self.inner.close()

    def _own(self) -> dict[str, Tensor]:
        return {f"perturbation{self.depth}_key": self._key, f"perturbation{self.depth}_count": self._count}

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
