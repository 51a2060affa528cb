"""What creatures decide: to graze, flee, court, hunt, shoot or hiss. Each looks at others but changes only itself."""

from __future__ import annotations

import warp as wp

from farlands.worlds.voxel.creatures.columns import Being, Deed
from farlands.worlds.voxel.creatures.herd import NOBODY
from farlands.worlds.voxel.creatures.kinds import CREEPER, SKELETON, SPIDER
from farlands.worlds.voxel.creatures.motion import safe_ahead
from farlands.worlds.voxel.creatures.sight import nearest_seen, squared, turn_toward, within
from farlands.worlds.voxel.light.field import brightness_at
from farlands.worlds.voxel.physics import BODY_HALF_WIDTH, BODY_HEIGHT
from farlands.worlds.voxel.rng import one_in
from farlands.worlds.voxel.state import POSITION_SHIFT, VELOCITY_ONE, Body, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import NUM_HEADINGS, CreatureColumn, Tables

_LOOK_EVERY = 8
"""Ticks between two looks around."""
_REMEMBERS = 60
"""Ticks that a hunter goes on after whom it no longer sees."""
_WANDERS_ONE_IN = 120
"""Ticks of rest between two walks, on average."""
_WALKS_LEAST, _WALKS_MORE = 20, 80
_SPRINT = 5
"""Whoever flees runs at five quarters of its pace."""
BITE_PAUSE = 20
SHOT_PAUSE = 40
SHOT_RANGE = 15
_KEEPS_AWAY = 4
_COMES_NEARER = 10
FUSE = 30
_HISSES_WITHIN, _STOPS_BEYOND = 3, 7
_SHY_LIGHT = 12
"""A spider leaves alone, in light of this level or more, whoever has not hurt it."""
_LEAP = round(0.4 * VELOCITY_ONE)
_LEAPS_ONE_IN = 4
_MATE_RANGE = 8
_MATES_WITHIN = 2
_BITE_MARGIN = 1024
"""Half a block: how far arms reach out of a body."""


@wp.func
def _wander(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int, words: wp.vec4ui, swims: int):
    """Now and then a walk in some direction, as far as it is safe. Returns the pace."""
    going = s.creatures[w, k, Being.GOING]
    if going == 0:
        if one_in(words[0], _WANDERS_ONE_IN // span):
            s.creatures[w, k, Being.YAW] = wp.int32(words[1] % wp.uint32(NUM_HEADINGS))
            s.creatures[w, k, Being.GOING] = _WALKS_LEAST + wp.int32(words[2] % wp.uint32(_WALKS_MORE))
        return 0
    s.creatures[w, k, Being.GOING] = wp.max(going - span, 0)
    if safe_ahead(s, t, rules, w, k, swims):
        return t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.PUSH]
    s.creatures[w, k, Being.GOING] = 0
    return 0


@wp.func
def _flee(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int, words: wp.vec4ui):
    """Run hither and thither. Returns the pace."""
    s.creatures[w, k, Being.PANIC] = wp.max(s.creatures[w, k, Being.PANIC] - span, 0)
    if s.creatures[w, k, Being.GOING] == 0 or not safe_ahead(s, t, rules, w, k, 0):
        s.creatures[w, k, Being.YAW] = wp.int32(words[1] % wp.uint32(NUM_HEADINGS))
        s.creatures[w, k, Being.GOING] = _WALKS_LEAST
        return 0
    s.creatures[w, k, Being.GOING] = wp.max(s.creatures[w, k, Being.GOING] - span, 0)
    return (t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.PUSH] * _SPRINT) >> 2


