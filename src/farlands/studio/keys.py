"""Keys and mouse as actions of the factored space, one row for every tick, however much or little a page says."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

import numpy as np

from farlands.errors import UserError
from farlands.studio.messages import Act
from farlands.worlds.voxel.actions import CHOICE_ID, FACTORED_SIZES, Camera, Hand, Move

MOST_CHOICES = 4
"""Choices that may wait, each for a tick of its own."""
MOST_TURN = 24
MOST_TILT = 12
"""Steps of 15 degrees that may wait: once around, and from straight down to straight up."""
_MOST_SENT = 32
"""Readings of a page's clock that are kept for one picture."""
_FIRST = np.cumsum((0, *FACTORED_SIZES[:-1]))
"""Where each factor begins in an action mask."""
_CAMERA, _HAND, _CHOICE = 2, 3, 4


@dataclass(frozen=True)
class Row:
    """What is done in one tick.

    Attributes:
        action: Move, jump, camera, hand, choice.
        refused: What was asked for but is not possible now, by name; empty for nothing.
        sent: The page's clock, in milliseconds, at the messages that show in this tick for the first time.
    """

    action: tuple[int, int, int, int, int]
    refused: str = ""
    sent: tuple[float, ...] = ()


class Keys:
    """What is held down, and what waits to be done.

    Keys that are held count for every tick, and a tap between two ticks for one. Turns add up and are made in one
    camera action a tick, choices one a tick. Using is done once for each press, but that a bow is drawn for as long as
    it is held. Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = Act()
        self.clear()

    def take(self, act: Act) -> None:
        """Note what a page says. Raises UserError where it names no choice, or too many wait."""
        choice = CHOICE_ID.get(act.choice) if act.choice else 0
        if choice is None:
            raise UserError("no such choice", act.choice, CHOICE_ID)
        with self._lock:
            self._press(act)
            self._turn = _within(self._turn + act.turn, MOST_TURN)
            self._tilt = _within(self._tilt + act.tilt, MOST_TILT)
            if act.sent:
                self._sent.append(act.sent)
            if not choice:
                return
            if len(self._choices) == MOST_CHOICES:
                raise UserError("too many choices at once, not made:", act.choice)
            self._choices.append(choice)

    def clear(self) -> None:
        """Let go of everything but of the keys that are held."""
        with self._lock:
            self._tapped = Act()
            self._turn = self._tilt = 0
            self._choices: deque[int] = deque()
            self._sent: deque[float] = deque(maxlen=_MOST_SENT)
            self._hand_due = False

    def next_row(self, mask: np.ndarray, *, bow: bool = False) -> Row:
        """The row of the coming tick, which counts as made.

        Args:
            mask: uint8 ``[sum of the factors' sizes]``, what is possible now.
            bow: Whether a bow is in the hand.
        """
        with self._lock:
            choice, refused = self._next_choice(mask)
            hand, in_vain = self._next_hand(mask, bow)
            # A choice is about what was seen, so the camera waits for it.
            camera = 0 if choice else self._next_camera(mask)
            move = Move[(_said(self._held.move) or _said(self._tapped.move) or "none").upper()]
            jump = int(self._held.jump or self._tapped.jump)
            sent = tuple(self._sent)
            self._sent.clear()
            self._tapped = Act()
        return Row((int(move), jump, camera, hand, choice), refused or in_vain, sent)

    def _press(self, act: Act) -> None:
        if act.hand != self._held.hand and act.hand in ("use", "eat"):
            self._hand_due = True
        self._tapped = Act(
            move=act.move if _said(act.move) else self._tapped.move,
            jump=act.jump or self._tapped.jump,
            hand=act.hand if _said(act.hand) else self._tapped.hand,
        )
        self._held = act

    def _next_choice(self, mask: np.ndarray) -> tuple[int, str]:
        if not self._choices:
            return 0, ""
        choice = self._choices.popleft()
        if mask[_FIRST[_CHOICE] + choice]:
            return choice, ""
        return 0, next(name for name, index in CHOICE_ID.items() if index == choice)

    def _next_hand(self, mask: np.ndarray, bow: bool) -> tuple[int, str]:
        name = _said(self._tapped.hand) or _said(self._held.hand) or "none"
        hand, due = Hand[name.upper()], self._hand_due
        self._hand_due = False
        in_vain = name if due and not mask[_FIRST[_HAND] + hand] else ""
        if hand == Hand.USE and not due and not bow:
            # Held on, it would open and close a door twenty times a second.
            return int(Hand.NONE), ""
        return int(hand), in_vain

    def _next_camera(self, mask: np.ndarray) -> int:
        """A step of whichever debt takes longer to pay; one that cannot be paid is let off."""
        if self._tilt and not mask[_FIRST[_CAMERA] + (Camera.UP if self._tilt > 0 else Camera.DOWN)]:
            self._tilt = 0
        if self._turn and not mask[_FIRST[_CAMERA] + Camera.RIGHT]:
            self._turn = 0
        turns, tilts = abs(self._turn), abs(self._tilt)
        if tilts and tilts >= turns // 3 + turns % 3:
            up = self._tilt > 0
            self._tilt += -1 if up else 1
            return int(Camera.UP if up else Camera.DOWN)
        if not turns:
            return int(Camera.NONE)
        right, step = self._turn > 0, 3 if turns >= 3 else 1
        self._turn += -step if right else step
        if step == 3:
            return int(Camera.RIGHT_45 if right else Camera.LEFT_45)
        return int(Camera.RIGHT if right else Camera.LEFT)


def _said(name: str) -> str:
    return "" if name == "none" else name


def _within(value: int, most: int) -> int:
    return max(-most, min(most, value))
