"""Atari 2600 games in the Arcade Learning Environment (Bellemare et al. 2013), preprocessed by itself.

Importable without torch. The emulator's licence is the GPL: it is imported in worker processes only.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.host import Source
from farlands.worlds.adapters.foreign.options import AtariOptions


class AtariEnv(gymnasium.Env):
    """One game: pictures uint8 ``[size, size, stack]``, brightness only, the latest last.

    Args:
        options: Its options.

    Raises:
        UserError: There is no such game.
    """

    def __init__(self, options: AtariOptions) -> None:
        import ale_py

        ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
        names = ale_py.roms.get_all_rom_ids()
        if options.game not in names:
            raise UserError("unknown game", options.game, names)
        # Resets are asked for after every end, before its own would come.
        self._env = ale_py.AtariVectorEnv(
            options.game,
            1,
            num_threads=1,
            img_height=options.size,
            img_width=options.size,
            stack_num=options.stack,
            frameskip=options.frame_skip,
            repeat_action_probability=options.sticky,
            noop_max=options.noop_max,
            full_action_space=options.full_actions,
            episodic_life=options.episodic_life,
            reward_clipping=options.clip_reward,
            use_fire_reset=False,
            max_num_frames_per_episode=2**31 - 1,
        )
        shape = (options.size, options.size, options.stack)
        self.observation_space = gymnasium.spaces.Box(0, 255, shape, np.uint8)
        self.action_space = self._env.single_action_space
        self.action_names = tuple(action.name.lower() for action in self._env.ale.get_action_set())
        self.render_mode = "rgb_array"
        self._seen = np.zeros(shape, np.uint8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        pictures, _ = self._env.reset(seed=None if seed is None else np.array([seed]))
        return self._show(pictures), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        pictures, reward, terminated, truncated, _ = self._env.step(np.array([action]))
        return self._show(pictures), float(reward[0]), bool(terminated[0]), bool(truncated[0]), {}

    def render(self) -> np.ndarray:
        """The latest picture as networks see it, in grey."""
        return np.repeat(self._seen[..., -1:], 3, axis=2)

    def close(self) -> None:
        self._env.close()

    def _show(self, pictures: np.ndarray) -> np.ndarray:
        self._seen = np.moveaxis(pictures[0], 0, -1)
        return self._seen


@dataclass
class AtariSource(Source):
    """Games, with episodes truncated at the horizon.

    Attributes:
        options: Their options.
    """

    options: AtariOptions

    seed_bits = 31
    observation_key = "image"

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"atari {self.options.game}"

    def make(self) -> gymnasium.Env:
        return gymnasium.wrappers.TimeLimit(AtariEnv(self.options), self.options.horizon)

    def horizon(self, env: gymnasium.Env) -> int | None:
        return self.options.horizon
