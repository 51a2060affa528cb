"""Where creatures come from: monsters in the dark and far enough, animals on grass, both within limits."""

from __future__ import annotations

import numpy as np
import torch
import warp as wp

from farlands.worlds.voxel.blocks import GRASS
from farlands.worlds.voxel.creatures.columns import MAX_CREATURES, Being
from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper
from farlands.worlds.voxel.creatures.spawning import SPAWN_FROM
from farlands.worlds.voxel.options import MAX_ANIMALS, MAX_MONSTERS, VoxelOptions
from farlands.worlds.voxel.state import POSITION_SHIFT, Clock
from farlands.worlds.voxel.world import VoxelWorld

TEMPER = torch.tensor([-1, *(int(creature.temper) for creature in CREATURES)])


def tempers(world: VoxelWorld) -> torch.Tensor:
    """int64 ``[W, 24]``, -1 where there is nobody."""
    return TEMPER[wp.to_torch(world.state.creatures)[..., Being.KIND].long()]


def test_monsters_come_at_night_in_the_open_and_not_by_day(make_arena):
    for time, wanted in ((18_000, True), (6_000, False)):
        pen = make_arena(8, creatures="all", start_time=time)
        for _ in range(400):
            pen.put_body(HEALTH=20)
            pen.act()
        count = (tempers(pen.world) == Temper.HOSTILE).sum(dim=1)
        assert int(count.max()) <= MAX_MONSTERS
        assert int(count.sum()) > 4 if wanted else not count.any(), (time, count)


def test_they_appear_far_enough_on_the_floor_and_every_kind_does(make_arena):
    pen = make_arena(32, creatures="all", start_time=18_000)
    pen.clear()
    seen: set[int] = set()
    for _ in range(300):
        pen.put_body(HEALTH=20)
        before = pen.clock[Clock.NAMES].clone()
        pen.act()
        for w in (pen.clock[Clock.NAMES] > before).nonzero().flatten().tolist():
            newest = pen.creatures[w, : int(pen.clock[Clock.CREATURES, w])]
            row = newest[newest[:, Being.NAME].argmax()]
            if int(TEMPER[int(row[Being.KIND])]) == Temper.HOSTILE:
                seen.add(int(row[Being.KIND]))
                x, y = (int(row[axis]) / 2048 - 0.5 for axis in (Being.X, Being.Y))
                assert (x * x + y * y) ** 0.5 >= SPAWN_FROM - 0.5
                assert int(row[Being.Z]) >> POSITION_SHIFT == 32
    assert len(seen) == 4


def test_torches_and_a_spawn_rate_of_nothing_keep_them_away(make_arena):
    lit = make_arena(4, creatures="all", start_time=18_000)
    for x in range(-30, 32, 6):
        for y in range(-30, 32, 6):
            lit.set("torch", x, y, 0)
    lit.world.relight()
    lit.act(300)
    assert (tempers(lit.world) == Temper.HOSTILE).sum() == 0
    none = make_arena(4, creatures="all", start_time=18_000, spawn_rate=0.0)
    none.act(300)
    assert (tempers(none.world) == Temper.HOSTILE).sum() == 0


def test_animals_stand_on_grass_from_the_start_in_packs():
    world = VoxelWorld(64, VoxelOptions())
    world.reset(11)
    creatures = wp.to_torch(world.state.creatures)
    animals = tempers(world) == Temper.PEACEFUL
    count = animals.sum(dim=1)
    assert int(count.max()) <= MAX_ANIMALS
    assert 0.3 < float((count > 0).float().mean()) < 0.98
    assert set(creatures[..., Being.KIND][animals].tolist()) == {1, 2, 3, 4}
    blocks = wp.to_torch(world.state.blocks).view(64, 64, 64, 64)
    for w, k in animals.nonzero().tolist():
        x, y, z = (int(creatures[w, k, axis]) >> POSITION_SHIFT for axis in (Being.X, Being.Y, Being.Z))
        assert int(blocks[w, x % 64, y % 64, z - 1]) == GRASS
    packs = [len(set(row[on].tolist())) for row, on in zip(creatures[..., Being.KIND], animals, strict=True)]
    assert np.mean([kinds <= 3 for kinds in packs]) > 0.9


def test_the_list_is_tidy_and_options_rule_who_comes():
    for option, allowed in (("none", {-1}), ("animals", {-1, 0}), ("all", {-1, 0, 1, 2})):
        world = VoxelWorld(8, VoxelOptions(creatures=option, start_time=18_000))
        world.reset(5)
        generator = torch.Generator().manual_seed(0)
        for _ in range(150):
            world.step(torch.randint(0, 16, (8,), generator=generator, dtype=torch.int32))
        found = tempers(world)
        assert set(found.unique().tolist()) <= allowed
        count = wp.to_torch(world.state.clock)[Clock.CREATURES]
        used = torch.arange(MAX_CREATURES)[None] < count[:, None]
        assert ((found >= 0) == used).all()
        assert (wp.to_torch(world.state.creatures)[~used] == 0).all()


def test_a_new_episode_begins_with_new_creatures():
    world = VoxelWorld(4, VoxelOptions(horizon=30, start_time=18_000))
    world.reset(5)
    for _ in range(31):
        world.step(torch.zeros(4, dtype=torch.int32))
    fresh = VoxelWorld(4, VoxelOptions(horizon=30, start_time=18_000))
    clock, other = wp.to_torch(world.state.clock), wp.to_torch(fresh.state.clock)
    low, high = clock[Clock.SEED_LOW].long() & 0xFFFFFFFF, clock[Clock.SEED_HIGH].long() & 0xFFFFFFFF
    fresh.reset([int(lo) | int(hi) << 32 for lo, hi in zip(low, high, strict=True)])
    fresh.step(torch.zeros(4, dtype=torch.int32))
    assert (clock[Clock.STEP] == other[Clock.STEP]).all()
    assert (wp.to_torch(world.state.creatures) == wp.to_torch(fresh.state.creatures)).all()
