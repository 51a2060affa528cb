"""A long training run with everything of the world switched on, whose invariants are checked on the way.

    GOMP_SPINCOUNT=10000 python benchmarks/soak.py     # ten million steps on the CPU
    ... benchmarks/soak.py --seconds 600 --keep        # as far as it comes in ten minutes, noted down in results.jsonl

The variable, which the command line sets by itself, keeps waiting threads from spinning.

Checked: every figure finite and no step left out; counters of run, learner and collector agree; slots, armour, vitals
and headings within bounds, and amounts equal to what the slots hold; episodes in the records as many as ends in the
rollouts; worlds restored elsewhere from a snapshot and taken through the same actions reach the same hash; memory flat.
The exit code is 1 if any of it failed.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections import Counter
from typing import Any

import torch
import warp as wp
from figures import record

from farlands.config import TrainConfig
from farlands.extensions import resolve_options
from farlands.recipes import apply_recipe
from farlands.runtime.callbacks import Callback, Context
from farlands.runtime.display import make_display
from farlands.runtime.memory import resident_bytes, robust_slope
from farlands.runtime.session import carry, start
from farlands.runtime.signals import StopRequest
from farlands.worlds.voxel.items import ITEMS
from farlands.worlds.voxel.state import Body
from farlands.worlds.voxel.vitals import MAX_AIR, MAX_FOOD, MAX_HEALTH
from farlands.worlds.voxel.world import VoxelWorld

BOUNDS = {
    Body.HEALTH: (0, MAX_HEALTH), Body.FOOD: (0, MAX_FOOD), Body.AIR: (-20, MAX_AIR), Body.YAW: (0, 23),
    Body.PITCH: (-6, 6), Body.HAND: (-1, 35), Body.SATURATION: (0, 1 << 20), Body.FIRE: (0, 1 << 20),
}  # fmt: skip
"""Least and most of what a body has. Air runs below nothing for the second between two breaths of water."""
REPLAYED = 4
"""Worlds that are lived again from each snapshot."""
FLAT = 4 << 20
"""Bytes of growth per million steps that still count as flat."""


class Soak(Callback):
    """Checks after every update, and remembers what failed.

    Attributes:
        checks: How often each invariant was checked.
        failures: How often each did not hold.
        examples: The first failure of each, in words.
    """

    def __init__(self, run: Any, every: int) -> None:
        self.run, self.every = run, every
        self.checks: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.samples: list[tuple[int, int]] = []
        self.episodes = 0
        self._stack = torch.tensor([item.stack for item in ITEMS])
        self._beside = VoxelWorld(REPLAYED, run.config.options, device=run.config.device)
        self._beside.reset(0)
        self._snapshot: tuple[list[int], dict[str, torch.Tensor]] | None = None

    def check(self, name: str, holds: bool, said: object = "") -> None:
        """Count an invariant."""
        self.checks[name] += 1
        if not holds:
            self.failures[name] += 1
            self.examples.setdefault(name, f"step {self.run.counters.steps}: {said}")

    def on_update(self, context: Context) -> None:
        row, rollout, episodes = context.metrics, context.rollout, context.episodes
        assert rollout is not None, row
        assert episodes is not None, row
        self.samples.append((context.steps, resident_bytes()))
        bad = [name for name, value in row.items() if value != value or abs(value) == float("inf")]
        self.check("finite", not bad and not row["guard/nonfinite"] and not row["learn/skipped_steps"], bad)
        steps = context.updates * rollout.length * rollout.num_rows
        counted = (steps, context.updates, context.updates * rollout.length)
        found = (context.steps, self.run.learner.updates, int(self.run.collector.tick))
        self.check("counters", counted == found, (counted, found))
        ends = int((rollout.terminated | rollout.truncated).sum())
        self.check("episodes", ends == len(episodes) + episodes.dropped, (ends, len(episodes), episodes.dropped))
        self.episodes += len(episodes)
        if self._snapshot:
            self._live_again(context)
        if context.updates % self.every == 0:
            self._look_at_worlds()
            self._take_snapshot(context)

    def _look_at_worlds(self) -> None:
        state = self.run.world.state
        body = wp.to_torch(state.body)
        for row, (low, high) in BOUNDS.items():
            least, most = int(body[row].min()), int(body[row].max())
            self.check("bodies", low <= least and most <= high, (row.name, least, most))
        names = ("slot_item", "slot_count", "armour_item")
        item, count, armour = (wp.to_torch(getattr(state, name)).long() for name in names)
        known = int(item.max()) < len(ITEMS) and int(armour.max()) < len(ITEMS)
        self.check("slots hold items", known, int(item.max()))
        self.check("slots are full or empty", bool(((item > 0) == (count > 0)).all()))
        self.check("stacks", bool((count <= self._stack[item.clamp(max=len(ITEMS) - 1)]).all()))
        held = torch.zeros(len(item), len(ITEMS), dtype=torch.int64).scatter_add_(1, item, count)
        held[:, 0] = 0
        counts = wp.to_torch(state.counts).long()
        self.check("amounts", bool((held[:, 1:] == counts[:, 1:]).all()))

    def _take_snapshot(self, context: Context) -> None:
        first = context.updates * REPLAYED % context.world.num_worlds
        worlds = [(first + number) % context.world.num_worlds for number in range(REPLAYED)]
        self._snapshot = worlds, dict(context.world.snapshot(worlds))

    def _live_again(self, context: Context) -> None:
        assert self._snapshot is not None
        assert context.rollout is not None
        (worlds, snapshot), self._snapshot = self._snapshot, None
        # In another order, so that nothing may depend on a world's place.
        order = list(reversed(range(REPLAYED)))
        self._beside.restore({name: value[order] for name, value in snapshot.items()})
        rows = torch.tensor([worlds[number] for number in order])
        for actions in context.rollout.actions:
            self._beside.step(actions[rows].contiguous())
        here = self._beside.state_hash().tolist()
        there = context.world.state_hash(rows.tolist()).tolist()  # type: ignore[call-arg]
        self.check("lived again", here == there, (worlds, here, there))

    def slope(self) -> float:
        """Bytes per million steps that memory grows by, after a fifth of the run as warm-up."""
        settled = self.samples[len(self.samples) // 5 :]
        return robust_slope([steps / 1e6 for steps, _ in settled], [held for _, held in settled])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=float, default=1e7)
    parser.add_argument("--seconds", type=float, default=0.0, help="end after this much time; 0 for no such end")
    parser.add_argument("--recipe", default="demo")
    parser.add_argument("--worlds", type=int, default=512)
    parser.add_argument("--every", type=int, default=5, help="updates between looks at the worlds")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="append the result to results.jsonl")
    arguments = parser.parse_args()
    options = resolve_options("voxel")()
    config = apply_recipe(TrainConfig(world="voxel", options=options), arguments.recipe)
    with tempfile.TemporaryDirectory() as directory, make_display(errors=True) as display, StopRequest() as stop:
        config = dataclasses.replace(
            config, device="cpu", run_dir=f"{directory}/run", steps=int(arguments.steps),
            seconds=arguments.seconds, num_worlds=arguments.worlds, threads=arguments.threads, save_every=60.0,
        )  # fmt: skip
        run = start(config, sys.argv, display, stop)
        soak = Soak(run, arguments.every)
        run.callbacks.append(soak)
        code = carry(run)
        slope, steps, seconds = soak.slope(), run.counters.steps, run.counters.seconds
    soak.check("memory flat", slope < FLAT, f"{slope:,.0f} bytes per million steps")
    record(
        "R5-soak", steps, keep=arguments.keep, unit="steps", seconds=round(seconds), episodes=soak.episodes,
        bytes_per_million_steps=round(slope), resident_mib=soak.samples[-1][1] >> 20,
        checks=dict(soak.checks), failures=dict(soak.failures), examples=soak.examples,
    )  # fmt: skip
    print(json.dumps({"passed": not soak.failures}))
    return int(bool(code or soak.failures))


if __name__ == "__main__":
    sys.exit(main())
