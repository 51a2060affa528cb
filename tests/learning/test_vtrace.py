import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farlands.learning.returns import ValueStream, generalised_advantages
from farlands.learning.vtrace import vtrace


class Case:
    """A random rollout, float64 arrays ``[T, R, V]``, with its flags and ratios."""

    def __init__(self, seed, length, streams, ends, spread=1.0):
        random = np.random.default_rng(seed)
        shape = (length, 3, len(streams))
        self.streams = streams
        self.rewards, self.values = random.normal(size=shape), random.normal(size=(length + 1, *shape[1:]))
        self.terminated = random.random(shape[:2]) < ends
        self.truncated = ~self.terminated & (random.random(shape[:2]) < ends)
        cut = self.truncated[..., None]
        self.next_values = np.where(cut, random.normal(size=shape), self.values[1:])
        self.log_ratios = spread * random.normal(size=shape[:2])

    def fast(self, **settings):
        arrays = (self.rewards, self.values, self.next_values, self.log_ratios)
        rewards, values, next_values, log_ratios = (torch.tensor(array, dtype=torch.float32) for array in arrays)
        ends = torch.tensor(self.terminated), torch.tensor(self.truncated)
        return vtrace(rewards, values, next_values, *ends, log_ratios, self.streams, **settings)

    def generalised(self, gae_lambda):
        arrays = (self.rewards, self.values, self.next_values)
        tensors = (torch.tensor(array, dtype=torch.float32) for array in arrays)
        ends = torch.tensor(self.terminated), torch.tensor(self.truncated)
        return generalised_advantages(*tensors, *ends, self.streams, gae_lambda)


def slow_vtrace(case, row, head, rho_clip, trace_clip, trace_lambda):
    """The sum of equation 1, term by term, on Python floats: targets and advantages of one row and head."""
    stream, length = case.streams[head], len(case.rewards)
    values = case.values[:, row, head].tolist()
    ratios = [math.exp(ratio) for ratio in case.log_ratios[:, row]]
    targets, advantages = [], []

    def after(t):
        """Value of what step t led to."""
        if not stream.episodic:
            return values[t + 1]
        return 0.0 if case.terminated[t, row] else float(case.next_values[t, row, head])

    def ends(t):
        return stream.episodic and (case.terminated[t, row] or case.truncated[t, row])

    for start in range(length):
        target, product = values[start], 1.0
        for t in range(start, length):
            difference = case.rewards[t, row, head] + stream.discount * after(t) - values[t]
            target += product * min(rho_clip, ratios[t]) * difference
            product *= stream.discount * trace_lambda * min(trace_clip, ratios[t])
            if ends(t):
                break
        targets.append(target)
    for t in range(length):
        ahead = after(t)
        if t + 1 < length and not ends(t):
            ahead = trace_lambda * targets[t + 1] + (1 - trace_lambda) * values[t + 1]
        estimate = case.rewards[t, row, head] + stream.discount * ahead
        advantages.append(estimate - values[t])
    return targets, advantages


STREAMS = st.lists(st.builds(ValueStream, st.floats(0, 1), episodic=st.booleans()), min_size=1, max_size=3)
CASES = st.builds(Case, st.integers(0, 10_000), st.integers(1, 16), STREAMS, st.floats(0, 0.5))


@given(case=CASES, rho_clip=st.floats(0.5, 3), share=st.floats(0.1, 1), trace_lambda=st.floats(0, 1))
def test_equals_the_papers_sum(case, rho_clip, share, trace_lambda):
    settings = {"rho_clip": rho_clip, "trace_clip": share * rho_clip, "trace_lambda": trace_lambda}
    fast = case.fast(**settings)
    assert fast.targets.dtype == fast.advantages.dtype == torch.float32
    for row in range(3):
        for head in range(len(case.streams)):
            targets, advantages = slow_vtrace(case, row, head, *settings.values())
            assert np.allclose(fast.targets[:, row, head], targets, atol=1e-4, rtol=1e-4)
            assert np.allclose(fast.advantages[:, row, head], advantages, atol=1e-4, rtol=1e-4)


@given(case=CASES, trace_lambda=st.floats(0, 1))
def test_of_one_policy_are_generalised_advantages(case, trace_lambda):
    case.log_ratios[:] = 0.0
    fast, expected = case.fast(trace_lambda=trace_lambda), case.generalised(trace_lambda)
    assert torch.allclose(fast.advantages, expected, atol=1e-5)
    assert torch.allclose(fast.targets, expected + torch.tensor(case.values[:-1], dtype=torch.float32), atol=1e-5)


@given(case=CASES, spread=st.floats(1, 60))
def test_stays_finite_however_far_apart_policies_are(case, spread):
    case.log_ratios *= spread
    fast = case.fast()
    assert torch.isfinite(fast.targets).all()
    assert torch.isfinite(fast.advantages).all()


@given(case=CASES, chosen=st.integers(0, 15))
def test_nothing_flows_back_over_an_end(case, chosen):
    end = chosen % len(case.rewards)
    case.truncated[end] = ~case.terminated[end]
    before = case.fast()
    case.rewards[end + 1 :] += 100.0
    case.values[end + 1 :] -= 50.0
    after = case.fast()
    for head, stream in enumerate(case.streams):
        if stream.episodic:
            assert torch.equal(before.targets[: end + 1, :, head], after.targets[: end + 1, :, head])
            assert torch.equal(before.advantages[: end + 1, :, head], after.advantages[: end + 1, :, head])


def test_truncation_is_not_termination():
    one, none = torch.ones(1, 1, 1), torch.zeros(1, 1, dtype=torch.bool)
    values, next_values, same = torch.zeros(2, 1, 1), 10 * one, torch.zeros(1, 1)
    streams = [ValueStream(0.5)]
    cut = vtrace(one, values, next_values, none, ~none, same, streams)
    ended = vtrace(one, values, next_values, ~none, none, same, streams)
    assert (cut.targets.item(), cut.advantages.item()) == (6.0, 6.0)
    assert (ended.targets.item(), ended.advantages.item()) == (1.0, 1.0)


def test_an_action_the_policy_never_takes_teaches_nothing():
    case = Case(0, 5, [ValueStream(0.9)], 0.0)
    case.log_ratios[2] = -math.inf
    fast = case.fast()
    assert torch.allclose(fast.targets[2], torch.tensor(case.values[2], dtype=torch.float32))
    for t in range(2):
        alone = Case(0, 5, [ValueStream(0.9)], 0.0).fast()
        assert not torch.allclose(fast.advantages[t], alone.advantages[t]), "nor does what came after it"


def test_changes_none_of_its_arguments():
    case = Case(1, 6, [ValueStream(0.9), ValueStream(0.5, episodic=False)], 0.2)
    copies = [array.copy() for array in (case.rewards, case.values, case.next_values, case.log_ratios)]
    tensors = [torch.from_numpy(array) for array in (case.rewards, case.values, case.next_values)]
    ends = torch.tensor(case.terminated), torch.tensor(case.truncated)
    vtrace(*tensors, *ends, torch.from_numpy(case.log_ratios), case.streams)
    for array, copy in zip((case.rewards, case.values, case.next_values, case.log_ratios), copies, strict=True):
        assert pytest.approx(copy) == array
