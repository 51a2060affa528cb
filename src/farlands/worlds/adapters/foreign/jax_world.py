"""Environments written in JAX as a world on the same device. Axis letters: W worlds; N achievements; C levels at once.

Nothing here imports JAX before a world is made.
"""

# pyright: reportMissingImports=false
from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.seeds import digest, streams
from farlands.worlds.adapters.foreign.sources import require
from farlands.worlds.world import Box, Episodes, Step, World, WorldSpec, join_worlds

_CAUSES = ("rules", "horizon")
_LOG = ("log", "log_reward", "logged")


class JaxEnv(ABC):
    """One environment as pure functions of JAX arrays; the world maps them over its rows.

    Attributes:
        spec: What it looks like.
    """

    spec: WorldSpec

    @abstractmethod
    def reset(self, key: Any) -> Any:
        """State of a new episode from a key, uint32 ``[2]``."""

    @abstractmethod
    def step(self, key: Any, state: Any, action: Any) -> tuple[Any, Any, Any, Any]:
        """State, reward, terminated, truncated after an action; both flags may be set, then the first counts."""

    @abstractmethod
    def observe(self, state: Any) -> dict[str, Any]:
        """The observation by key, of the spec's shapes and dtypes."""

    def achieved(self, state: Any) -> Any:
        """Bool ``[N]``: what the episode has achieved."""
        import jax.numpy as jnp

        return jnp.zeros(len(self.spec.achievements), bool)


