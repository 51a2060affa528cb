"""Farlands' worlds as Gymnasium environments: one world as an ``Env``, a batch as a native ``VectorEnv``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode

from farlands.worlds.adapters.conversions import (
    action_space,
    mask_info,
    observation_space,
    options_from,
    rendering_of,
    to_actions,
    to_numpy,
)
from farlands.worlds.adapters.vector import WorldVectorEnv
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.world import World

__all__ = ["VoxelEnv", "VoxelVectorEnv", "WorldEnv", "WorldVectorEnv"]

_TICKS_PER_SECOND = 20


class WorldEnv(gymnasium.Env):
    """A batch of one world as an ``Env``. Observations are NumPy arrays of their own, by key.

    ``reset(seed=s)`` starts on the level of seed ``s``. ``reset()`` after an episode's end goes on to the world's next
    level, as every row of a ``WorldVectorEnv`` does; in the middle of an episode it draws a new seed from
    ``np_random``. ``info`` has ``action_mask`` (int8 ``[actions]``, 1 = possible, also in the observation) where the
    world has one, and at an episode's end ``cause``, ``level_seed`` and ``achievements`` (int64, the step of each first
    unlock, -1 for never; their names are ``env.unwrapped.world.spec.achievements``).

    Args:
        world: One world of one agent.
        render_mode: None or ``"rgb_array"``.
        render_size: Height and width of rendered frames, in pixels.
        render_fps: Frames a second at which a video of the steps runs at the world's own speed.

    Raises:
        ValueError: The world has more rows, or cannot be rendered.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 5}  # noqa: RUF012 - Gymnasium's own

    def __init__(
        self,
        world: World,
        *,
        render_mode: str | None = None,
        render_size: tuple[int, int] = (256, 256),
        render_fps: int = 5,
    ) -> None:
        if world.num_agents != 1:
            raise ValueError(
                f"a single environment needs a world of one agent, not {world.num_agents}: use farlands.parallel_env"
            )
        if world.num_rows != 1:
            raise ValueError(f"a single environment needs a world of one row, not {world.num_rows}")
        self.world = world
        self.observation_space = observation_space(world.spec)
        self.action_space = action_space(world.spec)
        self.metadata = rendering_of(world, render_mode, render_fps)
        self.render_mode = render_mode
        self._render_size = render_size
        self._out = world.allocate()
        self._running = self._ended = False
        self._frame: np.ndarray | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        super().reset(seed=seed)
        if options:
            raise ValueError(f"reset knows no options, got {sorted(options)}")
        # A world whose episode has ended stands at the beginning of the next one already.
        if seed is not None or not self._ended:
            level = int(self.np_random.integers(2**63)) if seed is None else seed
            self.world.reset([level], self._out)
        self._running, self._ended = True, False
        observation = self._first_row(self._out.observation)
        return observation, mask_info(observation)

    def step(self, action: Any) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        if not self._running:
            raise gymnasium.error.ResetNeeded("the episode is over, or none has begun: call reset() first")
        batch = np.asarray(action)[None]
        out = self.world.step(to_actions(self.world, batch), self._out)
        terminated, truncated = bool(out.terminated[0]), bool(out.truncated[0])
        ended = terminated or truncated
        observation = self._first_row(self.world.final_observation if ended else out.observation)
        info: dict[str, Any] = mask_info(observation)
        if ended:
            self._running, self._ended = False, True
            log = self.world.drain_episodes()
            info |= {
                "cause": str(log.cause[-1]),
                "level_seed": int(log.seed[-1]),
                "achievements": log.achievements[-1].copy(),
            }
        return observation, float(out.reward[0]), terminated, truncated, info

    def render(self) -> np.ndarray | None:
        """The agent's view, uint8 ``[height, width, 3]``; after an episode's end still that of the step before."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs a render_mode, e.g. gymnasium.make(..., render_mode='rgb_array')")
            return None
        if self._frame is None or not self._ended:
            self._frame = to_numpy(self.world.render([0], *self._render_size)[0])  # type: ignore[attr-defined]
        return self._frame.copy()

    def close(self) -> None:
        self.world.close()

    def _first_row(self, observation: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
        return {name: to_numpy(value[0]) for name, value in observation.items()}


class VoxelEnv(WorldEnv):
    """One voxel world: what ``gymnasium.make("farlands/Voxel-v0", ...)`` gives.

    Args:
        device: Where the world lives.
        render_mode: None or ``"rgb_array"``.
        render_size: Height and width of rendered frames, in pixels.
        options: Fields of ``VoxelOptions``, e.g. ``task="diamond"``.

    Raises:
        ValueError: An option that can't be, in one line.
    """

    def __init__(
        self,
        *,
        device: str = "cpu",
        render_mode: str | None = None,
        render_size: tuple[int, int] = (256, 256),
        **options: Any,
    ) -> None:
        from farlands.worlds.voxel.world import VoxelWorld

        chosen = options_from(VoxelOptions, options)
        world = VoxelWorld(1, chosen, device=device)
        super().__init__(world, render_mode=render_mode, render_size=render_size, render_fps=_fps(chosen))


class VoxelVectorEnv(WorldVectorEnv):
    """Voxel worlds side by side: what ``gymnasium.make_vec("farlands/Voxel-v0", ...)`` gives.

    Args:
        num_envs: Number of worlds.
        device: Where they live.
        autoreset_mode, output, render_mode, render_size, poison_stale: As for ``WorldVectorEnv``.
        max_episode_steps: Other name of the option ``horizon``, Gymnasium's own.
        options: Fields of ``VoxelOptions``, e.g. ``task="diamond"``.

    Raises:
        ValueError: An option that can't be, in one line.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        device: str = "cpu",
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        output: Literal["numpy", "torch"] = "numpy",
        render_mode: str | None = None,
        render_size: tuple[int, int] = (256, 256),
        poison_stale: bool = False,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        from farlands.worlds.voxel.world import VoxelWorld

        chosen = options_from(VoxelOptions, options)
        if max_episode_steps is not None:
            chosen = replace(chosen, horizon=max_episode_steps)
        super().__init__(
            VoxelWorld(num_envs, chosen, device=device),
            autoreset_mode=autoreset_mode,
            output=output,
            render_mode=render_mode,
            render_size=render_size,
            render_fps=_fps(chosen),
            poison_stale=poison_stale,
        )


def _fps(options: VoxelOptions) -> int:
    return max(1, _TICKS_PER_SECOND // options.ticks_per_step)
