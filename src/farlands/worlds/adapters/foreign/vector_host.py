"""A vector environment hosted: all rows stepped by one call. Importable without torch.

Axis letters: N rows of the host.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.host import Host, HostSpec
from farlands.worlds.adapters.foreign.memory import Arrays
from farlands.worlds.adapters.foreign.seeds import episode_seed, fit_seed
from farlands.worlds.adapters.foreign.spaces import (
    MASK,
    Actions,
    Leaf,
    as_mask,
    mask_leaf,
    read_action,
    read_observation,
)


class VectorHost(Host):
    """Rows that are the sub-environments of one vector environment.

    What happens when sub-environments end is made the same-step autoreset of a world, whatever the mode:

    - ``DISABLED``: rows that ended are reset with their level's seed, in the same step.
    - ``NEXT_STEP`` with Gymnasium's own vectors: the same, since these reset by mask as well.
    - ``NEXT_STEP`` with others: the ending is told one step late, with the step in which the sub-environment resets
      itself: it has no reward and its action means nothing, and what is seen before it is the episode's last
      observation. Episodes count it as one step.
    - ``SAME_STEP``: as it is.

    In the last two the sub-environments draw their own levels: the seeds in records name only which episode it was,
    and states can't be reached again.

    Args:
        env: The vector environment; closed with the host.
        rows: Indices of its rows in the world.
        horizon: Steps after which episodes are truncated; None where nothing is known.
        seed_bits: Bits of a seed that it takes. Where it takes one seed for all rows, that is row 0's.
        observation_key: Name of an observation that is a single array.
        masked_reset: It resets by mask, with seeds; found out by itself if None.
    """

    def __init__(
        self,
        env: VectorEnv,
        rows: Sequence[int] | None = None,
        *,
        horizon: int | None = None,
        seed_bits: int = 64,
        observation_key: str = "observation",
        masked_reset: bool | None = None,
    ) -> None:
        self.env, self.rows = env, range(env.num_envs) if rows is None else list(rows)
        self._here, self._bits = slice(self.rows[0], self.rows[-1] + 1), seed_bits
        mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        own = isinstance(env.unwrapped, SyncVectorEnv | AsyncVectorEnv)
        if masked_reset is None:
            masked_reset = mode == AutoresetMode.DISABLED or (mode == AutoresetMode.NEXT_STEP and own)
        self._masked_reset, self._same_step = masked_reset, mode == AutoresetMode.SAME_STEP and not masked_reset
        self.leaves: list[Leaf] = as_mask(read_observation(env.single_observation_space, observation_key))
        self.actions: Actions = read_action(env.single_action_space)
        infos = self._first_reset()
        mask = mask_leaf(infos, self.leaves, self.actions.spec)
        self._mask_in_info = mask is not None
        self._over = np.zeros((2, env.num_envs), dtype=bool)
        limit = horizon or (env.spec.max_episode_steps if env.spec is not None else None)
        # The step in which a sub-environment resets itself counts.
        late = 0 if masked_reset or self._same_step else 1
        self.spec = HostSpec(
            {leaf.key: leaf.array for leaf in self.leaves} | ({MASK: mask} if mask else {}),
            self.actions.spec,
            tuple(str(name) for name in infos.get("achievements", ()) if not str(name).startswith("_")),
            None if limit is None else limit + late,
            (-np.inf, np.inf),
            replays=False,
            renders=False,
        )

    def attach(self, arrays: Arrays, worker: int = 0) -> None:
        # Each array as the rows of this host, so that indices are those of the vector environment.
        own = {name: array if name in ("beat", "at") else array[self._here] for name, array in arrays.items()}
        super().attach(own, worker)

    def reset(self, rows: Iterable[int]) -> None:
        chosen = np.array([row - self.rows[0] for row in rows])
        self._over[:, chosen] = False
        self.arrays["achieved"][chosen] = 0
        if len(chosen) == len(self.rows):
            self.beat(self.rows[0])
            observation, infos = self.env.reset(seed=self._seed_kind(self._seeds(chosen), chosen))
            self._write(observation, infos, chosen, self.observed)
        elif self._masked_reset:
            self._reset_masked(chosen)
        else:
            raise UserError(
                "this vector environment resets no single rows", allowed="reset all, or use DISABLED autoreset"
            )

    def step(self) -> None:
        arrays = self.arrays
        self.beat(self.rows[0])
        outcome = self.env.step(self.actions.batch(arrays["actions"]))
        observation, reward, terminated, truncated, infos = outcome
        terminated, truncated = np.asarray(terminated, dtype=bool), np.asarray(truncated, dtype=bool)
        truncated = truncated & ~terminated
        live = ~arrays["held"]
        if not (self._masked_reset or self._same_step):
            terminated, truncated, reward = self._told_late(observation, infos, reward, terminated, truncated)
        arrays["reward"][:] = np.where(live, reward, 0)
        arrays["terminated"][:], arrays["truncated"][:] = terminated & live, truncated & live
        ended = (terminated | truncated) & live
        self._write_achievements(infos, ended)
        self._write(observation, infos, np.flatnonzero(live), self.observed)
        if ended.any():
            self._finish(np.flatnonzero(ended), observation, infos)

    def replay(self, row: int, actions: np.ndarray) -> None:
        raise UserError("a vector environment lives no episode again", allowed="its rows can't be set back one by one")

    def close(self) -> None:
        self.env.close()

    def _first_reset(self) -> Mapping[str, Any]:
        """Infos of a first reset, which finds out how this vector environment takes seeds."""
        everyone = np.arange(len(self.rows))
        seeds = [fit_seed(row, self._bits) for row in range(len(self.rows))]
        # Each complains of the other ways in its own words; the last way is everyone's.
        for way in (self._listed, _in_array):
            with contextlib.suppress(Exception):
                infos = self.env.reset(seed=way(seeds, everyone))[1]
                self._seed_kind = way
                return infos
        self._seed_kind = _first
        return self.env.reset(seed=_first(seeds, everyone))[1]

    def _listed(self, seeds: list[int], chosen: np.ndarray) -> Any:
        """A seed for every row, None where none is meant, as Gymnasium's own take them."""
        listed: list[int | None] = [None] * len(self.rows)
        for row, seed in zip(chosen, seeds, strict=True):
            listed[row] = seed
        return listed

    def _finish(self, ended: np.ndarray, observation: Any, infos: Mapping[str, Any]) -> None:
        self.arrays["episode"][ended] += 1
        if self._same_step:
            final_infos = infos.get("final_info", {})
            for row in ended:
                self._write_one(_single(infos["final_obs"], row), final_infos, row)
        elif self._masked_reset:
            self._write(observation, infos, ended, self.final)
            self._reset_masked(ended)

    def _reset_masked(self, chosen: np.ndarray) -> None:
        mask = np.zeros(len(self.rows), dtype=bool)
        mask[chosen] = True
        seeds = self._seed_kind(self._seeds(chosen), chosen)
        self.beat(self.rows[0] + int(chosen[0]))
        observation, infos = self.env.reset(seed=seeds, options={"reset_mask": mask})  # type: ignore[arg-type]
        self._write(observation, infos, chosen, self.observed)

    def _told_late(
        self, observation: Any, infos: Mapping[str, Any], reward: Any, terminated: np.ndarray, truncated: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Endings as of the step before: this step shows their next episode; its own are kept for the next."""
        now = np.stack((terminated, truncated))
        before, self._over = self._over, now
        ended = before.any(axis=0)
        for array, last in zip(self.final, self.observed, strict=True):
            array[ended] = last[ended]
        return before[0], before[1], np.where(ended, 0.0, reward)

    def _seeds(self, chosen: np.ndarray) -> list[int]:
        streams, episodes = self.arrays["stream"], self.arrays["episode"]
        return [fit_seed(episode_seed(int(streams[row]), int(episodes[row])), self._bits) for row in chosen]

    def _write(self, observation: Any, infos: Mapping[str, Any], rows: np.ndarray, into: list[np.ndarray]) -> None:
        for leaf, array in zip(self.leaves, into, strict=False):
            leaf.write_batch(observation, array, rows)
        if self._mask_in_info:
            into[-1][rows] = np.asarray(infos[MASK])[rows]

    def _write_one(self, observation: Any, infos: Mapping[str, Any], row: int) -> None:
        for leaf, array in zip(self.leaves, self.final, strict=False):
            leaf.write(observation, array, row)
        if self._mask_in_info and MASK in infos:
            self.final[-1][row] = infos[MASK][row]

    def _write_achievements(self, infos: Mapping[str, Any], ended: np.ndarray) -> None:
        if not self.spec.achievements:
            return
        for source, rows in self._sources(infos, ended):
            counts = source["achievements"]
            for index, name in enumerate(self.spec.achievements):
                self.arrays["achieved"][rows, index] = np.asarray(counts[name])[rows] > 0

    def _sources(self, infos: Mapping[str, Any], ended: np.ndarray) -> Iterator[tuple[Mapping[str, Any], np.ndarray]]:
        """Infos of this step, and the rows that they are about."""
        if not self._same_step:
            yield infos, np.arange(len(ended))
            return
        if "achievements" in infos:
            yield infos, np.flatnonzero(~ended)
        if ended.any() and "achievements" in infos.get("final_info", {}):
            yield infos["final_info"], np.flatnonzero(ended)


def _in_array(seeds: list[int], chosen: np.ndarray) -> Any:
    """The chosen rows' seeds, as the Arcade Learning Environment takes them."""
    return np.array(seeds)


def _first(seeds: list[int], chosen: np.ndarray) -> Any:
    """One seed for all, as those take it that draw everything from one generator."""
    return seeds[0]


def _single(batch: Any, row: int) -> Any:
    """One row of a batch of last observations, whether an array of observations or an observation of arrays."""
    if isinstance(batch, Mapping):
        return {key: _single(value, row) for key, value in batch.items()}
    if isinstance(batch, tuple):
        return tuple(_single(value, row) for value in batch)
    return batch[row]
