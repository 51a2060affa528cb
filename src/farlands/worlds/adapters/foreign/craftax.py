"""Craftax (Matthews et al. 2024, arXiv 2402.16801) and Craftax-Classic, Crafter's rules in JAX, as worlds."""

# pyright: reportMissingImports=false
from __future__ import annotations

import functools
from typing import Any

import torch

from farlands.worlds.adapters.foreign.jax_world import JaxEnv, JaxWorld, find_device
from farlands.worlds.adapters.foreign.options import CraftaxOptions
from farlands.worlds.adapters.foreign.sources import require
from farlands.worlds.world import ArraySpec, Discrete, WorldSpec

_NEVER = 2**31 - 1


class CraftaxEnv(JaxEnv):
    """Either variant, seen as symbols or as pixels, which are bytes here.

    Args:
        options: Which.
    """

    def __init__(self, options: CraftaxOptions) -> None:
        from craftax.craftax_env import make_craftax_env_from_params

        classic, self._symbols = options.variant == "classic", options.senses == "symbols"
        self._env: Any = make_craftax_env_from_params(classic, self._symbols, auto_reset=False)
        params = self._env.default_params
        horizon = options.horizon or int(params.max_timesteps)
        self._params, self._horizon = params.replace(max_timesteps=_NEVER), horizon
        shape = tuple(self._env.observation_space(params).shape)
        seen = {"symbols": ArraySpec(shape, "float32", 0.0, 1.0, description="cells around, inventory, needs")}
        if not self._symbols:
            seen = {"image": ArraySpec(shape, "uint8", 0, 255, description="from above")}
        actions, achievements = _names(classic)
        self.spec = WorldSpec(
            name=f"craftax-{options.variant}-{options.senses}",
            observation=seen,
            action=Discrete(len(actions), actions),
            horizon=horizon,
            achievements=achievements,
            rules=f"craftax-{_version()}-{options.variant}-{horizon}",
        )

    def reset(self, key: Any) -> Any:
        return self._env.reset_env(key, self._params)[1]

    def step(self, key: Any, state: Any, action: Any) -> tuple[Any, Any, Any, Any]:
        # The environment's own observation is not used, and compiled away.
        _, state, reward, terminated, _ = self._env.step_env(key, state, action, self._params)
        return state, reward, terminated, state.timestep >= self._horizon

    def observe(self, state: Any) -> dict[str, Any]:
        import jax.numpy as jnp

        seen = self._env.get_obs(state)
        if self._symbols:
            return {"symbols": seen.astype(jnp.float32)}
        return {"image": jnp.round(seen * 255.0).astype(jnp.uint8)}

    def achieved(self, state: Any) -> Any:
        return state.achievements.astype(bool)


class CraftaxWorld(JaxWorld):
    """Craftax on the world's own device.

    Raises:
        UserError: The package is missing, or JAX has no such device.
    """

    Options = CraftaxOptions

    def __init__(
        self, num_worlds: int, options: CraftaxOptions = CraftaxOptions(), *, device: torch.device | str = "cpu"
    ) -> None:
        require("craftax", "craftax")
        find_device(torch.device(device))
        super().__init__(num_worlds, _env(options), options, device=device, resets=options.resets)


@functools.lru_cache(maxsize=8)
def _env(options: CraftaxOptions) -> CraftaxEnv:
    """The same environment for the same options: what is compiled for it can be used again."""
    return CraftaxEnv(options)


def _names(classic: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of actions and of achievements, in order."""
    if classic:
        from craftax.craftax_classic.constants import Achievement, Action
    else:
        from craftax.craftax.constants import Achievement, Action
    return tuple(
        tuple(member.name.lower() for member in sorted(kind, key=lambda member: member.value))
        for kind in (Action, Achievement)
    )  # type: ignore[return-value]


def _version() -> str:
    from importlib import metadata

    return metadata.version("craftax")
