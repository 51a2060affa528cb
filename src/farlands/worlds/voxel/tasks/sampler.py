"""Tasks drawn by backward chaining: a goal of the depth asked for, what stands on the way to it, and more of the kind.

The depth is drawn first, evenly; then a goal of that depth, then up to five companions, nearly half of them out of what
the goal itself rests on; then combinators over all of them, conditions and limits of time. What the judge refuses, what
doing nothing fulfils and what takes too long is drawn anew. A task is a pure function of its seed and the sampler's
settings.
"""

from __future__ import annotations

from collections.abc import Sequence

from farlands.worlds.voxel.tasks.judge import Judge
from farlands.worlds.voxel.tasks.pools import Goal, Pools
from farlands.worlds.voxel.tasks.predicates import MAX_NODES
from farlands.worlds.voxel.tasks.program import canonical
from farlands.worlds.voxel.tasks.splits import DEEPEST_TRAINING, Split, belongs
from farlands.worlds.voxel.tasks.stream import Stream
from farlands.worlds.voxel.tasks.techtree import TechTree, default_tree
from farlands.worlds.voxel.tasks.tree import Leaf, Node, Task, size, walk

DEPTHS = tuple(range(1, 9))
"""Depths drawn from by default."""

MIN_SHARE = 0.95
"""By default tasks rest only on blocks that at least so many levels grow near the start."""

SLACK = 2.0
"""An episode has at least this many times the steps that a drawn task may take."""

_ATTEMPTS = 10_000
_COMPANIONS = (0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5)
_PATIENCE = (2, 3, 4, 6)
_LEAST_LIMIT = 60


