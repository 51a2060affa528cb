"""Lists of entries: read alike wherever they stand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from farlands.agents import AgentConfig, make_agent
from farlands.agents.lists import ListEncoder, split_lists
from farlands.agents.perception import make_perception
from farlands.worlds.reference import CueCorridor
from farlands.worlds.world import ArraySpec

ENTRIES, HIDDEN = 6, 8
ARRAYS = {
    "kind": ArraySpec((ENTRIES,), "uint8", 0, 3, categories=("a", "b", "c", "d"), list_name="goal"),
    "number": ArraySpec((ENTRIES,), "int16", 0, 99, list_name="goal"),
    "place": ArraySpec((ENTRIES, 2), "float32", -1.0, 3.0, list_name="goal"),
}


def _draw(rows: int, seed: int = 0) -> dict[str, torch.Tensor]:
    drawn = np.random.default_rng(seed)
    return {
        "kind": torch.from_numpy(drawn.integers(0, 4, (rows, ENTRIES), dtype=np.uint8)),
        "number": torch.from_numpy(drawn.integers(0, 100, (rows, ENTRIES), dtype=np.int16)),
        "place": torch.from_numpy(drawn.uniform(-1, 3, (rows, ENTRIES, 2)).astype(np.float32)),
    }


def _slow(encoder: ListEncoder, seen: dict[str, torch.Tensor], row: int) -> np.ndarray:
    """The same in float64, entry by entry."""
    state = {key: value.double().numpy() for key, value in encoder.state_dict().items()}
    width = len(state["norm.weight"])
    inputs = []
    for entry in range(ENTRIES):
        kind = np.eye(4)[int(seen["kind"][row, entry])]
        number = np.log2(1.0 + float(seen["number"][row, entry])) / 2
        place = (seen["place"][row, entry].double().numpy() + 1.0) / 4.0
        inputs.append(np.array([*kind, number, *place]))
    read = []
    for entry in range(ENTRIES):
        total = state["weight"][:width] @ inputs[entry] + state["bias"][:width]
        if entry + 1 < ENTRIES:
            total = total + state["weight"][width:] @ inputs[entry + 1] + state["bias"][width:]
        total = (total - total.mean()) / np.sqrt(total.var() + encoder.norm.eps)
        read.append(np.maximum(total * state["norm.weight"] + state["norm.bias"], 0.0))
    read = np.stack(read)
    score = read @ state["score.weight"].T + state["score.bias"]
    share = np.exp(score) / np.exp(score).sum(axis=0)
    return state["out.weight"] @ (share.T @ read).ravel() + state["out.bias"]


def test_it_equals_a_slow_reference():
    torch.manual_seed(1)
    encoder, seen = ListEncoder(ARRAYS, HIDDEN), _draw(5)
    torch.nn.init.normal_(encoder.bias)
    with torch.no_grad():
        out = torch.cat(encoder(seen), dim=1).double().numpy()
    for row in range(5):
        np.testing.assert_allclose(out[row], _slow(encoder, seen, row), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("place", range(2, ENTRIES - 1))
def test_an_entry_means_the_same_wherever_it_stands(place):
    encoder, entry = ListEncoder(ARRAYS, HIDDEN), _draw(4)
    first, elsewhere = ({key: torch.zeros_like(value) for key, value in entry.items()} for _ in range(2))
    for key, value in entry.items():
        first[key][:, 1], elsewhere[key][:, place] = value[:, 0], value[:, 0]
    for a, b, empty in zip(
        encoder(first), encoder(elsewhere), encoder({key: value * 0 for key, value in entry.items()}), strict=True
    ):
        torch.testing.assert_close(a, b)
        assert not torch.allclose(a, empty)


def test_a_silent_one_changes_nothing():
    spec = {"vitals": ArraySpec((3,), "float32", 0.0, 1.0), **ARRAYS}
    perception = make_perception(spec, AgentConfig(hidden=HIDDEN))
    perception.lists["goal"].silence()
    seen, other = ({"vitals": torch.ones(4, 3), **_draw(4, seed)} for seed in (0, 1))
    assert torch.equal(perception(seen), perception(other))
    torch.nn.init.normal_(perception.lists["goal"].out.weight)
    assert not torch.equal(perception(seen), perception(other))


def test_an_agent_may_see_lists_alone():
    perception = make_perception(ARRAYS, AgentConfig(hidden=HIDDEN))
    features = perception({key: value.unflatten(0, (2, 3)) for key, value in _draw(6).items()})
    assert features.shape == (2, 3, HIDDEN)
    features.sum().backward()
    assert perception.lists["goal"].weight.grad.abs().max() > 0


def test_lists_are_told_from_what_stands_alone():
    alone, lists = split_lists({"vitals": ArraySpec((3,), "float32", 0.0, 1.0), **ARRAYS})
    assert (list(alone), {name: list(arrays) for name, arrays in lists.items()}) == (["vitals"], {"goal": list(ARRAYS)})
    assert len(make_agent(CueCorridor(1).spec).perception.lists) == 0


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match="'goal' has 6 entries in 'kind' but 4 in 'number'"):
        ListEncoder({**ARRAYS, "number": ArraySpec((4,), "int16", 0, 99, list_name="goal")}, HIDDEN)
