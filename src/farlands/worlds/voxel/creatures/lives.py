"""One tick of all that lives: creatures decide and move one after the other, then deeds are done, by agents first.

A world's creatures are seen to by one thread, so that whoever looks at another sees the same on every device.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.blocks import FIRE, Fluid
from farlands.worlds.voxel.company import Turn, is_alive, row_in_turn, turn_order
from farlands.worlds.voxel.creatures.aim import AGENTS, ARM, being_ahead, creature_ahead
from farlands.worlds.voxel.creatures.arrows import fly, shoot
from farlands.worlds.voxel.creatures.columns import REST_EVERY, THINK_EVERY, Being, Deed
from farlands.worlds.voxel.creatures.combat import hit_creature, hurt_agent, weapon_damage, wound
from farlands.worlds.voxel.creatures.herd import in_window, remove_creature
from farlands.worlds.voxel.creatures.kinds import ARROW, CHICKEN, SHEEP, SPIDER, Temper
from farlands.worlds.voxel.creatures.minds import animal_pace, monster_pace
from farlands.worlds.voxel.creatures.motion import move_creature
from farlands.worlds.voxel.creatures.sight import agent_eye, eye_of
from farlands.worlds.voxel.creatures.spawning import despawns, spawn_monster
from farlands.worlds.voxel.creatures.tending import breed, graze, loose, tend
from farlands.worlds.voxel.grid import HEIGHT_SHIFT, block_at, cell_at
from farlands.worlds.voxel.inventory import held_item, unlock, wear_held
from farlands.worlds.voxel.light.field import night_loss
from farlands.worlds.voxel.matter.explosions import explode
from farlands.worlds.voxel.rng import Purpose, draw
from farlands.worlds.voxel.state import POSITION_SHIFT, VELOCITY_ONE, Body, Cause, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, CreatureColumn, Tables
from farlands.worlds.voxel.vitals import FREE_FALL

BURN_TICKS = 160
FIRE_EVERY = 20
LAVA_DAMAGE = 4
STRIKE_EXHAUSTION = 100
CREEPER_POWER = 3
_BONE_DAMAGE = 4


@wp.func
def _suffer(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, kind: int, span: int):
    """Fire, lava and daylight. Whoever dies of them leaves nothing."""
    x = s.creatures[w, k, Being.X] >> POSITION_SHIFT
    y = s.creatures[w, k, Being.Y] >> POSITION_SHIFT
    z = s.creatures[w, k, Being.Z] >> POSITION_SHIFT
    block = block_at(s, rules, w, x, y, z)
    fluid = t.block[block, BlockColumn.FLUID]
    fire = wp.max(s.creatures[w, k, Being.FIRE] - span, 0)
    if fluid == Fluid.WATER:
        fire = 0
    elif s.creatures[w, k, Being.FIRE] > 0 and fire % FIRE_EVERY == 0:
        s.creatures[w, k, Being.HEALTH] = s.creatures[w, k, Being.HEALTH] - 1
    if fluid == Fluid.LAVA or block == FIRE:
        fire = BURN_TICKS
        if fluid == Fluid.LAVA:
            wound(s, t, w, k, LAVA_DAMAGE)
    elif fire == 0 and fluid == 0 and t.creature[kind, CreatureColumn.BURNS] != 0:
        column = cell_at(s, rules, w, x, y, 0) >> HEIGHT_SHIFT
        if night_loss(s.clock[Clock.TIME, w]) == 0 and z >= wp.int32(s.tops[w, column]):
            fire = BURN_TICKS
    s.creatures[w, k, Being.FIRE] = fire


@wp.func
def _think(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, kind: int, span: int):
    """A creature decides what it does until its next turn, and feels how it fares; it may go for good."""
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w],
        s.creatures[w, k, Being.NAME], Purpose.CREATURE,
    )  # fmt: skip
    if t.creature[kind, CreatureColumn.TEMPER] == Temper.PEACEFUL:
        s.creatures[w, k, Being.PACE] = animal_pace(s, t, rules, w, k, span, words)
        age = s.creatures[w, k, Being.AGE]
        if age < 0:
            s.creatures[w, k, Being.AGE] = wp.min(age + span, 0)
        elif age > 0:
            s.creatures[w, k, Being.AGE] = wp.max(age - span, 0)
        if kind == SHEEP:
            graze(s, t, rules, w, k, span, words[3])
    else:
        s.creatures[w, k, Being.PACE] = monster_pace(s, t, rules, w, k, span, words)
    _suffer(s, t, rules, w, k, kind, span)
    if despawns(s, t, rules, w, k, span, words[2]):
        s.creatures[w, k, Being.WANTS] = Deed.VANISH


@wp.func
def _at_rest(s: VoxelState, w: int, k: int):
    """Whether a creature is up to nothing, so that it need not decide so often."""
    busy = s.creatures[w, k, Being.PACE] | s.creatures[w, k, Being.SEES] | s.creatures[w, k, Being.PANIC]
    return (busy | s.creatures[w, k, Being.LOVE] | s.creatures[w, k, Being.FIRE]) == 0


@wp.func
def _live(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """A creature's tick."""
    kind = s.creatures[w, k, Being.KIND]
    hurt = s.creatures[w, k, Being.HURT]
    if hurt > 0:
        s.creatures[w, k, Being.HURT] = hurt - 1
    turn = s.clock[Clock.TICK, w] + s.creatures[w, k, Being.NAME]
    if (turn & (THINK_EVERY - 1)) == 0:
        span = int(THINK_EVERY)
        if _at_rest(s, w, k):
            span = REST_EVERY
        if (turn & (span - 1)) == 0:
            _think(s, t, rules, w, k, kind, span)
    fallen = move_creature(s, t, rules, w, k, kind, s.creatures[w, k, Being.PACE])
    if fallen > FREE_FALL and kind != CHICKEN:
        s.creatures[w, k, Being.HEALTH] = s.creatures[w, k, Being.HEALTH] - (fallen - FREE_FALL)


