import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.learning.returns import ValueStream, generalised_advantages


def slow_advantages(rewards, values, next_values, terminated, truncated, stream, gae_lambda):
    """Sums of discounted temporal differences along each row, straight from the definition, in float64."""
    length, rows = rewards.shape
    advantages = np.zeros((length, rows))
    for row in range(rows):
        for start in range(length):
            weight = 1.0
            for t in range(start, length):
                follows = next_values[t, row] if stream.episodic else values[t + 1, row]
                if stream.episodic and terminated[t, row]:
                    follows = 0.0
                difference = rewards[t, row] + stream.discount * follows - values[t, row]
                advantages[start, row] += weight * difference
                weight *= stream.discount * gae_lambda
                if stream.episodic and (terminated[t, row] or truncated[t, row]):
                    break
    return advantages


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    length=st.integers(1, 20),
    discounts=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    episodic=st.lists(st.booleans(), min_size=3, max_size=3),
    gae_lambda=st.floats(0, 1),
    ends=st.floats(0, 0.5),
)
def test_equals_the_definition(seed, length, discounts, episodic, gae_lambda, ends):
    random = np.random.default_rng(seed)
    rows, heads = 4, len(discounts)
    rewards, values = random.normal(size=(length, rows, heads)), random.normal(size=(length + 1, rows, heads))
    terminated = random.random((length, rows)) < ends
    truncated = ~terminated & (random.random((length, rows)) < ends)
    next_values = np.where(truncated[..., None], random.normal(size=(length, rows, heads)), values[1:])
    streams = [ValueStream(discount, episodic=flag) for discount, flag in zip(discounts, episodic, strict=False)]
    fast = generalised_advantages(
        *(torch.tensor(array, dtype=torch.float32) for array in (rewards, values, next_values)),
        torch.tensor(terminated),
        torch.tensor(truncated),
        streams,
        gae_lambda,
    )
    assert fast.dtype == torch.float32
    for head, stream in enumerate(streams):
        series = (array[..., head] for array in (rewards, values, next_values))
        exact = slow_advantages(*series, terminated, truncated, stream, gae_lambda)
        assert np.allclose(fast[..., head], exact, atol=1e-4)


def test_truncation_is_not_termination():
    one, none = torch.ones(1, 1, 1), torch.zeros(1, 1, dtype=torch.bool)
    values, next_values = torch.zeros(2, 1, 1), 10 * one
    streams = [ValueStream(0.5)]
    cut = generalised_advantages(one, values, next_values, none, ~none, streams, 0.95)
    ended = generalised_advantages(one, values, next_values, ~none, none, streams, 0.95)
    assert (cut.item(), ended.item()) == (6.0, 1.0)
