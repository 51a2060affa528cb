"""The checker passes what keeps its promises and names each defect of what does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from farlands.worlds.adapters.checker import Report, VectorEnvError, check_vector_env

MODES = list(AutoresetMode)


def cartpole() -> gymnasium.Env:
    return gymnasium.make("CartPole-v1")


class MaskedCartPole(gymnasium.Wrapper):
    """A pole that may not be pushed the same way forever: masks in the observation and the info."""

    def __init__(self, *, broken: str = "") -> None:
        super().__init__(cartpole())
        self.broken = broken
        mask = gymnasium.spaces.Box(0, 1, (2,), np.uint8)
        self.observation_space = gymnasium.spaces.Dict({"state": self.env.observation_space, "action_mask": mask})

    def told(self, state: np.ndarray) -> tuple[dict, dict]:
        mask = np.array([1, int(state[0] < 0)], dtype=np.uint8)
        seen = mask.copy()
        if self.broken == "empty":
            mask[:] = seen[:] = 0
        elif self.broken == "apart":
            mask[1] = 1 - mask[1]
        elif self.broken == "two":
            mask[0] = 2
        elif self.broken == "size":
            mask = np.ones(3, dtype=np.uint8)
        return {"state": state, "action_mask": seen}, {"action_mask": mask}

    def reset(self, **kwargs: Any) -> tuple[dict, dict]:
        return self.told(super().reset(**kwargs)[0])

    def step(self, action: Any) -> tuple[dict, Any, bool, bool, dict]:
        state, reward, terminated, truncated, _ = super().step(action)
        observation, info = self.told(state)
        return observation, reward, terminated, truncated, info


class Sync(SyncVectorEnv):
    """Gymnasium's own, to be broken in one place each below."""

    def __init__(
        self, num_envs: int, mode: AutoresetMode = AutoresetMode.NEXT_STEP, single: Callable = cartpole, **more: Any
    ):
        super().__init__([single] * num_envs, autoreset_mode=mode, **more)

    def step(self, actions: Any) -> tuple:
        return self.spoil(*super().step(actions))

    def spoil(self, observation: Any, reward: Any, terminated: Any, truncated: Any, infos: Any) -> tuple:
        return observation, reward, terminated, truncated, infos


class Float64Observations(Sync):
    def spoil(self, observation, *rest):
        return observation.astype(np.float64), *rest


class MissingRow(Sync):
    def spoil(self, observation, *rest):
        return observation[:-1], *rest


class OutOfBounds(Sync):
    def spoil(self, observation, *rest):
        observation[1, 2] = 7.0
        return observation, *rest


class IntegerRewards(Sync):
    def spoil(self, observation, reward, *rest):
        return observation, reward.astype(np.int64), *rest


class NanRewards(Sync):
    def spoil(self, observation, reward, *rest):
        return observation, np.where(np.arange(len(reward)) == 2, np.nan, reward), *rest


class IntegerFlags(Sync):
    def spoil(self, observation, reward, terminated, truncated, infos):
        return observation, reward, terminated.astype(np.int32), truncated, infos


class ListInfos(Sync):
    def spoil(self, observation, reward, terminated, truncated, infos):
        return observation, reward, terminated, truncated, [infos]


class NoMode(Sync):
    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.metadata = {}


class WrongSpace(Sync):
    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.observation_space = self.single_observation_space


class OneTooFew(Sync):
    def __init__(self, num_envs: int) -> None:
        super().__init__(max(1, num_envs - 1))


class Noisy(Sync):
    def spoil(self, observation, *rest):
        return observation + np.random.default_rng().normal(size=observation.shape).astype(np.float32) * 1e-4, *rest


class RemembersItsPast(Sync):
    steps = 0

    def spoil(self, observation, *rest):
        self.steps += 1
        observation[:, 1] += np.float32(1e-4) * (self.steps > 200)
        return observation, *rest


class OneSeedForAll(Sync):
    def reset(self, *, seed=None, options=None):
        seeds = [seed[0]] * self.num_envs if isinstance(seed, list) else seed
        return super().reset(seed=seeds, options=options)


class IgnoresSeeds(Sync):
    def reset(self, *, seed=None, options=None):
        return super().reset(seed=5, options=options)


class SeedsByTheFirst(Sync):
    """Later rows depend on the first row's seed."""

    def reset(self, *, seed=None, options=None):
        if isinstance(seed, list):
            seed = [seed[0], *(one + 7 * seed[0] for one in seed[1:])]
        return super().reset(seed=seed, options=options)


class SeedsByPlace(Sync):
    def reset(self, *, seed=None, options=None):
        if isinstance(seed, list):
            seed = [one + row for row, one in enumerate(seed)]
        return super().reset(seed=seed, options=options)


