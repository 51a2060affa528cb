"""The NaN guard: what is not finite is seen in the update that brings it, kept as evidence, and survived.

Nothing is waited for: one flag per update is worked out on the device and comes to the host with the other figures.
Gradients that are not finite never reach the optimiser, whatever the policy (see ``learning.optimisation``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from farlands.agents.agent import Agent
from farlands.learning.collect import Collector
from farlands.learning.learner import Learner
from farlands.learning.peers import ALONE, Peers
from farlands.learning.rollout import Rollout
from farlands.runtime.findings import Finding, bad_figures, extremes, find_all, suspects

Policy = Literal["skip", "stop", "ignore"]
FLAG = "guard/nonfinite"
"""Name of the flag among the figures of an update: 1 where something was not finite."""
ELSEWHERE = Finding("gradient", "of another process", None, (), 1)
"""What a process finds that has only heard of it."""
_REMEMBERED = 16
"""Updates whose figures are kept."""


@dataclass(frozen=True)
class Trouble:
    """An update in which something was not finite.

    Attributes:
        findings: What, first things first; never empty.
        in_a_row: Which one of an unbroken series of such updates it is, from 1.
        stop: The run is to end.
        rewards: Of every source ``[T, R]``, by name.
        actions_before: Of the rollout before, ``[T, R, ...]``.
        parameters: State of the agent after the last update that was good, or at the start.
        figures: Of the last updates, this one last.
    """

    findings: tuple[Finding, ...]
    in_a_row: int
    stop: bool
    rewards: Mapping[str, Tensor]
    actions_before: Tensor
    parameters: Mapping[str, Tensor]
    figures: tuple[Mapping[str, float], ...]


class Guard:
    """Looks at every update of a run.

    Args:
        agent: Whose parameters are to stay finite.
        learner: What improves it.
        collector: What collects its rollouts.
        sources: Names of the reward sources, in their order.
        policy: skip: leave bad steps out, and stop after ``patience`` bad updates in a row. stop: stop at the first.
            ignore: leave them out and go on for ever, without evidence.
        patience: See ``policy``.
        peers: The processes that learn together; what one of them finds, all hear of.
    """

    def __init__(
        self,
        agent: Agent,
        learner: Learner,
        collector: Collector,
        sources: Sequence[str],
        policy: Policy = "skip",
        patience: int = 3,
        peers: Peers = ALONE,
    ) -> None:
        self.peers = peers
        self.agent, self.learner, self.collector = agent, learner, collector
        self.sources, self.policy = tuple(sources), policy
        self.patience = 1 if policy == "stop" else patience
        self.in_a_row = 0
        self._rewards: dict[str, Tensor] = {}
        self._figures: deque[Mapping[str, float]] = deque(maxlen=_REMEMBERED)
        self._actions = torch.zeros_like(collector.rollout.actions)
        self._good: dict[str, Tensor] = {}

    def begin(self) -> None:
        """Remember the parameters as they are."""
        state = {name: value.detach() for name, value in self.agent.state_dict().items()}
        if not self._good:
            self._good = {name: torch.empty_like(value) for name, value in state.items()}
        for name, value in state.items():
            self._good[name].copy_(value)

    def look(self, rollout: Rollout, given: Sequence[Tensor]) -> dict[str, Tensor]:
        """The flag, float32 and 0-dimensional, still on the device. To be called after the update.

        Args:
            rollout: What was learned from.
            given: ``[T, R]`` of each reward source, in their order.
        """
        self._rewards = dict(zip(self.sources, given, strict=True))
        tensors = [suspect.values for suspect in suspects(rollout, self._rewards)]
        tensors += [self.collector.memory] if self.collector.memory.numel() else []
        parameters = [p.detach() for p in self.agent.parameters() if p.numel()]
        largest = torch.nn.utils.get_total_norm(parameters, float("inf"))
        bad = ~torch.cat((extremes(tensors), largest.double()[None])).isfinite().all()
        return {FLAG: self.peers.sum_(bad.float()).clamp(max=1.0)}

    def judge(self, row: Mapping[str, float], rollout: Rollout) -> Trouble | None:
        """What an update's figures, once fetched, tell; and the repair of what must not last.

        Args:
            row: All figures of the update.
            rollout: What was learned from, not yet overwritten.
        """
        self._figures.append(dict(row))
        if not (row.get(FLAG) or skipped_steps(row) or bad_figures(row)):
            self.in_a_row = 0
            self._keep(rollout)
            return None
        self.in_a_row += 1
        if self.policy == "ignore":
            self._repair()
            return None
        findings = find_all(rollout, self._rewards, self.agent, row)
        if not findings:
            # A step may be left out because the norm of finite gradients overflowed: no evidence but the figure.
            findings = [ELSEWHERE if self.peers.size > 1 else Finding("gradient", "norm of all", None, (), 1)]
        trouble = Trouble(
            findings=tuple(findings),
            in_a_row=self.in_a_row,
            stop=self.in_a_row >= self.patience,
            rewards=self._rewards,
            actions_before=self._actions,
            parameters=dict(self._good),
            figures=tuple(self._figures),
        )
        self._repair()
        return trouble

    def unfit(self) -> str:
        """Name of something that may not enter a checkpoint because it is not finite; empty if there is nothing."""
        for name, parameter in self.agent.named_parameters():
            if not parameter.detach().isfinite().all():
                return name
        return _unfit(self.learner.state_dict(), "learner")

    def _keep(self, rollout: Rollout) -> None:
        """Remember a good state, and what was done last; copies stay on the device."""
        if self.policy != "ignore":
            self._actions.copy_(rollout.actions)
            self.begin()

    def _repair(self) -> None:
        """Memory that is not finite is forgotten, parameters that are not finite are put back as they last were."""
        memory = self.collector.memory
        # Multiplied by the zero of a new episode it would stay what it is, and its row would never recover.
        memory.copy_(torch.where(memory.isfinite().all(dim=-1, keepdim=True), memory, 0.0))
        if self._good and any(not p.detach().isfinite().all() for p in self.agent.parameters()):
            self.agent.load_state_dict(self._good)


def skipped_steps(row: Mapping[str, float]) -> int:
    """Steps left out in an update, of the learner and of reward sources that learn."""
    return sum(int(value) for name, value in row.items() if name.endswith("/skipped_steps"))


def _unfit(state: Any, path: str) -> str:
    if isinstance(state, Tensor):
        return "" if not state.is_floating_point() or state.isfinite().all() else path
    if isinstance(state, Mapping):
        return next((found for key, value in state.items() if (found := _unfit(value, f"{path}.{key}"))), "")
    return ""
