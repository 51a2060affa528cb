"""Lists whose entries several arrays describe, such as the nodes of a goal: every entry is read alike.

Axis letters: N rows, E entries, F inputs of an entry, W width, H attention heads, D features.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from farlands.agents.inputs import input_linear, make_parts
from farlands.worlds.world import ArraySpec

_WIDTH, _HEADS = 48, 4


class ListEncoder(nn.Module):
    """A list to a shift and a scale of the features (FiLM, Perez et al. 2018).

    One matrix reads each entry together with the one after it (a goal's node stands just before its ``not``), and
    attention with learned queries gathers them (Lee et al. 2019). What an entry means is learned once, not again for
    every place it may stand at.

    Args:
        arrays: Specs by key, all with E entries along their first axis.
        hidden: D.

    Raises:
        ValueError: Arrays of one list have different numbers of entries.
    """

    def __init__(self, arrays: Mapping[str, ArraySpec], hidden: int) -> None:
        super().__init__()
        self.keys = tuple(arrays)
        (first, array), *_ = arrays.items()
        self.entries = array.shape[0]
        for key, other in arrays.items():
            if other.shape[0] != self.entries:
                found = f"{self.entries} entries in {first!r} but {other.shape[0]} in {key!r}"
                raise ValueError(f"the list {array.list_name!r} has {found}")
        one = {key: dataclasses.replace(array, shape=array.shape[1:]) for key, array in arrays.items()}
        self.parts = nn.ModuleList(make_parts(one))
        sizes = [part.size for part in self.parts]
        self.weight = nn.Parameter(torch.empty(2 * _WIDTH, sum(sizes)))
        self.bias = nn.Parameter(torch.zeros(2 * _WIDTH))
        for column in self.weight.data.split(sizes, dim=1):
            column.normal_(0.0, 1.0 / math.sqrt(column.shape[1]))
        self.norm = nn.LayerNorm(_WIDTH)
        self.score = nn.Linear(_WIDTH, _HEADS)
        self.out = nn.Linear(_HEADS * _WIDTH, 2 * hidden)

    def forward(self, flat: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """By key ``[N, E, ...]`` to a shift and a scale around 0, each ``[N, D]``."""
        entries = {key: flat[key].flatten(0, 1) for key in self.keys}
        rows = len(entries[self.keys[0]])
        both = input_linear(self.parts, entries, rows, self.weight, self.bias)  # type: ignore[arg-type]
        own, for_last = both.unflatten(0, (-1, self.entries)).chunk(2, dim=2)
        read = own + functional.pad(for_last[:, 1:], (0, 0, 0, 1))
        read = functional.relu(self.norm(read))
        share = self.score(read).softmax(dim=1)
        gathered = (share.transpose(1, 2) @ read).flatten(1)
        shift, scale = self.out(gathered).chunk(2, dim=1)
        return shift, scale

    @torch.no_grad()
    def silence(self) -> None:
        """Neither shift nor scale, at first."""
        self.out.weight.zero_()
        self.out.bias.zero_()


def split_lists(arrays: Mapping[str, ArraySpec]) -> tuple[dict[str, ArraySpec], dict[str, dict[str, ArraySpec]]]:
    """Arrays that stand for themselves, and those that describe lists by the list's name."""
    alone, lists = {}, {}
    for key, array in arrays.items():
        if array.list_name:
            lists.setdefault(array.list_name, {})[key] = array
        else:
            alone[key] = array
    return alone, lists
