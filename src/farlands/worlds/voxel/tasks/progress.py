"""How far each row has come with its task: programs run on the device, one step of the world at a time.

A node is at work from when its part of the task begins: the task itself at the start of the episode, a child with its
parent, a stage of a ``sequence`` when the one before it was done (it is looked at from the next step on). The task is
looked at once at the start and after every step.

Progress is in thousandths. Of ``all`` it is the mean of its tasks, of ``any`` the greatest, of ``count`` the mean of
the k greatest, of ``sequence`` the stages done plus that of the present one over their number, of ``within`` that of
its task while there is time, 1,000 once it was done and 0 once it is too late; ``not`` has 0 or 1,000. It falls only
where something momentary (``carry``, ``above``, ...) or a ``not`` ceases to hold, or a ``within`` runs out.
"""

from __future__ import annotations

import warp as wp

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.listed import Listed, how_many, world_at
from farlands.worlds.voxel.measures import note_place
from farlands.worlds.voxel.rng import draw
from farlands.worlds.voxel.state import Body, Cause, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import Tables
from farlands.worlds.voxel.tasks.events import clear_tally
from farlands.worlds.voxel.tasks.measure import (
    FINAL,
    FULL,
    HOLDS,
    PROGRESS_MASK,
    either_way,
    measure,
    measure_start,
)
from farlands.worlds.voxel.tasks.predicates import ALL, ANY, COUNT, MAX_NODES, NOT, SEQUENCE
from farlands.worlds.voxel.tasks.program import LENGTH, WORDS, Word
from farlands.worlds.voxel.tasks.state import AT_WORK, Status, TaskPay, TaskState

TASK_PURPOSE = 1000
"""Purpose of the draw that picks a level's task: far from those of ``rng.Purpose``, below 2^10."""

_COMBINATOR = 128
_DONE = 2
_EXPIRED = 4
_STAGE_SHIFT = 8


@wp.func
def _word(g: TaskState, r: int, node: int, word: int):
    return g.program[r, node * WORDS + word]


@wp.func
def _previous_child(g: TaskState, r: int, child: int):
    """The child before a child of the same node."""
    return child - _word(g, r, child, Word.SIZE)


@wp.func
def _child(g: TaskState, r: int, node: int, number: int):
    """Child ``number`` of a node, from 0."""
    child = node - 1
    left = _word(g, r, node, Word.ARITY) - 1 - number
    while left > 0:
        child = _previous_child(g, r, child)
        left -= 1
    return child


@wp.func
def _begin_node(g: TaskState, s: VoxelState, r: int, top: int):
    """Set a node and all under it to work, of sequences the first stage only."""
    low = top - _word(g, r, top, Word.SIZE)
    j = int(top)
    while j > low:
        g.flags[r, j] = 0
        g.value[r, j] = 0
        j -= 1
    g.flags[r, top] = AT_WORK
    j = int(top)
    # Parents stand after their children, so going down meets each node after it was set to work.
    while j > low:
        if g.flags[r, j] != 0:
            op = _word(g, r, j, Word.OP)
            g.start[r, j] = measure_start(
                s, g.tally, r, op, _word(g, r, j, Word.FIRST), _word(g, r, j, Word.OTHER), g.steps[r]
            )  # fmt: skip
            if op == SEQUENCE:
                g.flags[r, _child(g, r, j, 0)] = AT_WORK
            elif op >= _COMBINATOR:
                child = j - 1
                left = _word(g, r, j, Word.ARITY)
                while left > 0:
                    g.flags[r, child] = AT_WORK
                    child = _previous_child(g, r, child)
                    left -= 1
        j -= 1


@wp.func
def _rest_node(g: TaskState, r: int, top: int):
    """Take a node and all under it off work; their values stay to be seen."""
    j = int(top)
    while j > top - _word(g, r, top, Word.SIZE):
        g.flags[r, j] = g.flags[r, j] & ~AT_WORK
        j -= 1


@wp.func
def _greatest(g: TaskState, r: int, node: int, taken: int):
    """Which child (from the last, 0) has most progress among those whose bit in ``taken`` is not set."""
    best = int(-1)
    most = int(-1)
    child = node - 1
    k = int(0)
    while k < _word(g, r, node, Word.ARITY):
        progress = g.value[r, child] & PROGRESS_MASK
        if progress > most and ((taken >> k) & 1) == 0:
            most = progress
            best = k
        child = _previous_child(g, r, child)
        k += 1
    return wp.vec2i(best, most)


