"""A batch of worlds as a native Gymnasium ``VectorEnv``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from farlands.worlds.adapters.conversions import (
    MASK,
    action_space,
    mask_info,
    observation_space,
    rendering_of,
    to_actions,
    to_numpy,
)
from farlands.worlds.world import Step, World


class WorldVectorEnv(VectorEnv):
    """A world's rows as the sub-environments of a ``VectorEnv``.

    Seeds follow Gymnasium: ``reset(seed=s)`` starts row i on the level of seed ``s + i``, a list names each row's
    level, None draws levels from ``np_random``. A row's later levels derive from its own seed, so each row lives what
    a single ``WorldEnv`` of that seed lives.

    With ``output="numpy"`` everything is a copy, float64 rewards included. ``infos`` has ``action_mask`` (int8
    ``[num_envs, actions]``) where the world has one, and for rows whose episode just ended ``cause``, ``level_seed``
    and ``achievements``, as ``WorldEnv`` documents them. Autoreset modes are Gymnasium's: ``NEXT_STEP`` (the default)
    shows a row's last observation and ignores its next action; ``SAME_STEP`` shows the next episode's first one, with
    the last in ``infos["final_obs"]`` and its infos in ``infos["final_info"]``; ``DISABLED`` leaves it to
    ``reset(options={"reset_mask": mask})``.

    With ``output="torch"`` (``SAME_STEP`` only) tensors on the world's device are handed out without a copy or a wait.
    Two sets of storage alternate: what a call to ``step`` or ``reset`` returned holds until the call after the next
    one begins. ``infos`` then has ``action_mask``, ``_final_obs`` (bool ``[num_envs]``) and ``final_obs``, the batch of
    last observations by key, in which only the rows of ``_final_obs`` mean anything.

    Args:
        world: Worlds of one agent each.
        autoreset_mode: What happens to a row whose episode ends; a member or value of ``AutoresetMode``.
        output: ``"numpy"`` or ``"torch"``.
        render_mode: None or ``"rgb_array"``.
        render_size: Height and width of rendered frames, in pixels.
        render_fps: Frames a second at which a video of the steps runs at the world's own speed.
        poison_stale: Overwrite ``"torch"`` outputs with garbage as soon as they no longer hold, to find who keeps them.

    Raises:
        ValueError: Several agents to a world, an unknown mode or output, or modes that do not go together.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium's own
        "render_modes": ["rgb_array"],
        "render_fps": 5,
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        world: World,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        output: Literal["numpy", "torch"] = "numpy",
        render_mode: str | None = None,
        render_size: tuple[int, int] = (256, 256),
        render_fps: int = 5,
        poison_stale: bool = False,
    ) -> None:
        if world.num_agents != 1:
            raise ValueError(
                f"a vector environment needs worlds of one agent, not {world.num_agents}: use farlands.parallel_env"
            )
        if output not in ("numpy", "torch"):
            raise ValueError(f"output: {output!r} is not one of numpy, torch")
        self.autoreset_mode = _mode(autoreset_mode)
        if output == "torch" and self.autoreset_mode != AutoresetMode.SAME_STEP:
            raise ValueError("output='torch' goes with autoreset_mode=AutoresetMode.SAME_STEP only")
        self.world, self.output, self.num_envs = world, output, world.num_worlds
        self.single_observation_space = observation_space(world.spec)
        self.single_action_space = action_space(world.spec)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata = rendering_of(world, render_mode, render_fps) | {"autoreset_mode": self.autoreset_mode}
        self.render_mode, self._render_size = render_mode, render_size
        self._frames: list[np.ndarray] = []
        self._poison = poison_stale
        # Poisoning needs a third set, so that the stale one can hold garbage while the other two hold results.
        self._storage = [world.allocate() for _ in range(1 if output == "numpy" else 3 if poison_stale else 2)]
        self._turn = 0
        # Rows that show their last observation; the world itself stands at the beginning of their next episode.
        self._waiting = np.zeros(self.num_envs, dtype=bool)
        self._started = False
        self._spare: World | None = None

    @property
    def _out(self) -> Step:
        return self._storage[self._turn]

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        super().reset(seed=seed if isinstance(seed, int) else None)
        mask = self._reset_mask(options)
        seeds = self._seeds(seed)
        if mask is None:
            self._next_storage()
            self.world.reset([self._drawn(one) for one in seeds], self._out)
            self._waiting[:] = False
            self._started = True
        else:
            self._reset_rows(mask, seeds)
        if self.output == "torch":
            return dict(self._out.observation), self._torch_info(self._out)
        observation = self._shown()
        return observation, _with_mask(mask_info(observation), np.ones(self.num_envs, dtype=bool))

    def step(self, actions: Any) -> tuple[dict[str, Any], Any, Any, Any, dict[str, Any]]:
        if not self._started:
            raise ResetNeeded("no episode has begun: call reset() first")
        if self.output == "torch":
            return self._step_torch(actions)
        if self.autoreset_mode == AutoresetMode.DISABLED and self._waiting.any():
            rows = np.flatnonzero(self._waiting).tolist()
            raise ResetNeeded(f"the episodes of rows {rows} are over: reset(options={{'reset_mask': mask}}) them first")
        out = self._advance(to_actions(self.world, np.asarray(actions)))
        terminated, truncated = to_numpy(out.terminated), to_numpy(out.truncated)
        ended = terminated | truncated
        infos: dict[str, Any] = {}
        if self.autoreset_mode == AutoresetMode.SAME_STEP:
            observation = self._copies(out.observation)
            if ended.any():
                infos = self._final_infos(ended)
        else:
            self._waiting = ended
            observation = self._shown()
            if ended.any():
                infos = self._episode_infos(ended)
        infos |= _with_mask(mask_info(observation), np.ones(self.num_envs, dtype=bool))
        return observation, to_numpy(out.reward).astype(np.float64), terminated, truncated, infos

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Each row's view, uint8 ``[height, width, 3]``; of rows that wait still that of the step before."""
        if self.render_mode is None:
            return None
        frames = list(to_numpy(self.world.render(range(self.num_envs), *self._render_size)))  # type: ignore[attr-defined]
        if self._frames:
            frames = [old if wait else new for new, old, wait in zip(frames, self._frames, self._waiting, strict=True)]
        self._frames = frames
        return tuple(frame.copy() for frame in frames)

    def close_extras(self, **kwargs: Any) -> None:
        self.world.close()
        if self._spare is not None:
            self._spare.close()

    def _advance(self, actions: torch.Tensor) -> Step:
        """Step the world; rows that wait stay where they are and get their first observation, no reward, no flags."""
        out, rows = self._out, np.flatnonzero(self._waiting)
        if len(rows) == 0:
            return self.world.step(actions, out)
        index = torch.as_tensor(rows, device=self.world.device)
        held = self.world.snapshot(rows.tolist())
        first = {name: value[index] for name, value in out.observation.items()}
        self.world.step(actions, out)
        self.world.restore(held, rows.tolist())
        for name, value in first.items():
            out.observation[name][index] = value
        for value in (out.reward, out.terminated, out.truncated):
            value[index] = 0
        return out

    def _reset_mask(self, options: Mapping[str, Any] | None) -> np.ndarray | None:
        if not options:
            return None
        if set(options) != {"reset_mask"}:
            raise ValueError(f"reset knows the option 'reset_mask', got {sorted(options)}")
        mask = options["reset_mask"]
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise ValueError(f"reset_mask must be a bool array of shape ({self.num_envs},), got {mask!r}")
        if not mask.any():
            raise ValueError("reset_mask has no row to reset")
        if not self._started or self.output == "torch":
            raise ValueError("reset_mask needs a reset of all rows before it, and NumPy output")
        return mask

    def _seeds(self, seed: int | Sequence[int | None] | None) -> list[int | None]:
        """A seed for every row; None where one is to be drawn."""
        if seed is None:
            return [None] * self.num_envs
        if isinstance(seed, int | np.integer):
            return [(int(seed) + row) % 2**64 for row in range(self.num_envs)]
        if len(seed) != self.num_envs:
            raise ValueError(f"{len(seed)} seeds for {self.num_envs} environments")
        return list(seed)

    def _drawn(self, seed: int | None) -> int:
        return int(self.np_random.integers(2**63)) if seed is None else seed

    def _reset_rows(self, mask: np.ndarray, seeds: list[int | None]) -> None:
        """Begin new episodes in some rows: those that wait stand at one already, unless another level is asked for."""
        begun = [row for row in np.flatnonzero(mask).tolist() if seeds[row] is not None or not self._waiting[row]]
        for row in begun:
            if self._spare is None:
                self._spare = type(self.world)(1, self.world.options, device=str(self.world.device))  # type: ignore[call-arg, attr-defined]
            self._spare.reset([self._drawn(seeds[row])])
            self.world.restore(self._spare.snapshot(), [row])
        self._waiting &= ~mask
        if begun:
            self.world.observe(self._out)

    def _copies(self, observation: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
        return {name: to_numpy(value) for name, value in observation.items()}

    def _shown(self) -> dict[str, np.ndarray]:
        """Copies of the observation, the last one of the episode for rows that wait."""
        shown = self._copies(self._out.observation)
        if self._waiting.any():
            index = torch.as_tensor(np.flatnonzero(self._waiting), device=self.world.device)
            for name, value in self.world.final_observation.items():
                shown[name][self._waiting] = to_numpy(value[index])
        return shown

    def _episode_infos(self, ended: np.ndarray) -> dict[str, Any]:
        """Cause, level and achievements of the episodes that ended at this step."""
        log = self.world.drain_episodes()
        causes = np.full(self.num_envs, None, dtype=object)
        seeds = np.zeros(self.num_envs, dtype=np.uint64)
        achievements = np.full((self.num_envs, log.achievements.shape[1]), -1, dtype=np.int64)
        # A row that waited may have left a line of the step that was taken back; those are not among ``ended``.
        causes[log.row], seeds[log.row], achievements[log.row] = log.cause, log.seed, log.achievements
        causes[~ended] = None
        seeds[~ended] = 0
        achievements[~ended] = -1
        return _with_mask({"cause": causes, "level_seed": seeds, "achievements": achievements}, ended)

    def _final_infos(self, ended: np.ndarray) -> dict[str, Any]:
        """``final_obs`` and ``final_info`` of the rows that ended, as Gymnasium's own vector environments give them."""
        last = self._copies(self.world.final_observation)
        final = np.full(self.num_envs, None, dtype=object)
        for row in np.flatnonzero(ended):
            final[row] = {name: np.array(value[row]) for name, value in last.items()}
        info = self._episode_infos(ended)
        for name, value in mask_info(last).items():
            value[~ended] = 0
            info |= _with_mask({name: value}, ended)
        return _with_mask({"final_obs": final, "final_info": info}, ended)

    def _step_torch(self, actions: torch.Tensor) -> tuple[dict[str, torch.Tensor], Any, Any, Any, dict[str, Any]]:
        if tuple(actions.shape) != self.action_space.shape:
            raise ValueError(f"actions have shape {tuple(actions.shape)}, expected {self.action_space.shape}")
        self._next_storage()
        out = self.world.step(actions, self._out)
        return dict(out.observation), out.reward, out.terminated, out.truncated, self._torch_info(out)

    def _next_storage(self) -> None:
        self._turn = (self._turn + 1) % len(self._storage)
        if self._poison:
            _fill_with_garbage(self._storage[(self._turn + 1) % len(self._storage)])

    def _torch_info(self, out: Step) -> dict[str, Any]:
        info: dict[str, Any] = {
            "final_obs": dict(self.world.final_observation),
            "_final_obs": out.terminated | out.truncated,
        }
        if MASK in out.observation:
            info[MASK] = out.observation[MASK]
        return info


def _mode(mode: AutoresetMode | str) -> AutoresetMode:
    for member in AutoresetMode:
        if mode in (member, member.value, member.name):
            return member
    names = ", ".join(member.name for member in AutoresetMode)
    raise ValueError(f"autoreset_mode: {mode!r} is not one of {names}")


def _with_mask(infos: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    """Gymnasium's convention: beside each key ``_key``, which rows have it."""
    return infos | {f"_{name}": rows.copy() for name in infos}


def _fill_with_garbage(step: Step) -> None:
    for value in step.observation.values():
        value.fill_(torch.iinfo(value.dtype).max if not value.dtype.is_floating_point else torch.nan)
    step.reward.fill_(torch.nan)
    step.terminated.fill_(True)
    step.truncated.fill_(True)
