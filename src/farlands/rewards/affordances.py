"""Reward for what becomes possible: so much the first time in an episode that an action can be chosen.

Axis letters: T steps, R rows, N choices.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor

from farlands.learning.rollout import Rollout
from farlands.rewards.config import AffordancesConfig
from farlands.rewards.source import RewardSource
from farlands.worlds.world import Box, Discrete, WorldSpec

KEY = "action_mask"
"""The observation array that says what can be chosen."""


class AffordanceReward(RewardSource):
    """Pays once an episode for every action that becomes possible and was not before.

    A feat is paid when it is done; between two feats an agent that explores at random sees nothing. That an action has
    become possible is seen before anybody chooses it: standing at a table with stone and sticks pays although no tool
    was made yet. What is possible for an agent where it stands are its affordances (Gibson 1979; in reinforcement
    learning Khetarpal et al. 2020); paying for new ones asks no more of a world than that it masks its actions. What
    is possible from an episode's first step on pays nothing, and what the step that ends one makes possible is not
    seen.

    Args:
        spec: A world with an ``action_mask``.
        device: Where rollouts live.
        config: Which actions count, and the weight.

    Raises:
        ValueError: The world shows no mask, or none of its actions has a name asked for.
    """

    per_row = ("seen",)

    def __init__(
        self, spec: WorldSpec, device: torch.device | str = "cpu", config: AffordancesConfig | None = None
    ) -> None:
        super().__init__(spec, device)
        self.config = config or AffordancesConfig()
        self.weight = self.config.weight
        if KEY not in spec.observation:
            raise ValueError(f"the affordances reward needs an observation {KEY!r}; there are {list(spec.observation)}")
        columns = _columns(spec, self.config.actions)
        self._columns = torch.tensor(columns, device=self.device)
        self.seen = torch.zeros(0, len(columns), dtype=torch.bool, device=self.device)

    def reward(self, rollout: Rollout) -> Tensor:
        possible = rollout.steps.observation[KEY].index_select(-1, self._columns) != 0
        if len(self.seen) != rollout.num_rows:
            self.seen = possible[0].clone()
        paid = torch.empty(rollout.length, rollout.num_rows, device=self.device)
        begins = rollout.first[1:]
        for t in range(rollout.length):
            now, begun = possible[t + 1], begins[t][:, None]
            paid[t] = (now & ~self.seen & ~begun).sum(dim=1)
            self.seen = now | (self.seen & ~begun)
        return paid

    def state_dict(self) -> dict[str, Any]:
        return {"seen": self.seen.clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen = state["seen"].to(self.device, copy=True)


def _columns(spec: WorldSpec, patterns: tuple[str, ...]) -> list[int]:
    """Columns of the mask whose action's name fits one of the patterns; all where there are none."""
    size = spec.observation[KEY].shape[0]
    if not patterns:
        return list(range(size))
    action = spec.action
    assert not isinstance(action, Box), "continuous actions have no mask"
    groups = (action.names,) if isinstance(action, Discrete) else action.names
    names = [name for group in groups for name in group]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            known = ", ".join(names) or "none: this world does not name its actions"
            raise ValueError(f"rewards.affordances.actions: no action fits {pattern!r}; there are {known}")
    return [k for k, name in enumerate(names) if any(fnmatchcase(name, pattern) for pattern in patterns)]
