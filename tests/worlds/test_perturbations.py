"""Perturbed worlds: chances as asked for, the same mishaps at any batch size, the contract kept."""

from __future__ import annotations

import pytest
import torch

from farlands.worlds.perturbations import Perturbation, PerturbedWorld
from farlands.worlds.reference import Combination, CueCorridor, CueCorridorOptions, PointReach
from farlands.worlds.voxel.options import VoxelOptions

LONG = CueCorridorOptions(length=100, horizon=200)
SEEDS = list(range(2**63, 2**63 + 6))


def walk(world, steps=80):
    """Observations of a walk down the corridor, lost ones being all zeros."""
    out = [world.reset(SEEDS[: world.num_worlds]).observation["view"].clone()]
    for _ in range(steps):
        step = world.step(torch.ones(world.num_rows, dtype=torch.int32))
        out.append(step.observation["view"].clone())
    return torch.stack(out)


def test_actions_fail_as_often_as_asked():
    world = PerturbedWorld(CueCorridor(400, LONG), Perturbation(action_failure=0.3))
    world.reset(0)
    for _ in range(60):
        step = world.step(torch.ones(400, dtype=torch.int32))
    walked = step.observation["walked"].float()
    assert walked.mean() == pytest.approx(0.7 * 60, abs=0.5)
    # Independent failures: the number of steps walked is binomial.
    assert walked.var() == pytest.approx(60 * 0.3 * 0.7, rel=0.25)


def test_observations_are_lost_as_often_as_asked_but_masks_are_not():
    world = PerturbedWorld(CueCorridor(400, LONG), Perturbation(observation_loss=0.2))
    lost, step = [], world.reset(1)
    for _ in range(50):
        lost.append((step.observation["view"] == 0).all(dim=(1, 2)))
        assert step.observation["action_mask"].any(dim=1).all()
        step = world.step(torch.zeros(400, dtype=torch.int32))
    assert torch.stack(lost).float().mean() == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("chances", [{}, {"action_failure": 0.0, "observation_loss": 0.0}])
def test_without_chances_nothing_changes(chances):
    assert torch.equal(walk(PerturbedWorld(CueCorridor(6), Perturbation(**chances))), walk(CueCorridor(6)))


def test_mishaps_do_not_depend_on_the_batch():
    both = Perturbation(action_failure=0.3, observation_loss=0.3)
    whole = walk(PerturbedWorld(CueCorridor(6, LONG), both))
    for row, seed in enumerate(SEEDS):
        alone = PerturbedWorld(CueCorridor(1, LONG), both)
        out = [alone.reset([seed]).observation["view"].clone()]
        out += [alone.step(torch.ones(1, dtype=torch.int32)).observation["view"].clone() for _ in range(80)]
        assert torch.equal(torch.stack(out)[:, 0], whole[:, row])
    assert not torch.equal(whole[:, 0], whole[:, 1])


@pytest.mark.parametrize("kind", [Combination, PointReach])
def test_other_actions_fail_too(kind):
    world = PerturbedWorld(kind(8), Perturbation(action_failure=1.0))
    idle, bare = kind(8), world
    first, second = bare.reset(3), idle.reset(3)
    shape = (8, *world.spec.action.shape)
    for _ in range(10):
        first = world.step(torch.ones(shape, dtype=torch.float32 if kind is PointReach else torch.int32))
        second = idle.step(torch.zeros(shape, dtype=torch.float32 if kind is PointReach else torch.int32))
    for key, value in first.observation.items():
        assert torch.equal(value, second.observation[key])


def test_final_observations_get_lost_too():
    world = PerturbedWorld(CueCorridor(64), Perturbation(observation_loss=1.0))
    world.reset(0)
    ended = torch.zeros(64, dtype=torch.bool)
    for _ in range(12):
        step = world.step(torch.zeros(64, dtype=torch.int32))
        ended |= step.terminated | step.truncated
    assert ended.all()
    assert not world.final_observation["view"].any()
    assert world.final_observation["action_mask"].any(dim=1).all()


def run_on(world, steps):
    for _ in range(steps):
        world.step(torch.ones(world.num_rows, dtype=torch.int32))
    return world.state_hash()


def make(salt=0.2):
    return PerturbedWorld(CueCorridor(4, LONG), Perturbation(action_failure=salt, observation_loss=0.1))


def test_state_goes_on_exactly():
    world, other = make(), make()
    world.reset(5)
    other.reset(6)
    run_on(world, 7)
    other.load_state_dict(world.state_dict())
    assert torch.equal(other.state_hash(), world.state_hash())
    assert torch.equal(run_on(other, 9), run_on(world, 9))


def test_snapshot_of_one_world_moves_to_another_row():
    world = make()
    world.reset(5)
    run_on(world, 7)
    taken = world.snapshot([2])
    before = run_on(world, 5)
    world.restore(taken, [0])
    assert run_on(world, 5)[0] == before[2]


def test_hash_covers_the_mishaps():
    world = make()
    world.reset(5)
    before = world.state_hash()
    world._count[1] += 1
    assert (world.state_hash() != before).tolist() == [False, True, False, False]


def test_perturbations_compose():
    inner = PerturbedWorld(CueCorridor(200, LONG), Perturbation(action_failure=0.5))
    world = PerturbedWorld(inner, Perturbation(action_failure=0.5))
    world.reset(0)
    for _ in range(60):
        step = world.step(torch.ones(200, dtype=torch.int32))
    assert step.observation["walked"].float().mean() == pytest.approx(15, abs=0.7)
    world.load_state_dict(world.state_dict())


def test_a_state_of_an_unperturbed_world_is_refused():
    world = make()
    with pytest.raises(ValueError, match="was the world perturbed"):
        world.restore(CueCorridor(4, LONG).snapshot())


@pytest.mark.parametrize(
    "chances", [{"action_failure": -0.1}, {"observation_loss": 1.5}, {"action_failure": float("nan")}]
)
def test_chances_that_are_none(chances):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        Perturbation(**chances)


def test_the_voxel_world_can_be_perturbed():
    from farlands.worlds.voxel.world import VoxelWorld

    world = PerturbedWorld(VoxelWorld(2, VoxelOptions(horizon=50)), Perturbation(observation_loss=1.0))
    world.reset(SEEDS[:2])
    step = world.step(torch.zeros(2, dtype=torch.int32))
    assert not step.observation["voxels"].any()
    assert world.render([0], 8, 8).float().std() > 0
    world.close()
