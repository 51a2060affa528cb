"""Reward for gathering: so much for each item gained, up to a number of each per episode.

Axis letters: T steps, R rows, I kinds of item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from farlands.learning.rollout import Rollout
from farlands.rewards.config import ItemsConfig, read_worth
from farlands.rewards.source import RewardSource
from farlands.worlds.world import ArraySpec, WorldSpec

KEY = "inventory"
"""The observation array that counts what is carried, one label per item."""

TRIAL = "trial"
"""The observation array whose first entry counts the trials that are over, where an episode has several."""


class ItemReward(RewardSource):
    """Pays for items gained in an episode, or in a trial of one, whatever becomes of them, up to a cap of each.

    Where feats are paid once, a tool that takes three of something lies beyond two steps that pay nothing. Paying for
    amounts fills the gap; the caps keep the agent from gathering one thing for ever. The default amounts are those
    Video PreTraining was fine-tuned with (Baker et al. 2022), raw materials only. What the step that ends an episode
    or a trial gains is not seen, so it is not paid.

    Args:
        spec: A world that shows an ``inventory`` with labels.
        device: Where rollouts live.
        config: What each item is worth, and how often.

    Raises:
        ValueError: The world shows no such array, or it has no item of that name.
    """

    per_row = ("gained",)

    def __init__(self, spec: WorldSpec, device: torch.device | str = "cpu", config: ItemsConfig | None = None) -> None:
        super().__init__(spec, device)
        self.config = config or ItemsConfig()
        self.weight = self.config.weight
        columns, caps, worths = _read_table(self.config.worth, spec.observation)
        self._columns = torch.tensor(columns, device=self.device)
        self._caps = torch.tensor(caps, device=self.device)
        self._worths = torch.tensor(worths, device=self.device)
        self.gained = torch.zeros(0, len(columns), device=self.device)

    def reward(self, rollout: Rollout) -> Tensor:
        if len(self.gained) != rollout.num_rows:
            self.gained = torch.zeros(rollout.num_rows, len(self._columns), device=self.device)
        carried = rollout.steps.observation[KEY].index_select(-1, self._columns).float()
        lives_on = ~(rollout.terminated | rollout.truncated)[..., None]
        if TRIAL in rollout.steps.observation:
            over = rollout.steps.observation[TRIAL][..., :1]
            lives_on &= over[1:] == over[:-1]
        gains = (carried[1:] - carried[:-1]).clamp(min=0.0) * lives_on
        paid = torch.empty(rollout.length, rollout.num_rows, device=self.device)
        for t in range(rollout.length):
            after = torch.minimum(self.gained + gains[t], self._caps)
            paid[t] = (after - self.gained) @ self._worths
            self.gained = after * lives_on[t]
        return paid

    def state_dict(self) -> dict[str, Any]:
        return {"gained": self.gained.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.gained = state["gained"].to(self.device, copy=True)


def _read_table(
    texts: tuple[str, ...], observation: Mapping[str, ArraySpec]
) -> tuple[list[int], list[float], list[float]]:
    """Columns of the array, caps and worths, ``[I]`` each."""
    array = observation.get(KEY)
    if array is None or not array.labels:
        raise ValueError(
            f"the items reward needs an observation {KEY!r} with named items; there are {list(observation)}"
        )
    columns, caps, worths = [], [], []
    for text in texts:
        name, cap, worth = read_worth(text)
        if name not in array.labels:
            raise ValueError(f"rewards.items.worth: no item named {name!r} in the inventory of this world")
        columns.append(array.labels.index(name))
        caps.append(float(cap))
        worths.append(worth)
    return columns, caps, worths
