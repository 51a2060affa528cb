"""Things on the ground: thrown, falling, burning, ageing, picked up, and none of them made or lost on the way."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.actions import CHOICE_ID, Camera, Move
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.lying import Lying, max_lying
from farlands.worlds.voxel.state import POSITION_ONE, Body, Cause, Clock
from farlands.worlds.voxel.tasks.events import THINGS
from farlands.worlds.voxel.tasks.predicates import Event

FAR = 8.5


@pytest.fixture
def pair(make_arena):
    """Two agents on a floor, eight blocks apart; the first looks north, the second stands east of it."""
    arena = make_arena(1, agents=2)
    arena.stand(0.5, 0.5, 0, rows=0)
    arena.stand(FAR, 0.5, 0, rows=1)
    return arena


def act(arena, steps: int = 1, **rows: dict[int, int]):
    """By factor, row to value."""
    actions = torch.zeros((len(arena.rows), 5), dtype=torch.int32)
    for name, values in rows.items():
        for row, value in values.items():
            actions[row, ("move", "jump", "camera", "hand", "choice").index(name)] = int(value)
    return arena.act_rows(actions, steps)


def drop(arena, name: str, row: int = 0) -> None:
    act(arena, choice={row: CHOICE_ID[f"drop_{name}"]})


def things(arena, world: int = 0) -> list[dict[str, float]]:
    """What lies in a world, positions in blocks of the arena."""
    found = []
    for row in arena.lying[world, : int(arena.clock[Clock.LYING, world])]:
        thing = {column.name: int(row[column]) for column in Lying}
        for axis in "XYZ":
            thing[axis] /= POSITION_ONE
        thing["Z"] -= 32
        found.append(thing)
    assert not arena.lying[world, len(found) :].any()
    return found


def lay(arena, name: str, x: float, y: float, z: float, count: int = 1, **columns: int) -> None:
    """Put something at rest, ready to be picked up, on the ground of world 0."""
    k = int(arena.clock[Clock.LYING, 0])
    row = arena.lying[0, k]
    row[:] = 0
    row[Lying.ITEM], row[Lying.COUNT] = ITEM_ID[name], count
    row[Lying.X], row[Lying.Y], row[Lying.Z] = (round(v * POSITION_ONE) for v in (x, y, z + 32))
    for column, value in columns.items():
        row[Lying[column]] = value
    arena.clock[Clock.LYING, 0] = k + 1


@pytest.mark.parametrize("agents", range(1, 9))
def test_there_is_room_for_sixteen_things_an_agent_but_alone(agents):
    assert max_lying(agents) == (1 if agents == 1 else 16 * agents)


def test_a_drop_is_thrown_ahead_from_the_eye_and_comes_to_rest_on_the_floor(pair):
    pair.give("coal", 3, rows=0)
    drop(pair, "coal")
    assert pair.carried(0) == {"coal": 2}
    (thing,) = things(pair)
    assert (thing["ITEM"], thing["COUNT"], thing["OWNER"]) == (ITEM_ID["coal"], 1, 1)
    assert 0.25 < thing["Y"] - 0.5 < 0.35
    assert thing["X"] == 0.5
    assert 1.2 < thing["Z"] < 1.5
    assert 0.27 * 65536 < thing["VY"] < 0.31 * 65536
    pair.act(30)
    (thing,) = things(pair)
    assert thing["Z"] == 0.0
    assert thing["VX"] == thing["VY"] == thing["VZ"] == 0
    assert 1.5 < thing["Y"] < 5.5
    place = (thing["X"], thing["Y"], thing["Z"])
    pair.act(20)
    assert [(t["X"], t["Y"], t["Z"]) for t in things(pair)] == [place]


@pytest.mark.parametrize(("pitch", "reach"), [(-6, (0.0, 0.2)), (0, (1.5, 5.5)), (3, (2.5, 8.0))])
def test_where_it_lands_goes_by_where_one_looks(pair, pitch, reach):
    pair.body[Body.PITCH, 0] = pitch
    pair.give("coal", 1, rows=0)
    drop(pair, "coal")
    pair.act(38)
    (thing,) = things(pair)
    assert reach[0] <= thing["Y"] - 0.5 <= reach[1]


def test_it_bounces_off_walls_and_lies_on_whatever_is_below(pair):
    pair.fill("stone", range(-2, 3), range(2, 3), range(3))
    pair.give("coal", 1, rows=0)
    drop(pair, "coal")
    pair.act(30)
    (thing,) = things(pair)
    assert thing["Y"] <= 2.0 - 0.124
    assert thing["Z"] == 0.0
    pair.fill("air", range(-2, 3), range(-2, 2), range(-3, 0))
    pair.stand(FAR, 3.5, 0, rows=0)
    pair.act(60)
    assert things(pair)[0]["Z"] == -3.0


def test_nothing_falls_through_the_floor_however_fast(pair):
    lay(pair, "coal", 0.5, 4.5, 25, VZ=-3 * 65536)
    lowest = 99.0
    for _ in range(60):
        pair.act()
        lowest = min(lowest, *(t["Z"] for t in things(pair)))
    assert lowest == 0.0


@pytest.mark.parametrize("block", ["lava", "fire"])
def test_it_burns(pair, block):
    pair.set(block, 0, 4, 0)
    if block == "fire":
        pair.set("planks", 0, 4, -1)
    lay(pair, "diamond", 0.5, 4.5, 1)
    pair.act(20)
    assert things(pair) == []


def test_it_is_gone_after_five_minutes(pair):
    lay(pair, "diamond", 0.5, 4.5, 0, AGE=5_990)
    pair.act(9)
    assert len(things(pair)) == 1
    pair.act()
    assert things(pair) == []


@pytest.mark.parametrize(
    ("dx", "dz", "reached"),
    [(1.4, 0, True), (1.45, 0, False), (0, 2.25, True), (0, 2.35, False), (0, -0.7, True), (0, -0.8, False)],
)
def test_what_is_within_reach_is_picked_up(make_arena, dx, dz, reached):
    arena = make_arena(1, agents=2)
    arena.stand(FAR, 0.5, 0, rows=1)
    arena.stand(0.5, 0.5, 0, rows=0)
    arena.fill("stone", range(-3, 4), range(-3, 4), range(-2, 0))
    lay(arena, "diamond", 0.5 + dx, 0.5, dz, VZ=0)
    arena.fill("glass", range(-3, 4), range(-3, 4), range(2, 3)) if dz > 2 else None
    if dz < 0:
        arena.lying[0, 0, Lying.Z] = round((32 + dz) * POSITION_ONE)
    arena.act()
    fell = 0.0 if not things(arena) else things(arena)[0]["Z"] - dz
    assert abs(fell) < 0.1
    assert (arena.carried(0) == {"diamond": 1}) is reached


def test_who_dropped_it_waits_longer_than_others(pair):
    for row in (0, 1):
        pair.stand(0.5 + 6 * row, 0.5, 0, rows=row)
        lay(pair, "diamond", 0.5 + 6 * row, 0.5, 0, OWNER=1, PAUSE=40)
    pair.act(9)
    assert pair.count("diamond").tolist() == [0, 0]
    pair.act()
    assert pair.count("diamond").tolist() == [0, 1]
    pair.act(29)
    assert pair.count("diamond").tolist() == [0, 1]
    pair.act()
    assert pair.count("diamond").tolist() == [1, 1]


def test_only_as_much_is_picked_up_as_there_is_room_for(pair):
    pair.give("dirt", 35 * 64, rows=0)
    pair.give("coal", 50, rows=0)
    lay(pair, "coal", 0.5, 0.5, 0, 20)
    lay(pair, "diamond", 0.5, 0.5, 0, 2)
    pair.act(3)
    assert int(pair.count("coal")[0]) == 64
    assert [(t["ITEM"], t["COUNT"]) for t in things(pair)] == [(ITEM_ID["coal"], 6), (ITEM_ID["diamond"], 2)]
    pair.check_inventory()


def test_a_worn_tool_changes_hands_as_worn_as_it_is(pair):
    pair.hold("iron_pickaxe", wear=101, rows=0)
    pair.give("iron_pickaxe", 1, wear=7, rows=0)
    pair.stand(0.5, 3.0, 0, rows=1)
    drop(pair, "held")
    assert int(pair.body[Body.HAND, 0]) == -1
    assert pair.carried(0) == {"iron_pickaxe": 1}
    pair.act(30)
    assert pair.carried(1) == {"iron_pickaxe": 1}
    assert things(pair) == []
    slot = pair.slot_item[1].tolist().index(ITEM_ID["iron_pickaxe"])
    assert int(pair.slot_wear[1, slot]) == 101
    assert int(pair.slot_wear[0][pair.slot_item[0] == ITEM_ID["iron_pickaxe"]]) == 7
    pair.check_inventory()


def test_a_trade_is_no_gathering(pair):
    """Nothing is gained, nothing unlocked, nothing paid; it counts as a kind that was carried."""
    pair.give("diamond", 1, rows=0)
    pair.stand(0.5, 3.0, 0, rows=1)
    drop(pair, "diamond")
    paid = sum(float(act(pair).reward[1]) for _ in range(30))
    assert pair.carried(1) == {"diamond": 1}
    assert paid == 0.0
    assert int(pair.unlocked[1].max()) == -1
    tally = pair.world.snapshot()["tally"][0, 1]
    assert int(tally[Event.GAINED * THINGS + ITEM_ID["diamond"]]) == 0
    assert int(pair.body[Body.KINDS, 1]) == 1


def test_what_is_named_is_dropped(pair):
    kit = {"spruce_log": 2, "bread": 1, "apple": 2, "cooked_beef": 1, "wooden_sword": 1}
    for name, count in kit.items():
        pair.give(name, count, rows=0)
    names = ("held", "log", "food", "oak_log", "planks", "wooden_sword")
    assert {name: pair.possible(f"drop_{name}") for name in names} == {
        "held": False, "log": True, "food": True, "oak_log": False, "planks": False, "wooden_sword": True,
    }  # fmt: skip
    drop(pair, "log")
    drop(pair, "food")
    drop(pair, "food")
    drop(pair, "planks")
    assert [ITEMS[t["ITEM"]].name for t in things(pair)] == ["spruce_log", "cooked_beef", "bread"]
    assert pair.carried(0) == {"spruce_log": 1, "apple": 2, "wooden_sword": 1}


def test_with_the_ground_full_nothing_is_dropped_unless_something_lies_far_away(pair):
    pair.give("coal", 3, rows=0)
    for _ in range(32):
        lay(pair, "diamond", 0.5, 9.5, 0, 64)
    assert not pair.possible("drop_coal")
    drop(pair, "coal")
    assert int(pair.count("coal")[0]) == 3
    assert int(pair.clock[Clock.LOST, 0]) == 0
    pair.lying[0, 5, Lying.X] = 500 * POSITION_ONE
    assert pair.possible("drop_coal")
    drop(pair, "coal")
    assert int(pair.count("coal")[0]) == 2
    assert int(pair.clock[Clock.LOST, 0]) == 64
    assert sum(t["ITEM"] == ITEM_ID["diamond"] for t in things(pair)) == 31


def test_stacks_of_a_kind_in_one_cell_are_joined(pair):
    for count in (5, 20, 60, 3):
        lay(pair, "coal", 0.5, 9.5, 0, count)
    lay(pair, "diamond", 0.5, 9.5, 0, 3)
    lay(pair, "iron_pickaxe", 0.5, 9.5, 0, 1)
    lay(pair, "iron_pickaxe", 0.6, 9.5, 0, 1)
    pair.act(17)
    found = sorted((ITEMS[t["ITEM"]].name, t["COUNT"]) for t in things(pair))
    assert found == [("coal", 28), ("coal", 60), ("diamond", 3), ("iron_pickaxe", 1), ("iron_pickaxe", 1)]


def test_what_the_window_has_left_lies_as_it_was(make_arena):
    arena = make_arena(1, agents=2)
    lay(arena, "coal", 300.5, 0.5, 9, VX=65536, AGE=5_999, PAUSE=3)
    before = arena.lying.clone()
    arena.act(20)
    assert torch.equal(arena.lying, before)


def test_whose_turn_it_is_gets_what_two_stand_at(make_arena):
    arena = make_arena(24, agents=2)
    arena.clock[Clock.SEED_LOW] = torch.arange(24, dtype=torch.int32)
    for w in range(24):
        arena.stand(0.0, 0.5, 0, rows=2 * w)
        arena.stand(1.0, 0.5, 0, rows=2 * w + 1)
        row = arena.lying[w, 0]
        row[Lying.ITEM], row[Lying.COUNT] = ITEM_ID["diamond"], 1
        row[Lying.X] = row[Lying.Y] = POSITION_ONE // 2
        row[Lying.Z] = 32 * POSITION_ONE
    arena.clock[Clock.LYING] = 1
    arena.act()
    got = arena.count("diamond").view(24, 2)
    assert (got.sum(1) == 1).all()
    assert 4 < int(got[:, 0].sum()) < 20


NAMES = ("coal", "planks", "iron_pickaxe", "apple", "torch", "iron_helmet", "bucket", "diamond")


def everything(arena) -> np.ndarray:
    """int ``[W, items]``: carried, worn, on the ground; those lost for want of room apart."""
    worlds, agents = arena.world.num_worlds, arena.world.num_agents
    total = np.zeros((worlds, len(ITEMS)), dtype=np.int64)
    total += arena.counts.view(worlds, agents, -1).sum(1).numpy()
    for row, pieces in enumerate(arena.armour_item.tolist()):
        for item in pieces:
            total[row // agents, item] += item > 0
    for w in range(worlds):
        for k in range(int(arena.clock[Clock.LYING, w])):
            total[w, int(arena.lying[w, k, Lying.ITEM])] += int(arena.lying[w, k, Lying.COUNT])
    return total


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**30), respawn=st.booleans(), crowded=st.booleans())
def test_items_are_conserved_through_dropping_picking_up_and_dying(make_arena, seed, respawn, crowded):
    arena = make_arena(2, agents=3, respawn=respawn, hunger=False)
    generator = np.random.default_rng(seed)
    for row in arena.rows:
        arena.stand(0.5 + 0.8 * (row % 3), 0.5, 0, rows=row)
        for name in generator.choice(NAMES, 4, replace=False):
            stack = ITEMS[ITEM_ID[name]].stack
            arena.give(name, int(generator.integers(1, 9 if crowded or stack == 1 else 3 * stack)), rows=row)
    if crowded:
        for row in arena.rows[:2]:
            free = int((arena.slot_item[row] == 0).sum())
            arena.give("dirt", 64 * (free - 1), rows=row)
    before = everything(arena)
    drops = [CHOICE_ID[f"drop_{name}"] for name in (*NAMES, "dirt", "held", "food")]
    choices = np.array([0, 0, 0, CHOICE_ID["wear_armour"], CHOICE_ID["equip_pickaxe"], *drops])
    for step in range(120):
        actions = np.zeros((6, 5), dtype=np.int32)
        actions[:, 0] = generator.choice([Move.NONE, Move.FORWARD, Move.SPRINT], 6)
        actions[:, 2] = generator.choice([Camera.NONE, Camera.LEFT_45, Camera.RIGHT, Camera.DOWN, Camera.UP], 6)
        actions[:, 4] = generator.choice(choices, 6)
        if generator.random() < 0.03:
            row = int(generator.integers(6))
            if not arena.body[Body.GONE, row] and int(arena.body[Body.CAUSE].view(2, 3)[row // 3].eq(0).sum()) > 1:
                arena.body[Body.HEALTH, row], arena.body[Body.CAUSE, row] = 0, int(Cause.FALL)
        arena.act_rows(torch.from_numpy(actions))
        if step % 10 == 9:
            arena.check_inventory()
            now = everything(arena)
            assert (now <= before).all()
            assert ((before - now).sum(1) == arena.clock[Clock.LOST].numpy()).all(), step
