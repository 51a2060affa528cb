"""Nested state as JSON with tensors set apart, and back: no pickle, so that reading a stranger's file runs no code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

_SCALARS = (bool, int, float, str, type(None))


def split_tensors(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """Nested dicts, lists, tuples, tensors, arrays and scalars as JSON data that refer to tensors by path.

    Returns:
        JSON data, and the tensors by path, contiguous and on the CPU, no two sharing memory.

    Raises:
        TypeError: Something else is in the tree.
    """
    tensors: dict[str, Tensor] = {}
    storages: set[int] = set()

    def place(tensor: Tensor, path: str) -> str:
        tensor = tensor.detach().cpu().contiguous()
        pointer = tensor.untyped_storage().data_ptr()
        if pointer in storages:
            tensor = tensor.clone()
        storages.add(tensor.untyped_storage().data_ptr())
        tensors[path] = tensor
        return path

    def split(node: Any, path: str) -> Any:
        match node:
            case Tensor():
                return {"$tensor": place(node, path)}
            case np.ndarray():
                return {"$array": place(torch.from_numpy(np.array(node)), path)}
            case np.generic():
                return node.item()
            case Mapping() if all(isinstance(key, str) and not key.startswith("$") for key in node):
                return {key: split(value, f"{path}/{key}" if path else key) for key, value in node.items()}
            case Mapping():
                items = enumerate(node.items())
                return {"$items": [[key, split(value, f"{path}/{index}")] for index, (key, value) in items]}
            case tuple():
                return {"$tuple": [split(value, f"{path}/{index}") for index, value in enumerate(node)]}
            case list():
                return [split(value, f"{path}/{index}") for index, value in enumerate(node)]
        if isinstance(node, _SCALARS):
            return node
        raise TypeError(f"state at {path or 'the root'} holds a {type(node).__name__}, which cannot be saved")

    return split(tree, ""), tensors


def join_tensors(data: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The tree that ``split_tensors`` took apart.

    Raises:
        KeyError: A tensor referred to is missing.
    """
    match data:
        case {"$tensor": path}:
            return tensors[path]
        case {"$array": path}:
            return tensors[path].numpy()
        case {"$items": items}:
            return {key: join_tensors(value, tensors) for key, value in items}
        case {"$tuple": values}:
            return tuple(join_tensors(value, tensors) for value in values)
        case dict():
            return {key: join_tensors(value, tensors) for key, value in data.items()}
        case list():
            return [join_tensors(value, tensors) for value in data]
    return data
