"""A checker of vector environments: whether batches keep the promises that single environments make. For anyone's.

    from farlands.worlds.adapters.checker import check_vector_env

    def make(num_envs):
        return gymnasium.make_vec("CartPole-v1", num_envs, vectorization_mode="sync")

    report = check_vector_env(make, single=lambda: gymnasium.make("CartPole-v1"))

Every failure is a ``VectorEnvError`` of one line that names the promise, the row, the step and what differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

from farlands.worlds.adapters.trajectories import (
    Trajectory,
    VectorEnvError,
    check_batch,
    difference,
    fail,
    play,
)

__all__ = ["Report", "VectorEnvError", "check_vector_env"]


@dataclass(frozen=True)
class Report:
    """What has been checked.

    Attributes:
        passed: Names of the promises that were kept.
        skipped: Names of those that could not be checked, with the reason.
        episodes: Episodes that ended in the first run: what the autoreset checks saw.
    """

    passed: tuple[str, ...]
    skipped: tuple[str, ...]
    episodes: int


def check_vector_env(
    make: Callable[[int], VectorEnv],
    *,
    num_envs: int = 4,
    steps: int = 200,
    seed: int = 0,
    single: Callable[[], gymnasium.Env] | None = None,
    per_env_seeds: bool = True,
    varied: bool = True,
) -> Report:
    """Check a vector environment with NumPy outputs, whatever its autoreset mode.

    Actions are drawn at random among those that the mask allows, as a function of a row's seed and the step.

    Args:
        make: Makes it for a number of sub-environments.
        num_envs: How many to check with, at least 2.
        steps: Steps of each run. Some episode must end within them, or the autoreset could not be checked.
        seed: Seed of the first row; the others follow.
        single: Makes the single environment that every row should equal. Without it rows are compared with
            ``make(1)``.
        per_env_seeds: Whether ``reset`` takes a list of seeds. Without, what needs one is skipped.
        varied: Whether different seeds should lead to different episodes.

    Raises:
        VectorEnvError: A promise is broken.
    """
    if num_envs < 2:
        raise ValueError(f"num_envs {num_envs}: at least 2 rows are needed to tell them apart")
    return _Check(make, num_envs, steps, seed, single, per_env_seeds, varied).run()


class _Check:
    """The runs of one check and what has come of them."""

    def __init__(
        self,
        make: Callable[[int], VectorEnv],
        num_envs: int,
        steps: int,
        seed: int,
        single: Callable[[], gymnasium.Env] | None,
        per_env_seeds: bool,
        varied: bool,
    ) -> None:
        self.make, self.num_envs, self.steps, self.single = make, num_envs, steps, single
        self.per_env_seeds, self.varied = per_env_seeds, varied
        self.seeds = [seed + row for row in range(num_envs)]
        self.passed: list[str] = []
        self.skipped: list[str] = []

    def run(self) -> Report:
        env = self.make(self.num_envs)
        try:
            mode = self._check_declaration(env)
            first = self._play(env, self.seeds)
            self._pass("spaces, shapes, dtypes, bounds, masks, copies")
            if first.episodes == 0:
                fail(
                    "autoreset", f"no episode ended within {self.steps} steps, so it can't be checked: take more steps"
                )
            _check_autoreset(first, mode, env)
            self._pass(f"autoreset: {mode.name}")
            self._same("determinism: a second reset", first, self._play(env, self.seeds))
        finally:
            env.close()
        self._same("determinism: another instance", first, self._fresh(self.seeds))
        if mode == AutoresetMode.NEXT_STEP:
            self._same("autoreset: actions after an end are ignored", first, self._fresh(self.seeds, salt=1))
        if self.per_env_seeds:
            self._check_seeds(first)
            self._check_single(first, mode)
        else:
            self.skipped += ["per-row seeds: reset takes one seed", "single equals batched: reset takes one seed"]
        return Report(tuple(self.passed), tuple(self.skipped), first.episodes)

    def _pass(self, promise: str) -> None:
        self.passed.append(promise)

    def _play(self, env: VectorEnv, seeds: list[int], salt: int = 0) -> Trajectory:
        return play(env, seeds, self.steps, as_list=self.per_env_seeds, salt=salt)

    def _fresh(self, seeds: list[int], salt: int = 0) -> Trajectory:
        env = self.make(len(seeds))
        try:
            return self._play(env, seeds, salt)
        finally:
            env.close()

    def _same(self, promise: str, one: Trajectory, other: Trajectory, rows: list[int] | None = None) -> None:
        """Row k of ``one`` equals row ``rows[k]`` of ``other``; -1 for rows that may differ."""
        for row, other_row in enumerate(rows if rows is not None else range(self.num_envs)):
            if other_row >= 0:
                found = difference(one.row(row), other.row(other_row))
                if found:
                    fail(promise, f"row {row}, {found}")
        self._pass(promise)

    def _check_declaration(self, env: VectorEnv) -> AutoresetMode:
        if env.num_envs != self.num_envs:
            fail("spaces", f"num_envs is {env.num_envs}, asked for {self.num_envs}")
        for kind in ("observation", "action"):
            single, batched = getattr(env, f"single_{kind}_space"), getattr(env, f"{kind}_space")
            if batch_space(single, self.num_envs) != batched:
                fail("spaces", f"{kind}_space {batched} is not {self.num_envs} times single_{kind}_space {single}")
        mode = env.metadata.get("autoreset_mode")
        if not isinstance(mode, AutoresetMode):
            fail("autoreset", f"metadata['autoreset_mode'] is {mode!r}, expected a member of AutoresetMode")
        return mode

    def _check_seeds(self, first: Trajectory) -> None:
        order = list(np.roll(np.arange(self.num_envs), 1))
        shuffled = self._fresh([self.seeds[row] for row in order])
        self._same("per-row seeds: the order of rows changes nothing", shuffled, first, [int(row) for row in order])
        others = [self.seeds[0] + 1000, *self.seeds[1:]]
        changed = self._fresh(others)
        alone = [-1, *range(1, self.num_envs)]
        self._same("per-row seeds: a row's seed changes no other row", changed, first, alone)
        if self.varied:
            if difference(changed.row(0), first.row(0)) is None:
                fail("per-row seeds", f"row 0 lives the same with seeds {others[0]} and {self.seeds[0]}")
            if difference(first.row(0), first.row(1)) is None:
                fail("per-row seeds", f"rows 0 and 1 live the same with seeds {self.seeds[0]} and {self.seeds[1]}")
            self._pass("per-row seeds: they matter")
        from_one = self._by_one_seed()
        self._same("per-row seeds: reset(seed=s) is reset(seed=[s, s + 1, ...])", first, from_one)

    def _by_one_seed(self) -> Trajectory:
        env = self.make(self.num_envs)
        try:
            return play(env, self.seeds, self.steps, as_list=False)
        finally:
            env.close()

    def _check_single(self, first: Trajectory, mode: AutoresetMode) -> None:
        if self.single is not None:
            env = SyncVectorEnv([self.single] * self.num_envs, autoreset_mode=mode)
            try:
                self._same("single equals batched", first, play(env, self.seeds, self.steps))
            finally:
                env.close()
            return
        for row, seed in enumerate(self.seeds):
            found = difference(first.row(row), self._fresh([seed]).row(0))
            if found:
                fail("single equals batched", f"row {row} against a batch of one, {found}")
        self._pass("single equals batched, as a batch of one")


def _check_autoreset(run: Trajectory, mode: AutoresetMode, env: VectorEnv) -> None:
    if mode == AutoresetMode.SAME_STEP:
        _check_same_step(run, env)
    else:
        for t, record in enumerate(run.records):
            if np.any(record.infos.get("_final_obs", False)):
                fail("autoreset", f"step {t} has final_obs, but the mode is {mode.name}")
    if mode == AutoresetMode.NEXT_STEP:
        _check_next_step(run)
    if mode == AutoresetMode.DISABLED:
        _check_disabled(run)


def _check_same_step(run: Trajectory, env: VectorEnv) -> None:
    """At an end: the next episode's first observation, the last one and its info in ``infos``."""
    told_apart = False
    for t, record in enumerate(run.records):
        for key in ("final_obs", "final_info"):
            present = np.asarray(record.infos.get(f"_{key}", np.zeros(run.num_envs, dtype=bool)))
            if key not in record.infos and record.ended.any():
                fail("autoreset", f"step {t}: rows {_rows(record.ended)} ended, but infos have no {key}")
            if not np.array_equal(present, record.ended):
                fail(
                    "autoreset",
                    f"step {t}: _{key} is true for rows {_rows(present)}, but rows {_rows(record.ended)} ended",
                )
        for row in np.flatnonzero(record.ended):
            last = record.infos["final_obs"][row]
            check_batch(env.single_observation_space, last, f"step {t}: final_obs of row {row}")
            told_apart |= difference([last], [record.rows[row]]) is not None
    if not told_apart:
        fail("autoreset", "final_obs always equals the observation: one of them is not what it should be")


