"""Water and lava against a plain writing of the same rules, tick by tick; how they come to rest, and how they meet."""

from __future__ import annotations

import pytest
import warp as wp
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.blocks import BLOCK_ID, BLOCKS, Fluid
from farlands.worlds.voxel.state import MAX_PENDING, Body, Clock, Ring

from .reference import ABOVE, AROUND, BELOW, SIDES, SOFT, Cell, Pool, kind, move


def cell_index(arena, x: int, y: int, z: int) -> int:
    return ((x % arena.side) * arena.side + y % arena.side) * 64 + z + 32


def touch(arena, x: int, y: int, z: int, world: int = 0) -> None:
    """Note a change as the kernels do."""
    state = arena.world.state
    count = int(arena.clock[Clock.TOUCHED_COUNT, world])
    slot = Ring.TOUCHED * MAX_PENDING + (int(arena.clock[Clock.TOUCHED_FIRST, world]) + count) % MAX_PENDING
    wp.to_torch(state.pending_cell)[world, slot] = cell_index(arena, x, y, z)
    arena.clock[Clock.TOUCHED_COUNT, world] = count + 1


def pour(arena, name: str, x: int, y: int, z: int) -> None:
    arena.set(name, x, y, z)
    touch(arena, x, y, z)


def count(arena, name: str) -> int:
    return int((arena.blocks[0] == BLOCK_ID[name]).sum())


def at_rest(arena) -> bool:
    counts = arena.clock[Clock.FALL_COUNT : Clock.TOUCHED_COUNT + 1 : 2, 0]
    return not bool(counts.any()) and int(arena.clock[Clock.SWEEP, 0]) == 0


@pytest.fixture
def arena(make_arena):
    arena = make_arena(1)
    arena.stand(-25.5, -25.5, 0)
    return arena


@pytest.fixture(scope="module")
def box():
    """An arena for boxes of cells, far from the agent and walled by stone."""
    from ..conftest import Arena

    return Arena(1)


LOW, HIGH = (4, 4, -4), (15, 15, 1)


def fill_box(arena, cells: dict[Cell, str]) -> Pool:
    """The box LOW to HIGH, stone around it, in an arena and in the reference."""
    arena.clear()
    arena.stand(-25.5, -25.5, 0)
    arena.fill("stone", range(LOW[0] - 1, HIGH[0] + 1), range(LOW[1] - 1, HIGH[1] + 1), range(HIGH[2]))
    spans = [range(a, b) for a, b in zip(LOW, HIGH, strict=True)]
    arena.fill("air", *spans)
    pool = Pool(cells, LOW, HIGH)
    for cell, name in cells.items():
        arena.blocks[0, cell[0], cell[1], cell[2] + 32] = BLOCK_ID[name]
        if kind(name):
            pool.touched.append(cell)
            touch(arena, *cell)
    return pool


def assert_same(arena, pool: Pool) -> None:
    for x in range(LOW[0], HIGH[0]):
        for y in range(LOW[1], HIGH[1]):
            for z in range(LOW[2], HIGH[2]):
                assert arena.get(x, y, z) == pool.get((x, y, z)), (pool.tick, x, y, z)


CELLS = st.tuples(*(st.integers(a, b - 1) for a, b in zip(LOW, HIGH, strict=True)))


@st.composite
def terrains(draw, fluids: tuple[str, ...]) -> dict[Cell, str]:
    """A rough floor with holes, shelves and plants, and a few sources."""
    cells: dict[Cell, str] = {}
    for x in range(LOW[0], HIGH[0]):
        for y in range(LOW[1], HIGH[1]):
            cells[x, y, LOW[2]] = "stone"
    for cell in draw(st.lists(CELLS, max_size=60)):
        cells[cell] = "stone"
    ground = draw(st.integers(LOW[2], -1))
    if draw(st.booleans()):
        holes = set(draw(st.lists(st.tuples(st.integers(4, 14), st.integers(4, 14)), max_size=12)))
        for x in range(LOW[0], HIGH[0]):
            for y in range(LOW[1], HIGH[1]):
                if (x, y) not in holes:
                    cells[x, y, ground] = "stone"
    for cell in draw(st.lists(CELLS, min_size=1, max_size=6)):
        cells[cell] = draw(st.sampled_from(fluids))
    return cells


