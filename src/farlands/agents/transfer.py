"""Beginning with what another agent has learned: its parameters, in a network that may see more than it did."""

from __future__ import annotations

import dataclasses
import math

import torch
from torch import Tensor, nn

from farlands.agents import make_agent
from farlands.agents.agent import Agent
from farlands.agents.config import AgentConfig
from farlands.agents.inputs import NumberInput
from farlands.agents.perception import Perception
from farlands.agents.pretrained import describe_interface, find_policy, read_policy
from farlands.worlds.world import WorldSpec

_INPUTS = "perception.weight"
_SIZES = ("hidden", "perception_layers", "memory", "memory_layers")
_OUTPUTS = ("heads.out.weight", "heads.out.bias")


@torch.no_grad()
def begin_from(agent: Agent, spec: WorldSpec, name: str) -> None:
    """Give an agent the parameters of a policy that comes with Farlands, so that it acts as that policy does.

    What the policy does not see is given no weight at first; values are learned anew.

    Args:
        agent: Of the policy's size.
        spec: The agent's world; it must show all that the policy sees and take the same actions.
        name: Which of the files in ``policies``.

    Raises:
        ValueError: There is no such policy, it saw or did something else, or its network is of another size.
    """
    if not isinstance(agent.perception, Perception):
        own = type(agent).__name__
        raise ValueError(f"start_from: {own} is a network of your own; policies are of the standard one")
    tensors, facts = read_policy(find_policy(name))
    here = describe_interface(spec)
    if here["actions"] != facts["interface"]["actions"]:
        raise ValueError(f"start_from: the policy {name!r} takes other actions than those of {spec.name}")
    for key, expected in facts["interface"]["observations"].items():
        if here["observations"].get(key) != expected:
            raise ValueError(f"start_from: the policy {name!r} sees {key!r}, which {spec.name} does not show like that")
    seen = {key: array for key, array in spec.observation.items() if key in facts["interface"]["observations"]}
    old_spec = dataclasses.replace(spec, observation=seen)
    old = make_agent(old_spec, AgentConfig(**facts["config"]), facts["value_heads"])
    old.load_state_dict(tensors)
    for encoder in agent.perception.lists.values():
        encoder.silence()  # type: ignore[operator]
    state = agent.state_dict()
    for key, value in old.state_dict().items():
        if key == _INPUTS:
            value = _widen(value, _columns(old.perception, old_spec), _columns(agent.perception, spec))
        elif key in _OUTPUTS and key in state:
            value = torch.cat([value[: -old.value_heads], state[key][-agent.value_heads :]])
        if key not in state or state[key].shape != value.shape:
            found = "nothing" if key not in state else tuple(state[key].shape)
            raise ValueError(
                f"start_from: the network of the policy {name!r} is of another size: {key} is {tuple(value.shape)}, "
                f"not {found} as here; it was made with {_settings(facts['config'])}"
            )
        state[key] = value
    agent.load_state_dict(state)


def _columns(perception: nn.Module, spec: WorldSpec) -> dict[str, tuple[int, int]]:
    """By observation array, first and last column of the first layer's weight that read it."""
    assert isinstance(perception, Perception)
    columns: dict[str, tuple[int, int]] = {}
    at = 0
    for part in perception.parts:
        for place, key in enumerate(part.keys):  # type: ignore[arg-type]
            size = math.prod(spec.observation[key].shape)
            size = part.sizes[place] if isinstance(part, NumberInput) else size * part.table.shape[1]  # type: ignore
            columns[key] = (at, at + size)
            at += size
    return columns


def _widen(weight: Tensor, old: dict[str, tuple[int, int]], new: dict[str, tuple[int, int]]) -> Tensor:
    """The first layer's weight for more inputs, zero where there are new ones."""
    wide = weight.new_zeros(len(weight), max(end for _, end in new.values()))
    for key, (begin, end) in old.items():
        first, last = new[key]
        wide[:, first:last] = weight[:, begin:end]
    return wide


def _settings(config: dict) -> str:
    """The size of a network, as flags."""
    return " ".join(f"--agent.{key.replace('_', '-')} {config[key]}" for key in _SIZES)
