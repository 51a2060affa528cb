"""A world of several agents as a PettingZoo ``ParallelEnv``."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import seeding
from pettingzoo import ParallelEnv

from farlands.worlds.adapters.conversions import (
    MASK,
    action_space,
    observation_space,
    options_from,
    rendering_of,
    split_mask,
    to_actions,
    to_numpy,
)
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.world import Step, World

_TICKS_PER_SECOND = 20


class WorldParallelEnv(ParallelEnv):
    """One world of several agents that act at once. Observations are dictionaries of NumPy arrays of their own.

    ``reset(seed=s)`` starts on the level of seed ``s``. ``reset()`` after the last agent's end goes on to the world's
    next level; in the middle of an episode it draws a new seed. Who dies leaves ``agents`` until the next reset; all
    leave at the horizon. Each agent's info has ``action_mask`` (int8, 1 = possible; a tuple of parts for a
    ``MultiDiscrete`` space) and, at its end, ``cause``, ``level_seed`` and ``achievements`` (int64, the step of each
    first unlock, -1 for never). The mask is in the observation too, except for a ``MultiDiscrete`` space, whose parts
    no array holds.

    Args:
        world: One world.
        render_mode: None or ``"rgb_array"``: all agents' views side by side.
        render_size: Height and width of each view, in pixels.
        render_fps: Frames a second at which a video of the steps runs at the world's own speed.

    Raises:
        ValueError: There are more worlds, or they cannot be rendered.
    """

    def __init__(
        self,
        world: World,
        *,
        render_mode: str | None = None,
        render_size: tuple[int, int] = (256, 256),
        render_fps: int = 5,
    ) -> None:
        if world.num_worlds != 1:
            raise ValueError(f"a parallel environment is one world, not {world.num_worlds}")
        self.world = world
        self.possible_agents = [f"agent_{k}" for k in range(world.num_agents)]
        self.agents: list[str] = []
        self.render_mode = render_mode
        self.metadata = {**rendering_of(world, render_mode, render_fps), "name": "farlands_v0"}
        self._render_size = render_size
        self._row = {name: row for row, name in enumerate(self.possible_agents)}
        self._choices = {name: action_space(world.spec) for name in self.possible_agents}
        self._spaces = {name: _shown(world, self._choices[name]) for name in self.possible_agents}
        self._idle = np.zeros_like(self._choices[self.possible_agents[0]].sample())
        self._out = world.allocate()
        self._ended = False
        self._random, _ = seeding.np_random()

    def observation_space(self, agent: str) -> gymnasium.spaces.Dict:
        """The space of an agent's observations, always the same object."""
        return self._spaces[agent]

    def action_space(self, agent: str) -> gymnasium.Space:
        """The space of an agent's actions, always the same object."""
        return self._choices[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, dict[str, Any]]]:
        """Begin an episode with all agents. Options are taken, as PettingZoo asks, but there are none."""
        if seed is not None:
            self._random, _ = seeding.np_random(seed)
        # A world whose episode has ended stands at the beginning of the next one already.
        if seed is not None or not self._ended:
            self.world.reset([int(self._random.integers(2**63)) if seed is None else seed], self._out)
        self.agents = list(self.possible_agents)
        self._ended = False
        looks = {agent: self._look(self._out.observation, agent) for agent in self.agents}
        return {a: look[0] for a, look in looks.items()}, {a: look[1] for a, look in looks.items()}

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[
        dict[str, dict[str, np.ndarray]], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]
    ]:  # fmt: skip
        """Let everybody who is there act at once.

        Args:
            actions: By agent. Those who are not there any more may be left out.

        Raises:
            ResetNeeded: Nobody is there.
            ValueError: An agent that is there has no action, or one that can't be.
        """
        if not self.agents:
            raise gymnasium.error.ResetNeeded("no agent is left, or no episode has begun: call reset() first")
        missing = [agent for agent in self.agents if agent not in actions]
        if missing:
            raise ValueError(f"step: no action for {', '.join(missing)}")
        chosen = [actions[a] if a in self.agents else self._idle for a in self.possible_agents]
        out = self.world.step(to_actions(self.world, np.asarray(chosen)), self._out)
        return self._outcome(out)

    def _outcome(self, out: Step) -> tuple[dict, dict, dict, dict, dict]:
        present, rows = self.agents, self._row
        terminated = {agent: bool(out.terminated[rows[agent]]) for agent in present}
        truncated = {agent: bool(out.truncated[rows[agent]]) for agent in present}
        over = {agent for agent in present if terminated[agent] or truncated[agent]}
        final = self.world.final_observation
        looks = {agent: self._look(final if agent in over else out.observation, agent) for agent in present}
        infos = {agent: look[1] for agent, look in looks.items()}
        if over:
            self._tell_ends(infos, over)
        self.agents = [agent for agent in present if agent not in over]
        self._ended = not self.agents
        rewards = {agent: float(out.reward[rows[agent]]) for agent in present}
        return {agent: look[0] for agent, look in looks.items()}, rewards, terminated, truncated, infos

    def _tell_ends(self, infos: dict[str, dict[str, Any]], over: set[str]) -> None:
        log = self.world.drain_episodes()
        for k, row in enumerate(log.row):
            agent = self.possible_agents[int(row)]
            if agent in over:
                infos[agent] |= {
                    "cause": str(log.cause[k]),
                    "level_seed": int(log.seed[k]),
                    "achievements": log.achievements[k].copy(),
                }

    def _look(self, observation: dict, agent: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """What an agent sees, and what it is told besides."""
        seen = {name: to_numpy(value[self._row[agent]]) for name, value in observation.items()}
        if MASK not in seen:
            return seen, {}
        mask = seen.pop(MASK).astype(np.int8)
        if MASK in self._spaces[agent].spaces:
            seen[MASK] = mask
            return seen, {MASK: mask.copy()}
        return seen, {MASK: split_mask(self._choices[agent], mask)}

    def render(self) -> np.ndarray | None:
        """All agents' views side by side, uint8 ``[height, agents * width, 3]``."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() needs a render_mode, e.g. parallel_env(render_mode='rgb_array')")
            return None
        views = to_numpy(self.world.render([0], *self._render_size))  # type: ignore[attr-defined]
        return np.concatenate(list(views.reshape(-1, *self._render_size, 3)), axis=1)

    def close(self) -> None:
        """Let go of the world."""
        self.world.close()


def _shown(world: World, choices: gymnasium.Space) -> gymnasium.spaces.Dict:
    """The space of an agent's observations: the mask in the type that ``sample`` takes, or not at all."""
    spaces = dict(observation_space(world.spec).spaces)
    mask = spaces.pop(MASK, None)
    if mask is not None and isinstance(choices, gymnasium.spaces.Discrete):
        spaces[MASK] = gymnasium.spaces.Box(0, 1, mask.shape, np.int8)
    return gymnasium.spaces.Dict(spaces)


def parallel_env(
    *,
    device: str = "cpu",
    render_mode: str | None = None,
    render_size: tuple[int, int] = (256, 256),
    **options: Any,
) -> WorldParallelEnv:
    """A voxel world with several agents.

    Args:
        device: Where the world lives.
        render_mode: None or ``"rgb_array"``.
        render_size: Height and width of each agent's rendered view, in pixels.
        options: Fields of ``VoxelOptions``; two agents by default, and who dies is gone (``respawn=False``).

    Raises:
        ValueError: An option that can't be, in one line.
    """
    from farlands.worlds.voxel.world import VoxelWorld

    chosen = options_from(VoxelOptions, {"agents": 2, "respawn": False} | options)
    fps = max(1, _TICKS_PER_SECOND // chosen.ticks_per_step)
    return WorldParallelEnv(
        VoxelWorld(1, chosen, device=device), render_mode=render_mode, render_size=render_size, render_fps=fps
    )
