"""What a page may say to the studio, and how anything else is refused.

A page says one JSON object per message: ``type`` names one of the kinds below, the other keys are its fields. The
studio answers with JSON objects that have a ``type`` too, and with binary frames (``frame``).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from farlands.decoding import decode
from farlands.errors import UserError

MOST_BYTES = 4_096
"""Of one message from a page."""


@dataclass(frozen=True)
class OpenRun:
    """Tell about a run, and go on telling how it learns."""

    run: str


@dataclass(frozen=True)
class ShowWall:
    """Stream a wall of worlds of a run."""

    run: str
    worlds: int = 16
    rate: float = 5.0
    side: int = 64

    def __post_init__(self) -> None:
        _within("worlds", self.worlds, 1, 64)
        _within("rate", self.rate, 0.2, 20)
        _within("side", self.side, 32, 256)


@dataclass(frozen=True)
class LookInto:
    """Stream one world of the wall large, with what its agent thinks; -1 for none."""

    world: int
    side: int = 320

    def __post_init__(self) -> None:
        _within("world", self.world, -1, 63)
        _within("side", self.side, 64, 640)


@dataclass(frozen=True)
class CloseWall:
    """No more wall."""


@dataclass(frozen=True)
class ListReplays:
    """Tell which replays there are: of one's own games, or of a run."""

    run: str = ""


@dataclass(frozen=True)
class ShowReplay:
    """Open a replay file of a run, or of one's own games, at a step."""

    run: str
    file: str
    step: int = 0
    side: int = 480

    def __post_init__(self) -> None:
        _within("step", self.step, 0, 2**31)
        _within("side", self.side, 64, 960)


@dataclass(frozen=True)
class Seek:
    """Draw what is open, a replay or a demonstration, before this step."""

    step: int

    def __post_init__(self) -> None:
        _within("step", self.step, 0, 2**31)


@dataclass(frozen=True)
class CloseReplay:
    """No more of it."""


@dataclass(frozen=True)
class Enter:
    """Walk into a world: a level by its seed or a saved world, alone or beside agents.

    Attributes:
        seed: An integer in [0, 2**64), or empty for a level of today's.
        save: Name of a saved world, whose task and agents are then its own; empty for none.
        beside: Where the agent is that comes with Farlands.
        task: What is rewarded.
        side: Width of the pictures in pixels; they are three quarters as high.
    """

    seed: str = ""
    save: str = ""
    beside: Literal["nobody", "next-world", "same-world"] = "next-world"
    task: Literal["survive", "tools", "diamond"] = "tools"
    side: int = 400

    def __post_init__(self) -> None:
        _within("side", self.side, 160, 960)


@dataclass(frozen=True)
class Act:
    """What the keys and the mouse say from now on.

    Attributes:
        move: As in ``Move``.
        jump: Held.
        hand: As in ``Hand``.
        turn, tilt: Steps of 15 degrees to turn right and up since the last message.
        choice: Name of a choice, made once; empty for none.
        sent: The page's clock in milliseconds; comes back with the first picture that shows it.
    """

    move: Literal["none", "forward", "back", "left", "right", "sprint"] = "none"
    jump: bool = False
    hand: Literal["none", "attack", "use", "eat"] = "none"
    turn: int = 0
    tilt: int = 0
    choice: str = ""
    sent: float = 0.0

    def __post_init__(self) -> None:
        _within("turn", self.turn, -24, 24)
        _within("tilt", self.tilt, -24, 24)


@dataclass(frozen=True)
class Pause:
    """Stop the world's time, or let it go on."""

    on: bool = True


@dataclass(frozen=True)
class Leave:
    """Walk out of the world."""


@dataclass(frozen=True)
class SaveWorld:
    """Save the world that is played under a name."""

    name: str


@dataclass(frozen=True)
class ListSaves:
    """Tell which saved worlds there are."""


@dataclass(frozen=True)
class StartRecording:
    """Record what is played from the next level on, as a demonstration.

    Attributes:
        name: Of the dataset: letters, digits, dashes and underscores.
        who: How the person wants to be called; may be empty.
        consent: Whether the person agrees to the text that was shown.
    """

    name: str
    who: str = ""
    consent: bool = False


@dataclass(frozen=True)
class StopRecording:
    """Write down what was recorded."""


@dataclass(frozen=True)
class ListDemonstrations:
    """Tell which recorded datasets there are."""


@dataclass(frozen=True)
class ShowDemonstration:
    """Open an episode of a recorded dataset at a step."""

    name: str
    episode: int = 0
    step: int = 0
    side: int = 480

    def __post_init__(self) -> None:
        _within("step", self.step, 0, 2**31)
        _within("side", self.side, 64, 960)


KINDS: dict[str, type[Any]] = {
    "open-run": OpenRun,
    "show-wall": ShowWall,
    "look-into": LookInto,
    "close-wall": CloseWall,
    "list-replays": ListReplays,
    "show-replay": ShowReplay,
    "seek": Seek,
    "close-replay": CloseReplay,
    "enter": Enter,
    "act": Act,
    "pause": Pause,
    "leave": Leave,
    "save-world": SaveWorld,
    "list-saves": ListSaves,
    "start-recording": StartRecording,
    "stop-recording": StopRecording,
    "list-demonstrations": ListDemonstrations,
    "show-demonstration": ShowDemonstration,
}


def read_message(text: str | bytes) -> Any:
    """The message that a page sent, as an instance of one of ``KINDS``.

    Raises:
        UserError: It is too long, no JSON object, of no known kind, or a field is not what it has to be.
    """
    if len(text) > MOST_BYTES:
        raise UserError("a message has", len(text), f"at most {MOST_BYTES} bytes")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError("a message is not JSON") from None
    if not isinstance(data, dict):
        raise UserError("a message is not a JSON object")
    kind = data.pop("type", None)
    if not isinstance(kind, str) or kind not in KINDS:
        raise UserError("unknown message type", kind if isinstance(kind, str) else type(kind).__name__, KINDS)
    return decode(KINDS[kind], data, kind)


def frame(about: Mapping[str, Any], picture: bytes) -> bytes:
    """A binary message: length of the JSON, uint32 little-endian, the JSON object about the picture, the picture."""
    header = json.dumps(about).encode()
    return struct.pack("<I", len(header)) + header + picture


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; it must be in [{low}, {high}]")