class OtherOneSeedRule(Sync):
    def reset(self, *, seed=None, options=None):
        if isinstance(seed, int):
            seed = [seed + 100 * row for row in range(self.num_envs)]
        return super().reset(seed=seed, options=options)


class CoupledRows(Sync):
    def spoil(self, observation, *rest):
        observation[1, 1] += observation[0, 0] / 100
        return observation, *rest


class ScaledRewards(Sync):
    def spoil(self, observation, reward, *rest):
        return observation, reward * 2, *rest


class RewardWhileResetting(Sync):
    def step(self, actions):
        waited = self._autoreset_envs.copy()
        observation, reward, *rest = super().step(actions)
        return observation, np.where(waited, 1.0, reward), *rest


class EndsTwice(Sync):
    def step(self, actions):
        waited = self._autoreset_envs.copy()
        observation, reward, terminated, *rest = super().step(actions)
        return observation, reward, terminated | waited, *rest


class SameStepInDisguise(Sync):
    """Shows the next episode's first observation at once, and acts at the step that should only show it."""

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, AutoresetMode.SAME_STEP)
        self.metadata = {**self.metadata, "autoreset_mode": AutoresetMode.NEXT_STEP}

    def spoil(self, observation, reward, terminated, truncated, infos):
        return observation, reward * 0, terminated, truncated, {}


class StaysAtTheEnd(Sync):
    def step(self, actions):
        waited, kept = self._autoreset_envs.copy(), getattr(self, "kept", None)
        observation, *rest = super().step(actions)
        if waited.any():
            observation[waited] = kept[waited]
        self.kept = observation.copy()
        return observation, *rest


class SameStep(Sync):
    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, AutoresetMode.SAME_STEP)


class NoFinalObservation(SameStep):
    def spoil(self, observation, reward, terminated, truncated, infos):
        return observation, reward, terminated, truncated, {k: v for k, v in infos.items() if "final_obs" not in k}


class NoFinalInfo(SameStep):
    def spoil(self, observation, reward, terminated, truncated, infos):
        return observation, reward, terminated, truncated, {k: v for k, v in infos.items() if "final_info" not in k}


class FinalForAll(SameStep):
    def spoil(self, observation, reward, terminated, truncated, infos):
        if "_final_obs" in infos:
            infos["_final_obs"] = np.ones(self.num_envs, dtype=bool)
        return observation, reward, terminated, truncated, infos


class FinalIsTheFirst(SameStep):
    def spoil(self, observation, reward, terminated, truncated, infos):
        for row in np.flatnonzero(terminated | truncated):
            infos["final_obs"][row] = observation[row].copy()
        return observation, reward, terminated, truncated, infos


class FinalOfAnotherRow(SameStep):
    def spoil(self, observation, reward, terminated, truncated, infos):
        for row in np.flatnonzero(terminated | truncated):
            infos["final_obs"][row] = observation[(row + 1) % self.num_envs].copy()
        return observation, reward, terminated, truncated, infos


class FirstIsTheFinal(SameStep):
    """Forgets to show the new episode."""

    def spoil(self, observation, reward, terminated, truncated, infos):
        for row in np.flatnonzero(terminated | truncated):
            observation[row] = infos["final_obs"][row]
        return observation, reward, terminated, truncated, infos


class Disabled(Sync):
    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, AutoresetMode.DISABLED)


class MaskResetsAll(Disabled):
    def reset(self, *, seed=None, options=None):
        if options:
            self._autoreset_envs[:] = False
        return super().reset(seed=seed)


class MaskResetsNothing(Disabled):
    def spoil(self, observation, *rest):
        return observation.clip(self.observation_space.low, self.observation_space.high), *rest

    def reset(self, *, seed=None, options=None):
        if options:
            self._autoreset_envs[:] = False
            return self.spoil(self._observations)[0], {}
        return super().reset(seed=seed)


class Reused(Sync):
    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, copy=False)


