"""Runs of vector environments, recorded row by row, and the first difference between two of them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import concatenate, create_empty_array, iterate


class VectorEnvError(AssertionError):
    """A vector environment breaks a promise."""


def fail(promise: str, what: str) -> NoReturn:
    """Raise ``VectorEnvError``: which promise, and how it is broken."""
    raise VectorEnvError(f"{promise}: {what}")


@dataclass
class Record:
    """One step.

    Attributes:
        rows: Observation of each row.
        reward: float ``[num_envs]``.
        terminated, truncated: bool ``[num_envs]``.
        infos: As handed out, copied.
        after_reset: With autoreset disabled, the observations after the rows that ended were reset.
    """

    rows: list[Any]
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    infos: dict[str, Any]
    after_reset: list[Any] | None = None

    @property
    def ended(self) -> np.ndarray:
        return self.terminated | self.truncated


@dataclass
class Trajectory:
    """A run from a reset on."""

    num_envs: int
    first: list[Any]
    records: list[Record] = field(default_factory=list)

    @property
    def episodes(self) -> int:
        return sum(int(record.ended.sum()) for record in self.records)

    def row(self, row: int) -> list[Any]:
        """All that a row was told, in order: what ``difference`` compares."""
        told: list[Any] = [{"observation": self.first[row]}]
        for record in self.records:
            step = {
                "observation": record.rows[row],
                "reward": np.float32(record.reward[row]),
                "terminated": record.terminated[row],
                "truncated": record.truncated[row],
            }
            if record.after_reset is not None and record.ended[row]:
                step["observation after the reset"] = record.after_reset[row]
            if np.any(record.infos.get("_final_obs", np.zeros(self.num_envs, dtype=bool))[row]):
                step["final_obs"] = record.infos["final_obs"][row]
            told.append(step)
        return told


class _Policy:
    """Random possible actions, a function of (seed of the row, step, salt) and the mask alone."""

    def __init__(self, env: VectorEnv, seeds: list[int], salt: int) -> None:
        self.space, self.seeds, self.salt = copy.deepcopy(env.single_action_space), seeds, salt

    def act(self, observation: Any, infos: Mapping[str, Any], t: int, waiting: np.ndarray) -> Any:
        masks = mask_of(observation, infos)
        actions = []
        for row, seed in enumerate(self.seeds):
            # The salt changes only actions that should not matter.
            words = [seed % 2**32, t, self.salt if waiting[row] else 0]
            self.space.seed(int(np.random.SeedSequence(words).generate_state(1)[0]))
            mask = None if masks is None or waiting[row] else _sampling_mask(self.space, masks[row])
            actions.append(self.space.sample(mask) if mask is not None else self.space.sample())
        return concatenate(self.space, actions, create_empty_array(self.space, len(actions)))


def mask_of(observation: Any, infos: Mapping[str, Any]) -> np.ndarray | None:
    """The action masks ``[num_envs, actions]``, from the infos or a dictionary of observations."""
    if "action_mask" in infos:
        return np.asarray(infos["action_mask"])
    if isinstance(observation, Mapping) and "action_mask" in observation:
        return np.asarray(observation["action_mask"])
    return None


def _mask_sizes(space: gymnasium.Space) -> list[int] | None:
    if isinstance(space, gymnasium.spaces.Discrete):
        return [int(space.n)]
    if isinstance(space, gymnasium.spaces.MultiDiscrete) and space.nvec.ndim == 1:
        return [int(n) for n in space.nvec]
    return None


def _sampling_mask(space: gymnasium.Space, mask: np.ndarray) -> Any:
    sizes = _mask_sizes(space)
    if sizes is None:
        return None
    parts = tuple(np.split(mask.astype(np.int8), np.cumsum(sizes)[:-1]))
    return parts[0] if isinstance(space, gymnasium.spaces.Discrete) else parts


def play(env: VectorEnv, seeds: list[int], steps: int, *, as_list: bool = True, salt: int = 0) -> Trajectory:
    """Reset and step an environment, checking all it hands out against its spaces.

    Args:
        env: NumPy outputs.
        seeds: One for each row; given as a list, or the first of them alone where ``as_list`` is false.
        steps: Number of steps.
        as_list: See ``seeds``.
        salt: Changes the actions of rows whose episode has just ended, under next-step autoreset.
    """
    observation, infos = env.reset(seed=seeds if as_list else seeds[0])  # type: ignore[arg-type]
    _check_told(env, observation, infos, "reset")
    run = Trajectory(env.num_envs, _rows(env, observation))
    policy = _Policy(env, seeds, salt)
    waiting = np.zeros(env.num_envs, dtype=bool)
    mode = env.metadata.get("autoreset_mode")
    for t in range(steps):
        kept = copy.deepcopy(observation)
        before = observation
        observation, reward, terminated, truncated, infos = env.step(policy.act(observation, infos, t, waiting))
        _check_told(env, observation, infos, f"step {t}")
        _check_scalars(env, reward, terminated, truncated, t)
        found = difference([kept], [before])
        if found:
            fail("copies", f"step {t} changed the observation handed out before it, {found}")
        record = Record(
            _rows(env, observation), np.copy(reward), np.copy(terminated), np.copy(truncated), copy.deepcopy(infos)
        )
        if mode == AutoresetMode.DISABLED and record.ended.any():
            observation, infos = env.reset(options={"reset_mask": record.ended.copy()})
            _check_told(env, observation, infos, f"reset_mask after step {t}")
            record.after_reset = _rows(env, observation)
            infos = {} if "action_mask" in infos and not np.all(infos.get("_action_mask", True)) else infos
        run.records.append(record)
        waiting = record.ended if mode == AutoresetMode.NEXT_STEP else np.zeros(env.num_envs, dtype=bool)
    return run


def _rows(env: VectorEnv, observation: Any) -> list[Any]:
    return copy.deepcopy(list(iterate(env.observation_space, observation)))


def _check_told(env: VectorEnv, observation: Any, infos: Any, where: str) -> None:
    check_batch(env.observation_space, observation, f"{where}: observation")
    if not isinstance(infos, dict):
        fail("infos", f"{where}: infos are a {type(infos).__name__}, expected a dict")
    check_masks(env, observation, infos, where)


def _check_scalars(env: VectorEnv, reward: Any, terminated: Any, truncated: Any, t: int) -> None:
    for name, value, kind in (
        ("reward", reward, np.floating),
        ("terminated", terminated, np.bool_),
        ("truncated", truncated, np.bool_),
    ):
        if not isinstance(value, np.ndarray) or value.shape != (env.num_envs,) or not np.issubdtype(value.dtype, kind):
            found = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else f"a {type(value).__name__}"
            fail("shapes", f"step {t}: {name} is {found}, expected {kind.__name__} ({env.num_envs},)")
    if not np.isfinite(reward).all():
        fail("bounds", f"step {t}: reward is {reward.tolist()}")


def check_batch(space: gymnasium.Space, value: Any, where: str) -> None:
    """Say what about ``value`` is not in ``space``: the key, the dtype, the shape, or the element out of bounds."""
    if isinstance(space, gymnasium.spaces.Dict):
        if not isinstance(value, Mapping) or set(value) != set(space.spaces):
            found = sorted(value) if isinstance(value, Mapping) else f"a {type(value).__name__}"
            fail("spaces", f"{where} has {found}, expected the keys {sorted(space.spaces)}")
        for key, part in space.spaces.items():
            check_batch(part, value[key], f"{where}[{key!r}]")
    elif isinstance(space, gymnasium.spaces.Tuple):
        if len(value) != len(space.spaces):
            fail("spaces", f"{where} has {len(value)} parts, expected {len(space.spaces)}")
        for k, part in enumerate(space.spaces):
            check_batch(part, value[k], f"{where}[{k}]")
    elif isinstance(space, gymnasium.spaces.Box):
        _check_box(space, value, where)
    elif not space.contains(value):
        fail("spaces", f"{where} is {value!r}, which is not in {space}")


def _check_box(space: gymnasium.spaces.Box, value: Any, where: str) -> None:
    if not isinstance(value, np.ndarray):
        fail("dtypes", f"{where} is a {type(value).__name__}, expected an array of {space.dtype}")
    if value.dtype != space.dtype:
        fail("dtypes", f"{where} is {value.dtype}, expected {space.dtype}")
    if value.shape != space.shape:
        fail("shapes", f"{where} has shape {value.shape}, expected {space.shape}")
    outside = ~((value >= space.low) & (value <= space.high))
    if outside.any():
        at = tuple(int(k) for k in np.argwhere(outside)[0])
        fail("bounds", f"{where}{list(at)} is {value[at]}, expected {space.low[at]} to {space.high[at]}")


def check_masks(env: VectorEnv, observation: Any, infos: Mapping[str, Any], where: str) -> None:
    """Masks are 0 or 1, of the right size, leave a choice, and say the same in observation and infos."""
    masks, sizes = mask_of(observation, infos), _mask_sizes(env.single_action_space)
    if masks is None or sizes is None:
        return
    shape = (env.num_envs, sum(sizes))
    if masks.shape != shape:
        fail("masks", f"{where}: action_mask has shape {masks.shape}, expected {shape}")
    if not np.isin(masks, (0, 1)).all():
        fail("masks", f"{where}: action_mask has values other than 0 and 1")
    told = np.broadcast_to(np.asarray(infos.get("_action_mask", True)), (env.num_envs,))
    for factor, part in enumerate(np.split(masks, np.cumsum(sizes)[:-1], axis=1)):
        empty = told & ~part.any(axis=1)
        if empty.any():
            fail("masks", f"{where}: row {int(np.argmax(empty))} has no possible choice in factor {factor}")
    if "action_mask" in infos and isinstance(observation, Mapping) and "action_mask" in observation:
        seen = np.asarray(observation["action_mask"])
        apart = told & (seen != masks).any(axis=tuple(range(1, masks.ndim)))
        if apart.any():
            fail(
                "masks",
                f"{where}: row {int(np.argmax(apart))} has one action_mask in the infos, another in the observation",
            )


def difference(one: list[Any], other: list[Any]) -> str | None:
    """Where two lists of what was told first part, in words; None if nowhere. Entry 0 is the reset, t is step t - 1."""
    for t, (a, b) in enumerate(zip(one, other, strict=True)):
        found = _difference(a, b, "")
        if found:
            return (f"step {t - 1}: " if t else "reset: ") * (len(one) > 1) + found
    return None


def _difference(a: Any, b: Any, path: str) -> str | None:
    if isinstance(a, Mapping):
        if not isinstance(b, Mapping) or set(a) != set(b):
            return (
                f"{path or 'it'} has keys {sorted(a)} and {sorted(b) if isinstance(b, Mapping) else type(b).__name__}"
            )
        return next(filter(None, (_difference(a[k], b[k], f"{path}[{k!r}]" if path else str(k)) for k in a)), None)
    if isinstance(a, tuple | list):
        if not isinstance(b, tuple | list) or len(a) != len(b):
            return f"{path or 'it'} has {len(a)} parts and another number"
        return next(
            filter(None, (_difference(x, y, f"{path}[{k}]") for k, (x, y) in enumerate(zip(a, b, strict=True)))), None
        )
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype != object:
        if a.shape != b.shape or a.dtype != b.dtype:
            return f"{path or 'it'} is {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        apart = ~((a == b) | ((a != a) & (b != b)))
        if apart.any():
            at = tuple(int(k) for k in np.argwhere(apart)[0]) if a.ndim else ()
            return f"{path or 'it'}{list(at) if at else ''} is {a[at]} and {b[at]}"
        return None
    same = bool(np.all(a == b))
    return None if same else f"{path or 'it'} is {a!r} and {b!r}"
