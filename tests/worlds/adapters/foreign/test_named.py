"""Crafter, MiniGrid and Atari as worlds: their facts, and that the same seed and actions give the same."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest
import torch

from farlands.cli import main
from farlands.errors import UserError
from farlands.runtime.episodes import read_episodes
from farlands.worlds.adapters.foreign import named
from farlands.worlds.adapters.foreign.crafter import CrafterEnv
from farlands.worlds.adapters.foreign.named import AtariWorld, CrafterWorld, MinigridWorld
from farlands.worlds.adapters.foreign.options import AtariOptions, CrafterOptions, MinigridOptions
from farlands.worlds.adapters.foreign.seeds import episode_seed
from farlands.worlds.world import World


def live(world: World, steps: int, seed: int = 0) -> Any:
    """The last of so many random steps."""
    generator = torch.Generator().manual_seed(seed)
    shape = (steps, world.num_worlds)
    out = world.allocate()
    for actions in torch.randint(world.spec.action.n, shape, generator=generator, dtype=torch.int32):  # type: ignore[union-attr]
        out = world.step(actions, out=out)
    return out


def test_crafter_is_what_its_protocol_says():
    world = CrafterWorld(1, CrafterOptions(workers=0))
    spec = world.spec
    assert {key: (array.shape, array.dtype) for key, array in spec.observation.items()} == {
        "image": ((64, 64, 3), "uint8")
    }
    assert (spec.horizon, len(spec.achievements), spec.action.n) == (10_000, 22, 17)  # type: ignore[union-attr]
    assert spec.action.names[:3] == ("noop", "move_left", "move_right")  # type: ignore[union-attr]
    assert spec.achievements == tuple(sorted(spec.achievements))
    world.close()


def test_crafter_is_the_packages_own():
    """Pictures and rewards of the package as it is, for the seed of the level, until a creature first leaves.

    From there on the package itself depends on addresses in memory.
    """
    import crafter

    ours = CrafterWorld(1, CrafterOptions(workers=0))
    theirs = crafter.Env(seed=12)
    out = ours.reset([12])
    np.testing.assert_array_equal(out.observation["image"][0], theirs.reset())
    for action in np.random.default_rng(0).integers(0, 17, 60):
        seen, reward, done, _ = theirs.step(int(action))
        out = ours.step(torch.tensor([action], dtype=torch.int32))
        assert float(out.reward[0]) == np.float32(reward)
        if done:
            break
        np.testing.assert_array_equal(out.observation["image"][0], seen)
    ours.close()


def test_crafter_repeats_itself_and_resumes():
    """Across worker processes, removal of creatures included; first unlocks counted from 1."""
    one, other = CrafterWorld(2, CrafterOptions(workers=2)), CrafterWorld(2, CrafterOptions(workers=0))
    one.reset(3), other.reset(3)
    live(one, 250), live(other, 250)
    assert torch.equal(one.state_hash(), other.state_hash())
    log, twin = one.drain_episodes(), other.drain_episodes()
    np.testing.assert_array_equal(log.achievements, twin.achievements)
    assert len(log) >= 2
    assert (log.achievements.max(axis=1) <= log.length).all()
    assert set(np.unique(log.achievements[log.achievements < 1])) <= {-1}
    state = one.state_dict()
    live(one, 30, seed=1)
    other.load_state_dict(state)
    live(other, 30, seed=1)
    assert torch.equal(one.state_hash(), other.state_hash())
    one.close(), other.close()


def test_crafter_truncates_at_its_horizon_and_pays_for_achievements():
    world = CrafterWorld(1, CrafterOptions(workers=0, horizon=5))
    world.reset([4])
    for step in range(1, 11):
        out = world.step(torch.zeros(1, dtype=torch.int32))
        assert bool(out.truncated[0]) == (step % 5 == 0)
        assert not out.terminated[0]
    log = world.drain_episodes()
    assert log.seed.tolist() == [4, episode_seed(4, 1)]
    assert log.cause.tolist() == ["horizon"] * 2
    world.close()
    env = CrafterEnv(CrafterOptions())
    env.reset(seed=1)
    total, names = 0.0, set()
    for action in np.random.default_rng(0).integers(0, 17, 150):
        _, reward, terminated, _, info = env.step(action)
        total += reward
        names = {name for name, count in info["achievements"].items() if count}
        if terminated:
            break
    health = env.env._player.health
    assert total == pytest.approx(len(names) + (health - 9) / 10)


def test_crafter_trains_resumes_and_is_scored(tmp_path):
    """The episodes that a run records are what the protocol's scorer reads."""
    from farlands.evaluation.crafter import score_run

    run = tmp_path / "run"
    flags = [
        "--num-worlds",
        "2",
        "--ppo.rollout",
        "32",
        "--agent.hidden",
        "16",
        "--ppo.minibatches",
        "2",
        "--threads",
        "1",
    ]
    assert main(["train", "crafter", "--horizon", "40", "--steps", "256", "--run-dir", str(run), *flags]) == 0
    assert main(["resume", str(run), "--steps", "384"]) == 0
    score = score_run(run, 384)
    assert (score.steps, score.interrupted) == (384, 0)
    # Every row lives through steps 1 to 192: four episodes of forty steps, or more where one dies.
    assert score.episodes >= 8
    assert len(score.rates) == 22