class Sampler:
    """Draws tasks under given rules.

    Args:
        tree: The rules; by default the standard ones, with flat actions, over land that can be counted on.
        depths: Depths to draw from, evenly.
        horizon: Steps of an episode.
        split: Part of the tasks to keep to, see ``splits``.

    Raises:
        ValueError: There is no goal of one of the depths.
    """

    def __init__(
        self,
        tree: TechTree | None = None,
        *,
        depths: Sequence[int] = DEPTHS,
        horizon: int = 10_000,
        split: Split | None = None,
    ) -> None:
        self.judge = Judge(tree or default_tree(min_share=MIN_SHARE), int(horizon / SLACK))
        self.pools = Pools(self.judge)
        self.split = split
        # The rule of depths looks at the depth alone, which is drawn first: no use in drawing what must be refused.
        by_depth = split is not None and split.rule == "depth"
        self.depths = tuple(d for d in depths if not by_depth or (d > DEEPEST_TRAINING) == (split.part == "test"))
        if not self.depths:
            raise ValueError(f"tasks: none of the depths is of split {split}; training ends at {DEEPEST_TRAINING}")
        for depth in self.depths:
            if depth not in self.pools.by_depth:
                known = ", ".join(map(str, self.pools.by_depth))
                raise ValueError(f"tasks: nothing of depth {depth} can be had; depths there are: {known}")

    def sample(self, seed: int) -> Task:
        """The task of a seed, in canonical form.

        Args:
            seed: 64 bits.

        Raises:
            ValueError: The seed is none, or nothing that fits was found.
        """
        if not 0 <= seed < 2**64:
            raise ValueError(f"tasks: seed {seed} is not in [0, 2**64)")
        for attempt in range(_ATTEMPTS):
            stream = Stream(seed, attempt)
            # The depth is the seed's own, however many attempts it takes: else easy depths would be drawn more often.
            depth = self.depths[Stream(seed, _ATTEMPTS).below(len(self.depths))]
            task = self._draft(stream, depth)
            if task is not None and (self.split is None or belongs(task, seed, depth, self.split)):
                return task
        raise ValueError(f"tasks: found none of split {self.split} for seed {seed}")

    def _draft(self, stream: Stream, depth: int) -> Task | None:
        """One attempt; None where it came to nothing."""
        goal = self.pools.goal(stream, depth)
        parts: list[Task] = [*self._companions(stream, goal, depth), self._anchor(stream, goal, depth)]
        if stream.chance(20):
            parts.insert(stream.below(len(parts)), parts.pop())
        task = canonical(self._limit(stream, self._join(stream, parts)))
        if size(task) > MAX_NODES or _says_twice(task) or self.judge.depth(task) != depth or self.judge.idle(task):
            return None
        return task if self.judge.judge(task).solvable else None

    def _anchor(self, stream: Stream, goal: Goal, depth: int) -> Task:
        """The goal itself, now and then one of several as deep."""
        leaf = goal.draw(stream)
        if not stream.chance(12):
            return leaf
        others = [self.pools.goal(stream, depth).draw(stream) for _ in range(1 + stream.below(2))]
        alike: tuple[Task, ...] = tuple(dict.fromkeys((leaf, *others)))
        if len(alike) < 2:
            return leaf
        if len(alike) > 2 and stream.chance(50):
            return Node("count", alike, 2)
        return Node("any", alike)

    def _companions(self, stream: Stream, goal: Goal, depth: int) -> list[Task]:
        parts: list[Task] = []
        before = self.pools.on_the_way[goal.name, goal.thing]
        for _ in range(stream.pick(_COMPANIONS)):
            if before and stream.chance(45):
                parts.append(stream.pick(before).draw(stream))
            else:
                # Depths that were not asked for are no goals, but they may lie on the way.
                least = stream.below(depth) + 1
                known = least if least in self.pools.by_depth else depth
                parts.append(self.pools.goal(stream, known).draw(stream))
        if stream.chance(70):
            parts.sort(key=self.judge.depth)
        return parts

    def _join(self, stream: Stream, parts: list[Task]) -> Task:
        """One task of several: combinators over groups of neighbours."""
        if len(parts) == 1:
            return self._under_condition(stream, parts[0], 12)
        n = 2 if len(parts) == 2 else 2 + stream.below(len(parts) - 1)
        groups: list[Task] = []
        left = list(parts)
        for k in range(n, 0, -1):
            most = len(left) - k + 1
            taken = most if k == 1 else 1 + stream.below(most)
            groups.append(self._limit(stream, self._join(stream, left[:taken])))
            left = left[taken:]
        return self._under_condition(stream, self._combine(stream, groups), 10)

    def _combine(self, stream: Stream, groups: list[Task]) -> Task:
        kind = stream.below(100)
        if kind < 50:
            return Node("sequence", tuple(groups))
        if kind < 80:
            return Node("all", tuple(groups))
        # Twice the same would count double.
        if kind < 90 and len(set(groups)) == len(groups) > 2:
            return Node("count", tuple(groups), 2 + stream.below(len(groups) - 2))
        return Node("any", tuple(groups)) if kind < 95 else Node("sequence", tuple(groups))

    def _under_condition(self, stream: Stream, task: Task, percent: int) -> Task:
        if not stream.chance(percent):
            return task
        conditions = tuple(self.pools.condition(stream) for _ in range(1 + stream.chance(25)))
        return Node("all", (task, *conditions))

    def _limit(self, stream: Stream, task: Task) -> Task:
        """Now and then a task has to be done in time, several times what it should take."""
        if (isinstance(task, Node) and task.name == "within") or not stream.chance(10):
            return task
        steps = max(_LEAST_LIMIT, round(self.judge.steps(task) * stream.pick(_PATIENCE), -1))
        return Node("within", (task,), int(min(steps, self.judge.horizon)))


def _says_twice(task: Task) -> bool:
    """Whether two predicates side by side differ in nothing but their number, so that one says what the other does."""
    for node in walk(task):
        if isinstance(node, Node) and node.name != "sequence":
            about = [(child.name, child.thing) for child in node.children if isinstance(child, Leaf)]
            if len(set(about)) < len(about):
                return True
    return False


def sample_many(sampler: Sampler, seed: int, count: int) -> list[tuple[int, Task]]:
    """``count`` tasks with their seeds, which follow from one seed and keep its top bit."""
    stream = Stream(seed, 1)
    top = seed >> 63
    seeds = []
    for _ in range(count):
        words = [stream.below(1 << 16) for _ in range(4)]
        value = words[0] | words[1] << 16 | words[2] << 32 | words[3] << 48
        seeds.append(value & (2**63 - 1) | top << 63)
    return [(each, sampler.sample(each)) for each in seeds]
