import pytest
import torch

from farlands.learning.normalise import RunningMoments, ValueNormaliser


def test_first_rollout_sets_the_units():
    normaliser = ValueNormaliser(2)
    returns = torch.randn(50, 30, 2) * torch.tensor([3.0, 0.01]) + torch.tensor([5.0, -1.0])
    normaliser.update(returns)
    normal = normaliser.normalise(returns)
    assert torch.allclose(normal.mean((0, 1)), torch.zeros(2), atol=1e-3)
    assert torch.allclose(normal.std((0, 1)), torch.ones(2), atol=1e-3)
    assert torch.allclose(normaliser.denormalise(normal), returns, atol=1e-5)


def test_scale_and_shift_keep_what_values_mean():
    normaliser, values = ValueNormaliser(2), torch.randn(40, 2)
    for centre in (0.0, 3.0, -7.0):
        meant = normaliser.denormalise(values)
        scale, shift = normaliser.update(torch.randn(20, 10, 2) * (1 + centre**2) + centre)
        values = scale * values + shift
        assert torch.allclose(normaliser.denormalise(values), meant, atol=1e-4)


def test_constant_returns_stay_finite():
    normaliser = ValueNormaliser(1)
    normaliser.update(torch.zeros(5, 5, 1))
    assert normaliser.std.item() == pytest.approx(1e-4)
    assert torch.isfinite(normaliser.normalise(torch.zeros(1, 1))).all()


def test_running_moments_equal_those_of_everything():
    batches = [torch.randn(n, 3) * 5 + 1000 for n in (1, 7, 100, 31)]
    moments, everything = RunningMoments((3,)), torch.cat(batches).double()
    for batch in batches:
        moments.update(batch)
    assert torch.allclose(moments.mean, everything.mean(0).float())
    assert torch.allclose(moments.std, everything.std(0, correction=0).float())


@pytest.mark.parametrize("make", [lambda: ValueNormaliser(2), lambda: RunningMoments((2,))])
def test_state_goes_in_and_out(make):
    one, other = make(), make()
    one.update(torch.randn(9, 2) if isinstance(one, RunningMoments) else torch.randn(9, 4, 2))
    other.load_state_dict(one.state_dict())
    more = torch.randn(5, 2) if isinstance(one, RunningMoments) else torch.randn(5, 4, 2)
    for each in (one, other):
        each.update(more)
    assert torch.equal(one.mean, other.mean)
    assert torch.equal(one.std, other.std)


def test_state_of_another_shape_is_refused():
    with pytest.raises(ValueError, match="3 value heads"):
        ValueNormaliser(2).load_state_dict(ValueNormaliser(3).state_dict())
    with pytest.raises(ValueError, match="shape"):
        RunningMoments((2,)).load_state_dict(RunningMoments((3,)).state_dict())
