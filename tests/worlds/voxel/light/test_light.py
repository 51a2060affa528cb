"""Light against its definition, cell by cell: in new land, after changes, after moves, however it was worked out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.kernels import kernel
from farlands.worlds.voxel.actions import FLAT_ACTION_ID, FLAT_ACTIONS
from farlands.worlds.voxel.blocks import BLOCK_ID
from farlands.worlds.voxel.grid import set_block
from farlands.worlds.voxel.light.changes import LIGHT_ALL
from farlands.worlds.voxel.light.field import block_light_at, brightness_at, night_loss, sky_light_at
from farlands.worlds.voxel.light.lighting import make_queues
from farlands.worlds.voxel.options import VoxelOptions
from farlands.worlds.voxel.persistence.saves import Save
from farlands.worlds.voxel.state import MAX_LIGHT_CHANGES, Clock, Rules, VoxelState
from farlands.worlds.voxel.tables import BlockColumn, Tables
from farlands.worlds.voxel.world import VoxelWorld

from ..test_journal import Walker
from . import reference
from .reference import check_light, from_corner, reference_light

NAMES = ("air", "stone", "torch", "lava", "oak_leaves", "glass")


@kernel
def _edit_kernel(t: Tables, rules: Rules, edits: wp.array2d(dtype=wp.int32), s: VoxelState):
    k = wp.tid()
    set_block(s, t, rules, edits[k, 0], edits[k, 1], edits[k, 2])


def edit(world: VoxelWorld, edits: list[tuple[int, int, int, int, str]]) -> None:
    """Change blocks as the world's own rules do, (world, x, y, z, name) from the window's corner, and light them."""
    side, clock = world.options.window, wp.to_torch(world.state.clock)
    rows = []
    for w, x, y, z, name in edits:
        i, j = (x + int(clock[Clock.ORIGIN_X, w])) % side, (y + int(clock[Clock.ORIGIN_Y, w])) % side
        rows.append([w, (i * side + j) * 64 + z, BLOCK_ID[name]])
    launcher = world._launcher
    inputs = [launcher.tables, launcher.rules, wp.array(rows, dtype=wp.int32)]
    wp.launch(_edit_kernel, len(rows), inputs=inputs, outputs=[world.state])  # a CPU's threads come one after another
    for shard in world._shards:
        launcher.relight(shard)


def small_world(num_worlds: int = 1, seed: int = 5, **options: object) -> VoxelWorld:
    world = VoxelWorld(num_worlds, VoxelOptions(window=32, **options), num_shards=1)  # type: ignore[arg-type]
    world.reset(seed)
    return world


def sweep_instead(world: VoxelWorld) -> None:
    """Light windows as a GPU does: short queues of each world's own, and many threads for what does not fit."""
    lighting = world._launcher.lighting
    lighting.queues = make_queues(world.num_worlds, 8, "cpu", shared=False)
    lighting.sweeping = True
    lighting.swept = wp.zeros((world.num_worlds, world.options.window**2), dtype=wp.uint8)


def shorten_queues(world: VoxelWorld, capacity: int) -> None:
    world._launcher.lighting.queues = make_queues(len(world._shards), capacity, "cpu", shared=True)


def test_the_reference_lights_a_room_as_one_would_by_hand():
    blocks = np.zeros((9, 9, 64), dtype=np.uint8)
    blocks[..., :12] = BLOCK_ID["stone"]
    blocks[1:8, 4, 5] = 0
    blocks[1, 4, 5] = BLOCK_ID["torch"]
    blocks[7, 4, 6:12] = 0
    light = reference_light(blocks)
    assert [int(v) & 15 for v in light[1:8, 4, 5]] == [14, 13, 12, 11, 10, 9, 8]
    assert [int(v) >> 4 for v in light[1:8, 4, 5]] == [9, 10, 11, 12, 13, 14, 15]
    assert not light[0, 4, 5]
    assert not light[3, 4, 4]
    assert int(light[7, 4, 40]) == 15 << 4, "the torch is 41 steps away"


@pytest.mark.parametrize("side", [32, 64, 128])
def test_new_land_is_lit(side):
    world = VoxelWorld(2, VoxelOptions(window=side), num_shards=1)
    world.reset(11)
    check_light(world)
    levels = np.unique(world.state.light.numpy()[0])
    assert len(levels) > 16, "there are shadows, and lava shines"


