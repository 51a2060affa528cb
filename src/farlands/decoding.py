"""JSON data as instances of dataclasses, every key and type checked."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from farlands.errors import UserError

Kind = TypeVar("Kind")


def decode(kind: type[Kind], data: Any, where: object, known: Mapping[str, Any] | None = None) -> Kind:
    """An instance of a dataclass, from what ``dataclasses.asdict`` gave after a trip through JSON.

    Fields may be numbers, texts, tuples of them, literals, optional, or dataclasses. What is missing has its default.

    Args:
        kind: The dataclass.
        data: What was read.
        where: Where it comes from, for messages.
        known: Types of fields that the annotations leave open.

    Raises:
        UserError: A key is unknown or missing, a value has the wrong type, or the dataclass refuses it.
    """
    return _decode_dataclass(kind, data, where, "", known or {})


def _decode(kind: Any, value: Any, where: object, key: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, value, where, key, {})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        kind = next(argument for argument in arguments if argument is not type(None))
        return _decode(kind, value, where, key)
    if origin is tuple and isinstance(value, list):
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(kinds) == len(value):
            return tuple(_decode(one, item, where, key) for one, item in zip(kinds, value, strict=True))
    elif origin is Literal:
        if value in arguments:
            return value
        raise UserError(f"{where}: {key} is", value, [str(argument) for argument in arguments])
    elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise UserError(f"{where}: {key} is", value, "that is too large") from None
    elif isinstance(kind, type) and type(value) is kind:
        return value
    raise UserError(f"{where}: {key} is", value, f"expected {getattr(kind, '__name__', kind)}")


def _decode_dataclass(kind: Any, value: Any, where: object, key: str, known: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        raise UserError(f"{where}: {key or 'config'} is", value, "expected an object")
    hints, prefix = {**typing.get_type_hints(kind), **known}, f"{key}." if key else ""
    fields = {item.name: item for item in dataclasses.fields(kind) if item.init}
    for name in value:
        if name not in fields:
            raise UserError(f"{where}: unknown key", f"{prefix}{name}", fields)
    given = {name: _decode(hints[name], value[name], where, f"{prefix}{name}") for name in value}
    for name, item in fields.items():
        if name not in given and item.default is item.default_factory is dataclasses.MISSING:
            raise UserError(f"{where}: {prefix}{name} is missing")
    try:
        return kind(**given)
    except ValueError as error:
        raise UserError(f"{where}: {error}") from error
