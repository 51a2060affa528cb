"""Environments for these tests: small, exact, with every kind of space, and faulty ones."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

WORDS = ("begin", "go on", "é")


class Everything(gymnasium.Env):
    """Every kind of space. Chance comes from ``np_random`` alone; the action decides what is rewarded.

    Action 0 never ends an episode, others do one time in twelve. Achievements: an even and a large draw.
    """

    def __init__(self, max_steps: int = 0) -> None:
        self.observation_space = spaces.Dict(
            {
                "draw": spaces.Discrete(10, start=-3),
                "inner": spaces.Dict({"numbers": spaces.Box(-np.inf, np.inf, (3,), np.float64)}),
                "pair": spaces.Tuple((spaces.MultiBinary(4), spaces.MultiDiscrete([3, 5], start=[1, -1]))),
                "picture": spaces.Box(0, 255, (4, 5, 3), np.uint8),
                "said": spaces.Text(8),
                "wide": spaces.Box(0, 60_000, (2,), np.uint16),
            }
        )
        self.action_space = spaces.Discrete(4, start=2)
        self.max_steps = max_steps or None
        self.render_mode = "rgb_array"

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._time = 0
        self._counts = {"even": 0, "large": 0}
        return self._see(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert isinstance(action, np.int64), type(action)
        assert self.action_space.contains(action), action
        self._time += 1
        seen = self._see()
        self._counts["even"] += int(self._draw % 2 == 0)
        self._counts["large"] += int(self._draw > 4)
        ended = bool(action != 2 and self.np_random.integers(12) == 0)
        cut = self.max_steps is not None and self._time >= self.max_steps
        return seen, float(action) + self._draw / 10, ended, cut, self._info()

    def render(self) -> np.ndarray:
        return self._picture

    def _see(self) -> dict[str, Any]:
        self._draw = int(self.np_random.integers(-3, 7))
        self._picture = self.np_random.integers(0, 256, (4, 5, 3)).astype(np.uint8)
        return {
            "draw": self._draw,
            "inner": {"numbers": self.np_random.normal(size=3)},
            "pair": (
                self.np_random.integers(0, 2, 4).astype(np.int8),
                self.np_random.integers([1, -1], [4, 4]),
            ),
            "picture": self._picture,
            "said": WORDS[self._draw % 3],
            "wide": self.np_random.integers(0, 60_000, 2).astype(np.uint16),
        }

    def _info(self) -> dict[str, Any]:
        mask = np.array([1, self._time % 2, 1, 0], dtype=np.int8)
        return {"achievements": dict(self._counts), "action_mask": mask}


class Pushed(gymnasium.Env):
    """Continuous actions of a shape; the observation is what was done."""

    observation_space = spaces.Box(-2.0, 2.0, (2, 2), np.float32)
    action_space = spaces.Box(np.array([[-1, -2], [0, 0]]), np.array([[1, 2], [1, 2]]), dtype=np.float64)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros((2, 2), np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action.dtype == np.float64, action.dtype
        assert self.action_space.contains(action), action
        return action.astype(np.float32), float(action.sum()), False, False, {}


class Faulty(gymnasium.Env):
    """Does something wrong at a step, or when it is made or reset.

    Args:
        fault: raise, exit, kill, hang.
        when: Step at which; 0 for the first reset with a seed other than 0, -1 for when it is made.
    """

    observation_space = spaces.Discrete(2)
    action_space = spaces.Discrete(2)

    def __init__(self, fault: str, when: int) -> None:
        self._fault, self._when = fault, when
        if when == -1:
            self._do()

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._time = 0
        if self._when == 0 and seed != 0:
            self._do()
        return 0, {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._time += 1
        if self._time == self._when:
            self._do()
        return 1, 0.0, False, False, {}

    def _do(self) -> None:
        match self._fault:
            case "raise":
                raise RuntimeError("the tower\nfell")
            case "exit":
                sys.exit(3)
            case "quit":
                os._exit(4)
            case "kill":
                os.kill(os.getpid(), 9)
            case "hang":
                time.sleep(3600)


class Unrepeatable(gymnasium.Env):
    """Shows chance from the system."""

    observation_space = spaces.Box(0, 255, (8,), np.uint8)
    action_space = spaces.Discrete(2)

    def __init__(self) -> None:
        self.max_steps = 50

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self._time = 0
        return self._see(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._time += 1
        return self._see(), 1.0, False, self._time >= 50, {}

    def _see(self) -> np.ndarray:
        return np.frombuffer(os.urandom(8), np.uint8)
