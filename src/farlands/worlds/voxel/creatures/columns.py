"""The columns of a creature's row of state. Data only."""

from __future__ import annotations

from enum import IntEnum

from farlands.worlds.voxel.creatures.kinds import CREATURES, NUM_KINDS

MAX_CREATURES = 24
"""Creatures, arrows among them, that a world can hold."""


class Being(IntEnum):
    """Columns of ``VoxelState.creatures``; units as of ``state.Body``, times in ticks."""

    KIND = 0
    """Id of its kind, 0 where there is none."""
    NAME = 1
    """A number of its own within the episode: what its randomness is keyed by."""
    X = 2
    Y = 3
    Z = 4
    VX = 5
    VY = 6
    VZ = 7
    YAW = 8
    HEALTH = 9
    HURT = 10
    """Ticks in which no lesser blow counts."""
    ON_GROUND = 11
    FALL = 12
    FIRE = 13
    """Ticks it burns on."""
    GOING = 14
    """Ticks it walks on as it does."""
    PANIC = 15
    """Ticks it flees on."""
    SEES = 16
    """Ticks it remembers the agent it saw."""
    PREY = 17
    """Row of that agent within the world; of an arrow, the creature or agent it has met."""
    PAUSE = 18
    """Ticks to its next blow or shot; of an arrow, ticks it has flown."""
    FUSE = 19
    """Of a creeper: ticks it has hissed. Of an arrow: its damage."""
    AGE = 20
    """Below 0: ticks until it is grown. Above: until it can breed again."""
    LOVE = 21
    """Ticks it is ready to breed."""
    SHEARED = 22
    """Whether it has lost its wool."""
    STRIDE = 23
    """Way walked, modulo a block: how its legs stand."""
    OWNER = 24
    """Of an arrow: the agent that shot it, from 1 on; 0 for a creature. Of an animal: likewise who fed it last."""
    PACE = 25
    """Push along its heading until it decides anew; negative backwards."""
    WANTS = 26
    """What it is about to do, a ``Deed``."""


NUM_BEING = len(Being)

THINK_EVERY, REST_EVERY = 4, 8
"""Ticks between two decisions of a creature that is up to something, and of one at rest: powers of two. Each has its
own turn."""


class Deed(IntEnum):
    """What a creature does to others. It decides by itself, then each world carries out all deeds in order."""

    NOTHING = 0
    BITE = 1
    SHOOT = 2
    EXPLODE = 3
    BREED = 4
    HIT_AGENT = 5
    """An arrow meets an agent."""
    HIT_CREATURE = 6
    VANISH = 7


ENTITIES = 8
"""Creatures, other agents and lying items that are perceived at a time."""
ENTITY_LABELS = (
    "ahead", "right", "up", "heading_sin", "heading_cos", "health", "hurt", "roused", "young",
    *(creature.name for creature in CREATURES), "agent", "item",
)  # fmt: skip
"""Columns of what is perceived; the last ones tell its kind."""
ENTITY_WIDTH = len(ENTITY_LABELS)

AGENT_KIND, ITEM_KIND = NUM_KINDS, NUM_KINDS + 1
"""Kinds, beside those of creatures, that agents perceive: another agent, an item on the ground."""