@settings(max_examples=25, deadline=None)
@given(cells=terrains(("water",)), taken=st.integers(0, 5))
def test_water_runs_as_written_plainly(cells, taken, box):
    """Tick by tick while it runs, and after one of its sources has been taken away."""
    pool = fill_box(box, cells)
    for _ in range(90):
        pool.step()
        box.act()
        if pool.tick % 7 == 0:
            assert_same(box, pool)
    sources = [cell for cell in cells if cells[cell] == "water"]
    cell = sources[taken % len(sources)]
    pool.set(cell, "air")
    box.blocks[0, cell[0], cell[1], cell[2] + 32] = 0
    touch(box, *cell)
    for _ in range(150):
        pool.step()
        box.act()
    assert_same(box, pool)
    assert int(box.clock[Clock.OVERFLOWS, 0]) == 0


@settings(max_examples=15, deadline=None)
@given(cells=terrains(("water", "lava")))
def test_water_and_lava_meet_as_written_plainly(cells, box):
    pool = fill_box(box, cells)
    for _ in range(16):
        for _ in range(20):
            pool.step()
        box.act(20)
        assert_same(box, pool)


@settings(max_examples=30, deadline=None)
@given(cells=terrains(("water", "water", "lava")))
def test_fluids_settle(cells, box):
    """Everything comes to rest; then every running cell holds what its surroundings say, over something, lava dry."""
    pool = fill_box(box, cells)
    for _ in range(60):
        box.act(25)
        if at_rest(box):
            break
    assert at_rest(box)
    still = Pool(
        {
            (x, y, z): box.get(x, y, z)
            for x in range(LOW[0], HIGH[0])
            for y in range(LOW[1], HIGH[1])
            for z in range(LOW[2], HIGH[2])
        },
        LOW,
        HIGH,
    )
    for cell, name in still.cells.items():
        fluid = kind(name)
        if fluid:
            assert name == fluid or name == still.drawn(cell, fluid), cell
            assert still.get(move(cell, BELOW)) not in SOFT, "nothing hangs over air"
            if fluid == "lava":
                assert not any(kind(still.get(move(cell, by))) == "water" for by in (*SIDES, ABOVE)), cell
    assert pool.tick == 0


def test_water_steps_every_five_ticks_and_seven_blocks_far(arena):
    pour(arena, "water", 8, 8, 0)
    seen = {}
    for tick in range(1, 60):
        arena.act()
        for x in range(9, 18):
            if x not in seen and arena.get(x, 8, 0) != "air":
                seen[x] = tick
    # A tick for the touch to be told, then five a step.
    assert seen == {8 + k: 1 + 5 * k for k in range(1, 8)}
    assert [arena.get(8 + k, 8, 0) for k in range(9)] == ["water", *(f"water_{8 - k}" for k in range(1, 8)), "air"]
    assert at_rest(arena)


def test_lava_steps_every_thirty_ticks_and_three_blocks_far(arena):
    pour(arena, "lava", 8, 8, 0)
    seen = {}
    for tick in range(1, 140):
        arena.act()
        for x in range(9, 14):
            if x not in seen and arena.get(x, 8, 0) != "air":
                seen[x] = tick
    assert seen == {8 + k: 1 + 30 * k for k in range(1, 4)}
    assert at_rest(arena)


def test_it_falls_first_and_runs_on_where_it_lands_as_if_full(arena):
    for by in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        arena.set("stone", 10 + by[0], 8 + by[1], 4)
    pour(arena, "water", 10, 8, 4)
    arena.act(100)
    assert [arena.get(10, 8, z) for z in range(5)] == ["falling_water"] * 4 + ["water"]
    assert arena.get(11, 8, 0) == "water_7"
    assert arena.get(11, 8, 2) == "air"


