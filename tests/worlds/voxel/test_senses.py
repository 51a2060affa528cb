"""Symbolic senses against slow readings of the same state in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from farlands.worlds.voxel.actions import Camera, Hand
from farlands.worlds.voxel.blocks import AIR, BEDROCK, BLOCK_ID, BLOCKS, Shape
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.options import SENSES, SYMBOLS, VoxelOptions
from farlands.worlds.voxel.state import POSITION_ONE, Body, Clock
from farlands.worlds.voxel.world import VoxelWorld

# Steps ahead and to the right as (east, north), by quarter turn: north, east, south, west.
AHEAD = ((0, 1), (1, 0), (0, -1), (-1, 0))
RIGHT = ((1, 0), (0, -1), (-1, 0), (0, 1))


def block_at(arena, x: int, y: int, z: int, row: int) -> int:
    """Block at arena coordinates: bedrock beside and below the window, air above."""
    if z + 32 >= 64:
        return AIR
    half = arena.side // 2
    if not (-half <= x < half and -half <= y < half and z + 32 >= 0):
        return BEDROCK
    return int(arena.blocks[row, x % arena.side, y % arena.side, z + 32])


def rough(arena, seed: int) -> None:
    """Random blocks everywhere."""
    generator = torch.Generator().manual_seed(seed)
    arena.blocks[:] = torch.randint(0, len(BLOCKS), arena.blocks.shape, generator=generator).to(torch.uint8)


@pytest.mark.parametrize("cube", [(5, 7, 7), (3, 9, 5), (1, 1, 1), (9, 3, 11)])
@pytest.mark.parametrize("place", [(0, 0, 0), (-31, 30, 5), (31, 31, -31), (3, -32, 31)])
def test_the_cube_is_turned_to_the_nearest_quarter(make_arena, cube, place):
    arena = make_arena(24, cube=cube)
    rough(arena, 1)
    arena.stand(place[0] + 0.5, place[1] + 0.5, place[2])
    arena.body[Body.YAW] = torch.arange(24, dtype=torch.int32)
    voxels = arena.look()["voxels"]
    up, ahead, right = (size // 2 for size in cube)
    for row in range(24):
        quarter = ((row + 3) // 6) % 4
        for k in range(cube[0]):
            for i in range(cube[1]):
                for j in range(cube[2]):
                    x = place[0] + (i - ahead) * AHEAD[quarter][0] + (j - right) * RIGHT[quarter][0]
                    y = place[1] + (i - ahead) * AHEAD[quarter][1] + (j - right) * RIGHT[quarter][1]
                    expected = block_at(arena, x, y, place[2] + k - up, row)
                    assert int(voxels[row, k, i, j]) == expected, (row, k, i, j)


def test_the_compass_reads_heading_pitch_start_height_and_time(make_arena):
    arena = make_arena(24)
    arena.body[Body.YAW] = torch.arange(24, dtype=torch.int32)
    arena.body[Body.PITCH] = torch.arange(24, dtype=torch.int32) % 13 - 6
    arena.clock[Clock.TIME] = torch.arange(24, dtype=torch.int32) * 1000 + 7
    arena.stand(10.5, -5.5, 4)
    compass = arena.look()["compass"].to(torch.int64)
    for row in range(24):
        angle = math.radians(15 * row)
        rest = (row + 3) % 6 - 3
        hour = 2 * math.pi * row / 24
        # Back to the start: 10 blocks west and 6 north of the cell (10, -6).
        ahead = -10 * math.sin(angle) + 6 * math.cos(angle)
        right = -10 * math.cos(angle) - 6 * math.sin(angle)
        expected = [
            127 * math.sin(angle), 127 * math.cos(angle), 42 * rest, 21 * (row % 13 - 6), ahead, right, 36,
            127 * math.sin(hour), 127 * math.cos(hour),
        ]  # fmt: skip
        assert compass[row].tolist() == pytest.approx(expected, abs=1.6), row


def test_positions_say_where_the_body_is(make_arena):
    """East and north of the start and above bedrock, whole blocks and parts."""
    arena = make_arena(3, senses=("position",))
    arena.stand(-3.25, 7.75, 2.5)
    position = arena.look()["position"].numpy()
    assert position.dtype == np.int16
    for row in position:
        assert row.tolist() == [-4, 7, 34, 1536, 1536, 1024]


def test_the_compass_keeps_its_bounds_far_from_home(make_arena):
    arena = make_arena(24)
    arena.body[Body.YAW] = torch.arange(24, dtype=torch.int32)
    for far in (-900, 900):
        arena.clock[Clock.START_X] = far
        arena.clock[Clock.START_Y] = -far
        compass = arena.look()["compass"]
        spec = arena.world.spec.observation["compass"]
        assert spec.low <= int(compass.min())
        assert int(compass.max()) <= spec.high
        for row in range(24):
            angle = math.radians(15 * row)
            ahead = far * (math.sin(angle) - math.cos(angle))
            if abs(ahead) > 130:
                assert int(compass[row, 4]) == int(math.copysign(127, ahead))


SEEN_THROUGH = np.array([block.shape in (Shape.EMPTY, Shape.FLUID) for block in BLOCKS])


def march(arena, row: int, sight: float) -> tuple[str, float]:
    """First block on the ray from the eye, by tiny float64 steps: its name and about how far it is."""
    x, y, z = arena.position(row)
    yaw, pitch = (math.radians(15 * int(arena.body[k, row])) for k in (Body.YAW, Body.PITCH))
    direction = np.array([math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)])
    distances = np.arange(0, sight, 0.0015)
    points = np.array([x, y, z + 1.62]) + distances[:, None] * direction
    cells = np.floor(points).astype(int) + np.array([0, 0, 32])
    half, side = arena.side // 2, arena.side
    inside = ((cells >= [-half, -half, 0]) & (cells < [half, half, 64])).all(axis=1)
    blocks = np.where(cells[:, 2] >= 64, AIR, BEDROCK)
    known = cells[inside]
    blocks[inside] = arena.blocks[row].numpy()[known[:, 0] % side, known[:, 1] % side, known[:, 2]]
    hits = np.flatnonzero(~SEEN_THROUGH[blocks])
    return (BLOCKS[blocks[hits[0]]].name, float(distances[hits[0]])) if len(hits) else ("air", sight)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_crosshair_agrees_with_a_slow_march_along_the_ray(make_arena, seed):
    arena = make_arena(96)
    generator = torch.Generator().manual_seed(seed)
    sparse = torch.rand(arena.blocks.shape, generator=generator) < 0.03
    kinds = torch.randint(0, len(BLOCKS), arena.blocks.shape, generator=generator)
    arena.blocks[:] = torch.where(sparse, kinds, 0).to(torch.uint8)
    arena.body[Body.YAW] = torch.arange(96, dtype=torch.int32) % 24
    arena.body[Body.PITCH] = torch.randint(-6, 7, (96,), generator=generator).to(torch.int32)
    for axis in (Body.X, Body.Y, Body.Z):
        arena.body[axis] += torch.randint(0, POSITION_ONE, (96,), generator=generator).to(torch.int32)
    seen = arena.look()
    compared = grazed = 0
    for row in range(96):
        name, distance = march(arena, row, 24)
        found = BLOCKS[int(seen["target_block"][row, 0])].name
        if found != name or abs(int(seen["target"][row, 0]) / 10 - distance) > 0.15:
            # The table's sines and the coarse march may part where a ray grazes an edge.
            grazed += 1
            continue
        compared += 1
        assert int(seen["target"][row, 1]) == int(name != "air" and distance <= 4.5)
    assert compared > 85, (compared, grazed)


@pytest.mark.parametrize(("pitch", "face"), [(-3, 1), (3, 2), (0, 3)])
def test_the_face_in_the_crosshair(arena, pitch, face):
    arena.fill("stone", range(-3, 4), range(3, 5), range(6))
    arena.fill("stone", range(-3, 4), range(-3, 5), range(3, 4))
    arena.put_body(PITCH=pitch)
    assert int(arena.look()["target"][0, 3]) == face


def test_the_stage_of_a_break_goes_from_none_to_ten(arena):
    arena.set("oak_log", 0, 1, 1)
    stages = [int(arena.look()["target"][0, 2])]
    for _ in range(59):
        arena.act(hand=Hand.ATTACK)
        stages.append(int(arena.look()["target"][0, 2]))
    assert stages == [t * 10 // 60 for t in range(60)]


def test_inventory_equipment_and_durability(arena):
    arena.give("planks", 100)
    arena.hold("stone_pickaxe", wear=65)
    arena.armour_item[0, 1], arena.armour_wear[0, 1] = ITEM_ID["iron_chestplate"], 60
    seen = arena.look()
    counts = {ITEMS[k].name: int(n) for k, n in enumerate(seen["inventory"][0]) if n}
    assert counts == {"planks": 100, "stone_pickaxe": 1}
    assert [ITEMS[k].name for k in seen["equipment"][0].tolist()] == [
        "stone_pickaxe", "nothing", "iron_chestplate", "nothing", "nothing",
    ]  # fmt: skip
    left = seen["durability"][0].tolist()
    assert left == pytest.approx([255 * (1 - 65 / 131), 0, 255 * (1 - 60 / 240), 0, 0], abs=1.0)


def test_status_flags(make_arena):
    arena = make_arena(6)
    arena.set("water", 0, 0, 0, worlds=1)
    arena.set("lava", 0, 0, 0, worlds=2)
    arena.set("ladder", 0, 0, 0, worlds=3)
    arena.body[Body.FIRE, 4] = 10
    arena.body[Body.SLEEPING, 5] = 1
    arena.body[Body.ON_GROUND, 5] = 0
    status = arena.look()["status"]
    labels = arena.world.spec.observation["status"].labels
    found = [{label for label, on in zip(labels, row, strict=True) if on} for row in status.tolist()]
    assert found == [
        {"on_ground"}, {"on_ground", "in_water"}, {"on_ground", "in_lava"}, {"on_ground", "on_ladder"},
        {"on_ground", "burning"}, {"asleep"},
    ]  # fmt: skip


def test_every_observation_keeps_to_its_spec_through_random_play():
    options = VoxelOptions(
        senses=SENSES, width=12, height=8, window=32, start_kit=("planks:64", "oak_log:9", "apple:3", "torch:4"),
        start_time=13_000, horizon=40, mining_speed=9,
    )  # fmt: skip
    world = VoxelWorld(8, options)
    generator = torch.Generator().manual_seed(0)
    step = world.reset(0)
    assert tuple(step.observation) == SENSES
    for _ in range(120):
        for name, spec in world.spec.observation.items():
            value = step.observation[name]
            assert value.shape == (8, *spec.shape), name
            assert value.dtype == getattr(torch, spec.dtype), name
            assert spec.low <= int(value.min()), (name, int(value.min()))
            assert int(value.max()) <= spec.high, (name, int(value.max()))
            if spec.labels:
                assert len(spec.labels) == spec.shape[-1], name
        step = world.step(torch.multinomial(step.observation["action_mask"].float(), 1, generator=generator)[:, 0])


@pytest.mark.parametrize("name", SENSES)
def test_any_single_sense_can_be_asked_for(name):
    every = VoxelWorld(2, VoxelOptions(senses=SENSES, width=8, height=8, window=32))
    alone = VoxelWorld(2, VoxelOptions(senses=(name,), width=8, height=8, window=32))
    a, b = every.reset(4), alone.reset(4)
    assert list(b.observation) == [name]
    assert torch.equal(a.observation[name], b.observation[name])


def test_class_bits_tell_categories_apart_as_far_as_they_should():
    world = VoxelWorld(1, VoxelOptions(senses=SYMBOLS, window=32))
    for name, spec in world.spec.observation.items():
        if spec.categories:
            assert len(spec.categories) == spec.high + 1, name
        if spec.class_bits:
            assert len(spec.class_bits) == len(spec.categories), name
            assert len({len(bits) for bits in spec.class_bits}) == 1, name
    assert len(set(world.spec.observation["target_block"].class_bits)) == len(BLOCKS)


def test_looking_does_not_change_the_world(arena):
    before = arena.world.state_hash()
    arena.look()
    arena.world.render([0], 16, 16)
    assert torch.equal(before, arena.world.state_hash())


def test_the_eye_looks_through_water_at_what_lies_in_it(arena):
    arena.fill("water", range(-2, 3), range(1, 4), range(3))
    arena.set("clay", 0, 2, 1)
    assert int(arena.look()["target_block"][0, 0]) == BLOCK_ID["clay"]
    arena.act(camera=Camera.UP)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"horizon": 0}, "horizon 0 is out of range"),
        ({"task": "diamonds"}, "no task named 'diamonds'; did you mean 'diamond'"),
        ({"actions": "keys"}, "'keys' is not one of flat, factored"),
        ({"window": 48}, "window 48 is not one of 32, 64, 128"),
        ({"cube": (4, 7, 7)}, "is not three odd numbers"),
        ({"sight": 4}, "sight 4 is out of range: 5"),
        ({"senses": ("voxel",)}, "no sense named 'voxel'; did you mean 'voxels'"),
        ({"senses": ()}, "at least one is needed"),
        ({"mining_speed": 0}, "mining_speed 0 is out of range"),
        ({"ticks_per_step": 0}, "ticks_per_step 0 is out of range"),
        ({"start_time": 24_000}, "start_time 24000 is out of range"),
        ({"field_of_view": 5.0}, "field_of_view 5.0 is out of range"),
        ({"sticky_hand": "maybe"}, "'maybe' is not one of auto, on, off"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(changes, message):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        VoxelWorld(1, VoxelOptions(**changes))
    assert message in str(error.value)


def test_no_worlds_at_all_is_refused():
    with pytest.raises(ValueError, match="num_worlds 0"):
        VoxelWorld(0)
