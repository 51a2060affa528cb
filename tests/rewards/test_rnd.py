import copy

import pytest
import torch

from farlands.agents.baselines import RandomAgent
from farlands.learning.collect import Collector
from farlands.learning.rollout import allocate_rollout
from farlands.rewards.config import RNDConfig
from farlands.rewards.rnd import RND, FlatInputs
from farlands.worlds.reference import CueCorridor, PointReach
from farlands.worlds.world import ArraySpec


def rollout_at(corner: float, seed: int):
    """Points scattered around a corner of the room."""
    rollout = allocate_rollout(PointReach(64), 16, 1, 0)
    generator = torch.Generator().manual_seed(seed)
    for key, value in rollout.steps.observation.items():
        centre = corner if key == "position" else 0.0
        value.copy_(centre + 0.05 * torch.randn(value.shape, generator=generator))
    return rollout


def raw(source: RND, rollout) -> float:
    """Mean bonus before it is divided by the deviation of its return."""
    with torch.no_grad():
        return torch.cat([source._error(inputs) for inputs in source._blocks(rollout.next_observations)]).mean().item()


def test_bonus_falls_on_the_known_and_stays_on_the_new():
    torch.manual_seed(0)
    source = RND(PointReach(1).spec, config=RNDConfig(hidden=32, features=16, learning_rate=1e-3, share=1.0))
    # Both corners are seen once, so that inputs are normalised over the whole room.
    both = allocate_rollout(PointReach(64), 16, 1, 0)
    for key, value in both.steps.observation.items():
        halves = (rollout_at(corner, 9).steps.observation[key][:, :32] for corner in (-0.5, 0.5))
        value.copy_(torch.cat(tuple(halves), dim=1))
    source.reward(both)
    source.update(both)
    known, new = rollout_at(-0.5, 1), rollout_at(0.5, 2)
    before = raw(source, known), raw(source, new)
    for seed in range(300):
        seen = rollout_at(-0.5, seed + 10)
        source.reward(seen)
        metrics = source.update(seen)
    assert raw(source, known) < 0.05 * before[0]
    assert raw(source, new) > 5 * raw(source, known)
    assert float(metrics["rnd_loss"]) == pytest.approx(raw(source, known), rel=0.5)


def test_bonus_is_in_units_of_its_returns():
    source = RND(PointReach(1).spec, config=RNDConfig(hidden=16))
    rollout = rollout_at(0.0, 1)
    bonus = source.reward(rollout)
    assert bonus.shape == (16, 64)
    raw_bonus = bonus * source.returns.std
    sums, running = [], torch.zeros(64, dtype=torch.float64)
    for t in range(16):
        running = 0.99 * running + raw_bonus[t].double()
        sums.append(running)
    assert source.returns.std.item() == pytest.approx(torch.stack(sums).std(correction=0).item(), rel=1e-4)
    source.reward(rollout)
    assert torch.allclose(source.running.double()[0], source_sum(raw_bonus, running)[0], rtol=1e-3)


def source_sum(bonus, running):
    for t in range(len(bonus)):
        running = 0.99 * running + bonus[t].double()
    return running


def test_target_never_learns():
    source = RND(PointReach(1).spec)
    target, predictor = copy.deepcopy(source.target.state_dict()), copy.deepcopy(source.predictor.state_dict())
    for seed in range(3):
        source.reward(rollout_at(0.0, seed))
        source.update(rollout_at(0.0, seed))
    assert all(torch.equal(value, source.target.state_dict()[name]) for name, value in target.items())
    assert not any(torch.equal(value, source.predictor.state_dict()[name]) for name, value in predictor.items())


def test_every_row_has_its_turn():
    source = RND(PointReach(1).spec, config=RNDConfig(share=0.25))
    rollout = allocate_rollout(PointReach(10), 3, 1, 0)
    rollout.steps.observation["target"][:] = torch.arange(10.0)[:, None]
    seen = []
    for source.updates in range(4):
        seen += source._share(rollout)["target"][0, :, 0].tolist()
    assert sorted(seen) == list(range(10))


def test_state_goes_on_exactly():
    world = CueCorridor(8)
    collector = Collector(world, RandomAgent(world.spec), 12, seed=1)
    collector.start(1)
    torch.manual_seed(1)
    one, other = RND(world.spec), RND(world.spec)
    for _ in range(2):
        rollout = collector.collect()
        one.reward(rollout)
        one.update(rollout)
    other.load_state_dict(copy.deepcopy(one.state_dict()))
    for _ in range(2):
        rollout = collector.collect()
        assert torch.equal(one.reward(rollout), other.reward(rollout))
        ours, theirs = one.update(rollout), other.update(rollout)
        assert {name: float(value) for name, value in ours.items()} == {name: float(v) for name, v in theirs.items()}


def test_images_are_pooled():
    inputs = FlatInputs({"pixels": ArraySpec((64, 32, 3), "uint8", 0, 255), "level": ArraySpec((), "uint8", 0, 4)})
    assert inputs.size == 16 * 16 * 3 + 1
    pixels = torch.zeros(2, 64, 32, 3, dtype=torch.uint8)
    pixels[1, :4, :2, 0] = 255
    flat = inputs({"pixels": pixels, "level": torch.tensor([0, 4], dtype=torch.uint8)})
    assert flat[0].abs().sum() == 0
    assert flat[1, 0] == 1.0
    assert flat[1, 1] == 1.0
    assert flat[1].sum() == 2.0


@pytest.mark.parametrize(("field", "value"), [("share", 0.0), ("share", 1.5), ("discount", 2.0), ("hidden", 0)])
def test_config_refuses_the_impossible(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value}"):
        RNDConfig(**{field: value})


def test_only_the_chosen_arrays_count():
    spec = PointReach(1).spec
    rollout = rollout_at(0.3, 1)
    bonuses = []
    for _ in range(2):
        target = rollout.steps.observation["target"]
        target.copy_(target.flip(0))
        torch.manual_seed(1)
        narrow, wide = RND(spec, config=RNDConfig(keys=("position",))), RND(spec)
        bonuses.append((narrow.reward(rollout), wide.reward(rollout)))
    assert torch.equal(bonuses[0][0], bonuses[1][0])
    assert not torch.equal(bonuses[0][1], bonuses[1][1])


def test_unknown_keys_are_refused():
    with pytest.raises(ValueError, match=r"rnd\.keys: no observation named 'smell'"):
        RND(PointReach(1).spec, config=RNDConfig(keys=("smell",)))
