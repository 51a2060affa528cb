"""Perturbed worlds: chances as asked for, the same mishaps at any batch size, the contract kept."""

from __future__ import annotations

import pytest
import torch

from farlands.worlds.perturbations import Perturbation, PerturbedWorld
from farlands.worlds.reference import Combination, CueCorridor, CueCorridorOptions, PointReach
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.world import Box

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
    "chances",
    [{"action_failure": -0.1}, {"observation_loss": 1.5}, {"action_failure": float("nan")}, {"observation_noise": 2.0}],
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


@pytest.mark.parametrize("delay", [-1, 1.5, 1001])
def test_delays_that_are_none(delay):
    with pytest.raises(ValueError, match="must be a whole number"):
        Perturbation(action_delay=delay)


@pytest.mark.parametrize("kind", [CueCorridor, PointReach])
@pytest.mark.parametrize("delay", [1, 3])
def test_actions_come_late_by_whole_steps(kind, delay):
    """As if the same actions had been sent that much later, zeros before them."""
    late, prompt = PerturbedWorld(kind(8), Perturbation(action_delay=delay)), kind(8)
    late.reset(2)
    prompt.reset(2)
    generator = torch.Generator().manual_seed(1)
    sent = []
    for _ in range(4):
        sent.append(draw_actions(prompt, generator))
        due = sent[-1 - delay] if len(sent) > delay else torch.zeros_like(sent[0])
        first, second = late.step(sent[-1]), prompt.step(due)
        assert not (second.terminated | second.truncated).any(), "within one episode"
        for key, value in first.observation.items():
            assert torch.equal(value, second.observation[key])


def draw_actions(world, generator):
    shape = (world.num_rows, *world.spec.action.shape)
    if isinstance(world.spec.action, Box):
        return torch.rand(shape, generator=generator) - 0.5
    most = getattr(world.spec.action, "n", None) or min(world.spec.action.nvec)
    return torch.randint(0, most, shape, generator=generator, dtype=torch.int32)


def test_what_is_on_its_way_dies_with_the_episode():
    """Whoever begins anew begins with nothing pending."""
    delay, worlds = 5, 32
    world = PerturbedWorld(
        CueCorridor(worlds, CueCorridorOptions(length=4, horizon=9)), Perturbation(action_delay=delay)
    )
    world.reset(0)
    since, walked = torch.zeros(worlds), 0
    for _ in range(60):
        step = world.step(torch.ones(worlds, dtype=torch.int32))
        ended = step.terminated | step.truncated
        since = torch.where(ended, 0, since + 1)
        assert not step.observation["walked"].flatten()[since <= delay].any()
        walked += int((step.observation["walked"].flatten() > 0).sum())
        assert not world._queue[ended].any()
    assert walked > 0


def test_late_actions_go_on_exactly():
    def late():
        return PerturbedWorld(CueCorridor(4, LONG), Perturbation(action_delay=3, action_failure=0.2))

    world, other = late(), late()
    world.reset(5)
    other.reset(6)
    generator = torch.Generator().manual_seed(3)
    actions = [draw_actions(world, generator) for _ in range(20)]
    for each in actions[:7]:
        world.step(each)
    other.load_state_dict(world.state_dict())
    taken = world.snapshot([2])
    for each in actions[7:]:
        world.step(each)
        other.step(each)
        assert torch.equal(world.state_hash(), other.state_hash())
    before = world.state_hash()
    # The same row with the same actions from there on.
    other.restore(taken, [0])
    for each in actions[7:]:
        other.step(each[[2, 1, 2, 3]])
    assert other.state_hash()[0] == before[2]


def test_hash_covers_what_is_on_its_way():
    world = PerturbedWorld(CueCorridor(4, LONG), Perturbation(action_delay=3))
    world.reset(5)
    for _ in range(3):
        world.step(torch.tensor([0, 1, 2, 1], dtype=torch.int32) % world.spec.action.n)
    before = world.state_hash()
    world._queue[1, 2] += 1
    assert (world.state_hash() != before).tolist() == [False, True, False, False]
    world._queue[1, 2] -= 1
    world._queue[3] = torch.tensor([[0], [1], [1]])
    assert (world.state_hash() != before).tolist() == [False, False, False, True]