@wp.func
def _mean_of_greatest(g: TaskState, r: int, node: int, k: int):
    """Mean progress of the k children that have most."""
    total = int(0)
    taken = int(0)
    i = int(0)
    while i < k:
        best = _greatest(g, r, node, taken)
        taken = taken | (1 << best[0])
        total += best[1]
        i += 1
    return total // k


@wp.func
def _join(g: TaskState, r: int, node: int, needed: int):
    """At least ``needed`` of the children hold; ``all`` and ``any`` are the two ends of that."""
    holding = int(0)
    settled = int(0)
    lost = int(0)
    child = node - 1
    arity = _word(g, r, node, Word.ARITY)
    k = int(0)
    while k < arity:
        value = g.value[r, child]
        if (value & HOLDS) != 0:
            holding += 1
            settled += int((value & FINAL) != 0)
        else:
            lost += int((value & FINAL) != 0)
        child = _previous_child(g, r, child)
        k += 1
    value = _mean_of_greatest(g, r, node, needed)
    if holding >= needed:
        value = FULL | HOLDS
        if settled >= needed:
            value = value | FINAL
    elif arity - lost < needed:
        value = value | FINAL
    return value


@wp.func
def _follow(g: TaskState, s: VoxelState, r: int, node: int):
    """A sequence: when its present stage holds the next one begins."""
    arity = _word(g, r, node, Word.ARITY)
    if (g.flags[r, node] & _DONE) != 0:
        return FULL | HOLDS | FINAL
    stage = g.flags[r, node] >> _STAGE_SHIFT
    child = _child(g, r, node, stage)
    value = g.value[r, child]
    progress = (stage * FULL + (value & PROGRESS_MASK)) // arity
    if (value & HOLDS) == 0:
        return progress | (value & FINAL)
    _rest_node(g, r, child)
    if stage + 1 == arity:
        g.flags[r, node] = g.flags[r, node] | _DONE
        return FULL | HOLDS | FINAL
    g.flags[r, node] = g.flags[r, node] + (1 << _STAGE_SHIFT)
    _begin_node(g, s, r, _child(g, r, node, stage + 1))
    return progress


@wp.func
def _hurry(g: TaskState, r: int, node: int):
    """A ``within``: done for good once its task holds in time, lost for good once it is too late."""
    if (g.flags[r, node] & _DONE) != 0:
        return FULL | HOLDS | FINAL
    if (g.flags[r, node] & _EXPIRED) != 0:
        return FINAL
    value = g.value[r, node - 1]
    if (value & HOLDS) != 0:
        g.flags[r, node] = g.flags[r, node] | _DONE
        return FULL | HOLDS | FINAL
    late = g.steps[r] - g.start[r, node] >= _word(g, r, node, Word.NUMBER)
    if late or (value & FINAL) != 0:
        g.flags[r, node] = g.flags[r, node] | _EXPIRED
        return FINAL
    return value


@wp.func
def _look(g: TaskState, s: VoxelState, t: Tables, rules: Rules, w: int, r: int, node: int):
    """Value of a node whose children have theirs."""
    op = _word(g, r, node, Word.OP)
    number = _word(g, r, node, Word.NUMBER)
    if op < _COMBINATOR:
        return measure(
            s, t, rules, g.tally, w, r, op, _word(g, r, node, Word.FIRST), _word(g, r, node, Word.OTHER), number,
            g.start[r, node], g.steps[r],
        )  # fmt: skip
    if op == ALL:
        return _join(g, r, node, _word(g, r, node, Word.ARITY))
    if op == ANY:
        return _join(g, r, node, 1)
    if op == COUNT:
        return _join(g, r, node, number)
    if op == NOT:
        value = g.value[r, node - 1]
        return either_way((value & HOLDS) == 0) | (value & FINAL)
    if op == SEQUENCE:
        return _follow(g, s, r, node)
    return _hurry(g, r, node)


