import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.agents.memory import MinGRU, remember, scan


def slow_scan(decay, gain, start):
    states, state = [], start
    for t in range(len(gain)):
        state = decay[t] * state + gain[t]
        states.append(state)
    return torch.stack(states)


def drawn(length: int, seed: int) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(seed)
    decay = torch.rand(length, 3, 4, generator=generator, dtype=torch.float64)
    decay *= torch.rand(length, 3, 1, generator=generator) > 0.2
    gain = torch.randn(length, 3, 4, generator=generator, dtype=torch.float64)
    start = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    return decay, gain, start


@settings(max_examples=30, deadline=None)
@given(length=st.integers(1, 33), seed=st.integers(0, 1000))
def test_scan_and_its_gradients_equal_autograd(length, seed):
    inputs = [value.requires_grad_() for value in drawn(length, seed)]
    weights = torch.randn(length, 3, 4, dtype=torch.float64)
    fast, slow = scan(*inputs), slow_scan(*inputs)
    assert torch.allclose(fast, slow, atol=1e-12)
    for ours, exact in zip(
        torch.autograd.grad((fast * weights).sum(), inputs),
        torch.autograd.grad((slow * weights).sum(), inputs),
        strict=True,
    ):
        assert torch.allclose(ours, exact, atol=1e-12)


def slow_remember(features, gates, kept, start):
    mixed, states = [], []
    for t in range(len(gates)):
        update, mix, candidate = gates[t].chunk(3, dim=-1)
        start = (1 - update.sigmoid()) * kept[t] * start + update.sigmoid() * candidate
        states.append(start)
        mixed.append((1 - mix.sigmoid()) * features[t] + mix.sigmoid() * start)
    return torch.stack(mixed), torch.stack(states)


@pytest.mark.parametrize("length", [1, 2, 13])
def test_recurrence_and_its_gradients_equal_autograd(length):
    shapes = (length, 3, 4), (length, 3, 12), (3, 4)
    features, gates, start = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes)
    kept = (torch.rand(length, 3, 1) > 0.3).double()
    weights = torch.randn(2, length, 3, 4, dtype=torch.float64)
    fast, slow = (run(features, gates, kept, start) for run in (remember, slow_remember))
    inputs = (features, gates, start)
    ours, exact = (torch.autograd.grad((torch.stack(out) * weights).sum(), inputs) for out in (fast, slow))
    assert torch.allclose(torch.stack(fast), torch.stack(slow), atol=1e-12)
    assert all(torch.allclose(one, other, atol=1e-12) for one, other in zip(ours, exact, strict=True))


def test_reset_forgets_exactly():
    memory = MinGRU(width=8, layers=2, span=100)
    features, first = torch.randn(6, 3, 8), torch.zeros(6, 3, dtype=torch.bool)
    first[3, 1] = True
    out, after = memory(features, torch.randn(3, 16), first)
    fresh, fresh_after = memory(features[3:, 1:2], torch.zeros(1, 16), torch.zeros(3, 1, dtype=torch.bool))
    assert torch.allclose(out[3:, 1:2], fresh, atol=1e-6)
    assert torch.allclose(after[1:2], fresh_after, atol=1e-6)
    features[:3, 1] += 1.0
    again, again_after = memory(features, torch.randn(3, 16), first)
    assert torch.equal(again[3:, 1], out[3:, 1])
    assert torch.equal(again_after[1], after[1])


def test_memory_starts_with_many_time_scales():
    scales = 1 + torch.exp(-MinGRU(width=512, layers=1, span=256).gates[0].bias[:512])
    assert 2.0 <= scales.min() < 4.0
    assert 248 < scales.max() <= 256.01
