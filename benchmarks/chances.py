"""What chance brings about, for ``tasks/land.py``: creatures that come by, and things that random play does.

    python benchmarks/chances.py creatures      # shares of levels in which each kind of creature is met
    python benchmarks/chances.py play           # numbers that random play reaches in at most one episode of twenty

``creatures`` carries an agent east over 1,440 blocks for the animals, and keeps one alive at the start for 5,000 steps
for the monsters. ``play`` chooses evenly among possible actions until the agent dies or 10,000 steps are over; without
creatures (``--creatures none``) it lives longest and gets furthest.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch
import warp as wp
from figures import record

from farlands.worlds.voxel.actions import FLAT_ACTION_ID
from farlands.worlds.voxel.creatures.columns import Being
from farlands.worlds.voxel.creatures.kinds import CREATURES, NUM_KINDS, Temper
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_SHIFT, Body, Clock
from farlands.worlds.voxel.tasks.events import THINGS
from farlands.worlds.voxel.tasks.land import MET, RANDOM_PLAY
from farlands.worlds.voxel.tasks.predicates import PREDICATES, Event, Kind, vocabulary
from farlands.worlds.voxel.vitals import MAX_FOOD, MAX_HEALTH
from farlands.worlds.voxel.world import VoxelWorld

FIRST_SEED = 2_000_000
STRIDE = 12
"""Blocks the walker is carried in a step: less than a chunk, so that no land is passed over."""
_ROOF = 62
_NOOP = FLAT_ACTION_ID["noop"]


def _kinds_about(world: VoxelWorld) -> np.ndarray:
    """Bool ``[W, kinds]``: which kinds of creatures are in each window."""
    kinds = wp.to_torch(world.state.creatures).numpy()[:, :, Being.KIND]
    about = np.zeros((len(kinds), NUM_KINDS), dtype=bool)
    np.put_along_axis(about, kinds.astype(np.int64), True, axis=1)
    return about


def _watch(creatures: str, levels: int, steps: int, stride: int) -> np.ndarray:
    """Share of levels in which each kind came by, while the agent lives on and is carried ``stride`` blocks a step."""
    world = VoxelWorld(levels, VoxelOptions(creatures=creatures))
    world.reset([FIRST_SEED + k for k in range(levels)])
    body = wp.to_torch(world.state.body)
    actions = torch.full((levels,), _NOOP)
    seen = _kinds_about(world)
    for _ in range(steps):
        body[Body.HEALTH], body[Body.FOOD], body[Body.FALL] = MAX_HEALTH, MAX_FOOD, 0
        if stride:
            body[Body.X] += stride << POSITION_SHIFT
            body[Body.Z], body[Body.VZ] = _ROOF << POSITION_SHIFT, 0
        world.step(actions)
        seen |= _kinds_about(world)
    assert int(wp.to_torch(world.state.clock)[Clock.EPISODE].max()) == 0, "somebody died"
    return seen.mean(axis=0)


def measure_creatures(levels: int, keep: bool) -> None:
    walk = _watch("animals", levels, 1_440 // STRIDE, STRIDE)
    wait = _watch("all", levels, 5_000, 0)
    for kind, creature in enumerate(CREATURES, 1):
        if creature.temper != Temper.THING:
            share = float((walk if creature.temper == Temper.PEACEFUL else wait)[kind])
            record(f"met-{creature.name}", share, keep=keep, stored=MET[creature.name].share, levels=levels)


def _groups(kind: Kind) -> dict[str, list[int]]:
    return {name: [k for k in ids if k] for name, ids in vocabulary(kind).items()}


def measure_play(levels: int, steps: int, creatures: str, keep: bool) -> None:
    world = VoxelWorld(levels, VoxelOptions(horizon=steps, creatures=creatures))
    observation = world.reset([FIRST_SEED + k for k in range(levels)]).observation
    clock, body = wp.to_torch(world.state.clock), wp.to_torch(world.state.body)
    tally, counts = wp.to_torch(world.state.tally).numpy(), wp.to_torch(world.state.counts).numpy()
    generator = torch.Generator().manual_seed(0)
    best = {name: np.zeros(array.shape, dtype=np.int64) for name, array in (("tally", tally), ("counts", counts))}
    roam = np.zeros((3, levels), dtype=np.int64)
    going = np.ones(levels, dtype=bool)
    while going.any():
        actions = torch.multinomial(observation["action_mask"].float(), 1, generator=generator)[:, 0]
        observation = world.step(actions).observation
        going &= clock[Clock.EPISODE].numpy() == 0
        for name, array in (("tally", tally), ("counts", counts)):
            np.maximum(best[name], array, out=best[name], where=going[:, None])
        place = body[[Body.X, Body.Y]].numpy() >> POSITION_SHIFT
        way = np.hypot(*(place - clock[[Clock.START_X, Clock.START_Y]].numpy())).astype(np.int64)
        now = np.stack([way, body[Body.PLACES].numpy(), body[Body.Z].numpy() >> POSITION_SHIFT])
        np.maximum(roam, now, out=roam, where=going)
    for name, reached in zip(("away", "visit", "above"), roam, strict=True):
        _report(name, "", reached, levels, keep)
    for thing, ids in _groups(Kind.ITEM).items():
        _report("carry", thing, best["counts"][:, ids].sum(axis=1), levels, keep)
    for row in PREDICATES:
        if row.event is not None:
            for thing, ids in _groups(row.arguments[0].kind).items():
                columns = [Event(row.event) * THINGS + k for k in ids]
                _report(row.name, thing, best["tally"][:, columns].sum(axis=1), levels, keep)


def _report(name: str, thing: str, reached: np.ndarray, levels: int, keep: bool) -> None:
    """The least number that at most one episode of twenty goes beyond, where any does."""
    most = int(np.sort(reached)[::-1][levels // 20])
    stored = RANDOM_PLAY.get((name, thing), 0)
    if most > 0 or stored:
        record(f"random-{name}-{thing}".rstrip("-"), most, keep=keep, stored=stored, levels=levels)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["creatures", "play"])
    parser.add_argument("--levels", type=int, default=200)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--creatures", choices=["all", "animals", "none"], default="all")
    parser.add_argument("--keep", action="store_true", help="append to the results file")
    arguments = parser.parse_args()
    if arguments.what == "creatures":
        measure_creatures(arguments.levels, arguments.keep)
    else:
        measure_play(arguments.levels, arguments.steps, arguments.creatures, arguments.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
