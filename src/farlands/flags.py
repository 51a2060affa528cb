"""From command-line tokens to a frozen config: tyro does the parsing, this gives its errors and help one line each."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import inspect
import io
import itertools
import re
import textwrap
import typing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from farlands.errors import UserError

Config = TypeVar("Config")

_PREFIXES = {"options": "world"}
_INTEGER = re.compile(r"[+-]?\d+(_\d+)*")


@dataclass(frozen=True)
class Flag:
    """One thing that can be set, e.g. ``--ppo.learning-rate``.

    Attributes:
        name: Without the dashes.
        kind: Its type annotation.
        default: Its value when not set.
        doc: What it means.
    """

    name: str
    kind: Any
    default: Any
    doc: str


def list_flags(config: Any, prefix: str = "") -> Iterator[Flag]:
    """Every flag of a config and the configs nested in it, in the order of its fields."""
    kind = type(config)
    hints = typing.get_type_hints(kind, include_extras=True)
    docs = field_docs(kind)
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        name = prefix + _PREFIXES.get(item.name, item.name).replace("_", "-")
        if _is_suppressed(hints[item.name]):
            continue
        if dataclasses.is_dataclass(value):
            yield from list_flags(value, f"{name}.")
        elif not (item.name in _PREFIXES and value is None):
            yield Flag(name, hints[item.name], value, docs.get(item.name, ""))


def field_docs(kind: type) -> dict[str, str]:
    """The docstring under each field of a dataclass, by field name; empty where the source is not to be had."""
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        try:
            body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body  # type: ignore[attr-defined]
        except (OSError, TypeError, SyntaxError):
            continue
        for statement, after in itertools.pairwise(body):
            match statement, after:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                    docs[name] = " ".join(text.split())
    return docs


def parse_flags(config: Config, tokens: Sequence[str], prog: str) -> Config:
    """``config`` with what the tokens of a command line say.

    Raises:
        UserError: A flag is unknown, or a value is missing, of the wrong type or impossible.
    """
    import tyro

    if not tokens:
        return config
    tokens = _check_tokens({flag.name: flag for flag in list_flags(config)}, list(tokens), prog)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint), contextlib.redirect_stdout(io.StringIO()):
            return tyro.cli(
                type(config),
                default=config,
                args=tokens,
                prog=prog,
                add_help=False,
                config=(tyro.conf.FlagConversionOff, tyro.conf.AvoidSubcommands, tyro.conf.CascadeSubcommandArgs),
            )
    except SystemExit as error:
        raise UserError(_first_paragraph(complaint.getvalue()) or "cannot read the command line") from error


def print_all_help(config: Any, prog: str) -> None:
    """Every flag, as tyro shows it."""
    import tyro

    with contextlib.suppress(SystemExit):
        tyro.cli(type(config), default=config, args=["--help"], prog=prog, config=(tyro.conf.FlagConversionOff,))


def short_help(config: Any, main: Sequence[str], usage: str, notes: Sequence[str] = ()) -> str:
    """Usage, what the config is for, the flags that matter and the world's own."""
    flags = {flag.name: flag for flag in list_flags(config)}
    lines = [f"usage: {usage}", "", inspect.cleandoc(type(config).__doc__ or ""), ""]
    lines += _describe([flags[name] for name in main if name in flags])
    own = [flag for name, flag in flags.items() if name.startswith("world.")]
    if own:
        lines += ["", "of this world:", *_describe(own)]
    return "\n".join([*lines, "", *notes])


def _describe(flags: Sequence[Flag]) -> list[str]:
    width = max((len(flag.name) for flag in flags), default=0) + 4
    lines = []
    for flag in flags:
        shown = "" if flag.default in ("", ()) else f" [{_show(flag.default)}]"
        wrapped = textwrap.wrap(flag.doc + shown, width=max(40, 110 - width)) or [""]
        lines.append(f"  {'--' + flag.name:<{width}}{wrapped[0]}")
        lines += [" " * (width + 2) + line for line in wrapped[1:]]
    return lines