@wp.func
def look_at_task(g: TaskState, s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """Bring every node at work, and the row's progress and status, up to the present state."""
    i = int(0)
    while i < MAX_NODES and _word(g, r, i, Word.OP) != 0:
        if (g.flags[r, i] & AT_WORK) != 0:
            g.value[r, i] = _look(g, s, t, rules, w, r, i)
        i += 1
    if i == 0:
        return
    value = g.value[r, i - 1]
    progress = value & PROGRESS_MASK
    g.delta[r] = progress - g.progress[r]
    g.progress[r] = progress
    if (value & HOLDS) != 0:
        g.status[r] = int(Status.SUCCEEDED)
    elif (value & FINAL) != 0:
        g.status[r] = int(Status.FAILED)


@wp.func
def advance_task(g: TaskState, s: VoxelState, t: Tables, rules: Rules, w: int, r: int):
    """One step of row ``r``'s task, after the world's step. A task that is over stays as it was."""
    g.delta[r] = 0
    if g.status[r] != Status.GOING_ON:
        return
    g.steps[r] = g.steps[r] + 1
    look_at_task(g, s, t, rules, w, r)


@wp.func
def begin_task(
    g: TaskState, s: VoxelState, t: Tables, rules: Rules, bank: wp.array2d(dtype=wp.int32), w: int, r: int, index: int
):  # fmt: skip
    """Give row ``r`` a task of the bank, at the start of its episode, and look at it once."""
    g.index[r] = index
    k = int(0)
    while k < LENGTH:
        g.program[r, k] = bank[index, k]
        k += 1
    k = int(0)
    while k < MAX_NODES:
        g.start[r, k] = 0
        g.flags[r, k] = 0
        g.value[r, k] = 0
        k += 1
    clear_tally(g.tally, r)
    g.steps[r] = 0
    g.progress[r] = 0
    g.status[r] = int(Status.GOING_ON)
    nodes = int(0)
    while nodes < MAX_NODES and _word(g, r, nodes, Word.OP) != 0:
        nodes += 1
    if nodes > 0:
        _begin_node(g, s, r, nodes - 1)
        look_at_task(g, s, t, rules, w, r)
    g.delta[r] = 0


@kernel
def _begin_tasks_kernel(
    # Model
    t: Tables,
    rules: Rules,
    bank: wp.array2d(dtype=wp.int32),
    # In
    s: VoxelState,
    listed: Listed,
    # Out
    g: TaskState,
):
    """Tasks of the agents of the listed worlds whose life begins now: chosen ones, or drawn by the level's seed."""
    i = wp.tid()
    while i < how_many(listed):
        w = world_at(listed, i)
        agent = int(0)
        while agent < rules.agents:
            r = w * rules.agents + agent
            index = g.choice[r]
            if index < 0:
                low = wp.uint32(s.clock[Clock.SEED_LOW, w])
                high = wp.uint32(s.clock[Clock.SEED_HIGH, w])
                index = wp.int32(draw(low, high, agent, 0, TASK_PURPOSE)[0] % wp.uint32(bank.shape[0]))
            if s.body[Body.BORN, r] == s.clock[Clock.STEP, w]:
                begin_task(g, s, t, rules, bank, w, r, wp.min(index, bank.shape[0] - 1))
            agent += 1
        i += listed.stride


@kernel
def _advance_tasks_kernel(
    # Model
    t: Tables,
    rules: Rules,
    pay: TaskPay,
    # In
    begin: int,
    # Out
    s: VoxelState,
    g: TaskState,
):
    """One step of each row's task after the last tick, before rewards are summed; a dead agent's stands still."""
    r = begin + wp.tid()
    g.delta[r] = 0
    if s.body[Body.CAUSE, r] != Cause.NONE or g.status[r] != Status.GOING_ON:
        return
    # Where it stands now counts now, not only when the step is finished.
    note_place(s, r)
    advance_task(g, s, t, rules, r // rules.agents, r)
    reward = g.delta[r] * pay.progress
    if g.status[r] == Status.SUCCEEDED:
        reward += pay.success
        if pay.ends != 0:
            s.body[Body.CAUSE, r] = int(Cause.GOAL)
    s.body[Body.REWARD, r] = s.body[Body.REWARD, r] + reward