def test_it_looks_for_the_nearest_drop(arena):
    """On a floor with one hole four blocks away, water goes there and nowhere else."""
    arena.set("air", 12, 8, -1)
    pour(arena, "water", 8, 8, 0)
    arena.act(60)
    wet = {(x, y) for x in range(17) for y in range(17) if arena.get(x, y, 0) != "air"}
    assert wet == {(x, 8) for x in range(8, 13)}
    arena.clear()
    arena.stand(-25.5, -25.5, 0)
    arena.set("air", 13, 8, -1)
    pour(arena, "water", 8, 8, 0)
    arena.act(8)
    assert arena.get(7, 8, 0) == "water_7", "one further is out of its sight"


def test_it_retreats_when_its_feed_goes(arena):
    pour(arena, "water", 8, 8, 2)
    arena.act(80)
    assert count(arena, "water_7") > 0
    arena.set("air", 8, 8, 2)
    touch(arena, 8, 8, 2)
    arena.act(150)
    assert all(count(arena, block.name) == 0 for block in BLOCKS if block.fluid)
    assert at_rest(arena)


def test_between_two_sources_water_becomes_one_and_lava_does_not(arena):
    for x, name in ((8, "water"), (18, "lava")):
        arena.fill("stone", range(x, x + 5), range(6, 9), range(1))
        arena.fill("air", range(x + 1, x + 4), range(7, 8), range(1))
        arena.set(name, x + 1, 7, 0)
        pour(arena, name, x + 3, 7, 0)
    arena.act(130)
    assert arena.get(10, 7, 0) == "water"
    assert arena.get(20, 7, 0) == "lava_3"


def test_nothing_comes_of_a_lake_until_it_is_touched(arena):
    arena.fill("water", range(5, 9), range(5, 9), range(2))
    arena.act(60)
    assert count(arena, "water") == 32
    assert at_rest(arena)


@pytest.mark.parametrize(("name", "becomes"), [("lava", "obsidian"), ("lava_2", "cobblestone")])
@pytest.mark.parametrize("side", [(1, 0, 0), (0, -1, 0), (0, 0, 1)])
def test_water_hardens_lava(arena, name, becomes, side):
    arena.set(name, 8, 8, 0)
    pour(arena, "water", *move((8, 8, 0), side))
    arena.act(2)
    assert arena.get(8, 8, 0) == becomes


def test_lava_that_falls_on_water_makes_stone(arena):
    arena.fill("water", range(8, 9), range(8, 9), range(1))
    arena.fill("stone", range(7, 10), range(7, 10), range(1))
    arena.set("water", 8, 8, 0)
    pour(arena, "lava", 8, 8, 3)
    arena.act(120)
    assert arena.get(8, 8, 0) == "stone"
    assert arena.get(8, 8, 1) == "falling_lava"


@pytest.mark.parametrize("plant", ["tall_grass", "red_flower", "torch", "wheat_3", "fire", "oak_sapling"])
def test_it_washes_away(arena, plant):
    arena.set("wet_farmland" if plant.startswith("wheat") else "dirt", 9, 8, -1)
    arena.set(plant, 9, 8, 0)
    pour(arena, "water", 8, 8, 0)
    arena.act(8)
    assert arena.get(9, 8, 0) == "water_7"
    assert (arena.fixtures == -1).all()


def test_doors_ladders_and_glass_hold_it(arena):
    for name, by in (("door", (1, 0, 0)), ("ladder", (-1, 0, 0)), ("glass", (0, 1, 0)), ("cactus", (0, -1, 0))):
        arena.set(name, *move((8, 8, 0), by))
        if name == "cactus":
            arena.set("sand", 8, 7, -1)
    arena.set("stone", 6, 8, 0)
    pour(arena, "water", 8, 8, 0)
    arena.act(30)
    assert count(arena, "water") == 1
    assert sum(count(arena, f"water_{k}") for k in range(1, 8)) == 0


