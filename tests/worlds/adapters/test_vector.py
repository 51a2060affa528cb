"""Native vector environments: autoreset, seeds, torch output."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode

import farlands  # noqa: F401 - registers the ids
from farlands.worlds.adapters.checker import check_vector_env
from farlands.worlds.adapters.gymnasium import VoxelVectorEnv, WorldEnv, WorldVectorEnv
from farlands.worlds.reference import Combination, CueCorridor, PointReach
from farlands.worlds.world import World

MODES = list(AutoresetMode)
ID = "farlands/Voxel-v0"
SHORT: dict[str, Any] = {
    "window": 32, "horizon": 14, "stagger": True, "mining_speed": 9,
    "start_kit": ("oak_log:3", "planks:9", "crafting_table"),
}  # fmt: skip


def make(num_envs: int = 4, **options: Any) -> gymnasium.vector.VectorEnv:
    return gymnasium.make_vec(ID, num_envs=num_envs, vectorization_mode="vector_entry_point", **(SHORT | options))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("actions", ["flat", "factored"])
def test_the_checker_finds_nothing(mode, actions):
    options = SHORT | {"actions": actions}
    report = check_vector_env(
        lambda n: gymnasium.make_vec(ID, num_envs=n, autoreset_mode=mode, **options),
        steps=45,
        single=lambda: gymnasium.make(ID, **options),
    )
    assert report.skipped == ()
    assert report.episodes >= 8


@pytest.mark.parametrize("mode", MODES)
def test_pixels_pass_the_checker_too(mode):
    options = SHORT | {"width": 12, "height": 10}
    report = check_vector_env(
        lambda n: gymnasium.make_vec("farlands/VoxelPixels-v0", num_envs=n, autoreset_mode=mode, **options),
        num_envs=3,
        steps=25,
        single=lambda: gymnasium.make("farlands/VoxelPixels-v0", **options),
    )
    assert report.episodes > 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("horizon", [1, 2])
def test_the_shortest_episodes_pass_the_checker(mode, horizon):
    options = SHORT | {"horizon": horizon}
    check_vector_env(
        lambda n: gymnasium.make_vec(ID, num_envs=n, autoreset_mode=mode, **options),
        steps=8,
        single=lambda: gymnasium.make(ID, **options),
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [CueCorridor, Combination, PointReach])
def test_worlds_of_every_action_kind_pass_the_checker(kind, mode):
    """The adapter knows nothing of voxels: discrete, multi-discrete and box actions."""

    def world(n: int) -> World:
        return kind(n, kind.Options(), device="cpu")

    check_vector_env(
        lambda n: WorldVectorEnv(world(n), autoreset_mode=mode), steps=60, single=lambda: WorldEnv(world(1))
    )


def test_the_default_mode_is_gymnasiums():
    assert make().metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    assert make(autoreset_mode="SameStep").metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert make(autoreset_mode="DISABLED").metadata["autoreset_mode"] is AutoresetMode.DISABLED
    with pytest.raises(ValueError, match="'never' is not one of NEXT_STEP, SAME_STEP, DISABLED"):
        make(autoreset_mode="never")


def test_gymnasiums_word_for_the_horizon_works():
    assert make(max_episode_steps=5, stagger=False).unwrapped.world.options.horizon == 5


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_single_environments_in_gymnasiums_vectors_equal_the_native_one(mode):
    """Processes are spawned: forking after torch and Warp have started threads is not safe."""
    kwargs = {"context": "spawn"} if mode == "async" else {}
    native = make(2)
    others = gymnasium.make_vec(ID, num_envs=2, vectorization_mode=mode, vector_kwargs=kwargs, **SHORT)
    try:
        assert data_equivalence(native.reset(seed=3)[0], others.reset(seed=3)[0], exact=True)
        for t in range(20):
            actions = np.array([t % 18, (t * 7) % 18])
            ours, theirs = native.step(actions), others.step(actions)
            assert data_equivalence(ours[:4], theirs[:4], exact=True), t
    finally:
        others.close()


def test_infos_at_an_end_tell_of_the_episode():
    env = make(2, stagger=False, horizon=3)
    env.reset(seed=[10, 11])
    for _ in range(2):
        *_, infos = env.step(np.zeros(2, dtype=np.int64))
        assert "cause" not in infos
    *_, infos = env.step(np.zeros(2, dtype=np.int64))
    assert infos["cause"].tolist() == ["horizon", "horizon"]
    assert infos["level_seed"].tolist() == [10, 11]
    assert infos["_cause"].tolist() == [True, True]
    assert infos["achievements"].shape == (2, len(env.unwrapped.world.spec.achievements))


def test_only_rows_that_ended_have_an_end():
    env = make(6, autoreset_mode="SAME_STEP")
    env.reset(seed=0)
    ended_apart = 0
    for _ in range(30):
        observation, _, terminated, truncated, infos = env.step(np.zeros(6, dtype=np.int64))
        ended = terminated | truncated
        if not ended.any():
            assert "final_obs" not in infos
            continue
        ended_apart += not ended.all()
        assert infos["_final_obs"].tolist() == infos["final_info"]["_cause"].tolist() == ended.tolist()
        for row in range(6):
            assert (infos["final_obs"][row] is not None) == ended[row]
            assert (infos["final_info"]["cause"][row] is not None) == ended[row]
            if ended[row]:
                assert not data_equivalence(infos["final_obs"][row], {k: v[row] for k, v in observation.items()})
                mask = infos["final_info"]["action_mask"][row]
                np.testing.assert_array_equal(mask, infos["final_obs"][row]["action_mask"])
    assert ended_apart > 2


def test_seeds_are_gymnasiums():
    env = make(3)
    one, _ = env.reset(seed=7)
    listed, _ = env.reset(seed=[7, 8, 9])
    mixed, _ = env.reset(seed=[7, None, 9])
    assert data_equivalence(one, listed, exact=True)
    assert data_equivalence(
        {k: v[[0, 2]] for k, v in mixed.items()}, {k: v[[0, 2]] for k, v in one.items()}, exact=True
    )
    assert not data_equivalence(mixed, one)
    env.reset(seed=7)
    drawn, _ = env.reset()
    env.reset(seed=7)
    assert data_equivalence(env.reset()[0], drawn, exact=True)
    with pytest.raises(ValueError, match="2 seeds for 3 environments"):
        env.reset(seed=[1, 2])


def test_a_reset_mask_begins_the_levels_asked_for_in_its_rows_only():
    env = make(4, autoreset_mode="DISABLED", stagger=False)
    before, _ = env.reset(seed=0)
    for _ in range(3):
        before, *_ = env.step(np.full(4, 10))
    mask = np.array([False, True, False, True])
    after, _ = env.reset(seed=[0, 100, 0, 101], options={"reset_mask": mask})
    fresh, _ = make(2).reset(seed=[100, 101])
    for name, value in after.items():
        np.testing.assert_array_equal(value[~mask], before[name][~mask])
        np.testing.assert_array_equal(value[mask], fresh[name])


def test_a_disabled_autoreset_insists_on_a_reset():
    env = make(2, autoreset_mode="DISABLED", stagger=False, horizon=2)
    env.reset(seed=0)
    env.step(np.zeros(2, dtype=int))
    env.step(np.zeros(2, dtype=int))
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"rows \[0, 1\] are over"):
        env.step(np.zeros(2, dtype=int))
    env.reset(options={"reset_mask": np.array([True, False])})
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"rows \[1\] are over"):
        env.step(np.zeros(2, dtype=int))
    env.reset(options={"reset_mask": np.array([False, True])})
    env.step(np.zeros(2, dtype=int))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reset_mask": [True, False]}, "must be a bool array"),
        ({"reset_mask": np.array([1, 0])}, "must be a bool array"),
        ({"reset_mask": np.array([True])}, "must be a bool array"),
        ({"reset_mask": np.zeros(2, dtype=bool)}, "no row to reset"),
        ({"level": 1}, "knows the option 'reset_mask'"),
    ],
)
def test_reset_masks_that_are_none_are_refused(options, message):
    env = make(2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)


@pytest.mark.parametrize(
    "actions", [np.zeros(3, dtype=int), np.array([0, -1]), np.array([0, 1000]), np.array([0.0, 1.0]), 0]
)
def test_actions_that_are_none_are_refused(actions):
    env = make(2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="actions"):
        env.step(actions)


def test_stepping_before_a_reset_is_refused():
    with pytest.raises(gymnasium.error.ResetNeeded):
        make(2).step(np.zeros(2, dtype=int))


def test_rendering_gives_a_frame_for_each_row():
    env = make(3, render_mode="rgb_array", render_size=(16, 24), stagger=False, horizon=2)
    env.reset(seed=1)
    frames = env.render()
    assert len(frames) == 3
    assert {(f.shape, f.dtype.name) for f in frames} == {((16, 24, 3), "uint8")}
    assert not np.array_equal(frames[0], frames[1])
    env.step(np.full(3, 9))
    last = env.render()
    env.step(np.full(3, 9))
    assert all(np.array_equal(a, b) for a, b in zip(env.render(), last, strict=True))
    env.step(np.full(3, 9))
    assert not any(np.array_equal(a, b) for a, b in zip(env.render(), last, strict=True))


# Torch output


def torch_env(num_envs: int = 4, **options: Any) -> gymnasium.vector.VectorEnv:
    return make(num_envs, output="torch", autoreset_mode="SAME_STEP", **options)


def test_torch_output_is_the_numpy_output():
    ours, theirs = torch_env(), make(autoreset_mode="SAME_STEP")
    seen, info = ours.reset(seed=4)
    expected, _ = theirs.reset(seed=4)
    ends = 0
    for t in range(40):
        for name, value in expected.items():
            assert isinstance(seen[name], torch.Tensor)
            np.testing.assert_array_equal(seen[name].numpy(), value)
        assert info["action_mask"] is seen["action_mask"]
        actions = np.array([t % 15, (t + 3) % 15, 0, 15])
        seen, reward, terminated, truncated, info = ours.step(torch.from_numpy(actions))
        expected, *rest, infos = theirs.step(actions)
        for tensor, array in zip((reward, terminated, truncated), rest, strict=True):
            np.testing.assert_array_equal(tensor.numpy(), array)
        for row in np.flatnonzero(infos.get("_final_obs", [])):
            ends += 1
            for name, value in infos["final_obs"][row].items():
                np.testing.assert_array_equal(info["final_obs"][name][row].numpy(), value)
        assert info["_final_obs"].tolist() == (rest[1] | rest[2]).tolist()
    assert ends > 4


def test_torch_output_is_the_storage_the_world_writes():
    env = torch_env().unwrapped
    env.reset(seed=0)
    pointers = []
    for _ in range(4):
        observation, reward, *_ = env.step(torch.zeros(4, dtype=torch.int32))
        pointers.append((observation["voxels"].data_ptr(), reward.data_ptr()))
    assert pointers[0] == pointers[2] != pointers[1] == pointers[3]
    owned = {step.observation["voxels"].data_ptr() for step in env._storage}
    assert {pointer for pointer, _ in pointers} == owned


@pytest.mark.parametrize("poison", [False, True])
def test_torch_output_holds_until_the_call_after_the_next(poison):
    """A transition (s, a, r, s') is whole; what is older is garbage if one asks for that."""
    env = torch_env(poison_stale=poison)
    observation, _ = env.reset(seed=0)
    given = [(observation, torch.zeros(4))]
    kept = [({k: v.clone() for k, v in observation.items()}, torch.zeros(4))]
    for t in range(25):
        observation, reward, *_ = env.step(torch.full((4,), t % 11))
        given.append((observation, reward))
        kept.append(({k: v.clone() for k, v in observation.items()}, reward.clone()))
        for back in (1, 2):
            assert all(torch.equal(given[-back][0][k], kept[-back][0][k]) for k in observation), (t, back)
        if poison and t > 1:
            stale, stale_reward = given[-3]
            assert bool(stale_reward.isnan().all())
            assert bool((stale["voxels"] == 255).all())


def test_what_torch_output_hands_out_is_written_whole():
    """Into poisoned storage the world writes what it writes into fresh storage."""
    plain, poisoned = torch_env(), torch_env(poison_stale=True)
    a, b = plain.reset(seed=8)[0], poisoned.reset(seed=8)[0]
    for t in range(30):
        assert all(torch.equal(a[k], b[k]) for k in a)
        a, *rest, _ = plain.step(torch.full((4,), t % 18))
        b, *others, _ = poisoned.step(torch.full((4,), t % 18))
        assert all(torch.equal(x, y) for x, y in zip(rest, others, strict=True))


def test_torch_output_goes_with_same_step_only():
    with pytest.raises(ValueError, match="SAME_STEP only"):
        make(output="torch")
    with pytest.raises(ValueError, match="'jax' is not one of numpy, torch"):
        make(output="jax")
    env = torch_env()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"shape \(3,\), expected \(4,\)"):
        env.step(torch.zeros(3, dtype=torch.int32))


def test_worlds_of_several_agents_are_sent_to_pettingzoo():
    for make in (lambda: gymnasium.make("farlands/Voxel-v0", agents=2), lambda: VoxelVectorEnv(2, agents=3)):
        with pytest.raises(ValueError, match=r"of one agent, not [23]: use farlands.parallel_env$"):
            make()
