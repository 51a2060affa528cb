"""What is not finite in a rollout, and what of it came first.

Axis letters: T steps, R rows, C chunks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from farlands.agents.agent import Agent
from farlands.learning.rollout import Rollout

ORDER = ("parameter", "observation", "memory", "value", "log_prob", "reward", "next_value", "figure", "gradient")
"""Kinds of what can be found, causes before what they lead to within one step."""
MOST_ROWS = 64
"""Rows that a finding names."""


class Suspect(NamedTuple):
    """A tensor of a rollout that ought to be finite.

    Attributes:
        kind: One of ``ORDER``.
        name: Of the observation key or the reward source; empty where the kind says it all.
        values: ``[T', R, ...]``.
        stride: Steps between its entries along the first axis.
    """

    kind: str
    name: str
    values: Tensor
    stride: int = 1


@dataclass(frozen=True)
class Finding:
    """One tensor that is not finite.

    Attributes:
        kind: One of ``ORDER``.
        name: Which observation key, reward source, parameter or figure; empty where the kind says it all.
        step: First step of the rollout at which it is not, -1 if it was so before; None where it has no steps.
        rows: Rows that are not finite at that step, ascending, the first ``MOST_ROWS``.
        count: Elements that are not finite, over all steps.
    """

    kind: str
    name: str
    step: int | None
    rows: tuple[int, ...]
    count: int

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "rows": list(self.rows)}


def suspects(rollout: Rollout, rewards: Mapping[str, Tensor]) -> list[Suspect]:
    """Everything of a rollout that ought to be finite and is not made of integers.

    Args:
        rollout: As collected.
        rewards: ``[T, R]`` by the name of the source.
    """
    chunk = rollout.length // max(len(rollout.memories), 1)
    found = [Suspect("observation", key, value) for key, value in rollout.steps.observation.items()]
    found += [
        Suspect("memory", "", rollout.memories, chunk),
        Suspect("value", "", rollout.values),
        Suspect("log_prob", "", rollout.log_probs),
        *(Suspect("reward", name, value) for name, value in rewards.items()),
        Suspect("next_value", "", rollout.next_values),
    ]
    return [each for each in found if each.values.is_floating_point() and each.values.numel()]


def extremes(tensors: Iterable[Tensor]) -> Tensor:
    """Least and greatest of each tensor, float64 ``[2 N]``: finite only if every element is.

    One pass over each and no mask, which on a CPU is a tenth of what asking every element costs.
    """
    return torch.stack([end.double() for tensor in tensors for end in tensor.detach().aminmax()])


def find_all(
    rollout: Rollout, rewards: Mapping[str, Tensor], agent: nn.Module, figures: Mapping[str, float]
) -> list[Finding]:
    """What is not finite, first things first. Waits for the device: for bad moments only.

    Args:
        rollout: As collected.
        rewards: ``[T, R]`` by the name of the source.
        agent: After the update, its last gradients still on it.
        figures: Of the update; losses and norms among them count.
    """
    found = [finding for suspect in suspects(rollout, rewards) if (finding := _find(suspect))]
    # Parameters are looked at after the update; where the very first values are bad in every row, they were before it.
    before = -1 if not rollout.values[0].isfinite().any() else None
    for kind, step in (("parameter", before), ("gradient", None)):
        for name, parameter in agent.named_parameters():
            tensor = parameter.detach() if kind == "parameter" else parameter.grad
            count = 0 if tensor is None else int((~tensor.isfinite()).sum())
            if count:
                found.append(Finding(kind, name, step, (), count))
    found += [Finding("figure", name, None, (), 1) for name in bad_figures(figures)]
    return sorted(found, key=lambda each: (math.inf if each.step is None else each.step, ORDER.index(each.kind)))


def bad_figures(figures: Mapping[str, float]) -> list[str]:
    """Names of losses and norms of gradients that are not finite; other figures may have reasons of their own."""
    ends = ("loss", "norm")
    return [
        name
        for name, value in figures.items()
        if name.startswith("learn/") and name.endswith(ends) and not math.isfinite(value)
    ]


@torch.no_grad()
def find_module(agent: Agent, rollout: Rollout, rows: list[int]) -> str:
    """Name of the first module that makes something not finite of what some rows saw; empty where none does.

    Args:
        agent: Its parameters as they were when the rows were collected.
        rollout: As collected.
        rows: Which rows to go through.
    """
    culprits: list[str] = []

    def hook(name: str) -> Any:
        def look(module: nn.Module, inputs: Any, output: Any) -> None:
            if not all(tensor.isfinite().all() for tensor in _tensors(output)):
                culprits.append(name)

        return look

    hooks = [module.register_forward_hook(hook(name)) for name, module in agent.named_modules() if name]
    try:
        index = torch.tensor(rows, device=rollout.values.device)
        seen = {key: value.index_select(1, index) for key, value in rollout.observations.items()}
        agent.unroll(seen, rollout.memory[index], rollout.first[:-1, index])
    finally:
        for each in hooks:
            each.remove()
    return culprits[0] if culprits else ""


def _find(suspect: Suspect) -> Finding | None:
    bad = ~suspect.values.detach().isfinite()
    count = int(bad.sum())
    if not count:
        return None
    by_row = bad.flatten(2).any(dim=-1) if bad.ndim > 2 else bad
    first = int(by_row.any(dim=1).nonzero()[0])
    rows = by_row[first].nonzero().flatten()[:MOST_ROWS].tolist()
    return Finding(suspect.kind, suspect.name, first * suspect.stride, tuple(rows), count)


def _tensors(output: Any) -> list[Tensor]:
    """Float tensors of a module's output, however nested."""
    if isinstance(output, Tensor):
        return [output] if output.is_floating_point() else []
    if isinstance(output, Mapping):
        output = list(output.values())
    return [tensor for each in output for tensor in _tensors(each)] if isinstance(output, list | tuple) else []