@wp.func
def _strike(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """An agent's blow at whoever is in the crosshair."""
    k = being_ahead(s, t, rules, w, r, ARM)
    if k < 0:
        return
    damage = weapon_damage(s, t, r, held_item(s, r))
    if k >= AGENTS:
        other = w * rules.agents + k - AGENTS
        dx = s.body[Body.X, other] - s.body[Body.X, r]
        dy = s.body[Body.Y, other] - s.body[Body.Y, r]
        hurt_agent(s, t, other, damage, Cause.AGENT, dx, dy)
    else:
        dx = s.creatures[w, k, Being.X] - s.body[Body.X, r]
        dy = s.creatures[w, k, Being.Y] - s.body[Body.Y, r]
        hit_creature(s, t, rules, w, r, k, damage, dx, dy)
    wear_held(s, t, r, 1)
    s.body[Body.EXHAUSTION, r] = s.body[Body.EXHAUSTION, r] + STRIKE_EXHAUSTION


@wp.func
def _act_on_others(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """An agent's blow, care or shot of this tick."""
    if s.body[Body.STRIKE, r] != 0:
        s.body[Body.STRIKE, r] = 0
        _strike(s, t, rules, w, r)
    if s.body[Body.TEND, r] != 0:
        s.body[Body.TEND, r] = 0
        k = creature_ahead(s, t, rules, w, r, ARM)
        if k >= 0:
            tend(s, t, rules, w, r, k)
    if s.body[Body.LOOSE, r] != 0:
        loose(s, t, w, r, r - w * rules.agents, s.body[Body.LOOSE, r])
        s.body[Body.LOOSE, r] = 0


@wp.func
def _bite(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    r = w * rules.agents + s.creatures[w, k, Being.PREY]
    kind = s.creatures[w, k, Being.KIND]
    cause = int(Cause.ZOMBIE)
    if kind == SPIDER:
        cause = int(Cause.SPIDER)
    hurt_agent(
        s, t, r, t.creature[kind, CreatureColumn.DAMAGE], cause, s.body[Body.X, r] - s.creatures[w, k, Being.X],
        s.body[Body.Y, r] - s.creatures[w, k, Being.Y],
    )  # fmt: skip


@wp.func
def _shoot_back(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """A skeleton's shot at the agent it sees, a little high against the fall of the arrow, and not always true."""
    r = w * rules.agents + s.creatures[w, k, Being.PREY]
    eye = eye_of(s, t, w, k)
    d = agent_eye(s, r) - eye
    words = draw(
        wp.uint32(s.clock[Clock.SEED_LOW, w]), wp.uint32(s.clock[Clock.SEED_HIGH, w]), s.clock[Clock.TICK, w],
        s.creatures[w, k, Being.NAME], Purpose.LOOT,
    )  # fmt: skip
    # In position units per tick over eight ticks, brought to velocity units: 2^5 / 2^3.
    spread = wp.uint32(VELOCITY_ONE >> 2)
    v = wp.vec3i(
        wp.clamp(d[0] << 2, -2 * VELOCITY_ONE, 2 * VELOCITY_ONE) + wp.int32(words[0] % spread) - (VELOCITY_ONE >> 3),
        wp.clamp(d[1] << 2, -2 * VELOCITY_ONE, 2 * VELOCITY_ONE) + wp.int32(words[1] % spread) - (VELOCITY_ONE >> 3),
        wp.clamp(d[2] << 2, -VELOCITY_ONE, VELOCITY_ONE) + wp.int32(words[2] % spread) - (VELOCITY_ONE >> 3)
        + (VELOCITY_ONE // 5),
    )  # fmt: skip
    shoot(s, t, w, eye, v, s.creatures[w, k, Being.YAW], _BONE_DAMAGE, 0)


@wp.func
def _arrow_hits(s: VoxelState, t: Tables, rules: Rules, w: int, k: int, deed: int):
    """An arrow's blow. A creature that has just been hurt, or has gone, lets it pass unhurt."""
    prey = s.creatures[w, k, Being.PREY]
    owner = s.creatures[w, k, Being.OWNER]
    dx = s.creatures[w, k, Being.VX]
    dy = s.creatures[w, k, Being.VY]
    if deed == Deed.HIT_AGENT:
        cause = int(Cause.ARROW)
        if owner != 0 and owner != prey + 1:
            cause = int(Cause.AGENT)
        hurt_agent(s, t, w * rules.agents + prey, s.creatures[w, k, Being.FUSE], cause, dx, dy)
        return
    r = w * rules.agents + owner - 1
    hit_creature(s, t, rules, w, r, prey, s.creatures[w, k, Being.FUSE], dx, dy)
    unlock(s, t, rules, r, t.shoot_achievement)


@wp.func
def _do(s: VoxelState, t: Tables, rules: Rules, w: int, k: int):
    """Carry out what a creature wants."""
    deed = s.creatures[w, k, Being.WANTS]
    s.creatures[w, k, Being.WANTS] = Deed.NOTHING
    if s.creatures[w, k, Being.HEALTH] <= 0:
        return
    if deed == Deed.BITE:
        _bite(s, t, rules, w, k)
    elif deed == Deed.SHOOT:
        _shoot_back(s, t, rules, w, k)
    elif deed == Deed.BREED:
        breed(s, t, rules, w, k, s.creatures[w, k, Being.PREY])
    elif deed == Deed.EXPLODE:
        s.creatures[w, k, Being.HEALTH] = 0
        explode(
            s, t, rules, w, s.creatures[w, k, Being.X], s.creatures[w, k, Being.Y],
            s.creatures[w, k, Being.Z] + (t.creature[s.creatures[w, k, Being.KIND], CreatureColumn.HEIGHT] >> 1),
            CREEPER_POWER,
        )  # fmt: skip
    elif deed == Deed.HIT_AGENT or deed == Deed.HIT_CREATURE:
        _arrow_hits(s, t, rules, w, k, deed)
        s.creatures[w, k, Being.HEALTH] = 0
    elif deed == Deed.VANISH:
        s.creatures[w, k, Being.HEALTH] = 0


@kernel
def _creatures_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """One tick of each world's creatures."""
    w = begin + wp.tid()
    count = s.clock[Clock.CREATURES, w]
    k = int(0)
    while k < count:
        if s.creatures[w, k, Being.KIND] == ARROW:
            fly(s, t, rules, w, k)
        elif in_window(s, rules, w, k):
            _live(s, t, rules, w, k)
        elif despawns(s, t, rules, w, k, 1, wp.uint32(1)):
            s.creatures[w, k, Being.WANTS] = Deed.VANISH
        k += 1
    order = turn_order(s, rules, w, int(Turn.DEED))
    n = int(0)
    while n < rules.agents:
        r = row_in_turn(rules, w, order, n)
        if is_alive(s, r):
            _act_on_others(s, t, rules, w, r)
        n += 1
    # Those that join by what is done now begin with the next tick.
    k = int(0)
    while k < count:
        if s.creatures[w, k, Being.WANTS] != Deed.NOTHING:
            _do(s, t, rules, w, k)
        k += 1
    k = s.clock[Clock.CREATURES, w] - 1
    while k >= 0:
        if s.creatures[w, k, Being.HEALTH] <= 0:
            remove_creature(s, w, k)
        k -= 1
    if rules.monsters > 0:
        spawn_monster(s, t, rules, w)
