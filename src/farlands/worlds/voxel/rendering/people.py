"""The bodies of agents: people in clothes of eight colours, standing, with an arm raised, or asleep. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from farlands.worlds.voxel.lying import MAX_AGENTS
from farlands.worlds.voxel.rendering.models import Colour, Part

_UNIT = 1.0 / 16.0


class Pose(IntEnum):
    """How an agent is shown."""

    STANDING = 0
    """Arms and legs swing with the stride."""
    ARM_RAISED = 1
    ASLEEP = 2


NUM_POSES = len(Pose)

SHOULDER, ARM_LENGTH, HAND_ASIDE = 22.0 * _UNIT, 9.5 * _UNIT, 5.4 * _UNIT
"""Height of the shoulders, how far below them a hand is when the arm hangs, and how far aside; blocks."""
RAISED_AHEAD, RAISED_UP = 9.5 * _UNIT, 20.0 * _UNIT
"""How far ahead and up the hand of a raised arm is, in blocks."""


@dataclass(frozen=True)
class _Attire:
    shirt: Colour
    trousers: Colour
    hair: Colour
    skin: Colour


_BROWN_HAIR, _BLACK_HAIR, _FAIR_HAIR, _RED_HAIR = (78, 50, 30), (30, 26, 26), (214, 178, 98), (158, 72, 32)
_PALE, _TAN, _DARK = (238, 194, 162), (206, 150, 112), (134, 88, 62)

_ATTIRES: tuple[_Attire, ...] = (
    _Attire((204, 40, 40), (92, 34, 38), _BROWN_HAIR, _PALE),
    _Attire((44, 92, 220), (30, 44, 104), _FAIR_HAIR, _TAN),
    _Attire((244, 208, 52), (140, 106, 30), _BLACK_HAIR, _DARK),
    _Attire((150, 58, 186), (78, 36, 104), _RED_HAIR, _PALE),
    _Attire((240, 128, 28), (124, 68, 26), _BLACK_HAIR, _TAN),
    _Attire((56, 222, 222), (24, 104, 112), _BROWN_HAIR, _DARK),
    _Attire((244, 130, 186), (150, 70, 112), _FAIR_HAIR, _PALE),
    _Attire((52, 52, 60), (34, 34, 40), _RED_HAIR, _TAN),
)

_FACE = ("hhhhhhhh", "hhhhhhhh", "h      h", "        ", " wk  kw ", "   ss   ", "  pppp  ", "        ")
_TEMPLES = ("hhhhhhhh", "hhhhhhhh", "hhhhhhhh", "hhh  hhh", "hh    hh", "h      h", "        ", "        ")
# Seen from above, the chin towards the feet.
_SLEEPING_FACE = ("        ", "  pppp  ", "        ", "   ss   ", " kk  kk ", "        ", "hhhhhhhh", "hhhhhhhh")


def _bands(*bands: tuple[str, int]) -> tuple[str, ...]:
    """A drawing of sixteen rows in bands of one letter, from the top."""
    rows = tuple(letter * 16 for letter, height in bands for _ in range(height))
    assert len(rows) == 16, bands
    return rows


_SLEEVE = _bands((" ", 10), ("s", 6))
_BOOTS = _bands((" ", 12), ("k", 4))
_HAND = _bands(("s", 16))
_SHIRT = _bands((" ", 14), ("b", 2))
_COLLAR = ("     ssssss     ", "      ssss      ", "       ss       ", *_SHIRT[3:])


def _awake(attire: _Attire) -> tuple[Part, ...]:
    """The raised right arm first and the hanging one last, so that each pose is a run of parts."""
    own = {"h": attire.hair, "s": attire.skin}
    shirt, limb = attire.shirt, (3.2, 3.4, 10.6)
    return (
        Part((5.4, 4.2, 18.4), (3.2, 10.6, 3.2), shirt, face=_HAND, colours=own),
        Part((-5.4, 0, 11.4), limb, shirt, face=_SLEEVE, sides=_SLEEVE, swing=-1, colours=own),
        Part((0, 0, 22), (7, 7, 6.8), attire.skin, 5.0, face=_FACE, sides=_TEMPLES, colours=own),
        Part((0, -0.2, 28.4), (7.3, 7.0, 0.8), attire.hair),
        Part((0, -3.3, 23), (7.3, 0.9, 5.6), attire.hair),
        Part((0, 0, 21.6), (14.1, 3.6, 0.7), shirt),
        Part((0, 0, 11), (7.6, 4, 11), shirt, face=_COLLAR, sides=_SHIRT, colours=own),
        *(
            Part((x * 1.95, 0, 0), (3.7, 3.8, 11), attire.trousers, face=_BOOTS, sides=_BOOTS, swing=-x)
            for x in (-1, 1)
        ),
        Part((5.4, 0, 11.4), limb, shirt, face=_SLEEVE, sides=_SLEEVE, swing=1, colours=own),
    )


def _asleep(attire: _Attire) -> tuple[Part, ...]:
    """On the back under a blanket, the feet ahead."""
    own = {"h": attire.hair, "s": attire.skin}
    return (
        Part((0, -11, 0), (7, 7, 6), attire.skin, 5.0, sides=_SLEEPING_FACE, colours=own),
        Part((0, -14.4, 0), (7.3, 0.9, 6.2), attire.hair),
        Part((0, 3.4, 0), (9.4, 21.6, 4.6), attire.shirt),
    )


assert len(_ATTIRES) == MAX_AGENTS


def people() -> list[tuple[tuple[Part, ...], tuple[Part, ...]]]:
    """Of each agent the parts awake, see ``awake_run``, and the parts asleep."""
    return [(_awake(attire), _asleep(attire)) for attire in _ATTIRES]


def awake_run(pose: Pose, count: int) -> tuple[int, int]:
    """Which of ``count`` parts awake a pose is: the first one, and how many."""
    return (0 if pose == Pose.ARM_RAISED else 1), count - 1