def _show(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(str(item) for item in value)
    # Four digits are read at a glance, and a port is no quantity.
    long = isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000
    return f"{value:_}" if long else str(value)


def _is_suppressed(hint: Any) -> bool:
    return any("Suppress" in str(extra) for extra in getattr(hint, "__metadata__", ()))


def _check_tokens(flags: dict[str, Flag], tokens: Sequence[str], prog: str) -> list[str]:
    """The same tokens as tyro reads them. Names every mistake that shows in one flag and its values."""
    checked = []
    for name, values in _group_tokens(tokens, prog):
        # A world's own option may be named without its prefix where nothing else has that name.
        name = f"world.{name}" if name not in flags and f"world.{name}" in flags else name
        if name not in flags:
            known = [*flags, *(each.removeprefix("world.") for each in flags)]
            raise UserError("unknown flag", f"--{name}", [f"--{each}" for each in known])
        flag = flags[name]
        if typing.get_origin(flag.kind) is tuple:
            checked += [f"--{name}", *_check_values(flag, values)]
        elif not values and flag.kind is bool:
            checked.append(f"--{name}=True")
        elif not values:
            raise UserError(f"--{name} has no value", allowed=f"expected {_expected(flag.kind)}")
        elif len(values) > 1:
            raise UserError("unexpected argument", values[1], f"--{name} takes one value")
        else:
            checked.append(f"--{name}={_check_value(flag, values[0])}")
    return checked


def take_flag(tokens: list[str], name: str) -> tuple[str, list[str]]:
    """The value of a flag that has to be known before the others can be read, and the other tokens.

    Raises:
        UserError: It has no value.
    """
    rest, value = [], ""
    pending = False
    for token in tokens:
        if pending:
            value, pending = token, False
        elif token == f"--{name}":
            pending = True
        elif token.startswith(f"--{name}="):
            value = token.partition("=")[2]
        else:
            rest.append(token)
    if pending:
        raise UserError(f"--{name} has no value")
    return value, rest


def _group_tokens(tokens: Sequence[str], prog: str) -> Iterator[tuple[str, list[str]]]:
    """Each flag's name, in kebab case, with the tokens that follow it up to the next flag."""
    starts = [index for index, token in enumerate(tokens) if _names_flag(token)]
    if not starts or starts[0] != 0:
        raise UserError("unexpected argument", tokens[0], f"flags start with --; see {prog} --help")
    for start, end in zip(starts, [*starts[1:], len(tokens)], strict=True):
        name, equals, value = tokens[start][2:].partition("=")
        yield name.replace("_", "-"), [*([value] if equals else []), *tokens[start + 1 : end]]


def _names_flag(token: str) -> bool:
    """Whether a token is a flag; one with a blank in it is a value, which may hold flags itself."""
    return token.startswith("--") and " " not in token.partition("=")[0]


def _check_values(flag: Flag, texts: list[str]) -> list[str]:
    kinds = typing.get_args(flag.kind)
    if kinds[-1] is Ellipsis:
        kinds = kinds[:1] * len(texts)
    if len(kinds) != len(texts):
        raise UserError(f"--{flag.name} has {len(texts)} values", allowed=f"expected {len(kinds)}")
    return [_check_value(flag, text, kind) for text, kind in zip(texts, kinds, strict=True)]


def _check_value(flag: Flag, text: str, kind: Any = None) -> str:
    """A value as tyro reads it. Raises UserError where a scalar cannot be read."""
    kind = flag.kind if kind is None else kind
    if typing.get_origin(kind) is Literal:
        choices = [str(choice) for choice in typing.get_args(kind)]
        if text not in choices:
            raise UserError(f"--{flag.name} is", text, choices)
    elif kind is bool:
        if text.lower() not in ("true", "false"):
            raise UserError(f"--{flag.name} is", text, ["True", "False"])
        return text.capitalize()
    elif kind in (int, float):
        return _check_number(flag, text, kind)
    return text


def _check_number(flag: Flag, text: str, kind: Any) -> str:
    # Integers stay text: a float would round seeds near 2**64.
    if _INTEGER.fullmatch(text) and len(text) < 40:
        return _check_size(flag, int(text))
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    whole = number == number and abs(number) != float("inf") and number == int(number)
    if number != number or abs(number) == float("inf") or (kind is int and not whole):
        raise UserError(f"--{flag.name} is", text, f"expected {_expected(kind)}")
    return _check_size(flag, int(number)) if kind is int else repr(number)


def _check_size(flag: Flag, number: int) -> str:
    # Device integers have 64 bits; only seeds use all of them as an unsigned number.
    if abs(number) >= 2**63 and flag.name != "seed":
        raise UserError(f"--{flag.name} is", number, "it must be below 2**63")
    return str(number)


def _expected(kind: Any) -> str:
    if typing.get_origin(kind) is Literal:
        return "one of " + ", ".join(str(choice) for choice in typing.get_args(kind))
    return {int: "a whole number", float: "a number", bool: "True or False", str: "a text"}.get(kind, "a value")


def _first_paragraph(box: str) -> str:
    """What a box drawn by tyro says after its title and before the next rule, on one line."""
    texts = [line.strip("│| \t") for line in box.splitlines()[1:]]
    said = " ".join(text if text.strip("─-╰╯+' ") else "\n" for text in texts)
    first = next((part.strip() for part in said.split("\n") if part.strip()), "")
    return re.sub(r"^Error parsing (\w+Config: )?", "", first)
