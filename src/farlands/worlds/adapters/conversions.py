"""Between a world's terms and Gymnasium's: spaces, arrays, actions, options, metadata."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any, TypeVar

import gymnasium
import numpy as np
import torch

from farlands.worlds.world import ArraySpec, Box, Discrete, World, WorldSpec

Options = TypeVar("Options")

MASK = "action_mask"
"""Key of the mask of possible actions, in observations and infos."""


def box_of(array: ArraySpec) -> gymnasium.spaces.Box:
    """The space of one observation array."""
    dtype = np.dtype(array.dtype).type
    return gymnasium.spaces.Box(dtype(array.low), dtype(array.high), array.shape, dtype)


def observation_space(spec: WorldSpec) -> gymnasium.spaces.Dict:
    """The space of one row's observation: a box for each array."""
    return gymnasium.spaces.Dict({name: box_of(array) for name, array in spec.observation.items()})


def action_space(spec: WorldSpec) -> gymnasium.Space:
    """The space of one row's action."""
    action = spec.action
    if isinstance(action, Discrete):
        return gymnasium.spaces.Discrete(action.n)
    if isinstance(action, Box):
        low, high = (np.array(bound, dtype=np.float32) for bound in (action.low, action.high))
        return gymnasium.spaces.Box(low, high, dtype=np.float32)
    return gymnasium.spaces.MultiDiscrete(list(action.nvec))


def options_from(kind: type[Options], values: dict[str, Any]) -> Options:
    """An options dataclass from keyword arguments; lists become tuples, as JSON has only those.

    Raises:
        ValueError: There is no such option, in one line with the nearest name.
    """
    names = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for name in values:
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            raise ValueError(
                f"no option {name!r}; " + (f"did you mean {close[0]!r}?" if close else f"one of: {', '.join(names)}")
            )
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def to_numpy(tensor: torch.Tensor) -> np.ndarray:
    """A copy on the host."""
    return tensor.cpu().numpy() if tensor.device.type != "cpu" else tensor.numpy().copy()


def to_actions(world: World, actions: np.ndarray) -> torch.Tensor:
    """Actions of every row as the world takes them.

    Raises:
        ValueError: Their shape is wrong, or a choice does not exist.
    """
    spec, rows = world.spec.action, world.num_rows
    shape = (rows,) if isinstance(spec, Discrete) else (rows, spec.size if isinstance(spec, Box) else len(spec.nvec))
    if actions.shape != shape:
        raise ValueError(f"actions have shape {actions.shape}, expected {shape}")
    if isinstance(spec, Box):
        return torch.as_tensor(np.ascontiguousarray(actions, dtype=np.float32), device=world.device)
    most = spec.n if isinstance(spec, Discrete) else np.array(spec.nvec)
    if not np.issubdtype(actions.dtype, np.integer) or (actions < 0).any() or (actions >= most).any():
        raise ValueError(f"actions must be integers from 0 to below {most}, got {actions.tolist()}")
    return torch.as_tensor(np.ascontiguousarray(actions, dtype=np.int32), device=world.device)


def mask_info(observation: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The action mask as ``Space.sample`` of Gymnasium wants it, where there is one."""
    return {MASK: observation[MASK].astype(np.int8)} if MASK in observation else {}


def split_mask(space: gymnasium.Space, mask: np.ndarray) -> np.ndarray | tuple[np.ndarray, ...]:
    """A row's mask as ``space.sample`` wants it: whole for ``Discrete``, in parts for ``MultiDiscrete``."""
    if isinstance(space, gymnasium.spaces.MultiDiscrete):
        return tuple(np.split(mask, np.cumsum(space.nvec)[:-1]))
    return mask


def rendering_of(world: World, render_mode: str | None, fps: int) -> dict[str, Any]:
    """Metadata about rendering. Raises ValueError for a mode that this world does not have."""
    modes = ["rgb_array"] if hasattr(world, "render") else []
    if render_mode is not None and render_mode not in modes:
        raise ValueError(f"render_mode: {render_mode!r} is not one of {modes}")
    return {"render_modes": modes, "render_fps": fps}
