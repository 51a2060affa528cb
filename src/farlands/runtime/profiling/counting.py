"""How much arithmetic and how much memory traffic torch is asked for.

The rule: operations are the multiplications and additions of matrix products and convolutions, as torch's own counter
has them. Bytes are those of the arrays that every operation reads and writes, each once: views and allocations move
nothing, and an operation that picks rows reads as much as it writes. What stays in a cache between two operations is
counted like what does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

_PICKS = {"index_select", "gather", "index", "embedding", "masked_select", "take", "select_backward", "slice_backward"}
"""Operations that read only the parts of their source that they hand on."""
_IDLE = {"empty", "empty_like", "new_empty", "empty_strided", "detach", "alias", "lift_fresh", "_unsafe_view"}
"""Operations that neither read nor write."""


def _product_added(into: Any, left: Any, right: Any, out_shape: Any = None, **_: Any) -> int:
    """Operations of adding the product of two matrices in place, from their shapes; torch's table lacks it."""
    return 2 * left[0] * left[1] * right[1]


_LACKING = {torch.ops.aten.addmm_: _product_added}


class Work(NamedTuple):
    """Operations and bytes; differences of two readings are what was asked for between them."""

    operations: float = 0.0
    bytes: float = 0.0

    def plus(self, other: Work) -> Work:
        """Both together."""
        return Work(self.operations + other.operations, self.bytes + other.bytes)

    def minus(self, other: Work) -> Work:
        """What came after another reading."""
        return Work(self.operations - other.operations, self.bytes - other.bytes)


class Counter:
    """Counts what torch is asked for while it is entered; it may be entered again and goes on then."""

    def __init__(self) -> None:
        self._flops, self._traffic = _count_operations(), _Traffic()
        self._done, self._stack = Work(), ExitStack()
        self._entered = False

    def read(self) -> Work:
        """All so far."""
        if not self._entered:
            return self._done
        return self._done.plus(Work(float(self._flops.get_total_flops()), float(self._traffic.bytes)))

    def __enter__(self) -> Counter:
        # torch's counter begins at 0 whenever it is entered.
        self._flops, self._traffic, self._stack = _count_operations(), _Traffic(), ExitStack()
        self._stack.enter_context(self._flops)
        self._stack.enter_context(self._traffic)
        self._entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self._done = self.read()
        self._entered = False
        self._stack.close()


def _count_operations() -> FlopCounterMode:
    return FlopCounterMode(display=False, custom_mapping=_LACKING)


class _Traffic(TorchDispatchMode):
    """Adds up the bytes of the arrays of every operation."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = func.overloadpacket.__name__
        if not (func.is_view or name in _IDLE):
            given = list(_given(func, args, kwargs))
            changed = [value for argument, value in given if argument.alias_info and argument.alias_info.is_write]
            # What is changed in place is also handed back.
            written = _bytes(changed) if changed else _bytes(out)
            read = written if name in _PICKS else _bytes([value for argument, value in given if not argument.is_out])
            self.bytes += written + read
        return out


def _given(func: Any, args: Any, kwargs: Any) -> Iterator[tuple[Any, Any]]:
    """Each argument of an operation that was given, as its schema has it, with its value."""
    schema = func._schema.arguments
    yield from zip(schema, args, strict=False)
    yield from ((argument, kwargs[argument.name]) for argument in schema if argument.name in kwargs)


def _bytes(values: Any) -> int:
    return sum(map(_size, tree_leaves(values)))


def _size(value: Any) -> int:
    if not isinstance(value, torch.Tensor):
        return 0
    # What is spread over an axis without being stored there is read once.
    stored = [size for size, stride in zip(value.shape, value.stride(), strict=True) if stride]
    count = 1
    for size in stored:
        count *= size
    return count * value.element_size() if value.numel() else 0