@wp.func
def find_mate(s: VoxelState, w: int, k: int):
    """The nearest other of its kind that is ready too, within sight of love, or -1."""
    best = within(_MATE_RANGE)
    found = int(NOBODY)
    other = int(0)
    while other < s.clock[Clock.CREATURES, w]:
        if other != k and s.creatures[w, other, Being.KIND] == s.creatures[w, k, Being.KIND]:
            if s.creatures[w, other, Being.LOVE] > 0:
                far = squared(
                    s.creatures[w, other, Being.X] - s.creatures[w, k, Being.X],
                    s.creatures[w, other, Being.Y] - s.creatures[w, k, Being.Y],
                )
                if far < best:
                    best = far
                    found = other
        other += 1
    return found


@wp.func
def _court(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int, words: wp.vec4ui):
    """Go to a mate; once there, breed: the one with the lower place in the list sees to it. Returns the pace."""
    s.creatures[w, k, Being.LOVE] = wp.max(s.creatures[w, k, Being.LOVE] - span, 0)
    mate = find_mate(s, w, k)
    if mate == NOBODY:
        return _wander(s, t, rules, w, k, span, words, 0)
    dx = s.creatures[w, mate, Being.X] - s.creatures[w, k, Being.X]
    dy = s.creatures[w, mate, Being.Y] - s.creatures[w, k, Being.Y]
    if squared(dx, dy) < within(_MATES_WITHIN):
        if k < mate:
            s.creatures[w, k, Being.WANTS] = Deed.BREED
            s.creatures[w, k, Being.PREY] = mate
        return 0
    s.creatures[w, k, Being.YAW] = turn_toward(t, s.creatures[w, k, Being.YAW], dx, dy)
    if safe_ahead(s, t, rules, w, k, 0):
        return t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.PUSH]
    return 0


@wp.func
def animal_pace(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int, words: wp.vec4ui):
    """What an animal does in a tick. Returns the pace."""
    if s.creatures[w, k, Being.PANIC] > 0:
        return _flee(s, t, rules, w, k, span, words)
    if s.creatures[w, k, Being.LOVE] > 0:
        return _court(s, t, rules, w, k, span, words)
    return _wander(s, t, rules, w, k, span, words, 0)


@wp.func
def _shy(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """Whether a spider means no harm: it is light, and nobody has hurt it."""
    if s.creatures[w, k, Being.KIND] != SPIDER or s.creatures[w, k, Being.PANIC] > 0:
        return False
    light = brightness_at(
        s, rules, w, s.creatures[w, k, Being.X] >> POSITION_SHIFT, s.creatures[w, k, Being.Y] >> POSITION_SHIFT,
        s.creatures[w, k, Being.Z] >> POSITION_SHIFT,
    )  # fmt: skip
    return light >= _SHY_LIGHT


@wp.func
def _look_around(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int):
    """Every few ticks look for agents; remember for a while whom it saw."""
    seen = wp.max(s.creatures[w, k, Being.SEES] - span, 0)
    if ((s.clock[Clock.TICK, w] + s.creatures[w, k, Being.NAME]) & (_LOOK_EVERY - 1)) < span:
        sight = t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.SIGHT]
        agent = nearest_seen(s, t, rules, w, k, sight)
        if agent != NOBODY and not _shy(s, t, rules, w, k):
            s.creatures[w, k, Being.PREY] = agent
            seen = _REMEMBERS
    s.creatures[w, k, Being.SEES] = seen
    return seen


@wp.func
def touches(s: VoxelState, t: Tables, w: int, k: int, r: int, margin: int):
    """Whether a creature's body, grown by a margin, meets an agent's."""
    kind = s.creatures[w, k, Being.KIND]
    reach = t.creature[kind, CreatureColumn.HALF_WIDTH] + BODY_HALF_WIDTH + margin
    if wp.abs(s.body[Body.X, r] - s.creatures[w, k, Being.X]) > reach:
        return False
    if wp.abs(s.body[Body.Y, r] - s.creatures[w, k, Being.Y]) > reach:
        return False
    z = s.creatures[w, k, Being.Z]
    if z + t.creature[kind, CreatureColumn.HEIGHT] + margin < s.body[Body.Z, r]:
        return False
    return z - margin < s.body[Body.Z, r] + BODY_HEIGHT


