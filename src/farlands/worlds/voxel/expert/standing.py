"""How an agent stands with its task: the tree of the task with the state that the world keeps of every part of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import warp as wp

from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.tasks.events import THINGS
from farlands.worlds.voxel.tasks.measure import FINAL, HOLDS
from farlands.worlds.voxel.tasks.predicates import Timing
from farlands.worlds.voxel.tasks.program import Word, decode
from farlands.worlds.voxel.tasks.state import AT_WORK
from farlands.worlds.voxel.tasks.tree import Leaf, Node, Task
from farlands.worlds.voxel.world import VoxelWorld

_STAGE_SHIFT = 8
LATCHED = ("sequence", "within")
"""Combinators that stay true once they were."""


@dataclass
class Account:
    """The numbers behind a task: views of one row of ``tasks.state.TaskState``, N nodes.

    Attributes:
        program: int32 ``[LENGTH]``.
        flags, value, start: int32 ``[N]``.
        tally: int32 ``[TALLY]``.
        steps: int32 ``[1]``, since the task began.
        places: int32 ``[1]``, patches seen in the episode.
    """

    program: np.ndarray
    flags: np.ndarray
    value: np.ndarray
    start: np.ndarray
    tally: np.ndarray
    steps: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, world: VoxelWorld, index: int) -> Account:
        """Of the agent of one world of a batch on the CPU: always up to date."""
        tasks = world.tasks
        rows = {name: wp.to_torch(getattr(tasks, name)).numpy()[index] for name in ("flags", "value", "start", "tally")}
        program = wp.to_torch(tasks.program).numpy()[index].copy()
        steps = wp.to_torch(tasks.steps).numpy()[index : index + 1]
        places = wp.to_torch(world.state.body).numpy()[Body.PLACES, index : index + 1]
        return cls(program, steps=steps, places=places, **rows)


@dataclass(eq=False)
class Part:
    """A node of the task at work.

    Attributes:
        index: Its place in the program.
        task: The tree under it.
        children: Its parts.
    """

    index: int
    task: Task
    children: tuple[Part, ...]
    account: Account

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def leaf(self) -> Leaf:
        """The predicate of a part that is one."""
        assert isinstance(self.task, Leaf), self.task
        return self.task

    @property
    def at_work(self) -> bool:
        """Whether it is looked at now."""
        return bool(self.account.flags[self.index] & AT_WORK)

    @property
    def holds(self) -> bool:
        """Whether it is true, by the last look."""
        return bool(self.account.value[self.index] & HOLDS)

    @property
    def lost(self) -> bool:
        """Whether it can't come true any more."""
        return not self.holds and bool(self.account.value[self.index] & FINAL)

    @property
    def lasts(self) -> bool:
        """Whether it stays true once it was."""
        if isinstance(self.task, Leaf):
            return self.task.predicate.timing != Timing.MOMENTARY
        return self.name in LATCHED

    @property
    def stage(self) -> int:
        """Of a sequence: which of its parts is at work."""
        return int(self.account.flags[self.index]) >> _STAGE_SHIFT

    @property
    def steps_left(self) -> int:
        """Of a ``within``: steps it has left."""
        assert isinstance(self.task, Node), self.task
        return self.task.number - int(self.account.steps[0] - self.account.start[self.index])

    @property
    def done(self) -> int:
        """Of an event count: how many since its part of the task began."""
        return self._total() - int(self.account.start[self.index])

    @property
    def remaining(self) -> int:
        """Of an event count: how many are missing; of other predicates their number."""
        counted = isinstance(self.task, Leaf) and self.task.predicate.timing == Timing.EVENT
        return max(self.leaf.number - self.done, 0) if counted else self.leaf.number

    def _total(self) -> int:
        event = self.leaf.predicate.event
        if self.name == "visit":
            return int(self.account.places[0])
        if event is None:
            return int(self.account.steps[0])
        if not self.leaf.predicate.names_thing:
            return int(self.account.tally[event * THINGS : (event + 1) * THINGS].sum())
        words = self.account.program[self.index * len(Word) :]
        things = [int(words[Word.FIRST])] + ([int(words[Word.OTHER])] if words[Word.OTHER] else [])
        return sum(int(self.account.tally[event * THINGS + thing]) for thing in things)

    def walk(self) -> Iterator[Part]:
        """It and all under it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def parts_of(account: Account) -> Part:
    """The whole task as parts."""
    return _build(decode(account.program), account, int(np.count_nonzero(account.program[:: len(Word)])) - 1)


def _build(task: Task, account: Account, index: int) -> Part:
    """The part whose node is at a place of the program: its last child stands just before it."""
    children: list[Part] = []
    at = index - 1
    for child in reversed(task.children if isinstance(task, Node) else ()):
        children.append(_build(child, account, at))
        at -= int(account.program[at * len(Word) + Word.SIZE])
    return Part(index, task, tuple(reversed(children)), account)