def _check_next_step(run: Trajectory) -> None:
    """At an end: the last observation. At the next step: the first one, no reward, no flags."""
    told_apart = False
    for t in range(len(run.records) - 1):
        now, after = run.records[t], run.records[t + 1]
        for row in np.flatnonzero(now.ended):
            if after.reward[row] != 0:
                fail(
                    "autoreset",
                    f"row {row} ended at step {t} and has reward {after.reward[row]} at the next, expected 0",
                )
            if after.ended[row]:
                fail("autoreset", f"row {row} ended at step {t} and again at the next, which should begin its episode")
            told_apart |= difference([now.rows[row]], [after.rows[row]]) is not None
    if not told_apart:
        fail("autoreset", "the step after an end always shows the same observation again: nothing was reset")


def _check_disabled(run: Trajectory) -> None:
    """``reset_mask`` begins new episodes in its rows and leaves the others as they were."""
    for t, record in enumerate(run.records):
        if record.after_reset is None:
            continue
        for row in np.flatnonzero(~record.ended):
            found = difference([record.rows[row]], [record.after_reset[row]])
            if found:
                fail("autoreset", f"step {t}: reset_mask without row {row} changed it, {found}")
    ends = [(r.rows[row], r.after_reset[row]) for r in run.records if r.after_reset for row in np.flatnonzero(r.ended)]
    if all(difference([last], [first]) is None for last, first in ends):
        fail("autoreset", "reset_mask always leaves the last observation: nothing was reset")


def _rows(mask: np.ndarray) -> list[int]:
    return np.flatnonzero(mask).tolist()