BROKEN = [
    (Float64Observations, "dtypes: step 0: observation is float64, expected float32"),
    (MissingRow, r"shapes: step 0: observation has shape \(3, 4\), expected \(4, 4\)"),
    (OutOfBounds, r"bounds: step 0: observation\[1, 2\] is 7.0"),
    (IntegerRewards, "shapes: step 0: reward is int64"),
    (NanRewards, "bounds: step 0: reward is .*nan"),
    (IntegerFlags, "shapes: step 0: terminated is int32"),
    (ListInfos, "infos: step 0: infos are a list"),
    (NoMode, r"autoreset: metadata\['autoreset_mode'\] is None"),
    (WrongSpace, "spaces: observation_space"),
    (OneTooFew, "spaces: num_envs is 3, asked for 4"),
    (Reused, "copies: step 0 changed the observation handed out before it"),
    (Noisy, "determinism: a second reset: row 0, step 0"),
    (RemembersItsPast, r"determinism: a second reset: row 0, step 80: observation\[1\]"),
    (OneSeedForAll, "per-row seeds"),
    (IgnoresSeeds, "per-row seeds"),
    (SeedsByTheFirst, "per-row seeds"),
    (SeedsByPlace, "per-row seeds: the order of rows changes nothing: row"),
    (OtherOneSeedRule, r"per-row seeds: reset\(seed=s\) is .*row 1, reset"),
    (CoupledRows, r"per-row seeds: the order of rows changes nothing: row \d, step 0: observation\[1\]"),
    (ScaledRewards, "single equals batched: row 0, step 0: reward is .*2.0.* and .*1.0"),
    (RewardWhileResetting, r"autoreset: row \d ended at step \d+ and has reward 1.0 at the next"),
    (EndsTwice, r"autoreset: row \d ended at step \d+ and again at the next"),
    (SameStepInDisguise, "autoreset: actions after an end are ignored"),
    (StaysAtTheEnd, "autoreset: the step after an end always shows the same observation again"),
    (NoFinalObservation, r"autoreset: step \d+: rows \[\d\] ended, but infos have no final_obs"),
    (NoFinalInfo, r"autoreset: step \d+: rows \[\d\] ended, but infos have no final_info"),
    (FinalForAll, "autoreset: step .*_final_obs is true for rows"),
    (FinalIsTheFirst, "autoreset: final_obs always equals the observation"),
    (FinalOfAnotherRow, "per-row seeds|single equals batched"),
    (FirstIsTheFinal, "autoreset: final_obs always equals the observation"),
    (MaskResetsAll, "autoreset: step .*reset_mask without row"),
    (MaskResetsNothing, "autoreset: reset_mask always leaves the last observation"),
]  # fmt: skip


def check(make: Callable, **kwargs: Any) -> Report:
    return check_vector_env(make, steps=120, single=cartpole, **kwargs)


@pytest.mark.parametrize("mode", MODES)
def test_gymnasiums_own_passes_in_every_mode(mode):
    report = check(lambda n: Sync(n, mode))
    assert report.episodes >= 4
    assert report.skipped == ()
    assert f"autoreset: {mode.name}" in report.passed
    assert "single equals batched" in report.passed


@pytest.mark.filterwarnings("ignore:.*already returned terminated")
@pytest.mark.parametrize(("broken", "message"), BROKEN, ids=lambda x: x.__name__ if isinstance(x, type) else "")
def test_every_defect_is_caught_and_named(broken, message):
    with pytest.raises(VectorEnvError, match=message) as error:
        check(broken)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("mode", MODES)
def test_masks_are_obeyed(mode):
    def make(n: int) -> Sync:
        return Sync(n, mode, MaskedCartPole)

    report = check_vector_env(make, steps=120, single=MaskedCartPole)
    assert report.episodes > 0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("empty", "masks: reset: row 0 has no possible choice in factor 0"),
        ("apart", "masks: reset: row 0 has one action_mask in the infos, another in the observation"),
        ("two", "masks: reset: action_mask has values other than 0 and 1"),
        ("size", r"masks: reset: action_mask has shape \(4, 3\), expected \(4, 2\)"),
    ],
)
def test_broken_masks_are_caught(broken, message):
    with pytest.raises(VectorEnvError, match=message):
        check_vector_env(lambda n: Sync(n, single=lambda: MaskedCartPole(broken=broken)), steps=60)


def test_rows_are_compared_with_a_batch_of_one_where_no_single_environment_is_given():
    report = check_vector_env(Sync, steps=60)
    assert "single equals batched, as a batch of one" in report.passed

    class MoreRowsMoreReward(Sync):
        def spoil(self, observation, reward, *rest):
            return observation, reward * self.num_envs, *rest

    with pytest.raises(VectorEnvError, match=r"single equals batched: row 0 against a batch of one, step 0: reward"):
        check_vector_env(MoreRowsMoreReward, steps=60)


def test_environments_with_one_seed_for_all_rows_can_be_checked_too():
    def make(n: int) -> gymnasium.vector.VectorEnv:
        return gymnasium.make_vec("CartPole-v1", n, vectorization_mode="vector_entry_point")

    report = check_vector_env(make, steps=120, per_env_seeds=False)
    assert len(report.skipped) == 2


def test_an_environment_that_never_ends_cannot_pass():
    class Endless(Sync):
        def spoil(self, observation, reward, terminated, truncated, infos):
            return observation, reward, terminated & False, truncated & False, infos

    with pytest.raises(VectorEnvError, match="no episode ended within 5 steps"):
        check_vector_env(Endless, steps=5)


def test_one_row_is_not_enough():
    with pytest.raises(ValueError, match="at least 2 rows"):
        check_vector_env(Sync, num_envs=1)
