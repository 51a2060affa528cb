"""What agents perceive of creatures, against plain arithmetic; and creatures in pictures."""

from __future__ import annotations

import math

import pytest
import torch

from farlands.worlds.voxel.creatures.columns import ENTITIES, ENTITY_LABELS, Being
from farlands.worlds.voxel.creatures.kinds import CREATURES, Temper

ALIVE = [creature.name for creature in CREATURES if creature.temper != Temper.THING]


@pytest.fixture
def pen(make_arena):
    return make_arena(1, creatures="all", spawn_rate=0.0, start_time=6_000)


def perceived(pen) -> list[dict[str, int]]:
    rows = pen.look()["entities"][0]
    return [dict(zip(ENTITY_LABELS, row.tolist(), strict=True)) for row in rows]


@pytest.mark.parametrize("yaw", [0, 5, 12, 19])
def test_a_creature_is_told_as_it_is(pen, yaw):
    pen.put_body(YAW=yaw)
    pen.put_creature("pig", 4.5, 6.5, 1.0, yaw=7, HURT=3, PANIC=5, AGE=-1)
    row, *others = perceived(pen)
    angle = math.radians(15 * yaw)
    dx, dy = 16.0, 24.0
    assert row["ahead"] == pytest.approx(dx * math.sin(angle) + dy * math.cos(angle), abs=1.1)
    assert row["right"] == pytest.approx(dx * math.cos(angle) - dy * math.sin(angle), abs=1.1)
    assert row["up"] == 4
    turn = math.radians(15 * (7 - yaw))
    assert row["heading_sin"] == pytest.approx(127 * math.sin(turn), abs=1.5)
    assert row["heading_cos"] == pytest.approx(127 * math.cos(turn), abs=1.5)
    assert (row["health"], row["hurt"], row["roused"], row["young"]) == (60, 127, 127, 127)
    assert [name for name in ALIVE if row[name]] == ["pig"]
    assert not any(any(other.values()) for other in others)


def test_the_nearest_come_first_and_only_those_in_sight(pen):
    for k in range(12):
        pen.put_creature(ALIVE[k % 8], 0.5 + 0.2 * k, 3.5 + 1.5 * k)
    rows = perceived(pen)
    ahead = [row["ahead"] for row in rows]
    assert len(rows) == ENTITIES
    assert ahead == sorted(ahead)
    for x in range(-6, 7):
        for z in range(4):
            pen.set("stone", x, 7, z)
    rows = perceived(pen)
    assert [any(row.values()) for row in rows] == [True] * 3 + [False] * 5
    pen.creatures[0, 0, Being.Y] += 60 * 2048
    assert sum(any(row.values()) for row in perceived(pen)) == 2


def test_each_kind_is_seen_in_pictures_at_ten_blocks_and_told_apart(make_arena):
    pen = make_arena(
        len(ALIVE), creatures="all", spawn_rate=0.0, start_time=6_000, senses=("pixels", "segmentation", "depth")
    )  # fmt: skip
    empty = pen.look()
    colours = []
    for w, name in enumerate(ALIVE):
        pen.put_creature(name, 0.5, 10.5, yaw=14, worlds=w)
    seen = pen.look()
    names = pen.world.spec.observation["segmentation"].categories
    for w, name in enumerate(ALIVE):
        its = seen["segmentation"][w] == names.index(name)
        assert int(its.sum()) >= 4, name
        assert (seen["depth"][w][its] <= empty["depth"][w][its]).all()
        changed = (seen["pixels"][w] != empty["pixels"][w]).any(dim=-1)
        assert (changed & ~its).sum() == 0, "nothing else in the picture has changed"
        colours.append(seen["pixels"][w][its].float().mean(dim=0))
    apart = torch.cdist(torch.stack(colours), torch.stack(colours)) + 1_000 * torch.eye(len(ALIVE))
    assert float(apart.min()) > 8.0, apart


def test_walls_hide_creatures(make_arena):
    pen = make_arena(1, creatures="all", spawn_rate=0.0, start_time=6_000, senses=("segmentation",))
    pen.put_creature("cow", 0.5, 10.5)
    cow = pen.world.spec.observation["segmentation"].categories.index("cow")
    assert (pen.look()["segmentation"] == cow).any()
    for x in range(-8, 9):
        for z in range(6):
            pen.set("stone", x, 6, z)
    assert not (pen.look()["segmentation"] == cow).any()