@pytest.mark.parametrize("other", [0, 2])
def test_a_state_with_another_delay_is_refused(other):
    state = PerturbedWorld(CueCorridor(4, LONG), Perturbation(action_delay=other)).state_dict()
    world = PerturbedWorld(CueCorridor(4, LONG), Perturbation(action_delay=3))
    with pytest.raises(ValueError, match=r"was the world perturbed|expected \(4, 3, 1\)"):
        world.load_state_dict(state)


VITALS = VoxelOptions(
    senses=("vitals", "inventory", "equipment", "target_block", "action_mask"), start_kit=("planks:64",)
)


def voxel_seen(worlds, noise, steps=30, seeds=None):
    """Observations of agents that stand still, ``[T, W, ...]`` by key."""
    from farlands.worlds.voxel.world import VoxelWorld

    world = PerturbedWorld(VoxelWorld(worlds, VITALS), Perturbation(observation_noise=noise))
    idle = torch.zeros(worlds, dtype=torch.int32)
    seen = [world.reset(seeds or list(range(2**63, 2**63 + worlds))).observation]
    seen += [world.step(idle).observation for _ in range(steps)]
    return {key: torch.stack([each[key] for each in seen]) for key in seen[0]}, world.spec


def test_noise_is_of_the_size_asked_for_and_touches_numbers_alone():
    noisy, spec = voxel_seen(64, 0.1)
    clean, _ = voxel_seen(64, 0.0)
    for key in ("equipment", "target_block", "action_mask"):
        assert torch.equal(noisy[key], clean[key]), key
    # Saturation, 5 of 20, is far from its bounds; 0.1 of a range of 20 is 2 points, and rounding adds 1/12.
    saturation = (noisy["vitals"][..., 2].double() - clean["vitals"][..., 2]).flatten()
    assert saturation.std() == pytest.approx((4 + 1 / 12) ** 0.5, rel=0.05)
    assert saturation.mean() == pytest.approx(0.0, abs=0.15)
    # A full count of 64 planks: a tenth of 65.
    item = spec.observation["inventory"].labels.index("planks")
    planks = (noisy["inventory"][..., item].double() - 64).flatten()
    assert planks.std() == pytest.approx(6.5, rel=0.05)
    for key, array in spec.observation.items():
        assert noisy[key].min() >= array.low
        assert noisy[key].max() <= array.high
        assert noisy[key].dtype == clean[key].dtype


def test_noise_does_not_depend_on_the_batch():
    whole, _ = voxel_seen(6, 0.3, steps=5)
    for row in (0, 4):
        alone, _ = voxel_seen(1, 0.3, steps=5, seeds=[2**63 + row])
        for key, value in alone.items():
            assert torch.equal(value[:, 0], whole[key][:, row])
    assert not torch.equal(whole["vitals"][:, 0], whole["vitals"][:, 1])
    assert not torch.equal(whole["vitals"][0], whole["vitals"][1])


def test_noise_reaches_last_observations_once_and_what_is_looked_at_again_is_the_same():
    world = PerturbedWorld(CueCorridor(64), Perturbation(observation_noise=0.2))
    bare = CueCorridor(64)
    world.reset(0)
    bare.reset(0)
    for _ in range(14):
        held = {key: value.clone() for key, value in world.final_observation.items()}
        actions = torch.ones(64, dtype=torch.int32)
        step, other = world.step(actions), bare.step(actions)
        ended = step.terminated | step.truncated
        assert torch.equal(ended, other.terminated | other.truncated)
        for key, value in world.final_observation.items():
            assert torch.equal(value[~ended], held[key][~ended]), "rows that go on keep theirs"
        seen = {key: value.clone() for key, value in step.observation.items()}
        again = world.observe(world.allocate()).observation
        assert all(torch.equal(value, again[key]) for key, value in seen.items())
    assert not torch.equal(world.final_observation["walked"], bare.final_observation["walked"])


def test_lost_observations_hold_no_noise():
    world = PerturbedWorld(CueCorridor(32, LONG), Perturbation(observation_loss=1.0, observation_noise=0.5))
    assert not world.reset(0).observation["view"].any()