def test_a_crafter_run_resumes_bit_for_bit(tmp_path):
    """From a checkpoint in the middle, the end is the same: networks, worlds, and the record of episodes."""
    straight, resumed = tmp_path / "straight", tmp_path / "resumed"
    flags = ["--num-worlds", "2", "--ppo.rollout", "32", "--agent.hidden", "16", "--ppo.minibatches", "2"]
    flags += ["--threads", "1", "--save-every", "0", "--keep", "9", "--steps", "320", "--run-dir", str(straight)]
    assert main(["train", "crafter", "--horizon", "45", *flags]) == 0
    shutil.copytree(straight, resumed)
    assert main(["resume", str(resumed), "--checkpoint", "step-000000000128"]) == 0
    last = "checkpoints/step-000000000320"
    for name in ("agent.safetensors", "world.safetensors", "collector.safetensors", "learner.safetensors"):
        assert (straight / last / name).read_bytes() == (resumed / last / name).read_bytes(), name
    tables = [read_episodes(path / "episodes") for path in (straight, resumed)]
    assert tables[0].equals(tables[1])
    assert "interrupted" not in tables[1]["cause"].to_pylist()


def test_minigrid_cells_are_ids_and_missions_words():
    world = MinigridWorld(2, MinigridOptions(env_id="MiniGrid-Fetch-5x5-N2-v0", workers=0))
    out = world.reset([0, 1])
    arrays = world.spec.observation
    assert list(arrays) == ["object", "colour", "state", "direction", "mission"]
    assert arrays["object"].categories[:3] == ("unseen", "empty", "wall")
    for key, array in arrays.items():
        assert int(out.observation[key].max()) <= array.high == len(array.categories) - 1, key
    words = arrays["mission"].categories
    said = [" ".join(words[int(word)] for word in row if word) for row in out.observation["mission"]]
    missions = [host.env.unwrapped.mission for _, host in sorted(world.pool._host._envs.items())]  # type: ignore[attr-defined]
    assert said == missions
    assert world.spec.action.names[:3] == ("left", "right", "forward")  # type: ignore[union-attr]
    live(world, 150)
    log = world.drain_episodes()
    assert len(log) >= 2
    assert log.length.max() <= world.spec.horizon  # type: ignore[operator]
    world.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"full_view": True}, {"object": (5, 5)}),
        ({"env_id": "BabyAI-GoToRedBallGrey-v0"}, {"mission": (128,)}),
        ({"horizon": 9}, {"object": (7, 7)}),
    ],
)
def test_minigrid_variants(options, said):
    world = MinigridWorld(1, MinigridOptions(workers=0, **options))
    world.reset(0)
    live(world, 20)
    for key, shape in said.items():
        assert world.spec.observation[key].shape == shape
    assert world.spec.horizon == options.get("horizon", world.spec.horizon)
    world.close()


def test_names_of_environments_are_checked():
    with pytest.raises(UserError, match=r"^[^\n]*Did you mean: `MiniGrid-DoorKey-5x5`"):
        MinigridWorld(1, MinigridOptions(env_id="MiniGrid-DoorKy-5x5-v0", workers=0))


@pytest.mark.parametrize(
    ("kind", "extra"), [(CrafterWorld, "crafter"), (MinigridWorld, "minigrid"), (AtariWorld, "atari")]
)
def test_missing_packages_are_named(kind, extra, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match=rf"^\w+ is not installed; install it by: pip install 'farlands\[{extra}\]'$"):
        kind(1)


def test_atari_repeats_itself_and_resumes():
    pytest.importorskip("ale_py")
    one, other = AtariWorld(2, AtariOptions(workers=2)), AtariWorld(2, AtariOptions(workers=1))
    assert one.spec.observation["image"].shape == (84, 84, 4)
    assert (one.spec.horizon, one.spec.action.names) == (27_000, ("noop", "fire", "right", "left"))  # type: ignore[union-attr]
    one.reset(3), other.reset(3)
    live(one, 250), live(other, 250)
    assert torch.equal(one.state_hash(), other.state_hash())
    assert one.drain_episodes().reward.sum() > 0
    state = one.state_dict()
    live(one, 20, seed=1)
    other.load_state_dict(state)
    live(other, 20, seed=1)
    assert torch.equal(one.state_hash(), other.state_hash())
    with pytest.raises(UserError, match="unknown game 'braekout'; did you mean breakout"):
        AtariWorld(1, AtariOptions(game="braekout"))
    one.close(), other.close()


def test_the_emulator_stays_out_of_this_process():
    """Its licence is the GPL: it is imported by worker processes only."""
    with pytest.raises(ValueError, match="workers is 0"):
        AtariOptions(workers=0)
    assert not hasattr(named, "ale_py")
