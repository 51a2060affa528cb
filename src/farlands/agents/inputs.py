"""The first layer: small integers in, one matrix product out, without ever storing what they expand to.

Axis letters: N rows, F inputs, D features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from farlands.worlds.world import ArraySpec

BLOCK = 512
"""Rows expanded at a time on a CPU: what they expand to stays in the cache, where a whole batch of it would go through
memory twice (six times slower when measured)."""


class Part(nn.Module):
    """Some arrays of an observation that expand to float32 inputs together.

    Attributes:
        size: F.
    """

    size: int

    def gather(self, flat: Mapping[str, Tensor]) -> Tensor:
        """The part's arrays side by side, compact, ``[N, ...]``."""
        raise NotImplementedError

    def expand(self, compact: Tensor) -> Tensor:
        """What the network reads, float32 ``[N, F]``."""
        raise NotImplementedError


class IdInput(Part):
    """Arrays of ids that share a code: each id becomes its fixed bits.

    Args:
        table: float32 ``[ids, bits]``.
        arrays: Specs by key.
    """

    table: Tensor

    def __init__(self, table: Tensor, arrays: Mapping[str, ArraySpec]) -> None:
        super().__init__()
        self.register_buffer("table", table, persistent=False)
        self.keys = tuple(arrays)
        self.size = sum(math.prod(array.shape) for array in arrays.values()) * table.shape[1]

    def gather(self, flat: Mapping[str, Tensor]) -> Tensor:
        ids = [flat[key].flatten(1) if flat[key].ndim > 1 else flat[key][:, None] for key in self.keys]
        return ids[0] if len(ids) == 1 else torch.cat(ids, dim=1)

    def expand(self, compact: Tensor) -> Tensor:
        # int32 and index_select: eight times faster on a CPU than int64 and an embedding.
        bits = torch.index_select(self.table, 0, compact.reshape(-1).to(torch.int32))
        return bits.view(len(compact), self.size)


class NumberInput(Part):
    """Arrays of numbers, side by side: counts on a scale of doublings, others by their bounds.

    Integers wider than a byte, from 0 up, are counts. One more means most when there are few, so they go in as
    ``log2(1 + x) / 2``. Unbounded numbers go in as ``sign(x) log(1 + |x|)`` (Hafner et al. 2023).
    """

    shift: Tensor
    factor: Tensor

    def __init__(self, arrays: Mapping[str, ArraySpec]) -> None:
        super().__init__()
        kinds = {key: _kind(array) for key, array in arrays.items()}
        self.keys = tuple(sorted(arrays, key=kinds.__getitem__))
        self.sizes = [math.prod(arrays[key].shape) for key in self.keys]
        self.size = sum(self.sizes)
        by_kind = [0, 0, 0]
        for key, size in zip(self.keys, self.sizes, strict=True):
            by_kind[kinds[key]] += size
        self.by_kind = tuple(by_kind)
        scaled = [(arrays[key], size) for key, size in zip(self.keys, self.sizes, strict=True) if kinds[key] == _SCALED]
        factor = [1 / max(array.high - array.low, 1e-6) for array, size in scaled for _ in range(size)]
        low = [float(array.low) for array, size in scaled for _ in range(size)]
        self.register_buffer("factor", torch.tensor(factor), persistent=False)
        self.register_buffer("shift", -torch.tensor(low) * torch.tensor(factor), persistent=False)

    def gather(self, flat: Mapping[str, Tensor]) -> Tensor:
        first = flat[self.keys[0]]
        numbers = torch.empty(len(first), self.size, device=first.device)
        columns = numbers.split(self.sizes, dim=1)
        for key, column in zip(self.keys, columns, strict=True):
            column.copy_(flat[key].reshape(column.shape))
        return numbers

    def expand(self, compact: Tensor) -> Tensor:
        expanded = torch.empty_like(compact)
        (counts, unbounded, scaled), into = compact.split(self.by_kind, dim=1), expanded.split(self.by_kind, dim=1)
        if counts.shape[1]:
            torch.log1p(counts, out=into[_COUNT]).mul_(0.5 / math.log(2))
        if unbounded.shape[1]:
            torch.mul(unbounded.sign(), unbounded.abs().log1p(), out=into[_UNBOUNDED])
        if scaled.shape[1]:
            torch.addcmul(self.shift, scaled, self.factor, out=into[_SCALED])
        return expanded


_COUNT, _UNBOUNDED, _SCALED = range(3)
_ENDLESS = 1e6
"""Bounds this far apart are as good as none: scaled by them, every number seen would be the same."""


def _kind(array: ArraySpec) -> int:
    if array.low >= 0 and array.dtype in ("int16", "int32", "int64", "uint16"):
        return _COUNT
    return _SCALED if array.high - array.low < _ENDLESS else _UNBOUNDED


def make_parts(arrays: Mapping[str, ArraySpec]) -> list[Part]:
    """One part for all ids of each code, one for all numbers."""
    tables: dict[bytes, tuple[Tensor, dict[str, ArraySpec]]] = {}
    numbers = {}
    for key, array in arrays.items():
        if not (array.class_bits or array.categories):
            numbers[key] = array
            continue
        table = np.asarray(array.class_bits or np.eye(len(array.categories)), dtype=np.float32)
        tables.setdefault(table.tobytes(), (torch.from_numpy(table), {}))[1][key] = array
    parts: list[Any] = [IdInput(table, keyed) for table, keyed in tables.values()]
    return [*parts, NumberInput(numbers)] if numbers else parts


def input_linear(parts: Sequence[Part], flat: Mapping[str, Tensor], rows: int, weight: Tensor, bias: Tensor) -> Tensor:
    """``expanded @ weight.T + bias`` over all parts, ``[N, D]``.

    Args:
        parts: In the order of the columns of ``weight``.
        flat: Observation by key, ``[N, *shape]``.
        rows: N.
        weight: float32 ``[D, F]``, F the parts' sizes together.
        bias: float32 ``[D]``.
    """
    compact = [part.gather(flat) for part in parts]
    if weight.is_cuda:
        expanded = [part.expand(array) for part, array in zip(parts, compact, strict=True)]
        return functional.linear(torch.cat(expanded, dim=1), weight, bias)
    return _BlockedLinear.apply(weight, bias, parts, *compact)


class _BlockedLinear(torch.autograd.Function):
    """Expands block after block, in the forward pass and again in the backward pass."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor, parts: Sequence[Part], *compact: Tensor) -> Tensor:
        ctx.parts = parts
        ctx.save_for_backward(weight, *compact)
        out = bias.repeat(len(compact[0]), 1)
        columns = weight.split([part.size for part in parts], dim=1)
        for part, array, column in zip(parts, compact, columns, strict=True):
            for rows, into in zip(array.split(BLOCK), out.split(BLOCK), strict=True):
                into.addmm_(part.expand(rows), column.T)
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        weight, *compact = ctx.saved_tensors
        grad_columns = []
        for part, array in zip(ctx.parts, compact, strict=True):
            column = torch.zeros(part.size, len(weight), dtype=weight.dtype, device=weight.device)
            for rows, from_rows in zip(array.split(BLOCK), grad.split(BLOCK), strict=True):
                column.addmm_(part.expand(rows).T, from_rows)
            grad_columns.append(column.T)
        return torch.cat(grad_columns, dim=1), grad.sum(dim=0), None, *(None for _ in compact)
