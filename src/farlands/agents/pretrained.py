"""Policies that come with Farlands, trained and ready to act."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from farlands.agents import make_agent
from farlands.agents.agent import Agent
from farlands.agents.config import AgentConfig
from farlands.worlds.world import WorldSpec

POLICIES = Path(__file__).parent / "policies"
_FACTS = "farlands"


def pretrained(spec: WorldSpec, name: str = "voxel") -> Agent:
    """A trained agent for a world.

    Args:
        spec: The world it will live in; its observation and actions must be those it was trained with, its rules and
            rewards may be others.
        name: Which of the files in ``policies``.

    Raises:
        ValueError: There is no such policy, or the world shows or takes something else.
    """
    tensors, facts = read_policy(find_policy(name))
    here = describe_interface(spec)
    for part, expected in facts["interface"].items():
        if here[part] != expected:
            raise ValueError(f"the policy {name!r} was trained with {part} other than those of {spec.name}")
    agent = make_agent(spec, AgentConfig(**facts["config"]), facts["value_heads"])
    agent.load_state_dict(tensors)
    return agent.eval()


def find_policy(name: str) -> Path:
    """The file of a policy. Raises ValueError where none of that name comes with Farlands."""
    known = sorted(each.stem for each in POLICIES.glob("*.safetensors"))
    if name not in known:
        raise ValueError(f"no policy named {name!r} comes with Farlands; there are {', '.join(known)}")
    return POLICIES / f"{name}.safetensors"


def describe_interface(spec: WorldSpec) -> dict[str, Any]:
    """What must be the same for a policy to fit a world, as JSON data: names and codes included, since a network that
    knows item 7 as a log is lost where it is a door.
    """
    arrays = {
        key: {name: value for name, value in dataclasses.asdict(array).items() if value not in ((), "")}
        for key, array in spec.observation.items()
    }
    texts = {key: json.dumps(array, sort_keys=True, default=str) for key, array in arrays.items()}
    return {
        "observations": {key: hashlib.sha256(text.encode()).hexdigest()[:16] for key, text in texts.items()},
        "actions": hashlib.sha256(repr(spec.action).encode()).hexdigest()[:16],
    }


def write_policy(path: Path, agent: Agent, config: AgentConfig, spec: WorldSpec, origin: Mapping[str, Any]) -> None:
    """Write an agent as one file.

    Args:
        path: The file, ``.safetensors``.
        agent: Trained.
        config: Of its network.
        spec: The world it was trained in.
        origin: How it came about, as JSON data, for whoever opens the file.
    """
    from safetensors.torch import save_file

    facts = {
        "config": dataclasses.asdict(config),
        "value_heads": agent.value_heads,
        "interface": describe_interface(spec),
        "rules": spec.rules,
        "origin": dict(origin),
    }
    tensors = {name: value.detach().cpu().contiguous() for name, value in agent.state_dict().items()}
    save_file(tensors, str(path), metadata={_FACTS: json.dumps(facts)})


def read_policy(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Parameters by name, and what ``write_policy`` wrote beside them.

    Raises:
        ValueError: It is no such file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="pt") as file:
            facts = json.loads((file.metadata() or {})[_FACTS])
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a policy: {error}") from error
