import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.agents.distributions import Categorical, Gaussian, MultiCategorical
from farlands.agents.noise import uniforms


def grid(n: int) -> torch.Tensor:
    """n evenly spread uniforms."""
    return ((torch.arange(n) + 0.5) / n)[:, None]


def test_categorical_samples_in_proportion():
    logits = torch.tensor([0.3, -1.0, 2.0, 0.0, 1.1])
    mask = torch.tensor([1, 1, 0, 1, 1], dtype=torch.uint8)
    n = 100_000
    sampled = Categorical(logits.expand(n, -1), mask.expand(n, -1)).sample(grid(n))
    assert sampled.dtype == torch.int32
    share = torch.bincount(sampled, minlength=5).double() / n
    weights = logits.double().exp() * mask
    assert torch.allclose(share, weights / weights.sum(), atol=2e-5)
    assert share[2] == 0


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 70), scale=st.sampled_from([0.0, 1.0, 30.0, 300.0]))
def test_masked_is_never_picked(seed, n, scale):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(64, n, generator=generator) * scale
    mask = torch.rand(64, n, generator=generator) < 0.3
    mask[torch.arange(64), torch.randint(n, (64,), generator=generator)] = True
    distribution = Categorical(logits, mask)
    smallest, largest = 2.0**-24, 1 - 2.0**-24
    ends = [torch.full((64, 1), end) for end in (0.0, smallest, largest, 1.0)]
    for noise in (*ends, torch.rand(64, 1, generator=generator)):
        assert mask.gather(1, distribution.sample(noise).long()[:, None]).all()
    assert mask.gather(1, distribution.mode().long()[:, None]).all()
    assert (distribution.log_probs.exp()[~mask] == 0).all()
    assert torch.isfinite(distribution.entropy()).all()


def test_categorical_agrees_with_torch():
    logits, mask = torch.randn(50, 7), torch.rand(50, 7) < 0.6
    mask[:, 0] = True
    distribution = Categorical(logits, mask)
    exact = torch.distributions.Categorical(logits=logits.double().masked_fill(~mask, -torch.inf))
    action = distribution.sample(torch.rand(50, 1))
    assert torch.allclose(distribution.log_prob(action).double(), exact.log_prob(action), atol=1e-5)
    entropy = -(exact.probs * exact.probs.clamp(min=1e-300).log()).sum(-1)
    assert torch.allclose(distribution.entropy().double(), entropy, atol=1e-5)


def test_nothing_possible_stays_finite():
    logits = torch.randn(3, 4, requires_grad=True)
    distribution = Categorical(logits, torch.zeros(3, 4, dtype=torch.uint8))
    action = distribution.sample(torch.full((3, 1), 0.7))
    (distribution.log_prob(action).sum() + distribution.entropy().sum()).backward()
    assert torch.isfinite(distribution.log_prob(action)).all()
    assert torch.isfinite(logits.grad).all()


def test_masked_logits_get_no_gradient():
    logits = torch.randn(8, 5, requires_grad=True)
    mask = torch.tensor([1, 0, 1, 1, 0]).expand(8, 5)
    distribution = Categorical(logits, mask)
    (distribution.log_prob(torch.full((8,), 2)).sum() + distribution.entropy().sum()).backward()
    assert (logits.grad[mask == 0] == 0).all()
    assert (logits.grad[mask == 1] != 0).any()


def test_multi_categorical_is_a_product():
    logits, mask = torch.randn(40, 9), torch.ones(40, 9, dtype=torch.uint8)
    mask[:, 4] = 0
    both = MultiCategorical(logits, (3, 6), mask)
    first, second = Categorical(logits[:, :3]), Categorical(logits[:, 3:], mask[:, 3:])
    noise = uniforms(1, torch.arange(40), torch.tensor(0), 2)
    action = both.sample(noise)
    assert action.shape == (40, 2)
    assert torch.equal(action[:, 0], first.sample(noise[:, :1]))
    assert torch.equal(action[:, 1], second.sample(noise[:, 1:]))
    assert (action[:, 1] != 1).all()
    assert torch.allclose(both.log_prob(action), first.log_prob(action[:, 0]) + second.log_prob(action[:, 1]))
    assert torch.allclose(both.entropy(), first.entropy() + second.entropy())
    assert torch.equal(both[5:9].log_prob(action[5:9]), both.log_prob(action)[5:9])


def test_gaussian_agrees_with_torch():
    mean, log_std = torch.randn(30, 3), torch.tensor([-1.0, 0.0, 0.7])
    distribution = Gaussian(mean, log_std)
    exact = torch.distributions.Normal(mean.double(), log_std.double().exp())
    action = distribution.sample(torch.rand(30, 3).clamp(0.001, 0.999))
    assert torch.allclose(distribution.log_prob(action).double(), exact.log_prob(action).sum(-1), atol=1e-5)
    assert torch.allclose(distribution.entropy().double(), exact.entropy().sum(-1), atol=1e-5)
    assert torch.equal(distribution.mode(), mean)


def test_gaussian_samples_have_its_moments():
    n = 20_001
    sampled = Gaussian(torch.full((n, 1), 2.0), torch.tensor([math.log(3.0)])).sample(grid(n))
    assert sampled.mean().item() == pytest.approx(2.0, abs=1e-3)
    assert sampled.std().item() == pytest.approx(3.0, rel=1e-3)
    assert ((sampled - 2.0).abs() < 3.0).float().mean().item() == pytest.approx(0.6827, abs=1e-3)
