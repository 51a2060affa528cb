"""Random tasks, a random state to follow them in, and a slow interpreter of task trees in plain Python."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import warp as wp

from farlands.worlds.voxel.blocks import BLOCK_ID, LAVA, WATER
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURE_ID
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.listed import list_worlds
from farlands.worlds.voxel.state import NUM_ACHIEVEMENTS, POSITION_ONE, Body, Clock
from farlands.worlds.voxel.tasks.events import TALLY, THINGS
from farlands.worlds.voxel.tasks.predicates import COMBINATORS, PREDICATES, Event, Kind, vocabulary
from farlands.worlds.voxel.tasks.program import encode_all
from farlands.worlds.voxel.tasks.progress import _advance_tasks_kernel, _begin_tasks_kernel
from farlands.worlds.voxel.tasks.state import Status, TaskPay, allocate_tasks
from farlands.worlds.voxel.tasks.tree import Leaf, Node, Task

_THINGS = ("log", "oak_log", "spruce_log", "dirt", "cobblestone", "apple", "stone", "flower", "planks", "charcoal")
_KINDS = ("cow", "sheep", "zombie")
_AXES, _BEING_AXES = (Body.X, Body.Y, Body.Z), (Being.X, Being.Y, Being.Z)


def _random_leaf(draw: random.Random, most: int) -> Leaf:
    row = draw.choice(PREDICATES)
    arguments: list[str | int] = []
    for argument in row.arguments:
        if argument.kind == Kind.NUMBER:
            arguments.append(draw.randint(argument.low, min(argument.high, argument.low + most)))
        else:
            arguments.append(draw.choice(sorted(vocabulary(argument.kind))))
    return Leaf(row.name, tuple(arguments))


def _random_task(draw: random.Random, nodes: int, leaf: Callable[[], Leaf]) -> Task:
    if nodes == 1:
        return leaf()
    row = draw.choice([row for row in COMBINATORS if row.most == 1 or nodes > 2])
    if row.most == 1:
        number = draw.randint(1, 12) if row.number else 0
        return Node(row.name, (_random_task(draw, nodes - 1, leaf),), number)
    left, children = nodes - 1, []
    while left:
        part = left if children and draw.random() < 0.4 else draw.randint(1, max(1, left - (not children)))
        children.append(_random_task(draw, part, leaf))
        left -= part
    number = draw.randint(1, len(children)) if row.number else 0
    return Node(row.name, tuple(children), number)


@pytest.fixture(scope="session")
def random_task() -> Callable[..., Task]:
    """``random_task(draw, nodes, most=..., leaf=...)``: any tree of the grammar with so many nodes.

    Numbers are at most ``most`` above their least; ``leaf`` overrides how leaves are drawn.
    """

    def make(draw: random.Random, nodes: int, most: int = 10**6, leaf: Callable[[], Leaf] | None = None) -> Task:
        return _random_task(draw, nodes, leaf or (lambda: _random_leaf(draw, most)))

    return make


class Reference:
    """One task followed step by step. ``see(name)`` of a leaf is asked of the row it belongs to."""

    def __init__(self, task, row):
        self.task, self.row, self.steps = task, row, 0
        self.node = make_node(task, row, self)
        self.status, self.progress = Status.GOING_ON, 0

    def look(self):
        progress, holds, final = self.node.look()
        self.progress = progress
        if holds:
            self.status = Status.SUCCEEDED
        elif final:
            self.status = Status.FAILED

    def advance(self):
        if self.status == Status.GOING_ON:
            self.steps += 1
            self.look()


def make_node(task, row, clock):
    kind = {"not": NotNode, "sequence": SequenceNode, "within": WithinNode}
    if isinstance(task, Leaf):
        return LeafNode(task, row, clock)
    return kind.get(task.name, JoinNode)(task, row, clock)


class LeafNode:
    def __init__(self, leaf, row, clock):
        self.leaf, self.row, self.clock = leaf, row, clock
        self.start_z, self.start_count = row.z(), self.count()

    def count(self):
        name = self.leaf.name
        if name == "alive":
            return self.clock.steps
        if name == "visit":
            return self.row.body(Body.PLACES)
        event = self.leaf.predicate.event
        return 0 if event is None else self.row.done(event, self.leaf.thing)

    def look(self):
        name, n = self.leaf.name, self.leaf.number
        if self.leaf.predicate.timing.name == "EVENT":
            done = self.count() - self.start_count
            return min(done * 1000 // n, 1000), done >= n, done >= n
        if name == "unlock":
            holds = self.row.unlocked(self.leaf.thing)
            return 1000 * holds, holds, holds
        holds = getattr(self, name)()
        return (1000 if holds else getattr(self, f"{name}_progress", lambda: 0)()), holds, False

    def carry(self):
        return self.row.carried(self.leaf.thing) >= self.leaf.number

    def carry_progress(self):
        return self.row.carried(self.leaf.thing) * 1000 // self.leaf.number

    def wear(self):
        return self.leaf.thing in self.row.worn()

    def hold(self):
        return self.row.held() == self.leaf.thing

    def at_least(self):
        return self.row.vital(self.leaf.thing) >= self.leaf.number

    def at_least_progress(self):
        return self.row.vital(self.leaf.thing) * 1000 // self.leaf.number

    def at_most(self):
        return self.row.vital(self.leaf.thing) <= self.leaf.number

    def above(self):
        return self.row.z() >= self.leaf.number

    def below(self):
        return self.row.z() <= self.leaf.number

    def _way(self):
        span, left = abs(self.leaf.number - self.start_z), abs(self.leaf.number - self.row.z())
        return 999 if span == 0 else min(max(span - left, 0) * 1000 // span, 999)

    above_progress = below_progress = _way

    def away(self):
        return self.row.way_squared() >= self.leaf.number**2

    def away_progress(self):
        return min(int(math.sqrt(self.row.way_squared())) * 1000 // self.leaf.number, 999)

    def near(self):
        return self.row.near(self.leaf.thing, self.leaf.number)

    def beside(self):
        return self.row.beside(self.leaf.thing, self.leaf.number)

    def inside(self):
        return self.row.fluid() == self.leaf.thing

    def asleep(self):
        return self.row.body(Body.SLEEPING) > 0

    def time(self):
        first, until = self.leaf.arguments
        now = self.row.time()
        return first <= now <= until if first <= until else now >= first or now <= until


class JoinNode:
    def __init__(self, task, row, clock):
        self.children = [make_node(child, row, clock) for child in task.children]
        self.needed = {"all": len(self.children), "any": 1}.get(task.name, task.number)

    def look(self):
        seen = [child.look() for child in self.children]
        best = sorted((progress for progress, _, _ in seen), reverse=True)[: self.needed]
        holds = sum(h for _, h, _ in seen) >= self.needed
        final = sum(h and f for _, h, f in seen) >= self.needed
        final = final or sum(not (f and not h) for _, h, f in seen) < self.needed
        return sum(best) // self.needed, holds, final


class NotNode:
    def __init__(self, task, row, clock):
        self.child = make_node(task.children[0], row, clock)

    def look(self):
        _, holds, final = self.child.look()
        return 0 if holds else 1000, not holds, final


class SequenceNode:
    def __init__(self, task, row, clock):
        self.todo, self.row, self.clock = list(task.children), row, clock
        self.stages, self.done = len(task.children), 0
        self.child = make_node(self.todo.pop(0), row, clock)

    def look(self):
        if self.done == self.stages:
            return 1000, True, True
        progress, holds, final = self.child.look()
        total = (self.done * 1000 + progress) // self.stages
        if not holds:
            return total, False, final
        self.done += 1
        if self.done == self.stages:
            return 1000, True, True
        self.child = make_node(self.todo.pop(0), self.row, self.clock)
        return total, False, False


class WithinNode:
    def __init__(self, task, row, clock):
        self.child, self.most, self.clock = make_node(task.children[0], row, clock), task.number, clock
        self.begun, self.outcome = clock.steps, None

    def look(self):
        if self.outcome is not None:
            return 1000 * self.outcome, self.outcome, True
        progress, holds, final = self.child.look()
        if holds:
            self.outcome = True
        elif final or self.clock.steps - self.begun >= self.most:
            self.outcome = False
        return (progress, False, False) if self.outcome is None else (1000 * self.outcome, self.outcome, True)


class Row:
    """What a leaf may ask about one row of the world, read plainly from its arrays."""

    def __init__(self, arena, tally, r):
        self.arena, self.tally, self.r = arena, tally, r

    def body(self, row):
        return int(self.arena.body[row, self.r])

    def z(self):
        return self.body(Body.Z) // POSITION_ONE

    def cell(self):
        return [self.body(axis) // POSITION_ONE for axis in (Body.X, Body.Y, Body.Z)]

    def way_squared(self):
        x, y, _ = self.cell()
        dx, dy = x - int(self.arena.clock[Clock.START_X, self.r]), y - int(self.arena.clock[Clock.START_Y, self.r])
        return dx * dx + dy * dy

    def done(self, event, thing):
        of_creatures = (Event.KILLED, Event.BRED, Event.SHEARED)
        kind = Kind.CREATURE if event in of_creatures else Kind.BREAKABLE if event == Event.BROKEN else Kind.ITEM
        one, other = vocabulary(kind)[thing]
        return sum(int(self.tally[self.r, event * THINGS + k]) for k in (one, other) if k)

    def carried(self, thing):
        return sum(int(self.arena.counts[self.r, k]) for k in vocabulary(Kind.ITEM)[thing] if k)

    def worn(self):
        return [ITEMS[int(i)].name for i in self.arena.armour_item[self.r]]

    def held(self):
        slot = self.body(Body.HAND)
        return "nothing" if slot < 0 else ITEMS[int(self.arena.slot_item[self.r, slot])].name

    def vital(self, name):
        if name == "armour":
            return sum(ITEMS[int(i)].armour_points for i in self.arena.armour_item[self.r])
        if name == "air":
            return math.ceil(max(self.body(Body.AIR), 0) / 15)
        return self.body(Body[name.upper()])

    def block(self, x, y, z):
        side = self.arena.side
        return int(self.arena.blocks[self.r, x % side, y % side, z]) if 0 <= z < 64 else 0

    def near(self, thing, d):
        x, y, z = self.cell()
        wanted = {k for k in vocabulary(Kind.BLOCK)[thing] if k}
        around = [range(v - d, v + d + 1) for v in (x, y, z)]
        return any(self.block(i, j, k) in wanted for i in around[0] for j in around[1] for k in around[2] if k >= 0)

    def beside(self, name, d):
        count = int(self.arena.clock[Clock.CREATURES, self.r])
        for being in self.arena.creatures[self.r, :count]:
            ways = (abs(int(being[b]) - self.body(a)) for a, b in zip(_AXES, _BEING_AXES, strict=True))
            if int(being[Being.KIND]) == CREATURE_ID[name] and max(ways) <= d * POSITION_ONE:
                return True
        return False

    def fluid(self):
        x, y, z = self.cell()
        high = (self.body(Body.Z) + 1638) // POSITION_ONE
        found = {self.block(x, y, z), self.block(x, y, high)}
        return "lava" if LAVA in found else "water" if WATER in found else ""

    def time(self):
        return int(self.arena.clock[Clock.TIME, self.r])

    def unlocked(self, name):
        return int(self.arena.unlocked[self.r, vocabulary(Kind.ACHIEVEMENT)[name][0]]) >= 0


class Follower:
    """Tasks of the rows of an arena, on the device."""

    def __init__(self, arena, tasks):
        self.arena, world = arena, arena.world
        self.tables, self.rules = world._launcher.tables, world._launcher.rules
        self.g, self.pay = allocate_tasks(len(tasks), "cpu"), TaskPay()
        self.g.choice.assign(np.arange(len(tasks), dtype=np.int32))
        self.bank = wp.array(encode_all(tasks), dtype=wp.int32, device="cpu")
        self.everyone = wp.array(np.arange(len(tasks)), dtype=wp.int32, device="cpu")
        self.count = wp.array([len(tasks)], dtype=wp.int32, device="cpu")
        self.tally = wp.to_torch(self.g.tally)

    def begin(self):
        listed = list_worlds(self.everyone, self.count, 0, 0, 1)
        inputs = [self.tables, self.rules, self.bank, self.arena.world.state, listed]
        wp.launch(_begin_tasks_kernel, 1, inputs=inputs, outputs=[self.g], device="cpu")

    def advance(self):
        outputs = [self.arena.world.state, self.g]
        inputs = [self.tables, self.rules, self.pay, 0]
        wp.launch(_advance_tasks_kernel, len(self.arena.rows), inputs=inputs, outputs=outputs, device="cpu")

    def read(self):
        """Progress, status and change of every row."""
        return [array.numpy().tolist() for array in (self.g.progress, self.g.status, self.g.delta)]


def shake(arena, tally, draw):
    """Change a few random things of every row, such as leaves of tasks look at."""
    for r in arena.rows:
        for _ in range(draw.randint(0, 4)):
            _shake_row(arena, tally, r, draw)


def _shake_row(arena, tally, r, draw):
    item = draw.choice([k for name in _THINGS for k in vocabulary(Kind.ITEM).get(name, ()) if k])
    what = draw.randrange(13)
    if what == 0:
        arena.counts[r, item] = draw.randint(0, 4)
    elif what <= 3:
        tally[r, draw.randrange(TALLY) if draw.random() < 0.2 else draw.choice(list(Event)) * THINGS + item] += 1
        deed = draw.choice((Event.KILLED, Event.BRED, Event.SHEARED))
        tally[r, deed * THINGS + CREATURE_ID[draw.choice(_KINDS)]] += 1
    elif what == 4:
        row = draw.choice([Body.HEALTH, Body.FOOD, Body.SLEEPING])
        arena.body[row, r] = draw.randint(0, 20) * (draw.random() < 0.7)
    elif what == 5:
        arena.body[Body.AIR, r] = draw.randint(-20, 300)
    elif what == 6:
        arena.body[draw.choice([Body.X, Body.Y]), r] += draw.randint(-5 * POSITION_ONE, 5 * POSITION_ONE)
        arena.body[Body.Z, r] = draw.randint(20 * POSITION_ONE, 62 * POSITION_ONE)
    elif what == 7:
        arena.body[Body.PLACES, r] += 1
        arena.clock[Clock.TIME, r] = draw.randrange(24_000)
    elif what == 8:
        slot = draw.randint(-1, 3)
        arena.body[Body.HAND, r] = slot
        arena.slot_item[r, max(slot, 0)] = draw.choice([i for i, item in enumerate(ITEMS) if item.tool])
    elif what == 9:
        worn = draw.choice([i for i, item in enumerate(ITEMS) if item.armour >= 0])
        arena.armour_item[r, ITEMS[worn].armour] = worn * (draw.random() < 0.8)
    elif what == 12:
        count = arena.clock[Clock.CREATURES, r] = draw.randint(0, 3)
        for k in range(count):
            arena.creatures[r, k, Being.KIND] = CREATURE_ID[draw.choice(_KINDS)]
            for a, b in zip(_AXES, _BEING_AXES, strict=True):
                arena.creatures[r, k, b] = arena.body[a, r] + draw.randint(-5 * POSITION_ONE, 5 * POSITION_ONE)
    elif what == 10:
        arena.unlocked[r, draw.randrange(NUM_ACHIEVEMENTS)] = 1
    else:
        x, y, z = (int(arena.body[axis, r]) // POSITION_ONE for axis in (Body.X, Body.Y, Body.Z))
        x, y, z = x + draw.randint(-2, 2), y + draw.randint(-2, 2), min(max(z + draw.randint(-2, 2), 1), 63)
        name = draw.choice(["water", "lava", "stone", "planks", "oak_leaves", "air"])
        for i, j in ((x, y), (x - 1, y)):
            arena.blocks[r, i % arena.side, j % arena.side, z] = BLOCK_ID[name]


def likely_leaf(draw):
    """A leaf over the few things that ``shake`` changes, so that it comes true now and then."""
    row = draw.choice(PREDICATES)
    arguments = []
    for argument in row.arguments:
        if argument.kind == Kind.NUMBER:
            low, high = {"z": (25, 60), "from": (0, 23_999), "until": (0, 23_999)}.get(argument.name, (1, 4))
            arguments.append(draw.randint(max(low, argument.low), min(high, argument.high)))
        else:
            names = sorted(vocabulary(argument.kind))
            arguments.append(draw.choice([n for n in names if n in (*_THINGS, *_KINDS)] or names))
    return Leaf(row.name, tuple(arguments))


@pytest.fixture(scope="session")
def following() -> SimpleNamespace:
    """What tests of progress share: ``Follower``, ``Reference``, ``Row``, ``shake`` and ``likely_leaf``."""
    return SimpleNamespace(Follower=Follower, Reference=Reference, Row=Row, shake=shake, likely_leaf=likely_leaf)