def test_running_water_carries_a_body_and_still_water_does_not(arena):
    arena.fill("stone", range(4, 22), range(7, 10), range(3))
    arena.fill("air", range(5, 21), range(8, 9), range(3))
    pour(arena, "water", 5, 8, 0)
    arena.act(60)
    arena.stand(6.5, 8.5, 0)
    arena.act(40)
    x, y, _ = arena.position()
    assert x > 8.0, "downstream"
    assert abs(y - 8.5) < 0.01
    arena.clear()
    arena.fill("water", range(4, 12), range(4, 12), range(-3, 0))
    arena.stand(8.5, 8.5, -2)
    arena.act(40)
    assert arena.position()[:2] == (8.5, 8.5)


def test_running_fluids_wet_burn_and_drown_as_sources_do(arena):
    arena.stand(8.5, 8.5, 0)
    arena.set("lava_1", 8, 8, 0)
    status = arena.act(1).observation["status"][0].tolist()
    assert (status[2], status[4]) == (1, 1)
    assert int(arena.health()[0]) == 16
    arena.set("water_2", 8, 8, 0)
    status = arena.act(1).observation["status"][0].tolist()
    assert (status[1], status[2], status[4]) == (1, 0, 0)
    arena.set("falling_water", 8, 8, 1)
    before = int(arena.body[Body.AIR, 0])
    arena.act(3)
    assert int(arena.body[Body.AIR, 0]) < before


def test_a_flood_beyond_every_ring_still_comes_to_rest(arena):
    """A lake of 400 sources put in the air: rings fill up and lose notes, the sweep finds what hangs."""
    state = arena.world.state
    edited = wp.to_torch(state.edited)
    for x in range(20):
        for y in range(20):
            arena.blocks[0, x, y, 40] = BLOCK_ID["water"]
            edited[0, x * 64 + y] |= 1 << 40
            touch(arena, x, y, 8)
    overflowed = False
    for _ in range(400):
        arena.act(25)
        overflowed |= int(arena.clock[Clock.OVERFLOWS, 0]) > 0
        if at_rest(arena):
            break
    assert at_rest(arena)
    assert overflowed, "or the test shows nothing"
    wet = [block for block in range(len(BLOCKS)) if BLOCKS[block].fluid == Fluid.WATER]
    for x in range(20):
        for y in range(20):
            for z in range(32, 41):
                assert int(arena.blocks[0, x, y, z]) in wet, (x, y, z)


def test_where_the_window_ends_it_stops_and_goes_on_when_the_window_moves():
    """A channel at the window's edge: nothing runs out of it, and the stream goes on over the land that comes."""
    from ..test_journal import Walker

    walker = Walker()
    y = walker.at()[1]
    x0 = int(walker.clock[Clock.ORIGIN_X, 0])
    edge = x0 + 63
    z = 50
    for k in range(-6, 1):
        for j in (-1, 0, 1):
            walker.set(edge + k, y + j, z - 1, BLOCK_ID["stone"])
            walker.set(edge + k, y + j, z, BLOCK_ID["stone" if j else "air"])
    walker.set(edge - 6, y, z, BLOCK_ID["stone"])
    walker.set(edge - 3, y, z, BLOCK_ID["water"])
    state = walker.world.state
    slot = Ring.TOUCHED * MAX_PENDING
    wp.to_torch(state.pending_cell)[0, slot] = (((edge - 3) % 64) * 64 + y % 64) * 64 + z
    walker.clock[Clock.TOUCHED_COUNT, 0] = 1
    for _ in range(20):
        walker.go(0, 0)
    assert int(walker.blocks[0, edge % 64, y % 64, z]) == BLOCK_ID["water_5"]
    assert int(walker.blocks[0, (edge + 1) % 64, y % 64, z]) != BLOCK_ID["water_4"]
    walker.go(4, 0, 4)
    assert int(walker.clock[Clock.ORIGIN_X, 0]) == x0 + 16
    for _ in range(40):
        walker.go(0, 0)
    after = int(walker.blocks[0, (edge + 1) % 64, y % 64, z])
    assert BLOCKS[after].fluid == Fluid.WATER, "on over the new land"


def test_neighbours_are_six():
    assert len(set(AROUND)) == 6
