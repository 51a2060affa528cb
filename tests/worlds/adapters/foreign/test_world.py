"""Hosted environments keep the World contract, whatever process they are in: against a loop written out here."""

from __future__ import annotations

import functools
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from foreign_environments import WORDS, Everything, Pushed, Unrepeatable
from gymnasium import spaces

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.named import GymnasiumWorld
from farlands.worlds.adapters.foreign.options import GymnasiumOptions
from farlands.worlds.adapters.foreign.seeds import episode_seed, fit_seed, streams
from farlands.worlds.torch_world import _DERIVED, mix
from farlands.worlds.world import Box, Discrete, MultiDiscrete

HERE = GymnasiumOptions(workers=0)


def everything(workers: int, rows: int = 3, max_steps: int = 20, **options: Any) -> GymnasiumWorld:
    chosen = GymnasiumOptions(workers=workers, **options)
    return GymnasiumWorld(rows, chosen, constructor=functools.partial(Everything, max_steps))


def random_actions(world: Any, steps: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(world.spec.action.n, (steps, world.num_worlds), generator=generator, dtype=torch.int32)


def expected(observation: dict[str, Any]) -> dict[str, np.ndarray]:
    """What an observation of ``Everything`` is as arrays."""
    said = observation["said"].encode()
    return {
        "draw": np.uint8(observation["draw"] + 3),
        "inner.numbers": observation["inner"]["numbers"].astype(np.float32),
        "pair.0": observation["pair"][0].astype(np.uint8),
        "pair.1": (observation["pair"][1] - [1, -1]).astype(np.uint8),
        "picture": observation["picture"],
        "said": np.array(list(said) + [0] * (8 - len(said)), dtype=np.uint8),
        "wide": observation["wide"].astype(np.int32),
    }


def check(found: dict[str, torch.Tensor], row: int, observation: Any, info: Any) -> None:
    for key, value in (expected(observation) | {"action_mask": info["action_mask"]}).items():
        np.testing.assert_array_equal(found[key][row].numpy(), value, err_msg=key)


@pytest.mark.parametrize(("workers", "ahead"), [(0, False), (2, False), (2, True)])
def test_a_world_lives_what_a_loop_lives(workers, ahead):
    """Observations, rewards, flags, last observations, levels, achievements and the log, over many episodes."""
    world = everything(workers, ahead=ahead)
    out = world.reset(5)
    envs = [Everything(20) for _ in range(3)]
    stream = streams(5, 3)
    starts = [env.reset(seed=seed) for env, seed in zip(envs, stream, strict=True)]
    for row, (observation, info) in enumerate(starts):
        check(out.observation, row, observation, info)
    episode, time, total = [0] * 3, [0] * 3, [0.0] * 3
    unlocked = [{"even": -1, "large": -1} for _ in range(3)]
    log = []
    for actions in random_actions(world, 150):
        out = world.step(actions, out=out)
        for row, env in enumerate(envs):
            observation, reward, terminated, truncated, info = env.step(np.int64(int(actions[row]) + 2))
            time[row] += 1
            total[row] += reward
            for name, count in info["achievements"].items():
                if count and unlocked[row][name] < 0:
                    unlocked[row][name] = time[row]
            assert float(out.reward[row]) == np.float32(reward)
            assert bool(out.terminated[row]) == terminated
            assert bool(out.truncated[row]) == (truncated and not terminated)
            if terminated or truncated:
                check(world.final_observation, row, observation, info)
                cause = "rules" if terminated else "horizon"
                seed = episode_seed(stream[row], episode[row])
                log.append((row, seed, time[row], total[row], cause, *unlocked[row].values()))
                episode[row] += 1
                time[row], total[row], unlocked[row] = 0, 0.0, {"even": -1, "large": -1}
                observation, info = env.reset(seed=episode_seed(stream[row], episode[row]))
            check(out.observation, row, observation, info)
    episodes = world.drain_episodes()
    columns = (episodes.row, episodes.seed, episodes.length, episodes.reward, episodes.cause)
    found = [(*line, *first) for *line, first in zip(*columns, episodes.achievements.tolist(), strict=True)]
    assert found == log
    assert {line[4] for line in log} == {"rules", "horizon"}
    assert len(world.drain_episodes()) == 0
    world.close()


def test_the_spec_says_what_the_spaces_say():
    world = everything(0)
    shapes = {key: (array.shape, array.dtype, array.low, array.high) for key, array in world.spec.observation.items()}
    assert shapes == {
        "draw": ((), "uint8", 0, 9),
        "inner.numbers": ((3,), "float32", -np.inf, np.inf),
        "pair.0": ((4,), "uint8", 0, 1),
        "pair.1": ((2,), "uint8", 0, 4),
        "picture": ((4, 5, 3), "uint8", 0, 255),
        "said": ((8,), "uint8", 0, 255),
        "wide": ((2,), "int32", 0, 60_000),
        "action_mask": ((4,), "uint8", 0, 1),
    }
    assert (world.spec.action, world.spec.horizon) == (Discrete(4), 20)
    assert world.spec.achievements == ("even", "large")
    assert len(world.spec.observation["draw"].categories) == 10
    assert len(WORDS) == 3


def test_seeds_are_those_of_other_worlds():
    """The derivation of ``TorchWorld``, word for word, and the top bit clear."""
    word = torch.tensor([5], dtype=torch.int64)
    rows = torch.arange(4)
    theirs = (mix(mix(word) + rows) & _DERIVED).tolist()
    assert streams(5, 4) == theirs
    stream = torch.tensor(theirs)
    assert [episode_seed(seed, 7) for seed in theirs] == (mix(mix(stream) + 7) & _DERIVED).tolist()
    assert all(episode_seed(2**64 - 1, episode) < 2**63 for episode in range(1, 50))
    assert streams([3, 2**64 - 1], 2) == [3, 2**64 - 1]


@pytest.mark.parametrize("bits", [31, 32, 48])
def test_shorter_seeds_keep_unseen_levels_apart(bits):
    seeds = [episode_seed(9, episode) for episode in range(1, 200)]
    short = {fit_seed(seed, bits) for seed in seeds}
    unseen = {fit_seed(seed | 1 << 63, bits) for seed in seeds}
    assert len(short) == len(unseen) == len(seeds)
    assert all(0 <= seed < 1 << bits - 1 for seed in short)
    assert all(1 << bits - 1 <= seed < 1 << bits for seed in unseen)
    assert fit_seed(7, bits) == 7


@pytest.mark.parametrize("bad", [-1, 2**64, 1.5, True, [1, 2]])
def test_bad_seeds_are_refused(bad):
    with pytest.raises(ValueError, match="seed"):
        everything(0).reset(bad)


@pytest.mark.parametrize("workers", [0, 2])
def test_state_comes_back_exactly(workers):
    """After a state is put back into another world, and into other rows, both live on alike, the log included."""
    one, other = everything(workers), everything(0)
    one.reset(11)
    for actions in random_actions(one, 37):
        one.step(actions)
    state = one.state_dict()
    other.load_state_dict(state)
    assert torch.equal(one.state_hash(), other.state_hash())
    assert all(torch.equal(a, b) for a, b in zip(state.values(), other.state_dict().values(), strict=True))
    for actions in random_actions(one, 60, seed=1):
        here, there = one.step(actions), other.step(actions)
        assert all(torch.equal(here.observation[key], there.observation[key]) for key in here.observation)
        assert torch.equal(here.reward, there.reward)
    logs = [vars(world.drain_episodes()) for world in (one, other)]
    assert all(np.array_equal(logs[0][name], logs[1][name]) for name in logs[0])
    before = other.state_hash()
    other.restore(one.snapshot([2, 0]), [0, 1])
    assert other.state_hash().tolist() == [one.state_hash()[2], one.state_hash()[0], before[2]]
    seen = other.observe(other.allocate())
    assert torch.equal(seen.observation["picture"][1], one.observe(one.allocate()).observation["picture"][0])
    one.close()


def test_hashes_do_not_depend_on_batch_or_processes():
    hashes = []
    for workers, rows in ((0, 3), (2, 3), (0, 2)):
        world = everything(workers, rows)
        world.reset([4, 5, 6][:rows])
        for actions in random_actions(everything(0), 30):
            world.step(actions[:rows])
        hashes.append(world.state_hash()[:2].tolist())
        world.close()
    assert hashes[0] == hashes[1] == hashes[2]
    assert hashes[0][0] != hashes[0][1]


def test_the_hash_covers_every_array_of_the_state():
    world = everything(0)
    world.reset(0)
    for actions in random_actions(world, 5):
        world.step(actions)
    before = world.state_hash()
    state = [world._streams, world.pool.arrays["episode"], world.time, world.total, world.unlocked, world._actions]
    state += [array for name, array in world.pool.arrays.items() if name.startswith("observation.")]
    for array in state:
        value = array.flat[0].copy()
        array.flat[0] = value + 1
        assert world.state_hash()[0] != before[0]
        array.flat[0] = value


@pytest.mark.parametrize(
    ("make", "options", "why"),
    [(Unrepeatable, HERE, "does not repeat"), (functools.partial(Everything, 20), GymnasiumOptions(workers=0, replay=0),
     "can't be reached")],
)  # fmt: skip
def test_what_cannot_be_reached_again_is_cut_honestly(make, options, why):
    """Truncated without reward at the next step, its last observation the one that was saved, and logged so."""
    world, other = (GymnasiumWorld(2, options, constructor=make) for _ in range(2))
    world.reset(3)
    for _ in range(6):
        out = world.step(torch.zeros(2, dtype=torch.int32))
    state = world.state_dict()
    with pytest.warns(UserWarning, match=f"2 of 2 episodes are cut here; .*{why}"):
        other.load_state_dict(state)
    shown = other.observe(other.allocate())
    assert all(torch.equal(shown.observation[key], out.observation[key]) for key in out.observation)
    assert torch.equal(other.state_hash(), world.state_hash())
    cut = other.step(torch.ones(2, dtype=torch.int32))
    assert cut.truncated.all()
    assert not cut.terminated.any()
    assert (cut.reward == 0).all()
    assert all(torch.equal(other.final_observation[key], out.observation[key]) for key in out.observation)
    log = other.drain_episodes()
    assert log.cause.tolist() == ["interrupted"] * 2
    assert log.length.tolist() == [6, 6]
    np.testing.assert_array_equal(log.reward, world.total)
    again = other.step(torch.zeros(2, dtype=torch.int32))
    assert not again.truncated.any()
    assert (other.pool.arrays["episode"] == 1).all()


def test_snapshots_that_do_not_fit_are_refused():
    world = everything(0)
    world.reset(0)
    good = world.snapshot()
    with pytest.raises(ValueError, match="snapshot has"):
        world.restore({name: value for name, value in good.items() if name != "time"})
    with pytest.raises(ValueError, match=r"time of the snapshot is torch\.float32"):
        world.restore(good | {"time": good["time"].float()})
    with pytest.raises(ValueError, match=r"observation.picture of the snapshot is torch.uint8 \(2, 4, 5, 3\)"):
        world.restore(good | {"observation.picture": good["observation.picture"][:2]})
    with pytest.raises(ValueError, match="lacks 'log'"):
        world.load_state_dict(good)


def test_continuous_actions_are_clipped_and_shaped():
    world = GymnasiumWorld(2, HERE, constructor=Pushed)
    assert world.spec.action == Box((-1, -2, 0, 0), (1, 2, 1, 2))
    world.reset(0)
    out = world.step(torch.tensor([[0.5, -1.5, 0.25, 2.0], [torch.nan, -9.0, 9.0, torch.inf]]))
    assert out.observation["observation"].tolist() == [[[0.5, -1.5], [0.25, 2.0]], [[0.0, -2.0], [1.0, 2.0]]]
    assert out.reward.tolist() == [1.25, 1.0]


def test_choices_that_do_not_exist_count_as_the_first():
    world, other = everything(0), everything(0)
    world.reset(0), other.reset(0)
    a = world.step(torch.tensor([-1, 4, 2**31 - 1], dtype=torch.int32))
    b = other.step(torch.zeros(3, dtype=torch.int32))
    assert torch.equal(a.reward, b.reward)
    with pytest.raises(ValueError, match="actions have shape"):
        world.step(torch.zeros(2, dtype=torch.int32))


def test_several_choices_at_once():
    class Dials(gymnasium.Env):
        observation_space = spaces.Discrete(2)
        action_space = spaces.MultiDiscrete([3, 4], start=[1, 10])

        def reset(self, *, seed=None, options=None):
            return 0, {}

        def step(self, action):
            return 1, float(action[0] * 100 + action[1]), False, False, {}

    world = GymnasiumWorld(2, HERE, constructor=Dials)
    assert world.spec.action == MultiDiscrete((3, 4))
    world.reset(0)
    assert world.step(torch.tensor([[0, 0], [2, 3]], dtype=torch.int32)).reward.tolist() == [110.0, 313.0]


def test_horizons():
    """The wrapper's, the environment's own, the option's; a cut that was not announced is refused."""
    assert GymnasiumWorld(1, GymnasiumOptions(workers=0)).spec.horizon == 500
    assert GymnasiumWorld(1, GymnasiumOptions(workers=0, horizon=9)).spec.horizon == 9
    wrapped = GymnasiumWorld(1, HERE, constructor=lambda: gymnasium.wrappers.TimeLimit(Pushed(), 4))
    assert (wrapped.spec.horizon, everything(0).spec.horizon) == (4, 20)
    assert GymnasiumWorld(1, HERE, constructor=Pushed).spec.horizon is None
    world = GymnasiumWorld(1, GymnasiumOptions(workers=0, horizon=30), constructor=functools.partial(Everything, 20))
    world.reset(0)
    for _ in range(19):
        world.step(torch.zeros(1, dtype=torch.int32))
    with pytest.raises(UserError, match="cut an episode after 20 steps but has a horizon of 30"):
        world.step(torch.zeros(1, dtype=torch.int32))


def test_pictures():
    world = everything(2)
    out = world.reset(0)
    pictures = world.render([2, 0], 8, 10)
    assert pictures.shape == (2, 8, 10, 3)
    for picture, row in zip(pictures, (2, 0), strict=True):
        assert torch.equal(picture[::2, ::2], out.observation["picture"][row])
    world.close()
    with pytest.raises(UserError, match="has no pictures"):
        GymnasiumWorld(1, HERE).render([0], 8, 8)


def test_a_space_without_shape_is_refused():
    class Endless(gymnasium.Env):
        observation_space = spaces.Dict({"list": spaces.Sequence(spaces.Discrete(2))})
        action_space = spaces.Discrete(2)

    with pytest.raises(UserError, match="the observation list is a Sequence, which has no fixed shape"):
        GymnasiumWorld(1, HERE, constructor=Endless)


def test_a_class_in_a_file_of_ones_own(tmp_path):
    """Its file can't be imported by workers; what it makes goes to them whole."""
    from farlands.extensions import resolve

    file = tmp_path / "mine.py"
    file.write_text(
        "import gymnasium\nfrom farlands.worlds.adapters.foreign.named import GymnasiumWorld\n"
        "LIMIT = 7\n\nclass Mine(GymnasiumWorld):\n    @staticmethod\n    def make(options):\n"
        "        return gymnasium.make('CartPole-v1', max_episode_steps=LIMIT)\n"
    )
    kind = resolve("world", f"{file}:Mine")
    world = kind(2, GymnasiumOptions(workers=1))
    assert (world.spec.name, world.spec.horizon) == ("Mine", 7)
    world.close()