_edited: dict[str, VoxelWorld] = {}
PLACE = st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(-8, 3), st.sampled_from(NAMES))


@pytest.mark.parametrize("how", ["queues", "short queues", "sweeps"])
@settings(max_examples=15, deadline=None)
@given(batches=st.lists(st.lists(PLACE, min_size=1, max_size=24), min_size=1, max_size=4))
def test_changes_anywhere_leave_the_light_of_the_definition(how, batches):
    if how not in _edited:
        _edited[how] = small_world()
        if how == "short queues":
            shorten_queues(_edited[how], 8)
        if how == "sweeps":
            sweep_instead(_edited[how])
    world = _edited[how]
    world.reset(len(batches))
    tops = from_corner_tops(world)
    for batch in batches:
        edit(world, [(0, 10 + x, 10 + y, int(tops[10 + x, 10 + y]) + z, name) for x, y, z, name in batch])
        check_light(world)


def from_corner_tops(world: VoxelWorld) -> np.ndarray:
    side, clock = world.options.window, world.state.clock.numpy()
    shift = (-int(clock[Clock.ORIGIN_X, 0]), -int(clock[Clock.ORIGIN_Y, 0]))
    return np.roll(world.state.tops.numpy()[0].reshape(side, side), shift, axis=(0, 1))


def cave(world: VoxelWorld, z: int = 20) -> None:
    """A hall of 20 x 20 x 4 in rock of our own."""
    blocks, tops = wp.to_torch(world.state.blocks), wp.to_torch(world.state.tops)
    shaped = blocks.view(-1, 32, 32, 64)
    shaped[...] = 0
    shaped[..., :40] = BLOCK_ID["stone"]
    shaped[:, 6:26, 6:26, z : z + 4] = 0
    tops[...] = 40
    clock = wp.to_torch(world.state.clock)
    clock[Clock.ORIGIN_X : Clock.ORIGIN_Y + 1] = 0
    world.relight()


def test_a_torch_lights_a_hall_and_leaves_it_dark_when_it_goes():
    world = small_world()
    cave(world)
    edit(world, [(0, 16, 16, 20, "torch"), (0, 8, 16, 21, "torch")])
    check_light(world)
    light = from_corner(world, "light", 0)
    assert [int(light[16 + k, 16, 20]) for k in range(10)] == list(range(14, 4, -1))
    edit(world, [(0, 16, 16, 20, "air")])
    check_light(world)
    assert int(from_corner(world, "light", 0)[25, 16, 20]) == 0
    edit(world, [(0, 8, 16, 21, "air")])
    assert not from_corner(world, "light", 0)[6:26, 6:26, 20:24].any()


def test_light_does_not_pass_walls_and_comes_through_a_doorway():
    world = small_world()
    cave(world)
    edit(world, [(0, 16, y, z, "stone") for y in range(6, 14) for z in range(20, 24)])
    edit(world, [(0, 16, y, z, "stone") for y in range(14, 26) for z in range(20, 22)])
    edit(world, [(0, 16, y, z, "stone") for y in range(14, 26) for z in range(22, 24)] + [(0, 12, 10, 20, "torch")])
    check_light(world)
    assert not from_corner(world, "light", 0)[17:26, 6:26, 20:24].any()
    edit(world, [(0, 16, 10, 20, "air")])
    check_light(world)
    assert [int(v) for v in from_corner(world, "light", 0)[12:20, 10, 20]] == [14, 13, 12, 11, 10, 9, 8, 7]


def test_digging_in_the_dark_queues_nothing():
    world = small_world()
    cave(world)
    marks = world._launcher.lighting.queues.marks
    wp.to_torch(marks).fill_(-7)
    edit(world, [(0, 5, 10, 21, "air"), (0, 4, 10, 21, "air"), (0, 5, 10, 21, "cobblestone")])
    assert bool((wp.to_torch(marks) == -7).all())
    marks.zero_()
    check_light(world)


@pytest.mark.parametrize("level", [1, 7, 15])
def test_an_opaque_block_can_give_light(level, monkeypatch):
    world = small_world()
    cave(world)
    gold, tables = BLOCK_ID["gold_ore"], world._launcher.tables
    wp.to_torch(tables.block)[gold, BlockColumn.LIGHT] = level
    tables.lamps = wp.array([*tables.lamps.numpy().tolist(), gold], dtype=wp.int32)
    own = reference.OWN.copy()
    own[gold] = level
    monkeypatch.setattr(reference, "OWN", own)
    edit(world, [(0, 16, 16, 20, "gold_ore"), (0, 12, 12, 19, "gold_ore")])
    check_light(world)
    assert int(from_corner(world, "light", 0)[16, 16, 20]) == level
    world.relight()
    check_light(world)
    edit(world, [(0, 16, 16, 20, "stone"), (0, 12, 12, 19, "air")])
    check_light(world)


