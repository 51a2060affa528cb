"""Motion against slow float64 references and the genre's published figures."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import Camera, Hand, Jump, Move
from farlands.worlds.voxel.blocks import BLOCKS, Shape
from farlands.worlds.voxel.state import POSITION_ONE, VELOCITY_ONE, Body

TICKS_PER_SECOND = 20
TURNS = {Move.FORWARD: 0, Move.RIGHT: 90, Move.BACK: 180, Move.LEFT: 270}


def reference_walk(ticks: int, *, sprint: bool = False, inertia: float = 0.546, push: float = 0.098) -> float:
    """Blocks walked from rest in float64: push, move, slow down."""
    velocity = position = 0.0
    for _ in range(ticks):
        velocity += push * (1.3 if sprint else 1.0)
        position += velocity
        velocity *= inertia
    return position


def reference_fall(height: float, gravity: float = 1.0) -> list[float]:
    """Heights of a body that steps off a ledge, tick by tick: move, then gravity and drag."""
    heights, velocity = [height], 0.0
    while heights[-1] > 0:
        heights.append(max(heights[-1] + velocity, 0.0))
        velocity = (velocity - 0.08 * gravity) * 0.98
    return heights


def reference_jump(gravity: float) -> float:
    """Height of a jump from rest, in blocks."""
    height, velocity = 0.0, 0.42
    while velocity > 0:
        height += velocity
        velocity = (velocity - 0.08 * gravity) * 0.98
    return height


@pytest.mark.parametrize(("move", "speed"), [(Move.FORWARD, 4.317), (Move.SPRINT, 5.612)])
def test_top_speed_is_the_genres(arena, move, speed):
    arena.act(20, move=move)
    before = arena.position()[1]
    arena.act(20, move=move)
    assert arena.position()[1] - before == pytest.approx(speed, abs=0.01)


@pytest.mark.parametrize("sprint", [False, True])
def test_walking_follows_the_float_reference(arena, sprint):
    for tick in range(1, 40):
        arena.act(move=Move.SPRINT if sprint else Move.FORWARD)
        assert arena.position()[1] - 0.5 == pytest.approx(reference_walk(tick, sprint=sprint), abs=0.001 * tick)


def test_every_direction_is_as_fast_and_goes_where_it_says(make_arena):
    arena = make_arena(24 * 4)
    moves = list(TURNS)
    for row in arena.rows:
        arena.body[Body.YAW, row] = row // 4
    actions = torch.tensor([[moves[row % 4], 0, 0, 0, 0] for row in arena.rows], dtype=torch.int32)
    arena.act_rows(actions, 30)
    for row in arena.rows:
        x, y, z = arena.position(row)
        heading = math.radians(15 * (row // 4) + TURNS[moves[row % 4]])
        distance = reference_walk(30)
        assert x - 0.5 == pytest.approx(distance * math.sin(heading), abs=0.02), row
        assert y - 0.5 == pytest.approx(distance * math.cos(heading), abs=0.02), row
        assert z == 0


def test_motion_dies_out_completely(arena):
    arena.act(10, move=Move.FORWARD)
    arena.act(60)
    before = arena.position()
    arena.act(50)
    assert arena.position() == before
    assert int(arena.body[Body.VX, 0]) == int(arena.body[Body.VY, 0]) == 0


@pytest.mark.parametrize(("food", "sprints"), [(7, True), (6, False), (0, False)])
def test_the_hungry_do_not_sprint(arena, food, sprints):
    arena.put_body(FOOD=food, HEALTH=20)
    arena.act(20, move=Move.SPRINT)
    expected = reference_walk(20, sprint=sprints)
    assert arena.position()[1] - 0.5 == pytest.approx(expected, abs=0.02)


def test_a_jump_rises_as_the_reference_says(arena):
    height, velocity, heights = 0.0, 0.42, []
    for _ in range(12):
        height = max(height + velocity, 0.0)
        heights.append(height)
        velocity = (velocity - 0.08) * 0.98
    arena.act(jump=Jump.YES)
    seen = [arena.position()[2]]
    for _ in range(11):
        arena.act()
        seen.append(arena.position()[2])
    assert seen == pytest.approx(heights, abs=0.005)
    assert max(seen) == pytest.approx(1.25, abs=0.005)


def test_jumps_repeat_every_ten_ticks_at_best(arena):
    arena.fill("stone", range(-1, 2), range(-1, 2), range(2, 3))
    starts, before = [], 0.0
    for tick in range(60):
        arena.act(jump=Jump.YES)
        height = arena.position()[2]
        if before == 0.0 and height > 0.0:
            starts.append(tick)
        before = height
    gaps = {b - a for a, b in itertools.pairwise(starts)}
    assert len(starts) > 3
    assert gaps == {10}


def test_a_step_of_one_block_is_jumped_and_one_of_two_is_not(make_arena):
    arena = make_arena(2)
    for x in range(-2, 3):
        for y in range(2, 12):
            arena.set("stone", x, y, 0)
            arena.set("stone", x, y, 1, worlds=1)
    arena.act(40, move=Move.FORWARD, jump=Jump.YES)
    arena.act(15)
    assert arena.position(0)[1] > 3
    assert arena.position(0)[2] == 1
    assert arena.position(1)[1] == pytest.approx(2 - 0.3, abs=0.001)
    assert arena.position(1)[2] == 0


@pytest.mark.parametrize("height", [1, 4, 10])
def test_free_fall_follows_the_float_reference(arena, height):
    arena.stand(0.5, 0.5, height)
    arena.put_body(ON_GROUND=0)
    for expected in reference_fall(height)[1:]:
        arena.act()
        assert arena.position()[2] == pytest.approx(expected, abs=0.01)
    assert arena.position()[2] == 0


def test_fall_damage_is_the_distance_less_three(make_arena):
    heights = [0.5, 1, 2, 3, 3.9, 4, 4.5, 5, 7, 10, 15, 22, 22.9]
    arena = make_arena(len(heights))
    for row, height in enumerate(heights):
        arena.body[Body.Z, row] += round(height * POSITION_ONE)
    arena.put_body(ON_GROUND=0, FOOD=10)
    arena.act(60)
    expected = [20 - max(math.floor(height - 3), 0) for height in heights]
    assert arena.health().tolist() == expected


def test_a_deadly_fall_ends_the_episode(arena):
    arena.stand(0.5, 0.5, 23)
    arena.put_body(ON_GROUND=0)
    ends = [bool(arena.act().terminated[0]) for _ in range(60)]
    assert sum(ends) == 1
    episodes = arena.world.drain_episodes()
    assert list(episodes.cause) == ["fall"]


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("height", [5, 12, 20])
def test_water_breaks_a_fall(arena, depth, height):
    arena.fill("water", range(-1, 2), range(-1, 2), range(-depth, 0))
    arena.stand(0.5, 0.5, height)
    arena.put_body(ON_GROUND=0, FOOD=10)
    arena.act(50)
    assert arena.health().tolist() == [20]
    assert arena.position()[2] < 0


def test_swimming_sinks_and_rises(arena):
    arena.fill("water", range(-3, 4), range(-3, 4), range(-12, 0))
    arena.stand(0.5, 0.5, -6)
    arena.put_body(ON_GROUND=0)
    arena.act(20)
    sunk = arena.position()[2]
    assert sunk < -6
    arena.act(20, jump=Jump.YES)
    assert arena.position()[2] > sunk
    # Sinking speed: v = 0.8 v - 0.02 has its fixed point at 0.1 block a tick (measured before the drag of the tick).
    arena.stand(0.5, 0.5, -3)
    arena.put_body(VZ=0)
    arena.act(30)
    before = arena.position()[2]
    arena.act(10)
    assert before - arena.position()[2] == pytest.approx(10 * 0.1, abs=0.02)


def test_swimming_tires_by_the_block(arena):
    arena.fill("water", range(-30, 30), range(-30, 30), range(-2, 0))
    arena.stand(0.5, -20.5, -2)
    arena.act(20, move=Move.FORWARD)
    arena.put_body(EXHAUSTION=0)
    before = arena.position()[1]
    arena.act(100, move=Move.FORWARD)
    swum = arena.position()[1] - before
    assert swum == pytest.approx(100 * 0.0196 / (1 - 0.8), abs=0.1)
    assert int(arena.body[Body.EXHAUSTION, 0]) == pytest.approx(10 * swum, rel=0.1)


def test_sprinting_tires_by_the_block_and_walking_does_not(arena):
    arena.act(100, move=Move.FORWARD)
    assert int(arena.body[Body.EXHAUSTION, 0]) == 0
    arena.stand(0.5, -20.5, 0)
    arena.act(100, move=Move.SPRINT)
    ran = arena.position()[1] + 20.5
    assert int(arena.body[Body.EXHAUSTION, 0]) == pytest.approx(100 * ran, rel=0.05)


@pytest.mark.parametrize(("move", "jump", "cost"), [(Move.NONE, 1, 50), (Move.SPRINT, 1, 200)])
def test_jumping_tires(arena, move, jump, cost):
    arena.act(move=move, jump=Jump(jump))
    extra = 100 * (arena.position()[1] - 0.5) if move == Move.SPRINT else 0
    assert int(arena.body[Body.EXHAUSTION, 0]) == pytest.approx(cost + extra, abs=2)


def test_lava_is_slower_than_water(make_arena):
    arena = make_arena(2)
    for x in range(-2, 3):
        for y in range(-2, 12):
            for z in (-2, -1):
                arena.set("water", x, y, z, worlds=0)
                arena.set("lava", x, y, z, worlds=1)
    arena.stand(0.5, 0.5, -2)
    arena.act(20, move=Move.FORWARD)
    swum = [arena.position(row)[1] - 0.5 for row in arena.rows]
    assert swum[0] == pytest.approx(reference_walk(20, inertia=0.8, push=0.0196), abs=0.02)
    assert swum[1] == pytest.approx(reference_walk(20, inertia=0.5, push=0.0196), abs=0.02)


def test_ice_slides(arena):
    arena.fill("ice", range(-3, 4), range(-3, 25), range(-1, 0))
    arena.act(20, move=Move.FORWARD)
    push = 0.098 * 0.546**3 / 0.8918**3
    assert arena.position()[1] - 0.5 == pytest.approx(reference_walk(20, inertia=0.8918, push=push), abs=0.03)


def test_ladders_are_climbed_and_hold(arena):
    arena.fill("stone", range(-1, 2), range(1, 2), range(8))
    arena.fill("ladder", range(1), range(1), range(8))
    arena.act(20, move=Move.FORWARD)
    start = arena.position()[2]
    arena.act(20, move=Move.FORWARD)
    # The climb of 0.2 a tick less gravity and drag: (0.2 - 0.08) * 0.98.
    assert arena.position()[2] - start == pytest.approx(20 * 0.1176, abs=0.03)
    top = arena.position()[2]
    arena.act(10)
    assert top - arena.position()[2] <= 10 * 0.15 + 0.01
    assert int(arena.body[Body.FALL, 0]) <= 0.15 * POSITION_ONE


def test_walls_and_ceilings_stop_a_body_exactly(arena):
    arena.fill("stone", range(-3, 4), range(3, 4), range(4))
    arena.fill("stone", range(-3, 4), range(-3, 4), range(2, 3))
    arena.act(60, move=Move.SPRINT)
    assert arena.position()[1] == pytest.approx(3 - 0.3, abs=1 / POSITION_ONE)
    arena.act(jump=Jump.YES)
    arena.act()
    assert arena.position()[2] <= 2 - 1.8 + 1 / POSITION_ONE
    assert int(arena.body[Body.VZ, 0]) <= 0


def test_the_window_ends_in_a_wall(make_arena):
    arena = make_arena(4)
    for row in arena.rows:
        arena.body[Body.YAW, row] = 6 * row
    arena.act(300, move=Move.SPRINT)
    ends = [arena.position(row)[:2] for row in arena.rows]
    far, near = arena.side / 2 - 0.3, -arena.side / 2 + 0.3
    assert ends[0][1] == ends[1][0] == pytest.approx(far, abs=0.001)
    assert ends[2][1] == ends[3][0] == pytest.approx(near, abs=0.001)


def test_a_cactus_pricks(arena):
    arena.set("cactus", 0, 2, 0)
    arena.act(40, move=Move.FORWARD)
    assert int(arena.health()[0]) < 20
    assert arena.position()[1] == pytest.approx(2 - 0.3, abs=0.001)


def test_pitch_and_yaw_turn_by_fifteen_degrees(arena):
    for camera, yaw in (
        (Camera.RIGHT, 1),
        (Camera.LEFT, 0),
        (Camera.LEFT, 23),
        (Camera.RIGHT_45, 2),
        (Camera.LEFT_45, 23),
    ):
        arena.act(camera=camera)
        assert int(arena.body[Body.YAW, 0]) == yaw
    arena.act(9, camera=Camera.UP)
    assert int(arena.body[Body.PITCH, 0]) == 6
    arena.act(15, camera=Camera.DOWN)
    assert int(arena.body[Body.PITCH, 0]) == -6


def overlaps_solid(arena, row: int) -> bool:
    """Whether a body's box and a solid cell share space, by plain floats."""
    x, y, z = arena.position(row)
    for i in range(math.floor(x - 0.2998), math.floor(x + 0.2997) + 1):
        for j in range(math.floor(y - 0.2998), math.floor(y + 0.2997) + 1):
            for k in range(math.floor(z + 1e-4), math.floor(z + 1.7995) + 1):
                name = arena.get(i, j, k, row)
                if next(block for block in BLOCKS if block.name == name).shape == Shape.CUBE:
                    return True
    return False


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31), density=st.sampled_from([0.05, 0.15, 0.3]))
def test_no_body_ever_enters_a_solid_block(make_arena, seed, density):
    arena = make_arena(6)
    generator = torch.Generator().manual_seed(seed)
    rough = torch.rand((6, 20, 20, 6), generator=generator) < density
    rough[:, 8:13, 8:13, :3] = False
    kinds = torch.randint(2, len(BLOCKS), rough.shape, generator=generator)
    area = torch.where(rough, kinds, 0).to(torch.uint8)
    index = torch.arange(-10, 10) % arena.side
    arena.blocks[:, index[:, None, None], index[None, :, None], torch.arange(32, 38)[None, None, :]] = area
    fastest = 4 * VELOCITY_ONE
    for _ in range(60):
        actions = torch.stack([torch.randint(0, n, (6,), generator=generator) for n in (6, 2, 7, 1, 1)], dim=1).to(
            torch.int32
        )
        arena.act_rows(actions)
        assert not any(overlaps_solid(arena, row) for row in arena.rows)
        assert int(arena.body[Body.VX : Body.VZ + 1].abs().max()) < fastest


