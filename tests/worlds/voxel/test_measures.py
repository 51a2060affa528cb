"""What is noted down about an episode, against a count of our own from snapshots."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import FLAT_ACTION_ID, Move
from farlands.worlds.voxel.items import ITEM_ID
from farlands.worlds.voxel.measures import MEASURES, to_units
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, VISITED_BITS, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

STEPS = 120


class Reference:
    """Sets and sums in plain Python, from what the world shows between steps."""

    def __init__(self, world: VoxelWorld) -> None:
        self.distance = [0.0] * world.num_worlds
        self.places: list[set[tuple[int, int]]] = [set() for _ in range(world.num_worlds)]
        self.lowest = [64] * world.num_worlds
        self.kinds: list[set[int]] = [set() for _ in range(world.num_worlds)]
        self._before = world.snapshot()["body"]
        self.start = world.snapshot()["clock"][:, Clock.START_Z].tolist()
        self.look(world)

    def look(self, world: VoxelWorld) -> None:
        now = world.snapshot()
        body = now["body"]
        for w in range(world.num_worlds):
            x, y, z = (int(body[w, axis]) for axis in (Body.X, Body.Y, Body.Z))
            dx, dy = (int(body[w, axis] - self._before[w, axis]) for axis in (Body.X, Body.Y))
            self.distance[w] += math.hypot(dx, dy) / POSITION_ONE
            self.places[w].add((x // POSITION_ONE // 8, y // POSITION_ONE // 8))
            self.lowest[w] = min(self.lowest[w], z // POSITION_ONE)
            self.kinds[w] |= set(now["counts"][w].nonzero().flatten().tolist())
        self._before = body

    def measures(self, w: int) -> list[float]:
        return [self.distance[w], len(self.places[w]), self.start[w] - self.lowest[w], len(self.kinds[w])]


@pytest.mark.parametrize("window", [32, 64, 128])
def test_measures_are_those_of_a_plain_count(window):
    """Walkers that turn, dig and craft, one tick a step so that nothing happens between looks."""
    options = VoxelOptions(
        window=window, horizon=STEPS, ticks_per_step=1, mining_speed=50, start_kit=("oak_log:20", "diamond_pickaxe")
    )
    world = VoxelWorld(8, options)
    world.reset(5)
    reference = Reference(world)
    names = [
        "sprint",
        "jump_forward",
        "jump_sprint",
        "turn_right_45",
        "look_down",
        "attack",
        "craft_planks",
        "craft_stick",
    ]
    chosen = [FLAT_ACTION_ID[name] for name in names]
    generator = np.random.default_rng(window)
    stay = np.zeros(8, dtype=np.int64)
    for t in range(STEPS):
        if t % 10 == 0:
            stay = generator.choice(chosen, size=8)
        out = world.step(torch.from_numpy(stay.astype(np.int32)))
        if not bool((out.terminated | out.truncated).any()):
            reference.look(world)
    episodes = world.drain_episodes()
    assert sorted(episodes.row.tolist()) == list(range(8))
    assert [measure.name for measure in MEASURES] == ["distance_walked", "places_visited", "descent", "items_held"]
    lived = episodes.measures[np.argsort(episodes.row)]
    for w in range(8):
        expected = reference.measures(w)
        # The world cuts each tick's way to 1/2048 block, and the last step cannot be seen from outside.
        assert lived[w, 0] == pytest.approx(expected[0], abs=STEPS / POSITION_ONE + 0.5)
        assert abs(lived[w, 1] - expected[1]) <= 1
        assert 0 <= lived[w, 2] - expected[2] <= 1
        assert 0 <= lived[w, 3] - expected[3] <= 1
    assert lived[:, 0].max() > 3, "somebody walked"
    assert lived[:, 3].max() > 2, "somebody crafted"


def test_land_counts_in_patches_of_eight(make_arena):
    arena = make_arena(1, horizon=2**30, window=128)
    arena.put_body(PLACES=0)
    wp.to_torch(arena.world.state.visited).zero_()
    seen = set()
    for _ in range(250):
        arena.act(move=Move.SPRINT)
        x, y = (int(arena.body[axis, 0]) // POSITION_ONE for axis in (Body.X, Body.Y))
        seen.add((x // 8, y // 8))
        assert int(arena.body[Body.PLACES, 0]) == len(seen)
    assert len(seen) >= 7
    assert int(arena.body[Body.WALKED, 0]) == pytest.approx(int(arena.body[Body.Y, 0]) - POSITION_ONE // 2, abs=250), (
        "straight ahead the way is the displacement"
    )


def test_a_thing_used_up_still_counts(make_arena):
    arena = make_arena(1)
    arena.give("oak_log", 1)
    kinds = [int(arena.body[Body.KINDS, 0])]
    for choice in ("craft_planks", "craft_stick", "craft_stick"):
        arena.act(choice=choice)
        kinds.append(int(arena.body[Body.KINDS, 0]))
    assert kinds == [0, 1, 2, 2]
    assert int(arena.counts[0, ITEM_ID["planks"]]) == 0


def test_an_episode_begins_with_its_kit_and_its_place():
    world = VoxelWorld(4, VoxelOptions(start_kit=("oak_log:70", "planks"), horizon=3))
    world.reset(0)
    for _ in range(2):
        body = world.snapshot()["body"]
        assert body[:, Body.KINDS].tolist() == [2] * 4
        assert body[:, Body.PLACES].tolist() == [1] * 4
        assert body[:, Body.WALKED].tolist() == [0] * 4
        assert body[:, Body.LOWEST].tolist() == world.snapshot()["clock"][:, Clock.START_Z].tolist()
        for _ in range(3):
            world.step(torch.full((4,), FLAT_ACTION_ID["craft_stick"], dtype=torch.int32))
    assert world.drain_episodes().measures[:, 3].tolist() == [2.0] * 8


@pytest.mark.parametrize("patches", [1, 20, 200, 2_000])
def test_land_is_counted_without_remembering_it(patches):
    """Bits set by so many random patches, a thousand times over, turned back into patches."""
    generator = np.random.default_rng(patches)
    bits = [len(set(generator.integers(VISITED_BITS, size=patches).tolist())) for _ in range(1_000)]
    logged = np.zeros((1_000, len(MEASURES)), dtype=np.int64)
    logged[:, 1] = bits
    counted = to_units(logged)[:, 1]
    assert counted.mean() == pytest.approx(patches, rel=0.005)
    assert counted.std() <= 0.02 * patches
    if patches <= 20:
        assert (counted == patches).mean() > 0.85


def test_a_sketch_that_is_full_still_gives_a_number():
    logged = np.full((1, len(MEASURES)), VISITED_BITS)
    assert np.isfinite(to_units(logged)).all()
