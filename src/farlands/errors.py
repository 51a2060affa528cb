"""The one kind of error that is the user's to mend: one clear line, exit code 2, nothing overwritten."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in what the user asked for.

    Args:
        what: What is wrong, e.g. ``"unknown world"``.
        value: The offending value, shown quoted after ``what``; None shows nothing.
        allowed: What would have been right: names, among which the nearest is pointed out, or a phrase.

    Attributes:
        silent: Another process says it.
    """

    silent = False

    def __init__(self, what: str, value: object = None, allowed: Iterable[str] | str = ()) -> None:
        text = what if value is None else f"{what} {_quote(value)}"
        if isinstance(allowed, str):
            text += f"; {allowed}" if allowed else ""
        else:
            names = sorted(set(allowed))
            close = nearest(str(value), names) if value is not None else None
            text += f"; did you mean {close}?" if close else ""
            # A long list helps nobody who was told the nearest name.
            text += f" (one of: {_shorten(names)})" if names and not (close and len(names) > 12) else ""
        super().__init__(" ".join(text.split()))

    def told(self) -> UserError:
        """The same, for a process that need not say it because another one does."""
        self.silent = True
        return self


class PeerError(Exception):
    """Another process of a run is late or gone; the message says which, and what it was doing."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` most like ``name``, or None if none is like it."""
    found = difflib.get_close_matches(name, list(names), n=1, cutoff=0.6)
    return found[0] if found else None


def closest(name: str, names: Iterable[str]) -> str:
    """``did you mean 'X'?``, or the list of what is allowed."""
    known = list(names)
    found = nearest(name, known)
    return f"did you mean {found!r}?" if found else f"allowed: {', '.join(known)}"


def first_line(error: BaseException) -> str:
    """What an exception says, on one line, for quoting inside a ``UserError``."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _quote(value: object) -> str:
    # Tokens from a command line may hold anything; line breaks, control characters and lone surrogates must stay in.
    text = str(value).encode("utf-8", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return f"'{text if len(text) <= 200 else text[:197] + '...'}'"


def _shorten(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f", and {len(names) - most} more" if len(names) > most else "")
