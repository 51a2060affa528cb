"""How the studio is opened. Free of heavy imports."""

from __future__ import annotations

import typing
from dataclasses import dataclass
from typing import Literal

import tyro

PORT = 8_700


@dataclass(frozen=True)
class StudioConfig:
    """Watch runs, play and record in a browser."""

    target: tyro.conf.Suppress[str] = ""
    """A run's directory, or one that holds some."""
    port: int = PORT
    """Port of the page; 0 for any that is free."""
    host: str = "127.0.0.1"
    """Address to listen on. Beyond this machine a token is needed, which is printed with the page's address."""
    token: str = ""
    """The token, at least 16 characters; by default a new one for every start, and none on this machine."""
    open: bool = False
    """Open a browser at once."""

    def __post_init__(self) -> None:
        _check_address(self.port, self.token)

    MAIN_FLAGS: typing.ClassVar = ("port", "host", "token", "open")


@dataclass(frozen=True)
class PlayConfig:
    """Walk into a world, beside the agent that comes with Farlands."""

    target: tyro.conf.Suppress[str] = ""
    """A saved world or a level's seed; by default a level of today's."""
    beside: Literal["nobody", "next-world", "same-world"] = "next-world"
    """Where the agent is: on the same level in a world of its own, in yours, or nowhere."""
    task: Literal["survive", "tools", "diamond"] = "tools"
    """What is rewarded."""
    port: int = PORT
    """Port of the page; 0 for any that is free."""
    open: bool = True
    """Open a browser at once, where there is one."""

    def __post_init__(self) -> None:
        _check_address(self.port, "")

    MAIN_FLAGS: typing.ClassVar = ("beside", "task", "port", "open")


def _check_address(port: int, token: str) -> None:
    if not 0 <= port <= 65_535:
        raise ValueError(f"port is {port}; it must be in [0, 65535]")
    if token and (len(token) < 16 or not token.isascii() or not token.isalnum()):
        raise ValueError("token must be at least 16 letters and digits")
