"""What makes environments in workers: by Gymnasium id, by constructor, or after the old interface of Gym.

Importable without torch.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from typing import Any

import gymnasium
import numpy as np

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.host import EnvHost, Source


@dataclass
class GymnasiumSource(Source):
    """Environments registered with Gymnasium.

    Attributes:
        env_id: As ``gymnasium.make`` takes it.
        kwargs: Further arguments of the constructor.
        limit: Steps after which an episode is truncated; 0 for the environment's own limit.
        seed_bits: Bits of a seed that they take.
        ahead: As ``EnvHost`` says.
    """

    env_id: str
    kwargs: dict[str, Any] = field(default_factory=dict)
    limit: int = 0
    seed_bits: int = 64
    ahead: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.env_id

    def make(self) -> gymnasium.Env:
        env = gymnasium.make(self.env_id, max_episode_steps=self.limit or None, **self.kwargs)
        if isinstance(env.unwrapped, gymnasium.vector.VectorEnv):
            raise UserError("not a single environment:", self.env_id, "see docs/foreign.md for vector environments")
        return env

    def horizon(self, env: gymnasium.Env) -> int | None:
        return self.limit or super().horizon(env)

    def host(self, rows: Sequence[int]) -> EnvHost:
        return EnvHost(self, rows, ahead=self.ahead)


@dataclass
class CallableSource(Source):
    """Environments from a constructor of one's own.

    Attributes:
        constructor: Makes one.
        label: For messages and records; by default the constructor's name.
        limit, seed_bits, ahead: As in ``GymnasiumSource``.
    """

    constructor: Callable[[], gymnasium.Env]
    label: str = ""
    limit: int = 0
    seed_bits: int = 64
    ahead: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        about = _about(self.constructor)
        return self.label or getattr(about, "__name__", type(about).__name__)

    def make(self) -> gymnasium.Env:
        env = self.constructor()
        return gymnasium.wrappers.TimeLimit(env, self.limit) if self.limit else env

    def horizon(self, env: gymnasium.Env) -> int | None:
        if self.limit:
            return self.limit
        try:
            # Wrapped by hand, an environment has its limit in the wrapper alone.
            return env.get_wrapper_attr("_max_episode_steps")
        except AttributeError:
            return super().horizon(env)

    def host(self, rows: Sequence[int]) -> EnvHost:
        return EnvHost(self, rows, ahead=self.ahead)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "constructor": _pack(self.constructor)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        import cloudpickle

        vars(self).update(state, constructor=cloudpickle.loads(state["constructor"]))


class OldGymEnv(gymnasium.Env):
    """An environment with the interface of Gym before 0.26 as one of Gymnasium.

    Such environments return four things from ``step`` and one from ``reset``. Which endings are truncations is known
    from ``info["TimeLimit.truncated"]``, or from ``info["discount"]`` being 1 at an episode's end.

    Args:
        env: The environment.
        reseed: Called as ``reseed(env, seed)`` before a reset with a seed; by default ``env.seed(seed)``.
        observation_space, action_space: In terms of Gymnasium, where the environment's own are not.
        render_mode: ``"rgb_array"`` where ``env.render()`` gives pictures.
        max_steps: Steps after which it truncates, where it does.
    """

    def __init__(
        self,
        env: Any,
        *,
        reseed: Callable[[Any, int], None] | None = None,
        observation_space: gymnasium.Space | None = None,
        action_space: gymnasium.Space | None = None,
        render_mode: str | None = None,
        max_steps: int | None = None,
    ) -> None:
        self.env = env
        self._reseed = reseed or (lambda env, seed: env.seed(seed))
        self.observation_space = observation_space or env.observation_space
        self.action_space = action_space or env.action_space
        self.render_mode, self.max_steps = render_mode, max_steps

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        if seed is not None:
            self._reseed(self.env, seed)
        return self.env.reset(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        observation, reward, done, info = self.env.step(action)
        cut = bool(info.get("TimeLimit.truncated", info.get("discount", 0.0) == 1.0))
        return observation, float(reward), bool(done) and not cut, bool(done) and cut, info

    def render(self) -> np.ndarray | None:
        return self.env.render() if self.render_mode else None

    def close(self) -> None:
        if hasattr(self.env, "close"):
            self.env.close()


def require(module: str, extra: str) -> None:
    """Raise UserError, naming what to install, where a package is missing."""
    if importlib.util.find_spec(module) is None:
        raise UserError(f"{module} is not installed", allowed=f"install it by: pip install 'farlands[{extra}]'")


def _about(constructor: Callable[[], gymnasium.Env]) -> Any:
    """What a constructor calls in the end, inside a ``functools.partial``."""
    return getattr(constructor, "func", constructor)


def _pack(constructor: Callable[[], gymnasium.Env]) -> bytes:
    """A constructor as bytes for another process, whole where its module can't be imported there."""
    import cloudpickle

    module = sys.modules.get(getattr(_about(constructor), "__module__", None) or "")
    top = module.__name__.partition(".")[0] if module is not None else ""
    whole = bool(top) and top != "__main__" and PathFinder.find_spec(top) is None
    if whole:
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps(constructor)
    finally:
        if whole:
            cloudpickle.unregister_pickle_by_value(module)
