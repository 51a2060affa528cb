"""Agents: perception, memory and heads that turn observations into actions and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from farlands.agents.config import AgentConfig

if TYPE_CHECKING:
    from farlands.agents.agent import Agent
    from farlands.worlds.world import WorldSpec

__all__ = ["AgentConfig", "make_agent"]


def make_agent(
    spec: WorldSpec,
    config: AgentConfig | None = None,
    value_heads: int = 1,
    *,
    resolve: Callable[[str], Any] | None = None,
) -> Agent:
    """Make the agent that a config describes.

    Args:
        spec: The world it will live in.
        config: Its network; the defaults if None.
        value_heads: V, one for the task and one for each reward source that asks for its own.
        resolve: Turns ``config.network`` into a class; needed only when that is set.

    Raises:
        ValueError: ``config.network`` is set and there is no ``resolve``.
        TypeError: What ``config.network`` names is not an ``Agent`` subclass.
    """
    from farlands.agents.agent import Agent

    config = config or AgentConfig()
    if not config.network:
        return Agent(spec, config, value_heads)
    if resolve is None:
        raise ValueError(f"network {config.network!r} needs a resolver to be found")
    network = resolve(config.network)
    if not (isinstance(network, type) and issubclass(network, Agent)):
        raise TypeError(
            f"network {config.network!r} is {network!r}; it must be a subclass of farlands.agents.agent.Agent"
        )
    return network(spec, config, value_heads)
