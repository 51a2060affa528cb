"""One environment step: decode and choose, a few ticks, then rewards, endings and the list of finished worlds."""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.actions import CHOICES, FACTORED_SIZES, FLAT_ACTIONS, NUM_FACTORS, Camera, Hand
from farlands.worlds.voxel.blocks import FIRE
from farlands.worlds.voxel.breaking import mine, stop_breaking
from farlands.worlds.voxel.company import Turn, is_alive, is_present, row_in_turn, turn_order
from farlands.worlds.voxel.crafting import smelt
from farlands.worlds.voxel.episodes import EpisodeLog, log_episode
from farlands.worlds.voxel.hand import choose, draw_bow, eat, first_food, use
from farlands.worlds.voxel.inventory import unlock
from farlands.worlds.voxel.measures import note_place, note_way
from farlands.worlds.voxel.physics import blocks_around, fluid_of, move_body
from farlands.worlds.voxel.state import Body, Cause, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import MILLI, NUM_HEADINGS, Tables
from farlands.worlds.voxel.vitals import DAY, SLEEP_TICKS, is_fast_asleep, is_night, live

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


@wp.func
def _stays_in_bed(s: VoxelState, r: int):
    """Whether a sleeper sleeps on, which clears its action. One who has had its fill gets up by any other action."""
    if s.body[Body.SLEEPING, r] == 0:
        return False
    some = int(0)
    k = int(0)
    while k < NUM_FACTORS:
        some = some | s.action[k, r]
        k += 1
    if some != 0 and not is_fast_asleep(s, r):
        s.body[Body.SLEEPING, r] = 0
        return False
    k = int(0)
    while k < NUM_FACTORS:
        s.action[k, r] = 0
        k += 1
    return True


@kernel
def _act_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    actions: wp.array2d(dtype=wp.int32),
    begin: int,
    place: int,
    # Out
    s: VoxelState,
):
    """Decode the action of the agent of each world whose turn is in that place, and do what happens at once: turn, use,
    craft, smelt, place, equip, wear, drop.
    """
    w = begin + wp.tid()
    r = row_in_turn(rules, w, turn_order(s, rules, w, int(Turn.ACT)), place)
    if not is_alive(s, r):
        return
    s.body[Body.REWARD, r] = -rules.health_reward * s.body[Body.HEALTH, r]
    _decode(s, t, rules, actions, r)
    if _stays_in_bed(s, r):
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
def _wake(s: VoxelState, t: Tables, rules: Rules, r: int):
    """An agent that has had its fill of sleep gets up."""
    s.body[Body.SLEEPING, r] = 0
    unlock(s, t, rules, r, t.sleep_achievement)


@wp.func
def _begin_day(s: VoxelState, w: int):
    """It is morning."""
    s.clock[Clock.TIME, w] = 0
    s.clock[Clock.TIME_REST, w] = 0


@kernel
def _tick_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    place: int,
    # Out
    s: VoxelState,
):
    """One tick of the agent of each world whose turn is in that place: motion, needs, hand, furnace."""
    w = begin + wp.tid()
    r = row_in_turn(rules, w, turn_order(s, rules, w, int(Turn.TICK)), place)
    if not is_alive(s, r):
        return
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
        s.body[Body.SLEEPING, r] = s.body[Body.SLEEPING, r] + 1
        if rules.agents == 1 and s.body[Body.SLEEPING, r] > SLEEP_TICKS:
            _wake(s, t, rules, r)
            _begin_day(s, w)
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
def _end_night_kernel(
    # Model
    t: Tables,
    rules: Rules,
    # In
    begin: int,
    # Out
    s: VoxelState,
):
    """Of several agents: when every living one has had its fill of sleep it is morning, and all get up; those who have
    do so, too, when it is day already.
    """
    w = begin + wp.tid()
    awake = int(0)
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        awake += int(is_alive(s, r) and s.body[Body.SLEEPING, r] <= SLEEP_TICKS)
        agent += 1
    if awake > 0 and is_night(s, w):
        return
    rested = int(0)
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        if is_alive(s, r) and s.body[Body.SLEEPING, r] > SLEEP_TICKS:
            _wake(s, t, rules, r)
            rested += 1
        agent += 1
    if awake == 0 and rested > 0:
        _begin_day(s, w)


@wp.func
def _settle_up(s: VoxelState, rules: Rules, w: int, r: int, step: int):
    """The end of an agent's step: what it earned, in thousandths, and whether its episode is over."""
    note_place(s, r)
    if rules.goal >= 0 and is_alive(s, r):
        if s.unlocked[r, rules.goal] >= 0:
            s.body[Body.CAUSE, r] = Cause.GOAL
    if is_alive(s, r) and step >= s.clock[Clock.LIMIT, w]:
        s.body[Body.CAUSE, r] = Cause.HORIZON
    milli = s.body[Body.REWARD, r] + rules.health_reward * s.body[Body.HEALTH, r]
    s.body[Body.REWARD, r] = milli
    s.body[Body.RETURN, r] = s.body[Body.RETURN, r] + milli
    return milli


@wp.func
def is_over(s: VoxelState, rules: Rules, w: int):
    """Whether a world begins anew after this step: at the horizon, and when nobody is left who lives or comes back."""
    if s.clock[Clock.STEP, w] >= s.clock[Clock.LIMIT, w]:
        return True
    agent = int(0)
    while agent < rules.agents:
        if is_alive(s, w * rules.agents + agent):
            return False
        agent += 1
    return rules.agents == 1 or rules.respawn == 0


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
    parting: wp.array(dtype=wp.int32),
    parting_count: wp.array(dtype=wp.int32),
    log: EpisodeLog,
):
    """Rewards and endings of each world's agents; worlds that are over, and those in which somebody's episode is, go on
    the shard's lists. Who is gone stays terminated.
    """
    w = begin + wp.tid()
    step = s.clock[Clock.STEP, w] + 1
    s.clock[Clock.STEP, w] = step
    # Between two trials an episode goes on.
    last = s.clock[Clock.TRIAL, w] + 1 >= rules.trials
    ended = int(0)
    agent = int(0)
    while agent < rules.agents:
        r = w * rules.agents + agent
        milli = int(0)
        if is_present(s, r):
            milli = _settle_up(s, rules, w, r, step)
            if not is_alive(s, r):
                log_episode(s, log, shard, w, r)
                ended += 1
        cut = s.body[Body.CAUSE, r] == Cause.HORIZON
        reward[r] = float(milli) / float(MILLI)
        terminated[r] = last and not is_alive(s, r) and not cut
        truncated[r] = last and cut
        agent += 1
    if ended > 0:
        parting[begin + wp.atomic_add(parting_count, shard, 1)] = w
    if is_over(s, rules, w):
        finished[begin + wp.atomic_add(count, shard, 1)] = w


@kernel
def _begin_finishing_kernel(
    # In
    shard: int,
    # Out
    count: wp.array(dtype=wp.int32),
    parting_count: wp.array(dtype=wp.int32),
    log: EpisodeLog,
):
    """Empty the shard's lists of worlds and count the step for its log."""
    count[shard] = 0
    parting_count[shard] = 0
    log.time[shard] = log.time[shard] + 1