def test_a_hand_that_rests_changes_nothing_but_time(arena):
    before = {name: value.clone() for name, value in arena.world.snapshot().items()}
    arena.act(3, hand=Hand.NONE)
    after = arena.world.snapshot()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed <= {"clock", "body"}
    moved = [Body(k).name for k in range(len(Body)) if not torch.equal(before["body"][:, k], after["body"][:, k])]
    assert set(moved) <= {"VZ"}


@pytest.mark.parametrize("gravity", [0.25, 0.5, 1.3, 4.0])
def test_falls_and_jumps_follow_gravity(make_arena, gravity):
    arena = make_arena(1, gravity=gravity)
    arena.act(3)
    assert arena.position()[2] == 0.0, "it stands on the floor"
    tops = []
    for _ in range(40):
        arena.act(jump=Jump.YES if not tops else Jump.NO)
        tops.append(arena.position()[2])
    assert max(tops) == pytest.approx(reference_jump(gravity), abs=0.01)
    arena.clear()
    arena.stand(0.5, 0.5, 6.0)
    arena.put_body(ON_GROUND=0)
    for expected in reference_fall(6.0, gravity)[1:]:
        arena.act()
        assert arena.position()[2] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(("gravity", "up"), [(1.3, True), (1.4, False)])
def test_how_much_gravity_lets_jump_up_a_block(make_arena, gravity, up):
    arena = make_arena(1, gravity=gravity)
    for x in (-1, 0, 1):
        arena.set("stone", x, 1, 0)
    arena.act(30, move=Move.FORWARD, jump=Jump.YES)
    arena.act(10)
    assert (arena.position()[1] > 1.0) == up
