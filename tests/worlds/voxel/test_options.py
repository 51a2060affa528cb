"""Options that make worlds differ: the length of the day, the biomes, and what they must be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import warp as wp

from farlands.worlds.voxel.actions import Hand
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.generation.fields import SEA_LEVEL
from farlands.worlds.voxel.generation.terrain import Biome
from farlands.worlds.voxel.options import BIOMES, DAY, VoxelOptions
from farlands.worlds.voxel.spec import check_options, rules_hash
from farlands.worlds.voxel.state import Body, Clock
from farlands.worlds.voxel.vitals import SLEEP_FROM
from farlands.worlds.voxel.world import VoxelWorld


@pytest.mark.parametrize("day_length", [240, 7_001, DAY, 60_000])
def test_time_keeps_to_the_length_of_the_day(make_arena, day_length):
    """Against exact arithmetic, over more than a day where that is short: no drift."""
    arena = make_arena(1, day_length=day_length, start_time=23_990)
    arena.clock[Clock.TIME_REST] = 0
    for tick in range(1, 600):
        arena.act()
        assert int(arena.clock[Clock.TIME, 0]) == (23_990 + tick * DAY // day_length) % DAY
        assert int(arena.clock[Clock.TIME_REST, 0]) == tick * DAY % day_length


def test_beds_can_be_used_sooner_where_days_are_short(make_arena):
    """Ticks from shortly before dusk until an agent that keeps trying lies in its bed."""

    def bedtime(**options) -> int:
        arena = make_arena(1, start_time=SLEEP_FROM - 300, **options)
        arena.clock[Clock.TIME_REST] = 0
        arena.set("bed", 0, 1, 1)
        for tick in range(400):
            if int(arena.body[Body.SLEEPING, 0]) > 0:
                return tick
            arena.act(hand=Hand.USE)
        return -1

    standard, short = bedtime(), bedtime(day_length=DAY // 10)
    assert standard == pytest.approx(300, abs=2)
    assert short == pytest.approx(30, abs=2)


def test_what_is_left_of_the_time_is_part_of_the_state():
    world = VoxelWorld(2, VoxelOptions(day_length=7_001, creatures="none"))
    world.reset(3)
    step = torch.zeros(2, dtype=torch.int32)
    world.step(step)
    taken, before = world.snapshot(), world.state_hash()
    world._tensors["clock"][Clock.TIME_REST, 0] += 1
    assert (world.state_hash() != before).tolist() == [True, False]
    world.restore(taken)
    assert torch.equal(world.state_hash(), before)
    world.close()


GROUND = {
    "plains": {"grass"}, "forest": {"grass"}, "desert": {"sand"}, "snow": {"snow"},
    "mountains": {"grass", "snow", "stone"},
}  # fmt: skip


def surfaces(biomes: tuple[str, ...], seeds: int = 12) -> tuple[set[str], np.ndarray]:
    """Blocks that make up at least a fiftieth of the tops of the land, and the numbers of all blocks."""
    world = VoxelWorld(seeds, VoxelOptions(biomes=biomes, creatures="none"))
    world.reset(list(range(500, 500 + seeds)))
    side = world.options.window
    blocks = wp.to_torch(world.state.blocks).numpy().reshape(-1, 64)
    tops = wp.to_torch(world.state.tops).numpy().reshape(-1).astype(int)
    assert blocks.shape[0] == tops.shape[0] == seeds * side * side
    high = tops > SEA_LEVEL + 1
    ground = np.bincount(blocks[np.flatnonzero(high), tops[high] - 1], minlength=128)
    every = np.bincount(blocks.reshape(-1), minlength=128)
    world.close()
    return {name for name, k in BLOCK_ID.items() if ground[k] > ground.sum() / 50}, every


@pytest.mark.parametrize("biome", sorted(GROUND))
def test_land_of_one_biome(biome):
    ground, every = surfaces((biome,))
    # Ravines and caves lay rock bare anywhere.
    assert ground - {"stone", "dirt"} <= GROUND[biome]
    assert ground & GROUND[biome]
    assert every[BLOCK_ID["water"]] == 0, "no sea"
    assert (every[BLOCK_ID["cactus"]] > 0) == (biome == "desert")
    oaks, spruces = every[BLOCK_ID["oak_log"]], every[BLOCK_ID["spruce_log"]]
    assert (oaks > 0) == (biome in ("plains", "forest"))
    assert (spruces > 0) == (biome in ("forest", "snow", "mountains"))


def test_every_biome_together_is_what_no_choice_gives():
    found = []
    for some in ((), BIOMES, tuple(reversed(BIOMES))):
        world = VoxelWorld(3, VoxelOptions(biomes=some, creatures="none"))
        world.reset([7, 8, 9])
        found.append(wp.to_torch(world.state.blocks).clone())
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_land_of_some_biomes_depends_on_nothing_but_the_seed():
    """Alone and in a batch; entered on foot or made at once."""
    options = VoxelOptions(biomes=("snow", "mountains"), creatures="none")
    batch, alone = VoxelWorld(5, options), VoxelWorld(1, options)
    batch.reset([11, 12, 13, 14, 15])
    alone.reset([13])
    assert torch.equal(batch.state_hash([2]), alone.state_hash())
    clock = batch._tensors["clock"][:, 4].clone()
    blocks = batch._tensors["blocks"][4].clone()
    made, _ = alone.make_window(clock)
    assert torch.equal(made, blocks)


def test_biomes_are_named_in_the_order_of_their_ids():
    assert tuple(biome.name.lower() for biome in Biome) == BIOMES


LOOKS = {"texture_seed": 5, "gamma": 2.0}
RULES = {"gravity": 0.5, "day_length": 9_000, "biomes": ("snow",), "altered_rules": 4}


def test_rules_count_and_looks_do_not():
    standard = rules_hash(VoxelOptions())
    for name, value in LOOKS.items():
        assert rules_hash(VoxelOptions(**{name: value})) == standard
    for name, value in RULES.items():
        assert rules_hash(VoxelOptions(**{name: value})) != standard


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gravity": 0.2}, "gravity 0.2 is out of range: 0.25 to 4"),
        ({"gravity": float("nan")}, "gravity nan is out of range"),
        ({"gamma": 5.0}, "gamma 5.0 is out of range: 0.25 to 4"),
        ({"day_length": 239}, "day_length 239 is out of range: 240 to 2400000"),
        ({"texture_seed": -1}, "texture_seed -1 is out of range"),
        ({"altered_rules": -1}, "altered_rules -1 is out of range"),
        ({"biomes": ("planes",)}, "did you mean 'plains'"),
        ({"biomes": ("ocean",)}, "ocean alone has no land to stand on"),
    ],
)
def test_values_that_cannot_be(options, said):
    with pytest.raises(ValueError, match=said) as error:
        check_options(VoxelOptions(**options))
    assert "\n" not in str(error.value)
