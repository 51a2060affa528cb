from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farlands.runtime.tree import join_tensors, split_tensors

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(max_size=8)
)
KEYS = st.one_of(st.text(max_size=4), st.integers(0, 9))
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(TREES)
def test_any_tree_comes_back_equal_through_json(tree):
    data, tensors = split_tensors(tree)
    assert join_tensors(json.loads(json.dumps(data)), tensors) == tree


def test_tensors_and_arrays_come_back_with_type_and_value():
    tree = {
        "model": {"weight": torch.arange(6.0).reshape(2, 3), "count": torch.tensor(3), "empty": torch.zeros(0, 2)},
        "moments": {0: (torch.ones(2, dtype=torch.bool), [np.arange(3, dtype=np.uint64)])},
    }
    data, tensors = split_tensors(tree)
    back = join_tensors(json.loads(json.dumps(data)), tensors)
    assert torch.equal(back["model"]["weight"], tree["model"]["weight"])
    assert back["model"]["count"].shape == ()
    assert back["model"]["empty"].shape == (0, 2)
    assert back["moments"][0][0].dtype == torch.bool
    assert back["moments"][0][1][0].dtype == np.uint64


def test_keys_that_look_like_marks_are_not_taken_for_them():
    tree = {"$tensor": "x", "inner": {"$tuple": [1]}}
    data, tensors = split_tensors(tree)
    assert join_tensors(json.loads(json.dumps(data)), tensors) == tree


def test_shared_memory_is_told_apart():
    weight = torch.ones(4)
    _, tensors = split_tensors({"a": weight, "b": weight, "c": weight[:2]})
    pointers = {tensor.untyped_storage().data_ptr() for tensor in tensors.values()}
    assert len(pointers) == 3


def test_what_cannot_be_saved_is_named_by_place():
    with pytest.raises(TypeError, match="state at a/1 holds a object"):
        split_tensors({"a": [0, object()]})
