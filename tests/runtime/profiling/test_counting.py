"""Counting: operations of matrix products, and bytes of what every operation reads and writes."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farlands.runtime.profiling.counting import Counter, Work
from farlands.runtime.profiling.probe import matrix_dtype, probe

SIZES = st.integers(1, 9)


def count(work) -> Work:
    with Counter() as counter:
        work()
    return counter.read()


@given(m=SIZES, k=SIZES, n=SIZES)
def test_a_product_is_two_operations_for_each_pair(m, k, n):
    left, right = torch.zeros(m, k), torch.zeros(k, n)
    assert count(lambda: left @ right) == Work(2 * m * k * n, 4 * (m * k + k * n + m * n))
    into = torch.zeros(m, n)
    assert count(lambda: into.addmm_(left, right)) == Work(2 * m * k * n, 4 * (m * k + k * n + 2 * m * n))


@pytest.mark.parametrize(
    ("work", "bytes_moved"),
    [
        (lambda x, i: x + x, 4 * 24),  # each argument is read, though they are one
        (lambda x, i: x.view(2, 4).T, 0),
        (lambda x, i: x[2:].view(-1), 0),
        (lambda x, i: torch.empty_like(x), 0),
        (lambda x, i: x.mul_(2.0), 4 * 16),
        (lambda x, i: torch.add(x, 1.0, out=torch.empty(8)), 4 * 16),
        (lambda x, i: x.index_select(0, i), 4 * 4),
        (lambda x, i: x[:1].expand(8) + 0.0, 4 * 9),
        (lambda x, i: torch.zeros(8), 4 * 8),
        (lambda x, i: torch._foreach_add_([x, x], 1.0), 4 * 32),
    ],
    ids=["twice", "transposed", "viewed", "allocated", "in-place", "out", "picked", "spread", "filled", "lists"],
)
def test_bytes_are_those_of_the_arrays(work, bytes_moved):
    x, index = torch.zeros(8), torch.tensor([1, 2])
    assert count(lambda: work(x, index)) == Work(0, bytes_moved)


def test_backward_passes_count_too():
    weight, x = torch.zeros(3, 5, requires_grad=True), torch.zeros(7, 5)
    forward = count(lambda: x @ weight.T)
    both = count(lambda: (x @ weight.T).sum().backward())
    assert forward.operations == 2 * 3 * 5 * 7
    assert both.operations == 2 * forward.operations, "the input needs no gradient"


def test_a_counter_goes_on_where_it_was():
    counter = Counter()
    for times in (1, 2):
        with counter:
            torch.zeros(2, 2) @ torch.zeros(2, 2)
            inside = counter.read()
        assert counter.read() == inside
        assert inside.operations == 16 * times
    torch.zeros(2, 2) @ torch.zeros(2, 2)
    assert counter.read().operations == 32


def test_the_device_can_do_something():
    limits = probe(torch.device("cpu"), 0.01)
    assert 1e7 < limits.bandwidth < 1e13
    assert 1e7 < limits.operations < 1e15
    assert limits.dtype == "float32"
    assert matrix_dtype(torch.device("cpu")) == torch.float32