@pytest.mark.parametrize("count", [MAX_LIGHT_CHANGES - 1, MAX_LIGHT_CHANGES, MAX_LIGHT_CHANGES + 1, 200])
def test_more_changes_than_the_list_holds(count):
    world = small_world()
    generator = np.random.default_rng(count)
    tops = from_corner_tops(world)
    places = generator.permutation(32 * 32)[:count]
    edits = [
        (0, int(p // 32), int(p % 32), int(tops[p // 32, p % 32]) - 1 - int(generator.integers(3)), NAMES[k % 6])
        for k, p in enumerate(places)
    ]
    edit(world, edits)
    check_light(world)


@pytest.mark.parametrize("how", ["queues", "short queues", "sweeps"])
@pytest.mark.parametrize("way", [(5, 0), (0, 5)])
def test_windows_that_move_to_and_fro(way, how):
    """With torches and pits at what becomes the border, and walls that come back from the journal."""
    walker = Walker(window=32)
    if how == "short queues":
        shorten_queues(walker.world, 16)
    if how == "sweeps":
        sweep_instead(walker.world)
    generator = np.random.default_rng(way[0])
    origins = set()
    for k in range(28):
        sign = 1 if k // 7 % 2 == 0 else -1
        tops = from_corner_tops(walker.world)
        places = generator.integers(0, 32, (12, 2))
        edits = []
        for x, y in places[tops[places[:, 0], places[:, 1]] < 60].tolist():
            z = max(int(tops[x, y]) - int(generator.integers(-1, 7)), 1)
            edits.append((0, x, y, z, NAMES[int(generator.integers(5))]))
        edit(walker.world, edits)
        check_light(walker.world)
        walker.go(sign * way[0], sign * way[1])
        check_light(walker.world)
        origins.add(walker.origin())
    assert len(origins) > 2


def actions(steps: int, worlds: int, names: tuple[str, ...] = ()) -> list[torch.Tensor]:
    chosen = torch.tensor([FLAT_ACTION_ID[n] for n in names] or list(range(len(FLAT_ACTIONS))), dtype=torch.int32)
    generator = torch.Generator().manual_seed(steps)
    return [chosen[torch.randint(0, len(chosen), (worlds,), generator=generator)] for _ in range(steps)]


KIT = ("torch:64", "cobblestone:64", "diamond_pickaxe", "diamond_shovel")
BUSY = ("attack", "place_torch", "place_cobblestone", "look_down", "turn_left", "forward", "jump_sprint", "look_up")


@pytest.mark.parametrize(("shards", "sweeping"), [(1, False), (2, False), (2, True)])
def test_whole_lives_on_any_number_of_threads(shards, sweeping):
    """Digging, building, walking and dying; the light is no other, and it does not depend on the batch."""
    names = tuple(name for name in BUSY if name in FLAT_ACTION_ID)
    assert len(names) >= 6
    options = VoxelOptions(window=32, start_kit=KIT, horizon=90, mining_speed=20, ticks_per_step=8)
    world = VoxelWorld(5, options, num_shards=shards)
    if sweeping:
        sweep_instead(world)
    world.reset([3, 4, 5, 6, 7])
    alone = VoxelWorld(1, options, num_shards=1)
    alone.reset([5])
    for k, step in enumerate(actions(200, 5, names)):
        world.step(step)
        alone.step(step[2:3])
        if k % 40 == 39:
            check_light(world)
    assert np.array_equal(world.state.light.numpy()[2], alone.state.light.numpy()[0])


def test_a_life_after_death_is_lit():
    world = VoxelWorld(2, VoxelOptions(window=32, start_kit=KIT, horizon=30, no_reset=True), num_shards=1)
    world.reset(2)
    for step in actions(70, 2, ("sprint", "place_torch", "look_down", "attack")):
        world.step(step)
    check_light(world)


def test_windows_are_looked_after_within_long_steps():
    world = VoxelWorld(2, VoxelOptions(window=32, ticks_per_step=128, start_kit=KIT), num_shards=1)
    world.reset(2)
    for step in actions(12, 2, ("sprint", "place_torch", "jump_sprint")):
        world.step(step)
        check_light(world)


def test_restored_and_loaded_worlds_are_lit(tmp_path: Path):
    world = small_world(3)
    edit(world, [(1, 16, 16, 50, "torch"), (2, 10, 10, 20, "lava")])
    light = world.state.light.numpy().copy()
    other = small_world(4, seed=9)
    other.restore(world.snapshot([1, 2]), [3, 0])
    assert np.array_equal(other.state.light.numpy()[[3, 0]], light[[1, 2]])
    check_light(other)
    third = small_world(3, seed=10)
    third.load_state_dict(world.state_dict())
    assert np.array_equal(third.state.light.numpy(), light)
    Save.of(world, 1).write(tmp_path / "one.save")
    Save.read(tmp_path / "one.save").put(third, 0)
    assert np.array_equal(third.state.light.numpy()[0], light[1])
    check_light(third)


@pytest.mark.parametrize(("name", "value"), [("blocks", 200), ("tops", 65)])
def test_land_that_cannot_be_is_refused(name, value):
    world = small_world()
    before, snapshot = world.state_hash(), world.snapshot()
    snapshot[name][0, 7] = value
    with pytest.raises(ValueError, match=f"{name} holds {value}"):
        world.restore(snapshot)
    assert torch.equal(world.state_hash(), before)


def test_light_is_neither_hashed_nor_saved():
    world = small_world()
    before = world.state_hash()
    wp.to_torch(world.state.light).zero_()
    assert torch.equal(world.state_hash(), before)
    assert not any("light" in name for name in world.state_dict())
    world.relight([0])
    check_light(world)
    with pytest.raises(ValueError, match="out of range"):
        world.relight([1])


@kernel
def _read_kernel(rules: Rules, s: VoxelState, at: wp.array2d(dtype=wp.int32), out: wp.array2d(dtype=wp.int32)):
    k = wp.tid()
    out[k, 0] = sky_light_at(s, rules, 0, at[k, 0], at[k, 1], at[k, 2])
    out[k, 1] = block_light_at(s, rules, 0, at[k, 0], at[k, 1], at[k, 2])
    out[k, 2] = brightness_at(s, rules, 0, at[k, 0], at[k, 1], at[k, 2])


@pytest.mark.parametrize(("time", "loss"), [(6_000, 0), (13_200, 8), (18_000, 11)])
def test_reading(time, loss):
    world = small_world()
    cave(world)
    edit(world, [(0, 16, 16, 20, "torch"), (0, 25, 16, 24, "glass")])
    wp.to_torch(world.state.clock)[Clock.TIME] = time
    at = np.array([[16, 17, 20], [3, 3, 45], [16, 16, 10], [40, 3, 20], [3, 3, 64], [16, 24, 20]], dtype=np.int32)
    out = wp.zeros((len(at), 3), dtype=wp.int32)
    wp.launch(_read_kernel, len(at), inputs=[world._launcher.rules, world.state, wp.array(at)], outputs=[out])
    sky, block, bright = out.numpy().T.tolist()
    assert sky == [0, 15, 0, 15, 15, 0]
    assert block == [13, 0, 0, 0, 0, 6]
    assert bright == [13, 15 - loss, 0, 15 - loss, 15 - loss, 6]


@kernel
def _loss_kernel(out: wp.array(dtype=wp.int32)):
    out[wp.tid()] = night_loss(wp.tid())


def test_the_night_takes_its_light_by_the_genres_hours():
    out = wp.zeros(24_000, dtype=wp.int32)
    wp.launch(_loss_kernel, 24_000, outputs=[out])
    loss = out.numpy()
    assert (loss.min(), loss.max()) == (0, 11)
    assert np.abs(np.diff(loss, append=loss[0])).max() == 1
    dark = np.flatnonzero(15 - loss <= 7)
    assert (dark[0], dark[-1], len(dark)) == (13_188, 22_812, 22_812 - 13_188 + 1)
    assert not loss[1_000:12_000].any()
    assert (loss[14_000:22_000] == 11).all()


def test_the_whole_window_is_asked_for_by_one_number():
    world = small_world()
    wp.to_torch(world.state.light).fill_(0x35)
    wp.to_torch(world.state.light_count)[0] = LIGHT_ALL
    world.step(torch.zeros(1, dtype=torch.int32))
    check_light(world)
