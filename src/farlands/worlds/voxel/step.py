"""One environment step: decode and choose, a few ticks, then rewards, endings and the list of finished worlds."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.actions import CHOICES, FACTORED_SIZES, FLAT_ACTIONS, NUM_FACTORS, Camera, Hand
from farlands.worlds.voxel.blocks import FIRE
from farlands.worlds.voxel.breaking import mine, stop_breaking
from farlands.worlds.voxel.crafting import smelt
from farlands.worlds.voxel.episodes import EpisodeLog, log_episode
from farlands.worlds.voxel.hand import choose, draw_bow, eat, first_food, use
from farlands.worlds.voxel.inventory import unlock
from farlands.worlds.voxel.measures import note_place, note_way
from farlands.worlds.voxel.physics import blocks_around, fluid_of, move_body
from farlands.worlds.voxel.state import Body, Cause, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import MILLI, NUM_HEADINGS, Tables
from farlands.worlds.voxel.vitals import DAY, SLEEP_TICKS, live

NUM_FLAT = len(FLAT_ACTIONS)
NUM_CHOICES = len(CHOICES)
_NUM_MOVES, _NUM_JUMPS, _NUM_CAMERAS, _NUM_HANDS = FACTORED_SIZES[:4]
_MOVE, _JUMP, _CAMERA, _HAND, _CHOICE = range(NUM_FACTORS)
_MAX_PITCH = 6


@wp.func
def _in_range(value: int, n: int):
    """The value, or choice 0 where it is out of range."""
    if value < 0 or value >= n:
        return 0
    return value


@wp.func
def _decode(s: VoxelState, t: Tables, rules: Rules, actions: wp.array2d(dtype=wp.int32), r: int):
    if rules.flat != 0:
        index = _in_range(actions[r, 0], NUM_FLAT)
        k = int(0)
        while k < NUM_FACTORS:
            s.action[k, r] = t.flat[index, k]
            k += 1
    else:
        s.action[_MOVE, r] = _in_range(actions[r, _MOVE], _NUM_MOVES)
        s.action[_JUMP, r] = _in_range(actions[r, _JUMP], _NUM_JUMPS)
        s.action[_CAMERA, r] = _in_range(actions[r, _CAMERA], _NUM_CAMERAS)
        s.action[_HAND, r] = _in_range(actions[r, _HAND], _NUM_HANDS)
        s.action[_CHOICE, r] = _in_range(actions[r, _CHOICE], NUM_CHOICES)


@wp.func
def _turn(s: VoxelState, r: int, camera: int):
    """Turn by a camera choice. Returns whether that was possible."""
    yaw = s.body[Body.YAW, r]
    pitch = s.body[Body.PITCH, r]
    if camera == Camera.LEFT:
        yaw += NUM_HEADINGS - 1
    elif camera == Camera.RIGHT:
        yaw += 1
    elif camera == Camera.LEFT_45:
        yaw += NUM_HEADINGS - 3
    elif camera == Camera.RIGHT_45:
        yaw += 3
    elif camera == Camera.UP:
        pitch = wp.min(pitch + 1, _MAX_PITCH)
    elif camera == Camera.DOWN:
        pitch = wp.max(pitch - 1, -_MAX_PITCH)
    turned = yaw != s.body[Body.YAW, r] or pitch != s.body[Body.PITCH, r]
    s.body[Body.YAW, r] = yaw % NUM_HEADINGS
    s.body[Body.PITCH, r] = pitch
    return turned


@kernel
def _act_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    actions: wp.array2d(dtype=wp.int32),
    begin: int,
    # Out
    s: VoxelState,
):
    """Decode the action of each row and do what happens at once: turn, use, craft, smelt, place, equip, wear."""
    r = begin + wp.tid()
    w = r // rules.agents
    s.body[Body.REWARD, r] = -rules.health_reward * s.body[Body.HEALTH, r]
    _decode(s, t, rules, actions, r)
    if s.body[Body.SLEEPING, r] > 0:
        k = int(0)
        while k < NUM_FACTORS:
            s.action[k, r] = 0
            k += 1
        return
    hand = s.action[_HAND, r]
    choice = s.action[_CHOICE, r]
    # An impossible choice does nothing, so it does not interrupt a break either.
    busy = _turn(s, r, s.action[_CAMERA, r])
    if choice != 0:
        if choose(s, t, rules, w, r, choice):
            busy = True
    if hand == Hand.USE:
        if use(s, t, rules, w, r):
            busy = True
    if hand == Hand.EAT:
        if first_food(s, t, r) != 0:
            busy = True
    else:
        s.body[Body.EATING, r] = 0
    if busy or (hand != Hand.ATTACK and rules.sticky == 0):
        stop_breaking(s, r)


@kernel
def _advance_clock_kernel(
    # Model
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """One tick of each world's time."""
    w = begin + wp.tid()
    s.clock[Clock.TICK, w] = s.clock[Clock.TICK, w] + 1
    # Whole units of the time of day, the rest of them kept: no drift at any length of the day.
    units = s.clock[Clock.TIME_REST, w] + DAY
    s.clock[Clock.TIME, w] = (s.clock[Clock.TIME, w] + units // rules.day_length) % DAY
    s.clock[Clock.TIME_REST, w] = units % rules.day_length


@wp.func
def _sleep(s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """A tick of sleep; at the end it is morning."""
    s.body[Body.SLEEPING, r] = s.body[Body.SLEEPING, r] + 1
    if s.body[Body.SLEEPING, r] > SLEEP_TICKS:
        s.body[Body.SLEEPING, r] = 0
        s.clock[Clock.TIME, w] = 0
        s.clock[Clock.TIME_REST, w] = 0
        unlock(s, t, rules, r, t.sleep_achievement)


@kernel
def _tick_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """One tick of each agent: motion, needs, hand, furnace."""
    r = begin + wp.tid()
    if s.body[Body.CAUSE, r] != Cause.NONE:
        return
    w = r // rules.agents
    around = blocks_around(s, rules, w, r)
    fluid = fluid_of(t, around)
    flames = int(around[0] == FIRE or around[1] == FIRE)
    x = s.body[Body.X, r]
    y = s.body[Body.Y, r]
    cactus = move_body(s, t, rules, w, r, s.action[_MOVE, r], s.action[_JUMP, r], fluid)
    note_way(s, r, x, y)
    live(s, t, rules, w, r, fluid, flames, cactus)
    s.body[Body.STRIKE_PAUSE, r] = wp.max(s.body[Body.STRIKE_PAUSE, r] - 1, 0)
    if s.body[Body.SLEEPING, r] > 0:
        _sleep(s, t, rules, w, r)
        return
    hand = s.action[_HAND, r]
    if hand == Hand.ATTACK or s.body[Body.HOLDING, r] != 0:
        mine(s, t, rules, w, r, hand == Hand.ATTACK)
    elif s.body[Body.BREAK_PAUSE, r] > 0:
        s.body[Body.BREAK_PAUSE, r] = s.body[Body.BREAK_PAUSE, r] - 1
    if hand == Hand.EAT:
        eat(s, t, rules, r)
    draw_bow(s, t, r, hand == Hand.USE)
    smelt(s, t, rules, w, r)


@kernel
def _finish_kernel(
    # Model
    rules: Rules,
    # In
    shard: int,
    begin: int,
    # Out
    s: VoxelState,
    reward: wp.array(dtype=wp.float32),
    terminated: wp.array(dtype=wp.bool),
    truncated: wp.array(dtype=wp.bool),
    finished: wp.array(dtype=wp.int32),
    count: wp.array(dtype=wp.int32),
    log: EpisodeLog,
):
    """Rewards and endings of each world (one agent each); finished worlds go on the shard's list."""
    w = begin + wp.tid()
    r = w
    step = s.clock[Clock.STEP, w] + 1
    s.clock[Clock.STEP, w] = step
    note_place(s, r)
    if rules.goal >= 0 and s.body[Body.CAUSE, r] == Cause.NONE:
        if s.unlocked[r, rules.goal] >= 0:
            s.body[Body.CAUSE, r] = Cause.GOAL
    died = s.body[Body.CAUSE, r] != Cause.NONE
    cut = not died and step >= s.clock[Clock.LIMIT, w]
    if cut:
        s.body[Body.CAUSE, r] = Cause.HORIZON
    milli = s.body[Body.REWARD, r] + rules.health_reward * s.body[Body.HEALTH, r]
    s.body[Body.REWARD, r] = milli
    s.body[Body.RETURN, r] = s.body[Body.RETURN, r] + milli
    reward[r] = float(milli) / float(MILLI)
    terminated[r] = died
    truncated[r] = cut
    if died or cut:
        log_episode(s, log, shard, w, r)
        finished[begin + wp.atomic_add(count, shard, 1)] = w


@kernel
def _begin_finishing_kernel(
    # In
    shard: int,
    # Out
    count: wp.array(dtype=wp.int32),
    log: EpisodeLog,
):
    """Empty the shard's list of finished worlds and count the step for its log."""
    count[shard] = 0
    log.time[shard] = log.time[shard] + 1