class JaxWorld(World):
    """A batch of JAX environments with same-step autoreset, stepped by one compiled function on the world's device.

    Tensors cross between torch and JAX by DLPack, in place; what is handed out is then written into the caller's
    storage. Chance is a function of (level seed, step), so a world lives the same in any batch. Only rows that ended
    get a new level, ``resets`` of them at a time, each from its own seed.

    JAX is kept from taking three quarters of a GPU's memory beforehand, unless the environment variable
    ``XLA_PYTHON_CLIENT_PREALLOCATE`` says otherwise.

    Args:
        num_worlds: W.
        env: The environment.
        options: Of the world.
        device: Where it lives; JAX must have the device too.
        resets: C; 0 for a sixteenth of the worlds.

    Raises:
        UserError: JAX is missing, or has no such device.
    """

    supports_graph: ClassVar[bool] = False

    def __init__(
        self, num_worlds: int, env: JaxEnv, options: Any, *, device: torch.device | str = "cpu", resets: int = 0
    ) -> None:
        if num_worlds < 1:
            raise ValueError(f"num_worlds is {num_worlds}; it must be at least 1")
        self.num_worlds, self.env, self.options = num_worlds, env, options
        self.device, self.spec = torch.device(device), env.spec
        self.capacity = 1024 + 64 * num_worlds
        self.final_observation = self.allocate().observation
        self._jax_device = find_device(self.device)
        from farlands.worlds.adapters.foreign.jax_step import make_functions

        self._begin, self._advance, self._observe = make_functions(
            env, num_worlds, resets or -(-num_worlds // 16), self.capacity
        )
        self._state: dict[str, Any] = {}
        self.reset(0)

    def reset(self, seed: int | Sequence[int], out: Step | None = None) -> Step:
        words = np.array(streams(seed, self.num_worlds, self.first_world), dtype=np.uint64)
        halves = np.stack((words >> np.uint64(32), words & np.uint64(0xFFFFFFFF)), axis=1).astype(np.uint32)
        import jax

        self._state, self._seen = self._begin(jax.device_put(halves, self._jax_device))
        return self.observe(out or self.allocate())

    def step(self, actions: Tensor, out: Step | None = None) -> Step:
        self.check_actions(actions)
        out = out or self.allocate()
        kind = torch.float32 if isinstance(self.spec.action, Box) else torch.int32
        self._state, self._seen, last, *figures = self._advance(self._state, self._to_jax(actions.detach().to(kind)))
        reward, terminated, truncated = (self._to_torch(figure) for figure in figures)
        out.reward.copy_(reward)
        out.terminated.copy_(terminated)
        out.truncated.copy_(truncated)
        ended = out.terminated | out.truncated
        for key, kept in self.final_observation.items():
            seen = self._to_torch(last[key])
            torch.where(ended.view(-1, *(1,) * (kept.ndim - 1)), seen, kept, out=kept)
        self._write(out)
        return out

    def observe(self, out: Step) -> Step:
        self._write(out)
        return out.clear_outcome()

    def snapshot(self, worlds: Sequence[int] | None = None) -> dict[str, Tensor]:
        rows = slice(None) if worlds is None else torch.as_tensor(worlds, dtype=torch.int64, device=self.device)
        return {name: self._to_torch(value)[rows].clone() for name, value in self._rows().items()}

    def restore(self, snapshot: Mapping[str, Tensor], worlds: Sequence[int] | None = None) -> None:
        rows = torch.arange(self.num_worlds) if worlds is None else torch.as_tensor(worlds, dtype=torch.int64)
        here = self.snapshot()
        if set(snapshot) != set(here):
            raise ValueError(f"snapshot has {sorted(snapshot)}; {self.spec.name} has {sorted(here)}")
        for name, value in here.items():
            given, shape = snapshot[name], (len(rows), *value.shape[1:])
            if given.dtype != value.dtype or tuple(given.shape) != shape:
                found = f"{given.dtype} {tuple(given.shape)}"
                raise ValueError(f"{name} of the snapshot is {found}; expected {value.dtype} {shape}")
        for name, value in here.items():
            value[rows.to(value.device)] = snapshot[name].to(value.device)
        self._put(here)

    def state_hash(self, worlds: Sequence[int] | None = None) -> Tensor:
        state = [value.cpu().numpy() for _, value in sorted(self.snapshot(worlds).items())]
        words = [digest(array[row] for array in state) for row in range(len(state[0]))]
        return torch.from_numpy(np.array(words, dtype=np.uint64).view(np.int64).copy()).to(self.device)

    def drain_episodes(self) -> Episodes:
        import jax.numpy as jnp

        logged = int(self._state["logged"])
        kept = min(logged, self.capacity)
        log = np.asarray(self._state["log"])[:kept].astype(np.int64)
        reward = np.asarray(self._state["log_reward"])[:kept].astype(np.float64)
        self._state["logged"] = jnp.zeros_like(self._state["logged"])
        halves = log[:, 1:3].astype(np.uint32).astype(np.uint64)
        return Episodes(
            row=log[:, 0].copy(),
            seed=halves[:, 0] << np.uint64(32) | halves[:, 1],
            length=log[:, 3].copy(),
            reward=reward.copy(),
            cause=np.array(_CAUSES)[log[:, 4]],
            achievements=log[:, 5:].copy(),
            dropped=logged - kept,
        )

    def state_dict(self) -> dict[str, Tensor]:
        return self.snapshot() | {name: self._to_torch(self._state[name]).clone() for name in _LOG}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        state = dict(state)
        try:
            log = {name: state.pop(name) for name in _LOG}
        except KeyError as missing:
            raise ValueError(f"the state of {self.spec.name} lacks {missing}") from None
        for name, value in log.items():
            if tuple(value.shape) != self._state[name].shape:
                expected = tuple(self._state[name].shape)
                raise ValueError(f"{name} of the state has shape {tuple(value.shape)}; expected {expected}")
        self.restore(state)
        self._put(log)

    def regroup(self, pieces: Sequence[tuple[Mapping[str, Tensor], slice]]) -> dict[str, Tensor]:
        joined = {name: join_worlds(name, pieces) for name in pieces[0][0] if name not in _LOG}
        return joined | {name: torch.zeros_like(self._to_torch(self._state[name])) for name in _LOG}

    def _rows(self) -> dict[str, Any]:
        """Every array with a leading world axis, by dotted name."""
        import jax

        flat, _ = jax.tree_util.tree_flatten_with_path({k: v for k, v in self._state.items() if k not in _LOG})
        return {jax.tree_util.keystr(path, simple=True, separator="."): value for path, value in flat}

    def _put(self, values: Mapping[str, Tensor]) -> None:
        """Replace arrays of the state, by dotted name, and see the state anew."""
        import jax

        def put(path: Any, old: Any) -> Any:
            value = values.get(jax.tree_util.keystr(path, simple=True, separator="."))
            if value is None:
                return old
            # A copy: JAX takes its arrays for immutable, torch does not.
            return jax.numpy.array(self._to_jax(value.to(self.device)), copy=True).view(old.dtype)

        self._state = jax.tree_util.tree_map_with_path(put, self._state)
        self._seen = self._observe(self._state["env"])

    def _write(self, out: Step) -> None:
        for key, value in self._seen.items():
            out.observation[key].copy_(self._to_torch(value))

    def _to_jax(self, tensor: Tensor) -> Any:
        import jax.numpy as jnp

        return jnp.from_dlpack(tensor.contiguous())

    def _to_torch(self, array: Any) -> Tensor:
        """The same memory as a tensor, not to be written to; unsigned words as signed ones, which torch can store."""
        import jax.numpy as jnp

        if array.dtype == jnp.uint32:
            array = array.view(jnp.int32)
        if self.device.type == "cpu":
            array.block_until_ready()
        return torch.from_dlpack(array)


def find_device(device: torch.device) -> Any:
    """JAX's name for a device of torch.

    Raises:
        UserError: JAX is missing, or was installed without this device.
    """
    require("jax", "craftax")
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax

    try:
        return jax.devices("cpu" if device.type == "cpu" else "gpu")[device.index or 0]
    except (RuntimeError, IndexError) as error:
        found = ", ".join(str(each) for each in jax.devices())
        hint = f"it has {found}; for a GPU install it by: pip install 'jax[cuda12]'"
        raise UserError("JAX has no device", str(device), hint) from error
