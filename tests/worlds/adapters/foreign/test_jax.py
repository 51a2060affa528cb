"""JAX environments on the world's device: the contract, against a loop; Craftax where time allows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from farlands.errors import UserError
from farlands.worlds.adapters.foreign.jax_world import JaxEnv, JaxWorld, find_device
from farlands.worlds.adapters.foreign.seeds import streams
from farlands.worlds.world import ArraySpec, Discrete, WorldSpec

jax = pytest.importorskip("jax")

HORIZON = 15
ROWS = 5


class Walk(JaxEnv):
    """Walk on a line from a drawn place with a drawn push; leaving it ends the episode, as may the time."""

    spec = WorldSpec(
        name="walk",
        observation={
            "place": ArraySpec((2,), "float32", -10, 10),
            "picture": ArraySpec((3, 4), "uint8", 0, 255),
        },
        action=Discrete(3),
        horizon=HORIZON,
        achievements=("far", "left"),
    )

    def reset(self, key: Any) -> Any:
        place = jax.random.uniform(key, (), minval=-2.0, maxval=2.0)
        return {"place": place, "time": jax.numpy.int32(0), "furthest": jax.numpy.abs(place), "key": key}

    def step(self, key: Any, state: Any, action: Any) -> tuple[Any, Any, Any, Any]:
        place = state["place"] + (action - 1) + jax.random.uniform(key, (), minval=-0.5, maxval=0.5)
        time = state["time"] + 1
        furthest = jax.numpy.maximum(state["furthest"], jax.numpy.abs(place))
        state = {"place": place, "time": time, "furthest": furthest, "key": state["key"]}
        return state, place, jax.numpy.abs(place) > 4, time >= HORIZON

    def observe(self, state: Any) -> dict[str, Any]:
        picture = jax.numpy.full((3, 4), 10 + state["time"], jax.numpy.uint8)
        return {"place": jax.numpy.stack((state["place"], state["furthest"])), "picture": picture}

    def achieved(self, state: Any) -> Any:
        return jax.numpy.stack((state["furthest"] > 3, state["place"] < -1))


ENV = Walk()


def walk(rows: int = ROWS, resets: int = 2) -> JaxWorld:
    return JaxWorld(rows, ENV, None, resets=resets)


def random_actions(steps: int, rows: int = ROWS, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(3, (steps, rows), generator=generator, dtype=torch.int32)


def test_a_world_lives_what_a_loop_lives():
    """One environment of one row by itself, with its seeds derived as written here."""
    world = walk()
    out = world.reset(9)
    words = [np.array([seed >> 32, seed & 0xFFFFFFFF], np.uint32) for seed in streams(9, ROWS)]
    seeds = list(words)
    states = [ENV.reset(jax.numpy.array(seed)) for seed in seeds]
    time, episode, total, log = [0] * ROWS, [0] * ROWS, [0.0] * ROWS, []
    unlocked = np.full((ROWS, 2), -1)
    for actions in random_actions(60):
        out = world.step(actions, out=out)
        for row in range(ROWS):
            time[row] += 1
            key = jax.random.fold_in(jax.numpy.array(seeds[row]), time[row])
            states[row], reward, terminated, truncated = ENV.step(key, states[row], int(actions[row]))
            total[row] += float(reward)
            new = np.asarray(ENV.achieved(states[row])) & (unlocked[row] < 0)
            unlocked[row][new] = time[row]
            assert float(out.reward[row]) == pytest.approx(float(reward), abs=1e-6)
            assert (bool(out.terminated[row]), bool(out.truncated[row])) == (
                bool(terminated), bool(truncated and not terminated),
            )  # fmt: skip
            if terminated or truncated:
                last = ENV.observe(states[row])
                np.testing.assert_allclose(world.final_observation["place"][row], last["place"], atol=1e-5)
                np.testing.assert_array_equal(world.final_observation["picture"][row], last["picture"])
                seed = int(seeds[row][0]) << 32 | int(seeds[row][1])
                log.append((row, seed, time[row], "rules" if terminated else "horizon", *unlocked[row].tolist()))
                assert len(log) > 1 or total[row] != 0
                episode[row] += 1
                time[row], total[row], unlocked[row] = 0, 0.0, -1
                derived = np.array(jax.random.fold_in(jax.numpy.array(words[row]), episode[row]))
                derived[0] &= 0x7FFFFFFF
                seeds[row] = derived
                states[row] = ENV.reset(jax.numpy.array(derived))
            np.testing.assert_allclose(out.observation["place"][row], ENV.observe(states[row])["place"], atol=1e-5)
            assert int(out.observation["picture"][row, 0, 0]) == 10 + time[row]
    found = world.drain_episodes()
    columns = (found.row.tolist(), found.seed.tolist(), found.length.tolist(), found.cause.tolist())
    assert [(*line, *first) for *line, first in zip(*columns, found.achievements.tolist(), strict=True)] == log
    assert {line[3] for line in log} == {"rules", "horizon"}
    assert found.dropped == len(world.drain_episodes()) == 0


def test_worlds_are_the_same_in_any_batch_and_any_order_of_resets():
    worlds = walk(), walk(3), walk(resets=5)
    for world in worlds:
        world.reset([3, 4, 5, 6, 7][: world.num_rows])
        for actions in random_actions(40):
            world.step(actions[: world.num_rows])
    hashes = [world.state_hash().tolist() for world in worlds]
    assert hashes[0][:3] == hashes[1]
    assert hashes[0] == hashes[2]


def test_state_comes_back_exactly_and_is_not_shared():
    one, other = walk(), walk()
    one.reset(1)
    for actions in random_actions(33):
        one.step(actions)
    state, before = one.state_dict(), one.state_hash()
    other.load_state_dict(state)
    assert torch.equal(other.state_hash(), before)
    # Neither the saved state nor what was handed out is the world's own memory.
    for value in state.values():
        value.zero_()
    one.observe(one.allocate()).observation["place"].zero_()
    assert torch.equal(one.state_hash(), before)
    assert torch.equal(other.state_hash(), before)
    for actions in random_actions(20, seed=2):
        a, b = one.step(actions), other.step(actions)
        assert all(torch.equal(a.observation[key], b.observation[key]) for key in a.observation)
    assert np.array_equal(one.drain_episodes().seed, other.drain_episodes().seed)
    other.restore(one.snapshot([4]), [0])
    assert other.state_hash()[0] == one.state_hash()[4]
    assert torch.equal(other.state_hash()[1:], one.state_hash()[1:])
    seen = other.observe(other.allocate()).observation["place"]
    assert torch.equal(seen[0], one.observe(one.allocate()).observation["place"][4])


def test_the_hash_covers_every_array():
    world = walk(2)
    world.reset(0)
    state, before = world.snapshot(), world.state_hash()
    for name, value in state.items():
        changed = value.clone()
        changed.view(-1)[0] += 1
        world.restore(state | {name: changed})
        assert world.state_hash()[0] != before[0], name
        assert world.state_hash()[1] == before[1], name


def test_what_does_not_fit_is_refused():
    world = walk(2)
    good = world.state_dict()
    with pytest.raises(ValueError, match="lacks 'log'"):
        world.load_state_dict(world.snapshot())
    with pytest.raises(ValueError, match="time of the snapshot"):
        world.load_state_dict(good | {"time": good["time"].float()})
    with pytest.raises(ValueError, match="actions have shape"):
        world.step(torch.zeros(3, dtype=torch.int32))
    with pytest.raises(ValueError, match="num_worlds is 0"):
        walk(0)


def test_choices_that_do_not_exist_count_as_the_first():
    one, other = walk(2), walk(2)
    a = one.step(torch.tensor([-5, 3], dtype=torch.int32))
    b = other.step(torch.tensor([0, 0], dtype=torch.int64))
    assert torch.equal(a.reward, b.reward)


def test_devices():
    assert find_device(torch.device("cpu")).platform == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match="JAX has no device 'cuda'"):
            find_device(torch.device("cuda"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("senses", ["symbols", "pixels"])
def test_craftax_classic(senses):
    pytest.importorskip("craftax")
    from farlands.worlds.adapters.foreign.craftax import CraftaxWorld
    from farlands.worlds.adapters.foreign.options import CraftaxOptions

    options = CraftaxOptions(senses=senses, horizon=150)
    world, other = CraftaxWorld(4, options), CraftaxWorld(4, options)
    spec = world.spec
    assert (spec.action.n, len(spec.achievements), spec.horizon) == (17, 22, 150)  # type: ignore[union-attr]
    shapes = {"symbols": (1345,), "pixels": (63, 63, 3)}
    (array,) = spec.observation.values()
    assert array.shape == shapes[senses]
    world.reset(2)
    generator = torch.Generator().manual_seed(0)
    for actions in torch.randint(17, (200, 4), generator=generator, dtype=torch.int32):
        out = world.step(actions)
    (seen,) = out.observation.values()
    assert 0 < float(seen.float().mean()) < array.high
    other.load_state_dict(world.state_dict())
    for actions in torch.randint(17, (20, 4), generator=generator, dtype=torch.int32):
        world.step(actions), other.step(actions)
    assert torch.equal(world.state_hash(), other.state_hash())
    log = world.drain_episodes()
    assert set(log.cause) <= {"rules", "horizon"}
    assert log.length.max() <= 150
    assert (log.achievements > 0).any()
