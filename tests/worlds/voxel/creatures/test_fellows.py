"""What agents perceive of each other and of what lies on the ground, against plain arithmetic."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from farlands.worlds.voxel.creatures.columns import ENTITIES, ENTITY_LABELS
from farlands.worlds.voxel.creatures.kinds import CREATURES
from farlands.worlds.voxel.items import ITEM_ID, ITEMS
from farlands.worlds.voxel.state import Body, Clock

from ..gathering import Gathering

KINDS = ENTITY_LABELS[ENTITY_LABELS.index(CREATURES[0].name) :]
AGENTS = 4


@pytest.fixture(scope="module")
def shared() -> Gathering:
    return Gathering(2, AGENTS, creatures="none", senses=("entities",))


@pytest.fixture
def meadow(shared: Gathering) -> Gathering:
    return shared.clear()


def perceived(meadow: Gathering, agent: int = 0, world: int = 0) -> list[dict[str, int]]:
    """Rows by label of what an agent perceives; empty ones last and left out."""
    rows = [
        dict(zip(ENTITY_LABELS, row.tolist(), strict=True))
        for row in meadow.look()["entities"][meadow.row(agent, world)]
    ]
    there = [any(row.values()) for row in rows]
    assert there == sorted(there, reverse=True)
    return rows[: sum(there)]


def kind(row: dict[str, int]) -> str:
    return next(name for name in KINDS if row[name])


@pytest.mark.parametrize("yaw", [0, 5, 12, 19])
@pytest.mark.parametrize(("agent", "other"), [(0, 3), (3, 1)])
def test_another_agent_is_told_as_it_is(meadow, yaw, agent, other):
    meadow.put_agent(agent, 0.5, 0.5, yaw=yaw, holds="apple", HEALTH=20)
    meadow.put_agent(other, 4.5, 6.5, 1.0, yaw=7, holds="iron_axe", HEALTH=9, HURT=3, STRIKE_PAUSE=2)
    (row,) = perceived(meadow, agent)
    angle, turn = math.radians(15 * yaw), math.radians(15 * (7 - yaw))
    dx, dy = 16.0, 24.0
    assert row["ahead"] == pytest.approx(dx * math.sin(angle) + dy * math.cos(angle), abs=1.1)
    assert row["right"] == pytest.approx(dx * math.cos(angle) - dy * math.sin(angle), abs=1.1)
    assert row["up"] == 4
    assert row["heading_sin"] == pytest.approx(127 * math.sin(turn), abs=1.5)
    assert row["heading_cos"] == pytest.approx(127 * math.cos(turn), abs=1.5)
    assert (row["health"], row["hurt"], row["roused"], row["young"]) == (54, 127, 127, 0)
    assert {name: row[name] for name in KINDS if row[name]} == {"agent": 127, "item": ITEM_ID["iron_axe"]}
    assert not perceived(meadow, agent, world=1), "worlds are apart"


def test_at_ease_and_with_bare_hands(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 3.5)
    (row,) = perceived(meadow)
    assert (row["health"], row["hurt"], row["roused"], row["agent"], row["item"]) == (120, 0, 0, 127, 0)
    meadow.body[Body.DRAWN, 1] = 3
    assert perceived(meadow)[0]["roused"] == 127


@pytest.mark.parametrize("item", [ITEMS[1].name, "apple", ITEMS[-1].name])
def test_an_item_is_told_as_it_is(meadow, item):
    meadow.put_agent(2, 0.5, 0.5, yaw=6)
    meadow.drop(item, 0.5, 3.5, 0.5, count=40)
    assert len(ITEMS) <= 128, "ids of items have to fit"
    (row,) = perceived(meadow, 2)
    assert row == dict.fromkeys(ENTITY_LABELS, 0) | {"right": -12, "up": 2, "health": 40, "item": ITEM_ID[item]}


def test_who_is_gone_is_not_told(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 3.5)
    meadow.put_agent(2, 0.5, 5.5)
    assert [row["ahead"] for row in perceived(meadow)] == [12, 20]
    meadow.body[Body.GONE, 1] = 1
    assert [row["ahead"] for row in perceived(meadow)] == [20]


def test_walls_hide_and_glass_does_too(meadow):
    """As it hides creatures: what can't be walked through."""
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 6.5)
    meadow.put_agent(2, 3.5, 2.5)
    meadow.drop("apple", -1.5, 6.5)
    meadow.drop("bread", 1.5, 1.5)
    assert len(perceived(meadow)) == 4
    for block in ("stone", "glass"):
        meadow.wall(4, block)
        assert [kind(row) for row in perceived(meadow)] == ["item", "agent"]
    assert len(perceived(meadow, 1)) == 1


def test_beyond_sight_nothing_is_told(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.put_agent(1, 0.5, 24.4)
    meadow.drop("apple", 0.5, 24.6)
    assert [kind(row) for row in perceived(meadow)] == ["agent"]


PLACES = st.tuples(st.integers(-96, 96), st.integers(-96, 96))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(PLACES, min_size=AGENTS, max_size=AGENTS), st.lists(st.booleans(), min_size=AGENTS, max_size=AGENTS),
    st.lists(PLACES, max_size=6), st.lists(PLACES, max_size=30), st.integers(0, AGENTS - 1),
)  # fmt: skip
def test_the_nearest_come_first(meadow, agents, gone, creatures, items, viewer):
    """In order of distance; what is as far: creatures, agents, items, each by their places. Sixteenths of a block."""
    meadow.clear()
    everything = []
    for k, (x, y) in enumerate(creatures):
        meadow.put_creature(CREATURES[k].name, x / 16, y / 16)
        everything.append((x, y, CREATURES[k].name, 127))
    for k, (x, y) in enumerate(agents):
        if k == viewer or not gone[k]:
            meadow.put_agent(k, x / 16, y / 16, HEALTH=k + 1)
        if k != viewer and not gone[k]:
            everything.append((x, y, "agent", 127))
    for k, (x, y) in enumerate(items):
        meadow.drop(ITEMS[k + 1].name, x / 16, y / 16)
        everything.append((x, y, "item", k + 1))
    x, y = agents[viewer]
    everything.sort(key=lambda each: (each[0] - x) ** 2 + (each[1] - y) ** 2)
    told = [(kind(row), row[kind(row)]) for row in perceived(meadow, viewer)]
    assert told == [each[2:] for each in everything[:ENTITIES]]


def test_rows_beyond_the_count_are_nothing(meadow):
    meadow.put_agent(0, 0.5, 0.5)
    meadow.drop("apple", 0.5, 2.5)
    meadow.drop("bread", 0.5, 3.5)
    meadow.clock[Clock.LYING, 0] = 1
    assert [row["item"] for row in perceived(meadow)] == [ITEM_ID["apple"]]