@wp.func
def _melee(s: VoxelState, t: Tables, w: int, k: int, r: int, kind: int, far: int, words: wp.vec4ui):
    """Run up to the prey and bite; spiders leap. Returns the pace."""
    if s.creatures[w, k, Being.PAUSE] == 0:
        if touches(s, t, w, k, r, _BITE_MARGIN):
            s.creatures[w, k, Being.WANTS] = Deed.BITE
            s.creatures[w, k, Being.PAUSE] = BITE_PAUSE
    if kind == SPIDER and s.creatures[w, k, Being.ON_GROUND] != 0 and far > within(2) and far < within(6):
        if one_in(words[3], _LEAPS_ONE_IN):
            s.creatures[w, k, Being.VZ] = _LEAP
            return 4 * t.creature[kind, CreatureColumn.PUSH]
    return t.creature[kind, CreatureColumn.PUSH]


@wp.func
def _archery(s: VoxelState, t: Tables, w: int, k: int, far: int):
    """Keep a distance and shoot. Returns the pace."""
    if s.creatures[w, k, Being.PAUSE] == 0 and far < within(SHOT_RANGE):
        # Only what it saw a moment ago.
        if s.creatures[w, k, Being.SEES] > _REMEMBERS - _LOOK_EVERY:
            s.creatures[w, k, Being.WANTS] = Deed.SHOOT
            s.creatures[w, k, Being.PAUSE] = SHOT_PAUSE
    push = t.creature[SKELETON, CreatureColumn.PUSH]
    if far > within(_COMES_NEARER):
        return push
    if far < within(_KEEPS_AWAY):
        return -push
    return 0


@wp.func
def _fuse(s: VoxelState, t: Tables, w: int, k: int, span: int, far: int):
    """Come near, stand and hiss, and at last blow up; stop hissing when the prey gets away. Returns the pace."""
    fuse = s.creatures[w, k, Being.FUSE]
    sees = s.creatures[w, k, Being.SEES] > _REMEMBERS - _LOOK_EVERY
    near = far < within(_HISSES_WITHIN) or (fuse > 0 and far < within(_STOPS_BEYOND))
    if near and sees:
        s.creatures[w, k, Being.FUSE] = fuse + span
        if fuse + span >= FUSE:
            s.creatures[w, k, Being.WANTS] = Deed.EXPLODE
        return 0
    s.creatures[w, k, Being.FUSE] = wp.max(fuse - span, 0)
    return t.creature[CREEPER, CreatureColumn.PUSH]


@wp.func
def monster_pace(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, span: int, words: wp.vec4ui):
    """What a monster does in a tick. Returns the pace."""
    kind = s.creatures[w, k, Being.KIND]
    s.creatures[w, k, Being.PANIC] = wp.max(s.creatures[w, k, Being.PANIC] - span, 0)
    s.creatures[w, k, Being.PAUSE] = wp.max(s.creatures[w, k, Being.PAUSE] - span, 0)
    if _look_around(s, t, rules, w, k, span) == 0:
        s.creatures[w, k, Being.FUSE] = wp.max(s.creatures[w, k, Being.FUSE] - span, 0)
        return _wander(s, t, rules, w, k, span, words, 1)
    r = w * rules.agents + s.creatures[w, k, Being.PREY]
    dx = s.body[Body.X, r] - s.creatures[w, k, Being.X]
    dy = s.body[Body.Y, r] - s.creatures[w, k, Being.Y]
    far = squared(dx, dy)
    s.creatures[w, k, Being.YAW] = turn_toward(t, s.creatures[w, k, Being.YAW], dx, dy)
    pace = int(0)
    if kind == SKELETON:
        pace = _archery(s, t, w, k, far)
    elif kind == CREEPER:
        pace = _fuse(s, t, w, k, span, far)
    else:
        pace = _melee(s, t, w, k, r, kind, far, words)
    if pace > 0 and not safe_ahead(s, t, rules, w, k, 1):
        return 0
    return pace
